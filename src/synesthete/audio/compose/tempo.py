"""When beats are: a tempo that stands, walks or breathes, and swing."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d

__all__ = ["Pace", "TempoMap", "draw_tempo_map"]

Pace = Literal["constant", "walk", "rubato", "accelerando"]
"""How the tempo moves: not at all; slowly at random (±3 %); with every phrase; up or down by 15 %."""

_WALK: Final = 0.015


@dataclass(frozen=True)
class TempoMap:
    """Beats in seconds, and swing.

    Attributes
    ----------
    beats
        Moment of every beat, seconds, ascending; beat 0 begins bar 0, and may lie before the song's start.
    swing
        Where the second of two halves begins, as a share of the pair: 0.5 is straight, 2/3 triplets.
    pair
        Beats in such a pair: 1 (swung eighths) or 0.5 (swung sixteenths).
    """

    beats: Float64[np.ndarray, " beats"]
    swing: float = 0.5
    pair: float = 1.0

    def seconds(self, positions: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Give the moments of positions in beats, swung."""
        pairs = np.floor(positions / self.pair)
        part = positions / self.pair - pairs
        early = part < 0.5
        moved = np.where(early, part * 2 * self.swing, self.swing + (part - 0.5) * 2 * (1 - self.swing))
        places = (pairs + moved) * self.pair
        return np.asarray(np.interp(places, np.arange(len(self.beats)), self.beats))

    @property
    def beat_s(self) -> float:
        """Mean length of a beat, seconds."""
        return float((self.beats[-1] - self.beats[0]) / (len(self.beats) - 1))


def draw_tempo_map(
    rng: np.random.Generator,
    *,
    seconds: float,
    bpm: float,
    metre: int,
    pace: Pace,
    swing: float,
    pair: float,
) -> TempoMap:
    """Lay out beats from the song's start, or from somewhere in the bar before it, to beyond its end."""
    count = int(1.3 * seconds * bpm / 60) + 4 * metre
    place = np.arange(count)
    if pace == "constant":
        factor = np.ones(count)
    elif pace == "walk":
        steps = gaussian_filter1d(rng.standard_normal(count + 32), 8.0)[16:-16]
        factor = 1 + _WALK * steps / max(1e-9, float(np.abs(steps).std()) * 1.5)
    elif pace == "rubato":
        phrase = metre * int(rng.choice([2, 4]))
        breath = np.sin(2 * np.pi * place / phrase + rng.uniform(0, 2 * np.pi))
        factor = 1 + rng.uniform(0.015, 0.04) * breath
        factor += 0.01 * gaussian_filter1d(rng.standard_normal(count), 2.0)
    else:
        whole = max(1.0, seconds * bpm / 60)
        factor = 1 + rng.choice([-1, 1]) * rng.uniform(0.04, 0.15) * place / whole
    gaps = 60 / bpm / np.clip(factor, 0.7, 1.4)
    bar = float(gaps[:metre].sum())
    start = -rng.uniform(0, bar) if rng.random() < 0.4 else rng.uniform(0.0, 0.4)
    beats = start + np.concatenate([[0.0], np.cumsum(gaps)])
    last = int(np.searchsorted(beats, seconds)) + metre + 1
    return TempoMap(beats[: min(len(beats), last + metre)], swing, pair)
