"""Palettes: the colours that were asked for, inside what a screen can show, and black where it is dark."""

import numpy as np
import pytest

from synesthete.config.preset import load_preset, shipped_presets
from synesthete.programs.palettes import RAMP_DEGREE, oklch_to_display, ramp_coefficients

# Ottosson's matrices, the other way round: what is tested must not check itself.
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklch(display: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lab = np.cbrt(display**2 @ TO_LMS.T) @ TO_LAB.T
    return lab[:, 0], np.hypot(lab[:, 1], lab[:, 2]), np.rad2deg(np.arctan2(lab[:, 2], lab[:, 1])) % 360


def colour(lightness: float, chroma: float, hue: float) -> np.ndarray:
    return oklch_to_display(np.array([lightness]), np.array([chroma]), np.array([hue]))[0]


@pytest.mark.parametrize(
    ("stop", "display"),
    [
        ((1.0, 0.0, 0.0), (1, 1, 1)),
        ((0.0, 0.0, 0.0), (0, 0, 0)),
        ((0.5, 0.0, 123.0), (0.125**0.5,) * 3),  # grey: lightness is the cube root of linear light
        ((0.627955, 0.257683, 29.2339), (1, 0, 0)),
        ((0.866440, 0.294827, 142.4953), (0, 1, 0)),
        ((0.452014, 0.313214, 264.0520), (0, 0, 1)),
    ],
    ids=["white", "black", "grey", "red", "green", "blue"],
)
def test_known_colours(stop: tuple[float, float, float], display: tuple[float, float, float]) -> None:
    # 0.02 of display at 0 is 0.0004 of linear light.
    np.testing.assert_allclose(colour(*stop), display, atol=0.02)


def test_what_no_screen_can_show_loses_chroma_and_keeps_hue_and_lightness() -> None:
    lightness, hue = (axis.ravel() for axis in np.meshgrid([0.3, 0.5, 0.7, 0.9], np.arange(0.0, 360.0, 15.0)))
    display = oklch_to_display(lightness, np.full_like(hue, 0.4), hue)
    assert display.min() >= 0
    assert display.max() <= 1
    is_lightness, is_chroma, is_hue = oklch(display)
    np.testing.assert_allclose(is_lightness, lightness, atol=0.01)
    assert np.abs((is_hue - hue + 180) % 360 - 180).max() < 3
    assert is_chroma.max() < 0.35
    assert is_chroma.min() > 0.03


def test_inside_the_gamut_nothing_is_changed() -> None:
    lightness, chroma, hue = oklch(
        oklch_to_display(np.full(12, 0.7), np.full(12, 0.1), np.arange(0.0, 360.0, 30.0))
    )
    np.testing.assert_allclose(lightness, 0.7, atol=1e-4)
    np.testing.assert_allclose(chroma, 0.1, atol=1e-4)
    np.testing.assert_allclose(hue, np.arange(0.0, 360.0, 30.0), atol=0.1)


def exact_ramp(
    stops: tuple[tuple[float, float, float], ...], steps: np.ndarray, shift: float = 0.0
) -> np.ndarray:
    values = np.array(stops)
    hues = np.rad2deg(np.unwrap(np.deg2rad(values[:, 2]))) + 360 * shift
    at = np.linspace(0, 1, len(stops))
    curves = (np.interp(steps, at, curve) for curve in (values[:, 0], values[:, 1], hues))
    return oklch_to_display(*curves)


def fitted_ramp(coefficients: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return np.clip(np.vander(steps, RAMP_DEGREE + 1, increasing=True) @ coefficients.T, 0, 1)


@pytest.mark.parametrize("name", shipped_presets())
@pytest.mark.parametrize("which", ["ramp", "second"])
def test_a_shipped_ramp_is_met_and_its_dark_end_is_dark(name: str, which: str) -> None:
    stops = getattr(load_preset(name).cppn.palette, which)
    steps = np.linspace(0, 1, 101)
    fitted, exact = fitted_ramp(ramp_coefficients(stops), steps), exact_ramp(stops, steps)
    assert np.sqrt(((fitted - exact) ** 2).mean()) < 0.03
    assert np.abs(fitted[0] - exact[0]).max() < 0.02


def test_hues_go_the_short_way_and_shift_by_turns() -> None:
    stops = ((0.6, 0.1, 350.0), (0.6, 0.1, 370.0))
    steps = np.linspace(0, 1, 11)
    hue = oklch(fitted_ramp(ramp_coefficients(stops), steps))[2]
    assert np.abs((hue + 180) % 360 - 180).max() < 12  # through red, not round the wheel
    short = ramp_coefficients(((0.6, 0.1, 350.0), (0.6, 0.1, 10.0)))
    np.testing.assert_allclose(short, ramp_coefficients(stops), atol=1e-9)
    np.testing.assert_allclose(ramp_coefficients(stops, hue_shift=1.0), ramp_coefficients(stops), atol=1e-9)
    moved = fitted_ramp(ramp_coefficients(stops, hue_shift=0.25), steps)
    np.testing.assert_allclose(moved, exact_ramp(stops, steps, 0.25), atol=0.01)
