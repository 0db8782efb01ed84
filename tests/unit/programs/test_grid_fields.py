"""Fields on grids: tiles, mosaic, heatmap, lines, dots, weave, equaliser, circuit."""

from typing import Any

import pytest
import torch
from torch import Tensor

from made_programs import drawn, heard_at, minimal_node, shrunk
from synesthete.generators.base import Size
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SIZE = Size(256, 144)
PIXELS_A_UNIT = 72


def picture(name: str, on: Size = SIZE, heard: dict[str, Tensor] | None = None, **values: Any) -> Tensor:
    """Draw one channel of a field."""
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, on, heard=heard_at() | (heard or {}))[0]


@pytest.mark.parametrize(
    ("name", "motion"),
    [
        ("tiles", "phase"),
        ("mosaic", "phase"),
        ("grid_lines", "across"),
        ("grid_lines", "down"),
        ("dots", "phase"),
        ("weave", "phase"),
        ("circuit", "phase"),
        ("circuit", "flip"),
    ],
)
def test_motions_change_the_picture_and_bring_it_back(name: str, motion: str) -> None:
    start = picture(name, **{motion: 0.0})

    assert float((picture(name, **{motion: 0.4}) - start).abs().max()) > 0.05
    assert float((picture(name, **{motion: 1.0 - 2e-5}) - start).abs().max()) < 0.02


@pytest.mark.parametrize("shape", ["square", "disc", "diamond"])
@pytest.mark.parametrize("level", [0.0, 0.3, 0.7, 1.0])
def test_level_is_the_share_of_tiles_that_are_lit(shape: str, level: float) -> None:
    shown = picture("tiles", shape=shape, level=level, cells=6.0, rest=0.0, glow=0.0, order=0.0)

    # Six tiles along a unit are 12 pixels each; one has its middle in the picture's.
    middles = shown[72 % 12 :: 12, 128 % 12 :: 12]
    assert float((middles > 0.25).float().mean()) == pytest.approx(level, abs=0.12)


def test_a_mosaics_squares_are_split_without_becoming_brighter() -> None:
    plain = {"contrast": 0.0, "wander": 0.0, "border": 0.015, "cells": 2.0}
    whole, split = (picture("mosaic", Size(288, 288), split=s, **plain) for s in (0.0, 1.0))

    # Squares are 72 pixels wide, and those about the middle begin half a square beside it.
    inside = slice(36, 252)
    coarse = [shrunk(shown[None, inside, inside], Size(3, 3))[0] for shown in (whole, split)]
    torch.testing.assert_close(coarse[0], coarse[1], atol=0.16, rtol=0)
    assert float((whole - split).abs().mean()) > 0.05


def test_unsplit_squares_have_one_brightness() -> None:
    shown = picture("mosaic", Size(288, 288), split=0.0, cells=1.0)

    square = shown[144 - 60 : 144 + 60, 144 - 60 : 144 + 60]
    assert float(square.max() - square.min()) < 1e-4


def test_a_heatmap_lights_the_column_of_a_band_and_shows_the_newest_below() -> None:
    past = torch.zeros(128, 64)
    past[:4, 20:24] = 1.0  # a tone of an eighth of a second, just now
    shown = picture(
        "heatmap", heard={"past": past}, bands=16, rows=12, span=1.5, rest=0.0, age=0.0, contrast=0.0
    )

    column = slice(5 * 16, 6 * 16)
    assert float(shown[132:, column].mean()) > 0.4
    assert not shown[:, : 5 * 16].any()
    assert not shown[:, 6 * 16 + 1 :].any()
    assert not shown[:108].any()


def test_grid_lines_lie_at_whole_cells_and_glow_where_they_cross() -> None:
    shown = picture("grid_lines", cells=2.0, detail=0.0, width=0.05)

    # Two cells along a unit are 36 pixels each; one crossing lies in the middle.
    off = shown[72 + 18, 128 + 18]
    assert float(shown[72 + 18, 128]) > 3.0 * float(off) + 0.1
    assert float(shown[72, 128]) > float(shown[72 + 18, 128]) + 0.1
    torch.testing.assert_close(shown[:, 36:], shown[:, :-36], atol=1e-4, rtol=0)


def test_scrolling_by_half_a_cell_moves_lines_by_half_a_cell() -> None:
    here, there = (picture("grid_lines", cells=2.0, across=way) for way in (0.0, 0.5))

    torch.testing.assert_close(there[:, 18:], here[:, :-18], atol=1e-4, rtol=0)


@pytest.mark.parametrize("lattice", ["hexagonal", "square"])
def test_dots_swell_and_vanish_with_the_wave(lattice: str) -> None:
    swollen, gone = (
        picture("dots", lattice=lattice, depth=1.0, waves=0.0, phase=p, soft=0.0) for p in (0.0, 0.5)
    )

    assert float(swollen[72, 128]) > 0.8
    assert float(gone.max()) < 0.01


def test_a_plain_weave_repeats_every_second_cell_and_not_every_cell() -> None:
    shown = picture("weave", cells=2.0, light=0.0, threads=0.0, depth=1.0)

    torch.testing.assert_close(shown[:, 72:], shown[:, :-72], atol=1e-4, rtol=0)
    assert float((shown[:, 36:] - shown[:, :-36]).abs().mean()) > 0.02


@pytest.mark.parametrize("level", [0.25, 0.5, 1.0])
def test_as_many_lamps_are_lit_as_a_band_is_loud(level: float) -> None:
    spectrum = torch.zeros(64)
    spectrum[32:36] = level
    shown = picture(
        "equaliser", heard={"spectrum": spectrum}, bands=16, segments=12, height=1.0, rest=0.0, fall=0.0
    )

    # The ninth of sixteen columns; lamps are 12 pixels high.
    lamps = shown[6::12, 8 * 16 + 8].flip(0)
    assert int((lamps > 0.3).sum()) == round(12 * level)
    assert bool((lamps[: round(12 * level)] > 0.3).all())
    assert not shown[:, : 8 * 16].any()


def test_a_mirrored_equaliser_has_low_notes_in_the_middle() -> None:
    spectrum = torch.zeros(64)
    spectrum[:4] = 1.0
    shown = picture("equaliser", heard={"spectrum": spectrum}, order="mirrored", base="middle", rest=0.0)

    assert float(shown[:, 120:136].mean()) > 0.1
    assert not shown[:, :96].any()
    torch.testing.assert_close(shown, shown.flip(1), atol=1e-5, rtol=0)
    torch.testing.assert_close(shown, shown.flip(0), atol=1e-5, rtol=0)


def test_circuit_lines_go_on_from_tile_to_tile() -> None:
    shown = picture("circuit", Size(256, 256), cells=2.0, rest=1.0, pulse=0.0, glow=0.0, width=0.15)

    # Tiles are 64 pixels wide; lines cross their edges in the middle, but for tiles that are turning over.
    crossings = torch.cat([shown[32::64, ::64].flatten(), shown[::64, 32::64].flatten()])
    assert float((crossings > 0.6).float().mean()) > 0.6
    corners = shown[::64, ::64]
    assert float((corners < 0.1).float().mean()) > 0.8
