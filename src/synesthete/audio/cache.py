"""Timelines cached by content: an entry is found by what it was made from, and trusted only if unaltered."""

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Final

from synesthete.audio.analysis import ANALYSIS_VERSION
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.timeline import INDEX_FILE, Timeline
from synesthete.errors import InputError, RenderError
from synesthete.files import PART_SUFFIX, digest_json, make_folder, writing_to

__all__ = ["TimelineCache", "timeline_key"]

_KEY = re.compile(r"[0-9a-f]{64}")
_STALE_SECONDS: Final = 24 * 3600
_ATTEMPTS: Final = 8
_RETRY_SECONDS: Final = 0.01


def timeline_key(
    source_digest: str,
    *,
    start: Fraction = Fraction(0),
    stop: Fraction | None = None,
    options: Mapping[str, str | int | float | bool | None] | None = None,
) -> str:
    """Name what a timeline is made from: SHA-256, hexadecimal.

    Parameters
    ----------
    source_digest
        SHA-256 of the sound file.
    start, stop
        The part of it that is analysed, seconds; ``None`` is the end.
    options
        Whatever else changes the result, such as ``gain_db``.
    """
    return digest_json(
        {
            "analysis": ANALYSIS_VERSION,
            "columns": list(COLUMN_NAMES),
            "source": source_digest,
            "start": str(Fraction(start)),
            "stop": None if stop is None else str(Fraction(stop)),
            "options": dict(options or {}),
        }
    )


class TimelineCache:
    """A folder of timelines, one folder per key. Entries appear whole; processes may share it.

    Parameters
    ----------
    folder
        Where the entries are; made when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Timeline | None:
        """Give the entry, or ``None`` if it is absent, incomplete, damaged or altered."""
        entry = self._entry(key)
        if not (entry / INDEX_FILE).is_file():
            return None
        try:
            return Timeline.load(entry, key=key)
        except InputError:
            return None

    def put(self, key: str, timeline: Timeline) -> Timeline:
        """Store a timeline, and give it as stored.

        Raises
        ------
        OutputError, RenderError
            If the cache can't be written.
        """
        with self.create(key) as folder:
            timeline.save(folder, key=key)
        return self._stored(key)

    def get_or_create(self, key: str, build: Callable[[Path], object]) -> Timeline:
        """Give the entry, after building it in the folder that ``build`` is handed, if need be.

        ``build`` writes a timeline there, under the same key:
        ``lambda folder: analyse_stream(chunks, folder, key=key)``.

        Raises
        ------
        OutputError, RenderError
            If the cache can't be written; and whatever ``build`` raises.
        """
        found = self.get(key)
        if found is not None:
            return found
        with self.create(key) as folder:
            build(folder)
        return self._stored(key)

    @contextlib.contextmanager
    def create(self, key: str) -> Iterator[Path]:
        """Give a temporary folder that becomes the entry when the block ends well, and vanishes otherwise.

        If another process has finished the same entry meanwhile, that one stays.

        Raises
        ------
        InputError
            If the block left no whole timeline of this key there.
        OutputError, RenderError
            If the cache can't be written.
        """
        entry = self._entry(key)
        make_folder(self.folder)
        self._sweep()
        part = self._part(key)
        try:
            make_folder(part)
            yield part
            Timeline.load(part, key=key)
            self._settle(part, entry, key)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _settle(self, part: Path, entry: Path, key: str) -> None:
        """Rename ``part`` to ``entry``; give way to a whole entry, set a damaged one aside."""
        with writing_to(entry):
            for _ in range(_ATTEMPTS):
                # A folder can't be renamed onto one that holds files: whoever is first stays.
                with contextlib.suppress(OSError):
                    part.rename(entry)
                    return
                if self.get(key) is not None:
                    return
                aside = self._part(key)
                with contextlib.suppress(FileNotFoundError):
                    entry.rename(aside)
                _remove(aside)
            part.rename(entry)

    def _stored(self, key: str) -> Timeline:
        for _ in range(_ATTEMPTS):
            stored = self.get(key)
            if stored is not None:
                return stored
            # Another process that found the same damage may be putting its entry in place of ours.
            time.sleep(_RETRY_SECONDS)
        raise RenderError(f"the timeline cache in {self.folder} lost an entry; check the disk and repeat")

    def _entry(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise InputError(f"{key[:80]!r} is no timeline key; make one with timeline_key")
        return self.folder / key

    def _part(self, key: str) -> Path:
        return self.folder / f".{key[:24]}.{secrets.token_hex(4)}{PART_SUFFIX}"

    def _sweep(self) -> None:
        """Remove what killed processes left; a day is longer than any analysis takes."""
        for leftover in self.folder.glob(f".*{PART_SUFFIX}"):
            with contextlib.suppress(OSError):
                if time.time() - leftover.lstat().st_mtime > _STALE_SECONDS:
                    _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
