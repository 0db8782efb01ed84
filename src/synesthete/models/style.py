"""Style: a vector that says how pictures look, read from some of them, and distributed as N(0, 1).

It is a coarse picture of a few channels, whatever the shape of those it was read from: it says how things look,
and about where. As it is normally distributed, it can be drawn, blended, and taken from any picture.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.field import Residual
from synesthete.models.vae import Posterior

__all__ = ["StyleEncoder", "spherical"]

_LOG_VARIANCE = (-10.0, 4.0)
_FIRST_LOG_VARIANCE = -3.0


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
