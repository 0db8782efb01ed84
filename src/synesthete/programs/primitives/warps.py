"""Warps that move, bend and push: where a picture or a field is looked at."""

import math
from functools import partial

import torch
from torch import Tensor

from synesthete.programs.antialias import extent, fade
from synesthete.programs.noise import turbulence
from synesthete.programs.parameters import angle, choice, count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Scalars, warp

__all__ = [
    "carried",
    "perspective",
    "ripple",
    "rotate",
    "scaled",
    "shear",
    "shift",
    "swell",
    "turbulent",
    "twist",
    "wave",
    "zoom",
]

_TURN = 2.0 * math.pi


def carried(at: Place, u: Plane, v: Plane, by_u: tuple[Plane, Plane], by_v: tuple[Plane, Plane]) -> Place:
    """Carry a place through a map, with its footprint.

    Parameters
    ----------
    u, v
        The new coordinates.
    by_u, by_v
        Their derivatives: of (u, v) by the old u, and by the old v.
    """
    return at.moved(u, v, extent(at, by_u[0], by_v[0]), extent(at, by_u[1], by_v[1]))


def scaled(at: Place, scale: Plane, slope: Plane) -> Place:
    """Carry a place through a map that moves points towards the centre or away from it.

    Parameters
    ----------
    scale
        Factor of the radius at each point.
    slope
        The new radius' derivative by the old one.
    """
    bent = (slope - scale) / (at.u * at.u + at.v * at.v + 1e-6)
    cross = bent * at.u * at.v
    by_u, by_v = (scale + bent * at.u * at.u, cross), (cross, scale + bent * at.v * at.v)
    return carried(at, at.u * scale, at.v * scale, by_u, by_v)


@warp
def rotate(at: Place, *, turn: Scalars = angle()) -> Place:
    """Turn the picture about its centre, clockwise."""
    cos, sin = turn
    u, v = at.u * cos + at.v * sin, at.v * cos - at.u * sin
    return carried(at, u, v, (cos, -sin), (sin, cos))


@warp
def zoom(at: Place, *, factor: Tensor = real(1.0, 0.2, 5.0)) -> Place:
    """Make the picture larger by a factor, from its centre."""
    return at.moved(at.u / factor, at.v / factor, at.du / factor, at.dv / factor)


@warp
def shift(at: Place, *, right: Tensor = real(0.0, -2.0, 2.0), down: Tensor = real(0.0, -2.0, 2.0)) -> Place:
    """Move the picture to the right and down; 2 is its short side."""
    return at.moved(at.u - right, at.v - down)


@warp
def shear(at: Place, *, across: Tensor = real(0.4, -0.8, 0.8), down: Tensor = real(0.0, -0.8, 0.8)) -> Place:
    """Slant the picture: sideways in proportion to height, and downward in proportion to breadth."""
    one = torch.ones_like(across)
    return carried(at, at.u - across * at.v, at.v - down * at.u, (one, -down), (-across, one))


@warp
def wave(
    at: Place,
    *,
    amount: Tensor = real(0.5, 0.0, 2.0),
    count: Tensor = real(1.5, 0.2, 8.0),
    phase: Tensor = turns(),
    along: str = choice("across", "down"),
) -> Place:
    """Let the picture sway in waves, like a flag or its image in water."""
    other, reach = (at.v, at.dv) if along == "across" else (at.u, at.du)
    turn = _TURN * (other * count - phase)
    # An amount of 1 slants the picture by 45 degrees at the steepest, whatever the waves' length.
    kept = amount * fade(reach * count)
    push, slant = kept * torch.sin(turn) / (_TURN * count), kept * torch.cos(turn)
    one = torch.ones_like(amount)
    if along == "across":
        return carried(at, at.u + push, at.v, (one, 0.0 * one), (slant, one))
    return carried(at, at.u, at.v + push, (one, slant), (0.0 * one, one))


@warp
def ripple(
    at: Place,
    *,
    amount: Tensor = real(1.0, 0.0, 2.5),
    count: Tensor = real(2.5, 0.5, 8.0),
    phase: Tensor = turns(),
    fall: Tensor = real(0.5, 0.0, 4.0),
) -> Place:
    """Push the picture in and out in rings that run from the centre, as a drop does in water."""
    square = at.u * at.u + at.v * at.v + 1e-6
    radius = torch.sqrt(square)
    turn = _TURN * (radius * count - phase)
    # Calm at the very centre, where no direction is outward.
    calm = (0.3 / count) ** 2
    near = torch.rsqrt(square + calm)
    kept = amount * fade(at.spread * count) / ((1.0 + fall * square) * _TURN * count)
    push = kept * torch.sin(turn) * near
    slope = kept * (_TURN * count * torch.cos(turn) * radius * near + torch.sin(turn) * calm * near**3)
    return scaled(at, 1.0 + push, 1.0 + slope)


@warp
def swell(
    at: Place,
    *,
    amount: Tensor = real(0.6, -1.0, 1.0),
    radius: Tensor = real(0.6, 0.15, 2.0),
    right: Tensor = real(0.0, -1.0, 1.0),
    down: Tensor = real(0.0, -1.0, 1.0),
) -> Place:
    """Bulge the picture as under a round lens, or pinch it where the amount is negative."""
    here = at.moved(at.u - right, at.v - down)
    t = (here.u * here.u + here.v * here.v) / (radius * radius)
    near = 1.0 / (1.0 + t)
    # At most e^1.8, sixfold; from e² on, a pinch would fold the picture over.
    strength = 1.8 * amount
    scale = torch.exp(-strength * near)
    lens = scaled(here, scale, scale * (1.0 + 2.0 * strength * t * near * near))
    return lens.moved(lens.u + right, lens.v + down, lens.du, lens.dv)


@warp
def twist(
    at: Place,
    *,
    amount: Tensor = real(0.35, -1.0, 1.0),
    radius: Tensor = real(0.6, 0.35, 2.0),
    way: str = choice("centre", "rim"),
) -> Place:
    """Wind the picture up about its centre, or ever further outward into arms of a galaxy."""
    t = (at.u * at.u + at.v * at.v) / (radius * radius)
    near = 1.0 / (1.0 + t)
    strength = _TURN * amount
    # The angle, and its derivative by the radius over the radius.
    if way == "centre":
        turn, rate = strength * near, -2.0 * strength * near * near / (radius * radius)
    else:
        turn, rate = 0.5 * strength * torch.log(1.0 + t), strength * near / (radius * radius)
    cos, sin = torch.cos(turn), torch.sin(turn)
    u, v = at.u * cos + at.v * sin, at.v * cos - at.u * sin
    along, down = rate * at.u, rate * at.v
    return carried(at, u, v, (cos + along * v, -sin - along * u), (sin + down * v, cos - down * u))


@warp
def turbulent(
    at: Place,
    *,
    amount: Tensor = real(0.5, 0.0, 1.2),
    scale: Tensor = real(2.0, 0.5, 6.0),
    phase: Tensor = turns(),
    octaves: int = count(3, 1, 5),
) -> Place:
    """Stir the picture about its centre like ink in water."""
    flow = partial(turbulence, phase=phase, octaves=octaves, amount=amount)
    u, v = flow(at.u * scale, at.v * scale, reach=at.spread * scale)
    # The centre stays: a composition must not float away.
    still = torch.zeros_like(scale)
    right, down = flow(still, still, reach=at.pixel * scale)
    # Each octave slants the picture by up to ``amount``; together, in directions of all kinds:
    stretch = (1.0 + 0.5 * amount * amount) ** (0.5 * octaves)
    return at.moved((u - right) / scale, (v - down) / scale, at.spread * stretch, at.spread * stretch)


@warp
def perspective(
    at: Place,
    *,
    tilt: Tensor = real(0.8, -2.0, 2.0),
    swing: Tensor = real(0.0, -1.0, 1.0),
    beyond: str = choice("nothing", "mirrored"),
) -> Place:
    """Tilt the picture back into space; from a tilt of 1 on, a horizon shows."""
    # How near the plane is: 0 at the horizon, negative behind it.
    near = 1.0 + tilt * at.v + swing * at.u
    near = torch.clamp(near, min=0.02) if beyond == "nothing" else torch.sqrt(near * near + 4e-4)
    inverse = 1.0 / near
    u, v = at.u * inverse, at.v * inverse
    by_u = (inverse - swing * u * inverse, -swing * v * inverse)
    by_v = (-tilt * u * inverse, inverse - tilt * v * inverse)
    return carried(at, u, v, by_u, by_v)
