"""Measure how a picture looks: its light, its colour, and how fine its detail is.

Colour is measured on a reduced picture, so that a preview and the 4K film look alike; detail is measured on a
finer one, in cycles per short side, so that a preview only lacks what it can't show.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8
from PIL import Image
from scipy import fft

from synesthete.generators.base import Size

if TYPE_CHECKING:  # it imports this module
    from synesthete.evaluation.observe import Observation

__all__ = ["DETAIL_BANDS", "LOOK_COLUMNS", "bt709_rgb", "display_rgb", "look_report", "measure_look"]

DETAIL_BANDS: Final = 6
"""Bands of spatial frequency: band ``k`` is ``2**(1.5 k)`` to ``2**(1.5 k + 1.5)`` cycles per short side."""

_TONES: Final = ("brightness", "contrast", "saturation", "colourfulness", "entropy", "dark", "clipped")
_DETAILS: Final = tuple(f"detail_{band}" for band in range(DETAIL_BANDS))

LOOK_COLUMNS: Final[tuple[str, ...]] = _TONES + _DETAILS
"""What `measure_look` gives, in its order."""

_COLOUR_SHORT, _DETAIL_SHORT = 360, 720
_VISIBLE, _DARK, _CLIPPED = 0.05, 0.1, 0.99

_LUMA_BLACK, _LUMA_RANGE, _CHROMA_ZERO, _CHROMA_RANGE = 16.0, 219.0, 128.0, 224.0
_LUMA_LEVELS: Final = np.clip((np.arange(256) - _LUMA_BLACK) / _LUMA_RANGE, 0.0, 1.0)


def measure_look(planes: UInt8[np.ndarray, "rows width"], size: Size) -> Float32[np.ndarray, " looks"]:
    r"""Measure one frame; about 9 ms at 1080p.

    Display values are 0-1. All but entropy and detail is measured at a short side of about 360 pixels.

    - ``brightness``, ``contrast``: mean and standard deviation of luma.
    - ``saturation``: mean of :math:`(\max-\min)/\max` of R, G, B over the pixels that can be seen, whose
      largest channel is above 0.05; 0 if there are none.
    - ``colourfulness``: Hasler and Süsstrunk's :math:`\hat M^{(3)}`, on their scale: 0 is grey, 59 quite
      colourful, 109 extremely.
    - ``entropy``: Shannon entropy of the 256-bin histogram of the full luma, bits.
    - ``dark``: share of pixels with a luma under 0.1; ``clipped``: with any channel at 0.99 or more.
    - ``detail_k``: share of luma's spectral energy, the mean left out, in each of `DETAIL_BANDS`, by radial
      frequency. It is taken from the centred square of the picture, reduced by a whole number to at most 720
      pixels, through a Hann window. What lies above the last band counts to it. The shares sum to 1; a
      flat picture has 0s.

    Parameters
    ----------
    planes
        One frame: planar 4:2:0, BT.709 limited range, as rows of ``width``.
    size
        Its size, even.

    Returns
    -------
    The values of `LOOK_COLUMNS`.

    References
    ----------
    Hasler & Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, eq. 3.

    Examples
    --------
    >>> grey = np.full((72, 64), 128, np.uint8)
    >>> look = dict(zip(LOOK_COLUMNS, measure_look(grey, Size(64, 48)).tolist()))
    >>> round(look["brightness"], 3), look["saturation"], look["detail_0"]
    (0.511, 0.0, 0.0)
    """
    height, width = size.height, size.width
    full = Image.fromarray(planes[:height])
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    luma = _reduced(full, size.short // _COLOUR_SHORT)
    blue, red = (Image.fromarray(plane).resize(luma.size, Image.Resampling.BOX) for plane in chroma)
    tones = _share(luma.histogram())
    brightness = float(tones @ _LUMA_LEVELS)
    variance = float(tones @ np.square(_LUMA_LEVELS - brightness))
    light = (brightness, variance**0.5)
    dark = float(tones[_LUMA_LEVELS < _DARK].sum())
    rgb = bt709_rgb(np.asarray(luma), np.asarray(blue), np.asarray(red))
    saturation, colourfulness, clipped = _measure_colour(rgb)
    detail = _measure_detail(np.asarray(_reduced(full, -(-size.short // _DETAIL_SHORT))))
    entropy = _entropy_bits(_share(full.histogram()))
    return np.array([*light, saturation, colourfulness, entropy, dark, clipped, *detail], np.float32)


def look_report(observation: "Observation") -> dict[str, Any]:
    """Give the mean look of a film, over about one frame a second, as JSON has it.

    Returns
    -------
    The means of `LOOK_COLUMNS`, with the detail as a list, ``sharpness``, and percentiles of saturation over
    the frames, which tell a film that fades to grey from one that is pale throughout.
    """
    means = {name: round(float(observation.look(name).mean()), 5) for name in LOOK_COLUMNS}
    low, middle, high = np.percentile(observation.look("saturation"), [10, 50, 90]).round(5).tolist()
    return {
        **{name: means[name] for name in _TONES},
        "saturation_percentiles": {"p10": low, "p50": middle, "p90": high},
        "sharpness": [means[name] for name in _DETAILS],
    }


def display_rgb(planes: UInt8[np.ndarray, "rows width"], size: Size) -> Float32[np.ndarray, "height width 3"]:
    """Turn a frame, planar 4:2:0 in BT.709's limited range, into display RGB, 0-1."""
    luma = planes[: size.height]
    chroma = planes[size.height :].reshape(2, size.height // 2, size.width // 2)
    blue, red = chroma.repeat(2, axis=1).repeat(2, axis=2)
    return np.ascontiguousarray(bt709_rgb(luma, blue, red).transpose(1, 2, 0))


def bt709_rgb(
    luma: UInt8[np.ndarray, "height width"],
    blue: UInt8[np.ndarray, "height width"],
    red: UInt8[np.ndarray, "height width"],
) -> Float32[np.ndarray, "3 height width"]:
    """Turn planes of one size, BT.709's limited range, into display RGB, 0-1."""
    # ITU-R BT.709-6, items 3.2 and 3.3, solved for R, G and B.
    y = (luma.astype(np.float32) - _LUMA_BLACK) * (1 / _LUMA_RANGE)
    cb = (blue.astype(np.float32) - _CHROMA_ZERO) * (1 / _CHROMA_RANGE)
    cr = (red.astype(np.float32) - _CHROMA_ZERO) * (1 / _CHROMA_RANGE)
    rgb = np.stack([y + 1.5748 * cr, y - 0.187324 * cb - 0.468124 * cr, y + 1.8556 * cb])
    return np.clip(rgb, 0.0, 1.0, out=rgb)


def _measure_colour(rgb: Float32[np.ndarray, "3 height width"]) -> tuple[float, float, float]:
    """Give saturation, colourfulness and the share of clipped pixels."""
    red, green, blue = rgb
    largest, smallest = rgb.max(axis=0), rgb.min(axis=0)
    seen = largest > _VISIBLE
    count = int(np.count_nonzero(seen))
    purity = np.divide(largest - smallest, largest, out=np.zeros_like(largest), where=seen)
    saturation = float(purity.sum(dtype=np.float64)) / count if count else 0.0
    red_green, yellow_blue = red - green, 0.5 * (red + green) - blue
    means = [float(axis.mean(dtype=np.float64)) for axis in (red_green, yellow_blue)]
    spreads = [float(axis.var(dtype=np.float64)) for axis in (red_green, yellow_blue)]
    colourfulness = 255 * (sum(spreads) ** 0.5 + 0.3 * sum(mean**2 for mean in means) ** 0.5)
    return saturation, colourfulness, float(np.count_nonzero(largest >= _CLIPPED) / largest.size)


def _measure_detail(luma: UInt8[np.ndarray, "height width"]) -> Float32[np.ndarray, " bands"]:
    """Give the share of the energy in each band."""
    side = min(luma.shape)
    top, left = (luma.shape[0] - side) // 2, (luma.shape[1] - side) // 2
    square = luma[top : top + side, left : left + side].astype(np.float32)
    if square.min() == square.max():
        return np.zeros(DETAIL_BANDS, np.float32)
    window = _window(side)
    # Without the mean under the window, none of it leaks into the first frequencies.
    square = window * (square - np.float32((window * square).sum(dtype=np.float64)))
    energy = np.square(np.abs(fft.rfft2(square, workers=1)))
    energy[:, 1 : (side + 1) // 2] *= 2  # the half of the spectrum that is not computed
    energy[0, 0] = 0
    summed = np.bincount(_bands(side), weights=energy.ravel(), minlength=DETAIL_BANDS)
    return np.asarray(summed / summed.sum(), np.float32)


@cache
def _window(side: int) -> Float32[np.ndarray, "side side"]:
    """Give a Hann window in both directions, of sum 1."""
    hann = np.square(np.sin(np.pi * (np.arange(side) + 0.5) / side))
    window = np.outer(hann, hann)
    return np.asarray(window / window.sum(), np.float32)


@cache
def _bands(side: int) -> Int64[np.ndarray, " frequencies"]:
    """Give the band of each frequency of a square's spectrum, from 1 cycle per side on."""
    along, across = fft.fftfreq(side, 1 / side), fft.rfftfreq(side, 1 / side)
    squares = np.rint(np.square(along)[:, None] + np.square(across)).astype(np.int64)
    # 8 is the square of 2**1.5: squared, the bands' borders are whole numbers, on which frequencies lie.
    bands: Int64[np.ndarray, " frequencies"]
    bands = np.searchsorted(8 ** np.arange(1, DETAIL_BANDS), squares.ravel(), side="right")
    return bands


def _reduced(plane: Image.Image, factor: int) -> Image.Image:
    return plane if factor < 2 else plane.reduce(factor)


def _share(histogram: list[int]) -> Float64[np.ndarray, " levels"]:
    return np.array(histogram, np.float64) / sum(histogram)


def _entropy_bits(shares: Float64[np.ndarray, " levels"]) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum()) + 0.0
