"""How fast the field decoder draws, band by band, against its parts and against enlarging its small picture.

Weights don't matter for the speed; by default those of the preset ``small`` are drawn at random. Two threads
draw frames side by side, as films are rendered: latents of 16:9, two frames at once through the trunk, as the
generator ``diffusion`` has them. ``--fused`` also compiles the band's kernel.

Usage: ``python benchmarks/field.py [--sizes 512x288,1920x1080] [--frames 12] [--threads 2] [--fused]``
"""

import argparse
import copy
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

from synesthete.config.vae import load_vae_config
from synesthete.models.field import FieldDecoder
from synesthete.models.vae import BLOCK, Vae, VaeSpec

_GRID = (6, 11)
_PAIR = 2


def rate(draw: Callable[[int], object], frames: int, threads: int) -> float:
    """Give frames a second of threads that draw frames of their own."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(draw, range(threads)))
        started = time.perf_counter()
        list(pool.map(draw, range(frames)))
        return frames / (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="512x288,1280x720,1920x1080")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fused", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    vae = Vae(VaeSpec(**load_vae_config("small").model.model_dump()))
    vae.eval().requires_grad_(requires_grad=False)
    decoder = vae.decoder.to(memory_format=torch.channels_last)
    half = copy.deepcopy(decoder)
    half.trunk.to(torch.bfloat16)
    latents = torch.randn(_PAIR, vae.spec.latents, *_GRID)
    small = torch.rand(1, 3, _GRID[0] * BLOCK, _GRID[1] * BLOCK)
    for name, one in (("float32", decoder), ("bfloat16", half)):
        found = _PAIR * rate(lambda _, one=one: one.features(latents), 2 * given.frames, given.threads)
        print(f"trunk alone, {name}: {found:.0f} frames/s")
    fused = torch.compile(decoder.draw_cells) if given.fused else None
    for text in given.sizes.split(","):
        size = tuple(int(side) for side in text.split("x"))
        ways = {"eager, float32 trunk": _drawer(decoder, latents, size, None)}
        if given.fused:
            ways["fused, float32 trunk"] = _drawer(decoder, latents, size, fused)
            ways["fused, bfloat16 trunk"] = _drawer(half, latents, size, fused)
        bicubic = rate(
            lambda _, size=size: nn.functional.interpolate(small, size=size[::-1], mode="bicubic"),
            given.frames, given.threads,
        )  # fmt: skip
        for name, draw in ways.items():
            found = _PAIR * rate(draw, given.frames, given.threads)
            print(
                f"{text} {name}: {found:.1f} frames/s; cubic enlarging {bicubic:.1f}: {found / bicubic:.2f}"
            )
    return 0


def _drawer(
    decoder: FieldDecoder, latents: Tensor, size: tuple[int, ...], kernel: Callable[..., Tensor] | None
) -> Callable[[int], object]:
    picture = torch.empty(3, size[1], size[0])

    def draw(_: int) -> None:
        features = decoder.features(latents)
        for frame in range(_PAIR):
            for top, band in decoder.bands(features[frame, None], (size[0], size[1]), kernel=kernel):
                picture[:, top : top + band.shape[1]] = band

    return draw


if __name__ == "__main__":
    sys.exit(main())
