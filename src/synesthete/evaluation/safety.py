"""Find flashes that could harm viewers with photosensitive epilepsy: pass or fail, with timestamps.

The idea: on the coarse grid of each frame, follow every cell's luminance from extreme to extreme. A swing that
is large, quick and dark enough is a *transition*; where transitions in one direction cover a quarter of the
picture together, they count; two opposing ones that count make a *flash*; more than three flashes that end
within one second fail.

- **General transition**: relative luminance (linearised, ITU-R BT.709 primaries) changes by 0.10 or more
  between successive extremes of a cell, the darker of which is below 0.80.
- **Red transition**: ``max(0, R - G - B) x 320`` (linear, 0-1) changes by more than 20, and one of the two states
  is a saturated red, ``R / (R + G + B) >= 0.8``. Its luminance does not matter.
- **Slow fades** don't count: a transition between extremes takes less than about a second. It is measured where
  noise on plateaus does not matter, from 10 to 90 % of the swing, which must take less than 0.45 s. No
  sequence of more than three flashes a second holds a slower one but at its ends.
- **Area**: at least 25 % of the picture, within 50 ms. Cells at the rim of what flashes count by the part of
  them that it covers, known from how much their coded values (whose mean the grid is) change beside their
  neighbours'.
- **Moving texture** cancels: of the cells that rise, only those count that have no counterpart that falls at
  the same time within a neighbourhood of a quarter of the width, that is stripes or checks of up to an eighth. So
  stripes, checks, fine noise and small moving things don't count, and halves of the picture in counter-phase do.
- **Limit**: more than three flashes that end within one half-open second. As ends fall on frames, that second
  is shorter by one frame: a strobe of exactly 3 Hz passes at every frame rate.

References
----------
W3C, WCAG 2.2, success criterion 2.3.1 and its "general flash and red flash thresholds".
ITU-R BT.1702-3, "Guidance for the reduction of photosensitive epileptic seizures caused by television".
Harding & Binnie, "Independent Analysis of the ITC Photosensitive Epilepsy Calibration Test Tape", 2002.

*Differs:* WCAG allows a quarter of any 10 degrees of the visual field, which depends on the viewing distance. A
film does not know it, so the area is that of the screen, as in BT.1702; exactly a quarter, which both allow,
counts here. WCAG 2.2 also gives, beside the red change of Harding & Binnie that is used here, one of 0.2 in
CIE 1976 chromaticity; for all but the darkest reds it asks for more. WCAG exempts only textures finer than 0.1
degrees. BT.1702's spatial patterns (regular stripes, moving or not) are not examined.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from synesthete.clock import Clock
from synesthete.evaluation.observe import Observation

__all__ = ["FlashFinder", "FlashReport", "find_flashes"]

_CHANGE: Final = 0.10
_DARK: Final = 0.80
_RED_CHANGE: Final = 20 / 320
_RED_SHARE: Final = 0.8
_RED_LEAST: Final = 0.01  # Below, a byte's rounding decides the share: near-black is no saturated red.
_AREA: Final = 0.25
_ALLOWED: Final = 3

_EARLY, _LATE = 0.1, 0.9
_SLOW_S: Final = 0.55
_JUDGED_S: Final = 0.7  # A swing that has not turned this long after it reached `_CHANGE` is judged as it is.
_MEMORY_S: Final = 1.4
_TOGETHER_S: Final = 0.05
_NEIGHBOURHOOD: Final = 16  # cells, of about 64 x 36
_STILL: Final = 0.1
_OPPOSED: Final = 2.0
_WORTH_A_LOOK: Final = 0.08
_NEWS: Final = 0.005
_ROUNDING: Final = 1e-6
_AT_ONCE: Final = 1 << 15
_NEVER: Final = -(1 << 62)

_CODES: Final = np.arange(256) / 255
_LINEAR: Final = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
_REDNESS: Final = np.array([1, -1, -1], np.float32)

_Stretches = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class FlashReport:
    """What flashes in a film.

    Attributes
    ----------
    passed
        Whether no second of the film holds more than three general, or three red, flashes.
    general, red
        The stretches that hold more, seconds: from the start of their first flash to the end of their last.
    flashes, red_flashes
        How many there are in the whole film, allowed ones included.
    worst_per_second
        The most flashes, general or red, that end within one second.
    worst_s
        When the last of those ends, seconds; None without flashes.
    timeline
        Flashes, general or red, whichever are more, that end within each second of the film.
    """

    passed: bool
    general: _Stretches
    red: _Stretches
    flashes: int
    red_flashes: int
    worst_per_second: int
    worst_s: float | None
    timeline: Float32[np.ndarray, " seconds"]

    def to_json(self) -> dict[str, Any]:
        """Give the verdict and its figures for the certificate, times rounded to milliseconds."""
        return {
            "pass": self.passed,
            "flashes": self.flashes,
            "red_flashes": self.red_flashes,
            "worst_per_second": self.worst_per_second,
            "worst_s": None if self.worst_s is None else round(self.worst_s, 3),
            "general": [[round(start, 3), round(end, 3)] for start, end in self.general],
            "red": [[round(start, 3), round(end, 3)] for start, end in self.red],
        }


def find_flashes(observation: Observation) -> FlashReport:
    """Find the flashes of a film, general and red, and judge them; the module says how.

    Parameters
    ----------
    observation
        What was seen of the film, of any length: it is read in blocks.
    """
    finder = FlashFinder(observation.frame_rate, *observation.grid.shape[1:3])
    for _, rgb in observation.blocks(frames=256):
        finder.see(rgb)
    return finder.report()


@dataclass
class FlashFinder:
    """Finds flashes while frames go by; but for the flashes found, its memory does not grow.

    Parameters
    ----------
    frame_rate
        Of the film, frames per second.
    rows, columns
        Of the grid.
    """

    frame_rate: Fraction
    rows: int
    columns: int
    _first: int = field(default=0, init=False)
    _judged: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        cells = self.rows * self.columns
        self._together = max(1, math.floor(_TOGETHER_S * self.frame_rate))
        self._memory = math.ceil(_MEMORY_S * self.frame_rate) + self._together
        self._slow = math.ceil(_SLOW_S * self.frame_rate)
        self._swings = _Swings(2 * cells, math.ceil(_JUDGED_S * self.frame_rate))
        self._counters = [_Counter(self.rows, self.columns, self._together) for _ in range(2)]
        self._values = np.empty((0, 2 * cells), np.float32)
        self._red = np.empty((0, cells), np.bool_)
        self._marks = np.empty((0, 2 * cells), np.int8)

    def see(self, rgb: Float32[np.ndarray, "frames rows columns 3"]) -> None:
        """Take the next frames: display RGB 0-1 of the grid's cells."""
        values, red = _signals(rgb)
        known = len(self._values)
        self._values = np.concatenate([self._values, values])
        self._red = np.concatenate([self._red, red])
        self._marks = np.concatenate([self._marks, np.zeros(values.shape, np.int8)])
        for row in range(known, len(self._values)):
            self._swings.step(self._values[row], row)
        self._mark()
        self._count(len(self._values) - self._memory)
        self._forget(len(self._values) - 2 * self._memory)

    def report(self) -> FlashReport:
        """Judge what was seen; call it once, at the end."""
        self._swings.finish(len(self._values) - 1)
        self._mark()
        self._count(len(self._values))
        general, red = (counter.flashes for counter in self._counters)
        return _judge(general, red, frames=self._first + len(self._values), frame_rate=self.frame_rate)

    def _mark(self) -> None:
        """Mark the frames in which cells make a transition, up or down, most often a single one."""
        row, cell, start, end = self._swings.take()
        cells = self._red.shape[1]
        may_count = np.where(cell < cells, np.minimum(start, end) < _DARK, self._red.any(0)[cell % cells])
        turns = row[may_count], cell[may_count], start[may_count], end[may_count]
        for i in range(0, len(turns[0]), _AT_ONCE):
            self._mark_edges(*(column[i : i + _AT_ONCE] for column in turns))

    def _mark_edges(self, row: np.ndarray, cell: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        """Search backwards from where swings were told for their edges, and mark those that count."""
        rises = np.where(end > start, 1, -1).astype(np.int8)
        lowest, whole = _coded(start), _coded(end) - _coded(start)
        early, late = (rises * _linear(lowest + part * whole) for part in (_EARLY, _LATE))
        left, reached = np.full((2, len(row)), -1, np.int32)
        width = self._values.shape[1]
        searched = np.arange(len(row))
        place, sign, first = row * width + cell, rises.astype(np.float32), cell
        for age in range(self._memory):
            values = self._values.take(np.maximum(place - age * width, first)) * sign
            reached[searched[values >= late]] = age
            found = (values <= early) & (reached[searched] >= 0)
            if found.any():
                left[searched[found]] = age
                searched, place, sign, first, early, late = (
                    column[~found] for column in (searched, place, sign, first, early, late)
                )
                if not searched.size:
                    break
        counts = (left > 0) & (left - reached < self._slow)
        counts[counts] &= self._may_be(cell[counts], row[counts] - left[counts], row[counts] - reached[counts])
        frames = (left - reached) * counts
        each = np.repeat(np.arange(len(row)), frames)
        after = np.arange(len(each)) - np.repeat(np.cumsum(frames) - frames, frames)
        self._marks[(row - left)[each] + 1 + after, cell[each]] = rises[each]

    def _may_be(self, cell: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Tell which transitions are general, or go to or from a saturated red; from rows on both sides."""
        cells = self._red.shape[1]
        red = np.flatnonzero(cell >= cells)
        saturated = np.zeros(red.shape, np.bool_)
        for away in range(self._together + 1):
            for row in np.maximum(before[red] - away, 0), np.minimum(after[red] + away, len(self._red) - 1):
                saturated |= self._red[row, cell[red] - cells]
        result = cell < cells
        result[red] = saturated
        return result

    def _count(self, until: int) -> None:
        """Count the flashes that end in frames of which every transition is known by now."""
        rows = range(self._judged, max(self._judged, until))
        before = self._together - 1
        context = max(0, rows.start - before)
        marks = self._marks[context : rows.stop].reshape(-1, 2, self.rows * self.columns)
        busy = np.maximum((marks > 0).sum(2), (marks < 0).sum(2))
        for row in rows:
            recent = slice(max(0, row - before) - context, row + 1 - context)
            for kind in np.flatnonzero(busy[recent].sum(0) >= _WORTH_A_LOOK * marks.shape[2]):
                near = self._values[max(0, row - self._together) : row + self._together]
                near = near.reshape(len(near), 2, -1)[:, kind]
                self._counters[kind].look(self._first + row, marks[recent, kind], near)
        self._judged = rows.stop

    def _forget(self, rows: int) -> None:
        if rows <= 0:
            return
        self._values, self._red, self._marks = self._values[rows:], self._red[rows:], self._marks[rows:]
        self._swings.crossed -= rows
        self._first += rows
        self._judged -= rows


def _signals(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give what is followed, per frame and cell, general beside red, and where red is saturated.

    Luminance and redness are linear, on scales on which both thresholds are `_CHANGE`.
    """
    linear = _LINEAR[np.rint(rgb * 255).astype(np.uint8)].reshape(len(rgb), -1, 3)
    redness = linear @ _REDNESS
    red = linear[..., 0]
    # R + G + B = 2 R - (R - G - B)
    saturated = (red >= _RED_LEAST) & (red >= _RED_SHARE * (2 * red - redness))
    redness = np.maximum(redness, 0) * (_CHANGE / _RED_CHANGE)
    return np.concatenate([linear @ _LUMINANCE, redness], axis=1), saturated


def _coded(values: np.ndarray) -> np.ndarray:
    """Give linear values about as a film codes them: what covers half of a cell changes it by half."""
    return np.asarray(values ** np.float32(1 / 2.2))


def _linear(codes: np.ndarray) -> np.ndarray:
    """Undo `_coded`."""
    return np.asarray(codes ** np.float32(2.2))


class _Swings:
    """Follows each cell from extreme to extreme that lie `_CHANGE` or more apart, and tells when one ends.

    It is told when the cell has turned by `_CHANGE`, or a while after it moved as far and did not turn.
    """

    _NOTHING = (*np.empty((2, 0), np.int64), *np.empty((2, 0), np.float32))

    def __init__(self, cells: int, patience: int) -> None:
        self._patience = patience
        self._high = np.full(cells, -np.inf, np.float32)
        self._low = np.full(cells, np.inf, np.float32)
        self._start = np.zeros(cells, np.float32)
        self._direction = np.zeros(cells, np.int8)
        self.crossed = np.full(cells, _NEVER, np.int64)
        self._told: list[tuple[np.ndarray, ...]] = [self._NOTHING]

    def step(self, values: np.ndarray, row: int) -> None:
        np.maximum(self._high, values, out=self._high)
        np.minimum(self._low, values, out=self._low)
        up = (values - self._low >= _CHANGE) & (self._direction <= 0)
        down = (self._high - values >= _CHANGE) & (self._direction >= 0)
        turned = np.flatnonzero(up | down)
        if turned.size:
            self._tell(turned[self.crossed[turned] > _NEVER // 2], row)
            rises = up[turned]
            self._start[turned] = np.where(rises, self._low[turned], self._high[turned])
            self._high[turned] = self._low[turned] = values[turned]
            self._direction[turned] = np.where(rises, 1, -1)
            self.crossed[turned] = row
        self._tell(np.flatnonzero(self.crossed == row - self._patience), row)

    def finish(self, row: int) -> None:
        self._tell(np.flatnonzero(self.crossed > _NEVER // 2), row)

    def take(self) -> tuple[np.ndarray, ...]:
        """Give what was told since last time: rows, cells, and the levels at which swings start and end."""
        told, self._told = self._told, [self._NOTHING]
        return tuple(np.concatenate(column) for column in zip(*told, strict=True))

    def _tell(self, cells: np.ndarray, row: int) -> None:
        if cells.size:
            end = np.where(self._direction[cells] > 0, self._high[cells], self._low[cells])
            self._told.append((np.full_like(cells, row), cells, self._start[cells], end))
            self.crossed[cells] = _NEVER


class _Counter:
    """Counts flashes of one kind, from the cells that make a transition."""

    def __init__(self, rows: int, columns: int, together: int) -> None:
        self._shape = rows, columns
        self._together = together
        self._beside = _window(rows), _window(columns).T
        self._last = np.zeros(rows * columns, np.int8)
        self._open = np.zeros(rows * columns, np.bool_)
        self._opened = np.zeros(rows * columns, np.int64)
        self._group = np.zeros(rows * columns, np.bool_)
        self._group_area = 0.0
        self._group_frame = _NEVER
        self.flashes: list[tuple[int, int]] = []

    def look(self, frame: int, marks: np.ndarray, near: np.ndarray) -> None:
        """Take a frame: ``marks`` of it and of those shortly before, and the values of frames about it."""
        latest = marks[-1].copy()
        for earlier in marks[-2::-1]:
            np.copyto(latest, earlier, where=latest == 0)
        if np.count_nonzero((latest != 0) & (latest != self._last)) < _NEWS * latest.size:
            return
        moves = np.stack([latest > 0, latest < 0])
        down, across = self._beside
        beside = (down @ moves.reshape(2, *self._shape).astype(np.float32) @ across).reshape(2, -1)
        balance = np.maximum(0, 1 - _OPPOSED * beside[::-1] / np.maximum(beside, 1))
        ended = np.zeros(latest.size)
        for side in np.flatnonzero((moves * balance).mean(1) >= _WORTH_A_LOOK):
            share = balance[side] * self._parts(moves[side], moves[1 - side], near)
            if share.mean() >= _AREA - _ROUNDING:
                ended += self._turn(frame, (1, -1)[side], share)
        if ended.any():
            self._gather(frame, ended)

    def _parts(self, moves: np.ndarray, opposes: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Give the part of each cell that moves: all of it, but at the rim of what moves."""
        spread = (_coded(near.max(0)) - _coded(near.min(0))).reshape(self._shape)
        moving = np.where(moves.reshape(self._shape), spread, 0)
        most = _highest(moving).ravel()
        least = -_highest(-spread).ravel()
        rim = (least < _STILL * most) & ~opposes
        return np.where(rim, spread.ravel() / np.maximum(most, _ROUNDING), moves).clip(0, 1)

    def _turn(self, frame: int, direction: int, share: np.ndarray) -> np.ndarray:
        """Open or end the flash of each cell that moves; give the part of each that ended one."""
        moved = (share > 0) & (self._last != direction)
        ended = moved & self._open
        opened = moved & ~self._open
        self._last[moved] = direction
        self._open[moved] = opened[moved]
        self._opened[opened] = frame
        return np.where(ended, share, 0)

    def _gather(self, frame: int, ended: np.ndarray) -> None:
        """Count a flash when the cells that ended theirs together are large enough."""
        again = (ended * self._group).sum() > 0.5 * ended.sum()
        if again or frame - self._group_frame > self._together:
            self._group[:] = False
            self._group_area = 0.0
        before = self._group_area
        self._group |= ended > 0
        self._group_area += ended.mean()
        self._group_frame = frame
        if before < _AREA - _ROUNDING <= self._group_area:
            self.flashes.append((int(np.median(self._opened[self._group])), frame))


def _highest(picture: np.ndarray) -> np.ndarray:
    """Give the highest value of each cell and its neighbours; 0 stands around the picture."""
    across = np.pad(picture, 1)
    across = np.maximum(np.maximum(across[:, :-2], across[:, 2:]), across[:, 1:-1])
    return np.maximum(np.maximum(across[:-2], across[2:]), across[1:-1])


def _window(cells: int) -> Float32[np.ndarray, "cells cells"]:
    """Give, for each cell along one side, which ones are in its neighbourhood; at borders it is moved inside."""
    width = min(_NEIGHBOURHOOD, cells)
    starts = np.clip(np.arange(cells) - width // 2, 0, cells - width)[:, None]
    along = np.arange(cells)
    return ((along >= starts) & (along < starts + width)).astype(np.float32)


def _judge(
    general: list[tuple[int, int]], red: list[tuple[int, int]], *, frames: int, frame_rate: Fraction
) -> FlashReport:
    moments = Clock(frame_rate).moments(0, frames)
    seconds = np.floor(moments)  # exact enough? see below
    timeline = np.zeros(math.ceil(frames / frame_rate), np.float32)
    worst, worst_s = 0, None
    stretches: list[_Stretches] = []
    for flashes in (general, red):
        starts, ends = np.array(flashes, np.int64).reshape(-1, 2).T
        firsts = np.searchsorted(ends, ends - (math.ceil(frame_rate) - 2))
        counts = np.arange(len(ends)) - firsts + 1
        if len(ends) and counts.max() > worst:
            worst, worst_s = int(counts.max()), float(moments[ends[counts.argmax()]])
        too_many = [(moments[starts[firsts[i]]], moments[ends[i]]) for i in np.flatnonzero(counts > _ALLOWED)]
        stretches.append(_merge(too_many))
        timeline = np.maximum(timeline, np.bincount(seconds[ends].astype(np.int64), minlength=len(timeline)))
    return FlashReport(
        passed=not any(stretches),
        general=stretches[0],
        red=stretches[1],
        flashes=len(general),
        red_flashes=len(red),
        worst_per_second=worst,
        worst_s=worst_s,
        timeline=timeline.astype(np.float32),
    )


def _merge(stretches: Iterable[tuple[float, float]]) -> _Stretches:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            start, end = merged[-1][0], max(merged.pop()[1], end)
        merged.append((float(start), float(end)))
    return tuple(merged)
