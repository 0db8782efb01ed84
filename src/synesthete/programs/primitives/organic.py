"""Fields that look grown: clouds, smoke, fur, height lines, cells, membranes and lightning."""

import math

import torch
from torch import Tensor

from synesthete.programs.antialias import edge, fade, falloff, line, mod1, pulse_train, smooth
from synesthete.programs.noise import PERIOD, hash_cell, turbulence, value_noise
from synesthete.programs.parameters import choice, count, real, travel, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import field

__all__ = ["cells", "contours", "fbm", "flow", "lightning", "membrane", "metaballs", "smoke"]

_TURN = 2.0 * math.pi
_GOLDEN = 2.3999632
"""The golden angle: directions at its multiples never line up."""
_STARTS = (0.0, 1.9, 1.3, 4.5, 5.3, 3.8)
"""Angles at which waves begin."""


@field()
def fbm(
    at: Place,
    *,
    octaves: int = count(4, 1, 6),
    size: Tensor = real(0.7, 0.2, 1.5),
    gain: Tensor = real(0.5, 0.2, 0.7),
    contrast: Tensor = real(0.5, 0.0, 1.0),
    path: Tensor = travel(PERIOD),
) -> Plane:
    """Clouds: noise upon ever finer noise, each drifting its own way."""
    x, y, reach = at.u / size, at.v / size, at.spread / size
    # Bent, so that the noise's cells don't show.
    x, y = x + 0.2 * torch.sin(2.2 * y + 0.5), y + 0.2 * torch.sin(2.5 * x + 1.4)
    x, y = 0.9 * x - 0.44 * y, 0.44 * x + 0.9 * y
    total: Plane | float = 0.0
    weight, weights = torch.ones(()), torch.zeros(())
    for octave in range(octaves):
        # Whole speeds, so that the way wraps with the cells.
        along, down = ((1.0, 0.0), (1.0, 1.0), (-1.0, 2.0), (2.0, -1.0))[octave % 4]
        noise = value_noise(x + along * path + 0.37, y + down * path + 0.71, 3.0 * octave, reach)
        total, weights = total + weight * noise, weights + weight
        weight = weight * gain
        x, y, reach = 1.6 * x - 1.2 * y, 1.2 * x + 1.6 * y, 2.0 * reach
    ease = 0.42 - 0.3 * contrast
    return smooth(0.5 - ease, 0.5 + ease, total / weights)


@field()
def smoke(
    at: Place,
    *,
    octaves: int = count(5, 2, 6),
    size: Tensor = real(0.5, 0.3, 1.5),
    amount: Tensor = real(1.2, 0.3, 1.6),
    phase: Tensor = turns(),
    wisps: Tensor = real(0.6, 0.0, 1.0),
) -> Plane:
    """Smoke, or ink in water: clouds stirred into folds and wisps."""
    x, y, reach = at.u / size, at.v / size, at.spread / size
    x, y = turbulence(x, y, phase=phase, octaves=octaves, amount=amount, reach=reach)
    thick = torch.sin(1.3 * x + 0.7 * y + 1.0) + torch.sin(1.1 * y - 0.9 * x + 2.4)
    sheet = torch.sin(2.3 * x - 1.7 * y + 0.4) * torch.sin(2.9 * y + 1.1 * x + 1.0)
    # Every octave stretches: the local reach is a few times the plain one.
    left, left_fine = fade(reach * (0.15 + 0.2 * amount)), fade(reach * (0.4 + 0.5 * amount))
    fold = 1.0 - torch.sqrt(sheet * sheet + 0.004)
    fold = 0.4 + (fold * fold - 0.4) * left_fine
    return smooth(-1.4, 2.0, thick * left) * (1.0 + wisps * (1.5 * fold - 1.0))


@field()
def flow(
    at: Place,
    *,
    size: Tensor = real(0.6, 0.4, 1.5),
    amount: Tensor = real(0.9, 0.2, 1.3),
    fineness: Tensor = real(6.0, 2.0, 8.0),
    phase: Tensor = turns(),
    path: Tensor = travel(PERIOD),
) -> Plane:
    """Streaks along a turbulent flow: brushed fur, or marbled paper."""
    x, y, stretch = _stirred(at.u / size, at.v / size, phase, amount, at.spread / size)
    # A wave of such noise is some four cells long.
    reach = 0.5 * stretch * at.spread / size * fineness
    broad = value_noise(0.7 * x + path, fineness * y, 3.0, reach)
    fine = value_noise(1.9 * x + 2.0 * path, 2.7 * fineness * y, 5.0, 2.7 * reach)
    return smooth(0.25, 0.95, 0.65 * broad + 0.35 * fine)


def _stirred(x: Plane, y: Plane, phase: Tensor, amount: Tensor, reach: Plane) -> tuple[Plane, Plane, Plane]:
    """Stir positions by four waves; also give by how much the stirred y steepens."""
    pushes = []
    cos, sin, frequency = 0.0, 1.0, 1.0
    for octave in range(4):
        turn = (cos * y - sin * x) * frequency + _TURN * phase + 1.3 * octave
        depth = amount * fade(reach * (frequency / _TURN))
        push = torch.sin(turn) * (depth / frequency)
        pushes.append((cos, sin, torch.cos(turn) * depth))
        x, y = x + cos * push, y + sin * push
        cos, sin = 0.6 * cos - 0.8 * sin, 0.8 * cos + 0.6 * sin
        frequency *= 1.4
    # The slope of y, back through the waves.
    along: Plane = torch.zeros(())
    down: Plane = torch.ones(())
    for cos, sin, bend in reversed(pushes):
        bent = (cos * along + sin * down) * bend
        along, down = along - sin * bent, down + cos * bent
    return x, y, torch.sqrt(along * along + down * down)


@field()
def contours(
    at: Place,
    *,
    size: Tensor = real(0.6, 0.3, 2.0),
    levels: Tensor = real(3.0, 1.0, 6.0),
    width: Tensor = real(0.02, 0.004, 0.05),
    between: Tensor = real(0.35, 0.0, 1.0),
    fill: Tensor = real(0.12, 0.0, 0.5),
    climb: Tensor = turns(),
    phase: Tensor = turns(),
) -> Plane:
    """Height lines of soft hills, evenly thick on any slope, with finer lines between them."""
    x, y, turn = at.u / size, at.v / size, _TURN * phase
    height: Plane = torch.zeros(())
    along, down = height, height
    for k, frequency in enumerate((0.9, 1.3, 1.7, 2.4, 3.1)):
        cos, sin = frequency * math.cos(_GOLDEN * k), frequency * math.sin(_GOLDEN * k)
        angle = cos * x + sin * y + (_STARTS[k] + (turn if k % 2 else -turn))
        height = height + torch.sin(angle) * (0.5 / frequency)
        slope = 0.5 / frequency * torch.cos(angle)
        along, down = along + cos * slope, down + sin * slope
    # Where it is level, its curvature keeps lines from spreading over whole summits.
    slope = torch.sqrt(along * along + down * down)
    line_wide, pixel_wide = levels * width / size, levels * at.spread / size
    share = line_wide * (slope + 0.2 * width / size)
    reach = pixel_wide * (slope + 0.2 * at.spread / size)
    level = levels * height - climb
    # Fine lines are half as wide; every fifth lies within a strong one, and does not count.
    strong = pulse_train(level, torch.clamp(share, max=0.8), reach)
    fine = pulse_train(5.0 * level, torch.clamp(2.5 * share, max=0.8), 5.0 * reach)
    hidden = pulse_train(level, torch.clamp(0.5 * share, max=0.16), reach)
    ground = fill * smooth(-1.0, 1.0, height)
    return ground + (1.0 - ground) * (strong + between * (fine - hidden))


_ORBITS = (
    (1, 2, 0.0),
    (2, 1, 0.3),
    (1, 3, 0.55),
    (3, 2, 0.8),
    (2, 3, 0.15),
    (1, 1, 0.45),
    (3, 1, 0.7),
    (2, 1, 0.9),
)
"""Lissajous curves: turns across and down in one turn of the phase, and where they begin."""


@field()
def metaballs(
    at: Place,
    *,
    blobs: int = count(6, 5, 8),
    size: Tensor = real(0.24, 0.14, 0.4),
    apart: Tensor = real(0.6, 0.1, 1.0),
    phase: Tensor = turns(0.7),
    rim: Tensor = real(0.03, 0.01, 0.12),
    fill: Tensor = real(0.5, 0.0, 1.0),
    glow: Tensor = real(0.1, 0.0, 0.3),
) -> Plane:
    """Drops that circle about, melt together and part, each with a shining rim."""
    force: Plane = torch.zeros(())
    along, down = force, force
    # Cosine and sine of once, twice and three times the phase: cheaper than one pair for each drop.
    cos, sin = torch.cos(_TURN * phase), torch.sin(_TURN * phase)
    turned = [(cos, sin), (cos * cos - sin * sin, 2.0 * sin * cos)]
    turned.append((turned[1][0] * cos - turned[1][1] * sin, turned[1][1] * cos + turned[1][0] * sin))
    for k, (across, up, start) in enumerate(_ORBITS[:blobs]):
        c, s = turned[across - 1]
        x = at.u - 1.4 * apart * (c * math.cos(_TURN * start) - s * math.sin(_TURN * start))
        c, s = turned[up - 1]
        y = at.v - apart * (s * math.cos(2.7 * start) + c * math.sin(2.7 * start))
        strength = (size * (0.7 + 0.1 * (k % 4))) ** 2
        near = 1.0 / (x * x + y * y + 1e-4)
        pull = strength * near
        force = force + pull
        pull = pull * near
        along, down = along + x * pull, down + y * pull
    # For a single drop this is the exact distance to its edge.
    root = torch.rsqrt(force)
    slope = torch.sqrt(along * along + down * down) * root * root * root
    distance = (root - 1.0) / (slope + 0.15)
    body = edge(distance, at.spread) * fill * torch.clamp(1.0 - 0.8 * root, 0.0, 1.0)
    wall = line(distance + 0.5 * rim, rim, at.spread)
    light = falloff(distance, 0.3 * glow + 1e-3, at.spread) * torch.clamp(glow * 6.0, max=0.8)
    return torch.clamp(torch.maximum(wall, body) + light * (1.0 - wall), 0.0, 1.0)


@field()
def cells(
    at: Place,
    *,
    form: str = choice("borders", "spots", "plates"),
    size: Tensor = real(0.4, 0.22, 1.0),
    jitter: Tensor = real(0.8, 0.0, 1.0),
    width: Tensor = real(0.07, 0.04, 0.3),
    phase: Tensor = turns(),
    path: Tensor = travel(PERIOD),
) -> Plane:
    """Living tissue: cells around points that circle, as borders, spots or plates."""
    x, y, reach = at.u / size + path, at.v / size + 0.5, at.spread / size
    i, j = torch.floor(x), torch.floor(y)
    s, t = x - i - 0.5, y - j - 0.5
    cos, sin = 0.42 * jitter * torch.cos(_TURN * phase), 0.42 * jitter * torch.sin(_TURN * phase)
    nearest: Plane = torch.full((), 9.0)
    second, own = nearest, nearest
    for row in (-1.0, 0.0, 1.0):
        for column in (-1.0, 0.0, 1.0):
            chance = hash_cell(i + column, j + row, 7.0)
            a, b = 2.0 * chance - 1.0, 2.0 * mod1(chance * 61.7) - 1.0
            dx, dy = s - column - a * cos + b * sin, t - row - a * sin - b * cos
            far = dx * dx + dy * dy
            own = torch.where(far < nearest, chance, own)
            second = torch.minimum(second, torch.maximum(far, nearest))
            nearest = torch.minimum(nearest, far)
    away = torch.sqrt(nearest + 1e-6)
    gap = 0.5 * (torch.sqrt(second + 1e-6) - away)
    # Each with the mean it has from far away, measured.
    if form == "borders":
        wall = line(gap, width, 0.95 * reach)
        light, mean = wall + (1.0 - wall) * 0.5 * falloff(gap, width, reach), width * (4.2 - 6.0 * width)
    elif form == "spots":
        light, mean = falloff(away, 1.5 * width, reach) * smooth(0.9, 0.2, away), 1.6 * width
    else:
        shade = (0.08 + 0.92 * own * own) * (1.0 - 0.6 * nearest)
        light, mean = edge(0.5 * width - gap, reach) * shade, 0.36 - 0.65 * width
    return torch.lerp(mean, light, fade(reach))


@field()
def membrane(
    at: Place,
    *,
    size: Tensor = real(0.12, 0.08, 0.3),
    width: Tensor = real(0.4, 0.15, 1.5),
    level: Tensor = real(0.0, -0.6, 0.6),
    bend: Tensor = real(0.5, 0.0, 1.0),
    fill: Tensor = real(0.25, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A labyrinth of membranes, as a chemical reaction draws it: waves of one length, cut at a level."""
    turn = _TURN * phase
    x = (at.u + 0.15 * bend * torch.sin(4.5 * at.v + turn + 1.0)) / size
    y = (at.v + 0.15 * bend * torch.sin(3.9 * at.u - turn + 2.0)) / size
    height: Plane = torch.zeros(())
    along, down = height, height
    for k in range(6):
        cos, sin = math.cos(_GOLDEN * k + 0.3), math.sin(_GOLDEN * k + 0.3)
        angle = cos * x + sin * y + (_STARTS[k] + (turn if k % 2 else -turn))
        slope = torch.cos(angle)
        height, along, down = height + torch.sin(angle), along + cos * slope, down + sin * slope
    reach = at.spread / size
    distance = (1.7 * level - height) * torch.rsqrt(along * along + down * down + 0.4)
    wall = line(distance, width, reach)
    inside = edge(distance, reach) * fill * (0.4 + 0.2 * torch.clamp(height, 0.0, 3.0))
    # The mean that it has from far away, measured.
    share = 0.36 * width
    mean = share + (1.0 - share) * fill * (0.35 - 0.19 * level)
    return torch.lerp(mean, wall + (1.0 - wall) * inside, fade(reach / _TURN))


@field()
def lightning(
    at: Place,
    *,
    form: str = choice("down", "burst"),
    branches: int = count(4, 2, 5),
    seed: Tensor = real(0.0, 0.0, 50.0),
    amount: Tensor = real(0.5, 0.1, 1.0),
    length: Tensor = real(1.0, 0.3, 1.0),
    width: Tensor = real(0.012, 0.005, 0.04),
    glow: Tensor = real(0.35, 0.0, 1.0),
) -> Plane:
    """Bolts of lightning that fork on their way down, or burst from the centre."""
    bolts = (_forks if form == "down" else _rays)(at, branches, seed, amount)
    light: Plane = torch.zeros(())
    for after, across, strength in bolts:
        # Most of a steep line is nearer than it is along a row.
        away = 0.7 * across
        end = length * (2.2 * at.high if form == "down" else 1.5)
        tip = smooth(end, end - 0.4, after)
        halo = glow / (1.0 + 12.0 * torch.abs(away))
        light = light + tip * strength * (falloff(away, width, at.spread) + halo * halo)
    return torch.clamp(light, 0.0, 1.0)


Bolt = tuple[Plane, Plane, Plane]
"""How far along a bolt a place lies, how far beside it, and how bright the bolt is there."""


def _forks(at: Place, branches: int, seed: Tensor, amount: Tensor) -> list[Bolt]:
    """Give a bolt from top to bottom, and others that leave it one after another."""
    fallen = at.v + at.high
    trunk = 0.6 * _jag(at.v, seed, amount, at.spread)
    bolts: list[Bolt] = [(fallen, at.u - trunk, torch.ones(()))]
    for k in range(1, branches):
        after = fallen - 1.6 * k / branches * at.high
        grown = smooth(0.0, 0.5, after)
        own = _jag(at.v, seed + 7.3 * k, amount, at.spread)
        lean = (0.5, -0.6, 0.9, -1.0)[k - 1]
        across = at.u - torch.lerp(trunk, own, grown) - lean * after
        bolts.append((fallen, across, smooth(-0.05, 0.05, after) * (0.7 - 0.4 * grown)))
    return bolts


def _rays(at: Place, branches: int, seed: Tensor, amount: Tensor) -> list[Bolt]:
    """Give bolts from the centre to all sides."""
    bolts: list[Bolt] = []
    for k in range(branches):
        turn = _TURN * (k / branches + 0.05 * (k % 2))
        cos, sin = math.cos(turn), math.sin(turn)
        after = at.u * cos + at.v * sin
        strayed = _jag(after, seed + 7.3 * k, amount, at.spread) * smooth(0.0, 0.6, after)
        bolts.append((after, at.v * cos - at.u * sin - strayed, smooth(-0.02, 0.02, after)))
    return bolts


def _jag(way: Plane, seed: Tensor, amount: Tensor, reach: Plane) -> Plane:
    """Give by how much a jagged line strays along its way: folds upon ever finer folds."""
    strayed: Plane = torch.zeros(())
    for k, frequency in enumerate((0.7, 1.9, 4.3, 9.1, 19.7)):
        fold = torch.abs(mod1(way * frequency + ((0.31 + 0.23 * k) * seed + 0.37 * k)) - 0.5) - 0.25
        strayed = strayed + fold * (0.9 / frequency**0.85) * fade(0.5 * frequency * reach)
    return amount * strayed
