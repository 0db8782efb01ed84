"""Split what is heard into the percussive and the harmonic: hits against what is held.

It works on the Timeline's 64 log bands, in blocks of a fixed size with a fixed halo, so that neither the
length nor the cutting of the input changes a bit.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torch.nn import functional

from synesthete.audio import filterbanks
from synesthete.audio.columns import FLOOR_DBFS, SPECTRUM_BANDS
from synesthete.audio.kernels import LONG, LONG_SPECTRUM, MIDDLE
from synesthete.clock import ANALYSIS_SAMPLE_RATE

__all__ = ["HALO_TICKS", "split_percussive", "split_rows"]

HALO_TICKS: Final = 12
"""Rows on either side (120 ms) that a row depends on: the reach of the median over time."""

_REACH_BANDS: Final = 10
# 6 dB in favour of what is held: low notes that lie close are no hits (of a chord of six, 0.6 dB are lost
# instead of 1.7), and the percussive level follows librosa's more closely on both tracks of the album.
_MARGIN: Final = 0.1
# Every block has this many rows, a multiple of 32 and few enough for one thread: torch rounds the tails of
# its loops otherwise than their bulk.
_BLOCK_TICKS: Final = 256
_BELS: Final = -FLOOR_DBFS / 10.0
_FLOOR_POWER: Final = 10.0**-_BELS
_SLOPE: Final = _BELS * math.log(10.0)


@torch.no_grad()
def split_percussive(
    spectrum: Float[Tensor, "*batch ticks 64"],
) -> tuple[Float[Tensor, "*batch ticks"], Float[Tensor, "*batch ticks"]]:
    r"""Split a spectrum into the levels of its percussive and its harmonic part.

    With :math:`H` the median of a band's levels within ±120 ms and :math:`P` that of the levels of ten bands
    on either side (1.6 octaves), both as powers, a band gives :math:`P/(P+4H)` of its power to the percussive
    part and the rest to the harmonic one.

    Parameters
    ----------
    spectrum
        The Timeline's ``spectrum``, 0..1 for -60..0 dBFS, at 100 Hz. Before and after it there is silence:
        who cuts a track into pieces hands over `HALO_TICKS` more rows on either side, and drops them.

    Returns
    -------
    Percussive and harmonic level, 0..1 for -60..0 dBFS as in ``loudness``; their powers add up to that of
    mono between 30 Hz and 16 kHz. Bands at or below -60 dBFS count as silent.

    References
    ----------
    FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010, eq. 1-8.
    Differs: log bands instead of bins, 6 dB in favour of the harmonic part, no resynthesis.

    Examples
    --------
    >>> click = torch.zeros(40, 64)
    >>> click[20:23] = 0.5
    >>> percussive, harmonic = split_percussive(click)
    >>> percussive[21].item() > 0.7, harmonic[21].item() < 0.4
    (True, True)
    """
    ticks = spectrum.shape[-2]
    rows = spectrum.float().reshape(math.prod(spectrum.shape[:-2]), ticks, SPECTRUM_BANDS)
    blocks = [
        _split_block(rows[:, max(0, start - HALO_TICKS) : start + _BLOCK_TICKS + HALO_TICKS], start)
        for start in range(0, ticks, _BLOCK_TICKS)
    ]
    if not blocks:
        empty = rows.new_zeros(spectrum.shape[:-1])
        return empty, empty.clone()
    parts = torch.cat(blocks, dim=-1)[..., :ticks].reshape(2, *spectrum.shape[:-1])
    return parts[0], parts[1]


def split_rows(
    spectrum: Float32[np.ndarray, "ticks 64"],
) -> tuple[Float32[np.ndarray, " ticks"], Float32[np.ndarray, " ticks"]]:
    """Split as `split_percussive` does; a memory-mapped spectrum is read block by block, once.

    Returns
    -------
    Percussive and harmonic level, the same to the bit as those of the whole spectrum at once.
    """
    ticks = len(spectrum)
    result = np.zeros((2, ticks), np.float32)
    for start in range(0, ticks, _BLOCK_TICKS):
        part = np.array(spectrum[max(0, start - HALO_TICKS) : start + _BLOCK_TICKS + HALO_TICKS], np.float32)
        block = _split_block(torch.from_numpy(part)[None], start)[:, 0]
        result[:, start : start + _BLOCK_TICKS] = block[:, : ticks - start].numpy()
    return result[0], result[1]


@torch.no_grad()
def _split_block(rows: Float[Tensor, "batch held 64"], start: int) -> Float[Tensor, "2 batch ticks"]:
    """Split one block; ``rows`` begin `HALO_TICKS` before it, or at the track's start."""
    before = HALO_TICKS - min(start, HALO_TICKS)
    after = _BLOCK_TICKS + 2 * HALO_TICKS - before - rows.shape[1]
    levels = functional.pad(rows, (0, 0, before, after))
    inner = levels[:, HALO_TICKS : HALO_TICKS + _BLOCK_TICKS]
    held = _median([levels[:, shift : shift + _BLOCK_TICKS] for shift in range(2 * HALO_TICKS + 1)])
    columns = inner.movedim(-1, 0).contiguous()
    neighbours, weights = _neighbours(), _weights().to(rows)
    struck = _median([columns[index] for index in neighbours.T]).movedim(0, -1).contiguous()
    # Levels are logarithms of powers: P / (P + H) is the logistic function of their difference.
    share = torch.sigmoid(_SLOPE * (struck - held - _MARGIN))
    power = (torch.exp(_SLOPE * (inner - 1.0)) - _FLOOR_POWER).clamp(min=0.0) * weights
    percussive = (power * share).sum(dim=-1)
    harmonic = (power * (1.0 - share)).sum(dim=-1)
    summed = torch.stack([percussive, harmonic])
    return (1.0 + torch.log10(summed + _FLOOR_POWER) / _BELS).clamp(0.0, 1.0)


def _median(values: list[Float[Tensor, "*shape"]]) -> Float[Tensor, "*shape"]:
    """Give the median of an odd number of tensors, element by element.

    Of any n/2 + 2 values, the least and the largest can't be the median: they are dropped, and the next value
    joins. Only minima and maxima of whole tensors; ten times as fast as ``torch.median`` of windows.

    References
    ----------
    Paeth, "Median finding on a 3×3 grid", Graphics Gems, 1990.
    """
    count = len(values) // 2 + 2
    held, waiting = list(values[:count]), list(values[count:])
    while len(held) > 1:
        last = len(held) - 1
        for index in range(len(held) // 2):
            _order(held, index, last - index)
        for index in range(1, last // 2 + 1):
            _order(held, 0, index)
        for index in range((last + 1) // 2, last):
            _order(held, index, last)
        held = held[1:-1]
        if waiting:
            held.append(waiting.pop())
    return held[0]


def _order(values: list[Float[Tensor, "*shape"]], low: int, high: int) -> None:
    one, other = values[low], values[high]
    values[low], values[high] = torch.minimum(one, other), torch.maximum(one, other)


@lru_cache(maxsize=1)
def _neighbours() -> Int64[Tensor, "64 21"]:
    """Give the bands whose median is the percussive level of each band.

    Low bands are widened to the main lobe of the window, so that one note fills ten of them; among the
    neighbours, bands follow one another at a lobe's distance. Beyond the ends they are reflected.
    """
    edges = filterbanks.log_edges(SPECTRUM_BANDS)
    centres = np.sqrt(edges[:-1] * edges[1:])
    lobe_hz = 3 * ANALYSIS_SAMPLE_RATE / LONG
    apart = [0]
    for band in range(1, SPECTRUM_BANDS):
        if centres[band] - centres[apart[-1]] >= min(lobe_hz, edges[band + 1] - edges[band]):
            apart.append(band)
    nearest = np.abs(np.log(centres[:, None] / centres[apart])).argmin(axis=1)
    top = len(apart) - 1
    places = np.abs(nearest[:, None] + np.arange(-_REACH_BANDS, _REACH_BANDS + 1))
    chosen = np.array(apart)[top - np.abs(top - places)]
    chosen[:, _REACH_BANDS] = np.arange(SPECTRUM_BANDS)
    return torch.from_numpy(chosen)


@lru_cache(maxsize=1)
def _weights() -> Float[Tensor, "64"]:
    """Give the part of each band that is its own: widened bands share their bins with their neighbours.

    At the lower end neighbours are missing, and the lowest bands stand in for them.
    """
    edges = filterbanks.log_edges(SPECTRUM_BANDS)
    parts = ((slice(0, LONG_SPECTRUM), LONG), (slice(LONG_SPECTRUM, None), MIDDLE))
    widened = [filterbanks.widened(edges[:-1][part], edges[1:][part], window) for part, window in parts]
    low, high = (np.concatenate(side) for side in zip(*widened, strict=True))
    shared = (high - np.maximum(low, edges[0])) / (high - low)
    return torch.from_numpy(np.diff(edges) / (high - low) / shared).float()
