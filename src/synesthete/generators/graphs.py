"""Networks that films are drawn with as ONNX graphs: each is exported once, and its graph kept in a file."""

from pathlib import Path

from synesthete.files import code_digest, digest_json, write_whole
from synesthete.models.onnx_export import export_graph, need_onnx, onnx_versions
from synesthete.models.onnx_nets import DecoderNet, GeneratorNet
from synesthete.models.onnx_session import OnnxSession, Provider

__all__ = ["kept_session"]


def kept_session(
    net: DecoderNet | GeneratorNet, digest: str, graphs: Path | None, *, provider: Provider = "auto"
) -> OnnxSession:
    """Give a network's graph, ready to run.

    Parameters
    ----------
    digest
        SHA-256 of the file of its weights.
    graphs
        Folder that keeps graphs, by what they follow from; they are exported where they aren't there. None:
        in memory.
    provider
        Where to run it.

    Raises
    ------
    ConfigError
        If the extra packages are missing.
    OutputError
        If the folder can't be written to.
    """
    need_onnx()
    name = f"{digest_json([digest, code_digest(), onnx_versions()])}.onnx"
    kept = None if graphs is None else graphs / name
    if kept is not None and kept.is_file():
        return OnnxSession(kept.read_bytes(), provider=provider)
    graph = export_graph(net.eval(), net.inputs, net.output)
    if kept is not None:
        write_whole(kept, graph)
    return OnnxSession(graph, provider=provider)
