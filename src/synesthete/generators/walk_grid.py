"""Which grid of latents pictures of the generator gan are drawn from, and what of them is seen."""

from typing import Final

from jaxtyping import Float
from torch import Tensor

from synesthete.generators.dream_grid import elongation
from synesthete.models.gan import LATENT_SIDE

__all__ = ["MARGIN", "walk_grid", "without_margin"]

MARGIN: Final = 1
"""Latents beyond each edge of what is seen: at the edges of what it draws the network leaves lit stripes."""


def walk_grid(aspect: float, longer: int = LATENT_SIDE) -> tuple[int, int]:
    """Give the rows and columns of latents for pictures of an aspect ratio, with those beyond the edges.

    Parameters
    ----------
    aspect
        Width over height.
    longer
        Latents along the longer side of what is seen.

    Raises
    ------
    ConfigError
        See `synesthete.generators.dream_grid.elongation`.

    Examples
    --------
    >>> walk_grid(1.0), walk_grid(16 / 9), walk_grid(9 / 16), walk_grid(4 / 3)
    ((18, 18), (11, 18), (18, 11), (14, 18))
    """
    short = round(longer / elongation(aspect, "gan"))
    rows, columns = (short, longer) if aspect >= 1.0 else (longer, short)
    return rows + 2 * MARGIN, columns + 2 * MARGIN


def without_margin(pictures: Float[Tensor, "*batch rows columns"], scale: int) -> Float[Tensor, "*batch _ _"]:
    """Cut off what is drawn from latents beyond the edges.

    Parameters
    ----------
    scale
        Pixels to a latent, along each side.
    """
    cut = MARGIN * scale
    rows, columns = pictures.shape[-2:]
    return pictures[..., cut : rows - cut, cut : columns - cut]
