"""Analyse a stream of sound into a Timeline on disk, in bounded memory; short songs together, in memory."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32, Shaped
from torch import Tensor

from synesthete.audio.columns import COLUMN_NAMES, DERIVED_NAMES, MEASURED_NAMES, SPECTRUM_BANDS
from synesthete.audio.features import FeatureStream, Measured, measure
from synesthete.audio.listening import listen_through
from synesthete.audio.music import Music
from synesthete.audio.rhythm import BPM_RANGE
from synesthete.audio.stem_rows import stem_rows
from synesthete.audio.stems import STEM_COLUMNS
from synesthete.audio.timeline import (
    INDEX_FILE,
    SPECTRUM_FILE,
    TABLE_FILE,
    WAVE_FILE,
    Timeline,
    write_index,
)
from synesthete.audio.wave import WaveStream
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.errors import InputError, SynestheteError
from synesthete.files import make_folder, whole_file, writing_to

__all__ = ["ANALYSIS_VERSION", "analyse_songs", "analyse_stream"]

ANALYSIS_VERSION: Final = 3
"""Part of every cache key: raise it with every change of what a column holds."""

_MAX_GAIN_DB: Final = 60.0
_LENGTH_TOLERANCE_SECONDS: Final = 0.05
Chunk = Float32[np.ndarray, "channels samples"]


def analyse_stream(
    chunks: Iterable[Chunk],
    folder: Path,
    *,
    sample_rate: int = ANALYSIS_SAMPLE_RATE,
    samples: int | Callable[[], int] | None = None,
    gain_db: float = 0.0,
    bpm: float | None = None,
    stems: Mapping[str, Iterable[Chunk]] | None = None,
    key: str | None = None,
) -> Timeline:
    """Analyse sound as it comes, and write its Timeline into a folder.

    Rows go to disk as they are made; what only the whole track can tell is then derived from the rows on
    disk.

    Parameters
    ----------
    chunks
        Sound at 44.1 kHz, 1 or 2 channels, in pieces of any size; their sizes change nothing.
    folder
        Where ``table.npy``, ``spectrum.npy``, ``wave.npy`` and, last, ``timeline.json`` go.
    sample_rate
        The track's own sample rate, Hz.
    samples
        The track's length at its own rate, or a function that tells it once the chunks are used up (a decoder
        that counts as it streams); by default, the length at 44.1 kHz.
    gain_db
        Constant gain applied before the analysis, for quiet masters; -60 to 60.
    bpm
        The track's tempo, if it is known.
    stems
        The sound of its stems, by the names of `synesthete.audio.stems.STEM_NAMES`, each as ``chunks``.
    key
        What the folder is cached under, if it is.

    Returns
    -------
    The timeline, memory-mapped.

    Raises
    ------
    InputError
        If there is no sound, the gain or the tempo is out of range, or a stem's length differs.
    SynestheteError
        If the track's own length and the length at 44.1 kHz differ by more than 50 ms.
    OutputError, RenderError
        If the folder can't be written.
    """
    if not -_MAX_GAIN_DB <= gain_db <= _MAX_GAIN_DB:
        raise InputError(f"gain {gain_db} dB is outside -60 to 60; pass for instance 6")
    if bpm is not None and not BPM_RANGE[0] <= bpm <= BPM_RANGE[1]:
        raise InputError(f"a tempo of {bpm:g} bpm is outside {BPM_RANGE[0]} to {BPM_RANGE[1]}; pass another")
    make_folder(folder)
    with writing_to(folder):
        (folder / INDEX_FILE).unlink(missing_ok=True)
    gain = np.float32(10.0 ** (gain_db / 20.0))
    heard = _write_tables((chunk * gain for chunk in chunks), folder)
    native = samples() if callable(samples) else heard if samples is None else samples
    _check_length(native, sample_rate, heard)
    names = [*COLUMN_NAMES]
    for stem, sound in (stems or {}).items():
        _write_stem(stem, (chunk * gain for chunk in sound), folder, names)
        names += [f"{stem}.{column}" for column in STEM_COLUMNS]
    music = _derive(folder, native / sample_rate, bpm)
    write_index(folder, names, native, sample_rate, music=music, key=key)
    return Timeline.load(folder, key=key)


def analyse_songs(sounds: Float[Tensor, "songs channels samples"]) -> list[Timeline]:
    """Analyse songs of one length together; the same values as `analyse_stream` gives for each.

    Parameters
    ----------
    sounds
        At 44.1 kHz, 1 or 2 channels, full scale ±1, on any device; the columns are measured there.

    Returns
    -------
    A timeline for each, in memory.

    Raises
    ------
    InputError
        If there is no sound, or not 1 or 2 channels.
    """
    samples = sounds.shape[-1]
    measured = measure(sounds)
    timelines = []
    for sound, table, bands in zip(
        sounds.cpu(), measured.columns.cpu(), measured.spectrum.cpu(), strict=True
    ):
        spectrum = bands.numpy()
        columns = dict(zip(MEASURED_NAMES, table.T.numpy(), strict=True))
        derived, music = listen_through(columns, spectrum, duration_s=samples / ANALYSIS_SAMPLE_RATE)
        whole = np.concatenate([table.numpy(), np.stack([*derived.values()], axis=1)], axis=1)
        halves = WaveStream()
        wave = np.concatenate([halves.push(sound.numpy()), halves.flush()])
        timelines.append(Timeline(whole, COLUMN_NAMES, spectrum, samples, ANALYSIS_SAMPLE_RATE, music, wave))
    return timelines


def _write_tables(chunks: Iterable[Chunk], folder: Path) -> int:
    """Write the tables, with zeros for what is derived, and the wave; give the samples heard per channel."""
    stream, halves = FeatureStream(), WaveStream()
    heard = 0
    with (
        _RowFile(folder / TABLE_FILE, len(COLUMN_NAMES)) as table,
        _RowFile(folder / SPECTRUM_FILE, SPECTRUM_BANDS) as spectrum,
        _RowFile(folder / WAVE_FILE, 2, "<i2") as wave,
    ):

        def keep(measured: Measured) -> None:
            later = measured.columns.new_zeros(len(measured.columns), len(DERIVED_NAMES))
            table.append(torch.cat([measured.columns, later], dim=1).numpy())
            spectrum.append(measured.spectrum.numpy())

        for chunk in chunks:
            keep(stream.push(chunk))
            wave.append(halves.push(chunk))
            heard += chunk.shape[1]
        keep(stream.flush())
        wave.append(halves.flush())
    if heard == 0:
        raise InputError("the track has no sound: it is empty")
    return heard


def _write_stem(stem: str, chunks: Iterable[Chunk], folder: Path, names: list[str]) -> None:
    """Widen the table by the columns of a stem."""
    path = folder / TABLE_FILE
    table = np.load(path, mmap_mode="r")
    with whole_file(path) as part:
        done = 0
        with _RowFile(part, len(names) + len(STEM_COLUMNS)) as wider:
            for rows in stem_rows(stem, chunks, len(table)):
                wider.append(np.concatenate([table[done : done + len(rows)], rows], axis=1))
                done += len(rows)


def _derive(folder: Path, duration_s: float, bpm: float | None) -> Music:
    """Hear the rows on disk as music, and fill the derived columns in."""
    with writing_to(folder):
        table = np.load(folder / TABLE_FILE, mmap_mode="r+")
        spectrum = np.load(folder / SPECTRUM_FILE, mmap_mode="r")
        columns = {name: table[:, place] for place, name in enumerate(MEASURED_NAMES)}
        derived, music = listen_through(columns, spectrum, duration_s=duration_s, bpm=bpm)
        for name, values in derived.items():
            table[:, COLUMN_NAMES.index(name)] = values
        table.flush()
    return music


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
    """A ``.npy`` file of rows that grows; its header tells the number of rows once it is closed."""

    def __init__(self, path: Path, columns: int, dtype: str = "<f4") -> None:
        self._path = path
        self._columns = columns
        self._dtype = dtype
        self._rows = 0
        with writing_to(path):
            self._handle = path.open("wb+")
            self._start = self._write_header()

    def __enter__(self) -> "_RowFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with writing_to(self._path), self._handle:  # closing writes too
            if kind is None:
                assert self._write_header() == self._start
                self._handle.flush()
                os.fsync(self._handle.fileno())

    def append(self, rows: Shaped[np.ndarray, "rows columns"]) -> None:
        with writing_to(self._path):
            self._handle.write(rows.astype(self._dtype).tobytes())
        self._rows += len(rows)

    def _write_header(self) -> int:
        """Write the header and give its length; NumPy leaves room in it for the rows to grow."""
        self._handle.seek(0)
        shape = (self._rows, self._columns)
        header = {"descr": self._dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._handle, header)
        return self._handle.tell()
