"""Fields without a smallest detail: Julia and Mandelbrot sets, Kali's folds, and tiny neural networks.

Every step of a fractal is finer than the one before. How much finer is followed along, so that what a pixel
can't show goes dark instead of glittering.
"""

import math

import torch
from torch import Tensor

from synesthete.programs.antialias import crests, falloff, mod1, smooth
from synesthete.programs.parameters import choice, count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import field

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
    zoom: Tensor = real(0.85, 0.6, 2.5),
    bloom: Tensor = real(0.12, 0.04, 0.3),
    coast: Tensor = real(0.01, 0.002, 0.03),
) -> Plane:
    """A Julia set on its way along the edge of the Mandelbrot set: jewels on a shining coast."""
    x, y = _cardioid(phase, burst)
    return _jewels(at, form, iterations, at.u / zoom, at.v / zoom, x, y, zoom, bloom, coast, julia=True)


@field()
def mandelbrot(
    at: Place,
    *,
    form: str = choice("jewels", "bubbles"),
    iterations: int = count(16, 8, 24),
    phase: Tensor = turns(0.3),
    away: Tensor = real(1.08, 1.0, 1.3),
    zoom: Tensor = real(3.0, 0.7, 8.0),
    bloom: Tensor = real(0.08, 0.03, 0.3),
    coast: Tensor = real(0.01, 0.002, 0.03),
) -> Plane:
    """The Mandelbrot set through a window that travels along its coast."""
    x, y = _cardioid(phase, away)
    zero = torch.zeros(())
    return _jewels(
        at, form, iterations, zero, zero, x + at.u / zoom, y + at.v / zoom, zoom, bloom, coast, julia=False
    )


def _cardioid(phase: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Give a place on the edge of the Mandelbrot set's heart: whatever is near is rich in form."""
    turn = _TURN * phase
    x = 0.5 * torch.cos(turn) - 0.25 * torch.cos(2.0 * turn)
    y = 0.5 * torch.sin(turn) - 0.25 * torch.sin(2.0 * turn)
    return x * scale, y * scale


def _jewels(
    at: Place,
    form: str,
    iterations: int,
    x: Plane,
    y: Plane,
    cx: Plane,
    cy: Plane,
    zoom: Tensor,
    bloom: Tensor,
    coast: Tensor,
    *,
    julia: bool,
) -> Plane:
    """Light up where the orbit of z² + c comes near 0, and the coast between staying and escaping.

    References
    ----------
    Pickover, "Biomorphs", Computers & Graphics, 1986 (orbit traps); Hart et al., SIGGRAPH 1989 (distance).
    """
    pixel2 = (at.spread / zoom) ** 2
    square = x * x + y * y
    # How many times larger than at first a small difference is by now, squared.
    growth: Plane = torch.ones(()) if julia else torch.zeros(())
    nearest: Plane = torch.full((), 100.0)
    blur, haze = 0.05 * pixel2, 0.05 * bloom * bloom
    for k in range(iterations):
        stays = square < _ESCAPED
        growth = torch.where(stays, 4.0 * square * growth + (0.0 if julia else 1.0), growth)
        x, y = torch.where(stays, x * x - y * y + cx, x), torch.where(stays, 2.0 * x * y + cy, y)
        square = x * x + y * y
        if k or julia:
            away = square if form == "jewels" else (torch.sqrt(square + 1e-9) - 2.0 * bloom) ** 2 * 4.0
            nearest = torch.minimum(nearest, away + blur * growth + haze * float(k))
    jewel = bloom * bloom / (bloom * bloom + nearest)
    radius = torch.sqrt(torch.clamp(square, min=1.0))
    distance = radius * torch.log(radius) * torch.rsqrt(growth + 1e-12) * zoom
    shore = falloff(distance, coast, at.spread)
    # What is inside is dark, unless a pixel holds so much of the coast that it can't tell.
    inside = smooth(2.0, 1.0, radius) / (1.0 + 0.5 * pixel2 * growth)
    return torch.maximum(jewel, 0.55 * shore * (1.0 - inside))


@field()
def kali(
    at: Place,
    *,
    form: str = choice("lace", "arcs", "bubbles"),
    folds: int = count(7, 4, 9),
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


@field()
def neural(
    at: Place,
    *,
    seed: Tensor = real(3.0, 0.0, 50.0),
    size: Tensor = real(0.7, 0.5, 1.2),
    gain: Tensor = real(1.3, 0.9, 1.8),
    bands: Tensor = real(0.4, 0.25, 0.8),
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
    steepness = gain * gain * gain * bands / size
    return crests(bands * out, width, at.spread * steepness)


def _weights(seed: Tensor, number: int) -> tuple[Tensor, ...]:
    """Give numbers between -1.6 and 1.6 that swing slowly with the seed, each at its own pace."""
    k = torch.arange(1.0, number + 1.0, device=seed.device)
    # Multiples of two irrational numbers spread evenly over paces and starts (Roberts' R2 sequence).
    swing = torch.sin(seed[..., None] * (0.4 + 0.9 * mod1(0.7548777 * k)) + _TURN * mod1(0.5698403 * k))
    # The exponential also has the compiler keep them: anything cheaper it works out again for each pixel.
    return (3.2 / (1.0 + torch.exp(-3.0 * swing)) - 1.6).unbind(-1)
