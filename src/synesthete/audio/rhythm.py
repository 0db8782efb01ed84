"""Where something begins, in four streams; and how strongly it repeats: the tempo curve of a track.

Everything works on the 100 Hz rows of the Timeline, in float64 and in fixed blocks.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from synesthete.clock import ANALYSIS_RATE

__all__ = ["BPM_RANGE", "STREAMS", "Tempo", "estimate_tempo", "onset_streams"]

STREAMS: Final = ("all", "low", "middle", "high")
"""What each stream follows: the column ``onset``; 30-144 Hz; 0.14-1.5 kHz; 1.5-16 kHz."""

_SPLITS: Final = ((0, 16), (16, 40), (40, 64))  # of 64 bands, 7 an octave
_BLOCK_ROWS: Final = 65_536
_AROUND_TICKS: Final = 101
_LEVEL_TICKS: Final = 801

_HOP_TICKS: Final = 50
_WINDOW_TICKS: Final = 1000
_LAGS: Final = 800
_FRAMES_AT_ONCE: Final = 512
_STREAM_WEIGHTS: Final = (1.0, 1.0, 0.7, 0.5)
_MULTIPLES: Final = ((1, 1.0), (2, 1.0), (3, 0.5), (4, 1.0))

_GRID_STEP: Final = 0.012
BPM_RANGE: Final = (50.0, 225.0)
"""Tempi that are looked for."""

_GRID: Final = np.exp(np.arange(np.log(BPM_RANGE[0]), np.log(BPM_RANGE[1]), _GRID_STEP))
_PRIOR_BPM: Final = 120.0
_PRIOR_OCTAVES: Final = 0.55
_GIVEN_OCTAVES: Final = 0.06
_REACH: Final = 8
_CHANGE: Final = 2.5  # grid steps (3 %) in half a second: the standard deviation of a tempo's change


class Tempo(NamedTuple):
    """The tempo curve.

    Attributes
    ----------
    period
        Ticks from beat to beat at every tick; which of the metrical levels it is remains open.
    salience
        How strongly onsets repeat at that period, about 0 (not at all) to 1, at every tick.
    """

    period: Float64[np.ndarray, " ticks"]
    salience: Float64[np.ndarray, " ticks"]


def onset_streams(
    onset: Float32[np.ndarray, " ticks"], spectrum: Float32[np.ndarray, "ticks 64"]
) -> Float64[np.ndarray, "4 ticks"]:
    """Make the four streams of `STREAMS`: about 1 where something begins, 0 between, at any level.

    Parameters
    ----------
    onset
        The column ``onset``.
    spectrum
        64 log bands, -60..0 dBFS as 0..1; may be memory-mapped, read in blocks.
    """
    ticks = len(onset)
    raw = np.zeros((len(STREAMS), ticks))
    raw[0] = onset
    for start in range(0, ticks, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, ticks)
        first, last = max(0, start - 1), min(ticks, stop + 1)
        # As for the column: the knee of log(1+λX) lies at -60 dBFS, vibrato is no rise.
        level = np.log10(1.0 + 10.0 ** (3.0 * np.asarray(spectrum[first:last], np.float64)))
        rise = np.zeros_like(level)
        rise[1:-1] = np.maximum(0.0, level[2:] - maximum_filter1d(level, 3, axis=1)[:-2])
        inner = slice(start - first, stop - first)
        for stream, (low, high) in enumerate(_SPLITS, start=1):
            raw[stream, start:stop] = rise[inner, low:high].mean(axis=1)
    return np.stack([_normalised(stream) for stream in raw])


def _normalised(stream: Float64[np.ndarray, " ticks"]) -> Float64[np.ndarray, " ticks"]:
    """Take the surroundings (±0.5 s) off, and divide by the level of ±4 s: fades and quiet parts come up."""
    above = np.maximum(0.0, stream - uniform_filter1d(stream, _AROUND_TICKS, mode="constant"))
    power = above * above
    level = np.sqrt(np.maximum(0.0, uniform_filter1d(power, _LEVEL_TICKS, mode="reflect")))
    return np.asarray(above / (level + 0.25 * np.sqrt(power.mean()) + 1e-6))


def estimate_tempo(streams: Float64[np.ndarray, "4 ticks"], *, bpm: float | None = None) -> Tempo:
    """Follow the tempo through a track: autocorrelation over 10 s, combs, and the smoothest likely path.

    Parameters
    ----------
    streams
        What `onset_streams` gives.
    bpm
        The tempo, if it is known: the curve stays near it, or near its octave where onsets say so.

    References
    ----------
    Grosche & Müller, "Extracting predominant local pulse information from music recordings", IEEE TASLP
    19(6), 2011 (tempogram); Klapuri et al., "Analysis of the meter of acoustic musical signals", IEEE TASLP
    14(1), 2006 (combs, log-normal prior). Differs: four streams, one path over the whole track (Viterbi).
    """
    salience = _salience(streams)
    if bpm is None:
        prior = -0.5 * (np.log2(_GRID / _PRIOR_BPM) / _PRIOR_OCTAVES) ** 2
    else:
        prior = -0.5 * (np.log2(_GRID / bpm) / _GIVEN_OCTAVES) ** 2
    path = _likely_path(6.0 * salience + 2.0 * salience.mean(axis=0) + prior)
    frames = np.arange(len(path)) * _HOP_TICKS
    period = np.exp(gaussian_filter1d(np.log(60.0 * ANALYSIS_RATE / _GRID[path]), 1.5))
    strength = salience[np.arange(len(path)), path]
    ticks = np.arange(streams.shape[1])
    return Tempo(np.interp(ticks, frames, period), np.interp(ticks, frames, strength))


def _salience(streams: Float64[np.ndarray, "4 ticks"]) -> Float64[np.ndarray, "frames tempi"]:
    """Give how strongly the streams repeat at each tempo of the grid, twice a second."""
    half = _WINDOW_TICKS // 2
    window = np.hanning(_WINDOW_TICKS)
    size = 2 * _WINDOW_TICKS
    overlap = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2, size)[:_LAGS]
    overlap = np.maximum(overlap, 0.05 * overlap[0])
    frames = -(-streams.shape[1] // _HOP_TICKS)
    result = np.zeros((frames, len(_GRID)))
    for stream, weight in zip(streams, _STREAM_WEIGHTS, strict=True):
        padded = np.pad(stream, (half, half + _HOP_TICKS))
        windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_TICKS)[::_HOP_TICKS][:frames]
        floor = 0.05 * float(np.mean(stream * stream)) + 1e-9
        for start in range(0, frames, _FRAMES_AT_ONCE):
            part = windows[start : start + _FRAMES_AT_ONCE]
            part = (part - part.mean(axis=1, keepdims=True)) * window
            power = np.abs(np.fft.rfft(part, size)) ** 2
            correlation = np.fft.irfft(power, size)[:, :_LAGS] / overlap
            # What hardly sounds repeats by chance: a share of the track's mean keeps it small.
            correlation = correlation / (correlation[:, :1] + floor)
            result[start : start + len(part)] += weight * _combed(correlation)
    return result / sum(_STREAM_WEIGHTS)


def _combed(correlation: Float64[np.ndarray, "frames lags"]) -> Float64[np.ndarray, "frames tempi"]:
    smooth = gaussian_filter1d(correlation, 1.0, axis=1)
    lag = 60.0 * ANALYSIS_RATE / _GRID
    total, result = np.zeros(len(_GRID)), np.zeros((len(correlation), len(_GRID)))
    for multiple, weight in _MULTIPLES:
        at = lag * multiple
        inside = at < smooth.shape[1] - 2
        below = np.minimum(at, smooth.shape[1] - 2).astype(np.int64)
        part = np.where(inside, at - below, 0.0)
        result += weight * np.where(inside, smooth[:, below] * (1 - part) + smooth[:, below + 1] * part, 0.0)
        total += weight * inside
    return np.asarray(result / total)


def _likely_path(evidence: Float64[np.ndarray, "frames tempi"]) -> np.ndarray:
    """Find the best path of tempi by Viterbi's algorithm; a change costs by its square."""
    frames, tempi = evidence.shape
    cost = 0.5 * (np.arange(-_REACH, _REACH + 1) / _CHANGE) ** 2
    score, back = evidence[0].copy(), np.zeros((frames, tempi), np.int16)
    for frame in range(1, frames):
        padded = np.pad(score, _REACH, constant_values=-np.inf)
        reached = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1) - cost
        best = reached.argmax(axis=1)
        back[frame] = np.arange(tempi) + best - _REACH
        score = reached[np.arange(tempi), best] + evidence[frame]
    path = np.zeros(frames, np.int64)
    path[-1] = score.argmax()
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path
