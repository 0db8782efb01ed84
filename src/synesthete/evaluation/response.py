"""Measure what in the picture answers to what in the music: bands, silence, loudness."""

from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy.ndimage import uniform_filter1d

from synesthete.audio.columns import BANDS
from synesthete.audio.silences import find_silences
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import PictureColumns, heard_on_frames

__all__ = ["PICTURE_VARIABLES", "measure_response"]

PICTURE_VARIABLES: Final = ("brightness", "motion", "contrast", "saturation")
"""What of the picture may answer to a band."""

_BAND_NAMES: Final = tuple(f"band_{band}" for band in range(BANDS))
_SLOW_S: Final = 4.0
_RIDGE: Final = 0.02
_CONSTANT: Final = 1e-5  # standard deviation: far under one level of the picture, or 0.1 dB of the music

_SHORTEST_SILENCE_S: Final = 1.5
_SETTLING_S: Final = 1.0  # as pictures come to rest
_SILENT: Final = 0.5
_LEAST_SECONDS: Final = 10


def measure_response(
    observation: Observation, picture: PictureColumns, timeline: Timeline | None
) -> dict[str, Any]:
    r"""Measure how a film answers to its music.

    Parameters
    ----------
    picture
        From `synesthete.evaluation.picture.measure_picture`.
    timeline
        What was heard in its music; None if there is none, and everything is undetermined.

    Returns
    -------
    As JSON has it:

    - ``response.bands``: for each of `PICTURE_VARIABLES` the gains of the eight bands, standardised partial
      regression weights: how many of its standard deviations the variable moves when this band rises by one
      of its own and the others stay. Ridge regression over all frames, both sides freed of their running mean
      over 4 s; 0 for what never changes.
    - ``response.strongest``: the band of the largest gain in size; None for what never changes.
    - ``response.loudness_to_motion``: Spearman's rank correlation between the means of loudness and of
      motion over whole seconds; None for under 10 s, or where one is constant.
    - ``silence``: ``motion_ratio`` is the mean motion in silence over the median where there is sound, and
      ``brightness_ratio`` likewise; silences of under 1.5 s don't count, and others count from 1 s after they
      begin, for ``seconds`` in all. None without any, or where there is nothing to compare with.
    """
    if timeline is None:
        return {
            "response": {"bands": None, "strongest": None, "loudness_to_motion": None},
            "silence": {"motion_ratio": None, "brightness_ratio": None, "seconds": None},
        }
    bands, strongest = _band_gains(observation, picture, timeline)
    return {
        "response": {
            "bands": bands,
            "strongest": strongest,
            "loudness_to_motion": _loudness_to_motion(observation, timeline),
        },
        "silence": _silence(observation, picture, timeline),
    }


# Bands -----------------------------------------------------------------------------------------------------


def _band_gains(
    observation: Observation, picture: PictureColumns, timeline: Timeline
) -> tuple[dict[str, list[float]], dict[str, int | None]]:
    heard = _standardised(heard_on_frames(timeline, observation, _BAND_NAMES), observation)
    columns = (picture.brightness, observation.motion, picture.contrast, picture.saturation)
    seen = _standardised(np.stack(columns, axis=1), observation)
    products = heard.T @ heard / len(heard) + _RIDGE * np.eye(BANDS)
    gains = np.linalg.solve(products, heard.T @ seen / len(heard))
    bands, strongest = {}, {}
    for name, weights in zip(PICTURE_VARIABLES, gains.T, strict=True):
        bands[name] = [round(float(weight), 4) for weight in weights]
        strongest[name] = int(np.abs(weights).argmax()) if weights.any() else None
    return bands, strongest


def _standardised(
    values: Float32[np.ndarray, "frames columns"], observation: Observation
) -> Float64[np.ndarray, "frames columns"]:
    """Free columns of what is slow and give them unit variance; 0 for what never changes."""
    width = round(_SLOW_S * float(observation.frame_rate)) | 1
    wide = np.asarray(values, np.float64)
    quick = wide - uniform_filter1d(wide, width, axis=0, mode="nearest")
    quick -= quick.mean(axis=0)
    spread = quick.std(axis=0)
    return np.asarray(np.where(spread < _CONSTANT, 0.0, quick / np.maximum(spread, _CONSTANT)))


# Silence and loudness --------------------------------------------------------------------------------------


def _silence(
    observation: Observation, picture: PictureColumns, timeline: Timeline
) -> dict[str, float | None]:
    """Compare the picture in silence with the picture where there is sound."""
    moments = Clock(observation.frame_rate).moments(0, observation.frames)
    settled = np.zeros(observation.frames, np.bool_)
    for start_s, end_s in find_silences(timeline.column("silence"), shortest_s=_SHORTEST_SILENCE_S):
        settled |= (moments >= start_s + _SETTLING_S) & (moments < end_s)
    sounding = heard_on_frames(timeline, observation, ("silence",))[:, 0] < _SILENT
    sounding[0] = False  # nothing is before it that it could differ from
    return {
        "motion_ratio": _ratio(observation.motion, settled, sounding),
        "brightness_ratio": _ratio(picture.brightness, settled, sounding),
        "seconds": round(float(int(settled.sum()) / observation.frame_rate), 3),
    }


def _ratio(
    values: Float32[np.ndarray, " frames"],
    silent: Bool[np.ndarray, " frames"],
    sounding: Bool[np.ndarray, " frames"],
) -> float | None:
    if not silent.any() or not sounding.any():
        return None
    usual = float(np.median(values[sounding]))
    return round(float(values[silent].mean(dtype=np.float64)) / usual, 5) if usual > 0 else None


def _loudness_to_motion(observation: Observation, timeline: Timeline) -> float | None:
    seconds = int(observation.duration_s)
    if seconds < _LEAST_SECONDS:
        return None
    loudness = heard_on_frames(timeline, observation, ("loudness",))[1:, 0]
    second = Clock(observation.frame_rate).moments(1, observation.frames).astype(np.int64)
    counts = np.maximum(np.bincount(second)[:seconds], 1)
    sums = [np.bincount(second, values)[:seconds] for values in (loudness, observation.motion[1:])]
    means = [total / counts for total in sums]
    if min(float(np.ptp(values)) for values in means) < _CONSTANT:
        return None
    ranks = [_ranks(values) for values in means]
    return round(float(np.corrcoef(ranks)[0, 1]), 4)


def _ranks(values: Float64[np.ndarray, " rows"]) -> Float64[np.ndarray, " rows"]:
    """Give each value its rank, and equal ones the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])
