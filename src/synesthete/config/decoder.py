"""How learned models turn latents into pictures: by which runtime, where, and how many at a time."""

from typing import Annotated, Literal

from pydantic import Field

from synesthete.config.base import Frozen

__all__ = ["Decoder", "Provider", "Runtime"]

Runtime = Literal["torch", "onnxruntime"]
Provider = Literal["auto", "cpu", "cuda"]


class Decoder(Frozen):
    """How learned models decode latents; other generators have none."""

    runtime: Runtime = Field(
        default="torch", description="What decodes: PyTorch, or ONNX Runtime (extra `onnx`)."
    )
    execution_provider: Provider = Field(
        default="auto",
        description="Where ONNX Runtime decodes; without CUDA it goes on with the processor, and says so. "
        "PyTorch decodes on the device.",
    )
    batch_size: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=32,
        description="Frames at a time, at most: fewer where memory is short, and few on a processor.",
    )
