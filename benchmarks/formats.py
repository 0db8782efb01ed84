"""Print, for every format, how fast it is written, how large, and how close it comes to what was drawn.

The same frames of a song, drawn by one preset, are quantised and encoded as one worker does a Segment;
joining or drawing the film counts too. Speeds are frames per second of processor time, all threads together,
so that others on the machine count little; ratios are to libx264 ``veryfast`` crf 18 in 8 bits, in the same
run. PSNR is of luma, over black, against the 8-bit planes that the observer sees.

Usage: ``python benchmarks/formats.py [--frames N] [--resolution 1280x720] [--preset NAME] [--sweep]``
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from synesthete.config.formats import FORMATS
from synesthete.config.render import RenderOptions, default_quality
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.media.codecs import CODINGS, VideoSettings
from synesthete.media.encode import SegmentWriter, encoder_opens
from synesthete.media.mux import iterate_frames, stitch
from synesthete.media.palette import draw_gif
from synesthete.media.watch import probe_pictures, watch_pictures
from synesthete.media.webp import draw_webp
from synesthete.render.pipeline import render_song

SONG = Path(__file__).resolve().parents[1] / "album" / "torus-trooper-1.ogg"
RATE = Fraction(30)
SPEEDS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")


def drawn(work: Path, preset: str, resolution: str, count: int) -> list[torch.Tensor]:
    """Draw frames, once, and keep them as 8-bit RGB: a sixth of a float frame."""
    options = RenderOptions(
        preset=preset, resolution=resolution, start=Fraction(20), end=20 + count / RATE, workspace=work,
        crf=0, speed="ultrafast", certificate=False,
    )  # fmt: skip
    return [torch.from_numpy(rgb.copy()) for rgb in iterate_frames(render_song(SONG, options).film)]


def floats(frames: list[torch.Tensor]) -> Iterator[torch.Tensor]:
    for frame in frames:
        yield frame.permute(2, 0, 1).float() / 255


def psnr(film: Path, frames: list[torch.Tensor], size: Size) -> float:
    plain, errors = Quantiser(size), []
    for (_, planes), rgb in zip(watch_pictures(film), floats(frames), strict=True):
        wanted = plain.yuv420(rgb).numpy()[: size.height].astype(np.float32)
        errors.append(float(((planes[: size.height] - wanted) ** 2).mean()))
    return 10 * math.log10(255**2 / max(1e-9, float(np.mean(errors))))


def write(work: Path, frames: list[torch.Tensor], size: Size, settings: VideoSettings) -> tuple[float, Path]:
    """Encode; give the encoder's frames per second (the quantiser's time is left out) and the film."""
    coding = settings.coding
    segment, film = work / f"segment{coding.segment.suffix}", work / f"film{coding.film.suffix}"
    quantiser, took = Quantiser(size, None, settings.pixels), 0.0
    with SegmentWriter(
        segment, width=size.width, height=size.height, frame_rate=RATE, settings=settings
    ) as writer:
        for rgb in floats(frames):
            picture = quantiser.picture(rgb)
            started = time.process_time()
            writer.write(picture)
            took += time.process_time() - started
        started = time.process_time()
    took += time.process_time() - started
    started = time.process_time()
    if coding.sound:
        stitch([(segment, len(frames))], None, film, frame_rate=RATE, kind=coding.film)
    else:
        draw = draw_gif if settings.codec == "gif" else draw_webp
        draw([segment], film, frame_rate=RATE, settings=settings)
    return len(frames) / (took + time.process_time() - started), film


def row(work: Path, frames: list[torch.Tensor], size: Size, settings: VideoSettings, base: float) -> str:
    speed, film = write(work, frames, size, settings)
    info = probe_pictures(film)
    assert (info.frames_declared, info.constant_rate) == (len(frames), True)
    kind = f"{settings.codec} {settings.bit_depth} bit{' alpha' if settings.alpha else ''}"
    fixed = FORMATS[settings.codec].max_crf is None  # type: ignore[index]
    effort = "" if fixed else f"{settings.speed} crf {settings.crf}"
    megabits = film.stat().st_size * 8 / 1e6 / (len(frames) / RATE)
    return (
        f"| {kind} | {effort} | {speed:.1f} | {speed / base:.2f} | {float(megabits):.2f} | "
        f"{psnr(film, frames, size):.1f} |"
    )


def all_settings(short: int, sweep: bool) -> Iterator[VideoSettings]:
    for codec, coding in CODINGS.items():
        for depth, alpha in coding.pixels:
            if not encoder_opens(coding.encoders[0], codec, depth):
                continue
            crf, speed = default_quality(short, codec)  # type: ignore[arg-type]
            paced = FORMATS[codec].paced and codec != "webp"  # type: ignore[index]
            for pace in SPEEDS if sweep and paced and depth == 8 and not alpha else (speed,):
                yield VideoSettings(
                    encoder=coding.encoders[0], codec=codec, bit_depth=depth, alpha=alpha, crf=crf, speed=pace
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--resolution", default="1280x720")
    parser.add_argument("--preset", default="silk")
    parser.add_argument("--sweep", action="store_true", help="Try the speeds of every codec too.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    width, height = (int(side) for side in given.resolution.split("x"))
    size = Size(width, height)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        frames = drawn(work, given.preset, given.resolution, given.frames)
        baseline = VideoSettings()
        base, _ = write(work, frames, size, baseline)
        print(f"{given.frames} frames of {given.preset}, {given.resolution}, processor time")
        print(f"baseline libx264 veryfast crf 18: {base:.1f} frames/s")
        print("| format | effort | frames/s | x baseline | Mbit/s | PSNR-Y dB |\n|---|---|---|---|---|---|")
        print(row(work, frames, size, baseline, base))
        for settings in all_settings(size.short, given.sweep):
            print(row(work, frames, size, settings, base), flush=True)
        print(f"baseline again: {write(work, frames, size, baseline)[0]:.1f} frames/s")


if __name__ == "__main__":
    main()
