"""A palette family: hues that are turned towards one another."""

from pathlib import Path
from typing import Any

import pytest

from made_dreams import write_dream
from made_scenes import program_preset
from synesthete.config.preset import Preset, load_preset, shipped_presets
from synesthete.generators.build import check_preset
from synesthete.generators.family import main_hue, turned, turned_towards

GREY = program_preset({"node": "grey", "of": {"node": "rings"}})
NAMES = ["silk", "corona", "ember", "abyss", "lava", "spectrum"]


def apart(one: float, other: float) -> float:
    return abs((one - other + 0.5) % 1.0 - 0.5)


def hue_of(preset: Preset) -> float:
    hue = main_hue(preset)
    assert hue is not None
    return hue


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wanted", [0.0, 0.3, 0.66, 0.99])
def test_main_hues_come_within_thirty_degrees_by_the_shorter_way(name: str, wanted: float) -> None:
    preset = load_preset(name)
    before = hue_of(preset)
    after = turned_towards(preset, wanted)
    check_preset(after)

    assert 0.0 <= hue_of(after) < 1.0
    assert apart(hue_of(after), wanted) <= 1 / 12 + 1e-6
    moved = apart(hue_of(after), before)
    assert moved == pytest.approx(max(0.0, apart(before, wanted) - 1 / 12), abs=1e-6)


def test_what_is_near_stays_as_it_is() -> None:
    for name in ("silk", "corona"):
        preset = load_preset(name)
        assert turned_towards(preset, (hue_of(preset) + 1 / 13) % 1.0) is preset
        assert turned_towards(preset, None) is preset


def test_greys_have_no_hue_and_are_left_alone() -> None:
    assert main_hue(GREY) is None
    assert turned_towards(GREY, 0.4) is GREY
    colourless = load_preset("silk", assignments=[
        "cppn.palette.ramp=[[0,0,0],[1,0,0]]", "cppn.palette.second=[[0,0,0],[1,0,0]]"
    ])  # fmt: skip
    assert main_hue(colourless) is None


@pytest.mark.parametrize("name", ["silk", "corona"])
def test_only_hues_turn(name: str) -> None:
    preset = load_preset(name)
    there = turned(preset, 0.3)

    assert apart(hue_of(there), (hue_of(preset) + 0.3) % 1.0) < 1e-6
    assert apart(hue_of(turned(there, -0.3)), hue_of(preset)) < 1e-6
    left = {"cppn", "program"}
    assert preset.model_dump(exclude=left) == there.model_dump(exclude=left)
    assert preset.model_dump(exclude={"cppn": {"palette"}, "program": True}) == there.model_dump(
        exclude={"cppn": {"palette"}, "program": True}
    )
    assert Preset.model_validate(there.model_dump()) == there


def test_shipped_presets_can_join_a_family() -> None:
    for name in shipped_presets()[::4]:
        check_preset(turned_towards(load_preset(name), 0.5))


def test_hues_that_move_with_the_music_move_on() -> None:
    preset = program_preset(
        {"node": "palette", "colours": {"stops": "ember", "hue": {"base": 0.1, "energy": 0.2}},
         "of": {"node": "rings"}}
    )  # fmt: skip
    assert turned(preset, 0.25).program["root"]["colours"]["hue"] == {"base": 0.35, "energy": 0.2}


def test_the_largest_programs_can_join_a_family() -> None:
    # Reading gives fields beside pictures greys of their own; they don't count.
    def tree(depth: int) -> dict[str, Any]:
        if depth == 0:
            return {
                "node": "screen",
                "below": {"node": "rings"},
                "above": {"node": "palette", "of": {"node": "rings"}},
            }
        return {"node": "screen", "below": tree(depth - 1), "above": tree(depth - 1)}

    preset = program_preset(
        {**tree(1), "below": tree(4), "above": {**tree(1), "below": tree(4), "above": tree(3)}}
    )
    check_preset(preset)
    there = turned_towards(preset, (hue_of(preset) + 0.5) % 1.0)
    check_preset(there)
    assert apart(hue_of(there), hue_of(preset)) == pytest.approx(0.5 - 1 / 12, abs=1e-6)


def test_a_dream_has_no_palette_to_turn(tmp_path: Path) -> None:
    preset = load_preset(str(write_dream(tmp_path)))
    assert main_hue(preset) is None
    assert turned(preset, 0.25) == turned_towards(preset, 0.5) == preset
