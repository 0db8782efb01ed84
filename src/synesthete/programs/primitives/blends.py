"""Blends of two fields, or of two pictures.

Light adds up: what a blend gives may lie above 1, never below 0, if its children do not.
"""

import torch
from torch import Tensor

from synesthete.programs.parameters import real
from synesthete.programs.place import Plane
from synesthete.programs.registry import blend

__all__ = [
    "add",
    "darken",
    "difference",
    "dodge",
    "exclusion",
    "lighten",
    "mask",
    "melt",
    "mix",
    "multiply",
    "over",
    "overlay",
    "screen",
    "soft_light",
    "subtract",
]


@blend
def add(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 2.0)) -> Plane:
    """Add light to light."""
    return below + above * amount


@blend
def screen(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Add light without burning out: 1 - (1 - a)(1 - b)."""
    return below + above * amount * torch.clamp(1.0 - below, 0.0, 1.0)


@blend
def subtract(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 2.0)) -> Plane:
    """Take light away: what is bright above cuts into what is below."""
    return torch.clamp(below - above * amount, min=0.0)


@blend
def multiply(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Light what is below by what is above: dark wherever either is dark."""
    return below * (1.0 + amount * (above - 1.0))


@blend
def lighten(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 2.0)) -> Plane:
    """Show whichever is brighter."""
    return torch.maximum(below, above * amount)


@blend
def darken(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Show whichever is darker."""
    return torch.lerp(below, torch.minimum(below, above), amount)


@blend
def melt(below: Plane, above: Plane, *, softness: Tensor = real(0.4, 0.05, 1.0)) -> Plane:
    """Show whichever is brighter, and let both flow together where they are alike.

    References
    ----------
    Quilez, "Smooth minimum", 2013 (the quadratic one).
    """
    near = torch.clamp(softness - torch.abs(below - above), min=0.0)
    # Where both are dark nothing flows, so that black stays black.
    bridge = near * near * (0.25 / softness)
    return torch.maximum(below, above) + torch.minimum(bridge, 0.5 * torch.minimum(below, above))


@blend
def difference(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Show how far both are apart: where they meet, black lines appear."""
    return torch.abs(below - above * amount)


@blend
def exclusion(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Let light extinguish light, softly: bright where one of both is."""
    low, high = torch.clamp(below, 0.0, 1.0), torch.clamp(above * amount, 0.0, 1.0)
    return low + high - 2.0 * low * high


@blend
def mix(below: Plane, above: Plane, *, share: Tensor = real(0.5, 0.0, 1.0)) -> Plane:
    """Fade from what is below, at a share of 0, to what is above, at 1."""
    return torch.lerp(below, above, share)


@blend
def mask(below: Plane, above: Plane, matte: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Show what is below where the matte is dark, what is above where it is bright."""
    return torch.lerp(below, above, amount * torch.clamp(matte, 0.0, 1.0))


@blend
def over(below: Plane, above: Plane, matte: Plane, *, cover: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Add what is above to what is below, which the matte hides: a body in front of others.

    Unlike in `mask`, what is above shines beyond its matte too, as a glow around a body does.
    """
    return below * (1.0 - cover * torch.clamp(matte, 0.0, 1.0)) + above


@blend
def overlay(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Multiply shadows and screen lights: what is above gives contrast to what is below."""
    low, high = torch.clamp(below, 0.0, 1.0), torch.clamp(above, 0.0, 1.0)
    laid = torch.where(low < 0.5, 2.0 * low * high, 1.0 - 2.0 * (1.0 - low) * (1.0 - high))
    return torch.lerp(below, laid + (below - low), amount)


@blend
def soft_light(below: Plane, above: Plane, *, amount: Tensor = real(1.0, 0.0, 1.0)) -> Plane:
    """Light what is below softly: half grey above leaves it, dark dims it, bright opens it."""
    low, high = torch.clamp(below, 0.0, 1.0), torch.clamp(above, 0.0, 1.0)
    # Pegtop's formula, which has no jump in its slope.
    lit = low * (low + 2.0 * high * (1.0 - low))
    return torch.lerp(below, lit + (below - low), amount)


@blend
def dodge(below: Plane, above: Plane, *, amount: Tensor = real(0.7, 0.0, 0.85)) -> Plane:
    """Burn what is below bright where it is bright above: highlights flare, black stays."""
    return below / (1.0 - amount * torch.clamp(above, 0.0, 1.0))
