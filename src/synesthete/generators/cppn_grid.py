"""How the CPPN computes a picture: its grid of nodes, its kernels, and its numeric path."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.cppn_kernels import interpolation_weights
from synesthete.generators.fuse import Kernel

__all__ = ["Grid", "Kernels", "NumericPath"]


@dataclass(frozen=True)
class Kernels:
    """The three stages of a picture, compiled or not."""

    field: Kernel
    widen: Kernel
    paint: Kernel
    fused: bool


@dataclass(frozen=True)
class NumericPath:
    """How frames are computed: type of matrix products, node grid, kernels."""

    dtype: torch.dtype
    step: int
    kernels: Kernels


@dataclass(frozen=True)
class Grid:
    """The nodes of a picture, or of its centre, and what interpolating between them needs."""

    pixel: float
    step: int
    cells: int
    x: Float[Tensor, "1 columns"]
    y: Float[Tensor, "rows 1"]
    weights: Float[Tensor, "step 4"]
    slopes: Float[Tensor, "step 4"]

    @classmethod
    def of(cls, size: Size, step: int, device: torch.device, cut: Size | None = None) -> "Grid":
        """Lay nodes ``step`` pixels apart over a picture of a size, or over its centre of size ``cut``."""
        shown = cut or size
        cells_x, cells = -(-shown.width // step), -(-shown.height // step)

        def positions(start: int, stop: int, spacing: int, side: int) -> Tensor:
            pixels = torch.arange(start, stop, dtype=torch.float64) * spacing
            return ((pixels + 0.5 - side / 2) * size.pixel).float().to(device)

        weights, slopes = interpolation_weights(step, step * size.pixel)
        return cls(
            pixel=size.pixel,
            step=step,
            cells=cells,
            x=positions(-1, cells_x + 2, step, shown.width)[None, :],
            y=positions(-1, cells + 2, step, shown.height)[:, None],
            weights=weights.to(device),
            slopes=slopes.to(device),
        )
