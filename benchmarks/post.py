"""Print what post effects cost at 1080p, as shares of what encoding the same frames costs, all in this run.

Baseline: libx264 ``veryfast`` crf 18 encoding from memory, with its own default threads. Costs are processor
time of all threads, so that what else runs on the machine counts little; ``wall`` adds how long it took with
two frames at a time. Then, as a second opinion, FFmpeg's own filters on 8-bit Y'CbCr: what they cost, and how
far a dark gradient lies from what it should be.

Usage: ``python benchmarks/post.py [--frames N] [--only chain|table|ffmpeg]``
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from synesthete.config.post import Balance, Lut, Post, digested_lut
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.fuse import Fuser
from synesthete.generators.quantise import Quantiser
from synesthete.media.mux import iterate_frames
from synesthete.render.pipeline import render_song
from synesthete.render.post import finished

SONG = Path(__file__).resolve().parents[1] / "album" / "torus-trooper-1.ogg"
SIZE, RATE = Size(1920, 1080), Fraction(30)
NOTHING = Trajectory(np.zeros((10_000, 1), np.float32), ("x",), {})
CHAIN = Post(tone_curve="filmic", vignette=0.3, grain=0.15, chroma_shift=0.004)
ROUNDS = 3


class Given:
    """Gives the same few pictures again and again."""

    def __init__(self, pictures: list[torch.Tensor]) -> None:
        self._pictures = pictures

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Name no path of its own."""
        return "fused-given"

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[torch.Tensor]:
        """Give them in turn."""
        for frame in range(start, stop):
            yield self._pictures[frame % len(self._pictures)]


def milliseconds(action: Callable[[], object], count: int) -> tuple[float, float]:
    """Give processor and wall time of each of so many."""
    processor, wall = time.process_time(), time.perf_counter()
    action()
    return (
        1e3 * (time.process_time() - processor) / count,
        1e3 * (time.perf_counter() - wall) / count,
    )


def encode(frames: list[av.VideoFrame], target: Path) -> None:
    """Encode as the baseline does: one encoder, its own threads, frames ready in memory."""
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = SIZE.width, SIZE.height, "yuv420p"
        for index, frame in enumerate(frames):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def drawn(work: Path, count: int) -> list[torch.Tensor]:
    """Draw some frames of a film, as float RGB."""
    options = RenderOptions(start="20", end=20 + Fraction(count, 30), workspace=work, certificate=False)
    film = render_song(SONG, options)
    return [torch.from_numpy(rgb).permute(2, 0, 1).float().div(255) for rgb in iterate_frames(film.film)]


def encoded(pictures: Iterator[torch.Tensor]) -> list[av.VideoFrame]:
    quantiser = Quantiser(SIZE)
    return [av.VideoFrame.from_ndarray(quantiser.yuv420(p).numpy(), format="yuv420p") for p in pictures]


def run(post: Post, pictures: list[torch.Tensor], fuser: Fuser | None, count: int) -> tuple[float, float]:
    """Give processor time, and wall time with two frames at a time, of a frame's post in milliseconds."""
    painter = finished(Given(pictures), post, 7, RATE, fuser)
    painter.prepare(NOTHING, SIZE)

    def draw(first: int) -> None:
        torch.set_num_threads(1)
        for _ in painter.frames(NOTHING, first, first + count, SIZE):
            pass

    draw(3)
    alone = [
        milliseconds(lambda: draw(90), count + (24 if not post.trails.is_zero else 0)) for _ in range(ROUNDS)
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(draw, (3, 40)))
        both = [milliseconds(lambda: list(pool.map(draw, (90, 120))), 2 * count) for _ in range(ROUNDS)]
    return min(processor for processor, _ in alone), min(wall for _, wall in both)


def bench_chain(work: Path, pictures: list[torch.Tensor], baseline: dict[str, tuple[float, float]]) -> None:
    for name, (processor, wall) in baseline.items():
        print(
            f"baseline  x264 veryfast crf 18, {name}: {processor:6.1f} ms of processor, {wall:6.1f} ms wall"
        )
    for kind, fuser in (("fused", Fuser(work / "kernels")), ("eager", None)):
        processor, wall = run(CHAIN, pictures, fuser, 12)
        shares = ", ".join(
            f"{100 * processor / cpu:4.0f} % ({100 * wall / took:4.0f} % wall) of {name}"
            for name, (cpu, took) in baseline.items()
        )
        print(f"chain     tone, vignette, grain, chroma shift, {kind}: {processor:5.1f} ms; {shares}")


def bench_table(work: Path, pictures: list[torch.Tensor], baseline: dict[str, tuple[float, float]]) -> None:
    lut = work / "made.cube"
    axis = np.linspace(0, 1, 33)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)[..., ::-1].reshape(-1, 3)
    lut.write_text("LUT_3D_SIZE 33\n" + "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in points**1.1))
    table = digested_lut(Lut(file="made.cube"), lut, where="lut")
    posts = {
        **{f"tone curve {c}": Post(tone_curve=c) for c in ("filmlog", "filmic", "punch", "neutral", "soft")},
        "balance, no power": Post(balance=Balance.model_validate({"slope": 1.1, "saturation": 1.2})),
        "balance with power": Post(balance=Balance.model_validate({"power": 1.1})),
        "LUT of 33³": Post(lut=table),
        "vignette": Post(vignette=0.3),
        "grain": Post(grain=0.15),
        "chroma shift 0.004": Post(chroma_shift=0.004),
        "chroma shift 0.05": Post(chroma_shift=0.05),
        "bloom": Post(bloom=0.4),
        "trails": Post(trails=0.7),
        "sharpen": Post(sharpen=0.5),
        "everything": Post(
            tone_curve="filmic", vignette=0.3, grain=0.15, chroma_shift=0.004, lut=table, bloom=0.4,
            trails=0.7, sharpen=0.5,
        ),
    }  # fmt: skip
    base = baseline["the finished frames"][0]
    print("| effect at 1080p | fused, ms | eager, ms | fused, of x264's |\n|---|---|---|---|")
    for name, post in posts.items():
        fused, eager = (run(post, pictures, fuser, 8)[0] for fuser in (Fuser(work / "kernels"), None))
        print(f"| {name} | {fused:.1f} | {eager:.1f} | {100 * fused / base:.0f} % |", flush=True)


def through_filters(frames: list[av.VideoFrame], filters: list[tuple[str, str]]) -> list[av.VideoFrame]:
    graph = av.filter.Graph()
    graph.threads = 1
    nodes = [
        graph.add_buffer(width=frames[0].width, height=frames[0].height, format="yuv420p", time_base=1 / RATE)
    ]
    nodes += [graph.add(name, arguments) for name, arguments in filters]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    result = []
    for index, frame in enumerate(frames):
        frame.pts = index
        graph.push(frame)
        result.append(graph.pull())
    return result


def bench_ffmpeg(frames: list[av.VideoFrame]) -> None:
    curve = "clip((val-16)/219*((val-16)/219*(1.5-(val-16)/219)+0.5)*219+16,16,235)"
    kinds = {
        "lutyuv": [("lutyuv", f"y='{curve}'")],
        "vignette": [("vignette", "angle=PI/6:dither=1")],
        "noise": [("noise", "alls=8:allf=t")],
        "chromashift": [("chromashift", "cbh=-3:crh=3")],
    }
    kinds["all four"] = [one for filters in kinds.values() for one in filters]
    for name, filters in kinds.items():
        took = min(
            milliseconds(lambda f=filters: through_filters(frames, f), len(frames))[0] for _ in range(3)
        )
        print(f"ffmpeg    {name:12} on 8-bit Y'CbCr: {took:5.1f} ms")
    ramp = torch.linspace(0.02, 0.07, SIZE.width).expand(3, SIZE.height, -1)
    wanted = 219 * ramp[0].double().numpy()
    ours = next(
        finished(Given([ramp]), Post(tone_curve="punch", vignette=0.3), 7, RATE).frames(NOTHING, 0, 1, SIZE)
    )
    luma = 16 + 219 * (0.2126 * ours[0] + 0.7152 * ours[1] + 0.0722 * ours[2]).double().numpy()
    got = Quantiser(SIZE).yuv420(ours).numpy()[: SIZE.height]
    print(f"banding   ours, punch and vignette: {off(got, luma):.2f} codes off at most, 8×8 blocks")
    share = wanted / 219
    curved = 16 + 219 * share * (share * (1.5 - share) + 0.5)
    plain = av.VideoFrame.from_ndarray(
        np.rint(np.vstack([wanted + 16, np.full((540, 1920), 128)])).astype(np.uint8), format="yuv420p"
    )
    dithered = encoded(iter([ramp]))[0]
    for name, frame in (("rounded", plain), ("dithered", dithered)):
        seen = through_filters([frame], [("lutyuv", f"y='{curve}'")])[0].to_ndarray()[: SIZE.height]
        print(
            f"banding   ffmpeg, the same curve by lutyuv on {name} frames: {off(seen, curved):.2f} codes off"
        )


def off(seen: np.ndarray, wanted: np.ndarray) -> float:
    """Give by how much the means of 8×8 blocks lie off at most."""
    error = (seen - wanted)[:1080].reshape(135, 8, 240, 8).mean((1, 3))
    return float(np.abs(error).max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--only", choices=("chain", "table", "ffmpeg"))
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    try:
        pictures = drawn(work, given.frames)
        done = finished(Given(pictures), CHAIN, 7, RATE).frames(NOTHING, 0, len(pictures), SIZE)
        films = {"the finished frames": encoded(done), "the frames before post": encoded(iter(pictures))}
        baseline = {}
        for name, frames in films.items():
            times = [milliseconds(lambda f=frames: encode(f, work / "b.mp4"), len(frames)) for _ in range(3)]
            baseline[name] = (min(cpu for cpu, _ in times), statistics.median(wall for _, wall in times))
        if given.only in (None, "chain"):
            bench_chain(work, pictures[:8], baseline)
        if given.only in (None, "ffmpeg"):
            bench_ffmpeg(films["the frames before post"][:24])
        if given.only in (None, "table"):
            bench_table(work, pictures[:8], baseline)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
