"""A folder of pictures to learn from: which are there, which are held out, and what they are as a whole."""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from synesthete.errors import InputError
from synesthete.files import digest_file, digest_json
from synesthete.training.stills.write import CULLED, MANIFEST, RECIPE

__all__ = ["HELD_OUT_SHARE", "LEAST", "StillFolder", "open_stills"]

HELD_OUT_SHARE: Final = 1 / 16
"""About so many of the pictures are never trained on."""

LEAST: Final = 16
"""Fewest pictures to learn from."""

_LEAST_HELD_OUT: Final = 4
_LEAST_SIDE: Final = 16
_ENDINGS: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_UNSAID: Final = ("kind", "version")
_DAMAGE: Final = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


@dataclass(frozen=True)
class StillFolder:
    """Pictures to learn from.

    Attributes
    ----------
    training, held_out
        Their files. Which ones are held out follows from their names alone, so that pictures that are added
        do not change it. The first of these are of all kinds, whatever the names begin with.
    digest
        SHA-256 of all that training depends on: names and contents.
    recipe
        What `synesthete dataset images` drew them by; empty if it didn't.
    """

    training: tuple[Path, ...]
    held_out: tuple[Path, ...]
    digest: str
    recipe: Mapping[str, Any]


def open_stills(folder: Path) -> StillFolder:
    """Open a folder of pictures: one that `synesthete dataset images` wrote, or any other.

    Of the former all that its manifest keeps are taken, of the latter all PNG, JPEG and WebP files below it
    but hidden ones.

    Raises
    ------
    InputError
        If it can't be read, holds fewer than `LEAST` pictures, or one that is none or is too small.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; write one with `synesthete dataset images -o {folder}`")
    written = (folder / MANIFEST).is_file()
    names = _listed(folder) if written else _found(folder)
    if len(names) < LEAST:
        raise InputError(
            f"{folder} holds {len(names)} pictures (PNG, JPEG or WebP), and at least {LEAST} are needed; add "
            "some, or write some with `synesthete dataset images`"
        )
    for name in names:
        _check(folder / name)
    try:
        known = [[name, digest_file(folder / name)] for name in names]
    except OSError as error:
        raise InputError(f"cannot read {error.filename} ({error.strerror}); check the folder") from error
    ranked = sorted(names, key=_rank)
    count = max(_LEAST_HELD_OUT, sum(_rank(name) < HELD_OUT_SHARE for name in names))
    held_out = set(ranked[:count])
    return StillFolder(
        tuple(folder / name for name in names if name not in held_out),
        tuple(folder / name for name in ranked[:count]),
        digest_json(known),
        _recipe(folder) if written else {},
    )


def _listed(folder: Path) -> list[str]:
    """Give what the manifest keeps."""
    path = folder / MANIFEST
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            names = [row["file"] for row in csv.DictReader(handle) if row["kept"] == "yes"]
    except (OSError, ValueError, KeyError, csv.Error):
        raise InputError(
            f"{path} is no manifest of stills; repeat `synesthete dataset images`, or remove it"
        ) from None
    for name in names:
        parts = Path(name).parts
        if (
            Path(name).is_absolute()
            or ".." in parts
            or parts[:1] == (CULLED,)
            or not (folder / name).is_file()
        ):
            raise InputError(
                f"{path} names {name!r:.80}, which is not there; repeat `synesthete dataset images`"
            )
    return sorted(set(names))


def _recipe(folder: Path) -> dict[str, Any]:
    path = folder / RECIPE
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
        return {name: value for name, value in recipe.items() if name not in _UNSAID}
    except (OSError, ValueError, AttributeError):
        raise InputError(
            f"{path} can't be read; repeat `synesthete dataset images`, or remove {MANIFEST} beside it"
        ) from None


def _found(folder: Path) -> list[str]:
    names = [path.relative_to(folder) for path in folder.rglob("*")]
    return sorted(
        name.as_posix()
        for name in names
        if name.suffix.lower() in _ENDINGS
        and not any(part.startswith(".") for part in name.parts)
        and (folder / name).is_file()
    )


def _check(path: Path) -> None:
    """See, by its first bytes, that a file is a picture and large enough."""
    try:
        with Image.open(path) as picture:
            least = min(picture.size)
    except _DAMAGE as error:
        raise InputError(f"{path} is no picture that can be read ({error}); remove it") from error
    if least < _LEAST_SIDE:
        raise InputError(f"{path} is {least} pixels along a side, and {_LEAST_SIDE} are needed; remove it")


def _rank(name: str) -> float:
    """Give a number of 0 to 1 that follows from a name, evenly spread."""
    return (
        int.from_bytes(hashlib.sha256(name.encode(errors="backslashreplace")).digest()[:8], "big") / 2.0**64
    )
