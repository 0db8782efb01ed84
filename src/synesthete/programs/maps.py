"""The small pictures that glow and feedback look at: drawn at a fixed size, whatever the film's.

Glow blurs a small picture of its child; feedback keeps one (`synesthete.programs.trails`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.draw import Drawing, Seen, Step, in_order
from synesthete.programs.grid import Grid
from synesthete.programs.program import FRAME_SLOTS
from synesthete.programs.trails import Motion, Trail

__all__ = ["POINTS_AT_ONCE", "Clips", "Maps", "Moment"]

POINTS_AT_ONCE = 131_072
"""Points of pictures that are drawn together in a batch: what fits a processor's cache."""

_SIDES = {"glow": 108, "feedback": 160}
_WIDTHS = ((0.5, 0.5), (1.0, 0.3), (2.0, 0.2))
"""Of a glow, as shares of its radius, and what each weighs."""

_FAR = 24.0
"""Where a Gaussian ends: e to the minus of it, 4e-11, is nothing beside the rest."""


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


@dataclass(frozen=True)
class Clips:
    """What the pictures of clips are drawn from.

    Attributes
    ----------
    vectors
        ``(clips, frames, scalars)``.
    tables
        Those of `Drawing.hears`, ``(clips, frames, *entries)``.
    """

    vectors: Float[Tensor, "clips frames scalars"]
    tables: tuple[Tensor, ...]

    def after(self, first: int) -> "Clips":
        """Leave out the first frames."""
        return self._of(slice(first, None))

    def every(self, step: int) -> "Clips":
        """Leave out all but every so many frames."""
        return self._of(slice(None, None, step))

    def _of(self, frames: slice) -> "Clips":
        return Clips(self.vectors[:, frames], tuple(table[:, frames] for table in self.tables))

    def pictures(self, points: int) -> Sequence[tuple[slice, Moment]]:
        """Give all frames of all clips as batches of pictures of so many points."""
        flat = self.vectors.flatten(0, 1)
        tables = [table.flatten(0, 1) for table in self.tables]
        step = max(1, POINTS_AT_ONCE // points)
        parts = [slice(start, start + step) for start in range(0, len(flat), step)]
        return [(p, Moment(Fraction(0), flat[p], tuple(table[p] for table in tables))) for p in parts]


class Maps:
    """Makes the small pictures of one program.

    Parameters
    ----------
    drawing
        The program's structure.
    shape
        The film's width and height: their ratio counts.
    device
        Where to draw.
    light
        Draws a subtree as `Drawing.light` does, which is the default, into one tensor.
    share
        The sides of small pictures, as a share of those that films have: 0.1 to 1.
    every
        In clips, what trails remember is drawn at every so many ticks, and mixed between them.
    """

    def __init__(
        self,
        drawing: Drawing,
        shape: tuple[int, int],
        device: torch.device | str = "cpu",
        light: Callable[..., Float[Tensor, "*batch 3 rows columns"]] | None = None,
        *,
        share: float = 1.0,
        every: int = 1,
    ) -> None:
        self._drawing = drawing
        self._light = light or self._eager
        self._every = every
        self._steps = [step for step in in_order(drawing.step) if step.seen is not None]
        self._grids = [
            Grid.of(_small(step, shape, share), drawing.border, fine=1, device=device) for step in self._steps
        ]
        self._blurs: dict[int, tuple[Tensor, Sequence[tuple[Tensor, Tensor]]]] = {}
        self._trails = [self._new_trail(index) for index in range(len(self._steps))]

    # Of frames that follow one another ----------------------------------------------------------------

    def seen(self, now: Moment, grid: Grid, at_tick: Callable[[int], Moment]) -> list[Seen]:
        """Make what a picture looks at, stretched to its grid.

        Parameters
        ----------
        at_tick
            Gives the moment of a tick of feedback: all that this moment remembers are asked for.
        """
        return self.stretched(self._smalls(now, len(self._steps), at_tick), grid)

    def _smalls(self, now: Moment, count: int, at_tick: Callable[[int], Moment]) -> list[Tensor]:
        smalls: list[Tensor] = []
        for index in range(count):
            if self._is_glow(index):
                smalls.append(self._blur(index, self._child(index, now, smalls), now.vector))
                continue
            first = math.floor(now.tick)
            share = float(now.tick - first)
            trail = self._trail(index, first, at_tick)
            if share:
                trail = torch.lerp(trail, self._trail(index, first + 1, at_tick), share)
            smalls.append(trail)
        return smalls

    def _trail(self, index: int, tick: int, at_tick: Callable[[int], Moment]) -> Tensor:
        trail = self._trails[index]
        for at in trail.missing(tick):
            now = at_tick(at)
            child = self._child(index, now, self._smalls(now, index, at_tick))
            trail.feed(at, child, trail.motion(now.vector))
        return trail.at(tick)

    # Of whole clips -----------------------------------------------------------------------------------

    def in_clips(
        self,
        clips: Clips,
        ticks: Clips | None,
        places: Float[Tensor, " frames"],
        *,
        before: int = 0,
        first_tick: int = 0,
    ) -> list[Float[Tensor, "clips frames 3 rows columns"]]:
        """Make the small pictures of the frames of clips.

        Parameters
        ----------
        clips
            The clips at their frames.
        ticks
            The clips at the ticks of feedback; None where these are the frames.
        places
            Where among the ticks each frame lies.
        before
            How many frames come first that are remembered and not painted.
        first_tick
            The first of the ticks, counted as in a film; before it, all was dark.
        """
        last_trail = max((k for k in range(len(self._steps)) if not self._is_glow(k)), default=-1)
        if ticks is None and not before:
            return self._all_in_clips(clips, len(self._steps), first_tick)
        at_ticks = self._all_in_clips(clips if ticks is None else ticks, last_trail + 1, first_tick)
        frames, at_frames = clips.after(before), list[Tensor]()
        for index in range(len(self._steps)):
            if self._is_glow(index):
                at_frames.append(self._in_clips(index, frames, at_frames, first_tick))
            elif ticks is None:
                at_frames.append(at_ticks[index][:, before:])
            else:
                at_frames.append(_between(at_ticks[index], places[before:]))
        return at_frames

    def _all_in_clips(self, clips: Clips, count: int, first_tick: int) -> list[Tensor]:
        smalls: list[Tensor] = []
        for index in range(count):
            smalls.append(self._in_clips(index, clips, smalls, first_tick))
        return smalls

    def _in_clips(
        self, index: int, clips: Clips, smalls: list[Tensor], first_tick: int
    ) -> Float[Tensor, "clips n 3 rows columns"]:
        """Make one small picture at every moment of clips."""
        grid, shape = self._grids[index], clips.vectors.shape[:2]
        every = 1 if self._is_glow(index) else self._every
        drawn = clips.every(every)
        inner = [small[:, ::every].flatten(0, 1) for small in smalls]
        parts = []
        for part, now in drawn.pictures(grid.columns * grid.rows):
            child = self._child(index, now, [small[part] for small in inner])
            parts.append(self._blur(index, child, now.vector) if self._is_glow(index) else child)
        pictures = torch.cat(parts).view(*drawn.vectors.shape[:2], *parts[0].shape[1:])
        if self._is_glow(index):
            return pictures
        if every > 1:
            pictures = _between(pictures, torch.arange(shape[1], device=pictures.device) / every)
        trail, trails = self._new_trail(index), []
        # Of all moments at once: to find it out one by one takes longer than to move the pictures.
        motions = [trail.motion(now.vector) for _, now in clips.pictures(2 * grid.columns * grid.rows)]
        whole = [torch.cat(part) for part in zip(*motions, strict=True)]
        motion = [part.view(*shape, *part.shape[1:]) for part in whole]
        for place in range(shape[1]):
            tick = first_tick + place
            trail.feed(tick, pictures[:, place], Motion(*(part[:, place] for part in motion)))
            trails.append(trail.at(tick))
        return torch.stack(trails, 1)

    # Both ---------------------------------------------------------------------------------------------

    def _child(self, index: int, now: Moment, smalls: list[Tensor]) -> Float[Tensor, "*batch 3 rows columns"]:
        """Draw the child of a node small; it looks at smaller pictures before it."""
        step, grid = self._steps[index], self._grids[index]
        tensors = [tensor for seen in self.stretched(smalls, grid) for tensor in seen.tensors()]
        return self._light(
            step.children["of"], grid.x, grid.y, grid.framed(now.vector), *now.tables, *tensors
        )

    def _eager(self, step: Step, *tensors: Tensor) -> Float[Tensor, "*batch 3 rows columns"]:
        return torch.stack(list(self._drawing.light(step, *tensors)), -3)

    def _blur(self, index: int, child: Tensor, vector: Tensor) -> Tensor:
        """Blur what is bright, in linear light, at widths that double."""
        threshold, radius = (self._value(index, name, vector) for name in ("threshold", "radius"))
        bright = torch.clamp(child - threshold, min=0.0) ** 2
        sigma = radius * 0.5 / self._grids[index].pixel
        blurs = self._gaussians(index, sigma, (bright.shape[-2], bright.shape[-1]))
        total = torch.zeros_like(bright)
        for (_, weight), (down, across) in zip(_WIDTHS, blurs, strict=True):
            total = total + weight * (down @ bright @ across.transpose(-1, -2))
        return torch.sqrt(total)

    def _gaussians(
        self, index: int, sigma: Tensor, shape: tuple[int, int]
    ) -> Sequence[tuple[Tensor, Tensor]]:
        """Give the matrices that blur down and across, for each width; those used last are kept."""
        if bool((sigma == sigma.flatten()[0]).all()):
            sigma = sigma.flatten()[0]  # it seldom moves: one blur for all pictures
        kept, pairs = self._blurs.get(index, (None, ()))
        if kept is None or kept.shape != sigma.shape or bool((kept != sigma).any()):
            wider = [sigma * doubling for doubling, _ in _WIDTHS]
            pairs = [
                (_gauss(shape[0], wide, wide.device), _gauss(shape[1], wide, wide.device)) for wide in wider
            ]
            self._blurs[index] = (sigma, pairs)
        return pairs

    def stretched(self, smalls: Sequence[Tensor], grid: Grid) -> list[Seen]:
        """Stretch small pictures to a grid."""
        return [_stretch(small, self._grids[index], grid) for index, small in enumerate(smalls)]

    def _is_glow(self, index: int) -> bool:
        return self._steps[index].node.primitive.name == "glow"

    def _new_trail(self, index: int) -> Trail:
        return Trail(self._grids[index], partial(self._value, index))

    def _value(self, index: int, name: str, vector: Tensor) -> Tensor:
        """Give a parameter of a node: 0-d, or ``(batch, 1, 1, 1)``; of a colour three rows."""
        first, slots = self._steps[index].scalars[name]
        first -= FRAME_SLOTS
        value = vector[..., first : first + slots]
        if slots == 3:
            return value.reshape(*vector.shape[:-1], 3, 1, 1)
        return value.reshape(*vector.shape[:-1], 1, 1, 1) if vector.ndim > 1 else value[0]


def _between(small: Float[Tensor, "clips ticks 3 rows columns"], places: Tensor) -> Tensor:
    """Mix ticks to frames."""
    first = torch.floor(places)
    index = first.to(torch.int64)
    after = torch.clamp(index + 1, max=small.shape[1] - 1)
    return torch.lerp(small[:, index], small[:, after], (places - first)[:, None, None, None])


def _small(step: Step, shape: tuple[int, int], share: float) -> tuple[int, int]:
    side, short = share * _SIDES[step.node.primitive.name], min(shape)
    return round(shape[0] * side / short), round(shape[1] * side / short)


def _gauss(length: int, sigma: Tensor, device: Any) -> Float[Tensor, "*batch length length"]:
    """Give the matrix that blurs by a Gaussian; light that leaves the picture is lost."""
    places = torch.arange(length, device=device, dtype=torch.float32)
    away = places[:, None] - places[None, :]
    sigma = sigma if sigma.ndim == 0 else sigma.reshape(-1, 1, 1, 1)
    depth = (away * away) / (2 * sigma * sigma)
    # Far tails would be denormal numbers, with which matrix products take twenty times as long.
    weights = torch.exp(-depth) * (depth < _FAR)
    return weights / (sigma * math.sqrt(2 * math.pi))


def _stretch(picture: Tensor, source: Grid, target: Grid) -> Seen:
    """Stretch a small picture to the columns of a grid, and say which of its rows each row mixes."""
    # As lines of one long picture: torch stretches those three times as fast.
    lines = picture.reshape(1, -1, source.columns)
    wide = functional.interpolate(lines, target.columns, mode="linear", align_corners=False)
    row, share = _mix(target.rows, source.rows, picture.device)
    return Seen(wide.view(*picture.shape[:-1], target.columns), row, share[:, None])


def _mix(many: int, few: int, device: Any) -> tuple[Tensor, Tensor]:
    """Say between which of a few places each of many lies."""
    at = (torch.arange(many, device=device, dtype=torch.float64) + 0.5) * (few / many) - 0.5
    at = torch.clamp(at, 0.0, few - 1.0)
    first = torch.floor(at)
    return first.to(torch.int64), (at - first).float()
