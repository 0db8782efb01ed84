"""Colour: OKLCH palettes, fitted as polynomials so that a kernel can evaluate them per pixel.

References
----------
Ottosson, "A perceptual color space for image processing", 2020 (OKLab and its cylinder, OKLCH).
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float

__all__ = ["RAMP_DEGREE", "Stop", "oklch_to_display", "ramp_coefficients"]

Stop = tuple[float, float, float]
"""One palette stop: lightness 0-1, chroma 0-0.4, hue in degrees."""

RAMP_DEGREE = 5
"""Degree of the polynomial that stands for a ramp; RMS residual of the shipped palettes below 0.03."""

_SAMPLES = 48
_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def oklch_to_display(
    lightness: Float[np.ndarray, " n"], chroma: Float[np.ndarray, " n"], hue: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n 3"]:
    """Convert OKLCH to display RGB, 0-1; what lies outside sRGB loses chroma, not hue or lightness.

    Display means the square root of linear light here: within 0.03 of the sRGB curve, and exact to undo
    by squaring, which is what lighting needs.

    Parameters
    ----------
    lightness, chroma, hue
        0-1, 0-0.4 and degrees.
    """
    low, high = np.zeros_like(chroma), np.ones_like(chroma)
    for _ in range(12):  # bisect for the largest share of chroma that is inside the gamut
        share = (low + high) / 2
        linear = _linear(lightness, chroma * share, hue)
        inside = np.all((linear >= -1e-4) & (linear <= 1 + 1e-4), axis=1)
        low, high = np.where(inside, share, low), np.where(inside, high, share)
    whole = np.all(
        (_linear(lightness, chroma, hue) >= -1e-4) & (_linear(lightness, chroma, hue) <= 1.0001), axis=1
    )
    linear = _linear(lightness, chroma * np.where(whole, 1.0, low), hue)
    display: np.ndarray = np.sqrt(np.clip(linear, 0.0, 1.0))
    return display


def ramp_coefficients(
    stops: Sequence[Stop], *, hue_shift: float = 0.0
) -> Float[np.ndarray, "3 degree_plus_1"]:
    """Fit a ramp through OKLCH stops, spaced evenly on 0-1, as one polynomial per display channel.

    Parameters
    ----------
    stops
        At least two; hues go the short way round.
    hue_shift
        Turns by which all hues move on.

    Returns
    -------
    Coefficients by rising power; evaluate with Horner's scheme and clip to 0-1.
    """
    steps = np.linspace(0.0, 1.0, _SAMPLES)
    at = np.linspace(0.0, 1.0, len(stops))
    values = np.array(stops, dtype=np.float64)
    hues = np.rad2deg(np.unwrap(np.deg2rad(values[:, 2]))) + 360.0 * hue_shift
    colours = oklch_to_display(
        np.interp(steps, at, values[:, 0]), np.interp(steps, at, values[:, 1]), np.interp(steps, at, hues)
    )
    coefficients: np.ndarray = (_fit_matrix() @ colours).T
    return coefficients


@lru_cache(maxsize=1)
def _fit_matrix() -> Float[np.ndarray, "degree_plus_1 samples"]:
    steps = np.linspace(0.0, 1.0, _SAMPLES)
    # The dark end weighs most: an error there is a grey veil.
    weight = 1.0 + 3.0 * np.exp(-steps / 0.08)
    powers = np.vander(steps, RAMP_DEGREE + 1, increasing=True)
    fit: np.ndarray = np.linalg.pinv(powers * weight[:, None]) * weight[None, :]
    return fit


def _linear(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    radians = hue * (math.pi / 180.0)
    lab = np.stack([lightness, chroma * np.cos(radians), chroma * np.sin(radians)], 1)
    linear: np.ndarray = ((lab @ _TO_LMS.T) ** 3) @ _TO_LINEAR.T
    return linear
