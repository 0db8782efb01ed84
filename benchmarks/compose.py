"""Print what composed music is worth: are its beats heard, does it cover real music, how fast is it made.

Beats: the F-measure (mir_eval, ±70 ms) of our tracker's beats against the truth, on clips that have a pulse;
``strict`` takes the truth's own tempo only, ``level`` also half and double, as `beats.py` does. Columns: the
5th and 95th percentile of every Timeline column, over all rows of composed clips and of the songs in
``--music``, where every song weighs the same. Real songs are heard in excerpts as long as the clips, since
what is derived (beats, tempo, sections, novelty, time) depends on how much is heard; the count is also given
for songs heard as a whole. Speed: seconds of music per second of one CPU.

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

ROUNDING = 1e-6
EDGE_ROWS = 50
"""Rows at the start and the end of a clip that no table takes: half a second."""
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


def inner(table: np.ndarray) -> np.ndarray:
    """Leave out the first and the last half second."""
    return table[EDGE_ROWS:-EDGE_ROWS]


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
        inner(table),
        took,
    )


def on_real(job: tuple[Path, float]) -> tuple[np.ndarray, np.ndarray]:
    """Give a real song's rows heard in excerpts as long as the composed clips, and heard as a whole."""
    torch.set_num_threads(1)
    path, seconds = job
    parts = Sound.of_file(path).adapted(ANALYSIS_SAMPLE_RATE, 2).chunks()
    sound = np.concatenate(list(parts), axis=1)
    size = round(seconds * ANALYSIS_SAMPLE_RATE)
    # What is left over is too short to compare; a song that is shorter is one excerpt.
    count = max(1, sound.shape[1] // size)
    excerpts = [inner(hear(sound[:, part * size : (part + 1) * size])[0]) for part in range(count)]
    return np.concatenate(excerpts), inner(hear(sound)[0])


def ends(songs: list[np.ndarray]) -> np.ndarray:
    """Give every column's 5th and 95th percentile over all rows; every song weighs the same."""
    rows = np.concatenate(songs)
    weights = np.concatenate([np.full(len(song), 1 / len(song)) for song in songs])
    percentiles = [
        np.percentile(column, [5, 95], method="inverted_cdf", weights=weights) for column in rows.T
    ]
    return np.array(percentiles)


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


def covered(composed: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Tell of each column whether the real range lies within the composed one."""
    return (composed[:, 0] <= real[:, 0] + ROUNDING) & (composed[:, 1] >= real[:, 1] - ROUNDING)


def print_columns(
    composed: list[np.ndarray], excerpts: list[np.ndarray], wholes: list[np.ndarray], seconds: float
) -> None:
    own, real, whole = ends(composed), ends(excerpts), ends(wholes)
    print(f"real: excerpts of at most {seconds:g} s, each heard by itself as the composed clips are")
    print(f"{'column':12} {'real 5 %':>10} {'real 95 %':>10} {'ours 5 %':>10} {'ours 95 %':>10}")
    for name, (low, high), (own_low, own_high), inside in zip(
        COLUMN_NAMES, real, own, covered(own, real), strict=True
    ):
        print(
            f"{name:12} {low:10.4g} {high:10.4g} {own_low:10.4g} {own_high:10.4g} {'' if inside else '  <<'}"
        )
    for heard, ranges in ((f"excerpts of at most {seconds:g} s", real), ("whole songs", whole)):
        inside = covered(own, ranges)
        missing = [name for name, there in zip(COLUMN_NAMES, inside, strict=True) if not there]
        print(
            f"columns: {inside.sum()} of {len(COLUMN_NAMES)} covered exactly when real music is heard in "
            f"{heard}; outside: {missing}"
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
        real = list(pool.map(on_real, [(path, given.seconds) for path in songs]))
    print_beats(clips, given.worst)
    if real:
        excerpts, wholes = zip(*real, strict=True)
        print_columns([clip.rows for clip in clips], list(excerpts), list(wholes), given.seconds)
    cpu = np.array([clip.cpu_s for clip in clips])
    print(
        f"speed: {given.seconds / cpu.mean():.0f} s of music per CPU-second ({cpu.mean():.2f} CPU-s a clip "
        f"of {given.seconds:g} s, {np.percentile(cpu, 95):.2f} at the 95th percentile)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
