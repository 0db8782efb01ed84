"""Vary recorded music: level, tone, pitch, time, and what the two channels hold."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from synesthete.audio.equaliser import Band, equalise
from synesthete.audio.stretch import SPEED_STEPS, change_speed, stretch
from synesthete.seeding import generator_for

__all__ = ["Augmentation", "draw_augmentation", "soft_limit"]

_KNEE: Final = 0.8
_CEILING: Final = 0.99
_MOST_PEAKS: Final = 3
_LOW_SHELF_HZ: Final = (60.0, 300.0)
_PEAK_HZ: Final = (150.0, 8_000.0)
_HIGH_SHELF_HZ: Final = (2_500.0, 10_000.0)
_PEAK_Q: Final = (0.5, 2.5)
_LEAST_STRETCH: Final = 0.002


@dataclass(frozen=True)
class Augmentation:
    """What is done to one excerpt, in this order.

    Attributes
    ----------
    speed_steps
        Speed in `SPEED_STEPS`, as of a tape: time and pitch together.
    tempo
        Factor on the tempo alone.
    pitch_steps
        Factor on the pitch alone, in `SPEED_STEPS`.
    bands
        Equaliser.
    gain_db
        Then what is over a knee is limited softly.
    invert, swap, mono
        Turn the polarity, exchange left and right, make both the same.
    """

    speed_steps: int = SPEED_STEPS
    tempo: float = 1.0
    pitch_steps: int = SPEED_STEPS
    bands: tuple[Band, ...] = ()
    gain_db: float = 0.0
    invert: bool = False
    swap: bool = False
    mono: bool = False

    @property
    def rate(self) -> float:
        """Seconds of the source to each second of the result."""
        return self.speed_steps / SPEED_STEPS * self.tempo

    def source_samples(self, samples: int) -> int:
        """Count the samples of the source, at 44.1 kHz, that make ``samples``."""
        return math.ceil(self.rate * samples) + 1

    def moments(self, seconds: Float64[np.ndarray, " moments"]) -> Float64[np.ndarray, " moments"]:
        """Give where moments of the source lie in the result; both in seconds from their start."""
        return seconds / self.rate

    def apply(self, sound: Float32[np.ndarray, "2 source"], samples: int) -> Float32[np.ndarray, "2 samples"]:
        """Vary an excerpt at 44.1 kHz; what is missing at its end is silence.

        Parameters
        ----------
        sound
            At least `source_samples` where the result is to be full.
        samples
            Length of the result.
        """
        # Pitch alone is a change of speed whose change of time is stretched away again.
        steps = round(self.speed_steps * self.pitch_steps / SPEED_STEPS)
        changed = change_speed(sound, steps)
        ratio = steps / SPEED_STEPS / self.rate
        if abs(ratio - 1) > _LEAST_STRETCH:
            changed = stretch(changed, ratio)
        result = np.zeros((2, samples), np.float32)
        kept = min(samples, changed.shape[1])
        result[:, :kept] = equalise(changed[:, :kept], self.bands)
        if self.mono:
            result[:] = result.mean(axis=0)
        if self.swap:
            result = result[::-1]
        gain = 10 ** (self.gain_db / 20) * (-1 if self.invert else 1)
        return soft_limit(result * np.float32(gain))

    def to_json(self) -> dict[str, Any]:
        """Give what is done as plain values, for the record."""
        return {
            "speed": self.speed_steps / SPEED_STEPS,
            "tempo": self.tempo,
            "pitch": self.pitch_steps / SPEED_STEPS,
            "bands": [[band.kind, band.frequency, band.gain_db, band.q] for band in self.bands],
            "gain_db": self.gain_db,
            "invert": self.invert,
            "swap": self.swap,
            "mono": self.mono,
        }


def draw_augmentation(
    seed: int,
    name: str,
    index: int,
    *,
    gain_db: tuple[float, float],
    eq_db: float,
    eq_prob: float,
    speed: tuple[float, float],
    speed_prob: float,
    tempo: tuple[float, float],
    tempo_prob: float,
    pitch_semitones: tuple[float, float],
    pitch_prob: float,
    invert_prob: float,
    swap_prob: float,
    mono_prob: float,
) -> Augmentation:
    """Draw what is done to an excerpt; a pure function of its arguments.

    Parameters
    ----------
    seed, name, index
        Of the draw; see `synesthete.seeding`.
    gain_db
        Lowest and highest gain, dB.
    eq_db
        Most that a band raises or lowers, dB.
    speed, tempo
        Lowest and highest factor, within 0.5 to 2; drawn evenly on a logarithmic scale.
    pitch_semitones
        Lowest and highest change of the pitch alone, within -12 to 12.
    eq_prob, speed_prob, tempo_prob, pitch_prob, invert_prob, swap_prob, mono_prob
        How often each is done, 0 to 1.
    """
    # Every number is drawn, whether it is used or not: one probability changes nothing else.
    draws = generator_for(seed, f"{name}.augment", index)
    wanted = draws.random(7) < (
        eq_prob, speed_prob, tempo_prob, pitch_prob, invert_prob, swap_prob, mono_prob
    )  # fmt: skip
    gain, *places = draws.random(4).tolist()
    bands = _bands(draws, eq_db)
    semitones = _between(pitch_semitones, places[2])
    return Augmentation(
        speed_steps=round(SPEED_STEPS * _log_between(speed, places[0])) if wanted[1] else SPEED_STEPS,
        tempo=round(_log_between(tempo, places[1]), 4) if wanted[2] else 1.0,
        pitch_steps=round(SPEED_STEPS * 2 ** (semitones / 12)) if wanted[3] else SPEED_STEPS,
        bands=bands if wanted[0] else (),
        gain_db=round(_between(gain_db, gain), 2),
        invert=bool(wanted[4]),
        swap=bool(wanted[5]),
        mono=bool(wanted[6]),
    )


def soft_limit(sound: Float32[np.ndarray, "channels samples"]) -> Float32[np.ndarray, "channels samples"]:
    """Bend what is over 0.8 of full scale towards 0.99, and leave the rest as it is."""
    over = np.abs(sound) > _KNEE
    if not over.any():
        return sound
    limited = sound.copy()
    loud = sound[over]
    room = _CEILING - _KNEE
    limited[over] = np.sign(loud) * (_KNEE + room * np.tanh((np.abs(loud) - _KNEE) / room))
    return limited


def _bands(draws: np.random.Generator, eq_db: float) -> tuple[Band, ...]:
    places, gains = draws.random((_MOST_PEAKS + 2, 2)), draws.uniform(-eq_db, eq_db, _MOST_PEAKS + 2)
    peaks = int(draws.integers(0, _MOST_PEAKS + 1))
    bands = [
        Band("low_shelf", round(_log_between(_LOW_SHELF_HZ, places[0, 0]), 1), round(gains[0], 2)),
        Band("high_shelf", round(_log_between(_HIGH_SHELF_HZ, places[1, 0]), 1), round(gains[1], 2)),
    ]
    for (place, width), gain in zip(places[2 : 2 + peaks], gains[2:], strict=False):
        frequency = round(_log_between(_PEAK_HZ, place), 1)
        bands.append(Band("peak", frequency, round(gain, 2), round(_log_between(_PEAK_Q, width), 3)))
    return tuple(bands)


def _between(ends: tuple[float, float], place: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * place


def _log_between(ends: tuple[float, float], place: float) -> float:
    return float(ends[0] * (ends[1] / ends[0]) ** place)
