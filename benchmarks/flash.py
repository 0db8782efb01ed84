"""Limit films that flash, beside two reference limiters; and what the limiter costs films that don't.

``python benchmarks/flash.py`` limits 150 adversarial films (``tests/made_strobes.py``) and prints a line for
each and totals. Frames go through the steps of a render, but for the encoder: drawn small and watched,
planned, drawn, limited, quantised, watched, judged, planned anew where they fail. References see the same:

- **FFmpeg**: its filter ``photosensitivity`` as it comes, through PyAV.
- **contrast**: the least reduction of all contrasts, towards each pixel's mean over the film, that passes.

What is compared is how much the mean luminance of frames is changed, averaged over frames, and over films.

``python benchmarks/flash.py --music DIR`` renders every shipped preset on some of a track with the limiter
off and on: whether the films are the same to the byte, and the processor time of the pass beside that of a
film at 1080 lines.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from made_strobes import Strobe, adversarial_films
from synesthete.clock import Clock
from synesthete.config.preset import shipped_presets
from synesthete.config.render import RenderOptions
from synesthete.evaluation.observe import Observation, observe
from synesthete.evaluation.safety import find_flashes
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.quantise import Quantiser
from synesthete.render.flash import FlashLimiter, FlashPlan
from synesthete.render.flash_plan import demands_of, plan_flashes
from synesthete.render.pipeline import render_song

SMALL, FINAL = Size(128, 72), Size(160, 90)
NO_TRAJECTORY = Trajectory(np.zeros((0, 1), np.float32), ("none",), {})
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
Video = np.ndarray


@dataclass
class Kept:
    """Frames that are drawn once."""

    pictures: list[Tensor]

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Name the one numeric path there is."""
        return "eager-float32-cpu"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Give frames."""
        return iter(self.pictures[start:stop])


@dataclass
class Result:
    """How a limiter fares on a film: worst second, mean change of frames' luminance, and of the film's."""

    passed: bool
    worst: int
    change: float
    film_change: float

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'FAIL'} worst {self.worst:2d}, change {self.change:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--music", type=Path, help="a folder with music: measure presets instead")
    parser.add_argument("--presets", nargs="*", help="which presets (default all)")
    parser.add_argument("--films", help="which of the 150 films, as START:STOP")
    parser.add_argument("--jobs", type=int, default=2, help="films side by side")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.music:
        measure_presets(arguments.music, arguments.presets or sorted(shipped_presets()))
    else:
        first, last = map(int, arguments.films.split(":")) if arguments.films else (0, 150)
        measure_films(range(first, last), arguments.jobs)


# Films that flash -------------------------------------------------------------------------------------------


def measure_films(indices: range, jobs: int) -> None:
    kinds: dict[str, list[Result]] = {}
    touched_though_safe = 0
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for told, results, touched in pool.map(measure_film, indices):
            print(told, flush=True)
            touched_though_safe += touched and results["before"].passed
            for kind, result in results.items():
                kinds.setdefault(kind, []).append(result)
    print(f"\n{len(indices)} films; safe ones that were touched: {touched_though_safe}")
    for kind, them in kinds.items():
        changes = [result.change for result in them]
        film_changes = [result.film_change for result in them]
        print(
            f"{kind:9}: {sum(result.passed for result in them):3d} pass; mean luminance of frames changes by "
            f"{np.mean(changes):.4f} (median {np.median(changes):.4f}), films by {np.mean(film_changes):.4f}"
        )
    for kind in ("FFmpeg", "contrast"):
        pairs = list(zip(kinds["ours"], kinds[kind], strict=True))
        print(f"ours / {kind}: {ratio(pairs):.2f} over all films; ", end="")
        fair = [pair for pair in pairs if pair[1].passed]
        print(f"{ratio(fair):.2f} over the {len(fair)} where {kind} passes")


def measure_film(index: int) -> tuple[str, dict[str, Result], bool]:
    """Limit one of the films in every way; give a line, the results, and whether ours touched it."""
    film = adversarial_films()[index]
    kept = Kept(list(film.frames(NO_TRAJECTORY, 0, film.count, FINAL)))
    before = watched(kept, film, FINAL)
    started = time.process_time()
    plan, rounds, ours = limit(film, kept)
    seconds = time.process_time() - started
    results = {
        "before": judged(before, before),
        "ours": judged(before, ours),
        "FFmpeg": judged(before, by_ffmpeg(kept, film)),
        "contrast": judged(before, by_contrast(before)),
    }
    told = "; ".join(f"{kind} {result}" for kind, result in results.items())
    least = f"gain {plan.gain.min():.2f} red {plan.red.max():.2f} veils {len(plan.veils)}"
    told = f"{film.name}: {told} (ours: {least}; rounds {rounds}; {seconds:.1f} s)"
    return told, results, not np.array_equal(before.grid, ours.grid)


def ratio(pairs: list[tuple[Result, Result]]) -> float:
    ours, theirs = (sum(pair[k].change for pair in pairs) for k in (0, 1))
    return ours / theirs if theirs else float("nan")


def limit(film: Strobe, kept: Kept) -> tuple[FlashPlan, int, Observation]:
    """Limit a film as `FlashGuard` does; give the plan, how often it was rendered, and how it looks."""
    small = watched(film, film, SMALL)
    plan, demands, rounds = plan_flashes(small), [], 1
    while True:
        seen = watched(FlashLimiter(kept, plan), film, FINAL)
        report = find_flashes(seen)
        if report.passed or rounds == 5:
            return plan, rounds, seen
        demands += demands_of(report, film.count, Clock(film.frame_rate), rounds)
        plan, rounds = plan_flashes(small, demands), rounds + 1


def watched(painter: Painter, film: Strobe, size: Size) -> Observation:
    quantiser = Quantiser(size)
    frames = painter.frames(NO_TRAJECTORY, 0, film.count, size)
    return observe(
        (quantiser.yuv420(frame).numpy() for frame in frames), size=size, frame_rate=film.frame_rate
    )


def judged(before: Observation, after: Observation) -> Result:
    report = find_flashes(after)
    change = luminance(after) - luminance(before)
    return Result(
        report.passed, report.worst_per_second, float(np.abs(change).mean()), abs(float(change.mean()))
    )


def luminance(seen: Observation) -> np.ndarray:
    """Give the mean luminance of each frame, linear 0-1."""
    codes = np.asarray(seen.grid, np.float32) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    return (linear @ LUMINANCE).mean((1, 2))


def by_ffmpeg(kept: Kept, film: Strobe) -> Observation:
    graph = av.filter.Graph()
    rate = film.frame_rate
    source = graph.add_buffer(
        width=FINAL.width, height=FINAL.height, format="rgb24", time_base=Fraction(1) / rate
    )
    filtering, sink = graph.add("photosensitivity"), graph.add("buffersink")
    source.link_to(filtering)
    filtering.link_to(sink)
    graph.configure()
    quantiser = Quantiser(FINAL)

    def planes() -> Iterator[np.ndarray]:
        for index, picture in enumerate(kept.pictures):
            frame = av.VideoFrame.from_ndarray(quantiser.rgb8(picture).numpy(), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1) / rate
            graph.push(frame)
            codes = graph.pull().to_ndarray(format="rgb24")
            yield quantiser.yuv420(torch.from_numpy(codes.transpose(2, 0, 1) / np.float32(255))).numpy()

    return observe(planes(), size=FINAL, frame_rate=rate)


def by_contrast(before: Observation) -> Observation:
    """Give the film with the most of its contrast, in steps of 1/64, with which it passes."""
    light = np.square(np.asarray(before.grid, np.float32) / 255)
    mean = light.mean(0)

    def reduced(contrast: float) -> Observation:
        grid = np.rint(np.sqrt(mean + contrast * (light - mean)) * 255).astype(np.uint8)
        return Observation(
            before.size, before.frame_rate, grid, before.motion, before.look_frames, before.looks
        )

    if find_flashes(before).passed:
        return before
    low, high = 0, 64
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if find_flashes(reduced(middle / 64)).passed else (low, middle)
    return reduced(low / 64)


# Films that don't -------------------------------------------------------------------------------------------


def measure_presets(music: Path, presets: list[str]) -> None:
    songs = sorted(path for path in music.iterdir() if path.suffix in {".ogg", ".mp3", ".flac", ".wav"})
    same = 0
    for number, preset in enumerate(presets):
        song = songs[number % len(songs)]
        digests, seconds = [], []
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as workspace:
            common = {
                "preset": preset,
                "start": 30,
                "workers": 1,
                "workspace": workspace,
                "certificate": False,
            }
            for safety, resolution, end in (("off", "256x144", 36), ("limit", "256x144", 36),
                                            ("off", "1080p", 31)):  # fmt: skip
                options = RenderOptions(
                    **common, end=end, flash_safety=safety, resolution=resolution, kernels="eager"
                )
                started = time.process_time()
                film = render_song(song, options)
                seconds.append((time.process_time() - started) / film.frames)
                digests.append(hashlib.sha256(film.film.read_bytes()).hexdigest())
        same += digests[0] == digests[1]
        cost = (seconds[1] - seconds[0]) / seconds[2]
        print(
            f"{preset:20} {song.stem:24} {'same bytes' if digests[0] == digests[1] else 'LIMITED'}; "
            f"pass {1e3 * (seconds[1] - seconds[0]):.1f} ms a frame, {cost:.0%} of 1080p",
            flush=True,
        )
    print(f"{same} of {len(presets)} films are the same to the byte")


if __name__ == "__main__":
    main()
