"""A training run goes on exactly where it was killed, says what is wrong, and keeps its weights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from made_models import tiny_vae
from synesthete.config.training import TrainOptions
from synesthete.config.vae import VAE_PRESETS, VaeConfig, load_vae_config
from synesthete.errors import ConfigError
from synesthete.models.weights import latents_digest, load_vae, read_weights, save_weights
from synesthete.training.dataset import LiveItems
from synesthete.training.items import Batch, stack
from synesthete.training.vae_module import VaeModule
from synesthete.training.vae_run import train_vae

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")

TINY = (
    "model.widths=[8, 8, 8]", "model.encoder_blocks=[0, 0, 0]", "model.decoder_blocks=[0, 0, 0, 0]",
    "model.features=8", "model.latents=4", "data.song_seconds=5", "data.crop_size=32", "data.batch_size=2",
    "data.clip_frames=1", "data.crops=1", "validation_batches=1", "validate_every=4", "steps=8",
    "first_clips=4",
)  # fmt: skip


@pytest.fixture
def config() -> VaeConfig:
    return load_vae_config("smoke", None, TINY)


def test_presets_are_what_they_say() -> None:
    for preset in VAE_PRESETS:
        config = load_vae_config(preset)
        assert config.data.crops > 0
        assert config.data.first_program + config.data.programs <= 1536


def test_a_run_that_stopped_ends_with_the_same_weights(config: VaeConfig, tmp_path: Path) -> None:
    options = TrainOptions(preset="smoke", workers=0)
    whole = train_vae(config, options, tmp_path / "whole")

    hurried = options.model_copy(update={"hours": 1e-9})
    steps = []
    while (found := train_vae(config, hurried, tmp_path / "parts")).weights is None:
        steps.append(found.step)

    assert steps == list(range(1, 8))
    assert whole.weights is not None
    one, other = (read_weights(path, "vae").tensors for path in (whole.weights, found.weights))
    assert all(torch.equal(one[name], other[name]) for name in one)
    again = train_vae(config, options, tmp_path / "whole")
    assert again.figures == pytest.approx(whole.figures)


def test_a_run_that_was_killed_after_its_last_step_still_leaves_weights(
    config: VaeConfig, tmp_path: Path
) -> None:
    options = TrainOptions(preset="smoke", workers=0)
    whole = train_vae(config, options, tmp_path)
    assert whole.weights is not None
    before = read_weights(whole.weights, "vae").tensors
    whole.weights.unlink()
    again = train_vae(config, options, tmp_path)
    after = read_weights(whole.weights, "vae").tensors
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert again.figures["validation/psnr"] == pytest.approx(whole.figures["validation/psnr"])


def test_a_finished_run_leaves_weights_a_card_and_sheets(config: VaeConfig, tmp_path: Path) -> None:
    told = []
    found = train_vae(
        config, TrainOptions(preset="smoke", workers=0), tmp_path,
        on_step=lambda step, steps, figures: told.append((step, steps)),
    )  # fmt: skip
    assert told[-1] == (8, 8)
    assert found.weights is not None
    vae, facts = load_vae(found.weights)
    assert vae.spec.latents == 4
    assert facts["steps"] == 8
    assert "validation/psnr" in facts["figures"]
    assert "PSNR" in found.weights.with_suffix(".md").read_text()
    assert len(list((tmp_path / "sheets").glob("*.png"))) == 2
    assert "speed/share_of_product_rate" in next((tmp_path / "log").rglob("metrics.csv")).read_text()


def test_another_configuration_does_not_go_on_with_a_run(config: VaeConfig, tmp_path: Path) -> None:
    train_vae(config, TrainOptions(preset="smoke", workers=0, hours=1e-9), tmp_path)
    other = config.model_copy(update={"seed": 9})
    with pytest.raises(ConfigError, match=r"holds a run with seed = 0, and now it is 9; .* -o"):
        train_vae(other, TrainOptions(preset="smoke", workers=0), tmp_path)


def test_a_run_begins_with_given_weights_of_its_own_shape(config: VaeConfig, tmp_path: Path) -> None:
    options = TrainOptions(preset="smoke", workers=0)
    first = train_vae(config, options, tmp_path / "first").weights
    still = config.model_copy(
        update={"optimiser": config.optimiser.model_copy(update={"learning_rate": 1e-9})}
    )
    second = train_vae(still, options.model_copy(update={"init_from": first}), tmp_path / "second").weights
    assert first is not None
    assert second is not None
    one, other = (read_weights(path, "vae").tensors for path in (first, second))
    assert all(torch.allclose(one[name], other[name], atol=1e-3) for name in one)
    wider = load_vae_config("smoke", None, (*TINY, "model.features=16"))
    with pytest.raises(ConfigError, match="another shape than this run's"):
        train_vae(wider, options.model_copy(update={"init_from": first}), tmp_path / "third")


@pytest.fixture
def frozen() -> VaeConfig:
    return load_vae_config("smoke", None, (*TINY, "steps=4", "freeze_encoder=true"))


def test_a_frozen_encoder_stays_as_it_was_to_the_bit(frozen: VaeConfig, tmp_path: Path) -> None:
    first = tmp_path / "first.safetensors"
    save_weights(first, tiny_vae(), {})
    options = TrainOptions(preset="smoke", workers=0, init_from=first)
    found = train_vae(frozen, options, tmp_path / "run").weights
    assert found is not None
    one, other = (read_weights(path, "vae").tensors for path in (first, found))
    kept = {name for name in one if torch.equal(one[name], other[name])}
    assert kept == {name for name in one if not name.startswith("decoder.")}
    assert latents_digest(load_vae(found)[0]) == latents_digest(tiny_vae())


def test_only_the_encoder_of_given_weights_can_be_frozen(frozen: VaeConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"freeze_encoder = true .* --init-from"):
        train_vae(frozen, TrainOptions(preset="smoke", workers=0), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_frozen_encoder_has_no_backward_pass(config: VaeConfig, frozen: VaeConfig) -> None:
    batch = stack(LiveItems(frozen.data)(range(2)))
    with FlopCounterMode(display=False) as encoding:
        tiny_vae().encode(batch.frames.flatten(0, 1).float() / 255.0)
    operations = {run.freeze_encoder: step_operations(run, batch) for run in (config, frozen)}
    assert operations[False] - operations[True] >= encoding.get_total_flops()


def step_operations(config: VaeConfig, batch: Batch) -> int:
    vae = tiny_vae().requires_grad_()
    module = VaeModule(config, vae)
    module.log_dict = lambda *given, **named: None
    with FlopCounterMode(display=False) as counter:
        module.training_step(batch, 0).backward()
    learned = {name for name, weight in vae.named_parameters() if weight.grad is not None}
    assert all(name.startswith("decoder.") for name in learned) == config.freeze_encoder
    return int(counter.get_total_flops())


def train(folder: Path, *more: str) -> subprocess.Popen[str]:
    changes = [part for change in TINY for part in ("--set", change)]
    command = [
        sys.executable, "-m", "synesthete", "train", "vae", "--preset", "smoke", "-o", str(folder), "--json",
        "-j", "0", *changes, *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_a_killed_command_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    process = train(tmp_path / "whole")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors

    process = train(tmp_path / "killed")
    checkpoint = tmp_path / "killed" / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 300
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    process = train(tmp_path / "killed")
    told, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert json.loads(told.splitlines()[-1])["step"] == 8

    paths = [tmp_path / name / "vae.safetensors" for name in ("whole", "killed")]
    one, other = (read_weights(path, "vae").tensors for path in paths)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_ranks_train_together(tmp_path: Path) -> None:
    process = train(tmp_path, "--devices", "2")
    told, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert json.loads(told.splitlines()[-1])["weights"] == str(tmp_path / "vae.safetensors")
    assert read_weights(tmp_path / "vae.safetensors", "vae").facts["steps"] == 8
