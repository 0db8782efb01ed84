"""Batches of stills, each a pure function of the data's seed and its number."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from synesthete.config.gan import StillDataConfig
from synesthete.seeding import generator_for
from synesthete.training.stills.augment import augmented, squared
from synesthete.training.stills.write import read_still

__all__ = ["PlainBatches", "StillBatch", "StillBatches"]


class StillBatch(NamedTuple):
    """Pictures.

    Attributes
    ----------
    number
        Of each: how many were read before it.
    pictures
        Display RGB.
    """

    number: Int64[Tensor, " batch"]
    pictures: UInt8[Tensor, "batch 3 side side"]

    @property
    def clip_frames(self) -> int:
        """Count the frames of an item."""
        return 1


class StillBatches:
    """Makes batches to learn from: all pictures in one random order, then in another.

    Parameters
    ----------
    files
        The pictures.
    side
        Of the squares that are cut from them, pixels.
    """

    def __init__(self, files: Sequence[Path], config: StillDataConfig, *, side: int) -> None:
        self._files, self._config, self._side = tuple(files), config, side

    def __call__(self, number: int) -> StillBatch:
        """Make a batch."""
        size = self._config.batch_size
        numbers = range(number * size, (number + 1) * size)
        return _stacked(numbers, [self._picture(one) for one in numbers])

    def _picture(self, number: int) -> UInt8[np.ndarray, "side side 3"]:
        turn, place = divmod(number, len(self._files))
        picture = read_still(self._files[_order(self._config.seed, turn, len(self._files))[place]])
        draw = generator_for(self._config.seed, "stills.augment", number)
        return augmented(picture, self._side, self._config.augment, draw)


class PlainBatches:
    """Makes batches of pictures as they are, one after the other, and again from the first.

    Parameters
    ----------
    files
        The pictures.
    side
        Of the squares in their middles, pixels.
    """

    def __init__(self, files: Sequence[Path], *, side: int, batch_size: int) -> None:
        self._files, self._side, self._size = tuple(files), side, batch_size

    def __call__(self, number: int) -> StillBatch:
        """Make a batch."""
        numbers = range(number * self._size, (number + 1) * self._size)
        chosen = [self._files[one % len(self._files)] for one in numbers]
        return _stacked(numbers, [squared(read_still(file), self._side) for file in chosen])


@lru_cache(maxsize=2)
def _order(seed: int, turn: int, count: int) -> Sequence[int]:
    order: list[int] = generator_for(seed, "stills.order", turn).permutation(count).tolist()
    return order


def _stacked(numbers: range, pictures: Sequence[UInt8[np.ndarray, "side side 3"]]) -> StillBatch:
    return StillBatch(
        torch.tensor(list(numbers)), torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    )
