"""Everything that is said on a film and its music: sync under both nulls, RV2, and the lag."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from jaxtyping import Float32

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE
from synesthete.evaluation.dynamics import picture_dynamics
from synesthete.evaluation.lag import Lag, measure_lag
from synesthete.evaluation.nulls import NullSong, null_bank, null_columns
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import PictureColumns
from synesthete.evaluation.sync import Sync, explained_share, measure_sync

__all__ = ["OtherSong", "other_songs", "report_sync"]


@dataclass(frozen=True)
class OtherSong:
    """A song that the film has nothing to do with, given by the user."""

    name: str
    timeline: Timeline


def other_songs(given: Sequence[OtherSong] = ()) -> Iterator[NullSong]:
    """Give the null of other songs: what the user gave, and the bank that ships."""
    mine = (
        NullSong(o.name, null_columns(o.timeline), o.timeline.music.beats, o.timeline.music.downbeats)
        for o in given
    )
    return chain(mine, null_bank())


def report_sync(
    observation: Observation,
    picture: PictureColumns,
    timeline: Timeline | None,
    *,
    against: Sequence[OtherSong] = (),
) -> dict[str, Any]:
    """Measure what a film's picture owes to its music.

    Parameters
    ----------
    timeline
        What was heard in its music; None if there is none.
    against
        Songs that join the bank of other songs; the score of each is given, too.

    Returns
    -------
    As it stands in a certificate under ``sync``.
    """
    if timeline is None:
        return {**Sync(None, None, None).to_json(), **Lag(None, None, "insufficient").to_json()}
    ticks = max(1, round((observation.duration_s + max(0.0, observation.music_start_s)) * ANALYSIS_RATE))
    table = _as_long_as(null_columns(timeline), ticks)
    dynamics = picture_dynamics(observation, picture)
    others = (song.stretched_to(ticks) for song in other_songs(against))
    sync = measure_sync(dynamics, table, timeline.music, others)
    values = {**sync.to_json(), **measure_lag(observation, picture, table).to_json()}
    if against and sync.songs is not None:
        values["against"] = {
            song.name: round(explained_share(dynamics, song.stretched_to(ticks)), 5)
            for song, _ in zip(other_songs(against), against, strict=False)
        }
    return values


def _as_long_as(table: Float32[np.ndarray, "ticks columns"], ticks: int) -> np.ndarray:
    """Fit the music to the film: what is beyond its end is cut, and after its end there is nothing."""
    return np.pad(table[:ticks], ((0, max(0, ticks - len(table))), (0, 0)))
