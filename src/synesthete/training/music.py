"""Recorded music for training: any folder, decoded once, and excerpts of it by number.

A decoder can't be trusted to seek to an exact sample in every format, and decoding up to the middle of a song
costs more than drawing a clip. So each file is decoded once, into 16-bit samples that are mapped into memory.
"""

import contextlib
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import filelock
import numpy as np
from jaxtyping import Float32, Int16

from synesthete.audio.augment import Augmentation, draw_augmentation
from synesthete.clock import ANALYSIS_SAMPLE_RATE, samples_at
from synesthete.errors import InputError, MediaError, TruncatedError
from synesthete.files import (
    digest_file,
    digest_json,
    make_folder,
    sweep_parts,
    whole_file,
    write_json,
    writing_to,
)
from synesthete.media.decode import Resampler, decode_sound
from synesthete.media.probe import probe_sound
from synesthete.seeding import generator_for

__all__ = ["Music", "MusicFile", "RealSong", "open_music", "real_song"]

_VERSION: Final = 1
_RANGE: Final = np.float32(2.0)  # lossy codecs overshoot full scale
_STEP: Final = np.float32(_RANGE / 32_768)
_FRAME_BYTES: Final = 4  # two channels of 16 bits
_LEAST_SECONDS: Final = 1.0
_SILENT_PEAK: Final = 1e-3  # -60 dBFS
_MOST_FILES: Final = 100_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MusicFile:
    """One file that can be used: its name in the folder, SHA-256, and samples at 44.1 kHz."""

    name: str
    digest: str
    samples: int


@dataclass(frozen=True)
class Music:
    """A folder of music, as its content is: files of one content count once, and names and order don't.

    Attributes
    ----------
    cache
        Where the decoded samples are.
    files
        By digest.
    skipped
        How many files can't be used, by reason.
    """

    cache: Path
    files: tuple[MusicFile, ...]
    skipped: Mapping[str, int]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that excerpts depend on."""
        return digest_json([_VERSION, [[file.digest, file.samples] for file in self.files]])

    @property
    def seconds(self) -> float:
        """Length of all files together."""
        return sum(file.samples for file in self.files) / ANALYSIS_SAMPLE_RATE

    def read(self, file: MusicFile, start: int, stop: int) -> Float32[np.ndarray, "2 samples"]:
        """Give samples ``start`` to ``stop`` of a file at 44.1 kHz; silence beyond its end.

        Raises
        ------
        MediaError
            If the decoded samples have gone from the workspace.
        """
        sound = np.zeros((2, stop - start), np.float32)
        part = self._samples(file)[start:stop]
        sound[:, : len(part)] = part.T * _STEP
        return sound

    def _samples(self, file: MusicFile) -> Int16[np.ndarray, "samples 2"]:
        path = _spool(self.cache, file.digest)
        try:
            return np.memmap(path, "<i2", "r", shape=(file.samples, 2))
        except (OSError, ValueError):
            raise MediaError(
                f"the decoded samples of {file.name} have gone from {self.cache}; repeat the command"
            ) from None


@dataclass(frozen=True)
class RealSong:
    """An excerpt of recorded music.

    Attributes
    ----------
    sound
        At 44.1 kHz, float32, within ±1.
    facts
        Where it is from and what was done to it, as plain values.
    augmentation
        The same, to map moments with.
    """

    sound: Float32[np.ndarray, "2 samples"]
    facts: dict[str, Any]
    augmentation: Augmentation


def open_music(
    folder: Path,
    workspace: Path,
    *,
    warn: Callable[[str], None] = _log.warning,
    on_file: Callable[[int, int], None] = lambda done, of: None,
) -> Music:
    """Find the music in a folder and below it, and decode what hasn't been decoded before.

    Parameters
    ----------
    folder
        Any folder; hidden files and folders are left out.
    workspace
        The decoded samples are kept in its ``cache/music``, 10.6 MB a minute, with an index by folder.
    warn
        Is told in one line how many files can't be used, and why.
    on_file
        Is told how many files have been looked at, and of how many.

    Raises
    ------
    MediaError
        If there is no such folder, or no music in it.
    OutputError, RenderError
        If the workspace can't be written.
    """
    paths = _files_below(folder)
    cache = make_folder(workspace / "cache" / "music")
    index = cache / f"index-{digest_json(os.fspath(folder.resolve()))[:16]}.json"
    entries: dict[str, dict[str, Any]] = {}
    with _locked(cache):
        sweep_parts(cache)
        known = _known(index)
        for done, path in enumerate(paths):
            on_file(done, len(paths))
            name = path.relative_to(folder).as_posix()
            entries[name] = _entry(path, known.get(name, {}), cache)
        on_file(len(paths), len(paths))
        if entries != known:
            write_json(index, {"version": _VERSION, "folder": os.fspath(folder), "files": entries})
    found: dict[str, MusicFile] = {}
    for name, entry in sorted(entries.items()):
        if "samples" in entry:
            found.setdefault(entry["digest"], MusicFile(name, entry["digest"], entry["samples"]))
    skipped = Counter(entry["unfit"] for entry in entries.values() if "unfit" in entry)
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(skipped.items()))
    if not found:
        raise MediaError(f"there is no music in {folder} ({why or 'no files'}); name a folder with songs")
    if skipped:
        warn(f"{skipped.total()} of {len(paths)} files in {folder} are not used: {why}")
    return Music(cache, tuple(found[digest] for digest in sorted(found)), dict(skipped))


def real_song(
    music: Music, seed: int, index: int, *, seconds: float, augment: Mapping[str, Any] | None = None
) -> RealSong:
    """Take an excerpt of recorded music; a pure function of the music's content and the other arguments.

    Files are chosen in proportion to their length. One that is too short is followed by silence.

    Parameters
    ----------
    seed, index
        Of the draw.
    seconds
        Length of the excerpt, above 0.
    augment
        The ranges of `synesthete.audio.augment.draw_augmentation`; None leaves the music as it is.

    Raises
    ------
    InputError
        If the length isn't above 0.
    MediaError
        If the decoded samples have gone.
    """
    samples = samples_at(seconds, ANALYSIS_SAMPLE_RATE)
    if samples < 1:
        raise InputError(f"an excerpt of {seconds:g} s holds no sample; make it longer")
    draws = generator_for(seed, "music.excerpt", index)
    ends = np.cumsum([file.samples for file in music.files])
    file = music.files[int(np.searchsorted(ends, draws.integers(ends[-1]), side="right"))]
    varied = Augmentation() if augment is None else draw_augmentation(seed, "music", index, **augment)
    needed = varied.source_samples(samples)
    start = int(draws.integers(max(0, file.samples - needed) + 1))
    sound = varied.apply(music.read(file, start, start + needed), samples)
    facts = {
        "file": file.name,
        "sha256": file.digest,
        "start_s": round(start / ANALYSIS_SAMPLE_RATE, 6),
        "augment": varied.to_json(),
    }
    return RealSong(sound, facts, varied)


@contextlib.contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Let processes that start together wait for the one that decodes."""
    lock = filelock.FileLock(cache / ".lock")
    with writing_to(cache):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _files_below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise MediaError(f"{folder} is no folder; name one with music in it")
    paths: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
        if len(paths) > _MOST_FILES:
            raise MediaError(f"{folder} holds over {_MOST_FILES} files; name a folder with music only")
    return paths


def _known(index: Path) -> dict[str, dict[str, Any]]:
    """Read what an earlier call found; nothing if it is of another version or damaged."""
    try:
        read = json.loads(index.read_text())
        files = read["files"] if read["version"] == _VERSION else {}
        return {str(name): dict(entry) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _entry(path: Path, known: Mapping[str, Any], cache: Path) -> dict[str, Any]:
    """Say what a file is: its samples, or why it can't be used."""
    try:
        status = path.stat()
        stamp = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
        if {key: known.get(key) for key in stamp} == stamp and _still_holds(known, cache):
            return dict(known)
        probe_sound(path)
        stamp["digest"] = digest_file(path)  # type: ignore[assignment]
    except MediaError:
        return {**stamp, "unfit": "no sound that can be read"}
    except OSError:
        return {"unfit": "can't be opened"}
    try:
        return {**stamp, "samples": _decode(path, _spool(cache, str(stamp["digest"])))}
    except _UnfitError as error:
        return {**stamp, "unfit": str(error)}
    except TruncatedError:
        return {**stamp, "unfit": "damaged or cut off"}
    except MediaError:
        return {**stamp, "unfit": "can't be decoded"}


class _UnfitError(Exception):
    """Sound that is of no use for training."""


def _still_holds(known: Mapping[str, Any], cache: Path) -> bool:
    if "unfit" in known:
        return True
    return _decoded_samples(_spool(cache, str(known.get("digest")))) == known.get("samples")


def _decode(path: Path, target: Path) -> int:
    """Decode a file to stereo at 44.1 kHz, 16 bits, unless its content was before; give the samples."""
    if (samples := _decoded_samples(target)) is not None:
        return samples
    peak, samples = 0.0, 0
    with whole_file(target) as part, part.open("wb") as handle:
        for chunk in _stereo(path):
            peak = max(peak, float(np.abs(chunk).max(initial=0.0)))
            samples += chunk.shape[1]
            levels = np.clip(np.rint(chunk.T / _STEP), -32_768, 32_767)
            handle.write(levels.astype("<i2").tobytes())
        if samples < _LEAST_SECONDS * ANALYSIS_SAMPLE_RATE:
            raise _UnfitError(f"shorter than {_LEAST_SECONDS:g} s")
        if peak < _SILENT_PEAK:
            raise _UnfitError("silent")
    return samples


def _stereo(path: Path) -> Iterator[Float32[np.ndarray, "2 samples"]]:
    info = probe_sound(path)
    channels = 1 if info.channels == 1 else 2
    resampler = Resampler(info.sample_rate, ANALYSIS_SAMPLE_RATE, channels)
    for chunk in decode_sound(path):
        yield np.broadcast_to(ready := resampler.push(chunk), (2, ready.shape[1]))
    yield np.broadcast_to(rest := resampler.flush(), (2, rest.shape[1]))


def _decoded_samples(spool: Path) -> int | None:
    try:
        return spool.stat().st_size // _FRAME_BYTES
    except OSError:
        return None


def _spool(cache: Path, digest: str) -> Path:
    return cache / f"{digest}.s16"
