"""Fields on grids: tiles, mosaics, lines, dots, weaves, circuits, and the spectrum in tiles and segments."""

import torch
from torch import Tensor

from synesthete.programs.antialias import edge, fade, falloff, line, mod1, pulse_train, smooth
from synesthete.programs.heard import look_up, look_up_plane
from synesthete.programs.noise import hash_cell
from synesthete.programs.parameters import choice, count, real, travel, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Heard, field

__all__ = ["circuit", "dots", "equaliser", "grid_lines", "heatmap", "mosaic", "tiles", "weave"]

_TURN = 6.2831853
_ROWS_A_SECOND = 32.0


@field()
def tiles(
    at: Place,
    *,
    shape: str = choice("square", "disc", "diamond"),
    cells: Tensor = real(3.5, 1.5, 6.0),
    gap: Tensor = real(0.14, 0.08, 0.4),
    level: Tensor = real(0.35, 0.0, 1.0),
    rest: Tensor = real(0.05, 0.0, 0.2),
    order: Tensor = real(0.25, 0.0, 1.0),
    glow: Tensor = real(0.4, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A grid of tiles that light up one after another, each in a phase of its own.

    Level is the share that is lit, rest how bright the others are; with order, light runs outward in rings
    instead of at random.
    """
    x, y, reach = at.u * cells + 0.5, at.v * cells + 0.5, at.spread * cells
    i, j = torch.floor(x), torch.floor(y)
    dx, dy = torch.abs(x - i - 0.5), torch.abs(y - j - 0.5)
    h = hash_cell(i, j, 1.0)
    ring = torch.sqrt(i * i + j * j) * 0.21
    # A triangle wave is evenly spread over 0-1: the share above a threshold is just what level says.
    wave = torch.abs(2.0 * mod1(phase - ring * order + h * (1.0 - 0.7 * order)) - 1.0)
    lit = smooth(0.0, 0.25, wave - 1.0 + 1.25 * level)
    half = 0.5 - 0.5 * gap
    corner = 0.25 * half
    if shape == "square":
        bx, by = torch.clamp(dx - half + corner, min=0.0), torch.clamp(dy - half + corner, min=0.0)
        distance = torch.sqrt(bx * bx + by * by + 1e-9) - corner
    elif shape == "disc":
        distance = torch.sqrt(dx * dx + dy * dy + 1e-9) - half
    else:
        distance = (dx + dy - half) * 0.7071068
    body = edge(distance, reach)
    if shape == "square":
        # A pixel may see the next tile, too, across the gap: it is taken to be as bright.
        body = body + edge(gap - torch.minimum(distance, 0.5 * gap), reach)
    # The middle of a lit tile is brightest, and its light spills over the gap.
    bulb = 1.0 - 0.5 * glow * torch.clamp(2.0 * (dx * dx + dy * dy), max=1.0)
    spill = glow * 0.4 * torch.clamp(1.0 - torch.clamp(distance, min=0.0) / (0.5 * gap + 0.05), min=0.0)
    # At its edges a pixel sees other tiles as well, of which level says how many are lit.
    own = torch.clamp(0.5 + (0.5 - torch.maximum(dx, dy)) / reach, max=1.0)
    lit = level + (lit * (0.55 + 0.45 * mod1(7.0 * h)) - level) * own
    shown = body * (rest + (1.0 - rest) * lit * bulb) + (1.0 - body) * spill * spill * lit
    area = {"square": 0.98, "disc": 0.785, "diamond": 0.5}[shape] * (1.0 - gap) * (1.0 - gap)
    mean = (
        area * (rest + (1.0 - rest) * 0.775 * level * (1.0 - 0.15 * glow))
        + (1.0 - area) * 0.04 * glow * level
    )
    return torch.lerp(mean, shown, _clear(reach))


@field()
def mosaic(
    at: Place,
    *,
    cells: Tensor = real(1.6, 0.8, 2.5),
    split: Tensor = real(0.6, 0.0, 1.0),
    contrast: Tensor = real(0.8, 0.0, 1.0),
    border: Tensor = real(0.04, 0.015, 0.12),
    wander: Tensor = real(0.6, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A mosaic of large and small squares, each with a brightness of its own that wanders.

    Split is the share of squares that fall into four, and those again.
    """
    x, y, reach = at.u * cells + 0.5, at.v * cells + 0.5, at.spread * cells
    i, j = torch.floor(x), torch.floor(y)
    h = hash_cell(i, j, 1.0)
    x, y = x - i, y - j
    value = h + 0.25 * wander * torch.cos(_TURN * (phase + mod1(5.0 * h)))
    # Near its edges a pixel sees other squares as well, which are grey on average.
    own = torch.clamp(0.5 + (0.5 - torch.maximum(torch.abs(x - 0.5), torch.abs(y - 0.5))) / reach, max=1.0)
    value = 0.5 + (value - 0.5) * own
    wide, high = _border(x, border, reach), _border(y, border, reach)
    x, y, reach = 2.0 * x, 2.0 * y, 2.0 * reach
    share = torch.clamp(8.0 * (1.2 * split - mod1(3.0 * h) - 0.1), 0.0, 1.0)
    # Four quarters differ from the whole by amounts whose sum is zero: from afar they are the whole again.
    right, low = _halves(x, reach), _halves(y, reach)
    quarters = (
        (mod1(7.0 * h) - 0.5) * right + (mod1(11.0 * h) - 0.5) * low + (mod1(17.0 * h) - 0.5) * right * low
    )
    value = value + share * 0.5 * quarters
    i2, j2 = torch.floor(x), torch.floor(y)
    h2 = hash_cell(2.0 * i + i2, 2.0 * j + j2, 2.0)
    x, y = x - i2, y - j2
    wide = torch.maximum(wide, share * _border(x, 2.0 * border, reach))
    high = torch.maximum(high, share * _border(y, 2.0 * border, reach))
    x, y, reach = 2.0 * x, 2.0 * y, 2.0 * reach
    share = share * torch.clamp(8.0 * (1.2 * split - mod1(3.0 * h2) - 0.3), 0.0, 1.0)
    right, low = _halves(x, reach), _halves(y, reach)
    beat = 0.5 * wander * torch.cos(_TURN * (phase + h2))
    quarters = (mod1(7.0 * h2) - 0.5) * right + (mod1(11.0 * h2) - 0.5) * low + beat * right * low
    value = torch.clamp(value + share * fade(0.5 * reach) * 0.5 * quarters, 0.0, 1.0)
    wide = torch.maximum(wide, share * _border(mod1(x), 4.0 * border, reach))
    high = torch.maximum(high, share * _border(mod1(y), 4.0 * border, reach))
    dark = value * value * (3.0 - 2.0 * value) * value
    return (value + contrast * (dark - value)) * (1.0 - wide) * (1.0 - high)


def _clear(reach: Plane) -> Plane:
    """Give how much of a cell's detail a pixel leaves: all of it below a third of a cell."""
    return 1.0 - smooth(0.33, 1.0, reach)


def _halves(x: Plane, reach: Plane) -> Plane:
    """Give -1 in the left and 1 in the right half of 0-2, averaged."""
    return torch.clamp(2.0 * (x - 1.0) / reach, -1.0, 1.0)


def _border(x: Plane, width: Tensor, reach: Plane) -> Plane:
    """Draw both edges of a unit cell, of which half the width lies in each cell."""
    return torch.lerp(width, line(0.5 - torch.abs(x - 0.5), width, reach), _clear(reach))


@field(hears=("past",))
def heatmap(
    at: Place,
    heard: Heard,
    *,
    view: str = choice("flat", "round"),
    bands: int = count(24, 8, 48),
    rows: int = count(14, 6, 28),
    span: Tensor = real(1.5, 0.3, 3.9),
    gap: Tensor = real(0.16, 0.05, 0.5),
    contrast: Tensor = real(0.3, 0.0, 1.0),
    rest: Tensor = real(0.03, 0.0, 0.15),
    age: Tensor = real(0.4, 0.0, 1.0),
) -> Plane:
    """Tiles lit by the music of the last moments: a column for each band, a row for each step back in time.

    Flat shows the newest below, round in the middle with low notes at the bottom; span is the time shown, in
    seconds, age how much the past darkens.
    """
    if view == "flat":
        along, back = 0.5 + 0.5 * at.u / at.wide, 0.5 - 0.5 * at.v / at.high
        reach_along, reach_back = 0.5 * at.du / at.wide, 0.5 * at.dv / at.high
        inside = edge(torch.abs(at.u) - at.wide, at.du) * edge(torch.abs(at.v) - at.high, at.dv)
    else:
        radius = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
        along, back = torch.abs(torch.atan2(at.u, at.v)) * (2.0 / _TURN), (radius - 0.18) / 0.8
        reach_along, reach_back = at.spread * (2.0 / _TURN) / radius, at.spread / 0.8
        inside = edge(torch.abs(radius - 0.58) - 0.4, at.spread)
    x, y = along * bands, back * rows
    column, row = torch.clamp(torch.floor(x), 0.0, bands - 1.0), torch.clamp(torch.floor(y), 0.0, rows - 1.0)
    level = look_up_plane(
        heard["past"], row * (span * _ROWS_A_SECOND / rows), (column + 0.5) * (64.0 / bands) - 0.5
    )
    level = torch.lerp(level, level * level * level, contrast) * (1.0 - age * row / rows)
    cover = pulse_train(x - 0.5, 1.0 - gap, bands * reach_along)
    cover = cover * pulse_train(y - 0.5, 1.0 - gap, rows * reach_back)
    return torch.clamp(rest + (1.0 - rest) * level, 0.0, 1.0) * cover * inside


@field()
def grid_lines(
    at: Place,
    *,
    cells: Tensor = real(1.5, 0.7, 4.0),
    width: Tensor = real(0.02, 0.004, 0.1),
    detail: Tensor = real(0.25, 0.0, 1.0),
    glow: Tensor = real(0.6, 0.0, 1.0),
    size: Tensor = real(0.12, 0.03, 0.4),
    across: Tensor = travel(1.0),
    down: Tensor = travel(1.0),
) -> Plane:
    """A grid of fine lines with a finer one within, glowing where lines cross.

    Width is a line's share of a cell, detail the brightness of the finer lines, size the glow's; across and
    down scroll.
    """
    x, y = at.u * cells - across, at.v * cells - down
    reach_x, reach_y = at.du * cells, at.dv * cells
    wide, high = pulse_train(x, width, reach_x), pulse_train(y, width, reach_y)
    fine_x = pulse_train(5.0 * x, 1.25 * width, 5.0 * reach_x)
    fine_y = pulse_train(5.0 * y, 1.25 * width, 5.0 * reach_y)
    dx, dy = mod1(x + 0.5) - 0.5, mod1(y + 0.5) - 0.5
    distance, reach = torch.sqrt(dx * dx + dy * dy + 1e-9), at.spread * cells
    halo = falloff(distance, size, reach) * torch.clamp(1.0 - 2.0 * distance, min=0.0)
    between = (1.0 - 0.6 * wide) * (1.0 - 0.6 * high)
    between = between * (1.0 - 0.5 * detail * (1.0 - (1.0 - fine_x) * (1.0 - fine_y)))
    mean = size * (0.375 - 0.163 * size)
    halo = glow * torch.lerp(mean, halo * (0.35 + 0.65 * halo), _clear(reach))
    return 1.0 - between * (1.0 - halo)


@field()
def dots(
    at: Place,
    *,
    lattice: str = choice("hexagonal", "square"),
    cells: Tensor = real(7.0, 3.0, 10.0),
    size: Tensor = real(0.7, 0.35, 0.95),
    depth: Tensor = real(0.9, 0.0, 1.0),
    waves: Tensor = real(0.9, 0.0, 2.0),
    soft: Tensor = real(0.1, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A halftone: a lattice of dots whose sizes follow waves that run outward from the centre.

    Size is that of the largest dot, depth how much the waves shrink them, waves their number along a unit.
    """
    reach = at.spread * cells
    x, y = at.u * cells, at.v * cells
    if lattice == "square":
        i, j = torch.round(x), torch.round(y)
    else:
        # Rows lie √3/2 apart; of the two lattices of which it consists, the nearer dot counts.
        i, j = torch.round(x), 1.7320508 * torch.round(y / 1.7320508)
        k, m = torch.floor(x) + 0.5, 1.7320508 * (torch.floor(y / 1.7320508) + 0.5)
        first = (x - i) * (x - i) + (y - j) * (y - j)
        second = (x - k) * (x - k) + (y - m) * (y - m)
        i, j = torch.where(first < second, i, k), torch.where(first < second, j, m)
    distance = torch.sqrt((x - i) * (x - i) + (y - j) * (y - j) + 1e-9)
    wave = 0.5 + 0.5 * torch.cos(_TURN * (waves * torch.sqrt(i * i + j * j) / cells - phase))
    radius = 0.5 * size * (1.0 - depth * (1.0 - wave * wave))
    # A soft dot is a cone with its top cut off; one that is smaller than a pixel is drawn larger, and dimmer.
    ramp = soft * radius
    inner = radius - 0.5 * ramp
    blur = torch.sqrt(reach * reach + ramp * ramp)
    drawn = torch.maximum(inner, 0.5 * blur)
    solid = inner * inner + ramp * ramp / 12.0
    dot = edge(distance - drawn, blur) * solid / (drawn * drawn + blur * blur / 12.0)
    mean = solid * (3.1415927 if lattice == "square" else 3.6275987)
    return torch.clamp(torch.lerp(mean, dot, _clear(reach)) * (0.25 + 0.75 * wave), 0.0, 1.0)


@field()
def weave(
    at: Place,
    *,
    pattern: str = choice("plain", "twill"),
    cells: Tensor = real(3.0, 1.0, 5.0),
    width: Tensor = real(0.72, 0.35, 0.95),
    depth: Tensor = real(0.8, 0.3, 1.0),
    threads: Tensor = real(0.3, 0.0, 1.0),
    light: Tensor = real(0.7, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """Bands woven over and under each other; light runs along them.

    Depth is how much they darken where they dive, threads the fine lines in them, light the contrast of what
    runs along.
    """
    x, y, reach = at.u * cells, at.v * cells, at.spread * cells
    i, j = torch.floor(x), torch.floor(y)
    px, py = x - i - 0.5, y - j - 0.5
    order = i + j
    if pattern == "plain":
        # From above in one cell to below in the next.
        upper = order - 2.0 * torch.floor(0.5 * order) < 0.5
        over = torch.where(upper, 1.0, -1.0)
        bow_x, bow_y = over * torch.cos(0.5 * _TURN * px), -over * torch.cos(0.5 * _TURN * py)
    else:
        upper = order - 4.0 * torch.floor(0.25 * order) < 1.5
        bow_x, bow_y = 1.2 * torch.sin(0.25 * _TURN * (x + j)), -1.2 * torch.sin(0.25 * _TURN * (y + i))
    across = _band(py, x, bow_x, j, 1.0, width, depth, threads, light, phase, reach)
    down = _band(px, y, bow_y, i, 2.0, width, depth, threads, light, phase, reach)
    top, top_cover = torch.where(upper, across[0], down[0]), torch.where(upper, across[1], down[1])
    low, low_cover = torch.where(upper, down[0], across[0]), torch.where(upper, down[1], across[1])
    return torch.clamp(top * top_cover + low * low_cover * (1.0 - top_cover), 0.0, 1.0)


def _band(
    aside: Plane,
    along: Plane,
    bow: Plane,
    number: Plane,
    seed: float,
    width: Tensor,
    depth: Tensor,
    threads: Tensor,
    light: Tensor,
    phase: Tensor,
    reach: Plane,
) -> tuple[Plane, Plane]:
    """Give a band's brightness, and how much of the pixel it covers."""
    h = hash_cell(number, torch.zeros_like(number), seed)
    cover = line(aside, width, reach)
    bulge = torch.clamp(aside / (0.5 * width), -1.0, 1.0)
    shape = 1.0 - 0.6 * bulge * bulge
    fine = torch.cos(_TURN * 7.0 * bulge) * fade(14.0 * reach / width)
    run = 0.5 + 0.5 * torch.cos(_TURN * (0.125 * along + h - torch.where(h < 0.5, phase, -phase)))
    glow = 1.0 - light * (1.0 - run * run * run)
    height = 1.0 - depth * (0.5 - 0.5 * torch.clamp(bow, -1.0, 1.0))
    return shape * height * (0.9 + 0.1 * bow) * (1.0 - threads * (0.3 - 0.3 * fine)) * glow, cover


@field(hears=("spectrum",))
def equaliser(
    at: Place,
    heard: Heard,
    *,
    base: str = choice("edge", "middle"),
    order: str = choice("across", "mirrored"),
    bands: int = count(24, 8, 48),
    segments: int = count(20, 6, 32),
    height: Tensor = real(0.9, 0.2, 1.0),
    gap: Tensor = real(0.25, 0.08, 0.6),
    rest: Tensor = real(0.05, 0.0, 0.15),
    top: Tensor = real(0.6, 0.0, 1.0),
    fall: Tensor = real(0.5, 0.0, 1.0),
) -> Plane:
    """Columns of lamps, one for each band, of which as many are lit as the band is loud.

    They stand on the lower edge or about the middle; mirrored has low notes in the middle. Rest is the
    brightness of lamps that are out, top that of the last lit one, fall how dark a column is at its foot.
    """
    if order == "across":
        along, reach = 0.5 + 0.5 * at.u / at.wide, 0.5 * at.du / at.wide
    else:
        along, reach = torch.abs(at.u) / at.wide, at.du / at.wide
    if base == "edge":
        up, reach_up = 0.5 - 0.5 * at.v / at.high, 0.5 * at.dv / at.high
    else:
        up, reach_up = torch.abs(at.v) / at.high, at.dv / at.high
    x, y = along * bands, up * segments
    column, lamp = torch.clamp(torch.floor(x), 0.0, bands - 1.0), torch.floor(y)
    level = look_up(heard["spectrum"], (column + 0.5) * (64.0 / bands) - 0.5) * height * segments
    lit = torch.clamp(level - lamp, 0.0, 1.0)
    last = lit * torch.clamp(lamp + 2.0 - level, 0.0, 1.0)
    bright = 1.0 - fall * torch.clamp(1.0 - (lamp + 1.0) / (level + 1.0), 0.0, 1.0)
    bright = lit * torch.lerp(bright * 0.75, torch.ones_like(bright), last * top)
    cover = pulse_train(x - 0.5, 1.0 - gap, bands * reach) * pulse_train(
        y - 0.5, 1.0 - gap, segments * reach_up
    )
    inside = edge(torch.abs(at.u) - at.wide, at.du) * edge(torch.abs(at.v) - at.high, at.dv)
    return torch.clamp(rest + (1.0 - rest) * bright, 0.0, 1.0) * cover * inside


@field()
def circuit(
    at: Place,
    *,
    cells: Tensor = real(3.0, 1.0, 4.5),
    width: Tensor = real(0.06, 0.01, 0.16),
    glow: Tensor = real(0.4, 0.0, 1.0),
    rest: Tensor = real(0.3, 0.0, 1.0),
    pulse: Tensor = real(0.8, 0.0, 1.0),
    phase: Tensor = turns(),
    flip: Tensor = turns(),
) -> Plane:
    """A maze of winding lines made of quarter circles, along which pulses of light run.

    Phase moves the pulses on; flip turns the tiles over one after another, until each is where it was.
    """
    x, y, reach = at.u * cells, at.v * cells, at.spread * cells
    i, j = torch.floor(x), torch.floor(y)
    h = hash_cell(i, j, 4.0)
    # Two quarter turns of each tile per turn of flip: a tile looks the same after half a turn.
    late = 2.0 * mod1(flip + mod1(5.0 * h))
    half = torch.floor(late)
    eased = smooth(0.85, 1.0, late - half)
    turn = 0.25 * _TURN * eased
    cos, sin = torch.cos(turn), torch.sin(turn)
    px, py = x - i - 0.5, y - j - 0.5
    mirror = torch.where((h < 0.5) ^ (half > 0.5), -1.0, 1.0)
    px, py = px * cos + py * sin, py * cos - px * sin
    px = px * mirror
    # The nearer of two arcs, about opposite corners.
    side = torch.where(px + py > 0.0, 1.0, -1.0)
    cx, cy = 0.5 - side * px, 0.5 - side * py
    distance = torch.abs(torch.sqrt(cx * cx + cy * cy + 1e-9) - 0.5)
    order = i + j
    odd = 1.0 - 2.0 * (order - 2.0 * torch.floor(0.5 * order))
    # Corners of a lattice alternate: light runs one way round even ones, the other way round odd ones.
    along = torch.atan2(cy, cx) * (4.0 / _TURN) * odd
    run = 0.5 + 0.5 * torch.cos(_TURN * (along - phase))
    run = run * run
    run = run * run * fade(2.0 * reach) + 0.27 * (1.0 - fade(2.0 * reach))
    settled = 1.0 - 4.0 * eased * (1.0 - eased)
    bright = (rest + (1.0 - rest) * pulse * run) * (0.1 + 0.9 * settled)
    stroke = line(distance, width, reach)
    near = 0.1 + 1.2 * width
    blurred = torch.sqrt(near * near + reach * reach)
    halo = torch.clamp(1.0 - distance / blurred, min=0.0)
    shown = stroke + (1.0 - stroke) * 0.6 * glow * halo * halo * near / blurred
    mean = 1.57 * width + (1.0 - 1.57 * width) * 0.5 * glow * near
    return bright * torch.lerp(mean, shown, _clear(reach))
