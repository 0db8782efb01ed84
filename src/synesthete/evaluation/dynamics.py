"""The two sides that sync compares: what happens in the picture, and what happens in the music.

Both are freed of what is slower than two seconds, so that a film is not called synced because it ends
quietly when the song does.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import uniform_filter1d

from synesthete.clock import ANALYSIS_RATE
from synesthete.evaluation.nulls import NULL_COLUMNS
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import PictureColumns

__all__ = ["MUSIC_COLUMNS", "REACH_S", "Dynamics", "Hearing", "highpassed", "music_sums", "picture_dynamics"]

MUSIC_COLUMNS: Final = (
    "loudness", "bass", "mid", "treble", "onset", "beat", "rises of bass", "rises of mid", "rises of treble",
)  # fmt: skip
"""What of the music may explain the picture."""

REACH_S: Final = (-0.18, -0.12, -0.07, -0.03, 0.0, 0.03, 0.07, 0.12, 0.18, 0.28, 0.42, 0.65)
"""Bounds of the stretches of music, seconds before the picture, whose means may explain it."""

_ALL_ROWS: Final = slice(None)
_SLOW_S: Final = 2.0
_MOST_RATE: Final = 30.0
_LIGHT_S: Final = 0.25
_OUTLIERS: Final = 0.99
_SUMS: Final = ((0, 3), (3, 6), (6, 8))


@dataclass(frozen=True)
class Dynamics:
    """What happens in a picture, as changes per second.

    Attributes
    ----------
    moments_s
        Middle of each row, seconds; rows come at the film's rate, or at half or less of it above 30 a second.
    rate
        Rows per second.
    values
        ``light``: brightness above its running mean, over a quarter of a second; ``motion``: mean absolute
        change of luma in a second, above its running mean. The largest hundredth is clipped, so that a few
        cuts don't outweigh the rest.
    """

    moments_s: Float64[np.ndarray, " rows"]
    rate: float
    values: Float64[np.ndarray, "rows 2"]


def picture_dynamics(observation: Observation, picture: PictureColumns) -> Dynamics:
    """Give the dynamics of a film."""
    frame_rate = float(observation.frame_rate)
    group = max(1, round(frame_rate / _MOST_RATE))
    rows = observation.frames // group
    moments = observation.moments_s()

    def grouped(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.asarray(values[: rows * group], np.float64).reshape(rows, group).mean(axis=1))

    rate = frame_rate / group
    light = grouped(picture.brightness) / _LIGHT_S
    motion = grouped(observation.motion) * frame_rate
    values = np.stack([_clipped(highpassed(v, rate)) for v in (light, motion)], axis=1)
    return Dynamics(moments_s=grouped(moments), rate=rate, values=values)


class Hearing:
    """Gives what was heard around each moment of a film, for one piece of music after another.

    Parameters
    ----------
    moments_s
        The film's moments, seconds.
    ticks
        Length of the music, hundredths of a second.
    """

    def __init__(self, moments_s: Float64[np.ndarray, " rows"], ticks: int) -> None:
        # Half a tick on: the sum up to a row includes it. What lies outside the music adds nothing.
        places = [(moments_s - before) * ANALYSIS_RATE + 0.5 for before in REACH_S]
        inside = [np.clip(place, 0.0, float(ticks)) for place in places]
        self._whole = [np.minimum(place.astype(np.int64), ticks - 1) for place in inside]
        self._part = [(a - b)[:, None] for a, b in zip(inside, self._whole, strict=True)]

    def around(
        self, sums: Float64[np.ndarray, "ticks columns"], rows: np.ndarray | slice = _ALL_ROWS
    ) -> Float32[np.ndarray, "rows predictors"]:
        """Give the mean of each of `MUSIC_COLUMNS` over each stretch of `REACH_S`.

        Parameters
        ----------
        sums
            From `music_sums`.
        rows
            Which moments; all by default.
        """
        upto = [self._upto(sums, bound, rows) for bound in range(len(REACH_S))]
        ticks = np.diff(REACH_S) * ANALYSIS_RATE
        means = [(near - far) / t for near, far, t in zip(upto[:-1], upto[1:], ticks, strict=True)]
        return np.concatenate(means, axis=1, dtype=np.float32)

    def now(self, sums: Float64[np.ndarray, "ticks columns"]) -> Float32[np.ndarray, "rows columns"]:
        """Give the means over the stretch of `REACH_S` that begins at the moment itself."""
        place = REACH_S.index(0.0)
        return np.asarray(self._upto(sums, place) - self._upto(sums, place + 1), np.float32)

    def _upto(self, sums: np.ndarray, bound: int, rows: np.ndarray | slice = _ALL_ROWS) -> np.ndarray:
        """Give the sums up to one of the bounds of `REACH_S`, between ticks too."""
        whole, part = self._whole[bound][rows], self._part[bound][rows]
        low = sums[whole]
        return np.asarray(low + (sums[whole + 1] - low) * part)


def music_sums(table: Float32[np.ndarray, "ticks columns"]) -> Float64[np.ndarray, "ticks+1 columns"]:
    """Sum up `MUSIC_COLUMNS`, freed of what is slow and scaled to one spread, from the start to each tick.

    Means over stretches of any length are differences of these sums.

    Parameters
    ----------
    table
        `NULL_COLUMNS` at 100 Hz.
    """
    column = {name: table[:, place] for place, name in enumerate(NULL_COLUMNS)}
    rises = [sum(column[f"flux_{band}"] for band in range(*bounds)) for bounds in _SUMS]
    heard = highpassed(np.stack([*(column[name] for name in MUSIC_COLUMNS[:6]), *rises]), ANALYSIS_RATE)
    spread = heard.std(axis=1, keepdims=True)
    heard /= np.where(spread > 1e-6, spread, 1.0)
    sums = np.zeros((heard.shape[1] + 1, len(heard)))
    np.cumsum(heard.T, axis=0, out=sums[1:])
    return sums


def highpassed(values: np.ndarray, rate: float) -> Float64[np.ndarray, "*columns rows"]:
    """Subtract the running mean over two seconds."""
    width = round(_SLOW_S * rate) | 1
    wide = np.asarray(values, np.float64)
    return np.asarray(wide - uniform_filter1d(wide, width, mode="nearest"))


def _clipped(values: np.ndarray) -> np.ndarray:
    most = np.quantile(np.abs(values), _OUTLIERS)
    return np.asarray(np.clip(values, -most, most))
