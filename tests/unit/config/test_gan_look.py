"""The section ``gan`` of a preset, the file that it names, and what moods change in it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from made_walks import write_walk
from synesthete.config.base import build
from synesthete.config.gan_look import MAX_MOVE, GanLook
from synesthete.config.mood import DEFAULT_MOOD, Mood, apply_walk, load_mood
from synesthete.config.preset import Preset, files_beside, load_preset, with_files_beside
from synesthete.config.preset_file import new_preset, resolved_yaml
from synesthete.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"anchors": 1}, "anchors"),
        ({"anchors": 65}, "anchors"),
        ({"kick_gate": 1}, "kick_gate"),
        ({"move_beats": 0.5}, "move_beats"),
        ({"noise": "loud"}, "noise"),
        ({"bass": -1}, "bass"),
        ({"weights": {"file": "a.safetensors", "place": "/a"}}, "must be a path, or file and sha256"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(GanLook, values, where="gan")


def test_it_belongs_to_its_generator() -> None:
    with pytest.raises(ConfigError, match="of the generator cppn takes no gan; remove it"):
        build(Preset, {"name": "x", "summary": "x", "gan": {"anchors": 4}}, where="preset")


def test_a_preset_is_written_with_its_weights_beside_it(tmp_path: Path) -> None:
    preset = load_preset(str(write_walk(tmp_path / "source")), assignments=["gan.bass=2"])
    assert preset.gan.weights is not None
    assert preset.gan.weights.place == tmp_path / "source" / "gan.safetensors"
    target = tmp_path / "mine.yaml"
    assert [path.name for path in files_beside(preset, target)] == ["mine.safetensors"]
    target.write_text(new_preset(with_files_beside(preset, target), name="mine"))
    mine = load_preset(str(target))
    assert mine.gan.weights is not None
    assert mine.gan.weights.sha256 == preset.gan.weights.sha256
    assert mine.gan.bass == 2
    resolved = yaml.safe_load(resolved_yaml(mine))
    assert {"cppn", "program", "diffusion"} & set(resolved) == set()
    assert "place" not in resolved["gan"]["weights"]


def mood_of(**fields: Any) -> Mood:
    return build(Mood, {"name": "test", "summary": "A mood for tests", **fields}, where="mood test")


def test_moods_change_the_walk_within_its_limits() -> None:
    look = GanLook(move_beats=8, move_s=4, glide=2, wander=0.5, wander_s=5, bass=1, kick=0.8, smoothing=0.5)
    assert apply_walk(look, load_mood(DEFAULT_MOOD)) == look
    changed = apply_walk(
        look,
        mood_of(
            rate=2, drive=1.5, smoothing=0.25,
            wander={"amount": 2, "correlation": 3, "seed": 5},
            tempo_sync={"enabled": True, "subdivision": 0.5, "grip": 0.3},
            sections={"glide": 0.5, "amount": 1.5},
        ),
    )  # fmt: skip
    assert (changed.move_beats, changed.move_s, changed.glide) == (4, 2, 1)
    assert (changed.wander, changed.wander_s, changed.wander_seed) == (1, 15, 5)
    assert (changed.bass, changed.kick, changed.sections) == (1.5, 1.2, 0.75)
    assert (changed.subdivision, changed.grip, changed.smoothing) == (0.5, 0.3, 0.75)
    wild = mood_of(rate=20, drive=20, sections={"glide": 20, "amount": 3})
    assert apply_walk(GanLook(sections=3), wild).sections == MAX_MOVE
    for far in (wild, mood_of(rate=0, drive=0, sections={"amount": 0})):
        GanLook.model_validate(apply_walk(look, far).model_dump())


def test_a_mood_lies_over_presets_of_that_generator_alone(tmp_path: Path) -> None:
    path, mood = str(write_walk(tmp_path, bass=1.0)), mood_of(drive=2)
    assert load_preset(path, mood=mood).gan.bass == 2
    assert load_preset(path, mood=mood, assignments=["gan.bass=0.5"]).gan.bass == 0.5
    assert load_preset("silk", mood=mood).gan == GanLook()
