"""Blends of two fields, or of two pictures."""

import torch
from torch import Tensor

from synesthete.programs.parameters import real
from synesthete.programs.place import Plane
from synesthete.programs.registry import blend

__all__ = ["add", "screen"]


@blend
def add(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 4.0)) -> Plane:
    """Add light to light."""
    return below + above * amount


@blend
def screen(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Add light without burning out: 1 - (1 - a)(1 - b)."""
    return below + above * amount * torch.clamp(1.0 - below, 0.0, 1.0)
