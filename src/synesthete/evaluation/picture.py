"""What every probe needs of a film frame by frame, from one pass over its grid.

A second difference of light tells flicker from movement: what goes one way has none, what jumps to and fro
has much. It is taken over a fixed time, so that a film means the same at 30 and at 60 frames a second.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.timeline import Timeline
from synesthete.evaluation.observe import Observation

__all__ = ["FLICKER_STEP_S", "LIKENESS_S", "PictureColumns", "heard_on_frames", "measure_picture"]

FLICKER_STEP_S: Final = Fraction(1, 30)
"""Distance of the frames whose light is compared for flicker, seconds; slower films have their own."""

LIKENESS_S: Final = 1
"""Distance of the frames whose patterns are compared, seconds."""

_LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709
_VISIBLE: Final = 0.05
_FLAT: Final = 1e-4  # standard deviation of a pattern that is none: a fortieth of a level

Luma = Float32[np.ndarray, "frames cells"]


@dataclass(frozen=True, eq=False)
class PictureColumns:
    """How each frame of a film looks from afar, on the grid of its `Observation`.

    Attributes
    ----------
    brightness, contrast
        Mean and standard deviation of luma over the grid, display, 0-1.
    saturation
        Mean of (max-min)/max of R, G, B over the cells that can be seen (max above 0.05); 0 if none can.
    flicker
        Mean over the grid of :math:`|f_{t-h} - 2 f_t + f_{t+h}|` for luma ``f`` and ``h`` the whole number of
        frames next to `FLICKER_STEP_S`; 0 for the first and last ``h`` frames.
    flicker_step
        ``h``, frames.
    likeness
        Correlation of each frame's pattern of luma with that `LIKENESS_S` later, -1..1; 1 where both are
        flat, 0 where one is.
    """

    brightness: Float32[np.ndarray, " frames"]
    contrast: Float32[np.ndarray, " frames"]
    saturation: Float32[np.ndarray, " frames"]
    flicker: Float32[np.ndarray, " frames"]
    flicker_step: int
    likeness: Float32[np.ndarray, " pairs"]


def measure_picture(observation: Observation) -> PictureColumns:
    """Measure all columns in one pass over the grid; 0.5 s for four minutes at 30 frames a second."""
    frames = observation.frames
    step = max(1, round(FLICKER_STEP_S * observation.frame_rate))
    ahead = max(1, round(LIKENESS_S * observation.frame_rate))
    brightness, contrast, saturation, flicker = np.zeros((4, frames), np.float32)
    likeness = np.zeros(max(0, frames - ahead), np.float32)
    held = np.zeros((0, 0), np.float32)
    for start, block in observation.blocks():
        stop = start + len(block)
        luma = (block @ _LUMA).reshape(len(block), -1)
        brightness[start:stop] = luma.mean(axis=1)
        contrast[start:stop] = luma.std(axis=1)
        saturation[start:stop] = _saturation(block)
        recent = np.concatenate([held, luma]) if start else luma
        first = stop - len(recent)
        # Comparisons that end in this block, with what is held of the blocks before.
        begin = max(start, 2 * step) - 2 * step
        if begin + 2 * step < stop:
            flicker[begin + step : stop - step] = _second_difference(recent[begin - first :], step)
        begin = max(start, ahead) - ahead
        if begin + ahead < stop:
            likeness[begin : stop - ahead] = _likeness(recent[begin - first :], ahead)
        held = recent[-max(ahead, 2 * step) :]
    return PictureColumns(brightness, contrast, saturation, flicker, step, likeness)


def heard_on_frames(
    timeline: Timeline, observation: Observation, names: tuple[str, ...]
) -> Float32[np.ndarray, "frames columns"]:
    """Give columns of the music on a film's frames; where the film outlasts the music, there is silence."""
    heard = np.zeros((observation.frames, len(names)), np.float32)
    heard[:, [name == "silence" for name in names]] = 1.0
    known = min(observation.frames, timeline.frame_count(observation.frame_rate))
    heard[:known] = timeline.at_frames(observation.frame_rate, names, stop=known)
    return heard


def _saturation(rgb: Float32[np.ndarray, "block rows columns 3"]) -> Float32[np.ndarray, " block"]:
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    largest = np.maximum(np.maximum(red, green), blue)
    smallest = np.minimum(np.minimum(red, green), blue)
    seen = largest > _VISIBLE
    purity = np.divide(largest - smallest, largest, out=np.zeros_like(largest), where=seen)
    counts = np.count_nonzero(seen, axis=(1, 2))
    return np.asarray(purity.sum(axis=(1, 2)) / np.maximum(counts, 1), np.float32)


def _second_difference(luma: Luma, step: int) -> Float32[np.ndarray, " inner"]:
    before, middle, after = luma[: -2 * step], luma[step:-step], luma[2 * step :]
    change: Float32[np.ndarray, " inner"] = np.abs(before - 2 * middle + after).mean(axis=1)
    return change


def _likeness(luma: Luma, ahead: int) -> Float32[np.ndarray, " pairs"]:
    pattern = luma - luma.mean(axis=1, keepdims=True)
    strength = np.sqrt(np.square(pattern).mean(axis=1))
    flat = strength < _FLAT
    pattern /= np.where(flat, 1.0, strength)[:, None]
    like = (pattern[:-ahead] * pattern[ahead:]).mean(axis=1)
    either, both = flat[:-ahead] | flat[ahead:], flat[:-ahead] & flat[ahead:]
    return np.asarray(np.where(both, 1.0, np.where(either, 0.0, like)), np.float32)
