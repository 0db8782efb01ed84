"""Moods: what they change in a preset's control, what they leave, in which order, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from made_dreams import write_dream
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.config.base import build
from synesthete.config.control import Control
from synesthete.config.dream import DiffusionLook
from synesthete.config.mood import DEFAULT_MOOD, Mood, apply_guidance, apply_mood, load_mood, shipped_moods
from synesthete.config.preset import Preset, load_preset, shipped_presets
from synesthete.errors import ConfigError
from synesthete.generators.build import check_preset

OWN = ("pulse", "drift", "fracture", "lumen", "nocturne", "surge")


def mood_of(**fields: Any) -> Mood:
    return build(Mood, {"name": "test", "summary": "A mood for tests", **fields}, where="mood test")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(values: dict[str, Any] | str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
        return path

    return write


# Shipped ----------------------------------------------------------------------------------------------------


def test_the_default_comes_first_and_six_of_our_own_follow() -> None:
    names = shipped_moods()
    assert names[0] == DEFAULT_MOOD
    assert set(names) == {DEFAULT_MOOD, *OWN}


@pytest.fixture(scope="module")
def presets() -> dict[str, Preset]:
    return {name: load_preset(name) for name in shipped_presets()}


def test_the_default_changes_nothing(presets: dict[str, Preset]) -> None:
    for preset in presets.values():
        same = apply_mood(preset.control, load_mood(DEFAULT_MOOD))
        assert same.model_dump_json().encode() == preset.control.model_dump_json().encode()
    assert load_preset("silk", mood=load_mood(DEFAULT_MOOD)) == presets["silk"]


@pytest.mark.parametrize("mood", shipped_moods())
def test_every_mood_goes_with_every_preset(mood: str, presets: dict[str, Preset]) -> None:
    taken = load_mood(mood)
    assert taken.name == mood
    assert 10 < len(taken.summary) <= 100
    for preset in presets.values():
        control = apply_mood(preset.control, taken)
        assert control.names() == preset.control.names()
        assert {envelope.column for envelope in control.envelopes.values()} <= set(COLUMN_NAMES)
        assert Control.model_validate(control.model_dump()) == control
        assert (control == preset.control) is (mood == DEFAULT_MOOD)


@pytest.mark.parametrize("name", ["silk", "corona"])
def test_a_mood_touches_nothing_but_the_control(name: str, presets: dict[str, Preset]) -> None:
    moody = load_preset(name, mood=load_mood("surge"))
    assert moody != presets[name]
    assert moody.model_copy(update={"control": presets[name].control}) == presets[name]


@pytest.mark.parametrize("mood", OWN)
def test_programs_are_built_in_every_mood(mood: str) -> None:
    check_preset(load_preset("corona", mood=load_mood(mood)))


def test_the_moods_are_what_they_are_called() -> None:
    moods = {name: apply_mood(Control(), load_mood(name)) for name in shipped_moods()}
    plain = moods[DEFAULT_MOOD]

    def of(name: str, envelope: str, field: str) -> float:
        return float(getattr(moods[name].envelopes[envelope], field))

    for envelope in plain.envelopes:
        assert of("fracture", envelope, "attack") == 0.0
        assert of("drift", envelope, "attack") > 0.3 > of("default", envelope, "attack")
        assert of("drift", envelope, "release") > of("lumen", envelope, "release") or envelope == "spark"
        assert of("pulse", envelope, "release") < of("default", envelope, "release")
    assert moods["pulse"].phases["flow"].step == 1
    assert moods["surge"].phases["flow"].drive["energy"] > plain.phases["flow"].drive["energy"]
    assert moods["nocturne"].phases["flow"].rate < plain.phases["flow"].rate
    assert moods["nocturne"].envelopes["energy"].column == "bass"
    assert moods["lumen"].envelopes["voice"].column == "treble"
    assert load_mood("surge").sections.scenes == "sections"
    followed = {name: load_mood(name).guidance for name in moods}
    assert max(followed["drift"], followed["nocturne"]) < 1 == followed[DEFAULT_MOOD] == followed["lumen"]
    assert min(followed["pulse"], followed["surge"]) > 1 < followed["fracture"] == max(followed.values())


# What they change -------------------------------------------------------------------------------------------


def test_factors_reach_every_envelope_and_phase() -> None:
    house = Control()
    mood = mood_of(smoothing=0.1, attack=2, release=3, contrast=0.5, gamma=1.5, rate=0.5, drive=2)
    control = apply_mood(house, mood)
    for name, before in house.envelopes.items():
        after = control.envelopes[name]
        assert after.attack == pytest.approx(2 * before.attack + 0.1)
        assert after.release == pytest.approx(3 * before.release)
        assert after.contrast == pytest.approx(0.5 * before.contrast)
        assert after.gamma == pytest.approx(1.5 * before.gamma)
        assert (after.column, after.floor, after.ceil) == (before.column, before.floor, before.ceil)
    for name, phase in house.phases.items():
        assert control.phases[name].rate == pytest.approx(0.5 * phase.rate)
        assert control.phases[name].drive == pytest.approx({k: 2 * v for k, v in phase.drive.items()})
        assert (control.phases[name].beats, control.phases[name].bars) == (phase.beats, phase.bars)


def test_what_a_band_names_stands_and_the_rest_is_the_presets_times_the_factors() -> None:
    bands = {"body": "band_1", "spark": {"column": "beat", "floor": 0, "ceil": 0.5, "release": 0.05}}
    control = apply_mood(Control(), mood_of(release=2, bands=bands))
    body, spark, house = control.envelopes["body"], control.envelopes["spark"], Control().envelopes
    assert (body.column, body.floor, body.ceil) == ("band_1", house["body"].floor, house["body"].ceil)
    assert body.release == 2 * house["body"].release
    assert (spark.column, spark.floor, spark.ceil, spark.release) == ("beat", 0, 0.5, 0.05)
    assert spark.attack == house["spark"].attack


def test_signals_that_a_preset_has_not_are_passed_over() -> None:
    mood = mood_of(bands={"kick": "onset"}, tempo_sync={"enabled": True, "phases": ["spin"]})
    assert apply_mood(Control(), mood) == Control()
    control = Control.model_validate(
        {"envelopes": {"kick": {"column": "bass"}}, "phases": {"spin": {"rate": 0.1}, "tick": {"beats": 8}}}
    )
    changed = apply_mood(control, mood)
    assert changed.envelopes["kick"].column == "onset"
    assert [name for name, phase in changed.phases.items() if phase.step is not None] == ["spin"]


def test_tempo_sync_leaves_what_is_locked_to_beats_and_bars_anyway() -> None:
    control = Control.model_validate({"phases": {"tick": {"beats": 8}}})
    stepped = apply_mood(control, mood_of(tempo_sync={"enabled": True, "subdivision": 0.5, "grip": 0.9}))
    steps = {name: (phase.step, phase.grip) for name, phase in stepped.phases.items()}
    assert steps["flow"] == steps["turn"] == (0.5, 0.9)
    assert steps["bars"][0] is steps["tick"][0] is None
    assert apply_mood(control, mood_of(tempo_sync={"subdivision": 0.5})) == control  # not enabled


def test_wander_and_parts() -> None:
    mood = mood_of(wander={"amount": 2, "correlation": 0.5, "seed": 7}, sections={"glide": 2, "amount": 0.5})
    control = apply_mood(Control(), mood)
    drift, part = control.wander["drift"], control.parts["part"]
    assert (drift.amount, drift.correlation, drift.seed) == (2.0, 4.5, 7)
    assert (part.glide, part.amount) == (5.0, 0.5)


def test_limits_hold_whatever_the_factors() -> None:
    wild = Control.model_validate(
        {
            "envelopes": {
                "own": {"column": "onset", "attack": 60, "release": 60, "contrast": 10, "gamma": 8}
            },
            "phases": {"own_turn": {"rate": -10, "drive": {"own": -20}}},
            "wander": {"own_way": {"correlation": 600, "amount": 3}},
            "parts": {"own_part": {"glide": 30, "amount": 3}},
        }
    )
    most = {"smoothing": 10, "attack": 20, "release": 20, "contrast": 20, "gamma": 8, "rate": 20, "drive": 20}
    sized = {"wander": {"amount": 3, "correlation": 20}, "sections": {"glide": 20, "amount": 3}}
    high = apply_mood(wild, mood_of(**most, **sized))
    assert (high.envelopes["own"].attack, high.envelopes["own"].gamma) == (60, 8)
    assert (high.phases["own_turn"].rate, high.phases["own_turn"].drive["own"]) == (-10, -20)
    assert (high.wander["own_way"].correlation, high.parts["own_part"].glide) == (600, 30)
    least = {"attack": 0, "release": 0, "contrast": 0, "gamma": 1e-6, "rate": 0, "drive": 0}
    sized = {"wander": {"amount": 0, "correlation": 1e-6}, "sections": {"glide": 1e-6, "amount": 0}}
    low = apply_mood(wild, mood_of(**least, **sized))
    assert (low.envelopes["own"].attack, low.wander["drift"].correlation) == (0, 0.1)


def test_guidance_reaches_the_model_that_listens_within_its_limits() -> None:
    look = DiffusionLook(audio_guidance_scale=3.0, style_guidance_scale=1.5)
    changed = apply_guidance(look, mood_of(guidance=0.5))
    assert changed == DiffusionLook(audio_guidance_scale=1.5, style_guidance_scale=1.5)
    assert apply_guidance(look, mood_of(guidance=20)).audio_guidance_scale == 20
    assert apply_guidance(look, mood_of(guidance=0)).audio_guidance_scale == 0
    assert apply_guidance(look, load_mood(DEFAULT_MOOD)) == look
    usual = apply_guidance(DiffusionLook(), mood_of(guidance=0.5))
    assert usual == DiffusionLook(audio_guidance_factor=0.5)


def test_guidance_lies_over_presets_of_that_generator_alone(tmp_path: Path) -> None:
    dream, mood = str(write_dream(tmp_path, audio_guidance_scale=3.0)), mood_of(guidance=1.5)
    assert load_preset(dream, mood=mood).diffusion.audio_guidance_scale == 4.5
    changes = ["diffusion.audio_guidance_scale=1"]
    assert load_preset(dream, mood=mood, assignments=changes).diffusion.audio_guidance_scale == 1
    assert load_preset("silk", mood=mood) == load_preset("silk")


# The order --------------------------------------------------------------------------------------------------


def test_house_then_preset_then_mood_then_changes(write: Callable[..., Path]) -> None:
    look = {"summary": "x", "control": {"envelopes": {"body": {"release": 1.0}, "air": {"release": 0.5}}}}
    path = str(write(look))
    mood = mood_of(release=2, bands={"body": {"column": "band_0", "floor": 0.2, "ceil": 0.7}})
    changes = ["control.envelopes.body.column=band_2", "control.envelopes.air.release=0.1"]

    envelopes = load_preset(path, mood=mood, assignments=changes).control.envelopes

    house = Control().envelopes
    assert envelopes["pulse"].release == 2 * house["pulse"].release  # house, then mood
    assert envelopes["body"].release == 2.0  # preset over house, then mood
    assert envelopes["body"].floor == 0.2  # mood over preset
    assert envelopes["body"].column == "band_2"  # change over mood
    assert envelopes["air"].release == 0.1  # change over mood, not multiplied
    assert load_preset(path, mood=mood).control.envelopes["air"].release == 1.0


# A user's own, and refusals ---------------------------------------------------------------------------------


def test_a_users_file_is_a_mood(write: Callable[..., Path]) -> None:
    path = write(
        "summary: mine\nrelease: 2\nsections: {scenes: off}\nbands: {body: band_1}\n", "My mood.yaml"
    )
    mood = load_mood(str(path))
    assert (mood.name, mood.release, mood.sections.scenes) == ("my-mood", 2.0, "off")
    assert mood.bands["body"].column == "band_1"


def test_the_guide_teaches_a_mood_that_loads_and_lists_those_that_ship(write: Callable[..., Path]) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide.md").read_text(encoding="utf-8")
    section = guide.split("## Moods")[1].split("\n## ")[0]
    assert [name for name in shipped_moods() if f"| `{name}` |" not in section] == []
    mood = load_mood(str(write(section.split("```yaml")[1].split("```")[0])))
    assert set(Mood.model_fields) - {"name"} == mood.model_fields_set - {"name"}  # every field is shown


def test_unknown_moods_are_refused_with_the_choice() -> None:
    with pytest.raises(ConfigError, match=r"there is no mood 'puls'; choose one of default, .* \.yaml file"):
        load_mood("puls")
    with pytest.raises(ConfigError, match=r"cannot read nowhere\.yaml"):
        load_mood("nowhere.yaml")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"release": -1}, r"release = -1: should be greater than or equal to 0"),
        ({"release": 21}, r"release = 21: should be less than or equal to 20"),
        ({"smoothing": 11}, r"smoothing = 11: should be less than or equal to 10"),
        ({"gamma": 0}, r"gamma = 0: should be greater than 0"),
        ({"guidance": 21}, r"guidance = 21: should be less than or equal to 20"),
        ({"drive": float("nan")}, r"drive = nan: should be a finite number"),
        ({"smooth": 1}, r"smooth is no known field; remove it or correct its name"),
        ({"bands": {"body": 3}}, r"bands\.body = 3: should be a valid dictionary"),
        ({"bands": {"body": "Band 1"}}, r"bands\.body\.column = 'Band 1': String should match"),
        ({"bands": {"body": {"column": "bass", "floor": 0.2}}}, r"bands\.body: floor and ceil go together"),
        (
            {"bands": {"body": {"column": "bass", "floor": 0.5, "ceil": 0.4}}},
            r"bands\.body: ceil must be above floor \(0\.5\)",
        ),
        ({"tempo_sync": {"subdivision": 0}}, r"tempo_sync\.subdivision = 0: should be greater than or equal"),
        ({"tempo_sync": {"grip": 2}}, r"tempo_sync\.grip = 2: should be less than or equal to 1"),
        ({"wander": {"seed": -1}}, r"wander\.seed = -1: should be greater than or equal to 0"),
        ({"wander": {"amount": 4}}, r"wander\.amount = 4: should be less than or equal to 3"),
        ({"sections": {"scenes": "often"}}, r"sections\.scenes = 'often': String should match"),
        ({"summary": ""}, r"summary = '': String should have at least 1 character"),
    ],
)
def test_bad_values_are_named_with_their_limit(
    write: Callable[..., Path], fields: dict[str, Any], says: str
) -> None:
    path = write({"summary": "x", **fields})
    with pytest.raises(ConfigError, match=says) as caught:
        load_mood(str(path))
    assert str(caught.value).startswith(f"mood {path}: ")


def test_a_column_that_nobody_measures_is_refused_before_anything_is_heard() -> None:
    preset = load_preset("silk", mood=mood_of(bands={"body": "bend_1"}))
    with pytest.raises(
        ConfigError, match=r"control\.envelopes\.body\.column = 'bend_1' is no Timeline column"
    ):
        check_preset(preset)
    check_preset(load_preset("silk", mood=mood_of(bands={"body": "drums.onset"})))  # with --stems it is one
