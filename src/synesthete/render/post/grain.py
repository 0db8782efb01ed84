"""Film grain: seeded, thirty a second whatever the frame rate; a small picture is seen from further away."""

import math
import threading
from fractions import Fraction
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from synesthete.generators.base import Size
from synesthete.seeding import generator_for

__all__ = ["GRAINS_PER_SECOND", "Grain"]

GRAINS_PER_SECOND: Final = 30
"""At 24 to 30 frames a second every frame has its own; at 60, two have the same."""

_LINES: Final = 1080
"""At so many lines a grain is a pixel; a smaller picture is the same one from further away."""
_SIDE: Final = 512
_DEPTH: Final = 0.09


class Grain:
    """The grain of a film.

    Parameters
    ----------
    seed
        Decides it.
    frame_rate
        Of the film.
    """

    def __init__(self, seed: int, frame_rate: Fraction) -> None:
        self._seed, self._frame_rate = seed, frame_rate
        self._tiles: dict[tuple[Size, torch.device], Tensor] = {}
        self._lock = threading.Lock()

    def at(
        self, frame: int, size: Size, device: torch.device
    ) -> tuple[Float[Tensor, "rows width"], Int[Tensor, " height"]]:
        """Give a frame's grain: a tile as wide as the picture, and which of its rows lies where.

        To be weighed by light times what light lacks, and by the amount: then its deviation is at most 0.09.
        """
        tile = self._tile(size, device)
        side, period = tile.shape[0], tile.shape[1] - size.width
        draw = generator_for(
            self._seed, "post.grain", math.floor(frame / self._frame_rate * GRAINS_PER_SECOND)
        )
        down, along = (int(draw.integers(0, length)) for length in (side, period))
        rows = (torch.arange(size.height, device=device) + down) % side
        return tile[:, along : along + size.width], rows

    def _tile(self, size: Size, device: torch.device) -> Float[Tensor, "rows columns"]:
        """Give a tile of soft noise, repeated along its rows so that any of it can start a row."""
        key = (size, device)
        with self._lock:
            if key not in self._tiles:
                tile = _soft_noise(self._seed, size.short)
                repeats = -(-(size.width + tile.shape[1]) // tile.shape[1])
                tile = tile.repeat(1, repeats)[:, : size.width + tile.shape[1]]
                self._tiles[key] = tile.mul(4.0 * _DEPTH).contiguous().to(device)
            return self._tiles[key]


def _soft_noise(seed: int, short: int) -> Float[Tensor, "rows columns"]:
    """Give noise that repeats, of deviation 1 at `_LINES`, for pictures of a short side."""
    noise = generator_for(seed, "post.grain.tile", 0).standard_normal((_SIDE, _SIDE))
    tile = torch.from_numpy(noise).float()
    # A grain is not a pixel wide, but a little soft.
    tile = tile + 0.5 * (tile.roll(1, 0) + tile.roll(1, 1) + tile.roll(-1, 0) + tile.roll(-1, 1))
    tile = tile / tile.std()
    scale = short / _LINES
    if scale <= 1:
        return tile * scale  # many grains to a pixel: their mean
    side = math.ceil(_SIDE * scale)
    return interpolate(tile[None, None], (side, side), mode="bilinear")[0, 0]
