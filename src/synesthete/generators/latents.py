"""Latents of a frame, made from anchors, axes and noises, as spread out as those that the network knows.

The mean of each channel says what holds for the whole picture, such as its colours; what is left, where
things are. Both lie on spheres of their own: between two anchors each goes along its sphere, and whatever
moves them besides leaves their lengths alone. A straight line would pass near the middle, where a picture is
the mean of all pictures, and grey.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Float64

from synesthete.seeding import generator_for

__all__ = ["Material", "latents_of", "on_two_spheres", "wander_noises"]

_LEAST: Final = 1e-6

Grid = Float64[np.ndarray, "latents rows columns"]


class Material(NamedTuple):
    """What latents of a film are made from.

    Attributes
    ----------
    anchors
        About N(0, 1).
    axes
        Directions, of length 1: latents differ by 1 along each.
    noises
        About N(0, 1), as long as anchors are.
    """

    anchors: Float[np.ndarray, "anchors latents rows columns"]
    axes: Float[np.ndarray, "axes latents rows columns"]
    noises: Float[np.ndarray, "noises latents rows columns"]


def latents_of(
    material: Material,
    weights: Float[np.ndarray, " anchors"],
    moves: Float[np.ndarray, " axes"],
    wander: Float[np.ndarray, " noises"],
    *,
    temperature: float = 1.0,
) -> Float32[np.ndarray, "latents rows columns"]:
    """Make the latents of one frame.

    Parameters
    ----------
    weights
        Of anchors, in all 1, of which at most two are not 0.
    moves
        Along the axes.
    wander
        How much of each noise is added.
    temperature
        What they are multiplied by in the end.
    """
    one, *others = np.flatnonzero(weights)
    between = np.asarray(material.anchors[one], np.float64)
    if others:
        (other,) = others
        between = on_two_spheres(between, np.asarray(material.anchors[other], np.float64), weights[other])
    moved = between.copy()
    for amounts, directions in ((moves, material.axes), (wander, material.noises)):
        for amount, direction in zip(amounts, directions, strict=True):
            moved += float(amount) * direction
    whole, rest = _parts(moved)
    length, length_of_rest = (_length(part) for part in _parts(between))
    whole, rest = _scaled(whole, length), _scaled(rest, length_of_rest)
    return np.asarray(temperature * (whole + rest), np.float32)


def on_two_spheres(one: Grid, other: Grid, share: float) -> Grid:
    """Go a share of the way from one grid to another: means, and what is left, each along its sphere.

    References
    ----------
    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
    """
    whole, rest = (_on_sphere(part, end, share) for part, end in zip(_parts(one), _parts(other), strict=True))
    return np.asarray(whole + rest)


def wander_noises(
    seed: int, count: int, shape: tuple[int, int, int]
) -> Float32[np.ndarray, "{count} latents rows columns"]:
    """Draw the noises that latents wander by, each by its number."""
    drawn = [generator_for(seed, "gan.wander", place).standard_normal(shape) for place in range(count)]
    return np.stack(drawn).astype(np.float32)


def _parts(grid: Grid) -> tuple[Grid, Grid]:
    """Give the mean of each channel at every place, and what is left: they stand at right angles."""
    mean = np.broadcast_to(grid.mean(axis=(1, 2), keepdims=True), grid.shape)
    return mean, grid - mean


def _on_sphere(one: Grid, other: Grid, share: float) -> Grid:
    lengths = _length(one), _length(other)
    # Sums, not products of matrices: of these the last bits depend on the threads.
    cosine = float((one * other).sum()) / max(lengths[0] * lengths[1], _LEAST)
    angle = float(np.arccos(np.clip(cosine, -1.0 + _LEAST, 1.0 - _LEAST)))
    length = (1.0 - share) * lengths[0] + share * lengths[1]
    mixed = np.sin((1.0 - share) * angle) * one / max(lengths[0], _LEAST)
    mixed = mixed + np.sin(share * angle) * other / max(lengths[1], _LEAST)
    return _scaled(mixed, length)


def _length(grid: Grid) -> float:
    return float(np.sqrt(np.square(grid).sum()))


def _scaled(grid: Grid, length: float) -> Grid:
    """Bring a grid to a length; one of length 0 has no direction, and stays."""
    return grid * (length / max(_length(grid), _LEAST))
