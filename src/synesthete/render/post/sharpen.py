"""Sharpening: an unsharp mask on luma, as wide at every size as seen from there."""

import math
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from synesthete.generators.base import Size
from synesthete.render.post.tones import luma

__all__ = ["mask_weights", "sharpened"]

_DEVIATION: Final = 1.0 / 1080
"""Of the blurred picture that is taken off, in short sides: one pixel at 1080 lines."""


def mask_weights(size: Size) -> Float[Tensor, " taps"]:
    """Give the weights of the blur along a side: an odd number, adding up to 1."""
    deviation = _DEVIATION * size.short
    reach = max(1, math.ceil(3 * deviation))
    at = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (at / deviation) ** 2)
    return (weights / weights.sum()).float()


def sharpened(
    red: Tensor, green: Tensor, blue: Tensor, weights: Float[Tensor, " taps"], amount: Tensor
) -> Float[Tensor, "3 height width"]:
    """Add what a picture's luma has beyond its blurred self; edges of the picture are continued.

    Parameters
    ----------
    amount
        How much of it, a tensor of one value.
    """
    light = luma((red, green, blue))
    height, width = light.shape
    taps = weights.shape[0]
    wide = pad(light[None, None], (0, 0, taps // 2, taps // 2), mode="replicate")[0, 0]
    down = _sum_of([wide[k : k + height] * weights[k] for k in range(taps)])
    wide = pad(down[None, None], (taps // 2, taps // 2, 0, 0), mode="replicate")[0, 0]
    across = _sum_of([wide[:, k : k + width] * weights[k] for k in range(taps)])
    more = (light - across) * amount
    return torch.clamp(torch.stack([red + more, green + more, blue + more]), 0.0, 1.0)


def _sum_of(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
