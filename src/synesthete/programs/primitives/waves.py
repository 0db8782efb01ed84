"""Fields of waves: rings and ripples, plasma, checks, moiré, and light through water."""

import math

import torch
from torch import Tensor

from synesthete.programs.antialias import cosine, crests, fade, pulse_train
from synesthete.programs.parameters import angle, choice, count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Scalars, field

__all__ = ["caustics", "checker", "moire", "plasma", "rings", "ripples"]

_TURN = 2.0 * math.pi
_SOFT = 0.25
_SOFT_LEFT = math.sin(math.pi * _SOFT) / (math.pi * _SOFT)


@field()
def rings(
    at: Place,
    *,
    count: Tensor = real(4.0, 0.5, 24.0),
    phase: Tensor = turns(),
    sharpness: Tensor = real(0.4, 0.0, 1.0),
) -> Plane:
    """Concentric rings around the centre; phase lets them grow out of it."""
    radius = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    return crests(radius * count - phase, 1.0 - 0.92 * sharpness, at.spread * count)


@field()
def ripples(
    at: Place,
    *,
    sources: int = count(3, 2, 6),
    count: Tensor = real(5.0, 1.0, 12.0),
    apart: Tensor = real(0.5, 0.05, 1.2),
    phase: Tensor = turns(),
    turn: Scalars = angle(),
    sharpness: Tensor = real(0.5, 0.0, 1.0),
    calm: Tensor = real(0.25, 0.0, 1.5),
) -> Plane:
    """Waves that run out from several places on a circle, and add up to knots of light."""
    cos, sin = turn
    height: Plane | float = 0.0
    weights: Plane | float = 0.0
    for k in range(sources):
        c, s = math.cos(_TURN * k / sources), math.sin(_TURN * k / sources)
        x, y = at.u - apart * (cos * c - sin * s), at.v - apart * (sin * c + cos * s)
        square = x * x + y * y
        weight = 1.0 / (0.15 + square)
        wave = torch.cos(_TURN * (torch.sqrt(square + 1e-4) * count - phase))
        height, weights = height + weight * wave, weights + weight
    left = fade(at.spread * count)
    # Crests shine as 1 / (bend - height), from 0 in the troughs to 1; what pixels average away stays.
    bend = 1.2 + 1.8 * (1.0 - sharpness) * (1.0 - sharpness)
    least = (bend - 1.0) / (bend + 1.0)
    lost = torch.rsqrt(bend * bend - 0.5) - 1.0 / bend
    shine = (bend - 1.0) * (1.0 / (bend - height / weights * left) + lost * (1.0 - left))
    return (shine - least) / (1.0 - least) / (1.0 + calm * (at.u * at.u + at.v * at.v))


@field()
def plasma(
    at: Place,
    *,
    size: Tensor = real(0.6, 0.25, 2.0),
    phase: Tensor = turns(),
    folds: Tensor = real(1.0, 0.2, 2.5),
    swirl: Tensor = real(1.0, 0.0, 2.0),
) -> Plane:
    """Slow coloured clouds: sines that bend one another."""
    x, y, turn = at.u / size, at.v / size, _TURN * phase
    a = torch.sin(x + turn + 0.6)
    b = torch.sin(1.1 * y - turn + swirl * a)
    c = torch.sin(0.8 * (x + y) + turn + swirl * b + 2.0)
    radius = torch.sqrt((x - 0.7 * a) * (x - 0.7 * a) + (y + 0.5 * b) * (y + 0.5 * b) + 0.05)
    d = torch.sin(1.2 * radius - turn + 1.0)
    # By how many turns the last sine advances in one pixel, about.
    reach = at.spread / size * folds * (0.3 + 0.3 * swirl)
    return cosine(folds * 0.4 * (a + b + c + d), reach)


@field()
def checker(
    at: Place,
    *,
    count: Tensor = real(3.0, 0.5, 10.0),
    share: Tensor = real(0.5, 0.05, 0.95),
    phase: Tensor = turns(),
    softness: Tensor = real(0.0, 0.0, 1.0),
) -> Plane:
    """Squares in turn light and dark; with another share they become bars that weave."""
    blur = 0.4 * softness
    across = torch.sqrt((at.du * count) ** 2 + blur * blur)
    down = torch.sqrt((at.dv * count) ** 2 + blur * blur)
    a = pulse_train(at.u * count - phase, share, across)
    b = pulse_train(at.v * count - phase, share, down)
    return a + b - 2.0 * a * b


@field()
def moire(
    at: Place,
    *,
    form: str = choice("rings", "waves"),
    light: str = choice("agreement", "difference"),
    count: Tensor = real(18.0, 4.0, 36.0),
    offset: Tensor = real(0.16, 0.0, 0.4),
    stretch: Tensor = real(0.0, -0.2, 0.2),
    turn: Scalars = angle(),
    phase: Tensor = turns(),
) -> Plane:
    """Two fine gratings laid over each other, a little apart: their beats are the picture."""
    cos, sin = turn
    x, y = at.u * cos + at.v * sin, at.v * cos - at.u * sin
    left, right, second = x + offset, x - offset, count * (1.0 + stretch)
    # The two gratings, and the sum of their slopes' squares and twice their product.
    if form == "rings":
        r, s = torch.sqrt(left * left + y * y + 1e-6), torch.sqrt(right * right + y * y + 1e-6)
        squares, product = count * count + second * second, (left * right + y * y) / (r * s)
    else:
        r, s = y + 0.15 * torch.sin(3.0 * left), y + 0.15 * torch.sin(3.0 * right)
        a, b = 0.45 * torch.cos(3.0 * left), 0.45 * torch.cos(3.0 * right)
        squares, product = count * count * (1.0 + a * a) + second * second * (1.0 + b * b), 1.0 + a * b
    product = 2.0 * count * second * product
    apart, together = torch.sqrt(torch.clamp(squares - product, min=0.0)), torch.sqrt(squares + product)
    one, two, half = r * count - phase, s * second, torch.tensor(0.5)
    first = torch.sqrt(at.spread * at.spread * count * count + _SOFT * _SOFT)
    other = torch.sqrt(at.spread * at.spread * second * second + _SOFT * _SOFT)
    a, b = pulse_train(one, half, first), pulse_train(two, half, other)
    # What pixels average away of both gratings' product is not what they average away of each: the beat
    # stays, and the wave at the sum of both goes first. 2/π² is the share of the first harmonics.
    kept, whole = fade(first) * fade(other), _SOFT_LEFT * _SOFT_LEFT
    beat = 0.25 - torch.abs(one - two - torch.round(one - two))
    both = a * b + beat * (whole * fade(at.spread * apart) - kept)
    both = both + torch.cos(_TURN * (one + two)) * (0.2026 * (whole * fade(at.spread * together) - kept))
    return torch.clamp(both if light == "agreement" else 0.85 * (a + b - 2.0 * both), 0.0, 1.0)


@field()
def caustics(
    at: Place,
    *,
    layers: int = count(2, 1, 2),
    size: Tensor = real(0.3, 0.15, 1.0),
    phase: Tensor = turns(),
    swirl: Tensor = real(0.5, 0.0, 1.0),
    width: Tensor = real(0.3, 0.1, 1.0),
) -> Plane:
    """Light on the floor of a pool: a net of bright thin lines that bend, meet and part."""
    x, y, turn = at.u / size, at.v / size, _TURN * phase
    reach: Plane = 1.5 * at.spread / size
    light: Plane = torch.zeros(())
    for layer in range(layers):
        p = x + swirl * torch.sin(1.3 * y + turn + 0.4 + layer)
        q = y + swirl * torch.sin(1.1 * x - turn + 2.0 + layer)
        gap = _gap(p, q, turn, 4 - layer)
        soft = 0.2 * width * (1.0 + layer)
        line = soft / (soft + torch.sqrt(gap * gap + 0.02 * reach * reach))
        # The mean that it has from far away, measured.
        line = torch.lerp(soft / (0.25 + 1.8 * soft), line, fade(0.3 * reach))
        light = line if layer == 0 else light + 0.6 * line * (1.0 - light)
        x, y, reach, turn = 1.4 * y + 2.0, 1.4 * x - 1.0, 1.4 * reach, -turn
    return light


def _gap(x: Plane, y: Plane, turn: Tensor, waves: int) -> Plane:
    """Give by how much the highest of several waves overtops the next: 0 on a net of curves."""
    heights = []
    for k in range(waves):
        cos, sin = math.cos(2.4 * k + 0.5), math.sin(2.4 * k + 0.5)
        across = torch.sin(cos * x + sin * y + (1.7 * k + (turn if k % 2 else -turn)))
        along = torch.sin(1.13 * cos * y - 1.13 * sin * x + (2.9 * k + (turn if k % 3 else -turn)))
        heights.append(across + along)
    first, second = torch.maximum(heights[0], heights[1]), torch.minimum(heights[0], heights[1])
    for height in heights[2:]:
        second = torch.maximum(second, torch.minimum(first, height))
        first = torch.maximum(first, height)
    return first - second
