"""Fields of space: tunnels, stars, particles, ribbons, aurora, galaxies."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from made_programs import drawn, minimal_node
from synesthete.generators.base import Size
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SIZE = Size(256, 144)
MIDDLE = (72, 128)
PIXELS_A_UNIT = 72


def picture(name: str, on: Size = SIZE, **values: Any) -> Tensor:
    """Draw one channel of a field."""
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, on)[0]


def distance_from_centre() -> Tensor:
    y, x = torch.meshgrid(torch.arange(144) - 71.5, torch.arange(256) - 127.5, indexing="ij")
    return torch.sqrt(x * x + y * y) / PIXELS_A_UNIT


@pytest.mark.parametrize(
    ("name", "motion", "period", "step"),
    [
        ("tunnel", "way", 64.0, 0.4),
        ("tunnel", "spin", 1.0, 0.04),
        ("tunnel", "sway", 1.0, 0.4),
        ("starfield", "way", 64.0, 0.4),
        ("starfield", "phase", 1.0, 0.5),
        ("particles", "way", 64.0, 0.4),
        ("particles", "phase", 1.0, 0.5),
        ("ribbons", "phase", 1.0, 0.4),
        ("aurora", "phase", 1.0, 0.4),
        ("galaxy", "turn", 1.0, 0.2),
        ("galaxy", "phase", 1.0, 0.5),
    ],
)
def test_motions_change_the_picture_and_bring_it_back(
    name: str, motion: str, period: float, step: float
) -> None:
    start = picture(name, **{motion: 0.0})

    assert float((picture(name, **{motion: step}) - start).abs().max()) > 0.02
    assert float((picture(name, **{motion: period - 2e-5}) - start).abs().max()) < 0.04


def test_a_tunnels_rings_come_nearer_as_it_moves() -> None:
    for way in (0.0, 0.3, 0.6):
        shown = picture("tunnel", bend=0.0, rings=1.6, width=0.1, twist=0.0, way=way, panels=0.0)

        # The fourth ring is where rings/radius + way is 4.
        radius = 1.6 / (4.0 - way)
        on = (distance_from_centre() - radius).abs() < 0.012
        off = (distance_from_centre() - 0.9 * radius).abs() < 0.012
        assert float(shown[on].mean()) > 2.0 * float(shown[off].mean())


@pytest.mark.parametrize("depth", ["straight", "endless"])
def test_a_tunnel_is_dark_in_the_distance(depth: str) -> None:
    shown, distance = picture("tunnel", bend=0.0, depth=depth), distance_from_centre()

    assert float(shown[distance < 0.06].max()) < 0.15
    assert float(shown.max()) > 0.8


def test_a_tunnel_bends_aside() -> None:
    right = picture("tunnel", bend=0.5, sway=0.0)

    # The far end, which is dark, lies where u is bend / (1 + 2 u²): 0.37 to the right.
    assert float(right[70:74, 153:157].max()) < 0.15
    assert float(right[:, 124:132].mean()) > float(right[:, 151:159].mean())


def test_more_stars_and_more_particles_shine_more() -> None:
    for name in ("starfield", "particles"):
        few, many = picture(name, density=0.4), picture(name, density=1.0)

        assert float(many.mean()) > 1.3 * float(few.mean())
        assert float(many.mean()) < 0.2


def test_stars_fly_away_from_the_centre() -> None:
    # A star that was at r is at r · scale a moment later: zooming in predicts the next picture.
    first, later = (
        picture("starfield", way=10.0 + way, layers=3, streak=0.0)[32:112, 78:178] for way in (0.0, 0.01)
    )
    still = float(((first - later) ** 2).mean())

    assert still > 0.0
    zoomed = [
        float(((_zoomed(first, 1.0 + 0.004 * k) - later) ** 2)[20:60, 20:80].mean()) for k in (-4, -2, 2, 4)
    ]
    assert min(zoomed[2:]) < min(zoomed[:2])


def _zoomed(plane: Tensor, factor: float) -> Tensor:
    grid = torch.nn.functional.affine_grid(
        torch.tensor([[[1.0 / factor, 0.0, 0.0], [0.0, 1.0 / factor, 0.0]]]),
        [1, 1, *plane.shape],
        align_corners=False,
    )
    return torch.nn.functional.grid_sample(plane[None, None], grid, align_corners=False)[0, 0]


def test_a_burst_drives_particles_out_of_the_centre() -> None:
    near = distance_from_centre() < 0.3
    calm, burst = (picture("particles", burst=b, extent=2.0, density=1.0) for b in (0.0, 0.8))

    assert float(burst[near].mean()) < 0.7 * float(calm[near].mean())


def test_wider_ribbons_cover_more() -> None:
    light = [float(picture("ribbons", width=w).mean()) for w in (0.05, 0.1, 0.2, 0.4)]

    assert light == sorted(light)
    assert light[3] > 2.0 * light[0]


def test_untwisted_ribbons_are_as_thick_as_their_width_whatever_their_slope() -> None:
    shown = picture(
        "ribbons", Size(512, 288), ribbons=3, twist=0.0, shade=0.0, height=0.05, waves=0.1, width=0.1, rim=1.0
    )

    # Three nearly level ribbons of a tenth of a unit: 14 pixels each, where they don't cover each other.
    lit = (shown > 0.05).sum(0)
    assert int(lit.max()) <= 3 * 16
    assert int(lit.min()) >= 14


def test_below_its_hem_an_aurora_is_dark() -> None:
    shown = picture("aurora", base=0.2, fold=0.2)

    # The hem is at most 0.2 + 0.2 · 0.4 below the middle.
    assert not shown[math.ceil(72 + 72 * 0.29) :].any()
    assert float(shown[:80].max()) > 0.4


def test_an_aurora_fades_upward() -> None:
    shown = picture("aurora", base=0.9, height=0.3, curtains=1).mean(1)

    assert float(shown[90:120].mean()) > 2.0 * float(shown[50:80].mean()) > 4.0 * float(shown[:30].mean())


@pytest.mark.parametrize("arms", [2, 4])
def test_half_a_turn_brings_a_galaxys_arms_back(arms: int) -> None:
    dustless = {"arms": arms, "stars": 0.0}

    torch.testing.assert_close(
        picture("galaxy", turn=0.5, **dustless), picture("galaxy", turn=0.0, **dustless), atol=2e-3, rtol=0
    )
    shown = picture("galaxy", **dustless)
    torch.testing.assert_close(shown, shown.flip(0, 1), atol=2e-3, rtol=0)


def test_a_galaxy_is_brightest_in_its_core() -> None:
    shown = picture("galaxy")

    assert float(shown[MIDDLE]) > 0.7
    assert float(shown[distance_from_centre() > 1.4].mean()) < 0.05
