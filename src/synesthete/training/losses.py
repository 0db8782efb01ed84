"""What a decoded picture is measured by in training: values, edges at several scales, and colour."""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = [
    "chroma",
    "colour_loss",
    "edge_loss",
    "mean_saturation",
    "psnr",
    "sharpness_loss",
    "value_loss",
]

_SCALES: Final = 3
_PATCH: Final = 8
_LEAST: Final = 1e-10
_SMOOTH: Final = 1e-4

# The rows of ITU-R BT.601 for blue and red difference: linear, so that a loss in them is convex.
_CHROMA: Final = ((-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))

Pictures = Float[Tensor, "batch 3 height width"]


def value_loss(drawn: Pictures, truth: Pictures, *, squares: float) -> Float[Tensor, ""]:
    """Give the mean absolute difference, and ``squares`` times the mean squared one."""
    apart = drawn - truth
    return apart.abs().mean() + squares * apart.square().mean()


def edge_loss(drawn: Pictures, truth: Pictures) -> Float[Tensor, ""]:
    """Give the mean absolute difference of what neighbouring pixels differ by, at three scales.

    A blurred edge has the right values almost everywhere, and the wrong differences.
    """
    apart = drawn - truth
    total = apart.new_zeros(())
    for scale in range(_SCALES):
        if scale:
            apart = nn.functional.avg_pool2d(apart, 2)
        total = total + apart.diff(dim=-1).abs().mean() + apart.diff(dim=-2).abs().mean()
    return total / _SCALES


def sharpness_loss(drawn: Pictures, truth: Pictures) -> Float[Tensor, ""]:
    """Give the mean absolute difference of how strong edges are in patches of 8x8 pixels, at three scales.

    Where an edge's place is unsure, all that compares pixels prefers none; this one wants it somewhere near.
    """
    total = drawn.new_zeros(())
    for scale in range(_SCALES):
        if scale:
            drawn, truth = nn.functional.avg_pool2d(drawn, 2), nn.functional.avg_pool2d(truth, 2)
        total = total + (_edge_strength(drawn) - _edge_strength(truth)).abs().mean()
    return total / _SCALES


def colour_loss(drawn: Pictures, truth: Pictures) -> Float[Tensor, ""]:
    """Give the mean absolute difference of chroma, and of each picture's mean saturation.

    The first is about where colours are; the second does not let them fade where their place is unsure.
    """
    own, other = chroma(drawn), chroma(truth)
    faded = _amount(own).mean(dim=(1, 2)) - _amount(other).mean(dim=(1, 2))
    return (own - other).abs().mean() + faded.abs().mean()


def chroma(pictures: Pictures) -> Float[Tensor, "batch 2 height width"]:
    """Give blue and red difference, -0.5 to 0.5."""
    weights = torch.tensor(_CHROMA, device=pictures.device, dtype=pictures.dtype)
    return torch.einsum("cr,brhw->bchw", weights, pictures)


def mean_saturation(pictures: Pictures) -> Float[Tensor, " batch"]:
    """Give the mean length of chroma of each picture."""
    return _amount(chroma(pictures)).mean(dim=(1, 2))


def psnr(drawn: Pictures, truth: Pictures) -> Float[Tensor, " batch"]:
    """Give the peak signal-to-noise ratio of each picture, dB; at most 100."""
    error = (drawn.clamp(0.0, 1.0) - truth).square().mean(dim=(1, 2, 3))
    return -10.0 * torch.log10(error + _LEAST)


def _edge_strength(pictures: Pictures) -> Float[Tensor, "batch 3 rows columns"]:
    across, down = pictures.diff(dim=-1)[..., :-1, :], pictures.diff(dim=-2)[..., :-1]
    power = nn.functional.avg_pool2d(across.square() + down.square(), _PATCH, ceil_mode=True)
    return torch.sqrt(power + _SMOOTH**2)


def _amount(colours: Float[Tensor, "batch 2 height width"]) -> Float[Tensor, "batch height width"]:
    return torch.sqrt(colours.square().sum(dim=1) + _SMOOTH**2)
