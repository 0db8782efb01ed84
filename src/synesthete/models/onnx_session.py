"""Run ONNX graphs with ONNX Runtime: on a graphics card where there is one, else on the processor."""

import logging
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor

from synesthete.errors import ConfigError, RenderError
from synesthete.models.onnx_export import need_onnx

__all__ = ["OnnxSession", "Provider"]

Provider = Literal["auto", "cpu", "cuda"]

_log = logging.getLogger(__name__)
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY: Final = 3
_OUT_OF_MEMORY: Final = ("allocate", "bad_alloc", "bad allocation", "out of memory", "available memory")


class OnnxSession:
    """A graph that is ready to run.

    On one thread, as Segments are rendered side by side and bits must not depend on how many there are.

    Parameters
    ----------
    graph
        The content of an ``.onnx`` file, or its place.
    provider
        Where to run it: ``cuda`` falls back to the processor, and says so, where ONNX Runtime has no CUDA or
        can't start it; ``auto`` takes it where it is there.

    Attributes
    ----------
    device
        Where it runs: ``cpu`` or ``cuda``.

    Raises
    ------
    ConfigError
        If the extra packages are missing, or it is no graph.
    """

    def __init__(self, graph: bytes | Path, *, provider: Provider = "auto") -> None:
        need_onnx()
        import onnxruntime as ort

        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        wanted = provider == "cuda" or (provider == "auto" and _CUDA in ort.get_available_providers())
        providers = [_CUDA, _CPU] if wanted and _CUDA in ort.get_available_providers() else [_CPU]
        given = str(graph) if isinstance(graph, Path) else graph
        try:
            self._session: Any = ort.InferenceSession(given, options, providers=providers)
        except Exception as error:  # ONNX Runtime's own are of many kinds, none of them public
            told = _first_line(error)
            raise ConfigError(f"ONNX Runtime can't read the graph ({told}); export it anew") from None
        self.device = "cuda" if self._session.get_providers()[0] == _CUDA else "cpu"
        if wanted and self.device == "cpu":
            _log.warning(
                "ONNX Runtime can't use CUDA on this machine; it goes on with the processor (onnxruntime-gpu "
                "in place of onnxruntime brings CUDA)"
            )

    @property
    def name(self) -> str:
        """Name the numeric path: the runtime with its version, and its device."""
        return f"onnxruntime-{version('onnxruntime')}-float32-{self.device}"

    def __call__(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Run it.

        Parameters
        ----------
        inputs
            By the names of the graph's inputs, float32.

        Returns
        -------
        The graph's first output, on the processor.

        Raises
        ------
        MemoryError
            If there is not enough memory for inputs of this size.
        RenderError
            If it fails otherwise.
        """
        feeds = {name: value.detach().cpu().contiguous().numpy() for name, value in inputs.items()}
        try:
            (found, *_) = self._session.run(None, feeds)
        except Exception as error:  # see above
            told = _first_line(error)
            if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY):
                raise MemoryError(told) from None
            raise RenderError(f"ONNX Runtime failed ({told}); let PyTorch do it: --runtime torch") from None
        return torch.from_numpy(found)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
