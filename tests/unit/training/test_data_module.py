"""Training goes on exactly where it stopped: with loaders, and through Lightning's own checkpoints."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from synesthete.config.data import DataConfig
from synesthete.errors import ConfigError
from synesthete.training.dataset import ClipLoader, LiveItems
from synesthete.training.items import Batch, Item

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:lightning.*", "ignore::DeprecationWarning:lightning.*", "ignore:.*LeafSpec.*"
)
CONFIG = DataConfig(batch_size=2, clip_frames=2, style_frames=0)


def small_items(indices: Sequence[int]) -> list[Item]:
    """Give items of one pixel: dealing them out is what is tested."""
    none = torch.zeros(0, 3, 1, 1, dtype=torch.uint8)
    places = torch.zeros(0, 5, dtype=torch.int64)
    return [
        Item(
            index, torch.full((2, 3, 1, 1), index % 256, dtype=torch.uint8), torch.ones(2, 1), none,
            torch.zeros(4), -1, "{}", "{}", none, places,
        )
        for index in indices
    ]  # fmt: skip


def numbers(batches: Iterator[Batch], count: int) -> list[list[int]]:
    return [next(batches).number.tolist() for _ in range(count)]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_loader_goes_on_where_its_state_says_under_another_number_of_workers(workers: int) -> None:
    loader = ClipLoader(CONFIG, small_items, workers=workers)
    seen = numbers(iter(loader), 3)
    state = loader.state_dict()

    other = ClipLoader(CONFIG, small_items, workers=(workers + 1) % 3)
    other.load_state_dict(state)
    seen += numbers(iter(other), 3)

    assert seen == [[2 * k, 2 * k + 1] for k in range(6)]


def test_two_ranks_become_three() -> None:
    loaders = [ClipLoader(CONFIG, small_items, rank=rank, ranks=2) for rank in range(2)]
    seen = [batch for loader in loaders for batch in numbers(iter(loader), 3)]
    states = [loader.state_dict() for loader in loaders]
    assert states == [{"next_batch": 6}] * 2

    for rank in range(3):
        loader = ClipLoader(CONFIG, small_items, rank=rank, ranks=3)
        loader.load_state_dict(states[0])
        seen += numbers(iter(loader), 2)

    assert sorted(seen) == [[2 * k, 2 * k + 1] for k in range(12)]


def test_live_batches_are_the_same_from_workers_as_from_here() -> None:
    config = DataConfig(
        batch_size=2, clips_per_song=2, song_seconds=4, clip_frames=2, context_s=0, style_frames=1,
        audio_debug_mode=True, buckets={"wide": 1},
    )  # fmt: skip
    here = ClipLoader(config, LiveItems(config))
    there = ClipLoader(config, LiveItems(config), workers=2)

    for _, one, other in zip(range(3), here, there, strict=False):
        for name, value in one._asdict().items():
            twin = getattr(other, name)
            assert torch.equal(value, twin) if isinstance(value, torch.Tensor) else value == twin, name


# Lightning --------------------------------------------------------------------------------------------------


def trained(
    folder: Path,
    steps: int,
    *,
    workers: int = 0,
    epoch: int | None = None,
    checkpoint: Path | None = None,
    save_at: int = 0,
    config: DataConfig = CONFIG,
    accumulate: int = 1,
) -> list[list[int]]:
    """Train the smallest of modules, and give the items of each batch that it saw."""
    from lightning.pytorch import Callback, LightningModule, Trainer

    from synesthete.training.data_module import ClipDataModule

    seen: list[list[int]] = []

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch: Batch, index: int) -> torch.Tensor:
            seen.append(batch.number.tolist())
            return self.layer(batch.rows).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=1e-3)

    class Keep(Callback):
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if len(seen) == save_at:
                trainer.save_checkpoint(folder / "kept.ckpt")

    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_steps=steps,
        limit_train_batches=epoch,
        accumulate_grad_batches=accumulate,
        callbacks=[Keep()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    module = ClipDataModule(config, small_items, workers=workers)
    trainer.fit(Module(), datamodule=module, ckpt_path=checkpoint)
    assert module.state_dict()["next_batch"] == seen[-1][0] // config.batch_size + 1
    return seen


@pytest.mark.parametrize("epoch", [None, 4])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_lightning_goes_on_after_a_checkpoint_as_if_nothing_had_happened(
    tmp_path: Path, workers: int, epoch: int | None
) -> None:
    whole = trained(tmp_path, 11, workers=workers, epoch=epoch, save_at=6)
    assert whole == [[2 * k, 2 * k + 1] for k in range(11)]

    for other in {workers, (workers + 1) % 3}:
        resumed = trained(tmp_path, 11, workers=other, epoch=epoch, checkpoint=tmp_path / "kept.ckpt")
        assert resumed == whole[6:]


@pytest.mark.parametrize("save_at", [3, 4])
def test_a_checkpoint_between_or_amid_steps_of_several_batches_goes_on(tmp_path: Path, save_at: int) -> None:
    whole = trained(tmp_path, 4, epoch=4, accumulate=2, save_at=save_at)
    assert whole == [[2 * k, 2 * k + 1] for k in range(8)]

    resumed = trained(tmp_path, 4, epoch=4, accumulate=2, checkpoint=tmp_path / "kept.ckpt")

    assert resumed[0] == [2 * save_at, 2 * save_at + 1]
    assert resumed == [[2 * k, 2 * k + 1] for k in range(save_at, save_at + len(resumed))]


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, 2, save_at=1)

    with pytest.raises(ConfigError, match=r"data.seed = 0, and now it is 1; resume with the same data"):
        trained(tmp_path, 2, checkpoint=tmp_path / "kept.ckpt", config=CONFIG.model_copy(update={"seed": 1}))


@pytest.mark.slow
def test_two_ranks_of_lightning_go_on_as_one(tmp_path: Path) -> None:
    script = Path(__file__).with_name("train_ranks.py")
    alone = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}

    def run(ranks: int, steps: int, *resume: str) -> list[list[list[int]]]:
        subprocess.run(
            [sys.executable, script, tmp_path, str(ranks), str(steps), *resume],
            check=True,
            env=os.environ | alone,
            timeout=300,
        )
        return [json.loads((tmp_path / f"seen-{rank}.json").read_text()) for rank in range(ranks)]

    first, second = run(2, 3)
    assert first == [[0, 1], [4, 5], [8, 9]]
    assert second == [[2, 3], [6, 7], [10, 11]]
    (rest,) = run(1, 5, "resume")
    assert rest == [[12, 13], [14, 15]]
