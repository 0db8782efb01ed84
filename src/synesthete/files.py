"""Files appear whole: temporary name beside the target, fsync, rename; digests; safe names.

Leftovers of a killed process are recognisable (``.NAME.XXXX.part``) and never taken for results.
"""

import contextlib
import errno
import hashlib
import json
import mmap
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Shaped

from synesthete.errors import BusyError, OutputError, RenderError

__all__ = [
    "PART_SUFFIX",
    "code_digest",
    "copy_whole",
    "digest_bytes",
    "digest_file",
    "digest_json",
    "folder_size",
    "format_bytes",
    "let_pages_go",
    "locked",
    "make_folder",
    "slug",
    "sweep_parts",
    "whole_file",
    "write_json",
    "write_whole",
    "writing_to",
]

PART_SUFFIX = ".part"


@contextlib.contextmanager
def writing_to(target: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one clear sentence that names ``target``.

    Raises
    ------
    OutputError
        If the place can't be written to (permissions, a file where a folder should be, name too long).
    RenderError
        If the disk is full or fails while writing.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our output has gone, which says nothing of the target
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise RenderError(
                f"no space left while writing {target} ({reason}); free some and repeat the command, "
                "which goes on where it stopped"
            ) from error
        if error.errno in (
            errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR,
            errno.ENAMETOOLONG, errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.ENOTEMPTY,
        ):  # fmt: skip
            raise OutputError(f"cannot write {target} ({reason}); choose another place") from error
        raise RenderError(f"writing {target} failed ({reason}); check the disk and repeat") from error


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target`` that becomes ``target`` when the block ends well.

    On any error, KeyboardInterrupt included, the temporary file is removed and ``target`` is untouched.

    Raises
    ------
    OutputError, RenderError
        See `writing_to`.
    """
    # A target's own name may fill the file system's limit of 255 bytes; the part's name need not hold it.
    part = target.with_name(f".{target.stem[:24]}.{secrets.token_hex(4)}{target.suffix}{PART_SUFFIX}")
    try:
        with writing_to(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield part
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            with part.open("rb+") as handle:
                os.fsync(handle.fileno())
            part.replace(target)
            _sync_folder(target.parent)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes) -> None:
    """Write bytes so that ``target`` is either as before or complete."""
    with whole_file(target) as part:
        part.write_bytes(data)


def write_json(target: Path, value: Any) -> None:
    """Write readable JSON (UTF-8, sorted by insertion, no NaN), whole."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    # A file name need not be UTF-8; its stray bytes are escaped as JSON escapes them.
    write_whole(target, (text + "\n").encode(errors="backslashreplace"))


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that ``target`` is either as before or complete."""
    with whole_file(target) as part:
        shutil.copyfile(source, part)


def make_folder(folder: Path) -> Path:
    """Create a folder with its parents, or say clearly why not."""
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return folder


@contextlib.contextmanager
def locked(folder: Path, *, doing: str) -> Iterator[None]:
    """Keep other processes out of a folder; the lock dies with its process.

    Parameters
    ----------
    doing
        What another process does there, for the refusal: ``"another process " + doing``.

    Raises
    ------
    BusyError
        If another process has it.
    OutputError, RenderError
        See `writing_to`.
    """
    import filelock

    lock = filelock.FileLock(folder / ".lock", timeout=0)
    with writing_to(folder):
        try:
            lock.acquire()
        except filelock.Timeout:  # an OSError, which writing_to would take for the disk's
            raise BusyError(
                f"another process {doing} {folder}; wait until it is done, or name another folder"
            ) from None
    try:
        yield
    finally:
        lock.release()


def sweep_parts(folder: Path) -> None:
    """Remove what a killed process left half-written in ``folder``; call it only under the folder's lock."""
    for leftover in folder.glob(f".*{PART_SUFFIX}"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal; reads in pieces."""
    with path.open("rb") as handle:
        return _digest_stream(handle)


def let_pages_go(array: Shaped[np.ndarray, "..."]) -> None:
    """Unmap what was read of a memory-mapped array: until then its pages count as resident memory."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def digest_json(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form (sorted keys, no spaces), hexadecimal.

    Examples
    --------
    >>> digest_json({"b": 1, "a": 2}) == digest_json({"a": 2, "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return digest_bytes(text.encode())


def slug(text: str, *, limit: int = 40) -> str:
    """Make a name that is safe as a file name everywhere: ASCII letters, digits and dashes.

    Examples
    --------
    >>> slug("Björk: Jóga (live)")
    'bj-rk-j-ga-live'
    """
    cleaned = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-")
    return cleaned or "untitled"


def folder_size(folder: Path) -> int:
    """Add up the sizes of all files below ``folder``, bytes; links are not followed."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
    return total


def format_bytes(size: float) -> str:
    """Write a size for people.

    Examples
    --------
    >>> format_bytes(1_500_000)
    '1.5 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _digest_stream(handle: IO[bytes]) -> str:
    return hashlib.file_digest(handle, "sha256").hexdigest()  # type: ignore[arg-type]


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 over the package's own source: another version never continues a film by mistake."""
    root = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
