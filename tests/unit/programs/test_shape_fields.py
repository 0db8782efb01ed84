"""Fields of shapes: figures are as large, as many and where they are said to be, and their phases close."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from made_programs import drawn, minimal_node
from synesthete.generators.base import Size
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SIDE = 288
SQUARE = Size(SIDE, SIDE)


def picture(name: str, **values: Any) -> Tensor:
    """Draw one channel of a field."""
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, SQUARE)[0]


def at(shown: Tensor, x: float, y: float) -> float:
    """Give the value at a position: x to the right, y upward."""
    column, row = (round((place + 1) * SIDE / 2 - 0.5) for place in (x, -y))
    return float(shown[row, column])


def along_circle(shown: Tensor, radius: float) -> Tensor:
    """Give the values along a circle, clockwise from the top."""
    turns = torch.arange(2880) / 2880
    places = radius * torch.stack([torch.sin(math.tau * turns), -torch.cos(math.tau * turns)], -1)
    values = torch.nn.functional.grid_sample(shown[None, None], places[None, None], align_corners=False)
    return values[0, 0, 0]


def humps(values: Tensor, level: float) -> int:
    """Count the stretches above a level on a closed way."""
    above = values > level
    return int((above & ~above.roll(1)).sum())


PHASED = [
    ("shape", {"echo": 1.0}),
    ("rose", {}),
    ("sunburst", {}),
    ("spiral", {"kind": "logarithmic"}),
    ("spiral", {"kind": "archimedean"}),
    ("phyllotaxis", {}),
    ("orbits", {}),
]


@pytest.mark.parametrize(("name", "values"), PHASED)
def test_one_turn_of_the_phase_brings_the_picture_back_and_a_part_does_not(
    name: str, values: dict[str, Any]
) -> None:
    start, part, end = (picture(name, phase=phase, **values) for phase in (0.0, 0.37, 1.0 - 1e-6))

    torch.testing.assert_close(start, end, atol=0.02, rtol=0)
    assert float(torch.abs(start - part).max()) > 0.2


@pytest.mark.parametrize("figure", ["star", "circle", "polygon", "heart", "cross", "ring"])
def test_a_shape_grows_with_its_radius_and_stays_in_it(figure: str) -> None:
    areas = []
    for radius in (0.3, 0.6):
        shown = picture("shape", figure=figure, radius=radius, fill=1.0, glow=0.0, echo=0.0, width=0.004)
        rows, columns = torch.nonzero(shown > 0.1, as_tuple=True)
        far = torch.hypot((columns + 0.5) * 2 / SIDE - 1, (rows + 0.5) * 2 / SIDE - 1).max()
        assert float(far) == pytest.approx(radius, rel=0.1)
        areas.append(float((shown > 0.1).sum()))
    assert areas[1] == pytest.approx(4 * areas[0], rel=0.05)


@pytest.mark.parametrize(("figure", "tips"), [("star", 5), ("star", 9), ("polygon", 3), ("polygon", 6)])
def test_a_star_and_a_polygon_have_as_many_tips_as_sides_the_first_on_top(figure: str, tips: int) -> None:
    shown = picture(
        "shape", figure=figure, sides=float(tips), radius=0.9, roundness=0.0, echo=0.0, glow=0.0, fill=1.0
    )
    ring = along_circle(shown, 0.9 * (math.cos(math.pi / tips) + 0.8) / 1.8)

    assert humps(ring, 0.05) == tips
    assert float(ring[0]) > 0.05


def test_an_outline_is_hollow_and_a_filled_shape_is_not() -> None:
    hollow, filled = (picture("shape", figure="circle", echo=0.0, glow=0.0, fill=f) for f in (0.0, 1.0))

    assert at(hollow, 0.0, 0.0) == 0.0
    assert at(filled, 0.0, 0.0) > 0.1
    assert at(hollow, 0.5, 0.0) > 0.8


def test_a_fractional_number_of_petals_does_not_tear() -> None:
    for name, values in (("rose", {"petals": 6.4}), ("sunburst", {"rays": 9.3}), ("spiral", {"arms": 3.4})):
        shown = picture(name, **values)

        # Where the angle wraps, below the centre, rays at rest are the same on both sides.
        left, right = shown[SIDE // 2 :, SIDE // 2 - 1], shown[SIDE // 2 :, SIDE // 2]
        assert float(torch.abs(left - right).mean()) < 0.06


def test_a_rose_has_its_petals_and_a_sunburst_its_rays_and_a_spiral_its_arms() -> None:
    rose = picture("rose", petals=5.0, depth=0.8, radius=0.9, layers=1, glow=0.0)
    sun = picture("sunburst", rays=11.0, detail=0.0, twist=0.0, core=0.0)
    spiral = picture("spiral", arms=4.0, relief=0.0)

    assert humps(along_circle(rose, 0.6), 0.1) == 5
    assert humps(along_circle(sun, 0.4), 0.2) == 11
    assert humps(along_circle(spiral, 0.5), 0.3) == 4


def test_arms_of_a_spiral_move_outward() -> None:
    shown, later = (
        picture("spiral", kind="archimedean", arms=1.0, relief=0.0, width=0.2, phase=p) for p in (0.5, 0.6)
    )

    def first_arm(plane: Tensor) -> float:
        ray = torch.arange(SIDE // 2 + 30, SIDE - 30)
        lit = plane[SIDE // 2, ray]
        return float(ray[int((lit > 0.2).nonzero()[0, 0])])

    assert 2.0 < first_arm(later) - first_arm(shown) < 30.0


@pytest.mark.parametrize(("seeds", "phase"), [(60.0, 0.0), (240.0, 0.35), (480.0, 0.8)])
def test_every_seed_of_the_sunflower_is_drawn(seeds: float, phase: float) -> None:
    shown = picture("phyllotaxis", seeds=seeds, radius=0.95, size=0.8, growth=0.0, accent=0.0, phase=phase)

    golden = (3 - math.sqrt(5)) / 2
    numbers = torch.arange(-20, int(0.9 * seeds - 21))
    age = numbers + 21 * phase
    turns = golden * numbers + (21 * golden - 8) * phase
    radius = 0.95 * torch.sqrt(age.clamp(min=0.0) / seeds)
    for turn, out in zip(turns[age > 4], radius[age > 4], strict=True):
        x, y = float(out * torch.sin(math.tau * turn)), float(out * torch.cos(math.tau * turn))
        assert at(shown, x, y) > 0.75
    # Discs of 0.8 · 0.84 times the radius of their share of the ground.
    covered = float((shown > 0.3).sum()) / (math.pi * 0.9 * (0.95 * SIDE / 2) ** 2)
    assert covered == pytest.approx((0.8 * 0.84) ** 2, rel=0.15)


def test_bodies_meet_in_a_line_when_the_phase_comes_round() -> None:
    shown = picture("orbits", bodies=4, inner=0.2, outer=0.8, phase=0.0)

    for out in (0.2, 0.4, 0.6, 0.8):
        assert at(shown, 0.0, out) > 0.8


def test_the_outer_body_goes_round_once_and_the_next_twice() -> None:
    shown = picture("orbits", bodies=4, inner=0.2, outer=0.8, phase=0.25)

    for body, out in enumerate((0.2, 0.4, 0.6, 0.8)):
        turn = 0.25 * (4 - body)
        assert at(shown, out * math.sin(math.tau * turn), out * math.cos(math.tau * turn)) > 0.8


def test_a_trail_lies_behind_its_body() -> None:
    values = {"bodies": 3, "inner": 0.2, "outer": 0.8, "rail": 0.0, "glow": 0.0, "phase": 0.25, "size": 0.05}
    shown = picture("orbits", trail=0.4, **values)

    # The outermost stands on the right, and came from the top.
    assert at(shown, 0.8 * math.sin(1.0), 0.8 * math.cos(1.0)) > 0.05
    assert at(shown, 0.8 * math.sin(2.2), 0.8 * math.cos(2.2)) == 0.0
