"""Measure sections, key and chords on synthetic songs with known answers, and the time they take.

    python benchmarks/sections.py [songs [first seed]]

Prints, for two generators, the boundary F-measure (±1 s, with and without the track's ends), the part of
songs whose returning sections are recognised and told apart, how the novelty curve reads at borders and away
from them, and times. Tuning used the seeds from 1000; these begin at 0, or at a second argument.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import mir_eval
import numpy as np
import torch

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.harmony import estimate_key
from synesthete.audio.sections import find_sections
from synesthete.audio.similarity import novelty_curve, summarise
from synesthete.clock import ANALYSIS_RATE

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from made_songs import SectionSong, chord_song, section_song, texture_song

Maker = Callable[[int, str], SectionSong]


def heard(sound: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Measure mono samples: columns by name, and the spectrum."""
    measured = measure(torch.from_numpy(sound)[None, None])
    table = measured.columns[0].numpy()
    return dict(zip(MEASURED_NAMES, table.T, strict=True)), measured.spectrum[0].numpy()


def letters_right(song: SectionSong, found: tuple) -> bool:
    """Tell whether equal sections, and only they, got equal letters."""

    def letter(start: float, end: float) -> str:
        shared: dict[str, float] = {}
        for part in found:
            overlap = max(0.0, min(end, part.end_s) - max(start, part.start_s))
            shared[part.label] = shared.get(part.label, 0.0) + overlap
        return max(shared, key=lambda name: shared[name])

    given = [letter(start, end) for start, end, _ in song.sections]
    truth = [label for *_, label in song.sections]
    pairs = [(i, j) for i in range(len(truth)) for j in range(i)]
    return all((given[i] == given[j]) == (truth[i] == truth[j]) for i, j in pairs)


def bench_sections(make: Maker, first: int, count: int, form: str, bars: bool) -> None:
    name = "section_song" if make is section_song else "texture_song"
    inner, whole, right, at, far, took = [], [], [], [], [], 0.0
    for seed in range(first, first + count):
        song = make(seed, form)
        columns, spectrum = heard(song.sound)
        start = time.perf_counter()
        steps = summarise(columns, spectrum)
        novelty = novelty_curve(steps)
        found = find_sections(
            steps,
            downbeats=song.downbeats if bars else None,
            bar_confidence=1.0 if bars else 0.0,
            duration_s=len(song.sound) / 44_100,
        )
        took += time.perf_counter() - start
        truth = np.array([part[:2] for part in song.sections])
        given = np.array([(part.start_s, part.end_s) for part in found])
        for scores, trim in ((inner, True), (whole, False)):
            one = len(given) == 1 and trim
            f = 0.0 if one else mir_eval.segment.detection(truth, given, window=1.0, trim=trim)[2]
            scores.append(f)
        right.append(letters_right(song, found))
        moments = np.arange(len(novelty)) / ANALYSIS_RATE
        distance = np.abs(moments[:, None] - truth[None, 1:, 0]).min(axis=1)
        at += [novelty[np.abs(moments - border) < 1.0].max() for border in truth[1:, 0]]
        far.append(novelty[distance > 6.0])
    steady = np.concatenate(far)
    print(
        f"{name:13} {form} downbeats {'given' if bars else 'none':5}  F {np.mean(inner):.3f} "
        f"(with ends {np.mean(whole):.3f})  letters {np.mean(right):.2f}  novelty over 0.5 at "
        f"{np.mean(np.array(at) > 0.5):.2f} of borders, under 0.15 in {np.mean(steady < 0.15):.2f} of what "
        f"is 6 s away  {1000 * took / count:.0f} ms a song",
        flush=True,
    )


def bench_keys(first: int, count: int, cents: float) -> None:
    keys, chords = [], []
    for seed in range(first, first + count):
        song = chord_song(seed, seed % 12, minor=seed // 12 % 2 == 1, cents=cents, bars=8)
        columns, _ = heard(song.sound)
        chroma = np.stack([columns[f"chroma_{pitch}"] for pitch in range(12)], axis=1)
        keys.append(estimate_key(chroma, columns["loudness"]) == song.key)
        for start, end, pitches in song.chords:
            strength = chroma[round(start * ANALYSIS_RATE) : round(end * ANALYSIS_RATE)].mean(axis=0)
            chords.append(set(np.argsort(strength)[-3:].tolist()) == pitches)
    print(
        f"chord_song    {cents:+.0f} cents: key right {np.mean(keys):.3f}, the three strongest pitch "
        f"classes are the chord {np.mean(chords):.3f}",
        flush=True,
    )


def bench_time(minutes: int) -> None:
    rng = np.random.default_rng(0)
    ticks = minutes * 60 * ANALYSIS_RATE
    columns, spectrum = heard(section_song(0, "ABAC").sound)
    rows = np.concatenate([rng.permutation(len(spectrum) // 800) for _ in range(ticks // 4000 + 1)])
    order = (rows[:, None] * 800 + np.arange(800)).reshape(-1)[:ticks]
    columns = {name: values[order] for name, values in columns.items()}
    spectrum = spectrum[order]
    start = time.perf_counter()
    steps = summarise(columns, spectrum)
    novelty_curve(steps)
    find_sections(steps, downbeats=None, bar_confidence=0.0, duration_s=ticks / ANALYSIS_RATE)
    print(f"{minutes} minutes: {time.perf_counter() - start:.2f} s", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for make in (section_song, texture_song):
        for form, bars in (("ABAC", True), ("ABAC", False), ("ABCA", True)):
            bench_sections(make, first, count, form, bars)
    for cents in (0.0, 20.0, 30.0):
        bench_keys(first, count, cents)
    for minutes in (4, 60):
        bench_time(minutes)


if __name__ == "__main__":
    main()
