"""How fast training data is made: aligned frames a second, and where the time goes.

First the parts in this process by one thread, in processor time: composing songs, hearing them, and drawing
clips with all that programs look at. Then whole batches from worker processes, by the clock: only that says
what training gets, and only on a machine that does nothing else.

Usage: ``python benchmarks/data.py [--workers N] [--batches N] [--device cuda] [--set field=value …]``
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import yaml

from synesthete.audio.analysis import analyse_songs
from synesthete.audio.compose import compose
from synesthete.config.data import DataConfig
from synesthete.training.dataset import ClipLoader, LiveItems
from synesthete.training.items import make_batch
from synesthete.training.plan import plan_clip
from synesthete.training.programs import program_of
from synesthete.training.songs import Songs

FIRST = 1000


def timed(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    started = clock()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - started


def shares(config: DataConfig, batches: int, device: str) -> None:
    """Print what each part costs, for the same batches."""
    torch.set_num_threads(1)
    clock = time.process_time if device == "cpu" else time.perf_counter
    items = range(FIRST * config.batch_size, (FIRST + batches) * config.batch_size)
    numbers = sorted({plan_clip(config, item).song for item in items})
    songs = Songs(config, device=device)
    make_batch(config, 0, songs, device=device)  # what is loaded once
    for item in items:
        program_of(plan_clip(config, item).program)
    sounds: list[np.ndarray] = []

    def composing() -> None:
        for number in numbers:
            sounds.append(compose(config.seed, number, seconds=config.song_seconds).sound)

    composed = timed(composing, clock)
    heard = timed(lambda: [analyse_songs(torch.from_numpy(s)[None].to(device)) for s in sounds], clock)
    drawn = 0.0
    for batch in range(FIRST, FIRST + batches):
        songs.several(plan_clip(config, batch * config.batch_size + k).song for k in range(config.batch_size))
        drawn += timed(lambda batch=batch: make_batch(config, batch, songs, device=device), clock)
    frames = len(items) * config.clip_frames
    total = composed + heard + drawn
    kind = "processor" if device == "cpu" else "wall-clock"
    print(
        f"{frames} frames of {len(items)} clips from {len(numbers)} songs, one thread, {device}, {kind} time:"
    )
    for name, seconds in (("compose", composed), ("hear", heard), ("draw", drawn)):
        print(f"  {name:8} {1e3 * seconds / frames:6.2f} ms a frame  {100 * seconds / total:5.1f} %")
    print(f"  together {1e3 * total / frames:6.2f} ms a frame: {frames / total:.0f} frames/s of one core")


def throughput(config: DataConfig, workers: int, batches: int, device: str) -> None:
    """Print what worker processes deliver."""
    loader = ClipLoader(config, LiveItems(config, device=device), workers=workers)
    loader.load_state_dict({"next_batch": FIRST})
    batched = iter(loader)
    for _ in range(max(1, 2 * workers)):  # the workers have begun, and are as far ahead as they go
        next(batched)
    started = time.perf_counter()
    frames = sum(next(batched).frames.shape[:2].numel() for _ in range(batches))
    seconds = time.perf_counter() - started
    print(f"{workers} workers, {batches} batches of {config.batch_size}: {frames / seconds:.0f} frames/s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    given = parser.parse_args()
    fields = dict(text.split("=", 1) for text in given.set)
    config = DataConfig(**{name: yaml.safe_load(value) for name, value in fields.items()})
    shares(config, given.batches, given.device)
    if given.device == "cpu":
        throughput(config, given.workers, given.batches, given.device)
    else:
        throughput(config, 0, given.batches, given.device)
    return 0


if __name__ == "__main__":
    sys.exit(main())
