"""Fields of many discs, each where a formula puts it: seeds of a flower, bodies on orbits."""

import torch
from torch import Tensor

from synesthete.programs.antialias import edge, line, mod1, pulse_train, smooth
from synesthete.programs.parameters import count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import field

__all__ = ["orbits", "phyllotaxis"]

_TURN = 6.2831853
_GOLDEN = 0.38196601
"""The golden angle, turns."""

_STEP = 21.0
_DRIFT = 0.02128624
"""By how much 21 golden angles miss 8 turns."""


@field()
def phyllotaxis(
    at: Place,
    *,
    seeds: Tensor = real(260.0, 30.0, 500.0),
    radius: Tensor = real(0.9, 0.4, 1.3),
    size: Tensor = real(0.85, 0.2, 1.0),
    growth: Tensor = real(0.5, 0.0, 1.0),
    accent: Tensor = real(0.6, 0.0, 1.0),
    arms: int = count(3, 1, 7),
    phase: Tensor = turns(),
) -> Plane:
    """Discs in the order of a sunflower's seeds; phase moves them outward, and new ones are born.

    Growth is how much smaller they are in the middle than outside; accent darkens what lies between some of
    their spiral arms.

    References
    ----------
    Vogel, "A better way to construct the sunflower head", 1979. The nearest seed is found as in Keinert et
    al., "Spherical Fibonacci mapping", 2015. *Differs:* in the plane.
    """
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    cell = radius * torch.rsqrt(seeds)
    turn = torch.atan2(at.u, -at.v) / _TURN - _DRIFT * phase
    # Seeds are a lattice in (turn, number). Two Fibonacci numbers give its shortest vectors here.
    rank = from_centre / cell
    rank = rank * rank
    index = torch.clamp(torch.floor(torch.log(28.099 * rank + 1e-6) * 1.0390435), min=1.0)
    power = torch.exp(0.48121183 * index)
    sign = 1.0 - 2.0 * (index - 2.0 * torch.floor(0.5 * index))
    fewer = torch.round(0.4472136 * power)
    more = torch.round(0.4472136 * 1.6180340 * power)
    lean, lesser = sign / power, -0.61803399 * sign / power
    number = rank - _STEP * phase
    first = torch.floor(sign * (turn * more - number * lesser))
    second = torch.floor(sign * (number * lean - turn * fewer))
    nearest, order = torch.full_like(first, 1e6), torch.zeros_like(first)
    for k, j in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
        a, b = first + k, second + j
        born = a * fewer + b * more
        out = cell * torch.sqrt(torch.clamp(born + _STEP * phase, min=0.0))
        across = torch.sin(0.5 * _TURN * (a * lean + b * lesser - turn))
        beside = from_centre - out
        square = beside * beside + 4.0 * from_centre * out * across * across
        order = torch.where(square < nearest, born, order)
        nearest = torch.minimum(square, nearest)
    age = order + _STEP * phase
    # Small when born, and gone at the rim.
    alive = smooth(1.0, 4.0, age) * (1.0 - smooth(0.9, 1.0, age / seeds))
    inner = torch.sqrt(torch.clamp(age / seeds, 0.0, 1.0))
    disc = 0.84 * cell * size * (1.0 - growth * (1.0 - inner)) * alive
    drawn = torch.maximum(disc, 0.5 * at.spread)
    distance = torch.sqrt(nearest + 1e-9)
    share = disc / drawn
    shade = 1.0 - 0.5 * torch.clamp(nearest / (drawn * drawn), max=1.0)
    # 21 seeds on, it is the same again, as the phase demands.
    wave = 0.5 + 0.5 * torch.cos((_TURN * arms / _STEP) * order)
    bright = 1.0 - accent * (1.0 - wave)
    return edge(distance - drawn, at.spread) * share * share * shade * bright


@field()
def orbits(
    at: Place,
    *,
    bodies: int = count(7, 3, 12),
    inner: Tensor = real(0.18, 0.05, 0.35),
    outer: Tensor = real(0.88, 0.6, 1.2),
    size: Tensor = real(0.05, 0.015, 0.1),
    trail: Tensor = real(0.4, 0.0, 0.9),
    rail: Tensor = real(0.12, 0.0, 1.0),
    glow: Tensor = real(0.5, 0.0, 1.0),
    phase: Tensor = turns(0.31),
) -> Plane:
    """Discs that circle on nested orbits, inner ones faster, and meet in one line when the phase comes round.

    In one turn of the phase the outermost goes round once, the next twice, and so on. Trail is the part of
    its orbit that glows behind each; rail shows the orbits.
    """
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    turn = torch.atan2(at.u, -at.v) / _TURN
    gap = (outer - inner) / (bodies - 1)
    nearest = torch.clamp(torch.round((from_centre - inner) / gap), 0.0, bodies - 1.0)
    beside = from_centre - inner - gap * nearest
    behind = mod1((bodies - nearest) * phase - turn)
    faint = torch.clamp(1.0 - behind / (trail + 0.01), min=0.0)
    wide = torch.minimum(1.5 * size, 0.6 * gap)
    value = faint * faint * 0.7 * line(beside, wide * (0.15 + 0.85 * faint), at.spread)
    rails = pulse_train((from_centre - inner) / gap, 0.006 / gap, at.spread / gap)
    ends = edge(torch.abs(from_centre - 0.5 * (inner + outer)) - 0.5 * (outer - inner + gap), at.spread)
    value = torch.maximum(value, rail * 0.6 * rails * ends)
    for body in range(bodies):
        way = _TURN * (bodies - body) * phase
        orbit = inner + gap * body
        right, down = at.u - orbit * torch.sin(way), at.v + orbit * torch.cos(way)
        square = right * right + down * down
        own = size * (0.7 + 0.3 * (body + 1) / bodies)
        cover = edge(torch.sqrt(square + 1e-9) - own, at.spread)
        halo = 1.0 / (1.0 + square / (4.0 * own * own))
        ball = 1.0 - 0.4 * torch.clamp(square / (own * own), max=1.0)
        value = torch.lerp(value + (1.0 - value) * (0.6 * glow) * halo * halo, ball, cover)
    return value
