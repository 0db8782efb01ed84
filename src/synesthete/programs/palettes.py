"""Colour: OKLCH palettes, fitted as polynomials so that a kernel can evaluate them per pixel.

References
----------
Ottosson, "A perceptual color space for image processing", 2020 (OKLab and its cylinder, OKLCH).
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float

__all__ = ["PALETTES", "RAMP_DEGREE", "Stop", "oklch_to_display", "ramp_coefficients", "ramp_table"]

Stop = tuple[float, float, float]
"""One palette stop: lightness 0-1, chroma 0-0.4, hue in degrees."""

RAMP_DEGREE = 5
"""Degree of the polynomial that stands for a ramp; RMS residual of the shipped palettes below 0.03."""

PALETTES: Mapping[str, tuple[Stop, ...]] = {
    "ember": ((0, 0, 30), (0.24, 0.12, 25), (0.55, 0.2, 40), (0.86, 0.14, 80)),
    "ocean": ((0, 0, 250), (0.25, 0.12, 262), (0.52, 0.15, 232), (0.84, 0.1, 195)),
    "silk": ((0, 0, 270), (0.25, 0.16, 285), (0.5, 0.25, 335), (0.78, 0.16, 45)),
    "aurora": ((0, 0, 200), (0.25, 0.1, 190), (0.58, 0.18, 155), (0.86, 0.14, 120)),
    "dusk": ((0, 0, 300), (0.26, 0.13, 295), (0.5, 0.2, 345), (0.82, 0.13, 60)),
    "forest": ((0, 0, 150), (0.24, 0.08, 155), (0.5, 0.14, 140), (0.84, 0.14, 105)),
    "ultraviolet": ((0, 0, 290), (0.22, 0.18, 285), (0.46, 0.27, 300), (0.78, 0.16, 325)),
    "glacier": ((0, 0, 240), (0.28, 0.06, 245), (0.6, 0.08, 220), (0.95, 0.02, 200)),
    "gold": ((0, 0, 60), (0.26, 0.07, 55), (0.58, 0.13, 75), (0.92, 0.11, 95)),
    "rose": ((0, 0, 0), (0.26, 0.13, 5), (0.55, 0.2, 355), (0.86, 0.09, 20)),
    "acid": ((0, 0, 130), (0.26, 0.1, 150), (0.6, 0.2, 135), (0.93, 0.19, 115)),
    "copper": ((0, 0, 200), (0.24, 0.07, 215), (0.5, 0.09, 190), (0.78, 0.13, 55)),
    "ink": ((0, 0, 270), (0.2, 0.03, 270), (0.5, 0.03, 260), (0.94, 0.015, 90)),
    "neon": ((0, 0, 280), (0.28, 0.2, 275), (0.6, 0.25, 340), (0.9, 0.15, 195)),
}
"""Named palettes, OKLCH stops from dark to light: two or three related hues each."""

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
    table: np.ndarray = ramp_table(stops, np.array([hue_shift]))[0]
    return table


def ramp_table(
    stops: Sequence[Stop], hue_shifts: Float[np.ndarray, " hues"]
) -> Float[np.ndarray, "hues 3 degree_plus_1"]:
    """Fit a ramp at several hue shifts; see `ramp_coefficients`."""
    steps = np.linspace(0.0, 1.0, _SAMPLES)
    at = np.linspace(0.0, 1.0, len(stops))
    values = np.array(stops, dtype=np.float64)
    hues = np.interp(steps, at, np.rad2deg(np.unwrap(np.deg2rad(values[:, 2]))))
    times = len(hue_shifts)
    colours = oklch_to_display(
        np.tile(np.interp(steps, at, values[:, 0]), times),
        np.tile(np.interp(steps, at, values[:, 1]), times),
        (hues[None, :] + 360.0 * hue_shifts[:, None]).ravel(),
    )
    coefficients: np.ndarray = _fit_matrix() @ colours.reshape(times, _SAMPLES, 3)
    return coefficients.transpose(0, 2, 1)


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
