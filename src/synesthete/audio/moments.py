"""Tell what a song is like: its most telling moments, and its character as a whole."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import uniform_filter1d

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE

__all__ = ["telling_character", "telling_moments"]

_NAMES: Final = ("quiet", "build", "drop", "return")
_LEAST_S: Final = 12.0
_AROUND_S: Final = 4.0
_BEFORE_S: Final = 2.0
_STRIKE_S: Final = 1.5
_APART_S: Final = 6.0
_EDGE_S: Final = 1.0
_HEARD: Final = 0.5
_ENERGETIC, _BRIGHT_HZ = 0.7, 2_500.0

Curve = Float64[np.ndarray, " ticks"]


def telling_moments(timeline: Timeline) -> Mapping[str, float]:
    """Name four moments of a song.

    ``drop`` is where the four seconds after are louder than the four before by most, at its strongest onset;
    ``build`` lies two seconds before it. ``return`` is the loudest place, away from the drop, of music that
    was heard before, or simply the loudest. ``quiet`` is the softest that is not silent.

    Returns
    -------
    Seconds by name, in this order: quiet, build, drop, return. Songs under 12 s have them evenly spread.
    """
    duration = float(timeline.duration)
    if duration < _LEAST_S:
        return {name: duration * (k + 0.5) / 4 for k, name in enumerate(_NAMES)}
    ticks = np.arange(timeline.ticks) / ANALYSIS_RATE
    inside = (ticks >= _EDGE_S) & (ticks <= duration - _EDGE_S)
    loud = _smooth(timeline.column("loudness"), 3.0)
    sounding = inside & (_smooth(timeline.column("silence"), 4.0) < 0.05)
    energy = 0.5 * (timeline.column("loudness") + timeline.column("bass")).astype(np.float64)
    drop = _strike(timeline, _rise(energy, inside, ticks, duration))
    far = inside & (np.abs(ticks - drop) >= _APART_S)
    again = far & _heard_before(timeline, ticks)
    place = again if again.any() else (far if far.any() else inside)
    back = _strike(timeline, float(ticks[int(np.argmax(np.where(place, loud, -1.0)))]))
    calm = sounding if sounding.any() else inside
    quiet = float(ticks[int(np.argmin(np.where(calm, loud, 2.0)))])
    found = (quiet, max(_EDGE_S, drop - _BEFORE_S), drop, back)
    return dict(zip(_NAMES, (min(moment, duration - _EDGE_S) for moment in found), strict=True))


def telling_character(timeline: Timeline) -> tuple[bool, bool]:
    """Say whether a song is energetic, and whether it is bright.

    Energetic: the mean loudness where there is sound is 0.7 or more, -18 dBFS. Bright: the mean centroid is
    2.5 kHz or more. Of the music that we know these part techno, rock and drums from orchestras and jazz.
    """
    sounding = timeline.column("silence") < _HEARD
    if not sounding.any():
        return False, False
    loudness, centroid = (float(timeline.column(name)[sounding].mean()) for name in ("loudness", "centroid"))
    return loudness >= _ENERGETIC, centroid >= _BRIGHT_HZ


def _smooth(column: np.ndarray, seconds: float) -> Curve:
    width = round(seconds * ANALYSIS_RATE) | 1
    return np.asarray(uniform_filter1d(np.asarray(column, np.float64), width, mode="nearest"))


def _rise(energy: Curve, inside: np.ndarray, ticks: Curve, duration: float) -> float:
    """Give the moment after which there is most energy compared to before."""
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    reach = round(_AROUND_S * ANALYSIS_RATE)
    places = np.arange(len(energy))
    before, after = np.maximum(places - reach, 0), np.minimum(places + reach, len(energy))
    rise = (sums[after] - sums[places]) / np.maximum(after - places, 1)
    rise -= (sums[places] - sums[before]) / np.maximum(places - before, 1)
    whole = inside & (ticks >= _AROUND_S / 2) & (ticks <= duration - _AROUND_S / 2)
    return float(ticks[int(np.argmax(np.where(whole, rise, -2.0)))])


def _strike(timeline: Timeline, moment: float) -> float:
    """Give the strongest onset soon after a moment."""
    first = round(moment * ANALYSIS_RATE)
    onset = timeline.column("onset")[first : first + round(_STRIKE_S * ANALYSIS_RATE)]
    return moment if len(onset) == 0 else (first + int(np.argmax(onset))) / ANALYSIS_RATE


def _heard_before(timeline: Timeline, ticks: Curve) -> np.ndarray:
    """Mark sections whose label came before."""
    marked, seen = np.zeros(len(ticks), bool), set()
    for section in timeline.music.sections:
        if section.label in seen:
            marked |= (ticks >= section.start_s) & (ticks < section.end_s)
        seen.add(section.label)
    return marked
