"""Stills from pictures of yours: any folder of PNG, JPEG and WebP files, cut to squares."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from synesthete.errors import InputError
from synesthete.files import digest_bytes, digest_json, slug
from synesthete.media.artwork import MAX_PICTURE_BYTES, decode_picture
from synesthete.media.pictures import MIN_PICTURE_SIDE
from synesthete.training.stills.sources import Still

__all__ = ["FolderSource", "fitted", "open_folder"]

_VERSION: Final = 1
"""Of what is made from a picture: others are another dataset."""

_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")
_LOOSE: Final = "pictures"
_ASIDE: Final = "culled"
_NAMED: Final = 3


class _Found(NamedTuple):
    """A file, and the digest of its picture or why it is unfit."""

    name: str
    digest: str
    fault: str


class FolderSource:
    """Cuts pictures of a folder to squares; `open_folder` makes it.

    Parameters
    ----------
    folder
        Where they are.
    size
        Side of the stills, pixels.
    files
        By bucket, the name below the folder and the digest of each picture.
    """

    def __init__(self, folder: Path, size: int, files: Mapping[str, tuple[tuple[str, str], ...]]) -> None:
        self._folder, self._size, self._files = folder, size, files

    @property
    def buckets(self) -> tuple[str, ...]:
        """Name the buckets: the folders at the top, and one for the pictures beside them."""
        return tuple(self._files)

    @property
    def counts(self) -> Mapping[str, int]:
        """Say how many pictures there are of each bucket."""
        return {bucket: len(files) for bucket, files in self._files.items()}

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Say what all stills depend on; pictures count by content, not by name or place."""
        contents = {bucket: [digest for _, digest in files] for bucket, files in self._files.items()}
        return {
            "source": "folder",
            "version": _VERSION,
            "size": self._size,
            "pictures": digest_json(contents),
        }

    def draw(self, bucket: str, index: int) -> Still:
        """Cut the picture of a bucket to a square.

        Raises
        ------
        InputError
            If it is not any more what it was when the folder was opened.
        """
        name, digest = self._files[bucket][index]
        try:
            picture = _opened(self._folder / name)
        except ValueError:
            picture = None
        if picture is None or _digest(picture) != digest:
            raise InputError(f"{_shown(name)} has changed meanwhile; repeat the command")
        facts = {"file": _shown(name), "width": picture.width, "height": picture.height}
        return Still(fitted(picture, self._size), facts)


def open_folder(
    folder: Path, size: int, *, warn: Callable[[str], None] = lambda line: None, workers: int = 1
) -> FolderSource:
    """Look at all pictures below a folder; what can't be used is told of and left out.

    Parameters
    ----------
    folder
        Any folder. Hidden files and folders are left out, and ``culled`` at its top, where a dataset of ours
        has put pictures aside.
    size
        Side of the stills, pixels.
    warn
        Is told in one line each which files are unfit, and how many are copies of another.
    workers
        Threads that look at the same time.

    Raises
    ------
    InputError
        If there is no such folder, or no picture in it that can be used.
    """
    if not folder.is_dir():
        raise InputError(f"--from {folder} is no folder; name a folder of pictures")
    names = sorted(_names(folder))
    with ThreadPoolExecutor(workers) as pool:  # decoders let other threads run
        found = list(pool.map(_look, [folder] * len(names), names))
    unfit = [f"{_shown(one.name)} {one.fault}" for one in found if one.fault]
    files: dict[str, list[tuple[str, str]]] = {}
    known: set[str] = set()
    for one in found:
        if one.digest and one.digest not in known:
            known.add(one.digest)
            files.setdefault(_bucket(one.name), []).append((one.name, one.digest))
    more = f" and {len(unfit) - _NAMED} more" if len(unfit) > _NAMED else ""
    why = f"{', '.join(unfit[:_NAMED])}{more}"
    if not files:
        raise InputError(
            f"there is no picture in {folder} ({why or 'no files'}); name a folder of PNG, JPEG or WebP files"
        )
    if unfit:
        warn(f"{len(unfit)} of {len(names)} files in {folder} are left out: {why}")
    copies = len(found) - len(unfit) - len(known)
    if copies:
        warn(f"{copies} of {len(names)} files in {folder} are left out: copies of other ones")
    return FolderSource(folder, size, {bucket: tuple(files[bucket]) for bucket in sorted(files)})


def fitted(picture: Image.Image, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Lay a picture on black, cut its middle to a square and resample that; small ones are enlarged."""
    whole = picture.convert("RGBA")
    ground = Image.new("RGBA", whole.size, (0, 0, 0, 255))
    ground.alpha_composite(whole)
    square = ImageOps.fit(ground.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
    return np.array(square)


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        visible = not any(part.startswith(".") for part in parts) and slug(parts[0]) != _ASIDE
        if visible and path.suffix.lower() in _SUFFIXES and path.is_file():
            yield "/".join(parts)


def _look(folder: Path, name: str) -> _Found:
    try:
        return _Found(name, _digest(_opened(folder / name)), "")
    except ValueError as error:
        return _Found(name, "", str(error).partition(";")[0])


def _opened(path: Path) -> Image.Image:
    try:
        with path.open("rb") as handle:
            data = handle.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"can't be read ({error.strerror})") from None
    picture = decode_picture(data)
    if min(picture.size) < MIN_PICTURE_SIDE:
        raise ValueError(f"is smaller than {MIN_PICTURE_SIDE} pixels")
    return picture


def _digest(picture: Image.Image) -> str:
    """Digest what is seen, so that two files of one picture are told to be copies."""
    return digest_bytes(f"{picture.width} {picture.height} ".encode() + picture.tobytes())


def _bucket(name: str) -> str:
    top, _, below = name.partition("/")
    return slug(top) if below else _LOOSE


def _shown(name: str) -> str:
    """Write a name that may be no text, as file systems allow."""
    return name.encode(errors="replace").decode()
