"""How the generator of pictures is walked through: the section ``gan`` of a preset."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from synesthete.config.base import Frozen
from synesthete.config.control import Seconds, Seed, Share, Step, Unit
from synesthete.config.weights import GivenLargeWeights

__all__ = ["MAX_MOVE", "MOST_ANCHORS", "GanLook"]

MOST_ANCHORS: Final = 64
"""Anchors that are found for a file of weights."""

MAX_MOVE: Final = 4.0
"""Most that latents move along an axis, standard deviations."""

Move = Annotated[float, Field(ge=0, le=MAX_MOVE)]


class GanLook(Frozen):
    """Everything the generator gan needs besides signals, the preset's style, and its seed."""

    files: ClassVar[Mapping[str, str]] = {"weights": ""}

    weights: GivenLargeWeights | None = Field(
        default=None,
        description="Weights that `synesthete train gan` wrote, below the preset's folder; none: those that "
        "ship.",
    )
    latents: int = Field(
        default=16, ge=8, le=64,
        description="Latents along the longer side of a picture. It learned from squares of 16: with more, a "
        "picture holds more things, and is drawn in more pixels.",
    )  # fmt: skip
    anchors: int = Field(
        default=12, ge=2, le=MOST_ANCHORS,
        description="How many of the 64 anchors of the weights a film walks between; the seed chooses them.",
    )  # fmt: skip
    anchor_seed: Seed | None = Field(
        default=None, description="Seed of that choice (default: the preset's, which also decides the rest)."
    )
    temperature: float = Field(
        default=1.0, ge=0, le=2,
        description="How far from the middle latents lie: below 1 pictures are more alike, and plainer.",
    )  # fmt: skip
    move_beats: float = Field(
        default=8.0, ge=1, le=256, description="Beats from one anchor to the next; moves begin on beats."
    )
    move_s: float = Field(
        default=5.0, ge=0.5, le=600,
        description="Seconds from one anchor to the next where no beat is heard.",
    )  # fmt: skip
    subdivision: Step = Field(default=1.0, description="Moves go in steps that fall on every so many beats.")
    grip: Unit = Field(
        default=0.6, description="How much of them: 0 is even, 1 all but at rest between the steps."
    )
    glide: float = Field(
        default=2.0, ge=0.05, le=30,
        description="Seconds before a section in which its first anchor is gone to; it is reached with it.",
    )  # fmt: skip
    sections: Move = Field(
        default=0.5,
        description="How far sections lie apart, besides their anchors: each has a level along the first "
        "axis, at most so many standard deviations to either side.",
    )
    wander: Share = Field(default=0.2, description="Size of the slow noise that moves all places.")
    wander_s: float = Field(
        default=6.0, ge=0.1, le=600, description="Seconds of music after which it forgets itself."
    )
    wander_seed: Seed | None = Field(default=None, description="Its seed (default: the preset's).")
    bass: Move = Field(
        default=1.6,
        description="How far the signal `body` moves latents along the first axis, that pictures change "
        "most along: standard deviations.",
    )
    mid: Move = Field(default=0.7, description="The same for `voice` and the second axis.")
    treble: Move = Field(default=0.6, description="The same for `air` and the third.")
    kick: Move = Field(default=1.6, description="The same for onsets, `spark`, and the fourth.")
    kick_gate: float = Field(
        default=0.3, ge=0, lt=1, description="What `spark` must be over for an onset to kick."
    )
    smoothing: Seconds = Field(
        default=0.1,
        description="Seconds over which the bands' moves are smoothed, centred, where the music is quiet; "
        "where it is loud, or on an onset, they are not.",
    )
    dark: Share = Field(
        default=0.5,
        description="How much darker pictures are where the signal `energy` is 0, than where it is 1.",
    )
    beating: Share = Field(
        default=0.5,
        description="How much of the light of `energy` falls away between the beats, where neither `body` "
        "nor `spark` is heard.",
    )
    noise: Literal["held", "beating"] = Field(
        default="held",
        description="Whether the noise under fine detail stands, or turns to another with each beat.",
    )
    style_reach: float = Field(
        default=1.0, ge=0, le=MAX_MOVE,
        description="How far each of the preset's four style numbers moves latents along the four axes: "
        "standard deviations.",
    )  # fmt: skip
