"""Fields that show the sound's wave: as a line, as a ring, and as the figure of its two channels."""

from itertools import pairwise

import torch
from torch import Tensor

from synesthete.programs.antialias import line, smooth
from synesthete.programs.heard import FIGURE_SIDE, look_up, look_up_plane
from synesthete.programs.parameters import choice, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Heard, field

__all__ = ["scope", "scope_ring", "vectorscope"]

_TURN = 6.2831853
_SAMPLES = 512
_MIDDLE = 0.5 * (_SAMPLES - 1)
_FADED = 96
"""Samples over which the ring's end is crossfaded into its start."""

_FINEST = 0.014
"""Least width of the bell that smooths a line, normalised units: what a picture of 72 lines can show."""

_ROUND = _SAMPLES - _FADED
_MARGIN = 0.5 * _FADED


@field(hears=("wave",))
def scope(
    at: Place,
    heard: Heard,
    *,
    channels: str = choice("mono", "stereo"),
    gain: Tensor = real(1.5, 0.2, 4.0),
    span: Tensor = real(1.0, 0.15, 1.0),
    tie: Tensor = real(0.5, 0.0, 1.0),
    smoothness: Tensor = real(0.2, 0.0, 1.0),
    thickness: Tensor = real(0.02, 0.004, 0.08),
    glow: Tensor = real(0.5, 0.0, 1.0),
) -> Plane:
    """The sound's wave as a glowing line across the screen; stereo: left above right.

    Span is the part of 23 ms that is seen, smoothness evens the line, and tie holds its ends like a string's.
    However loud it is, it stays on the screen.
    """
    left, right = heard["wave"][..., 0, :], heard["wave"][..., 1, :]
    rows = [(0.5 * (left + right), 0.0, 1.0)]
    if channels == "stereo":
        rows = [(left, -0.5, 0.5), (right, 0.5, 0.5)]
    per_unit = _MIDDLE * span / at.wide
    across = torch.clamp(at.u / at.wide, -1.0, 1.0)
    held = at.high * (1.0 - tie * across * across * across * across)
    step = torch.maximum(0.5 + 5.0 * smoothness, per_unit * torch.clamp(0.4 * thickness, min=_FINEST))
    planes = []
    for wave, height, size in rows:
        curve = _Curve(_limited(wave, gain), step, 0.06 * per_unit)
        away = at.v - height * at.high
        planes.append(
            curve.drawn(_MIDDLE + at.u * per_unit, per_unit, -away, -size * held, thickness, glow, at.spread)
        )
    return planes[0] if len(planes) == 1 else torch.maximum(*planes)


@field(hears=("wave",))
def scope_ring(
    at: Place,
    heard: Heard,
    *,
    phase: Tensor = turns(),
    radius: Tensor = real(0.5, 0.2, 0.8),
    gain: Tensor = real(1.5, 0.2, 4.0),
    smoothness: Tensor = real(0.2, 0.0, 1.0),
    thickness: Tensor = real(0.02, 0.004, 0.08),
    glow: Tensor = real(0.5, 0.0, 1.0),
) -> Plane:
    """The sound's wave around a circle, its ends crossfaded so that it closes; phase turns it.

    However loud it is, it neither crosses the centre nor grows beyond twice the radius.
    """
    left, right = heard["wave"][..., 0, :], heard["wave"][..., 1, :]
    wave = _closed(_limited(0.5 * (left + right), gain))
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    turn = torch.atan2(at.u, -at.v) / _TURN - phase
    place = _MARGIN + _ROUND * (turn - torch.floor(turn))
    # Samples along one unit of the circle that passes through the pixel.
    per_unit = (_ROUND / _TURN) / torch.clamp(from_centre, min=0.25 * radius)
    around = (_ROUND / _TURN) / radius
    step = torch.maximum(0.5 + 5.0 * smoothness, around * torch.clamp(0.4 * thickness, min=_FINEST))
    curve = _Curve(wave, step, 0.06 * around)
    return curve.drawn(place, per_unit, radius - from_centre, radius, thickness, glow, at.spread)


class _Curve:
    """A wave as a line of even thickness: tables are prepared once, and looked at by every pixel."""

    def __init__(self, wave: Tensor, step: Tensor, wide: Tensor) -> None:
        self.line = _softened(wave, step)
        self.ground = _softened(self.line, wide)
        self.extent = _softened(torch.abs(self.line - self.ground), wide)

    def drawn(
        self,
        place: Plane,
        per_unit: Plane,
        zero: Plane,
        size: Plane,
        thickness: Tensor,
        glow: Tensor,
        reach: Plane,
    ) -> Plane:
        """Draw it, where the wave's value x lies ``zero + size · x`` away from the pixel, across.

        Parameters
        ----------
        place
            Where on the wave the pixel lies, samples.
        per_unit
            Samples in one unit along.
        """
        apart = 0.6 * torch.maximum(thickness, reach)
        ways = [
            zero + size * look_up(self.line, place + k * apart * per_unit) for k in (-1.5, -0.5, 0.5, 1.5)
        ]
        # The distance to a bit of polyline around the pixel: the true one as far as the line is thick, so
        # that neither slopes nor peaks change its thickness.
        nearest = torch.full_like(thickness, 1e6)
        for k, (start, end) in enumerate(pairwise(ways)):
            x, rise = apart * (k - 1.5), end - start
            share = torch.clamp(-(x * apart + start * rise) / (apart * apart + rise * rise), 0.0, 1.0)
            px, py = x + share * apart, start + share * rise
            nearest = torch.minimum(nearest, px * px + py * py)
        core = line(torch.sqrt(nearest + 1e-9), thickness, reach)
        extent = torch.abs(size) * look_up(self.extent, place)
        far = (zero + size * look_up(self.ground, place)) / (0.08 + 2.0 * thickness + 1.5 * extent)
        halo = 1.0 / (1.0 + far * far)
        return core + (1.0 - core) * 0.5 * glow * halo * halo


def _limited(wave: Tensor, gain: Tensor) -> Tensor:
    """Make a wave louder, with a soft limit of 0.85."""
    raised = (gain * (wave / 0.85)[..., None, :])[..., 0, :]
    return 0.85 * raised * torch.rsqrt(1.0 + raised * raised)


def _softened(table: Tensor, step: Tensor) -> Tensor:
    """Smooth a wave by a bell of about two steps to each side."""
    places = torch.arange(_SAMPLES, device=table.device, dtype=table.dtype)[None, :]
    for scale in (1.0, 0.5):
        sides = look_up(table, places - scale * step) + look_up(table, places + scale * step)
        table = (0.25 * sides + 0.5 * table[..., None, :])[..., 0, :]
    return table


def _closed(table: Tensor) -> Tensor:
    """Give a wave that repeats after `_ROUND` samples, from `_MARGIN` before its start on."""
    places = torch.arange(_SAMPLES, device=table.device, dtype=table.dtype)[None, :] - _MARGIN
    places = places - _ROUND * torch.floor(places / _ROUND)
    end = look_up(table, places + _ROUND)
    return torch.lerp(end, look_up(table, places), smooth(0.0, float(_FADED), places))[..., 0, :]


@field(hears=("figure",))
def vectorscope(
    at: Place,
    heard: Heard,
    *,
    size: Tensor = real(1.2, 0.5, 2.5),
    sharpness: Tensor = real(0.3, 0.0, 1.0),
    light: Tensor = real(4.0, 1.0, 12.0),
) -> Plane:
    """Left against right, as a beam on glass: mono stands upright, wide sound spreads.

    Light lifts the fast parts of the beam, sharpness thins it.
    """
    per_unit = (FIGURE_SIDE - 1.0) / (2.5 * size)
    middle = 0.5 * (FIGURE_SIDE - 1.0)
    column, row = middle + at.u * per_unit, middle + at.v * per_unit
    across = torch.clamp(0.25 * at.du * per_unit, min=0.35)
    along = torch.clamp(0.25 * at.dv * per_unit, min=0.35)
    total = torch.zeros_like(row + column)
    for right, down in ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)):
        value = look_up_plane(heard["figure"], row + down * along, column + right * across)
        value = light * value / (1.0 + (light - 1.0) * value)
        total = total + value * (1.0 - sharpness + sharpness * value)
    return 0.25 * total
