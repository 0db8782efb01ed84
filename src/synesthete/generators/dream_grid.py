"""Which grid of latents a picture is drawn from, and how much of what it draws is seen."""

import math
from typing import Final

from synesthete.errors import ConfigError

__all__ = ["MOST_ASPECT", "elongation", "latent_grid", "shown_of"]

MOST_ASPECT: Final = 4.0
"""Longest side of a picture, in short sides."""

_SHORT_SIDES: Final = range(6, 9)
_LATENTS: Final = 64
_COUNT_WEIGHT: Final = 0.5


def latent_grid(aspect: float) -> tuple[int, int]:
    """Give the grid of latents for pictures of an aspect ratio.

    Its own is near it, and it has about as many latents as those of training: 8x8, 6x11 and 11x6.

    Parameters
    ----------
    aspect
        Width over height.

    Returns
    -------
    Rows and columns.

    Raises
    ------
    ConfigError
        If one side is more than `MOST_ASPECT` times as long as the other.

    Examples
    --------
    >>> latent_grid(1.0), latent_grid(16 / 9), latent_grid(9 / 16), latent_grid(4 / 3)
    ((8, 8), (6, 11), (11, 6), (7, 9))
    """
    long = elongation(aspect, "diffusion")
    grids = [(short, round(short * long)) for short in _SHORT_SIDES]

    def cost(grid: tuple[int, int]) -> float:
        cut = abs(math.log(grid[1] / grid[0] / long))
        return cut + _COUNT_WEIGHT * abs(math.log(grid[0] * grid[1] / _LATENTS))

    short, other = min(grids, key=cost)
    return (short, other) if aspect >= 1.0 else (other, short)


def elongation(aspect: float, generator: str) -> float:
    """Give the longer side of pictures over the shorter one.

    Raises
    ------
    ConfigError
        If it is more than `MOST_ASPECT`, which is too much for a generator of latents.
    """
    long = max(aspect, 1.0 / aspect)
    if long > MOST_ASPECT:
        raise ConfigError(
            f"the generator {generator} draws pictures of at most {MOST_ASPECT:g}:1, and {long:.3g}:1 is "
            "wanted; choose another --resolution"
        )
    return long


def shown_of(size: tuple[int, int], grid: tuple[int, int]) -> tuple[float, float]:
    """Give the shares of a grid's width and height that fill a picture, so that nothing is stretched.

    Parameters
    ----------
    size
        Width and height, pixels.
    grid
        Rows and columns.

    Examples
    --------
    >>> shown_of((128, 128), (6, 12))
    (0.5, 1.0)
    """
    wider = (size[0] * grid[0]) / (size[1] * grid[1])
    return (min(1.0, wider), min(1.0, 1.0 / wider))
