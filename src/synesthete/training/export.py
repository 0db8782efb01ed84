"""Export networks as ONNX: a graph, what is to be known of it, and the proof that it draws the same."""

import math
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor

from synesthete import __version__
from synesthete.config.export import ExportOptions
from synesthete.errors import ConfigError, RenderError
from synesthete.files import digest_bytes, make_folder, write_json, write_whole
from synesthete.models.onnx_export import Port, export_graph, need_onnx, onnx_versions
from synesthete.models.onnx_int8 import quantised
from synesthete.models.onnx_session import OnnxSession
from synesthete.training.export_subjects import SUBJECTS, Subject

__all__ = ["LEAST_PSNR_DB", "export_onnx"]

LEAST_PSNR_DB: Final = 50.0
"""How well ONNX Runtime must agree with PyTorch, or nothing is written."""

_META: Final = "meta.json"
_GRAPH, _INT8, _TABLES = "onnx", "int8.onnx", "tables.safetensors"
_FORMAT: Final = 1
_SAMPLES, _PROBES = 24, 8
_MOST_PSNR_DB: Final = 150.0


def export_onnx(options: ExportOptions, folder: Path, *, force: bool = False) -> dict[str, Any]:
    """Write a network to a folder as ONNX, with ``meta.json`` beside it.

    Both runtimes draw the same inputs, of two sizes and batches, before anything is written.

    Parameters
    ----------
    folder
        Where ``KIND.onnx``, with ``options.int8`` also ``KIND.int8.onnx``, of a kind that has anchors
        ``KIND.tables.safetensors``, and ``meta.json`` go.
    force
        Replace files that are there.

    Returns
    -------
    What ``meta.json`` holds.

    Raises
    ------
    ConfigError
        If the extra packages are missing, there are no such weights, or files are there already.
    RenderError
        If ONNX Runtime draws something else than PyTorch.
    OutputError
        If the folder can't be written to.
    """
    need_onnx()
    subject = SUBJECTS[options.kind](options)
    endings = {_GRAPH: True, _INT8: options.int8, _TABLES: subject.tables is not None}
    files = {ending: folder / f"{options.kind}.{ending}" for ending, wanted in endings.items() if wanted}
    taken = next((path for path in (*files.values(), folder / _META) if path.exists()), None)
    if taken is not None and not force:
        raise ConfigError(f"{taken} exists already; choose another folder, or pass --force to replace it")
    graph = export_graph(subject.net, subject.inputs, subject.output, opset=options.opset)
    parity = _parity(subject, graph)
    tables = None if subject.tables is None else save(dict(subject.tables()))
    make_folder(folder)
    # Whoever reads it while files are replaced shall not take it for theirs.
    (folder / _META).unlink(missing_ok=True)
    meta: dict[str, Any] = {
        "format": _FORMAT,
        "kind": options.kind,
        "synesthete": __version__,
        "model": {**_written(files[_GRAPH], graph), "opset": options.opset},
        "inputs": [port.to_json() for port in subject.inputs],
        "outputs": [subject.output.to_json()],
        **subject.facts,
        "parity": parity,
    }
    if tables is not None:
        meta["tables"] = _written(files[_TABLES], tables)
    if options.int8:
        meta["int8"] = _int8(subject, graph, files[_INT8])
    meta["versions"] = onnx_versions()
    write_json(folder / _META, meta)
    return meta


def _written(path: Path, content: bytes) -> dict[str, Any]:
    write_whole(path, content)
    return {"file": path.name, "sha256": digest_bytes(content), "bytes": len(content)}


def _parity(subject: Subject, graph: bytes) -> list[dict[str, Any]]:
    """Compare ONNX Runtime with PyTorch."""
    session, found = OnnxSession(graph, provider="cpu"), []
    for inputs in subject.checks:
        with torch.no_grad():
            expected: Tensor = subject.net(*inputs.values())
        agreed = _psnr(session(inputs), expected, subject.output)
        if not agreed >= LEAST_PSNR_DB:
            raise RenderError(
                f"ONNX Runtime and PyTorch agree at {agreed:.1f} dB, and {LEAST_PSNR_DB:g} dB is the least; "
                "nothing was written, try another --opset"
            )
        batch, _, height, width = expected.shape
        found.append({"batch": batch, "width": width, "height": height, "psnr_db": round(agreed, 1)})
    return found


def _int8(subject: Subject, graph: bytes, path: Path) -> dict[str, Any]:
    """Write the graph with convolutions of 8 bits, and measure it on stills that it was not fitted to."""
    assert subject.samples is not None  # options say so
    drawn = list(subject.samples(_SAMPLES + _PROBES))
    small = quantised(graph, drawn[:_SAMPLES], path.parent)
    exact, rough = (OnnxSession(one, provider="cpu") for one in (graph, small))
    agreed = [_psnr(rough(inputs), exact(inputs), subject.output) for inputs in drawn[_SAMPLES:]]
    return {
        **_written(path, small),
        "psnr_db": round(sum(agreed) / len(agreed), 2),
        "worst_psnr_db": round(min(agreed), 2),
        "fitted_to": _SAMPLES,
        "measured_on": _PROBES,
    }


def _psnr(found: Float[Tensor, "..."], expected: Float[Tensor, "..."], output: Port) -> float:
    """Give the peak signal-to-noise ratio, dB, at most 150; of what are no pictures, by its span."""
    peak = 1.0 if output.name == "pictures" else float(expected.max() - expected.min())
    error = float((found - expected).double().square().mean())
    return min(_MOST_PSNR_DB, 10 * math.log10(peak * peak / max(error, 1e-30)))
