"""Measuring a model that listens on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_listeners import write_listener
from made_weights import tiny_config, write_diffusion, write_vae
from synesthete.audio.embeddings import Embedder, open_embedder

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


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    folder = write_listener("whisper", tmp_path_factory.mktemp("whisper"))
    return open_embedder("whisper", folder, size=4)


@pytest.fixture(scope="module")
def listening(weights: tuple[Path, Path], embedder: Embedder) -> Path:
    """Write a model that hears the numbers of a network, too."""
    config = tiny_config(
        "data.embedding=whisper", f"data.embedding_dir={embedder.folder}", "data.embedding_size=4"
    )
    return write_diffusion(weights[1].parent / "whisper.safetensors", weights[1], config, embedder)


@pytest.mark.slow
def test_a_model_that_hears_a_network_s_numbers_is_measured_with_that_network(
    weights: tuple[Path, Path], listening: Path, embedder: Embedder, cli: Command
) -> None:
    outcome = cli(
        "evaluate-diffusion", listening, "--vae", weights[1], "--embedding-dir", embedder.folder, "-n", 4,
        "--json",
    )  # fmt: skip
    assert outcome.status == 0, outcome
    figures = json.loads(outcome.out)
    assert figures["held_out"]["shuffle"]["model"] > 0
    assert figures["bands"]["size_r"] is not None


def test_another_network_and_none_are_refused(
    weights: tuple[Path, Path], listening: Path, embedder: Embedder, cli: Command, tmp_path: Path
) -> None:
    other = write_listener("whisper", tmp_path / "other", encoder_ffn_dim=16)
    for model, given, said in (
        (listening, (), "also hear numbers of a whisper network; name the folder"),
        (listening, ("--embedding-dir", other), "holds another whisper network than the one that"),
        (listening, ("--embedding-dir", tmp_path / "none"), "is no folder"),
        (weights[0], ("--embedding-dir", embedder.folder), "hear the Timeline alone; leave out"),
    ):
        outcome = cli("evaluate-diffusion", model, "--vae", weights[1], *given)
        assert outcome.status == 2, outcome
        assert said in outcome.message


def test_another_autoencoder_is_refused(weights: tuple[Path, Path], cli: Command) -> None:
    outcome = cli("evaluate-diffusion", weights[0], "-n", 4)
    assert outcome.status == 2, outcome
    assert "draw the latents of another autoencoder" in outcome.message
