"""The tone of a whole song: shelves and bells of an equaliser, and old or far loudspeakers."""

from typing import Final

import numpy as np
from jaxtyping import Float64
from scipy.signal import butter, ellip

from synesthete.audio.compose.synthesis import RATE

__all__ = ["draw_tone"]

_NARROW_SHARE: Final = 0.28
_NARROW_HZ: Final = (2900.0, 3600.0, 3600.0, 9000.0, 10_500.0, 10_500.0, 10_500.0, 12_500.0, 15_500.0)
"""Songs whose band ends at a wall, as telephones, sample rates of 8 to 32 kHz and encoders leave it."""

_STRENGTHS: Final = (0.5, 1.0, 1.0, 1.6, 2.6)
"""How far the equaliser of a song is turned: from hardly to a radio's."""

Sections = Float64[np.ndarray, "sections 6"]


def draw_tone(rng: np.random.Generator, *, dull: float) -> Sections:
    """Draw the filters of a song: second-order sections, without anything below 18 Hz.

    Parameters
    ----------
    dull
        How likely its highs are cut off, somewhere between 350 Hz and 7 kHz.
    """
    strength = float(rng.choice(_STRENGTHS))
    sections = [
        butter(1, 18.0, "highpass", fs=RATE, output="sos"),
        _shelf(float(rng.uniform(80, 250)), float(rng.normal(0, 2.5)), high=False),
        _shelf(float(rng.uniform(2500, 7000)), float(rng.normal(1.0, 4.5)), high=True),
        _bell(float(np.exp(rng.uniform(np.log(250), np.log(3000)))), strength * float(rng.normal(0, 5.0))),
        _bell(float(np.exp(rng.uniform(np.log(300), np.log(8000)))), strength * float(rng.normal(0, 5.0))),
    ]
    if rng.random() < dull:
        cutoff = float(np.exp(rng.uniform(np.log(350), np.log(7000))))
        sections.append(butter(2, cutoff, "lowpass", fs=RATE, output="sos"))
    elif rng.random() < _NARROW_SHARE:
        sections.append(ellip(8, 0.5, 75.0, float(rng.choice(_NARROW_HZ)), "lowpass", fs=RATE, output="sos"))
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
