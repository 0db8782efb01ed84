"""The one maker of signals: from the Timeline to named control curves, for every generator.

Everything is computed at 100 Hz over the whole track and then sampled at the frames' moments, so that the
same song makes the same moves at any frame rate, and frame ``i`` at 30 is frame ``2i`` at 60.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, Clock
from synesthete.config.preset import Control, Envelope, Modulation, Oscillator, Phase, Wander
from synesthete.errors import ConfigError
from synesthete.seeding import generator_for

__all__ = ["Signals", "build_signals", "follow", "integrate", "modulate", "wander_noise"]

_DECIBEL_COLUMNS = ("loudness", "bass", "mid", "treble", *(f"band_{i}" for i in range(8)))
_SONG_LEVEL = 0.82
_KNOTS_PER_DRAW = 256
_SURROUNDINGS_TICKS = 301  # ±1.5 s
_STEP = 1.0 / ANALYSIS_RATE


@dataclass(frozen=True)
class Signals:
    """Named control curves at the frames of a film.

    Attributes
    ----------
    frame_rate
        Frames per second.
    curves
        One float64 array ``(frames,)`` per name. Envelopes and ``calm`` lie in 0-1, wander and oscillators
        in about -1 to 1, phases count turns and grow without bound.
    """

    frame_rate: Fraction
    curves: Mapping[str, Float[np.ndarray, " frames"]]

    @property
    def frames(self) -> int:
        """Count the frames."""
        return len(next(iter(self.curves.values())))


def build_signals(timeline: Timeline, control: Control, *, frame_rate: Fraction, seed: int) -> Signals:
    """Make every signal that a preset's control section names.

    Parameters
    ----------
    seed
        Decides the wander noise; nothing else is random.

    Raises
    ------
    ConfigError
        If an envelope names a column that the Timeline does not have.
    """
    presence = 1.0 - np.asarray(timeline.column("silence"), dtype=np.float64)
    lift = _song_lift(timeline) if control.song_gain else 0.0
    ticks: dict[str, np.ndarray] = {"calm": 1.0 - presence}
    for name, envelope in control.envelopes.items():
        if envelope.column not in timeline.names:
            raise ConfigError(
                f"control.envelopes.{name}.column = {envelope.column!r} is no Timeline column; "
                f"known are {', '.join(timeline.names)}"
            )
        column = np.asarray(timeline.column(envelope.column), dtype=np.float64)
        if envelope.column in _DECIBEL_COLUMNS:
            column = np.where(column > 0, column + lift, 0.0)
        ticks[name] = follow(column, envelope) * presence
    for name, phase in control.phases.items():
        ticks[name] = integrate(phase, ticks, presence)
    music_seconds = _running_integral(presence)
    for name, wander in control.wander.items():
        ticks[name] = wander_noise(music_seconds, wander, seed=seed, name=name)
    for name, oscillator in control.oscillators.items():
        ticks[name] = _oscillate(oscillator, ticks[oscillator.phase])
    clock = Clock(frame_rate)
    moments = clock.moments(0, clock.frames_for(timeline.samples, timeline.sample_rate))
    at = np.arange(len(presence)) * _STEP
    return Signals(frame_rate, {name: np.interp(moments, at, curve) for name, curve in ticks.items()})


def follow(column: Float[np.ndarray, " ticks"], envelope: Envelope) -> Float[np.ndarray, " ticks"]:
    """Follow a column: rescale, hold peaks with an exponential release, smooth without delay.

    Parameters
    ----------
    column
        Values at 100 Hz.

    Returns
    -------
    The envelope, 0-1. Its rises are centred on the column's: the lag is 0.
    """
    if envelope.contrast > 0:
        around = uniform_filter1d(column, _SURROUNDINGS_TICKS, mode="nearest")
        column = column + envelope.contrast * (column - around)
    x = np.clip((column - envelope.floor) / (envelope.ceil - envelope.floor), 0.0, 1.0) ** envelope.gamma
    if envelope.release > _STEP / 10:
        # A decaying peak hold is a running maximum in the log domain: no loop over ticks.
        decay = np.arange(len(x)) * (_STEP / envelope.release)
        x = np.exp(np.maximum.accumulate(np.log(x + 1e-9) + decay) - decay)
    width = round(2 * envelope.attack * ANALYSIS_RATE) | 1  # odd, so that it is centred
    if width > 1:
        kernel = np.hanning(width + 2)[1:-1]
        padded = np.pad(x, (width // 2, width - 1 - width // 2), mode="edge")
        x = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return x


def integrate(
    phase: Phase, curves: Mapping[str, np.ndarray], presence: Float[np.ndarray, " ticks"]
) -> Float[np.ndarray, " ticks"]:
    """Integrate a phase's rate at 100 Hz; silence stops it.

    Returns
    -------
    Turns since the start; 0 at tick 0.
    """
    rate = np.full_like(presence, phase.rate)
    for name, amount in phase.drive.items():
        rate = rate + amount * curves[name]
    return _running_integral(rate * presence)


def wander_noise(
    music_seconds: Float[np.ndarray, " ticks"], wander: Wander, *, seed: int, name: str
) -> Float[np.ndarray, " ticks"]:
    """Interpolate seeded normal knots, one per correlation time, by Catmull-Rom splines.

    Parameters
    ----------
    music_seconds
        Time that passes only while there is sound, so that the wander rests in silence.

    Returns
    -------
    Smooth noise with standard deviation about 0.5, clipped to ±1.5.
    """
    position = music_seconds / wander.correlation
    whole = np.floor(position).astype(np.int64)
    fraction = position - whole
    count = int(whole[-1]) + 4
    draws = [
        generator_for(seed, f"wander.{name}", block).standard_normal(_KNOTS_PER_DRAW)
        for block in range(-(-count // _KNOTS_PER_DRAW))
    ]
    knots = np.concatenate(draws)
    a, b, c, d = (knots[whole + k] for k in range(4))
    t = fraction
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.clip(0.6 * curve, -1.5, 1.5)


def modulate(parameter: Modulation, signals: Signals) -> Float[np.ndarray, " frames"]:
    """Evaluate ``base + Σ by[signal] · signal`` at every frame."""
    curve = np.full(signals.frames, parameter.base)
    for name, amount in parameter.by.items():
        curve = curve + amount * signals.curves[name]
    return curve


def _oscillate(oscillator: Oscillator, phase: np.ndarray) -> np.ndarray:
    curve: np.ndarray = np.sin(2 * np.pi * (oscillator.ratio * phase + oscillator.offset))
    return curve


def _running_integral(rate: np.ndarray) -> np.ndarray:
    steps = np.concatenate([[0.0], (rate[1:] + rate[:-1]) * (0.5 * _STEP)])
    return np.cumsum(steps)


def _song_lift(timeline: Timeline) -> float:
    """Give one constant gain for the song, on the Timeline's dB scale: quiet masters come up to level."""
    loudness = np.asarray(timeline.column("loudness"))
    return float(np.clip(_SONG_LEVEL - np.percentile(loudness, 95), 0.0, 0.5))
