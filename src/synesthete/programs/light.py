"""Light: colour ramps, relief, glowing contour lines, tone and exposure of field values.

All functions take plain tensors and work on any device, on whole planes or on bands of rows. Positions
are normalised (short side = [-1, 1]); ``pixel`` is the size of one pixel in those units. Intermediate
results are changed in place where nothing else reads them: run eagerly, a new plane costs page faults.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.palettes import RAMP_DEGREE

__all__ = ["COLOUR_PARAMETERS", "SHADE_PARAMETERS", "ramp_colour", "shade", "shade_colours", "tone"]

_RAMP = 3 * (RAMP_DEGREE + 1)
_NAMES = [
    "pixel",
    "darkness",
    "relief",
    "gloss",
    "light_x",
    "light_y",
    "light_z",
    "half_x",
    "half_y",
    "half_z",
    "lines",
    "line_count",
    "line_phase",
    "line_width",
    "accent_r",
    "accent_g",
    "accent_b",
]
SHADE_PARAMETERS: tuple[str, ...] = (*_NAMES, *(f"ramp_{i}" for i in range(2 * _RAMP)))
"""Names of the scalars that `shade` reads, in order; the ramps are two polynomials per channel."""

COLOUR_PARAMETERS: tuple[str, ...] = (*_NAMES, "gain", "hue_cos", "hue_sin")
"""Names of the scalars that `shade_colours` reads, in order."""

_SHOULDER = 1.5
_GLOSS_SQUARINGS = 5

Plane = Float[Tensor, "..."]
Scalars = Mapping[str, Tensor]


def shade(
    form: Plane,
    slope: tuple[Plane, Plane] | None,
    tint: Plane,
    light: Plane,
    parameters: Float[Tensor, " parameters"],
    *,
    relief: bool,
    lines: bool,
) -> Sequence[Plane]:
    """Colour and light field values.

    Everything is added up in display values (the square root of linear light): what is lost in physics is
    won threefold in speed, as no channel needs a root or a division.

    Parameters
    ----------
    form, tint
        The field, each 0-1: what the palette and the relief show, and the mix of two ramps.
    slope
        The form's gradient in x and y, per normalised unit; needed by relief and lines, changed in place.
    light
        How brightly each place is lit, display values, non-negative.
    parameters
        Scalars in the order of `SHADE_PARAMETERS`.
    relief, lines
        Whether these effects take part.

    Returns
    -------
    Red, green and blue: display values, 0-1.
    """
    p = dict(zip(SHADE_PARAMETERS, parameters.unbind(), strict=True))
    value = _bias(form, p["darkness"])
    shaded, added = light, None
    if slope is not None and lines:
        added = _lines(form, slope, p).mul_((light * 0.8).add_(0.2))
    if slope is not None and relief:
        diffuse, gloss = _relief(slope, p)
        gloss = gloss.mul_(light).mul_(value)
        added = gloss if added is None else added.add_(gloss)
        shaded = diffuse.mul_(light)
    channels = []
    for channel, accent in enumerate(("accent_r", "accent_g", "accent_b")):
        display = _ramp(value, tint, p, channel).mul_(shaded)
        if added is not None:
            display = display.addcmul_(added, p[accent])
        channels.append(tone(display))
    return channels


def shade_colours(
    luma: Plane,
    red: Plane,
    blue: Plane,
    slope: tuple[Plane, Plane] | None,
    parameters: Float[Tensor, " parameters"],
    *,
    relief: bool,
    lines: bool,
) -> Sequence[Plane]:
    """Light colours that are there already; with a gain of 1, and nothing else, they stay as they are.

    Parameters
    ----------
    luma, red, blue
        Colours as luma and the differences of red and blue from it, ITU-R BT.709, unclipped.
    slope
        The luma's gradient; needed by relief and lines, changed in place.
    parameters
        Scalars in the order of `COLOUR_PARAMETERS`.

    Returns
    -------
    Red, green and blue: display values, 0-1. The gain bends them, and leaves black and white alone.
    """
    p = dict(zip(COLOUR_PARAMETERS, parameters.unbind(), strict=True))
    turned_red = (red * p["hue_cos"]).addcmul_(blue, p["hue_sin"])
    turned_blue = (blue * p["hue_cos"]).addcmul_(red, -p["hue_sin"])
    shaded, added = None, None
    if slope is not None and lines:
        added = _lines(luma, slope, p)
    if slope is not None and relief:
        shaded, gloss = _relief(slope, p)
        gloss = gloss.mul_(luma.clamp(0.0, 1.0))
        added = gloss if added is None else added.add_(gloss)
    # ITU-R BT.709-6, item 3.3, with differences of range -0.5 to 0.5.
    green = luma - 0.4681 * turned_red - 0.1873 * turned_blue
    planes = (luma + 1.5748 * turned_red, green, luma + 1.8556 * turned_blue)
    channels = []
    for plane, accent in zip(planes, ("accent_r", "accent_g", "accent_b"), strict=True):
        display = plane.clamp(0.0, 1.0)
        if shaded is not None:
            display = display.mul_(shaded)
        display = (display * p["gain"]).div_(display * (p["gain"] - 1.0) + 1.0)
        if added is not None:
            display = display.addcmul_(added, p[accent]).clamp_(max=1.0)
        channels.append(display)
    return channels


def _bias(value: Plane, darkness: Tensor) -> Plane:
    # Schlick's bias: a gamma curve for the price of one division. Schlick, Graphics Gems IV, 1994.
    curve = 1.0 / (1.0 - darkness) - 2.0
    return value / (value * -curve).add_(1.0 + curve)


def _ramp(value: Plane, tint: Plane, p: Scalars, channel: int) -> Plane:
    """Mix two palette ramps by tint; display values."""
    result = []
    for first in (channel * (RAMP_DEGREE + 1), channel * (RAMP_DEGREE + 1) + _RAMP):
        result.append(_polynomial([p[f"ramp_{first + power}"] for power in range(RAMP_DEGREE + 1)], value))
    return torch.lerp(result[0], result[1], tint).clamp_(min=0.0)


def _relief(slope: tuple[Plane, Plane], p: Scalars) -> tuple[Plane, Plane]:
    """Light the form as a height field: diffuse (1 where flat) and gloss. Blinn, SIGGRAPH 1977."""
    nx, ny = slope[0].mul_(-p["relief"]), slope[1].mul_(-p["relief"])
    inverse = torch.addcmul(nx * nx, ny, ny).add_(1.0).rsqrt_()
    facing = (nx * p["light_x"]).addcmul_(ny, p["light_y"]).add_(p["light_z"]).mul_(inverse)
    gloss = (nx * p["half_x"]).addcmul_(ny, p["half_y"]).add_(p["half_z"]).mul_(inverse)
    gloss = gloss.clamp_(min=0.0)
    for _ in range(_GLOSS_SQUARINGS):
        gloss = gloss.square_()
    return facing.clamp_(min=0.0).mul_(1.0 / p["light_z"]), gloss.mul_(p["gloss"])


def _lines(form: Plane, slope: tuple[Plane, Plane], p: Scalars) -> Plane:
    """Draw glowing level lines of the form, evenly thick whatever its slope.

    The profile is a Lorentzian of the distance to the line; its width never falls below half a pixel,
    at constant energy, and where lines crowd closer than they are wide they fade instead of aliasing.
    """
    count, pixel, width = p["line_count"], p["pixel"], p["line_width"]
    level = torch.addcmul(p["line_phase"], form, count)
    away = level - torch.round(level)
    drawn2 = width * width + 0.25 * pixel * pixel
    energy = p["lines"] * torch.sqrt(width * width / drawn2)
    spread = torch.addcmul(slope[0] * slope[0], slope[1], slope[1]).mul_(count * count * drawn2).add_(1e-6)
    crowd = (spread * 12.0).add_(1.0)
    return (spread * energy).div_(away.square_().add_(spread).mul_(crowd))


def tone(display: Plane) -> Plane:
    """Roll highlights off: slope 1 in the dark, and white is reached with slope 0 at 1.5."""
    x = torch.clamp(display, 0.0, _SHOULDER)
    # x - 4/27 x³ has its maximum, 1, at 1.5.
    return (x * x).mul_(-4.0 / 27.0).add_(1.0).mul_(x)


def ramp_colour(value: Plane, ramp: Sequence[Tensor]) -> tuple[Plane, Plane, Plane]:
    """Colour values 0-1 by a ramp's polynomials; display values.

    Parameters
    ----------
    ramp
        Coefficients as of `synesthete.programs.palettes.ramp_coefficients`, one tensor each.
    """
    x = torch.clamp(value, 0.0, 1.0)
    terms = RAMP_DEGREE + 1
    red, green, blue = (
        _polynomial(ramp[first : first + terms], x).clamp_(min=0.0) for first in (0, terms, 2 * terms)
    )
    return red, green, blue


def _polynomial(coefficients: Sequence[Tensor], x: Plane) -> Plane:
    value = torch.addcmul(coefficients[-2], coefficients[-1], x)
    for coefficient in reversed(coefficients[:-2]):
        value = torch.addcmul(coefficient, value, x)
    return value
