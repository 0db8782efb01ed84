"""Train the smallest of modules on some ranks, and write down what each saw: FOLDER RANKS STEPS [resume]."""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer

from synesthete.config.data import DataConfig
from synesthete.training.data_module import ClipDataModule
from synesthete.training.items import Batch, Item


def small_items(numbers: range) -> list[Item]:
    none, places = torch.zeros(0, 3, 1, 1, dtype=torch.uint8), torch.zeros(0, 5, dtype=torch.int64)
    frames, rows = torch.zeros(2, 3, 1, 1, dtype=torch.uint8), torch.ones(2, 1)
    return [
        Item(number, frames, rows, none, torch.zeros(4), -1, "{}", "{}", none, places) for number in numbers
    ]


class Run(LightningModule):
    def __init__(self, folder: Path, *, keep: bool) -> None:
        super().__init__()
        self.folder, self.keep = folder, keep
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[list[int]] = []

    def training_step(self, batch: Batch, index: int) -> torch.Tensor:
        self.seen.append(batch.number.tolist())
        return self.layer(batch.rows).mean()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=1e-3)

    def on_train_end(self) -> None:
        (self.folder / f"seen-{self.global_rank}.json").write_text(json.dumps(self.seen))
        if self.keep:
            self.trainer.save_checkpoint(self.folder / "kept.ckpt")


def main() -> None:
    folder, ranks, steps = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    trainer = Trainer(
        default_root_dir=folder, accelerator="cpu", devices=ranks,
        strategy="ddp_fork" if ranks > 1 else "auto", max_steps=steps, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    config = DataConfig(batch_size=2, clip_frames=2, style_frames=0)
    resume = folder / "kept.ckpt" if "resume" in sys.argv else None
    data = ClipDataModule(config, small_items, workers=1)
    trainer.fit(Run(folder, keep=resume is None), datamodule=data, ckpt_path=resume)


if __name__ == "__main__":
    main()
