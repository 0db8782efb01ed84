"""Where a primitive is drawn: normalised coordinates, and how far one pixel reaches in them.

Warps turn one Place into another, footprint and all, so that what is drawn through them knows how fine it
may be. Sizes are never looked at: a picture is the same one from nearer or from further away.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Place", "Plane", "start"]

Plane = Float[Tensor, "..."]
"""Values at positions: ``(rows, columns)``, or ``(batch, rows, columns)``; sides of 1 are broadcast."""


@dataclass(frozen=True)
class Place:
    """Coordinates of a picture's pixels.

    Attributes
    ----------
    u, v
        Positions; unwarped, the short side is [-1, 1], u to the right, v downward.
    du, dv
        Extent of one pixel along u and v, positive: the footprint.
    pixel
        Size of a pixel on the screen, whatever warps there are.
    wide, high
        Half the picture's width and height on the screen.
    """

    u: Plane
    v: Plane
    du: Plane
    dv: Plane
    pixel: Tensor
    wide: Tensor
    high: Tensor

    def moved(self, u: Plane, v: Plane, du: Plane | None = None, dv: Plane | None = None) -> "Place":
        """Give the place at other coordinates; a footprint that is not given stays."""
        return replace(self, u=u, v=v, du=self.du if du is None else du, dv=self.dv if dv is None else dv)

    @property
    def spread(self) -> Plane:
        """Extent of one pixel in any direction: the larger of du and dv."""
        return torch.maximum(self.du, self.dv)

    def inner(self) -> "Place":
        """Leave out a border of one pixel, which only stencils need."""
        u, v = (_cut(plane) for plane in (self.u, self.v))
        return replace(self, u=u, v=v, du=_cut(self.du), dv=_cut(self.dv))

    def coarser(self, least: float) -> "Place":
        """Let no detail be finer than ``least`` normalised units on the screen."""
        # By how much pixels would have to grow for that.
        factor = torch.clamp(least / self.pixel, min=1.0)
        return replace(self, du=self.du * factor, dv=self.dv * factor)


def _cut(plane: Plane) -> Plane:
    if plane.ndim < 2:
        return plane
    if plane.shape[-1] > 1:
        plane = plane[..., 1:-1]
    return plane[..., 1:-1, :] if plane.shape[-2] > 1 else plane


def start(
    x: Float[Tensor, "*batch 1 columns"],
    y: Float[Tensor, "*batch rows 1"],
    pixel: Tensor,
    wide: Tensor,
    high: Tensor,
) -> Place:
    """Give the place of a picture before any warp: see `Place`; x and y are its columns and rows."""
    return Place(u=x, v=y, du=pixel, dv=pixel, pixel=pixel, wide=wide, high=high)
