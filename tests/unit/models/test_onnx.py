"""Graphs hold nothing of the machine they were made on; sessions fall back, and say what is wrong."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from made_graphs import decoder_graph, gan_graph, made_decoder_net, needs_onnx
from synesthete.errors import ConfigError, RenderError
from synesthete.models.field import Canvas
from synesthete.models.onnx_export import FIRST_OPSET, USUAL_OPSET, export_graph
from synesthete.models.onnx_int8 import quantised
from synesthete.models.onnx_session import OnnxSession

pytestmark = needs_onnx


def drawable(batch: int, *, seed: int = 0) -> dict[str, torch.Tensor]:
    columns, rows, pixel = Canvas.of((48, 32))
    latents = torch.randn(batch, 4, 2, 3, generator=torch.Generator().manual_seed(seed))
    return {"latents": latents, "columns": columns, "rows": rows, "pixel": pixel}


def parsed(graph: bytes) -> Any:
    import onnx

    return onnx.load_from_string(graph)


def shapes(ports: object) -> dict[str, list[str | int]]:
    return {
        port.name: [side.dim_param or side.dim_value for side in port.type.tensor_type.shape.dim]
        for port in ports  # type: ignore[attr-defined]
    }


def test_a_graph_says_what_it_takes_and_gives() -> None:
    graph = parsed(decoder_graph()).graph
    assert shapes(graph.input) == {
        "latents": ["batch", 4, "height", "width"], "columns": [1, "columns"], "rows": [1, "rows"],
        "pixel": [1],
    }  # fmt: skip
    assert shapes(graph.output) == {"pictures": ["batch", 3, "2*rows", "2*columns"]}


def test_noise_maps_are_inputs_one_by_one() -> None:
    graph = parsed(gan_graph(opset=USUAL_OPSET)).graph
    assert shapes(graph.input) == {
        "latents": ["batch", 8, "height", "width"], "noise_0": ["batch", 1, "height", "width"],
        "noise_1": ["batch", 1, "2*height", "2*width"],
    }  # fmt: skip
    assert shapes(graph.output) == {"pictures": ["batch", 3, "4*height", "4*width"]}


def test_the_same_network_gives_the_same_bytes_and_none_of_the_machine() -> None:
    net = made_decoder_net()
    graph = decoder_graph()
    assert export_graph(net, net.inputs, net.output) == graph
    for trace in (b".py", str(Path.home()).encode(), str(Path(__file__).parents[3]).encode()):
        assert trace not in graph


def test_operators_are_of_the_version_that_is_asked_for() -> None:
    from onnx import checker

    net = made_decoder_net()
    model = parsed(export_graph(net, net.inputs, net.output, opset=FIRST_OPSET))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", FIRST_OPSET)]
    checker.check_model(model, full_check=True)


def test_without_cuda_it_goes_on_with_the_processor(caplog: pytest.LogCaptureFixture) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("ONNX Runtime has CUDA here")
    with caplog.at_level(logging.WARNING):
        assert OnnxSession(decoder_graph(), provider="auto").device == "cpu"
        assert caplog.messages == []
        assert OnnxSession(decoder_graph(), provider="cuda").device == "cpu"
    (message,) = caplog.messages
    assert "can't use CUDA on this machine; it goes on with the processor" in message


def test_what_does_not_fit_into_memory_is_a_memory_error() -> None:
    session = OnnxSession(decoder_graph(), provider="cpu")
    many = torch.full((1, 200_000), 0.5)
    with pytest.raises(MemoryError):  # over a terabyte
        session({**drawable(1), "columns": many, "rows": many})


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(decoder_graph()[:500])
    for broken in (tmp_path / "broken.onnx", b"no graph"):
        with pytest.raises(ConfigError, match=r"can't read the graph \(.*\); export it anew"):
            OnnxSession(broken)


def test_inputs_of_another_shape_are_refused() -> None:
    session = OnnxSession(decoder_graph(), provider="cpu")
    with pytest.raises(RenderError, match="ONNX Runtime failed"):
        session({**drawable(1), "latents": torch.zeros(1, 7, 2, 3)})


def test_eight_bits_draw_nearly_the_same(tmp_path: Path) -> None:
    graph = quantised(decoder_graph(), [drawable(1, seed=k) for k in range(8)], tmp_path)
    names = {node.op_type for node in parsed(graph).graph.node}
    assert "QuantizeLinear" in names
    exact, rough = OnnxSession(decoder_graph(), provider="cpu"), OnnxSession(graph, provider="cpu")
    other = drawable(3, seed=99)
    error = float((exact(other) - rough(other)).square().mean())
    assert 0 < error < 10**-3.5
    assert list(tmp_path.iterdir()) == []
