"""Print the speed of visual programs as ratios against named baselines, all measured in this one run.

Baseline of films: libx264 ``veryfast`` crf 18 encoding the same 1080p30 frames from memory, with its own
default threads. Baseline of drawing: the same program evaluated plainly by torch on whole planes, with
torch's own threads. Programs draw two frames at a time, one thread each. The training path is in frames a
second, as nothing else draws programs in batches.

Usage: ``python benchmarks/programs.py [--trees N] [--frames N] [--only trees|clips] [--seed N]``
"""

import argparse
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import torch

from film import SONG, encode_from_memory, seconds
from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.control import Signals, build_signals
from synesthete.generators.fuse import Fuser
from synesthete.generators.program import ProgramGenerator
from synesthete.generators.quantise import Quantiser
from synesthete.programs.clips import draw_clips
from synesthete.programs.guards import probe_tables
from synesthete.programs.program import Program
from synesthete.programs.random_trees import SIGNALS, random_program
from synesthete.render.listen import hear

SIZE = Size(1920, 1080)
WORKERS = 2
CLIP_SIZE, CLIP_FRAMES, CLIPS = (128, 128), 16, 32


def heard(work: Path) -> tuple[Timeline, Signals]:
    timeline, _ = hear(SONG, start=Fraction(8), end=Fraction(18), allow_truncated=False, workspace=work)
    return timeline, build_signals(timeline, Control(), frame_rate=Fraction(30), seed=1)


def draw_film(generator: ProgramGenerator, trajectory: Trajectory, frames: int) -> None:
    """Draw as a film is drawn: Segments side by side, each by one thread."""
    cuts = np.linspace(0, frames, WORKERS + 1).astype(int).tolist()

    def draw(part: tuple[int, int]) -> None:
        torch.set_num_threads(1)
        for _ in generator.frames(trajectory, *part, SIZE):
            pass

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(draw, pairwise(cuts)))


def bench_trees(work: Path, seeds: list[int], count: int) -> None:
    """Compare random trees at 1080p: fused, banded, naive, and the encoder on the same frames."""
    _, signals = heard(work)
    ratios: dict[str, list[float]] = {"fused": [], "eager": [], "fused/naive": [], "banded/naive": []}
    compile_s: list[float] = []
    print("seed nodes  encode   fused (ratio)   eager (ratio)   naive f/s   fused, banded / naive   compile")
    for seed in seeds:
        program = random_program(seed)
        rates, took = rates_of(program, signals, work, count)
        if rates is None:
            print(f"{seed:4}  can't be fused")
            continue
        encode, fused, banded, naive = rates
        now = (fused / encode, banded / encode, fused / naive, banded / naive)
        for name, ratio in zip(ratios, now, strict=True):
            ratios[name].append(ratio)
        compile_s.append(took)
        print(
            f"{seed:4} {len(list(program.root.walk())):5}  {encode:6.1f}  {fused:6.1f} ({now[0]:5.2f})  "
            f"{banded:6.1f} ({now[1]:5.2f})  {naive:10.1f}   {now[2]:9.1f} {now[3]:7.1f}   {took:9.1f} s",
            flush=True,
        )
    for name, values in ratios.items():
        low, high = min(values), max(values)
        print(f"median {name:13} ratio {statistics.median(values):.2f}   ({low:.2f} to {high:.2f})")
    print(f"median compile {statistics.median(compile_s):.1f} s")


def rates_of(
    program: Program, signals: Signals, work: Path, count: int
) -> tuple[tuple[float, float, float, float] | None, float]:
    """Give frames a second of the encoder, fused, banded and naive, and the seconds of compiling."""
    none = Fuser(work / "kernels", wanted=False)
    eager = ProgramGenerator(program, none)
    # One tile that holds the whole picture: what a plain evaluation does.
    plain = ProgramGenerator(program, none, tile=SIZE.width * SIZE.height)
    fused = ProgramGenerator(program, Fuser(work / "kernels"))
    trajectory = eager.score(signals, np.zeros((signals.frames, 4)), 1)
    frames = pictures(eager, trajectory, count)
    few = max(2, count // 30)
    threads = torch.get_num_threads()
    encode = count / seconds(lambda: encode_from_memory(frames, work / "baseline.mp4"))
    naive = few / seconds(lambda: [0 for _ in plain.frames(trajectory, 0, few, SIZE)])
    torch.set_num_threads(1)
    try:
        draw_film(eager, trajectory, 2)  # records its operations
        banded = 2 * few / seconds(lambda: draw_film(eager, trajectory, 2 * few))
        started = time.perf_counter()
        path = fused.prepare(trajectory, SIZE)
        took = time.perf_counter() - started
        if not path.startswith("fused"):
            return None, took
        draw_film(fused, trajectory, 2)
        return (encode, count / seconds(lambda: draw_film(fused, trajectory, count)), banded, naive), took
    finally:
        torch.set_num_threads(threads)


def pictures(generator: ProgramGenerator, trajectory: Trajectory, count: int) -> list[av.VideoFrame]:
    quantiser = Quantiser(SIZE)
    return [
        av.VideoFrame.from_ndarray(quantiser.yuv420(rgb).numpy(), format="yuv420p")
        for rgb in generator.frames(trajectory, 0, count, SIZE)
    ]


@lru_cache(maxsize=CLIPS)
def sampled(seed: int) -> Program:
    return random_program(seed)


def draw_part(seeds: tuple[int, ...]) -> None:
    """Draw clips as a worker of a training run does."""
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(1)
    shape = (len(seeds), CLIP_FRAMES)
    names = (*SIGNALS, "turn", "flow")
    signals = {name: torch.rand(shape, generator=random, dtype=torch.float64) for name in names}
    moment = probe_tables((0.6,))
    tables = {name: table[None].expand(*shape, *table.shape[1:]) for name, table in moment.items()}
    draw_clips([sampled(seed) for seed in seeds], signals, tables, size=CLIP_SIZE)


def bench_clips(seeds: list[int]) -> None:
    """Draw as training does: batches of clips, each with a program of its own, in processes side by side."""
    rates = []
    for first in range(0, len(seeds) - CLIPS + 1, CLIPS):
        batch = seeds[first : first + CLIPS]
        parts = [tuple(batch[k::WORKERS]) for k in range(WORKERS)]
        with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(draw_part, parts))  # draws the programs themselves, and warms up
            took = statistics.median(
                seconds(lambda pool=pool, parts=parts: list(pool.map(draw_part, parts))) for _ in range(3)
            )
        rates.append(CLIPS * CLIP_FRAMES / took)
        print(
            f"clips     {CLIPS} programs x {CLIP_FRAMES} frames, 128x128: {rates[-1]:6.0f} frames/s",
            flush=True,
        )
    print(f"median    training path: {statistics.median(rates):.0f} frames/s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=15)
    parser.add_argument("--frames", type=int, default=240, help="two Segments, one for each worker")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("trees", "clips"))
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    try:
        if given.only in (None, "clips"):
            bench_clips(list(range(given.seed, given.seed + 4 * CLIPS)))
        if given.only in (None, "trees"):
            bench_trees(work, list(range(given.seed, given.seed + given.trees)), given.frames)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
