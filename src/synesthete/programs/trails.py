"""Trails: the picture that feedback keeps, on a clock of its own, and with a finite memory.

Each tick the picture moves, fades, and takes in what its child shows. A run begins in the dark at every
`_RUN_TICKS`, and what is seen fades from the run before over to the younger one: a pure function of the tick,
so that no frame knows where drawing began.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.grid import Grid
from synesthete.programs.noise import turbulence

__all__ = ["MEMORY_SECONDS", "TICK_RATE", "Motion", "Trail"]

TICK_RATE = 30
"""Ticks a second."""

_RUN_TICKS = 45
_YOUNG_TICKS = 15
_KEPT = 4
MEMORY_SECONDS = 2 * _RUN_TICKS / TICK_RATE
"""What a frame can remember at most."""

Pictures = Float[Tensor, "*batch 3 rows columns"]


class Motion(NamedTuple):
    """How a picture becomes the past of the next tick; a batch may come first.

    Attributes
    ----------
    origins
        Where each place was one tick ago, in grid_sample's coordinates.
    keep
        The share of its light that stays.
    colour
        What is added of its brightest channel.
    """

    origins: Float[Tensor, "batch rows columns 2"]
    keep: Tensor
    colour: Float[Tensor, "*batch 3 1 1"]


class Trail:
    """The memory of one feedback node, fed tick by tick.

    Parameters
    ----------
    grid
        Where its pictures lie.
    value
        Gives a parameter of the node by name from a frame's scalars: 0-d, or ``(batch, 1, 1, 1)``.
    """

    def __init__(self, grid: Grid, value: Callable[[str, Tensor], Tensor]) -> None:
        self._grid = grid
        self._value = value
        self._first = 0
        self._tick = -1
        self._runs: tuple[int, ...] = ()
        self._pasts: Tensor | None = None
        self._seen: OrderedDict[int, Pictures] = OrderedDict()

    def at(self, tick: int) -> Pictures:
        """Give what is seen at a tick that was fed: the past, moved up to now, without the child itself."""
        return self._seen[tick]

    def missing(self, tick: int) -> range:
        """Give the ticks that must be fed, in order, before one can be seen."""
        if tick in self._seen:
            return range(0)
        if not self._tick < tick <= self._tick + _RUN_TICKS:
            self._first = _oldest(tick)
            self._tick, self._runs = self._first - 1, ()
            self._seen.clear()
        return range(self._tick + 1, tick + 1)

    def feed(self, tick: int, child: Pictures, motion: Motion) -> None:
        """Take in what the child shows at the tick after the last.

        Parameters
        ----------
        motion
            What `motion` gives for the tick.
        """
        young = tick // _RUN_TICKS
        self._tick = tick
        pasts = self._moved(young, child, motion)
        if self._first <= _oldest(tick):  # else it would depend on where drawing began
            share = _share(tick) if len(pasts) > 1 else 0.0
            self._seen[tick] = torch.lerp(pasts[0], pasts[1], share) if share else pasts[0]
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        self._pasts = torch.maximum(pasts, child)

    def _moved(
        self, young: int, child: Pictures, motion: Motion
    ) -> Float[Tensor, "runs *batch 3 rows columns"]:
        """Move the last runs' pictures on by one tick; the young one's may begin in the dark."""
        kept = [place for place, run in enumerate(self._runs) if run >= young - 1]
        self._runs = tuple(self._runs[place] for place in kept)
        if not kept or self._pasts is None:
            self._runs = (young,)
            return torch.zeros_like(child)[None]
        pasts = self._pasts[kept[0] :]
        batch = pasts.reshape(-1, *pasts.shape[-3:])
        origins = motion.origins
        where = origins.expand(len(pasts), *origins.shape).reshape(len(batch), *origins.shape[1:])
        moved = functional.grid_sample(batch, where, align_corners=False).view(pasts.shape)
        moved = torch.addcmul(moved * motion.keep, moved.amax(-3, keepdim=True), motion.colour)
        if young not in self._runs:
            self._runs = (*self._runs, young)
            moved = torch.cat([moved, torch.zeros_like(child)[None]])
        return moved

    def motion(self, vector: Float[Tensor, "*batch scalars"]) -> Motion:
        """Say how pictures move on and fade at a moment, or at each of a batch of moments."""
        keep = torch.exp2(-1.0 / (TICK_RATE * self._value("decay", vector)))
        fading = self._value("fading", vector) * (1.0 - keep)
        # A past, keep · moved, fades over to a colour as bright as its brightest channel.
        colour = self._value("fade_to", vector) * (fading * keep)
        return Motion(self._origins(vector), keep * (1.0 - fading), colour)

    def _origins(self, vector: Float[Tensor, "*batch scalars"]) -> Float[Tensor, "batch rows columns 2"]:
        def rate(name: str) -> Tensor:
            value = self._value(name, vector)
            return (value[..., 0] if value.ndim else value) / TICK_RATE

        grid = self._grid
        b = grid.border
        x, y = (grid.x[:, b:-b], grid.y[b:-b]) if b else (grid.x, grid.y)
        scale = torch.exp2(-rate("zoom"))
        turn = 2 * math.pi * rate("turn")
        cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
        u, v = x - rate("shift_u"), y - rate("shift_v")
        u, v = u * cos + v * sin, v * cos - u * sin
        detail = rate("flow_scale") * TICK_RATE
        phase = rate("flow_phase") * TICK_RATE
        p, q = turbulence(
            u * detail,
            v * detail,
            phase=phase,
            octaves=3,
            amount=rate("flow") * detail,
            reach=grid.pixel * detail,
        )
        u, v = p / detail, q / detail
        wide, high = grid.columns * grid.pixel / 2, grid.rows * grid.pixel / 2
        u, v = u / wide, v / high
        # To stack them would copy number by number.
        where = torch.empty(*u.shape, 2, device=u.device)
        where[..., 0], where[..., 1] = u, v
        return where if where.ndim == 4 else where[None]


def _oldest(tick: int) -> int:
    """Give the first tick that a tick remembers."""
    return max((tick // _RUN_TICKS - 1) * _RUN_TICKS, 0)


def _share(tick: int) -> float:
    """Give the share of the younger run in what is seen."""
    t = (tick % _RUN_TICKS - _YOUNG_TICKS) / (_RUN_TICKS - _YOUNG_TICKS)
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)
