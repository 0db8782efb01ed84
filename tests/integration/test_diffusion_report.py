"""Measuring a model that listens on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_weights import tiny_config, write_diffusion, write_vae

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("weights")
    vae = write_vae(folder / "vae.safetensors")
    return write_diffusion(folder / "diffusion.safetensors", vae), vae


def test_a_model_is_measured(weights: tuple[Path, Path], cli: Command, tmp_path: Path) -> None:
    model, vae = weights
    report = tmp_path / "report"
    outcome = cli("evaluate-diffusion", model, "--vae", vae, "-n", 4, "--seed", 17, "-o", report)
    assert outcome.status == 0, outcome
    for words in ("4 held-out clips", "silence, motion", "bands: low, in place", "nearest of training"):
        assert words in outcome.out
    names = {"diffusion.json", "clips.png", "silence.png", "styles.png", "interpolation.png"}
    assert {path.name for path in report.iterdir()} == names

    figures = json.loads((report / "diffusion.json").read_text())
    # Programs answer their music, and a model of random numbers does not answer as they do.
    assert figures["held_out"]["shuffle"]["teacher"] > 0.25
    assert figures["held_out"]["shuffle"]["model"] > 0
    assert abs(figures["reactive"]["brightness"]["within_r"]) < 0.9
    for band, place in figures["bands"]["places"].items():
        assert place["teacher"] > 0.4, band  # spread evenly it were a third
    assert figures["bands"]["programs"]["bands"]["low"]["teacher"] > 0.02
    assert figures["reactive"]["silence"]["teacher"] < 0.3
    assert 1 < figures["styles"]["number"]["teacher"] <= 4
    assert figures["styles"]["constancy"]["styles"] == 4
    assert figures["neighbours"]["references"] == 8  # the smoke preset is trained on the reactive programs
    assert figures["listening"]["listens"] is False  # four clips can't tell
    assert figures["drawn"] == 4 * 3 + 4 * 6 + 4 + 3 * 4 + 2 * 9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.safetensors",), "there are no weights at nowhere.safetensors"),
        (("-n", "3"), "clips = 3"),
        (("--audio-guidance", "-1"), "audio_guidance = -1"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: tuple[str, ...], said: str, cli: Command) -> None:
    outcome = cli("evaluate-diffusion", *arguments)
    assert outcome.status == 2, outcome
    assert said in outcome.message


def test_a_model_that_hears_more_than_the_timeline_is_refused(
    weights: tuple[Path, Path], cli: Command, tmp_path: Path
) -> None:
    config = tiny_config("data.embedding=clap", f"data.embedding_dir={tmp_path}")
    model = write_diffusion(tmp_path / "clap.safetensors", weights[1], config)
    outcome = cli("evaluate-diffusion", model, "--vae", weights[1])
    assert outcome.status == 2, outcome
    assert "also hears numbers of a clap network" in outcome.message


def test_another_autoencoder_is_refused(weights: tuple[Path, Path], cli: Command) -> None:
    outcome = cli("evaluate-diffusion", weights[0], "-n", 4)
    assert outcome.status == 2, outcome
    assert "draw the latents of another autoencoder" in outcome.message
