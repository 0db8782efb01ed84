"""Treat a piece of a film that flashes too often, by what changes it least."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from scipy.ndimage import (
    convolve1d,
    maximum_filter,
    maximum_filter1d,
    minimum_filter1d,
    uniform_filter,
    uniform_filter1d,
)

from synesthete.clock import Clock
from synesthete.evaluation.safety import FlashFinder, FlashReport
from synesthete.render.flash import KNOTS_PER_SECOND, FlashPlan, limit_frame

__all__ = ["CONTEXT_S", "FADE_S", "LAST_LEVEL", "Piece", "dilated", "judge", "limited", "treat"]

LAST_LEVEL: Final = 3
"""The level that leaves nothing to flash."""

CONTEXT_S: Final = 2.5
"""What is to be known of the film before and after a piece, seconds."""

FADE_S: Final = 0.6
"""How far before and after flashes a veil comes and goes, seconds."""


@dataclass(frozen=True)
class _Strength:
    """How strongly a level treats.

    ``swing``: how much a cell's light may change. ``reach_s``: how far dark moments are looked for.
    ``red_share``: how much of a cell's light may be red.
    """

    swing: float
    reach_s: float
    red_share: float


_STRENGTHS: Final = (_Strength(0.08, 0.5, 0.7), _Strength(0.055, 0.6, 0.6), _Strength(0.03, 0.75, 0.5))
_FREE_AREA: Final = 0.1  # of the picture may flash; the limit is a quarter
_RED_SWING: Final = 0.045
_MOST_RED: Final = 0.83  # at 0.825 no red is left above green and blue
_RED_STEADY_S: Final = 0.5
_SLOT_S: Final = Fraction(1, 2)
_LONGEST_PULSE_S: Final = 0.4
_DIMMED: Final = 0.97
_FIXPOINT_STEPS: Final = 6
_MEAN_S, _LAST_MEAN_S = 2.0, 3.0
_VEIL_FADE_S: Final = 0.5
_JUDGED_S: Final = 1.0
_VEIL_COST: Final = 1.15  # a veil hides detail too, which cells don't show
_EASED_AREA: Final = 0.265
_EASED_CONTRAST: Final = 0.985  # of display values
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)

Grid = UInt8[np.ndarray, "frames rows columns 3"]
Mask = Bool[np.ndarray, " frames"]


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of a film, with what lies about it.

    Attributes
    ----------
    grid
        How it looks untreated, with up to `CONTEXT_S` before and after.
    frame_rate
        Of the film.
    first
        The number of the grid's first frame.
    start, stop
        The piece itself, as frames of the film.
    general, red
        Which of the grid's frames belong to general and to red flashes that are too many.
    """

    grid: Grid
    frame_rate: Fraction
    first: int
    start: int
    stop: int
    general: Mask
    red: Mask

    def frames(self, seconds: float) -> int:
        """Give a length in frames, at least 1."""
        return max(1, round(seconds * float(self.frame_rate)))

    def width(self, seconds: float) -> int:
        """Give a filter's width in frames: odd."""
        return 2 * (self.frames(seconds) // 2) + 1

    def nothing(self) -> FlashPlan:
        """Give the plan that does nothing to its grid."""
        return FlashPlan.untouched(len(self.grid), self.frame_rate, first=self.first)


def treat(piece: Piece, level: int) -> FlashPlan:
    """Plan what is done to a piece, at a level or, where that does not help, above.

    Parameters
    ----------
    level
        0 to `LAST_LEVEL`.

    Returns
    -------
    A plan for the piece's own frames. Among those at one level that help, the one that changes light least.
    """
    for stronger in range(level, LAST_LEVEL):
        judged = [(_cost(piece, plan), plan) for plan in _ways(piece, stronger) if _helps(piece, plan)]
        if judged:
            return _cut(piece, min(judged, key=lambda pair: pair[0])[1])
    return _cut(piece, _covered(piece))


def limited(grid: Grid, plan: FlashPlan, first: int) -> Grid:
    """Give how a grid looks, whose first frame has a number, when what is planned is done to it."""
    result = grid.copy()
    for row in range(len(grid)):
        if plan.touches(first + row):
            picture = torch.from_numpy(grid[row].astype(np.float32).transpose(2, 0, 1) / 255)
            codes = limit_frame(picture, plan, first + row).numpy().transpose(1, 2, 0)
            result[row] = (codes * 255 + 0.5).astype(np.uint8)
    return result


def judge(grids: Iterator[Grid], frame_rate: Fraction, *, eased: bool = False) -> FlashReport:
    """Judge a film by its grid, which comes in blocks.

    Parameters
    ----------
    eased
        Whether what is within a hair of the limits, in contrast and area, may pass.
    """
    finder: FlashFinder | None = None
    contrast = _EASED_CONTRAST if eased else 1.0
    for grid in grids:
        rows, columns = grid.shape[1:3]
        if finder is None and eased:
            finder = FlashFinder(frame_rate, rows, columns, area=_EASED_AREA)
        finder = finder or FlashFinder(frame_rate, rows, columns)
        finder.see(contrast * grid.astype(np.float32) / 255)
    assert finder is not None  # there are no films without frames
    return finder.report()


def dilated(mask: Mask, frames: int) -> Mask:
    """Widen what is marked by some frames on both sides."""
    return np.asarray(maximum_filter1d(mask.astype(np.uint8), 2 * frames + 1, mode="nearest") > 0)


def _ways(piece: Piece, level: int) -> Iterator[FlashPlan]:
    """Give the ways to treat a piece at a level."""
    strength = _STRENGTHS[level]
    plan = replace(piece.nothing(), red=_less_red(piece, strength))
    if not piece.general.any():
        yield plan
        return
    light = _light(limited(piece.grid, plan, piece.first))
    gain = _gain(piece, light @ _LUMINANCE, strength)
    if level == 0:
        yield replace(plan, gain=_with_pulses(piece, gain))
    yield replace(plan, gain=gain)
    yield replace(plan, veils=_veils(piece, light, strength.swing))


def _covered(piece: Piece) -> FlashPlan:
    """Cover the whole picture, and leave no red in excess."""
    mask = piece.general | piece.red
    fading = uniform_filter1d(dilated(mask, piece.frames(0.3)).astype(np.float32), piece.width(_VEIL_FADE_S))
    plan = replace(piece.nothing(), red=(_MOST_RED * fading).astype(np.float32))
    light = _light(limited(piece.grid, plan, piece.first))
    return replace(plan, veils=_veils(replace(piece, general=mask), light, None))


def _cost(piece: Piece, plan: FlashPlan) -> float:
    """Give how much light changes in a plan: in the cells, and in whole frames."""
    own = slice(piece.start - piece.first, piece.stop - piece.first)
    before = _light(piece.grid[own]) @ _LUMINANCE
    after = _light(limited(piece.grid[own], plan, piece.start)) @ _LUMINANCE
    change = after - before
    cost = float(np.abs(change).mean() + np.abs(change.mean((1, 2))).mean())
    return cost * (_VEIL_COST if plan.veils else 1.0)


def _helps(piece: Piece, plan: FlashPlan) -> bool:
    about = piece.frames(_JUDGED_S)
    start = max(piece.first, piece.start - about)
    grid = piece.grid[start - piece.first : piece.stop - piece.first + about]
    return judge(iter([limited(grid, plan, start)]), piece.frame_rate).passed


def _cut(piece: Piece, plan: FlashPlan) -> FlashPlan:
    """Cut a plan to the piece's own frames; a knot belongs to the piece in which it lies, or to the last."""
    own = slice(piece.start - piece.first, piece.stop - piece.first)
    clock = Clock(piece.frame_rate)
    begin, end = (clock.seconds(frame) * KNOTS_PER_SECOND for frame in (piece.start, piece.stop))
    last = piece.first + len(piece.grid) == piece.stop
    veils = {knot: veil for knot, veil in plan.veils.items() if begin <= knot and (last or knot < end)}
    return FlashPlan(piece.frame_rate, plan.gain[own], plan.red[own], veils, piece.start)


def _light(grid: Grid) -> np.ndarray:
    """Give light as `limit_frame` has it: the square of display values."""
    return np.square(grid.astype(np.float32) / 255)


def _gain(piece: Piece, luminance: np.ndarray, strength: _Strength) -> np.ndarray:
    """Give gains with which few cells rise above their darkest moments by more than they may."""
    frames = len(luminance)
    cells = luminance.reshape(frames, -1)
    few = int(_FREE_AREA * cells.shape[1])
    reach, steady = piece.width(3 * strength.reach_s), piece.width(strength.reach_s)
    gain = np.ones(frames, np.float32)
    for _ in range(_FIXPOINT_STEPS):  # the dark moments of some cells are bright ones of others
        seen = cells * gain[:, None]
        floor = uniform_filter1d(minimum_filter1d(seen, reach, axis=0), steady, axis=0)
        bounds = (floor + strength.swing) / np.maximum(seen, 1e-3)
        step = np.minimum(1, np.partition(bounds, few, axis=1)[:, few])
        gain = np.where(piece.general, gain * step, 1).astype(np.float32)
        if (step > _DIMMED)[piece.general].all():
            break
    return np.where(gain > 0.995, 1, gain).astype(np.float32)


def _with_pulses(piece: Piece, gain: np.ndarray) -> np.ndarray:
    """Let one short pulse, the one that is dimmed most, through in each half second of the film."""
    dimmed = np.concatenate([[0], (gain < _DIMMED).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(dimmed)).reshape(-1, 2)
    clock = Clock(piece.frame_rate)
    kept: dict[int, tuple[float, int, int]] = {}
    for start, stop in edges.tolist():
        if stop - start <= piece.frames(_LONGEST_PULSE_S):
            slot = math.floor(clock.seconds(piece.first + stop) / _SLOT_S)
            depth = round(float(gain[start:stop].min()), 1)
            kept[slot] = min(kept.get(slot, (math.inf, 0, 0)), (depth, start, stop))
    result = gain.copy()
    for _, start, stop in kept.values():
        result[start:stop] = 1
    return result


def _veils(piece: Piece, light: np.ndarray, swing: float | None) -> dict[int, np.ndarray]:
    """Give veils that leave cells a swing; None covers all."""
    small = _halved(light, np.mean)
    length = piece.width(_MEAN_S if swing is not None else _LAST_MEAN_S)
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    mean = convolve1d(small, window / window.sum(), axis=0, mode="nearest")
    if swing is None:
        opacity = np.ones(small.shape[:3], np.float32)
    else:
        luminance = light @ _LUMINANCE
        about = piece.width(1.0)
        swings = maximum_filter1d(luminance, about, axis=0) - minimum_filter1d(luminance, about, axis=0)
        needed = np.clip(1 - swing / np.maximum(swings, 1e-6), 0, 1)
        needed = maximum_filter(_halved(needed, np.max), (piece.width(_VEIL_FADE_S), 3, 3))
        opacity = uniform_filter(needed, (piece.width(_VEIL_FADE_S), 3, 3))
    fading = dilated(piece.general, piece.frames(0.3)).astype(np.float32)
    opacity = opacity * uniform_filter1d(fading, piece.width(_VEIL_FADE_S))[:, None, None]
    clock, veils = Clock(piece.frame_rate), {}
    begin, end = (clock.seconds(piece.first + frame) for frame in (0, len(light)))
    for knot in range(math.ceil(begin * KNOTS_PER_SECOND), math.ceil(end * KNOTS_PER_SECOND) + 1):
        row = min(clock.frame_at(Fraction(knot, KNOTS_PER_SECOND)) - piece.first, len(light) - 1)
        if opacity[row].max() > 0:
            laid = np.concatenate([mean[row] * opacity[row][..., None], opacity[row][..., None]], axis=2)
            veils[knot] = np.ascontiguousarray(laid.transpose(2, 0, 1), np.float32)
    return veils


def _halved(cells: np.ndarray, how: Callable[..., np.ndarray]) -> np.ndarray:
    """Reduce rows and columns to half as many, an odd last one counting twice."""
    rows, columns = cells.shape[1:3]
    padding = [(0, 0), (0, rows % 2), (0, columns % 2), *[(0, 0)] * (cells.ndim - 3)]
    even = np.pad(cells, padding, mode="edge")
    shape = (len(cells), (rows + 1) // 2, 2, (columns + 1) // 2, 2, *cells.shape[3:])
    return np.asarray(how(even.reshape(shape), axis=(2, 4)))


def _less_red(piece: Piece, strength: _Strength) -> np.ndarray:
    """Give the share of their excess of red that frames lose, so that few cells' red is saturated."""
    if not piece.red.any():
        return np.zeros(len(piece.grid), np.float32)
    light = _light(piece.grid).reshape(len(piece.grid), -1, 3)
    red, total = light[..., 0], light.sum(-1)
    excess = np.maximum(2 * red - total, 1e-6)
    share = strength.red_share
    # Red loses 0.7874 of what is taken, the sum of all three 0.3622.
    by_share = (red - share * total) / (excess * (0.7874 - 0.3622 * share))
    by_swing = (1 - _RED_SWING / excess) / 1.2126
    needed = np.clip(np.minimum(by_share, by_swing), 0, _MOST_RED)
    few = int((1 - _FREE_AREA) * needed.shape[1])
    each = np.where(piece.red, np.partition(needed, few, axis=1)[:, few], 0)
    steady = maximum_filter1d(each, piece.width(2 * _RED_STEADY_S), mode="nearest")
    return np.asarray(uniform_filter1d(steady, piece.width(_RED_STEADY_S), mode="nearest"), np.float32)
