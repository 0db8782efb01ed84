"""Warps: where they send coordinates, how far a pixel then reaches, and what stays the same."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from synesthete.programs.parameters import Real
from synesthete.programs.place import Place, start
from synesthete.programs.registry import primitives

PIXEL = 1e-4
WARPS = [name for name, primitive in primitives().items() if primitive.family == "warp"]
EXACT = [name for name in WARPS if name not in ("mirror", "pixelate", "turbulent")]
PHASES = [
    (name, parameter)
    for name in WARPS
    for parameter, kind in primitives()[name].parameters.items()
    if isinstance(kind, Real) and kind.wraps
]


def place(u: Tensor, v: Tensor, pixel: float = PIXEL) -> Place:
    return start(u, v, torch.tensor(pixel), torch.tensor(16 / 9), torch.tensor(1.0))


def spots(number: int = 400) -> tuple[Tensor, Tensor]:
    """Give a row of places all over the picture."""
    generator = torch.Generator().manual_seed(3)
    places = torch.rand(2, 1, number, generator=generator, dtype=torch.float64) * 2 - 1
    return places[0] * 1.7, places[1]


def warped(name: str, u: Tensor, v: Tensor, pixel: float = PIXEL, **values: Any) -> Place:
    """Call a warp as a drawing does, its other parameters at their defaults."""
    given: dict[str, Any] = {}
    for key, parameter in primitives()[name].parameters.items():
        value = values.get(key, parameter.default)
        if not isinstance(parameter, Real):
            given[key] = value
        elif parameter.trigonometric:
            turn = torch.tensor(2 * math.pi * value, dtype=u.dtype)
            given[key] = (torch.cos(turn), torch.sin(turn))
        else:
            given[key] = torch.tensor(value, dtype=u.dtype)
    result: Place = primitives()[name].function(place(u, v, pixel), **given)
    return result


def same(first: Place, second: Place, tolerance: float = 1e-6) -> bool:
    near = (first.u - second.u).abs() + (first.v - second.v).abs() < tolerance
    return bool(near.double().mean() > 0.99)


@pytest.mark.parametrize("name", EXACT)
def test_the_footprint_is_how_far_coordinates_move_within_a_pixel(name: str) -> None:
    u, v = spots()
    here = warped(name, u, v)
    right, below = warped(name, u + 1e-7, v), warped(name, u, v + 1e-7)

    for at, a, b, reach in (
        (here.u, right.u, below.u, here.du),
        (here.v, right.v, below.v, here.dv),
    ):
        moved = torch.sqrt((a - at) ** 2 + (b - at) ** 2) / 1e-7 * PIXEL
        ratio = reach / (moved + 1e-6 * PIXEL)
        # Creases and the neighbourhoods of a ripple's centre are rare exceptions.
        assert float(torch.quantile((ratio - 1.0).abs(), 0.9)) < 0.03


def test_stirring_reckons_with_about_the_right_footprint() -> None:
    u, v = spots()
    here, right, below = (warped("turbulent", u + a, v + b) for a, b in ((0, 0), (1e-7, 0), (0, 1e-7)))

    true = torch.sqrt((right.u - here.u) ** 2 + (below.u - here.u) ** 2) / 1e-7 * PIXEL

    assert 0.7 < float((here.du / true).median()) < 1.5


@pytest.mark.parametrize(("name", "parameter"), PHASES)
def test_one_turn_brings_the_place_back(name: str, parameter: str) -> None:
    u, v = spots()

    assert same(warped(name, u, v, **{parameter: 1.0}), warped(name, u, v, **{parameter: 0.0}))


@pytest.mark.parametrize(
    "name", ["rotate", "zoom", "shift", "shear", "wave", "ripple", "swell", "twist", "turbulent"]
)
def test_nothing_moves_without_an_amount(name: str) -> None:
    u, v = spots()
    values = {"factor": 1.0, "amount": 0.0, "across": 0.0, "turn": 0.0}
    known = {key: value for key, value in values.items() if key in primitives()[name].parameters}

    assert same(warped(name, u, v, **known), place(u, v))


@pytest.mark.parametrize("name", ["ripple", "swell", "twist", "turbulent", "perspective"])
def test_the_centre_stays(name: str) -> None:
    middle = torch.zeros(1, 1, dtype=torch.float64)
    seen = warped(name, middle, middle)

    assert float(seen.u.abs() + seen.v.abs()) < 1e-3


@pytest.mark.parametrize("mirrors", [2, 3, 6, 7, 12])
def test_a_kaleidoscope_looks_the_same_turned_by_a_wedge_and_in_a_mirror(mirrors: int) -> None:
    u, v = spots()
    turn = 2 * math.pi / mirrors
    turned = (u * math.cos(turn) - v * math.sin(turn), v * math.cos(turn) + u * math.sin(turn))
    here = warped("kaleidoscope", u, v, mirrors=mirrors)

    assert same(warped("kaleidoscope", *turned, mirrors=mirrors), here)
    assert same(warped("kaleidoscope", u, -v, mirrors=mirrors), here)


def test_a_mirror_shows_both_sides_alike() -> None:
    u, v = spots()

    assert same(warped("mirror", -u, v), warped("mirror", u, v))
    assert same(warped("mirror", -u, -v, axes="both"), warped("mirror", u, v, axes="both"))


def test_folding_never_tears() -> None:
    u = torch.linspace(-1.7, 1.7, 4001, dtype=torch.float64)[None]
    seen = warped("folds", u, torch.zeros_like(u) + 0.13, times=4)

    # Three growths of at most 1.25 per fold; a tear would be a jump.
    assert float(seen.u.diff().abs().max()) < 1.1 * 1.25**4 * 3.4 / 4000


@pytest.mark.parametrize(("joint", "period"), [("mirrored", 4.0), ("repeated", 2.0), ("bricks", 2.0)])
def test_tiles_repeat(joint: str, period: float) -> None:
    u, v = spots()
    here = warped("tile", u, v, cells=2.0, joint=joint)

    assert same(warped("tile", u + period / 2.0, v, cells=2.0, joint=joint), here)
    assert float(here.u.abs().max()) <= 1.0 + 1e-6


def test_mirrored_tiles_have_no_seams() -> None:
    u = torch.linspace(-1.7, 1.7, 4001, dtype=torch.float64)[None]

    assert float(warped("tile", u, u).u.diff().abs().max()) < 1.01 * 3.0 * 3.4 / 4000


def test_stones_of_a_mosaic_have_one_colour() -> None:
    u = torch.tensor([[0.01, 0.05, 0.09]], dtype=torch.float64)
    seen = warped("pixelate", u, u, size=0.1)

    torch.testing.assert_close(seen.u, torch.full_like(u, 0.05))
    torch.testing.assert_close(seen.du, torch.full_like(u, 0.1))


def test_a_pixel_across_two_stones_sees_both() -> None:
    u = torch.tensor([[0.1]], dtype=torch.float64)
    seen = warped("pixelate", u, u, size=0.1)

    torch.testing.assert_close(seen.u, u)
    torch.testing.assert_close(seen.du, torch.full_like(u, 0.2))


def test_polar_bends_the_upper_edge_to_the_rim_and_the_lower_one_to_the_hole() -> None:
    angle = torch.linspace(-3.0, 3.0, 50, dtype=torch.float64)[None]
    values = {"radius": 0.8, "hole": 0.25}
    for depth, hole in (("radius", 0.2), ("log", 0.8 * 0.27)):
        rim = warped("polar", 0.8 * torch.sin(angle), -0.8 * torch.cos(angle), depth=depth, **values)
        inner = warped("polar", hole * torch.sin(angle), -hole * torch.cos(angle), depth=depth, **values)

        torch.testing.assert_close(rim.v, torch.full_like(angle, -1.0), atol=1e-4, rtol=0)
        torch.testing.assert_close(inner.v, torch.full_like(angle, 1.0), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("name", "count"), [("polar", "repeats"), ("tube", "repeats"), ("droste", "arms")])
def test_going_around_closes_without_a_seam(name: str, count: str) -> None:
    u = torch.full((1, 1), -0.6, dtype=torch.float64)
    for turns in (1, 2, 3):
        above = warped(name, u, torch.full_like(u, -1e-9), **{count: turns})
        below = warped(name, u, torch.full_like(u, 1e-9), **{count: turns})

        assert same(above, below)


def test_inverting_twice_gives_the_plane_back() -> None:
    u, v = spots()
    values = {"radius": 0.7, "right": 0.2, "down": -0.1}
    once = warped("circle_inversion", u, v, **values)

    assert same(warped("circle_inversion", once.u, once.v, **values), place(u, v), 0.01)


def test_inverting_one_region_leaves_the_other() -> None:
    u, v = spots()
    inside = u * u + v * v < 0.49

    for region, kept in (("inside", ~inside), ("outside", inside)):
        seen = warped("circle_inversion", u, v, region=region)
        assert float((seen.u - u).abs()[kept].max()) < 1e-3


def test_a_droste_picture_lies_in_itself() -> None:
    u, v = spots()
    # One period is two rings, the second of them mirrored.
    inner = warped("droste", u / 9.0, v / 9.0, ratio=3.0, arms=0)

    assert same(warped("droste", u, v, ratio=3.0, arms=0), inner, 0.02)


def test_a_tilted_plane_is_far_at_the_horizon() -> None:
    v = torch.tensor([[-0.45, 0.0, 0.9]], dtype=torch.float64)
    seen = warped("perspective", torch.zeros_like(v), v, tilt=2.0)

    assert float(seen.du[0, 0]) > 8 * PIXEL
    assert float(seen.du[0, 1]) == pytest.approx(PIXEL, rel=1e-3)
    assert float(seen.du[0, 2]) < 0.4 * PIXEL


def test_swelling_enlarges_and_pinching_shrinks_without_folding() -> None:
    u = torch.linspace(-1.7, 1.7, 2001, dtype=torch.float64)[None]
    for amount in (-1.0, -0.4, 0.4, 1.0):
        seen = warped("swell", u, torch.zeros_like(u), amount=amount).u

        assert bool((seen.diff() > 0).all())
        assert (float(seen.diff()[0, 1000]) < 1.7e-3) == (amount > 0)
