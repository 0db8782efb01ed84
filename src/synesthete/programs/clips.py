"""Draw batches of short clips, one program each: what learned models are trained on.

Programs of one structure share their batch. Pictures are small, so several frames are drawn at once, as many
as fit a processor's cache.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.draw import Drawing
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
        first = programs[members[0]]
        vectors = [
            programs[k].vectors({name: signals[name][k] for name in programs[k].signals}).expand(frames, -1)
            for k in members
        ]
        tables = tuple(heard[table][members].to(device) for table in first.hears)
        batch = Clips(torch.stack(vectors).to(device), tables)
        with torch.no_grad():
            clips[members] = _draw(first, batch, Grid.of(size, 0, fine=fine, device=device), frame_rate)
    return clips


def _draw(
    program: Program, clips: Clips, pixels: Grid, frame_rate: Fraction
) -> Float[Tensor, "clips frames 3 height width"]:
    drawing = Drawing(program)
    device, count = pixels.x.device, clips.vectors.shape[1]
    size = (pixels.columns // pixels.fine, pixels.rows // pixels.fine)
    grid = Grid.of(size, drawing.border, fine=pixels.fine, device=device)
    ticks, places = _at_ticks(clips, frame_rate)
    seen = Maps(drawing, size, device).seen_in_clips(clips, ticks, places, grid) if drawing.maps else []
    pictures = []
    for part, now in clips.pictures(grid.columns * grid.rows):
        tensors = [tensor for small in seen for tensor in (small.picture[part], small.row, small.share)]
        points = drawing.paint(grid.x, grid.y, grid.framed(now.vector), *now.tables, *tensors)
        pictures.append(grid.pixels(points))
    return torch.cat(pictures).view(len(clips.vectors), count, 3, size[1], size[0])


def _at_ticks(clips: Clips, frame_rate: Fraction) -> tuple[Clips, Float[Tensor, " frames"]]:
    """Give clips at the ticks of feedback, and where among them the frames lie."""
    count = clips.vectors.shape[1]
    device = clips.vectors.device
    places = torch.arange(count, dtype=torch.float64, device=device) * float(TICK_RATE / frame_rate)
    if frame_rate == TICK_RATE:
        return clips, places.float()
    ticks = torch.arange(int(places[-1]) + 2, dtype=torch.float64, device=device)
    at = torch.clamp(ticks * float(frame_rate / TICK_RATE), max=count - 1.0)
    first = torch.floor(at)
    index = first.to(torch.int64)
    after = torch.clamp(index + 1, max=count - 1)
    share = (at - first).float()[:, None]
    vectors = torch.lerp(clips.vectors[:, index], clips.vectors[:, after], share)
    nearest = torch.round(at).to(torch.int64)
    return Clips(vectors, tuple(table[:, nearest] for table in clips.tables)), places.float()
