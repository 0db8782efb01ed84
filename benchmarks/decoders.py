"""How fast ONNX Runtime decodes latents, against PyTorch: the shipped field decoder, one thread, in one run.

The same decoders that films are drawn with: PyTorch with float32, with bfloat16 in its trunk, and with
``--fused`` also compiled; ONNX Runtime in float32 and, with ``--int8``, with convolutions of 8 bits. Rounds
take turns, and the best of each counts, in processor time: another load on the machine meets them alike.

Usage: ``python benchmarks/decoders.py [--sizes 256x256,512x512] [--frames 8] [--rounds 5] [--fused]
[--int8]``
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.decoders import OnnxDecoder, PictureDecoder, TorchDecoder
from synesthete.generators.dream_grid import latent_grid, shown_of
from synesthete.generators.fuse import Fuser
from synesthete.models.field import Canvas
from synesthete.models.onnx_export import export_graph
from synesthete.models.onnx_int8 import quantised
from synesthete.models.onnx_nets import DecoderNet
from synesthete.models.onnx_session import OnnxSession
from synesthete.models.vae import Vae
from synesthete.models.weights import load_vae

_BASELINE = "torch float32"
_MOST = 32


def seconds(decoder: PictureDecoder, latents: Tensor, size: Size) -> float:
    """Give the processor time of decoding latents, picture by picture."""
    picture = torch.empty(3, size.height, size.width)
    batch = decoder.batch(_MOST, size)
    started = time.thread_time()
    for first in range(0, len(latents), batch):
        some = latents[first : first + batch]
        draw = decoder.decode(some, size)
        for place in range(len(some)):
            draw(place, picture)
    return time.thread_time() - started


def int8_drawer(vae: Vae, folder: Path) -> Callable[[Tensor, Size], Tensor]:
    """Quantise the decoder, fitted to noise: its speed does not depend on that."""
    net = DecoderNet(vae.decoder, vae.spec.latents).eval()

    def inputs(latents: Tensor, size: Size) -> dict[str, Tensor]:
        wanted = (size.width, size.height)
        canvas = Canvas.of(wanted, shown=shown_of(wanted, (latents.shape[2], latents.shape[3])))
        return {"latents": latents, **dict(zip(("columns", "rows", "pixel"), canvas, strict=True))}

    noise = [inputs(torch.randn(1, vae.spec.latents, 8, 8), Size(128, 128)) for _ in range(8)]
    session = OnnxSession(quantised(export_graph(net, net.inputs, net.output), noise, folder), provider="cpu")
    return lambda latents, size: session(inputs(latents, size))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="256x256,512x512")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fused", action="store_true")
    parser.add_argument("--int8", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    vae, _ = load_vae()
    cpu = torch.device("cpu")
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        decoders: dict[str, PictureDecoder] = {
            _BASELINE: TorchDecoder(vae.decoder, torch.float32, cpu),
            "torch bfloat16": TorchDecoder(vae.decoder, torch.bfloat16, cpu),
            "onnxruntime float32": OnnxDecoder(vae, "shipped", None, provider="cpu"),
        }
        if given.fused:
            fused = TorchDecoder(vae.decoder, torch.bfloat16, cpu)
            fused.fuse(Fuser(Path(scratch)))
            decoders["torch bfloat16, fused"] = fused
        whole = int8_drawer(vae, Path(scratch)) if given.int8 else None
        for text in given.sizes.split(","):
            size = Size(*(int(side) for side in text.split("x")))
            latents = torch.randn(given.frames, vae.spec.latents, *latent_grid(size.width / size.height))
            best = dict.fromkeys(decoders, float("inf"))
            if whole is not None:
                best["onnxruntime int8"] = float("inf")
            for _ in range(given.rounds):
                for name, decoder in decoders.items():
                    best[name] = min(best[name], seconds(decoder, latents, size))
                if whole is not None:
                    started = time.thread_time()
                    whole(latents, size)
                    best["onnxruntime int8"] = min(best["onnxruntime int8"], time.thread_time() - started)
            for name, spent in best.items():
                rate = given.frames / spent
                print(f"{text} {name}: {rate:.1f} frames/s, {best[_BASELINE] / spent:.2f} of {_BASELINE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
