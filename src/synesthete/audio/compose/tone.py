"""The tone of a whole song: shelves and bells of an equaliser, and old or far loudspeakers."""

from typing import Final

import numpy as np
from jaxtyping import Float64
from scipy.signal import butter

from synesthete.audio.compose.synthesis import RATE

__all__ = ["draw_tone"]

_NARROW_SHARE: Final = 0.18
"""Songs with a steep end of their band, as low sample rates and old encoders leave it."""

Sections = Float64[np.ndarray, "sections 6"]


def draw_tone(rng: np.random.Generator, *, dull: float) -> Sections:
    """Draw the filters of a song: second-order sections, without anything below 18 Hz.

    Parameters
    ----------
    dull
        How likely its highs are cut off, somewhere between 350 Hz and 7 kHz.
    """
    sections = [
        butter(1, 18.0, "highpass", fs=RATE, output="sos"),
        _shelf(float(rng.uniform(80, 250)), float(rng.normal(0, 2.5)), high=False),
        _shelf(float(rng.uniform(2500, 7000)), float(rng.normal(1.0, 4.5)), high=True),
        _bell(float(np.exp(rng.uniform(np.log(250), np.log(5000)))), float(rng.normal(0, 6.0))),
        _bell(float(np.exp(rng.uniform(np.log(300), np.log(8000)))), float(rng.normal(0, 5.0))),
    ]
    if rng.random() < dull:
        cutoff = float(np.exp(rng.uniform(np.log(350), np.log(7000))))
        sections.append(butter(2, cutoff, "lowpass", fs=RATE, output="sos"))
    elif rng.random() < _NARROW_SHARE:
        sections.append(butter(6, float(rng.uniform(5000, 15_500)), "lowpass", fs=RATE, output="sos"))
    return np.concatenate(sections)


def _bell(hertz: float, gain_db: float) -> Sections:
    """Give a peaking filter with Q 0.8.

    References
    ----------
    Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
    """
    angle, amplitude = 2 * np.pi * hertz / RATE, 10 ** (gain_db / 40)
    alpha, cosine = np.sin(angle) / 1.6, -2 * np.cos(angle)
    row = [
        1 + alpha * amplitude,
        cosine,
        1 - alpha * amplitude,
        1 + alpha / amplitude,
        cosine,
        1 - alpha / amplitude,
    ]
    return np.asarray(np.array([row]) / row[3])


def _shelf(hertz: float, gain_db: float, *, high: bool) -> Sections:
    """Give a shelving filter of slope 1, from the same source."""
    angle, amplitude = 2 * np.pi * hertz / RATE, 10 ** (gain_db / 40)
    side = -1 if high else 1
    cosine, root = np.cos(angle), np.sqrt(2 * amplitude) * np.sin(angle)
    up, down = amplitude + 1, amplitude - 1
    row = [
        amplitude * (up - side * down * cosine + root),
        side * 2 * amplitude * (down - side * up * cosine),
        amplitude * (up - side * down * cosine - root),
        up + side * down * cosine + root,
        -side * 2 * (down + side * up * cosine),
        up + side * down * cosine - root,
    ]
    return np.asarray(np.array([row]) / row[3])
