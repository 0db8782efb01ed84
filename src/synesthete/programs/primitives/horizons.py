"""Fields with a horizon: spectrograms and landscapes made of them, seas, floors, mountains, and a city."""

import torch
from torch import Tensor

from synesthete.programs.antialias import edge, fade, falloff, line, mod1, pulse_train
from synesthete.programs.heard import look_up, look_up_plane
from synesthete.programs.noise import PERIOD, hash_cell
from synesthete.programs.parameters import choice, count, real, travel, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Heard, field

__all__ = ["grid_floor", "mountains", "sea", "skyline", "terrain", "waterfall"]

_TURN = 6.2831853
_ROWS_A_SECOND = 32.0
_BANDS = 64


@field(hears=("past",))
def waterfall(
    at: Place,
    heard: Heard,
    *,
    view: str = choice("down", "up", "away"),
    order: str = choice("across", "mirrored"),
    span: Tensor = real(3.0, 0.5, 3.9),
    contrast: Tensor = real(0.4, 0.0, 1.0),
    onsets: Tensor = real(0.5, 0.0, 1.0),
    age: Tensor = real(0.5, 0.0, 1.0),
    horizon: Tensor = real(-0.35, -0.7, 0.3),
) -> Plane:
    """The spectra of the last moments, flowing down, up, or away over the ground to a horizon.

    Span is the time shown, in seconds; onsets make visible where it became louder, age darkens the past;
    mirrored has low notes in the middle.
    """
    if view == "away":
        depth = torch.clamp((at.v - horizon) / (at.high - horizon), min=0.02)
        back, reach = 0.3 / depth - 0.3, 0.3 * at.dv / ((at.high - horizon) * depth * depth)
        back, reach = back * 0.6, reach * 0.6
        across = at.u / (at.wide * (0.2 + 0.8 * depth))
        reach_across = at.du / (at.wide * (0.2 + 0.8 * depth))
        ground = edge(horizon + 0.02 * (at.high - horizon) - at.v, at.dv)
    else:
        back = 0.5 + 0.5 * at.v / at.high
        back = back if view == "down" else 1.0 - back
        reach = 0.5 * at.dv / at.high
        across, reach_across = at.u / at.wide, at.du / at.wide
        ground = edge(torch.abs(at.v) - at.high, at.dv)
    shown = ground * edge(torch.abs(across) - 1.0, reach_across)
    band = (0.5 + 0.5 * across if order == "across" else torch.abs(across)) * (_BANDS - 1.0)
    row, half = back * span * _ROWS_A_SECOND, 0.6 + 0.3 * reach * span * _ROWS_A_SECOND
    newer, older = (look_up_plane(heard["past"], row + aside, band) for aside in (-half, half))
    level = 0.5 * (newer + older)
    level = torch.lerp(level, level * level * level, contrast)
    rise = torch.clamp(newer - older, 0.0, 1.0)
    light = (level + onsets * 1.5 * rise) * torch.clamp(1.0 - age * back, min=0.0)
    # What is further away than rows can be told apart is dark.
    return torch.clamp(light, 0.0, 1.0) * shown * fade(2.0 * reach)


@field(hears=("past",))
def terrain(
    at: Place,
    heard: Heard,
    *,
    view: str = choice("away", "flat"),
    order: str = choice("mirrored", "across"),
    lines: Tensor = real(16.0, 6.0, 24.0),
    height: Tensor = real(0.8, 0.0, 1.0),
    width: Tensor = real(0.009, 0.003, 0.03),
    span: Tensor = real(2.5, 0.5, 3.9),
    horizon: Tensor = real(-0.5, -0.7, 0.2),
    fog: Tensor = real(0.5, 0.0, 1.0),
) -> Plane:
    """Spectra as ridges, one behind the other, that hide what is behind them; the newest in front.

    Lines counts them, span is the time between the first and the last, in seconds, fog darkens the far ones.
    """
    ground = at.high - horizon
    squeeze = (2.2 if view == "away" else 1.0) / lines
    # A ridge is at most 2.6 steps high: only the three whose feet are next below a pixel can cover it.
    upper = at.v - 0.5 * (width + at.spread)
    if view == "away":
        # Ridges lie ever closer towards the horizon, by the same factor each.
        place = -torch.log(torch.clamp((upper - horizon) / ground, min=0.01)) / squeeze
        nearest = torch.floor(place)
        scale, tallest = torch.exp(-squeeze * nearest), 1.0 - torch.exp(-2.6 * squeeze)
    else:
        place = (at.high - upper) / (ground * squeeze)
        nearest = torch.floor(place)
        scale, tallest = torch.ones_like(nearest), 2.6 * squeeze
    spectra = heard["past"].reshape(*heard["past"].shape[:-2], -1)
    light, seen = torch.zeros_like(place + at.u), torch.ones_like(place + at.u)
    for step in (2.0, 1.0, 0.0):
        number = nearest - step
        if view == "away":
            small = scale * torch.exp(squeeze * step)
            foot, across = horizon + ground * small, at.u / (at.wide * (0.25 + 0.75 * small))
        else:
            small = scale
            foot, across = at.high - (ground * squeeze) * number, at.u / (0.7 * at.wide)
        band = (0.5 + 0.5 * across if order == "across" else torch.abs(across)) * (_BANDS - 1.0)
        row = _BANDS * torch.clamp(torch.round(number * (span * _ROWS_A_SECOND / lines)), 0.0, 127.0)
        left = look_up(spectra, row + torch.clamp(band - 0.3, min=0.0))
        right = look_up(spectra, row + torch.clamp(band + 0.3, max=_BANDS - 1.0))
        level = 0.5 * (left + right)
        # Loud bands stand out; ridges come down at their ends.
        high = (height * ground * tallest) * small * torch.clamp(3.0 - 3.0 * across * across, 0.0, 1.0)
        slope = high * (0.3 + 1.4 * level) * (right - left) * (_BANDS / 0.6 * 0.7)
        distance = (at.v - foot + high * level * (0.3 + 0.7 * level)) * torch.rsqrt(1.0 + slope * slope)
        there = torch.where((number >= 0.0) & (number < lines), edge(torch.abs(across) - 1.0, at.du), 0.0)
        light = light + seen * there * line(distance, width, at.spread) * (1.0 - fog * number / lines)
        seen = seen * (1.0 - there * edge(-distance, at.spread))
    return torch.clamp(light, 0.0, 1.0)


@field()
def sea(
    at: Place,
    *,
    horizon: Tensor = real(-0.15, -0.4, 0.4),
    height: Tensor = real(0.35, 0.0, 0.55),
    size: Tensor = real(0.22, 0.05, 0.45),
    aside: Tensor = real(0.0, -1.0, 1.0),
    waves: Tensor = real(3.0, 1.0, 4.5),
    swell: Tensor = real(0.5, 0.0, 1.0),
    glow: Tensor = real(0.5, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A sea under a sun or moon, whose light glitters on the waves up to the horizon.

    Height is how high it stands, size its radius, aside where it stands to the left or right; phase moves the
    waves on.
    """
    below, x = at.v - horizon, at.u - aside
    up = x * x + (below + height) * (below + height)
    distance = torch.sqrt(up + 1e-6)
    disc = edge(distance - size, at.spread)
    halo = glow / (1.0 + up / (size * size + 0.05))
    haze = glow * 0.3 * falloff(torch.clamp(-below, min=0.0), torch.full_like(glow, 0.12), at.dv)
    sky = 1.0 - (1.0 - 0.95 * disc) * (1.0 - 0.7 * halo * halo) * (1.0 - haze * halo)
    # Perspective: the nearer to the horizon, the further, and the finer the waves.
    deep = torch.clamp(below, min=0.0) + 0.01
    away = waves / deep
    reach_x, reach_z = away * at.du, away * at.dv * (0.5 + torch.abs(x)) / deep
    turn = _TURN * phase
    lean = torch.zeros_like(away)
    lost = torch.zeros_like(away)
    for k, (across, along, pace) in enumerate(
        ((0.7, 0.8, 1.0), (-1.9, 1.5, 2.0), (3.7, 2.6, -2.0), (-6.1, 4.3, 3.0))
    ):
        clear = fade((abs(across) * reach_x + along * reach_z) / _TURN * 1.2)
        lean = lean + clear * torch.sin(away * (across * x + along) + pace * turn + 1.7 * k)
        lost = lost + (1.0 - clear * clear)
    # A wave's slope turns the mirrored sky up or down; slopes finer than a pixel smear it.
    rough = 0.05 + swell * 0.3
    seen = 0.6 * deep + rough * lean - height
    wide = size * (1.0 + 0.8 * swell * deep)
    smear = size * size + rough * rough * 0.5 * lost
    drift = x + swell * 0.3 * deep * lean
    spot = drift * drift / (wide * wide) + seen * seen / smear
    glint = torch.clamp(1.3 - 0.8 * spot, 0.0, 1.0) * size * torch.rsqrt(smear)
    sheen = glow * 0.45 * (1.0 + 0.5 * lean) / ((1.0 + x * x) * (1.0 + 3.0 * deep))
    sea_light = glint * glint * (3.0 - 2.0 * glint) * 0.9
    sea_light = sea_light + (1.0 - sea_light) * torch.clamp(sheen, 0.0, 1.0) * 0.6
    return torch.clamp(torch.lerp(sky, sea_light, edge(-below, at.dv)), 0.0, 1.0)


@field()
def grid_floor(
    at: Place,
    *,
    view: str = choice("floor", "both"),
    horizon: Tensor = real(-0.05, -0.5, 0.5),
    cells: Tensor = real(2.5, 1.0, 5.0),
    width: Tensor = real(0.04, 0.01, 0.15),
    glow: Tensor = real(0.5, 0.0, 1.0),
    dawn: Tensor = real(0.5, 0.0, 1.0),
    sun: Tensor = real(0.38, 0.0, 0.7),
    fog: Tensor = real(0.25, 0.05, 1.0),
    way: Tensor = travel(1.0),
) -> Plane:
    """A grid of glowing lines on the floor, running to a horizon with a striped sun; or above it as well.

    Cells counts lines along a unit in front, dawn is the light over the horizon, sun the sun's radius, fog
    hides the distance; way moves forward.
    """
    below = at.v - horizon
    deep = torch.abs(below) if view == "both" else torch.clamp(below, min=1e-3)
    deep = deep + 1e-3
    x, z = at.u * cells / deep, cells / deep + way
    skew = at.u * at.dv / deep
    reach_x = cells * torch.sqrt(at.du * at.du + skew * skew) / deep
    reach_z = cells * at.dv / (deep * deep)
    wide, long = pulse_train(x, width, reach_x), pulse_train(z, width, reach_z)
    lines = wide + long - wide * long
    hx, hz = 1.0 - 2.0 * torch.abs(mod1(x + 0.5) - 0.5), 1.0 - 2.0 * torch.abs(mod1(z + 0.5) - 0.5)
    hx, hz = hx * hx, hz * hz
    hx = 0.2 + (hx * hx - 0.2) * fade(2.0 * reach_x)
    hz = 0.2 + (hz * hz - 0.2) * fade(2.0 * reach_z)
    halo = glow * 0.45 * (hx + hz)
    floor = (lines + (1.0 - lines) * halo) * torch.clamp((1.0 + fog) * deep / (deep + fog), max=1.0)
    shine = dawn * falloff(below, torch.full_like(fog, 0.06), at.dv)
    if view == "both":
        return torch.clamp(floor + 0.6 * shine, 0.0, 1.0)
    up = -below
    distance = torch.sqrt(at.u * at.u + (up - 0.35 * sun) * (up - 0.35 * sun) + 1e-6)
    disc = edge(distance - sun, at.spread) * torch.clamp(20.0 * sun, max=1.0)
    # Slits that widen towards the horizon.
    height = up / (sun + 1e-3)
    slits = pulse_train(
        5.0 * height + way, torch.clamp(0.75 - 0.75 * height, 0.0, 0.8), 5.0 * at.dv / (sun + 1e-3)
    )
    face = disc * (1.0 - slits) * (0.45 + 0.5 * torch.clamp(height, 0.0, 1.0))
    halo = (
        0.35
        * dawn
        * torch.clamp(20.0 * sun, max=1.0)
        * falloff(torch.clamp(distance - sun, min=0.0), 0.25 + 0.3 * sun, at.spread)
        * (1.0 - disc)
    )
    sky = face + halo * halo * 2.0 + 0.8 * shine
    ground = edge(-below, at.dv)
    return torch.clamp(torch.lerp(sky, floor + 0.8 * shine * shine, ground), 0.0, 1.0)


@field()
def mountains(
    at: Place,
    *,
    layers: int = count(4, 2, 4),
    base: Tensor = real(0.65, 0.0, 1.0),
    height: Tensor = real(0.9, 0.4, 1.4),
    cells: Tensor = real(0.8, 0.4, 1.6),
    jagged: Tensor = real(0.6, 0.0, 1.0),
    haze: Tensor = real(0.7, 0.3, 1.0),
    rim: Tensor = real(0.3, 0.0, 1.0),
    glow: Tensor = real(0.8, 0.3, 1.0),
    way: Tensor = travel(PERIOD),
) -> Plane:
    """Ranges of mountains one behind the other, the further the hazier, gliding by at different speeds.

    Base is where the nearest stands, rim the light on their ridges, glow the sky's behind them.
    """
    over = torch.clamp((base - 0.55 * height - at.v) / (0.5 * height + 0.1), min=-0.5)
    light = glow * 0.8 / (1.0 + over + over * over) + torch.zeros_like(at.u)
    for k in range(layers):
        near = (k + 1.0) / layers
        fine = cells * (0.6 + 0.5 * near)
        x = at.u * fine + (k + 1.0) * way + 7.5 * k
        i = torch.floor(x)
        s = x - i
        body = torch.lerp(_peak(i, k), _peak(i + 1.0, k), s * s * (3.0 - 2.0 * s))
        # Crags: triangle waves that repeat after PERIOD, bent by the form so that they never line up.
        crags = torch.zeros_like(body)
        for often, size in ((179.0 / PERIOD, 0.2), (437.0 / PERIOD, 0.11), (1011.0 / PERIOD, 0.06)):
            crag = torch.abs(mod1(often * x + 1.7 * body) - 0.5) - 0.25
            crags = crags + (size * fade(often * fine * at.du)) * crag
        tall = height * (0.8 - 0.4 * near)
        top = base - 0.8 * height * (1.0 - near) - tall * (body - 0.4 + 2.0 * jagged * crags)
        distance = at.v - top
        inside = edge(-distance, at.dv + at.du * (tall * fine * (0.7 + 3.5 * jagged)))
        # Mist gathers below, and more in the distance.
        far = 1.0 - near
        mist = haze * far * (0.25 + 0.7 * torch.clamp(distance / (0.7 * tall + 0.1), 0.0, 1.0))
        ridge = torch.clamp(1.0 - distance / (0.02 + 0.06 * tall), 0.0, 1.0)
        light = torch.lerp(light, mist + rim * ridge * ridge * (0.35 + 0.4 * far) * (1.0 - mist), inside)
    return torch.clamp(light, 0.0, 1.0)


def _peak(i: Plane, seed: float) -> Plane:
    """Give a random height, 0-1, for a whole number; it repeats after `PERIOD`."""
    p = mod1((i - PERIOD * torch.floor(i / PERIOD)) * 0.1031 + 0.137 * seed)
    p = p * (p + 33.33)
    return mod1(p * (p + p))


@field(hears=("spectrum",))
def skyline(
    at: Place,
    heard: Heard,
    *,
    order: str = choice("mirrored", "across"),
    houses: int = count(14, 6, 20),
    ground: Tensor = real(0.55, 0.2, 0.9),
    base: Tensor = real(0.15, 0.0, 0.5),
    height: Tensor = real(1.1, 0.2, 1.5),
    lights: Tensor = real(0.5, 0.1, 1.0),
    rim: Tensor = real(0.5, 0.0, 1.0),
    glow: Tensor = real(0.5, 0.0, 1.0),
    water: Tensor = real(0.5, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A city by night, whose houses are as high as their bands are loud, with lit windows, by the water.

    Ground is where the water begins, base how high houses are in silence, lights the share of windows that
    are lit, water how much of the city it mirrors; phase lets windows go on and off, and moves the water.
    """
    below = at.v - ground
    depth = torch.clamp(below, min=0.0)
    along_water = 1.0 / (0.3 + depth)
    ripple = torch.sin(34.0 * depth * along_water + _TURN * phase) * fade(
        2.0 * at.dv * along_water * along_water
    )
    u = at.u + 0.06 * depth * ripple
    up = torch.abs(below)
    light = 0.45 * glow / (1.0 + up * up * 8.0) + torch.zeros_like(u)
    for layer in range(2):
        # Those behind are narrower, dimmer and higher.
        many, shift, near = houses * (1.5 - 0.5 * layer), 0.37 * (1 - layer), 0.45 + 0.55 * layer
        along = (0.5 + 0.5 * u / at.wide) * many + shift
        reach = 0.5 * at.du / at.wide * many
        i = torch.floor(along)
        h = _peak(i, 3.0 + layer)
        middle = (i + 0.5 - shift) / many
        band = (torch.abs(2.0 * middle - 1.0) if order == "mirrored" else middle) * (_BANDS - 1.0)
        level = look_up(heard["spectrum"], band) * height * (1.1 - 0.25 * layer)
        top = up - base * (0.5 + h) - level * (0.65 + 0.35 * mod1(5.0 * h))
        aside, wide = along - i - 0.5, 0.75 + 0.23 * mod1(11.0 * h)
        wall = line(aside, wide, reach)
        # Windows are counted from the ground up: a house that grows shows more of them.
        x, y = (aside / wide + 0.5) * 4.0, up * 22.0
        wx, wy = torch.floor(x), torch.floor(y)
        lamp = hash_cell(4.0 * i + wx, wy, 9.0 + layer)
        wave = torch.abs(2.0 * mod1(phase + 3.0 * lamp) - 1.0)
        on = torch.clamp(5.0 * (wave - 1.0 + 1.2 * lights), 0.0, 1.0) * (0.4 + 0.6 * lamp)
        pane = line(x - wx - 0.5, torch.full_like(rim, 0.5), 4.0 * reach / wide) * line(
            y - wy - 0.5, torch.full_like(rim, 0.45), 22.0 * at.dv
        )
        pane = near * on * pane * edge(top + 0.02, at.dv)
        roof = rim * near * line(top, torch.full_like(rim, 0.012), at.dv)
        house = edge(top, at.dv)
        light = light + wall * (house * (pane - light) + roof * (1.0 - torch.lerp(light, pane, house)))
    mirrored = water * (0.6 - 0.45 * torch.clamp(depth, max=1.0))
    return torch.clamp(light * (1.0 + (mirrored - 1.0) * edge(-below, at.dv)), 0.0, 1.0)
