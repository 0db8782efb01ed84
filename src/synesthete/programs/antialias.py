"""Drawing without aliasing: edges, waves and stripes averaged over the footprint of a pixel.

A picture of 128 pixels is the one of 1080 seen from further away: what is finer than a pixel becomes its
mean, smoothly. ``reach`` is always the extent of a pixel in the units of the argument before it.

What is new here and has its full shape is changed in place: run eagerly, new planes cost twice as much.
"""

import torch

from synesthete.programs.place import Place, Plane

__all__ = ["cosine", "crests", "edge", "extent", "fade", "falloff", "line", "mod1", "pulse_train", "smooth"]


def mod1(x: Plane) -> Plane:
    """Give the fractional part, 0-1."""
    return x - torch.floor(x)


def smooth(low: Plane | float, high: Plane | float, x: Plane) -> Plane:
    """Rise from 0 at ``low`` to 1 at ``high``, with slope 0 at both (smoothstep)."""
    t = ((x - low) / (high - low)).clamp_(0.0, 1.0)
    return (t * -2.0).add_(3.0).mul_(t.square_())


def extent(at: Place, by_u: Plane, by_v: Plane) -> Plane:
    """Give how far a pixel reaches in something whose derivatives by u and v these are.

    Closer than a bound by `Place.spread` where warps stretch one direction more than the other.
    """
    across, down = by_u * at.du, by_v * at.dv
    # What is left where it is flat: drawing divides by this. Warps that run away stay finite.
    return torch.sqrt(torch.clamp(across * across + down * down + 1e-12, max=1e12))


def edge(distance: Plane, reach: Plane) -> Plane:
    """Cover what has a negative distance: 1 inside, 0 outside, a pixel's share between.

    Parameters
    ----------
    distance
        Signed distance to the edge.
    """
    return (0.5 - distance / reach).clamp_(0.0, 1.0)


def line(distance: Plane, width: Plane, reach: Plane) -> Plane:
    """Draw a line: coverage of ``|distance| < width / 2``; thinner than a pixel it dims, and stays."""
    half = 0.5 * width
    inner = ((half - distance) / reach).clamp_(-0.5, 0.5)
    outer = ((-half - distance) / reach).clamp_(-0.5, 0.5)
    return inner.sub_(outer)


def falloff(distance: Plane, radius: Plane, reach: Plane) -> Plane:
    """Glow around a distance of 0, as 1 / (1 + (d/r)²); smaller than a pixel it dims, and stays."""
    drawn = radius * radius + 0.1 * reach * reach
    return radius * torch.rsqrt(drawn) * drawn / torch.addcmul(drawn, distance, distance)


def fade(reach: Plane) -> Plane:
    """Give what a pixel leaves of a wave whose length is 1: sinc, and 0 from one pixel a wave on."""
    s = torch.clamp(reach, 0.0, 1.0).square_()
    # The series of sin(πw)/(πw), which ends in a zero at 1 so well that nothing jumps there.
    series = (s * 0.0239435).add_(-0.1907518).mul_(s).add_(0.8117424).mul_(s).add_(-1.6449341)
    return series.mul_(s).add_(1.0)


def cosine(turns: Plane, reach: Plane) -> Plane:
    """Give a wave, 0-1, highest at whole turns."""
    return ((6.2831853 * turns).cos_() * (0.5 * fade(reach))).add_(0.5)


def pulse_train(turns: Plane, share: Plane, reach: Plane) -> Plane:
    """Give stripes: 1 where a turn's fraction lies within ``share`` / 2 of a whole turn, averaged exactly.

    Parameters
    ----------
    share
        Part of each turn that is 1: 0-1.
    """
    wide = torch.clamp(reach, min=1e-4)
    half = 0.5 * share
    above, below = turns + 0.5 * wide, turns - 0.5 * wide
    return (_integral(above, half) - _integral(below, half)) / wide


def _integral(turns: Plane, half: Plane) -> Plane:
    """Integrate the pulse train from 0 on."""
    whole = (turns + 0.5).floor_()
    return 2.0 * half * whole + torch.minimum(torch.maximum(turns - whole, -half), half)


def crests(turns: Plane, share: Plane, reach: Plane) -> Plane:
    """Give soft ridges at whole turns: a wave at a share of 1, ever thinner lines on dark ground below.

    Parameters
    ----------
    share
        Part of each turn that a ridge takes, from foot to foot: above 0, up to 1.
    """
    # A ridge is one wave of a cosine; seen over a pixel its spread grows, and its light stays.
    drawn2 = share * share + 2.5 * reach * reach
    drawn = torch.clamp(torch.sqrt(drawn2), max=1.0)
    depth = torch.clamp(fade(reach) * (2.0 - share * share), max=1.0)
    away = torch.abs(turns - torch.round(turns))
    ridge = 1.0 + depth * torch.cos(6.2831853 * torch.clamp(away / drawn, max=0.5))
    return 0.5 * (share / drawn) * ridge
