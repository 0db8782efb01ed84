"""Analyse a stream of sound into a Timeline on disk, in bounded memory."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32

from synesthete.audio.columns import COLUMN_NAMES, DERIVED_NAMES, MEASURED_NAMES, SPECTRUM_BANDS
from synesthete.audio.derived import derive
from synesthete.audio.features import FeatureStream, Measured
from synesthete.audio.timeline import INDEX_FILE, SPECTRUM_FILE, TABLE_FILE, Timeline, write_index
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.errors import InputError, SynestheteError
from synesthete.files import make_folder, writing_to

__all__ = ["ANALYSIS_VERSION", "analyse_stream"]

ANALYSIS_VERSION: Final = 1
"""Part of every cache key: raise it with every change of what a column holds."""

_MAX_GAIN_DB: Final = 60.0
_REWRITTEN_ROWS: Final = 8192
_LENGTH_TOLERANCE_SECONDS: Final = 0.05
_LOUDNESS: Final = MEASURED_NAMES.index("loudness")
_ONSET: Final = MEASURED_NAMES.index("onset")

Chunk = Float32[np.ndarray, "channels samples"]


def analyse_stream(
    chunks: Iterable[Chunk],
    folder: Path,
    *,
    sample_rate: int = ANALYSIS_SAMPLE_RATE,
    samples: int | Callable[[], int] | None = None,
    gain_db: float = 0.0,
    key: str | None = None,
) -> Timeline:
    """Analyse sound as it comes, and write its Timeline into a folder.

    Rows go to disk as they are made; in memory stay one block of sound and the two columns from which others
    are derived (3 MB an hour).

    Parameters
    ----------
    chunks
        Sound at 44.1 kHz, 1 or 2 channels, in pieces of any size; their sizes change nothing.
    folder
        Where ``table.npy``, ``spectrum.npy`` and, last, ``timeline.json`` go.
    sample_rate
        The track's own sample rate, Hz.
    samples
        The track's length at its own rate, or a function that tells it once the chunks are used up (a decoder
        that counts as it streams); by default, the length at 44.1 kHz.
    gain_db
        Constant gain applied before the analysis, for quiet masters; -60 to 60.
    key
        What the folder is cached under, if it is.

    Returns
    -------
    The timeline, memory-mapped.

    Raises
    ------
    InputError
        If there is no sound, or the gain is out of range.
    SynestheteError
        If the track's own length and the length at 44.1 kHz differ by more than 50 ms.
    OutputError, RenderError
        If the folder can't be written.
    """
    if not -_MAX_GAIN_DB <= gain_db <= _MAX_GAIN_DB:
        raise InputError(f"gain {gain_db} dB is outside -60 to 60; pass for instance 6")
    make_folder(folder)
    with writing_to(folder):
        (folder / INDEX_FILE).unlink(missing_ok=True)
    heard = _write_tables(chunks, 10.0 ** (gain_db / 20.0), folder)
    native = samples() if callable(samples) else heard if samples is None else samples
    _check_length(native, sample_rate, heard)
    write_index(folder, COLUMN_NAMES, native, sample_rate, key=key)
    return Timeline.load(folder, key=key)


def _write_tables(chunks: Iterable[Chunk], gain: float, folder: Path) -> int:
    """Write both tables and give the number of samples heard (per channel)."""
    stream = FeatureStream()
    loudness: list[torch.Tensor] = []
    onset: list[torch.Tensor] = []
    heard = 0
    with (
        _RowFile(folder / TABLE_FILE, len(COLUMN_NAMES)) as table,
        _RowFile(folder / SPECTRUM_FILE, SPECTRUM_BANDS) as spectrum,
    ):

        def keep(measured: Measured) -> None:
            later = measured.columns.new_zeros(len(measured.columns), len(DERIVED_NAMES))
            table.append(torch.cat([measured.columns, later], dim=1))
            spectrum.append(measured.spectrum)
            loudness.append(measured.columns[:, _LOUDNESS].clone())
            onset.append(measured.columns[:, _ONSET].clone())

        for chunk in chunks:
            keep(stream.push(chunk * np.float32(gain)))
            heard += chunk.shape[1]
        keep(stream.flush())
        if heard == 0:
            raise InputError("the track has no sound: it is empty")
        table.replace_last_columns(derive(torch.cat(loudness), torch.cat(onset)))
    return heard


def _check_length(samples: int, sample_rate: int, heard: int) -> None:
    if sample_rate < 1:
        raise InputError(f"sample rate {sample_rate} Hz is not above 0")
    difference = abs(samples / sample_rate - heard / ANALYSIS_SAMPLE_RATE)
    if difference > _LENGTH_TOLERANCE_SECONDS:
        raise SynestheteError(
            f"the analysis heard {heard / ANALYSIS_SAMPLE_RATE:.3f} s of a track of "
            f"{samples / sample_rate:.3f} s; its resampling or its length is wrong"
        )


class _RowFile:
    """A ``.npy`` file of float32 rows that grows; its header tells the number of rows once it is closed."""

    def __init__(self, path: Path, columns: int) -> None:
        self._path = path
        self._columns = columns
        self._rows = 0
        with writing_to(path):
            self._handle = path.open("wb+")
            self._start = self._write_header()

    def __enter__(self) -> "_RowFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._handle, writing_to(self._path):
            if kind is None:
                assert self._write_header() == self._start
                self._handle.flush()
                os.fsync(self._handle.fileno())

    def append(self, rows: Float[torch.Tensor, "rows columns"]) -> None:
        with writing_to(self._path):
            self._handle.write(rows.numpy().astype("<f4").tobytes())
        self._rows += len(rows)

    def replace_last_columns(self, values: Float[torch.Tensor, "ticks last"]) -> None:
        """Overwrite the last columns of all rows, a few thousand rows at a time."""
        with writing_to(self._path):
            for start in range(0, self._rows, _REWRITTEN_ROWS):
                part = values[start : start + _REWRITTEN_ROWS].numpy()
                place = self._start + start * self._columns * 4
                self._handle.seek(place)
                data = self._handle.read(len(part) * self._columns * 4)
                rows = np.frombuffer(data, "<f4").reshape(len(part), self._columns).copy()
                rows[:, -part.shape[1] :] = part
                self._handle.seek(place)
                self._handle.write(rows.tobytes())

    def _write_header(self) -> int:
        """Write the header and give its length; NumPy leaves room in it for the rows to grow."""
        self._handle.seek(0)
        shape = (self._rows, self._columns)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._handle, header)
        return self._handle.tell()
