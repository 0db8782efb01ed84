"""A CPPN is one function, however it is evaluated."""

import math

import pytest
import torch

from synesthete.models.cppn import (
    ACTIVATIONS,
    COORDINATES,
    OUTPUTS,
    CppnSpec,
    CppnWeights,
    blend,
    evaluate,
    evaluate_tiles,
    evaluate_units,
    fold_constants,
    initialise,
    pack,
)

ALL = ("sine", "cosine", "gaussian", "tanh")
SPECS = [
    CppnSpec(layers=1, units=1, activations=("sine",)),
    CppnSpec(layers=3, units=4, gain=1.8),
    CppnSpec(layers=2, units=7, activations=("gaussian", "tanh"), gain=1.5, bias=1.0),
    CppnSpec(layers=5, units=3, mix="layer"),
    CppnSpec(layers=3, units=2, activations=ALL),  # fewer units than activations
]


def drawn(spec: CppnSpec, seed: int = 3) -> CppnWeights:
    return initialise(spec, torch.Generator().manual_seed(seed))


def positions(pixels: int = 997) -> torch.Tensor:
    """Coordinates u, v and r; a prime number of them, so that no tile fits."""
    uv = 4 * torch.rand(2, pixels, generator=torch.Generator().manual_seed(0)) - 2
    return torch.cat([uv, uv.square().sum(0, keepdim=True).sqrt()])


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_plane_by_plane_and_in_tiles_it_has_the_same_values(spec: CppnSpec) -> None:
    net, planes = drawn(spec), positions()
    plain = evaluate(net, planes.T).T
    assert plain.shape == (OUTPUTS, 997)
    torch.testing.assert_close(
        torch.stack(evaluate_units(spec, pack(net), list(planes))), plain, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(evaluate_tiles(net, planes, tile=256), plain, atol=1e-5, rtol=0)


def test_its_planes_may_have_any_shape_and_stay_as_they_are() -> None:
    spec, planes = SPECS[1], positions(12)
    given = [plane.reshape(3, 4) for plane in planes]
    kept = planes.clone()
    outputs = evaluate_units(spec, pack(drawn(spec)), given)
    assert [tuple(output.shape) for output in outputs] == [(3, 4)] * OUTPUTS
    assert torch.equal(planes, kept)


@pytest.mark.parametrize("units", [24, 128])
def test_no_bit_depends_on_the_tile(units: int) -> None:
    net, planes = drawn(CppnSpec(layers=3, units=units, gain=1.9)), positions()
    first, *others = (evaluate_tiles(net, planes, tile=tile) for tile in (16, 64, 240, 1024, 4096))
    for other in others:
        assert torch.equal(first, other)


def test_half_precision_comes_back_as_float32_and_close() -> None:
    net, planes = drawn(CppnSpec(layers=2, units=32)), positions()
    exact, half = evaluate_tiles(net, planes), evaluate_tiles(net, planes, dtype=torch.bfloat16)
    assert half.dtype == torch.float32
    assert 0 < float((exact - half).abs().mean()) < 0.03


@pytest.mark.parametrize("mix", ["unit", "layer"])
@pytest.mark.parametrize("units", [1, 2, 3, 4, 6, 7, 128])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_groups_cover_every_unit_once(mix: str, units: int, count: int) -> None:
    spec = CppnSpec(layers=5, units=units, activations=ALL[:count], mix=mix)
    for layer in range(spec.layers):
        groups = spec.groups(layer)
        covered = [unit for _, start, stop in groups for unit in range(start, stop)]
        assert covered == list(range(units))
        assert {name for name, _, _ in groups} <= set(ACTIVATIONS)
        sizes = [stop - start for _, start, stop in groups]
        if mix == "layer":
            assert groups == [(ALL[layer % count], 0, units)]
        elif units >= count:
            assert len(groups) == count
            assert max(sizes) - min(sizes) <= 1


def test_blending_keeps_the_variance_of_the_weights() -> None:
    spec = CppnSpec(layers=3, units=128, gain=1.9)
    first, second = drawn(spec, 1), drawn(spec, 2)
    for angle in (0.3, math.pi / 4, 1.2, 2.0):
        mixed = blend(first, second, angle)
        for was, now in zip(first.weights[1:-1], mixed.weights[1:-1], strict=True):
            assert abs(float(now.var() / was.var()) - 1) < 0.05
    for angle, end in ((0.0, first), (math.pi / 2, second)):
        for is_, want in zip(blend(first, second, angle).weights, end.weights, strict=True):
            torch.testing.assert_close(is_, want, atol=1e-6, rtol=0)


def test_folding_constants_changes_nothing_but_the_cost() -> None:
    spec = CppnSpec(layers=3, units=6, constants=9, gain=1.5)
    net, planes = drawn(spec), positions(200)
    constants = torch.randn(9, generator=torch.Generator().manual_seed(5))
    full = evaluate(net, torch.cat([planes.T, constants.expand(200, 9)], 1))
    folded = fold_constants(net, constants)
    assert folded.weights[0].shape == (6, COORDINATES)
    torch.testing.assert_close(evaluate(folded, planes.T), full, atol=1e-5, rtol=0)
    assert net.weights[0].shape == (6, COORDINATES + 9)


def test_weights_come_from_the_given_generator_alone() -> None:
    spec = CppnSpec(layers=2, units=64, constants=4, gain=1.8, bias=0.6)
    before = torch.get_rng_state()
    one, same, other = drawn(spec, 1), drawn(spec, 1), drawn(spec, 2)
    assert torch.equal(torch.get_rng_state(), before)
    for a, b, c in zip(one.weights, same.weights, other.weights, strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
    widths = spec.widths()
    assert widths == [COORDINATES + 4, 64, 64, OUTPUTS]
    for fan_in, fan_out, weight, bias in zip(widths, widths[1:], one.weights, one.biases, strict=False):
        assert weight.shape == (fan_out, fan_in)
        assert float(weight.abs().max()) <= 1.8 * math.sqrt(6 / (fan_in + fan_out))
        assert float(bias.abs().max()) <= 0.6
