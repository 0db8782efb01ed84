"""Blocks: what is dear to compute, in fixed stretches of time, each computed once and kept in a file."""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float32

from synesthete.files import whole_file

__all__ = ["BlockStore"]


class BlockStore:
    """Keeps blocks by their keys: the last ones in memory, all of them in a folder.

    Threads that ask for the same block at once wait for one of them to make it; processes may share the
    folder, and at worst make the same block twice.

    Parameters
    ----------
    folder
        Where the files are; it is made when the first one is written. None: blocks are only in memory.
    remembered
        How many are kept in memory.
    """

    def __init__(self, folder: Path | None = None, *, remembered: int = 16) -> None:
        self._folder, self._remembered = folder, remembered
        self._known: OrderedDict[str, Float32[np.ndarray, "..."]] = OrderedDict()
        self._guard = threading.Lock()
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: str, make: Callable[[], Float32[np.ndarray, "..."]]) -> Float32[np.ndarray, "..."]:
        """Give a block.

        Parameters
        ----------
        key
            Names all that it follows from; fit for a file's name.
        make
            Computes it, where it isn't kept, or its file is damaged.

        Raises
        ------
        OutputError, RenderError
            If it can't be written.
        """
        with self._guard:
            lock = self._making[key]
        with lock:
            block = self._known.get(key)
            if block is None:
                block = self._read(key)
            if block is None:
                block = make()
                self._write(key, block)
        with self._guard:
            self._known[key] = block
            self._known.move_to_end(key)
            while len(self._known) > self._remembered:
                self._making.pop(self._known.popitem(last=False)[0], None)
        return block

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{key}.npz"

    def _read(self, key: str) -> Float32[np.ndarray, "..."] | None:
        path = self._path(key)
        try:
            if path is None or not path.is_file():
                return None
            # A zip file: it knows when it was altered.
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
                block: np.ndarray = file["block"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        return block

    def _write(self, key: str, block: Float32[np.ndarray, "..."]) -> None:
        path = self._path(key)
        if path is not None:
            with whole_file(path) as part, part.open("wb") as handle:
                np.savez(handle, block=block)
