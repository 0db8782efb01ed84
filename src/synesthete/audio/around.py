"""What is heard around moments, beyond the ends of a song too: there it is silent."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from synesthete.audio.analysis import analyse_songs
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embeddings import Embedder
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_SAMPLE_RATE, Clock

__all__ = ["rows_around", "silent_row"]

_SILENCE_S = 4


def silent_row(embedder: Embedder | None = None) -> Float[Tensor, " columns"]:
    """Give the row in the midst of silence: the Timeline's, and behind it what a network makes of silence."""
    sound = torch.zeros(2, _SILENCE_S * ANALYSIS_SAMPLE_RATE)
    timeline = analyse_songs(sound[None])[0]
    row = torch.from_numpy(timeline.table[len(timeline.table) // 2].astype(np.float32))
    if embedder is None:
        return row
    heard = embedder.embed(sound.numpy()).at(np.array([_SILENCE_S / 2]))
    return torch.cat([row, torch.from_numpy(heard[0])])


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
    still = dict(zip(COLUMN_NAMES, silent_row().tolist(), strict=True))
    row = [still.get(name.rpartition(".")[2], 0.0) for name in names]
    rows = np.tile(np.array(row, np.float32), (len(moments), 1))
    if inside.any():
        rows[inside] = timeline.at_moments(moments[inside], names)
    return rows
