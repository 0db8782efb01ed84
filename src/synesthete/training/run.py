"""A training run: a folder with its configuration, its log, its last checkpoint, and at the end its weights.

The same command begins a run, goes on with it, and finds it finished. A checkpoint holds everything: weights,
their averages, the optimiser, and which batch comes next.
"""

import contextlib
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
import yaml
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies import DDPStrategy

from synesthete.audio.embeddings import Embedder
from synesthete.config.base import read_yaml
from synesthete.config.data import DataConfig
from synesthete.config.training import RunConfig, TrainOptions
from synesthete.errors import ConfigError
from synesthete.files import make_folder, whole_file, write_whole
from synesthete.training.data_module import BatchDataModule
from synesthete.training.dataset import ItemSource, LiveItems
from synesthete.training.music import Music
from synesthete.training.optimiser import averaging
from synesthete.training.shards import open_shards
from synesthete.training.throughput import Throughput

__all__ = ["Progress", "RunResult", "Trained", "claim_run", "fit", "item_source", "last_checkpoint"]

Progress = Callable[[int, int, Mapping[str, float]], None]
"""Is told the step, how many there are, and the figures logged last."""

_CONFIG: Final = "config.yaml"
_CHOSEN: Final = "chosen"
_VALIDATION: Final = "validation/"
_LINES: Final = 200
"""About so many lines of figures are logged in a run."""


class RunResult(NamedTuple):
    """What a run came to.

    Attributes
    ----------
    step, steps
        How far it is.
    figures
        Those logged last.
    weights
        The finished weights; None: time was up before.
    """

    step: int
    steps: int
    figures: dict[str, float]
    weights: Path | None


class Trained(NamedTuple):
    """What `fit` came to.

    Attributes
    ----------
    step
        How far it is.
    figures
        Those logged last; of a finished run, those of the weights that were chosen.
    writes
        Whether this is the process, of several, that writes files.
    """

    step: int
    figures: dict[str, float]
    writes: bool


def item_source(
    config: DataConfig, options: TrainOptions, music: Music | None, embedder: Embedder | None = None
) -> ItemSource:
    """Give what a run's items come from: made as they are needed, or read from shards.

    Raises
    ------
    ConfigError
        If the shards hold other data.
    """
    if options.shards is None:
        return LiveItems(config, music, embedder=embedder)
    shards = open_shards(options.shards)
    if shards.config != config:
        raise ConfigError(
            f"{options.shards} holds other data than this run's; export it with the run's own data, or drop "
            "--shards"
        )
    return shards.read


def claim_run(folder: Path, config: RunConfig, **digests: str) -> None:
    """Make a run's folder, or see that it is of the same run.

    Parameters
    ----------
    digests
        Of other files that it depends on.

    Raises
    ------
    ConfigError
        If another configuration was begun there.
    """
    values = config.model_dump(mode="json") | digests
    path = make_folder(folder) / _CONFIG
    if not path.exists():
        write_whole(path, yaml.safe_dump(values, sort_keys=False).encode())
        return
    for name, before, now in _differences(read_yaml(path), values):
        raise ConfigError(
            f"{folder} holds a run with {name} = {before!r:.60}, and now it is {now!r:.60}; go on with the "
            "same configuration, or name another folder with -o"
        )


def last_checkpoint(folder: Path) -> Path:
    """Give where a run's checkpoint is, or will be."""
    return folder / "checkpoints" / "last.ckpt"


def fit(
    module: LightningModule,
    data: BatchDataModule,
    config: RunConfig,
    options: TrainOptions,
    folder: Path,
    *,
    callbacks: Sequence[Callback] = (),
    on_step: Progress = lambda step, steps, figures: None,
    keep: str | None = None,
) -> Trained:
    """Train, from the run's checkpoint on if there is one; in the end the module has the chosen weights.

    Parameters
    ----------
    keep
        The figure of a validation by which weights are chosen in the end, those of its highest value; by
        default the last ones are. Either way they are averages.
    """
    every = config.validate_every
    log_every = max(1, min(50, config.steps // _LINES))
    dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
    checkpoint = last_checkpoint(folder)
    on_gpu = torch.cuda.is_available()
    alone = options.devices == options.nodes == 1
    with _quiet():
        trainer = Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=options.devices,
            num_nodes=options.nodes,
            strategy="auto" if alone else DDPStrategy(process_group_backend="nccl" if on_gpu else "gloo"),
            precision="bf16-mixed" if config.precision == "bf16" else "32-true",
            max_epochs=-1,
            max_steps=config.steps,
            val_check_interval=every * config.optimiser.accumulate,
            check_val_every_n_epoch=None,
            limit_val_batches=config.validation_batches,
            num_sanity_val_steps=0,
            accumulate_grad_batches=config.optimiser.accumulate,
            gradient_clip_val=config.optimiser.clip_norm,
            log_every_n_steps=log_every,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            use_distributed_sampler=False,
            default_root_dir=folder,
            logger=_loggers(folder, wandb=options.wandb),
            plugins=[_WholeCheckpoints()],
            callbacks=[
                averaging(config.optimiser),
                Throughput(dtype, every=log_every),
                *callbacks,
                _Watch(on_step, options.hours, checkpoint, every=log_every, validated=every),
                _Keeper(checkpoint, keep, every=every),
            ],
        )
        trainer.fit(
            module, datamodule=data, ckpt_path=checkpoint if checkpoint.exists() else None, weights_only=True
        )
    figures = {name: float(value) for name, value in trainer.logged_metrics.items()}
    if trainer.global_step >= config.steps:
        # From the file: a run that was killed after its last step does not train again.
        kept = torch.load(checkpoint, map_location=module.device, weights_only=True)[_CHOSEN]
        module.load_state_dict(kept["weights"])
        figures |= kept["figures"]
    return Trained(trainer.global_step, figures, trainer.is_global_zero)


class _WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that appear whole: a run that is killed while it writes one goes on from the last."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        with whole_file(Path(path)) as part:
            torch.save(checkpoint, part)


class _Keeper(Callback):
    """Writes a checkpoint after every validation, and in it the weights that are best so far.

    They are in the same file, so that a run that goes on from it chooses as one that was never interrupted.
    """

    def __init__(self, checkpoint: Path, figure: str | None, *, every: int) -> None:
        self._checkpoint, self._figure, self._every = checkpoint, figure, every
        self._chosen: dict[str, Any] | None = None
        self._better: dict[str, float] | None = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning validates also when time is up.
        if trainer.global_step % self._every:
            return
        figures = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if name.startswith(_VALIDATION)
        }
        if self._chosen is None or not self._figure or self._above(figures[self._figure]):
            self._better = figures
        trainer.save_checkpoint(self._checkpoint)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._better is not None:
            # By now they are the averages: the callback that makes them comes first.
            weights = {name: value.cpu().clone() for name, value in checkpoint["state_dict"].items()}
            self._chosen, self._better = {"weights": weights, "figures": self._better}, None
        checkpoint[_CHOSEN] = self._chosen

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        self._chosen = checkpoint.get(_CHOSEN)

    def _above(self, score: float) -> bool:
        assert self._chosen is not None
        best = float(self._chosen["figures"][self._figure])
        return score > best or (math.isnan(best) and not math.isnan(score))


class _Watch(Callback):
    """Tells what was reached, and ends training when its time is up."""

    def __init__(
        self, on_step: Progress, hours: float | None, checkpoint: Path, *, every: int, validated: int
    ) -> None:
        self._on_step, self._checkpoint, self._every, self._validated = on_step, checkpoint, every, validated
        self._until = None if hours is None else time.monotonic() + 3600.0 * hours
        self._step = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Never amid a step of several batches: their gradients are in no checkpoint.
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        if trainer.global_step % self._every and trainer.global_step != trainer.max_steps:
            return
        if trainer.is_global_zero:
            figures = {name: float(value) for name, value in trainer.logged_metrics.items()}
            self._on_step(trainer.global_step, int(trainer.max_steps), figures)
        if self._until is None or trainer.should_stop:
            return
        late = time.monotonic() >= self._until
        if trainer.strategy.reduce_boolean_decision(late, all=False):
            # Now: at the end, averages take the place of the weights. Or after a validation that is due.
            if trainer.global_step % self._validated:
                trainer.save_checkpoint(self._checkpoint)
            trainer.should_stop = True


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hear our own warnings, and not what Lightning thinks of endless data and few workers."""
    names = ("lightning.pytorch", "lightning.fabric", "lightning")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


def _loggers(folder: Path, *, wandb: bool) -> list[Logger]:
    found: list[Logger] = [
        CSVLogger(folder, name="log"),
        TensorBoardLogger(folder, name="tensorboard", version=""),
    ]
    if wandb:
        try:
            from lightning.pytorch.loggers import WandbLogger

            found.append(WandbLogger(project="synesthete", save_dir=folder, offline=True))
        except ModuleNotFoundError:
            raise ConfigError(
                "--wandb needs the package wandb; pip install 'synesthete[wandb]', or drop --wandb"
            ) from None
    return found


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Give the fields that differ."""
    for name in now.keys() | before.keys():
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{path}{name}.")
        elif old != new:
            yield f"{path}{name}", old, new
