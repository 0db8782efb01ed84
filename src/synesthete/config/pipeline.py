"""What ``synesthete pipeline`` takes: training, measuring and a film in one go."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from synesthete.config.base import Frozen
from synesthete.config.training import TrainOptions
from synesthete.config.vae import HELD_OUT
from synesthete.seeding import MAX_SEED

__all__ = ["PipelineOptions"]


class PipelineOptions(Frozen):
    """What ``synesthete pipeline`` takes."""

    preset: Literal["smoke", "small"] = Field(
        default="small", description="smoke: a few minutes on two cores; small: a night on them."
    )
    vae: Path | None = Field(
        default=None, description="Weights of an autoencoder, instead of training one first."
    )
    set_vae: tuple[str, ...] = Field(
        default=(), description="Change one field of the autoencoder's run. Repeatable."
    )
    set: tuple[str, ...] = Field(default=(), description="Change one field of the model's run. Repeatable.")
    clips: int | None = Field(
        default=None, ge=4, le=len(HELD_OUT),
        description="Clips that are measured; by default 4, or 48 with the preset small.",
    )  # fmt: skip
    seconds: float = Field(default=6.0, gt=0, le=60, description="Length of the film, seconds.")
    seed: int = Field(default=13, ge=0, le=MAX_SEED - 1, description="Of the music that it is measured on.")
    hours: float | None = Field(
        default=None, gt=0, le=10_000,
        description="Stop each training after so many hours; the same command goes on from there.",
    )  # fmt: skip
    workers: int = Field(
        default=1, ge=0, le=256, description=TrainOptions.model_fields["workers"].description
    )
    workspace: Path = Field(default=Path(), description=TrainOptions.model_fields["workspace"].description)

    @property
    def measured(self) -> int:
        """Clips that are measured."""
        return self.clips or (4 if self.preset == "smoke" else 48)
