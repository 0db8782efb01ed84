"""Print what titles, fades and the overlay cost a 1080p frame, in computing time of one thread.

Baseline: copying the frame, which is what any change of it begins with. Times are of the processor, not of
the clock, so that a busy machine does not count. Drawing the layers, once a film, is listed apart.

Usage: ``python benchmarks/titles.py [--frames N]``
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from film import SONG
from synesthete.config.titles import Titles
from synesthete.generators.base import Size, Trajectory
from synesthete.render.listen import hear
from synesthete.render.overlay import Overlay
from synesthete.render.titles import film_titles, titled

SIZE, RATE = Size(1920, 1080), Fraction(30)
NOTHING = Trajectory(np.zeros((3000, 1), np.float32), ("x",), {})
CASES: dict[str, tuple[dict[str, object], int]] = {
    "card, where nothing is shown": ({"card": True}, 600),
    "card": ({"card": True}, 60),
    "lower third": ({"lower_third": True}, 75),
    "watermark": ({"watermark": "© Nova 2026"}, 60),
    "fade": ({"fade_in": 10}, 60),
    "overlay": ({"overlay": True}, 60),
    "all": ({"card": True, "watermark": "© Nova 2026", "fade_in": 10, "overlay": True}, 150),
}


class Noise:
    """Gives one picture again and again."""

    def __init__(self) -> None:
        self.picture = torch.rand(3, SIZE.height, SIZE.width)

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Prepare nothing."""
        return "eager-float32-cpu"

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
        """Give the picture; see `Painter.frames`."""
        for _ in range(start, stop):
            yield self.picture


def milliseconds(work: Callable[[], object], count: int) -> float:
    """Give the median."""
    times = []
    for _ in range(count):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1000 * statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60)
    count = parser.parse_args().frames
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        timeline, facts = hear(
            SONG, start=Fraction(8), end=Fraction(38), allow_truncated=False, workspace=Path(work)
        )
        noise = Noise()
        result = torch.empty_like(noise.picture)
        copied = milliseconds(lambda: result.copy_(noise.picture), count)
        print(f"{'copying a frame':32} {copied:6.2f} ms")
        for name, (wish, frame) in CASES.items():
            titles = film_titles(
                Titles.model_validate({"title": "Vibe Ace", "artist": "Kevin MacLeod", **wish}),
                song=facts.path, duration=facts.duration, tags={},
            )  # fmt: skip
            painter = titled(noise, titles, timeline, RATE)
            first = milliseconds(lambda p=painter, f=frame: next(p.frames(NOTHING, f, f + 1, SIZE)), 1)
            # A frame after the first of a run: what a run allocates is not counted.
            run = painter.frames(NOTHING, frame, frame + count + 1, SIZE)
            next(run)
            each = milliseconds(lambda r=run: next(r), count)
            print(f"{name:32} {each:6.2f} ms   {each / copied:5.2f} × copying   {first:6.0f} ms once")
        overlay = Overlay(timeline, RATE)
        overlay.layer(60, SIZE)
        alone = milliseconds(lambda: overlay.layer(60, SIZE), count)
        print(f"{'overlay, drawing its strip only':32} {alone:6.2f} ms")


if __name__ == "__main__":
    main()
