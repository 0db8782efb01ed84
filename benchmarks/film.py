"""Print the speed of rendering as ratios against named baselines, all measured in this one run.

Baseline of the film: libx264 ``veryfast`` crf 18 encoding the same 1080p30 frames from memory, with its own
default threads. Baseline of the networks: the plain torch implementation on the whole grid in fp32.

Usage: ``python benchmarks/film.py [--frames N] [--only film|wide|tiny] [--preset NAME]``
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from synesthete.config.preset import default_preset
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Size, pixel_grid
from synesthete.generators.cppn_kernels import Structure
from synesthete.generators.fuse import Fuser
from synesthete.media.mux import iterate_frames
from synesthete.models.cppn import CppnSpec, evaluate, evaluate_tiles, initialise, pack
from synesthete.render.pipeline import render_song

SONG = Path(__file__).resolve().parents[1] / "album" / "torus-trooper-1.ogg"
ROUNDS = 2


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def encode_from_memory(frames: list[av.VideoFrame], target: Path) -> None:
    """Encode as the baseline does: one encoder, its own threads, frames ready in memory."""
    with av.open(str(target), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(30), options={"preset": "veryfast", "crf": "18"}
        )
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        for index, frame in enumerate(frames):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def bench_film(work: Path, count: int, preset: str) -> None:
    """Whole film, 1080p30, against encoding its own frames from memory."""
    end = Fraction(count, 30)
    films: dict[str, list[float]] = {"auto": [], "eager": []}
    options = {
        name: RenderOptions(preset=preset, end=end, kernels=name, workspace=work, force=True)  # type: ignore[arg-type]
        for name in films
    }
    film = render_song(SONG, options["auto"])  # compiles, and fills the Timeline's cache
    frames = []
    for rgb in iterate_frames(film.film):
        frames.append(av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p"))
    baseline = []
    for round_ in range(ROUNDS):
        baseline.append(seconds(lambda: encode_from_memory(frames, work / "baseline.mp4")))
        for name in films:
            if name == "auto" or round_ == 0:  # the slow one needs no second look
                films[name].append(seconds(lambda name=name: render_song(SONG, options[name])))
    base = statistics.median(baseline)
    print(
        f"baseline  libx264 veryfast crf 18, {count} frames 1080p30 from memory: {count / base:6.1f} frames/s"
    )
    for name, times in films.items():
        took = statistics.median(times)
        print(f"film      {preset}, {name}: {count / took:6.1f} frames/s   ratio {base / took:.2f}")


def bench_wide(work: Path) -> None:
    """8×256 at 720p against the straightforward whole-grid fp32 evaluation."""
    spec = CppnSpec(layers=8, units=256, gain=1.5)
    net = initialise(spec, torch.Generator().manual_seed(1))
    x, y = pixel_grid(Size(1280, 720))
    u, v = torch.broadcast_tensors(x, y)
    planes = torch.stack([u, v, torch.sqrt(u * u + v * v)]).reshape(3, -1)
    outputs: dict[str, torch.Tensor] = {}

    def keep(name: str, value: torch.Tensor) -> None:
        outputs[name] = 0.5 + 0.5 * torch.sin(value)

    plain = seconds(lambda: keep("plain", evaluate(net, planes.T.contiguous()).T))
    print(f"baseline  8×256 at 720p, plain fp32 on the whole grid: {1 / plain:.3f} frames/s")
    for dtype in (torch.float32, torch.bfloat16):
        took = statistics.median(
            seconds(lambda dtype=dtype: keep("ours", evaluate_tiles(net, planes, dtype=dtype)))
            for _ in range(ROUNDS)
        )
        error = float(((outputs["plain"] - outputs["ours"]) ** 2).mean())
        psnr = "exact" if error == 0 else f"{-10 * np.log10(error):.1f} dB"
        print(
            f"wide      tiles, {dtype!s:15}: {1 / took:.3f} frames/s   ratio {plain / took:.2f}   PSNR {psnr}"
        )


def bench_tiny(work: Path) -> None:
    """3×4 at 1080p: the net at every pixel, fused, against the straightforward whole-grid fp32 evaluation.

    Both use two threads: torch's own in the baseline, two frames at a time in ours.
    """
    size, count = Size(1920, 1080), 8
    spec = CppnSpec(layers=3, units=4, gain=1.8)
    net = initialise(spec, torch.Generator().manual_seed(1))
    structure = Structure(spec, fold=1, mirror=False, warp=False, relief=False, lines=False)
    x, y = pixel_grid(size)
    u, v = torch.broadcast_tensors(x, y)
    inputs = torch.stack([u, v, torch.sqrt(u * u + v * v)], -1).reshape(-1, 3)
    view = torch.tensor([1.0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0])
    packed = pack(net)
    plain = statistics.median(seconds(lambda: evaluate(net, inputs)) for _ in range(ROUNDS))
    print(f"baseline  3×4 at 1080p, plain fp32 on the whole grid: {1 / plain:6.1f} frames/s")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    fused = Fuser(work / "cache" / "kernels").fuse("bench", structure.field, x, y, view, packed)

    def draw(_: int) -> None:
        torch.set_num_threads(1)
        with torch.no_grad():
            (fused or structure.field)(x, y, view, packed)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(draw, range(2)))
        took = (
            statistics.median(seconds(lambda: list(pool.map(draw, range(count)))) for _ in range(ROUNDS))
            / count
        )
    torch.set_num_threads(threads)
    name = "fused" if fused else "eager"
    print(f"tiny      3×4, every pixel, {name}: {1 / took:6.1f} frames/s   ratio {plain / took:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=480)
    parser.add_argument("--preset", default=default_preset())
    parser.add_argument("--only", choices=("film", "wide", "tiny"))
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    try:
        if given.only in (None, "film"):
            bench_film(work, given.frames, given.preset)
        if given.only in (None, "wide"):
            bench_wide(work)
        if given.only in (None, "tiny"):
            bench_tiny(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
