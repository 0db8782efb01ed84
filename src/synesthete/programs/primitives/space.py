"""Fields of space: flights through tunnels and stars, particles, ribbons, curtains of light, galaxies."""

import math

import torch
from torch import Tensor

from synesthete.programs.antialias import fade, falloff, line, mod1, pulse_train, smooth
from synesthete.programs.noise import PERIOD, hash_cell
from synesthete.programs.parameters import angle, choice, count, real, travel, turns
from synesthete.programs.place import Place, Plane
from synesthete.programs.registry import Scalars, field

__all__ = ["aurora", "galaxy", "particles", "ribbons", "starfield", "tunnel"]

_TURN = 6.2831853


@field()
def tunnel(
    at: Place,
    *,
    depth: str = choice("straight", "endless"),
    ribs: int = count(12, 3, 24),
    rings: Tensor = real(1.6, 0.5, 4.0),
    width: Tensor = real(0.09, 0.03, 0.4),
    panels: Tensor = real(0.5, 0.0, 1.0),
    square: Tensor = real(0.0, 0.0, 1.0),
    twist: Tensor = real(0.04, -0.2, 0.2),
    bend: Tensor = real(0.3, 0.0, 0.6),
    sway: Scalars = angle(0.1),
    fog: Tensor = real(0.25, 0.05, 1.0),
    spin: Tensor = turns(),
    way: Tensor = travel(PERIOD),
) -> Plane:
    """A tunnel of rings and ribs rushing past, with panels lit here and there, dark in the distance.

    Straight is a tube in true perspective, endless one that looks the same however deep; bend curves it
    towards sway, and twist turns it with depth.
    """
    across, down = sway
    # The far end is moved aside, what is near stays.
    about = 1.0 / (1.0 + 2.0 * (at.u * at.u + at.v * at.v))
    u, v = at.u - bend * across * about, at.v - bend * down * about
    # Radii are squeezed on one side and drawn out on the other.
    inward = at.spread * (1.0 + 4.0 * bend * (across * at.u + down * at.v) * about * about)
    radius = torch.sqrt(u * u + v * v)
    radius = torch.lerp(radius, torch.maximum(torch.abs(u), torch.abs(v)), square) + 1e-3
    if depth == "straight":
        deep = 1.0 / radius
        reach = inward * deep * deep
    else:
        deep = -2.0 * torch.log(radius)
        reach = 2.0 * inward / radius
    along = deep * rings + way
    around = (torch.atan2(v, u) / _TURN + spin + twist * deep) * ribs
    reach_along = reach * rings
    reach_around = ribs * (at.spread / (_TURN * radius) + torch.abs(twist) * reach)
    ring = pulse_train(along, width, reach_along)
    rib = 0.75 * pulse_train(around, width, reach_around)
    ring_number, rib_number = torch.floor(along), torch.floor(around)
    hoop, seam = along - ring_number - 0.5, around - rib_number - 0.5
    lit = hash_cell(ring_number, rib_number - ribs * torch.floor(rib_number / ribs), 3.0)
    # Panels are brightest in their middle; those finer than a pixel become their mean.
    window = (1.0 - 4.0 * hoop * hoop) * (1.0 - 4.0 * seam * seam)
    shine = torch.clamp(2.0 * (panels - lit), 0.0, 1.0) * window * window
    halo = 4.0 * hoop * hoop
    halo = halo * halo * halo
    clear = fade(torch.maximum(reach_along, reach_around))
    glow = 0.05 + 0.25 * panels * panels + clear * (0.3 * halo + shine - 0.05 - 0.25 * panels * panels)
    wall = ring + (1.0 - ring) * (rib + (1.0 - rib) * glow)
    return torch.clamp(wall, 0.0, 1.0) * torch.clamp((1.0 + fog) * radius / (radius + fog), max=1.0)


@field()
def starfield(
    at: Place,
    *,
    layers: int = count(3, 3, 5),
    cells: Tensor = real(4.0, 2.5, 6.0),
    density: Tensor = real(0.7, 0.35, 1.0),
    size: Tensor = real(0.6, 0.4, 1.0),
    halo: Tensor = real(0.5, 0.0, 1.0),
    streak: Tensor = real(0.3, 0.0, 2.5),
    sparkle: Tensor = real(0.4, 0.0, 0.8),
    phase: Tensor = turns(),
    way: Tensor = travel(PERIOD),
) -> Plane:
    """A flight through stars: they come out of the dark, grow and rush past; streak draws them out.

    Way flies, phase lets them sparkle.
    """
    light = torch.zeros_like(at.u + at.v)
    for layer in range(layers):
        flown = way + layer / layers
        flight = torch.floor(flown)
        share = flown - flight
        # Each flight of a layer, from far to near, has stars of its own.
        seed = flight - PERIOD * torch.floor(flight / PERIOD) + 5.0 * layer
        scale = cells / (0.2 + 2.3 * share * share)
        x, y = _turned(at.u, at.v, 0.11 + 0.19 * layer)
        x, y = x * scale, y * scale
        i, j = torch.floor(x), torch.floor(y)
        h = hash_cell(i, j, seed)
        star_x, star_y = i + 0.3 + 0.4 * mod1(13.0 * h), j + 0.3 + 0.4 * mod1(29.0 * h)
        dx, dy = x - star_x, y - star_y
        # Drawn out away from the centre, and thinner, so that it stays within its cell.
        slim = 1.0 / (1.0 + streak * share)
        room = 0.3 * slim
        along = torch.addcmul(dx * star_x, dy, star_y)
        along = along.square_().div_(torch.addcmul(star_x.square_(), star_y, star_y)).mul_(1.0 - slim * slim)
        distance2 = torch.addcmul(dx.square_(), dy, dy).sub_(along)
        core = _dot(distance2, (1.1 - h).mul_(room * (0.1 + 0.5 * size)), room, at.spread * scale)
        around = (distance2 * (-1.0 / (room * room))).add_(1.0).clamp_(min=0.0).square_().square_()
        twinkle = mod1(mod1(7.0 * h).add_(phase)).sub_(0.5)
        bright = (density - h).mul_(8.0).clamp_(0.0, 1.0)
        bright = bright.mul_(twinkle.square_().mul_(4.0 * sparkle).add_(1.0 - sparkle))
        come = smooth(0.0, 0.4, share) * (1.0 - smooth(0.85, 1.0, share))
        shown = (1.0 - core).mul_(around.mul_(0.6 * halo)).add_(core).mul_(bright)
        # Stars that are finer than a pixel become their mean.
        middle = 0.1 + 0.5 * size
        mean = 0.03 * density * slim * (1.0 - 0.67 * sparkle) * (middle * middle + halo)
        light = torch.addcmul(light, torch.lerp(mean, shown, fade(0.7 * at.spread * scale)), come)
    return torch.clamp(light, max=1.0)


@field()
def particles(
    at: Place,
    *,
    cells: Tensor = real(8.0, 4.0, 10.0),
    density: Tensor = real(0.7, 0.2, 1.0),
    size: Tensor = real(0.7, 0.35, 0.9),
    orbit: Tensor = real(0.7, 0.0, 1.0),
    burst: Tensor = real(0.1, 0.0, 1.0),
    extent: Tensor = real(0.9, 0.5, 2.0),
    phase: Tensor = turns(),
    way: Tensor = travel(PERIOD),
) -> Plane:
    """A cloud of thousands of soft particles that circle, drift, and are pushed out of the centre by a burst.

    Phase lets each circle, way lets the cloud drift; extent is the size of the cloud.
    """
    radius = torch.sqrt(at.u * at.u + at.v * at.v + 1e-6)
    # A particle that was at r is at r + burst, but for those in the middle; it stays as large as it was.
    pulled = radius / (radius + burst)
    grown2 = 1.0 / (pulled * pulled)
    room = 0.3 / pulled
    far = radius * pulled / extent
    far = far * far
    cloud = 1.0 / (1.0 + far * far)
    mean = density * (0.03 * size * size + 0.015) * (pulled * pulled)
    light = torch.zeros_like(cloud)
    for layer, (turn, fine, speed) in enumerate(((0.05, 0.45, 1.0), (0.31, 0.9, -1.0), (0.73, 1.7, 2.0))):
        scale = cells * fine
        x, y = _turned(at.u * pulled, at.v * pulled, turn)
        y = y * scale + 5.5 * layer
        j = torch.floor(y)
        # Rows shifted by the golden ratio: no columns are to be seen.
        x = x * scale + speed * way + mod1(0.618034 * j)
        i = torch.floor(x)
        reach = at.spread * scale
        h = hash_cell(i, j, 11.0 * layer + 1.0)
        # Half of them go round the other way.
        which = (2.0 * h).floor_().mul_(-2.0).add_(1.0).mul_(phase).add_(mod1(23.0 * h)).mul_(_TURN)
        dx = (x - i).sub_(0.5).sub_(torch.cos(which).mul_(0.2 * orbit))
        dy = (y - j).sub_(0.5).sub_(which.sin_().mul_(0.2 * orbit))
        distance2 = torch.addcmul(dx.square_(), dy, dy) * grown2
        core = _dot(distance2, mod1(7.0 * h).mul_(0.22).add_(0.08).mul_(size), room, reach)
        around = (distance2 * -11.1).add_(1.0).clamp_(min=0.0).square_().square_()
        bright = (density - mod1(13.0 * h)).mul_(10.0).clamp_(0.0, 1.0).mul_(0.5 + 0.5 * h)
        shown = (1.0 - core).mul_(around.mul_(0.4)).add_(core).mul_(bright)
        light = light + torch.lerp(mean, shown, fade(0.6 * reach))
    return (light * cloud).mul_(1.2).clamp_(max=1.0)


@field()
def ribbons(
    at: Place,
    *,
    ribbons: int = count(4, 3, 7),
    waves: Tensor = real(0.3, 0.1, 0.6),
    height: Tensor = real(0.4, 0.05, 0.6),
    width: Tensor = real(0.22, 0.04, 0.4),
    twist: Tensor = real(0.6, 0.0, 1.0),
    rim: Tensor = real(0.8, 0.0, 1.0),
    shade: Tensor = real(0.6, 0.0, 1.0),
    phase: Tensor = turns(),
) -> Plane:
    """Ribbons that wave in space, twist and cross each other; what is further away is darker.

    Waves counts them along a unit, rim is how bright their edges are, shade how much depth darkens them.
    """
    light = torch.zeros_like(at.u + at.v)
    for k in range(ribbons):
        speed = (1.0, -1.0, 2.0)[k % 3]
        pace = waves * (1.0 + 0.23 * ((k * 3) % ribbons))
        turn = _TURN * pace * at.u + _TURN * (speed * phase + 0.37 * k)
        s, c = torch.sin(turn), torch.cos(turn)
        double_s, double_c = 2.0 * s * c, 2.0 * c * c - 1.0
        middle = height * (s + 0.35 * double_c) + (0.12 * k - 0.06 * (ribbons - 1))
        slope = _TURN * pace * height * (c - 0.7 * double_s)
        distance = (at.v - middle) * torch.rsqrt(1.0 + slope * slope)
        # How much of the ribbon's face is seen, and from which side.
        face = 1.0 + twist * ((0.5 + 0.07 * k) * c + 0.6 * double_s - 1.0)
        wide = width * torch.sqrt(face * face + 0.004)
        inside = torch.clamp(2.0 * distance / (wide + at.spread), -1.0, 1.0)
        # Light comes from below: the side that faces it shines, and the edges catch it.
        sheen = 0.6 + 0.4 * inside * face
        edges = inside * inside
        edges = rim * edges * edges * edges
        near = 1.0 - shade * (0.5 + 0.4 * s)
        light = torch.maximum(light, line(distance, wide, at.spread) * near * (sheen + edges * (1.0 - sheen)))
    return torch.clamp(light, 0.0, 1.0)


@field()
def aurora(
    at: Place,
    *,
    curtains: int = count(3, 1, 4),
    base: Tensor = real(0.45, -0.4, 0.9),
    fold: Tensor = real(0.6, 0.2, 1.0),
    height: Tensor = real(0.5, 0.05, 1.2),
    rays: Tensor = real(12.0, 2.0, 16.0),
    contrast: Tensor = real(0.7, 0.3, 1.0),
    softness: Tensor = real(0.04, 0.01, 0.15),
    phase: Tensor = turns(),
) -> Plane:
    """Curtains of light over a folded line, bright at their lower hem and fading upward in fine rays.

    Base is where they hang, height how far they reach up; phase moves folds and rays on.
    """
    turn = _TURN * phase
    light = torch.zeros_like(at.u + at.v)
    for k in range(curtains):
        speed = (1.0, -1.0, 1.0, -2.0)[k]
        # Rays lean apart upward, as lines towards a point high above.
        x = at.u * (1.0 + 0.25 * k) / (1.0 + 0.25 * (base - at.v)) + 1.9 * k
        first, second = 1.3 * x + speed * turn, 3.7 * x - speed * turn + 0.9 * k
        bent = torch.cos(first)
        hem = base - 0.3 * k + fold * (0.3 * torch.sin(first) + 0.1 * torch.sin(second))
        # Where the curtain is seen along its fold, more of it shines into the eye.
        dense = 0.2 + 0.8 * bent * bent
        place = rays * (x + 0.2 * fold * bent)
        reach = rays * (1.0 + 0.25 * k) * at.du
        coarse, fine = 0.5 * contrast * fade(0.2 * reach), 0.5 * contrast * fade(0.9 * reach)
        ray = coarse * torch.cos(1.2 * place + 2.0 * speed * turn - 2.0 * k) + fine * torch.cos(
            4.9 * place + 2.0 * k
        )
        ray = 0.5 + 0.5 * ray
        # Rays finer than a pixel are gone from the mean, but not from the mean of squares.
        bright = 0.1 + ray * ray + 0.0625 * contrast * contrast - 0.125 * (coarse * coarse + fine * fine)
        rise = torch.clamp(hem - at.v, min=0.0)
        tall = height * (0.3 + ray) * (1.0 - 0.12 * k)
        glow = rise / (rise + softness) * torch.exp(-rise / tall)
        light = light + (2.2 - 0.4 * k) * glow * dense * bright
    return light * (1.5 + light) / (1.5 + light * (1.0 + light))


@field()
def galaxy(
    at: Place,
    *,
    arms: int = count(2, 2, 5),
    winding: Tensor = real(0.45, 0.1, 0.9),
    size: Tensor = real(1.0, 0.4, 2.0),
    tilt: Tensor = real(0.45, 0.0, 0.65),
    core: Tensor = real(0.1, 0.02, 0.3),
    stars: Tensor = real(0.7, 0.0, 1.0),
    dust: Tensor = real(0.6, 0.0, 1.0),
    turn: Scalars = angle(),
    phase: Tensor = turns(),
) -> Plane:
    """A galaxy: spiral arms of stars and dust about a glowing core; turn lets it rotate, phase sparkle.

    Winding is how often arms go round while the radius grows e-fold, tilt how far it leans back.
    """
    cos, sin = turn
    lean = 1.0 / (1.0 - tilt)
    across, back = at.u * 0.94 + at.v * 0.34, (at.v * 0.94 - at.u * 0.34) * lean
    u, v = across * cos + back * sin, back * cos - across * sin
    spread = at.spread * torch.sqrt(lean)
    radius = torch.sqrt(u * u + v * v + 1e-6)
    place = _TURN * arms * (torch.atan2(v, u) / _TURN - winding * torch.log(radius))
    sharp = fade(2.0 * arms * (winding + 0.16) * spread / radius)
    wave, lane = 0.5 + 0.5 * torch.cos(place), 0.5 + 0.5 * torch.cos(place - 1.3)
    lane = lane * lane
    arm = 0.375 + sharp * (wave * wave - 0.375)
    dark = 1.0 - dust * (0.273 + sharp * (lane * lane - 0.273))
    far = radius / size
    disc = 1.0 / (1.0 + far * far * (1.0 + 3.0 * far * far))
    light = torch.zeros_like(arm)
    for layer, fine in enumerate((9.0, 17.0)):
        x, y = u * fine + 31.5, v * fine + 17.5
        i, j = torch.floor(x), torch.floor(y)
        h = hash_cell(i, j, 5.0 + layer)
        dx, dy = x - i - 0.32 - 0.36 * mod1(17.0 * h), y - j - 0.32 - 0.36 * mod1(27.0 * h)
        twinkle = mod1(phase + mod1(7.0 * h)) - 0.5
        beat = h * (0.4 + 2.4 * twinkle * twinkle)
        grain = _dot(dx * dx + dy * dy, 0.08 + 0.24 * h * h * h, torch.full_like(h, 0.32), spread * fine)
        light = light + 0.012 + fade(spread * fine) * (grain * beat - 0.012)
    bulge = falloff(radius, core, spread)
    mist = disc * (0.05 + 0.7 * arm) * dark
    specks = torch.clamp(4.0 * stars * light * disc * (0.1 + arm) * dark, max=1.0)
    bulge = bulge * bulge
    return 1.0 - (1.0 - torch.clamp(mist, 0.0, 1.0)) * (1.0 - specks) * (1.0 - bulge)


def _turned(u: Plane, v: Plane, turn: float) -> tuple[Plane, Plane]:
    cos, sin = math.cos(_TURN * turn), math.sin(_TURN * turn)
    return u * cos + v * sin, v * cos - u * sin


def _dot(distance2: Plane, radius: Plane, room: Plane, reach: Plane) -> Plane:
    """Draw a soft dot that never leaves its room; smaller than a pixel it dims, and stays.

    Parameters
    ----------
    distance2
        Squared distance from its middle.
    """
    solid2 = radius * radius
    drawn2 = torch.minimum(solid2 + 0.4 * reach * reach, room * room)
    inside = (1.0 - distance2 / drawn2).clamp_(min=0.0)
    return inside.square_().mul_((solid2 / drawn2).clamp_(max=1.0))
