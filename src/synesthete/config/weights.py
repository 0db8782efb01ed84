"""What a preset brings along, weights, pictures and folders: names and digests, no content here."""

import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeVar

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
from synesthete.files import copy_whole, digest_file, digest_json

__all__ = [
    "NETWORK_FILES",
    "SUFFIX",
    "Brought",
    "GivenLargeWeights",
    "GivenNetworkFolder",
    "GivenPicture",
    "GivenWeights",
    "LargeWeights",
    "NetworkFolder",
    "Picture",
    "Weights",
    "copied",
    "copied_folder",
    "digest_network",
    "digested",
    "found",
    "found_folder",
]

SUFFIX = ".safetensors"

NETWORK_FILES: Final = (
    "model.safetensors", "config.json", "preprocessor_config.json", "processor_config.json",
)  # fmt: skip
"""What of a folder, as Hugging Face's transformers saves one, a network and what it hears follow from."""


class Brought(Frozen):
    """A file that a preset brings along.

    Attributes
    ----------
    file
        The path as it was written, below the preset's folder.
    sha256
        Of the file's content: what films and their keys follow from.
    place
        Where the file was found. No text can say it, so that no file can; it is never written to one.
    """

    nouns: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    most_megabytes: ClassVar[int]

    file: Annotated[str, Field(min_length=1, max_length=1024)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    place: Path | None = None

    @model_serializer(mode="wrap")
    def _without_place(self, plain: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        values: dict[str, Any] = plain(self)
        if info.mode == "json":
            values.pop("place", None)
        return values


class Weights(Brought):
    """A file of weights of at most 50 MB."""

    nouns = "weights"
    suffixes = (SUFFIX,)
    most_megabytes = 50


class LargeWeights(Weights):
    """A file of weights of at most 2 GB: of a network that was trained."""

    most_megabytes = 2000


class Picture(Brought):
    """A picture of at most 16 MB."""

    nouns = "pictures"
    suffixes = (".png", ".jpg", ".jpeg", ".webp")
    most_megabytes = 16


class NetworkFolder(Brought):
    """The folder of a pretrained network, as transformers saves it; ``file`` is its path."""

    nouns = "networks"
    suffixes = ()
    most_megabytes = 8000


AnyBrought = TypeVar("AnyBrought", bound=Brought)


def _given(value: Any) -> Any:
    if isinstance(value, str):
        return {"file": value}
    if isinstance(value, Mapping) and not isinstance(value.get("place"), Path | None):
        raise ValueError("must be a path, or file and sha256")
    return value


GivenWeights = Annotated[Weights, BeforeValidator(_given)]
"""Weights, or their path alone."""

GivenLargeWeights = Annotated[LargeWeights, BeforeValidator(_given)]
"""The same, of a network that was trained."""

GivenPicture = Annotated[Picture, BeforeValidator(_given)]
"""A picture, or its path alone."""

GivenNetworkFolder = Annotated[NetworkFolder, BeforeValidator(_given)]
"""The folder of a network, or its path alone."""


def found(brought: AnyBrought, folder: Path, *, where: str) -> AnyBrought:
    """Find a file below the folder of the preset that names it, and take its digest.

    Raises
    ------
    ConfigError
        If it is not below the folder, can't be read, or is not the one whose digest is given.
    """
    if brought.place is not None:
        return brought
    return digested(brought, place_inside(folder, brought.file, where=where), where=where)


def digested(brought: AnyBrought, place: Path, *, where: str) -> AnyBrought:
    """Take the digest of a file where it is known to lie.

    Raises
    ------
    ConfigError
        If it can't be read, or is not the one whose digest is given.
    """
    kind = type(brought)
    if place.suffix.lower() not in kind.suffixes:
        endings = ", ".join(kind.suffixes)
        raise ConfigError(
            f"{where} = {brought.file[:60]!r} does not end in {endings}; other {kind.nouns} are refused"
        )
    try:
        status = place.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > 1_000_000 * kind.most_megabytes:
            raise ConfigError(
                f"{where}: {place} is no file of {kind.nouns} of at most {kind.most_megabytes} MB; name "
                "another"
            )
        sha256 = digest_file(place)
    except OSError as error:
        raise ConfigError(
            f"{where}: cannot read {place} ({error.strerror or error}); the {kind.nouns} belong "
            "beside the preset, so copy both"
        ) from None
    if brought.sha256 is not None and brought.sha256 != sha256:
        raise ConfigError(
            f"{where}: {place.name} holds other {kind.nouns} than those whose sha256 is given "
            f"({brought.sha256[:12]}…); put those back, or remove sha256"
        )
    return kind(file=brought.file, sha256=sha256, place=place)


def copied(brought: AnyBrought, target: Path) -> AnyBrought:
    """Copy a file beside a preset's file that will name it; give what it is to say.

    Raises
    ------
    OutputError, RenderError
        If it can't be written; see `synesthete.files.whole_file`.
    """
    if brought.place is None:
        raise ValueError(f"the {brought.nouns} {brought.file} were not looked for")
    if not (target.exists() and target.samefile(brought.place)):
        copy_whole(brought.place, target)
    return type(brought)(file=target.name, sha256=brought.sha256, place=target)


def found_folder(brought: NetworkFolder, folder: Path, *, where: str) -> NetworkFolder:
    """Find a network's folder below the folder of the preset that names it, and take its digest.

    Raises
    ------
    ConfigError
        If it is not below the folder or a link in it leads out of there, it is no folder, too large or can't
        be read, or it is not the one whose digest is given.
    """
    if brought.place is not None:
        return brought
    place = place_inside(folder, brought.file, where=where)
    if not place.is_dir():
        raise ConfigError(f"{where}: {place} is no folder; the network belongs beside the preset")
    files = [place_inside(folder, f"{brought.file}/{name}", where=where) for name in NETWORK_FILES]
    try:
        if sum(path.stat().st_size for path in files if path.is_file()) > 1_000_000 * brought.most_megabytes:
            raise ConfigError(
                f"{where}: {place} holds more than {brought.most_megabytes} MB; name a smaller network"
            )
        sha256 = digest_network(place)
    except OSError as error:
        raise ConfigError(
            f"{where}: cannot read {place} ({error.strerror or error}); name a folder that can be"
        ) from None
    if brought.sha256 is not None and brought.sha256 != sha256:
        raise ConfigError(
            f"{where}: {place.name} holds another network than the one whose sha256 is given "
            f"({brought.sha256[:12]}…); put that back, or remove sha256"
        )
    return NetworkFolder(file=brought.file, sha256=sha256, place=place)


def copied_folder(brought: NetworkFolder, folder: Path) -> NetworkFolder:
    """Copy a network into a folder, where presets will name it; give what they are to say.

    The copy is called after its content, so that presets of one folder share it.

    Raises
    ------
    OutputError, RenderError
        If it can't be written; see `synesthete.files.whole_file`.
    """
    if brought.place is None or brought.sha256 is None:
        raise ValueError(f"the network {brought.file} was not looked for")
    target = folder / f"network-{brought.sha256[:12]}"
    for name in NETWORK_FILES:
        source = brought.place / name
        if source.is_file() and not (target / name).exists():
            copy_whole(source, target / name)
    return NetworkFolder(file=target.name, sha256=brought.sha256, place=target)


def digest_network(folder: Path) -> str:
    """SHA-256 of everything in a folder that a network's vectors depend on.

    Weights, shape, and preparation of sound; neither the folder's name nor what else lies in it.

    Raises
    ------
    OSError
        If it can't be read.
    """
    stamps = []
    for name in NETWORK_FILES:
        if (folder / name).is_file():
            status = (folder / name).stat()
            stamps.append((name, status.st_ino, status.st_size, status.st_mtime_ns))
    return _digest_files(folder, tuple(stamps))


@lru_cache(maxsize=16)
def _digest_files(folder: Path, stamps: tuple[tuple[str, int, int, int], ...]) -> str:
    """Digest files; ``stamps`` names them, and says that they are still the same ones."""
    return digest_json([[name, digest_file(folder / name)] for name, *_ in stamps])
