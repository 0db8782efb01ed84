"""Signals that come round: curves that end as they began, and phases that make whole turns, for loops.

All curves are those of sound that repeats, heard from before its first round until after it, so that little
is left to do: what remembers more than a round is crossfaded, what turns is brought to whole turns, and what
wanders walks in a circle.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from synesthete.clock import ANALYSIS_RATE

__all__ = ["Period"]

_LEAST_KNOTS = 2
_STILL_TURNS = 1e-9


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
        """Give a phase that makes whole turns in a round: the nearest number of them.

        Its rate is scaled to that. If that would be none, it keeps its rate, and turns back evenly.

        Parameters
        ----------
        phase
            Turns, at 100 Hz; its rate repeats.
        passing
            Seconds of music since the start, at 100 Hz: in silence nothing turns.
        """
        turns = self._growth(phase)
        whole = float(np.rint(turns))
        done, rounds = self._advanced(phase)
        if whole:
            closed = done * (whole / turns)
        else:
            even = self._advanced(passing)[0] / max(self._growth(passing), 1e-9)
            closed = done - turns * even if abs(turns) > _STILL_TURNS else done
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
        around = self._growth(passing)
        knots = max(_LEAST_KNOTS, round(around / correlation))
        done, rounds = self._advanced(passing)
        return np.asarray(knots * (done / max(around, 1e-9) + rounds)), knots

    def _folded(self, ticks: int) -> tuple[np.ndarray, np.ndarray]:
        """Fold every tick into the round: its moment there, and how many rounds it lies after the first."""
        since = np.arange(ticks) / ANALYSIS_RATE - self.start_s
        rounds = np.floor(since / self.seconds)
        return self.start_s + since - rounds * self.seconds, rounds

    def _growth(self, curve: np.ndarray) -> float:
        first, last = _read(curve, np.array([self.start_s, self.start_s + self.seconds]))
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
