"""From the analysis rows (100 Hz) to the moments of film frames: kernels fixed in seconds, point sampled.

Each value is a function of its frame's moment only, so that another frame rate, another range of frames or
another batch gives the same bits for the same moment.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64

from synesthete.audio.columns import Kind
from synesthete.clock import ANALYSIS_RATE

__all__ = ["KERNEL_SECONDS", "sample_rows"]

KERNEL_SECONDS: Final = 0.021
"""Reach of the kernel to either side: at 24000/1001 frames a second (41.7 ms) it covers every row."""

_REACH_TICKS: Final = KERNEL_SECONDS * ANALYSIS_RATE
_BLOCK_FRAMES: Final = 4096

_Ticks = Int64[np.ndarray, " frames"]
_Rows = Float32[np.ndarray, "frames columns"]


def sample_rows(
    table: Float32[np.ndarray, "ticks columns"],
    columns: Sequence[int],
    kinds: Sequence[Kind],
    moments: Float64[np.ndarray, " frames"],
) -> Float32[np.ndarray, "frames wanted"]:
    """Sample columns of 100 Hz at moments.

    Parameters
    ----------
    table
        At least one row; row ``k`` is the moment ``k/100`` s. May be memory-mapped: only the rows around the
        moments are read.
    columns
        Which columns to sample.
    kinds
        For each of them: ``peak`` (maximum of the rows within ±21 ms), ``level`` (mean over ±21 ms of the
        curve that joins the rows by lines), ``index`` (nearest row), ``moment`` (the moment itself).
    moments
        Seconds, ascending.

    Returns
    -------
    One row per moment. Beyond its ends the table is held.
    """
    result = np.empty((len(moments), len(kinds)), np.float32)
    for start in range(0, len(moments), _BLOCK_FRAMES):
        part = slice(start, start + _BLOCK_FRAMES)
        _sample_block(table, columns, kinds, moments[part], result[part])
    return result


def _sample_block(
    table: Float32[np.ndarray, "ticks columns"],
    columns: Sequence[int],
    kinds: Sequence[Kind],
    moments: Float64[np.ndarray, " frames"],
    result: Float32[np.ndarray, "frames wanted"],
) -> None:
    ticks = moments * ANALYSIS_RATE
    last_row = len(table) - 1
    base = int(np.clip(np.floor(ticks[0]) - 3, 0, last_row))
    end = int(np.clip(np.floor(ticks[-1]) + 5, 0, last_row))
    near = np.asarray(table[base : end + 1])
    for kind in set(kinds):
        places = [place for place, other in enumerate(kinds) if other == kind]
        source = near[:, [columns[place] for place in places]]

        def at(index: _Ticks, source: _Rows = source) -> _Rows:
            return np.asarray(source[np.clip(index, 0, last_row) - base])

        if kind == "peak":
            result[:, places] = _maximum(at, ticks)
        elif kind == "level":
            result[:, places] = _mean(at, ticks)
        elif kind == "index":
            result[:, places] = at(np.floor(ticks + 0.5).astype(np.int64))
        else:
            result[:, places] = moments[:, None]


def _maximum(at: Callable[[_Ticks], _Rows], ticks: Float64[np.ndarray, " frames"]) -> _Rows:
    first = np.ceil(ticks - _REACH_TICKS).astype(np.int64)
    last = np.floor(ticks + _REACH_TICKS).astype(np.int64)
    best = at(first)
    for step in range(1, 5):
        best = np.maximum(best, at(np.minimum(first + step, last)))
    return best


def _mean(
    at: Callable[[_Ticks], _Rows], ticks: Float64[np.ndarray, " frames"]
) -> Float64[np.ndarray, "frames columns"]:
    r"""Integrate the curve exactly: row k weighs :math:`H(b-k) - H(a-k)`, H the integral of a unit hat.

    The same as differences of a cumulative sum of the whole column, without its cancellation, and without
    reading what lies elsewhere.
    """
    low, high = ticks - _REACH_TICKS, ticks + _REACH_TICKS
    first = np.floor(low).astype(np.int64)
    total: np.ndarray = np.zeros((len(ticks), 1))
    for step in range(7):
        row = first + step
        weight = _hat_integral(high - row) - _hat_integral(low - row)
        total = total + weight[:, None] * at(row)
    return np.asarray(total / (2 * _REACH_TICKS))


def _hat_integral(x: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    inside = np.clip(x, -1.0, 1.0)
    return np.asarray(np.where(inside < 0, (1 + inside) ** 2 / 2, 1 - (1 - inside) ** 2 / 2))
