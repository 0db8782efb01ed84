"""The small pictures that glow and feedback look at: drawn at a fixed size, whatever the film's.

Glow blurs a small picture of its child. Feedback keeps one on a clock of its own, `TICK_RATE` a second: each
tick the picture moves, fades, and takes in what its child shows. Its memory is finite, and a pure function of
the moment: a run begins in the dark at every `_RUN_TICKS`, and what is seen fades from the run before over to
the younger one, so that no frame knows where drawing began.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.draw import Drawing, Seen, Step
from synesthete.programs.grid import Grid
from synesthete.programs.noise import turbulence
from synesthete.programs.program import FRAME_SLOTS

__all__ = ["MEMORY_SECONDS", "TICK_RATE", "Maps", "Moment"]

TICK_RATE = 30
"""Ticks of feedback a second."""

_RUN_TICKS = 45
_YOUNG_TICKS = 15
_KEPT = 4
MEMORY_SECONDS = 2 * _RUN_TICKS / TICK_RATE
"""What a frame can remember at most."""

_SIDES = {"glow": 120, "feedback": 200}


@dataclass(frozen=True)
class Moment:
    """What a picture is drawn from.

    Attributes
    ----------
    tick
        Time in ticks, exact.
    vector
        The program's scalars, without those of the frame; a batch may come first.
    tables
        Those of `Drawing.hears`.
    """

    tick: Fraction
    vector: Float[Tensor, "*batch scalars"]
    tables: tuple[Tensor, ...]


@dataclass
class _Runs:
    """A feedback's state: the last picture of each of two runs, and what was seen at late ticks.

    ``first`` is the tick where drawing began; what was seen before two runs had their full length is not
    kept, as it would depend on that.
    """

    first: int = 0
    tick: int = -1
    pictures: dict[int, Tensor] = field(default_factory=dict)
    seen: OrderedDict[int, Tensor] = field(default_factory=OrderedDict)


class Maps:
    """Makes the small pictures of one program, for frames that follow one another.

    Parameters
    ----------
    drawing
        The program's structure.
    shape
        The film's width and height: their ratio counts.
    at_tick
        Gives the moment of a tick of feedback.
    device
        Where to draw.
    """

    def __init__(
        self,
        drawing: Drawing,
        shape: tuple[int, int],
        at_tick: Callable[[int], Moment],
        device: torch.device | str = "cpu",
    ) -> None:
        self._drawing = drawing
        self._at_tick = at_tick
        self._steps = [step for step in _in_order(drawing.step) if step.seen is not None]
        self._grids = [
            Grid.of(_small(step, shape), drawing.border, fine=1, device=device) for step in self._steps
        ]
        self._runs = [_Runs() for _ in self._steps]

    def seen(self, now: Moment, grid: Grid) -> list[Seen]:
        """Make what a picture of a moment looks at, stretched to its grid."""
        return self._seen(now, grid, len(self._steps))

    def _seen(self, now: Moment, grid: Grid, count: int) -> list[Seen]:
        return [_stretch(self._small(index, now), self._grids[index], grid) for index in range(count)]

    def _small(self, index: int, now: Moment) -> Tensor:
        """Make one small picture at a moment."""
        step = self._steps[index]
        if step.node.primitive.name == "glow":
            return self._glow(index, now)
        first = math.floor(now.tick)
        share = float(now.tick - first)
        trail = self._trail(index, first)
        return trail if share == 0 else torch.lerp(trail, self._trail(index, first + 1), share)

    def _child(self, index: int, now: Moment) -> Float[Tensor, "*batch 3 rows columns"]:
        """Draw the child of a node small; smaller pictures that it looks at come first."""
        step, grid = self._steps[index], self._grids[index]
        vector = grid.framed(now.vector)
        tensors = [tensor for seen in self._seen(now, grid, index) for tensor in seen.tensors()]
        picture = self._drawing.light(step.children["of"], grid.x, grid.y, vector, *now.tables, *tensors)
        return torch.stack(list(picture), -3)

    def _value(self, index: int, name: str, vector: Tensor) -> Tensor:
        """Give a parameter of a node: 0-d, or ``(batch, 1, 1, 1)``."""
        first, slots = self._steps[index].scalars[name]
        first -= FRAME_SLOTS
        value = vector[..., first : first + slots]
        if slots == 3:
            return value.reshape(*vector.shape[:-1], 3, 1, 1)
        return value.reshape(*vector.shape[:-1], 1, 1, 1) if vector.ndim > 1 else value[0]

    # Glow ---------------------------------------------------------------------------------------------

    def _glow(self, index: int, now: Moment) -> Tensor:
        """Blur what is bright, in linear light, at three widths that double."""
        grid = self._grids[index]
        threshold, radius = (self._value(index, name, now.vector) for name in ("threshold", "radius"))
        light = torch.clamp(self._child(index, now), min=0.0)
        bright = torch.clamp(light - threshold, min=0.0) ** 2
        total = torch.zeros_like(bright)
        for doubling, weight in ((0.5, 0.5), (1.0, 0.3), (2.0, 0.2)):
            sigma = radius * (0.5 * doubling) / grid.pixel
            across = _gauss(grid.columns, sigma, bright.device)
            down = _gauss(grid.rows, sigma, bright.device)
            total = total + weight * (down @ bright @ across.transpose(-1, -2))
        return torch.sqrt(total)

    # Feedback -----------------------------------------------------------------------------------------

    def _trail(self, index: int, tick: int) -> Tensor:
        """Give what feedback sees at a tick: the past, moved up to now."""
        runs = self._runs[index]
        if tick not in runs.seen:
            self._advance(index, tick)
        return runs.seen[tick]

    def _advance(self, index: int, tick: int) -> None:
        runs = self._runs[index]
        if not runs.tick < tick <= runs.tick + _RUN_TICKS:
            runs.first = _oldest(tick)
            runs.tick, runs.pictures = runs.first - 1, {}
            runs.seen.clear()
        for at in range(runs.tick + 1, tick + 1):
            self._tick(index, at)
        runs.tick = tick

    def _tick(self, index: int, tick: int) -> None:
        runs, now, young = self._runs[index], self._at_tick(tick), tick // _RUN_TICKS
        child = self._child(index, now)
        runs.pictures = {run: picture for run, picture in runs.pictures.items() if run >= young - 1}
        pasts = self._moved(index, now.vector, runs.pictures)
        age = tick - young * _RUN_TICKS
        old = pasts.get(young - 1)
        new = pasts.get(young, torch.zeros_like(child))
        share = min(max((age - _YOUNG_TICKS) / (_RUN_TICKS - _YOUNG_TICKS), 0.0), 1.0)
        share = share * share * (3.0 - 2.0 * share)
        if runs.first <= _oldest(tick):
            runs.seen[tick] = new if old is None else torch.lerp(old, new, share)
        while len(runs.seen) > _KEPT:
            runs.seen.popitem(last=False)
        pasts[young] = new
        runs.pictures = {run: torch.maximum(past, child) for run, past in pasts.items()}

    def _moved(self, index: int, vector: Tensor, pictures: dict[int, Tensor]) -> dict[int, Tensor]:
        """Move pictures on by one tick."""
        if not pictures:
            return {}
        grid = self._grids[index]
        get: Callable[[str], Tensor] = lambda name: self._value(index, name, vector)  # noqa: E731
        where = self._origins(index, vector, grid)
        keep = torch.exp2(-1.0 / (TICK_RATE * get("decay")))
        fading = get("fading") * (1.0 - keep)
        moved = {}
        for run, picture in pictures.items():
            batch = picture if picture.ndim == 4 else picture[None]
            past = functional.grid_sample(batch, where.expand(len(batch), -1, -1, -1), align_corners=False)
            past = past.view(picture.shape) * keep
            level = past.amax(-3, keepdim=True)
            moved[run] = torch.lerp(past, level * get("fade_to"), fading)
        return moved

    def _origins(self, index: int, vector: Tensor, grid: Grid) -> Float[Tensor, "batch rows columns 2"]:
        """Say where each place of a picture was one tick ago, in grid_sample's coordinates."""

        def rate(name: str) -> Tensor:
            value = self._value(index, name, vector)
            return (value[..., 0] if value.ndim else value) / TICK_RATE

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
        where = torch.stack([u / wide, v / high], -1)
        return where if where.ndim == 4 else where[None]


def _oldest(tick: int) -> int:
    """Give the first tick that a tick remembers."""
    return max((tick // _RUN_TICKS - 1) * _RUN_TICKS, 0)


def _in_order(step: Step) -> Sequence[Step]:
    """Give steps, children first: the order of `Step.seen`."""
    return [*(below for child in step.children.values() for below in _in_order(child)), step]


def _small(step: Step, shape: tuple[int, int]) -> tuple[int, int]:
    side, short = _SIDES[step.node.primitive.name], min(shape)
    return round(shape[0] * side / short), round(shape[1] * side / short)


def _gauss(length: int, sigma: Tensor, device: Any) -> Float[Tensor, "*batch length length"]:
    """Give the matrix that blurs by a Gaussian; light that leaves the picture is lost."""
    places = torch.arange(length, device=device, dtype=torch.float32)
    away = places[:, None] - places[None, :]
    sigma = sigma if sigma.ndim == 0 else sigma.reshape(-1, 1, 1, 1)
    weights = torch.exp(-(away * away) / (2 * sigma * sigma))
    return weights / (sigma * math.sqrt(2 * math.pi))


def _stretch(picture: Tensor, source: Grid, target: Grid) -> Seen:
    """Stretch a small picture to the columns of a grid, and say which of its rows each row mixes."""
    column, share = _mix(target.columns, source.columns, picture.device)
    below = torch.clamp(column + 1, max=source.columns - 1)
    wide = torch.lerp(picture[..., column], picture[..., below], share)
    row, down_share = _mix(target.rows, source.rows, picture.device)
    return Seen(wide, row, down_share[:, None])


def _mix(many: int, few: int, device: Any) -> tuple[Tensor, Tensor]:
    """Say between which of a few places each of many lies."""
    at = (torch.arange(many, device=device, dtype=torch.float64) + 0.5) * (few / many) - 0.5
    at = torch.clamp(at, 0.0, few - 1.0)
    first = torch.floor(at)
    return first.to(torch.int64), (at - first).float()
