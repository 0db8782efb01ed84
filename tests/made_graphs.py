"""Tiny networks as ONNX graphs: exporting takes seconds, so that tests share them."""

from functools import lru_cache
from importlib.util import find_spec

import pytest
import torch

from made_dreams import made_vae
from made_walks import made_gan
from synesthete.models.cppn import CppnSpec, CppnWeights, initialise
from synesthete.models.onnx_export import export_graph
from synesthete.models.onnx_nets import CppnNet, DecoderNet, GeneratorNet

CONSTANTS = 5

needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxruntime", "onnxscript")),
    reason="the extra onnx is not installed",
)


def made_cppn(count: int) -> list[CppnWeights]:
    spec = CppnSpec(
        layers=3, units=5, activations=("sine", "cosine", "gaussian", "tanh"), mix="unit",
        constants=CONSTANTS, gain=1.6, bias=0.6,
    )  # fmt: skip
    return [initialise(spec, torch.Generator().manual_seed(seed)) for seed in range(count)]


def made_decoder_net() -> DecoderNet:
    vae = made_vae()
    net = DecoderNet(vae.decoder, vae.spec.latents)
    return net.eval()


def made_cppn_net(*, between: bool) -> CppnNet:
    """Two networks that it lies between, or one that gives colours."""
    return CppnNet(made_cppn(2 if between else 1), colour=not between)


@lru_cache
def decoder_graph() -> bytes:
    net = made_decoder_net()
    return export_graph(net, net.inputs, net.output)


@lru_cache
def cppn_graph(*, between: bool) -> bytes:
    net = made_cppn_net(between=between)
    return export_graph(net, net.inputs, net.output)


@lru_cache
def gan_graph(*, opset: int) -> bytes:
    net = GeneratorNet(made_gan())
    return export_graph(net.eval(), net.inputs, net.output, opset=opset)
