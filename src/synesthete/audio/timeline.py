"""The Timeline: named features of a track at 100 Hz, and its sound for scopes, memory-mapped when loaded."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64, Int16, Shaped

from synesthete.audio.columns import SPECS, SPECTRUM_BANDS
from synesthete.audio.framing import sample_rows
from synesthete.audio.music import Music
from synesthete.audio.stems import stem_specs
from synesthete.audio.wave import WAVE_RATE, aligned_windows, no_wave
from synesthete.clock import ANALYSIS_RATE, Clock
from synesthete.errors import InputError
from synesthete.files import (
    digest_file,
    digest_json,
    let_pages_go,
    make_folder,
    whole_file,
    write_json,
)

__all__ = ["INDEX_FILE", "SPECTRUM_FILE", "TABLE_FILE", "WAVE_FILE", "Timeline", "write_index"]

TABLE_FILE: Final = "table.npy"
SPECTRUM_FILE: Final = "spectrum.npy"
WAVE_FILE: Final = "wave.npy"
INDEX_FILE: Final = "timeline.json"
_FORMAT: Final = 3
_HASHED_ROWS: Final = 16_384
_TYPES: Final = {TABLE_FILE: "<f4", SPECTRUM_FILE: "<f4", WAVE_FILE: "<i2"}
_SPECS: Final = SPECS | {spec.name: spec for spec in stem_specs()}


@dataclass(frozen=True, eq=False)
class Timeline:
    """What was heard in a track, at 100 Hz.

    Parameters
    ----------
    table
        One row per 10 ms, one column per name; row ``k`` is the moment ``k/100`` s.
    names
        Names of the columns, each documented in `synesthete.audio.columns.COLUMNS` or
        `synesthete.audio.stems.stem_specs`.
    spectrum
        64 log-spaced bands, 30 Hz to 16 kHz, -60..0 dBFS as 0..1.
    samples, sample_rate
        Length of the track at its own sample rate (Hz): what the film's length is counted from.
    music
        Beats, bars, key and sections.
    wave
        The sound itself, left and right at 22.05 kHz, ±32767; empty if it is not known, which reads as
        silence.

    Raises
    ------
    InputError
        If the shapes don't fit, a name is unknown or doubled, or there is no sound.
    """

    table: Float32[np.ndarray, "ticks columns"]
    names: tuple[str, ...]
    spectrum: Float32[np.ndarray, "ticks 64"]
    samples: int
    sample_rate: int
    music: Music = field(default_factory=Music)
    wave: Int16[np.ndarray, "halves 2"] = field(default_factory=no_wave)

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in _SPECS]
        if unknown or len(set(self.names)) != len(self.names):
            raise InputError(f"a timeline can't have the columns {unknown or 'it names twice'}")
        fits = self.table.ndim == 2 and self.table.shape[1] == len(self.names)
        if not fits or self.spectrum.shape != (len(self.table), SPECTRUM_BANDS):
            raise InputError(
                f"a timeline of {len(self.names)} columns can't have a table of shape {self.table.shape} "
                f"and a spectrum of shape {self.spectrum.shape}"
            )
        # Twice the samples at 22.05 kHz are those at 44.1 kHz, or one more; the last row need not be full.
        heard = len(self.wave) / WAVE_RATE * ANALYSIS_RATE
        if self.wave.shape != (len(self.wave), 2) or (heard and abs(heard - len(self.table)) > 1):
            raise InputError(
                f"a timeline of {len(self.table)} rows can't have a wave of shape {self.wave.shape}"
            )
        if len(self.table) == 0 or self.samples < 1 or self.sample_rate < 1:
            raise InputError("the track has no sound: it is empty")

    @property
    def duration(self) -> Fraction:
        """Length of the track, seconds, exact."""
        return Fraction(self.samples, self.sample_rate)

    @property
    def ticks(self) -> int:
        """Rows of the table."""
        return len(self.table)

    def column(self, name: str) -> Float32[np.ndarray, " ticks"]:
        """Give one column at 100 Hz.

        Raises
        ------
        InputError
            If there is no such column; says which come close.
        """
        return np.asarray(self.table[:, self._index(name)])

    def frame_count(self, frame_rate: Fraction) -> int:
        """Count the frames of a film of this track."""
        return Clock(frame_rate).frames_for(self.samples, self.sample_rate)

    def at_frames(
        self,
        frame_rate: Fraction,
        names: Sequence[str] | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Float32[np.ndarray, "frames columns"]:
        """Give columns on the frame clock, by a kernel fixed in seconds (DESIGN, §5).

        Peaks: the maximum within ±21 ms of the frame's moment. Levels: the mean over ±21 ms. Indices: the
        nearest row. Frame ``i`` at 30 frames a second is frame ``2i`` at 60, to the bit.

        Parameters
        ----------
        frame_rate
            Frames per second.
        names
            Columns to give, in this order; all of them by default.
        start, stop
            Frames ``start`` to ``stop`` (exclusive); the whole film by default.

        Raises
        ------
        InputError
            If a name is unknown, or the film has no such frames.
        """
        return self.at_moments(self._moments(frame_rate, start, stop), names)

    def at_moments(
        self, moments: Float64[np.ndarray, " n"], names: Sequence[str] | None = None
    ) -> Float32[np.ndarray, "n columns"]:
        """Give columns at moments, by the same kernel; see `at_frames`.

        Parameters
        ----------
        moments
            Seconds, ascending. Beyond its ends the table is held.
        names
            Columns to give, in this order; all of them by default.

        Raises
        ------
        InputError
            If a name is unknown.
        """
        wanted = self.names if names is None else tuple(names)
        indices = [self._index(name) for name in wanted]
        return sample_rows(self.table, indices, [_SPECS[name].kind for name in wanted], moments)

    def spectrum_at_frames(
        self, frame_rate: Fraction, start: int = 0, stop: int | None = None
    ) -> Float32[np.ndarray, "frames 64"]:
        """Give the spectrum on the frame clock: the mean over ±21 ms; see `at_frames`.

        Raises
        ------
        InputError
            If the film has no such frames.
        """
        moments = self._moments(frame_rate, start, stop)
        bands = range(SPECTRUM_BANDS)
        return sample_rows(self.spectrum, bands, ["level" for _ in bands], moments)

    def wave_at(self, moments: Float64[np.ndarray, " n"]) -> Float32[np.ndarray, "n 2 512"]:
        """Give the sound around moments, for scopes: 512 samples at 22.05 kHz (23 ms), left and right.

        Each window is moved by at most 256 samples, so that a rising zero crossing lies in its middle and
        what is drawn of it stands still; see `synesthete.audio.wave.aligned_windows`. The result takes 4 KB
        a moment.

        Parameters
        ----------
        moments
            Seconds, finite, in any order.

        Returns
        -------
        -1..1, a function of each moment alone; zeros beyond the ends, and where the wave is not known.

        Raises
        ------
        InputError
            If a moment is not finite.
        """
        return aligned_windows(self.wave, moments)

    def wave_at_frames(
        self, frame_rate: Fraction, start: int = 0, stop: int | None = None
    ) -> Float32[np.ndarray, "frames 2 512"]:
        """Give the sound around each frame's moment; see `wave_at`.

        Raises
        ------
        InputError
            If the film has no such frames.
        """
        return self.wave_at(self._moments(frame_rate, start, stop))

    def digest(self) -> str:
        """SHA-256 over names, length and all values: the same in memory and loaded."""
        content = hashlib.sha256()
        for name, array in self._arrays().items():
            for start in range(0, len(array), _HASHED_ROWS):
                rows = np.ascontiguousarray(array[start : start + _HASHED_ROWS], _TYPES[name])
                content.update(rows.tobytes())
            let_pages_go(array)
        head = [list(self.names), self.samples, self.sample_rate, self.music.to_json()]
        return digest_json([*head, content.hexdigest()])

    def save(self, folder: Path, *, key: str | None = None) -> None:
        """Write the timeline into a folder; its index comes last, so it is whole or not there.

        Parameters
        ----------
        folder
            Made if need be; a timeline that is there is replaced.
        key
            What the folder is cached under, if it is.

        Raises
        ------
        OutputError, RenderError
            If the folder can't be written.
        """
        make_folder(folder)
        (folder / INDEX_FILE).unlink(missing_ok=True)
        for name, array in self._arrays().items():
            with whole_file(folder / name) as part, part.open("wb") as handle:
                np.save(handle, np.ascontiguousarray(array, _TYPES[name]), allow_pickle=False)
        write_index(folder, self.names, self.samples, self.sample_rate, music=self.music, key=key)

    @classmethod
    def load(cls, folder: Path, *, key: str | None = None) -> "Timeline":
        """Open a saved timeline, read-only and memory-mapped, after checking its digests.

        Parameters
        ----------
        folder
            Where `save` or `synesthete.audio.analysis.analyse_stream` wrote it.
        key
            If given, the key it must have been written under.

        Raises
        ------
        InputError
            If it is missing, damaged, altered, or of another key or format.
        """
        try:
            return cls._load(folder, key)
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
            InputError,
        ) as error:
            raise InputError(
                f"the timeline in {folder} is missing or damaged; remove that folder and repeat the command"
            ) from error

    @classmethod
    def _load(cls, folder: Path, key: str | None) -> "Timeline":
        index: dict[str, Any] = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
        if index.pop("digest") != digest_json(index):
            raise InputError("the index was altered")
        if index["format"] != _FORMAT or (key is not None and index["key"] != key):
            raise InputError("the index is of another format or key")
        arrays: dict[str, np.ndarray] = {}
        for name, kind in _TYPES.items():
            if digest_file(folder / name) != index["files"][name]:
                raise InputError(f"{name} was altered")
            arrays[name] = np.load(folder / name, mmap_mode="r", allow_pickle=False)
            if arrays[name].dtype != np.dtype(kind):
                raise InputError(f"{name} holds values of another type")
        return cls(
            arrays[TABLE_FILE],
            tuple(index["names"]),
            arrays[SPECTRUM_FILE],
            int(index["samples"]),
            int(index["sample_rate"]),
            Music.from_json(index["music"]),
            arrays[WAVE_FILE],
        )

    def _arrays(self) -> dict[str, Shaped[np.ndarray, "rows _"]]:
        return {TABLE_FILE: self.table, SPECTRUM_FILE: self.spectrum, WAVE_FILE: self.wave}

    def _index(self, name: str) -> int:
        if name in self.names:
            return self.names.index(name)
        close = difflib.get_close_matches(name, self.names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(self.names)}"
        raise InputError(f"the timeline has no column {name!r}; {hint}")

    def _moments(self, frame_rate: Fraction, start: int, stop: int | None) -> np.ndarray:
        frames = self.frame_count(frame_rate)
        end = frames if stop is None else stop
        if not 0 <= start <= end <= frames:
            raise InputError(f"frames {start} to {end} are outside the film, which has {frames} frames")
        return Clock(frame_rate).moments(start, end)


def write_index(
    folder: Path,
    names: Sequence[str],
    samples: int,
    sample_rate: int,
    *,
    music: Music,
    key: str | None = None,
) -> None:
    """Write the index of a folder whose arrays are complete: with it, the timeline is whole."""
    index = {
        "format": _FORMAT,
        "key": key,
        "names": list(names),
        "samples": samples,
        "sample_rate": sample_rate,
        "music": music.to_json(),
        "files": {name: digest_file(folder / name) for name in _TYPES},
    }
    write_json(folder / INDEX_FILE, {**index, "digest": digest_json(index)})
