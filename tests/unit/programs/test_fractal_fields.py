"""Fractals and networks: their symmetries, what stays dark, and seeds that lead on smoothly."""

import pytest
import torch
from torch import Tensor

from made_programs import drawn, minimal_node
from synesthete.generators.base import Size
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SMALL = Size(128, 72)


def picture(name: str, pixels: Size = SMALL, /, **values: object) -> Tensor:
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, pixels)[0]


@pytest.mark.parametrize("name", ["julia", "mandelbrot", "kali", "neural"])
def test_one_turn_brings_the_picture_back(name: str) -> None:
    before, after = picture(name, phase=0.0), picture(name, phase=1.0 - 1e-7)

    torch.testing.assert_close(after, before, atol=0.02, rtol=0)
    assert float((picture(name, phase=0.3) - before).abs().max()) > 0.1


@pytest.mark.parametrize("form", ["jewels", "bubbles"])
def test_julia_sets_look_the_same_turned_by_half(form: str) -> None:
    values = picture("julia", form=form)
    torch.testing.assert_close(values, values.flip((0, 1)), atol=1e-3, rtol=0)


@pytest.mark.parametrize("form", ["jewels", "bubbles"])
def test_the_window_on_the_mandelbrot_set_mirrors_when_its_way_does(form: str) -> None:
    above, below = (picture("mandelbrot", form=form, phase=phase) for phase in (0.3, 0.7))
    torch.testing.assert_close(above, below.flip(0), atol=2e-3, rtol=0)


def test_what_escapes_at_once_is_dark_and_the_coast_shines() -> None:
    values = picture("julia", Size(256, 144), zoom=0.6, coast=0.005)

    assert float(values[:, :20].max()) < 0.05
    assert float(values.max()) > 0.5


def test_jewels_lie_where_the_orbit_meets_zero() -> None:
    # The window's centre is c; c = 0 lies at -c on the screen, enlarged, and its orbit never leaves zero.
    zoom, phase, away = 0.7, 0.5, 1.0
    values = picture("mandelbrot", Size(256, 144), zoom=zoom, phase=phase, away=away, bloom=0.05)
    column = round((0.75 * zoom / (16 / 9) + 1.0) * 128)

    assert float(values[70:74, column - 2 : column + 2].max()) > 0.7


@pytest.mark.parametrize("form", ["lace", "arcs", "bubbles"])
def test_kali_mirrors_about_both_axes(form: str) -> None:
    values = picture("kali", form=form)

    torch.testing.assert_close(values, values.flip(0), atol=1e-3, rtol=0)
    torch.testing.assert_close(values, values.flip(1), atol=1e-3, rtol=0)


def test_more_folds_add_finer_light() -> None:
    few, many = (picture("kali", Size(256, 144), folds=folds) for folds in (4, 8))

    assert bool((many >= few - 1e-5).all())
    assert float(many.diff(dim=1).abs().mean()) > 1.1 * float(few.diff(dim=1).abs().mean())


def test_networks_of_near_seeds_are_near_and_of_others_different() -> None:
    first, near, other = (picture("neural", seed=seed) for seed in (3.0, 3.001, 8.0))

    assert float((first - near).abs().max()) < 0.05
    assert float((first - other).abs().mean()) > 0.1
