"""How the model that listens is built and trained, and its presets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from synesthete.config.base import Frozen
from synesthete.config.data import Schedule
from synesthete.config.training import TrainConfig, TrainPreset, load_train_config
from synesthete.config.vae import HELD_OUT
from synesthete.seeding import MAX_SEED

__all__ = [
    "DIFFUSION_PRESETS",
    "AuxiliaryLosses",
    "ConditionConfig",
    "DiffusionConfig",
    "DiffusionModelConfig",
    "DiffusionProbeOptions",
    "FlowConfig",
    "NegativeKind",
    "Negatives",
    "Pressure",
    "SamplingConfig",
    "load_diffusion_config",
]

NegativeKind = Literal["clip", "shift", "silence", "roll"]
"""Wrong audio: the clip of the batch that sounds most different, another moment of the same song, silence, or
just the next clip."""

Negatives = Annotated[dict[NegativeKind, Annotated[float, Field(gt=0, le=1000)]], Field(min_length=1)]
"""Kinds of wrong audio, and how often each is taken: weights, relative to each other."""

_HEAD: Final = 64
_LEAST_CLIPS: Final = 4
_LEAST_FRAMES: Final = 2


class DiffusionModelConfig(Frozen):
    """The networks; see `synesthete.models.diffusion.DiffusionSpec`."""

    row_width: int = Field(default=128, ge=8, le=1024, description="Channels of the network that hears.")
    row_layers: int = Field(
        default=4, ge=1, le=6,
        description="Its layers; with 4 a frame hears 30 rows on each side: at 30 rows per second a second.",
    )  # fmt: skip
    style_channels: int = Field(default=6, ge=1, le=64, description="Numbers of each of a style's cells.")
    style_cells: int = Field(
        default=8, ge=1, le=32,
        description="Cells of a style along each side of a picture; 1: it doesn't say where anything is.",
    )  # fmt: skip
    style_width: int = Field(
        default=96, ge=8, le=512, description="Channels of the network that reads style."
    )
    condition: int = Field(default=192, ge=16, le=2048, description="Channels of the conditions.")
    width: int = Field(
        default=256, ge=_HEAD, le=4096, multiple_of=_HEAD,
        description="Channels of a token; heads have 64.",
    )  # fmt: skip
    blocks: int = Field(
        default=8, ge=2, le=64, multiple_of=2,
        description="Blocks: by turns within frames and along time.",
    )  # fmt: skip
    window: int | None = Field(
        default=None, ge=1, le=1024,
        description="Frames on each side that are attended to along time; by default those of a clip, less "
        "one. A run on short clips, to begin with, names that of the longer ones to come.",
    )  # fmt: skip


class FlowConfig(Frozen):
    """What counts when the flow is learned: times, logit-normal, 0 being noise; and channels of latents."""

    evenness: float = Field(
        default=0.4, ge=0, le=1,
        description="How alike channels of latents count: 1: all alike, 0: each by what of a picture it "
        "shows. What counts less is drawn later.",
    )  # fmt: skip
    time_mean: float = Field(default=-0.4, ge=-3, le=3, description="Mean of a time's logit.")
    time_deviation: float = Field(default=1.0, gt=0, le=3, description="Deviation of a time's logit.")


class ConditionConfig(Frozen):
    """What the model is told, and how often it isn't."""

    aligned: bool = Field(
        default=True,
        description="Each frame hears its own moment; false: all hear the mean of the clip, for comparison.",
    )
    p_audio_drop: float = Field(default=0.1, ge=0, le=1, description="Share of the clips that hear nothing.")
    p_style_drop: float = Field(default=0.1, ge=0, le=1, description="Share of the clips without a style.")
    style_divergence: float = Field(
        default=3e-6, ge=0, le=1,
        description="Weight of a style's divergence from N(0, 1), nats in all. Styles are made standard "
        "in the end: more of it only costs what they say.",
    )  # fmt: skip


class Pressure(Frozen):
    """What wrong audio must cost: a hinge on the loss under it."""

    weight: float = Field(default=0.5, ge=0, le=100, description="Weight of the hinge; 0 is off.")
    margin: float = Field(
        default=0.1, ge=0, le=10,
        description="How much larger the loss must be, as a share of a latent's variance.",
    )  # fmt: skip
    prob: Schedule = Field(
        default=0.5,
        description="Share of the clips that are tried with wrong audio: a number, or points [batch, share].",
    )
    space: Literal["velocity", "data", "both"] = Field(
        default="data", description="Where losses are compared: of velocities, or of the data they lead to."
    )
    negatives: Negatives = Field(
        default={"clip": 2.0, "shift": 1.0, "silence": 1.0},
        description="Kinds of wrong audio, and how often each is taken: weights, relative to each other.",
    )


class AuxiliaryLosses(Frozen):
    """Further losses; 0 is off."""

    silence: float = Field(
        default=0.1, ge=0, le=100, description="Weight of motion in silence beyond the truth's."
    )
    statistics: float = Field(
        default=0.2, ge=0, le=100,
        description="Weight of brightness, contrast and saturation of a rough picture of what is drawn.",
    )  # fmt: skip
    matcher: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Weight of a contrast: which frame was what is heard drawn for?",
    )


class SamplingConfig(Frozen):
    """How validation draws."""

    steps: int = Field(default=8, ge=1, le=256, description="Steps from noise to latents.")
    audio_guidance: float = Field(default=3.0, ge=0, le=20, description="Scale of what is heard.")
    style_guidance: float = Field(default=1.5, ge=0, le=20, description="Scale of the style.")
    batches: int = Field(default=4, ge=1, le=256, description="Batches that are drawn at every validation.")


class Distillation(Frozen):
    """How a model learns to draw faster from the one that it begins with."""

    audio: float = Field(default=3.0, ge=0, le=20, description="The teacher's scale of what is heard.")
    style: float = Field(default=1.5, ge=0, le=20, description="The teacher's scale of the style.")
    steps: int = Field(default=4, ge=1, le=64, description="Steps from noise to latents that it learns.")
    substeps: int = Field(default=2, ge=1, le=16, description="Steps of the teacher for each of them.")


class DiffusionConfig(TrainConfig):
    """A run that trains the model that listens."""

    steps: int = Field(default=3000, ge=1, le=100_000_000, description="Steps of the optimiser.")
    first_clips: int = Field(
        default=128, ge=4, le=100_000, description="Clips by which latents and rows are scaled."
    )
    last_clips: int = Field(
        default=1024, ge=4, le=100_000,
        description="Clips by whose styles styles are made standard normal, in the end.",
    )  # fmt: skip
    kept_batches: int = Field(
        default=0, ge=0, le=10_000_000,
        description="Draw and encode so many batches once, keep them in the workspace's cache, and go round "
        "them; 0: always new ones.",
    )  # fmt: skip
    compiled: bool = Field(
        default=False,
        description="Compile the transformer's blocks: minutes at first, then 1.4 times as fast on a CPU; "
        "needs a C++ compiler.",
    )
    model: DiffusionModelConfig = Field(default=DiffusionModelConfig(), description="The networks.")
    flow: FlowConfig = Field(default=FlowConfig(), description="What counts when the flow is learned.")
    conditions: ConditionConfig = Field(default=ConditionConfig(), description="What the model is told.")
    pressure: Pressure = Field(default=Pressure(), description="What wrong audio must cost.")
    losses: AuxiliaryLosses = Field(default=AuxiliaryLosses(), description="Further losses.")
    sampling: SamplingConfig = Field(default=SamplingConfig(), description="How validation draws.")
    distil: Distillation | None = Field(
        default=None,
        description="Learn from the weights of --init-from to draw in fewer steps, and without guidance what "
        "they draw with it, instead of from the data.",
    )

    @model_validator(mode="after")
    def _can_be_learned(self) -> "DiffusionConfig":
        rows = self.data.context_frames * self.data.rows_per_frame
        needed = 2 * (2**self.model.row_layers - 1)
        if rows < needed:
            raise ValueError(
                f"model.row_layers = {self.model.row_layers} hears {needed} rows on each side, and the data "
                f"has {rows}; raise data.context_s, or take fewer layers"
            )
        if self.data.style_frames == 0:
            raise ValueError("style is read from data.style_frames; ask for 1 or more")
        if self.kept_batches and not isinstance(self.data.audio_debug_mix_prob, float):
            raise ValueError(
                "batches that are kept are drawn alike in every round; with kept_batches give "
                "data.audio_debug_mix_prob as one number"
            )
        drawn = self.sampling.steps, self.sampling.audio_guidance, self.sampling.style_guidance
        if self.distil and drawn != (self.distil.steps, 1.0, 1.0):
            raise ValueError(
                "what is distilled draws in distil.steps, and without guidance; set sampling.steps="
                f"{self.distil.steps}, sampling.audio_guidance=1 and sampling.style_guidance=1"
            )
        if self.data.clip_frames < _LEAST_FRAMES:
            raise ValueError(f"one frame has no motion; raise data.clip_frames to {_LEAST_FRAMES} or more")
        if self.data.batch_size < _LEAST_CLIPS:
            raise ValueError(
                "wrong audio is that of other pairs of a batch, and there is one pair; raise data.batch_size "
                f"to {_LEAST_CLIPS} or more"
            )
        return self


_DATA: Final = {
    "batch_size": 8, "clip_frames": 8, "style_frames": 2, "context_s": 1.0, "rows_per_frame": 2,
    "programs": HELD_OUT.start, "clips_per_song": 32, "songs_at_once": 4,
    "audio_debug_mix_prob": [[0, 1.0], [500, 1.0], [2000, 0.1]],
}  # fmt: skip
DIFFUSION_PRESETS: Final[Mapping[TrainPreset, Mapping[str, Any]]] = {
    "smoke": {
        "steps": 120,
        "first_clips": 16,
        "last_clips": 64,
        "validate_every": 60,
        "validation_batches": 2,
        "optimiser": {"warm_up_steps": 10, "learning_rate": 2e-3, "average": 0.95},
        "model": {
            "row_width": 64, "style_channels": 4, "style_cells": 4, "style_width": 32, "condition": 96,
            "width": 128, "blocks": 4,
        },
        "sampling": {"steps": 4, "batches": 1},
        "data": {
            "audio_debug_mode": True, "audio_debug_mix_prob": 0.0, "buckets": {"square": 1.0},
            "clip_frames": 4,
        },
    },
    "small": {"optimiser": {"accumulate": 2}},
    "base": {
        "steps": 20_000,
        "validate_every": 1000,
        "model": {"width": 384, "blocks": 12, "condition": 256},
        "data": {"batch_size": 64, "clip_frames": 16},
    },
    "large": {
        "steps": 200_000,
        "validate_every": 5000,
        "model": {"width": 768, "blocks": 24, "condition": 512, "row_width": 256, "style_width": 192},
        "data": {"batch_size": 64, "clip_frames": 16},
    },
}  # fmt: skip
"""Changes to `DiffusionConfig`."""


def load_diffusion_config(
    preset: TrainPreset, path: Path | None = None, assignments: Sequence[str] = ()
) -> DiffusionConfig:
    """Give a run's configuration; see `synesthete.config.training.load_train_config`."""
    changes = [{"data": _DATA, "optimiser": {"method": "muon"}}, DIFFUSION_PRESETS[preset]]
    return load_train_config(DiffusionConfig, changes, path, assignments)


class DiffusionProbeOptions(Frozen):
    """What ``synesthete evaluate-diffusion`` takes."""

    weights: Path | None = Field(
        default=None, description="Weights to measure; by default those that come with the package."
    )
    vae: Path | None = Field(
        default=None, description="The autoencoder whose latents they draw; by default the one that ships."
    )
    embedding_dir: Path | None = Field(
        default=None,
        description="Folder of the pretrained audio network whose numbers they hear, if they were trained "
        "with one.",
    )
    clips: int = Field(
        default=200, ge=4, le=len(HELD_OUT),
        description="How many held-out clips, each of another program and song.",
    )  # fmt: skip
    seed: int = Field(
        default=13, ge=0, le=MAX_SEED - 1, description="Of the music, the moments and the noise."
    )
    steps: int | None = Field(
        default=None, ge=1, le=256,
        description="Steps from noise to latents; by default as many as in training's validation.",
    )  # fmt: skip
    audio_guidance: float | None = Field(
        default=None, ge=0, le=20, description="Scale of what is heard; by default validation's."
    )
    style_guidance: float | None = Field(
        default=None, ge=0, le=20, description="Scale of the style; by default validation's."
    )
