"""The CPPN generator: a small neural field, looked at through a moving view and lit.

Audio drives rates, which are integrated into phases, and amplitudes; both enter the network as inputs
that are constant in a frame. Style is four more such inputs, so that looks morph continuously.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.modulation import Modulation
from synesthete.config.preset import CppnLook, Net
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.control import Signals, closing, modulate
from synesthete.generators.cppn_grid import Grid, Kernels, NumericPath
from synesthete.generators.cppn_kernels import (
    NODE_BORDER,
    Structure,
    colour_vector,
    light_vector,
    view_vector,
)
from synesthete.generators.fuse import Fuser, Kernel, Replayed
from synesthete.models.cppn import (
    FOOTPRINT,
    CppnSpec,
    CppnWeights,
    blend,
    evaluate_tiles,
    fold_constants,
    initialise,
    pack,
    prefiltered,
)
from synesthete.seeding import seed_sequence

__all__ = ["STYLE_SIZE", "CppnGenerator", "Precision", "constants_of", "drawn_pair", "spec_of"]

Precision = Literal["auto", "float32", "bfloat16", "float16"]
STYLE_SIZE = 4
HALF_PRECISION_PSNR_DB = 40.0
"""Half precision is used only where calibration frames agree with float32 at least so well."""

STEP_PSNR_DB = 52.0
"""A coarse node grid is used only where calibration frames agree with the exact ones at least so well."""

_WRAPPED = ("view.angle", "view.warp_phase", "palette.hue", "surface.band_phase", "surface.line_phase")
_WIDE_UNITS = 24
_TILE_PIXELS = 4096
_NODES_AT_ONCE = 32_000
_EAGER_BAND_PIXELS = 60_000
_FUSED_BAND_PIXELS = 250_000
_STEPS = (8, 4, 2)
_CALIBRATION_SIDE = 512
_RANGES = {
    "view.zoom": (0.02, 50.0),
    "view.warp": (-2.0, 2.0),
    "net.reach": (0.0, 2.0),
    "surface.exposure": (0.0, 12.0),
    "surface.darkness": (0.02, 0.98),
    "surface.vignette": (0.0, 5.0),
    "surface.mask": (0.0, 1.0),
    "surface.relief": (0.0, 5.0),
    "surface.gloss": (0.0, 5.0),
    "surface.light_height": (0.1, 5.0),
    "surface.lines": (0.0, 5.0),
    "surface.line_count": (0.0, 40.0),
    "surface.line_width": (0.0005, 0.2),
}


def spec_of(net: Net) -> CppnSpec:
    """Give the architecture that a preset's network has."""
    return CppnSpec(
        layers=net.layers,
        units=net.units,
        activations=tuple(net.activations),
        mix=net.mix,
        constants=2 * len(net.phases) + len(net.signals) + STYLE_SIZE,
        gain=net.gain,
        bias=net.bias,
    )


def constants_of(net: Net) -> list[str]:
    """Name the inputs of a preset's network that are constant in a frame, in their order."""
    phases = [f"{name}.{part}" for name in net.phases for part in ("cos", "sin")]
    return [*phases, *net.signals, *(f"style.{k}" for k in range(STYLE_SIZE))]


def drawn_pair(spec: CppnSpec, seed: int) -> tuple[CppnWeights, CppnWeights]:
    """Draw the two networks that a preset of a seed evolves between."""
    states = [seed_sequence(seed, "cppn.weights", k).generate_state(1, np.uint64)[0] for k in range(2)]
    first, second = (initialise(spec, torch.Generator().manual_seed(int(state >> 1))) for state in states)
    return first, second


class CppnGenerator:
    """Draws a CPPN preset.

    Parameters
    ----------
    look
        Network, view, palette and surface.
    weights
        The network's weights, if they are not drawn from the seed; of the look's architecture.
    fuser
        Compiles kernels, or says that it can't.
    device
        Where to compute.
    precision
        Of the matrix products of wide nets; ``auto`` takes bfloat16 where it is accurate enough.
    tile
        Pixels per tile (wide nets) or per band (others); frames do not depend on it. 0 chooses.
    """

    name = "cppn"

    def __init__(
        self,
        look: CppnLook,
        fuser: Fuser,
        *,
        device: torch.device | str = "cpu",
        precision: Precision = "auto",
        tile: int = 0,
        weights: CppnWeights | None = None,
    ) -> None:
        self._look = look
        self._fuser = fuser
        self._device = torch.device(device)
        self._precision = precision
        self._tile = tile
        self._spec = spec_of(look.net)
        self._given = weights
        self._structure = Structure(
            spec=self._spec,
            fold=look.view.fold,
            mirror=look.view.mirror,
            warp=_moves(look.view.warp),
            relief=_moves(look.surface.relief),
            lines=_moves(look.surface.lines),
            colour=look.net.output == "colour",
        )
        self._wide = look.net.units >= _WIDE_UNITS
        s = self._structure
        self._eager = Kernels(s.field, s.widen, Replayed(s.paint), fused=False)
        self._path = NumericPath(torch.float32, 1, self._eager)
        self._prepared: Size | None = None
        self._nets: dict[int, tuple[CppnWeights, CppnWeights]] = {}

    # Plan ---------------------------------------------------------------------------------------------

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Evaluate every moving parameter and network input at every frame."""
        look = self._look
        curves: dict[str, np.ndarray] = {}
        for section in ("net", "view", "palette", "surface"):
            part = getattr(look, section)
            for field in type(part).model_fields:
                value = getattr(part, field)
                if isinstance(value, Modulation):
                    name = f"{section}.{field}"
                    low, high = _RANGES.get(name, (-1e6, 1e6))
                    curve = modulate(closing(value, signals) if name in _WRAPPED else value, signals)
                    curves[name] = np.mod(curve, 1.0) if name in _WRAPPED else np.clip(curve, low, high)
        swing = signals.curves["evolve"] if "evolve" in signals.curves else np.zeros(signals.frames)
        curves["evolution"] = look.net.evolution * np.sin(2 * np.pi * swing)
        for name in look.net.phases:
            turns = 2 * np.pi * np.mod(signals.curves[name], 1.0)
            curves[f"input.{name}.cos"] = curves["net.reach"] * np.cos(turns)
            curves[f"input.{name}.sin"] = curves["net.reach"] * np.sin(turns)
        for name, amount in look.net.signals.items():
            curves[f"input.{name}"] = amount * signals.curves[name]
        for k in range(STYLE_SIZE):
            curves[f"input.style.{k}"] = style_curve[:, k]
        rows = np.stack(list(curves.values()), 1).astype(np.float32)
        return Trajectory(rows, tuple(curves), {"generator": self.name, "seed": seed})

    # Draw ---------------------------------------------------------------------------------------------

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose and warm up the numeric path for a film of this size; give its name.

        Half precision and coarse node grids are used only where calibration frames say that they can't be
        told from the exact picture.
        """
        with torch.no_grad():
            self._path = NumericPath(torch.float32, 1, self._eager)
            self._prepared = size
            self._path = replace(self._path, step=self._calibrate_step(trajectory, size))
            if self._wide:
                self._path = replace(self._path, dtype=self._calibrate_dtype(trajectory, size))
            if self._fuser.available:
                self._path = replace(self._path, kernels=self._compile(trajectory))
        path = self._path
        kernels = "fused" if path.kernels.fused else "eager"
        return f"{kernels}-{str(path.dtype).removeprefix('torch.')}-step{path.step}-{self._device.type}"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Generator.frames`."""
        path = self._path_for(size)
        grid = Grid.of(size, path.step, self._device)
        # A new picture for every frame would cost more in page faults than in arithmetic.
        picture = torch.empty(3, grid.cells * grid.step, size.width, device=self._device)
        for frame in range(start, stop):
            with torch.no_grad():
                self._draw(trajectory, frame, size, path, grid, picture)
            yield picture[:, : size.height]

    def _path_for(self, size: Size) -> NumericPath:
        """Give the prepared path, with nodes as far apart in the picture, or nearer, at another size."""
        if self._prepared is None or self._prepared == size:
            return self._path
        step = self._path.step * size.short // self._prepared.short
        step = max([1, *(s for s in _STEPS if s <= step)])
        if step == 1 < self._path.step:
            # A size of 1 takes a kernel of its own: a small preview would wait for its own compilation.
            return replace(self._path, step=1, kernels=self._eager)
        return replace(self._path, step=step)

    def _draw(
        self,
        trajectory: Trajectory,
        frame: int,
        size: Size,
        path: NumericPath,
        grid: Grid,
        picture: Float[Tensor, "3 rows width"],
    ) -> None:
        row = trajectory.row(frame)
        net = self._net_at(trajectory, row, grid.pixel)
        view = view_vector(row, warp_scale=self._look.view.warp_scale).to(self._device)
        light = self._light(row, grid.pixel)
        nodes = self._nodes(net, view, path, grid)
        rows = path.kernels.widen(nodes, grid.weights, grid.slopes)[:, :, : size.width]
        band = self._band_cells(path, grid, size)
        target = picture.view(3, grid.cells, grid.step, size.width)
        for top in range(0, grid.cells, band):
            bottom = min(top + band, grid.cells)
            part = rows[:, top : bottom + NODE_BORDER]
            target[:, top:bottom] = path.kernels.paint(
                # The kernel was compiled for contiguous rows; for others it would be compiled once more.
                part.contiguous() if path.kernels.fused else part,
                grid.weights,
                grid.slopes,
                light,
            )

    def _nodes(
        self, net: CppnWeights, view: Tensor, path: NumericPath, grid: Grid
    ) -> Float[Tensor, "3 rows columns"]:
        """Evaluate the network at the nodes."""
        if self._wide:
            coordinates = self._structure.coordinates(grid.x, grid.y, view)
            shape = coordinates[0].shape
            nodes = -(-shape.numel() // 16) * 16
            tile = min(nodes, max(16, self._tile // 16 * 16)) if self._tile else _TILE_PIXELS
            planes = torch.stack(coordinates).reshape(3, -1)
            outputs = evaluate_tiles(net, planes, tile=tile, dtype=path.dtype)
            return self._structure.squash(list(outputs.reshape(3, *shape)), grid.x, grid.y, view)
        packed = pack(net).to(self._device)
        step = max(1, (self._tile or _NODES_AT_ONCE) // grid.x.shape[1])
        if path.kernels.fused or self._device.type != "cpu":
            step = len(grid.y)
        parts = [
            path.kernels.field(grid.x, grid.y[top : top + step], view, packed)
            for top in range(0, len(grid.y), step)
        ]
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]

    def _band_cells(self, path: NumericPath, grid: Grid, size: Size) -> int:
        if self._device.type != "cpu":
            return grid.cells
        pixels = self._tile or (_FUSED_BAND_PIXELS if path.kernels.fused else _EAGER_BAND_PIXELS)
        return max(1, pixels // (size.width * grid.step))

    # Networks and numeric path ------------------------------------------------------------------------

    def _light(self, row: dict[str, float], pixel: float) -> Tensor:
        make = colour_vector if self._structure.colour else light_vector
        return make(row, self._look.palette, pixel).to(self._device)

    def _net_at(self, trajectory: Trajectory, row: dict[str, float], pixel: float) -> CppnWeights:
        """Give a frame's network: evolved, or without what a pixel can't hold; constant inputs folded in."""
        constants = torch.tensor([value for name, value in row.items() if name.startswith("input.")])
        if self._given is not None:
            footprint = FOOTPRINT * pixel / row["view.zoom"]
            return fold_constants(prefiltered(self._given, footprint), constants)
        first, second = self._pair(int(trajectory.fixed["seed"]))
        return fold_constants(blend(first, second, row["evolution"]), constants)

    def _pair(self, seed: int) -> tuple[CppnWeights, CppnWeights]:
        if seed not in self._nets:
            self._nets[seed] = drawn_pair(self._spec, seed)
        return self._nets[seed]

    def _calibrate_dtype(self, trajectory: Trajectory, size: Size) -> torch.dtype:
        """Take half precision only where calibration frames agree with float32 at 40 dB or more.

        At the film's own pixel size and node grid, as relief divides rounding errors by their distance.
        """
        if self._precision == "float32":
            return torch.float32
        half = {"float16": torch.float16}.get(self._precision, torch.bfloat16)
        if self._precision == "auto" and self._device.type == "cuda":
            half = torch.float16
        cut = _centre(size)
        exact, rough = (
            self._samples(trajectory, size, replace(self._path, dtype=d), cut) for d in (torch.float32, half)
        )
        return half if _agree(exact, rough, HALF_PRECISION_PSNR_DB) else torch.float32

    def _calibrate_step(self, trajectory: Trajectory, size: Size) -> int:
        """Take the widest node grid that can't be told from the exact picture."""
        cut = _centre(size)
        exact = self._samples(trajectory, size, self._path, cut)
        for step in _STEPS:
            if _agree(
                exact, self._samples(trajectory, size, replace(self._path, step=step), cut), STEP_PSNR_DB
            ):
                return step
        return 1

    def _samples(self, trajectory: Trajectory, size: Size, path: NumericPath, cut: Size) -> Tensor:
        """Draw the centres of the brightest frames on a numeric path."""
        grid = Grid.of(size, path.step, self._device, cut)
        pictures = []
        for frame in _bright_frames(trajectory):
            picture = torch.empty(3, grid.cells * grid.step, cut.width, device=self._device)
            self._draw(trajectory, frame, cut, path, grid, picture)
            pictures.append(picture[:, : cut.height])
        return torch.stack(pictures)

    def _compile(self, trajectory: Trajectory) -> Kernels:
        """Compile what this structure needs and has not been compiled yet; all or nothing."""
        s, row = self._structure, trajectory.row(0)
        # Tracing takes sizes of 1 for constants, and sizes that are equal in the example for equal always: a
        # step of 8 differs from the four taps, and what is compiled with it serves 4 and 2 as well.
        step = 1 if self._path.step == 1 else 8
        grid = Grid.of(Size(96, 54), step, self._device)
        view = view_vector(row, warp_scale=self._look.view.warp_scale).to(self._device)
        light = self._light(row, grid.pixel)
        field: Kernel | None = s.field
        if not self._wide:
            packed = pack(self._net_at(trajectory, row, grid.pixel)).to(self._device)
            key = ("field", s.spec, s.fold, s.mirror, s.warp, s.colour)
            field = self._fuser.fuse(key, s.field, grid.x, grid.y, view, packed)
        nodes = torch.zeros(3, len(grid.y), grid.x.shape[1]).to(self._device)
        widen = self._fuser.fuse(("widen", step), s.widen, nodes, grid.weights, grid.slopes)
        rows = torch.zeros(4, len(grid.y), (grid.x.shape[1] - NODE_BORDER) * grid.step).to(self._device)
        paint = self._fuser.fuse(
            ("paint", s.relief, s.lines, s.colour, step),
            s.paint,
            rows,
            grid.weights,
            grid.slopes,
            light,
        )
        if field is None or widen is None or paint is None:
            return self._eager
        return Kernels(field, widen, paint, fused=True)


def _centre(size: Size) -> Size:
    """Cut out the centre: it tells as much as the whole, and keeps the film's pixel size."""
    return Size(min(size.width, _CALIBRATION_SIDE), min(size.height, _CALIBRATION_SIDE))


def _bright_frames(trajectory: Trajectory) -> list[int]:
    """Give the brightest frame of each third of the film: errors don't show in the dark."""
    exposure = trajectory.rows[:, trajectory.columns.index("surface.exposure")]
    parts = [part for part in np.array_split(np.arange(trajectory.frames), 3) if len(part)]
    return [int(part[np.argmax(exposure[part])]) for part in parts]


def _agree(exact: Tensor, other: Tensor, psnr_db: float) -> bool:
    return float(((exact - other) ** 2).mean()) <= 10 ** (-psnr_db / 10)


def _moves(parameter: Modulation) -> bool:
    return parameter.base != 0.0 or bool(parameter.by)
