"""Print how well beats are found: on music whose beats are known, against librosa, and on made songs.

The score is mir_eval's F-measure (±70 ms); the truth at half or double tempo, either phase, counts as well.

Usage: ``python benchmarks/beats.py [--music DIR] [--songs N] [--first SEED]``

``DIR`` holds songs, and ``truth/NAME.beats`` with a moment in seconds per line.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import torch

import synesthete
from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.meter import find_meter
from synesthete.audio.silences import silence_from

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from made_rhythm import beat_score, rhythm_song


def on_music(folder: Path, work: Path) -> None:
    ours, theirs = [], []
    print(f"{'song':28} {'ours':>6} {'librosa':>8} {'confidence':>11}")
    for path in sorted(folder.iterdir()):
        truth = folder / "truth" / f"{path.stem}.beats"
        if not path.is_file() or path.suffix not in {".ogg", ".flac", ".wav", ".mp3"}:
            continue
        music = synesthete.analyse(path, workspace=work).music
        line = f"{path.name:28}"
        if truth.is_file():
            moments = np.loadtxt(truth)
            sound, rate = librosa.load(path, sr=None)
            _, found = librosa.beat.beat_track(y=sound, sr=rate, units="time")
            ours.append(beat_score(moments, np.array(music.beats)))
            theirs.append(beat_score(moments, np.asarray(found)))
            line += f" {ours[-1]:6.3f} {theirs[-1]:8.3f}"
        else:
            line += f" {'':6} {'':8}"
        print(f"{line} {music.beat_confidence:11.2f}  {len(music.beats)} beats, tempo {music.tempo_bpm}")
    print(f"{'mean':28} {np.mean(ours):6.3f} {np.mean(theirs):8.3f}")


def on_made(seed: int) -> tuple[float, float, float, float, str]:
    torch.set_num_threads(1)
    song = rhythm_song(seed)
    measured = measure(torch.from_numpy(song.sound)[None, None])
    started = time.perf_counter()
    columns = {name: measured.columns[0, :, i].numpy() for i, name in enumerate(MEASURED_NAMES)}
    silence = silence_from(measured.columns[0, :, MEASURED_NAMES.index("loudness")]).numpy()
    meter = find_meter(columns, measured.spectrum[0].numpy(), silence)
    took = time.perf_counter() - started
    bars = beat_score(song.downbeats, meter.downbeats / 100)
    tags = f"{' '.join(song.tags)}; found {meter.tempo_bpm or 0:.1f} bpm in {meter.beats_per_bar}"
    return beat_score(song.beats, meter.beats / 100), bars, float(meter.confidence.mean()), took, tags


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path)
    parser.add_argument("--songs", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    if given.music:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as work:
            on_music(given.music, Path(work))
    if given.songs:
        seeds = range(given.first, given.first + given.songs)
        with ProcessPoolExecutor() as pool:
            found = list(pool.map(on_made, seeds, chunksize=4))
        beats, bars, sure, took = (np.array([result[k] for result in found]) for k in range(4))
        for k in np.argsort(beats)[:25]:
            print(f"  {beats[k]:.2f}  seed {seeds[k]}  {found[k][4]}")
        print(
            f"{given.songs} made songs: beats {beats.mean():.3f} (below 0.8: {np.mean(beats < 0.8):.1%}), ",
            end="",
        )
        print(
            f"downbeats {bars.mean():.3f}, confidence {sure.mean():.2f}, {1000 * took.mean():.0f} ms a song"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
