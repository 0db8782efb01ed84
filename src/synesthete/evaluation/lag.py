"""Measure how late the picture is, on rising edges, with an interval, or say that it can't be told.

A frame shows the music's moment ``i/fps``, and a difference of two frames belongs half-way between them. What
rises in the picture is compared with what rises in the music over the very same stretch of time, moved by a
lag.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float32, Float64

from synesthete.clock import ANALYSIS_RATE
from synesthete.evaluation.dynamics import highpassed
from synesthete.evaluation.nulls import NULL_COLUMNS
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import PictureColumns
from synesthete.evaluation.sync import LEAST_SECONDS
from synesthete.seeding import generator_for

__all__ = ["Lag", "measure_lag"]

_LEVELS: Final = ("loudness", "bass", "mid", "treble")
_ALL: Final = (*_LEVELS, "onset")
_MOST_S: Final = 0.3
_STEP_S: Final = 0.005
_WEAK: Final = 0.15
_NEARLY: Final = 0.75
_AGREED: Final = 0.9
_LOBE_S: Final = 0.08
_PERIODIC: Final = 0.95
_RIVAL: Final = 0.8
_WIDEST_MS: Final = 50.0
_BLOCK_S: Final = 4.0
_RESAMPLED: Final = 200
_INTERVAL: Final = (2.5, 97.5)

Status = Literal["ok", "weak", "periodic", "outside", "insufficient"]


@dataclass(frozen=True)
class Lag:
    """How late the picture is.

    Attributes
    ----------
    ms
        Positive: the picture is late. None unless ``status`` is ``ok``.
    interval_ms
        95 % of bootstrap samples lie in it.
    status
        ``weak``: the edges hardly agree; ``periodic``: they agree as well at another lag, on other parts of
        the film, or in another part of the sound; ``outside``: they agree best at 300 ms or more.
    correlation
        Of the edges, at the best lag.
    picture, music
        Whose edges were compared.
    """

    ms: float | None
    interval_ms: tuple[float, float] | None
    status: Status
    correlation: float = 0.0
    picture: str | None = None
    music: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give ``lag_ms`` and what belongs to it."""
        return {
            "lag_ms": None if self.ms is None else round(self.ms, 1),
            "lag_interval_ms": None if self.interval_ms is None else [round(v, 1) for v in self.interval_ms],
            "lag_status": self.status,
            "lag_correlation": round(self.correlation, 3),
            "lag_of": None if self.picture is None else f"{self.picture} on {self.music}",
        }


def measure_lag(
    observation: Observation, picture: PictureColumns, table: Float32[np.ndarray, "ticks columns"]
) -> Lag:
    """Measure a film's lag behind its music.

    Parameters
    ----------
    table
        The film's music: `synesthete.evaluation.nulls.NULL_COLUMNS` at 100 Hz.
    """
    if observation.duration_s < LEAST_SECONDS:
        return Lag(None, None, "insufficient")
    lags = np.arange(-_MOST_S, _MOST_S + _STEP_S / 2, _STEP_S)
    found = [
        (name, column, _Edges.of(values, moments, table[:, NULL_COLUMNS.index(column)], lags))
        for name, values, moments, columns in _pictures(observation, picture)
        for column in columns
    ]
    curves = [edges.correlations() for _, _, edges in found]
    tops = [float(curve.max()) for curve in curves]
    # Light is the clearest; motion belongs to speed as well as to what rises.
    of_light = [k for k, f in enumerate(found) if f[0] == "light" and tops[k] >= _NEARLY * max(tops)]
    place = max(of_light or range(len(found)), key=lambda k: tops[k])
    (name, column, chosen), curve, highest = found[place], curves[place], tops[place]
    if highest < _WEAK:
        return Lag(None, None, "weak", highest, name, column)
    lag = _peak(lags, curve)
    if abs(lag) > _MOST_S - _LOBE_S / 4:
        return Lag(None, None, "outside", highest, name, column)
    rival = float(curve[np.abs(lags - lag) > _LOBE_S].max()) / highest
    apart = (
        abs(_peak(lags, c) - lag) > _LOBE_S
        for c, top in zip(curves, tops, strict=True)
        if top >= _AGREED * highest
    )
    if rival > _PERIODIC or any(apart):
        return Lag(None, None, "periodic", highest, name, column)
    low, high = chosen.interval(lags)
    if (high - low) * 1000 > _WIDEST_MS:
        status: Status = "periodic" if rival > _RIVAL else "weak"
        return Lag(None, None, status, highest, name, column)
    return Lag(lag * 1000, (low * 1000, high * 1000), "ok", highest, name, column)


def _pictures(
    observation: Observation, picture: PictureColumns
) -> list[tuple[str, np.ndarray, np.ndarray, Sequence[str]]]:
    """Give what may rise in the picture, the moments it belongs to, and with what."""
    rate = float(observation.frame_rate)
    moments = observation.moments_s()
    motion = np.asarray(observation.motion, np.float64)
    # Motion is a difference to the frame before, and belongs half a frame before its own. Where brightness or
    # size follow the music, motion is that which rises, and its sum is what rises with the music.
    return [
        ("light", np.asarray(picture.brightness, np.float64), moments, _ALL),
        ("change", np.cumsum(highpassed(motion, rate)), moments, _LEVELS),
        ("motion", motion, moments - 0.5 / rate, _ALL),
    ]


@dataclass(frozen=True)
class _Edges:
    """Sums of products of rising edges, per block of time and lag: enough for correlations and resampling."""

    count: Float64[np.ndarray, " blocks"]
    x: Float64[np.ndarray, " blocks"]
    xx: Float64[np.ndarray, " blocks"]
    y: Float64[np.ndarray, "blocks lags"]
    yy: Float64[np.ndarray, "blocks lags"]
    xy: Float64[np.ndarray, "blocks lags"]

    @classmethod
    def of(cls, values: np.ndarray, moments: np.ndarray, column: np.ndarray, lags: np.ndarray) -> "_Edges":
        rises = np.maximum(np.diff(values), 0.0)
        block = ((moments[1:] - moments[1]) // _BLOCK_S).astype(np.int64)
        bounds = np.flatnonzero(np.diff(block, prepend=-1))

        def per_block(products: np.ndarray) -> np.ndarray:
            return np.asarray(np.add.reduceat(products, bounds))

        ticks = np.arange(len(column)) / ANALYSIS_RATE
        sums = np.empty((3, len(bounds), len(lags)))
        for place, lag in enumerate(lags):
            heard = np.maximum(np.diff(np.interp(moments - lag, ticks, column)), 0.0)
            sums[:, :, place] = per_block(heard), per_block(heard**2), per_block(heard * rises)
        ones = np.ones_like(rises)
        return cls(per_block(ones), per_block(rises), per_block(rises**2), *sums)

    def correlations(self, weights: np.ndarray | None = None) -> Float64[np.ndarray, " lags"]:
        """Correlate at every lag; ``weights`` says how often each block counts."""
        w = np.ones(len(self.count)) if weights is None else weights
        n = float(w @ self.count)
        var_x = w @ self.xx / n - (w @ self.x / n) ** 2
        var_y = w @ self.yy / n - (w @ self.y / n) ** 2
        covariance = w @ self.xy / n - (w @ self.x / n) * (w @ self.y / n)
        scale = np.sqrt(np.maximum(var_x * var_y, 0.0))
        return np.asarray(np.where(scale > 1e-12, covariance / np.where(scale > 1e-12, scale, 1.0), 0.0))

    def interval(self, lags: np.ndarray) -> tuple[float, float]:
        """Resample the blocks with replacement, and give the bounds of most of the lags that come out."""
        blocks = len(self.count)
        draws = generator_for(0, "evaluation.lag").integers(0, blocks, (_RESAMPLED, blocks))
        found = [_peak(lags, self.correlations(np.bincount(draw, minlength=blocks))) for draw in draws]
        low, high = np.percentile(found, _INTERVAL)
        return float(low), float(high)


def _peak(lags: np.ndarray, curve: np.ndarray) -> float:
    """Find the highest point, between the steps by a parabola."""
    top = int(np.argmax(curve))
    if top in (0, len(curve) - 1):
        return float(lags[top])
    before, at, after = curve[top - 1 : top + 2]
    bend = before - 2 * at + after
    offset = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(lags[top] + np.clip(offset, -0.5, 0.5) * (lags[1] - lags[0]))
