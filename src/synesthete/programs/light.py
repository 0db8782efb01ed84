"""Light: colour ramps, relief, glowing contour lines, tone and exposure on planes of field values.

All functions take plain tensors and work on any device, on whole planes or on bands of rows. Positions
are normalised (short side = [-1, 1]); ``pixel`` is the size of one pixel in those units.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.palettes import RAMP_DEGREE

__all__ = ["SHADE_PARAMETERS", "shade"]

_RAMP = 3 * (RAMP_DEGREE + 1)
_NAMES = (
    "pixel exposure darkness vignette mask relief gloss light_x light_y light_z half_x half_y half_z "
    "lines line_count line_phase line_width accent_r accent_g accent_b"
).split()
SHADE_PARAMETERS: tuple[str, ...] = (*_NAMES, *(f"ramp_{i}" for i in range(2 * _RAMP)))
"""Names of the scalars that `shade` reads, in order; the ramps are two polynomials per channel."""

_AT = {name: i for i, name in enumerate(SHADE_PARAMETERS)}
_WHITE = 4.0
_GLOSS_SQUARINGS = 5


def shade(
    planes: Float[Tensor, "3 rows_plus_2 columns_plus_2"],
    x: Float[Tensor, "1 columns"],
    y: Float[Tensor, "rows 1"],
    p: Float[Tensor, " parameters"],
    *,
    relief: bool,
    lines: bool,
) -> Float[Tensor, "3 rows columns"]:
    """Colour and light three field planes.

    Parameters
    ----------
    planes
        Form, tint and light, each 0-1, with a border of one pixel all round (for gradients).
    x, y
        Pixel centres, normalised.
    p
        Scalars in the order of `SHADE_PARAMETERS`.
    relief, lines
        Whether these effects take part; they cost a gradient.

    Returns
    -------
    Display RGB, 0-1.
    """
    form = planes[0, 1:-1, 1:-1]
    tint = planes[1, 1:-1, 1:-1]
    mask = planes[2, 1:-1, 1:-1]
    value = _bias(form, p[_AT["darkness"]])
    radius = x * x + y * y
    light = p[_AT["exposure"]] / (1.0 + p[_AT["vignette"]] * radius * radius)
    light = light * (1.0 + p[_AT["mask"]] * (mask - 1.0))
    added = None
    if relief or lines:
        scale = 0.5 / p[_AT["pixel"]]
        slope_x = (planes[0, 1:-1, 2:] - planes[0, 1:-1, :-2]) * scale
        slope_y = (planes[0, 2:, 1:-1] - planes[0, :-2, 1:-1]) * scale
        if relief:
            diffuse, gloss = _relief(slope_x, slope_y, p)
            added = gloss * light * value
            shaded = light * diffuse
        else:
            shaded = light
        if lines:
            glow = _lines(form, slope_x, slope_y, p) * (0.25 + 0.75 * light)
            added = glow if added is None else added + glow
    else:
        shaded = light
    channels = []
    for channel, accent in enumerate(("accent_r", "accent_g", "accent_b")):
        linear = _ramp(value, tint, p, channel).mul_(shaded)
        if added is not None:
            linear.addcmul_(added, p[_AT[accent]])
        channels.append(_tone(linear))
    return torch.stack(channels)


def _bias(value: Tensor, darkness: Tensor) -> Tensor:
    # Schlick's bias: a gamma curve for the price of one division. Schlick, Graphics Gems IV, 1994.
    return value / ((1.0 / (1.0 - darkness) - 2.0) * (1.0 - value) + 1.0)


def _ramp(value: Tensor, tint: Tensor, p: Tensor, channel: int) -> Tensor:
    """Mix two palette ramps by tint; linear light."""
    first = _AT["ramp_0"] + channel * (RAMP_DEGREE + 1)
    result = []
    for start in (first, first + _RAMP):
        poly = torch.addcmul(p[start + RAMP_DEGREE - 1], p[start + RAMP_DEGREE], value)
        for power in range(RAMP_DEGREE - 2, -1, -1):
            poly = poly.mul_(value).add_(p[start + power])
        result.append(poly)
    mixed = torch.lerp(result[0], result[1], tint).clamp_(min=0.0)
    return mixed.square_()


def _relief(slope_x: Tensor, slope_y: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """Light the form as a height field: diffuse (1 where flat) and gloss. Blinn, SIGGRAPH 1977."""
    height = p[_AT["relief"]]
    nx, ny = slope_x * -height, slope_y * -height
    inverse = torch.rsqrt(nx * nx + ny * ny + 1.0)
    facing = (nx * p[_AT["light_x"]] + ny * p[_AT["light_y"]] + p[_AT["light_z"]]) * inverse
    diffuse = torch.clamp(facing, min=0.0) / p[_AT["light_z"]]
    gloss = (nx * p[_AT["half_x"]] + ny * p[_AT["half_y"]] + p[_AT["half_z"]]) * inverse
    gloss = torch.clamp(gloss, min=0.0)
    for _ in range(_GLOSS_SQUARINGS):
        gloss = gloss.square_()
    return diffuse, gloss * p[_AT["gloss"]]


def _lines(form: Tensor, slope_x: Tensor, slope_y: Tensor, p: Tensor) -> Tensor:
    """Draw glowing level lines of the form, evenly thick whatever its slope.

    The profile is a Lorentzian of the distance to the line; its width never falls below half a pixel,
    at constant energy, and where lines crowd closer than they are wide they fade instead of aliasing.
    """
    count = p[_AT["line_count"]]
    level = form * count + p[_AT["line_phase"]]
    away = level - torch.round(level)
    slope = (slope_x * slope_x + slope_y * slope_y) * (count * count)
    width2 = p[_AT["line_width"]] * p[_AT["line_width"]]
    drawn2 = width2 + 0.25 * p[_AT["pixel"]] * p[_AT["pixel"]]
    spread = drawn2 * slope + 1e-6
    energy = p[_AT["lines"]] * torch.sqrt(width2 / drawn2)
    return energy * spread / ((away * away + spread) * (1.0 + 12.0 * spread))


def _tone(linear: Tensor) -> Tensor:
    """Roll highlights off softly and go to display values. Reinhard et al., SIGGRAPH 2002, eq. 4."""
    rolled = (linear * (1.0 / _WHITE**2)).add_(1.0).mul_(linear)
    return rolled.div_(linear.add(1.0)).clamp_(0.0, 1.0).sqrt_()
