"""Effects that look at a small picture of their child: light that spreads, and what was there before."""

import torch
from torch import Tensor

from synesthete.programs.parameters import choice, colour, real, turns
from synesthete.programs.registry import Picture, Scalars, memory

__all__ = ["feedback", "glow"]


@memory
def glow(
    of: Picture,
    seen: Picture,
    *,
    amount: Tensor = real(0.6, 0.0, 4.0),
    radius: Tensor = real(0.12, 0.02, 0.6),
    threshold: Tensor = real(0.25, 0.0, 1.0),
    tint: Scalars = colour(1.0, 0.0, 0),
) -> Picture:
    """Bloom: bright places shed light around them, near and far."""
    red, green, blue = (torch.addcmul(c, s, amount * t) for c, s, t in zip(of, seen, tint, strict=True))
    return red, green, blue


@memory
def feedback(
    of: Picture,
    seen: Picture,
    *,
    amount: Tensor = real(0.9, 0.0, 1.0),
    decay: Tensor = real(0.25, 0.03, 0.5),
    zoom: Tensor = real(0.4, -2.0, 2.0),
    turn: Tensor = real(0.0, -0.5, 0.5),
    shift_u: Tensor = real(0.0, -2.0, 2.0),
    shift_v: Tensor = real(0.0, -2.0, 2.0),
    flow: Tensor = real(0.0, 0.0, 1.0),
    flow_scale: Tensor = real(3.0, 0.5, 12.0),
    flow_phase: Tensor = turns(),
    fade_to: Scalars = colour(0.7, 0.12, 300),
    fading: Tensor = real(0.3, 0.0, 1.0),
    mode: str = choice("lighten", "screen", "add"),
) -> Picture:
    """Trails: what was there zooms, turns, drifts and flows on while it decays.

    Rates are per second: ``zoom`` in doublings, ``turn`` in turns, ``shift`` and ``flow`` in half short
    sides. ``decay`` is the time in seconds in which a trail loses half its light; ``fading`` says how fast
    it takes on the colour ``fade_to``.
    """
    channels = []
    for now, before in zip(of, seen, strict=True):
        trail = before * amount
        if mode == "lighten":
            channels.append(torch.maximum(now, trail))
        elif mode == "screen":
            channels.append(now + trail * torch.clamp(1.0 - now, 0.0, 1.0))
        else:
            channels.append(now + trail)
    return channels[0], channels[1], channels[2]
