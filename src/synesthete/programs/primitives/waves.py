"""Fields of waves: rings, ripples, plasma."""

import torch
from torch import Tensor

from synesthete.programs.antialias import cosine
from synesthete.programs.parameters import real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import field

__all__ = ["rings"]


@field()
def rings(
    at: Place,
    *,
    count: Tensor = real(4.0, 0.0, 40.0),
    phase: Tensor = turns(),
    sharpness: Tensor = real(0.0, 0.0, 1.0),
) -> Plane:
    """Concentric rings around the centre; phase lets them grow out of it."""
    radius = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    wave = cosine(radius * count - phase, at.spread * count)
    return torch.lerp(wave, wave * wave * wave, sharpness)
