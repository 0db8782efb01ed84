"""How the autoencoder is built and trained, and its presets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from synesthete.config.base import Frozen
from synesthete.config.training import TrainConfig, TrainPreset, load_train_config
from synesthete.seeding import MAX_SEED

__all__ = [
    "HELD_OUT",
    "VAE_PRESETS",
    "VaeConfig",
    "VaeLosses",
    "VaeModelConfig",
    "VaeProbeOptions",
    "load_vae_config",
]

HELD_OUT: Final = range(1536, 2048)
"""Programs of the catalogue that no shipped model is trained on."""

Width = Annotated[int, Field(ge=8, le=1024, multiple_of=8)]
Blocks = Annotated[int, Field(ge=0, le=16)]


class VaeModelConfig(Frozen):
    """The networks; see `synesthete.models.vae.VaeSpec`."""

    latents: int = Field(default=16, ge=4, le=64, description="Channels of the latents.")
    widths: tuple[Width, Width, Width] = Field(
        default=(96, 160, 208), description="Channels where a latent is 4, 2 and 1 cells wide."
    )
    encoder_blocks: tuple[Blocks, Blocks, Blocks] = Field(
        default=(2, 2, 1), description="Residual blocks of the encoder at these widths."
    )
    decoder_blocks: tuple[Blocks, Blocks, Blocks, Blocks] = Field(
        default=(2, 2, 1, 1), description="Residual blocks of the decoder, from 1 to 8 cells to a latent."
    )
    features: int = Field(
        default=32, ge=8, le=128, multiple_of=4,
        description="Channels of the field decoder's features, and units of its coordinate network.",
    )  # fmt: skip


class VaeLosses(Frozen):
    """What counts how much, beside the mean absolute difference."""

    squares: float = Field(default=5.0, ge=0, le=100, description="Weight of the mean squared difference.")
    edges: float = Field(default=0.5, ge=0, le=100, description="Weight of edges at three scales.")
    colour: float = Field(default=0.3, ge=0, le=100, description="Weight of chroma and of mean saturation.")
    sharpness: float = Field(
        default=0.5, ge=0, le=100, description="Weight of how strong the edges of crops are."
    )
    crops: float = Field(default=1.0, ge=0, le=100, description="Weight of crops of large pictures.")
    divergence: float = Field(
        default=1e-4, ge=0, le=1, description="Weight of a latent's divergence from N(0, 1), nats."
    )


class VaeConfig(TrainConfig):
    """A run that trains the autoencoder."""

    first_clips: int = Field(
        default=256, ge=4, le=100_000,
        description="Clips whose blocks of pixels the linear first guess is fitted to.",
    )  # fmt: skip
    freeze_encoder: bool = Field(
        default=False,
        description="Train the decoder alone: the encoder, and with it all latents, stay those of the first "
        "weights; needs --init-from.",
    )
    model: VaeModelConfig = Field(default=VaeModelConfig(), description="The networks.")
    losses: VaeLosses = Field(default=VaeLosses(), description="What counts how much.")


_DATA: Final = {
    "batch_size": 8, "clip_frames": 2, "style_frames": 0, "context_s": 0.1, "programs": HELD_OUT.start,
    "crops": 3, "clips_per_song": 64,
}  # fmt: skip
VAE_PRESETS: Final[Mapping[TrainPreset, Mapping[str, Any]]] = {
    "smoke": {
        "steps": 40,
        "first_clips": 32,
        "validate_every": 20,
        "validation_batches": 2,
        "optimiser": {"warm_up_steps": 5, "learning_rate": 2e-3},
        "model": {
            "widths": (16, 24, 32), "encoder_blocks": (1, 1, 0), "decoder_blocks": (0, 1, 1, 0),
            "features": 16,
        },
        "data": {"batch_size": 4, "audio_debug_mode": True},
    },
    "small": {},
    "base": {"steps": 40_000, "validate_every": 2000, "data": {"batch_size": 64}},
    "large": {
        "steps": 200_000,
        "validate_every": 5000,
        "model": {
            "widths": (192, 320, 512), "encoder_blocks": (3, 3, 3), "decoder_blocks": (3, 3, 3, 2),
            "features": 64,
        },
        "data": {"batch_size": 128},
    },
}  # fmt: skip
"""Changes to `VaeConfig`; to all of them, pictures come in clips of two frames, and with crops."""


def load_vae_config(
    preset: TrainPreset, path: Path | None = None, assignments: Sequence[str] = ()
) -> VaeConfig:
    """Give a run's configuration; see `synesthete.config.training.load_train_config`."""
    return load_train_config(VaeConfig, [{"data": _DATA}, VAE_PRESETS[preset]], path, assignments)


class VaeProbeOptions(Frozen):
    """What ``synesthete evaluate-vae`` takes."""

    weights: Path | None = Field(
        default=None, description="Weights to measure; by default those that come with the package."
    )
    programs: int = Field(default=500, ge=1, le=len(HELD_OUT), description="How many held-out programs.")
    seed: int = Field(default=11, ge=0, le=MAX_SEED, description="Of the music and the moments.")
