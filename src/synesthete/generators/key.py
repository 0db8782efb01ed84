"""The natural key of light on black: how much light there is says how much of the picture is there."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["keyed"]


def keyed(
    rgb: Float[Tensor, "3 height width"], *, levels: int
) -> tuple[Float[Tensor, "3 height width"], Float[Tensor, "height width"]]:
    r"""Split a picture of light into straight colours and alpha.

    :math:`\alpha = \lceil L \max(r, g, b) \rceil / L` and :math:`c = (r, g, b) / \alpha`, so that
    :math:`\alpha c`, the picture over black, is the picture itself. Rounding alpha upward keeps colours
    within 1, and what is lost in alpha's few levels is kept in them.

    Parameters
    ----------
    rgb
        Display RGB; clipped to 0-1.
    levels
        Greatest value of the alpha plane, 255 or 1023: :math:`L`.

    Returns
    -------
    Colours, 0-1, black where there is no light; and alpha as whole numbers, 0 to ``levels``.

    Examples
    --------
    >>> colours, alpha = keyed(torch.tensor([0.2, 0.1, 0.0]).reshape(3, 1, 1), levels=255)
    >>> colours.flatten().tolist(), alpha.item()
    ([1.0, 0.5, 0.0], 51.0)
    """
    light = torch.clamp(rgb, 0.0, 1.0)
    # A hair less, so that rounding doesn't lift what is a whole number of levels by one.
    alpha = torch.ceil(light.amax(0) * levels - 1e-4)
    colours = torch.where(alpha > 0, light * levels / torch.clamp(alpha, min=1.0), 0.0)
    return torch.clamp(colours, max=1.0), alpha
