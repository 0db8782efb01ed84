"""The program generator: draws visual programs, sharp at any size, frame by frame.

`score` evaluates every parameter of the tree at every frame, and, where a program remembers, at every tick of
its memory. `frames` draws in bands of rows; one kernel per structure is compiled where that pays.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.clock import film_clock
from synesthete.config.preset import Preset
from synesthete.errors import ConfigError
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.control import Signals
from synesthete.generators.fuse import Fuser, Kernel, Replayed
from synesthete.generators.hearing import hear_moment, sources
from synesthete.generators.periodic import ROUNDS
from synesthete.programs.draw import Drawing, Seen, Step
from synesthete.programs.grid import Grid
from synesthete.programs.maps import Maps, Moment
from synesthete.programs.program import Program
from synesthete.programs.style import AWAY
from synesthete.programs.trails import TICK_RATE
from synesthete.programs.whole_turns import with_whole_turns

__all__ = ["ProgramGenerator", "program_of"]

# Points per band: what is computed on the way stays in a core's cache.
_BAND_POINTS = 60_000
_BLOCK_FRAMES = 4096
_STYLE = "style_"


def program_of(preset: Preset) -> Program:
    """Read a preset's program, and check that the signals it names exist.

    Raises
    ------
    ConfigError
        If it is wrong.
    """
    program = Program.from_json(preset.program, where=f"preset {preset.name}: program")
    styles = {f"{_STYLE}{k}" for k in range(len(preset.style))}
    unknown = sorted(program.signals - preset.control.names() - styles - set(COLUMN_NAMES))
    if unknown:
        known = ", ".join(sorted(preset.control.names() | styles))
        raise ConfigError(
            f"preset {preset.name}: the program uses the signal {unknown[0]!r}; known are {known}, and the "
            "Timeline's columns, such as bass"
        )
    return program


class ProgramGenerator:
    """Draws one program.

    Parameters
    ----------
    program
        The tree.
    fuser
        Compiles kernels, or says that it can't.
    origin
        The style where the program is as it was written; see `synesthete.programs.style`.
    device
        Where to compute.
    tile
        Points per band; frames do not depend on it. 0 chooses.
    """

    name = "program"

    def __init__(
        self,
        program: Program,
        fuser: Fuser,
        *,
        origin: Sequence[float] = (),
        device: torch.device | str = "cpu",
        tile: int = 0,
    ) -> None:
        self._program = program
        self._origin = origin
        self._drawing = Drawing(program)
        self._fuser = fuser
        self._device = torch.device(device)
        self._tile = tile
        self._fused: list[Kernel] | None = None
        self._replayed = Replayed(self._drawing.paint)

    # Plan ---------------------------------------------------------------------------------------------

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Evaluate every parameter at every frame, and at every tick if the program remembers."""
        program = self._closed(signals)
        moments = film_clock(signals.frame_rate, signals.shutter).moments(0, signals.frames)
        tables: dict[str, np.ndarray[Any, Any]] = {}
        if self._program.hears:
            if signals.timeline is None:
                raise ValueError(f"the program looks at {self._program.hears}, but there is no Timeline")
            tables |= sources(signals.timeline, self._program.hears)
        if self._drawing.maps:
            # Frames between ticks mix two of them: one more than the last frame needs.
            last = int(moments[-1] * TICK_RATE) + 2
            ticks = np.arange(last + 1) / TICK_RATE
            tables["ticks"] = self._rows(program, signals, style_curve, moments, ticks)
        rows = self._rows(program, signals, style_curve, moments, moments)
        fixed = {"generator": self.name, "seed": seed, "frame_rate": str(signals.frame_rate)}
        if signals.shutter:
            fixed["shutter"] = str(signals.shutter)
        return Trajectory(rows, self._program.columns, fixed, tables)

    def _closed(self, signals: Signals) -> Program:
        """Give the program; in a loop, one whose turns are whole in it."""
        if signals.period is None:
            return self._program
        ends = signals.period.ends()
        curves = {
            name: torch.zeros(2)
            if name.startswith((_STYLE, AWAY))
            else torch.from_numpy(signals.at(name, ends))
            for name in self._program.signals
        }
        return with_whole_turns(self._program, curves, along=ROUNDS)

    def _rows(
        self,
        program: Program,
        signals: Signals,
        style_curve: np.ndarray,
        frames: np.ndarray,
        moments: np.ndarray,
    ) -> Float[np.ndarray, "moments columns"]:
        rows = np.empty((len(moments), len(program.columns)), np.float32)
        for start in range(0, len(moments), _BLOCK_FRAMES):
            part = slice(start, start + _BLOCK_FRAMES)
            at = moments[part]
            curves = {}
            for name in program.signals:
                if name.startswith((_STYLE, AWAY)) and name not in signals.curves:
                    axis = int(name.rpartition("_")[2])
                    origin = self._origin[axis] if name.startswith(AWAY) else 0.0
                    curve = np.interp(at, frames, style_curve[:, axis] - origin)
                else:
                    curve = signals.at(name, at)
                curves[name] = torch.from_numpy(curve)
            rows[part] = program.vectors(curves).numpy()
        return rows

    # Draw ---------------------------------------------------------------------------------------------

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Compile the kernel if that is wanted, and name the numeric path."""
        self._fused = self._compile(trajectory) if self._fuser.available else None
        return f"{'eager' if self._fused is None else 'fused'}-float32-{self._device.type}"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Generator.frames`."""
        clock = film_clock(
            Fraction(trajectory.fixed["frame_rate"]), Fraction(trajectory.fixed.get("shutter", 0))
        )
        grid = Grid.of((size.width, size.height), self._drawing.border, device=self._device)
        light = None if self._fused is None else self._light
        maps = Maps(self._drawing, (size.width, size.height), self._device, light)

        def at_tick(tick: int) -> Moment:
            return self._moment(trajectory, Fraction(tick), trajectory.tables["ticks"][tick])

        # A new picture for every frame would cost more in page faults than in arithmetic.
        picture = torch.empty(3, size.height, size.width, device=self._device)
        for frame in range(start, stop):
            with torch.no_grad():
                moment = self._moment(trajectory, clock.seconds(frame) * TICK_RATE, trajectory.rows[frame])
                self._draw(moment, maps.seen(moment, grid, at_tick), grid, picture)
            yield picture

    def _draw(
        self, moment: Moment, seen: list[Seen], grid: Grid, picture: Float[Tensor, "3 height width"]
    ) -> None:
        paint = self._replayed if self._fused is None else partial(self._light, self._drawing.step)
        vector, border = grid.framed(moment.vector), 2 * grid.border
        fine = grid.fine
        for top, bottom in self._bands(grid):
            tensors = [tensor for small in seen for tensor in small.band(top, bottom).tensors()]
            points = paint(grid.x, grid.y[top : bottom + border], vector, *moment.tables, *tensors)
            picture[:, top // fine : bottom // fine] = grid.pixels(points)

    def _light(
        self, step: Step, x: Tensor, y: Tensor, vector: Tensor, *tensors: Tensor
    ) -> Float[Tensor, "3 rows columns"]:
        """Draw a subtree by the kernels of its layers, one upon the other; eagerly if it is no layer."""
        layers, kernels = self._drawing.layers, self._fused
        if kernels is None or step not in layers:
            return torch.stack(list(self._drawing.light(step, x, y, vector, *tensors)), -3)
        below: tuple[Tensor, ...] = ()
        for index in range(layers.index(step) + 1):
            below = (kernels[index](x, y, vector, *self._of_layer(index, tensors), *below),)
        return below[0]

    def _of_layer(self, index: int, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        """Give the tables and the small pictures that a layer takes, of those that the whole tree takes."""
        return tensors[: len(self._program.hears) + 3 * self._drawing.maps_below(index)]

    def _bands(self, grid: Grid) -> Iterator[tuple[int, int]]:
        """Cut the rows of points into bands as equal as can be: one of a single row would need a kernel."""
        pixels = grid.rows // grid.fine
        count = 1
        if self._device.type == "cpu":
            tile = self._tile or _BAND_POINTS
            count = min(-(-grid.rows * grid.columns // tile), max(1, pixels // 2))
        cuts = [k * pixels // count * grid.fine for k in range(count + 1)]
        return pairwise(cuts)

    def _moment(self, trajectory: Trajectory, tick: Fraction, row: np.ndarray) -> Moment:
        vector = torch.from_numpy(np.array(row)).to(self._device)
        heard = hear_moment(trajectory.tables, float(tick / TICK_RATE), self._program.hears)
        return Moment(tick, vector, tuple(table.to(self._device) for table in heard))

    def _example_grid(self, vector: Tensor) -> Grid:
        """Give a grid none of whose sides is as long as the vector.

        Tracing takes sizes that are equal in the example for equal always.
        """
        sizes = ((98, 54), (94, 58), (106, 62))
        grids = [Grid.of(size, self._drawing.border, fine=1, device=self._device) for size in sizes]
        for grid in grids:
            border = 2 * grid.border
            length = len(grid.framed(vector))
            if length not in (grid.columns, grid.rows, grid.columns + border, grid.rows + border):
                break
        return grid

    def _compile(self, trajectory: Trajectory) -> list[Kernel] | None:
        moment = self._moment(trajectory, Fraction(0), trajectory.rows[0])
        grid = self._example_grid(moment.vector)
        kernels = []
        with torch.no_grad():
            maps = Maps(self._drawing, (grid.columns, grid.rows), self._device)
            small = maps.seen(moment, grid, lambda _: moment)
            tensors = [*moment.tables, *(tensor for one in small for tensor in one.tensors())]
            for index in range(len(self._drawing.layers)):
                below = [torch.zeros(3, grid.rows, grid.columns, device=self._device)] if index else []
                kernel = self._fuser.fuse(
                    ("program", self._program.structure, index),
                    partial(self._drawing.layer, index),
                    grid.x,
                    grid.y,
                    grid.framed(moment.vector),
                    *self._of_layer(index, tensors),
                    *below,
                    long=True,
                )
                if kernel is None:
                    return None
                kernels.append(kernel)
        return kernels
