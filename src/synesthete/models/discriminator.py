"""The discriminator of a generative adversarial network: it tells pictures of a generator from true ones.

It looks at a picture in several sizes, and at each in several ways: at its pixels, and through an encoder
that was trained before and is not trained here, on all of its levels. What is seen so tells much more of a
picture than what a discriminator of its own learns in the same time; docs/gan.md has figures.

References
----------
Sauer et al., "Projected GANs converge faster", NeurIPS 2021. Karras et al., "Progressive growing of GANs",
ICLR 2018, for the deviation in a batch. Differs: an encoder of ours, all of whose features are seen, and the
pixels beside them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.vae import Vae

__all__ = ["COARSEST_VIEW", "Discriminator", "DiscriminatorSpec", "View", "views_of"]

COARSEST_VIEW: Final = 64
"""Side of the smallest picture that is looked at, pixels."""

_WINDOW: Final = 128
_CELL: Final = 2
_HALVINGS: Final = (2, 1, 1, 0)
"""From a picture of 64 pixels to scores: from its cells of 2x2 pixels, and from what an encoder sees at 4, 8
and 16 pixels."""

_PARTS: Final = 4
"""Parts of a picture along each side that are scored; as many in each size, so that all sizes count alike."""

_SLOPE: Final = 0.2
_LEAST: Final = 1e-8
_LEAST_SPREAD: Final = 0.05

Pictures = Float[Tensor, "batch 3 height width"]
View = Sequence[Float[Tensor, "batch _ _ _"]]
"""What is seen of a picture in one size: its pixels in cells, and an encoder's features."""


@dataclass(frozen=True)
class DiscriminatorSpec:
    """The architecture of a `Discriminator`.

    Attributes
    ----------
    width
        Channels of its layers.
    seen
        Channels of what is seen, in each way.
    views
        Sizes in which pictures are looked at: 64 pixels, 128, and so on.
    """

    width: int
    seen: tuple[int, ...]
    views: int

    def to_json(self) -> dict[str, Any]:
        """Give what `DiscriminatorSpec` can be made from again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DiscriminatorSpec":
        """Make it from what `to_json` gave."""
        return cls(**{**values, "seen": tuple(values["seen"])})

    @classmethod
    def through(cls, vae: Vae, *, width: int, side: int) -> "DiscriminatorSpec":
        """Give that of one that looks through an encoder at pictures of a size, pixels."""
        views = (max(side, COARSEST_VIEW) // COARSEST_VIEW).bit_length()
        return cls(width=width, seen=(3 * _CELL * _CELL, *vae.spec.widths), views=views)


def views_of(vae: Vae, pictures: Pictures, views: int, place: tuple[float, float] = (0.5, 0.5)) -> list[View]:
    """Look at pictures in several sizes, the smallest first.

    Parameters
    ----------
    pictures
        Display RGB, 0-1; squares. Those of more than 128 pixels are looked at through a window of 128.
    place
        Of the window, from the top and from the left: 0 to 1.
    """
    found: list[View] = []
    for view in range(views):
        side = COARSEST_VIEW << view
        seen = nn.functional.interpolate(
            pictures, (side, side), mode="bilinear", align_corners=False, antialias=True
        )
        if side > _WINDOW:
            top, left = (round(one * (side - _WINDOW)) for one in place)
            seen = seen[:, :, top : top + _WINDOW, left : left + _WINDOW]
        found.append([nn.functional.pixel_unshuffle(2.0 * seen - 1.0, _CELL), *vae.stages(seen)])
    return found


class Discriminator(nn.Module):
    """Judges pictures by what is seen of them: above 0 it takes one for true.

    Weights come from torch's global generator: build it inside ``torch.random.fork_rng``.
    """

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.spec = spec
        self.views = nn.ModuleList(
            nn.ModuleList(
                _Judge(channels, spec.width // 2 if place == 0 else spec.width, halvings)
                for place, (channels, halvings) in enumerate(zip(spec.seen, _HALVINGS, strict=True))
            )
            for _ in range(spec.views)
        )

    @property
    def levels(self) -> int:
        """Count its parts that can be added one by one."""
        return self.spec.views

    def forward(self, views: Sequence[View]) -> Float[Tensor, "batch places"]:
        """Judge pictures.

        Parameters
        ----------
        views
            See `views_of`.

        Returns
        -------
        Scores of 4x4 parts of the pictures, of all views and ways to see them.
        """
        scores = [
            judge(seen) for judges, view in zip(self.views, views, strict=True)
            for judge, seen in zip(judges, view, strict=True)  # type: ignore[call-overload]
        ]  # fmt: skip
        return torch.cat(scores, dim=1)

    @torch.no_grad()
    def settle(self, views: Sequence[View]) -> None:
        """Scale what is seen by what is seen of some true pictures; weights that are kept don't tell it."""
        for judges, view in zip(self.views, views, strict=True):
            for judge, seen in zip(judges, view, strict=True):  # type: ignore[call-overload]
                judge.middle.copy_(seen.float().mean(dim=(0, 2, 3)))
                judge.spread.copy_(seen.float().std(dim=(0, 2, 3)) + _LEAST_SPREAD)

    def parts(self, level: int) -> tuple[str, ...]:
        """Say how the names of a view's own weights begin."""
        return (f"views.{level}.",)

    def silence(self, level: int) -> None:
        """Let a view say nothing."""
        judges: Any = self.views[level]
        for judge in judges:
            judge.score.weight.zero_()
            judge.score.bias.zero_()


class _Judge(nn.Module):
    """Scores parts of pictures by one way to see them."""

    middle: Tensor
    spread: Tensor

    def __init__(self, channels: int, width: int, halvings: int) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(channels), persistent=False)
        self.register_buffer("spread", torch.ones(channels), persistent=False)
        self.enter = nn.Conv2d(channels, width, 1)
        self.halve = nn.ModuleList(nn.Conv2d(width, width, 4, stride=2, padding=1) for _ in range(halvings))
        self.last = nn.Conv2d(width + 1, width, 3, padding=1)
        self.score = nn.Conv2d(width, 1, 1)

    def forward(self, seen: Float[Tensor, "batch _ rows columns"]) -> Float[Tensor, "batch places"]:
        scaled = (seen.float() - self.middle[:, None, None]) / self.spread[:, None, None]
        features = nn.functional.leaky_relu(self.enter(scaled), _SLOPE)
        for halve in self.halve:
            features = nn.functional.leaky_relu(halve(features), _SLOPE)
        features = nn.functional.leaky_relu(self.last(_with_deviation(features)), _SLOPE)
        scores: Tensor = self.score(features)
        return nn.functional.adaptive_avg_pool2d(scores.float(), _PARTS).flatten(1)


def _with_deviation(
    features: Float[Tensor, "batch width rows columns"],
) -> Float[Tensor, "batch width+1 rows columns"]:
    """Add a channel that says how much the pictures of a batch differ: a generator of one picture is told."""
    apart = features.float() - features.float().mean(dim=0)
    deviation = torch.sqrt(apart.square().mean(dim=0) + _LEAST).mean()
    channel = deviation.to(features.dtype).expand(len(features), 1, *features.shape[2:])
    return torch.cat([features, channel], dim=1)
