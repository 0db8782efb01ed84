"""The CPPN generator: a small neural field, looked at through a moving view and lit.

Audio drives rates, which are integrated into phases, and amplitudes; both enter the network as inputs
that are constant in a frame. Style is four more such inputs, so that looks morph continuously.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.preset import CppnLook, Modulation
from synesthete.generators.base import Size, Trajectory, pixel_grid
from synesthete.generators.control import Signals, modulate
from synesthete.generators.cppn_kernels import Structure, light_vector, view_vector
from synesthete.generators.fuse import Fuser, Kernel
from synesthete.models.cppn import (
    CppnSpec,
    CppnWeights,
    blend,
    evaluate_tiles,
    fold_constants,
    initialise,
    pack,
)
from synesthete.seeding import seed_sequence

__all__ = ["CppnGenerator", "Precision"]

Precision = Literal["auto", "float32", "bfloat16", "float16"]
STYLE_SIZE = 4
CALIBRATION_PSNR_DB = 40.0
"""Half precision is used only where a calibration frame agrees with float32 at least so well."""

_WRAPPED = ("view.angle", "view.warp_phase", "palette.hue", "surface.band_phase", "surface.line_phase")
_WIDE_UNITS = 24
_TILE_PIXELS = 4096
_EAGER_BAND_PIXELS = 64_000
_FUSED_BAND_PIXELS = 512_000
_CALIBRATION_MOMENTS = (0.25, 0.5, 0.75)
_RANGES = {
    "view.zoom": (0.02, 50.0),
    "view.warp": (-2.0, 2.0),
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


@dataclass(frozen=True)
class _Grids:
    x: Tensor
    y: Tensor
    x_outer: Tensor
    y_outer: Tensor


@dataclass(frozen=True)
class _Kernels:
    field: Kernel
    shade: Kernel
    fused: bool


class CppnGenerator:
    """Draws a CPPN preset.

    Parameters
    ----------
    look
        Network, view, palette and surface.
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
    ) -> None:
        self._look = look
        self._fuser = fuser
        self._device = torch.device(device)
        self._precision = precision
        self._tile = tile
        constants = 2 * len(look.net.phases) + len(look.net.signals) + STYLE_SIZE
        self._spec = CppnSpec(
            layers=look.net.layers,
            units=look.net.units,
            activations=tuple(look.net.activations),
            mix=look.net.mix,
            constants=constants,
            gain=look.net.gain,
            bias=look.net.bias,
        )
        self._structure = Structure(
            spec=self._spec,
            fold=look.view.fold,
            mirror=look.view.mirror,
            warp=_moves(look.view.warp),
            relief=_moves(look.surface.relief),
            lines=_moves(look.surface.lines),
        )
        self._wide = look.net.units >= _WIDE_UNITS
        self._dtype = torch.float32
        self._kernels = _Kernels(self._structure.field, self._structure.shade, fused=False)
        self._nets: dict[int, tuple[CppnWeights, CppnWeights]] = {}

    # Plan ---------------------------------------------------------------------------------------------

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Evaluate every moving parameter and network input at every frame."""
        look = self._look
        curves: dict[str, np.ndarray] = {}
        for section in ("view", "palette", "surface"):
            part = getattr(look, section)
            for field in type(part).model_fields:
                value = getattr(part, field)
                if isinstance(value, Modulation):
                    name = f"{section}.{field}"
                    low, high = _RANGES.get(name, (-1e6, 1e6))
                    curve = modulate(value, signals)
                    curves[name] = np.mod(curve, 1.0) if name in _WRAPPED else np.clip(curve, low, high)
        swing = signals.curves["evolve"] if "evolve" in signals.curves else np.zeros(signals.frames)
        curves["evolution"] = look.net.evolution * np.sin(2 * np.pi * swing)
        for name in look.net.phases:
            turns = 2 * np.pi * np.mod(signals.curves[name], 1.0)
            curves[f"input.{name}.cos"] = np.cos(turns)
            curves[f"input.{name}.sin"] = np.sin(turns)
        for name, amount in look.net.signals.items():
            curves[f"input.{name}"] = amount * signals.curves[name]
        for k in range(STYLE_SIZE):
            curves[f"input.style.{k}"] = style_curve[:, k]
        rows = np.stack(list(curves.values()), 1).astype(np.float32)
        return Trajectory(rows, tuple(curves), {"generator": self.name, "seed": seed})

    # Draw ---------------------------------------------------------------------------------------------

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose and warm up the numeric path for a film of this size; give its name."""
        with torch.no_grad():
            if self._wide:
                self._dtype = self._calibrate(trajectory)
            if self._fuser.available:
                self._warm_up(trajectory, size)
        kernels = "fused" if self._kernels.fused else "eager"
        return f"{kernels}-{str(self._dtype).removeprefix('torch.')}-{self._device.type}"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1."""
        grids = self._grids(size)
        for frame in range(start, stop):
            with torch.no_grad():
                yield self._draw(trajectory, frame, size, grids, self._dtype)

    def _draw(
        self, trajectory: Trajectory, frame: int, size: Size, grids: _Grids, dtype: torch.dtype
    ) -> Float[Tensor, "3 height width"]:
        row = trajectory.row(frame)
        net = self._net_at(trajectory, row)
        view = view_vector(row, warp_scale=self._look.view.warp_scale).to(self._device)
        light = light_vector(row, self._look.palette, size).to(self._device)
        packed = None if self._wide else pack(net).to(self._device)
        picture = torch.empty(3, size.height, size.width, device=self._device)
        step = self._band_rows(size)
        for top in range(0, size.height, step):
            bottom = min(top + step, size.height)
            y_outer = grids.y_outer[top : bottom + 2]
            if packed is None:
                planes = self._field_of_wide_net(net, grids.x_outer, y_outer, view, dtype)
            else:
                planes = self._kernels.field(grids.x_outer, y_outer, view, packed)
            picture[:, top:bottom] = self._kernels.shade(planes, grids.x, grids.y[top:bottom], light)
        return picture

    def _field_of_wide_net(
        self, net: CppnWeights, x: Tensor, y: Tensor, view: Tensor, dtype: torch.dtype
    ) -> Float[Tensor, "3 rows columns"]:
        coordinates = self._structure.coordinates(x, y, view)
        shape = coordinates[0].shape
        tile = max(16, self._tile // 16 * 16) if self._tile else _TILE_PIXELS
        outputs = evaluate_tiles(net, torch.stack(coordinates).reshape(3, -1), tile=tile, dtype=dtype)
        return self._structure.squash(list(outputs.reshape(3, *shape)), view)

    def _band_rows(self, size: Size) -> int:
        if self._device.type != "cpu":
            return size.height
        pixels = _FUSED_BAND_PIXELS if self._kernels.fused else _EAGER_BAND_PIXELS
        if self._tile and not self._wide:
            pixels = self._tile
        return max(1, min(size.height, pixels // (size.width + 2)))

    def _grids(self, size: Size) -> _Grids:
        x, y = pixel_grid(size, device=self._device)
        x_outer, y_outer = pixel_grid(size, border=1, device=self._device)
        return _Grids(x, y, x_outer, y_outer)

    # Networks and numeric path ------------------------------------------------------------------------

    def _net_at(self, trajectory: Trajectory, row: dict[str, float]) -> CppnWeights:
        """Give a frame's network: evolved, with the frame's constant inputs folded in."""
        first, second = self._pair(int(trajectory.fixed["seed"]))
        constants = torch.tensor([value for name, value in row.items() if name.startswith("input.")])
        return fold_constants(blend(first, second, row["evolution"]), constants)

    def _pair(self, seed: int) -> tuple[CppnWeights, CppnWeights]:
        if seed not in self._nets:
            nets = []
            for index in range(2):
                state = seed_sequence(seed, "cppn.weights", index).generate_state(1, np.uint64)[0]
                nets.append(initialise(self._spec, torch.Generator().manual_seed(int(state >> 1))))
            self._nets[seed] = (nets[0], nets[1])
        return self._nets[seed]

    def _calibrate(self, trajectory: Trajectory) -> torch.dtype:
        """Take half precision only where calibration frames agree with float32 at 40 dB or more."""
        if self._precision == "float32":
            return torch.float32
        half = {"float16": torch.float16}.get(self._precision, torch.bfloat16)
        if self._precision == "auto" and self._device.type == "cuda":
            half = torch.float16
        size = Size(128, 72)
        grids = self._grids(size)
        for share in _CALIBRATION_MOMENTS:
            frame = int(share * (trajectory.frames - 1))
            exact, rough = (self._draw(trajectory, frame, size, grids, d) for d in (torch.float32, half))
            error = float(((exact - rough) ** 2).mean())
            if error > 10 ** (-CALIBRATION_PSNR_DB / 10):
                return torch.float32
        return half

    def _warm_up(self, trajectory: Trajectory, size: Size) -> None:
        """Compile what this structure needs and has not been compiled yet."""
        row = trajectory.row(0)
        grids = self._grids(Size(min(size.width, 64), min(size.height, 36)))
        view = view_vector(row, warp_scale=self._look.view.warp_scale).to(self._device)
        light = light_vector(row, self._look.palette, size).to(self._device)
        field: Kernel | None = self._structure.field
        if not self._wide:
            packed = pack(self._net_at(trajectory, row)).to(self._device)
            arguments = (grids.x_outer, grids.y_outer, view, packed)
            field = self._fuser.fuse(("field", self._structure), self._structure.field, *arguments)
        planes = torch.rand(3, len(grids.y) + 2, grids.x.shape[1] + 2).to(self._device)
        drawn = self._fuser.fuse(
            ("shade", self._structure.relief, self._structure.lines),
            self._structure.shade,
            planes,
            grids.x,
            grids.y,
            light,
        )
        if field is not None and drawn is not None:
            self._kernels = _Kernels(field, drawn, fused=True)


def _moves(parameter: Modulation) -> bool:
    return parameter.base != 0.0 or bool(parameter.by)
