"""Plan the flash limiter: from how a film looks at a small size to what is done to its frames.

What fails is found by the very measurement that certifies films, treated, and judged again as it will look,
until it passes. Films are treated in pieces of four seconds, each by what changes it least:

- *Pulses*: the gain lets each frame rise above the darkest moments about it by less than a flash needs, but
  one pulse in each half second stays as it is: never more than three in a second.
- *Gain*: the same, and no pulse stays.
- *Veil*: cells that change much are laid under their own mean over two seconds, as far as is needed.

Red flashes lose so much red, over a second and more, that hardly a cell's red is as saturated as flashes are.

Each level treats more strongly than the one before. The last lays a whole picture under its mean over three
seconds: what such a film still does takes longer than any flash. So planning ends with a film that passes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from synesthete.clock import Clock
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.safety import FlashReport
from synesthete.files import let_pages_go
from synesthete.render.flash import FlashPlan
from synesthete.render.flash_treat import (
    CONTEXT_S,
    FADE_S,
    LAST_LEVEL,
    Grid,
    Mask,
    Piece,
    dilated,
    judge,
    limited,
    treat,
)

__all__ = ["Demand", "demands_of", "plan_flashes"]

_PIECE_S: Final = 4
_ROUNDS: Final = 12
_BLOCK: Final = 256
_KNOWN: Final = 0.8
_KINDS: Final = ("general", "red")


@dataclass(frozen=True)
class Demand:
    """Frames ``start`` to ``stop`` (exclusive) are to be treated, at a level at least."""

    start: int
    stop: int
    level: int


def demands_of(report: FlashReport, frames: int, clock: Clock, level: int) -> list[Demand]:
    """Ask for what a finished film still shows to be treated; above `LAST_LEVEL`, for the whole film."""
    if level > LAST_LEVEL:
        return [Demand(0, frames, LAST_LEVEL)]
    stretches = [stretch for kind in _KINDS for stretch in _in_frames(report, kind, frames, clock)]
    return [Demand(start, stop, level) for start, stop in stretches]


def plan_flashes(seen: Observation, demands: Sequence[Demand] = ()) -> FlashPlan:
    """Plan what is done to a film so that it passes.

    Parameters
    ----------
    seen
        How the film looks untreated; at any size.
    demands
        What finished films showed to need more.

    Returns
    -------
    The plan; one that does nothing where the film passes, or all but passes, and nobody demands anything.
    """
    nothing = FlashPlan.untouched(seen.frames, seen.frame_rate)
    if not demands and judge(_simulated(seen, nothing), seen.frame_rate, eased=True).passed:
        return nothing  # if it passes by a hair only, finished frames decide
    planner = _Planner(seen, demands)
    for step in range(_ROUNDS):
        plan = planner.plan()
        report = judge(_simulated(seen, plan), seen.frame_rate)
        if report.passed:
            break
        planner.tighten(report, last=step == _ROUNDS - 2)
    return plan


def _simulated(seen: Observation, plan: FlashPlan) -> Iterator[Grid]:
    for start in range(0, seen.frames, _BLOCK):
        yield limited(np.asarray(seen.grid[start : start + _BLOCK]), plan, start)
        let_pages_go(seen.grid)


def _in_frames(report: FlashReport, kind: str, frames: int, clock: Clock) -> list[tuple[int, int]]:
    """Give the stretches with too many flashes of a kind, from first frames to those behind the last."""
    return [
        (max(0, clock.frame_at(start) - 1), min(frames, clock.frame_at(end) + 2))
        for start, end in getattr(report, kind)
    ]


@dataclass
class _Planner:
    """Knows which frames are to be treated, and which pieces how strongly."""

    seen: Observation
    demands: Sequence[Demand]
    _solved: dict[tuple[int, int, bytes], FlashPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames = self.seen.frames
        self._length = round(_PIECE_S * self.seen.frame_rate)
        self._masks = {kind: np.zeros(frames, np.bool_) for kind in _KINDS}
        self._levels = np.zeros(-(-frames // self._length), np.int64)
        for demand in self.demands:
            pieces = self._pieces(demand.start, demand.stop)
            self._levels[pieces] = np.maximum(self._levels[pieces], demand.level)
            for mask in self._masks.values():
                mask[demand.start : demand.stop] = True

    def plan(self) -> FlashPlan:
        """Treat all pieces that need it as it stands."""
        plan = FlashPlan.untouched(self.seen.frames, self.seen.frame_rate)
        veils: dict[int, np.ndarray] = {}
        fade = self._frames(FADE_S)
        near = dilated(self._masks["general"] | self._masks["red"], fade)
        for number, level in enumerate(self._levels.tolist()):
            start = number * self._length
            stop = min(start + self._length, self.seen.frames)
            if near[start:stop].any():
                part = self._treated(number, start, stop, level)
                plan.gain[start:stop], plan.red[start:stop] = part.gain, part.red
                veils.update(part.veils)
        return replace(plan, veils=veils)

    def tighten(self, report: FlashReport, *, last: bool) -> None:
        """Treat more frames, and those treated already more strongly; at last all, most strongly."""
        if last:
            for mask in self._masks.values():
                mask[:] = True
            self._levels[:] = LAST_LEVEL
            return
        clock = Clock(self.seen.frame_rate)
        for kind, mask in self._masks.items():
            for start, stop in _in_frames(report, kind, self.seen.frames, clock):
                if mask[start:stop].mean() > _KNOWN:
                    pieces = self._pieces(start, stop)
                    self._levels[pieces] = np.minimum(self._levels[pieces] + 1, LAST_LEVEL)
                mask[start:stop] = True

    def _treated(self, number: int, start: int, stop: int, level: int) -> FlashPlan:
        """Treat a piece, or remember how."""
        context = self._frames(CONTEXT_S)
        about = slice(max(0, start - context), stop + context)
        general, red = (self._mask(kind, about) for kind in _KINDS)
        known = (number, level, general.tobytes() + red.tobytes())
        if known not in self._solved:
            grid = np.asarray(self.seen.grid[about])
            piece = Piece(grid, self.seen.frame_rate, about.start, start, stop, general, red)
            self._solved[known] = treat(piece, level)
        return self._solved[known]

    def _mask(self, kind: str, about: slice) -> Mask:
        return np.asarray(self._masks[kind][about])

    def _pieces(self, start: int, stop: int) -> slice:
        return slice(start // self._length, -(-stop // self._length))

    def _frames(self, seconds: float) -> int:
        return max(1, round(seconds * float(self.seen.frame_rate)))
