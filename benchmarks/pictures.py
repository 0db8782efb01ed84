"""How fast ONNX Runtime draws pictures, against PyTorch: the generator gan, one thread, in one run.

The same drawers that films are drawn with, in the network's own size and in pairs: PyTorch with float32 and
with bfloat16, and ONNX Runtime with float32. Without weights these are networks of the preset ``small`` that
were never trained, with a level more for 512 pixels. Rounds take turns, and the best of each counts, in
processor time: another load on the machine meets them alike.

Usage: ``python benchmarks/pictures.py [--weights gan.safetensors ...] [--aspect 1.0] [--pairs 2]
[--rounds 5]``
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from synesthete.config.gan import load_gan_config
from synesthete.files import digest_file
from synesthete.generators.drawers import Drawer, OnnxDrawer, TorchDrawer
from synesthete.generators.networks import GanNetwork
from synesthete.generators.walk_grid import walk_grid
from synesthete.models.gan import GanGenerator, GanSpec, noise_maps
from synesthete.models.weights import load_gan

_BASELINE = "torch float32"
_LAST_WIDTH = 24


def untrained() -> dict[str, GanNetwork]:
    """Make networks of the preset small, for 256 and 512 pixels."""
    model = load_gan_config("small").model
    made = {}
    for widths in (model.widths, (*model.widths, _LAST_WIDTH)):
        spec = GanSpec(latents=model.latents, widths=widths, blocks=model.blocks, style=model.style)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            generator = GanGenerator(spec)
        name = "untrained " + "-".join(str(width) for width in widths)
        made[name] = GanNetwork(generator.eval().requires_grad_(requires_grad=False), {"weights": name})
    return made


def seconds(drawer: Drawer, latents: Tensor, noise: list[Tensor]) -> float:
    """Give the processor time of drawing latents, pair by pair."""
    started = time.thread_time()
    for pair in torch.split(latents, 2):
        drawer.draw(pair, noise)
    return time.thread_time() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, nargs="*", default=[])
    parser.add_argument("--aspect", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    networks = {
        path.name: GanNetwork(load_gan(path)[0], {"weights": digest_file(path)}) for path in given.weights
    }
    rows, columns = walk_grid(given.aspect)
    for title, network in (networks or untrained()).items():
        generator = network.generator
        spec = generator.spec
        drawers: dict[str, Drawer] = {
            _BASELINE: TorchDrawer(generator, torch.float32, cpu),
            "torch bfloat16": TorchDrawer(generator, torch.bfloat16, cpu),
            "onnxruntime float32": OnnxDrawer(network, provider="cpu"),
        }
        latents = torch.randn(2 * given.pairs, spec.latents, rows, columns)
        noise = [one.expand(2, -1, -1, -1) for one in noise_maps(spec, 0, rows=rows, columns=columns)]
        best = dict.fromkeys(drawers, float("inf"))
        with torch.no_grad():
            for _ in range(given.rounds):
                for name, drawer in drawers.items():
                    best[name] = min(best[name], seconds(drawer, latents, noise))
        size = f"{columns * spec.scale}x{rows * spec.scale}"
        for name, spent in best.items():
            rate = len(latents) / spent
            ratio = f"{best[_BASELINE] / spent:.2f} of {_BASELINE}"
            print(f"{size} ({title}) {name}: {rate:.2f} frames/s, {ratio}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
