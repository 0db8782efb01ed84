"""The weights that a preset brings along, in a file beside it: a name and a digest, no tensors here."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from synesthete.config.base import Frozen
from synesthete.config.inside import place_inside
from synesthete.errors import ConfigError
from synesthete.files import copy_whole, digest_file

__all__ = ["SUFFIX", "GivenWeights", "Weights", "copied_beside", "found_weights"]

SUFFIX = ".safetensors"
_MOST_BYTES = 50_000_000


class Weights(Frozen):
    """A file of weights.

    Attributes
    ----------
    file
        The path as it was written, below the preset's folder.
    sha256
        Of the file's content: what films and their keys follow from.
    place
        Where the file was found. No text can say it, so that no file can; it is never written to one.
    """

    file: Annotated[str, Field(min_length=1, max_length=1024)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    place: Path | None = None

    @model_serializer(mode="wrap")
    def _without_place(self, plain: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        values: dict[str, Any] = plain(self)
        if info.mode == "json":
            values.pop("place", None)
        return values


def _given(value: Any) -> Any:
    if isinstance(value, str):
        return {"file": value}
    if isinstance(value, Mapping) and not isinstance(value.get("place"), Path | None):
        raise ValueError("must be a path, or file and sha256")
    return value


GivenWeights = Annotated[Weights, BeforeValidator(_given)]
"""Weights, or their path alone."""


def found_weights(weights: Weights, folder: Path, *, where: str) -> Weights:
    """Find weights below the folder of the preset that names them, and take their digest.

    Raises
    ------
    ConfigError
        If they are not below the folder, can't be read, or are not those whose digest is given.
    """
    if weights.place is not None:
        return weights
    place = place_inside(folder, weights.file, where=where)
    if place.suffix != SUFFIX:
        raise ConfigError(
            f"{where} = {weights.file[:60]!r} does not end in {SUFFIX}; other weights are refused"
        )
    try:
        status = place.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise ConfigError(f"{where}: {place} is no file of weights of at most 50 MB; name another")
        sha256 = digest_file(place)
    except OSError as error:
        raise ConfigError(
            f"{where}: cannot read {place} ({error.strerror or error}); the weights belong beside the "
            "preset, so copy both"
        ) from None
    if weights.sha256 is not None and weights.sha256 != sha256:
        raise ConfigError(
            f"{where}: {place.name} holds other weights than those whose sha256 is given "
            f"({weights.sha256[:12]}…); put those back, or remove sha256"
        )
    return Weights(file=weights.file, sha256=sha256, place=place)


def copied_beside(weights: Weights, preset_file: Path) -> Weights:
    """Copy weights beside a preset's file that will name them, under its name; give what it is to say.

    Raises
    ------
    OutputError, RenderError
        If they can't be written; see `synesthete.files.whole_file`.
    """
    if weights.place is None:
        raise ValueError(f"the weights {weights.file} were not looked for")
    target = preset_file.with_suffix(SUFFIX)
    if not (target.exists() and target.samefile(weights.place)):
        copy_whole(weights.place, target)
    return Weights(file=target.name, sha256=weights.sha256, place=target)
