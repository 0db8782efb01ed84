"""A run chooses its weights by a figure, and neither an end of time nor a kill changes what it chooses."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule
from torch.utils.data import DataLoader

from synesthete.config.data import DataConfig
from synesthete.config.training import OptimiserConfig, TrainConfig, TrainOptions
from synesthete.training.data_module import ClipDataModule
from synesthete.training.items import Batch, Item, stack
from synesthete.training.optimiser import configured
from synesthete.training.run import Trained, fit

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")

SCORES = {2: 0.1, 4: 0.9, 6: 0.4}
OPTIONS = TrainOptions(preset="smoke", workers=0)
HURRIED = OPTIONS.model_copy(update={"hours": 1e-9})


@pytest.fixture(autouse=True)
def _do_not_measure_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synesthete.training.throughput.product_rate", lambda device, dtype: 1e9)


class KilledError(Exception):
    """Stands for SIGKILL: nothing is tidied up on its account."""


def small_items(numbers: Sequence[int]) -> list[Item]:
    none, places = torch.zeros(0, 3, 1, 1, dtype=torch.uint8), torch.zeros(0, 5, dtype=torch.int64)
    frames = torch.zeros(2, 3, 1, 1, dtype=torch.uint8)
    return [
        Item(
            number, frames, torch.tensor([[1.0, 0.5, math.sin(number), math.cos(number)]]), none,
            torch.zeros(4), -1, "{}", "{}", none, places,
        )
        for number in numbers
    ]  # fmt: skip


class Data(ClipDataModule):
    """Validates on one batch."""

    def val_dataloader(self) -> DataLoader[Batch]:
        return DataLoader([stack(small_items([0, 1]))], batch_size=None)  # type: ignore[arg-type]


class Module(LightningModule):
    """Learns next to nothing; its validations find given scores, and it can be killed at a step."""

    def __init__(
        self,
        config: TrainConfig,
        scores: Mapping[int, float],
        *,
        killed: tuple[str, int] | None,
    ) -> None:
        super().__init__()
        self.config, self.scores, self.killed = config, scores, killed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.enter, self.leave = torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)

    def configure_optimizers(self) -> Any:
        return configured(self, self.config.optimiser, steps=self.config.steps, hidden=[self.enter])

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        if self.killed == ("training", self.trainer.global_step):
            raise KilledError
        loss = self.leave(torch.tanh(self.enter(batch.rows))).square().mean()
        self.log_dict({"train/loss": loss})
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        step = self.trainer.global_step
        if self.killed == ("validation", step):
            raise KilledError
        score = self.scores.get(step, 5.0)
        self.log_dict({"validation/score": torch.tensor(score), "validation/sum": self.enter.weight.sum()})


def config_of(*, accumulate: int = 1, method: str = "adamw") -> TrainConfig:
    optimiser = OptimiserConfig.model_validate(
        {
            "learning_rate": 0.05,
            "warm_up_steps": 1,
            "average": 0.5,
            "accumulate": accumulate,
            "method": method,
        }
    )
    data = DataConfig(batch_size=2, clip_frames=2, style_frames=0)
    return TrainConfig(
        steps=6, validate_every=2, validation_batches=1, precision="fp32", optimiser=optimiser, data=data
    )


def train(
    folder: Path,
    config: TrainConfig,
    *,
    scores: Mapping[int, float] = SCORES,
    options: TrainOptions = OPTIONS,
    keep: str | None = "validation/score",
    killed: tuple[str, int] | None = None,
) -> tuple[Trained, dict[str, torch.Tensor]]:
    """Train, and give what it came to and the weights."""
    module = Module(config, scores, killed=killed)
    found = fit(module, Data(config.data, small_items), config, options, folder, keep=keep)
    return found, module.state_dict()


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("scores", "keep", "kept"),
    [
        (SCORES, "validation/score", 0.9),
        (SCORES, None, 0.4),
        ({2: math.nan, 4: 0.3, 6: math.nan}, "validation/score", 0.3),
        ({2: 0.7, 4: 0.3, 6: 0.7}, "validation/score", 0.7),
    ],
)
def test_the_weights_of_the_best_validation_are_kept_with_their_figures(
    tmp_path: Path, scores: dict[int, float], keep: str | None, kept: float
) -> None:
    found, weights = train(tmp_path, config_of(), scores=scores, keep=keep)
    assert found.step == 6
    assert found.figures["validation/score"] == pytest.approx(kept)
    assert found.figures["validation/sum"] == pytest.approx(float(weights["enter.weight"].sum()), abs=1e-6)
    assert "train/loss" in found.figures
    again, others = train(tmp_path, config_of(), scores={}, keep=keep)
    assert same(weights, others)
    assert again.figures["validation/score"] == pytest.approx(kept)


@pytest.mark.parametrize(
    "killed", [("training", 3), ("validation", 4), ("training", 4), ("training", 5), ("validation", 6)]
)
def test_a_killed_run_keeps_what_it_would_have_kept(tmp_path: Path, killed: tuple[str, int]) -> None:
    whole, weights = train(tmp_path / "whole", config_of())
    with pytest.raises(KilledError):
        train(tmp_path / "killed", config_of(), killed=killed)
    rest, others = train(tmp_path / "killed", config_of())
    assert same(weights, others)
    assert rest.figures["validation/sum"] == whole.figures["validation/sum"]


@pytest.mark.parametrize("method", ["adamw", "muon"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_run_whose_time_is_up_again_and_again_comes_to_the_same(
    tmp_path: Path, accumulate: int, method: str
) -> None:
    config = config_of(accumulate=accumulate, method=method)
    _, weights = train(tmp_path / "whole", config)

    def steps() -> Iterator[int]:
        while (found := train(tmp_path / "parts", config, options=HURRIED)[0]).step < config.steps:
            yield found.step

    assert list(steps()) == [1, 2, 3, 4, 5]
    _, others = train(tmp_path / "parts", config)
    assert same(weights, others)
