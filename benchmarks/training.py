"""Where the time of training the autoencoder goes, step by step, and how near to the machine's rate it is.

One thread, processor time, so that other processes count little. Forward parts are timed one by one; the
backward pass as a whole. Operations are those of convolutions and matrix products; the baseline is a large
matrix product in the same precision.

Usage: ``python benchmarks/training.py [--preset small] [--steps 6] [--precision bf16|fp32]``
"""

import argparse
import contextlib
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

import torch
from torch.utils.flop_counter import FlopCounterMode

from synesthete.config.vae import load_vae_config
from synesthete.models.vae import Vae, VaeSpec
from synesthete.training.dataset import LiveItems
from synesthete.training.items import stack
from synesthete.training.optimiser import adamw
from synesthete.training.throughput import product_rate
from synesthete.training.vae_module import VaeModule

PARTS = ("vae.encode", "vae.decoder.features", "vae.decoder.paint")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = load_vae_config(given.preset)
    torch.manual_seed(0)
    module = VaeModule(config, Vae(VaeSpec(**config.model.model_dump())))
    module.log_dict = lambda *given, **named: None  # type: ignore[method-assign]
    optimiser = adamw(module.vae, config.optimiser, steps=config.steps)["optimizer"]
    read = LiveItems(config.data)
    dtype = torch.bfloat16 if given.precision == "bf16" else torch.float32
    spent: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def timed(name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        spent[name] += time.process_time() - started

    def watched(name: str) -> None:
        owner = module
        *path, last = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        inner = getattr(owner, last)

        def call(*args: object) -> object:
            with timed(name):
                return inner(*args)

        setattr(owner, last, call)

    size = config.data.batch_size
    batches = []
    for number in range(given.steps + 1):
        with timed("data") if number else contextlib.nullcontext():
            batches.append(stack(read(range(number * size, (number + 1) * size))))
    with (
        FlopCounterMode(display=False) as counter,
        torch.autocast("cpu", dtype, enabled=dtype != torch.float32),
    ):
        module.training_step(batches[0], 0).backward()
    for name in PARTS:
        watched(name)
    for batch in batches[1:]:
        with timed("forward"), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            loss = module.training_step(batch, 0)
        with timed("backward"):
            loss.backward()
        with timed("optimiser"):
            optimiser.step()
            optimiser.zero_grad()
    spent["losses and the rest"] = spent["forward"] - sum(spent[name] for name in PARTS)
    whole = spent["data"] + spent["forward"] + spent["backward"] + spent["optimiser"]
    for name in ("data", *PARTS, "losses and the rest", "backward", "optimiser"):
        each = spent[name] / given.steps
        print(f"{name:22} {1e3 * each:8.1f} ms a step  {100 * spent[name] / whole:5.1f} %")
    frames = size * config.data.clip_frames
    computing = whole - spent["data"]
    rate = counter.get_total_flops() * given.steps / computing
    fastest = product_rate(torch.device("cpu"), dtype)
    print(f"together {1e3 * whole / given.steps:.0f} ms a step of {frames} frames")
    print(
        f"{counter.get_total_flops() / frames / 1e9:.1f} GFLOP a frame; {rate / 1e9:.0f} GFLOP/s without "
        f"data: {rate / fastest:.2f} of a matrix product's {fastest / 1e9:.0f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
