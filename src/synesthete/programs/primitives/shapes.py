"""Fields that are one clear figure: shapes by their distance, roses, sunbursts, spirals."""

import torch
from torch import Tensor

from synesthete.programs.antialias import edge, fade, line, pulse_train
from synesthete.programs.parameters import choice, count, real, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import field

__all__ = ["rose", "shape", "spiral", "sunburst"]

_TURN = 6.2831853


@field()
def shape(
    at: Place,
    *,
    figure: str = choice("star", "circle", "polygon", "heart", "cross", "ring"),
    radius: Tensor = real(0.5, 0.1, 1.2),
    sides: Tensor = real(5.0, 3.0, 12.0),
    depth: Tensor = real(0.5, 0.0, 1.0),
    roundness: Tensor = real(0.15, 0.0, 1.0),
    fill: Tensor = real(0.6, 0.0, 1.0),
    width: Tensor = real(0.02, 0.004, 0.1),
    glow: Tensor = real(0.5, 0.0, 1.0),
    echo: Tensor = real(0.35, 0.0, 1.0),
    spacing: Tensor = real(0.2, 0.08, 0.6),
    phase: Tensor = turns(),
) -> Plane:
    """A shape, from its outline to filled, with a glow and echoes that travel outward by phase.

    Depth is how far a star's notches go in, and how thin a cross or a ring is; sides count for stars and
    polygons.
    """
    rounding = 0.4 * roundness * radius
    scale = radius - rounding
    x, y = at.u / scale, -at.v / scale
    distance = _FIGURES[figure](x, y, torch.round(sides), depth) * scale - rounding
    inside = edge(distance, at.spread)
    inner = torch.clamp(1.0 + distance / radius, 0.0, 1.0)
    body = inside * fill * (0.2 + 0.5 * inner * inner)
    rim = line(distance, width, at.spread)
    away = torch.abs(distance)
    halo = 1.0 / (1.0 + away / (0.05 + 0.2 * radius))
    near = 1.0 / (1.0 + away * away / (4.0 * spacing * spacing))
    waves = pulse_train(distance / spacing - phase, 0.6 * width / spacing, at.spread / spacing)
    light = glow * 0.5 * halo * halo * halo * (1.0 - 0.6 * inside)
    value = body + (1.0 - body) * light
    value = value + (1.0 - value) * (echo * near * near * waves)
    return value + (1.0 - value) * rim


def _circle(x: Plane, y: Plane, sides: Tensor, depth: Tensor) -> Plane:
    return torch.sqrt(x * x + y * y + 1e-6) - 1.0


def _ring(x: Plane, y: Plane, sides: Tensor, depth: Tensor) -> Plane:
    half = 0.45 - 0.4 * depth
    return torch.abs(torch.sqrt(x * x + y * y + 1e-6) - (1.0 - half)) - half


def _polygon(x: Plane, y: Plane, sides: Tensor, depth: Tensor) -> Plane:
    sector = _TURN / sides
    turn = torch.atan2(x, y) / sector
    radius = torch.sqrt(x * x + y * y + 1e-6)
    # Folded to one side, whose middle lies along the first axis.
    angle = (turn - torch.floor(turn) - 0.5) * sector
    ahead = radius * torch.cos(angle) - torch.cos(0.5 * sector)
    beside = torch.clamp(radius * torch.abs(torch.sin(angle)) - torch.sin(0.5 * sector), min=0.0)
    return torch.where(ahead > 0.0, torch.sqrt(ahead * ahead + beside * beside + 1e-9), ahead)


def _star(x: Plane, y: Plane, sides: Tensor, depth: Tensor) -> Plane:
    sector = _TURN / sides
    turn = torch.atan2(x, y) / sector
    radius = torch.sqrt(x * x + y * y + 1e-6)
    # Folded to half a point: the line from its tip, on the first axis, to the notch.
    angle = torch.abs(turn - torch.round(turn)) * sector
    px, py = radius * torch.cos(angle) - 1.0, radius * torch.sin(angle)
    notch = (1.0 - 0.75 * depth) * torch.cos(0.5 * sector)
    bx, by = notch * torch.cos(0.5 * sector) - 1.0, notch * torch.sin(0.5 * sector)
    share = torch.clamp((px * bx + py * by) / (bx * bx + by * by), 0.0, 1.0)
    dx, dy = px - share * bx, py - share * by
    distance = torch.sqrt(dx * dx + dy * dy + 1e-9)
    return torch.where(px * by - py * bx > 0.0, distance, -distance)


def _heart(x: Plane, y: Plane, sides: Tensor, depth: Tensor) -> Plane:
    # Quilez, "2D distance functions", 2020; moved and scaled into the unit circle.
    x, y = 0.64 * torch.abs(x), 0.64 * y + 0.55
    high = y - 1.0
    slant = 0.5 * torch.clamp(x + y, min=0.0)
    low = torch.minimum(x * x + high * high, (x - slant) ** 2 + (y - slant) ** 2)
    below = torch.sqrt(low + 1e-9) * torch.where(x > y, 1.0, -1.0)
    lobe = torch.sqrt((x - 0.25) ** 2 + (y - 0.75) ** 2 + 1e-9) - 0.35355339
    return torch.where(x + y > 1.0, lobe, below) / 0.64


def _cross(x: Plane, y: Plane, sides: Tensor, depth: Tensor) -> Plane:
    arm = 0.5 - 0.4 * depth
    x, y = torch.abs(x), torch.abs(y)
    far, near = torch.maximum(x, y) - 0.93, torch.minimum(x, y) - arm
    most = torch.maximum(far, near)
    corner = torch.maximum(x, y) - arm
    outside = torch.clamp(far, min=0.0) ** 2 + torch.clamp(near, min=0.0) ** 2
    inside = torch.where(corner < 0.0, torch.sqrt(corner * corner + near * near + 1e-9), -most)
    return torch.where(most > 0.0, torch.sqrt(outside + 1e-9), -inside)


_FIGURES = {
    "star": _star,
    "circle": _circle,
    "polygon": _polygon,
    "heart": _heart,
    "cross": _cross,
    "ring": _ring,
}


@field()
def rose(
    at: Place,
    *,
    petals: Tensor = real(7.0, 3.0, 16.0),
    radius: Tensor = real(0.85, 0.2, 1.2),
    depth: Tensor = real(0.6, 0.05, 1.0),
    layers: int = count(4, 1, 6),
    shrink: Tensor = real(0.68, 0.5, 0.85),
    width: Tensor = real(0.015, 0.003, 0.06),
    glow: Tensor = real(0.4, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """A flower of rose curves, r = |cos(k·angle)|, one in another; phase turns them against each other.

    Depth is how far the petals are parted; shrink is each layer's size in the one around it.
    """
    many = torch.round(petals)
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    angle = torch.atan2(at.u, -at.v)
    value = torch.zeros_like(from_centre)
    size = radius
    for layer in range(layers):
        # A petal is half a wave; layers are half a petal apart, and turn by one.
        shift = 0.5 * layer + (phase if layer % 2 == 0 else -phase)
        wave = 0.5 * many * angle + (0.5 * _TURN) * shift
        bulge, lean = torch.abs(torch.cos(wave)), torch.sin(wave)
        reach = size * (1.0 - depth + depth * bulge)
        slope = (0.5 * many * depth) * size * lean / from_centre
        distance = (from_centre - reach) * torch.rsqrt(1.0 + slope * slope)
        cover = edge(distance, at.spread)
        along = torch.clamp(from_centre / (reach + 1e-3), 0.0, 1.0)
        along = along * along
        petal = 0.04 + 0.5 * along * along
        value = torch.lerp(value, petal * torch.ones_like(value), cover)
        rim = line(distance, width, at.spread)
        value = value + (1.0 - value) * rim * (0.45 + 0.55 * bulge)
        if layer == 0:
            halo = 1.0 / (1.0 + torch.clamp(distance, min=0.0) / (0.25 * radius))
            value = value + (1.0 - cover) * (1.0 - value) * 0.35 * glow * halo * halo * halo
        size = size * shrink
    return value


@field()
def sunburst(
    at: Place,
    *,
    rays: Tensor = real(18.0, 3.0, 48.0),
    share: Tensor = real(0.4, 0.05, 0.95),
    length: Tensor = real(0.8, 0.2, 2.0),
    inner: Tensor = real(0.2, 0.0, 0.6),
    twist: Tensor = real(0.0, -2.0, 2.0),
    detail: Tensor = real(0.5, 0.0, 1.0),
    core: Tensor = real(0.5, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """Rays from a bright disc, fading outward; phase moves each to the next one's place.

    Twist bends them into curves; detail adds finer rays that turn the other way.
    """
    many = torch.round(rays)
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    turn = torch.atan2(at.u, -at.v) / _TURN
    around = 1.0 / (_TURN * from_centre)
    bend = twist * from_centre
    reach = at.spread * torch.sqrt(around * around + twist * twist / (many * many))
    coarse = pulse_train(many * turn + bend - phase, share, many * reach)
    fine = pulse_train(
        3.0 * many * turn - 3.0 * bend + phase, 0.25 * torch.ones_like(share), 3.0 * many * reach
    )
    outward = torch.clamp(from_centre - inner, min=0.0) / length
    fading = 1.0 / (1.0 + outward * outward * 4.0)
    begin = edge(inner - from_centre, at.spread + 0.15 * inner)
    body = coarse * fading * (0.35 + 0.65 * fading)
    body = body + (1.0 - body) * detail * 0.5 * fine * fading
    disc_size = 0.55 * inner + 0.02
    above = from_centre - disc_size
    disc = edge(above, at.spread)
    depth = torch.clamp(from_centre / disc_size, max=1.0)
    halo = 1.0 / (1.0 + torch.clamp(above, min=0.0) / (0.1 + 0.5 * inner))
    centre = core * torch.lerp(0.5 * halo * halo, 0.35 + 0.65 * depth * depth, disc)
    return centre + (1.0 - centre) * begin * body


@field()
def spiral(
    at: Place,
    *,
    kind: str = choice("logarithmic", "archimedean"),
    arms: Tensor = real(3.0, 1.0, 12.0),
    tightness: Tensor = real(1.5, 0.3, 5.0),
    width: Tensor = real(0.5, 0.05, 0.9),
    extent: Tensor = real(0.9, 0.3, 2.0),
    relief: Tensor = real(0.8, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """Arms that wind out of the centre; phase moves each out to where its neighbour was.

    Width is the arms' share of the ground; relief shades them across, so that they look raised.
    """
    many = torch.round(arms)
    from_centre = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    around = many / (_TURN * from_centre)
    if kind == "logarithmic":
        way, outward = tightness * torch.log(from_centre), tightness / from_centre
    else:
        way, outward = 2.0 * tightness * from_centre, 2.0 * tightness
    across = many * torch.atan2(at.u, -at.v) / _TURN - way + phase
    reach = at.spread * torch.sqrt(around * around + outward * outward)
    # Arms begin thin.
    share = width * from_centre / (from_centre + 0.08)
    cover = pulse_train(across, share, reach)
    side = (across - torch.round(across)) / (share + 0.02)
    tilt = 0.5 + torch.clamp(side, -0.5, 0.5)
    # Where an arm is finer than a pixel, its mean.
    slant = 0.3 + (0.9 * tilt * tilt - 0.3) * fade(0.7 * reach / (share + 0.02))
    bright = torch.lerp(torch.ones_like(tilt), 0.1 + slant, relief)
    far = from_centre / extent
    far = far * far
    return cover * bright / (1.0 + far * far)
