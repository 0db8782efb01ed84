"""Fields that look grown: seamless ways, even lines, cells in their places, bolts as long as told."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from made_programs import drawn, minimal_node
from synesthete.generators.base import Size
from synesthete.programs.parameters import Real
from synesthete.programs.primitives.organic import _stirred
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SMALL = Size(128, 72)
NAMES = ("fbm", "smoke", "flow", "contours", "metaballs", "cells", "membrane")
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

    torch.testing.assert_close(after, before, atol=0.02, rtol=0)
    assert float((picture(name, **{key: 0.3 * end}) - before).abs().max()) > 0.1


@pytest.mark.parametrize("name", ["fbm", "smoke"])
def test_octaves_add_detail(name: str) -> None:
    def roughness(octaves: int) -> float:
        values = picture(name, Size(256, 144), octaves=octaves)
        return float(values.diff(n=2, dim=1).abs().mean() / values.std())

    assert roughness(2) < roughness(4) < roughness(6)


def test_flow_knows_how_steep_its_stirring_is() -> None:
    x, y = torch.linspace(-2.0, 2.0, 41)[None], torch.linspace(-1.0, 1.0, 31)[:, None]
    x, y = (plane.expand(31, 41).double() for plane in (x, y))
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()

    _, stirred, stretch = _stirred(x, y, torch.tensor(0.2), torch.tensor(0.9), torch.tensor(1e-3))
    along, down = torch.autograd.grad(stirred.sum(), (x, y))

    torch.testing.assert_close(stretch, torch.sqrt(along**2 + down**2), atol=1e-6, rtol=1e-6)


def test_flow_runs_along_its_streaks() -> None:
    values = picture("flow", Size(256, 144), amount=0.2)

    assert float(values.diff(dim=1).abs().mean()) < 0.5 * float(values.diff(dim=0).abs().mean())


def test_lines_twice_as_wide_give_twice_the_light() -> None:
    def light(width: float) -> float:
        return float(picture("contours", Size(512, 288), width=width, between=0.0, fill=0.0).mean())

    assert light(0.02) == pytest.approx(2.0 * light(0.01), rel=0.1)


def test_lines_are_as_thick_on_gentle_slopes_as_on_steep_ones() -> None:
    # Hills twice as large are half as steep, and have half the lines: each keeps its thickness.
    def light(size: float, levels: float) -> float:
        given = {"width": 0.02, "between": 0.0, "fill": 0.0}
        return float(picture("contours", Size(512, 288), size=size, levels=levels, **given).mean())

    assert light(0.5, 2.0) == pytest.approx(light(0.5, 4.0) / 2.0, rel=0.25)


def test_fine_lines_leave_strong_ones_as_they_are() -> None:
    plain = picture("contours", Size(256, 144), between=0.0, fill=0.0)
    both = picture("contours", Size(256, 144), between=1.0, fill=0.0)

    assert float((plain - both).max()) < 0.02
    assert float(both.mean()) > 1.5 * float(plain.mean())


def test_drops_have_a_bright_rim_and_dim_insides() -> None:
    values = picture("metaballs", Size(256, 144), apart=0.1, size=0.4, rim=0.04, fill=0.3, glow=0.0)
    middle = values[72]

    assert float(values[72, 128]) < 0.4
    assert float(middle[:128].max()) > 0.8
    assert float(middle[128:].max()) > 0.8
    assert float(values[:4].max()) < 0.05


def test_cells_without_jitter_are_a_grid() -> None:
    values = picture("cells", Size(200, 100), form="spots", jitter=0.0, size=0.5, width=0.1)
    # Columns are half a unit apart, 25 pixels; points lie in the middle.
    lit = [
        index for index in range(1, 199) if values[50, index - 1] < values[50, index] >= values[50, index + 1]
    ]

    assert {b - a for a, b in pairwise(lit)} <= {24, 25, 26}
    assert len(lit) == 8


def test_wider_borders_leave_smaller_plates() -> None:
    thin, thick = (picture("cells", form="plates", width=width).mean() for width in (0.05, 0.25))
    assert float(thick) < 0.8 * float(thin)


def test_a_higher_level_leaves_less_inside_the_membrane() -> None:
    low, high = (picture("membrane", level=level, fill=1.0, width=0.15).mean() for level in (-0.5, 0.5))
    assert float(high) < 0.7 * float(low)


def test_lightning_comes_down_as_far_as_it_is_told() -> None:
    half, whole = (picture("lightning", length=length, glow=0.0) for length in (0.4, 1.0))

    assert float(half[:20].max()) > 0.5
    assert float(half[40:].max()) < 0.05
    assert float(whole[-1].max()) > 0.2


def test_another_seed_is_another_bolt_and_a_near_one_a_near_bolt() -> None:
    first, near, other = (picture("lightning", seed=seed) for seed in (3.0, 3.0005, 9.0))

    assert float((first - near).abs().max()) < 0.05
    assert float((first - other).abs().max()) > 0.5


def test_bolts_burst_from_the_centre() -> None:
    values = picture("lightning", form="burst", branches=5)

    assert float(values[35:37, 63:65].min()) > 0.6
