"""Columns derived from whole columns: silence, onset peaks, the beat pulse, time. All of finite support."""

from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from synesthete.audio.columns import FLOOR_DBFS
from synesthete.clock import ANALYSIS_RATE

__all__ = ["BEAT_MEMORY_TICKS", "beat_pulse", "derive", "onset_peaks", "silence_from"]

_LOUD_DBFS = -47.0
_QUIET_DBFS = -53.0
_SMOOTHING_TICKS: Final = 15
_PEAK_REACH: Final = 4
_MEAN_REACH: Final = 25
_PEAK_MARGIN: Final = 0.03
_PEAK_RATIO: Final = 1.8
_DECAY_SECONDS: Final = 0.2

BEAT_MEMORY_TICKS: Final = 150
"""Rows after which a pulse is forgotten (1.5 s; it has decayed to 0.0006 by then)."""


def silence_from(loudness: Float[Tensor, "*batch ticks"]) -> Float[Tensor, "*batch ticks"]:
    """Tell silence from sound: 1 below -53 dBFS, 0 above -47, smoothed without delay.

    Parameters
    ----------
    loudness
        The column ``loudness``, 0..1 for -60..0 dBFS.

    Returns
    -------
    Silence, 0..1, after a centred Hann kernel with a support of 140 ms; the ends are held.
    """
    dbfs = FLOOR_DBFS * (1.0 - loudness)
    ramp = ((_LOUD_DBFS - dbfs) / (_LOUD_DBFS - _QUIET_DBFS)).clamp(0.0, 1.0)
    raw = ramp.square() * (3.0 - 2.0 * ramp)
    reach = _SMOOTHING_TICKS // 2
    first, last = raw[..., :1], raw[..., -1:]
    held = torch.cat(
        [first.expand(*first.shape[:-1], reach), raw, last.expand(*last.shape[:-1], reach)], dim=-1
    )
    kernel = torch.hann_window(_SMOOTHING_TICKS + 2, periodic=False, dtype=torch.float64)[1:-1]
    kernel = kernel / kernel.sum()
    smooth = torch.zeros_like(raw)
    # Shifted sums instead of a convolution: every row is the same whatever the length and the threads.
    for shift, weight in enumerate(kernel.tolist()):
        smooth += weight * held[..., shift : shift + raw.shape[-1]]
    return smooth.clamp(0.0, 1.0)


def onset_peaks(onset: Float[Tensor, "*batch ticks"]) -> Bool[Tensor, "*batch ticks"]:
    r"""Pick the rows at which something begins.

    A row is picked where the strength is the largest within ±40 ms (the first of equals) and
    :math:`o_t \ge 1.8\,\bar o_t + 0.03`, with :math:`\bar o_t` the mean over ±250 ms.

    Parameters
    ----------
    onset
        The column ``onset``, 0..1.

    Returns
    -------
    True at picked rows; two of them are at least 50 ms apart.

    References
    ----------
    Böck, Krebs & Schedl, "Evaluating the online capabilities of onset detection methods", ISMIR 2012,
    section 2.3. Differs: centred windows (the whole song is known), a ratio beside the margin.
    """
    flat = onset.reshape(-1, 1, onset.shape[-1])
    reach = _PEAK_REACH
    padded = functional.pad(flat, (reach, reach), value=-1.0)
    earlier = functional.max_pool1d(padded[..., : -reach - 1], reach, stride=1)
    later = functional.max_pool1d(padded[..., reach:], reach + 1, stride=1)
    mean = functional.avg_pool1d(
        flat, 2 * _MEAN_REACH + 1, stride=1, padding=_MEAN_REACH, count_include_pad=False
    )
    strong = flat >= _PEAK_RATIO * mean + _PEAK_MARGIN
    return ((flat > earlier) & (flat >= later) & strong).reshape(onset.shape)


def beat_pulse(peaks: Bool[Tensor, "*batch ticks"]) -> Float[Tensor, "*batch ticks"]:
    """Let a pulse start at 1 on every picked row and decay with a time constant of 200 ms, causally.

    Returns
    -------
    Pulse, 0..1; exactly 0 where the last peak is 1.5 s or more ago.
    """
    rows = torch.arange(peaks.shape[-1], device=peaks.device)
    never = -BEAT_MEMORY_TICKS
    last = torch.cummax(torch.where(peaks, rows, never), dim=-1).values
    age = rows - last
    pulse = torch.exp(age * (-1.0 / (_DECAY_SECONDS * ANALYSIS_RATE)))
    return torch.where(age < BEAT_MEMORY_TICKS, pulse, 0.0)


def derive(
    loudness: Float[Tensor, "*batch ticks"], onset: Float[Tensor, "*batch ticks"]
) -> Float[Tensor, "*batch ticks derived"]:
    """Make the derived columns ``silence``, ``beat`` and ``time`` of whole clips, in this order."""
    ticks = torch.arange(loudness.shape[-1], device=loudness.device, dtype=torch.float64)
    time = (ticks / ANALYSIS_RATE).to(loudness.dtype).expand(loudness.shape)
    return torch.stack([silence_from(loudness), beat_pulse(onset_peaks(onset)), time], dim=-1)
