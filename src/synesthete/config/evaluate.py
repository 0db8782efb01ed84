"""The options of evaluations, of films and of generators: what the command line and Python share."""

from pathlib import Path

from pydantic import Field

from synesthete.config.base import Frozen
from synesthete.config.preset import GeneratorName
from synesthete.config.render import Device, RenderOptions

__all__ = ["EvaluateOptions", "ProbeOptions"]

_SHARED = RenderOptions.model_fields


class EvaluateOptions(Frozen):
    """How to evaluate one film; defaults are those of ``synesthete evaluate``."""

    audio: Path | None = Field(
        default=None, description="The song to measure the film against (default: the film's own sound)."
    )
    against: tuple[Path, ...] = Field(
        default=(), description="Other songs, that join the bank of songs that ships: the null."
    )
    full: bool = Field(default=False, description="Optical flow too: AV-Align and beat alignment. Slow.")
    workspace: Path = Field(default=Path(), description=_SHARED["workspace"].description)
    allow_truncated: bool = Field(default=False, description=_SHARED["allow_truncated"].description)


class ProbeOptions(Frozen):
    """How to probe a generator; defaults are those of ``synesthete evaluate-generator``."""

    generator: GeneratorName | None = Field(default=None, description=_SHARED["generator"].description)
    preset: str | None = Field(default=None, description=_SHARED["preset"].description)
    compare: tuple[str, ...] = Field(default=(), description="Another preset, beside the first.")
    song: Path | None = Field(default=None, description="What is drawn (default: a song that ships).")
    other: Path | None = Field(
        default=None, description="Music as different as possible (default: likewise)."
    )
    references: Path | None = Field(default=None, description="Folder of pictures that may have been copied.")
    baselines: bool = Field(
        default=True, description="Probe the baselines too: still, drift, noise, scopes, …"
    )
    fail_under: dict[str, float] = Field(
        default={}, description="Exit with 3 where a figure of the first is under its limit."
    )
    device: Device = Field(default="auto", description=_SHARED["device"].description)
    workspace: Path = Field(default=Path(), description=_SHARED["workspace"].description)
