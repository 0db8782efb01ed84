"""Equalise sound: shelves and peaks, as second-order filters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.errors import InputError

__all__ = ["Band", "equalise", "response_db"]


@dataclass(frozen=True)
class Band:
    """One filter of an equaliser.

    Attributes
    ----------
    kind
        A shelf changes all below or above its frequency, a peak what is around it.
    frequency
        Hz: the middle of a shelf's slope, or of a peak.
    gain_db
        On the shelf or at the peak.
    q
        Width of a peak: its frequency by its bandwidth. A shelf of 0.707 is the steepest without overshoot.

    Raises
    ------
    InputError
        If the frequency isn't between 0 and half the sample rate, or ``q`` isn't positive.
    """

    kind: Literal["low_shelf", "peak", "high_shelf"]
    frequency: float
    gain_db: float
    q: float = math.sqrt(0.5)

    def __post_init__(self) -> None:
        if not 0 < self.frequency < ANALYSIS_SAMPLE_RATE / 2:
            raise InputError(
                f"a band at {self.frequency:g} Hz is outside 0 to {ANALYSIS_SAMPLE_RATE // 2}; pass another"
            )
        if self.q <= 0:
            raise InputError(f"q {self.q:g} isn't above 0; pass for instance 0.7")

    def section(self) -> Float64[np.ndarray, " 6"]:
        """Give the filter's coefficients, ``b0 b1 b2 1 a1 a2``.

        References
        ----------
        Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", W3C Note, 2021.
        """
        amplitude = 10 ** (self.gain_db / 40)
        turn = 2 * math.pi * self.frequency / ANALYSIS_SAMPLE_RATE
        cosine, alpha = math.cos(turn), math.sin(turn) / (2 * self.q)
        if self.kind == "peak":
            b = [1 + alpha * amplitude, -2 * cosine, 1 - alpha * amplitude]
            a = [1 + alpha / amplitude, -2 * cosine, 1 - alpha / amplitude]
        else:
            sign = 1 if self.kind == "low_shelf" else -1
            more, less, slope = amplitude + 1, amplitude - 1, 2 * math.sqrt(amplitude) * alpha
            b = [
                amplitude * (more - sign * less * cosine + slope),
                sign * 2 * amplitude * (less - sign * more * cosine),
                amplitude * (more - sign * less * cosine - slope),
            ]
            a = [
                more + sign * less * cosine + slope,
                -sign * 2 * (less + sign * more * cosine),
                more + sign * less * cosine - slope,
            ]
        return np.array([*b, *a]) / a[0]


def equalise(
    sound: Float32[np.ndarray, "channels samples"], bands: Sequence[Band]
) -> Float32[np.ndarray, "channels samples"]:
    """Send sound at 44.1 kHz through all bands, one after another."""
    from scipy.signal import sosfilt

    if not bands:
        return sound
    sections = np.stack([band.section() for band in bands])
    return np.asarray(sosfilt(sections, sound, axis=-1), np.float32)


def response_db(
    bands: Sequence[Band], frequencies: Float64[np.ndarray, " frequencies"]
) -> Float64[np.ndarray, " frequencies"]:
    """Give the gain of all bands together at each frequency in Hz, dB."""
    delay = np.exp(-2j * np.pi * frequencies / ANALYSIS_SAMPLE_RATE)
    total = np.zeros(len(frequencies))
    for band in bands:
        b0, b1, b2, a0, a1, a2 = band.section()
        total += 20 * np.log10(np.abs((b0 + delay * (b1 + delay * b2)) / (a0 + delay * (a1 + delay * a2))))
    return total
