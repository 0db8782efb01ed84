"""Training and measuring the autoencoder on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from synesthete.models.vae import Vae, VaeSpec
from synesthete.models.weights import save_weights

Command = Callable[..., Any]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Give an autoencoder that has learned nothing but principal components of noise."""
    spec = VaeSpec(
        latents=16, widths=(8, 8, 8), encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0, 0), features=8
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = Vae(spec)
        vae.fit_blocks([torch.nn.functional.avg_pool2d(torch.rand(64, 3, 70, 70), 7, stride=1)])
    path = tmp_path / "vae.safetensors"
    save_weights(path, vae, {})
    return path


def test_an_autoencoder_is_measured(weights: Path, cli: Command, tmp_path: Path) -> None:
    outcome = cli("evaluate-vae", weights, "-n", 2, "-o", tmp_path / "report", "--json")
    assert outcome.status == 0, outcome
    (figures,) = outcome.events
    assert figures == json.loads((tmp_path / "report" / "vae.json").read_text())
    # A linear code of smooth noise is worse than one that was made for these pictures, and far from nothing.
    assert 10 < figures["psnr"] < figures["psnr_blocks"] < figures["psnr_own_blocks"]
    assert 0.5 < figures["effect"]["held_out"] < 1.05
    assert set(figures["scales"]) == {"2.0", "4.0", "8.4375"}
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"vae.json", "frames.png", "crops.png"}


def test_the_figures_read_as_a_table(weights: Path, cli: Command) -> None:
    outcome = cli("evaluate-vae", weights, "-n", 1)
    assert outcome.status == 0, outcome
    for word in ("1 held-out programs", "psnr:", "x8.4375", "saturation:", "effect:", "latents:"):
        assert word in outcome.out


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")
def test_the_smoke_preset_trains_weights_that_can_be_measured(cli: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cli("train", "vae", "--preset", "smoke", "-o", run, "-j", 0, "--json")
    assert outcome.status == 0, outcome
    *told, last = outcome.events
    assert last == {"event": "done", "step": 40, "of": 40, "weights": str(run / "vae.safetensors")}
    assert all(event["event"] == "progress" for event in told)

    outcome = cli("evaluate-vae", run / "vae.safetensors", "-n", 2, "--json")
    assert outcome.status == 0, outcome
    assert outcome.events[0]["psnr"] > 15

    outcome = cli("train", "vae", "--preset", "smoke", "-o", run)
    assert outcome.status == 0, outcome
    assert "weights:" in outcome.out  # it was finished


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate-vae", "nowhere.safetensors"), "there are no weights at nowhere.safetensors"),
        (("evaluate-vae", "-n", "513"), "programs = 513"),
        (("train",), "train needs the name of a model"),
        (("train", "vae", "--preset", "huge"), "preset = 'huge'"),
        (("train", "vae", "--set", "steps=0"), "steps = 0"),
        (("train", "vae", "--set", "model.width=3"), "model.width is no known field"),
        (("train", "vae", "--devices", "0"), "devices = 0"),
        (("train", "vae", "--preset", "smoke", "--shards", "nowhere"), "nowhere"),
        (("train", "vae", "--preset", "smoke", "--init-from", "no.safetensors"), "there are no weights at"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    arguments: tuple[str, ...], said: str, cli: Command, tmp_path: Path
) -> None:
    more = ("-o", tmp_path / "run") if arguments[:2] == ("train", "vae") else ()
    outcome = cli(*arguments, *more)
    assert outcome.status == 2, outcome
    assert said in outcome.message
