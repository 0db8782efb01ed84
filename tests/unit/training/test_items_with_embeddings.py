"""Training data with embeddings: more columns behind the Timeline's, in every way that items are made."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from made_listeners import write_listener
from synesthete.audio.around import silent_row
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embeddings import Embedder, open_embedder
from synesthete.clock import Clock
from synesthete.config.data import DataConfig
from synesthete.errors import ConfigError, OutputError
from synesthete.evaluation.music_changes import silenced
from synesthete.training.data_module import ClipDataModule
from synesthete.training.dataset import BatchDataset, ClipBatches, LiveItems
from synesthete.training.items import rows_of
from synesthete.training.plan import plan_clip
from synesthete.training.shards import export_shards, open_shards
from synesthete.training.songs import Songs

PLAIN = DataConfig(
    audio_debug_mode=True, clip_frames=3, style_frames=0, context_s=0.2, warm_up_s=0, song_seconds=4,
    clips_per_song=2, batch_size=2, buckets={"square": 1.0},
)  # fmt: skip
OWN = len(COLUMN_NAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_listener("wav2vec2", tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module")
def config(folder: Path) -> DataConfig:
    changes = {"embedding": "wav2vec2", "embedding_dir": folder, "embedding_size": 6}
    return DataConfig.model_validate({**PLAIN.model_dump(), **changes})


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Embedder:
    return open_embedder("wav2vec2", folder, size=6)


def test_rows_gain_columns_and_nothing_else_changes(config: DataConfig, embedder: Embedder) -> None:
    numbers = (0, 1, 2)
    for item, before in zip(
        LiveItems(config, embedder=embedder)(numbers), LiveItems(PLAIN)(numbers), strict=True
    ):
        assert before.rows.shape == (9, OWN)
        assert item.rows.shape == (9, OWN + 6)
        assert item.rows.dtype == torch.float32
        assert torch.equal(item.rows[:, :OWN], before.rows)
        for name, value in before._asdict().items():
            if name != "rows":
                same = getattr(item, name)
                assert torch.equal(same, value) if isinstance(value, torch.Tensor) else same == value


def test_each_row_has_what_is_heard_at_its_own_moment(config: DataConfig, embedder: Embedder) -> None:
    config = config.model_copy(update={"rows_per_frame": 2})
    (item,) = LiveItems(config, embedder=embedder)([5])
    plan = plan_clip(config, 5)
    heard = embedder.hear(Songs(PLAIN).song(plan.song).timeline)
    moments = Clock(2 * config.rate).moments(2 * plan.first_frame - 6, 2 * plan.first_frame + 12)
    for column in range(6):
        expected = np.interp(moments, heard.moments, heard.values[:, column])
        assert np.allclose(item.rows[:, OWN + column].numpy(), expected, atol=1e-6)
    assert float(item.rows[:, OWN:].std(dim=0).min()) > 0.01


def test_changed_music_is_heard_changed(config: DataConfig, embedder: Embedder) -> None:
    songs = Songs(config, embedder=embedder)
    plan = plan_clip(config, 0)
    own, altered = (
        source.several([plan.song])[0]
        for source in (songs, songs.altered(lambda song: silenced().timeline(song.timeline)))
    )
    before, after = (rows_of(config, plan, song)[:, OWN:] for song in (own, altered))
    assert torch.allclose(after, silent_row(embedder)[OWN:].expand_as(after), atol=1e-4)
    assert float((after - before).abs().max()) > 0.1


def test_worker_processes_open_the_network_themselves(config: DataConfig, embedder: Embedder) -> None:
    live = LiveItems(config, embedder=embedder)
    (expected,) = BatchDataset(ClipBatches(config, live), stop=1)
    sent = pickle.dumps(live)
    assert len(sent) < 10_000
    dataset = BatchDataset(ClipBatches(config, pickle.loads(sent)), stop=1)
    (found,) = DataLoader(dataset, batch_size=None, num_workers=1)
    assert torch.equal(found.rows, expected.rows)


def test_shards_hold_them(config: DataConfig, embedder: Embedder, tmp_path: Path) -> None:
    export_shards(config, tmp_path / "set", items=2, shards=1, embedder=embedder)
    stored = open_shards(tmp_path / "set").read([1])[0]
    assert torch.equal(stored.rows, LiveItems(config, embedder=embedder)([1])[0].rows)

    # The same network from another place is the same data; another network from the same place is not.
    moved = write_listener("wav2vec2", tmp_path / "moved")
    elsewhere = config.model_copy(update={"embedding_dir": moved})
    again = open_embedder("wav2vec2", moved, size=6)
    assert again.digest == embedder.digest
    export_shards(elsewhere, tmp_path / "set", items=2, shards=1, embedder=again)
    other = open_embedder("wav2vec2", write_listener("wav2vec2", tmp_path / "other", hidden_size=8), size=6)
    with pytest.raises(OutputError, match="holds another dataset"):
        export_shards(config, tmp_path / "set", items=2, shards=1, embedder=other)


def test_training_goes_on_with_the_same_network_only(
    config: DataConfig, embedder: Embedder, tmp_path: Path
) -> None:
    state = ClipDataModule(config, embedder=embedder).state_dict()
    moved = config.model_copy(update={"embedding_dir": write_listener("wav2vec2", tmp_path / "moved")})
    ClipDataModule(moved, embedder=open_embedder("wav2vec2", tmp_path / "moved", size=6)).load_state_dict(
        state
    )

    other = open_embedder("wav2vec2", write_listener("wav2vec2", tmp_path / "other", hidden_size=8), size=6)
    with pytest.raises(ConfigError, match=r"data\.embedding_model"):
        ClipDataModule(config, embedder=other).load_state_dict(state)


def test_a_network_that_is_not_opened_or_another_one_is_refused(config: DataConfig, folder: Path) -> None:
    with pytest.raises(ValueError, match="open_embedder"):
        Songs(config)
    with pytest.raises(ValueError, match="open_embedder"):
        Songs(config, embedder=open_embedder("wav2vec2", folder, size=5))
    assert Songs(PLAIN, embedder=open_embedder("wav2vec2", folder, size=5)).song(0).embeddings is None
