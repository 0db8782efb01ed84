"""Light: pictures lit by a surface."""

import torch
from torch import Tensor

from synesthete.programs.parameters import angle, colour, real
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Picture, Scalars, light

__all__ = ["relief"]


@light
def relief(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.3, 0.0, 3.0),
    turn: Scalars = angle(0.62),
    elevation: Tensor = real(0.7, 0.1, 3.0),
    gloss: Tensor = real(0.5, 0.0, 4.0),
    occlusion: Tensor = real(0.4, 0.0, 1.0),
    shine: Scalars = colour(0.95, 0.04, 80),
) -> Picture:
    """Light the picture as if it lay on a surface: diffuse light, gloss, and dark valleys."""
    middle = height[..., 1:-1, 1:-1]
    scale = -0.5 * depth / at.pixel
    nx = (height[..., 1:-1, 2:] - height[..., 1:-1, :-2]) * scale
    ny = (height[..., 2:, 1:-1] - height[..., :-2, 1:-1]) * scale
    lx, ly = turn
    away = torch.rsqrt(1.0 + elevation * elevation)
    lx, ly, lz = lx * away, ly * away, elevation * away
    inverse = torch.rsqrt(nx * nx + ny * ny + 1.0)
    facing = torch.clamp((nx * lx + ny * ly + lz) * inverse, min=0.0) / lz
    # The half-way vector between the light and the eye, which looks straight down. Blinn, SIGGRAPH 1977.
    half = torch.rsqrt(lx * lx + ly * ly + (lz + 1.0) * (lz + 1.0))
    glint = torch.clamp((nx * lx + ny * ly + lz + 1.0) * half * inverse, min=0.0)
    for _ in range(5):
        glint = glint * glint
    shade = facing * (1.0 - occlusion * (1.0 - middle))
    glint = glint * gloss * middle
    red, green, blue = (c * shade + glint * s for c, s in zip(of, shine, strict=True))
    return red, green, blue
