"""Signals that come round: curves that end as they began, and phases that make whole turns, for loops.

All curves are those of sound that repeats, heard from before its first round until after it, so that little
is left to do: what remembers more than a round is crossfaded, what turns is brought to whole turns, and what
wanders walks in a circle.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from synesthete.clock import ANALYSIS_RATE

__all__ = ["ROUNDS", "Period"]

ROUNDS = "_rounds"
"""The signal that counts rounds; no preset can name it."""

_LEAST_KNOTS = 2
_LEAST_TURN = 0.25


@dataclass(frozen=True)
class Period:
    """The round of a loop, in the time of its curves.

    Attributes
    ----------
    start_s, seconds
        Where it begins, and how long it lasts. Curves are known from at least ``fade_s`` before it on.
    fade_s
        How long its end passes over into what came before its start.
    """

    start_s: float
    seconds: float
    fade_s: float

    def crossfaded(self, curve: Float[np.ndarray, " ticks"]) -> Float[np.ndarray, " ticks"]:
        """Give a curve of 100 Hz that repeats: its end passes over into what came before its start."""
        at, _ = self._folded(len(curve))
        since = (at - (self.start_s + self.seconds - self.fade_s)) / self.fade_s
        share = _smooth(since)
        return np.asarray((1.0 - share) * _read(curve, at) + share * _read(curve, at - self.seconds))

    def turned(
        self, phase: Float[np.ndarray, " ticks"], passing: Float[np.ndarray, " ticks"]
    ) -> Float[np.ndarray, " ticks"]:
        """Give a phase that makes whole turns in a round: the nearest number; from a quarter turn on, one.

        Its rate is scaled to that. A phase that hardly turns keeps its rate, and drifts back evenly.

        Parameters
        ----------
        phase
            Turns, at 100 Hz; its rate repeats.
        passing
            Seconds of music since the start, at 100 Hz: in silence nothing turns.
        """
        turns = self._growth(phase)
        whole = float(np.sign(turns) * max(np.rint(abs(turns)), abs(turns) >= _LEAST_TURN))
        done, rounds = self._advanced(phase)
        if whole:
            closed = done * (whole / turns)
        else:
            even = self.rounds(passing) - rounds
            closed = done - turns * even
        first = float(_read(phase, np.array([self.start_s]))[0])
        return np.asarray(first + closed + whole * rounds)

    def circle(
        self, passing: Float[np.ndarray, " ticks"], correlation: float
    ) -> tuple[Float[np.ndarray, " ticks"], int]:
        """Give where on a closed walk each tick is, in knots, and how many knots that walk has.

        One knot per correlation time, as near as whole numbers allow, and two at least.

        Parameters
        ----------
        passing
            Seconds of music since the start, at 100 Hz.
        correlation
            Seconds from knot to knot, if it were no loop.
        """
        knots = max(_LEAST_KNOTS, round(self._growth(passing) / correlation))
        return knots * self.rounds(passing), knots

    def rounds(self, passing: Float[np.ndarray, " ticks"]) -> Float[np.ndarray, " ticks"]:
        """Count rounds since the start, between whole ones too, as music passes."""
        done, rounds = self._advanced(passing)
        around = self._growth(passing)
        return np.asarray((done / around if around > 0 else 0.0 * done) + rounds)

    def ends(self) -> Float[np.ndarray, " 2"]:
        """Give the moments between which a round lies."""
        return np.array([self.start_s, self.start_s + self.seconds])

    def _folded(self, ticks: int) -> tuple[np.ndarray, np.ndarray]:
        """Fold every tick into the round: its moment there, and how many rounds it lies after the first."""
        since = np.arange(ticks) / ANALYSIS_RATE - self.start_s
        rounds = np.floor(since / self.seconds)
        return self.start_s + since - rounds * self.seconds, rounds

    def _growth(self, curve: np.ndarray) -> float:
        first, last = _read(curve, self.ends())
        return float(last - first)

    def _advanced(self, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give how much a curve has grown since its round began, and how many rounds were before."""
        at, rounds = self._folded(len(curve))
        return _read(curve, at) - _read(curve, np.array([self.start_s])), rounds


def _read(curve: np.ndarray, moments: np.ndarray) -> np.ndarray:
    return np.asarray(np.interp(moments * ANALYSIS_RATE, np.arange(len(curve)), curve))


def _smooth(x: np.ndarray) -> np.ndarray:
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
