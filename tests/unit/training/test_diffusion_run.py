"""A run of the model that listens goes on where it stopped, and belongs to one autoencoder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from made_models import tiny_vae
from synesthete.config.data import DataConfig
from synesthete.config.diffusion import load_diffusion_config
from synesthete.config.training import TrainOptions
from synesthete.config.vae import HELD_OUT
from synesthete.errors import ConfigError
from synesthete.models.weights import (
    latents_digest,
    load_diffusion,
    load_vae,
    read_weights,
    save_weights,
)
from synesthete.training.diffusion_run import HEARD_COLUMNS, train_diffusion, validation_data
from synesthete.training.plan import plan_clip
from synesthete.training.run import RunResult

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")

TINY = (
    "model.width=64", "model.blocks=2", "model.condition=16", "model.row_width=16", "model.row_layers=2",
    "model.style_channels=2", "model.style_cells=2", "model.style_width=8", "data.batch_size=4",
    "data.clip_frames=2",
    "data.style_frames=1", "data.context_s=0.2", "data.song_seconds=4", "data.warm_up_s=0.2",
    "sampling.steps=1", "sampling.batches=1", "validation_batches=1", "validate_every=2", "steps=4",
    "first_clips=4", "last_clips=4", "optimiser.warm_up_steps=1",
)  # fmt: skip
OPTIONS = TrainOptions(preset="smoke", workers=0)
CONFIG = load_diffusion_config("smoke", None, TINY)


@pytest.fixture(autouse=True, scope="module")
def _do_not_measure_the_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synesthete.training.throughput.product_rate", lambda device, dtype: 1e9)
        yield


@pytest.fixture(scope="module")
def vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vae") / "vae.safetensors"
    save_weights(path, tiny_vae(), {})
    return path


@pytest.fixture(scope="module")
def whole(vae: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the weights of a run that was not interrupted."""
    found = train_diffusion(CONFIG, OPTIONS, tmp_path_factory.mktemp("whole"), vae=vae)
    assert found.weights is not None
    return found.weights


def tensors(path: Path | None) -> dict[str, torch.Tensor]:
    assert path is not None
    return read_weights(path, "diffusion").tensors


def same(one: Path | None, other: Path | None) -> bool:
    first, second = tensors(one), tensors(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_finished_run_leaves_weights_a_card_and_sheets(whole: Path, vae: Path) -> None:
    model, facts = load_diffusion(whole)
    assert model.spec.columns == HEARD_COLUMNS
    assert (model.spec.latents, model.spec.window) == (4, 1)
    assert facts["steps"] == 4
    assert facts["latents"] == latents_digest(load_vae(vae)[0])
    assert "music_dir" not in facts["config"]["data"]
    assert {"validation/score", "validation/wrong", "validation/shuffle"} < set(facts["figures"])
    card = whole.with_suffix(".md").read_text()
    assert "| the same under another song's audio, over it |" in card
    assert "the few programs that it learned from, under other music" in card
    assert facts["latents"][:16] in card
    assert len(list((whole.parent / "sheets").glob("*.png"))) == 2
    # Latents and rows are scaled by what is seen and heard.
    assert model.deviation.min() >= 0.25
    assert not torch.equal(model.ear.mean, torch.zeros_like(model.ear.mean))


def test_a_run_whose_time_is_up_comes_to_the_same_weights(whole: Path, vae: Path, tmp_path: Path) -> None:
    hurried = OPTIONS.model_copy(update={"hours": 1e-9})

    def go_on() -> RunResult:
        return train_diffusion(CONFIG, hurried, tmp_path, vae=vae)

    steps = []
    while (found := go_on()).weights is None:
        steps.append(found.step)
    assert steps == [1, 2, 3]
    assert same(found.weights, whole)
    figures = read_weights(whole, "diffusion").facts["figures"]
    assert found.figures["validation/score"] == figures["validation/score"]
    assert go_on().weights == found.weights


def test_a_run_that_was_killed_after_its_last_step_still_leaves_weights(
    whole: Path, vae: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.parent, folder)
    (folder / whole.name).unlink()
    again = train_diffusion(CONFIG, OPTIONS, folder, vae=vae)
    assert same(again.weights, whole)
    figures = read_weights(whole, "diffusion").facts["figures"]
    for name in ("validation/wrong", "validation/score"):
        assert again.figures[name] == pytest.approx(figures[name])


def test_workers_change_nothing(whole: Path, vae: Path, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"workers": 1})
    assert same(train_diffusion(CONFIG, options, tmp_path, vae=vae).weights, whole)


def test_a_run_begins_with_given_weights_of_its_own_shape(whole: Path, vae: Path, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"init_from": whole})
    still = CONFIG.model_copy(
        update={"optimiser": CONFIG.optimiser.model_copy(update={"learning_rate": 1e-9})}
    )
    found = train_diffusion(still, options, tmp_path / "second", vae=vae).weights
    first, second = tensors(whole), tensors(found)
    # Axes along which so few styles do not differ are any.
    kept = [name for name in first if not name.startswith("styles.")]
    assert all(torch.allclose(first[name], second[name], atol=1e-3) for name in kept)
    assert found is not None
    assert f"beginning with {whole.name}" in found.with_suffix(".md").read_text()
    wider = load_diffusion_config("smoke", None, (*TINY, "model.style_channels=4"))
    with pytest.raises(ConfigError, match="another shape than this run's"):
        train_diffusion(wider, options, tmp_path / "third", vae=vae)


def test_latents_of_another_autoencoder_are_refused(whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_weights(other, tiny_vae(seed=9), {})
    with pytest.raises(ConfigError, match="holds a run with latents = "):
        train_diffusion(CONFIG, OPTIONS, whole.parent, vae=other)
    options = OPTIONS.model_copy(update={"init_from": whole})
    with pytest.raises(ConfigError, match=r"the latents of another autoencoder, .* --vae"):
        train_diffusion(CONFIG, options, tmp_path / "run", vae=other)
    with pytest.raises(ConfigError, match="holds no weights of a vae"):
        train_diffusion(CONFIG, OPTIONS, tmp_path / "run", vae=whole)


@pytest.mark.parametrize("batch_size", [4, 8, 24])
def test_validation_is_held_out_and_the_next_pair_is_of_another_song(batch_size: int) -> None:
    config = DataConfig(seed=3, batch_size=batch_size, programs=HELD_OUT.start, songs_at_once=1)
    held_out = validation_data(config)
    for batch in range(3):
        first = batch * batch_size
        plans = [plan_clip(held_out, number) for number in range(first, first + batch_size)]
        for place, plan in enumerate(plans):
            assert plan.program in HELD_OUT
            assert plans[place - 2].song != plan.song
            assert plans[place ^ 1].song == plan.song
    assert plan_clip(config, 5).program not in HELD_OUT
    assert held_out.seed != config.seed
    assert validation_data(CONFIG.data).audio_debug_mode  # the few are validated by the few


@pytest.mark.slow
def test_two_ranks_train_together(vae: Path, tmp_path: Path) -> None:
    changes = [part for change in TINY for part in ("--set", change)]
    command = [
        sys.executable, "-m", "synesthete", "train", "diffusion", "--preset", "smoke", "-o", str(tmp_path),
        "--json", "-j", "0", "--vae", str(vae), "--devices", "2", *changes,
    ]  # fmt: skip
    process = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    weights = tmp_path / "diffusion.safetensors"
    assert json.loads(process.stdout.splitlines()[-1])["weights"] == str(weights)
    assert read_weights(weights, "diffusion").facts["steps"] == 4


def test_kept_batches_are_drawn_once_and_train_the_same_again(vae: Path, tmp_path: Path) -> None:
    config = load_diffusion_config("smoke", None, (*TINY, "kept_batches=2"))
    options = OPTIONS.model_copy(update={"workspace": tmp_path})
    first = train_diffusion(config, options, tmp_path / "first", vae=vae)
    files = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "latents").rglob("*.safetensors")
    }
    assert len(files) == 2
    assert same(first.weights, train_diffusion(config, options, tmp_path / "again", vae=vae).weights)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    # Latents are the encoder's: another decoder for them finds them all.
    other = tiny_vae()
    torch.nn.init.normal_(other.decoder.base.bias)
    better = tmp_path / "better.safetensors"
    save_weights(better, other, {})
    begun = options.model_copy(update={"init_from": first.weights})
    train_diffusion(config, begun, tmp_path / "better", vae=better)
    assert {
        path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "latents").rglob("*.safetensors")
    } == files
    rising = "data.audio_debug_mix_prob=[[0, 1.0]]"
    with pytest.raises(ConfigError, match=r"with kept_batches give data\.audio_debug_mix_prob as one number"):
        load_diffusion_config("smoke", None, (*TINY, "kept_batches=2", rising))
