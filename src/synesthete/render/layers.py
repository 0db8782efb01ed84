"""Layers: small pictures with coverage, laid over frames in linear light."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

__all__ = ["Layer", "lay_over", "layer_of", "rounded_box", "soft_box"]

_BAND_PIXELS: Final = 30_000
_SEEN: Final = 1 / 512
"""Coverage under half a grey level isn't seen."""


@dataclass(frozen=True)
class Layer:
    """A picture with coverage, and where it lies.

    Attributes
    ----------
    top, left
        Its place in the frame, pixels.
    light
        Linear light times coverage, 0-1.
    coverage
        How much of what is behind it it covers, 0-1; no less than ``light``.
    """

    top: int
    left: int
    light: Float[Tensor, "3 height width"]
    coverage: Float[Tensor, "1 height width"]

    def to(self, device: torch.device) -> "Layer":
        """Give it on a device."""
        return Layer(self.top, self.left, self.light.to(device), self.coverage.to(device))


def layer_of(
    light: Float32[np.ndarray, "3 height width"],
    coverage: Float32[np.ndarray, "height width"],
    behind: Float32[np.ndarray, "height width"],
) -> Layer | None:
    """Make a layer of a drawing, cut to where it is seen; None where it is nowhere.

    Parameters
    ----------
    light, coverage
        Of the drawing; light is linear and multiplied by coverage.
    behind
        How much darkness lies behind the drawing, 0-1: shadows.
    """
    whole = 1.0 - (1.0 - coverage) * (1.0 - behind)
    rows, columns = (np.flatnonzero((whole > _SEEN).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Layer(
        int(rows[0]),
        int(columns[0]),
        torch.from_numpy(np.ascontiguousarray(light[:, *part])),
        torch.from_numpy(np.ascontiguousarray(whole[part][None])),
    )


def lay_over(picture: Float[Tensor, "3 height width"], layer: Layer, opacity: float) -> None:
    """Lay a layer over a picture, in place; display values are square roots of light."""
    height, width = layer.coverage.shape[1:]
    region = picture[:, layer.top : layer.top + height, layer.left : layer.left + width]
    # By rows that fit a core's cache.
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        band, part = region[:, top : top + rows], slice(top, top + rows)
        light = torch.square(band).mul_(1.0 - opacity * layer.coverage[:, part])
        light.add_(layer.light[:, part], alpha=opacity).clamp_(0.0, 1.0)
        band.copy_(light.sqrt_())


def soft_box(
    shape: tuple[int, int], box: tuple[float, float, float, float], reach: float
) -> Float32[np.ndarray, "height width"]:
    """Draw a rectangle whose edges fall off softly, 1 inside.

    Parameters
    ----------
    shape
        Of the plane, pixels.
    box
        Left, top, right and bottom, pixels; half of it is left on them.
    reach
        How far the edges reach to either side, pixels.
    """
    left, top, right, bottom = box
    across = _rising(np.arange(shape[1]) + 0.5, left, reach)
    across = across * _rising(-(np.arange(shape[1]) + 0.5), -right, reach)
    down = _rising(np.arange(shape[0]) + 0.5, top, reach)
    down = down * _rising(-(np.arange(shape[0]) + 0.5), -bottom, reach)
    return np.asarray(down[:, None] * across[None, :], np.float32)


def rounded_box(
    shape: tuple[int, int], origin: tuple[float, float], sides: tuple[float, float], radius: float
) -> Float32[np.ndarray, "height width"]:
    """Draw a rectangle with round corners, as coverage by the distance from its edge.

    Parameters
    ----------
    shape
        Of the plane, pixels.
    origin, sides, radius
        Its left and top, its width and height, and the radius of its corners, pixels.
    """
    middle = (origin[0] + sides[0] / 2, origin[1] + sides[1] / 2)
    across = np.abs(np.arange(shape[1]) + 0.5 - middle[0]) - (sides[0] / 2 - radius)
    down = np.abs(np.arange(shape[0]) + 0.5 - middle[1])[:, None] - (sides[1] / 2 - radius)
    outside = np.sqrt(np.maximum(across, 0.0) ** 2 + np.maximum(down, 0.0) ** 2)
    distance = outside + np.minimum(np.maximum(across, down), 0.0) - radius
    return np.asarray(np.clip(0.5 - distance, 0.0, 1.0), np.float32)


def _rising(x: np.ndarray, edge: float, reach: float) -> np.ndarray:
    share = np.clip((x - edge) / (2.0 * reach) + 0.5, 0.0, 1.0)
    return np.asarray(share * share * share * (share * (6.0 * share - 15.0) + 10.0))
