"""Print what composed music is worth: are its beats heard, does it cover real music, how fast is it made.

Beats: the F-measure (mir_eval, ±70 ms) of our tracker's beats against the truth, on clips that have a pulse;
``strict`` takes the truth's own tempo only, ``level`` also half and double, as `beats.py` does. Columns: the
5th and 95th percentile of every Timeline column, over composed clips and over the songs in ``--music``, where
every song weighs the same. Speed: seconds of music per second of one CPU.

Usage: ``python benchmarks/compose.py [--clips 500] [--seconds 20] [--workers 1] [--music DIR]``
"""

import argparse
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mir_eval.beat import f_measure

from synesthete.audio.columns import COLUMN_NAMES, MEASURED_NAMES
from synesthete.audio.compose import compose
from synesthete.audio.features import measure
from synesthete.audio.listening import listen_through
from synesthete.audio.music import Music
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.media.sound import Sound

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from made_rhythm import beat_score

ROWS = 400
"""Rows that each song gives to the table of percentiles, evenly spread."""
SLACK = 0.01
"""Part of a column's real range by which a percentile may miss and still counts as covered."""
ROUNDING = 1e-6
NO_MUSIC = ("sfx", "nature")
SUFFIXES = {".ogg", ".flac", ".wav", ".mp3"}


class Heard(NamedTuple):
    """What became of one composed clip."""

    name: str
    genre: str
    pulse: bool
    strict: float
    level: float
    tempo: float
    found: float
    metre: int
    rows: np.ndarray
    cpu_s: float


def hear(sound: np.ndarray) -> tuple[np.ndarray, Music]:
    """Give all columns, and the music that is heard in samples."""
    measured = measure(torch.from_numpy(sound)[None])
    columns = dict(zip(MEASURED_NAMES, measured.columns[0].T.numpy(), strict=True))
    derived, music = listen_through(
        columns, measured.spectrum[0].numpy(), duration_s=sound.shape[1] / ANALYSIS_SAMPLE_RATE
    )
    return np.stack([*columns.values(), *derived.values()], axis=1), music


def thinned(table: np.ndarray) -> np.ndarray:
    """Give `ROWS` rows, evenly spread, without the first and the last half second."""
    return table[np.linspace(50, len(table) - 51, ROWS).astype(int)]


def on_composed(job: tuple[int, int, float, float, str | None]) -> Heard:
    torch.set_num_threads(1)
    seed, index, seconds, silences, genre = job
    started = time.process_time()
    song = compose(seed, index, seconds=seconds, silence_mix_prob=silences, genre=genre)
    took = time.process_time() - started
    table, music = hear(song.sound)
    truth, found = np.array(song.truth.beats), np.array(music.beats)
    scored = song.truth.pulse and len(found) > 0
    return Heard(
        f"{seed}/{index}",
        song.truth.genre,
        song.truth.pulse,
        float(f_measure(truth, found)) if scored else 0.0,
        beat_score(truth, found) if scored else 0.0,
        song.truth.tempo,
        music.tempo_bpm or 0.0,
        song.truth.metre,
        thinned(table),
        took,
    )


def on_real(path: Path) -> np.ndarray:
    torch.set_num_threads(1)
    sound = Sound.of_file(path).adapted(ANALYSIS_SAMPLE_RATE, 2)
    return thinned(hear(np.concatenate(list(sound.chunks()), axis=1))[0])


def print_beats(clips: list[Heard], shown: int) -> None:
    scored = [clip for clip in clips if clip.pulse]
    for clip in sorted(scored, key=lambda clip: clip.strict)[:shown]:
        print(
            f"  {clip.strict:.2f} {clip.level:.2f}  {clip.name:8} {clip.genre:28} {clip.tempo:6.1f} bpm in "
            f"{clip.metre}, found {clip.found:.1f}"
        )
    by_genre = defaultdict(list)
    for clip in scored:
        for genre in clip.genre.split(" + "):
            by_genre[genre].append(clip)
    for genre, own in sorted(by_genre.items()):
        strict, level = (np.mean([getattr(clip, kind) for clip in own]) for kind in ("strict", "level"))
        print(f"  {genre:16} strict {strict:.3f}  level {level:.3f}  ({len(own)} clips)")
    strict, level = (np.array([getattr(clip, kind) for clip in scored]) for kind in ("strict", "level"))
    print(
        f"beats: F {strict.mean():.3f} strict, {level.mean():.3f} at any level, under 0.8 in "
        f"{np.mean(strict < 0.8):.1%} of {len(scored)} clips; "
        f"{1 - len(scored) / len(clips):.1%} have no pulse"
    )


def print_columns(composed: np.ndarray, real: np.ndarray) -> None:
    print(f"{'column':12} {'real 5 %':>10} {'real 95 %':>10} {'ours 5 %':>10} {'ours 95 %':>10}")
    outside, exact = [], 0
    for column, name in enumerate(COLUMN_NAMES):
        (low, high), (own_low, own_high) = (
            np.percentile(rows[:, column], [5, 95]) for rows in (real, composed)
        )
        slack = SLACK * abs(high - low)
        inside = own_low <= low + slack and own_high >= high - slack
        exact += bool(own_low <= low + ROUNDING and own_high >= high - ROUNDING)
        if not inside:
            outside.append(name)
        print(
            f"{name:12} {low:10.4g} {high:10.4g} {own_low:10.4g} {own_high:10.4g} {'' if inside else '  <<'}"
        )
    print(
        f"columns: {exact} of {len(COLUMN_NAMES)} covered exactly, {len(COLUMN_NAMES) - len(outside)} to "
        f"{SLACK:.0%} of the real range; outside: {outside}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="index of the first clip")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--silences", type=float, default=0.15, help="probability of silences")
    parser.add_argument("--genre")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--worst", type=int, default=25, help="so many clips are named")
    parser.add_argument("--music", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    indices = range(given.first, given.first + given.clips)
    jobs = [(given.seed, index, given.seconds, given.silences, given.genre) for index in indices]
    with ProcessPoolExecutor(given.workers) as pool:
        clips = list(pool.map(on_composed, jobs, chunksize=4))
        songs = [
            path
            for path in sorted(given.music.iterdir() if given.music else [])
            if path.suffix in SUFFIXES and not path.name.startswith(NO_MUSIC)
        ]
        real = list(pool.map(on_real, songs))
    print_beats(clips, given.worst)
    if real:
        print_columns(np.concatenate([clip.rows for clip in clips]), np.concatenate(real))
    cpu = np.array([clip.cpu_s for clip in clips])
    print(
        f"speed: {given.seconds / cpu.mean():.0f} s of music per CPU-second ({cpu.mean():.2f} CPU-s a clip "
        f"of {given.seconds:g} s, {np.percentile(cpu, 95):.2f} at the 95th percentile)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
