"""Measure a stem as it comes, into as many rows as its song has, in bounded memory."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import FeatureStream, Measured
from synesthete.audio.stems import STEM_COLUMNS
from synesthete.clock import ANALYSIS_RATE, ANALYSIS_SAMPLE_RATE, analysis_ticks
from synesthete.errors import InputError

__all__ = ["TOLERANCE_TICKS", "stem_rows"]

TOLERANCE_TICKS: Final = 10
"""By how many rows (100 ms) a stem may be longer or shorter than its song; encoders pad by up to 50 ms."""

_INDICES: Final = [MEASURED_NAMES.index(name) for name in STEM_COLUMNS]

Rows = Float32[np.ndarray, "rows 7"]


def stem_rows(
    stem: str, chunks: Iterable[Float32[np.ndarray, "channels samples"]], ticks: int
) -> Iterator[Rows]:
    """Measure a stem's columns, a block of rows at a time.

    Parameters
    ----------
    stem
        The stem's name, for errors.
    chunks
        Its sound at 44.1 kHz, 1 or 2 channels, full scale ±1, in pieces of any size.
    ticks
        Rows of its song, at 100 Hz.

    Yields
    ------
    Rows with the columns `STEM_COLUMNS`, ``ticks`` of them in all: after the end of a stem that is shorter
    they are 0 (silence), and what a longer one has beyond its song is left out.

    Raises
    ------
    InputError
        After the last rows of the stem's own, if it is over 0.1 s longer or shorter than its song.
    """
    stream = FeatureStream()
    samples, given = 0, 0
    for chunk in chunks:
        samples += chunk.shape[1]
        if given < ticks:
            rows = _kept(stream.push(chunk), ticks - given)
            given += len(rows)
            if len(rows):
                yield rows
    rest = _kept(stream.flush(), ticks - given)
    if len(rest):
        yield rest
    if abs(analysis_ticks(samples) - ticks) > TOLERANCE_TICKS:
        raise InputError(
            f"the stem {stem} is {samples / ANALYSIS_SAMPLE_RATE:.2f} s long and its song "
            f"{ticks / ANALYSIS_RATE:.2f} s; export stems of the whole song, from its start to its end"
        )
    missing = ticks - given - len(rest)
    if missing > 0:
        yield np.zeros((missing, len(_INDICES)), np.float32)


def _kept(measured: Measured, wanted: int) -> Rows:
    rows: Rows = measured.columns[: max(0, wanted), _INDICES].numpy()
    return rows
