"""Options of ``synesthete export``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synesthete.config.base import Frozen

__all__ = ["ExportKind", "ExportOptions"]

ExportKind = Literal["decoder", "gan", "cppn"]


class ExportOptions(Frozen):
    """What ``export onnx`` takes besides its folder."""

    kind: ExportKind = Field(
        description="decoder: the field decoder that draws latents; gan: the generator of pictures; cppn: "
        "the network of a preset."
    )
    weights: Path | None = Field(
        default=None,
        description="The autoencoder whose decoder it is, or the generator of pictures; by default the one "
        "that ships.",
    )
    preset: str | None = Field(
        default=None,
        description="The preset whose CPPN it is: a shipped one's name, or a .yaml file; by default silk.",
    )
    int8: bool = Field(
        default=False, description="Also write it with convolutions of 8 bits, and say what that loses."
    )
    opset: Annotated[int, Field(ge=18, le=23)] = Field(
        default=20, description="Version of ONNX's operators, 18 to 23."
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "ExportOptions":
        if self.weights is not None and self.kind == "cppn":
            raise ValueError("--weights are of the decoder or the gan; drop them, or export one of these")
        if self.preset is not None and self.kind != "cppn":
            raise ValueError(f"--preset is for a preset's network; drop it, or export cppn, not {self.kind}")
        if self.int8 and self.kind == "cppn":
            raise ValueError("--int8 is for convolutions, and a CPPN has none; drop it")
        return self
