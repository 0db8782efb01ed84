"""Timelines of which every value is known: what would be heard in sound that nobody had to make."""

import numpy as np

from synesthete.audio.columns import COLUMN_NAMES, SPECTRUM_BANDS
from synesthete.audio.timeline import Timeline
from synesthete.audio.wave import no_wave

__all__ = ["quiet_timeline"]


def quiet_timeline(
    seconds: float,
    *,
    loudness: float | np.ndarray = 0.0,
    onsets: tuple[float, ...] = (),
    silences: tuple[tuple[float, float], ...] = (),
    wave: np.ndarray | None = None,
    **columns: np.ndarray,
) -> Timeline:
    """Give a Timeline in which nothing happens but what is named.

    Parameters
    ----------
    loudness
        The column, or one value for all of it; 0 in the silences.
    onsets
        Moments of single peaks of the column ``onset``, seconds.
    wave
        Left and right at 22.05 kHz, int16; none by default.
    columns
        Other columns at 100 Hz.
    """
    ticks = round(seconds * 100)
    table = np.zeros((ticks, len(COLUMN_NAMES)), np.float32)

    def column(name: str) -> np.ndarray:
        return table[:, COLUMN_NAMES.index(name)]

    column("time")[:] = np.arange(ticks) / 100
    column("loudness")[:] = loudness
    for name, values in columns.items():
        column(name)[:] = values
    for onset in onsets:
        column("onset")[round(onset * 100)] = 0.9
    for start, end in silences:
        silent = slice(round(start * 100), round(end * 100))
        column("silence")[silent] = 1.0
        column("loudness")[silent] = 0.0
    spectrum = np.zeros((ticks, SPECTRUM_BANDS), np.float32)
    return Timeline(
        table,
        COLUMN_NAMES,
        spectrum,
        samples=round(seconds * 44_100),
        sample_rate=44_100,
        wave=no_wave() if wave is None else wave,
    )
