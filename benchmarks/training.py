"""Where the time of training goes, step by step, and how near to the machine's rate it is.

One thread, processor time, so that other processes count little. Forward parts are timed one by one; the
backward pass as a whole. Operations are those of convolutions and matrix products; the baseline is a large
matrix product in the same precision.

Usage: ``python benchmarks/training.py [vae|diffusion] [--preset small] [--steps 6] [--precision bf16|fp32]``
"""

import argparse
import contextlib
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.config.diffusion import load_diffusion_config
from synesthete.config.vae import load_vae_config
from synesthete.models.diffusion import Diffusion
from synesthete.models.vae import Vae, VaeSpec
from synesthete.models.weights import load_vae
from synesthete.training.dataset import LiveItems
from synesthete.training.diffusion_module import DiffusionModule
from synesthete.training.diffusion_run import HEARD_COLUMNS, diffusion_spec
from synesthete.training.items import stack
from synesthete.training.pressure import silent_row
from synesthete.training.throughput import product_rate
from synesthete.training.vae_module import VaeModule

PARTS = {
    "vae": ("vae.encode", "vae.decoder.features", "vae.decoder.paint"),
    "diffusion": ("see", "model.ear.forward", "model.eye.forward", "model.dit.forward"),
}
FROZEN = "see"
"""The frozen autoencoder's part: neither its time nor its operations are the transformer's."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", choices=tuple(PARTS), default="vae")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = _vae(given.preset) if given.model == "vae" else _diffusion(given.preset)
    module.log_dict = lambda *given, **named: None
    config = module.config
    optimiser = module.configure_optimizers()["optimizer"]
    read = LiveItems(config.data)
    dtype = torch.bfloat16 if given.precision == "bf16" else torch.float32
    spent: dict[str, float] = defaultdict(float)
    counted: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def timed(name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        spent[name] += time.process_time() - started

    @contextlib.contextmanager
    def counting(name: str) -> Iterator[None]:
        with FlopCounterMode(display=False) as counter:
            yield
        counted[name] += counter.get_total_flops()

    size = config.data.batch_size
    batches = []
    for number in range(given.steps + 1):
        with timed("data") if number else contextlib.nullcontext():
            batches.append(stack(read(range(number * size, (number + 1) * size))))
    lower = torch.autocast("cpu", dtype, enabled=dtype != torch.float32)
    with counting("step"), lower:
        module.training_step(batches[0], 0).backward()
    parts = PARTS[given.model]
    if FROZEN in parts:
        with counting(FROZEN), lower:
            module.see(batches[0])
    for name in parts:
        _watch(module, name, timed)
    for batch in batches[1:]:
        with timed("forward"), lower:
            loss = module.training_step(batch, 0)
        with timed("backward"):
            loss.backward()
        with timed("optimiser"):
            optimiser.step()
            optimiser.zero_grad()
    spent["losses and the rest"] = spent["forward"] - sum(spent[name] for name in parts)
    whole = spent["data"] + spent["forward"] + spent["backward"] + spent["optimiser"]
    for name in ("data", *parts, "losses and the rest", "backward", "optimiser"):
        each = spent[name] / given.steps
        print(f"{name:22} {1e3 * each:8.1f} ms a step  {100 * spent[name] / whole:5.1f} %")
    frames = size * config.data.clip_frames
    operations = counted["step"] - counted[FROZEN]
    rate = operations * given.steps / (whole - spent["data"] - spent[FROZEN])
    fastest = product_rate(torch.device("cpu"), dtype)
    print(f"together {1e3 * whole / given.steps:.0f} ms a step of {frames} frames")
    print(
        f"{operations / frames / 1e9:.1f} GFLOP a frame; {rate / 1e9:.0f} GFLOP/s of what is trained: "
        f"{rate / fastest:.2f} of a matrix product's {fastest / 1e9:.0f}"
    )
    return 0


def _vae(preset: Any) -> Any:
    config = load_vae_config(preset)
    return VaeModule(config, Vae(VaeSpec(**config.model.model_dump())))


def _diffusion(preset: Any) -> Any:
    config = load_diffusion_config(preset)
    vae, _ = load_vae()
    spec = diffusion_spec(config, latents=vae.spec.latents, columns=HEARD_COLUMNS)
    silence = silent_row()[[COLUMN_NAMES.index(name) for name in HEARD_COLUMNS]]
    return DiffusionModule(config, Diffusion(spec), vae, silence)


def _watch(module: Any, name: str, timed: Callable[[str], Any]) -> None:
    owner = module
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    inner = getattr(owner, last)

    def call(*args: object, **named: object) -> object:
        with timed(name):
            return inner(*args, **named)

    setattr(owner, last, call)


if __name__ == "__main__":
    sys.exit(main())
