"""Seeded randomness at positions: hashes of cells, value noise, and turbulence made of waves.

Everything is plain arithmetic of the position and a seed, so the same on any device, at any size and for
any frame. Cells repeat after `PERIOD`, so that endless travel can wrap.
"""

import torch
from torch import Tensor

from synesthete.programs.antialias import fade, mod1
from synesthete.programs.place import Plane

__all__ = ["PERIOD", "hash_cell", "turbulence", "value_noise", "wave_noise"]

PERIOD = 64.0
"""Cells after which hashes repeat, in both directions."""


def hash_cell(x: Plane, y: Plane, seed: Plane | float) -> Plane:
    """Give a random number, 0-1, for the cell whose whole coordinates these are.

    References
    ----------
    Hoskins, "Hash without sine", Shadertoy, 2014. *Differs:* cells repeat after `PERIOD`.
    """
    return _hashed(_cell_share(x), _cell_share(y), _seed_share(seed))


def _hashed(a: Plane, b: Plane, c: Plane) -> Plane:
    # In place, but in the order of the formula: another last bit would be another number.
    mixed = (a * (c + 31.32) + (b + 31.32).mul_(b)).add_((a + 31.32) * c)
    product = (a + mixed).add_(b + mixed).mul_(mixed.add_(c))
    return product.sub_(torch.floor(product))


def _cell_share(x: Plane) -> Plane:
    # To multiply by powers of 2 is exact.
    share = torch.add(x, (x * (1.0 / PERIOD)).floor_(), alpha=-PERIOD).mul_(0.1031)
    return share.sub_(torch.floor(share))


def _seed_share(seed: Plane | float) -> Plane:
    return mod1((torch.as_tensor(seed) + 0.37) * 0.1031)


def value_noise(x: Plane, y: Plane, seed: Plane | float, reach: Plane) -> Plane:
    """Give noise, 0-1, with one random value per unit cell; finer than a pixel it becomes its mean."""
    i, j = torch.floor(x), torch.floor(y)
    s, t = x - i, y - j
    s, t = ((p * -2.0).add_(3.0).mul_(p.square_()) for p in (s, t))
    left, right, above, below = _cell_share(i), _cell_share(i + 1.0), _cell_share(j), _cell_share(j + 1.0)
    c = _seed_share(seed)
    top = torch.lerp(_hashed(left, above, c), _hashed(right, above, c), s)
    low = torch.lerp(_hashed(left, below, c), _hashed(right, below, c), s)
    # A cell is half a wave long.
    return (torch.lerp(top, low, t).sub_(0.5) * fade(0.5 * reach)).add_(0.5)


def wave_noise(x: Plane, y: Plane, phase: Plane | float, reach: Plane) -> Plane:
    """Give smooth noise, 0-1, as products of waves that never line up; a third of the price of `value_noise`.

    Parameters
    ----------
    phase
        Moves it on; in turns, and it comes back after one.
    reach
        Extent of a pixel in the units of x and y; waves are about 1 long.
    """
    turn = 6.2831853 * phase
    a = torch.sin(5.1 * x + 2.3 * y + turn) * torch.sin(3.7 * y - 2.9 * x + 1.7)
    b = torch.sin(4.3 * y + 3.1 * x - turn) * torch.sin(5.9 * x - 1.3 * y + 4.1)
    return 0.5 + 0.25 * (a + b) * fade(reach)


def turbulence(
    x: Plane, y: Plane, *, phase: Plane | float, octaves: int, amount: Tensor, reach: Plane
) -> tuple[Plane, Plane]:
    """Push positions about by waves, each finer and turned: they swirl like ink or smoke.

    Parameters
    ----------
    phase
        Moves the flow on; in turns, and it comes back after one.
    amount
        How far positions move; about 1 for a full swirl.
    reach
        Extent of a pixel in the units of x and y.

    Returns
    -------
    The positions moved.
    """
    frequency, turn = 1.0, 6.2831853 * phase
    cos, sin = 1.0, 0.0
    for octave in range(octaves):
        along = torch.add(y * (cos * frequency) + (turn + 1.3 * octave), x, alpha=-sin * frequency)
        push = along.sin_() * ((amount / frequency) * fade(reach * (frequency / 6.2831853)))
        x, y = torch.add(x, push, alpha=cos), torch.add(y, push, alpha=sin)
        cos, sin = 0.6 * cos - 0.8 * sin, 0.8 * cos + 0.6 * sin
        frequency *= 1.4
    return x, y
