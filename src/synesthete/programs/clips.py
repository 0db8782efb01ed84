"""Draw batches of short clips, one program each: what learned models are trained on.

Programs of one structure share their batch. Pictures are small, so several frames are drawn at once, as many
as fit a processor's cache.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.draw import Drawing
from synesthete.programs.grid import Grid
from synesthete.programs.maps import Clips, Maps, Moment
from synesthete.programs.program import Program
from synesthete.programs.registry import Table
from synesthete.programs.trails import TICK_RATE

__all__ = ["ClipPainter", "Crop", "draw_clips"]

_DEVICE_POINTS = 16
"""How many times as many points as a processor's cache holds are drawn at once elsewhere."""


class Crop(NamedTuple):
    """A rectangle of a whole picture of some size; all in pixels.

    Attributes
    ----------
    size
        Width and height of the whole picture.
    left, top, width, height
        The rectangle, within it.
    """

    size: tuple[int, int]
    left: int
    top: int
    width: int
    height: int


def draw_clips(
    programs: Sequence[Program],
    signals: Mapping[str, Float[Tensor, "clips frames"]],
    heard: Mapping[Table, Float[Tensor, "clips frames *entries"]],
    *,
    size: tuple[int, int],
    frame_rate: Fraction = Fraction(TICK_RATE),
    fine: int | None = 1,
    before: int = 0,
    first_frame: int = 0,
    map_share: float = 1.0,
    trail_ticks: int = 1,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "clips painted 3 height width"]:
    """Draw one clip per program.

    Parameters
    ----------
    signals
        Every signal that a program names, for each of its frames.
    heard
        Every table that a program looks at.
    size
        Width and height, pixels.
    frame_rate
        Frames per second.
    fine
        Points drawn per pixel along each side; None: as a film of that size would be, more slowly.
    before
        How many frames come first that are only remembered, and not painted; what remembers begins in the
        dark at the first of them. What a film shows is met exactly from three seconds on.
    first_frame
        Which frame of its film the first frame is: a memory forgets by that clock.
    map_share
        The sides of the small pictures that glow and feedback look at, as a share of a film's.
    trail_ticks
        What trails remember is drawn at every so many ticks and mixed between them; a film's is 1.

    Returns
    -------
    Display RGB, 0-1, float32.
    """
    frames = next(iter(signals.values())).shape[1] - before
    clips = torch.empty(len(programs), frames, 3, size[1], size[0], device=device)
    groups: dict[object, list[int]] = defaultdict(list)
    for index, program in enumerate(programs):
        groups[program.structure].append(index)
    for members in groups.values():
        painter = ClipPainter(
            [programs[k] for k in members],
            {name: curves[members] for name, curves in signals.items()},
            {table: heard[table][members] for table in programs[members[0]].hears},
            shape=size,
            frame_rate=frame_rate,
            before=before,
            first_frame=first_frame,
            map_share=map_share,
            trail_ticks=trail_ticks,
            device=device,
        )
        clips[members] = painter.frames(size, fine=fine)
    return clips


class ClipPainter:
    """Paints clips of programs of one structure: whole frames, and any crop of them at any size.

    Parameters
    ----------
    programs, signals, heard, frame_rate, before, first_frame, map_share, trail_ticks, device
        As for `draw_clips`.
    shape
        Width and height of the pictures: their ratio counts.
    """

    @torch.inference_mode()
    def __init__(
        self,
        programs: Sequence[Program],
        signals: Mapping[str, Float[Tensor, "clips frames"]],
        heard: Mapping[Table, Float[Tensor, "clips frames *entries"]],
        *,
        shape: tuple[int, int],
        frame_rate: Fraction = Fraction(TICK_RATE),
        before: int = 0,
        first_frame: int = 0,
        map_share: float = 1.0,
        trail_ticks: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        self._device = torch.device(device)
        self._drawing = Drawing(programs[0])
        given = _Given(programs, signals, heard, self._device)
        clips = given.frames()
        self._clips = clips.after(before)
        self._maps = Maps(self._drawing, shape, self._device, share=map_share, every=trail_ticks)
        self._smalls: list[Tensor] = []
        if self._drawing.maps:
            count = clips.vectors.shape[1]
            start = first_frame * TICK_RATE / frame_rate
            first_tick = math.floor(start)
            places = float(start - first_tick) + torch.arange(count, dtype=torch.float64) * float(
                TICK_RATE / frame_rate
            )
            ticks = None
            if frame_rate != TICK_RATE:
                at = torch.arange(int(places[-1]) + 2, dtype=torch.float64) - float(start - first_tick)
                ticks = given.between(torch.clamp(at * float(frame_rate / TICK_RATE), 0.0, count - 1.0))
            self._smalls = self._maps.in_clips(
                clips, ticks, places.float().to(self._device), before=before, first_tick=first_tick
            )

    def frames(
        self, size: tuple[int, int], *, fine: int | None = 1
    ) -> Float[Tensor, "clips painted 3 height width"]:
        """Paint all frames at a size; see `draw_clips`."""
        count, painted = self._clips.vectors.shape[:2]
        # Made outside of inference mode: what comes back is a tensor as any other.
        pictures = torch.empty(count * painted, 3, size[1], size[0], device=self._device)
        with torch.inference_mode():
            grid = Grid.of(size, self._drawing.border, fine=fine, device=self._device)
            seen = self._maps.stretched([small.flatten(0, 1) for small in self._smalls], grid)
            for part, now in self._clips.pictures(self._points(grid)):
                tensors = [tensor for one in seen for tensor in (one.picture[part], one.row, one.share)]
                pictures[part] = self._paint(grid, now, tensors)
        return pictures.view(count, painted, 3, size[1], size[0])

    def crop(
        self, clip: int, frame: int, crop: Crop, *, fine: int | None = 1
    ) -> Float[Tensor, "3 height width"]:
        """Paint a rectangle of one frame: what a picture of the whole size has there.

        Parameters
        ----------
        frame
            Which of the painted frames.
        """
        picture = torch.empty(3, crop.height, crop.width, device=self._device)
        with torch.inference_mode():
            whole = Grid.of(crop.size, self._drawing.border, fine=fine, device=self._device)
            grid = whole.crop(crop.left, crop.top, crop.width, crop.height)
            left, top = crop.left * whole.fine, crop.top * whole.fine
            seen = self._maps.stretched([small[clip, frame, None] for small in self._smalls], whole)
            inside = [s.columns(left, left + grid.columns).band(top, top + grid.rows) for s in seen]
            tables = tuple(table[clip, frame, None] for table in self._clips.tables)
            now = Moment(Fraction(0), self._clips.vectors[clip, frame, None], tables)
            picture[:] = self._paint(grid, now, [tensor for one in inside for tensor in one.tensors()])[0]
        return picture

    def _paint(
        self, grid: Grid, now: Moment, tensors: Sequence[Tensor]
    ) -> Float[Tensor, "batch 3 height width"]:
        points = self._drawing.paint(grid.x, grid.y, grid.framed(now.vector), *now.tables, *tensors)
        return grid.pixels(points)

    def _points(self, grid: Grid) -> int:
        points = grid.columns * grid.rows
        return points if self._device.type == "cpu" else max(1, points // _DEVICE_POINTS)


@dataclass(frozen=True)
class _Given:
    """Programs of one structure, and what they are given."""

    programs: Sequence[Program]
    signals: Mapping[str, Float[Tensor, "clips frames"]]
    heard: Mapping[Table, Float[Tensor, "clips frames *entries"]]
    device: torch.device

    def frames(self) -> Clips:
        """Give the clips at their frames."""
        count = next(iter(self.signals.values())).shape[1]
        return self._clips(count, lambda curve: curve, lambda table: table)

    def between(self, places: Float[Tensor, " moments"]) -> Clips:
        """Give the clips at places between their frames: what signals turn would turn back where it wraps."""

        def mixed(curve: Tensor) -> Tensor:
            at = places.to(curve)
            first = torch.floor(at)
            index = first.to(torch.int64)
            return torch.lerp(curve[index], curve[torch.clamp(index + 1, max=len(curve) - 1)], at - first)

        nearest = torch.round(places).to(torch.int64)
        return self._clips(len(places), mixed, lambda table: table[:, nearest])

    def _clips(
        self, count: int, of_signal: Callable[[Tensor], Tensor], of_table: Callable[[Tensor], Tensor]
    ) -> Clips:
        vectors = []
        for k, program in enumerate(self.programs):
            own = {name: of_signal(self.signals[name][k]) for name in program.signals}
            vectors.append(program.vectors(own).expand(count, -1))
        tables = (of_table(self.heard[table]).to(self.device) for table in self.programs[0].hears)
        return Clips(torch.stack(vectors).to(self.device), tuple(tables))
