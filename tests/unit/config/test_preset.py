from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from synesthete.config.base import build
from synesthete.config.control import Control
from synesthete.config.modulation import Modulation
from synesthete.config.preset import DEFAULT_PRESETS, Preset, load_preset, shipped_presets
from synesthete.errors import ConfigError

LOOK: dict[str, Any] = {
    "name": "mine",
    "summary": "A look for tests",
    "seed": 5,
    "cppn": {
        "net": {"layers": 2, "signals": {"body": 0.5}},
        "surface": {"darkness": 0.7, "exposure": {"base": 0.4, "energy": 1.0}},
    },
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(values: dict[str, Any], name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump(values))
        return path

    return write


# Shipped ----------------------------------------------------------------------------------------------------


def test_the_default_comes_first() -> None:
    names = shipped_presets()
    assert names[0] == next(iter(DEFAULT_PRESETS.values()))
    assert len(set(names)) == len(names)
    assert set(DEFAULT_PRESETS.values()) <= set(names)


@pytest.mark.parametrize("name", shipped_presets())
def test_every_shipped_preset_is_whole(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert 10 < len(preset.summary) <= 100
    assert preset.control.names() >= {"calm"}


def test_unknown_presets_are_refused_with_the_choice() -> None:
    with pytest.raises(
        ConfigError, match=r"there is no preset 'silkk'; choose one of silk.* or name a \.yaml file"
    ):
        load_preset("silkk")
    with pytest.raises(ConfigError, match=r"there is no preset '\.\./\.\./silk'"):
        load_preset("../../silk")


# A user's own -----------------------------------------------------------------------------------------------


def test_a_users_file_is_a_preset(write: Callable[..., Path]) -> None:
    preset = load_preset(str(write(LOOK)))
    assert (preset.name, preset.seed, preset.cppn.net.layers) == ("mine", 5, 2)
    assert preset.cppn.surface.darkness == Modulation(base=0.7)
    assert preset.cppn.surface.exposure == Modulation(base=0.4, by={"energy": 1.0})


@pytest.mark.parametrize(
    ("file", "name"),
    [("glow.yaml", "glow"), ("My_Look-2.yml", "My_Look-2"), ("my look.yaml", "my-look"), ("ü.v2.yaml", "v2")],
)
def test_a_preset_without_a_name_is_named_by_its_file(
    write: Callable[..., Path], file: str, name: str
) -> None:
    assert load_preset(str(write({"summary": "x"}, file))).name == name


def test_only_what_is_named_differs_from_the_house(write: Callable[..., Path]) -> None:
    values = {"summary": "x", "control": {"envelopes": {"energy": {"release": 2.0}}, "wander": {"own": {}}}}
    control = load_preset(str(write(values))).control
    house = Control()
    assert control.envelopes["energy"] == house.envelopes["energy"].model_copy(update={"release": 2.0})
    assert {k: v for k, v in control.envelopes.items() if k != "energy"} == {
        k: v for k, v in house.envelopes.items() if k != "energy"
    }
    assert control.wander.keys() == {*house.wander, "own"}
    assert control.phases == house.phases


def test_presets_do_not_change_and_share_nothing() -> None:
    first, second = load_preset("silk"), load_preset("silk")
    with pytest.raises(ValidationError, match="frozen"):
        first.seed = 8  # type: ignore[misc]
    first.control.phases.clear()
    assert second.control.phases
    assert Control().phases


# Changes ----------------------------------------------------------------------------------------------------


def change(write: Callable[..., Path], *assignments: str) -> Preset:
    return load_preset(str(write(LOOK)), assignments=assignments)


def test_a_change_touches_one_field_only(write: Callable[..., Path]) -> None:
    preset = change(write, "cppn.net.gain=1.2", "seed=11")
    before = load_preset(str(write(LOOK))).model_dump()
    before["cppn"]["net"]["gain"], before["seed"] = 1.2, 11
    assert preset.model_dump() == before


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("cppn.surface.darkness.energy=-0.1", Modulation(base=0.7, by={"energy": -0.1})),
        ("cppn.surface.darkness.base=0.2", Modulation(base=0.2)),
        ("cppn.surface.darkness=0.2", Modulation(base=0.2)),
        ("cppn.surface.darkness=1e-1", Modulation(base=0.1)),  # which YAML 1.1 reads as text
        ("cppn.surface.darkness={base: 0.3, body: 1}", Modulation(base=0.3, by={"body": 1.0})),
        ("cppn.surface.darkness.by.energy=1", Modulation(base=0.7, by={"energy": 1.0})),
    ],
)
def test_a_number_can_be_made_to_move(
    write: Callable[..., Path], assignment: str, expected: Modulation
) -> None:
    assert change(write, assignment).cppn.surface.darkness == expected


def test_one_driver_of_a_moving_field_can_be_changed(write: Callable[..., Path]) -> None:
    exposure = change(write, "cppn.surface.exposure.energy=2").cppn.surface.exposure
    assert exposure == Modulation(base=0.4, by={"energy": 2.0})
    exposure = change(write, "cppn.surface.exposure.spark=2").cppn.surface.exposure
    assert exposure == Modulation(base=0.4, by={"energy": 1.0, "spark": 2.0})


def test_a_field_that_the_file_does_not_name_keeps_its_default(write: Callable[..., Path]) -> None:
    default = load_preset(str(write(LOOK))).cppn.surface.mask
    assert change(write, "cppn.surface.mask.energy=0.3").cppn.surface.mask == Modulation(
        base=default.base, by={**default.by, "energy": 0.3}
    )
    drive = change(write, "control.phases.flow.drive.air=0.5").control.phases["flow"].drive
    assert drive == {**Control().phases["flow"].drive, "air": 0.5}


def test_later_changes_win(write: Callable[..., Path]) -> None:
    assert change(write, "seed=1", "seed=2").seed == 2


# Refusals ---------------------------------------------------------------------------------------------------

BAD: list[tuple[str, str]] = [
    ("seed=-1", r"seed = -1: should be greater than or equal to 0"),
    (
        "seed=9223372036854775808",
        r"seed = 9223372036854775808: should be less than or equal to 9223372036854775807",
    ),
    ("seed=1.5", r"seed = 1\.5: should be a valid integer"),
    ("seed=", r"seed = None: should be a valid integer"),
    ("seed.x=1", r"seed = \{'base': 5, 'x': 1\}: should be a valid integer"),
    ("name=../x", r"name = '\.\./x': String should match pattern"),
    ("summary=yes", r"summary = True: should be a valid string"),
    ("sumary=x", r"sumary is no known field; remove it or correct its name"),
    ("generator=nosuch", r"generator = 'nosuch': should be 'cppn'"),
    ("cppn=3", r"cppn = 3: should be a valid dictionary or instance of CppnLook"),
    ("cppn.net.layers=0", r"cppn\.net\.layers = 0: should be greater than or equal to 1"),
    ("cppn.net.layers=13", r"cppn\.net\.layers = 13: should be less than or equal to 12"),
    ("cppn.net.gain=0", r"cppn\.net\.gain = 0: should be greater than 0"),
    ("cppn.net.gain=.nan", r"cppn\.net\.gain = nan: should be a finite number"),
    ("cppn.net.gain=.inf", r"cppn\.net\.gain = inf: should be a finite number"),
    ("cppn.net.gain=loud", r"cppn\.net\.gain = 'loud': should be a valid number"),
    ("cppn.net.activations=[]", r"cppn\.net\.activations = \[\]: Tuple should have at least 1 item"),
    ("cppn.net.activations=[relu]", r"cppn\.net\.activations\.0 = 'relu': should be 'sine', 'cosine'"),
    ("cppn.net.phases=[energy]", r"cppn\.net\.phases uses 'energy', which is no phase"),
    ("cppn.net.signals.wind=1", r"cppn\.net\.signals uses 'wind'; known signals are air, bars, body"),
    ("cppn.net.signals.body=.nan", r"cppn\.net\.signals\.body = nan: should be a finite number"),
    ("cppn.surface.exposure.wind=1", r"cppn\.surface\.exposure uses 'wind'; known signals are"),
    (
        "cppn.surface.exposure.energy=99",
        r"cppn\.surface\.exposure\.by\.energy = 99: should be less than or .* 20",
    ),
    ("cppn.surface.exposure.energy=.nan", r"exposure\.by\.energy = nan: should be a finite number"),
    ("cppn.surface.exposure=bright", r"exposure = 'bright': must be a number, or base and signals such as"),
    ("cppn.surface.exposure=true", r"exposure = True: must be a number, or base and signals such as"),
    ("cppn.surface.exposure=[1, 2]", r"exposure = \[1, 2\]: must be a number, or base and signals"),
    ("cppn.surface.exposure.by=3", r"exposure\.by = 3: should be a valid dictionary"),
    ("cppn.surface.exposure.Energy=1", r"exposure\.by\.Energy.* = 'Energy': String should match pattern"),
    ("cppn.surface.exposure=nan", r"exposure\.base = nan: should be a finite number"),
    ("cppn.palette.ramp=[[0, 0, 0]]", r"palette\.ramp = .*: Tuple should have at least 2 items"),
    (
        "cppn.palette.ramp=[[2, 0, 0], [1, 0, 0]]",
        r"palette\.ramp\.0\.0 = 2: should be less than or equal to 1",
    ),
    ("cppn.palette.accent=[0.5, 0.1]", r"palette\.accent\.2 is missing"),
    ("style=[0, 0, 0]", r"style = .*: Tuple should have at least 4 items"),
    ("style=[0, 0, 0, 6]", r"style\.3 = 6: should be less than or equal to 5"),
    (
        "control.envelopes.energy.ceil=0.1",
        r"control\.envelopes\.energy: ceil must be above floor \(0\.\d+\)",
    ),
    ("control.envelopes.energy.gamma=0", r"control\.envelopes\.energy\.gamma = 0: should be greater than 0"),
    ("control.envelopes.new={attack: 0.1}", r"control\.envelopes\.new\.column is missing"),
    ("control.envelopes.new=loudness", r"control\.envelopes\.new = 'loudness': should be a valid dictionary"),
    ("control.envelopes.flow={column: bass}", r"the name 'flow' is given twice; signal names are shared"),
    (
        "control.phases.flow.drive.wind=1",
        r"phase 'flow' is driven by 'wind', which is none of the envelopes air, body",
    ),
    ("control.phases.calm.rate=1", r"the name 'calm' has a meaning of its own"),
    (
        "control.oscillators.lfo={phase: energy}",
        r"oscillator 'lfo' follows 'energy', which is none of the phases bars, evolve",
    ),
    ("control.oscillators.lfo={phase: flow, ratio: 0}", r"oscillators\.lfo\.ratio = 0: should be greater"),
    (
        "control.wander.drift.correlation=0",
        r"wander\.drift\.correlation = 0: should be greater than or equal",
    ),
    ("control=loud", r"control = 'loud': should be a valid dictionary"),
    ("control.wander.2=1", r"control\.wander\.2"),
]


@pytest.mark.parametrize(("assignment", "says"), BAD)
def test_bad_values_are_named_with_their_limit(
    write: Callable[..., Path], assignment: str, says: str
) -> None:
    path = write(LOOK)
    with pytest.raises(ConfigError, match=says) as caught:
        load_preset(str(path), assignments=[assignment])
    message = str(caught.value)
    assert message.startswith(f"preset {path}: ")
    assert message.isprintable()
    assert len(message) - len(str(path)) < 400


def test_three_faults_are_named_and_the_others_counted() -> None:
    values = {"summary": "", "seed": -1, "style": [9, 9, 9, 9], "oops": 1}
    with pytest.raises(ConfigError, match=r"^preset x: name is missing; .*; .* \(and 6 more\)$"):
        build(Preset, values, where="preset x")


def test_long_values_are_shortened() -> None:
    with pytest.raises(ConfigError) as caught:
        build(Preset, {**LOOK, "seed": "x" * 10_000}, where="preset x")
    assert len(str(caught.value)) < 200


def test_a_file_with_a_fault_names_file_and_field(write: Callable[..., Path]) -> None:
    path = write({**LOOK, "cppn": {"net": {"layrs": 3}}})
    with pytest.raises(ConfigError, match=r"^preset .*mine\.yaml: cppn\.net\.layrs is no known field"):
        load_preset(str(path))
