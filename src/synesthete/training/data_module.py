"""The data for Lightning's trainer: training goes on exactly where its checkpoint was written.

Lightning counts batches, but begins an endless data set anew at every epoch and after every restart, and
loads ahead. So the module keeps account of the batches that were trained on.
"""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import LightningDataModule

from synesthete.audio.embeddings import Embedder
from synesthete.config.data import DataConfig
from synesthete.errors import ConfigError
from synesthete.training.dataset import (
    BatchesAnew,
    BatchLoader,
    BatchSource,
    ClipBatches,
    ItemSource,
    LiveItems,
)
from synesthete.training.music import Music

__all__ = ["BatchDataModule", "ClipDataModule", "data_identity"]


def data_identity(
    config: DataConfig, music: Music | None = None, embedder: Embedder | None = None
) -> dict[str, Any]:
    """Give what items depend on; recorded music and networks count by their content."""
    return {
        **config.model_dump(mode="json", exclude={"music_dir", "embedding_dir"}),
        "music": None if music is None else music.digest,
        "embedding_model": None if embedder is None else embedder.digest,
    }


class BatchDataModule(LightningDataModule):
    """Batches by number for training, and the same few for every validation.

    Parameters
    ----------
    make
        Makes the batches that are trained on.
    identity
        What they depend on, as JSON has it: training goes on with the same data only.
    workers
        Processes that make batches, on each rank.
    validate
        Makes the batches of a validation, if there is to be any.
    validation_batches
        How many of them, on each rank.
    """

    def __init__(
        self,
        make: BatchSource,
        identity: Mapping[str, Any],
        *,
        workers: int = 0,
        validate: BatchSource | None = None,
        validation_batches: int = 8,
    ) -> None:
        super().__init__()
        self._make, self._identity, self._workers = make, dict(identity), workers
        self._validate, self._validation_batches = validate, validation_batches
        self._first = 0
        self._since: int | None = None

    @property
    def consumed(self) -> int:
        """Count the batches that were trained on, on all ranks."""
        if self._since is None:
            return self._first
        return self._first + (self._trained() - self._since) * int(self._trainer().world_size)

    def train_dataloader(self) -> BatchLoader:
        """Give the loader of this rank."""
        self._first, self._since = self.consumed, self._trained()
        trainer = self._trainer()
        return BatchLoader(
            self._make,
            workers=self._workers,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
            consumed=lambda: self.consumed,
        )

    def val_dataloader(self) -> Any:
        """Give the same few batches at every validation."""
        if self._validate is None:
            return []
        trainer = self._trainer()
        return BatchesAnew(
            self._validate,
            batches=self._validation_batches,
            workers=self._workers,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
        )

    def teardown(self, stage: str) -> None:
        """Go on from here with another trainer."""
        if stage == "fit":
            self._first, self._since = self.consumed, None

    def state_dict(self) -> dict[str, Any]:
        """Say where training is, and with what data."""
        return {"next_batch": self.consumed, "data": self._identity}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a checkpoint was written.

        Raises
        ------
        ConfigError
            If it was trained on other data.
        """
        before = state_dict["data"]
        for name, value in self._identity.items():
            if before.get(name) != value:
                raise ConfigError(
                    f"the checkpoint was trained with data.{name} = {before.get(name)!r:.60}, and now it is "
                    f"{value!r:.60}; resume with the same data, or begin a new run"
                )
        self._first, self._since = int(state_dict["next_batch"]), None

    def _trained(self) -> int:
        """Count the batches that this rank has trained on since its run began, restarts included."""
        return int(self._trainer().fit_loop.epoch_loop.batch_progress.total.processed)

    def _trainer(self) -> Any:
        if self.trainer is None:
            raise RuntimeError("a data module gives loaders once it is attached to a trainer")
        return self.trainer


class ClipDataModule(BatchDataModule):
    """Clips for training, and others for validation.

    Parameters
    ----------
    config
        The training data.
    read
        Gives its items; by default they are made.
    music
        The opened folder of recorded music, if some is mixed in.
    workers
        Processes that make batches, on each rank.
    validation
        The data for validation, if there is to be any.
    validation_batches
        How many of its batches, on each rank.
    embedder
        The opened network of the data's ``embedding``, if there is one.
    """

    def __init__(
        self,
        config: DataConfig,
        read: ItemSource | None = None,
        *,
        music: Music | None = None,
        workers: int = 0,
        validation: DataConfig | None = None,
        validation_batches: int = 8,
        embedder: Embedder | None = None,
    ) -> None:
        def batches(of: DataConfig, source: ItemSource | None = None) -> ClipBatches:
            return ClipBatches(of, source or LiveItems(of, music, embedder=embedder))

        super().__init__(
            batches(config, read),
            data_identity(config, music, embedder),
            workers=workers,
            validate=None if validation is None else batches(validation),
            validation_batches=validation_batches,
        )
