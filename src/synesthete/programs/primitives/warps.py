"""Warps: where a picture or a field is looked at."""

import torch
from torch import Tensor

from synesthete.programs.parameters import angle, real
from synesthete.programs.place import Place
from synesthete.programs.registry import Scalars, warp

__all__ = ["rotate", "zoom"]


@warp
def rotate(at: Place, *, turn: Scalars = angle()) -> Place:
    """Turn the picture about its centre, clockwise."""
    cos, sin = turn
    u, v = at.u * cos + at.v * sin, at.v * cos - at.u * sin
    du = torch.sqrt((at.du * cos) ** 2 + (at.dv * sin) ** 2)
    dv = torch.sqrt((at.dv * cos) ** 2 + (at.du * sin) ** 2)
    return at.moved(u, v, du, dv)


@warp
def zoom(at: Place, *, factor: Tensor = real(1.0, 0.05, 20.0)) -> Place:
    """Make the picture larger by a factor, from its centre."""
    return at.moved(at.u / factor, at.v / factor, at.du / factor, at.dv / factor)
