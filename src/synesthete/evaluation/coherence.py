"""Measure whether a film holds together: flicker, stability, drift, and stretches where nothing happens."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.evaluation.alignment import onset_peaks
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import PictureColumns, heard_on_frames, measure_picture

__all__ = ["CoherenceReport", "measure_coherence"]

_AFTER_ONSET_S: Final = 0.1
_ROUNDING_S: Final = 1e-9
_DRIFT_S: Final = 60.0
_DRIFT_SHARE: Final = 0.25
_STILL_PER_S: Final = 0.006
_BLACK: Final = 0.01
_SILENT: Final = 0.5
_LONGEST_S: Final = 2.0
_BLOCK: Final = 512

Stretches = tuple[tuple[float, float], ...]
"""Start and end of each, seconds."""


@dataclass(frozen=True)
class CoherenceReport:
    """How a film holds together.

    Attributes
    ----------
    flicker
        Mean of `PictureColumns.flicker` over the film, 0-2: 0 for any steady movement of light, 2 for black
        and white at every step of 1/30 s. None for a film of less than three such steps.
    flicker_on_onsets, flicker_off_onsets
        The same over the frames up to 100 ms after an onset of the music, and over the others; None without
        music, or where there are no such frames.
    stability
        Mean of `PictureColumns.likeness`: 1 for a still film, about 0 where nothing stays for a second. None
        for a film of a second or less.
    drift
        Mean absolute difference of the mean picture, cell by cell, of the first and of the last minute, 0-1;
        of the first and last quarter of a film under two minutes.
    frozen
        Stretches of over 2 s without motion while there is sound: under 0.006 a second, which is 0.0002 a
        frame at 30 frames a second.
    dead
        Stretches of over 2 s that are black (brightness under 0.01) while there is sound.
    """

    flicker: float | None
    flicker_on_onsets: float | None
    flicker_off_onsets: float | None
    stability: float | None
    drift: float
    frozen: Stretches
    dead: Stretches

    def to_json(self) -> dict[str, Any]:
        """Give the values as JSON has them."""
        return {
            "flicker": _rounded(self.flicker),
            "flicker_on_onsets": _rounded(self.flicker_on_onsets),
            "flicker_off_onsets": _rounded(self.flicker_off_onsets),
            "stability": _rounded(self.stability),
            "drift": _rounded(self.drift),
            "frozen": [[round(moment, 3) for moment in stretch] for stretch in self.frozen],
            "dead": [[round(moment, 3) for moment in stretch] for stretch in self.dead],
        }


def measure_coherence(
    observation: Observation, timeline: Timeline | None, picture: PictureColumns | None = None
) -> CoherenceReport:
    """Measure how a film holds together.

    Parameters
    ----------
    timeline
        What was heard in its music; None if there is none, when every moment counts as sound.
    picture
        From `measure_picture`, if it is at hand.
    """
    picture = picture or measure_picture(observation)
    step = picture.flicker_step
    flicker = picture.flicker[step : max(step, observation.frames - step)]
    sounding, on_onset = np.ones(observation.frames, np.bool_), None
    if timeline is not None:
        sounding = heard_on_frames(timeline, observation, ("silence",))[:, 0] < _SILENT
        on_onset = _after_onsets(timeline, observation)[step : step + len(flicker)]
    still = observation.motion < _STILL_PER_S / float(observation.frame_rate)
    return CoherenceReport(
        flicker=_mean(flicker),
        flicker_on_onsets=None if on_onset is None else _mean(flicker[on_onset]),
        flicker_off_onsets=None if on_onset is None else _mean(flicker[~on_onset]),
        stability=_mean(picture.likeness),
        drift=_drift(observation),
        frozen=_stretches(still & sounding, observation),
        dead=_stretches((picture.brightness < _BLACK) & sounding, observation),
    )


def _after_onsets(timeline: Timeline, observation: Observation) -> Bool[np.ndarray, " frames"]:
    """Tell which frames lie on an onset or up to 100 ms after it."""
    onsets = onset_peaks(timeline.column("onset"))
    moments = Clock(observation.frame_rate).moments(0, observation.frames)
    latest = np.searchsorted(onsets, moments, side="right") - 1
    since = (
        moments - np.concatenate([onsets, [-np.inf]])[latest]
    )  # before the first onset: -1, the last place
    return np.asarray(since <= _AFTER_ONSET_S + _ROUNDING_S)


def _drift(observation: Observation) -> float:
    long = observation.duration_s >= 2 * _DRIFT_S
    seconds = _DRIFT_S if long else _DRIFT_SHARE * observation.duration_s
    count = max(1, round(seconds * observation.frame_rate))
    first, last = (_mean_picture(part) for part in (observation.grid[:count], observation.grid[-count:]))
    return float(np.abs(first - last).mean() / 255)


def _mean_picture(
    grid: UInt8[np.ndarray, "frames rows columns 3"],
) -> Float64[np.ndarray, "rows columns 3"]:
    total = np.zeros(grid.shape[1:], np.float64)
    for start in range(0, len(grid), _BLOCK):
        total += grid[start : start + _BLOCK].sum(axis=0, dtype=np.int64)
    return total / len(grid)


def _stretches(found: Bool[np.ndarray, " frames"], observation: Observation) -> Stretches:
    """Give where a run of frames lasts long enough."""
    clock = Clock(observation.frame_rate)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]]))).reshape(-1, 2).tolist()
    runs = ((clock.seconds(start), clock.seconds(stop)) for start, stop in edges)
    return tuple((float(start), float(end)) for start, end in runs if end - start > _LONGEST_S)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean(dtype=np.float64)) if len(values) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
