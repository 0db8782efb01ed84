"""Light: pictures lit by a surface or a depth.

Slopes come from a stencil of one pixel, and within a pixel they vary: second differences tell how much.
That variance makes the surface rougher, so that highlights of creases finer than a pixel spread and dim
instead of flickering (Olano & Baker, "LEAN mapping", I3D 2010).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from synesthete.programs.antialias import cosine, pulse_train, smooth
from synesthete.programs.parameters import angle, choice, colour, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.primitives.grades import times
from synesthete.programs.registry import Picture, Scalars, light

__all__ = ["emboss", "fog", "lantern", "level_lines", "metal", "relief", "rim", "shadow"]


@dataclass(frozen=True)
class _Surface:
    """A height at each pixel: its value, its normal's slopes, and their variances within a pixel."""

    value: Plane
    x: Plane
    y: Plane
    xx: Plane
    yy: Plane
    xy: Plane

    @property
    def length(self) -> Plane:
        """One over the mean normal's length before it is one."""
        return torch.rsqrt(1.0 + self.x * self.x + self.y * self.y + self.xx + self.yy)

    def towards(self, lx: Plane, ly: Plane, lz: Plane) -> Plane:
        """Tell how much it faces a direction: 1 at most, 0 where it turns away."""
        facing = (self.x * lx + self.y * ly + lz) * self.length
        # The mean of what is cut off at 0, where normals of all kinds lie within a pixel.
        rough = (self.xx + self.yy) * self.length * self.length
        return 0.5 * (facing + torch.sqrt(facing * facing + 0.4 * rough))

    def glint(self, lx: Plane, ly: Plane, lz: Plane) -> Plane:
        """Reflect a lamp in a direction to an eye straight above: 1 where it blinds."""
        # The slope that would reflect it, and how far from it this one is.
        x, y = self.x - lx / (lz + 1.0), self.y - ly / (lz + 1.0)
        xx, yy = _GLOSS + self.xx, _GLOSS + self.yy
        spread = xx * yy - self.xy * self.xy
        away = (yy * x * x - 2.0 * self.xy * x * y + xx * y * y) / spread
        return _GLOSS * torch.rsqrt(spread) * torch.exp(-0.5 * away)


_GLOSS = 0.05
"""Variance of the slopes of a polished surface."""


def _surface(height: Plane, depth: Tensor, at: Place) -> _Surface:
    left, right = height[..., 1:-1, :-2], height[..., 1:-1, 2:]
    above, below = height[..., :-2, 1:-1], height[..., 2:, 1:-1]
    middle = height[..., 1:-1, 1:-1]
    scale = depth / at.pixel
    corners = height[..., 2:, 2:] + height[..., :-2, :-2] - height[..., :-2, 2:] - height[..., 2:, :-2]
    bend_x, bend_y = (left + right - 2.0 * middle) * scale, (above + below - 2.0 * middle) * scale
    bend_xy = 0.25 * scale * corners
    # A slope that changes evenly over a pixel by ``bend`` has the variance bend² / 12.
    return _Surface(
        middle,
        (left - right) * (0.5 * scale),
        (above - below) * (0.5 * scale),
        (bend_x * bend_x + bend_xy * bend_xy) / 12.0,
        (bend_y * bend_y + bend_xy * bend_xy) / 12.0,
        bend_xy * (bend_x + bend_y) / 12.0,
    )


@light
def relief(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.2, 0.0, 0.4),
    turn: Scalars = angle(0.62),
    elevation: Tensor = real(0.9, 0.8, 3.0),
    gloss: Tensor = real(0.5, 0.0, 1.5),
    occlusion: Tensor = real(0.4, 0.0, 1.0),
    shine: Scalars = colour(0.95, 0.04, 80),
) -> Picture:
    """Light the picture as if it lay on a surface: diffuse light, gloss, and dark valleys."""
    surface = _surface(height, depth, at)
    lz = elevation * torch.rsqrt(1.0 + elevation * elevation)
    lx, ly = turn[0] * lz / elevation, turn[1] * lz / elevation
    shade = surface.towards(lx, ly, lz) / lz * (1.0 - occlusion * (1.0 - surface.value))
    return _shone(of, shade, surface.glint(lx, ly, lz) * gloss * surface.value, shine)


def _shone(of: Picture, shade: Plane, glint: Plane, shine: Scalars) -> Picture:
    red, green, blue = (c * shade + s * glint for c, s in zip(of, shine, strict=True))
    return red, green, blue


@light
def lantern(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.25, 0.0, 0.6),
    right: Tensor = real(0.4, -1.2, 1.2),
    down: Tensor = real(-0.3, -0.8, 0.8),
    elevation: Tensor = real(0.4, 0.15, 1.0),
    reach: Tensor = real(0.9, 0.3, 2.0),
    gloss: Tensor = real(0.6, 0.0, 1.2),
    shine: Scalars = colour(0.95, 0.06, 80),
) -> Picture:
    """Light the picture as a surface in the dark, by a lamp that moves close above it."""
    surface = _surface(height, depth, at)
    x, y = right - at.u, down - at.v
    square = x * x + y * y + elevation * elevation
    near = torch.rsqrt(square)
    lx, ly, lz = x * near, y * near, elevation * near
    lit = 1.0 / (1.0 + square / (reach * reach))
    lit = lit * lit * 1.8
    return _shone(
        of, surface.towards(lx, ly, lz) * lit, surface.glint(lx, ly, lz) * gloss * lit * surface.value, shine
    )


@light
def rim(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.15, 0.0, 0.25),
    turn: Scalars = angle(0.7),
    amount: Tensor = real(1.0, 0.0, 1.5),
    wrap: Tensor = real(0.4, 0.0, 1.0),
    dim: Tensor = real(0.5, 0.0, 1.0),
    shine: Scalars = colour(0.8, 0.14, 230),
) -> Picture:
    """Let steep edges glow as if lit from behind; wrap carries the light to the far side."""
    surface = _surface(height, depth, at)
    flat = surface.length
    steep = 1.0 - flat
    side = 0.5 + 0.5 * (surface.x * turn[0] + surface.y * turn[1]) * flat
    glow = amount * steep * torch.lerp(side * side, torch.ones_like(wrap), wrap)
    return _shone(of, 1.0 - dim * (1.0 - flat), glow, shine)


@light
def metal(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.15, 0.03, 0.18),
    turn: Scalars = angle(0.8),
    bands: Tensor = real(1.2, 0.3, 1.4),
    phase: Tensor = turns(),
    amount: Tensor = real(0.4, 0.0, 0.6),
    shine: Scalars = colour(0.92, 0.03, 220),
) -> Picture:
    """Show the picture as poured metal, which mirrors a room of bright bands; phase turns the room."""
    surface = _surface(height, depth, at)
    flat = surface.length
    # Where the mirrored look goes along the turn's axis, -1 to 1, and how far a pixel's slopes spread it.
    look = (surface.x * turn[0] + surface.y * turn[1]) * flat
    by_x, by_y = flat * (turn[0] - look * surface.x * flat), flat * (turn[1] - look * surface.y * flat)
    spread = by_x * by_x * surface.xx + 2.0 * by_x * by_y * surface.xy + by_y * by_y * surface.yy
    reach = bands * torch.sqrt(12.0 * torch.clamp(spread, min=0.0) + 1e-9)
    room = cosine(look * bands + phase, reach)
    return _shone(of, 0.15 + 0.75 * room, amount * room * surface.value, shine)


@light
def emboss(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.15, 0.0, 0.5),
    turn: Scalars = angle(0.62),
    amount: Tensor = real(0.7, -1.0, 1.0),
) -> Picture:
    """Press the height into the picture as into paper; a negative amount engraves it."""
    surface = _surface(height, depth, at)
    side = amount * (surface.x * turn[0] + surface.y * turn[1]) * surface.length
    return times(of, 1.0 + side)


@light
def shadow(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    depth: Tensor = real(0.15, 0.0, 0.3),
    turn: Scalars = angle(0.62),
    amount: Tensor = real(0.9, 0.0, 1.0),
    softness: Tensor = real(0.6, 0.3, 1.0),
) -> Picture:
    """Shade the slopes that turn away from a lamp, as if they lay in their own shadow."""
    surface = _surface(height, depth, at)
    away = -(surface.x * turn[0] + surface.y * turn[1]) * surface.length
    dark = amount * smooth(-0.3 * softness, 0.2 + 0.8 * softness, away)
    return times(of, 1.0 - dark)


@light
def level_lines(
    of: Picture,
    height: Plane,
    at: Place,
    *,
    count: Tensor = real(4.0, 1.0, 6.0),
    phase: Tensor = turns(),
    width: Tensor = real(0.012, 0.004, 0.02),
    amount: Tensor = real(0.9, 0.0, 1.2),
    dim: Tensor = real(0.6, 0.0, 1.0),
    shine: Scalars = colour(0.9, 0.1, 80),
) -> Picture:
    """Draw glowing lines of equal height over the picture, evenly thin; phase lets them climb."""
    surface = _surface(height, count, at)
    steep = torch.sqrt(surface.x * surface.x + surface.y * surface.y + surface.xx + surface.yy + 1e-6)
    value = torch.clamp(surface.value, 0.0, 1.0)
    share = torch.clamp(width * steep, max=0.9)
    lines = pulse_train(value * count - phase, share, steep * at.pixel)
    # Lines are born and die softly at both ends, so that grounds stay black; crowds of them dim.
    alive = torch.clamp(8.0 * value * (1.0 - value), max=1.0) / (1.0 + 4.0 * share * share)
    return _shone(of, 1.0 - dim, amount * lines * alive, shine)


@light
def fog(
    of: Picture,
    depth: Plane,
    *,
    density: Tensor = real(1.2, 0.0, 4.0),
    haze: Scalars = colour(0.22, 0.06, 265),
    far: str = choice("dark", "bright"),
) -> Picture:
    """Let the picture sink into fog where a depth is far: dark, or bright."""
    distance = torch.clamp(1.0 - depth if far == "dark" else depth, 0.0, 1.0)
    clear = torch.exp(-density * distance * distance)
    return _shone(of, clear, 1.0 - clear, haze)
