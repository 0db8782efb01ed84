"""Films whose relation to music is known exactly: Observations made from curves, without any drawing."""

from fractions import Fraction

import numpy as np

from synesthete.clock import Clock
from synesthete.evaluation.look import LOOK_COLUMNS
from synesthete.evaluation.observe import Observation
from synesthete.generators.base import Size
from synesthete.seeding import generator_for

__all__ = ["curve_film", "driven_film", "noise_film", "still_film"]


def curve_film(brightness: np.ndarray, frame_rate: Fraction = Fraction(30)) -> Observation:
    """Give a film of one grey that follows a curve, 0-1; its motion is how much the grey changes."""
    level = np.clip(np.asarray(brightness, np.float64), 0, 1)
    grid = np.repeat(np.rint(level * 255).astype(np.uint8), 12).reshape(len(level), 2, 2, 3)
    motion = np.abs(np.diff(level, prepend=level[:1])).astype(np.float32)
    return _observation(grid, motion, frame_rate)


def driven_film(
    column: np.ndarray,
    seconds: float,
    *,
    delay_s: float = 0.0,
    frame_rate: Fraction = Fraction(30),
    seed: int = 0,
) -> Observation:
    """Give a film whose brightness follows a column at 100 Hz, late by a delay, with some noise."""
    frames = int(seconds * frame_rate)
    moments = Clock(frame_rate).moments(0, frames)
    heard = np.interp(moments - delay_s, np.arange(len(column)) / 100, column)
    # Noise with a time of its own: the same film at any frame rate.
    knots = generator_for(seed, "film", 0).normal(0, 0.01, int(seconds * 10) + 2)
    own = np.interp(moments, np.arange(len(knots)) / 10, knots)
    return curve_film(0.1 + 0.7 * heard + own, frame_rate)


def noise_film(seconds: float, *, seed: int = 0, frame_rate: Fraction = Fraction(30)) -> Observation:
    """Give a film that moves by itself: pulses and drifts that know no music."""
    frames = int(seconds * frame_rate)
    random = generator_for(seed, "noise film", 0)
    steps = random.normal(0, 1, frames)
    slow = np.convolve(steps, np.hanning(41) / 20, mode="same")
    pulses = np.convolve(random.random(frames) < 0.06, np.exp(-np.arange(12) / 4), mode="full")[:frames]
    return curve_film(0.3 + 0.1 * slow + 0.3 * pulses, frame_rate)


def still_film(seconds: float, frame_rate: Fraction = Fraction(30)) -> Observation:
    """Give a film of one grey."""
    return curve_film(np.full(int(seconds * frame_rate), 0.4), frame_rate)


def _observation(grid: np.ndarray, motion: np.ndarray, frame_rate: Fraction) -> Observation:
    samples = np.arange(0, len(motion), max(1, round(frame_rate)))
    looks = np.zeros((len(samples), len(LOOK_COLUMNS)), np.float32)
    return Observation(Size(320, 180), frame_rate, grid, motion, samples, looks)
