"""Lights: what slopes, lamps and depth do to a picture."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from synesthete.generators.base import Size, pixel_grid
from synesthete.programs.parameters import Colour, Real
from synesthete.programs.place import start
from synesthete.programs.registry import Picture, primitives

SIZE = Size(96, 54)
LIGHTS = [name for name, primitive in primitives().items() if primitive.family == "light"]
ON_SURFACES = [name for name in LIGHTS if "height" in primitives()[name].slots]


def grid() -> tuple[Tensor, Tensor]:
    return pixel_grid(SIZE, border=1)


def lit(name: str, height: Tensor, of: Tensor | None = None, **values: Any) -> Picture:
    """Light a picture, white unless given, with the other parameters at their defaults."""
    primitive = primitives()[name]
    rows, columns = SIZE.height, SIZE.width
    given: dict[str, Any] = {"of": (torch.ones(rows, columns) if of is None else of,) * 3}
    for key, parameter in primitive.parameters.items():
        value = values.get(key, getattr(parameter, "default", None))
        if isinstance(parameter, Real) and parameter.trigonometric:
            given[key] = (
                torch.tensor(math.cos(2 * math.pi * value)),
                torch.tensor(math.sin(2 * math.pi * value)),
            )
        elif isinstance(parameter, Colour):
            given[key] = tuple(torch.tensor(v) for v in values.get(key, (1.0, 0.5, 0.25)))
        else:
            given[key] = value if isinstance(value, str) else torch.tensor(value)
    full = height.expand(rows + 2, columns + 2)
    slot = next(slot for slot in primitive.slots if slot != "of")
    given[slot] = full if slot == "height" else full[1:-1, 1:-1]
    if primitive.placed:
        frame = torch.tensor([SIZE.pixel, SIZE.width / SIZE.short, SIZE.height / SIZE.short])
        given["at"] = start(*grid(), *frame).inner()
    result: Picture = primitive.function(**given)
    return result


def dome() -> Tensor:
    x, y = grid()
    return torch.exp(-3.0 * (x * x + y * y))


@pytest.mark.parametrize("name", LIGHTS)
def test_it_lights_the_whole_picture_and_nothing_beyond(name: str) -> None:
    for channel in lit(name, dome()):
        assert channel.shape == (SIZE.height, SIZE.width)
        assert float(channel.min()) >= 0.0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("relief", {"gloss": 0.0, "occlusion": 0.0}),
        ("emboss", {}),
        ("rim", {}),
        ("shadow", {"amount": 0.0}),
        ("level_lines", {"dim": 0.0, "phase": 0.5}),
        ("fog", {"density": 0.0}),
    ],
)
def test_a_flat_surface_leaves_the_picture(name: str, values: dict[str, float]) -> None:
    for channel in lit(name, torch.full((1, 1), 0.6), **values):
        torch.testing.assert_close(channel, torch.ones_like(channel), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["relief", "emboss", "shadow"])
def test_slopes_towards_the_lamp_are_brighter(name: str) -> None:
    for turn, towards, away in ((0.0, (27, 70), (27, 25)), (0.25, (45, 48), (8, 48))):
        red = lit(name, dome(), turn=turn)[0]

        assert float(red[towards]) > float(red[away]) + 0.1


def test_engraving_is_embossing_upside_down() -> None:
    raised, cut = lit("emboss", dome(), amount=0.7)[0], lit("emboss", dome(), amount=-0.7)[0]

    torch.testing.assert_close(raised + cut, torch.full_like(raised, 2.0))


def test_a_lantern_lights_what_is_near_it() -> None:
    red = lit("lantern", torch.zeros(1, 1), right=0.8, down=0.4, elevation=0.3)[0]
    row, column = divmod(int(red.argmax()), SIZE.width)
    x, y = (plane.flatten() for plane in grid())

    assert abs(float(x[column + 1]) - 0.8) < 0.1
    assert abs(float(y[row + 1]) - 0.4) < 0.1
    assert float(red[0, 0]) < 0.1 * float(red.max())


def test_only_steep_edges_glow() -> None:
    glow = lit("rim", dome(), torch.zeros(SIZE.height, SIZE.width), depth=0.25, wrap=1.0)[0]

    assert float(glow[27, 48]) < 0.02
    assert float(glow[27, 63]) > 0.04


@pytest.mark.parametrize("name", ["metal", "level_lines"])
def test_one_turn_of_the_phase_brings_the_light_back(name: str) -> None:
    first, second = lit(name, dome(), phase=0.0)[0], lit(name, dome(), phase=1.0)[0]

    torch.testing.assert_close(first, second, atol=2e-4, rtol=0)


def test_lines_of_equal_height_are_as_many_as_asked_for() -> None:
    x, _ = grid()
    slope = 0.5 + 0.28 * x
    black = torch.zeros(SIZE.height, SIZE.width)
    row = lit("level_lines", slope, black, count=6.0, phase=0.5, width=0.02)[0][20]
    bright = row > 0.3 * row.max()

    assert int((bright[1:] & ~bright[:-1]).sum()) == 6


def test_flat_grounds_have_no_lines() -> None:
    black = torch.zeros(SIZE.height, SIZE.width)

    for level in (0.0, 1.0):
        assert float(lit("level_lines", torch.full((1, 1), level), black)[0].max()) == 0.0


def test_what_is_far_lies_in_fog() -> None:
    x, _ = grid()
    depth = 0.5 + 0.5 * torch.clamp(x, -1.0, 1.0)
    for far, near_column, far_column in (("dark", 90, 5), ("bright", 5, 90)):
        red, _, blue = lit("fog", depth, far=far, density=4.0, haze=(0.1, 0.1, 0.3))

        assert float(red[9, near_column]) > 0.95
        assert float(red[9, far_column]) < 0.15
        assert float(blue[9, far_column]) > 0.28


@pytest.mark.parametrize("name", ON_SURFACES)
def test_creases_finer_than_a_pixel_do_not_blind(name: str) -> None:
    x, y = grid()
    noise = torch.sin(9001.0 * x) * torch.sin(7877.0 * y) * 0.5 + 0.5

    for channel in lit(name, noise):
        assert bool(torch.isfinite(channel).all())
        assert float(channel.max()) < 4.0
