r"""Rectified flow: the mathematics of learning and sampling, without any network.

Between noise :math:`\varepsilon` and data :math:`x_1` lies a straight line,
:math:`x_t = (1 - t)\,\varepsilon + t\,x_1`. A network learns its direction, the velocity
:math:`v = x_1 - \varepsilon`; to sample is to follow velocities from :math:`t = 0` to :math:`t = 1`.

References
----------
Liu, Gong & Liu, "Flow straight and fast", ICLR 2023. Esser et al., "Scaling rectified flow transformers",
ICML 2024, for logit-normal times and their shift. Karras et al., "Elucidating the design space of
diffusion-based generative models", NeurIPS 2022, for preconditioning. Brooks, Holynski & Efros,
"InstructPix2Pix", CVPR 2023, for guidance by two conditions. Lin et al., "Common diffusion noise schedules
and sample steps are flawed", WACV 2024, for rescaling. Kynkäänniemi et al., "Applying guidance in a limited
interval", NeurIPS 2024.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Guidance",
    "Preconditioning",
    "Solver",
    "Velocity",
    "between",
    "data_at_end",
    "follow",
    "guided",
    "logit_normal",
    "preconditioned",
    "shifted",
    "times",
]

Solver = Literal["euler", "heun"]

Velocity = Callable[[Float[Tensor, "*shape"], float], Float[Tensor, "*shape"]]
"""Gives the velocity at a point and a time, 0-1."""

_LEAST = 1e-6


@dataclass(frozen=True)
class Guidance:
    """How strongly conditions count when sampling.

    Attributes
    ----------
    audio, style
        Scales: 0 leaves a condition out, 1 takes it as it was learned, more exaggerates it.
    start, stop
        The times, 0-1, between which scales other than 1 apply.
    rescale
        0-1: how far each frame's deviation, which exaggeration made larger, is brought back to what it was
        without: against colours that burn.
    """

    audio: float = 1.0
    style: float = 1.0
    start: float = 0.0
    stop: float = 1.0
    rescale: float = 0.0

    def at(self, time: float) -> tuple[float, float]:
        """Give the scales of audio and of style at a time."""
        return (self.audio, self.style) if self.start <= time <= self.stop else (1.0, 1.0)


def between(
    data: Float[Tensor, "batch *shape"], noise: Float[Tensor, "batch *shape"], time: Float[Tensor, " batch"]
) -> Float[Tensor, "batch *shape"]:
    """Give the points between noise and data: noise at time 0, data at 1."""
    t = _beside(time, data)
    return (1.0 - t) * noise + t * data


def data_at_end(
    points: Float[Tensor, "batch *shape"],
    velocity: Float[Tensor, "batch *shape"],
    time: Float[Tensor, " batch"],
) -> Float[Tensor, "batch *shape"]:
    """Give the data that points would come to if they kept their velocity."""
    return points + (1.0 - _beside(time, points)) * velocity


class Preconditioning(NamedTuple):
    """What a network is asked, so that its answer of zero is the best linear guess.

    Attributes
    ----------
    enter
        By what points are multiplied for the network: to a variance of 1.
    skip
        By what they are multiplied for the linear guess of their velocity.
    leave
        By what the network's answer is multiplied, which is added: to the deviation of what the guess misses.
    """

    enter: Tensor
    skip: Tensor
    leave: Tensor


def preconditioned(spread: Float[Tensor, "*shape"], time: Float[Tensor, "*shape"]) -> Preconditioning:
    r"""Give the preconditioning of data with a mean of 0.

    Of :math:`x_t` with variance :math:`\sigma_t^2 = t^2 s^2 + (1 - t)^2` the velocity's best linear guess is
    :math:`(t s^2 - (1 - t))\,x_t / \sigma_t^2`, and misses it by a deviation of :math:`s / \sigma_t`.

    Parameters
    ----------
    spread
        The data's deviation; it is broadcast with the time.
    """
    variance = (time * spread).square() + (1.0 - time).square()
    own = variance.sqrt()
    return Preconditioning(1.0 / own, (time * spread.square() - (1.0 - time)) / variance, spread / own)


def logit_normal(
    normal: Float[Tensor, " batch"], *, mean: float = 0.0, deviation: float = 1.0
) -> Float[Tensor, " batch"]:
    """Make times of training, most of them in the middle, from standard normal numbers."""
    return torch.sigmoid(mean + deviation * normal)


def shifted(time: float, shift: float) -> float:
    """Move a time toward the noise: with a shift above 1 more steps are spent there.

    Examples
    --------
    >>> [round(shifted(t, 3.0), 2) for t in (0.0, 0.5, 1.0)]
    [0.0, 0.25, 1.0]
    """
    return time / (shift - (shift - 1.0) * time)


def times(steps: int, *, shift: float = 1.0) -> list[float]:
    """Give the times of sampling, from 0 to 1, one more than there are steps."""
    return [shifted(step / steps, shift) for step in range(steps + 1)]


def follow(
    velocity: Velocity, noise: Float[Tensor, "*shape"], at: list[float], *, solver: Solver = "euler"
) -> Float[Tensor, "*shape"]:
    """Follow velocities from noise to data.

    Parameters
    ----------
    at
        Ascending times; see `times`.
    solver
        ``euler`` asks once a step; ``heun`` twice, but for the last step, and errs less.
    """
    points = noise
    for now, then in pairwise(at):
        step = then - now
        first = velocity(points, now)
        ahead = points + step * first
        if solver == "heun" and then < 1.0:
            ahead = points + 0.5 * step * (first + velocity(ahead, then))
        points = ahead
    return points


def guided(
    plain: Float[Tensor, "clips frames *shape"] | None,
    styled: Float[Tensor, "clips frames *shape"] | None,
    full: Float[Tensor, "clips frames *shape"] | None,
    *,
    audio: float,
    style: float,
    rescale: float = 0.0,
) -> Float[Tensor, "clips frames *shape"]:
    r"""Combine velocities: :math:`v_0 + s (v_s - v_0) + a (v_{sa} - v_s)`, style first, then what is heard.

    Parameters
    ----------
    plain, styled, full
        Under no condition, under the style, under style and audio. What has no weight may be None:
        ``plain`` where ``style`` is 1, ``full`` where ``audio`` is 0, ``styled`` where both are equal.
    audio, style
        Scales.
    rescale
        See `Guidance`.
    """
    total: Tensor | None = None
    for weight, part in ((1.0 - style, plain), (style - audio, styled), (audio, full)):
        if math.isclose(weight, 0.0, abs_tol=_LEAST):
            continue
        if part is None:
            raise ValueError("a velocity that counts is missing")
        total = weight * part if total is None else total + weight * part
    assert total is not None  # the weights sum to one
    natural = full if full is not None else styled
    if rescale == 0.0 or natural is None:
        return total
    own, wanted = _deviation(total), _deviation(natural)
    return total * (1.0 - rescale + rescale * wanted / own.clamp(min=_LEAST))


def _deviation(values: Float[Tensor, "clips frames *shape"]) -> Float[Tensor, "clips frames *ones"]:
    return values.std(dim=tuple(range(2, values.ndim)), keepdim=True)


def _beside(time: Float[Tensor, " batch"], values: Tensor) -> Tensor:
    return time.view(-1, *(1 for _ in values.shape[1:]))
