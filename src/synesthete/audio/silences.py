"""Tell silence from sound, and find the silences of a track."""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.audio.columns import FLOOR_DBFS
from synesthete.clock import ANALYSIS_RATE

__all__ = ["SHORTEST_SILENCE_S", "find_silences", "silence_from"]

_LOUD_DBFS: Final = -47.0
_QUIET_DBFS: Final = -53.0
_SMOOTHING_TICKS: Final = 15

SHORTEST_SILENCE_S: Final = 0.3
"""What is shorter is a rest in the music, seconds."""

_SILENT: Final = 0.5


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


def find_silences(
    silence: Float[np.ndarray, " ticks"], *, shortest_s: float = SHORTEST_SILENCE_S
) -> tuple[tuple[float, float], ...]:
    """Find where a track is silent.

    Parameters
    ----------
    silence
        The Timeline's column of that name, 0-1, 100 values a second.
    shortest_s
        Shortest silence to report, seconds.

    Returns
    -------
    Start and end of each stretch at 0.5 or more, seconds, in order.

    Examples
    --------
    >>> find_silences(np.repeat([0.0, 1.0, 0.0], [10, 50, 40]))
    ((0.1, 0.6),)
    """
    silent = np.concatenate([[False], np.asarray(silence) >= _SILENT, [False]])
    edges = np.flatnonzero(silent[1:] != silent[:-1]).reshape(-1, 2)
    shortest = round(shortest_s * ANALYSIS_RATE)
    return tuple(
        (int(start) / ANALYSIS_RATE, int(stop) / ANALYSIS_RATE)
        for start, stop in edges
        if stop - start >= shortest
    )
