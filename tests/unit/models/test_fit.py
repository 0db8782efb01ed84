"""Fitting a CPPN: it meets the picture at rest, answers to its inputs, and small drawings don't alias."""

import math

import pytest
import torch

from synesthete.models.cppn import FOOTPRINT, CppnSpec, CppnWeights, evaluate, initialise, prefiltered
from synesthete.models.deform import Deformation, carried
from synesthete.models.fit import Fitting, Target, colours, fit, influences, net_inputs

EXTENT = (1.2, 1.2)
SIDE = 48


def _places(side: int = SIDE) -> torch.Tensor:
    x = ((torch.arange(side) + 0.5) / side * 2 - 1) * EXTENT[0]
    return torch.stack(torch.meshgrid(x, x, indexing="xy"), -1).reshape(-1, 2)


def _disc(centre: float) -> torch.Tensor:
    places = _places()
    near = torch.exp(-4 * ((places[:, 0] - centre).square() + places[:, 1].square()))
    return torch.stack([0.1 + 0.8 * near, 0.3 * near + 0.1, 0.4 - 0.3 * near]).reshape(3, SIDE, SIDE)


def _fitted(targets: list[Target], *, swings: int, floor: float = 0.04, reach: float = 0.05) -> CppnWeights:
    generator = torch.Generator().manual_seed(1)
    inputs = 3 + swings
    deformation = Deformation.drawn(torch.full((inputs,), reach), torch.full((inputs,), reach * 4), generator)
    fitting = Fitting(
        phases=1, signals=1, swings=swings, floor=floor, steps=150, points=512, rate=0.01, tries=1,
        pixel=2 / SIDE, finest=8.0,
    )  # fmt: skip
    spec = CppnSpec(layers=2, units=24, activations=("sine",), constants=inputs + len(targets[0].style))
    return fit(spec, targets, deformation, fitting, generator)


def _drawn(net: CppnWeights, style: tuple[float, ...], inputs: int = 3) -> torch.Tensor:
    places = _places()
    rows = net_inputs(places, torch.zeros(len(places), inputs), torch.tensor(style))
    return colours(evaluate(prefiltered(net, FOOTPRINT * 2 / SIDE), rows)).T.reshape(3, SIDE, SIDE)


def _decibels(one: torch.Tensor, other: torch.Tensor) -> float:
    return -10 * math.log10(float((one - other).square().mean()))


def test_the_picture_is_met_at_rest_and_every_input_is_alive() -> None:
    net = _fitted([Target(_disc(0.2), EXTENT, ())], swings=2)
    assert _decibels(_drawn(net, (), inputs=5), _disc(0.2)) > 25
    assert float(influences(net, _places(), (), 5).min()) > 0.02


def test_the_floor_wakes_inputs_that_are_to_change_nothing() -> None:
    still = {"reach": 0.0, "swings": 0}
    woken = influences(_fitted([Target(_disc(0), EXTENT, ())], floor=0.08, **still), _places(), (), 3)
    left = influences(_fitted([Target(_disc(0), EXTENT, ())], floor=1e-6, **still), _places(), (), 3)
    assert float(woken.min()) > 2 * float(left.max())


def test_styles_tell_pictures_apart() -> None:
    pictures = [_disc(-0.5), _disc(0.5)]
    targets = [Target(p, EXTENT, (s, 0.0)) for p, s in zip(pictures, (1.0, -1.0), strict=True)]
    net = _fitted(targets, swings=0, reach=0.02)
    for target, other in (targets, targets[::-1]):
        seen = _drawn(net, target.style)
        assert _decibels(seen, target.picture) > _decibels(seen, other.picture) + 6


def test_the_same_generator_gives_the_same_weights() -> None:
    nets = [_fitted([Target(_disc(0.2), EXTENT, ())], swings=0) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(nets[0].weights, nets[1].weights, strict=True))


def test_what_a_pixel_can_t_hold_fades_as_its_mean_does() -> None:
    spec = CppnSpec(layers=1, units=2, activations=("sine",), constants=0)
    net = initialise(spec, torch.Generator().manual_seed(0))
    net.weights[0][:] = torch.tensor([[60.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    net.biases[0][:] = 1.0
    footprint = 0.05
    spread = footprint * torch.randn(200_000, generator=torch.Generator().manual_seed(1))
    around = torch.stack([spread, torch.full_like(spread, 0.3), torch.zeros_like(spread)], 1)
    place = torch.tensor([[0.0, 0.3, 0.0]])
    assert torch.allclose(
        evaluate(prefiltered(net, footprint), place)[0], evaluate(net, around).mean(0), atol=0.02
    )
    assert not torch.allclose(evaluate(net, place)[0], evaluate(net, around).mean(0), atol=0.02)


def test_flows_squeeze_nothing_and_rest_where_inputs_are_0() -> None:
    deformation = Deformation.drawn(torch.ones(1), torch.zeros(1), torch.Generator().manual_seed(2))
    place = torch.tensor([[0.3, -0.2]], requires_grad=True)
    flow, _ = deformation.at(place)
    rates = [torch.autograd.grad(flow[0, 0, axis], place, retain_graph=True)[0][0, axis] for axis in (0, 1)]
    assert float(sum(rates)) == pytest.approx(0, abs=1e-5)
    picture = _disc(0.2)
    assert torch.allclose(carried(picture, _places(), EXTENT).T.reshape(3, SIDE, SIDE), picture, atol=1e-5)
