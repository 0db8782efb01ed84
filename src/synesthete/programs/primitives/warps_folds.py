"""Warps that repeat and mirror: kaleidoscopes, tiles, folds, mosaics."""

import math

import torch
from torch import Tensor

from synesthete.programs.antialias import smooth
from synesthete.programs.parameters import angle, choice, count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Scalars, warp

__all__ = ["folded", "folds", "kaleidoscope", "mirror", "pixelate", "tile"]


def folded(x: Plane, reach: Plane) -> Plane:
    """Go up and down between -1 and 1 like a mirrored path, averaged over a pixel.

    Parameters
    ----------
    x
        Between -1 and 1 it is given back.
    reach
        Extent of a pixel in it; from 2 on the whole path is a blur.
    """
    reach = torch.clamp(reach, max=2.0)
    up = torch.abs(x - 4.0 * torch.floor(0.25 * (x + 1.0)) - 1.0)
    crease = torch.clamp(0.5 * reach - torch.minimum(up, 2.0 - up), min=0.0)
    rounded = crease * crease / reach
    return 1.0 - up - torch.where(up < 1.0, rounded, -rounded)


@warp
def mirror(
    at: Place,
    *,
    offset: Tensor = real(0.3, 0.0, 1.0),
    softness: Tensor = real(0.0, 0.0, 0.5),
    axes: str = choice("x", "y", "both"),
) -> Place:
    """Mirror the right half to the left, the lower half upward, or both."""
    u, v = at.u, at.v
    if axes != "y":
        u = torch.sqrt(u * u + softness * softness + 1e-12) - offset
    if axes != "x":
        v = torch.sqrt(v * v + softness * softness + 1e-12) - offset
    return at.moved(u, v)


@warp
def kaleidoscope(
    at: Place,
    *,
    spin: Scalars = angle(),
    turn: Scalars = angle(0.05),
    offset: Tensor = real(0.35, 0.0, 1.5),
    mirrors: int = count(6, 2, 12),
) -> Place:
    """Mirror one wedge all around the centre; spin turns the mirrors, turn what they show."""
    cos, sin = spin
    u, v = at.u * cos + at.v * sin, torch.abs(at.v * cos - at.u * sin)
    # Angles now lie in 0 to half a turn: fold that fan together, mirror line by mirror line, to one wedge.
    wedges = mirrors
    while wedges > 1:
        wedges = (wedges + 1) // 2
        line = math.pi * wedges / mirrors
        across, along = -math.sin(line), math.cos(line)
        beyond = 2.0 * torch.clamp(across * u + along * v, min=0.0)
        u, v = u - beyond * across, v - beyond * along
    cos, sin = turn
    u = u - offset
    return at.moved(u * cos + v * sin, v * cos - u * sin, at.spread, at.spread)


@warp
def folds(
    at: Place,
    *,
    turn: Scalars = angle(0.09),
    offset: Tensor = real(0.5, 0.1, 1.0),
    growth: Tensor = real(1.25, 1.0, 1.4),
    times: int = count(3, 1, 5),
) -> Place:
    """Fold the picture like paper, again and again, each time turned: a fractal kaleidoscope."""
    cos, sin = turn
    u, v = at.u, at.v
    for _ in range(times):
        u, v = torch.abs(u) - offset, torch.abs(v) - offset
        u, v = growth * (u * cos + v * sin), growth * (v * cos - u * sin)
    spread = at.spread * growth**times
    return at.moved(u, v, spread, spread)


@warp
def tile(
    at: Place,
    *,
    cells: Tensor = real(3.0, 1.0, 6.0),
    right: Tensor = turns(),
    down: Tensor = turns(),
    joint: str = choice("mirrored", "repeated", "bricks"),
) -> Place:
    """Repeat the picture in square cells, every other one mirrored; one turn of travel is two cells."""
    u, v = at.u * cells - 4.0 * right, at.v * cells - 4.0 * down
    du, dv = at.du * cells, at.dv * cells
    if joint == "mirrored":
        u, v = folded(u, du), folded(v, dv)
    else:
        row = torch.floor(0.5 * v + 0.5)
        if joint == "bricks":
            u = u + row
        u, v = u - 2.0 * torch.floor(0.5 * u + 0.5), v - 2.0 * row
    return at.moved(u, v, du, dv)


@warp
def pixelate(at: Place, *, size: Tensor = real(0.08, 0.02, 0.25)) -> Place:
    """Make a mosaic of square stones, each of the colour of its place."""
    (u, du), (v, dv) = _stepped(at.u, at.du, size), _stepped(at.v, at.dv, size)
    return at.moved(u, v, du, dv)


def _stepped(x: Plane, reach: Plane, size: Tensor) -> tuple[Plane, Plane]:
    """Give the middle and the extent of a position's cell, or of the two cells that a pixel straddles."""
    cell, share = x / size, reach / size
    edge = torch.round(cell)
    across = torch.clamp((cell - edge) / share, -0.5, 0.5)
    fine = smooth(0.5, 1.0, share)
    return size * torch.lerp(edge + across, cell, fine), torch.maximum(
        reach, size * (2.0 - 2.0 * torch.abs(across))
    )
