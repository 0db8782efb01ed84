"""Tone curves: how light becomes display values, which are its square roots."""

import math

import torch
from torch import Tensor

from synesthete.config.post import ToneCurve

__all__ = ["RED", "Planes", "luma", "toned"]

Planes = tuple[Tensor, Tensor, Tensor]
RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722  # ITU-R BT.709-6, item 3.2


def luma(planes: Planes) -> Tensor:
    """Give the luma of red, green and blue."""
    red, green, blue = planes
    return RED * red + GREEN * green + BLUE * blue


def toned(planes: Planes, curve: ToneCurve) -> Planes:
    """Bend display values, 0 or more; all curves leave black, and all but *neutral* white, where it is."""
    if curve == "none":
        return planes
    if curve == "punch":
        return _punch(planes)
    if curve == "neutral":
        return _neutral(planes)
    red, green, blue = (_bent(plane, curve) for plane in planes)
    return red, green, blue


def _bent(plane: Tensor, curve: ToneCurve) -> Tensor:
    """Bend one colour by itself."""
    light = plane * plane
    if curve == "soft":
        return torch.sqrt(light * (1.0 + light / 2.25) / (1.0 + light) * (2.0 / (1.0 + 1.0 / 2.25)))
    if curve == "filmic":
        # Narkowicz's fit of ACES, exposed so that middle grey (18 % of light) stays and white is white.
        light = light * 0.5135
        bent = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
        return torch.sqrt(bent * 1.6001)
    # As a negative's density goes with the logarithm of exposure; half of it, so that dark stays dark.
    logarithmic = torch.sqrt(torch.log1p(light * 6.0) * (1.0 / math.log(7.0)))
    return torch.lerp(plane, logarithmic, 0.5)


def _punch(planes: Planes) -> Planes:
    """Steepen the middle by half a smoothstep, and colours by a quarter."""
    steep = [p * (0.5 + p * (1.5 - p)) for p in (torch.clamp(plane, max=1.0) for plane in planes)]
    grey = luma((steep[0], steep[1], steep[2]))
    red, green, blue = (torch.clamp(grey + 1.25 * (plane - grey), min=0.0) for plane in steep)
    return red, green, blue


def _neutral(planes: Planes) -> Planes:
    """Roll off only light above 0.8, towards white and without turning hues.

    References
    ----------
    Khronos Group, "PBR Neutral Tone Mapper", 2024: compression from 0.8, desaturation 0.15.
    *Differs:* without its offset for the 4 % that dielectrics reflect, so that dark values stay.
    """
    start, desaturation = 0.8, 0.15
    light = [plane * plane for plane in planes]
    peak = torch.maximum(torch.maximum(light[0], light[1]), light[2])
    rest = 1.0 - start
    rolled = 1.0 - rest * rest / (torch.clamp(peak, min=start) + rest - start)
    rolled = torch.where(peak > start, rolled, peak)
    scale = rolled / torch.clamp(peak, min=1e-6)
    towards = 1.0 - 1.0 / (desaturation * (peak - rolled) + 1.0)
    red, green, blue = (torch.sqrt(plane * scale + towards * (rolled - plane * scale)) for plane in light)
    return red, green, blue
