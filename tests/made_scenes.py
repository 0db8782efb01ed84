"""Songs with bars and sections that are known, and presets to show them in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from made_timelines import quiet_timeline
from synesthete.audio.music import Music, Section
from synesthete.audio.timeline import Timeline
from synesthete.config.preset import Preset

__all__ = ["TRAILS", "heard_song", "program_preset"]

FIGURE = {
    "node": "palette",
    "light": {"base": 0.6, "energy": 0.4},
    "of": {"node": "rotate", "turn": {"turn": 1.0}, "of": {"node": "rings", "count": {"base": 2, "bass": 3}}},
}
TRAILS = {"node": "feedback", "zoom": 1.0, "turn": 0.2, "flow": 0.3, "decay": 0.4, "of": FIGURE}


def heard_song(
    seconds: float,
    sections: Mapping[float, str] | None = None,
    *,
    bar_s: float | None = 2.0,
    downbeats: Sequence[float] | None = None,
    levels: Mapping[float, float] | None = None,
) -> Timeline:
    """Give what was heard in a song: where sections begin and what they are, and how loud all bands are when.

    Its bars are all of one length, if it has any; or its downbeats are given.
    """
    found = list((sections or {}).items())
    ends = [*(start for start, _ in found[1:]), seconds]
    parts = tuple(Section(start, end, label) for (start, label), end in zip(found, ends, strict=False))
    if downbeats is None:
        downbeats = () if bar_s is None else np.arange(0.0, seconds, bar_s).tolist()
    level = np.full(round(seconds * 100), 0.5)
    for start, value in (levels or {}).items():
        level[round(start * 100) :] = value
    bands = {f"band_{k}": level for k in range(8)}
    ticks = np.arange(round(seconds * 100)) / 100
    made = quiet_timeline(seconds, loudness=0.6, bass=0.3 + 0.5 * np.exp(-6 * (ticks % 0.5)), **bands)
    return replace(made, music=Music(downbeats=tuple(downbeats), beats=tuple(downbeats), sections=parts))


def program_preset(root: Mapping[str, Any] = FIGURE, name: str = "mine", **fields: Any) -> Preset:
    """Make a preset of a program."""
    return Preset(
        name=name,
        summary="For tests",
        generator="program",
        program={"version": 1, "root": dict(root)},
        **fields,
    )
