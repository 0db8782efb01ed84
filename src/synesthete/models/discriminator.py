"""The discriminator of a generative adversarial network: it tells pictures of a generator from true ones.

It mirrors `synesthete.models.gan`: at every level it looks at the picture in that size, so that both can grow
by a level and begin where they were.

References
----------
Karras et al., "Progressive growing of GANs", ICLR 2018, for the deviation in a batch.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Discriminator", "DiscriminatorSpec"]

_COLOURS: Final = 4 * 3
_DEEPER: Final = 2
_HALF: Final = 0.5**0.5
_QUARTER: Final = 0.25
_LEAST: Final = 1e-8

Pictures = Float[Tensor, "batch 3 height width"]


@dataclass(frozen=True)
class DiscriminatorSpec:
    """The architecture of a `Discriminator`.

    Attributes
    ----------
    widths
        Channels at each level, the coarsest first.
    """

    widths: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Give what `DiscriminatorSpec` can be made from again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DiscriminatorSpec":
        """Make it from what `to_json` gave."""
        return cls(**{**values, "widths": tuple(values["widths"])})


class Discriminator(nn.Module):
    """Judges pictures: above 0 it takes one for true.

    Weights come from torch's global generator: build it inside ``torch.random.fork_rng``.
    """

    def __init__(self, spec: DiscriminatorSpec) -> None:
        super().__init__()
        self.spec = spec
        first = spec.widths[0]
        self.enters = nn.ModuleList(nn.Conv2d(_COLOURS, width, 1) for width in spec.widths)
        # Each leads from its level to the next coarser one.
        self.downs = nn.ModuleList(
            _Down(inner, outer) for outer, inner in zip(spec.widths, spec.widths[1:], strict=False)
        )
        self.deeper = nn.ModuleList(_Down(first, first) for _ in range(_DEEPER))
        self.last = nn.Conv2d(first + 1, first, 3, padding=1)
        self.score = nn.Linear(first, 1)
        self.apply(_begun)

    def forward(self, pictures: Pictures) -> Float[Tensor, " batch"]:
        """Judge pictures.

        Parameters
        ----------
        pictures
            Display RGB, 0-1; sides are multiples of 4 times the scale of the generator's finest level.
        """
        seen = 2.0 * pictures - 1.0
        features: Tensor | None = None
        for level in reversed(range(len(self.spec.widths))):
            looked = self.enters[level](nn.functional.pixel_unshuffle(seen, 2))
            features = looked if features is None else looked + self.downs[level](features)
            seen = nn.functional.avg_pool2d(seen, 2)
        assert features is not None
        for down in self.deeper:
            features = down(features)
        features = self.last(nn.functional.silu(_with_deviation(features)))
        score: Tensor = self.score(nn.functional.silu(features).mean(dim=(2, 3)))
        return score[:, 0].float()

    def parts(self, level: int) -> tuple[str, ...]:
        """Say how the names of a level's own weights begin."""
        return f"downs.{level - 1}.", f"enters.{level}."

    def silence(self, level: int) -> None:
        """Hear nothing of a level."""
        gate: Any = self.downs[level - 1].gate
        gate.zero_()


def _begun(layer: nn.Module) -> None:
    """Give a layer first weights that keep what comes in as large: scores of true pictures differ at once."""
    if isinstance(layer, nn.Conv2d):
        bent = layer.kernel_size != (1, 1)  # what comes in is half of it cut off
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if bent else "linear")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=_QUARTER)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


class _Down(nn.Module):
    """A residual block that halves the grid, with a gate behind it."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(inner, inner, 3, padding=1)
        self.leave = nn.Conv2d(inner, outer, 3, padding=1)
        self.past = nn.Identity() if inner == outer else nn.Conv2d(inner, outer, 1, bias=False)
        self.gate = nn.Parameter(torch.ones(1))

    def forward(
        self, features: Float[Tensor, "batch inner rows columns"]
    ) -> Float[Tensor, "batch outer _ _"]:
        own: Tensor = self.enter(nn.functional.silu(features))
        own = self.leave(nn.functional.silu(nn.functional.avg_pool2d(own, 2)))
        past: Tensor = self.past(nn.functional.avg_pool2d(features, 2))
        halved: Tensor = (past + own) * (_HALF * self.gate)
        return halved


def _with_deviation(
    features: Float[Tensor, "batch width rows columns"],
) -> Float[Tensor, "batch width+1 rows columns"]:
    """Add a channel that says how much the pictures of a batch differ: a generator of one picture is told."""
    apart = features.float() - features.float().mean(dim=0)
    deviation = torch.sqrt(apart.square().mean(dim=0) + _LEAST).mean()
    channel = deviation.to(features.dtype).expand(len(features), 1, *features.shape[2:])
    return torch.cat([features, channel], dim=1)
