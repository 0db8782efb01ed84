"""The model that listens hears embeddings, too."""

from pathlib import Path

import pytest
import torch

from made_listeners import write_listener
from made_weights import tiny_config, write_diffusion, write_vae
from synesthete.audio.around import silent_row
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embeddings import open_embedder
from synesthete.config.diffusion import load_diffusion_config
from synesthete.config.training import TrainOptions
from synesthete.models.weights import read_weights
from synesthete.training.diffusion_run import HEARD_COLUMNS, train_diffusion
from synesthete.training.drawer import Teacher, load_drawer
from synesthete.training.following import spliced_silence

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")

TINY = (
    "model.width=64", "model.blocks=2", "model.row_width=16", "model.row_layers=2", "model.style_width=16",
    "model.condition=32", "data.song_seconds=6", "data.batch_size=4", "data.clip_frames=2",
    "data.style_frames=1", "validation_batches=1", "validate_every=1", "steps=1", "first_clips=4",
    "last_clips=4",
    "sampling.steps=1", "sampling.batches=1", "data.embedding=wav2vec2", "data.embedding_size=4",
)  # fmt: skip


def test_a_run_learns_from_the_numbers_of_a_network(tmp_path: Path) -> None:
    folder = write_listener("wav2vec2", tmp_path / "model")
    config = load_diffusion_config("smoke", None, (*TINY, f"data.embedding_dir={folder}"))
    embedder = open_embedder("wav2vec2", folder, size=4)
    options = TrainOptions(preset="smoke", workers=0)
    found = train_diffusion(config, options, tmp_path / "run", embedder=embedder)

    assert found.weights is not None
    weights = read_weights(found.weights, "diffusion")
    names = [f"wav2vec2_{number}" for number in range(4)]
    assert tuple(weights.spec["columns"]) == (*HEARD_COLUMNS, *names)
    # The numbers were heard: they have means and deviations of their own, and weights that moved.
    assert weights.tensors["ear.mean"].shape == (len(HEARD_COLUMNS) + 4,)
    assert float(weights.tensors["ear.deviation"][-4:].max()) < 3
    assert float(weights.tensors["ear.deviation"][-4:].min()) > 0.01
    assert weights.facts["embedding_model"] == embedder.digest
    assert "embedding_dir" not in weights.facts["config"]["data"]


def test_a_model_is_measured_with_the_network_that_it_was_trained_with(tmp_path: Path) -> None:
    embedder = open_embedder("wav2vec2", write_listener("wav2vec2", tmp_path / "model"), size=4)
    config = tiny_config("data.embedding=wav2vec2", f"data.embedding_dir={tmp_path}", "data.embedding_size=4")
    vae = write_vae(tmp_path / "vae.safetensors")
    weights = write_diffusion(tmp_path / "diffusion.safetensors", vae, config, embedder)
    drawer = load_drawer(weights, vae=vae, embedding_dir=embedder.folder, seed=3)
    assert drawer.embedder == embedder

    teacher = Teacher(drawer.data, seed=3, embedder=drawer.embedder)
    plan = teacher.plan(0, -1)
    rows = [teacher.rows(plan)]
    plan, songs = spliced_silence(teacher, plan)
    assert songs is not None
    rows.append(teacher.clip(plan, songs).rows)
    apart = (rows[0] - rows[1])[:, len(COLUMN_NAMES) :].abs()
    assert float(apart.mean()) > 0.05
    # Its numbers alone change what is drawn, where columns of thousands of Hz don't drown them.
    drawer.model.ear.deviation[: len(COLUMN_NAMES)] = 1e4
    only = rows[0].clone()
    only[:, len(COLUMN_NAMES) :] = rows[1][:, len(COLUMN_NAMES) :]
    one, other = drawer.draw([rows[0], only], torch.zeros(2, drawer.model.spec.style_size), [0, 0])
    assert float((one - other).abs().mean()) > 1e-4


def test_wrong_audio_that_is_silent_is_silent_to_the_network_too(tmp_path: Path) -> None:
    embedder = open_embedder("whisper", write_listener("whisper", tmp_path), size=4)
    row = silent_row(embedder)
    assert torch.equal(row[: len(COLUMN_NAMES)], silent_row())
    heard = embedder.embed(torch.zeros(2, 4 * 44_100).numpy())
    assert torch.equal(row[len(COLUMN_NAMES) :], torch.from_numpy(heard.values[len(heard.values) // 2]))
