"""Colourings and grades: what becomes of black, of light and of hues."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from made_programs import heard_at
from synesthete.programs.palettes import PALETTES, oklch_to_display, ramp_coefficients
from synesthete.programs.parameters import Colour, Ramp, Real
from synesthete.programs.place import start
from synesthete.programs.registry import Picture, primitives

COLOURINGS = [name for name, primitive in primitives().items() if primitive.family == "colour"]
GRADES = [name for name, primitive in primitives().items() if primitive.family == "grade"]
PHASES = ["bands", "cosine_palette", "iridescent"]
ROW = torch.linspace(0.0, 1.0, 101)[None]


def called(name: str, *children: Any, heard: Any = None, **values: Any) -> Picture:
    """Call a primitive as a drawing does, its other parameters at their defaults."""
    primitive = primitives()[name]
    given: dict[str, Any] = {}
    for key, parameter in primitive.parameters.items():
        value = values.get(key, getattr(parameter, "default", None))
        if isinstance(value, tuple):
            given[key] = tuple(torch.as_tensor(v, dtype=torch.float32) for v in value)
            if isinstance(parameter, Colour) and key not in values:
                stop = [torch.tensor([v], dtype=torch.float64).numpy() for v in value]
                given[key] = tuple(torch.from_numpy(oklch_to_display(*stop)[0]).float())
        elif isinstance(parameter, Ramp):
            given[key] = tuple(torch.from_numpy(ramp_coefficients(PALETTES[value]).ravel()).float())
        elif isinstance(parameter, Real) and parameter.trigonometric:
            turn = torch.tensor(2 * math.pi * value)
            given[key] = (torch.cos(turn), torch.sin(turn))
        else:
            given[key] = torch.tensor(value)
    if primitive.placed:
        row = torch.linspace(-1.7, 1.7, 101)[None]
        given["at"] = start(
            row, torch.zeros(1, 1), torch.tensor(0.03), torch.tensor(16 / 9), torch.tensor(1.0)
        )
    if primitive.hears:
        given["heard"] = heard or heard_at()
    result: Picture = primitive.function(*children, **given)
    return result


def coloured(name: str, field: Tensor, **values: Any) -> Picture:
    children = (field,) * len(primitives()[name].slots)
    return called(name, *children, **values)


def lightness(picture: Picture) -> Tensor:
    return 0.3 * picture[0] + 0.59 * picture[1] + 0.11 * picture[2]


def picture() -> Picture:
    return 0.8 * ROW, 0.5 * ROW, 0.2 * ROW * ROW


@pytest.mark.parametrize("name", COLOURINGS)
def test_where_a_field_is_dark_its_colours_are(name: str) -> None:
    shown = lightness(coloured(name, ROW))

    assert float(shown[..., 0].max()) < 0.05
    assert float(shown.max()) > 0.3


@pytest.mark.parametrize(
    "name", [n for n in COLOURINGS if n not in ("cosine_palette", "hue_wheel", "iridescent")]
)
def test_more_is_brighter(name: str) -> None:
    shown = lightness(coloured(name, ROW[:, ::10]))

    assert float(shown.diff().min()) > -0.02


@pytest.mark.parametrize("name", PHASES)
def test_one_turn_of_a_phase_brings_the_colours_back(name: str) -> None:
    for first, second in zip(coloured(name, ROW, phase=0.0), coloured(name, ROW, phase=1.0), strict=True):
        torch.testing.assert_close(first, second, atol=1e-4, rtol=0)


def test_bands_are_few_levels() -> None:
    red = coloured("bands", ROW, steps=4.0, softness=0.3)[0]

    # A third of all values lies on slopes between levels, and the darkest fade in.
    assert int((red.diff().abs() < 1e-6).sum()) > 40


def test_harmony_turns_the_hue_with_the_key() -> None:
    def hue(*notes: int) -> float:
        chroma = torch.zeros(12)
        chroma[list(notes)] = 1.0
        red, green, blue = (
            float(c.mean()) for c in coloured("harmony", ROW, span=0.0, share=1.0, heard={"chroma": chroma})
        )
        return math.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)

    def apart(first: float, second: float) -> float:
        return abs((first - second + math.pi) % (2 * math.pi) - math.pi)

    c_major, g_major, f_sharp_major = hue(0, 4, 7), hue(7, 11, 2), hue(6, 10, 1)

    assert 0.1 < apart(c_major, g_major) < apart(c_major, f_sharp_major)


def test_harmony_keeps_its_own_hue_where_nothing_sounds() -> None:
    red, green, blue = coloured("harmony", ROW, share=0.0, heard={"chroma": torch.zeros(12)})
    silent = coloured("harmony", ROW, share=0.5, heard={"chroma": torch.zeros(12)})

    for first, second in zip((red, green, blue), silent, strict=True):
        torch.testing.assert_close(first, second, atol=0.05, rtol=0)


def test_a_hue_wheel_of_no_spread_has_one_hue() -> None:
    red, _, blue = coloured("hue_wheel", torch.full((1, 101), 0.5), spread=0.0)
    wide = coloured("hue_wheel", torch.full((1, 101), 0.5), spread=1.0)

    assert float(red.max() - red.min()) < 1e-5
    assert float((wide[0] / wide[2]).max()) > 1.1 * float((red / blue).max())


def test_heat_goes_from_red_over_orange_to_white() -> None:
    red, green, blue = coloured("heat", ROW)

    assert bool((red >= green).all() and (green >= blue).all())
    assert float(red[0, 50]) > 5 * float(blue[0, 50])
    assert float(blue[0, -1]) > 0.7


def test_a_duotone_ends_in_its_colours() -> None:
    low, high = (0.1, 0.2, 0.6), (0.9, 0.7, 0.3)
    shown = torch.stack(coloured("duotone", ROW, low=low, high=high))[:, 0]

    torch.testing.assert_close(shown[:, 50], torch.tensor(low), atol=1e-3, rtol=0)
    torch.testing.assert_close(shown[:, -1], torch.tensor(high), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", [n for n in GRADES if n != "invert"])
def test_black_stays_black(name: str) -> None:
    black = (torch.zeros(1, 101),) * 3

    # Palettes are polynomials, and near 0 at 0.
    assert all(float(c.abs().max()) < 0.01 for c in called(name, black))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("exposure", {"stops": 0.0}),
        ("contrast", {"amount": 0.0}),
        ("saturation", {"amount": 1.0}),
        ("gamma", {"power": 1.0}),
        ("curve", {"darkness": 0.0}),
        ("levels", {"black": 0.0, "white": 1.0}),
        ("hue_turn", {"turn": 0.0}),
        ("tint", {"amount": 0.0}),
        ("recolour", {"amount": 0.0}),
        ("split_tone", {"amount": 0.0}),
        ("vignette", {"amount": 0.0}),
    ],
)
def test_a_grade_that_does_nothing_leaves_the_picture(name: str, values: dict[str, float]) -> None:
    for first, second in zip(called(name, picture(), **values), picture(), strict=True):
        torch.testing.assert_close(first, second, atol=1e-5, rtol=0)


def test_one_stop_doubles_the_light() -> None:
    red = called("exposure", picture(), stops=1.0)[0]

    torch.testing.assert_close(red**2, 2.0 * picture()[0] ** 2)


def test_without_saturation_a_picture_is_grey() -> None:
    red, green, blue = called("saturation", picture(), amount=0.0)

    torch.testing.assert_close(red, green)
    torch.testing.assert_close(green, blue)


def test_a_third_of_a_turn_exchanges_the_channels() -> None:
    red, green, blue = called("hue_turn", picture(), turn=1 / 3)

    for turned, own in zip((green, blue, red), picture(), strict=True):
        torch.testing.assert_close(turned, own, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "key", "values"), [("gamma", "power", (0.6, 2.0)), ("curve", "darkness", (-0.5, 0.5))]
)
def test_gamma_and_curve_open_shadows_or_deepen_them(
    name: str, key: str, values: tuple[float, float]
) -> None:
    before = lightness(picture())[0, 50]
    opened, deepened = (lightness(called(name, picture(), **{key: v}))[0, 50] for v in values)

    assert float(deepened) < 0.8 * float(before)
    assert float(opened) > 1.2 * float(before)


def test_inverting_swaps_black_and_white_and_keeps_the_hue() -> None:
    red, green, blue = called("invert", picture(), paper=(1.0, 1.0, 1.0))

    assert float(red[0, 0]) == pytest.approx(1.0)
    torch.testing.assert_close(red - green, picture()[0] - picture()[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        torch.minimum(red, blue), 1.0 - torch.maximum(*picture()[:2]), atol=1e-5, rtol=0
    )


def test_posterising_leaves_few_levels_of_lightness() -> None:
    shown = lightness(called("posterise", (ROW, ROW, ROW), steps=3.0, softness=0.3))

    assert int((shown.diff().abs() < 2e-3).sum()) > 50


def test_a_vignette_darkens_corners_not_the_centre() -> None:
    red = called("vignette", (torch.ones(1, 101),) * 3)[0][0]

    assert float(red[50]) == pytest.approx(1.0, abs=1e-3)
    assert float(red[0]) < 0.6


def test_solarised_lights_turn_dark() -> None:
    shown = lightness(called("solarise", (ROW, ROW, ROW), threshold=0.5))[0]

    assert float(shown[50]) > 0.9
    assert float(shown[-1]) < 0.05
