"""Blocks are made once, kept whole, and made anew where a file is damaged."""

import threading
import time
from pathlib import Path

import numpy as np

from synesthete.generators.blocks import BlockStore


def made(value: float, calls: list[float]) -> np.ndarray:
    calls.append(value)
    return np.full((3, 2), value, np.float32)


def test_a_block_is_made_once(tmp_path: Path) -> None:
    calls: list[float] = []
    store = BlockStore(tmp_path / "blocks")
    first = store.get("a", lambda: made(0.1, calls))
    assert np.array_equal(store.get("a", lambda: made(9.0, calls)), first)
    again = BlockStore(tmp_path / "blocks").get("a", lambda: made(9.0, calls))
    assert np.array_equal(again, first)
    assert again.dtype == np.float32
    assert calls == [0.1]
    assert [path.name for path in (tmp_path / "blocks").iterdir()] == ["a.npz"]


def test_a_damaged_block_is_made_anew(tmp_path: Path) -> None:
    calls: list[float] = []
    BlockStore(tmp_path).get("a", lambda: made(1.0, calls))
    path = tmp_path / "a.npz"
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[whole.index(np.float32(1.0).tobytes() * 2)] ^= 1
    for damaged in (whole[:-30], bytes(changed), b"", b"nothing of the kind"):
        path.write_bytes(damaged)
        assert np.array_equal(BlockStore(tmp_path).get("a", lambda: made(1.0, calls)), np.ones((3, 2)))
        assert path.read_bytes() == whole
    assert len(calls) == 5


def test_only_the_last_ones_are_remembered() -> None:
    calls: list[float] = []
    store = BlockStore(remembered=2)
    for value in (1.0, 2.0, 1.0, 3.0, 1.0, 2.0):
        assert store.get(str(value), lambda value=value: made(value, calls))[0, 0] == value
    assert calls == [1.0, 2.0, 3.0, 2.0]


def test_threads_wait_for_a_block_that_is_being_made() -> None:
    calls: list[float] = []
    store = BlockStore()

    def slowly() -> np.ndarray:
        time.sleep(0.05)
        return made(1.0, calls)

    threads = [threading.Thread(target=lambda: store.get("a", slowly)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1.0]
