"""A look-ahead limiter that keeps true peaks under a ceiling, streaming."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import maximum_filter1d
from scipy.signal import fftconvolve, firwin, upfirdn

from synesthete.media.convert import Chunk

__all__ = ["Limiter"]

# Sound is worked on in blocks of this many samples whatever the chunks are, so that every sum is the same.
_BLOCK = 4_096
_OVERSAMPLING = 4  # BS.1770-4, annex 2
_REACH = 16  # samples on either side that a value between two samples is made of
_LOOK_AHEAD_S = 0.005
_HOLD_S = 0.012  # half a period at 42 Hz: the gain doesn't follow the swings of a bass
_RELEASE_S = 0.15
_PARABOLA = 9 / 8  # most that a parabola's top is above the highest of its three values
_INAUDIBLE_DB = 1e-6


class Limiter:
    """Turns sound down, for as long as it must, where it would peak above a ceiling.

    Peaks are looked for between the samples, at four times the rate, by a parabola through the three highest
    values. The gain begins to fall 5 ms before a peak, along a raised cosine, and is held for 12 ms before
    it returns exponentially (0.15 s). All channels get the same gain. There is no delay: a sample stays at
    its place, as many come out as go in, and they don't depend on how they were cut into chunks. What needs
    no limiting passes unchanged.

    Parameters
    ----------
    sample_rate
        Samples per second, Hz.
    channels
        Number of channels.
    ceiling_dbtp
        Highest true peak, dB re full scale. Measured again it is kept within 0.1 dB.

    References
    ----------
    ITU-R BS.1770-4, annex 2, for the peaks.
    D. Giannoulis, M. Massberg & J. D. Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012, for
    smoothing the gain in decibels.

    Examples
    --------
    >>> limiter = Limiter(48_000, channels=1, ceiling_dbtp=-6.0)
    >>> loud = np.sin(np.arange(48_000) / 10).astype(np.float32)[None]
    >>> soft = np.concatenate([*limiter.push(loud), *limiter.flush()], axis=1)
    >>> soft.shape, bool(np.abs(soft).max() <= 10 ** (-6 / 20) + 1e-6)
    ((1, 48000), True)
    """

    def __init__(self, sample_rate: int, channels: int, ceiling_dbtp: float) -> None:
        self._ceiling = 10 ** (ceiling_dbtp / 20)
        ahead = max(1, round(_LOOK_AHEAD_S * sample_rate))
        taps = 2 * _REACH * _OVERSAMPLING + 1
        self._between = _OVERSAMPLING * firwin(taps, 1 / _OVERSAMPLING, window=("kaiser", 6.0))
        # What comes between samples is at most this many times the highest of them.
        self._most = max(np.abs(self._between[phase::_OVERSAMPLING]).sum() for phase in range(_OVERSAMPLING))
        smoothing = np.hanning(ahead + 3)[1:-1]
        self._smoothing = smoothing / smoothing.sum()
        # Odd, for a filter with a middle; one more, as a peak lies between two samples.
        self._held = (ahead + round(_HOLD_S * sample_rate) + 2) | 1
        steps = np.arange(1, _BLOCK + 1) / (_RELEASE_S * sample_rate)
        self._decay = np.exp(-steps)
        # What the next block needs of those before it.
        self._delay = _REACH + 1 + ahead
        self._past = np.zeros((channels, max(self._delay, 2 * _REACH + 2)), np.float32)
        self._wanted_db = np.zeros(self._held - 1)
        self._released_db = np.zeros(ahead)
        self._waiting = [np.zeros((channels, 0), np.float32)]
        self._pushed = self._limited = 0

    def push(self, chunk: Chunk) -> Iterator[Chunk]:
        """Take the next samples, shape (channels, n), and give what is ready."""
        self._pushed += chunk.shape[1]
        self._waiting.append(chunk)
        if sum(part.shape[1] for part in self._waiting) < _BLOCK:
            return
        joined = np.concatenate(self._waiting, axis=1)
        whole = joined.shape[1] - joined.shape[1] % _BLOCK
        self._waiting = [joined[:, whole:].copy()]
        for start in range(0, whole, _BLOCK):
            yield self._block(joined[:, start : start + _BLOCK])

    def flush(self) -> Iterator[Chunk]:
        """Give what was held back; nothing can be pushed after it."""
        if self._pushed == 0:
            return
        silence = -(-(self._pushed + self._delay) // _BLOCK) * _BLOCK - self._pushed
        rest = np.pad(np.concatenate(self._waiting, axis=1), ((0, 0), (0, silence)))
        for start in range(0, rest.shape[1], _BLOCK):
            yield self._block(rest[:, start : start + _BLOCK])

    def _block(self, block: Chunk) -> Chunk:
        """Limit the samples that lie so much before this block's, as far as there are any."""
        held = np.concatenate([self._past, block], axis=1)
        self._past = held[:, _BLOCK:]
        gain = 10 ** (self._reduction_db(held) / -20)
        place = held.shape[1] - _BLOCK - self._delay
        limited = (held[:, place : place + _BLOCK] * gain).astype(np.float32)
        first = self._limited - self._delay
        self._limited += _BLOCK
        return limited[:, max(0, -first) : max(0, self._pushed - first)]

    def _reduction_db(self, held: Chunk) -> Float64[np.ndarray, " block"]:
        """Give by how much to turn down, decibels, a sample each."""
        needed = 20 * np.log10(np.maximum(self._peak(held) / self._ceiling, 1.0))
        wanted = np.concatenate([self._wanted_db, needed])
        self._wanted_db = wanted[_BLOCK:]
        middle = self._held // 2
        highest = maximum_filter1d(wanted, self._held)[middle : middle + _BLOCK]
        # r[i] = max(h[i], d r[i - 1]), written as a running maximum.
        highest[0] = max(highest[0], self._released_db[-1] * self._decay[0])
        released = np.maximum.accumulate(highest / self._decay) * self._decay
        released[released < _INAUDIBLE_DB] = 0.0
        together = np.concatenate([self._released_db, released])
        self._released_db = together[_BLOCK:]
        if not together.any():
            return np.zeros(_BLOCK)
        return np.asarray(fftconvolve(together, self._smoothing, mode="valid").clip(min=0.0))

    def _peak(self, held: Chunk) -> Float64[np.ndarray, " block"]:
        """Give the highest value from each sample to the next, from `_REACH` + 1 before the block.

        What needs no limiting is left at 0 where a bound tells without a look.
        """
        span = held[:, -(_BLOCK + 2 * _REACH + 2) :].astype(np.float64)
        peak = np.zeros(_BLOCK)
        if np.abs(span).max() * self._most * _PARABOLA <= self._ceiling:
            return peak
        first = _OVERSAMPLING * (2 * _REACH + 1)  # the filter's middle is _REACH samples late
        for channel in span:
            size = np.abs(upfirdn(self._between, channel, up=_OVERSAMPLING))
            size = size[first - 1 : first + _OVERSAMPLING * _BLOCK + 1]
            tops = size[1:-1].copy()
            high = 1 + np.flatnonzero(tops * _PARABOLA > self._ceiling)
            before, here, after = (size[high + step] for step in (-1, 0, 1))
            bend = 2 * here - before - after
            summit = (here >= before) & (here >= after) & (bend > 0)
            tops[high[summit] - 1] += (before - after)[summit] ** 2 / (8 * bend[summit])
            for step in range(_OVERSAMPLING):
                np.maximum(peak, tops[step::_OVERSAMPLING], out=peak)
        return peak
