"""Pictures seen from afar: thumbnails in OKLab, and how far two of them lie apart."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.spatial.distance import cdist
from torch import Tensor
from torch.nn import functional

__all__ = [
    "CELLS",
    "Thumbnails",
    "display_to_oklab",
    "look_distance",
    "look_distances",
    "thumbnails",
]

CELLS: Final = 8

# Ottosson, "A perceptual color space for image processing", 2020: linear sRGB to cone responses, and their
# cube roots to Lab.
_TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

Thumbnails = Float32[np.ndarray, "pictures 8 8 3"]


def display_to_oklab(rgb: Float[np.ndarray, "*shape 3"]) -> Float64[np.ndarray, "*shape 3"]:
    """Convert display RGB, 0-1, by the sRGB curve to OKLab.

    References
    ----------
    Ottosson, "A perceptual color space for image processing", 2020.

    Examples
    --------
    >>> display_to_oklab(np.array([1.0, 1.0, 1.0])).round(3).tolist()
    [1.0, 0.0, 0.0]
    """
    display = np.clip(np.asarray(rgb, np.float64), 0.0, 1.0)
    linear = np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def thumbnails(frames: Iterable[Float32[Tensor, "3 height width"]]) -> Thumbnails:
    """Reduce display frames, 0-1, to OKLab means of 8 by 8 cells; the means are taken of display values."""
    cells = [functional.adaptive_avg_pool2d(frame, CELLS).permute(1, 2, 0).numpy() for frame in frames]
    return display_to_oklab(np.array(cells, np.float32).reshape(-1, CELLS, CELLS, 3)).astype(np.float32)


def look_distance(a: Float[np.ndarray, "*shape 3"], b: Float[np.ndarray, "*shape 3"]) -> float:
    """Give the RMS over cells and moments of the OKLab distance of two descriptions."""
    gap = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return float(np.sqrt(np.square(gap).sum(axis=-1).mean()))


def look_distances(
    a: Float[np.ndarray, "n ..."], b: Float[np.ndarray, "m ..."]
) -> Float64[np.ndarray, "n m"]:
    """Give the `look_distance` of each description in ``a`` from each in ``b``."""
    cells = a[0].size / a.shape[-1]
    return np.asarray(cdist(a.reshape(len(a), -1), b.reshape(len(b), -1)) / cells**0.5, np.float64)
