"""Options of ``synesthete fit``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synesthete.config.base import Frozen
from synesthete.config.control import Seed
from synesthete.config.render import Aspect

__all__ = ["FIT_SHAPES", "MOST_PICTURES", "FitOptions", "NetKind"]

NetKind = Literal["field", "cppn"]

FIT_SHAPES: dict[NetKind, tuple[int, int]] = {"field": (4, 96), "cppn": (3, 4)}
"""Layers and units of each kind, where none are given."""

MOST_PICTURES = 8
"""As many as the four numbers of a style tell apart: one at each end of each."""


class FitOptions(Frozen):
    """What ``fit`` takes besides pictures and output."""

    net: Annotated[
        NetKind,
        Field(description="field: waves that show the picture; cppn: a small net that shows its idea."),
    ] = "field"
    layers: Annotated[
        int | None, Field(ge=1, le=8, description="Hidden layers, 1 to 8 (default: field 4, cppn 3).")
    ] = None
    units: Annotated[
        int | None, Field(ge=2, le=256, description="Units in each, 2 to 256 (default: field 96, cppn 4).")
    ] = None
    steps: Annotated[int, Field(ge=10, le=100_000, description="Steps of the fit, 10 to 100000.")] = 2000
    seed: Annotated[
        Seed, Field(description="Another seed is another net, and bends the picture otherwise.")
    ] = 0
    size: Annotated[
        int, Field(ge=16, le=512, description="Short side that pictures are looked at in, pixels: 16 to 512.")
    ] = 160
    aspect: Annotated[Aspect, Field(description="Shape of the films it is for: pictures fill it.")] = "16:9"
    clip_model: Annotated[
        Path | None, Field(description="Folder of a CLIP model that judges the fit (needs --prompt).")
    ] = None
    prompt: Annotated[
        str | None, Field(min_length=1, max_length=500, description="What CLIP shall see in it.")
    ] = None
    guidance: Annotated[
        float, Field(gt=0, le=10, description="How much CLIP's judgement weighs, up to 10.")
    ] = 1.0
    workspace: Annotated[Path, Field(description="Where cache/ and renders/ live.")] = Path()

    @model_validator(mode="after")
    def _together(self) -> "FitOptions":
        if (self.clip_model is None) != (self.prompt is None):
            raise ValueError("--prompt TEXT and --clip-model DIR need one another; give both, or neither")
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Give layers and units."""
        layers, units = FIT_SHAPES[self.net]
        return self.layers or layers, self.units or units
