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
from synesthete.programs.maps import TICK_RATE, Maps, Moment
from synesthete.programs.program import Program
from synesthete.programs.registry import Table

__all__ = ["draw_clips"]

_POINTS_AT_ONCE = 131_072


def draw_clips(
    programs: Sequence[Program],
    signals: Mapping[str, Float[Tensor, "clips frames"]],
    heard: Mapping[Table, Float[Tensor, "clips frames *entries"]],
    *,
    size: tuple[int, int],
    frame_rate: Fraction = Fraction(TICK_RATE),
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

    Returns
    -------
    Display RGB, 0-1, float32.
    """
    frames = next(iter(signals.values())).shape[1]
    clips = torch.empty(len(programs), frames, 3, size[1], size[0], device=device)
    groups: dict[object, list[int]] = defaultdict(list)
    for index, program in enumerate(programs):
        groups[program.structure].append(index)
    with torch.no_grad():
        for members in groups.values():
            first = programs[members[0]]
            vectors = torch.stack(
                [
                    programs[k]
                    .vectors({name: signals[name][k] for name in programs[k].signals})
                    .expand(frames, -1)
                    for k in members
                ]
            ).to(device)
            tables = [heard[table][members].to(device) for table in first.hears]
            clips[members] = _draw(first, vectors, tables, size, frame_rate, device)
    return clips


def _draw(
    program: Program,
    vectors: Float[Tensor, "clips frames scalars"],
    tables: Sequence[Tensor],
    size: tuple[int, int],
    frame_rate: Fraction,
    device: torch.device | str,
) -> Float[Tensor, "clips frames 3 height width"]:
    drawing = Drawing(program)
    grid = Grid.of(size, drawing.border, device=device)
    clips, frames = vectors.shape[:2]
    if drawing.maps == 0:
        flat, rows = vectors.flatten(0, 1), [table.flatten(0, 1) for table in tables]
        at_once = max(1, _POINTS_AT_ONCE // (grid.columns * grid.rows))
        pictures = [
            grid.pixels(
                drawing.paint(
                    grid.x,
                    grid.y,
                    grid.framed(flat[start : start + at_once]),
                    *(table[start : start + at_once] for table in rows),
                )
            )
            for start in range(0, len(flat), at_once)
        ]
        return torch.cat(pictures).unflatten(0, (clips, frames))

    def moment(tick: Fraction) -> Moment:
        place = min(float(tick * frame_rate / TICK_RATE), frames - 1.0)
        first = int(place)
        second, share = min(first + 1, frames - 1), place - first
        row = torch.lerp(vectors[:, first], vectors[:, second], share)
        return Moment(tick, row, tuple(table[:, first if share < 0.5 else second] for table in tables))

    maps = Maps(drawing, size, lambda tick: moment(Fraction(tick)), device=device)
    pictures = []
    for frame in range(frames):
        now = moment(Fraction(frame * TICK_RATE) / frame_rate)
        seen = [tensor for small in maps.seen(now, grid) for tensor in small.tensors()]
        points = drawing.paint(grid.x, grid.y, grid.framed(now.vector), *now.tables, *seen)
        pictures.append(grid.pixels(points))
    return torch.stack(pictures, 1)
