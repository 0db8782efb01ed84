"""Grades: pictures made darker, warmer, harder, stranger. Black stays black, but for `invert`."""

import torch
from torch import Tensor

from synesthete.programs.antialias import smooth
from synesthete.programs.light import ramp_colour
from synesthete.programs.parameters import angle, colour, ramp, real
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Picture, Scalars, grade

__all__ = [
    "contrast",
    "curve",
    "exposure",
    "gamma",
    "hue_turn",
    "invert",
    "levels",
    "posterise",
    "recolour",
    "saturation",
    "solarise",
    "split_tone",
    "times",
    "tint",
    "vignette",
]


def _lightness(of: Picture) -> Plane:
    return 0.3 * of[0] + 0.59 * of[1] + 0.11 * of[2]


def times(of: Picture, factor: Plane) -> Picture:
    """Make a picture brighter or darker, by a factor at each place."""
    return of[0] * factor, of[1] * factor, of[2] * factor


@grade
def exposure(of: Picture, *, stops: Tensor = real(0.5, -3.0, 3.0)) -> Picture:
    """Make the picture brighter or darker by stops: each doubles its light, or halves it."""
    # Display values are roots of light.
    return times(of, torch.exp2(0.5 * stops))


@grade
def contrast(of: Picture, *, amount: Tensor = real(0.5, -1.0, 1.0)) -> Picture:
    """Part lights from shadows by an S-curve; a negative amount brings them together."""
    red, green, blue = (torch.lerp(c, _bent(c), amount) for c in of)
    return red, green, blue


def _bent(channel: Plane) -> Plane:
    return smooth(0.0, 1.0, channel) + torch.clamp(channel - 1.0, min=0.0)


@grade
def saturation(of: Picture, *, amount: Tensor = real(1.4, 0.0, 2.0)) -> Picture:
    """Make colours purer; an amount of 0 leaves greys."""
    mean = _lightness(of)
    red, green, blue = (torch.clamp(torch.lerp(mean, c, amount), min=0.0) for c in of)
    return red, green, blue


@grade
def gamma(of: Picture, *, power: Tensor = real(1.5, 0.5, 3.0)) -> Picture:
    """Raise lightness to a power: above 1 shadows deepen, below they open; hues stay."""
    return times(of, torch.exp((power - 1.0) * torch.log(torch.clamp(_lightness(of), 1e-3, 1.0))))


@grade
def curve(of: Picture, *, darkness: Tensor = real(0.4, -0.7, 0.8)) -> Picture:
    """Darken all but the lights, or lighten all but the shadows, softly.

    References
    ----------
    Schlick, "Fast alternatives to Perlin's bias and gain functions", Graphics Gems IV, 1994.
    """
    bend = 2.0 * darkness / (1.0 - darkness)
    return times(of, 1.0 / (1.0 + bend * torch.clamp(1.0 - _lightness(of), 0.0, 1.0)))


@grade
def levels(
    of: Picture, *, black: Tensor = real(0.12, 0.0, 0.4), white: Tensor = real(0.9, 0.6, 1.5)
) -> Picture:
    """Set what becomes black and what becomes white: takes grey veils away."""
    scale = 1.0 / (white - black)
    red, green, blue = (torch.clamp((c - black) * scale, min=0.0) for c in of)
    return red, green, blue


@grade
def posterise(
    of: Picture, *, steps: Tensor = real(4.0, 2.0, 8.0), softness: Tensor = real(0.35, 0.3, 1.0)
) -> Picture:
    """Reduce lightness to a few steps, like a screen print; hues stay."""
    light = torch.clamp(_lightness(of), min=0.0)
    level = light * steps
    whole = torch.floor(level)
    rise = smooth(0.5 - 0.5 * softness, 0.5 + 0.5 * softness, level - whole)
    return times(of, (whole + rise) / (level + 1e-3))


@grade
def hue_turn(of: Picture, *, turn: Scalars = angle(0.15)) -> Picture:
    """Turn all hues on, about the axis of greys."""
    cos, sin = turn
    third, aside = (1.0 - cos) / 3.0, sin * 0.5773503
    red, green, blue = of
    own, up, down = cos + third, third - aside, third + aside
    turned = (
        own * red + up * green + down * blue,
        down * red + own * green + up * blue,
        up * red + down * green + own * blue,
    )
    red, green, blue = (torch.clamp(c, min=0.0) for c in turned)
    return red, green, blue


@grade
def tint(
    of: Picture, *, shade: Scalars = colour(0.75, 0.12, 45), amount: Tensor = real(0.7, 0.0, 1.0)
) -> Picture:
    """See the picture through coloured glass."""
    red, green, blue = (c * torch.lerp(torch.ones_like(s), s, amount) for c, s in zip(of, shade, strict=True))
    return red, green, blue


@grade
def recolour(
    of: Picture, *, colours: Scalars = ramp("glacier"), amount: Tensor = real(1.0, 0.0, 1.0)
) -> Picture:
    """Give each brightness its colour of a palette, whatever its hue was."""
    inked = ramp_colour(torch.maximum(torch.maximum(of[0], of[1]), of[2]), colours)
    red, green, blue = (torch.lerp(c, i, amount) for c, i in zip(of, inked, strict=True))
    return red, green, blue


@grade
def split_tone(
    of: Picture,
    *,
    shadows: Scalars = colour(0.5, 0.12, 240),
    lights: Scalars = colour(0.85, 0.1, 70),
    amount: Tensor = real(0.7, 0.0, 1.0),
    balance: Tensor = real(0.5, 0.2, 0.8),
) -> Picture:
    """Tint the shadows with one colour and the lights with another."""
    light = _lightness(of)
    share = smooth(balance - 0.4, balance + 0.4, light)
    # Tints of one lightness, so that only hues change.
    low, high = _evened(shadows), _evened(lights)
    red, green, blue = (
        torch.lerp(c, light * torch.lerp(a, b, share), amount) for c, a, b in zip(of, low, high, strict=True)
    )
    return red, green, blue


def _evened(shade: Scalars) -> Picture:
    red, green, blue = shade
    return times((red, green, blue), 1.0 / (_lightness((red, green, blue)) + 0.1))


@grade
def invert(of: Picture, *, paper: Scalars = colour(0.9, 0.04, 85)) -> Picture:
    """Turn light into dark ink on coloured paper; hues stay."""
    red, green, blue = (torch.clamp(c, max=1.0) for c in of)
    most = torch.maximum(torch.maximum(red, green), blue)
    least = torch.minimum(torch.minimum(red, green), blue)
    # The same for each channel, so that their differences stay: a colour becomes its lightness' opposite.
    added = 1.0 - most - least
    return (red + added) * paper[0], (green + added) * paper[1], (blue + added) * paper[2]


@grade
def solarise(of: Picture, *, threshold: Tensor = real(0.65, 0.45, 1.0)) -> Picture:
    """Turn lights over into darkness, as a darkroom lamp does: contours of light remain."""
    light = torch.clamp(_lightness(of), min=0.0)
    # Up to the threshold and down again, smoothly, and at its brightest as bright as it was at 1.
    x = torch.clamp(light / threshold, max=2.0)
    turned = x * (2.0 - x)
    return times(of, turned * turned / (light + 1e-3))


@grade
def vignette(
    of: Picture,
    at: Place,
    *,
    amount: Tensor = real(0.8, 0.0, 1.0),
    radius: Tensor = real(0.9, 0.3, 1.5),
    roundness: Tensor = real(0.3, 0.0, 1.0),
) -> Picture:
    """Let the picture darken towards its corners."""
    x = at.u / torch.lerp(at.wide, torch.ones_like(at.wide), roundness)
    y = at.v / torch.lerp(at.high, torch.ones_like(at.high), roundness)
    square = (x * x + y * y) / (radius * radius)
    return times(of, 1.0 - amount * square * square / (1.0 + square * square))
