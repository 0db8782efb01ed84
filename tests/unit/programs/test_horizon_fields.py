"""Fields with a horizon: waterfall, terrain, sea, floor, mountains, skyline."""

from typing import Any

import pytest
import torch
from torch import Tensor

from made_programs import drawn, heard_at, minimal_node
from synesthete.generators.base import Size
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

SIZE = Size(256, 144)
PIXELS_A_UNIT = 72


def picture(name: str, on: Size = SIZE, heard: dict[str, Tensor] | None = None, **values: Any) -> Tensor:
    """Draw one channel of a field."""
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, on, heard=heard_at() | (heard or {}))[0]


def heard_past(rows: slice, bands: slice, level: float = 1.0) -> dict[str, Tensor]:
    """Make a past in which only this sounded."""
    past = torch.zeros(128, 64)
    past[rows, bands] = level
    return {"past": past}


@pytest.mark.parametrize(
    ("name", "motion", "period"),
    [
        ("sea", "phase", 1.0),
        ("grid_floor", "way", 1.0),
        ("mountains", "way", 64.0),
        ("skyline", "phase", 1.0),
    ],
)
def test_motions_change_the_picture_and_bring_it_back(name: str, motion: str, period: float) -> None:
    start = picture(name, **{motion: 0.0})

    assert float((picture(name, **{motion: 0.4}) - start).abs().max()) > 0.05
    assert float((picture(name, **{motion: period - 2e-5}) - start).abs().max()) < 0.03


def test_the_waterfall_has_the_newest_where_its_view_says() -> None:
    just_now = heard_past(slice(0, 12), slice(0, 64))
    plain = {"heard": just_now, "onsets": 0.0, "contrast": 0.0, "age": 0.0, "span": 3.0}
    down, up, away = (picture("waterfall", view=view, **plain) for view in ("down", "up", "away"))

    # Twelve rows of 96 are an eighth of the picture.
    assert float(down[:16].mean()) > 0.7
    assert not down[24:].any()
    torch.testing.assert_close(down, up.flip(0), atol=1e-5, rtol=0)
    assert float(away[140:, 64:192].mean()) > 0.7
    assert not away[:72].any()


def test_the_waterfall_shows_bands_side_by_side() -> None:
    low = heard_past(slice(0, 128), slice(0, 8))
    across, mirrored = (
        picture("waterfall", heard=low, order=order, onsets=0.0) for order in ("across", "mirrored")
    )

    assert float(across[:40, :24].mean()) > 0.6
    assert not across[:, 40:].any()
    assert float(mirrored[:40, 120:136].mean()) > 0.6
    assert not mirrored[:, :96].any()


def test_an_onset_is_a_bright_crest_in_the_waterfall() -> None:
    began = heard_past(slice(0, 48), slice(0, 64), 0.4)
    plain, crest = (
        picture("waterfall", heard=began, onsets=o, contrast=0.0, age=0.0, span=3.0)[:, 128]
        for o in (0.0, 1.0)
    )

    assert float((crest - plain)[68:76].max()) > 0.2
    assert float((crest - plain)[:60].abs().max()) < 1e-4


@pytest.mark.parametrize("view", ["away", "flat"])
def test_in_silence_the_terrain_is_straight_lines(view: str) -> None:
    shown = picture("terrain", heard=heard_past(slice(0, 0), slice(0, 0)), view=view, lines=8.0)

    middle = shown[:, 118:138]
    assert float((middle - middle[:, :1]).abs().max()) < 1e-4
    bright = middle[:, 0] > 0.1
    assert 6 <= int((bright[1:] & ~bright[:-1]).sum()) <= 8


def test_a_ridge_rises_with_its_band_and_hides_what_is_behind() -> None:
    lines = {"view": "flat", "lines": 8.0, "horizon": -0.5, "height": 1.0, "order": "across", "fog": 0.0}
    silent = picture("terrain", heard=heard_past(slice(0, 0), slice(0, 0)), **lines)[:, 128]
    # Only the newest ridge, which stands on the lower edge, is loud.
    loud = picture("terrain", heard=heard_past(slice(0, 4), slice(0, 64), 0.8), **lines)[:, 128]

    # Lines are 1.5 units / 8 apart, and a ridge is at most 2.6 of these steps high.
    top = 144 - 2.6 * 0.8 * (0.3 + 0.7 * 0.8) * 1.5 / 8 * 72
    assert float(loud[round(top) - 1 : round(top) + 2].max()) > 0.3
    behind = round(144 - 1.5 / 8 * 72)
    assert float(silent[behind - 1 : behind + 2].max()) > 0.3
    assert float(loud[behind - 1 : behind + 2].max()) < 0.05
    torch.testing.assert_close(loud[: round(top) - 4], silent[: round(top) - 4])


def test_the_sun_stands_where_height_and_aside_say() -> None:
    shown = picture("sea", horizon=0.0, height=0.5, aside=0.5, size=0.2)

    row, column = 72 - round(0.5 * 72), 128 + round(0.5 * 72)
    assert float(shown[row - 8 : row + 9, column - 8 : column + 9].min()) > 0.7
    assert float(shown[row, : column - 40].max()) < 0.2


def test_the_sea_glitters_below_the_sun() -> None:
    shown = picture("sea", horizon=0.0, height=0.35, aside=0.5)

    below = shown[76:130].mean(0)
    assert float(below[152:176].mean()) > 4.0 * float(below[40:90].mean())


def test_the_floor_lies_below_the_horizon_only_and_moves_towards_the_eye() -> None:
    night = {"sun": 0.0, "dawn": 0.0, "horizon": 0.0, "cells": 2.0, "width": 0.03, "glow": 0.0}
    shown = picture("grid_floor", **night)

    assert not shown[:71].any()
    for way in (0.0, 0.4):
        column = picture("grid_floor", way=way, **night)[:, 128 + 9]
        # The fourth line lies where cells / depth + way is 4.
        row = 72 + 2.0 / (4.0 - way) * 72
        assert float(column[round(row) - 1 : round(row) + 1].max()) > 2.0 * float(column[round(row) + 5])


def test_a_ceiling_mirrors_the_floor() -> None:
    shown = picture("grid_floor", view="both", horizon=0.0)

    torch.testing.assert_close(shown, shown.flip(0), atol=1e-4, rtol=0)


def test_near_mountains_are_dark_before_a_bright_sky() -> None:
    shown = picture("mountains", rim=0.0)

    assert float(shown[-6:].max()) < 0.02
    assert float(shown.max()) > 0.4


def test_far_mountains_are_hazier_than_near_ones() -> None:
    clear, hazy = (picture("mountains", haze=h, rim=0.0) for h in (0.3, 1.0))

    change = (hazy - clear).mean(1)
    assert float(change[60:100].mean()) > 4.0 * float(change[-20:].mean())


def test_houses_are_as_high_as_their_bands_are_loud() -> None:
    spectrum = torch.zeros(64)
    spectrum[40:] = 0.8
    city = {"order": "across", "rim": 1.0, "glow": 0.0, "base": 0.1, "ground": 0.6, "lights": 1.0}
    shown = picture("skyline", heard={"spectrum": spectrum}, **city)

    lit = shown > 0.1
    heights = torch.where(lit.any(0), 144 - lit.float().argmax(0), 0)
    assert float(heights[176:].float().mean()) > 1.5 * float(heights[:128].float().mean())


def test_water_mirrors_the_city() -> None:
    dry, wet = (picture("skyline", water=w, ground=0.3, glow=0.0) for w in (0.0, 1.0))
    ground = round(72 + 0.3 * 72)

    assert not dry[ground + 1 :].any()
    assert float(wet[ground + 1 :].mean()) > 0.005
    torch.testing.assert_close(wet[: ground - 1], dry[: ground - 1])
