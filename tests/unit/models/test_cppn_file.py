"""Weights of a CPPN as bytes: they come back as they were, and nothing else is taken for them."""

import pickle

import pytest
import torch

from synesthete.models.cppn import CppnSpec, initialise
from synesthete.models.cppn_file import packed_bytes, unpacked

SPEC = CppnSpec(layers=2, units=5, constants=3)


def _net() -> bytes:
    return packed_bytes(initialise(SPEC, torch.Generator().manual_seed(3)))


def test_weights_come_back_as_they_were() -> None:
    net = initialise(SPEC, torch.Generator().manual_seed(3))
    back = unpacked(packed_bytes(net), SPEC)
    for one, other in zip((*net.weights, *net.biases), (*back.weights, *back.biases), strict=True):
        assert torch.equal(one, other)
    assert packed_bytes(back) == packed_bytes(net)


@pytest.mark.parametrize("data", [b"", b"abc", pickle.dumps([1, 2]), _net()[:-8]])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="is no safetensors file"):
        unpacked(data, SPEC)


def test_another_network_s_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="2 layers of 6 units with 3 constant inputs"):
        unpacked(_net(), CppnSpec(layers=2, units=6, constants=3))


def test_weights_that_are_no_numbers_are_refused() -> None:
    net = initialise(SPEC, torch.Generator().manual_seed(3))
    net.weights[1][0, 0] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        unpacked(packed_bytes(net), SPEC)
