"""Bloom: light that bright places spill around them, as in a lens or an eye."""

import threading
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from synesthete.generators.base import Size

__all__ = ["Bloom"]

_LINES: Final = 180
"""Of the small picture that is spread: the same at every size, so that a preview glows as the film does."""

_WIDTHS: Final = (0.015, 0.06)
"""Standard deviations of the two Gaussians that are added, in short sides."""

_DIM, _BRIGHT = 0.3, 1.0
"""Display values below which nothing glows, and at which all does."""


class Bloom:
    """Spreads the light of pictures."""

    def __init__(self) -> None:
        self._blurs: dict[tuple[Size, torch.device], list[tuple[Tensor, Tensor]]] = {}
        self._lock = threading.Lock()

    def spread(self, picture: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 rows width"]:
        """Give the light that is spilt, on few rows; between them it is linear."""
        size = Size(picture.shape[2], picture.shape[1])
        rows, columns = small_sides(size)
        light = adaptive_avg_pool2d(picture * picture, (rows, columns))
        bright = (torch.sqrt(light.amax(0)) - _DIM) / (_BRIGHT - _DIM)
        bright = torch.clamp(bright, 0.0, 1.0)
        light = light * (bright * bright * (3.0 - 2.0 * bright))
        spilt = [down @ light @ across for down, across in self._blur(size, picture.device)]
        return (spilt[0] + spilt[1]) * 0.5

    def _blur(self, size: Size, device: torch.device) -> list[tuple[Tensor, Tensor]]:
        """Give, for each Gaussian, what blurs rows, and what blurs columns and widens them to the picture."""
        key = (size, device)
        with self._lock:
            if key not in self._blurs:
                rows, columns = small_sides(size)
                short = min(rows, columns)
                self._blurs[key] = [
                    (
                        _gaussian(rows, width * short).to(device),
                        (_gaussian(columns, width * short).T @ _linear(columns, size.width)).to(device),
                    )
                    for width in _WIDTHS
                ]
            return self._blurs[key]


def small_sides(size: Size) -> tuple[int, int]:
    """Give rows and columns of the small picture."""
    return round(_LINES * size.height / size.short), round(_LINES * size.width / size.short)


def rows_between(
    height: int, rows: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Give, for each row of a picture, the small picture's row before it, and how far beyond that it is."""
    at = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (rows / height) - 0.5
    at = torch.clamp(at, 0.0, rows - 1.0)
    first = torch.clamp(torch.floor(at), max=rows - 2.0)
    return first.to(torch.int64), at - first


def _gaussian(side: int, deviation: float) -> Float[Tensor, "side side"]:
    """Give the matrix that blurs a side; light beyond the edge is as at the edge, so that nothing darkens."""
    at = torch.arange(side, dtype=torch.float64)
    weights = torch.exp(-0.5 * ((at[:, None] - at[None]) / deviation) ** 2)
    return (weights / weights.sum(1, keepdim=True)).float()


def _linear(side: int, wide: int) -> Float[Tensor, "side wide"]:
    """Give the matrix that widens a side linearly."""
    first, share = rows_between(wide, side, torch.device("cpu"))
    matrix = torch.zeros(side, wide)
    column = torch.arange(wide)
    matrix[first, column] = 1.0 - share
    matrix[first + 1, column] += share
    return matrix
