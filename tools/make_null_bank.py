"""Compose the songs of the null bank, hear them as the product does, and write their features.

Usage: ``python tools/make_null_bank.py FOLDER [--workers 2]``; the analyses pass through ``FOLDER``.

A song is a pure function of its number, which ends its name: that of ``synesthete compose --seed 7
--seconds 64 --index NUMBER --genre GENRE``, with a tempo or silences if it is to have them. What is written
depends on the composer and the analysis, and on nothing else: run this again when either changes. Songs are
chosen to have something of whatever a stranger plays:

- of each genre with a beat four: one as the composer draws it, one mixed with another genre, and two at given
  tempi. These are spread evenly over all tempi there are, 60 to 200, whatever is usual for the genre;
- so many without a beat that they are two of five: pads, rain, wind and far bells, and both, from loud ones
  to the quietest that the composer draws;
- every fifth has silences of 1 to 3 s.
"""

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synesthete.audio.analysis import analyse_stream
from synesthete.audio.compose import compose
from synesthete.audio.compose.genres import BEATLESS, GENRES
from synesthete.audio.compose.plan import BPM_RANGE
from synesthete.evaluation.nulls import BANK_FILE, NULL_COLUMNS, null_columns
from synesthete.files import format_bytes, whole_file

__all__ = ["Heard", "Wanted", "choose_songs", "hear", "write_bank"]

SECONDS = 64.0
SEED = 7
WITHOUT_A_BEAT = 43
SILENT_EVERY = 5

_CHUNK = 10 * 44_100


class Wanted(NamedTuple):
    """A song to be composed; the tempo is the composer's where there is none."""

    number: int
    genre: str
    tempo: float | None = None

    @property
    def name(self) -> str:
        """Its name in the bank."""
        return f"{self.genre} {self.number}"


class Heard(NamedTuple):
    """What is kept of a song."""

    name: str
    table: np.ndarray
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]


def choose_songs() -> list[Wanted]:
    """List the songs of the bank."""
    beaten = [genre for genre in GENRES if genre not in BEATLESS]
    tempi = np.linspace(*BPM_RANGE, 2 * len(beaten)).round().tolist()
    chosen: list[tuple[str, float | None]] = []
    for place, genre in enumerate(beaten):
        other = beaten[(place + 7) % len(beaten)]  # unlike its neighbours
        slow, fast = tempi[7 * place % len(beaten)], tempi[len(beaten) + 7 * place % len(beaten)]
        chosen += [(genre, None), (f"{genre} + {other}", None), (genre, slow), (genre, fast)]
    kinds = (*BEATLESS, " + ".join(BEATLESS))
    chosen += [(kinds[place % len(kinds)], None) for place in range(WITHOUT_A_BEAT)]
    return [Wanted(number, genre, tempo) for number, (genre, tempo) in enumerate(chosen)]


def hear(wanted: Wanted, folder: Path) -> Heard:
    """Compose a song and analyse it by way of a folder, which goes again."""
    sound = compose(
        SEED,
        wanted.number,
        seconds=SECONDS,
        genre=wanted.genre,
        tempo=wanted.tempo,
        silence_mix_prob=float(wanted.number % SILENT_EVERY == 0),
    ).sound
    own = folder / str(wanted.number)
    chunks = (sound[:, start : start + _CHUNK] for start in range(0, sound.shape[1], _CHUNK))
    timeline = analyse_stream(chunks, own)
    heard = Heard(wanted.name, null_columns(timeline), timeline.music.beats, timeline.music.downbeats)
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
    wanted = choose_songs()
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        songs = list(pool.map(partial(hear, folder=given.folder), wanted))
    write_bank(songs, BANK_FILE)
    size = format_bytes(BANK_FILE.stat().st_size)
    print(f"{BANK_FILE}: {len(songs)} songs, {size}, {time.perf_counter() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
