"""Fields of waves: they come back after a turn, average out from far away, and keep their figure."""

import pytest
import torch
from torch import Tensor

from made_programs import drawn, minimal_node, shrunk
from synesthete.generators.base import Size, pixel_grid
from synesthete.programs.parameters import Real
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SMALL = Size(128, 72)
NAMES = ("rings", "ripples", "plasma", "checker", "moire", "caustics")
WRAPPED = [
    (name, key)
    for name in NAMES
    for key, parameter in primitives()[name].parameters.items()
    if isinstance(parameter, Real) and parameter.wraps
]


def picture(name: str, pixels: Size = SMALL, /, **values: object) -> Tensor:
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, pixels)[0]


@pytest.mark.parametrize(("name", "key"), WRAPPED)
def test_one_turn_brings_the_picture_back(name: str, key: str) -> None:
    end = primitives()[name].parameters[key].high

    before, after = picture(name, **{key: 0.0}), picture(name, **{key: end * (1.0 - 1e-6)})

    torch.testing.assert_close(after, before, atol=5e-3, rtol=0)
    assert float((picture(name, **{key: 0.3 * end}) - before).abs().max()) > 0.1


def test_rings_are_brightest_at_whole_turns_and_dark_between() -> None:
    values = picture("rings", Size(256, 256), count=3.0, phase=0.5, sharpness=0.6)
    x, y = pixel_grid(Size(256, 256))
    turns = torch.sqrt(x * x + y * y) * 3.0 - 0.5
    away = (turns - torch.round(turns)).abs()

    assert float(values[away < 0.03].min()) > 0.7
    assert float(values[away > 0.3].max()) == 0.0


def test_rings_finer_than_a_pixel_are_their_mean_however_sharp() -> None:
    for sharpness in (0.0, 0.5, 1.0):
        large = shrunk(
            picture("rings", Size(1024, 1024), count=24.0, sharpness=sharpness)[None], Size(16, 16)
        )
        small = picture("rings", Size(16, 16), count=24.0, sharpness=sharpness)

        assert float((small - large[0]).abs().max()) < 0.05


def test_ripples_of_three_sources_come_back_after_a_third_of_a_turn() -> None:
    torch.testing.assert_close(picture("ripples", turn=1 / 3), picture("ripples"), atol=1e-4, rtol=0)


def test_ripples_shine_most_where_crests_meet() -> None:
    values = picture("ripples", Size(256, 144), sharpness=0.8)

    assert float(values.max()) > 0.6
    assert float(values.median()) < 0.15


def test_checks_are_in_turn_light_and_dark() -> None:
    values = picture("checker", Size(96, 96), count=2.0, phase=0.25)
    centres = values[6::12, 6::12]
    row, column = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")

    assert float(centres[(row + column) % 2 == 0].max()) < 1e-3
    assert float(centres[(row + column) % 2 == 1].min()) > 0.8


@pytest.mark.parametrize("form", ["rings", "waves"])
@pytest.mark.parametrize("light", ["agreement", "difference"])
def test_beats_stay_where_the_gratings_are_finer_than_pixels(form: str, light: str) -> None:
    given = {"form": form, "light": light, "count": 36.0, "offset": 0.06}
    small = picture("moire", Size(64, 36), **given)
    large = shrunk(picture("moire", Size(1024, 576), **given)[None], Size(64, 36))[0]

    together = torch.corrcoef(torch.stack([small.flatten(), large.flatten()]))[0, 1]

    assert float(small.std()) > 0.06
    assert float(together) > 0.9


def test_caustics_are_thin_lines_on_dark_ground() -> None:
    values = picture("caustics", Size(480, 270), layers=1, width=0.1)

    assert float(values.max()) > 0.6
    assert float(values.median()) < 0.08


def test_a_second_layer_only_adds_light() -> None:
    assert bool((picture("caustics", layers=2) >= picture("caustics", layers=1)).all())


def test_plasma_without_swirl_folds_as_often_as_it_is_told() -> None:
    def steepness(folds: float) -> float:
        return float(picture("plasma", folds=folds, swirl=0.0).diff(dim=1).abs().mean())

    assert steepness(2.0) > 1.6 * steepness(1.0)
