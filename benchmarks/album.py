"""Make an album of a folder of music, and measure where its tracks stand in picture and sound.

At every track's start: how far the first picture is from the track's exact sample, and how late the album's
sound is, by cross-correlation with the source on both sides of the joint. Then whether picture packets are
those of the tracks' films, what chapters say, and how long picture and sound last.

Usage: ``python benchmarks/album.py --music FOLDER [--fps 30000/1001] [--preset silk] [--work DIR]``
"""

import argparse
import shutil
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from scipy.signal import correlate

from synesthete.config.album_file import read_album
from synesthete.media.convert import Resampler
from synesthete.media.decode import decode_sound
from synesthete.media.mux import film_facts
from synesthete.media.probe import probe_sound
from synesthete.render.album import render_album
from synesthete.render.album_tracks import AlbumRun

RATE = 48_000
WINDOW = RATE // 2
SOUNDS = (".ogg", ".flac", ".wav", ".mp3")


def source_sound(path: Path) -> np.ndarray:
    """Decode a track at the album's rate, mixed to one channel."""
    info = probe_sound(path)
    resampler = Resampler(info.sample_rate, RATE, 1 if info.channels == 1 else 2)
    blocks = [resampler.push(chunk) for chunk in decode_sound(path)] + [resampler.flush()]
    return np.concatenate(blocks, axis=1).mean(0)


def film_sound(path: Path) -> np.ndarray:
    return np.concatenate(list(decode_sound(path)), axis=1).mean(0)


def lag(heard: np.ndarray, source: np.ndarray) -> float:
    """Give by how many milliseconds what is heard is late against its source; NaN for silence."""
    if np.std(heard) < 1e-4 or np.std(source) < 1e-4:
        return float("nan")
    found = correlate(heard, source, mode="full", method="fft")
    return 1000.0 * (int(np.argmax(found)) - (len(source) - 1)) / RATE


def pictures(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return [(p.pts, bytes(p)) for p in container.demux(video) if p.pts is not None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--fps", default="30")
    parser.add_argument("--preset", default="silk")
    parser.add_argument("--resolution", default="114x64")
    parser.add_argument("--work", type=Path, help="keep the album here, and resume it")
    given = parser.parse_args()
    scratch = None if given.work else Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    folder = given.work or scratch
    folder.mkdir(exist_ok=True)
    for path in sorted(p for p in given.music.iterdir() if p.suffix in SOUNDS):
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    changes = {"frame_rate": given.fps, "preset": given.preset, "resolution": given.resolution}
    files = read_album(
        folder, changes={**changes, "kernels": "eager"}, assignments=["audio.normalization=null"]
    )
    result = render_album(files, AlbumRun(previews=False))
    try:
        return measure(folder, files, result, Fraction(given.fps))
    finally:
        if scratch:
            shutil.rmtree(scratch)


def measure(folder: Path, files, result, frame_rate: Fraction) -> int:  # type: ignore[no-untyped-def]
    heard, packets = film_sound(result.film), pictures(result.film)
    with av.open(str(result.film)) as container:
        tick = container.streams.video[0].time_base
        chapters = container.chapters()
    shown = sorted(pts for pts, _ in packets)
    start, frame, first = 0, 0, 0
    worst_picture = worst_sound = worst_chapter = 0.0
    same = True
    print("track                      picture ms   sound ms: start, end   chapter ms   packets")
    for track, chapter in zip(files.album.tracks, chapters, strict=True):
        source = source_sound(folder / track.src)
        own = pictures(result.tracks[track.id])
        picture = 1000 * abs(float(shown[frame] * tick) - start / RATE)
        ends = [
            lag(heard[start + a : start + a + WINDOW], source[a : a + WINDOW])
            for a in (0, max(0, len(source) - WINDOW))
        ]
        begins = 1000 * abs(float(chapter["start"] * chapter["time_base"]) - start / RATE)
        equal = [data for _, data in packets[first : first + len(own)]] == [data for _, data in own]
        print(
            f"{track.id[:26]:26} {picture:10.4f}   {ends[0]:8.3f} {ends[1]:8.3f}   {begins:12.4f}"
            f"   {'same' if equal else 'OTHER'}"
        )
        worst_picture, worst_chapter = max(worst_picture, picture), max(worst_chapter, begins)
        worst_sound = max([worst_sound, *(abs(e) for e in ends if e == e)])
        same &= equal
        start, frame, first = start + len(source), frame + len(own), first + len(own)
    long = (film_facts(result.film).sound_samples or 0) - start
    picture_end = shown[-1] * tick + 1 / frame_rate
    print(
        f"worst: picture {worst_picture:.4f} ms, sound {worst_sound:.3f} ms, chapter {worst_chapter:.4f} ms; "
        f"packets {'identical' if same else 'DIFFER'}; sound {long:+d} samples of {start}; frames "
        f"{len(shown)}; uncut, it would end {1000 * (float(picture_end) - start / RATE):+.1f} ms after it"
    )
    good = worst_picture <= 1 and worst_sound <= 1 and worst_chapter <= 1 and same and long == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
