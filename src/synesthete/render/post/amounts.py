"""How much of each effect there is, frame by frame: constants, and curves that travel with the Trajectory."""

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from synesthete.audio.timeline import Timeline
from synesthete.config.post import Post
from synesthete.config.preset import Preset
from synesthete.generators.base import Trajectory
from synesthete.generators.control import build_signals, modulate
from synesthete.generators.periodic import Period

__all__ = ["amounts_at", "with_amounts"]

_TABLE: Final = "post"


def with_amounts(
    trajectory: Trajectory,
    preset: Preset,
    timeline: Timeline,
    frame_rate: Fraction,
    period: Period | None = None,
) -> Trajectory:
    """Add the curves of the amounts that signals drive; without any, the Trajectory stays as it is.

    They are a table beside the Trajectory's rows, one row for each frame: generators don't see it.

    Parameters
    ----------
    period
        The round of a loop, if the song is one.
    """
    driven = {name: amount for name, amount in preset.post.amounts().items() if amount[0].moves}
    if not driven:
        return trajectory
    signals = build_signals(timeline, preset.control, frame_rate=frame_rate, seed=preset.seed, period=period)
    curves = [np.clip(modulate(value, signals), within.low, within.high) for value, within in driven.values()]
    table = np.stack(curves, 1).astype(np.float32)
    return replace(
        trajectory,
        fixed={**trajectory.fixed, _TABLE: list(driven)},
        tables={**trajectory.tables, _TABLE: table},
    )


def amounts_at(post: Post, trajectory: Trajectory, frame: int) -> dict[str, float]:
    """Give every amount at a frame."""
    amounts = {name: value.base for name, (value, _) in post.amounts().items()}
    driven = trajectory.fixed.get(_TABLE, [])
    if driven:
        amounts |= dict(zip(driven, trajectory.tables[_TABLE][frame].tolist(), strict=True))
    return amounts
