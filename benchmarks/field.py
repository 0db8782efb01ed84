"""How fast the field decoder draws, band by band, against its parts and against enlarging its small picture.

Weights don't matter for the speed; by default those of the preset ``small`` are drawn at random. Two threads
draw frames side by side, as films are rendered. ``--fused`` also compiles the band's kernel.

Usage: ``python benchmarks/field.py [--sizes 512x288,1920x1080] [--frames 12] [--threads 2] [--fused]``
"""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

from synesthete.config.vae import load_vae_config
from synesthete.models.field import FieldDecoder
from synesthete.models.vae import BLOCK, Vae, VaeSpec


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
    latents = torch.randn(2, vae.spec.latents, 9, 16)
    small = torch.rand(1, 3, 9 * BLOCK, 16 * BLOCK)

    def trunk(_: int) -> Tensor:
        return decoder.features(latents)[:1]

    print(f"trunk alone: {rate(trunk, 4 * given.frames, given.threads):.0f} frames/s")
    features = trunk(0)
    for text in given.sizes.split(","):
        size = tuple(int(side) for side in text.split("x"))
        ways = {"eager": _drawer(decoder, features, size, None)}
        if given.fused:
            ways["fused"] = _drawer(decoder, features, size, torch.compile(decoder.draw_cells))
        bicubic = rate(
            lambda _, size=size: nn.functional.interpolate(small, size=size[::-1], mode="bicubic"),
            given.frames, given.threads,
        )  # fmt: skip
        for name, draw in ways.items():
            found = rate(draw, given.frames, given.threads)
            print(
                f"{text} {name}: {found:.1f} frames/s; cubic enlarging {bicubic:.1f}: {found / bicubic:.2f}"
            )
    return 0


def _drawer(
    decoder: FieldDecoder, features: Tensor, size: tuple[int, ...], kernel: Callable[..., Tensor] | None
) -> Callable[[int], object]:
    picture = torch.empty(3, size[1], size[0])

    def draw(_: int) -> None:
        for top, band in decoder.bands(features, (size[0], size[1]), kernel=kernel):
            picture[:, top : top + band.shape[1]] = band

    return draw


if __name__ == "__main__":
    sys.exit(main())
