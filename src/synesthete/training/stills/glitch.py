"""Glitches: what broken tapes, cables and decoders do to a picture, each by a seeded draw.

Lengths are shares of the picture's side, so that a small picture breaks as a large one does.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["block_shifts", "channel_offsets", "databend", "pixel_sort", "scan_lines"]

Rgb = Float[Tensor, "3 rows columns"]

_LUMA = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


def block_shifts(picture: Rgb, draw: np.random.Generator, *, count: int = 14, reach: float = 0.25) -> Rgb:
    """Shift bands, and blocks of bands, sideways; what leaves comes in on the other side.

    Parameters
    ----------
    count
        How many.
    reach
        How far at most, as a share of the width.
    """
    rows, columns = picture.shape[1:]
    result = picture.clone()
    for _ in range(count):
        high = max(1, round(rows * float(draw.choice([0.012, 0.03, 0.06, 0.14]))))
        top = int(draw.random() * max(1, rows - high))
        wide = columns if draw.random() < 0.5 else max(1, round(columns * float(draw.uniform(0.15, 0.6))))
        left = int(draw.random() * max(1, columns - wide))
        shift = round(columns * reach * float(draw.uniform(-1.0, 1.0)))
        block = torch.roll(result[:, top : top + high], shift, 2)[:, :, left : left + wide]
        result[:, top : top + high, left : left + wide] = block
    return result


def channel_offsets(picture: Rgb, draw: np.random.Generator, *, reach: float = 0.025) -> Rgb:
    """Shift red and blue against green, in opposite directions, with more of it in some bands."""
    rows, columns = picture.shape[1:]
    base = max(1, round(columns * reach * float(draw.uniform(0.3, 1.0))))
    down = round(rows * reach * float(draw.uniform(-0.4, 0.4)))
    red = torch.roll(picture[0], (down, base), (0, 1))
    blue = torch.roll(picture[2], (-down, -base), (0, 1))
    result = torch.stack([red, picture[1], blue])
    for _ in range(3):
        high = max(1, round(rows * float(draw.uniform(0.03, 0.12))))
        top = int(draw.random() * max(1, rows - high))
        more = 3 * base * (1 if draw.random() < 0.5 else -1)
        band = slice(top, top + high)
        result[0, band] = torch.roll(result[0, band], more, 1)
        result[2, band] = torch.roll(result[2, band], -more, 1)
    return result


def pixel_sort(
    picture: Rgb,
    *,
    low: float,
    high: float,
    downward: bool = False,
    longest: float = 0.35,
) -> Rgb:
    """Sort the pixels of each run by their luma, in rows or in columns.

    Parameters
    ----------
    low, high
        A run goes on as long as luma lies between them.
    downward
        Whether runs are columns'.
    longest
        Of a run, as a share of the side.

    References
    ----------
    Asendorf, "ASDFPixelSort", 2012.
    """
    turned = picture.transpose(1, 2) if downward else picture
    luma = torch.tensordot(torch.tensor(_LUMA), turned, 1)
    inside = (luma > low) & (luma < high)
    begins = torch.ones_like(inside)
    # Outside of runs every pixel is one of its own, so that it stays.
    begins[:, 1:] = ~inside[:, 1:] | ~inside[:, :-1]
    begins[:, :: max(2, round(longest * luma.shape[1]))] = True
    run = torch.cumsum(begins.to(torch.int64), 1)
    order = torch.argsort(run.double() + 0.999 * luma.double().clamp(0.0, 1.0), dim=1, stable=True)
    result = torch.gather(turned, 2, order.expand(3, -1, -1))
    return result.transpose(1, 2) if downward else result


def scan_lines(picture: Rgb, draw: np.random.Generator, *, lines: int = 90, depth: float = 0.35) -> Rgb:
    """Darken between the lines of a screen, and let a bright bar roll through it.

    Parameters
    ----------
    lines
        Over the picture's height; where pixels are too coarse for them they fade.
    depth
        How dark it is between them, 0-1.
    """
    rows = picture.shape[1]
    place = (torch.arange(rows, dtype=torch.float32) + 0.5) / rows
    kept = max(0.0, 1.0 - 2.0 * lines / rows)
    comb = 1.0 - depth * kept * (0.5 - 0.5 * torch.cos(2 * math.pi * lines * place))
    bar = torch.exp(-(((place - float(draw.random())) / 0.06) ** 2))
    return picture * (comb * (1.0 + 0.25 * bar))[:, None]


def databend(picture: Rgb, draw: np.random.Generator, *, blocks: int = 10) -> Rgb:
    """Break blocks as a damaged file does: too few levels, exchanged channels, wrong bits, smeared rows."""
    rows, columns = picture.shape[1:]
    result = picture.clone()
    unit = max(1, round(min(rows, columns) / 32))
    for _ in range(blocks):
        high = unit * int(draw.integers(1, 5))
        wide = unit * int(draw.integers(3, 17))
        top = unit * (int(draw.random() * max(1, rows - high)) // unit)
        left = unit * (int(draw.random() * max(1, columns - wide)) // unit)
        part = result[:, top : top + high, left : left + wide]
        damage = draw.choice(["levels", "channels", "bits", "smear", "smear", "coarse"])
        if damage == "levels":
            few = int(draw.integers(2, 5))
            part = torch.round(part * few) / few
        elif damage == "channels":
            part = part[torch.from_numpy(np.roll(np.arange(3), int(draw.integers(1, 3))))]
        elif damage == "bits":
            bits = (part.clamp(0.0, 1.0) * 255.0).to(torch.uint8)
            part = (bits ^ int(draw.choice([32, 64, 96]))).float() / 255.0
        elif damage == "smear":
            result[:, top : top + high, left:] = part[:, :, :1].expand(-1, -1, columns - left)
            continue
        else:
            part = _coarse(part, unit)
        result[:, top : top + high, left : left + wide] = part
    return result


def _coarse(part: Rgb, unit: int) -> Rgb:
    """Give every square of so many pixels the colour of its first."""
    rows = torch.arange(part.shape[1]) // unit * unit
    columns = torch.arange(part.shape[2]) // unit * unit
    return part[:, rows][:, :, columns]
