"""The options of ``synesthete dataset images``, and the prompts that stills are drawn from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from synesthete.config.base import Frozen, build, read_yaml
from synesthete.errors import ConfigError
from synesthete.seeding import MAX_SEED

__all__ = ["BUCKETS", "ImagesOptions", "PromptBook", "PromptBucket", "load_prompts"]

BUCKETS: Final = (
    "abstract",
    "colour-field",
    "glitch",
    "interference",
    "monochrome-noise",
    "reaction-diffusion",
    "relief",
)
"""Kinds of stills that programs draw, and that the shipped prompts describe."""

_BUCKET: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MODEL_ONLY: Final = ("model", "prompts", "steps", "guidance")

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class ImagesOptions(Frozen):
    """What ``synesthete dataset images`` takes."""

    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="Other seeds give other pictures.")
    size: int = Field(default=512, ge=32, le=2048, description="Side of the square pictures, pixels.")
    count: int = Field(default=16, ge=1, le=1_000_000, description="Pictures of each bucket.")
    total: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Pictures in all instead, dealt out to the buckets."
    )
    buckets: tuple[str, ...] = Field(
        default=(), description="Which buckets, with commas between them; all if left out."
    )
    cull: float = Field(
        default=0.0,
        ge=0.0,
        le=0.5,
        description="Share of each bucket, its worst, to put aside; such as 0.15.",
    )
    source: Literal["programs", "sd"] = Field(
        default="programs", description="Draw by programs, or by Stable Diffusion from --model."
    )
    model: Path | None = Field(
        default=None, description="Folder of a Stable Diffusion 1.5 pipeline, as diffusers saves it."
    )
    prompts: Path | None = Field(default=None, description="Prompts of your own as YAML; see docs/stills.md.")
    steps: int | None = Field(
        default=None, ge=20, le=35, description="Sampling steps; 20 to 35 by draw if left out."
    )
    guidance: float | None = Field(
        default=None, ge=6.5, le=9.5, description="Guidance scale; 6.5 to 9.5 by draw if left out."
    )

    @field_validator("buckets")
    @classmethod
    def _once_each(cls, buckets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(buckets)) < len(buckets):
            raise ValueError("a bucket is named twice; name it once")
        return buckets

    @model_validator(mode="after")
    def _model_with_its_source(self) -> "ImagesOptions":
        if self.source == "sd" and self.model is None:
            raise ValueError("--source sd draws by a model of yours; name its folder with --model DIR")
        if self.source == "programs":
            for name in _MODEL_ONLY:
                if getattr(self, name) is not None:
                    raise ValueError(f"--{name} belongs to --source sd; drop it, or add --source sd")
        return self

    def counts(self, known: tuple[str, ...]) -> Mapping[str, int]:
        """Say how many pictures each bucket gets.

        Parameters
        ----------
        known
            The buckets that the source draws.

        Raises
        ------
        ConfigError
            If one is wanted that it doesn't.

        Examples
        --------
        >>> ImagesOptions(total=5).counts(("glitch", "relief"))
        {'glitch': 3, 'relief': 2}
        """
        for bucket in self.buckets:
            if bucket not in known:
                raise ConfigError(f"--buckets {bucket!r:.40} is unknown; choose from {', '.join(known)}")
        wanted = self.buckets or known
        if self.total is None:
            return dict.fromkeys(wanted, self.count)
        each, more = divmod(self.total, len(wanted))
        dealt = {bucket: each + (place < more) for place, bucket in enumerate(wanted)}
        return {bucket: count for bucket, count in dealt.items() if count}


class PromptBucket(Frozen):
    """What pictures of one bucket are to show, and what not."""

    subjects: tuple[Text, ...] = Field(min_length=1, description="One is drawn for each picture.")
    negative: Text | None = Field(default=None, description="What they must not show, beside what none must.")


class PromptBook(Frozen):
    """Prompts in buckets: each picture has a subject of its bucket, a colour, a manner and an ending."""

    buckets: dict[str, PromptBucket] = Field(min_length=1, description="By name.")
    colours: tuple[Text, ...] = Field(min_length=1, description="One is drawn for each picture.")
    manners: tuple[Text, ...] = Field(min_length=1, description="One is drawn for each picture.")
    ending: Text = Field(description="Ends every prompt.")
    negative: Text = Field(description="What no picture must show.")

    @field_validator("buckets")
    @classmethod
    def _named_as_folders_are(cls, buckets: dict[str, Any]) -> dict[str, Any]:
        for name in buckets:
            if len(name) > 40 or not _BUCKET.fullmatch(name) or name == "culled":
                raise ValueError(f"{name!r:.40} is no name of a bucket; use a-z, 0-9 and single dashes")
        return buckets


def load_prompts(path: Path) -> PromptBook:
    """Read prompts.

    Raises
    ------
    ConfigError
        If the file can't be read, or a field is wrong.
    """
    return build(PromptBook, read_yaml(path), where=str(path))
