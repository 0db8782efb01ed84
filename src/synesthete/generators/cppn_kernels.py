"""The CPPN's kernels: from pixel positions to field planes, from planes to lit colour.

`Structure` fixes what a kernel looks like; all that moves, or differs between seeds and songs, comes in
as two small vectors of scalars. So one structure is compiled once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.preset import Palette
from synesthete.generators.base import Size
from synesthete.models.cppn import CppnSpec, evaluate_units
from synesthete.programs.light import SHADE_PARAMETERS, shade
from synesthete.programs.palettes import Stop, oklch_to_display, ramp_coefficients

__all__ = ["Structure", "light_vector", "view_vector"]

_VIEW = (
    "cos sin shift_x shift_y radial warp warp_scale warp_phase_x warp_phase_y bands band_phase".split()
)
_FROM_ROW = "exposure darkness vignette mask relief gloss lines line_count line_phase line_width".split()
_SOFT = 1e-4
_MIRROR_SOFT = 4e-3


@dataclass(frozen=True)
class Structure:
    """What decides a kernel's code.

    Attributes
    ----------
    spec
        The network's architecture.
    fold, mirror
        Rotational symmetry of order ``fold``, with reflection or without.
    warp, relief, lines
        Which optional stages take part.
    """

    spec: CppnSpec
    fold: int
    mirror: bool
    warp: bool
    relief: bool
    lines: bool

    def coordinates(
        self, x: Float[Tensor, "1 columns"], y: Float[Tensor, "rows 1"], view: Float[Tensor, " scalars"]
    ) -> list[Float[Tensor, "rows columns"]]:
        """Turn pixel positions into the network's inputs u, v and r."""
        cos, sin, shift_x, shift_y, radial, warp, scale, phase_x, phase_y = view.unbind()[:9]
        u = x * cos - y * sin + shift_x
        v = x * sin + y * cos + shift_y
        if self.warp:
            u = u + warp * torch.sin(scale * v + phase_x)
            v = v + warp * torch.sin(scale * u + phase_y)
        square = u * u + v * v + _SOFT
        radius = torch.sqrt(square)
        if self.fold > 1:
            u, v = _fold(u, v, radius, self.fold)
        if self.mirror:
            v = torch.sqrt(v * v + _MIRROR_SOFT)
        return [u, v, radius * radial]

    def squash(self, outputs: list[Tensor], view: Tensor) -> Float[Tensor, "3 rows columns"]:
        """Bring the network's outputs to 0-1: form (in bands), tint and light."""
        bands, phase = view[_VIEW.index("bands")], view[_VIEW.index("band_phase")]
        form = torch.addcmul(phase, outputs[0], bands).sin_().mul_(0.5).add_(0.5)
        tint = (outputs[1] * 2.0).sigmoid_()
        light = torch.exp(-outputs[2] * outputs[2])
        return torch.stack([form, tint, light])

    def field(self, x: Tensor, y: Tensor, view: Tensor, packed: Tensor) -> Float[Tensor, "3 rows columns"]:
        """Evaluate the whole field plane by plane; this is what gets fused."""
        outputs = evaluate_units(self.spec, packed, self.coordinates(x, y, view))
        return self.squash(outputs, view)

    def shade(self, planes: Tensor, x: Tensor, y: Tensor, light: Tensor) -> Float[Tensor, "3 rows columns"]:
        """Colour and light the planes; see `synesthete.programs.light.shade`."""
        return shade(planes, x, y, light, relief=self.relief, lines=self.lines)


def _fold(u: Tensor, v: Tensor, radius: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Multiply the angle by ``order`` at constant radius: powers of a complex number, no arctangent."""
    inverse = 1.0 / radius
    a, b = u * inverse, v * inverse
    re, im = a, b
    for _ in range(order - 1):
        re, im = re * a - im * b, re * b + im * a
    return re * radius, im * radius


def view_vector(row: Mapping[str, float], *, warp_scale: float) -> Float[Tensor, " scalars"]:
    """Collect the scalars of `Structure.coordinates` and `Structure.squash` for one frame."""
    turn = 2 * math.pi
    angle, zoom = turn * row["view.angle"], 1.0 / row["view.zoom"]
    return torch.tensor(
        [
            math.cos(angle) * zoom,
            math.sin(angle) * zoom,
            row["view.shift_x"],
            row["view.shift_y"],
            row["view.radial"],
            row["view.warp"],
            warp_scale,
            turn * row["view.warp_phase"],
            turn * row["view.warp_phase"] + 1.7,
            row["surface.bands"],
            turn * row["surface.band_phase"],
        ],
        dtype=torch.float32,
    )


def light_vector(row: Mapping[str, float], palette: Palette, size: Size) -> Float[Tensor, " scalars"]:
    """Collect the scalars of `synesthete.programs.light.shade` for one frame."""
    hue = row["palette.hue"]
    values = {name: row[f"surface.{name}"] for name in _FROM_ROW}
    values["pixel"] = size.pixel
    angle, height = 2 * math.pi * row["surface.light_angle"], row["surface.light_height"]
    light = _unit((math.cos(angle), math.sin(angle), height))
    half = _unit((light[0], light[1], light[2] + 1.0))
    values |= dict(zip(("light_x", "light_y", "light_z"), light, strict=True))
    values |= dict(zip(("half_x", "half_y", "half_z"), half, strict=True))
    values |= dict(zip(("accent_r", "accent_g", "accent_b"), _accent(palette.accent, hue), strict=True))
    ramps = [ramp_coefficients(stops, hue_shift=hue).ravel() for stops in (palette.ramp, palette.second)]
    coefficients = [float(c) for ramp in ramps for c in ramp]
    values |= {f"ramp_{i}": c for i, c in enumerate(coefficients)}
    return torch.tensor([values[name] for name in SHADE_PARAMETERS], dtype=torch.float32)


def _accent(stop: Stop, hue: float) -> list[float]:
    """Give the accent in linear light."""
    lightness, chroma, degrees = (np.array([v]) for v in stop)
    display = oklch_to_display(lightness, chroma, degrees + 360.0 * hue)[0]
    return [float(v) ** 2 for v in display]


def _unit(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    norm = math.sqrt(sum(v * v for v in vector))
    return vector[0] / norm, vector[1] / norm, vector[2] / norm
