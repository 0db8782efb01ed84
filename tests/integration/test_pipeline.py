"""From nothing to a film by one command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_listeners import write_listener
from made_weights import TINY_DIFFUSION, write_vae
from synesthete.media.mux import film_facts
from synesthete.models.weights import read_weights
from synesthete.training.listening import FALSE_ALARMS

Command = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")


def test_the_smoke_preset_learns_to_listen(cli: Command, tmp_path: Path) -> None:
    """A model that ignores its music passes once in a thousand times; see `measure_listening`."""
    outcome = cli("pipeline", "--preset", "smoke", "-o", tmp_path, "-j", 0, "--json")
    assert outcome.status == 0, outcome
    heard = outcome.events[-1]["listening"]
    assert FALSE_ALARMS == 0.001
    assert heard["p"] < FALSE_ALARMS, heard
    assert heard["right"] < heard["wrong"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["listening"] == heard
    assert (tmp_path / "film.mp4").exists()


@pytest.mark.slow
def test_a_model_that_hears_nothing_in_training_does_not_pass(cli: Command, tmp_path: Path) -> None:
    outcome = cli(
        "pipeline", "--preset", "smoke", "-o", tmp_path, "-j", 0, "--json",
        "--set", "conditions.p_audio_drop=1",
    )  # fmt: skip
    assert outcome.status == 0, outcome
    assert outcome.events[-1]["listening"]["p"] > FALSE_ALARMS


def tiny(folder: Path, vae: Path, *more: str) -> tuple[object, ...]:
    changes = [part for change in TINY_DIFFUSION for part in ("--set", change)]
    return (
        "pipeline", "--preset", "smoke", "-o", folder, "--vae", vae, "-j", 0, "-n", 4, "--seconds", 0.5,
        *changes, *more,
    )  # fmt: skip


def test_what_was_interrupted_goes_on_and_ends_in_a_report(cli: Command, tmp_path: Path) -> None:
    vae = write_vae(tmp_path / "vae.safetensors")
    folder = tmp_path / "run"
    outcome = cli(*tiny(folder, vae, "--hours", "1e-9"))
    assert outcome.status == 0, outcome
    assert "model: step 1 of 4; the same command goes on" in outcome.out
    assert not (folder / "report.json").exists()

    outcome = cli(*tiny(folder, vae))
    assert outcome.status == 0, outcome
    assert "report:" in outcome.out
    page = (folder / "report.md").read_text()
    assert "can not be said to listen" in page
    for picture in ("clips", "silence", "styles", "interpolation"):
        assert (folder / "evaluation" / f"{picture}.png").exists()
        assert f"evaluation/{picture}.png" in page
    report = json.loads((folder / "report.json").read_text())
    assert report["diffusion"]["steps"] == 4
    assert report["figures"]["clips"] == 4
    assert read_weights(folder / "diffusion" / "diffusion.safetensors", "diffusion").facts["steps"] == 4
    film = film_facts(folder / "film.mp4")
    assert film.frames == 8

    # Repeated, it only finds what is there.
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in (".png", ".mp4")}
    outcome = cli(*tiny(folder, vae))
    assert outcome.status == 0, outcome
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--preset", "large"), "preset = 'large'"),
        (("--set", "model.wings=2"), "model.wings is no known field"),
        (("--set-vae", "steps=0"), "steps = 0"),
        (("--vae", "nowhere.safetensors"), "nowhere.safetensors"),
        (("-n", "2"), "clips = 2"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    arguments: tuple[str, ...], said: str, cli: Command, tmp_path: Path
) -> None:
    outcome = cli("pipeline", "-o", tmp_path / "run", *arguments)
    assert outcome.status == 2, outcome
    assert said in outcome.message


@pytest.mark.slow
def test_a_pretrained_network_is_heard_from_training_to_the_film(cli: Command, tmp_path: Path) -> None:
    vae = write_vae(tmp_path / "vae.safetensors")
    ears = write_listener("whisper", tmp_path / "whisper")
    changes = ("data.embedding=whisper", f"data.embedding_dir={ears}", "data.embedding_size=4")
    folder = tmp_path / "run"
    outcome = cli(*tiny(folder, vae, *(part for change in changes for part in ("--set", change))))
    assert outcome.status == 0, outcome
    weights = read_weights(folder / "diffusion" / "diffusion.safetensors", "diffusion")
    assert weights.spec["columns"][-4:] == [f"whisper_{number}" for number in range(4)]
    assert json.loads((folder / "report.json").read_text())["figures"]["clips"] == 4
    assert film_facts(folder / "film.mp4").frames == 8
