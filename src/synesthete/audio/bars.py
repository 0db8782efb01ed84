"""Bars: how many beats they have, and which beats begin them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import maximum_filter1d

from synesthete.audio.beats import Heard

__all__ = ["ACCENTS", "Bars", "beat_accents", "find_bars"]

_METRES: Final[Mapping[int, float]] = {4: 0.0, 3: -3.0, 2: -6.0, 6: -5.0, 5: -6.0, 7: -6.0}
"""Beats a bar, and how much less usual they are than four: logarithms of odds."""

_SLIP: Final = -9.0  # log odds of a beat too many or too few in a bar
_PATTERN_WEIGHT: Final = 1.0
_NEAR_TICKS: Final = 5
_SURE_ODDS: Final = 12.0
_FEWEST_BARS: Final = 2

ACCENTS: Final[Mapping[str, float]] = {
    "all": 0.26,
    "low": 0.11,
    "middle": 0.35,
    "high": -1.14,
    "harmony": 1.36,
    "harmony.wide": 0.90,
    "energy": 1.41,
    "energy.low": 1.34,
}
"""What tells a downbeat from the other beats, and how much a standard deviation of it weighs.

Fitted by ``benchmarks/fit_beats.py`` on made songs (logistic regression)."""

ACCENT_OFFSET: Final = -0.98


class Bars(NamedTuple):
    """The bars of a track.

    Attributes
    ----------
    beats_per_bar
        None where no metre stands out.
    begins
        Whether each beat is a downbeat.
    confidence
        0-1: how much better these bars explain the accents than the same bars at another beat.
    """

    beats_per_bar: int | None
    begins: Bool[np.ndarray, " beats"]
    confidence: float


def beat_accents(
    beats: Float64[np.ndarray, " beats"], heard: Heard
) -> dict[str, Float64[np.ndarray, " beats"]]:
    """Measure what makes a beat heavy, in standard deviations within the track; see `ACCENTS`.

    Parameters
    ----------
    beats
        Ticks, ascending, at least two.
    """
    ticks = heard.streams.shape[1]
    at = np.clip(np.rint(beats).astype(np.int64), 0, ticks - 1)
    period = np.diff(beats, append=2 * beats[-1] - beats[-2])
    on = maximum_filter1d(heard.streams, _NEAR_TICKS, axis=1)[:, at]
    energy = {}
    for name, level in (("energy", heard.loudness), ("energy.low", heard.bass)):
        running = np.concatenate([[0.0], np.cumsum(level)])
        stop = np.clip(at + np.maximum(2, (0.4 * period).astype(np.int64)), 0, ticks)
        energy[name] = (running[stop] - running[at]) / np.maximum(1, stop - at)
    values = {
        "all": on[0],
        "low": on[1],
        "middle": on[2],
        "high": on[3],
        "harmony": _harmonic_change(heard.chroma, at, period, 0.9),
        "harmony.wide": _harmonic_change(heard.chroma, at, period, 2.0),
        **energy,
    }
    return {name: (x - x.mean()) / (x.std() + 0.05) for name, x in values.items()}


def _harmonic_change(
    chroma: Float64[np.ndarray, "ticks 12"], at: np.ndarray, period: np.ndarray, beats: float
) -> Float64[np.ndarray, " beats"]:
    """Give the cosine distance between the chroma of some beats before and after each beat."""
    running = np.concatenate([np.zeros((1, 12)), np.cumsum(chroma, axis=0)])
    width = np.maximum(8, (beats * period).astype(np.int64))
    last = len(chroma)
    before = running[np.clip(at - 2, 0, last)] - running[np.clip(at - width, 0, last)]
    after = running[np.clip(at + width, 0, last)] - running[np.clip(at + 3, 0, last)]
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.asarray(np.where(norms > 1e-6, 1.0 - (before * after).sum(axis=1) / (norms + 1e-6), 0.0))


def find_bars(beats: Float64[np.ndarray, " beats"], heard: Heard) -> Bars:
    """Find the metre and the downbeats.

    Each metre's best path through its positions collects the log odds of its downbeats; how well the pattern
    of accents repeats after a bar, and how usual the metre is, are added.

    Parameters
    ----------
    beats
        Ticks, ascending.
    """
    none = np.zeros(len(beats), np.bool_)
    if len(beats) < 2 * min(_METRES):
        return Bars(None, none, 0.0)
    accents = beat_accents(beats, heard)
    pattern = np.stack(list(accents.values()), axis=1)
    odds = pattern @ np.array([ACCENTS[name] for name in accents]) + ACCENT_OFFSET
    repeats = {metre: _repetition(pattern, metre) for metre in _METRES}
    usual = float(np.mean(list(repeats.values())))
    best: tuple[float, int, np.ndarray] | None = None
    for metre, prior in _METRES.items():
        if len(beats) < _FEWEST_BARS * metre:
            continue
        total, positions = _best_path(odds, metre)
        total += prior + _PATTERN_WEIGHT * len(beats) * (repeats[metre] - usual)
        if best is None or total > best[0]:
            best = total, metre, positions
    if best is None:
        return Bars(None, none, 0.0)
    _, metre, positions = best
    begins = positions == 0
    shifted = max(float(odds[(positions + shift) % metre == 0].sum()) for shift in range(1, metre))
    margin = float(odds[begins].sum()) - shifted
    return Bars(metre, begins, float(np.clip(margin / _SURE_ODDS, 0.0, 1.0)))


def _repetition(pattern: Float64[np.ndarray, "beats accents"], lag: int) -> float:
    if len(pattern) <= lag:
        return 0.0
    together = (pattern[lag:] * pattern[:-lag]).sum(axis=1).mean()
    power = (pattern * pattern).sum(axis=1).mean()
    return float(together / power) if power > 1e-12 else 0.0


def _best_path(odds: Float64[np.ndarray, " beats"], metre: int) -> tuple[float, np.ndarray]:
    """Walk through the positions of bars, slipping only where much is won (Viterbi); give total and path."""
    score = np.zeros(metre)
    score[0] += odds[0]
    back = np.zeros((len(odds), metre), np.int8)
    positions = np.arange(metre)
    for beat in range(1, len(odds)):
        before = (positions - 1) % metre
        slipped = int(score.argmax())
        goes_on = score[before] >= score[slipped] + _SLIP
        back[beat] = np.where(goes_on, before, slipped)
        score = np.where(goes_on, score[before], score[slipped] + _SLIP)
        score[0] += odds[beat]
    path = np.zeros(len(odds), np.int64)
    path[-1] = score.argmax()
    for beat in range(len(odds) - 1, 0, -1):
        path[beat - 1] = back[beat, path[beat]]
    return float(score.max()), path
