"""Fit a CPPN's weights to pictures, while its constant inputs stay alive.

The network meets the picture where all inputs are 0, and where they are not it meets the picture deformed
(`synesthete.models.deform`). What an input changes at its full value is held above a floor by a hinge, so
that even a network too small to follow the deformation answers to each.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.models.cppn import (
    COORDINATES,
    FOOTPRINT,
    CppnSpec,
    CppnWeights,
    evaluate,
    initialise,
    prefiltered,
)
from synesthete.models.deform import Deformation, carried

__all__ = ["Fitting", "Guidance", "Target", "colours", "fit", "influences", "net_inputs"]

Guidance = Callable[[Float[Tensor, "3 height width"]], Tensor]
"""Judges a drawn picture, display values: less is better."""

_GROUPS = 16
_LEVELS = 3
_ROOT_FLOOR = 1e-8
_GUIDED_EVERY = 4
_FLOOR_EVERY = 3
_POOL = 1 << 16


@dataclass(frozen=True)
class Target:
    """A picture to meet, and the style that stands for it.

    Attributes
    ----------
    picture
        Display RGB, 0-1, with its border.
    extent
        Half width and half height of it, border included, in the units of the coordinates.
    style
        The style inputs at which it is met.
    """

    picture: Float[Tensor, "3 height width"]
    extent: tuple[float, float]
    style: tuple[float, ...]


@dataclass(frozen=True)
class Fitting:
    """How a fit goes.

    Attributes
    ----------
    phases, signals, swings
        The first constant inputs, those that move: pairs of a phase's cosine and sine, signals of 0 to 1, and
        inputs of -1 to 1.
    floor
        What each input must change at its full value, root mean square of display values.
    steps, points
        Steps of Adam, and places looked at in each.
    rate
        Its greatest learning rate.
    tries
        Networks begun with, of which the best goes on.
    pixel
        Size of the finest pixel looked at, in units of the coordinates.
    finest
        The first layer's highest frequency at the start, radians per unit; None for a CPPN's Xavier weights.
    guided
        What guidance weighs, beside a mean square of display values.
    """

    phases: int
    signals: int
    swings: int
    floor: float
    steps: int
    points: int
    rate: float
    tries: int
    pixel: float
    finest: float | None
    guided: float = 0.0

    @property
    def inputs(self) -> int:
        """Count the inputs that move."""
        return 2 * self.phases + self.signals + self.swings


def colours(outputs: Float[Tensor, "*points 3"]) -> Float[Tensor, "*points 3"]:
    """Turn a network's outputs, luma and two colour differences (BT.709), into display RGB."""
    luma, red, blue = outputs.unbind(-1)
    return torch.stack([luma + 1.5748 * red, luma - 0.4681 * red - 0.1873 * blue, luma + 1.8556 * blue], -1)


def fit(
    spec: CppnSpec,
    targets: Sequence[Target],
    deformation: Deformation,
    fitting: Fitting,
    generator: torch.Generator,
    *,
    guidance: Guidance | None = None,
    on_step: Callable[[int, float], None] = lambda step, error: None,
) -> CppnWeights:
    """Find weights that meet pictures.

    Parameters
    ----------
    spec
        Its constant inputs are those that move, then the styles.
    on_step
        Called with the number of steps done and the error at rest, root mean square of display values.

    Returns
    -------
    The weights, detached; the same for the same inputs, generator and number of threads.
    """
    short = max(20, fitting.steps // 12)
    pools = [_Pool.of(target, deformation, generator) for target in targets]
    runs = [_Run(_started(spec, fitting, generator), targets, pools, fitting) for _ in range(fitting.tries)]
    draws = [
        torch.Generator().manual_seed(int(torch.randint(2**31, (1,), generator=generator))) for _ in runs
    ]
    if len(runs) > 1:
        for run, own in zip(runs, draws, strict=True):
            for step in range(short):
                run.step(own, share=step / fitting.steps)
    best = min(range(len(runs)), key=lambda k: runs[k].error)
    run, own = runs[best], draws[best]
    for step in range(short if len(runs) > 1 else 0, fitting.steps):
        guided = guidance if step % _GUIDED_EVERY == 0 else None
        run.step(own, share=step / fitting.steps, guidance=guided)
        on_step(step + 1, run.error)
    return CppnWeights(
        spec,
        tuple(weight.detach().clone() for weight in run.net.weights),
        tuple(bias.detach().clone() for bias in run.net.biases),
    )


@dataclass(frozen=True)
class _Pool:
    """Places of a picture, and what is known of them: they are met again and again, in other company."""

    places: Float[Tensor, "places 2"]
    flows: Float[Tensor, "places inputs 2"]
    lights: Float[Tensor, "places inputs"]
    pyramid: Sequence[Float[Tensor, "3 height width"]]

    @classmethod
    def of(cls, target: Target, deformation: Deformation, generator: torch.Generator) -> "_Pool":
        places = (2 * torch.rand(_POOL, 2, generator=generator) - 1) * torch.tensor(target.extent)
        return cls(places, *deformation.at(places), _pyramid(target.picture))


class _Run:
    """One network on its way."""

    def __init__(
        self, net: CppnWeights, targets: Sequence[Target], pools: Sequence["_Pool"], fitting: Fitting
    ) -> None:
        self.net = net
        self.error = math.inf
        self._steps = 0
        self._targets, self._pools, self._fitting = targets, pools, fitting
        self._optimiser = torch.optim.Adam([*net.weights, *net.biases], lr=fitting.rate, betas=(0.9, 0.99))

    def step(self, generator: torch.Generator, *, share: float, guidance: Guidance | None = None) -> None:
        """Take one step; ``share`` of all is done."""
        fitting = self._fitting
        warm = min(1.0, share * fitting.steps / 40 + 0.05)
        for group in self._optimiser.param_groups:
            group["lr"] = fitting.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        self._optimiser.zero_grad()
        loss = self._meeting(generator)
        self._steps += 1
        if self._steps % _FLOOR_EVERY == 0:
            loss = loss + self._floor(generator)
        if guidance is not None and fitting.guided > 0:
            loss = loss + fitting.guided * self._guided(guidance, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()

    def _meeting(self, generator: torch.Generator) -> Tensor:
        """How far it is from the deformed pictures, half of all places at rest."""
        fitting = self._fitting
        number = int(torch.randint(len(self._targets), (1,), generator=generator))
        level = max(0, int(torch.randint(2 * _LEVELS, (1,), generator=generator)) - _LEVELS)
        target, pool = self._targets[number], self._pools[number]
        each = fitting.points // _GROUPS
        start = int(torch.randint(_POOL - _GROUPS * each, (1,), generator=generator))
        part = slice(start, start + _GROUPS * each)
        places = pool.places[part]
        moved = _drawn_inputs(fitting, generator)
        moved[: _GROUPS // 2] = 0.0
        inputs = moved.repeat_interleave(each, 0)
        sources = places + torch.einsum("pkd,pk->pd", pool.flows[part], inputs)
        light = torch.exp((pool.lights[part] * inputs).sum(1, keepdim=True))
        wanted = carried(pool.pyramid[level], sources, target.extent)
        wanted = wanted * light / (1 + wanted * (light - 1))
        net = prefiltered(self.net, FOOTPRINT * fitting.pixel * 2**level)
        drawn = colours(evaluate(net, net_inputs(places, inputs, torch.tensor(target.style))))
        square = (drawn - wanted).square()
        rest = float(square[: len(square) // 2].detach().mean()) ** 0.5
        self.error = rest if self.error == math.inf else 0.95 * self.error + 0.05 * rest
        return square.mean()

    def _floor(self, generator: torch.Generator) -> Tensor:
        """How far inputs are from changing what they must."""
        fitting = self._fitting
        target = self._targets[int(torch.randint(len(self._targets), (1,), generator=generator))]
        places = (2 * torch.rand(192, 2, generator=generator) - 1) * torch.tensor(target.extent)
        change = influences(self.net, places, target.style, fitting.inputs)
        return (torch.relu(fitting.floor - change) / fitting.floor).square().mean() * fitting.floor**2 * 8

    def _guided(self, guidance: Guidance, generator: torch.Generator) -> Tensor:
        target = self._targets[int(torch.randint(len(self._targets), (1,), generator=generator))]
        side = 64
        x = (torch.arange(side) + 0.5) / side * 2 - 1
        places = torch.stack(torch.meshgrid(x, x, indexing="xy"), -1).reshape(-1, 2) * torch.tensor(
            target.extent
        )
        rest = torch.zeros(len(places), self._fitting.inputs)
        net = prefiltered(self.net, FOOTPRINT * 2 / side)
        drawn = colours(evaluate(net, net_inputs(places, rest, torch.tensor(target.style))))
        return guidance(drawn.T.reshape(3, side, side))


def influences(
    net: CppnWeights, places: Float[Tensor, "points 2"], style: Sequence[float], inputs: int
) -> Float[Tensor, " inputs"]:
    """Measure what each moving input changes at its full value, 1, root mean square of display values."""
    rows = torch.cat([torch.zeros(1, inputs), torch.eye(inputs)]).repeat_interleave(len(places), 0)
    again = places.repeat(inputs + 1, 1)
    drawn = colours(evaluate(net, net_inputs(again, rows, torch.tensor(style))))
    rest, *moved = drawn.clamp(0.0, 1.0).reshape(inputs + 1, -1).unbind()
    return torch.stack([((one - rest).square().mean() + _ROOT_FLOOR).sqrt() for one in moved])


def net_inputs(
    places: Float[Tensor, "points 2"],
    inputs: Float[Tensor, "points inputs"],
    style: Float[Tensor, "..."],
) -> Float[Tensor, "points all"]:
    """Give a network's inputs in an unmoved view: u, v, r, those that move, and a style for all places."""
    radius = (places.square().sum(1, keepdim=True) + 1e-4).sqrt()
    return torch.cat([places, radius, inputs, style.expand(len(places), -1)], 1)


def _drawn_inputs(fitting: Fitting, generator: torch.Generator) -> Float[Tensor, "groups inputs"]:
    """Draw inputs as films have them: phases on circles of any radius to 1, signals mostly low."""
    turns = 2 * math.pi * torch.rand(_GROUPS, fitting.phases, generator=generator)
    radius = torch.rand(_GROUPS, fitting.phases, generator=generator)
    circles = torch.stack([radius * turns.cos(), radius * turns.sin()], -1).reshape(_GROUPS, -1)
    signals = torch.rand(_GROUPS, fitting.signals, generator=generator).square()
    swings = 2 * torch.rand(_GROUPS, fitting.swings, generator=generator) - 1
    return torch.cat([circles, signals, swings], 1)


def _started(spec: CppnSpec, fitting: Fitting, generator: torch.Generator) -> CppnWeights:
    """Draw the weights that a fit begins with; for waves as SIREN does, frequencies spread evenly in octaves.

    References
    ----------
    Sitzmann et al., "Implicit neural representations with periodic activation functions", 2020.
    """
    net = initialise(spec, generator)
    weights, biases = list(net.weights), list(net.biases)
    if fitting.finest is not None:
        units = spec.units
        turns = 2 * math.pi * torch.rand(units, generator=generator)
        speed = torch.exp(math.log(fitting.finest) * torch.rand(units, generator=generator))
        weights[0][:, 0], weights[0][:, 1], weights[0][:, 2] = speed * turns.cos(), speed * turns.sin(), 0.0
        biases[0] = 2 * math.pi * torch.rand(units, generator=generator)
        for layer in range(1, spec.layers):
            bound = math.sqrt(6.0 / units)
            weights[layer] = (2 * torch.rand(units, units, generator=generator) - 1) * bound
        weights[-1] = weights[-1] * 0.3
    weights[0][:, COORDINATES:] = 0.2 * torch.randn(spec.units, spec.constants, generator=generator)
    biases[-1] = torch.tensor([0.4, 0.0, 0.0])
    return CppnWeights(
        spec,
        tuple(weight.requires_grad_() for weight in weights),
        tuple(bias.requires_grad_() for bias in biases),
    )


def _pyramid(picture: Float[Tensor, "3 height width"]) -> list[Float[Tensor, "3 height width"]]:
    """Give a picture and what is seen of it through pixels twice and four times the size, at its own size."""
    levels = [picture]
    for level in range(1, _LEVELS):
        side = 2**level
        small = torch.nn.functional.avg_pool2d(picture[None], side, ceil_mode=True, count_include_pad=False)
        wide = torch.nn.functional.interpolate(small, picture.shape[1:], mode="bilinear", align_corners=False)
        levels.append(wide[0])
    return levels
