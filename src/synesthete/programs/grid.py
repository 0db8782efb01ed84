"""The grid of a picture's pixels, with the border that stencils need."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a picture lie.

    Attributes
    ----------
    columns, rows
        Size of the picture.
    border
        Pixels more on each side in x and y.
    x, y
        Positions; the short side is [-1, 1], y downward.
    frame
        Size of a pixel, half the width, half the height.
    """

    columns: int
    rows: int
    border: int
    x: Float[Tensor, "1 columns_and_border"]
    y: Float[Tensor, "rows_and_border 1"]
    frame: Float[Tensor, " 3"]

    @classmethod
    def of(cls, size: tuple[int, int], border: int, *, device: torch.device | str = "cpu") -> "Grid":
        """Lay the grid of a picture of a width and height in pixels."""
        columns, rows = size
        pixel = 2.0 / min(size)

        def positions(count: int) -> Tensor:
            places = torch.arange(-border, count + border, dtype=torch.float64)
            return ((places + 0.5 - count / 2) * pixel).float().to(device)

        frame = torch.tensor([pixel, columns * pixel / 2, rows * pixel / 2], device=device)
        return cls(columns, rows, border, positions(columns)[None, :], positions(rows)[:, None], frame)

    @property
    def pixel(self) -> float:
        """Give the size of a pixel in normalised units."""
        return 2.0 / min(self.columns, self.rows)

    def framed(self, vector: Float[Tensor, "*batch scalars"]) -> Float[Tensor, "*batch all_scalars"]:
        """Put the frame's scalars before a program's."""
        return torch.cat([self.frame.expand(*vector.shape[:-1], -1), vector], -1)
