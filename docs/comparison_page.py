"""Compare what draws: programs, the model that listens, and walks, at the same moments of the same songs.

Films are rendered and measured as by ``make evaluation``; what is in the workspace is not rendered again.

Usage: ``python docs/comparison_page.py --music FOLDER [--songs A,B,C,D] [--seconds 60] [--workspace FOLDER]``
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from make_docs import save
from make_evaluation import DOCS, measure, tracks_in
from preset_pages import pictures_at

from synesthete.config.preset import load_preset
from synesthete.generators.base import Size
from synesthete.media.images import contact_sheet

GROUPS = {
    "programs": ("borealis", "nebula"),
    "the model that listens": ("dream-ripple", "dream-filament"),
    "walks": ("walk", "walk-weave"),
}
CELL = Size(192, 108)
STYLES = (
    "dream", "dream-vortex", "dream-ripple", "dream-molten", "dream-filament", "dream-jade", "dream-eclipse",
    "dream-jelly", "dream-lattice", "dream-smoke",
)  # fmt: skip
SEEDS = (1, 2, 3, 4, 5, 6)
STYLE_CELL = Size(320, 180)
PARTS = (0.3, 0.6, 0.85)
"""Moments of each song, as shares of what is measured."""

HEAD = """# What draws best?

Three kinds of generators at the same moments of the same songs: programs, which were written by hand and
are what the model learned from; the model that listens, [model.md](model.md); and walks among the pictures
of a generator, [gan.md](gan.md). Written by `python docs/comparison_page.py --music FOLDER`.

![the same moments of the same songs](images/comparison.jpg)

Columns are {songs}, the first {seconds} s of each, at {parts} of it.

| | preset | effect | largest p | lag, ms | silence | flicker | saturation | dark share |
|---|---|---|---|---|---|---|---|---|
{rows}

Means over the songs, of films of 256x144 at 30 frames a second, by their certificates; p is that of the
worst song, lags are the extremes of those that can be told. **effect** is the share of the picture's
dynamics that the music explains beyond what other songs do, **silence** motion in spliced silence over that
in music. The figures of rival films by the same measures, and what their pictures are like, are in
[presets.md](presets.md#beside-the-rivals).

## Sixteen styles of the model that listens

The presets that ship, and seeds {seeds} of `dream`, that nobody chose, at {styled:.0%} of the same songs.

![sixteen styles and four songs](images/dream-styles.jpg)

"""


def row(group: str, preset: str, films: Sequence[Mapping[str, Any]]) -> str:
    """Write a preset's line."""

    def known(key: str) -> list[float]:
        return [film[key] for film in films if film[key] is not None]

    def mean(key: str, form: str = ".2f") -> str:
        return f"{fmean(known(key)):{form}}" if known(key) else "–"

    p, lags = known("sync.p"), known("sync.lag_ms")
    cells = (
        group, f"`{preset}`", mean("sync.effect"), f"{max(p):.3f}" if p else "–",
        f"{min(lags):+.0f} to {max(lags):+.0f}" if lags else "–",
        mean("silence"), mean("flicker", ".3f"), mean("look.saturation"), mean("look.dark"),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def sheet(songs: Sequence[Path], seconds: int, workspace: Path) -> np.ndarray:
    """Draw all presets at the same moments."""
    pictures, labels = [], []
    for presets in GROUPS.values():
        for name in presets:
            for song in songs:
                moments = [part * seconds for part in PARTS]
                pictures += pictures_at(load_preset(name), song, CELL, workspace, moments=moments)
                labels += [name if song == songs[0] else "", *("" for _ in PARTS[1:])]
    return contact_sheet(pictures, columns=len(PARTS) * len(songs), labels=labels, title=None)


def styles_sheet(songs: Sequence[Path], seconds: int, workspace: Path) -> np.ndarray:
    """Draw sixteen styles at one moment of each song."""
    styles = {name: load_preset(name) for name in STYLES}
    styles |= {f"seed {seed}": load_preset("dream", assignments=[f"seed={seed}"]) for seed in SEEDS}
    pictures, labels = [], []
    for name, preset in styles.items():
        for song in songs:
            pictures += pictures_at(preset, song, STYLE_CELL, workspace, moments=[PARTS[1] * seconds])
            labels.append(name if song == songs[0] else "")
    return contact_sheet(pictures, columns=len(songs), labels=labels, title=None)


def main() -> int:
    """Measure, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, default=DOCS.parent / "album")
    parser.add_argument("--songs", type=lambda text: text.split(","), help="stems of files; by default all")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--workspace", type=Path, default=Path("evaluation"))
    parser.add_argument("--notes", type=Path, help="Markdown that is added at the end")
    given = parser.parse_args()
    songs = [song for song in tracks_in(given.music) if given.songs is None or song.stem in given.songs]
    if not songs:
        parser.error(f"there is no such music in {given.music}")
    rows = []
    for group, presets in GROUPS.items():
        for preset in presets:
            films = [measure(song, preset, given.seconds, given.workspace) for song in songs]
            rows.append(row(group if preset == presets[0] else "", preset, films))
            print(rows[-1], flush=True)
    save(sheet(songs, given.seconds, given.workspace), "comparison.jpg")
    save(styles_sheet(songs, given.seconds, given.workspace), "dream-styles.jpg")
    page = HEAD.format(
        seeds=", ".join(map(str, SEEDS)), styled=PARTS[1],
        rows="\n".join(rows), seconds=given.seconds, songs=", ".join(f"*{song.stem}*" for song in songs),
        parts=", ".join(f"{part:.0%}" for part in PARTS),
    )  # fmt: skip
    (DOCS / "comparison.md").write_text(
        page + (given.notes.read_text() if given.notes else ""), encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
