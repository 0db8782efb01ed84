"""The analyser overlay: what was heard, drawn on the film, as proof that it hears."""

import bisect
import threading
from fractions import Fraction
from typing import Final

import numpy as np

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, Clock
from synesthete.generators.base import Size
from synesthete.render.layers import Layer
from synesthete.render.overlay_strip import REACH_SECONDS, Heard, Strip, strip_height

__all__ = ["Overlay", "strip_height"]

_KEPT_SIZES: Final = 4
_HOLD_ROWS: Final = 120
_HOLD_SECONDS: Final = 0.12
_FALL_PER_SECOND: Final = 0.55
_TEMPO_STEP_SECONDS: Final = 0.5
"""So long a tempo stands before another may come: figures that change with every frame can't be read."""


class Overlay:
    """Draws what was heard around each moment as a layer for its picture.

    Parameters
    ----------
    timeline
        What was heard; only the rows around a moment are read.
    frame_rate
        Of the film.
    """

    def __init__(self, timeline: Timeline, frame_rate: Fraction) -> None:
        self._timeline, self._clock = timeline, Clock(frame_rate)
        self._beats = np.array(timeline.music.beats)
        self._downbeats = np.array(timeline.music.downbeats)
        self._strips: dict[Size, Strip] = {}
        self._lock = threading.Lock()

    def layer(self, frame: int, size: Size) -> Layer:
        """Draw what was heard around a frame's moment, for pictures of a size."""
        return self._strip(size).draw(self.heard(frame))

    def heard(self, frame: int) -> Heard:
        """Give what was heard around a frame's moment; a function of that moment alone."""
        timeline, rate = self._timeline, self._clock.frame_rate
        moment = float(self._clock.moments(frame, frame + 1)[0])
        spectrum = timeline.spectrum_at_frames(rate, frame, frame + 1)[0]
        pulse = float(timeline.at_frames(rate, ["beat"], frame, frame + 1)[0, 0])
        first = round((moment - REACH_SECONDS) * ANALYSIS_RATE)
        rows = np.arange(first, first + round(2 * REACH_SECONDS * ANALYSIS_RATE) + 1)
        near, inside = self._rows(rows)
        return Heard(
            moment=moment,
            spectrum=spectrum,
            held=np.maximum(self._held(moment), spectrum),
            first_row=first,
            loudness=near[:, 0] * inside,
            onset=near[:, 1] * inside,
            section=np.where(inside, near[:, 2].astype(np.int64), -1),
            label=self._label(moment),
            beats=_between(self._beats, moment),
            downbeats=_between(self._downbeats, moment),
            beat_of_bar=self._beat_of_bar(moment),
            pulse=pulse,
            tempo=self._tempo(moment),
            music=timeline.music,
        )

    def _rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read loudness, onset and section from rows of the table, and tell which rows there are."""
        timeline = self._timeline
        low, high = np.clip((rows[0], rows[-1]), 0, timeline.ticks - 1)
        columns = [timeline.names.index(name) for name in ("loudness", "onset", "section")]
        part = np.asarray(timeline.table[low : high + 1])[:, columns]
        inside = (rows >= 0) & (rows < timeline.ticks)
        return part[np.clip(rows, low, high) - low], inside

    def _held(self, moment: float) -> np.ndarray:
        """Give how high each band's mark stands: it waits at a peak, then falls."""
        spectrum = self._timeline.spectrum
        last = min(int(np.floor(moment * ANALYSIS_RATE + 1e-6)), len(spectrum) - 1)
        first = max(0, last - _HOLD_ROWS)
        ages = moment - np.arange(first, last + 1) / ANALYSIS_RATE
        fallen = _FALL_PER_SECOND * np.maximum(0.0, ages - _HOLD_SECONDS)
        return np.asarray((spectrum[first : last + 1] - fallen[:, None]).max(0), np.float32)

    def _label(self, moment: float) -> str | None:
        starts = [section.start_s for section in self._timeline.music.sections]
        place = bisect.bisect_right(starts, moment) - 1
        return self._timeline.music.sections[place].label if place >= 0 else None

    def _tempo(self, moment: float) -> int | None:
        step = np.floor(moment / _TEMPO_STEP_SECONDS + 1e-9) * _TEMPO_STEP_SECONDS
        row = min(round(step * ANALYSIS_RATE), self._timeline.ticks - 1)
        tempo = float(self._timeline.table[row, self._timeline.names.index("tempo")])
        return round(tempo) or None

    def _beat_of_bar(self, moment: float) -> int | None:
        """Count the beats since the last downbeat, from 0; None before the first."""
        beats = int(np.searchsorted(self._beats, moment + 1e-9, "right"))
        bars = int(np.searchsorted(self._downbeats, moment + 1e-9, "right"))
        if not beats or not bars:
            return None
        return beats - 1 - int(np.searchsorted(self._beats, self._downbeats[bars - 1] - 1e-3))

    def _strip(self, size: Size) -> Strip:
        """Draw what stays as it is, once a size."""
        with self._lock:
            if size not in self._strips:
                while len(self._strips) >= _KEPT_SIZES:
                    del self._strips[next(iter(self._strips))]
                self._strips[size] = Strip(size, self._timeline.music)
            return self._strips[size]


def _between(moments: np.ndarray, moment: float) -> np.ndarray:
    low, high = np.searchsorted(moments, (moment - REACH_SECONDS, moment + REACH_SECONDS))
    return moments[low:high]
