"""A run's folder: its lock, its finished Segments, its manifest.

::

    renders/RUN_ID/
      film.mp4        the film, whole or not there; film.webm, film.mov and so on in other formats
      meta.json       the manifest, written last
      previews/       keyframes, snippet, contact sheet
      certificate.*   what was measured on the film
      work/           while it renders: trajectory, sound, Segments, what was seen of each; removed when the
                      film is finished
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from synesthete.errors import BusyError
from synesthete.evaluation.certificate import CERTIFICATE_JSON, CERTIFICATE_PAGE
from synesthete.files import digest_file, make_folder, sweep_parts, write_json, writing_to
from synesthete.media.codecs import CODINGS, Coding
from synesthete.render.plan import Segment

__all__ = ["FINISHED", "RunFolder", "StoredPart", "seen_path"]

FINISHED = "finished"


@dataclass(frozen=True)
class StoredPart:
    """A finished piece of a run and what its sidecar says of it."""

    path: Path
    facts: dict[str, Any]


def seen_path(segment: Path) -> Path:
    """Name the file beside a Segment's that holds what was seen of it."""
    return segment.with_suffix(".npz")


class RunFolder:
    """The folder of one run.

    Parameters
    ----------
    path
        ``renders/RUN_ID``; made when the run is opened.
    coding
        How the film is made: that says how its file's name, and those of its Segments, end.
    """

    def __init__(self, path: Path, coding: Coding = CODINGS["h264"]) -> None:
        self.path = path
        self._coding = coding
        self.film = path / f"film{coding.film.suffix}"
        self.manifest = path / "meta.json"
        self.previews = path / "previews"
        self.work = path / "work"

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder and hold its lock; the system frees the lock if the process dies.

        Raises
        ------
        BusyError
            If another process renders this run.
        OutputError
            If the folder can't be made.
        """
        make_folder(self.path)
        lock = filelock.FileLock(self.path / ".lock", timeout=0)
        with writing_to(self.path):
            try:
                lock.acquire()
            except filelock.Timeout:  # an OSError, which writing_to would take for the disk's
                raise BusyError(
                    f"another process is rendering {self.path}; wait for it, or render with another --seed"
                ) from None
        try:
            for folder in (self.path, self.previews, self.work):
                sweep_parts(folder)
            yield
        finally:
            lock.release()

    def finished(self) -> dict[str, Any] | None:
        """Give the manifest of a finished run whose film is as it was written; else None."""
        try:
            manifest = json.loads(self.manifest.read_text())
            if manifest["status"] != FINISHED or manifest["film"]["bytes"] != self.film.stat().st_size:
                return None
            if digest_file(self.film) != manifest["film"]["sha256"]:
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return dict(manifest)

    def segment_path(self, segment: Segment, key: str) -> Path:
        """Name a Segment's file by its key, so that one from other inputs is never taken for it."""
        return self.work / f"segment-{segment.index:05d}-{key[:16]}{self._coding.segment.suffix}"

    def stored(self, path: Path, key: str) -> StoredPart | None:
        """Give a finished piece if it is there, carries this key and is undamaged; else None."""
        try:
            facts = json.loads(path.with_suffix(".json").read_text())
            if facts["key"] != key or facts["sha256"] != digest_file(path):
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return StoredPart(path, facts)

    def store(self, path: Path, key: str, **facts: Any) -> StoredPart:
        """Write a piece's sidecar; only with it the piece counts as finished."""
        values = {"key": key, "sha256": digest_file(path), **facts}
        write_json(path.with_suffix(".json"), values)
        return StoredPart(path, values)

    def clear_work(self) -> None:
        """Remove what only an unfinished film needs."""
        shutil.rmtree(self.work, ignore_errors=True)

    def clear(self) -> None:
        """Remove everything but the lock."""
        self.clear_work()
        shutil.rmtree(self.previews, ignore_errors=True)
        names = (CERTIFICATE_JSON, CERTIFICATE_PAGE)
        for path in (self.manifest, self.film, *(self.path / name for name in names)):
            path.unlink(missing_ok=True)
