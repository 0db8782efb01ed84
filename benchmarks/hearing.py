"""Print how fast a song is heard, as ratios against named baselines measured in this one run.

Baseline of the speed: librosa's ``load`` (own rate, mono), ``onset_strength`` and ``beat_track`` with their
defaults on the same WAV file of four minutes, warmed up, so that numba's compiling doesn't count. Ours is the
whole of `hear` in a fresh workspace: decoding, all columns, what is derived from them, files, digests. Every
measurement has a process of its own; neither side's imports count.

Usage: ``python benchmarks/hearing.py [--only speed]``
"""

import argparse
import shutil
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

SONG = Path(__file__).resolve().parents[1] / "album" / "jazz-vibe-ace.ogg"
RATE = 44_100
MINUTES = {"4 minutes": 4, "one hour": 60}


class Cost(NamedTuple):
    """Time, seconds; and the process's largest memory after its imports and at the end, MB."""

    seconds: float
    imported_mb: float
    peak_mb: float


def write_repeated(target: Path, minutes: int) -> Path:
    """Write the song over and over, 16 bit stereo, until so many minutes are full."""
    from synesthete.media.decode import decode_sound

    sound = np.concatenate(list(decode_sound(SONG)), axis=1)
    data = np.round(np.clip(sound, -1, 1).T * 32_767).astype("<i2").tobytes()
    wanted = minutes * 60 * RATE * 4
    with wave.open(str(target), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        while wanted > 0:
            file.writeframesraw(data[:wanted])
            wanted -= len(data)
    return target


def hear_it(song: Path) -> Cost:
    """Hear a song in a workspace that has not heard it before."""
    from synesthete.render.listen import hear

    return _cost(
        lambda: hear(
            song, start=None, end=None, allow_truncated=False, workspace=song.with_suffix(".workspace")
        )
    )


def librosa_hears_it(song: Path) -> Cost:
    """Find onsets and beats as librosa's tutorial does."""
    import librosa

    def run(sound: np.ndarray, rate: float) -> None:
        strength = librosa.onset.onset_strength(y=sound, sr=rate)
        librosa.beat.beat_track(onset_envelope=strength, sr=rate)

    run(np.random.default_rng(1).standard_normal(5 * RATE).astype(np.float32), RATE)
    return _cost(lambda: run(*librosa.load(song, sr=None, mono=True)))


def bench_speed(work: Path) -> None:
    """Time and memory of four minutes and of one hour; the former against librosa."""
    base = 0.0
    for name, minutes in MINUTES.items():
        song = write_repeated(work / f"{minutes}.wav", minutes)
        if not base:
            theirs = _apart(librosa_hears_it, song)
            base = theirs.seconds
            print(f"baseline  {name}, librosa onset_strength + beat_track: {_text(theirs)}")
        ours = _apart(hear_it, song)
        speed = f"{60 * minutes / ours.seconds:.0f}× real time"
        ratio = f"   ratio {base / ours.seconds:.2f}" if minutes == 4 else ""
        print(f"hear      {name}, everything: {_text(ours)}, {speed}{ratio}")
        song.unlink()


def _apart(action: Callable[[Path], Cost], song: Path) -> Cost:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(action, song).result()


def _cost(action: Callable[[], object]) -> Cost:
    imported, started = _peak_mb(), time.perf_counter()
    action()
    return Cost(time.perf_counter() - started, imported, _peak_mb())


def _peak_mb() -> float:
    # Not ru_maxrss: a new process inherits that of the one it was forked from.
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def _text(cost: Cost) -> str:
    return f"{cost.seconds:6.2f} s, {cost.peak_mb:.0f} MB at most ({cost.imported_mb:.0f} MB before)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("speed",))
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    try:
        if given.only in (None, "speed"):
            bench_speed(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
