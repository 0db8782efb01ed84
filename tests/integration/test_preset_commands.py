"""``synesthete preset new``, ``check`` and ``show``, ``synesthete moods``, and ``render --mood``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from synesthete.config.mood import load_mood, shipped_moods
from synesthete.config.preset import Preset, load_preset, shipped_presets

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# New --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", shipped_presets())
def test_what_is_written_is_the_preset_it_started_from(cli: Command, source: str) -> None:
    outcome = cli("preset", "new", "mine", "--from", source)
    assert (outcome.status, outcome.out) == (0, "preset: mine.yaml\n")
    text = Path("mine.yaml").read_text()
    assert max(len(line) for line in text.splitlines() if line.startswith("#")) <= 110
    assert load_preset("mine.yaml") == load_preset(source).model_copy(update={"name": "mine"})


def test_the_comments_teach_what_is_true(cli: Command) -> None:
    assert cli("preset", "new", "mine.yaml").status == 0
    text = Path("mine.yaml").read_text()
    assert text.count("#") > 20
    start = text.index("# control:")
    taught = yaml.safe_load("\n".join(line.removeprefix("# ") for line in text[start:].splitlines()))
    Path("taught.yaml").write_text(yaml.safe_dump({"summary": "what the comments say", **taught}))
    assert cli("preset", "check", "mine.yaml", "taught.yaml").status == 0


def test_every_field_of_a_preset_has_its_line(cli: Command) -> None:
    given = {"style": [1, 0, 0, 0], "world": "mine", "control": {"song_gain": True}, "post": {"grain": 0.2}}
    Path("all.yaml").write_text(yaml.safe_dump({"name": "other", "summary": "x", **given}))
    assert cli("preset", "new", "mine", "--from", "all.yaml").status == 0
    assert set(yaml.safe_load(Path("mine.yaml").read_text())) == set(Preset.model_fields) - {
        "name",
        "program",
        "gan",
        "diffusion",
    }
    assert load_preset("mine.yaml") == load_preset("all.yaml").model_copy(update={"name": "mine"})


def test_nothing_is_replaced_unless_forced(cli: Command) -> None:
    Path("mine.yaml").write_text("summary: precious\n")
    outcome = cli("preset", "new", "mine")
    assert outcome.status == 2
    assert outcome.message == "mine.yaml exists already; choose another name, or pass --force to replace it"
    assert Path("mine.yaml").read_text() == "summary: precious\n"
    assert cli("preset", "new", "mine", "--force").status == 0
    assert load_preset("mine.yaml").seed == load_preset("silk").seed
    assert [path.name for path in Path().iterdir()] == ["mine.yaml"]  # no part is left


@pytest.mark.parametrize("name", ["../mine", "a/b", "", ".yaml", "-x" * 40, "ü", "mine.yml"])
def test_names_that_are_none_are_refused(cli: Command, name: str, tmp_path: Path) -> None:
    outcome = cli("preset", "new", "--", name)
    assert outcome.status == 2
    assert "is no name for a preset; take at most 64 letters" in outcome.message
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_source_is_refused(cli: Command, tmp_path: Path) -> None:
    outcome = cli("preset", "new", "mine", "--from", "silkk")
    assert outcome.status == 2
    assert "there is no preset 'silkk'; choose one of silk" in outcome.message
    assert list(tmp_path.iterdir()) == []


# Check ------------------------------------------------------------------------------------------------------


def test_one_line_for_each_file(cli: Command) -> None:
    Path("good.yaml").write_text("summary: x\n")
    Path("bad.yaml").write_text("summary: x\nseed: -1\n")
    Path("tree.yaml").write_text(
        "summary: x\ngenerator: program\nprogram: {version: 1, root: {node: smok}}\n"
    )
    Path("deaf.yaml").write_text("summary: x\ncontrol: {envelopes: {body: {column: bas}}}\n")
    assert cli("preset", "check", "good.yaml").status == 0

    outcome = cli("preset", "check", "good.yaml", "bad.yaml", "tree.yaml", "deaf.yaml", "none.yaml", "silk")

    assert outcome.status == 2
    good, bad, tree, deaf, none, shipped = outcome.out.splitlines()
    assert good == "good.yaml: good, a preset of the generator cppn"
    assert bad == "bad.yaml: wrong: seed = -1: should be greater than or equal to 0"
    assert tree.startswith("tree.yaml: wrong: ")
    assert "smok" in tree
    assert "control.envelopes.body.column = 'bas' is no Timeline column" in deaf
    assert none.startswith("none.yaml: wrong: cannot read none.yaml")
    assert shipped.startswith("silk: good")


def test_check_in_json(cli: Command) -> None:
    Path("bad.yaml").write_text("seed: 1\n")
    outcome = cli("preset", "check", "silk", "bad.yaml", "--json")
    assert outcome.status == 2
    assert outcome.events == [
        {"event": "check", "file": "silk", "good": True, "fault": None},
        {"event": "check", "file": "bad.yaml", "good": False, "fault": "summary is missing"},
    ]


# Show -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["silk", "corona", "spectrum"])
@pytest.mark.parametrize("mood", [None, "fracture"])
def test_what_is_shown_loads_as_the_same_preset(cli: Command, name: str, mood: str | None) -> None:
    outcome = cli("preset", "show", name, *(() if mood is None else ("--mood", mood)))
    assert outcome.status == 0
    Path("shown.yaml").write_text(outcome.out)
    assert load_preset("shown.yaml") == load_preset(name, mood=None if mood is None else load_mood(mood))


def test_changes_are_laid_over_the_mood(cli: Command) -> None:
    change = "control.envelopes.spark.attack=0.5"
    shown = yaml.safe_load(cli("preset", "show", "silk", "--mood", "fracture", "--set", change).out)
    assert shown["control"]["envelopes"]["spark"]["attack"] == 0.5
    assert shown["control"]["envelopes"]["body"]["attack"] == 0.0


def test_a_command_is_asked_for(cli: Command) -> None:
    outcome = cli("preset")
    assert outcome.status == 2
    assert outcome.message.startswith("preset needs a command: new, check or show")


# Moods ------------------------------------------------------------------------------------------------------


def test_moods_are_listed(cli: Command) -> None:
    lines = cli("moods").out.splitlines()
    assert [line.split()[0] for line in lines] == shipped_moods()
    assert [event["name"] for event in cli("moods", "--json").events] == shipped_moods()


def test_a_film_keeps_its_mood(render: Command, make_song: Command, workspace: Path, tmp_path: Path) -> None:
    song, plain, moody = make_song(1.0), tmp_path / "plain.mp4", tmp_path / "moody.mp4"
    first = render(song, "-o", plain, "--json")
    again = render(song, "--mood", "default", "--json")
    assert again.events[0]["run_id"] == first.events[0]["run_id"]  # the very same film
    assert first.events[0]["mood"] == "default"

    change = "control.envelopes.body.attack=0.25"
    render(song, "-o", moody, "--mood", "fracture", "--set", change)

    assert moody.read_bytes() != plain.read_bytes()
    (run,) = (r for r in (workspace / "renders").iterdir() if first.events[0]["run_id"] != r.name)
    manifest = yaml.safe_load((run / "meta.json").read_text())
    resolved = load_preset("silk", mood=load_mood("fracture"), assignments=[change])
    assert manifest["mood"] == manifest["options"]["mood"] == "fracture"
    assert manifest["preset_resolved"] == resolved.model_dump(mode="json")
    assert manifest["preset_resolved"]["control"]["envelopes"]["body"]["attack"] == 0.25


def test_a_mood_of_ones_own_and_an_unknown_one(render: Command, cli: Command, make_song: Command) -> None:
    Path("My mood.yaml").write_text("summary: mine\nrelease: 3\n")
    song = make_song(1.0)
    assert render(song, "--mood", "My mood.yaml", "--dry-run", "--json").events[0]["mood"] == "my-mood"
    outcome = cli("render", song, "--mood", "stormy")
    assert outcome.status == 2
    assert outcome.message.startswith("there is no mood 'stormy'; choose one of default, drift,")
