"""Colourings: from a field to a picture."""

from torch import Tensor

from synesthete.programs.light import ramp_colour
from synesthete.programs.parameters import ramp, real
from synesthete.programs.place import Plane
from synesthete.programs.registry import Picture, Scalars, colour_map

__all__ = ["grey", "palette"]


@colour_map()
def grey(of: Plane) -> Picture:
    """Show values as greys."""
    return of, of, of


@colour_map()
def palette(of: Plane, *, colours: Scalars = ramp("ember"), light: Tensor = real(1.0, 0.0, 4.0)) -> Picture:
    """Colour values by an OKLCH ramp from dark to light."""
    red, green, blue = ramp_colour(of, colours)
    return red * light, green * light, blue * light
