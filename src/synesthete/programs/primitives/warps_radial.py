"""Warps that make another space of the plane: polar, inverted, self-similar."""

import math

import torch
from torch import Tensor

from synesthete.programs.parameters import angle, choice, count, real, turns
from synesthete.programs.place import Place
from synesthete.programs.primitives.warps_folds import folded
from synesthete.programs.registry import Scalars, warp

__all__ = ["circle_inversion", "droste", "polar", "tube"]

_TURN = 2.0 * math.pi


@warp
def polar(
    at: Place,
    *,
    radius: Tensor = real(0.95, 0.5, 2.0),
    hole: Tensor = real(0.1, 0.0, 0.5),
    spin: Scalars = angle(),
    repeats: int = count(1, 1, 4),
    depth: str = choice("radius", "log"),
) -> Place:
    """Bend the picture around the centre: its lower edge becomes a hole, its upper edge the rim.

    The breadth from -1 to 1 goes half around and comes back mirrored, so that any picture closes; several
    repeats share the circle.
    """
    cos, sin = spin
    x, y = at.u * cos + at.v * sin, at.v * cos - at.u * sin
    square = x * x + y * y + 1e-6
    inverse = torch.rsqrt(square)
    distance = square * inverse
    # 4 repeats a turn: up, and back.
    per_radian = 4.0 * repeats / _TURN
    du = per_radian * at.spread * inverse
    u = folded(torch.atan2(x, -y) * per_radian, du)
    if depth == "radius":
        rate = 2.0 / (radius * (1.0 - hole))
        v = 1.0 - (distance - radius * hole) * rate
        return at.moved(u, v, du, at.spread * rate)
    rate = 2.0 / torch.log(1.0 / (0.02 + hole))
    return at.moved(u, -1.0 - torch.log(distance / radius) * rate, du, rate * at.spread * inverse)


@warp
def tube(
    at: Place,
    *,
    travel: Tensor = turns(),
    spiral: Tensor = real(0.0, -1.0, 1.0),
    spin: Scalars = angle(),
    repeats: int = count(3, 1, 5),
) -> Place:
    """Line an endless tube with the picture, every other tile mirrored; travel goes down it."""
    cos, sin = spin
    x, y = at.u * cos + at.v * sin, at.v * cos - at.u * sin
    square = x * x + y * y + 1e-6
    per_radian = 4.0 * repeats / _TURN
    v = 0.5 * per_radian * torch.log(square)
    u = torch.atan2(y, x) * per_radian + spiral * v
    spread = per_radian * at.spread * torch.rsqrt(square)
    slanted = spread * torch.sqrt(1.0 + spiral * spiral)
    return at.moved(folded(u, slanted), folded(-v - 4.0 * travel, spread), slanted, spread)


@warp
def circle_inversion(
    at: Place,
    *,
    radius: Tensor = real(0.7, 0.2, 1.5),
    right: Tensor = real(0.0, -1.0, 1.0),
    down: Tensor = real(0.0, -1.0, 1.0),
    region: str = choice("everywhere", "inside", "outside"),
) -> Place:
    """Turn the plane inside out at a circle: what was far away lies in the middle."""
    x, y = at.u - right, at.v - down
    scale = radius * radius / (x * x + y * y + 1e-4)
    if region == "inside":
        scale = torch.clamp(scale, min=1.0)
    if region == "outside":
        scale = torch.clamp(scale, max=1.0)
    return at.moved(x * scale + right, y * scale + down, at.spread * scale, at.spread * scale)


@warp
def droste(
    at: Place,
    *,
    ratio: Tensor = real(3.0, 1.8, 8.0),
    travel: Tensor = turns(),
    spin: Tensor = turns(),
    arms: int = count(1, 0, 4),
) -> Place:
    """Put the picture into itself without end, along a spiral; travel falls into it."""
    square = at.u * at.u + at.v * at.v + 1e-6
    log_radius, turn = 0.5 * torch.log(square), torch.atan2(at.v, at.u)
    # The complex logarithm turned and stretched so that once around is ``arms`` periods up: Lenstra's map
    # of Escher's "Print Gallery". Differs: every other ring is mirrored, so that any picture closes.
    span = torch.log(ratio)
    lean = 2.0 * arms * span / _TURN
    along, around = log_radius - lean * turn, turn + lean * log_radius + _TURN * spin
    reach = at.spread * torch.rsqrt(square) * torch.sqrt(1.0 + lean * lean)
    ring = folded(2.0 * along / span + 1.0 + 4.0 * travel, 2.0 * reach / span)
    radius = torch.exp(0.5 * span * (ring - 1.0))
    u, v = radius * torch.cos(around), radius * torch.sin(around)
    return at.moved(u, v, reach * radius, reach * radius)
