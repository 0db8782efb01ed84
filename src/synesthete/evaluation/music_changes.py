"""Change the music and nothing else: shuffle it in time, silence it, mute a band.

Each change comes twice, for the Timeline that our generators read and for the sound that FFmpeg's scopes
read, so that all of them are asked the same question.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int16, Int64
from scipy.signal import butter, sosfilt

from synesthete.audio.around import silence_by_column
from synesthete.audio.columns import BANDS, COLUMN_NAMES, FLOOR_DBFS, SPECTRUM_BANDS
from synesthete.audio.filterbanks import log_edges
from synesthete.audio.music import Music, Section
from synesthete.audio.percussion import split_rows
from synesthete.audio.silences import silence_from
from synesthete.audio.timeline import Timeline
from synesthete.audio.wave import WAVE_FULL_SCALE, WAVE_RATE
from synesthete.clock import ANALYSIS_RATE, ANALYSIS_SAMPLE_RATE, HOP_SAMPLES
from synesthete.seeding import generator_for

__all__ = ["MusicChange", "band_edges_hz", "excerpt", "muted_band", "permuted", "silenced"]

_SUMS: Final = {"bass": (0, 3), "mid": (3, 6), "treble": (6, 8)}
_FILTER_ORDER: Final = 4

Chunk = Float32[np.ndarray, "channels samples"]


@dataclass(frozen=True)
class MusicChange:
    """One change, told to both kinds of listeners.

    Attributes
    ----------
    name
        How it is called, for instance ``"silenced"``.
    timeline
        From a Timeline to the changed one, of the same length.
    sound
        From sound at 44.1 kHz, in chunks, to the changed sound, as many samples or up to 10 ms more.
    """

    name: str
    timeline: Callable[[Timeline], Timeline]
    sound: Callable[[Iterator[Chunk]], Iterator[Chunk]]


def permuted(seed: int) -> MusicChange:
    """Permute the rows of the Timeline in time, or the sound in blocks of 10 ms: the same permutation.

    All columns, the spectrum and the wave go together, only ``time`` stays. Beats, bars and sections, which
    stand beside the columns, are forgotten: in a shuffled song nothing follows from anything. The sound is
    held in memory as a whole, 21 MB a minute of stereo.

    Parameters
    ----------
    seed
        Decides the permutation, 0 to 2**63 - 1.
    """

    def order(count: int) -> np.ndarray:
        return generator_for(seed, "evaluation.permutation").permutation(count)

    def timeline(of: Timeline) -> Timeline:
        rows = order(of.ticks)
        table = np.asarray(of.table)[rows]
        return replace(
            of,
            table=_timed(table, of),
            spectrum=np.asarray(of.spectrum)[rows],
            music=Music(),
            wave=_moved(of.wave, rows),
        )

    def sound(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        whole = np.concatenate(list(chunks), axis=1)
        padded = np.pad(whole, ((0, 0), (0, -whole.shape[1] % HOP_SAMPLES)))
        blocks = padded.reshape(len(padded), -1, HOP_SAMPLES)
        yield np.ascontiguousarray(blocks[:, order(blocks.shape[1])].reshape(padded.shape))

    return MusicChange("permuted", timeline, sound)


def silenced() -> MusicChange:
    """Put digital silence in the place of all sound; its rows are those of the analysis of silence."""

    def timeline(of: Timeline) -> Timeline:
        silent = silence_by_column()
        row = np.array([silent[name.rpartition(".")[2]] for name in of.names], np.float32)
        table = np.tile(row, (of.ticks, 1))
        return replace(
            of,
            table=_timed(table, of),
            spectrum=np.zeros(of.spectrum.shape, np.float32),
            music=Music(),
            wave=np.zeros(of.wave.shape, np.int16),
        )

    def sound(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        return (np.zeros_like(chunk) for chunk in chunks)

    return MusicChange("silenced", timeline, sound)


def muted_band(band: int) -> MusicChange:
    r"""Mute one of the eight bands.

    In the Timeline, with :math:`p_j` the power of ``band_j`` (levels at -60 dBFS count as 0):
    ``band_k``, ``flux_k`` and the band's eight rows of the spectrum become 0; the one of ``bass``, ``mid``
    and ``treble`` that the band belongs to becomes the level of its other bands' sum; ``loudness`` loses the
    band's share, :math:`10\log_{10}\sum_{j\neq k}p_j/\sum_j p_j` dB; ``silence`` follows from loudness,
    ``percussive`` and ``harmonic`` from the spectrum. What rows don't tell band by band stays: onset, peak,
    width, timbre, chroma, beats and stems. In the sound, and in the wave, a Butterworth band-stop of order 4
    between the band's edges.

    Parameters
    ----------
    band
        0 (30-66 Hz) to 7 (7.3-16 kHz).
    """

    def timeline(of: Timeline) -> Timeline:
        columns = {name: np.array(of.column(name)) for name in COLUMN_NAMES}
        spectrum = np.array(of.spectrum)
        fine = SPECTRUM_BANDS // BANDS
        spectrum[:, band * fine : (band + 1) * fine] = 0.0
        power = [_power(columns[f"band_{index}"]) for index in range(BANDS)]
        left, whole = sum(p for index, p in enumerate(power) if index != band), sum(power)
        share = np.divide(left, whole, out=np.ones_like(power[0]), where=np.greater(whole, 0))
        columns["loudness"] = _level(_power(columns["loudness"]) * share)
        name, bounds = next((name, bounds) for name, bounds in _SUMS.items() if band in range(*bounds))
        others = [power[index] for index in range(*bounds) if index != band]
        columns[name] = _level(np.sum(others, axis=0))
        columns[f"band_{band}"][:] = 0.0
        columns[f"flux_{band}"][:] = 0.0
        columns["silence"] = silence_from(torch.from_numpy(columns["loudness"])).numpy()
        columns["percussive"], columns["harmonic"] = split_rows(spectrum)
        table = np.stack([columns.get(name, of.column(name)) for name in of.names], axis=1)
        return replace(of, table=table, spectrum=spectrum, wave=_without(band, of.wave))

    def sound(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        sections = _band_stop(band, ANALYSIS_SAMPLE_RATE)
        state: np.ndarray | None = None
        for chunk in chunks:
            if state is None:
                state = np.zeros((len(sections), len(chunk), 2))
            filtered, state = sosfilt(sections, chunk.astype(np.float64), axis=1, zi=state)
            yield filtered.astype(np.float32)

    return MusicChange(f"without band {band}", timeline, sound)


def band_edges_hz(band: int) -> tuple[float, float]:
    """Give the edges of one of the eight bands, Hz.

    Examples
    --------
    >>> [round(edge) for edge in band_edges_hz(0)]
    [30, 66]
    """
    low, high = log_edges(BANDS)[band : band + 2]
    return float(low), float(high)


def excerpt(timeline: Timeline, start_tick: int, stop_tick: int) -> Timeline:
    """Cut rows ``start_tick`` to ``stop_tick`` (exclusive) out of a Timeline, as a song of its own.

    Beats, downbeats and sections are cut along, and everything counts from the new start.
    """
    start, stop = start_tick / ANALYSIS_RATE, stop_tick / ANALYSIS_RATE
    rate = timeline.sample_rate
    first, last = round(start * rate), min(timeline.samples, round(stop * rate))
    music = timeline.music
    cut = replace(
        music,
        beats=tuple(moment - start for moment in music.beats if start <= moment < stop),
        downbeats=tuple(moment - start for moment in music.downbeats if start <= moment < stop),
        sections=tuple(
            Section(max(part.start_s, start) - start, min(part.end_s, stop) - start, part.label)
            for part in music.sections
            if part.end_s > start and part.start_s < stop
        ),
    )
    short = replace(
        timeline,
        table=np.array(timeline.table[start_tick:stop_tick]),
        spectrum=np.array(timeline.spectrum[start_tick:stop_tick]),
        samples=last - first,
        music=cut,
        wave=timeline.wave[_wave_place(start_tick) : _wave_place(stop_tick)],
    )
    short.table[:, short.names.index("time")] -= np.float32(start)
    return short


def _timed(table: Float32[np.ndarray, "ticks columns"], of: Timeline) -> Float32[np.ndarray, "ticks columns"]:
    """Give a new table the moments of the old one."""
    table[:, of.names.index("time")] = of.column("time")
    return table


def _wave_place(tick: int) -> int:
    """Give the first sample of the wave that lies in a row's 10 ms: they hold 220 or 221 of them."""
    return -(-tick * HOP_SAMPLES // 2)


def _moved(
    wave: Int16[np.ndarray, "halves 2"], rows: Int64[np.ndarray, " ticks"]
) -> Int16[np.ndarray, "halves 2"]:
    """Move 10 ms of the wave wherever their row is moved, to half a sample."""
    place = np.arange(len(wave))
    row = 2 * place // HOP_SAMPLES
    source = place + (rows[row] - row) * HOP_SAMPLES // 2
    return np.asarray(wave[np.clip(source, 0, len(wave) - 1)])


def _without(band: int, wave: Int16[np.ndarray, "halves 2"]) -> Int16[np.ndarray, "halves 2"]:
    if len(wave) == 0:  # which the filter refuses
        return wave
    filtered = sosfilt(_band_stop(band, WAVE_RATE), wave.astype(np.float64), axis=0)
    return np.asarray(np.rint(np.clip(filtered, -WAVE_FULL_SCALE, WAVE_FULL_SCALE)), np.int16)


def _band_stop(band: int, sample_rate: int) -> Float64[np.ndarray, "sections 6"]:
    low_hz, high_hz = band_edges_hz(band)
    inside = high_hz < sample_rate / 2  # where it is not, the band is all that there is above its lower edge
    edges, kind = ((low_hz, high_hz), "bandstop") if inside else (low_hz, "lowpass")
    return np.asarray(butter(_FILTER_ORDER, edges, kind, fs=sample_rate, output="sos"))


def _power(level: Float32[np.ndarray, " ticks"]) -> Float64[np.ndarray, " ticks"]:
    """Turn levels, 0..1 for -60..0 dBFS, into powers re full scale; 0 means silent."""
    return np.where(level > 0, 10.0 ** (FLOOR_DBFS / 10 * (1.0 - level.astype(np.float64))), 0.0)


def _level(power: Float64[np.ndarray, " ticks"]) -> Float32[np.ndarray, " ticks"]:
    """Turn powers into levels: the inverse of `_power`."""
    dbfs = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DBFS / 10)))
    return np.asarray(np.clip(1.0 - dbfs / FLOOR_DBFS, 0.0, 1.0), np.float32)
