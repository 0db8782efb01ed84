r"""The generator of a generative adversarial network: pictures from a grid of latents.

The generator doubles its grid from level to level. At every level it paints cells of 2x2 pixels, smoothed so
that no grid shows, and each picture is that of the level below, enlarged, with what is painted on top. So it
can grow by a level and begin where it was. `synesthete.models.discriminator` judges each of these sizes.

It is convolutional: 16x16 latents give a square, 9x16 or 16x9 a picture of another shape. What holds for the
whole picture, such as its colours, follows from the *mean* of each latent: scaled by the root of how many
there are it is N(0, 1) on a grid of any size, as a latent is. So do large shapes from the means of 3x3, 5x5
and 9x9 latents, which are told beside the latents themselves.

References
----------
Goodfellow et al., "Generative adversarial networks", 2014. Karras et al., "Analyzing and improving the image
quality of StyleGAN", CVPR 2020, for pictures that add up and for noise maps. Differs: the latent is
a grid, seen at four scales; group norms, that the means of the latents modulate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from synesthete.models.discriminator import Discriminator
from synesthete.seeding import generator_for

__all__ = [
    "LATENT_SIDE",
    "GanGenerator",
    "GanSpec",
    "grown",
    "noise_maps",
    "on_sphere",
]

LATENT_SIDE: Final = 16
"""Latents along each side of the square pictures that are learned from."""

_CELL: Final = 4
_COLOURS: Final = 3 * _CELL
_AROUND: Final = (3, 5, 9)
"""Sides of the squares of latents whose means are told too."""

_BOUND: Final = 3.0
_HALF: Final = 0.5**0.5
_LEAST: Final = 1e-8

Pictures = Float[Tensor, "batch 3 height width"]


@dataclass(frozen=True)
class GanSpec:
    """The architecture of a `GanGenerator`.

    Attributes
    ----------
    latents
        Channels of the latents.
    widths
        Channels at each level, the coarsest first; multiples of 8.
    blocks
        Residual blocks at the coarsest level, 1 or more; the others have one.
    style
        Units that the means of the latents are mixed in.
    """

    latents: int
    widths: tuple[int, ...]
    blocks: int
    style: int

    @property
    def scale(self) -> int:
        """Give the pixels to a latent, along each side."""
        return 1 << len(self.widths)

    def noise_grids(self, rows: int, columns: int) -> tuple[tuple[int, int], ...]:
        """Give the rows and columns of each noise map, for latents of so many rows and columns.

        Examples
        --------
        >>> GanSpec(latents=8, widths=(32, 16), blocks=2, style=8).noise_grids(9, 16)
        ((9, 16), (9, 16), (18, 32))
        """
        fine = [(rows << level, columns << level) for level in range(1, len(self.widths))]
        return (*[(rows, columns)] * self.blocks, *fine)

    def to_json(self) -> dict[str, Any]:
        """Give what `GanSpec` can be made from again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "GanSpec":
        """Make it from what `to_json` gave."""
        return cls(**{**values, "widths": tuple(values["widths"])})


class GanGenerator(nn.Module):
    """Draws pictures from latents; see the module's text.

    Weights come from torch's global generator: build it inside ``torch.random.fork_rng``.

    Parameters
    ----------
    checkpointing
        Whether what blocks compute is computed again in the backward pass, instead of kept: slower, and in
        less memory.
    """

    def __init__(self, spec: GanSpec, *, checkpointing: bool = False) -> None:
        super().__init__()
        self.spec = spec
        self.checkpointing = checkpointing
        first = spec.widths[0]
        self.mapping = nn.Sequential(
            nn.Linear(spec.latents, spec.style), nn.SiLU(), nn.Linear(spec.style, spec.style), nn.SiLU()
        )
        self.enter = nn.Conv2d((1 + len(_AROUND)) * spec.latents, first, 3, padding=1)
        self.blocks = nn.ModuleList(
            [
                *(_Block(first, first, spec.style, doubles=False) for _ in range(spec.blocks)),
                *(
                    _Block(inner, outer, spec.style, doubles=True)
                    for inner, outer in zip(spec.widths, spec.widths[1:], strict=False)
                ),
            ]
        )
        self.paints = nn.ModuleList(_Paint(width) for width in spec.widths)

    def forward(
        self,
        latents: Float[Tensor, "batch latents rows columns"],
        noise: Sequence[Float[Tensor, "#batch 1 _ _"]],
    ) -> Pictures:
        """Draw pictures.

        Parameters
        ----------
        latents
            About N(0, 1), on a grid of any size.
        noise
            A map for each block, of the sizes that `GanSpec.noise_grids` gives; see `noise_maps`.

        Returns
        -------
        Display RGB, 0-1, `GanSpec.scale` pixels for each latent along each side.
        """
        style = self.mapping(_means(latents))
        features = self.enter(_with_means(latents))
        picture: Tensor | None = None
        for place, (block, grain) in enumerate(zip(self.blocks, noise, strict=True)):
            if self.checkpointing and torch.is_grad_enabled():
                features = checkpoint(block, features, style, grain, use_reentrant=False)
            else:
                features = block(features, style, grain)
            level = place + 1 - self.spec.blocks
            if level >= 0:
                painted = self.paints[level](features)
                picture = painted if picture is None else _enlarged(picture) + painted
        assert picture is not None
        return 0.5 + 0.5 * torch.tanh(picture)

    @property
    def levels(self) -> int:
        """Count its parts that can be added one by one."""
        return len(self.spec.widths)

    def parts(self, level: int) -> tuple[str, ...]:
        """Say how the names of a level's own weights begin."""
        return f"blocks.{self.spec.blocks - 1 + level}.", f"paints.{level}."

    def silence(self, level: int) -> None:
        """Let a level paint nothing."""
        out: Any = self.paints[level].out
        out.weight.zero_()
        out.bias.zero_()


def noise_maps(
    spec: GanSpec, seed: int, *, rows: int = LATENT_SIDE, columns: int = LATENT_SIDE
) -> list[Float[Tensor, "1 1 _ _"]]:
    """Draw the noise maps of a film: each from the seed, its layer, and the grid of the latents.

    Parameters
    ----------
    seed
        0 to 2**63 - 1.
    rows, columns
        Of the latents.
    """
    return [
        torch.from_numpy(
            generator_for(seed, f"gan.noise {rows}x{columns}", layer).standard_normal(
                (1, 1, *grid), np.float32
            )
        )
        for layer, grid in enumerate(spec.noise_grids(rows, columns))
    ]


def on_sphere(
    one: Float[Tensor, "latents rows columns"],
    other: Float[Tensor, "latents rows columns"],
    shares: Float[Tensor, " steps"],
) -> Float[Tensor, "steps latents rows columns"]:
    """Go from one grid of latents to another, along the sphere on which they lie: halfway they are as long.

    Parameters
    ----------
    shares
        How far, 0 to 1.

    References
    ----------
    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
    """
    from_one, to_other = one.flatten(), other.flatten()
    lengths = from_one.norm(), to_other.norm()
    cosine = torch.dot(from_one / lengths[0], to_other / lengths[1]).clamp(-1.0, 1.0)
    angle = torch.arccos(cosine).clamp(min=_LEAST)
    ahead = shares[:, None]
    mixed = torch.sin((1.0 - ahead) * angle) * (from_one / lengths[0]) + torch.sin(ahead * angle) * (
        to_other / lengths[1]
    )
    walk = mixed / torch.sin(angle) * torch.lerp(lengths[0], lengths[1], ahead)
    grids: Tensor = walk.view(len(shares), *one.shape)
    return grids


@torch.no_grad()
def grown(network: GanGenerator | Discriminator, tensors: Mapping[str, Tensor]) -> bool:
    """Take the weights of a network of the same shape, or of one that has fewer levels.

    What is new is silent at first: pictures are those of before, enlarged, and they are judged as before.

    Returns
    -------
    Whether the weights fit; otherwise the network is as it was.
    """
    own = network.state_dict()
    levels = range(network.levels)
    parts = [[name for name in own if name.startswith(network.parts(level))] for level in levels]
    new = [level for level in levels if not tensors.keys() & set(parts[level])]
    fits = all(name in own and own[name].shape == value.shape for name, value in tensors.items())
    missing = own.keys() - tensors.keys()
    if not fits or 0 in new or missing != {name for level in new for name in parts[level]}:
        return False
    network.load_state_dict({**own, **tensors})
    for level in new:
        network.silence(level)
    return True


class _Block(nn.Module):
    """A residual block whose norms are modulated by the style; one that doubles the grid has a finer half."""

    def __init__(self, inner: int, outer: int, style: int, *, doubles: bool) -> None:
        super().__init__()
        self.doubles = doubles
        self.enter_norm, self.leave_norm = _StyledNorm(inner, style), _StyledNorm(outer, style)
        # Zeros beyond the edges would frame every picture.
        self.enter = nn.Conv2d(inner, outer, 3, padding=1, padding_mode="replicate")
        self.leave = nn.Conv2d(outer, outer, 3, padding=1, padding_mode="replicate")
        self.past = nn.Identity() if inner == outer else nn.Conv2d(inner, outer, 1, bias=False)
        self.grain = nn.Parameter(torch.zeros(outer))

    def forward(
        self,
        features: Float[Tensor, "batch inner rows columns"],
        style: Float[Tensor, "batch style"],
        noise: Float[Tensor, "#batch 1 _ _"],
    ) -> Float[Tensor, "batch outer _ _"]:
        own: Tensor = self.enter(nn.functional.silu(self.enter_norm(features, style)))
        past: Tensor = self.past(features)
        if self.doubles:
            own, past = _enlarged(own), _enlarged(past)  # after the convolution: a quarter of the work
        own = own + noise * self.grain[:, None, None]
        own = self.leave(nn.functional.silu(self.leave_norm(own, style)))
        blended: Tensor = (past + own) * _HALF
        return blended


class _StyledNorm(nn.Module):
    """A group norm whose gains and biases follow from the style."""

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_groups(width), width, affine=False)
        self.modulation = nn.Linear(style, 2 * width)

    def forward(
        self, features: Float[Tensor, "batch width rows columns"], style: Float[Tensor, "batch style"]
    ) -> Float[Tensor, "batch width rows columns"]:
        gain, bias = self.modulation(style)[:, :, None, None].chunk(2, dim=1)
        shaped: Tensor = self.norm(features) * (1.0 + gain) + bias
        return shaped


class _Paint(nn.Module):
    """Paints cells of 2x2 pixels, and smooths them: what differs within all cells alike shows as a grid."""

    smooth: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_groups(width), width)
        self.out = nn.Conv2d(width, _COLOURS, 3, padding=1, padding_mode="replicate")
        weights = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer(
            "smooth", torch.outer(weights, weights).expand(3, 1, 3, 3).clone(), persistent=False
        )

    def forward(self, features: Float[Tensor, "batch width rows columns"]) -> Float[Tensor, "batch 3 _ _"]:
        painted: Tensor = self.out(nn.functional.silu(self.norm(features)))
        cells = nn.functional.pad(nn.functional.pixel_shuffle(painted, 2), (1, 1, 1, 1), mode="replicate")
        smoothed: Tensor = nn.functional.conv2d(cells, self.smooth.to(cells.dtype), groups=3)
        return smoothed.float()


def _groups(width: int) -> int:
    """Say in how many groups of 16 or 8 channels a norm sees a level."""
    return width // (16 if width % 16 == 0 else 8)


def _with_means(
    latents: Float[Tensor, "batch latents rows columns"],
) -> Float[Tensor, "batch 4*latents rows columns"]:
    """Add what the means of ever more latents around each place are, as large as latents are."""
    around = [
        side * nn.functional.avg_pool2d(latents, side, stride=1, padding=side // 2, count_include_pad=False)
        for side in _AROUND
    ]
    return torch.cat([latents, *around], dim=1)


def _means(latents: Float[Tensor, "batch latents rows columns"]) -> Float[Tensor, "batch latents"]:
    """Give the mean of each latent, N(0, 1) where they are, and at most 3 whatever they are."""
    cells = torch.ones_like(latents[:1, :1]).sum()  # so that a graph of it takes any size
    scaled = latents.sum(dim=(2, 3)) * torch.rsqrt(cells)
    return _BOUND * torch.tanh(scaled / _BOUND)


def _enlarged(pictures: Float[Tensor, "batch width rows columns"]) -> Float[Tensor, "batch width _ _"]:
    return nn.functional.interpolate(pictures, scale_factor=2.0, mode="bilinear", align_corners=False)
