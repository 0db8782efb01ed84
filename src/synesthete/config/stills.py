"""The options of ``synesthete dataset images``, and the prompts that stills are drawn from."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from synesthete.config.base import Frozen, build, read_yaml
from synesthete.errors import ConfigError
from synesthete.seeding import MAX_SEED

__all__ = [
    "BUCKETS",
    "ImagesOptions",
    "PromptBook",
    "PromptBucket",
    "load_images_options",
    "load_prompts",
]

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
_NOT_IN_FILES: Final = {"model": "--model", "prompts": "--prompts", "pictures": "--from"}
_COUNT: Final = 16
_MOST: Final = 1_000_000

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class ImagesOptions(Frozen):
    """What ``synesthete dataset images`` takes."""

    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="Other seeds give other pictures.")
    size: int = Field(default=512, ge=32, le=2048, description="Side of the square pictures, pixels.")
    count: int | None = Field(
        default=None,
        ge=1,
        le=_MOST,
        description="Pictures of each bucket; 16 if left out, and with --from all.",
    )
    total: int | None = Field(
        default=None, ge=1, le=_MOST, description="Pictures in all instead, dealt out to the buckets."
    )
    buckets: tuple[str, ...] = Field(
        default=(), description="Which buckets, with commas between them; all if left out."
    )
    pick: dict[str, tuple[Annotated[int, Field(ge=0, lt=_MOST)], ...]] = Field(
        default={}, description="Pictures of buckets by their indices instead, each once; in a file."
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
    pictures: Path | None = Field(
        default=None, description="Take the PNG, JPEG and WebP pictures below this folder instead."
    )
    workers: int = Field(
        default=1, ge=1, le=256, description="Processes that draw at the same time; the files are the same."
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

    @field_validator("pick")
    @classmethod
    def _picked_once_each(cls, pick: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        for bucket, indices in pick.items():
            if not indices or len(set(indices)) < len(indices):
                raise ValueError(f"{bucket!r:.40} needs indices, each of them once, such as [0, 3, 4]")
        return pick

    @model_validator(mode="after")
    def _one_way_to_count(self) -> "ImagesOptions":
        if self.pick and (self.count or self.total or self.buckets):
            raise ValueError("pick says which pictures; drop count, total and buckets")
        if self.count and self.total:
            raise ValueError("count is of each bucket and total of all; drop one of them")
        return self

    @model_validator(mode="after")
    def _options_with_their_source(self) -> "ImagesOptions":
        if self.source == "sd" and self.model is None:
            raise ValueError("--source sd draws by a model of yours; name its folder with --model DIR")
        if self.source == "sd" and self.workers > 1:
            raise ValueError("--workers is for pictures that a CPU makes; drop it, or --source sd")
        if self.source == "programs":
            for name in _MODEL_ONLY:
                if getattr(self, name) is not None:
                    raise ValueError(f"--{name} belongs to --source sd; drop it, or add --source sd")
        if self.pictures is not None and (self.source == "sd" or self.seed):
            raise ValueError("--from takes pictures and draws none; drop --source and --seed, or --from")
        return self

    def numbers(
        self, known: tuple[str, ...], most: Mapping[str, int] | None = None
    ) -> Mapping[str, Sequence[int]]:
        """Say which pictures each bucket gets, by their indices.

        Parameters
        ----------
        known
            The buckets that the source draws.
        most
            How many it has of each; None where it draws any number.

        Raises
        ------
        ConfigError
            If a bucket or a picture is wanted that it doesn't have.

        Examples
        --------
        >>> ImagesOptions(total=5).numbers(("glitch", "relief"))
        {'glitch': range(0, 3), 'relief': range(0, 2)}
        """
        for bucket in self.pick or self.buckets:
            if bucket not in known:
                raise ConfigError(f"bucket {bucket!r:.40} is unknown; choose from {', '.join(known)}")
        for bucket, indices in self.pick.items():
            if most is not None and max(indices) >= most[bucket]:
                raise ConfigError(
                    f"pick: {bucket} {max(indices)} is outside 0 to {most[bucket] - 1}; correct the index"
                )
        if self.pick:
            return self.pick
        wanted = self.buckets or known
        if self.total is not None:
            each, more = divmod(self.total, len(wanted))
            counts = {bucket: each + (place < more) for place, bucket in enumerate(wanted)}
        elif most is not None and self.count is None:
            counts = dict(most)
        else:
            counts = dict.fromkeys(wanted, self.count or _COUNT)
        return {
            bucket: range(counts[bucket] if most is None else min(counts[bucket], most[bucket]))
            for bucket in wanted
            if counts[bucket]
        }


def load_images_options(path: Path | None, given: Mapping[str, Any]) -> ImagesOptions:
    """Build the options from a file, if there is one, and from what was given beside it, which wins.

    Raises
    ------
    ConfigError
        If the file can't be read, names folders or files, or a field is wrong.
    """
    values = {} if path is None else read_yaml(path)
    for name, option in _NOT_IN_FILES.items():
        if name in values:
            raise ConfigError(f"{path}: {name} is no field of a file; pass {option}")
    return build(ImagesOptions, {**values, **given}, where="options" if path is None else str(path))


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
