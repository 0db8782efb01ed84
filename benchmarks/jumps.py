"""Measure how far films jump where no onset is heard: the largest change from one frame to the next.

Each song's first seconds are rendered at 256x144 and 30 frames a second. A change is the mean absolute
difference of display values, 0-1; it is near an onset from `BEFORE_S` before one that is heard, to `AFTER_S`
after it. The exit status is 1 where a film jumps elsewhere by more than ``--most``.

Usage: ``python benchmarks/jumps.py --music FOLDER [--presets walk,walk-deep] [--seconds 40] [--most 0.1]
[--workspace FOLDER]``
"""

import argparse
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from acceptance import music_in
from synesthete.audio.timeline import Timeline
from synesthete.config.render import RenderOptions
from synesthete.media.mux import iterate_frames
from synesthete.media.probe import probe_sound
from synesthete.render.listen import hear
from synesthete.render.pipeline import render_song

RATE = Fraction(30)
BEFORE_S, AFTER_S = 0.07, 0.12
HEARD = 0.25
"""Least of the column ``onset``, 0-1, that counts as one."""


def changes(film: Path) -> np.ndarray:
    """Give the mean absolute change to each frame but the first."""
    found, before = [], None
    for frame in iterate_frames(film):
        now = frame.astype(np.float32) / 255.0
        if before is not None:
            found.append(float(np.abs(now - before).mean()))
        before = now
    return np.array(found)


def near_onsets(timeline: Timeline, count: int) -> np.ndarray:
    """Say of so many changes whether one is near an onset: the first is seen with the second frame."""
    onsets = np.flatnonzero(timeline.column("onset") > HEARD) / 100
    shown = np.arange(1, count + 1) / float(RATE)
    since = shown[:, None] - onsets
    return ((since >= -BEFORE_S) & (since <= AFTER_S)).any(axis=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--presets", default="walk")
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--most", type=float, default=0.1)
    parser.add_argument("--workspace", type=Path, default=Path("build/jumps"))
    given = parser.parse_args()
    worst = 0.0
    for preset in given.presets.split(","):
        for song in music_in(given.music):
            known = probe_sound(song).duration_s or 0.0
            end = Fraction(given.seconds) if known > given.seconds else None
            options = RenderOptions(
                preset=preset, resolution="256x144", fps=RATE, end=end, crf=17, speed="veryfast",
                workspace=given.workspace,
            )  # fmt: skip
            moved = changes(render_song(song, options).film)
            timeline, _ = hear(song, start=None, end=end, allow_truncated=False, workspace=given.workspace)
            near = near_onsets(timeline, len(moved))
            elsewhere = float(moved[~near].max(initial=0.0))
            worst = max(worst, elsewhere)
            print(
                f"{preset} {song.name}: median {np.median(moved):.4f}, most near onsets "
                f"{moved[near].max(initial=0.0):.3f}, elsewhere {elsewhere:.3f} "
                f"({near.mean():.0%} of the film is near one)",
                flush=True,
            )
    print(f"most elsewhere: {worst:.3f}, and {given.most:g} is allowed")
    return int(worst > given.most)


if __name__ == "__main__":
    sys.exit(main())
