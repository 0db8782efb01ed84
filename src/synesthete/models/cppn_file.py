"""A CPPN's weights as the bytes of a safetensors file: plain numbers, that run nothing when they are read."""

from itertools import pairwise

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from synesthete.models.cppn import CppnSpec, CppnWeights

__all__ = ["packed_bytes", "unpacked"]


def packed_bytes(net: CppnWeights) -> bytes:
    """Give the file's content; the same weights give the same bytes."""
    tensors = {}
    for layer, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        tensors[f"layer_{layer}.weight"], tensors[f"layer_{layer}.bias"] = weight.contiguous(), bias
    return save(tensors)


def unpacked(data: bytes, spec: CppnSpec) -> CppnWeights:
    """Read the weights of a network.

    Raises
    ------
    ValueError
        If it is no safetensors file, or not one of a network of ``spec`` with finite float32 weights; says
        which, as the rest of a sentence.
    """
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError):
        raise ValueError("is no safetensors file; fit the preset anew, or put its file back") from None
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise(spec.widths())):
        shapes[f"layer_{layer}.weight"], shapes[f"layer_{layer}.bias"] = (fan_out, fan_in), (fan_out,)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != shapes:
        raise ValueError(
            f"is not of a network of {spec.layers} layers of {spec.units} units with {spec.constants} "
            "constant inputs; leave layers, units, phases and signals as they were fitted"
        )
    if any(t.dtype != torch.float32 or not bool(t.isfinite().all()) for t in tensors.values()):
        raise ValueError("holds weights that are not finite float32 numbers; fit the preset anew")
    layers = range(spec.layers + 1)
    return CppnWeights(
        spec,
        tuple(tensors[f"layer_{layer}.weight"] for layer in layers),
        tuple(tensors[f"layer_{layer}.bias"] for layer in layers),
    )
