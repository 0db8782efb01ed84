"""Batches as large as memory allows: where one doesn't fit, the next try is half as large."""

import logging
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import torch

from synesthete.errors import RenderError

__all__ = ["BatchSize", "in_batches"]

_log = logging.getLogger(__name__)
_Made = TypeVar("_Made")
_ALLOCATOR: Final = "can't allocate memory"


class BatchSize:
    """How many are computed at once; it only becomes smaller, and threads may share it.

    Parameters
    ----------
    most
        To begin with, 1 or more.
    """

    def __init__(self, most: int) -> None:
        self.size = most

    def halve(self, tried: int) -> None:
        """Go on with half of what did not fit."""
        smaller = tried // 2
        if smaller < self.size:
            self.size = smaller
            _log.warning("memory is short: %d frames are decoded at a time, not %d", smaller, tried)


def in_batches(
    start: int, stop: int, batch: BatchSize, make: Callable[[range, range], _Made]
) -> Iterator[tuple[range, _Made]]:
    """Make ``start`` to ``stop`` (exclusive) in batches, that begin at multiples of their size.

    Parameters
    ----------
    make
        Makes a batch: is given what is wanted of it, and all that it would hold.

    Yields
    ------
    Each batch, and what was made of it.

    Raises
    ------
    RenderError
        If memory is too short for one alone.
    """
    while start < stop:
        size = batch.size
        first = start // size * size
        tried = range(start, min(first + size, stop))
        try:
            made = make(tried, range(first, first + size))
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if size == 1:
                raise RenderError(
                    "memory is too short to decode one frame; choose a smaller --resolution, or --device cpu"
                ) from None
            batch.halve(size)
            continue
        yield tried, made
        start = tried.stop


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or _ALLOCATOR in str(error)
