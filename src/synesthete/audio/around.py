"""What is heard around moments, beyond the ends of a song too: there it is silent."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from synesthete.audio.analysis import analyse_songs
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embeddings import Embedder
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_SAMPLE_RATE, Clock

__all__ = ["embedded_rows", "rows_around", "silence_by_column", "silent_row"]

_SILENCE_S = 4


@cache
def silence_by_column() -> Mapping[str, float]:
    """Give what the Timeline's columns say in the midst of silence."""
    sound = torch.zeros(2, _SILENCE_S * ANALYSIS_SAMPLE_RATE)
    table = analyse_songs(sound[None])[0].table
    return dict(zip(COLUMN_NAMES, table[len(table) // 2].tolist(), strict=True))


def silent_row(embedder: Embedder | None = None) -> Float[Tensor, " columns"]:
    """Give the row in the midst of silence: the Timeline's, and behind it what a network makes of silence."""
    row = torch.tensor(list(silence_by_column().values()))
    if embedder is None:
        return row
    return torch.cat([row, torch.from_numpy(_silence_of(embedder)[0])])


def embedded_rows(
    embedder: Embedder, timeline: Timeline, rate: Fraction, *, device: torch.device | str = "cpu"
) -> Float32[np.ndarray, "rows size"]:
    """Give what a network makes of a song, at each of its rows; and as one row more, of silence.

    Parameters
    ----------
    rate
        Rows per second; row 0 is the song's first moment.
    device
        Where the network runs.

    Raises
    ------
    ConfigError
        If the network can't be loaded, or gives numbers that are not finite.
    """
    moments = Clock(rate).moments(0, timeline.frame_count(rate))
    heard = embedder.hear(timeline, device=device).at(moments)
    return np.concatenate([heard, _silence_of(embedder, device)])


def _silence_of(embedder: Embedder, device: torch.device | str = "cpu") -> Float32[np.ndarray, "1 size"]:
    """Give what a network makes of the midst of silence."""
    sound = np.zeros((2, _SILENCE_S * ANALYSIS_SAMPLE_RATE), np.float32)
    return embedder.embed(sound, device=device).at(np.array([_SILENCE_S / 2]))


def rows_around(
    timeline: Timeline, names: Sequence[str], rate: Fraction, start: int, stop: int
) -> Float32[np.ndarray, "rows columns"]:
    """Give columns at moments that may lie before the song and after it.

    Parameters
    ----------
    rate
        Rows per second; row 0 is the song's first moment.
    start, stop
        Rows ``start`` to ``stop`` (exclusive); negative ones lie before the song.

    Returns
    -------
    Where there is no song, the row of silence; what tells of stems is silent too.

    Raises
    ------
    InputError
        If there is no such column.
    """
    moments = Clock(rate).moments(start, stop)
    inside = (moments >= 0.0) & (moments < float(timeline.duration))
    still = silence_by_column()
    row = [still.get(name.rpartition(".")[2], 0.0) for name in names]
    rows = np.tile(np.array(row, np.float32), (len(moments), 1))
    if inside.any():
        rows[inside] = timeline.at_moments(moments[inside], names)
    return rows
