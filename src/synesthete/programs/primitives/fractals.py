"""Fields without a smallest detail: Julia and Mandelbrot sets, Kali's folds, and tiny neural networks.

Every step of a fractal is finer than the one before. How much finer is followed along, so that what a pixel
can't show goes dark instead of glittering.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from synesthete.programs.antialias import crests, falloff, smooth
from synesthete.programs.noise import hash_cell
from synesthete.programs.parameters import angle, choice, count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Scalars, field

__all__ = ["julia", "kali", "mandelbrot", "neural"]

_TURN = 2.0 * math.pi
_ESCAPED = 64.0
"""Square of the distance beyond which a point never comes back."""


@field()
def julia(
    at: Place,
    *,
    form: str = choice("jewels", "bubbles"),
    iterations: int = count(12, 6, 20),
    phase: Tensor = turns(0.2),
    burst: Tensor = real(1.03, 0.9, 1.15),
    zoom: Tensor = real(0.9, 0.6, 2.5),
    bloom: Tensor = real(0.16, 0.04, 0.3),
    coast: Tensor = real(0.015, 0.002, 0.03),
) -> Plane:
    """A Julia set on its way along the edge of the Mandelbrot set: jewels on a shining coast."""
    orbit = _Orbit(form, iterations, zoom, bloom, pixel=at.spread / zoom, moves=0.0)
    start, constant = (at.u / zoom, at.v / zoom), _cardioid(phase, burst)
    return orbit.light(start, constant, coast, at.spread)


@field()
def mandelbrot(
    at: Place,
    *,
    form: str = choice("jewels", "bubbles"),
    iterations: int = count(16, 8, 24),
    phase: Tensor = turns(0.3),
    away: Tensor = real(1.08, 1.0, 1.3),
    zoom: Tensor = real(3.0, 0.7, 8.0),
    turn: Scalars = angle(),
    bloom: Tensor = real(0.08, 0.03, 0.3),
    coast: Tensor = real(0.015, 0.002, 0.03),
) -> Plane:
    """The Mandelbrot set through a window that travels along its coast."""
    orbit = _Orbit(form, iterations, zoom, bloom, pixel=at.spread / zoom, moves=1.0)
    x, y = _cardioid(phase, away)
    cos, sin = turn[0] / zoom, turn[1] / zoom
    # The orbit of 0 is at c after its first step.
    constant = x + at.u * cos + at.v * sin, y + at.v * cos - at.u * sin
    return orbit.light(constant, constant, coast, at.spread)


def _cardioid(phase: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Give a place on the edge of the Mandelbrot set's heart: whatever is near is rich in form."""
    turn = _TURN * phase
    x = 0.5 * torch.cos(turn) - 0.25 * torch.cos(2.0 * turn)
    y = 0.5 * torch.sin(turn) - 0.25 * torch.sin(2.0 * turn)
    return x * scale, y * scale


@dataclass(frozen=True)
class _Orbit:
    """Lights up where the orbit of z² + c comes near 0, and the coast between staying and escaping.

    Attributes
    ----------
    form
        What shines: places near 0 (jewels), or near a circle around it (bubbles).
    iterations
        Steps.
    zoom, bloom
        Enlargement, and how widely jewels shine.
    pixel
        Extent of a pixel in the plane of z and c.
    moves
        Whether c is what differs from pixel to pixel (1), or where the orbit starts (0).

    References
    ----------
    Pickover, "Biomorphs", Computers & Graphics, 1986 (orbit traps); Hart et al., SIGGRAPH 1989 (distance).
    """

    form: str
    iterations: int
    zoom: Tensor
    bloom: Tensor
    pixel: Plane
    moves: float

    def light(
        self, start: tuple[Plane, Plane], constant: tuple[Plane, Plane], coast: Tensor, spread: Plane
    ) -> Plane:
        """Draw it; ``coast`` is how widely the coast shines, in units of the screen like ``spread``."""
        (x, y), (cx, cy) = start, constant
        square = x * x + y * y
        # By how much a small difference has grown by now, squared.
        growth: Plane = torch.ones(())
        nearest: Plane = torch.full((), 100.0)
        pixel2, bloom2 = self.pixel * self.pixel, self.bloom * self.bloom
        for k in range(self.iterations):
            stays = square < _ESCAPED
            growth = torch.where(stays, 4.0 * square * growth + self.moves, growth)
            x, y = torch.where(stays, x * x - y * y + cx, x), torch.where(stays, 2.0 * x * y + cy, y)
            square = x * x + y * y
            # Later jewels are dimmer, and those finer than a pixel go out.
            dim = 0.05 * pixel2 * growth + 0.05 * k * bloom2
            nearest = torch.minimum(nearest, self._away(square) + dim)
        jewel = bloom2 / (bloom2 + nearest)
        radius = torch.sqrt(torch.clamp(square, min=1.0))
        distance = radius * torch.log(radius) * torch.rsqrt(growth + 1e-12) * self.zoom
        shore = 0.55 * falloff(distance, coast, spread)
        # What is inside is dark, unless a pixel holds so much of the coast that it can't tell.
        inside = smooth(2.0, 1.0, radius) / (1.0 + 0.5 * pixel2 * growth)
        return torch.maximum(jewel, shore * (1.0 - inside))

    def _away(self, square: Plane) -> Plane:
        """Give the squared distance from what shines."""
        if self.form == "jewels":
            return square
        return 4.0 * (torch.sqrt(square + 1e-9) - 2.0 * self.bloom) ** 2


@field()
def kali(
    at: Place,
    *,
    form: str = choice("lace", "arcs", "bubbles"),
    folds: int = count(7, 4, 8),
    size: Tensor = real(0.8, 0.4, 1.6),
    shift: Tensor = real(0.7, 0.5, 1.0),
    sway: Tensor = real(0.15, 0.0, 0.3),
    phase: Tensor = turns(),
    width: Tensor = real(0.035, 0.01, 0.1),
    echo: Tensor = real(0.8, 0.5, 0.95),
) -> Plane:
    """Glowing filaments, folded and turned inside out again and again: lace, arcs or bubbles.

    References
    ----------
    Kali, "Kaliset", fractalforums.com, 2011: abs(z) / |z|² - c.
    """
    cx = shift + sway * torch.cos(_TURN * phase)
    cy = 0.85 * shift + sway * torch.sin(_TURN * phase)
    x, y, reach = at.u / size, at.v / size, at.spread / size
    light: Plane = torch.zeros(())
    weight = torch.ones(())
    for k in range(folds):
        inverse = 1.0 / (x * x + y * y + 1e-3)
        x, y = torch.abs(x) * inverse - cx, torch.abs(y) * inverse - cy
        reach = torch.clamp(reach * inverse, max=1e4)
        if k == 0:
            continue
        if form == "lace":
            away = torch.minimum(torch.abs(x), torch.abs(y))
        elif form == "arcs":
            away = x
        else:
            away = torch.sqrt(x * x + y * y) - 0.6
        light = light + weight * falloff(away, width, reach)
        weight = weight * echo
    return 1.0 - 1.0 / (1.0 + light * (0.7 + light))


_UNITS = 4
"""Width of the network's layers."""


@field()
def neural(
    at: Place,
    *,
    seed: Tensor = real(3.0, 0.0, 50.0),
    size: Tensor = real(0.8, 0.6, 1.2),
    gain: Tensor = real(1.1, 0.8, 1.3),
    bands: Tensor = real(0.4, 0.25, 0.6),
    width: Tensor = real(0.7, 0.3, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """Soft bands painted by a tiny neural network; another seed is another network.

    References
    ----------
    Stanley, "Compositional pattern producing networks", 2007.
    """
    cos, sin = torch.cos(_TURN * phase), torch.sin(_TURN * phase)
    x, y = at.u / size, at.v / size
    values = [x, y, torch.sqrt(x * x + y * y + 0.01)]
    weights = iter(_weights(seed, _UNITS * (3 * 3 + 3 + 2 * _UNITS + 1)))
    for layer in range(3):
        units = []
        for _ in range(_UNITS):
            total: Plane = torch.zeros(())
            bias = 1.2 * next(weights) + 0.5 * (next(weights) * cos + next(weights) * sin)
            for value in values:
                total = total + value * next(weights)
            total = bias + total * (gain if layer == 0 else 0.75 * gain)
            units.append(total * torch.rsqrt(1.0 + total * total) if layer == 1 else torch.sin(total))
        values = units
    out: Plane = torch.zeros(())
    for value in values:
        out = out + value * next(weights)
    # Each layer steepens what it is given by about the gain.
    steepness = 2.0 * gain * gain * gain * bands / size
    return crests(bands * out, width, at.spread * steepness)


def _weights(seed: Tensor, number: int) -> tuple[Tensor, ...]:
    """Give numbers between -1.6 and 1.6 that swing slowly with the seed, each at its own pace."""
    k = torch.arange(float(number), device=seed.device)
    row = torch.floor(k / 8.0)
    pace, start = 0.15 + 0.35 * hash_cell(k - 8.0 * row, row, 1.0), hash_cell(k - 8.0 * row, row, 2.0)
    swing = torch.sin(seed[..., None] * pace + _TURN * start)
    # The exponential also has the compiler keep them: anything cheaper it works out again for each pixel.
    return (3.2 / (1.0 + torch.exp(-3.0 * swing)) - 1.6).unbind(-1)
