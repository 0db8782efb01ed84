"""Sheets of pictures at every validation of a run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from synesthete.media.images import Picture, contact_sheet, write_png

__all__ = ["Sheets"]


class Sheets(Callback):
    """Writes a sheet of the first batch of every validation, and logs it to TensorBoard.

    Parameters
    ----------
    folder
        Where to; it is made.
    draw
        Gives the pictures, of one size.
    columns
        In a row.
    title
        What they are.
    """

    def __init__(
        self,
        folder: Path,
        draw: Callable[[LightningModule, Any], Iterator[Picture]],
        *,
        columns: int,
        title: str,
    ) -> None:
        self._folder, self._draw, self._columns, self._title = folder, draw, columns, title

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the first batch."""
        if batch_idx or not trainer.is_global_zero:
            return
        sheet = contact_sheet(
            list(self._draw(pl_module, batch)),
            columns=self._columns,
            title=f"step {trainer.global_step}: {self._title}",
        )
        write_png(self._folder / f"step-{trainer.global_step:07}.png", sheet)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("validation", sheet, trainer.global_step, dataformats="HWC")
