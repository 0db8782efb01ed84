"""What is heard besides the Timeline: a network's numbers, in films as they were in training."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from made_dreams import HEARD, made_diffusion, made_vae, spec_hearing
from made_listeners import write_listener
from synesthete.audio.around import silent_row
from synesthete.audio.embeddings import Embedder, open_embedder
from synesthete.config.data import DataConfig
from synesthete.config.diffusion import SamplingConfig
from synesthete.evaluation.music_changes import silenced
from synesthete.generators.blocks import BlockStore
from synesthete.generators.dream_hearing import heard_rows
from synesthete.generators.networks import Networks
from synesthete.training.conditions import heard_rows as trained_rows
from synesthete.training.items import rows_of
from synesthete.training.plan import plan_clip
from synesthete.training.songs import Song, Songs

RATE = Fraction(30)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_listener("wav2vec2", tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module")
def networks(folder: Path) -> Networks:
    embedder = open_embedder("wav2vec2", folder, size=5)
    return Networks(made_diffusion(spec=spec_hearing(embedder)), made_vae(), {}, SamplingConfig(), embedder)


@pytest.fixture(scope="module")
def config(folder: Path) -> DataConfig:
    return DataConfig(
        embedding="wav2vec2", embedding_dir=folder, embedding_size=5, rows_per_frame=2, clip_frames=4,
        style_frames=0, context_s=1.0, song_seconds=5, clips_per_song=2, audio_debug_mode=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def song(config: DataConfig, networks: Networks) -> Song:
    return Songs(config, embedder=networks.embedder).song(0)


def heard(
    song: Song, networks: Networks, start: int, stop: int, store: BlockStore | None = None
) -> np.ndarray:
    return heard_rows(
        song.timeline, networks, RATE, start, stop, store=store or BlockStore(), device=CPU
    )  # fmt: skip


def test_a_film_hears_what_training_heard(config: DataConfig, song: Song, networks: Networks) -> None:
    plan = plan_clip(config, 1)._replace(song=0)
    items = trained_rows(networks.model, config, rows_of(config, plan, song)[None], config.clip_frames)[0]
    reach, first = networks.model.ear.reach, plan.first_frame * config.rows_per_frame
    rows = heard(song, networks, first - reach, first + 2 * (config.clip_frames - 1) + 1 + reach)
    assert rows.dtype == np.float32
    assert rows.shape == items.shape
    assert np.allclose(rows, items.numpy(), atol=1e-6)
    assert rows[:, len(HEARD) :].std(axis=0).min() > 0.01


def test_beyond_the_song_it_is_silent(song: Song, networks: Networks) -> None:
    count = song.timeline.frame_count(RATE)
    rows = heard(song, networks, -3, count + 3)
    silence = silent_row(networks.embedder).numpy()[-5:]
    assert np.array_equal(rows[:3, -5:], np.tile(silence, (3, 1)))
    assert np.array_equal(rows[-3:, -5:], np.tile(silence, (3, 1)))
    assert np.array_equal(rows[3:-3], heard(song, networks, 0, count))
    assert np.abs(rows[3 : count + 3, -5:] - silence).max(axis=1).min() > 1e-3


def test_the_network_runs_once_for_a_song_and_again_for_another(
    song: Song, networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def counted(self: Embedder, timeline: object, **settings: object) -> object:
        ran.append(self)
        return before(self, timeline, **settings)  # type: ignore[arg-type]

    before = Embedder.hear
    monkeypatch.setattr(Embedder, "hear", counted)
    store = tmp_path / "blocks"
    rows = heard(song, networks, 0, 60, BlockStore(store))
    assert np.array_equal(heard(song, networks, 9, 40, BlockStore(store)), rows[9:40])
    assert len(ran) == 1

    quiet = replace(song, timeline=silenced().timeline(song.timeline))
    assert np.abs(heard(quiet, networks, 0, 60, BlockStore(store)) - rows)[:, -5:].max() > 0.1
    assert len(ran) == 2
    assert networks.embedder is not None
    assert "_network" not in vars(replace(networks.embedder))
    assert all(own is not networks.embedder for own in ran)  # none stays loaded while frames are drawn
