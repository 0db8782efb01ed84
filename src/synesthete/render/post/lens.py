"""What a simple lens does: red is drawn larger than blue, and corners get less light."""

from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synesthete.generators.base import Size, pixel_grid

__all__ = ["growths", "off_axis", "places", "resample_across", "vignette_strength"]

_DARKEST: Final = 0.98


def growths(shift: float) -> tuple[float, float]:
    """Give how much larger red and green are drawn than blue."""
    return 1.0 + shift, 1.0 + 0.5 * shift


def places(side: int, by: float, device: torch.device) -> tuple[Int[Tensor, " side"], Float[Tensor, " side"]]:
    """Give, for every place on a side that is magnified, the one before it, and how far beyond that it is."""
    middle = 0.5 * (side - 1)
    at = (torch.arange(side, device=device, dtype=torch.float32) - middle) / by + middle
    first = torch.clamp(torch.floor(at), 0.0, side - 2.0)
    return first.to(torch.int64), at - first


def resample_across(
    plane: Float[Tensor, "height width"],
    first: Int[Tensor, " width"],
    share: Float[Tensor, " width"],
    out: Float[Tensor, "height width"],
) -> None:
    """Magnify a plane along its rows, linearly.

    Columns whose source lies equally far away are a slice, which is mixed with its neighbour at once: a
    twentieth of the time of gathering pixel by pixel.
    """
    away = (first - torch.arange(len(first), device=first.device)).tolist()
    borders = [column for column in range(1, len(away)) if away[column] != away[column - 1]]
    for left, right in pairwise([0, *borders, len(away)]):
        a, b = left + away[left], right + away[left]
        torch.lerp(plane[:, a:b], plane[:, a + 1 : b + 1], share[left:right], out=out[:, left:right])


def off_axis(size: Size, device: torch.device) -> tuple[Float[Tensor, " width"], Float[Tensor, " height"]]:
    """Give the squared distance from the middle, of columns and of rows; together 1 in the corners."""
    x, y = pixel_grid(size, device=device)
    corner = (size.width * size.width + size.height * size.height) / (size.short * size.short)
    return x[0] * x[0] / corner, y[:, 0] * y[:, 0] / corner


def vignette_strength(amount: float) -> float:
    """Give q of the gain ``1 / (1 + q r²)`` on display values, for the share of light lost in the corners.

    On light it is the cos⁴ law of natural vignetting, as ``1 + tan² = 1 / cos²``.
    """
    return float((1.0 - min(amount, _DARKEST)) ** -0.5 - 1.0)
