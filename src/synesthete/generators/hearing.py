"""What programs see of the music besides signals: spectra, the wave and its stereo figure, at any moment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from synesthete.audio.framing import sample_rows
from synesthete.audio.timeline import Timeline
from synesthete.audio.wave import aligned_windows
from synesthete.programs.heard import stereo_figure
from synesthete.programs.registry import Table

__all__ = ["hear_moment", "hear_moments", "sources"]

_PAST_ROWS, _PAST_RATE = 128, 32
_CHROMA = tuple(f"chroma_{i}" for i in range(12))
_SOURCE: Mapping[Table, str] = {
    "spectrum": "spectrum",
    "past": "spectrum",
    "chroma": "chroma",
    "wave": "wave",
    "figure": "wave",
}


def sources(timeline: Timeline, tables: Sequence[Table]) -> dict[str, np.ndarray[Any, Any]]:
    """Give what tables are made from: the Timeline's own arrays, memory-mapped where they are large."""
    wanted = {_SOURCE[table] for table in tables}
    result: dict[str, np.ndarray[Any, Any]] = {}
    if "spectrum" in wanted:
        result["spectrum"] = timeline.spectrum
    if "chroma" in wanted:
        result["chroma"] = np.stack([timeline.column(name) for name in _CHROMA], 1)
    if "wave" in wanted:
        result["wave"] = timeline.wave
    return result


def hear_moment(
    made_from: Mapping[str, np.ndarray[Any, Any]], moment: float, tables: Sequence[Table]
) -> tuple[Tensor, ...]:
    """Give the tables of a moment; see `synesthete.programs.registry.Heard`.

    Parameters
    ----------
    made_from
        What `sources` gives.
    moment
        Seconds.
    """
    return tuple(table[0] for table in hear_moments(made_from, np.array([moment]), tables))


def hear_moments(
    made_from: Mapping[str, np.ndarray[Any, Any]], moments: Float64[np.ndarray, " n"], tables: Sequence[Table]
) -> tuple[Tensor, ...]:
    """Give the tables of moments in seconds, ascending: ``(n, *entries)`` each; see `hear_moment`."""
    return tuple(_table(made_from, moments, table) for table in tables)


def _table(
    made_from: Mapping[str, np.ndarray[Any, Any]], moments: Float64[np.ndarray, " n"], table: Table
) -> Tensor:
    source = made_from[_SOURCE[table]]
    if table in ("wave", "figure"):
        wave = torch.from_numpy(aligned_windows(source, moments))
        return wave if table == "wave" else stereo_figure(wave)
    back = np.arange(_PAST_ROWS) / _PAST_RATE if table == "past" else np.zeros(1)
    wanted, places = np.unique(moments[:, None] - back, return_inverse=True)
    columns = range(source.shape[1])
    rows = sample_rows(source, columns, ["level" for _ in columns], np.maximum(wanted, 0.0))
    if table == "past":
        rows[wanted < 0] = 0.0
        return torch.from_numpy(rows[places.reshape(len(moments), _PAST_ROWS)])
    return torch.from_numpy(rows[places.reshape(len(moments))])
