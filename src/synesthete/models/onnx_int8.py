"""Graphs whose convolutions compute in 8 bits: smaller, and faster where a processor is made for it."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from synesthete.models.onnx_export import need_onnx

__all__ = ["quantised"]

Inputs = Mapping[str, Tensor]


def quantised(graph: bytes, samples: Sequence[Inputs], folder: Path) -> bytes:
    """Quantise a graph's convolutions to 8 bits: weights by channel, activations by what samples reach.

    Convolutions that read an input of the graph stay as they are: they are small, and what they lose is
    found in all that follows.

    Parameters
    ----------
    samples
        Inputs as they occur, by name; some 8 or more.
    folder
        Where temporary files may lie.

    Returns
    -------
    The content of an ``.onnx`` file, with the same inputs and outputs.

    Raises
    ------
    ConfigError
        If the extra packages are missing.

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
    inference", CVPR 2018.
    """
    need_onnx()
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    model = onnx.load_from_string(graph)
    add_pre_process_metadata(model)  # PyTorch's exporter did all that it would advise
    inputs = {port.name for port in model.graph.input}
    first = [node.name for node in model.graph.node if node.op_type == "Conv" and node.input[0] in inputs]
    with tempfile.TemporaryDirectory(prefix=".int8-", dir=folder) as scratch:
        target = Path(scratch) / "quantised.onnx"
        before, tempfile.tempdir = tempfile.tempdir, scratch  # it writes to the system's own
        try:
            quantize_static(
                model,
                target,
                _Reader(samples),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=first,
            )
        finally:
            tempfile.tempdir = before
        return target.read_bytes()


class _Reader:
    """Gives samples one after another, as ONNX Runtime asks for them."""

    def __init__(self, samples: Sequence[Inputs]) -> None:
        self._samples: Iterator[Inputs] = iter(samples)

    def get_next(self) -> dict[str, Any] | None:
        """Give the next sample's inputs."""
        sample = next(self._samples, None)
        return None if sample is None else {name: value.numpy() for name, value in sample.items()}
