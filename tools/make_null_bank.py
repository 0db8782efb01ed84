"""Synthesise the songs of the null bank, hear them as the product does, and write their features.

Usage: ``python tools/make_null_bank.py FOLDER [--workers 2]``; the analyses pass through ``FOLDER``.
The songs are functions of their names: what is written depends on synthesis and analysis, and nothing else.
"""

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from null_music import SONGS, make_song
from synesthete.audio.analysis import analyse_stream
from synesthete.evaluation.nulls import BANK_FILE, NULL_COLUMNS, null_columns
from synesthete.files import format_bytes, whole_file

__all__ = ["Heard", "hear", "write_bank"]

_CHUNK = 10 * 44_100


class Heard(NamedTuple):
    """What is kept of a song."""

    name: str
    table: np.ndarray
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]


def hear(kind: str, number: int, folder: Path) -> Heard:
    """Make a song and analyse it by way of a folder, which goes again."""
    sound = make_song(kind, number)
    name = f"{kind} {number}"
    own = folder / name.replace(" ", "-")
    chunks = (sound[:, start : start + _CHUNK] for start in range(0, sound.shape[1], _CHUNK))
    timeline = analyse_stream(chunks, own)
    heard = Heard(name, null_columns(timeline), timeline.music.beats, timeline.music.downbeats)
    del timeline
    shutil.rmtree(own)
    return heard


def write_bank(songs: list[Heard], path: Path) -> None:
    """Write columns as bytes between each column's least and greatest value; see `NullBank`."""
    table = np.stack([song.table.T for song in songs])
    low, high = table.min(axis=(0, 2)), table.max(axis=(0, 2))
    scaled = (table - low[:, None]) * (255 / (high - low))[:, None]
    values = {
        "columns": np.array(NULL_COLUMNS),
        "names": np.array([song.name for song in songs]),
        "table": np.round(scaled).astype(np.uint8),
        "low": low.astype(np.float32),
        "high": high.astype(np.float32),
    }
    for field in ("beats", "downbeats"):
        moments = [getattr(song, field) for song in songs]
        values[field] = np.concatenate([np.array(m, np.float32) for m in moments])
        values[f"{field}_at"] = np.cumsum([0, *map(len, moments)])
    with whole_file(path) as part, part.open("wb") as handle:
        np.savez_compressed(handle, **values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    started = time.perf_counter()
    os.environ["OMP_NUM_THREADS"] = "1"  # for the workers, which have not loaded torch yet
    kinds, numbers = zip(*SONGS, strict=True)
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        songs = list(pool.map(hear, kinds, numbers, [given.folder] * len(SONGS)))
    write_bank(songs, BANK_FILE)
    size = format_bytes(BANK_FILE.stat().st_size)
    print(f"{BANK_FILE}: {len(songs)} songs, {size}, {time.perf_counter() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
