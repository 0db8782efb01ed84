"""Print what evaluation costs, as ratios measured in this one run.

``certificate``
    A film with its certificate against the same film without.
``film``
    ``synesthete evaluate`` of a 1080p30 film of four minutes, in another process, against decoding it.

Usage: ``python benchmarks/evaluate.py [--only certificate|film] [--seconds N]``
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from synesthete.config.render import RenderOptions
from synesthete.media.decode import decode_sound
from synesthete.media.mux import encode_sound, stitch
from synesthete.media.probe import probe_sound
from synesthete.media.watch import count_decodable
from synesthete.render.pipeline import render_song

SONG = Path(__file__).resolve().parents[1] / "album" / "torus-trooper-1.ogg"
ROUNDS = 2
PART_S, PARTS = 20, 12  # a film of four minutes from one of twenty seconds


def rendered(work: Path, seconds: int, *, certificate: bool) -> float:
    """Render at 1080p30 in a workspace that knows the song already; give the seconds it took."""
    options = RenderOptions(end=Fraction(seconds), workspace=work, force=True, certificate=certificate)
    started = time.perf_counter()
    render_song(SONG, options)
    return time.perf_counter() - started


def bench_certificate(work: Path, seconds: int) -> None:
    rendered(work, 2, certificate=True)  # analyse, compile, import
    rendered(work, seconds, certificate=False)
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for certificate in times:
            times[certificate].append(rendered(work, seconds, certificate=certificate))
    with_it, without = min(times[True]), min(times[False])
    print(f"film of {seconds} s at 1080p30, silk: {without:.1f} s without certificate, {with_it:.1f} s with")
    print(f"  cost of the certificate: {100 * (with_it / without - 1):.1f} % (asked for: at most 10 %)")


def long_film(work: Path) -> Path:
    """Render a stretch and play it end to end, picture and sound."""
    film = render_song(SONG, RenderOptions(end=Fraction(PART_S), workspace=work, certificate=False))
    info = probe_sound(SONG)
    part = np.concatenate(list(decode_sound(SONG)), axis=1)[:, : PART_S * info.sample_rate]
    sound = work / "long.m4a"
    encode_sound((part for _ in range(PARTS)), sound, sample_rate=info.sample_rate, channels=len(part))
    target = work / "long.mp4"
    stitch([(film.film, film.frames)] * PARTS, sound, target, frame_rate=Fraction(30))
    return target


def watched(command: list[str]) -> int:
    """Run a command and give its peak resident memory in bytes (Linux); a fork's own counts its parent's."""
    process = subprocess.Popen(command)
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError, StopIteration, IndexError):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
        time.sleep(0.1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak


def bench_film(work: Path) -> None:
    film = long_film(work)
    started = time.perf_counter()
    decoded, _ = count_decodable(film)
    decoding = time.perf_counter() - started
    started = time.perf_counter()
    command = [sys.executable, "-m", "synesthete", "evaluate", str(film), "--workspace", str(work)]
    peak_bytes = watched(command)
    seconds = time.perf_counter() - started
    print(f"{decoded} pictures at 1080p30, decoded in {decoding:.1f} s by FFmpeg {av.ffmpeg_version_info}")
    print(f"  evaluated in {seconds:.1f} s (asked for: under 60), {seconds / decoding:.2f} times decoding")
    print(f"  peak memory {peak_bytes / 1e9:.2f} GB (asked for: under 1)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("certificate", "film"))
    parser.add_argument("--seconds", type=int, default=30, help="length of the film for `certificate`")
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    try:
        if given.only in (None, "certificate"):
            bench_certificate(work, given.seconds)
        if given.only in (None, "film"):
            bench_film(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
