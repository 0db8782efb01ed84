"""The CPPN's kernels: field values on a grid of nodes, interpolated to pixels, coloured and lit.

The network is evaluated at every ``step``-th pixel in x and y and interpolated between; its output is
smooth, so nothing is lost where the step is chosen well (`synesthete.generators.cppn` measures that), and
step 1 is exact. What is rich in detail, the bands, relief and lines, is computed at every pixel.

`Structure` fixes what a kernel's code looks like; all that moves, or differs between seeds and songs, comes
in as small vectors of scalars. So one structure is compiled once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.preset import Palette
from synesthete.models.cppn import ACTIVATIONS, CppnSpec, evaluate_units
from synesthete.programs.light import COLOUR_PARAMETERS, SHADE_PARAMETERS, shade, shade_colours
from synesthete.programs.palettes import Stop, oklch_to_display, ramp_coefficients

__all__ = [
    "NODE_BORDER",
    "Structure",
    "colour_vector",
    "interpolation_weights",
    "light_vector",
    "view_vector",
]

NODE_BORDER = 3
"""Nodes needed beyond the number of cells: one before, two after."""

_VIEW = [
    "cos",
    "sin",
    "shift_x",
    "shift_y",
    "radial",
    "warp",
    "warp_scale",
    "warp_phase_x",
    "warp_phase_y",
    "bands",
    "band_phase",
    "exposure",
    "mask",
    "vignette",
]
_FROM_ROW = ["darkness", "relief", "gloss", "lines", "line_count", "line_phase", "line_width"]
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
    colour
        Whether the outputs are colours, and not form, tint and light.
    """

    spec: CppnSpec
    fold: int
    mirror: bool
    warp: bool
    relief: bool
    lines: bool
    colour: bool

    def coordinates(
        self, x: Float[Tensor, "1 columns"], y: Float[Tensor, "rows 1"], view: Float[Tensor, " scalars"]
    ) -> list[Float[Tensor, "rows columns"]]:
        """Turn positions into the network's inputs u, v and r."""
        cos, sin, shift_x, shift_y, radial, warp, scale, phase_x, phase_y = view.unbind()[:9]
        u = x * cos - y * sin + shift_x
        v = x * sin + y * cos + shift_y
        if self.warp:
            u = u + warp * torch.sin(scale * v + phase_x)
            v = v + warp * torch.sin(scale * u + phase_y)
        radius = torch.sqrt(u * u + v * v + _SOFT)
        if self.fold > 1:
            u, v = _fold(u, v, radius, self.fold)
        if self.mirror:
            v = torch.sqrt(v * v + _MIRROR_SOFT)
        return [u, v, radius * radial]

    def squash(
        self, outputs: list[Tensor], x: Tensor, y: Tensor, view: Tensor
    ) -> Float[Tensor, "3 rows columns"]:
        """Turn the network's outputs into what is interpolated: the form's angle, tint and light.

        Colours are interpolated as they are: luma and two colour differences.
        """
        if self.colour:
            return torch.stack(outputs)
        bands, phase, exposure, mask, vignette = view.unbind()[-5:]
        angle = outputs[0] * bands + phase
        spot = 1.0 + mask * (torch.exp(-outputs[2] * outputs[2]) - 1.0)
        radius = x * x + y * y
        light = torch.sqrt(exposure * spot / (1.0 + vignette * radius * radius))
        # Not torch.sigmoid: its last bit depends on where a tile ends, that of tanh does not.
        tint = 0.5 + 0.5 * ACTIVATIONS["tanh"](outputs[1])
        return torch.stack([angle, tint, light])

    def field(self, x: Tensor, y: Tensor, view: Tensor, packed: Tensor) -> Float[Tensor, "3 rows columns"]:
        """Evaluate a tiny network at the nodes."""
        return self.squash(evaluate_units(self.spec, packed, self.coordinates(x, y, view)), x, y, view)

    def widen(
        self,
        nodes: Float[Tensor, "3 rows columns"],
        weights: Float[Tensor, "step 4"],
        slopes: Float[Tensor, "step 4"],
    ) -> Float[Tensor, "4 rows width"]:
        """Interpolate along x: angle, its slope in x, tint and light; ``width = step · cells``."""
        cells = nodes.shape[2] - NODE_BORDER
        # Columns come first, so that the inner loop runs along many rows and not along one short step.
        across = nodes.transpose(1, 2).contiguous()
        taps = [across[:, k : k + cells, None, :] for k in range(4)]
        weight, rise = ([column[:, k, None] for k in range(4)] for column in (weights, slopes))
        values = taps[0] * weight[0] + taps[1] * weight[1] + taps[2] * weight[2] + taps[3] * weight[3]
        angles = [tap[0] for tap in taps]
        slope = angles[0] * rise[0] + angles[1] * rise[1] + angles[2] * rise[2] + angles[3] * rise[3]
        planes = torch.stack([values[0], slope, values[1], values[2]])
        return planes.reshape(4, -1, nodes.shape[1]).transpose(1, 2).contiguous()

    def paint(
        self,
        rows: Float[Tensor, "4 cells_plus_3 width"],
        weights: Float[Tensor, "step 4"],
        slopes: Float[Tensor, "step 4"],
        light: Float[Tensor, " parameters"],
    ) -> Float[Tensor, "3 cells step width"]:
        """Interpolate along y, and colour and light every pixel.

        Parameters
        ----------
        rows
            What `widen` gives, for the cells of a band and their border.
        light
            What `light_vector` gives.
        """
        cells = rows.shape[1] - NODE_BORDER
        if self.colour:
            return self._paint_colours(rows, weights, slopes, light, cells)
        angle = _down(rows[0], weights, cells)
        form = torch.sin(angle).mul_(0.5).add_(0.5)
        slope = None
        if self.relief or self.lines:
            steepness = torch.cos(angle).mul_(0.5)
            slope = (
                _down(rows[1], weights, cells).mul_(steepness),
                _down(rows[0], slopes, cells).mul_(steepness),
            )
        tint, lit = _down(rows[2], weights, cells), _down(rows[3], weights, cells)
        channels = shade(form, slope, tint, lit, light, relief=self.relief, lines=self.lines)
        return torch.stack(list(channels))

    def _paint_colours(
        self, rows: Tensor, weights: Tensor, slopes: Tensor, light: Tensor, cells: int
    ) -> Float[Tensor, "3 cells step width"]:
        luma, red, blue = (_down(rows[plane], weights, cells) for plane in (0, 2, 3))
        slope = None
        if self.relief or self.lines:
            slope = (_down(rows[1], weights, cells), _down(rows[0], slopes, cells))
        channels = shade_colours(luma, red, blue, slope, light, relief=self.relief, lines=self.lines)
        return torch.stack(list(channels))


def _down(rows: Tensor, weights: Tensor, cells: int) -> Float[Tensor, "cells step width"]:
    first, *others = weights[:, :, None].unbind(1)
    value = rows[0:cells, None, :] * first
    for k, weight in enumerate(others, start=1):
        value = value.addcmul_(rows[k : k + cells, None, :], weight)
    return value


def interpolation_weights(
    step: int, spacing: float
) -> tuple[Float[Tensor, "step 4"], Float[Tensor, "step 4"]]:
    """Give the cubic weights of four nodes at each of ``step`` positions, and those of the derivative.

    Parameters
    ----------
    spacing
        Distance between nodes in the units of the derivative.

    References
    ----------
    Keys, "Cubic convolution interpolation for digital image processing", 1981 (a = -1/2).
    """
    t = torch.arange(step, dtype=torch.float64) / step
    t2, t3 = t * t, t * t * t
    weights = [-t / 2 + t2 - t3 / 2, 1 - 2.5 * t2 + 1.5 * t3, t / 2 + 2 * t2 - 1.5 * t3, -t2 / 2 + t3 / 2]
    slopes = [-0.5 + 2 * t - 1.5 * t2, -5 * t + 4.5 * t2, 0.5 + 4 * t - 4.5 * t2, -t + 1.5 * t2]
    return torch.stack(weights, 1).float(), (torch.stack(slopes, 1) / spacing).float()


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
            row["surface.exposure"],
            row["surface.mask"],
            row["surface.vignette"],
        ],
        dtype=torch.float32,
    )


def light_vector(row: Mapping[str, float], palette: Palette, pixel: float) -> Float[Tensor, " scalars"]:
    """Collect the scalars of `synesthete.programs.light.shade` for one frame of pixels of a size."""
    hue = row["palette.hue"]
    values = _lit(row, palette, pixel)
    ramps = [ramp_coefficients(stops, hue_shift=hue).ravel() for stops in (palette.ramp, palette.second)]
    values |= {f"ramp_{i}": float(c) for i, c in enumerate(np.concatenate(ramps))}
    return torch.tensor([values[name] for name in SHADE_PARAMETERS], dtype=torch.float32)


def colour_vector(row: Mapping[str, float], palette: Palette, pixel: float) -> Float[Tensor, " scalars"]:
    """Collect the scalars of `synesthete.programs.light.shade_colours` for one frame."""
    turn = 2 * math.pi * row["palette.hue"]
    values = _lit(row, palette, pixel)
    values |= {"gain": row["surface.exposure"], "hue_cos": math.cos(turn), "hue_sin": math.sin(turn)}
    return torch.tensor([values[name] for name in COLOUR_PARAMETERS], dtype=torch.float32)


def _lit(row: Mapping[str, float], palette: Palette, pixel: float) -> dict[str, float]:
    """Collect what relief, gloss and lines need."""
    hue = row["palette.hue"]
    values = {name: row[f"surface.{name}"] for name in _FROM_ROW}
    values["pixel"] = pixel
    angle, height = 2 * math.pi * row["surface.light_angle"], row["surface.light_height"]
    light = _unit((math.cos(angle), math.sin(angle), height))
    half = _unit((light[0], light[1], light[2] + 1.0))
    values |= dict(zip(("light_x", "light_y", "light_z"), light, strict=True))
    values |= dict(zip(("half_x", "half_y", "half_z"), half, strict=True))
    values |= dict(zip(("accent_r", "accent_g", "accent_b"), _accent(palette.accent, hue), strict=True))
    return values


def _accent(stop: Stop, hue: float) -> list[float]:
    """Give the accent in display values."""
    lightness, chroma, degrees = (np.array([v]) for v in stop)
    display = oklch_to_display(lightness, chroma, degrees + 360.0 * hue)[0]
    return [float(v) for v in display]


def _unit(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    norm = math.sqrt(sum(v * v for v in vector))
    return vector[0] / norm, vector[1] / norm, vector[2] / norm
