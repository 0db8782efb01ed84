"""Fields that show the sound: its spectrum as bars, and its pitch classes as petals."""

import torch
from torch import Tensor

from synesthete.programs.antialias import edge, line, pulse_train
from synesthete.programs.heard import look_up
from synesthete.programs.parameters import choice, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Heard, field

__all__ = ["chroma_wheel", "spectrum_bars", "spectrum_ring", "spectrum_rows"]

_TURN = 6.2831853


@field(hears=("spectrum",))
def spectrum_bars(
    at: Place,
    heard: Heard,
    *,
    base: str = choice("middle", "edge"),
    bars: Tensor = real(40.0, 8.0, 64.0),
    height: Tensor = real(0.9, 0.1, 1.0),
    contrast: Tensor = real(0.5, 0.0, 1.0),
    gap: Tensor = real(0.35, 0.05, 0.8),
    foot: Tensor = real(0.2, 0.0, 1.0),
    softness: Tensor = real(0.0, 0.0, 1.0),
    cap: Tensor = real(0.7, 0.0, 1.0),
    glow: Tensor = real(0.4, 0.0, 1.0),
) -> Plane:
    """Bars of the spectrum side by side, low notes on the left, on the lower edge or about the middle.

    Each is as high as its part of the spectrum is loud (contrast raises the loud above the soft), dark at its
    foot, and carries a cap; softness lets its top melt.
    """
    along, reach = 0.5 + 0.5 * at.u / at.wide, 0.5 * at.du / at.wide
    rise, whole = (at.high - at.v, 2.0 * at.high) if base == "edge" else (torch.abs(at.v), at.high)
    ends = edge(torch.abs(at.u) - at.wide, at.du)
    level, cover = _bar(heard["spectrum"], along, reach, bars, gap, contrast)
    return ends * cover * _body(level, rise, level * height * whole, at.dv, foot, softness, cap, glow)


@field(hears=("spectrum",))
def spectrum_rows(
    at: Place,
    heard: Heard,
    *,
    base: str = choice("middle", "edge"),
    bars: Tensor = real(28.0, 8.0, 64.0),
    length: Tensor = real(0.9, 0.1, 1.0),
    contrast: Tensor = real(0.5, 0.0, 1.0),
    gap: Tensor = real(0.35, 0.05, 0.8),
    foot: Tensor = real(0.2, 0.0, 1.0),
    softness: Tensor = real(0.3, 0.0, 1.0),
    cap: Tensor = real(0.5, 0.0, 1.0),
    glow: Tensor = real(0.4, 0.0, 1.0),
) -> Plane:
    """Bars of the spectrum above one another, low notes below, from the left edge or about the middle.

    Otherwise as `spectrum_bars`.
    """
    along, reach = 0.5 - 0.5 * at.v / at.high, 0.5 * at.dv / at.high
    rise, whole = (at.u + at.wide, 2.0 * at.wide) if base == "edge" else (torch.abs(at.u), at.wide)
    ends = edge(torch.abs(at.v) - at.high, at.dv)
    level, cover = _bar(heard["spectrum"], along, reach, bars, gap, contrast)
    return ends * cover * _body(level, rise, level * length * whole, at.du, foot, softness, cap, glow)


@field(hears=("spectrum",))
def spectrum_ring(
    at: Place,
    heard: Heard,
    *,
    bars: Tensor = real(44.0, 8.0, 64.0),
    radius: Tensor = real(0.42, 0.15, 0.8),
    length: Tensor = real(0.6, 0.05, 1.0),
    contrast: Tensor = real(0.5, 0.0, 1.0),
    inward: Tensor = real(0.25, 0.0, 1.0),
    gap: Tensor = real(0.4, 0.05, 0.8),
    foot: Tensor = real(0.25, 0.0, 1.0),
    cap: Tensor = real(0.7, 0.0, 1.0),
    rim: Tensor = real(0.5, 0.0, 1.0),
    glow: Tensor = real(0.4, 0.0, 1.0),
) -> Plane:
    """Bars of the spectrum around a circle, low notes below and mirrored, so that the ring closes.

    Bars grow outward, and by a share of that inward; rim is the circle that they stand on. Otherwise as
    `spectrum_bars`.
    """
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    half_turn = torch.abs(torch.atan2(at.u, at.v)) * (2.0 / _TURN)
    reach = at.spread * (2.0 / _TURN) / from_centre
    level, cover = _bar(heard["spectrum"], half_turn, reach, bars, gap, contrast)
    rise = from_centre - radius
    top = level * length
    back = torch.minimum(top * inward, 0.8 * radius)
    outside = _body(level, torch.clamp(rise, min=0.0), top, at.spread, foot, 0.0, cap, glow)
    fall = torch.clamp(-rise / (back + 0.02), 0.0, 1.0)
    inside = edge(-rise - back, at.spread) * _bright(level) * torch.lerp(foot, 0.7 + 0.3 * foot, fall)
    bar = cover * torch.lerp(outside, inside, edge(rise, at.spread))
    return torch.maximum(bar, rim * line(rise, torch.full_like(rim, 0.008), at.spread))


def _bar(
    spectrum: Tensor, along: Plane, reach: Plane, bars: Tensor, gap: Tensor, contrast: Tensor
) -> tuple[Plane, Plane]:
    """Give the level of the bar that is nearest, 0-1, and how much of the pixel lies in bars.

    Parameters
    ----------
    along
        Way across all bars, 0-1.
    """
    many = torch.round(bars)
    bands = spectrum.shape[-1] / many
    # A table of bars: each is as loud as the loudest of what it shows, looked at in seven places.
    places = torch.arange(spectrum.shape[-1], device=spectrum.device, dtype=spectrum.dtype)[None, :]
    centres = (places + 0.5) * bands - 0.5
    loud = look_up(spectrum, centres)
    for way in (1.0 / 6.0, 1.0 / 3.0, 0.5):
        aside = way * (bands - 1.0)
        loud = torch.maximum(loud, look_up(spectrum, centres - aside))
        loud = torch.maximum(loud, look_up(spectrum, centres + aside))
    levels = loud * torch.clamp(1.0 + contrast * (1.25 * loud - 1.0), max=1.0)
    place = along * many
    cell = torch.minimum(torch.clamp(torch.floor(place), min=0.0), many - 1.0)
    level = look_up(levels[..., 0, :], cell)
    return level, pulse_train(place - 0.5, 1.0 - gap, many * reach)


def _bright(level: Plane) -> Plane:
    return torch.clamp(0.35 + level, max=1.0)


def _body(
    level: Plane,
    rise: Plane,
    top: Plane,
    reach: Plane,
    foot: Tensor,
    softness: Tensor | float,
    cap: Tensor,
    glow: Tensor,
) -> Plane:
    """Draw a bar along its length: darker at the foot, a cap and a glow above it."""
    upward = torch.clamp(rise / (top + 1e-3), 0.0, 1.0)
    # What of the pixel has |rise| < top: bars lower than a pixel dim instead of being rounded to one.
    body = line(rise, 2.0 * top, reach + 0.5 * softness * top)
    above = torch.clamp(rise - top, min=0.0)
    far = 0.02 + 0.1 * level
    halo = far / (far + above)
    lid = cap * line(rise - top - 0.022, torch.full_like(cap, 0.014), reach)
    lid = lid * torch.clamp(8.0 * level, max=1.0)
    bright = torch.lerp(foot, torch.ones_like(foot), upward * upward) - lid
    return _bright(level) * (lid + torch.maximum(body * bright, 0.4 * glow * level * halo * halo))


@field(hears=("chroma",))
def chroma_wheel(
    at: Place,
    heard: Heard,
    *,
    order: str = choice("fifths", "semitones"),
    phase: Tensor = turns(),
    inner: Tensor = real(0.12, 0.02, 0.35),
    length: Tensor = real(0.75, 0.25, 1.0),
    width: Tensor = real(0.9, 0.3, 1.3),
    rim: Tensor = real(0.5, 0.0, 1.0),
    glow: Tensor = real(0.35, 0.0, 1.0),
) -> Plane:
    """Twelve petals around a circle, each as long and as bright as its pitch class; phase turns the wheel.

    Inner is the radius that they start from. In the order of fifths, notes of one key lie side by side. C is
    on top.
    """
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    place = 12.0 * (torch.atan2(at.u, -at.v) / _TURN - phase)
    nearest = torch.round(place)
    second = nearest + torch.where(place < nearest, -1.0, 1.0)
    values = []
    for petal in (nearest, second):
        note = (7.0 if order == "fifths" else 1.0) * petal
        loud = look_up(heard["chroma"], note - 12.0 * torch.floor(note / 12.0))
        aside = place - petal
        angle = aside * (_TURN / 12.0)
        x, y = from_centre * torch.cos(angle) - inner, from_centre * torch.sin(angle)
        # A petal is gone where it ceases to be one of the nearest two, so that no seam shows.
        near = 1.0 - aside * aside
        values.append(_petal(x, y, length * loud, loud, near, width, rim, glow, at.spread))
    first, other = values
    return first + other - first * other


def _petal(
    x: Plane,
    y: Plane,
    long: Plane,
    loud: Plane,
    near: Plane,
    width: Tensor,
    rim: Tensor,
    glow: Tensor,
    reach: Plane,
) -> Plane:
    """Draw a petal that lies along x: y² < w²·27/4·t²(1 - t), t = x / long."""
    long = long + 0.03
    t = x / long
    half = 0.25 * width * (long + 0.1)
    form = 6.75 * half * half * torch.abs(t)
    slope = form * (2.0 - 3.0 * t) / long
    away = y * y - form * t * (1.0 - t)
    distance = away * torch.rsqrt(4.0 * y * y + slope * slope + 1e-5)
    inside = edge(distance, reach)
    far = 0.03 + 0.1 * loud
    halo = far / (far + torch.clamp(distance, min=0.0)) * near
    body = inside * (0.15 + 0.5 * torch.clamp(t, 0.0, 1.0)) + (1.0 - inside) * glow * 0.5 * halo * halo
    return torch.clamp(
        loud * (body + rim * line(distance, torch.full_like(rim, 0.012), reach)), 0.0, 1.0
    ) * torch.clamp(4.0 * near, max=1.0)
