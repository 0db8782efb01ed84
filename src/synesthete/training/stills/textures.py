"""Textures that stills are made of: clouds, ridges and cells, at any size and without aliasing."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.noise import hash_cell, value_noise

__all__ = ["cells", "clouds", "mesh", "ridges", "stretched", "swirled", "vignette"]

Plane = Float[Tensor, "rows columns"]

_OCTAVE = 1.93  # not 2: octaves that fit into each other show their grid
_COS, _SIN = 0.8, 0.6


def mesh(x: Float[Tensor, "1 columns"], y: Float[Tensor, "rows 1"]) -> tuple[Plane, Plane]:
    """Spread positions of columns and rows to planes."""
    return x.expand(y.shape[0], -1), y.expand(-1, x.shape[1])


def clouds(x: Plane, y: Plane, seed: float, pixel: float, *, octaves: int = 5, rough: float = 0.5) -> Plane:
    """Sum octaves of noise; about 0.2-0.8.

    Parameters
    ----------
    x, y
        Positions; features are about 1 wide.
    seed
        Other whole numbers give other clouds.
    pixel
        Extent of a pixel in the units of x and y.
    octaves, rough
        How many, and how much of each is in the next finer one.
    """
    total, weight, weights, scale = torch.zeros_like(x), 1.0, 0.0, 1.0
    for octave in range(octaves):
        total = total + weight * value_noise(x, y, seed + 7.0 * octave, torch.tensor(pixel * scale))
        weights += weight
        weight *= rough
        x, y = _OCTAVE * (_COS * x - _SIN * y) + 3.7, _OCTAVE * (_SIN * x + _COS * y) - 1.9
        scale *= _OCTAVE
    return total / weights


def ridges(x: Plane, y: Plane, seed: float, pixel: float, *, octaves: int = 5) -> Plane:
    """Give sharp crests, as of mountains; 0-1, 1 on a crest.

    References
    ----------
    Musgrave, in Ebert et al., "Texturing and modeling", 1994: the ridged multifractal.
    """
    total, weight, weights, scale = torch.zeros_like(x), 1.0, 0.0, 1.0
    carried = torch.ones_like(x)
    for octave in range(octaves):
        crest = 1.0 - (2.0 * value_noise(x, y, seed + 7.0 * octave, torch.tensor(pixel * scale)) - 1.0).abs()
        crest = crest * crest * carried
        carried = (1.6 * crest).clamp(0.0, 1.0)
        total = total + weight * crest
        weights += weight
        weight *= 0.55
        x, y = _OCTAVE * (_COS * x - _SIN * y) + 3.7, _OCTAVE * (_SIN * x + _COS * y) - 1.9
        scale *= _OCTAVE
    return total / weights


def cells(x: Plane, y: Plane, seed: float) -> tuple[Plane, Plane, Plane]:
    """Find the nearest of one random point in each unit cell.

    Returns
    -------
    Distances of the nearest and of the second, and a random number, 0-1, of the nearest.

    References
    ----------
    Worley, "A cellular texture basis function", SIGGRAPH 1996.
    """
    i, j = torch.floor(x), torch.floor(y)
    nearest = torch.full_like(x, 9.0)
    second, owner = nearest.clone(), torch.zeros_like(x)
    for right in (-1.0, 0.0, 1.0):
        for below in (-1.0, 0.0, 1.0):
            column, row = i + right, j + below
            at_x = column + hash_cell(column, row, seed)
            at_y = row + hash_cell(column, row, seed + 1.0)
            distance = torch.sqrt((at_x - x) ** 2 + (at_y - y) ** 2)
            closer = distance < nearest
            second = torch.where(closer, nearest, torch.minimum(second, distance))
            owner = torch.where(closer, hash_cell(column, row, seed + 2.0), owner)
            nearest = torch.minimum(nearest, distance)
    return nearest, second, owner


def swirled(
    x: Plane, y: Plane, seed: float, pixel: float, amount: float, *, rough: float = 0.5
) -> tuple[Plane, Plane]:
    """Push positions about by clouds: what is drawn there swirls like ink.

    References
    ----------
    Quilez, "Domain warping", 2002.
    """
    away_x = clouds(x, y, seed, pixel, octaves=3, rough=rough) - 0.5
    away_y = clouds(x + 5.2, y + 1.3, seed + 40.0, pixel, octaves=3, rough=rough) - 0.5
    return x + 2.0 * amount * away_x, y + 2.0 * amount * away_y


def stretched(plane: Plane, low: float, high: float) -> Plane:
    """Stretch a plane so that these shares of it lie below 0 and below 1, and clip it there."""
    flat = plane.flatten()
    ordered = flat.sort().values
    bottom, top = (ordered[min(len(flat) - 1, math.floor(share * len(flat)))] for share in (low, high))
    return ((plane - bottom) / (top - bottom).clamp(min=1e-6)).clamp(0.0, 1.0)


def vignette(x: Plane, y: Plane, *, at: tuple[float, float], inner: float, outer: float) -> Plane:
    """Fade from 1 within ``inner`` of a place to 0 beyond ``outer``."""
    distance = torch.sqrt((x - at[0]) ** 2 + (y - at[1]) ** 2)
    share = ((outer - distance) / (outer - inner)).clamp(0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
