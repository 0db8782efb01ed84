"""Stills of plain fields: colour fields, noise in one hue, interference of waves, and lit relief.

Each is drawn from a generator of numbers at the points of a grid, so that size is only sampling.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.antialias import fade
from synesthete.programs.grid import Grid
from synesthete.programs.palettes import Stop
from synesthete.training.stills.colour import bloomed, coloured, drawn_palette, lit, one_hue, related
from synesthete.training.stills.textures import cells, clouds, mesh, ridges, stretched, swirled, vignette

__all__ = ["colour_field", "interference", "monochrome_noise", "relief"]

Plane = Float[Tensor, "rows columns"]
Rgb = Float[Tensor, "3 rows columns"]
Drawn = tuple[Rgb, dict[str, Any]]

_SEEDS = 900


def colour_field(grid: Grid, draw: np.random.Generator) -> Drawn:
    """Draw fields of colour that glow and stain: bands, an aperture, a horizon, or veils.

    Returns
    -------
    Display values, 0 upward, and what was drawn.
    """
    kinds: dict[str, Callable[[Grid, np.random.Generator], Rgb]] = {
        "bands": _bands,
        "aperture": _aperture,
        "horizon": _horizon,
        "veils": _veils,
    }
    kind = _pick(draw, tuple(kinds))
    return kinds[kind](grid, draw), {"kind": kind}


def monochrome_noise(grid: Grid, draw: np.random.Generator) -> Drawn:
    """Draw noise in one hue: smoke, crests, static, cracked cells, or dust; see `colour_field`."""
    kinds: dict[str, Callable[[Grid, np.random.Generator], Plane]] = {
        "smoke": _smoke,
        "crests": _crests,
        "static": _static,
        "cracks": _cracks,
        "dust": _dust,
    }
    kind = _pick(draw, tuple(kinds))
    value = kinds[kind](grid, draw)
    hue, chroma = float(draw.uniform(0.0, 360.0)), float(draw.choice([0.0, 0.015, 0.03, 0.06]))
    picture = bloomed(coloured(value, one_hue(hue, chroma)), 0.5)
    return picture, {"kind": kind, "hue": round(hue, 1), "chroma": chroma}


def interference(grid: Grid, draw: np.random.Generator) -> Drawn:
    """Draw waves that meet: of a few sources, of many directions, or two sets of rings."""
    x, y = mesh(grid.x, grid.y)
    name, stops = drawn_palette(draw)
    kind = _pick(draw, ("sources", "directions", "rings"))
    bent_x, bent_y = swirled(
        1.2 * x, 1.2 * y, _seed(draw), 1.2 * grid.pixel, float(draw.choice([0.0, 0.12, 0.35])), rough=0.35
    )
    u, v = bent_x / 1.2, bent_y / 1.2
    total = torch.zeros_like(x)
    if kind == "sources":
        count = int(draw.integers(2, 6))
        waves = float(draw.uniform(5.0, 13.0))
        for _ in range(count):
            at = draw.uniform(-1.2, 1.2, 2)
            distance = torch.sqrt((u - float(at[0])) ** 2 + (v - float(at[1])) ** 2)
            total += _wave(distance, waves, grid.pixel, float(draw.random())) / (0.7 + distance)
    elif kind == "directions":
        count = int(draw.choice([5, 7, 9, 11]))
        waves, turn = float(draw.uniform(3.0, 9.0)), float(draw.uniform(0.0, math.pi))
        for k in range(count):
            angle = turn + math.pi * k / count
            total += _wave(u * math.cos(angle) + v * math.sin(angle), waves, grid.pixel, float(draw.random()))
    else:
        count, waves = 2, float(draw.uniform(9.0, 17.0))
        total += 1.0
        for _ in range(count):
            at = draw.uniform(-0.7, 0.7, 2)
            flat = float(draw.uniform(0.8, 1.25))
            distance = torch.sqrt((u - float(at[0])) ** 2 + (flat * (v - float(at[1]))) ** 2)
            total *= 0.5 + 0.5 * _wave(distance, waves, grid.pixel, float(draw.random()))
    value = stretched(total, 0.05, 0.995) ** float(draw.uniform(1.0, 1.8))
    centre = draw.uniform(-0.35, 0.35, 2)
    light = vignette(
        x, y, at=(float(centre[0]), float(centre[1])), inner=0.1, outer=float(draw.uniform(1.2, 1.8))
    )
    slow = stretched(clouds(0.8 * x, 0.8 * y, _seed(draw), 0.8 * grid.pixel, octaves=2), 0.02, 0.98)
    turn = float(draw.uniform(35.0, 80.0)) * (1.0 if draw.random() < 0.5 else -1.0)
    turned = [(bright, chroma, hue + turn) for bright, chroma, hue in stops]
    picture = torch.lerp(coloured(value, stops), coloured(value, turned), slow) * (1.5 * light)
    return bloomed(picture, 0.9), {"kind": kind, "palette": name, "waves": round(waves, 2), "count": count}


def relief(grid: Grid, draw: np.random.Generator) -> Drawn:
    """Draw a folded surface, lit from one side, that dims into depth."""
    x, y = mesh(grid.x, grid.y)
    name, stops = drawn_palette(draw)
    kind = _pick(draw, ("silk", "dunes", "scales"))
    scale, angle = float(draw.uniform(0.9, 1.7)), float(draw.uniform(0.0, 2 * math.pi))
    pixel = scale * grid.pixel
    u = scale * (x * math.cos(angle) - y * math.sin(angle))
    v = scale * (x * math.sin(angle) + y * math.cos(angle))
    u, v = swirled(u, v, _seed(draw), pixel, float(draw.uniform(0.5, 1.1)), rough=0.3)
    if kind == "silk":
        folds = float(draw.uniform(2.0, 4.0))
        bent = clouds(u, v, _seed(draw), 1.5 * pixel, octaves=3, rough=0.4)
        height = 0.5 + 0.5 * torch.sin(2 * math.pi * folds * bent + 2.0 * v)
        depth = 0.16
    elif kind == "dunes":
        u2, v2 = swirled(u, v, _seed(draw), 1.5 * pixel, 0.5, rough=0.4)
        height = stretched(ridges(0.8 * u2, 1.7 * v2, _seed(draw), 1.7 * pixel, octaves=4), 0.0, 1.0)
        depth = 0.22
    else:
        nearest, second, owner = cells(3.0 * u, 3.0 * v, _seed(draw))
        height = (second - nearest).clamp(0.0, 1.0) * (0.5 + 0.5 * owner)
        height = 1.0 - (1.0 - height) ** 2
        depth = 0.12
    shade, gloss = lit(height, grid.pixel, depth=depth, angle=float(draw.uniform(0.0, 2 * math.pi)))
    tint = stretched(clouds(0.7 * x, 0.7 * y, _seed(draw), 0.7 * grid.pixel, octaves=2), 0.05, 0.95)
    at = draw.uniform(-0.5, 0.5, 2)
    light = vignette(x, y, at=(float(at[0]), float(at[1])), inner=0.0, outer=float(draw.uniform(1.3, 1.9)))
    picture = coloured(0.2 + 0.45 * tint + 0.25 * height, stops) * (shade * light)
    accent = coloured(torch.full_like(x, 0.95), stops)
    return bloomed(picture + accent * (gloss * light), 0.6), {"kind": kind, "palette": name}


# Colour fields ---------------------------------------------------------------------------------------------


def _bands(grid: Grid, draw: np.random.Generator) -> Rgb:
    """Draw two or three soft rectangles above each other on a dark ground, as if soaked into cloth."""
    x, y = mesh(grid.x, grid.y)
    hues = related(draw)
    picture = coloured(torch.full_like(x, 1.0), ((0.0, 0.0, hues[0]), (0.16, 0.06, hues[0])))
    cloth = clouds(2.5 * x, 2.5 * y, _seed(draw), 2.5 * grid.pixel, octaves=5, rough=0.6)
    weave = clouds(30.0 * x, 6.0 * y, _seed(draw), 30.0 * grid.pixel, octaves=2)
    count = int(draw.integers(2, 4))
    heights = draw.dirichlet([3.0] * count) * (1.72 - 0.1 * count)
    top, order = -0.86, draw.permutation(3)
    rag_x, rag_y = swirled(3.0 * x, 3.0 * y, _seed(draw), 3.0 * grid.pixel, 0.25)
    for k, height in enumerate(heights.tolist()):
        middle, half = top + height / 2, (0.8, height / 2)
        away = torch.maximum((rag_x / 3.0).abs() - half[0], (rag_y / 3.0 - middle).abs() - half[1])
        cover = torch.sigmoid(-away / 0.022)
        bright = float(draw.uniform(0.38, 0.78))
        hue, chroma = hues[int(order[k % 3])], float(draw.uniform(0.11, 0.2))
        stops: tuple[Stop, ...] = ((0.4 * bright, 0.8 * chroma, hue - 12.0), (bright, chroma, hue + 6.0))
        swell = (1.0 - ((y - middle) / (height / 2)).abs().clamp(max=1.0) ** 2) * 0.35
        paint = coloured((0.25 + 0.9 * cloth + swell + 0.25 * (weave - 0.5) - 0.2).clamp(0.0, 1.0), stops)
        picture = torch.lerp(picture, paint, cover * 0.95)
        top += height + 0.1
    return bloomed(picture, 0.35)


def _aperture(grid: Grid, draw: np.random.Generator) -> Rgb:
    """Draw a window of light that shades into its frame, hue by hue."""
    x, y = mesh(grid.x, grid.y)
    first, second, accent = related(draw)
    at = draw.uniform(-0.15, 0.15, 2)
    wide, high = (float(part) for part in draw.uniform(0.28, 0.6, 2))
    power = float(draw.choice([2.0, 3.0, 6.0]))
    u, v = (x - float(at[0])) / wide, (y - float(at[1])) / high
    distance = (u.abs() ** power + v.abs() ** power) ** (1.0 / power)
    inner = torch.sigmoid((1.0 - distance) / (0.02 + 0.03 * float(draw.random())))
    glow = torch.exp(-((distance - 1.0).clamp(min=0.0)) * float(draw.uniform(1.5, 2.8)))
    hollow = (distance.clamp(max=1.0)) ** float(draw.uniform(1.5, 4.0))
    outside = coloured(0.9 * glow, ((0.03, 0.02, first), (0.3, 0.17, first), (0.62, 0.2, second)))
    window = coloured(1.0 - hollow, ((0.55, 0.19, second), (0.72, 0.16, accent), (0.86, 0.1, accent)))
    return bloomed(torch.lerp(outside, window, inner), 0.7)


def _horizon(grid: Grid, draw: np.random.Generator) -> Rgb:
    """Draw a long gradient with a line of light, and its reflection below."""
    x, y = mesh(grid.x, grid.y)
    first, second, accent = related(draw)
    angle, level = float(draw.normal(0.0, 0.25)), float(draw.uniform(-0.3, 0.45))
    height = x * math.sin(angle) + y * math.cos(angle) - level
    bend = clouds(1.1 * x, 1.1 * y, _seed(draw), 1.1 * grid.pixel, octaves=3, rough=0.4) - 0.5
    above = torch.exp(-(-(height + 0.25 * bend)).clamp(min=0.0) * float(draw.uniform(1.6, 3.2)))
    below = torch.exp(-height.clamp(min=0.0) * float(draw.uniform(3.0, 7.0))) * 0.55
    ripples = clouds(2.0 * x, 26.0 * y, _seed(draw), 26.0 * grid.pixel, octaves=3)
    side = torch.sigmoid(height / 0.006)
    value = torch.lerp(above, below * (0.5 + ripples), side)
    focus = torch.exp(-(((x - float(draw.uniform(-0.6, 0.6))) / float(draw.uniform(0.4, 0.9))) ** 2))
    stops: tuple[Stop, ...] = (
        (0.06, 0.05, first), (0.26, 0.14, first), (0.52, 0.19, second), (0.84, 0.13, accent),
    )  # fmt: skip
    return bloomed(coloured(value * (0.45 + 0.55 * focus), stops), 0.6)


def _veils(grid: Grid, draw: np.random.Generator) -> Rgb:
    """Draw stains of thinned paint that run into each other on black."""
    x, y = mesh(grid.x, grid.y)
    hues = related(draw)
    picture = torch.zeros(3, *x.shape)
    for k in range(int(draw.integers(3, 6))):
        scale, at = float(draw.uniform(0.6, 1.3)), draw.uniform(-0.7, 0.7, 2)
        u, v = swirled(scale * x, scale * y, _seed(draw), scale * grid.pixel, float(draw.uniform(0.4, 0.9)))
        reach = float(draw.uniform(0.5, 0.95))
        distance = torch.sqrt(
            (u - float(at[0])) ** 2 + (float(draw.uniform(0.6, 1.7)) * (v - float(at[1]))) ** 2
        )
        body = (1.0 - distance / reach).clamp(min=0.0)
        rim = torch.exp(-(((distance - 0.8 * reach) / 0.05) ** 2)) * 0.25
        hue, chroma = hues[(0, 1, 0, 2, 1)[k]], float(draw.uniform(0.13, 0.22))
        veil = coloured(
            (body**0.8 + rim).clamp(max=1.0),
            ((0.0, 0.0, hue), (0.3, 0.8 * chroma, hue - 15.0), (0.66, chroma, hue + 10.0)),
        )
        picture = torch.sqrt(picture**2 + veil**2)
    return bloomed(picture, 0.5)


# Noise in one hue ------------------------------------------------------------------------------------------


def _smoke(grid: Grid, draw: np.random.Generator) -> Plane:
    x, y = mesh(grid.x, grid.y)
    scale = float(draw.uniform(0.8, 1.8))
    u, v = swirled(scale * x, scale * y, _seed(draw), scale * grid.pixel, float(draw.uniform(0.6, 1.2)))
    u, v = swirled(u, v, _seed(draw), 2.0 * scale * grid.pixel, 0.6)
    value = clouds(u, v, _seed(draw), 2.5 * scale * grid.pixel, octaves=6, rough=0.55)
    return stretched(value, 0.25, 0.997) ** float(draw.uniform(1.3, 2.0))


def _crests(grid: Grid, draw: np.random.Generator) -> Plane:
    x, y = mesh(grid.x, grid.y)
    scale = float(draw.uniform(0.9, 2.2))
    u, v = swirled(scale * x, scale * y, _seed(draw), scale * grid.pixel, float(draw.uniform(0.1, 0.5)))
    value = ridges(u, v, _seed(draw), 1.3 * scale * grid.pixel, octaves=6)
    at = draw.uniform(-0.5, 0.5, 2)
    light = vignette(x, y, at=(float(at[0]), float(at[1])), inner=0.1, outer=1.9)
    return stretched(value, 0.3, 0.998) ** 1.5 * light


def _static(grid: Grid, draw: np.random.Generator) -> Plane:
    """Draw the snow of a screen without a programme, torn into lines, in clouds."""
    x, y = mesh(grid.x, grid.y)
    fine, long = float(draw.choice([48.0, 80.0, 120.0])), float(draw.choice([1.0, 0.25, 0.06]))
    tear = clouds(0.0 * x, 5.0 * y, _seed(draw), 5.0 * grid.pixel, octaves=3) - 0.5
    snow = clouds(
        fine * long * (x + 0.6 * tear), fine * y, _seed(draw), fine * grid.pixel, octaves=2, rough=0.6
    )
    scale = float(draw.uniform(0.7, 1.6))
    form = stretched(clouds(scale * x, scale * y, _seed(draw), scale * grid.pixel, octaves=4), 0.1, 0.9)
    rows = 0.75 + 0.25 * stretched(clouds(0.0 * x, 14.0 * y, _seed(draw), 14.0 * grid.pixel), 0.0, 1.0)
    return ((snow - 0.32) / 0.4).clamp(0.0, 1.0) ** 1.4 * form * rows


def _cracks(grid: Grid, draw: np.random.Generator) -> Plane:
    x, y = mesh(grid.x, grid.y)
    scale = float(draw.uniform(1.6, 3.6))
    u, v = swirled(scale * x, scale * y, _seed(draw), scale * grid.pixel, float(draw.uniform(0.2, 0.7)))
    value = torch.zeros_like(x)
    for weight, finer in ((1.0, 1.0), (0.45, 2.7)):
        nearest, second, owner = cells(finer * u, finer * v, _seed(draw))
        gap = second - nearest
        width = 0.05 + 1.5 * finer * scale * grid.pixel
        value = value + weight * (
            0.7 * torch.exp(-((gap / width) ** 2)) + 0.3 * owner**3 * gap.clamp(max=1.0)
        )
    form = stretched(clouds(0.8 * x, 0.8 * y, _seed(draw), 0.8 * grid.pixel, octaves=3), 0.1, 0.95)
    return (value * (0.15 + 0.95 * form)).clamp(0.0, 1.0)


def _dust(grid: Grid, draw: np.random.Generator) -> Plane:
    x, y = mesh(grid.x, grid.y)
    scale = float(draw.uniform(0.8, 1.5))
    u, v = swirled(scale * x, scale * y, _seed(draw), scale * grid.pixel, float(draw.uniform(0.5, 1.1)))
    haze = stretched(clouds(u, v, _seed(draw), 2.0 * scale * grid.pixel, octaves=5), 0.15, 0.98) ** 2
    value = 0.55 * haze
    for many, size in ((9.0, 0.06), (22.0, 0.05), (48.0, 0.05)):
        nearest, _, owner = cells(many * x, many * y, _seed(draw))
        radius = size + 0.6 * many * grid.pixel
        spark = torch.exp(-((nearest / radius) ** 2)) * (size / radius) ** 2
        value = value + 2.4 * spark * (owner > 0.4) * owner**2 * (0.15 + haze)
    return value.clamp(0.0, 1.0)


def _wave(place: Plane, waves: float, pixel: float, turn: float) -> Plane:
    """Give a wave of so many periods per unit, -1 to 1."""
    return torch.cos(2 * math.pi * (waves * place + turn)) * fade(torch.tensor(waves * pixel))


def _pick(draw: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(draw.integers(len(options)))]


def _seed(draw: np.random.Generator) -> float:
    return float(draw.integers(_SEEDS))
