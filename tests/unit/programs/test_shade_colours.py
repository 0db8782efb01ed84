"""Lighting colours that are there already."""

import pytest
import torch

from synesthete.programs.light import COLOUR_PARAMETERS, shade_colours


def _shaded(rgb: list[float], **given: float) -> list[float]:
    red, green, blue = torch.tensor(rgb)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    values = dict.fromkeys(COLOUR_PARAMETERS, 0.0) | {"gain": 1.0, "hue_cos": 1.0} | given
    parameters = torch.tensor([values[name] for name in COLOUR_PARAMETERS])
    planes = (plane.reshape(1) for plane in (luma, (red - luma) / 1.5748, (blue - luma) / 1.8556))
    shaded = shade_colours(*planes, None, parameters, relief=False, lines=False)
    return [float(channel) for channel in shaded]


@pytest.mark.parametrize("rgb", [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.9, 0.2, 0.1], [0.1, 0.3, 0.8]])
def test_colours_stay_as_they_are_at_rest(rgb: list[float]) -> None:
    assert _shaded(rgb) == pytest.approx(rgb, abs=1e-3)


def test_gain_lights_what_is_between_black_and_white() -> None:
    assert _shaded([0.0, 0.0, 0.0], gain=3.0) == pytest.approx([0, 0, 0], abs=1e-6)
    assert _shaded([1.0, 1.0, 1.0], gain=3.0) == pytest.approx([1, 1, 1], abs=1e-3)
    assert all(
        more > less for more, less in zip(_shaded([0.5, 0.4, 0.3], gain=2.0), [0.5, 0.4, 0.3], strict=True)
    )


def test_a_turned_hue_keeps_its_luma_and_grey_its_colour() -> None:
    assert _shaded([0.4, 0.4, 0.4], hue_cos=0.0, hue_sin=1.0) == pytest.approx([0.4, 0.4, 0.4], abs=1e-3)
    turned = _shaded([0.5, 0.4, 0.3], hue_cos=0.0, hue_sin=1.0)
    luma = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (turned, [0.5, 0.4, 0.3])]
    assert luma[0] == pytest.approx(luma[1], abs=1e-3)
    assert turned[2] > turned[0] or turned[1] > 0.4
