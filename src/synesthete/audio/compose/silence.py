"""Rests: tracks that drop out, and silences after which they return one by one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.compose.plan import Line, Plan
from synesthete.audio.compose.synthesis import RATE

__all__ = ["Rests", "draw_rests", "gate"]

_LENGTH_S: Final = (1.0, 3.0)
_RAMP: Final = 300  # samples, 7 ms: short enough to be a cut, long enough not to click


@dataclass(frozen=True)
class Rests:
    """When who is silent.

    Attributes
    ----------
    silences
        Stretches in which nothing at all sounds, seconds.
    of_stems
        Stretches in which single stems rest, by stem.
    """

    silences: tuple[tuple[float, float], ...] = ()
    of_stems: tuple[tuple[str, float, float], ...] = ()

    def resting(self, stem: str) -> list[tuple[float, float]]:
        """Give the stretches in which a stem is not heard."""
        return [*self.silences, *((start, stop) for name, start, stop in self.of_stems if name == stem)]

    def obeyed(self, line: Line) -> Line:
        """Leave out the notes that would begin in a rest."""
        keep = np.ones(len(line.starts_s), np.bool_)
        for start, stop in self.resting(line.stem):
            keep &= ~((line.starts_s >= start - 0.02) & (line.starts_s < stop - 0.02))
        return line.kept(keep)


def draw_rests(plan: Plan, stems: list[str], probability: float) -> Rests:
    """Draw the rests of a song.

    With this probability there are silences of 1 to 3 seconds, one for every 20 seconds; before some of them
    tracks drop out one by one, and after each they return one by one. Besides, single tracks rest for a bar
    or two.
    """
    rng = plan.draw("rests")
    if rng.random() >= probability:
        return Rests()
    silences: list[tuple[float, float]] = []
    of_stems: list[tuple[str, float, float]] = []
    count = 1 + int(plan.seconds // 20)
    for place in range(count):
        span = plan.seconds / count
        length = min(float(rng.uniform(*_LENGTH_S)), 0.4 * plan.seconds)
        low, high = place * span + 0.2 * span, (place + 1) * span - length - 0.1 * span
        start = _to_beat(plan, float(rng.uniform(low, max(low, high))))
        stop = min(start + length, plan.seconds)
        silences.append((start, stop))
        order = [stems[k] for k in rng.permutation(len(stems))]
        again = stop
        for stem in order:
            if again > stop:
                of_stems.append((stem, stop, min(again, plan.seconds)))
            again = _to_beat(plan, again + plan.tempo.beat_s * float(rng.choice([1, 2, 4])))
            if again > stop + 4.0:
                again = stop + 4.0
        if rng.random() < 0.5:
            gone = start
            for stem in reversed(order):
                gone -= plan.tempo.beat_s * float(rng.choice([1, 2]))
                of_stems.append((stem, max(0.0, gone, start - 3.0), start))
    for stem in stems:
        if rng.random() < 0.35:
            begin = _to_beat(plan, float(rng.uniform(0, plan.seconds)))
            bars = plan.metre * plan.tempo.beat_s * float(rng.choice([1, 2]))
            of_stems.append((stem, begin, min(begin + bars, plan.seconds)))
    return Rests(tuple(silences), tuple(of_stems))


def _to_beat(plan: Plan, moment: float) -> float:
    """Give the beat nearest to a moment, at 0 or later."""
    beats = plan.tempo.beats
    return max(0.0, float(beats[int(np.abs(beats - moment).argmin())]))


def gate(sound: Float32[np.ndarray, "2 samples"], spans: list[tuple[float, float]]) -> None:
    """Silence stretches of a sound, in place, with a ramp of 7 ms before and of 2 ms after each."""
    samples = sound.shape[1]
    fade = np.linspace(1, 0, _RAMP, dtype=np.float32)
    for start_s, stop_s in spans:
        start, stop = round(start_s * RATE), min(samples, round(stop_s * RATE))
        if stop <= start:
            continue
        before = sound[:, max(0, start - _RAMP) : start]
        before *= fade[_RAMP - before.shape[1] :]
        sound[:, start:stop] = 0
        after = sound[:, stop : stop + _RAMP // 4]
        after *= fade[::-4][: after.shape[1]]
