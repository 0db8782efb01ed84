"""Print how often films count as driven by music that they have nothing to do with: false alarms of a bank.

Random programs of the catalogue draw tracks of many kinds, some without a clear beat: 21 s of each, at 15
frames a second and 128x72. Each film is scored with every stretch of 21 s of every other track, up to four,
against the songs of each null bank. Pairs of tracks that share a tempo to 1 % are counted apart: they beat
together. Of the films with their own music, the median effect and the share of low p are printed as well.

Usage: ``python benchmarks/nulls.py --music FOLDER [--programs N] [--bank FILE ...]``
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from random_programs import MUSIC_S, TRACKS, Heard, film, heard, observed
from synesthete.config.control import Control
from synesthete.evaluation.chance import compare
from synesthete.evaluation.dynamics import Dynamics, picture_dynamics
from synesthete.evaluation.nulls import BANK_FILE, NullBank, null_columns
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.sync import explained_share
from synesthete.evaluation.verdicts import MOST_P
from synesthete.programs.catalogue import catalogued_program
from synesthete.render.listen import hear

SOME = (*TRACKS, "ambient_crossroads.ogg", "quiet_march_thee.ogg")
STRETCHES = 4
LEVELS = (0.05, 0.02)


def dynamics_of(seed: int, song: Heard) -> Dynamics:
    """Draw what a program makes of a track, and watch it."""
    frames = film(catalogued_program(seed), Control(), song, seed, range(song.music_frames))
    pictures = observed(frames)
    return picture_dynamics(pictures, measure_picture(pictures))


def stretches(path: Path, work: Path) -> tuple[float | None, list[np.ndarray]]:
    """Give a track's tempo, and its columns over 21 s and 21 s more, as often as there are."""
    timeline, _ = hear(path, start=None, end=None, allow_truncated=False, workspace=work)
    table, ticks = null_columns(timeline), 100 * MUSIC_S
    count = min(STRETCHES, len(table) // ticks)
    return timeline.music.tempo_bpm, [table[k * ticks : (k + 1) * ticks] for k in range(count)]


def same_tempo(one: float | None, other: float | None) -> bool:
    """Say whether two tracks beat together."""
    return one is not None and other is not None and abs(one / other - 1) < 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--programs", type=int, default=8, help="films of each track")
    parser.add_argument("--bank", type=Path, nargs="+", default=[BANK_FILE])
    given = parser.parse_args()
    torch.set_num_threads(1)
    ticks = 100 * MUSIC_S
    banks = {path: [song.stretched_to(ticks) for song in NullBank(path)] for path in given.bank}
    own, apart, together = ({path: [] for path in banks} for _ in range(3))  # type: ignore[var-annotated]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        work = Path(folder)
        music = {name: stretches(given.music / name, work) for name in SOME}
        for number in range(given.programs * len(SOME)):
            name = SOME[number % len(SOME)]
            dynamics = dynamics_of(number, heard(given.music / name, work))
            tempo, tables = music[name]
            mine = explained_share(dynamics, tables[0])
            theirs = [
                (same_tempo(tempo, other_tempo), explained_share(dynamics, table))
                for other, (other_tempo, others) in music.items()
                if other != name
                for table in others
            ]
            for path, songs in banks.items():
                nulls = [explained_share(dynamics, song) for song in songs]
                own[path].append(compare(mine, nulls))
                for same, share in theirs:
                    (together if same else apart)[path].append(compare(share, nulls).p)
    for path, songs in banks.items():
        print(f"{path.name}: {len(songs)} songs, {path.stat().st_size / 1e6:.2f} MB")
        for what, found in (("tempi differ", apart[path]), ("one tempo", together[path])):
            shares = ", ".join(
                f"p < {level:g}: {100 * np.mean(np.array(found) < level):.1f} %" for level in LEVELS
            )
            print(f"  {len(found)} unrelated pairs, {what}: {shares}")
        effect = np.median([found.effect for found in own[path]])
        driven = 100 * np.mean([found.p < MOST_P for found in own[path]])
        print(f"  {len(own[path])} films, own music: effect {effect:.2f}, p < {MOST_P:g}: {driven:.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
