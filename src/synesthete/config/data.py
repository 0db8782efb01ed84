"""The training data: which music, which programs, how clips are cut, and how they come in batches."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from synesthete.config.augment import AugmentConfig
from synesthete.config.base import Frozen
from synesthete.seeding import MAX_SEED

__all__ = ["BUCKETS", "Bucket", "Buckets", "DataConfig", "Embedding", "Scales", "Schedule", "share_at"]

Bucket = Literal["square", "wide", "tall"]

BUCKETS: dict[Bucket, tuple[int, int]] = {"square": (128, 128), "wide": (176, 96), "tall": (96, 176)}
"""Width and height, pixels: 64, 66 and 66 tokens of 16x16 pixels."""

_EDGE_S = 3.0
"""The longest memory of a program, seconds."""

Embedding = Literal["none", "clap", "wav2vec2", "whisper"]
"""What kind of pretrained network listens beside the Timeline."""

Probability = Annotated[float, Field(ge=0, le=1)]
Buckets = Annotated[dict[Bucket, Annotated[float, Field(gt=0, le=1000)]], Field(min_length=1)]
"""Shapes, and how often a batch has each: weights, relative to each other."""

Scales = Annotated[tuple[Annotated[float, Field(ge=1, le=32)], ...], Field(min_length=2, max_length=2)]


def _ascending(value: float | tuple[tuple[int, float], ...]) -> float | tuple[tuple[int, float], ...]:
    if isinstance(value, tuple):
        batches = [point[0] for point in value]
        if not batches or any(a >= b for a, b in pairwise(batches)):
            raise ValueError("a schedule is a list of points [batch, share] with ascending batches")
    return value


Schedule = Annotated[
    Probability | tuple[tuple[Annotated[int, Field(ge=0)], Probability], ...], AfterValidator(_ascending)
]
"""A share, or points (batch, share) with ascending batches: linear between them, held beyond."""


def share_at(schedule: Schedule, batch: int) -> float:
    """Give a schedule's share at a batch.

    Examples
    --------
    >>> share_at(((0, 1.0), (1000, 0.2)), 500)
    0.6
    """
    if isinstance(schedule, int | float):
        return float(schedule)
    first, last = schedule[0], schedule[-1]
    if batch <= first[0] or batch >= last[0]:
        return float((first if batch <= first[0] else last)[1])
    before, after = next(pair for pair in pairwise(schedule) if pair[0][0] <= batch < pair[1][0])
    part = (batch - before[0]) / (after[0] - before[0])
    return float(before[1] + part * (after[1] - before[1]))


class DataConfig(Frozen):
    """What the training data is; an item is a pure function of this and its number."""

    seed: int = Field(
        default=0, ge=0, le=MAX_SEED, description="Another seed is other music and other clips."
    )

    # Clips
    frame_rate: Literal[15, 30] = Field(default=15, description="Frames per second.")
    clip_frames: int = Field(default=16, ge=1, le=128, description="Frames of a clip.")
    context_s: float = Field(
        default=0.5,
        ge=0,
        le=4,
        description="How far Timeline rows reach beyond a clip on each side, seconds.",
    )
    style_frames: int = Field(
        default=2,
        ge=0,
        le=16,
        description="Frames of another moment of the same program and song; at most a clip's.",
    )
    rows_per_frame: int = Field(
        default=1, ge=1, le=8,
        description="Timeline rows for each frame: at 15 frames per second one row misses what is short.",
    )  # fmt: skip
    warm_up_s: float = Field(
        default=1.0, ge=0, le=_EDGE_S, description="How long before a clip trails begin in the dark, seconds."
    )
    map_share: float = Field(
        default=0.4, ge=0.25, le=1,
        description="Detail of glow and trails, as a share of a film's: less is faster.",
    )  # fmt: skip
    trail_ticks: int = Field(
        default=2, ge=1, le=4,
        description="What trails remember is drawn at every so many 30ths of a second: more is faster.",
    )  # fmt: skip
    buckets: Buckets = Field(
        default={"square": 2.0, "wide": 1.0, "tall": 1.0},
        description="Shapes of pictures, and how often a batch has each: weights, relative to each other.",
    )
    batch_size: int = Field(
        default=32,
        ge=2,
        le=4096,
        multiple_of=2,
        description="Items of a batch; even, as items come in pairs.",
    )

    # Music
    song_seconds: float = Field(default=12.0, ge=4, le=120, description="Length of the songs, seconds.")
    clips_per_song: int = Field(
        default=16,
        ge=2,
        le=1024,
        multiple_of=2,
        description="Clips cut from each song; even. More is faster and less varied.",
    )
    songs_at_once: int = Field(
        default=1, ge=1, le=8,
        description="Songs that pairs of clips are cut from by turns: with more, a batch holds several.",
    )  # fmt: skip
    music_dir: Path | None = Field(default=None, description="Folder of recorded music to mix in.")
    real_mix_prob: Probability = Field(
        default=0.0, description="Share of the songs that are recorded ones; needs music_dir."
    )
    augment: AugmentConfig = Field(
        default=AugmentConfig(), description="How recorded music is varied: level, tone, pitch and time."
    )
    audio_silence_mix_prob: Probability = Field(
        default=0.25, description="Share of the composed songs in which stems drop out and all falls silent."
    )

    # Embeddings
    embedding: Embedding = Field(
        default="none",
        description="Pretrained network whose vectors are joined to the rows of the Timeline; needs "
        "embedding_dir, and the extra `embed`.",
    )
    embedding_dir: Path | None = Field(
        default=None, description="Folder of that network, as transformers saves it."
    )
    embedding_size: int = Field(
        default=32, ge=1, le=4096, description="Numbers that each vector is reduced to: columns of a row."
    )

    # Programs
    audio_debug_mode: bool = Field(
        default=False,
        description="Draw only the few programs that react strongly and plainly: the bootstrap.",
    )
    audio_debug_mix_prob: Schedule = Field(
        default=0.0,
        description="Share of the clips that those few draw: a number, or points [batch, share] of training.",
    )
    programs: int = Field(
        default=2048, ge=1, le=999_999, description="How many programs of the catalogue are drawn."
    )
    first_program: int = Field(
        default=0, ge=0, le=999_999, description="The first of them; others can be held out for tests."
    )
    style_scale: float = Field(
        default=1.0, ge=0.25, le=2,
        description="Spread of the styles: below 1 the catalogue's middling styles are drawn more often, "
        "above 1 its extremes.",
    )  # fmt: skip
    variation: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="How far each clip pair's program strays from the catalogue's own.",
    )

    # Crops
    crops: int = Field(default=0, ge=0, le=64, description="Crops of large pictures in each item.")
    crop_size: int = Field(default=48, ge=32, le=64, description="Width and height of a crop, pixels.")
    crop_scales: Scales = Field(
        default=(1.0, 8.5),
        description="Smallest and largest picture that crops are cut from, as a multiple of the clip's size.",
    )

    @model_validator(mode="after")
    def _fits(self) -> "DataConfig":
        if self.style_frames > self.clip_frames:
            raise ValueError(
                f"style_frames ({self.style_frames}) are taken of a clip's clip_frames ({self.clip_frames})"
                "; ask for fewer"
            )
        if self.real_mix_prob > 0 and self.music_dir is None:
            raise ValueError("real_mix_prob above 0 needs music_dir, a folder of music; give one")
        if self.embedding != "none" and self.embedding_dir is None:
            raise ValueError(
                f"embedding = {self.embedding} needs embedding_dir, the folder of such a model; give one"
            )
        if self.crop_scales[0] > self.crop_scales[1]:
            raise ValueError("crop_scales are the smallest, then the largest; exchange them")
        needed = self.before_s + self.clip_frames / self.frame_rate + self.context_s
        if self.song_seconds < needed:
            raise ValueError(
                f"a clip needs {needed:g} s of music with what is around it; song_seconds = "
                f"{self.song_seconds:g} is less; make songs longer or clips shorter"
            )
        return self

    @property
    def rate(self) -> Fraction:
        """Frames per second, as the clock wants it."""
        return Fraction(self.frame_rate)

    @property
    def before_s(self) -> float:
        """What of a song must lie before a clip, seconds."""
        return max(self.context_s, self.warm_up_s)

    @property
    def context_frames(self) -> int:
        """Frames on each side of a clip over which Timeline rows reach; each has `rows_per_frame`."""
        return round(self.context_s * self.frame_rate)

    @property
    def warm_up_frames(self) -> int:
        """Frames before a clip over which trails are grown."""
        return round(self.warm_up_s * self.frame_rate)
