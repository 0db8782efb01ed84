"""Colour and light of stills: palettes drawn near each other, a lit surface, bloom, and eight bits."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from synesthete.programs.light import ramp_colour, tone
from synesthete.programs.palettes import PALETTES, Stop, ramp_coefficients

__all__ = ["bloomed", "coloured", "developed", "drawn_palette", "lit", "one_hue", "related"]

Plane = Float[Tensor, "rows columns"]
Rgb = Float[Tensor, "3 rows columns"]

_BLOOM_SIDE = 64
_BLOOM_WIDTHS = ((1.5, 0.6), (5.0, 0.4))
"""Standard deviations in cells of the small picture, and what each weighs."""

_MUD = (65.0, 130.0)
"""Hues that are mud where they are dark, degrees."""


def drawn_palette(draw: np.random.Generator, *, grey: bool = False) -> tuple[str, tuple[Stop, ...]]:
    """Draw one of the named palettes, its hues turned a little.

    Parameters
    ----------
    grey
        Whether the one that is nearly grey may come.

    Returns
    -------
    Its name and its stops.
    """
    names = sorted(name for name in PALETTES if grey or name != "ink")
    name = names[int(draw.integers(len(names)))]
    turn = 360.0 * float(draw.normal(0.0, 0.025))
    return name, tuple((light, chroma, hue + turn) for light, chroma, hue in PALETTES[name])


def related(draw: np.random.Generator) -> tuple[float, float, float]:
    """Draw two hues near each other and one across from them, degrees.

    Dark yellow is mud: the two, which grounds are painted in, lie outside of it.
    """
    first = _MUD[1] + float(draw.uniform(0.0, 360.0 - (_MUD[1] - _MUD[0])))
    step = float(draw.uniform(20.0, 55.0)) * (1.0 if draw.random() < 0.5 else -1.0)
    if _MUD[0] < (first + step) % 360.0 < _MUD[1]:
        step = -step
    return first, first + step, first + float(draw.uniform(140.0, 220.0))


def one_hue(hue: float, chroma: float) -> tuple[Stop, ...]:
    """Give a ramp from black to nearly white in one hue."""
    return ((0.0, 0.0, hue), (0.3, chroma, hue), (0.62, chroma, hue), (0.95, 0.35 * chroma, hue))


def coloured(value: Plane, stops: Sequence[Stop]) -> Rgb:
    """Colour values of 0-1 by a ramp; display values."""
    ramp = [torch.tensor(float(c)) for c in ramp_coefficients(stops).ravel()]
    return torch.stack(ramp_colour(value, ramp))


def lit(
    height: Plane, pixel: float, *, depth: float, angle: float, gloss: float = 0.35
) -> tuple[Plane, Plane]:
    """Light a height field from one side.

    Parameters
    ----------
    height
        About 0-1.
    pixel
        Distance of its points, the picture's half side being 1.
    depth
        How far 1 of height stands out, in those units.
    angle
        Where the light comes from, radians.
    gloss
        How strongly the surface shines.

    Returns
    -------
    What to multiply colours with, 1 where the surface is flat, and what light to add.

    References
    ----------
    Blinn, "Models of light reflection for computer synthesized pictures", SIGGRAPH 1977.
    """
    down, along = torch.gradient(height * (depth / pixel))
    inverse = torch.rsqrt(along**2 + down**2 + 1.0)
    elevation = 0.62  # radians: low enough for long shadows
    flat = math.sin(elevation)
    right, below = math.cos(angle) * math.cos(elevation), math.sin(angle) * math.cos(elevation)
    facing = (flat - right * along - below * down) * inverse
    length = math.sqrt(right**2 + below**2 + (flat + 1.0) ** 2)
    half = ((flat + 1.0) - right * along - below * down) * inverse / length
    return facing.clamp(min=0.0) / flat, gloss * half.clamp(min=0.0) ** 48


def bloomed(picture: Rgb, amount: float) -> Rgb:
    """Let light spread wide and softly, in linear light; the same at any size."""
    bright = (picture - 0.45).clamp(min=0.0) ** 2
    small = functional.interpolate(bright[None], (_BLOOM_SIDE, _BLOOM_SIDE), mode="area")
    spread = torch.zeros_like(small)
    for sigma, weight in _BLOOM_WIDTHS:
        reach = math.ceil(3 * sigma)
        places = torch.arange(-reach, reach + 1, dtype=torch.float32)
        kernel = torch.exp(-(places**2) / (2 * sigma**2))
        kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
        across = functional.conv2d(small, kernel, padding=(0, reach), groups=3)
        spread += weight * functional.conv2d(across, kernel.transpose(2, 3), padding=(reach, 0), groups=3)
    wide = functional.interpolate(spread, picture.shape[1:], mode="bilinear", align_corners=False)[0]
    return torch.sqrt(picture.clamp(min=0.0) ** 2 + amount * wide.clamp(min=0.0))


def developed(
    picture: Rgb, draw: np.random.Generator, *, toned: bool = True
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Roll highlights off, and dither to eight bits, so that gradients don't band."""
    display = tone(picture) if toned else picture.clamp(0.0, 1.0)
    levels = 255.0 * display.permute(1, 2, 0).numpy()
    noise = draw.random((2, *levels.shape[:2]), dtype=np.float32)
    dithered = np.rint(levels + (noise[0] - noise[1])[:, :, None] * 0.5)
    return np.asarray(np.clip(dithered, 0, 255).astype(np.uint8))
