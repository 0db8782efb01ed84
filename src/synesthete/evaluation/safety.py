"""Find flashes that could harm viewers with photosensitive epilepsy: pass or fail, with timestamps.

The idea: follow every cell of the grid from extreme to extreme. A swing that is large, quick and dark enough
is a *transition*; where transitions in one direction cover a quarter of the picture together, they count; two
opposing ones that count are a *flash*; more than three flashes that end within one second fail.

- **General transition**: relative luminance (linear, ITU-R BT.709's primaries) changes by 0.10 or more
  between successive extremes of a cell, of which the darker is below 0.80.
- **Red transition**: ``max(0, R - G - B) x 320`` (linear, 0-1) changes by more than 20, to or from a
  saturated red, ``R / (R + G + B) >= 0.8``, at any luminance.
- **Slow fades**, of about a second or more, don't count. What is measured is the time from 10 to 90 % of the
  swing, which must be under 0.55 s: noise on plateaus does not change it.
- **Area**: at least 25 % of the picture within 50 ms. A cell at the rim counts by the part of it that
  flashes, which shows in how much it changes beside its neighbours.
- **Moving texture** cancels: cells that go up count in so far as few go down at the same time around them,
  within a quarter of the width (two stripes of an eighth); none counts where half as many do. So stripes,
  checks, noise and small things that move don't count, and halves of the picture in counter-phase do.
- **Limit**: more than three flashes that end within one half-open second. As ends fall on frames, that second
  is shorter by a frame: 3 Hz passes for ever at every frame rate.

References
----------
W3C, WCAG 2.2, success criterion 2.3.1, "general flash and red flash thresholds".
ITU-R BT.1702-3, "Guidance for the reduction of photosensitive epileptic seizures caused by television".
Harding & Binnie, "Independent Analysis of the ITC Photosensitive Epilepsy Calibration Test Tape", 2002 (red).

*Differs:* WCAG allows a quarter of any 10 degrees of the visual field, which depends on the viewing distance;
a film does not know it, so the area is that of the screen, as in BT.1702; exactly a quarter, which both
allow, counts. WCAG 2.2 offers, beside this change of red, one of 0.2 in CIE 1976 chromaticity, which adds
only reds too dark for this one. WCAG exempts textures only below 0.1 degrees. Still patterns pass.
"""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
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
_RED_LEAST: Final = 0.01  # near-black is no saturated red: a byte's rounding decides its share
_SLOW_S: Final = 0.55  # from 10 to 90 %
_PATIENCE_S: Final = 0.7  # longer than 0.55 / 0.8: what is slow has shown by then that it is
_MEMORY_S: Final = 1.4
_AREA: Final = 0.25
_TOGETHER_S: Final = 0.05
_NEIGHBOURHOOD: Final = 16  # cells, of about 64 x 36
_OPPOSED: Final = 2.0
_STILL: Final = 0.1
_ALLOWED: Final = 3

# Less marked area, or fewer cells that were not looked at before, can't make a flash: skipped to save time.
_WORTH_A_LOOK: Final = 0.08
_NEWS: Final = 0.005
_AT_ONCE: Final = 1 << 15
_NEVER: Final = -(1 << 40)
_UP_DOWN: Final = np.array([[1], [-1]], np.int8)
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
_REDNESS: Final = np.array([1, -1, -1], np.float32)


@dataclass(frozen=True, eq=False)
class FlashReport:
    """What flashes in a film.

    Attributes
    ----------
    passed
        Whether no second of the film holds more than three general, or more than three red, flashes.
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
    general: tuple[tuple[float, float], ...]
    red: tuple[tuple[float, float], ...]
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
        What was seen of the film; of any length, as it is read in blocks.
    """
    finder = FlashFinder(observation.frame_rate, *observation.grid.shape[1:3])
    for _, rgb in observation.blocks(frames=256):
        finder.see(rgb)
    return finder.report()


class FlashFinder:
    """Finds flashes while frames go by. Its memory holds seconds of them, and the flashes found.

    Parameters
    ----------
    frame_rate
        Of the film, frames per second.
    rows, columns
        Of the grid.
    area
        The least part of the picture that counts.
    """

    def __init__(self, frame_rate: Fraction, rows: int, columns: int, *, area: float = _AREA) -> None:
        self._clock = Clock(frame_rate)
        self._cells = rows * columns
        self._together = max(1, math.floor(_TOGETHER_S * frame_rate))
        self._memory = math.ceil(_MEMORY_S * frame_rate) + self._together
        self._slow = math.ceil(_SLOW_S * frame_rate)
        changes = np.repeat(np.array([_CHANGE, _RED_CHANGE], np.float32), self._cells)
        self._swings = _Swings(changes, math.ceil(_PATIENCE_S * frame_rate))
        self._counters = [_Counter(rows, columns, self._together, area - 1e-6) for _ in range(2)]
        self._values = np.empty((0, 2 * self._cells), np.float32)
        self._marks = np.empty((0, 2 * self._cells), np.int8)
        self._reds = np.zeros((1, self._cells), np.int32)  # saturated frames before each row, added up
        self._first, self._counted = 0, 0  # the frame of row 0 of what is kept; rows that are done

    def see(self, rgb: Float32[np.ndarray, "frames rows columns 3"]) -> None:
        """Take the next frames: display RGB 0-1 of the grid's cells, to the byte."""
        values, red = _followed(rgb)
        for row, frame in enumerate(values, start=self._first + len(self._values)):
            self._swings.step(frame, row)
        self._values = np.concatenate([self._values, values])
        self._marks = np.concatenate([self._marks, np.zeros(values.shape, np.int8)])
        self._reds = np.concatenate([self._reds, self._reds[-1] + np.cumsum(red, axis=0, dtype=np.int32)])
        self._mark()
        self._count(len(self._values) - self._memory)
        if (past := len(self._values) - 2 * self._memory) > 0:
            self._values, self._marks, self._reds = self._values[past:], self._marks[past:], self._reds[past:]
            self._first, self._counted = self._first + past, self._counted - past

    def report(self) -> FlashReport:
        """Judge what was seen; to be called once, at the end."""
        frames = self._first + len(self._values)
        self._swings.finish(frames - 1)
        self._mark()
        self._count(len(self._values))
        return _judged([counter.flashes for counter in self._counters], self._clock, frames)

    def _mark(self) -> None:
        """Mark the frames in which cells make a transition, mostly a single one: 1 for up, -1 for down."""
        frame, cell, start, end = self._swings.take()
        red = (self._reds[-1] > self._reds[0])[cell % self._cells]
        may_count = np.where(cell < self._cells, np.minimum(start, end) < _DARK, red)
        turns = [column[may_count] for column in (frame - self._first, cell, start, end)]
        for i in range(0, len(turns[0]), _AT_ONCE):
            self._mark_edges(*(column[i : i + _AT_ONCE] for column in turns))

    def _mark_edges(self, row: np.ndarray, cell: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        """Search backwards, from where swings were told, for their edges, and mark those that count."""
        rises = np.where(end > start, 1, -1).astype(np.int8)
        lowest, whole = _coded(start), _coded(end) - _coded(start)
        early, late = (rises * _linear(lowest + part * whole) for part in (0.1, 0.9))
        left, reached = np.full((2, len(row)), -1)
        searched, place, film_start, sign = np.arange(len(row)), row * 2 * self._cells + cell, cell, rises
        for age in range(self._memory):
            values = self._values.take(np.maximum(place - age * 2 * self._cells, film_start)) * sign
            reached[searched[values >= late]] = age
            found = (values <= early) & (reached[searched] >= 0)
            if found.any():
                left[searched[found]] = age
                searched, place, film_start, sign, early, late = (
                    column[~found] for column in (searched, place, film_start, sign, early, late)
                )
                if not searched.size:
                    break
        since = np.maximum(row - left - self._together, 0)
        until = np.minimum(row - reached + self._together + 1, len(self._values))
        red = self._reds[until, cell % self._cells] > self._reds[since, cell % self._cells]
        counts = (left > 0) & (left - reached < self._slow) & ((cell < self._cells) | red)
        frames = np.where(counts, left - reached, 0)
        each = np.repeat(np.arange(len(row)), frames)
        further = np.arange(len(each)) - np.repeat(np.cumsum(frames) - frames, frames)
        self._marks[(row - left)[each] + 1 + further, cell[each]] = rises[each]

    def _count(self, until: int) -> None:
        """Count the flashes in rows of which every transition is known by now."""
        rows = range(self._counted, max(self._counted, until))
        marks = self._marks.reshape(-1, 2, self._cells)
        busy = np.maximum((marks > 0).sum(2), (marks < 0).sum(2))
        for row in rows:
            recent = slice(max(0, row + 1 - self._together), row + 1)
            for kind in np.flatnonzero(busy[recent].sum(0) >= _WORTH_A_LOOK * self._cells):
                about = self._values[max(0, row - self._together) : row + self._together]
                about = about.reshape(-1, 2, self._cells)[:, kind]
                self._counters[kind].look(self._first + row, marks[recent, kind], about)
        self._counted = rows.stop


def _followed(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give what is followed, linear (luminance of all cells, then redness), and where red is saturated."""
    linear = _LINEAR_BYTES[np.rint(rgb * 255).astype(np.uint8)].reshape(len(rgb), -1, 3)
    red, redness = linear[..., 0], linear @ _REDNESS
    saturated = (red >= _RED_LEAST) & (red >= _RED_SHARE * (2 * red - redness))
    return np.concatenate([linear @ _LUMINANCE, np.maximum(redness, 0)], axis=1), saturated


def _linear(codes: np.ndarray) -> np.ndarray:
    """Decode sRGB."""
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def _coded(values: np.ndarray) -> np.ndarray:
    """Encode as sRGB: the grid's cells are means of codes, so what covers half a cell changes it by half."""
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


_LINEAR_BYTES: Final = _linear(np.arange(256) / 255).astype(np.float32)


class _Swings:
    """Follows each cell from extreme to extreme, and tells of a swing when the cell has turned.

    Swings, and turns, are of ``changes`` or more. One that has not turned is told after ``patience`` frames.
    """

    _NOTHING = (*np.empty((2, 0), np.int64), *np.empty((2, 0), np.float32))

    def __init__(self, changes: np.ndarray, patience: int) -> None:
        self._changes, self._patience = changes, patience
        self._high = np.full(changes.shape, -np.inf, np.float32)
        self._low = np.full(changes.shape, np.inf, np.float32)
        self._start = np.zeros(changes.shape, np.float32)
        self._direction = np.zeros(changes.shape, np.int8)
        self._began = np.full(changes.shape, _NEVER)
        self._told: list[tuple[np.ndarray, ...]] = [self._NOTHING]

    def step(self, values: np.ndarray, frame: int) -> None:
        np.maximum(self._high, values, out=self._high)
        np.minimum(self._low, values, out=self._low)
        up = (values - self._low >= self._changes) & (self._direction <= 0)
        down = (self._high - values >= self._changes) & (self._direction >= 0)
        turned = np.flatnonzero(up | down)
        if turned.size:
            self._tell(turned[self._began[turned] != _NEVER], frame)
            self._start[turned] = np.where(up[turned], self._low[turned], self._high[turned])
            self._high[turned] = self._low[turned] = values[turned]
            self._direction[turned] = np.where(up[turned], 1, -1)
            self._began[turned] = frame
        self._tell(np.flatnonzero(self._began == frame - self._patience), frame)

    def finish(self, frame: int) -> None:
        self._tell(np.flatnonzero(self._began != _NEVER), frame)

    def take(self) -> tuple[np.ndarray, ...]:
        """Give what was told since last time: frames, cells, and the values at both ends of the swings."""
        told, self._told = self._told, [self._NOTHING]
        return tuple(np.concatenate(column) for column in zip(*told, strict=True))

    def _tell(self, cells: np.ndarray, frame: int) -> None:
        if cells.size:
            end = np.where(self._direction[cells] > 0, self._high[cells], self._low[cells])
            self._told.append((np.full_like(cells, frame), cells, self._start[cells], end))
            self._began[cells] = _NEVER


class _Counter:
    """Counts flashes of one kind, from the cells that make transitions."""

    def __init__(self, rows: int, columns: int, together: int, least: float) -> None:
        self._shape, self._together, self._least = (rows, columns), together, least
        self._around = _adder(rows, columns, _NEIGHBOURHOOD)
        self._beside = _adder(rows, columns, _NEIGHBOURHOOD // 2 + 1)
        self._last = np.zeros(rows * columns, np.int8)
        self._opened = np.zeros(rows * columns, np.int64)
        self._open, self._due, self._group = np.zeros((3, rows * columns), np.bool_)
        self._group_area, self._group_frame = 0.0, _NEVER
        self.flashes: list[tuple[int, int]] = []

    def look(self, frame: int, marks: np.ndarray, about: np.ndarray) -> None:
        """Take the marks of a frame and of those shortly before it, and the values of frames about it."""
        latest = marks[-1].copy()
        for earlier in marks[-2::-1]:
            np.copyto(latest, earlier, where=latest == 0)
        moves = latest == _UP_DOWN
        news = (moves & (self._due | (self._last != _UP_DOWN))).sum(1) >= _NEWS * latest.size
        if not news.any():
            return
        sums = self._around(moves)
        balance = np.maximum(0, 1 - _OPPOSED * sums[::-1] / np.maximum(sums, 1))
        ended = np.zeros(latest.size)
        for side in np.flatnonzero(news & ((moves * balance).mean(1) >= _WORTH_A_LOOK)):
            share = balance[side] * self._parts(moves[side], moves[1 - side], about)
            if share.mean() >= self._least:
                ended += self._turn(frame, _UP_DOWN[side, 0], share, moves[1 - side])
        if ended.any():
            self._gather(frame, ended)

    def _parts(self, moves: np.ndarray, opposes: np.ndarray, about: np.ndarray) -> np.ndarray:
        """Give the part of each cell that moves: all of it or none, but at the rim, beside cells at rest."""
        change = (_coded(about.max(0)) - _coded(about.min(0))).reshape(self._shape)
        most = _highest(np.where(moves.reshape(self._shape), change, 0)).ravel()
        least = -_highest(-change).ravel()
        rim = (least < _STILL * most) & ~opposes
        return np.where(rim, change.ravel() / np.maximum(most, 1e-6), moves).clip(0, 1)

    def _turn(self, frame: int, direction: int, share: np.ndarray, opposes: np.ndarray) -> np.ndarray:
        """Open or end the flashes of cells that move, and of those beside; give the parts that ended.

        Where a texture flashes while it moves, a cell may go up beside others and down with them. One that
        ended its flash beside others is given when it moves itself.
        """
        moved = (self._beside(share > 0) > 0) & ~opposes & (self._last != direction)
        self._due[moved] = self._open[moved]
        self._open[moved] = ~self._open[moved]
        self._opened[moved & self._open] = frame
        self._last[moved] = direction
        ended = self._due & (share > 0) & (self._last == direction)
        self._due[ended] = False
        return np.where(ended, share, 0)

    def _gather(self, frame: int, ended: np.ndarray) -> None:
        """Count a flash once the cells that ended theirs in one go cover enough."""
        again = (ended * self._group).sum() > 0.5 * ended.sum()
        if again or frame - self._group_frame > self._together:
            self._group[:], self._group_area = False, 0.0
        self._group |= ended > 0
        area = self._group_area + ended.mean()
        if self._group_area < self._least <= area:
            self.flashes.append((int(np.median(self._opened[self._group])), frame))
        self._group_area, self._group_frame = area, frame


def _highest(picture: np.ndarray) -> np.ndarray:
    """Give the highest value of each cell and its eight neighbours; 0 stands around the picture."""
    framed = np.zeros(np.add(picture.shape, 2))  # np.pad would take longer than the rest
    framed[1:-1, 1:-1] = picture
    across = np.maximum(np.maximum(framed[:, :-2], framed[:, 2:]), framed[:, 1:-1])
    return np.maximum(np.maximum(across[:-2], across[2:]), across[1:-1])


def _adder(rows: int, columns: int, width: int) -> Callable[[np.ndarray], np.ndarray]:
    """Give a function that adds up the ``width`` x ``width`` cells around each; at borders, moved inside."""

    def band(cells: int) -> np.ndarray:
        starts = np.clip(np.arange(cells) - width // 2, 0, max(0, cells - width))[:, None]
        along = np.arange(cells)
        return ((along >= starts) & (along < starts + width)).astype(np.float32)

    down, across = band(rows), band(columns).T
    return lambda c: np.reshape(down @ c.reshape(-1, rows, columns).astype(np.float32) @ across, c.shape)


def _judged(kinds: list[list[tuple[int, int]]], clock: Clock, frames: int) -> FlashReport:
    """Judge the flashes, general and red, each given as the frames where it starts and ends."""
    timeline = np.zeros(math.ceil(clock.seconds(frames)), np.float32)
    worst, worst_s = 0, None
    exceeding: list[list[tuple[float, float]]] = [[], []]
    for flashes, stretches in zip(kinds, exceeding, strict=True):
        ends = [end for _, end in flashes]
        for last, end in enumerate(ends):
            first = bisect.bisect_left(ends, end - math.ceil(clock.frame_rate) + 2)
            start_s, end_s = float(clock.seconds(flashes[first][0])), float(clock.seconds(end))
            if last - first + 1 > worst:
                worst, worst_s = last - first + 1, end_s
            if last - first + 1 > _ALLOWED:
                while stretches and start_s <= stretches[-1][1]:
                    start_s = min(start_s, stretches.pop()[0])
                stretches.append((start_s, end_s))
        seconds = np.array([int(clock.seconds(end)) for end in ends], np.int64)
        timeline = np.maximum(timeline, np.bincount(seconds, minlength=len(timeline)), dtype=np.float32)
    general, red = (tuple(stretches) for stretches in exceeding)
    counts = len(kinds[0]), len(kinds[1])
    return FlashReport(not any(exceeding), general, red, *counts, worst, worst_s, timeline)
