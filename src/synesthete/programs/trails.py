"""Trails: the picture that feedback keeps, on a clock of its own, and with a finite memory.

Each tick the picture moves, fades, and takes in what its child shows. A run begins in the dark at every
`_RUN_TICKS`, and what is seen fades from the run before over to the younger one: a pure function of the tick,
so that no frame knows where drawing began.
"""

import math
from collections import OrderedDict
from collections.abc import Callable

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.grid import Grid
from synesthete.programs.noise import turbulence

__all__ = ["MEMORY_SECONDS", "TICK_RATE", "Trail"]

TICK_RATE = 30
"""Ticks a second."""

_RUN_TICKS = 45
_YOUNG_TICKS = 15
_KEPT = 4
MEMORY_SECONDS = 2 * _RUN_TICKS / TICK_RATE
"""What a frame can remember at most."""

Pictures = Float[Tensor, "*batch 3 rows columns"]


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
        self._pictures: dict[int, Pictures] = {}
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
            self._tick, self._pictures = self._first - 1, {}
            self._seen.clear()
        return range(self._tick + 1, tick + 1)

    def feed(
        self,
        tick: int,
        child: Pictures,
        vector: Float[Tensor, "*batch scalars"],
        origins: Float[Tensor, "batch rows columns 2"] | None = None,
    ) -> None:
        """Take in what the child shows at the tick after the last.

        Parameters
        ----------
        origins
            What `origins` gives for the vector, where it is known.
        """
        young = tick // _RUN_TICKS
        self._tick = tick
        self._pictures = {run: picture for run, picture in self._pictures.items() if run >= young - 1}
        pasts = self._moved(vector, origins)
        old, new = pasts.get(young - 1), pasts.get(young, torch.zeros_like(child))
        if self._first <= _oldest(tick):  # else it would depend on where drawing began
            self._seen[tick] = new if old is None else torch.lerp(old, new, _share(tick))
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        pasts[young] = new
        self._pictures = {run: torch.maximum(past, child) for run, past in pasts.items()}

    def _moved(self, vector: Tensor, origins: Tensor | None) -> dict[int, Pictures]:
        """Move pictures on by one tick."""
        if not self._pictures:
            return {}
        where = self.origins(vector) if origins is None else origins
        keep = torch.exp2(-1.0 / (TICK_RATE * self._value("decay", vector)))
        fading = self._value("fading", vector) * (1.0 - keep)
        colour = self._value("fade_to", vector)
        moved = {}
        for run, picture in self._pictures.items():
            batch = picture if picture.ndim == 4 else picture[None]
            past = functional.grid_sample(batch, where.expand(len(batch), -1, -1, -1), align_corners=False)
            past = past.view(picture.shape) * keep
            # Not lerp, which takes ten times as long where the weight is one number.
            moved[run] = past + fading * (past.amax(-3, keepdim=True) * colour - past)
        return moved

    def origins(self, vector: Float[Tensor, "*batch scalars"]) -> Float[Tensor, "batch rows columns 2"]:
        """Say where each place of a picture was one tick ago, in grid_sample's coordinates."""

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
