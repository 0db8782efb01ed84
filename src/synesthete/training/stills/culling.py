"""Put the worst stills aside: too dark, burnt out, too flat, too noisy, or too much like another one."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from synesthete.evaluation.thumbnails import Thumbnails, look_distances, thumbnails

__all__ = ["MEASURES", "Fault", "Measures", "find_worst", "measure_still", "thumbnail_of"]

_SHORT: Final = 128  # noise is told on so many lines, whatever the picture's size
_CLIPPED: Final = 0.98
_VISIBLE: Final = 0.05
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709

# At these a fault counts as 1: nothing is put aside for being worse than them, but for being worst.
_DARK: Final = 0.06
_BURNT: Final = 0.15
_FLAT: Final = 0.25
_NOISY: Final = 0.45
_ALIKE: Final = 0.06
_FAINT: Final = 0.02
"""Brightness below which contrast is not held against it: a dark picture is dark, not flat."""

_MOST: Final = 99.0
_ROWS: Final = 512


class Measures(NamedTuple):
    """Figures of one still, display values 0-1.

    Attributes
    ----------
    brightness, contrast
        Mean and standard deviation of luma.
    saturation
        Mean of (max-min)/max of R, G, B over the pixels that can be seen (max above 0.05); 0 if none can.
    clipped
        Share of pixels with any channel at 0.98 or more.
    roughness
        1 less the correlation of luma with that of the next pixel, at no more than 128 lines: 0 where all is
        smooth, 1 in white noise; 0 of a picture in one colour.
    """

    brightness: float
    contrast: float
    saturation: float
    clipped: float
    roughness: float


MEASURES: Final = Measures._fields


class Fault(NamedTuple):
    """Why a still is put aside, and how bad that is: 1 is where one would notice."""

    reason: str
    amount: float


def measure_still(picture: UInt8[np.ndarray, "height width 3"]) -> Measures:
    """Measure a still, sRGB."""
    rgb = picture.astype(np.float32) / 255
    luma = rgb @ _LUMA
    largest, smallest = rgb.max(axis=2), rgb.min(axis=2)
    seen = largest > _VISIBLE
    purity = np.divide(largest - smallest, largest, out=np.zeros_like(largest), where=seen)
    found = (
        luma.mean(dtype=np.float64),
        luma.std(dtype=np.float64),
        purity.sum(dtype=np.float64) / max(1, np.count_nonzero(seen)),
        np.count_nonzero(largest >= _CLIPPED) / largest.size,
        _roughness(picture),
    )
    return Measures(*(round(float(value), 5) for value in found))


def thumbnail_of(picture: UInt8[np.ndarray, "height width 3"]) -> Thumbnails:
    """Give a still as one thumbnail: OKLab means of 8 by 8 cells."""
    return thumbnails([torch.from_numpy(picture).permute(2, 0, 1).float() / 255])


def find_worst(measures: Sequence[Measures], looks: Thumbnails, *, share: float) -> dict[int, Fault]:
    """Find the worst of some stills; not more than a share of them, and the same ones whenever asked.

    Parameters
    ----------
    measures, looks
        Of each still.
    share
        0-1: ``round(share * stills)`` are found.

    Returns
    -------
    By the still's place, worst first, its largest fault. Of two that are alike the later one is at fault.
    """
    faults = [max(_faults(one), key=lambda fault: fault.amount) for one in measures]
    for place, apart in _nearest_before(looks):
        alike = Fault("near-duplicate", _over(_ALIKE, apart))
        faults[place] = max(faults[place], alike, key=lambda fault: fault.amount)
    order = sorted(range(len(faults)), key=lambda place: (-faults[place].amount, place))
    return {place: faults[place] for place in order[: round(share * len(faults))]}


def _nearest_before(looks: Thumbnails) -> Iterator[tuple[int, float]]:
    """Give for each still but the first how far the nearest one before it lies, some rows at a time."""
    for start in range(0, len(looks), _ROWS):
        apart = look_distances(looks[start : start + _ROWS], looks[: start + _ROWS])
        for row in range(max(1 - start, 0), len(apart)):
            yield start + row, float(apart[row, : start + row].min())


def _faults(one: Measures) -> list[Fault]:
    return [
        Fault("too dark", _over(_DARK, one.brightness)),
        Fault("burnt out", one.clipped / _BURNT),
        Fault("too flat", _over(_FLAT, one.contrast / max(one.brightness, _FAINT))),
        Fault("too noisy", one.roughness / _NOISY),
    ]


def _over(limit: float, value: float) -> float:
    return min(_MOST, limit / max(value, 1e-9))


def _roughness(picture: UInt8[np.ndarray, "height width 3"]) -> float:
    image = Image.fromarray(picture).convert("L")
    factor = min(image.size) // _SHORT
    luma = np.asarray(image.reduce(factor) if factor > 1 else image, np.float64)
    luma = luma - luma.mean()
    variance = float(np.square(luma).mean())
    if variance < 0.25:  # half a level
        return 0.0
    across = float((luma[:, :-1] * luma[:, 1:]).mean())
    down = float((luma[:-1] * luma[1:]).mean())
    return min(1.0, max(0.0, 1.0 - 0.5 * (across + down) / variance))
