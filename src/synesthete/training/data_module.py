"""The data for Lightning's trainer: training goes on exactly where its checkpoint was written.

Lightning counts batches, but begins an endless data set anew at every epoch and after every restart, and
loads ahead. So the module keeps account of the batches that were trained on.
"""

from typing import Any

from lightning.pytorch import LightningDataModule

from synesthete.audio.embeddings import Embedder
from synesthete.config.data import DataConfig
from synesthete.errors import ConfigError
from synesthete.training.dataset import ClipLoader, ItemSource, LiveItems
from synesthete.training.music import Music

__all__ = ["ClipDataModule", "data_identity"]


def data_identity(
    config: DataConfig, music: Music | None = None, embedder: Embedder | None = None
) -> dict[str, Any]:
    """Give what items depend on; recorded music and networks count by their content."""
    return {
        **config.model_dump(mode="json", exclude={"music_dir", "embedding_dir"}),
        "music": None if music is None else music.digest,
        "embedding_model": None if embedder is None else embedder.digest,
    }


class ClipDataModule(LightningDataModule):
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
        super().__init__()
        self._config, self._music, self._workers = config, music, workers
        self._embedder = embedder
        self._read = read or LiveItems(config, music, embedder=embedder)
        self._validation, self._validation_batches = validation, validation_batches
        self._first = 0
        self._since: int | None = None

    @property
    def consumed(self) -> int:
        """Count the batches that were trained on, on all ranks."""
        if self._since is None:
            return self._first
        return self._first + (self._trained() - self._since) * int(self._trainer().world_size)

    def train_dataloader(self) -> ClipLoader:
        """Give the loader of this rank."""
        self._first, self._since = self.consumed, self._trained()
        trainer = self._trainer()
        return ClipLoader(
            self._config,
            self._read,
            workers=self._workers,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
            consumed=lambda: self.consumed,
        )

    def val_dataloader(self) -> Any:
        """Give the same few batches at every validation."""
        if self._validation is None:
            return []
        trainer = self._trainer()
        return _Anew(
            self._validation,
            LiveItems(self._validation, self._music, embedder=self._embedder),
            workers=self._workers,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
            stop=self._validation_batches * trainer.world_size,
            consumed=lambda: 0,
        )

    def teardown(self, stage: str) -> None:
        """Go on from here with another trainer."""
        if stage == "fit":
            self._first, self._since = self.consumed, None

    def state_dict(self) -> dict[str, Any]:
        """Say where training is, and with what data."""
        return {"next_batch": self.consumed, "data": data_identity(self._config, self._music, self._embedder)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a checkpoint was written.

        Raises
        ------
        ConfigError
            If it was trained on other data.
        """
        before, now = state_dict["data"], data_identity(self._config, self._music, self._embedder)
        for name, value in now.items():
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


class _Anew(ClipLoader):
    """A loader of a known length, whose every pass is the same."""

    def __len__(self) -> int:
        return (self._stop or 0) // self._ranks
