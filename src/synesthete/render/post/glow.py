"""Bloom: light that bright places spill around them, as in a lens or an eye."""

import threading
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.fuse import Kernel

__all__ = ["Bloom", "narrowed", "rows_between"]

_LINES: Final = 180
"""Of the small picture that is spread: the same at every size, so that a preview glows as the film does."""

_WIDTHS: Final = (0.015, 0.06)
"""Standard deviations of the two Gaussians that are added, in short sides."""

_DIM, _BRIGHT = 0.3, 1.0
"""Display values below which nothing glows, and at which all does."""


class Bloom:
    """Spreads the light of pictures."""

    def __init__(self) -> None:
        self._ways: dict[tuple[Size, torch.device], _Ways] = {}
        self._lock = threading.Lock()

    def spread(
        self, picture: Float[Tensor, "3 height width"], narrow: Kernel
    ) -> Float[Tensor, "3 rows width"]:
        """Give the light that is spilt, on few rows; between them it is linear.

        Parameters
        ----------
        narrow
            `narrowed`, or what it was compiled to.
        """
        ways = self._of(Size(picture.shape[2], picture.shape[1]), picture.device)
        light = narrow(picture, ways.first, ways.shares) @ ways.across
        bright = (torch.sqrt(light.amax(0)) - _DIM) / (_BRIGHT - _DIM)
        bright = torch.clamp(bright, 0.0, 1.0)
        light = light * (bright * bright * (3.0 - 2.0 * bright))
        spilt = [down @ light @ across for down, across in ways.blurs]
        return (spilt[0] + spilt[1]) @ ways.widen

    def example(self, size: Size) -> tuple[Tensor, Tensor]:
        """Give what `narrowed` takes besides a picture of a size."""
        ways = self._of(size, torch.device("cpu"))
        return ways.first, ways.shares

    def _of(self, size: Size, device: torch.device) -> "_Ways":
        key = (size, device)
        with self._lock:
            if key not in self._ways:
                self._ways[key] = _Ways.of(size, device)
            return self._ways[key]


@dataclass(frozen=True)
class _Ways:
    """What leads from pictures of one size to the light that they spill: matrices, but for the first step."""

    first: Tensor
    shares: Tensor
    across: Tensor
    blurs: tuple[tuple[Tensor, Tensor], ...]
    widen: Tensor

    @classmethod
    def of(cls, size: Size, device: torch.device) -> "_Ways":
        rows, columns = small_sides(size)
        first, shares = _areas(size.height, rows)
        blurs = tuple(
            (
                _gaussian(rows, width * _LINES).to(device),
                _gaussian(columns, width * _LINES).T.contiguous().to(device),
            )
            for width in _WIDTHS
        )
        return cls(
            first.to(device),
            shares.to(device),
            _dense(*_areas(size.width, columns), size.width).T.contiguous().to(device),
            blurs,
            (_linear(columns, size.width) / len(_WIDTHS)).to(device),
        )


def narrowed(
    picture: Float[Tensor, "3 height width"], first: Int[Tensor, " rows"], shares: Float[Tensor, "rows taps"]
) -> Float[Tensor, "3 rows width"]:
    """Give the light of a picture on few rows: the mean over the rows that each stands for."""
    total = picture[:, first] ** 2 * shares[:, 0, None]
    for tap in range(1, shares.shape[1]):
        total = total + picture[:, first + tap] ** 2 * shares[:, tap, None]
    return total


def small_sides(size: Size) -> tuple[int, int]:
    """Give rows and columns of the small picture."""
    return round(_LINES * size.height / size.short), round(_LINES * size.width / size.short)


def rows_between(height: int, rows: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give, for each row of a picture, the small picture's row before it, and how far beyond that it is."""
    at = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) * (rows / height) - 0.5
    at = torch.clamp(at, 0.0, rows - 1.0)
    first = torch.clamp(torch.floor(at), max=rows - 2.0)
    return first.to(torch.int64), at - first


def _gaussian(side: int, deviation: float) -> Float[Tensor, "side side"]:
    """Give the matrix that blurs a side; light beyond the edge is as at the edge, so that nothing darkens."""
    at = torch.arange(side, dtype=torch.float64)
    weights = torch.exp(-0.5 * ((at[:, None] - at[None]) / deviation) ** 2)
    weights = torch.where(
        weights < 1e-8, 0.0, weights
    )  # products of denormal numbers take twenty times as long
    return (weights / weights.sum(1, keepdim=True)).float()


def _linear(side: int, wide: int) -> Float[Tensor, "side wide"]:
    """Give the matrix that widens a side linearly."""
    first, share = rows_between(wide, side, torch.device("cpu"))
    return _dense(first, torch.stack([1.0 - share, share], 1), side).T.contiguous()


def _areas(side: int, small: int) -> tuple[Int[Tensor, " small"], Float[Tensor, "small taps"]]:
    """Give, for each place of a smaller side, the first that it stands for, and shares from there on."""
    borders = torch.arange(small + 1, dtype=torch.float64) * (side / small)
    low, high = borders[:-1], borders[1:]
    first = torch.floor(low + 1e-9)
    taps = min(side, int((torch.ceil(high - 1e-9) - first).max()))
    first = torch.clamp(first, max=side - taps)
    at = first[:, None] + torch.arange(taps)
    overlap = torch.minimum(high[:, None], at + 1) - torch.maximum(low[:, None], at)
    overlap = torch.clamp(overlap, min=0.0)
    return first.to(torch.int64), (overlap / overlap.sum(1, keepdim=True)).float()


def _dense(first: Tensor, shares: Tensor, side: int) -> Float[Tensor, "places side"]:
    """Write places and shares as a matrix."""
    matrix = torch.zeros(len(first), side)
    for tap in range(shares.shape[1]):
        matrix[torch.arange(len(first)), first + tap] += shares[:, tap]
    return matrix
