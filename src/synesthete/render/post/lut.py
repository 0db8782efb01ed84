"""Colours through a table: linear in one dimension, tetrahedral in three."""

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.cube import Cube
from synesthete.render.post.tones import Planes

__all__ = ["looked_up", "table_of"]


def table_of(cube: Cube) -> Float[Tensor, "3 entries"]:
    """Give a table's colours plane by plane."""
    return torch.from_numpy(cube.table.T.copy())


def looked_up(planes: Planes, table: Float[Tensor, "3 entries"], *, side: int, dimensions: int) -> Planes:
    """Look up colours, 0-1 over the table's domain; what lies outside gets the table's end.

    References
    ----------
    Kasson, Nin, Plouffe & Hafner, "Performing color space conversions with three-dimensional linear
    interpolation", Journal of Electronic Imaging 4(3), 1995: the tetrahedra around the grey axis.
    """
    # What is no number would be looked up anywhere in memory.
    at = [torch.clamp(torch.nan_to_num(plane, nan=0.0), 0.0, 1.0) * (side - 1) for plane in planes]
    first = [torch.clamp(torch.floor(place), max=side - 2.0) for place in at]
    r, g, b = (place - before for place, before in zip(at, first, strict=True))
    if dimensions == 1:
        red, green, blue = (
            _mixed(table[channel], before.to(torch.int64), share)
            for channel, (before, share) in enumerate(zip(first, (r, g, b), strict=True))
        )
        return red, green, blue
    steps, last = (1, side, side * side), 1 + side + side * side
    base = (first[0] + first[1] * steps[1] + first[2] * steps[2]).to(torch.int64)
    most, least = torch.maximum(torch.maximum(r, g), b), torch.minimum(torch.minimum(r, g), b)
    middle = r + g + b - most - least
    # The way from the cell's first corner to its last: along the largest share first, the smallest last.
    to_second = torch.where(r >= most, steps[0], torch.where(g >= most, steps[1], steps[2]))
    # Ties: the smallest is sought in the other order, so that it is never the largest's own axis.
    from_last = torch.where(b <= least, steps[2], torch.where(g <= least, steps[1], steps[0]))
    second, third = base + to_second, base + (last - from_last)
    red, green, blue = (
        colour[base] * (1.0 - most)
        + colour[second] * (most - middle)
        + colour[third] * (middle - least)
        + colour[base + last] * least
        for colour in table
    )
    return red, green, blue


def _mixed(curve: Tensor, first: Tensor, share: Tensor) -> Tensor:
    low, high = curve[first], curve[first + 1]
    return low + share * (high - low)
