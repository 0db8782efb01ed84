"""Networks as ONNX graphs: their inputs by name and shape, the same graph for every batch and size.

A graph holds all of its weights, and nothing of the machine that it was made on.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from inspect import signature
from typing import Any, Final, NamedTuple

import torch
from torch import nn

from synesthete.errors import ConfigError

__all__ = ["FIRST_OPSET", "LAST_OPSET", "USUAL_OPSET", "Port", "export_graph", "need_onnx", "onnx_versions"]

FIRST_OPSET, USUAL_OPSET, LAST_OPSET = 18, 20, 23
"""Versions of ONNX's operators that graphs can be made of; the usual one is read by runtimes since 2024."""

_PACKAGES: Final = ("onnx", "onnxruntime", "onnxscript")
_TALKATIVE: Final = ("torch.onnx", "onnxscript", "onnx_ir")
_FIRST_SIDE, _NEXT_SIDE = 5, 2


class Port(NamedTuple):
    """An input or an output of a graph, float32.

    Attributes
    ----------
    name
        Its name in the graph.
    shape
        Sides that are fixed, as numbers; sides that may be any, by name: the same name is the same length,
        and ``4*height`` four times as long.
    meaning
        What it holds, for people.
    """

    name: str
    shape: tuple[int | str, ...]
    meaning: str

    def to_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"name": self.name, "type": "float32", "shape": list(self.shape), "meaning": self.meaning}


def need_onnx() -> None:
    """Say which extra is missing, if it is.

    Raises
    ------
    ConfigError
        If it is.
    """
    if any(find_spec(name) is None for name in _PACKAGES):
        raise ConfigError("ONNX needs the extra packages of `onnx`; pip install 'synesthete[onnx]'")


def onnx_versions() -> dict[str, str]:
    """Give the versions of the packages that graphs come from."""
    return {name: version(name) for name in ("torch", *_PACKAGES)}


def export_graph(
    network: nn.Module, inputs: Sequence[Port], output: Port, *, opset: int = USUAL_OPSET
) -> bytes:
    """Write a network down as an ONNX graph.

    Parameters
    ----------
    network
        Its ``forward`` takes the inputs in their order and gives the output. It draws no random numbers:
        noise is an input.
    inputs
        What it takes.
    output
        What it gives.
    opset
        Version of ONNX's operators.

    Returns
    -------
    The content of an ``.onnx`` file, with all weights in it; the same network gives the same bytes.

    Raises
    ------
    ConfigError
        If the extra packages are missing.
    """
    need_onnx()
    lengths: dict[str, int] = {}
    sides: dict[str, Any] = {}
    for name in dict.fromkeys(_symbol(side)[1] for port in inputs for side in port.shape):
        if name:
            # All different, and none 1: what is equal in the example is easily taken for equal always.
            lengths[name] = _FIRST_SIDE + _NEXT_SIDE * len(lengths)
            sides[name] = torch.export.Dim(name)
    example, dynamic = [], []
    for port in inputs:
        parsed = [_symbol(side) for side in port.shape]
        example.append(torch.ones([times * (lengths[name] if name else 1) for times, name in parsed]))
        free = [(k, times, name) for k, (times, name) in enumerate(parsed) if name]
        dynamic.append({k: sides[name] if times == 1 else times * sides[name] for k, times, name in free})
    # What is taken as ``*args`` has its sides in one tuple.
    nested = signature(network.forward).bind(*dynamic).arguments
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            tuple(example),
            dynamo=True,
            dynamic_shapes=tuple(nested.values()),
            input_names=[port.name for port in inputs],
            output_names=[output.name],
            opset_version=opset,
            verbose=False,
        )
    assert program is not None
    graph: Any = program.model_proto
    _forget_origins(graph)
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def _symbol(side: int | str) -> tuple[int, str]:
    """Read a side: how many times what; the name is empty where it is fixed."""
    if isinstance(side, int):
        return side, ""
    times, star, name = side.partition("*")
    return (int(times), name) if star else (1, side)


def _forget_origins(graph: Any) -> None:
    """Remove what the exporter notes of where each operation came from: paths of this machine, too."""
    graph.ClearField("doc_string")
    for part in (graph, graph.graph, *graph.graph.node, *graph.graph.value_info, *graph.graph.input):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for part in (*graph.graph.initializer, *graph.graph.output, *graph.functions):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter tells of its own insides."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
