r"""Reaction and diffusion after Gray and Scott: two substances that feed on each other, and spread.

.. math::
    \partial_t u = D_u \nabla^2 u - u v^2 + F (1 - u), \qquad
    \partial_t v = D_v \nabla^2 v + u v^2 - (F + k) v

References
----------
Pearson, "Complex patterns in a simple system", Science 261, 1993. *Differs:* feed and kill may vary slowly in
space; what patterns begin from is drawn.
Munafo, "Reaction-diffusion by the Gray-Scott model: Pearson's parametrization", 1996-2022, for a pair of
numbers of each region.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["REGIONS", "Region", "simulate"]

_SPREAD_U: Final = 0.2097  # Pearson: 2e-5 on 256 cells over a length of 2.5, a time step of 1
_SPREAD_V: Final = 0.1049


@dataclass(frozen=True)
class Region:
    """Where in Pearson's map patterns of one kind are.

    Attributes
    ----------
    feed, kill
        F and k.
    steps
        Time steps until they have unfolded from a few seeds.
    """

    feed: float
    kill: float
    steps: int


REGIONS: Final[Mapping[str, Region]] = {
    "alpha": Region(0.010, 0.047, 4000),
    "gamma": Region(0.022, 0.051, 4000),
    "delta": Region(0.030, 0.055, 4000),
    "epsilon": Region(0.018, 0.055, 4000),
    "zeta": Region(0.022, 0.059, 5000),
    "eta": Region(0.034, 0.063, 5000),
    "theta": Region(0.030, 0.057, 4000),
    "iota": Region(0.046, 0.0594, 5000),
    "kappa": Region(0.050, 0.063, 6000),
    "lambda": Region(0.026, 0.061, 5000),
    "mu": Region(0.046, 0.065, 6000),
}
"""By Pearson's letters: waves and chaos (alpha, gamma), stripes and mazes (delta, theta, kappa, mu), spots
that split (epsilon, zeta, lambda), worms (eta), holes (iota)."""


def simulate(
    seeds: Float[Tensor, "rows columns"],
    *,
    feed: Float[Tensor, "..."] | float,
    kill: Float[Tensor, "..."] | float,
    steps: int,
) -> tuple[Float[Tensor, "rows columns"], Float[Tensor, "rows columns"]]:
    """Let a pattern grow on a torus.

    Parameters
    ----------
    seeds
        How strongly each cell is disturbed at first, 0-1: 0 is the state of rest, where nothing happens.
    feed, kill
        F and k: numbers, or one of each cell.
    steps
        Time steps of 1.

    Returns
    -------
    u and v, each about 0-1.
    """
    rows, columns = seeds.shape
    state = torch.empty(2, rows + 2, columns + 2)
    inner = state[:, 1:-1, 1:-1]
    inner[0] = 1.0 - 0.5 * seeds
    inner[1] = 0.25 * seeds
    spread = torch.tensor([_SPREAD_U, _SPREAD_V])[:, None, None]
    feeds = torch.as_tensor(feed, dtype=torch.float32).expand(rows, columns).contiguous()
    losses = (feeds + torch.as_tensor(kill, dtype=torch.float32)).expand(rows, columns).contiguous()
    stay = torch.stack([1.0 - feeds, 1.0 - losses]) - 4.0 * spread
    change, reaction = torch.empty_like(stay), torch.empty_like(feeds)
    u, v = inner
    for _ in range(steps):
        state[:, 0], state[:, -1] = state[:, -2], state[:, 1]
        state[:, :, 0], state[:, :, -1] = state[:, :, -2], state[:, :, 1]
        torch.add(state[:, :-2, 1:-1], state[:, 2:, 1:-1], out=change)
        change.add_(state[:, 1:-1, :-2]).add_(state[:, 1:-1, 2:]).mul_(spread)
        torch.mul(v, v, out=reaction)
        reaction.mul_(u)
        change.addcmul_(inner, stay)
        inner.copy_(change)
        u.sub_(reaction).add_(feeds)
        v.add_(reaction)
    return u.clone(), v.clone()
