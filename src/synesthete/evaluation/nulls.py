"""Music that has nothing to do with a film: songs of a bank that ships, and its own song moved by bars.

The bank holds features only. ``tools/make_null_bank.py`` has its songs composed and writes the file.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, overload

import numpy as np
from jaxtyping import Float, Float32

from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE

__all__ = [
    "BANK_FILE",
    "NULL_COLUMNS",
    "NullBank",
    "NullSong",
    "bar_shifts",
    "null_bank",
    "null_columns",
    "shifted",
]

NULL_COLUMNS: Final[tuple[str, ...]] = (
    "loudness", "bass", "mid", "treble", "onset", *(f"flux_{band}" for band in range(8)),
    "centroid", "beat", "silence",
)  # fmt: skip
"""Columns of the Timeline that the songs of the bank have, in this order."""

BANK_FILE: Final = Path(__file__).with_name("null_bank.npz")
"""Where the bank lies; what it holds is told by `NullBank`."""

_STEPS: Final = 255
_BEATS_IN_LIEU_OF_A_BAR: Final = 4
_STEP_IN_LIEU_OF_BEATS_S: Final = 2.0


@dataclass(frozen=True, eq=False)
class NullSong:
    """Features of a piece of music that has nothing to do with the film.

    Attributes
    ----------
    name
        Its genre and number.
    table
        At 100 Hz, in the order of `NULL_COLUMNS`.
    beats, downbeats
        Moments, seconds, ascending.
    """

    name: str
    table: Float32[np.ndarray, "ticks columns"]
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]

    def stretched_to(self, ticks: int) -> Float32[np.ndarray, "ticks columns"]:
        """Give so many rows: cropped from the song's start, or the song end to end as often as it takes."""
        if ticks <= len(self.table):
            return self.table[:ticks]
        return self.table[np.arange(ticks) % len(self.table)]


class NullBank(Sequence[NullSong]):
    """The songs of a bank, each made from its bytes when it is asked for.

    Parameters
    ----------
    path
        A file with ``columns`` (names), ``table`` (songs, columns, ticks; bytes), ``low`` and ``high`` (what
        bytes 0 and 255 stand for, per column), ``names``, and the songs' beats and downbeats one after
        another with the places at which each song's begin and end (``beats``, ``beats_at``, …).
    """

    def __init__(self, path: Path = BANK_FILE) -> None:
        with np.load(path, allow_pickle=False) as values:
            self._values = {name: values[name] for name in values.files}
        assert tuple(self._values["columns"]) == NULL_COLUMNS

    def __len__(self) -> int:
        return len(self._values["names"])

    @overload
    def __getitem__(self, place: int) -> NullSong: ...

    @overload
    def __getitem__(self, place: slice) -> list[NullSong]: ...

    def __getitem__(self, place: int | slice) -> NullSong | list[NullSong]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        index = range(len(self))[place]
        low, high = self._values["low"], self._values["high"]
        table = low + self._values["table"][index].T * ((high - low) / np.float32(_STEPS))
        return NullSong(
            name=str(self._values["names"][index]),
            table=np.ascontiguousarray(table, np.float32),
            beats=self._moments("beats", index),
            downbeats=self._moments("downbeats", index),
        )

    def _moments(self, name: str, index: int) -> tuple[float, ...]:
        start, stop = self._values[f"{name}_at"][index : index + 2]
        return tuple(self._values[name][start:stop].tolist())


@cache
def null_bank() -> NullBank:
    """Give the bank that ships with the package.

    Examples
    --------
    >>> len(null_bank()) >= 64
    True
    """
    return NullBank()


def null_columns(timeline: Timeline) -> Float32[np.ndarray, "ticks columns"]:
    """Give the columns that the songs of the bank have, of a song of one's own."""
    places = [timeline.names.index(name) for name in NULL_COLUMNS]
    return np.ascontiguousarray(timeline.table[:, places], np.float32)


def bar_shifts(music: Music, duration_s: float, *, most: int = 64, least_s: float = 2.0) -> tuple[float, ...]:
    """Choose shifts that move a song, circularly, by whole bars: bar lines meet bar lines, but other ones.

    A shift by ``k`` bars is the median time that ``k`` bars of this song take, as its tempo may vary. A song
    seldom ends with a bar, so what wraps around is off the bars; therefore no song is moved by more than half
    its length: the later half of the shifts moves it backwards. Where no bars are known, four beats stand for
    one, and 2 s where there are no beats.

    Parameters
    ----------
    music
        What was heard in the song.
    duration_s
        Its length, seconds.
    most
        How many shifts at most; where there are more, evenly spread ones.
    least_s
        How near to the unmoved song a shift may come from either side, seconds.

    Returns
    -------
    Ascending, ``least_s`` to ``duration_s - least_s``; none if the song is too short.

    Examples
    --------
    >>> bar_shifts(Music(downbeats=(0.5, 2.5, 4.5, 6.5)), 8.0)
    (2.0, 4.0, 6.0)
    """
    later = _bar_lengths(_bar_lines(music, duration_s), duration_s / 2)
    shifts: list[float] = []
    for shift in sorted([*later, *(duration_s - shift for shift in later)]):
        near = bool(shifts) and shift - shifts[-1] < later[0] / 2
        if least_s <= shift <= duration_s - least_s and not near:
            shifts.append(shift)
    if len(shifts) <= most:
        return tuple(shifts)
    return tuple(shifts[place] for place in np.linspace(0, len(shifts) - 1, most).round().astype(int))


def shifted(
    table: Float32[np.ndarray, "ticks columns"], shift_s: float
) -> Float32[np.ndarray, "ticks columns"]:
    """Move a song at 100 Hz later by ``shift_s`` seconds; what passes its end comes in at its start."""
    return np.roll(table, round(shift_s * ANALYSIS_RATE), axis=0)


def _bar_lines(music: Music, duration_s: float) -> Float[np.ndarray, " bars"]:
    """Give moments between which bars lie, or what stands for bars."""
    lines = music.downbeats if len(music.downbeats) > 1 else music.beats[::_BEATS_IN_LIEU_OF_A_BAR]
    if len(lines) > 1:
        return np.array(lines)
    return np.arange(0.0, duration_s, _STEP_IN_LIEU_OF_BEATS_S)


def _bar_lengths(lines: Float[np.ndarray, " bars"], most_s: float) -> list[float]:
    """Give how long 1, 2, … bars take, up to a length; beyond half the bars that are known, extrapolate."""
    lengths: list[float] = []
    if len(lines) < 2:
        return lengths
    bar = float(np.median(np.diff(lines)))
    for count in range(1, math.ceil(most_s / bar) + 1):
        known = count <= max(1, len(lines) // 2)
        length = float(np.median(lines[count:] - lines[:-count])) if known else lengths[-1] + bar
        if length > most_s:
            break
        lengths.append(length)
    return lengths
