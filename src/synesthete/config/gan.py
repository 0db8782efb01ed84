"""How the generator of pictures and its discriminator are built and trained, and their presets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from synesthete.config.base import Frozen
from synesthete.config.training import Memory, OptimiserConfig, RunConfig, TrainPreset, load_train_config
from synesthete.seeding import MAX_SEED

__all__ = [
    "GAN_PRESETS",
    "AdaptiveConfig",
    "GanConfig",
    "GanLosses",
    "GanModelConfig",
    "GanOptimiserConfig",
    "GanProbeOptions",
    "StillAugmentConfig",
    "StillDataConfig",
    "load_gan_config",
]

_COARSEST: Final = 16
"""Latents along each side; see `synesthete.models.gan.LATENT_SIDE`."""

Width = Annotated[int, Field(ge=8, le=1024, multiple_of=8)]
Widths = Annotated[tuple[Width, ...], Field(min_length=2, max_length=6)]
Share = Annotated[float, Field(ge=0, le=1)]


class GanModelConfig(Frozen):
    """The networks; see `synesthete.models.gan`."""

    latents: int = Field(default=8, ge=1, le=64, description="Channels of the latents, on a grid of 16x16.")
    widths: Widths = Field(
        default=(128, 96, 64, 32),
        description="Channels of the generator at each level, the coarsest first. Each doubles the picture's "
        "side: three give 128 pixels, four 256, five 512.",
    )
    blocks: int = Field(default=2, ge=1, le=8, description="Residual blocks at the coarsest level.")
    style: int = Field(
        default=64, ge=8, le=1024, description="Units that the means of the latents are mixed in."
    )
    discriminator_width: Width = Field(default=128, description="Channels of the discriminator's layers.")
    checkpointing: bool = Field(
        default=False,
        description="Compute the generator's blocks again in the backward pass: slower, in less memory.",
    )


class GanLosses(Frozen):
    """What counts how much, beside fooling the discriminator."""

    penalty: float = Field(
        default=0.1,
        ge=0,
        le=1000,
        description="Weight of the discriminator's squared slope at true pictures.",
    )  # fmt: skip
    penalty_every: int = Field(
        default=16, ge=1, le=1024, description="Steps from one slope that is taken to the next."
    )
    chroma: float = Field(
        default=3.0, ge=0, le=100, description="Weight of chroma's mean and deviation in a batch."
    )
    saturation: float = Field(
        default=10.0, ge=0, le=100, description="Weight of how saturated the pictures of a batch are."
    )


class AdaptiveConfig(Frozen):
    """Augmentation of all that the discriminator sees, as much as it needs not to learn pictures by heart."""

    target: float = Field(
        default=0.6, ge=-1, le=1,
        description="Mean sign of true pictures' scores that is aimed at: above it there is more of it.",
    )  # fmt: skip
    ramp_pictures: int = Field(
        default=100_000, ge=100, le=100_000_000,
        description="Pictures over which its probability may rise from 0 to 1.",
    )  # fmt: skip
    start: float = Field(default=0.5, ge=0, le=1, description="Its probability in the beginning.")
    least: float = Field(default=0.4, ge=0, le=1, description="Its lowest probability.")
    most: float = Field(default=0.8, ge=0, le=1, description="Its highest probability.")

    @model_validator(mode="after")
    def _starts_between(self) -> "AdaptiveConfig":
        if not self.least <= self.start <= self.most:
            raise ValueError(
                f"start ({self.start:g}) is not between least ({self.least:g}) and most ({self.most:g}); "
                "change one of them"
            )
        return self


class StillAugmentConfig(Frozen):
    """How a picture is changed each time that it is read."""

    flip_prob: Share = Field(default=0.5, description="Share of the pictures that are mirrored.")
    crop: float = Field(
        default=0.75, ge=0.1, le=1,
        description="Side of the smallest square crop, as a share of the picture's shorter side.",
    )  # fmt: skip
    brightness: float = Field(default=0.1, ge=0, lt=1, description="Most by which values change, as a share.")
    contrast: float = Field(
        default=0.1, ge=0, lt=1, description="Most by which differences from the mean change, as a share."
    )
    saturation: float = Field(
        default=0.1, ge=0, lt=1, description="Most by which chroma changes, as a share."
    )
    hue_degrees: float = Field(default=8.0, ge=0, le=180, description="Most by which hues turn, degrees.")
    blur_prob: Share = Field(default=0.1, description="Share of the pictures that are blurred.")
    blur_pixels: float = Field(
        default=0.8,
        gt=0,
        le=8,
        description="Deviation of the strongest blur, pixels of what is learned from.",
    )
    jpeg_prob: Share = Field(default=0.1, description="Share of the pictures that pass through JPEG.")
    jpeg_quality: int = Field(default=70, ge=10, le=95, description="The lowest quality of JPEG.")
    cutout_prob: Share = Field(
        default=0.05, description="Share of the pictures of which a square is missing."
    )
    cutout_side: float = Field(
        default=0.12, gt=0, le=0.5, description="The square's largest side, as a share of the picture's."
    )


class StillDataConfig(Frozen):
    """What is learned from: pictures of a folder, in an order and with changes that follow from a seed."""

    seed: int = Field(
        default=0, ge=0, le=MAX_SEED, description="Another seed is another order and other changes."
    )
    batch_size: int = Field(default=16, ge=2, le=4096, description="Pictures of a batch.")
    augment: StillAugmentConfig = Field(
        default=StillAugmentConfig(), description="How a picture is changed each time that it is read."
    )


class GanOptimiserConfig(OptimiserConfig):
    """AdamW, without memory of the gradient's mean: what one network learns moves the other's aim."""

    method: Literal["adamw"] = Field(default="adamw", description="Convolutions are learned by AdamW.")
    learning_rate: float = Field(default=2e-4, gt=0, le=0.1, description="The highest learning rate.")
    discriminator_times: float = Field(
        default=5.0, gt=0, le=100, description="The discriminator's learning rate, over the generator's."
    )
    warm_up_steps: int = Field(
        default=100, ge=0, le=1_000_000, description="Steps over which the learning rate rises to it."
    )
    final_share: float = Field(
        default=0.1, ge=0, le=1,
        description="What is left of it at the last step: it falls along a half cosine.",
    )  # fmt: skip
    betas: tuple[Memory, Memory] = Field(
        default=(0.0, 0.99), description="Memory of the gradient's mean and of its square."
    )
    clip_norm: float = Field(
        default=10.0, gt=0, le=1000, description="Longest gradient of each network; longer ones are cut."
    )


class GanConfig(RunConfig):
    """A run that trains the generator of pictures."""

    steps: int = Field(default=8000, ge=1, le=100_000_000, description="Steps of the optimiser.")
    validation_batches: int = Field(default=16, ge=1, le=1024, description="Batches of a validation.")
    optimiser: GanOptimiserConfig = Field(
        default=GanOptimiserConfig(), description="How the weights of both networks are learned."
    )
    model: GanModelConfig = Field(default=GanModelConfig(), description="The networks.")
    losses: GanLosses = Field(default=GanLosses(), description="What counts how much.")
    adaptive: AdaptiveConfig = Field(
        default=AdaptiveConfig(), description="Augmentation of all that the discriminator sees."
    )
    data: StillDataConfig = Field(default=StillDataConfig(), description="What is learned from.")

    @property
    def size(self) -> int:
        """Give the side of the pictures, pixels."""
        return _COARSEST << len(self.model.widths)


GAN_PRESETS: Final[Mapping[TrainPreset, Mapping[str, Any]]] = {
    "smoke": {
        "steps": 40,
        "validate_every": 20,
        "validation_batches": 2,
        "optimiser": {"warm_up_steps": 5, "learning_rate": 1e-3, "average": 0.9},
        "model": {
            "widths": (32, 16), "discriminator_width": 32, "blocks": 1, "style": 16,
        },
        "data": {"batch_size": 8},
    },
    "small": {},
    "base": {
        "steps": 40_000,
        "validate_every": 2000,
        "model": {"widths": (384, 256, 128, 64)},
        "data": {"batch_size": 32},
    },
    "large": {
        "steps": 100_000,
        "validate_every": 5000,
        "optimiser": {"average": 0.9995},
        "model": {
            "widths": (512, 384, 192, 96, 48),
            "checkpointing": True,
        },
        "data": {"batch_size": 16},
    },
}  # fmt: skip
"""Changes to `GanConfig`."""


def load_gan_config(
    preset: TrainPreset, path: Path | None = None, assignments: Sequence[str] = ()
) -> GanConfig:
    """Give a run's configuration; see `synesthete.config.training.load_train_config`."""
    return load_train_config(GanConfig, [GAN_PRESETS[preset]], path, assignments)


class GanProbeOptions(Frozen):
    """What ``synesthete evaluate-gan`` takes."""

    weights: Path | None = Field(
        default=None, description="Weights to measure; by default those that come with the package."
    )
    images: Path = Field(description="The folder of pictures that they learned from.")
    count: int = Field(default=500, ge=8, le=100_000, description="How many pictures to draw.")
    seed: int = Field(default=17, ge=0, le=MAX_SEED, description="Of the latents and the noise.")
