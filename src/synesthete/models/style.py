"""Style: a vector that says how pictures look, read from some of them, and distributed as N(0, 1).

It is a coarse picture of a few channels, whatever the shape of those it was read from: it says how things
look, and about where. The numbers of a style that was read depend on each other: `StandardStyles` makes them
independent, so that styles can be drawn, blended, and taken from any picture.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.field import Residual
from synesthete.models.vae import Posterior

__all__ = ["StandardStyles", "StyleEncoder", "spherical"]

_LOG_VARIANCE = (-10.0, 4.0)
_FIRST_LOG_VARIANCE = -3.0
_LEAST_SHARE = 0.01


class StyleEncoder(nn.Module):
    """Latents of some frames to a normal distribution of styles.

    Parameters
    ----------
    latents
        Channels of the latents.
    width
        Channels inside.
    channels, cells
        Of a style: ``cells`` along each side.
    """

    def __init__(self, latents: int, *, width: int, channels: int, cells: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(latents, width, 3, padding=1),
            Residual(width),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            Residual(2 * width),
            nn.SiLU(),
        )
        self.cells = cells
        self.leave = nn.Conv2d(2 * width, 2 * channels, 1)

    def forward(self, frames: Float[Tensor, "clips frames latents h w"]) -> Posterior:
        """Read a style; the order of the frames does not matter."""
        clips, count = frames.shape[:2]
        seen = nn.functional.adaptive_avg_pool2d(self.body(frames.flatten(0, 1)), self.cells)
        pooled = seen.view(clips, count, *seen.shape[1:]).mean(dim=1)
        middle, log_variance = (part.flatten(1) for part in self.leave(pooled).float().chunk(2, dim=1))
        return Posterior(middle, (log_variance + _FIRST_LOG_VARIANCE).clamp(*_LOG_VARIANCE))


class StandardStyles(nn.Module):
    """Turns styles as they are read to standard normal ones, by their principal axes, and back.

    Parameters
    ----------
    size
        Of a style.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(size))
        self.register_buffer("axes", torch.eye(size))
        self.middle: Tensor
        self.axes: Tensor

    @torch.no_grad()
    def fit(self, read: Float[Tensor, "styles size"]) -> None:
        """Take middle and axes of styles; the first number of a standard one says most of how it looks.

        Axes along which they hardly differ are made a little longer: few styles do not say how others differ.
        """
        known = read.double()
        middle = known.mean(dim=0)
        variances, axes = torch.linalg.eigh((known - middle).T.cov(correction=0))
        variances, axes = variances.flip(0).clamp(min=0.0), axes.flip(1)
        # Which way an axis points is the algorithm's whim.
        farthest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
        lengths = (variances + _LEAST_SHARE * variances.mean()).sqrt()
        self.middle.copy_(middle)
        self.axes.copy_(axes * farthest.sign() * lengths)

    def standard(self, read: Float[Tensor, "*batch size"]) -> Float[Tensor, "*batch size"]:
        """Give styles that were read as standard ones."""
        found: Tensor = torch.linalg.solve(self.axes.T, read - self.middle, left=False)
        return found

    def forward(self, standard: Float[Tensor, "*batch size"]) -> Float[Tensor, "*batch size"]:
        """Give standard styles as they would have been read."""
        return self.middle + standard @ self.axes.T


def spherical(
    first: Float[Tensor, "*batch size"], second: Float[Tensor, "*batch size"], share: float
) -> Float[Tensor, "*batch size"]:
    """Blend two styles along the sphere: a straight line would pass where no style is, near the middle.

    Parameters
    ----------
    share
        0 is the first, 1 the second. Lengths are blended evenly.
    """
    lengths = [style.norm(dim=-1, keepdim=True).clamp(min=1e-9) for style in (first, second)]
    one, two = first / lengths[0], second / lengths[1]
    angle = torch.arccos((one * two).sum(dim=-1, keepdim=True).clamp(-1.0, 1.0))
    sine = torch.sin(angle)
    weights = [torch.sin(part * angle) / sine.clamp(min=1e-6) for part in (1.0 - share, share)]
    # Nearly the same direction, or opposite ones: the line is as good.
    direction = torch.where(
        sine > 1e-4, weights[0] * one + weights[1] * two, (1.0 - share) * one + share * two
    )
    blended: Tensor = direction * ((1.0 - share) * lengths[0] + share * lengths[1])
    return blended
