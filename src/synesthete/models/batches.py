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
        smaller = max(1, tried // 2)
        if smaller < self.size:
            self.size = smaller
            _log.warning("memory is short: %d frames are decoded at a time, not %d", smaller, tried)


def in_batches(
    start: int, stop: int, batch: BatchSize, make: Callable[[range], _Made]
) -> Iterator[tuple[range, _Made]]:
    """Make ``start`` to ``stop`` (exclusive) in batches.

    Parameters
    ----------
    make
        Makes a batch.

    Yields
    ------
    Each batch, and what was made of it.

    Raises
    ------
    RenderError
        If memory is too short for one alone.
    """
    while start < stop:
        tried = range(start, min(start + batch.size, stop))
        try:
            made = make(tried)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if len(tried) == 1:
                raise RenderError(
                    "memory is too short to decode one frame; choose a smaller --resolution, or --device cpu"
                ) from None
            batch.halve(len(tried))
            continue
        yield tried, made
        start = tried.stop


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or _ALLOCATOR in str(error)
