"""Draw batches of short clips, one program each: what learned models are trained on.

Programs of one structure share their batch. Pictures are small, so several frames are drawn at once, as many
as fit a processor's cache.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.draw import Drawing, Seen
from synesthete.programs.grid import Grid
from synesthete.programs.maps import Clips, Maps
from synesthete.programs.program import Program
from synesthete.programs.registry import Table
from synesthete.programs.trails import TICK_RATE

__all__ = ["draw_clips"]


def draw_clips(
    programs: Sequence[Program],
    signals: Mapping[str, Float[Tensor, "clips frames"]],
    heard: Mapping[Table, Float[Tensor, "clips frames *entries"]],
    *,
    size: tuple[int, int],
    frame_rate: Fraction = Fraction(TICK_RATE),
    fine: int | None = 1,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "clips frames 3 height width"]:
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
        Frames per second; what remembers begins in the dark at the clip's first frame.
    fine
        Points drawn per pixel along each side; None: as a film of that size would be, more slowly.

    Returns
    -------
    Display RGB, 0-1, float32.
    """
    frames = next(iter(signals.values())).shape[1]
    clips = torch.empty(len(programs), frames, 3, size[1], size[0], device=device)
    groups: dict[object, list[int]] = defaultdict(list)
    for index, program in enumerate(programs):
        groups[program.structure].append(index)
    for members in groups.values():
        own = _Members(programs, members, signals, heard, torch.device(device))
        with torch.no_grad():
            clips[members] = _draw(own, Grid.of(size, 0, fine=fine, device=device), frame_rate)
    return clips


@dataclass(frozen=True)
class _Members:
    """Programs of one structure, and what they are given."""

    programs: Sequence[Program]
    members: Sequence[int]
    signals: Mapping[str, Float[Tensor, "clips frames"]]
    heard: Mapping[Table, Float[Tensor, "clips frames *entries"]]
    device: torch.device

    @property
    def first(self) -> Program:
        return self.programs[self.members[0]]

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
        for k in self.members:
            own = {name: of_signal(self.signals[name][k]) for name in self.programs[k].signals}
            vectors.append(self.programs[k].vectors(own).expand(count, -1))
        tables = (of_table(self.heard[table][self.members]).to(self.device) for table in self.first.hears)
        return Clips(torch.stack(vectors).to(self.device), tuple(tables))


def _draw(own: _Members, pixels: Grid, frame_rate: Fraction) -> Float[Tensor, "clips frames 3 height width"]:
    drawing = Drawing(own.first)
    device = pixels.x.device
    size = (pixels.columns // pixels.fine, pixels.rows // pixels.fine)
    grid = Grid.of(size, drawing.border, fine=pixels.fine, device=device)
    clips = own.frames()
    count = clips.vectors.shape[1]
    seen: list[Seen] = []
    if drawing.maps:
        places = torch.arange(count, dtype=torch.float64) * float(TICK_RATE / frame_rate)
        ticks = torch.arange(int(places[-1]) + 2, dtype=torch.float64) * float(frame_rate / TICK_RATE)
        at_ticks = clips if frame_rate == TICK_RATE else own.between(torch.clamp(ticks, max=count - 1.0))
        seen = Maps(drawing, size, device).seen_in_clips(clips, at_ticks, places.float().to(device), grid)
    pictures = []
    for part, now in clips.pictures(grid.columns * grid.rows):
        tensors = [tensor for small in seen for tensor in (small.picture[part], small.row, small.share)]
        points = drawing.paint(grid.x, grid.y, grid.framed(now.vector), *now.tables, *tensors)
        pictures.append(grid.pixels(points))
    return torch.cat(pictures).view(len(clips.vectors), count, 3, size[1], size[0])
