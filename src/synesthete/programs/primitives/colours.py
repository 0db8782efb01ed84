"""Colourings: from a field to a picture. All are dark where the field is."""

import math

import torch
from torch import Tensor

from synesthete.programs.antialias import smooth
from synesthete.programs.light import ramp_colour
from synesthete.programs.parameters import angle, colour, ramp, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Heard, Picture, Scalars, colour_map

__all__ = [
    "bands",
    "cosine_palette",
    "duotone",
    "gradient",
    "grey",
    "harmony",
    "heat",
    "hue_wheel",
    "iridescent",
    "palette",
    "two_palettes",
]

_TURN = 2.0 * math.pi


@colour_map()
def grey(of: Plane) -> Picture:
    """Show values as greys."""
    return of, of, of


@colour_map()
def palette(of: Plane, *, colours: Scalars = ramp("ember"), light: Tensor = real(1.0, 0.0, 2.0)) -> Picture:
    """Colour values by an OKLCH ramp from dark to light."""
    red, green, blue = ramp_colour(of, colours)
    return red.mul_(light), green.mul_(light), blue.mul_(light)


@colour_map()
def two_palettes(
    of: Plane,
    by: Plane,
    *,
    first: Scalars = ramp("ocean"),
    second: Scalars = ramp("ember"),
    light: Tensor = real(1.0, 0.0, 2.0),
) -> Picture:
    """Colour values by two ramps: the first where another field is dark, the second where it is bright."""
    share = torch.clamp(by, 0.0, 1.0)
    dark, bright = ramp_colour(of, first), ramp_colour(of, second)
    red, green, blue = (torch.lerp(a, b, share).mul_(light) for a, b in zip(dark, bright, strict=True))
    return red, green, blue


@colour_map()
def bands(
    of: Plane,
    *,
    colours: Scalars = ramp("dusk"),
    steps: Tensor = real(5.0, 2.0, 8.0),
    phase: Tensor = turns(),
    softness: Tensor = real(0.35, 0.3, 1.0),
    light: Tensor = real(1.0, 0.0, 2.0),
) -> Picture:
    """Colour values by a ramp in steps, like a map of heights; phase lets the steps climb."""
    level = torch.clamp(of, 0.0, 1.0) * steps + phase
    whole = torch.floor(level)
    rise = smooth(0.5 - 0.5 * softness, 0.5 + 0.5 * softness, level - whole)
    # The first step is black, whatever the phase.
    red, green, blue = ramp_colour((whole + rise - phase) / steps, colours)
    shown = light * torch.clamp(3.0 * of, 0.0, 1.0)
    return red * shown, green * shown, blue * shown


@colour_map()
def duotone(
    of: Plane,
    *,
    low: Scalars = colour(0.42, 0.2, 285),
    high: Scalars = colour(0.86, 0.13, 60),
    balance: Tensor = real(0.5, 0.15, 0.85),
    light: Tensor = real(1.0, 0.0, 2.0),
) -> Picture:
    """Colour values from black over one colour to another."""
    to_low = smooth(0.0, balance, of) * light
    to_high = smooth(balance, 1.0, of)
    red, green, blue = (torch.lerp(a * to_low, b * light, to_high) for a, b in zip(low, high, strict=True))
    return red, green, blue


@colour_map()
def gradient(
    of: Plane,
    *,
    dark: Scalars = colour(0.1, 0.06, 270),
    middle: Scalars = colour(0.5, 0.17, 20),
    bright: Scalars = colour(0.9, 0.1, 85),
    first: Tensor = real(0.35, 0.1, 0.6),
    second: Tensor = real(0.75, 0.5, 0.95),
    softness: Tensor = real(0.3, 0.1, 0.6),
) -> Picture:
    """Colour values by three colours whose borders move; soft borders make a sky, hard ones paper cuts."""
    to_middle = smooth(first - 0.5 * softness, first + 0.5 * softness, of)
    to_bright = smooth(second - 0.5 * softness, second + 0.5 * softness, of)
    red, green, blue = (
        torch.lerp(torch.lerp(a, b, to_middle), c, to_bright)
        for a, b, c in zip(dark, middle, bright, strict=True)
    )
    return red, green, blue


@colour_map()
def cosine_palette(
    of: Plane,
    *,
    cycles: Tensor = real(0.7, 0.2, 1.5),
    phase: Tensor = turns(0.75),
    spread: Tensor = real(0.16, 0.04, 0.33),
    contrast: Tensor = real(0.9, 0.4, 1.0),
    light: Tensor = real(1.2, 0.0, 2.0),
) -> Picture:
    """Colour values by one cosine a channel: spread sets how far their hues lie apart.

    References
    ----------
    Quilez, "Palettes", 2012. *Differs:* values also set the brightness, so that 0 is black.
    """
    turn = _TURN * (of * cycles - phase)
    lit, half = of * light, 0.5 * contrast
    red, green, blue = (
        lit * (1.0 - half + half * torch.cos(turn - _TURN * k * spread)) for k in (0.0, 1.0, 2.0)
    )
    return red, green, blue


@colour_map()
def heat(
    of: Plane, *, temperature: Tensor = real(1.0, 0.4, 2.0), light: Tensor = real(1.0, 0.0, 2.0)
) -> Picture:
    """Colour values as glowing metal: black, red, orange, white."""
    hot = torch.clamp(of * temperature, min=0.0)
    x = torch.clamp(hot, max=1.0)
    x2 = x * x
    lit = light * torch.clamp(hot, min=1.0)
    return lit * x * (2.1 - 1.1 * x), lit * x2 * (1.5 - 0.58 * x), lit * x2 * x2 * 0.82


@colour_map()
def iridescent(
    of: Plane,
    *,
    fringes: Tensor = real(1.0, 0.0, 1.5),
    phase: Tensor = turns(0.3),
    pearl: Tensor = real(0.2, 0.1, 0.8),
    tint: Scalars = colour(0.85, 0.06, 250),
    light: Tensor = real(1.3, 0.0, 1.8),
) -> Picture:
    """Colour values like a soap film, whose thickness they are; pearl mutes the colours."""
    # What red, green and blue light (wavelengths 630, 540, 450 nm) see of a film, all turned on by phase.
    waves = [0.5 - 0.5 * torch.cos(_TURN * (of * fringes * ratio + phase)) for ratio in (1.0, 1.17, 1.4)]
    muted = pearl * (waves[0] + waves[1] + waves[2]) / 3.0
    lit = of * light
    red, green, blue = (
        lit * hue * (0.2 + muted + (1.0 - pearl) * wave) for wave, hue in zip(waves, tint, strict=True)
    )
    return red, green, blue


@colour_map()
def hue_wheel(
    of: Plane,
    at: Place,
    *,
    hue: Scalars = angle(0.95),
    turn: Scalars = angle(),
    spread: Tensor = real(0.7, 0.0, 2.0),
    chroma: Tensor = real(0.17, 0.06, 0.25),
    light: Tensor = real(1.0, 0.0, 2.0),
) -> Picture:
    """Colour by direction: one hue in the middle, others to its sides; from a spread of 1 on, all of them."""
    cos, sin = turn
    near = spread * torch.rsqrt(at.u * at.u + at.v * at.v + 0.1)
    x, y = (at.u * cos + at.v * sin) * near, (at.v * cos - at.u * sin) * near
    return _oklab(of, hue[0] + x, hue[1] + y, chroma, light)


@colour_map(hears=("chroma",))
def harmony(
    of: Plane,
    heard: Heard,
    *,
    hue: Scalars = angle(0.08),
    share: Tensor = real(0.8, 0.0, 1.0),
    span: Tensor = real(0.6, -1.5, 1.5),
    chroma: Tensor = real(0.17, 0.06, 0.25),
    light: Tensor = real(1.0, 0.0, 2.0),
) -> Picture:
    """Colour by the harmony heard: related keys have related hues; span parts lights from shadows.

    The pitch classes lie on the circle of fifths, and the hue is the mean of what sounds there.
    """
    # One number per picture, in the shape of planes.
    notes = [heard["chroma"][..., k, None, None] for k in range(12)]
    x = sum((note * math.cos(_TURN * 7 * k / 12) for k, note in enumerate(notes)), 0.0 * notes[0])
    y = sum((note * math.sin(_TURN * 7 * k / 12) for k, note in enumerate(notes)), 0.0 * notes[0])
    along = torch.rsqrt(x * x + y * y + 1e-3)
    x, y = x * along, y * along
    cos, sin = hue
    a, b = torch.lerp(cos, x * cos - y * sin, share), torch.lerp(sin, x * sin + y * cos, share)
    aside = span * (of - 0.5)
    return _oklab(of, a - b * aside, b + a * aside, chroma, light)


def _oklab(value: Plane, x: Plane, y: Plane, chroma: Tensor, light: Tensor) -> Picture:
    """Colour values from black to light in the hue of a direction (x, y): OKLab, Ottosson 2020."""
    lightness = 0.86 * torch.clamp(value, 0.0, 1.0)
    # Directions of length 0 have no hue; they are grey, and colours near them pale.
    strong = chroma * lightness * (2.4 - 1.5 * lightness) * torch.rsqrt(x * x + y * y + 0.01)
    a, b = strong * x, strong * y
    cones = (
        lightness + 0.3963378 * a + 0.2158038 * b,
        lightness - 0.1055613 * a - 0.0638542 * b,
        lightness - 0.0894842 * a - 1.2914855 * b,
    )
    long, middle, short = (cone * cone * cone for cone in cones)
    red = 4.0767417 * long - 3.3077116 * middle + 0.2309699 * short
    green = -1.2684380 * long + 2.6097574 * middle - 0.3413194 * short
    blue = -0.0041961 * long - 0.7034186 * middle + 1.7076147 * short
    return _display(red, light), _display(green, light), _display(blue, light)


def _display(linear: Plane, light: Tensor) -> Plane:
    return light * torch.sqrt(torch.clamp(linear, min=0.0))
