"""The grid of points where a picture is drawn: its pixels or a finer one, and the border that stencils need.

Footprints average waves and edges exactly, but what is done to the averages, such as colouring, does not
average itself. Small pictures would show it most, and cost least: they get four or nine points a pixel.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Grid"]

_FINE_LINES = {128: 3, 288: 2}
"""Pictures of up to so many lines are drawn so many times as fine, and averaged."""


@dataclass(frozen=True)
class Grid:
    """Where the points of a picture lie.

    Attributes
    ----------
    columns, rows
        Number of points.
    fine
        Points per pixel along each side.
    border
        Points more on each side in x and y.
    x, y
        Positions; the short side of the whole picture is [-1, 1], y downward.
    frame
        Distance of points, half the whole picture's width, half its height.
    pixel
        Distance of points in normalised units.
    """

    columns: int
    rows: int
    fine: int
    border: int
    x: Float[Tensor, "1 columns_and_border"]
    y: Float[Tensor, "rows_and_border 1"]
    frame: Float[Tensor, " 3"]
    pixel: float

    @classmethod
    def of(
        cls,
        size: tuple[int, int],
        border: int,
        *,
        fine: int | None = None,
        device: torch.device | str = "cpu",
    ) -> "Grid":
        """Lay the grid of a picture of a width and height in pixels.

        Parameters
        ----------
        fine
            Points per pixel along each side; by default as many as the picture's size asks for.
        """
        if fine is None:
            fine = next((fine for lines, fine in _FINE_LINES.items() if min(size) <= lines), 1)
        columns, rows = size[0] * fine, size[1] * fine
        pixel = 2.0 / min(columns, rows)

        def positions(count: int) -> Tensor:
            places = torch.arange(-border, count + border, dtype=torch.float64)
            return ((places + 0.5 - count / 2) * pixel).float().to(device)

        frame = torch.tensor([pixel, columns * pixel / 2, rows * pixel / 2], device=device)
        x, y = positions(columns)[None, :], positions(rows)[:, None]
        return cls(columns, rows, fine, border, x, y, frame, pixel)

    def crop(self, left: int, top: int, width: int, height: int) -> "Grid":
        """Give a rectangle of the picture; all in pixels, as whole pictures have them."""
        columns, rows, fine, border = width * self.fine, height * self.fine, self.fine, 2 * self.border
        x = self.x[:, left * fine : left * fine + columns + border]
        y = self.y[top * fine : top * fine + rows + border]
        return replace(self, columns=columns, rows=rows, x=x, y=y)

    def framed(self, vector: Float[Tensor, "*batch scalars"]) -> Float[Tensor, "*batch all_scalars"]:
        """Put the frame's scalars before a program's."""
        return torch.cat([self.frame.expand(*vector.shape[:-1], -1), vector], -1)

    def pixels(
        self, points: Float[Tensor, "*batch 3 rows columns"]
    ) -> Float[Tensor, "*batch 3 height width"]:
        """Average points to pixels."""
        if self.fine == 1:
            return points
        flat = points.reshape(-1, *points.shape[-3:])
        return torch.nn.functional.avg_pool2d(flat, self.fine).reshape(
            *points.shape[:-2], points.shape[-2] // self.fine, points.shape[-1] // self.fine
        )
