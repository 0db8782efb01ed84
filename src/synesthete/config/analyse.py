"""The options of an analysis: what the command line and Python share."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from synesthete.clock import parse_frame_rate
from synesthete.config.base import Frozen
from synesthete.config.render import Bpm, RenderOptions, Timestamp

__all__ = ["AnalyseOptions"]

_SHARED = RenderOptions.model_fields


def _frame_rate(value: Any) -> Any:
    return None if value is None else parse_frame_rate(value)


OptionalRate = Annotated[Fraction | None, BeforeValidator(_frame_rate)]


class AnalyseOptions(Frozen):
    """How to hear one song; defaults are those of ``synesthete analyse``."""

    start: Timestamp | None = Field(default=None, description=_SHARED["start"].description)
    end: Timestamp | None = Field(default=None, description=_SHARED["end"].description)
    fps: OptionalRate = Field(
        default=None, description="Rows per second of the table, on a film's clock (default: 100 Hz)."
    )
    bpm: Bpm | None = Field(default=None, description=_SHARED["bpm"].description)
    stems: Path | None = Field(default=None, description=_SHARED["stems"].description)
    workspace: Path = Field(default=Path(), description=_SHARED["workspace"].description)
    allow_truncated: bool = Field(default=False, description=_SHARED["allow_truncated"].description)

    @model_validator(mode="after")
    def _consistent(self) -> "AnalyseOptions":
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"end {float(self.end):g} s must lie after start {float(self.start):g} s")
        return self
