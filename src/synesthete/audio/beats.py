"""Beats: candidate pulses along the tempo curve, and the one among them that music would be counted by.

The tempo curve leaves open which metrical level the beat is, and where it falls: on the beat, or on the
off-beat. So pulses are tracked at several ratios of it, each with its off-beats, and ranked by evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from synesthete.audio.rhythm import Tempo
from synesthete.clock import ANALYSIS_RATE

__all__ = ["EVIDENCE", "Heard", "Pulse", "candidate_pulses", "find_beats", "weigh"]

_RATIOS: Final = (1.0, 2 / 3, 3 / 2, 1 / 2, 2.0, 3 / 4, 4 / 3, 1 / 3, 3.0)
_BPM_RANGE: Final = (48.0, 230.0)  # what may be given as a tempo, and a little more
_ACCENTS: Final = (1.0, 0.6, 0.2, 0.0)
_STRETCHES: Final = np.exp(np.linspace(np.log(0.62), np.log(1.5), 64))
_TIGHTNESS: Final = 1000.0
_OFFBEAT_REACH: Final = 0.18
_NEAR_TICKS: Final = 5
_FEWEST: Final = 5
_PRIOR_BEATS: Final = 16.0
_USUAL_BPM: Final = 120.0
_GIVEN_WEIGHT: Final = 200.0

EVIDENCE: Final[Mapping[str, float]] = {
    "half.all": -0.20,
    "third.all": 0.78,
    "half.low": -0.94,
    "third.low": -0.25,
    "half.middle": -1.14,
    "third.middle": 0.42,
    "half.high": 1.45,
    "third.high": 2.62,
    "quarter.all": 0.13,
    "half-third.all": -0.04,
    "half-third.low": 0.52,
    "half-quarter.all": -0.09,
    "covered.all": 4.51,
    "covered.low": 1.48,
    "harmony": 5.07,
    "energy": 4.29,
    "energy.low": 4.08,
    "repeats.2": -1.22,
    "repeats.3": -0.42,
    "repeats.4": 0.25,
    "backbeat.low": 0.58,
    "backbeat.middle": 0.17,
    "backbeat.high": 2.06,
    "backbeat.low-high": 2.08,
    "backbeat.low-middle": 0.21,
    "beat.all": 0.78,
    "beat.low": 0.05,
    "tempo": -0.05,
    "tempo.2": -0.47,
    "tempo.3": -0.41,
    "uneven": -10.07,
    "entry": 0.59,
}
"""What speaks for a pulse being the beat, and how much a unit of it weighs; `weigh` says what each is.

Fitted by ``benchmarks/fit_beats.py`` on made songs (softmax over the candidates of a song)."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What beats are judged by.

    Attributes
    ----------
    streams
        Onset strengths; see `synesthete.audio.rhythm.onset_streams`.
    chroma
        The Timeline's 12 columns.
    loudness, bass
        The Timeline's columns, -60..0 dBFS as 0..1.
    """

    streams: Float64[np.ndarray, "4 ticks"]
    chroma: Float64[np.ndarray, "ticks 12"]
    loudness: Float64[np.ndarray, " ticks"]
    bass: Float64[np.ndarray, " ticks"]

    # What all pulses are weighed by.

    @cached_property
    def near(self) -> Float64[np.ndarray, "4 ticks"]:
        """Give the strongest onset near each tick."""
        return np.asarray(maximum_filter1d(self.streams, _NEAR_TICKS, axis=1))

    @cached_property
    def amplitudes(self) -> tuple[Float64[np.ndarray, " ticks"], Float64[np.ndarray, " ticks"]]:
        """Give how loud it is just after each tick, in all and in the bass."""
        whole, bass = (
            maximum_filter1d(np.roll(10.0 ** (3.0 * level), -3), _NEAR_TICKS)
            for level in (self.loudness, self.bass)
        )
        return whole, bass

    @cached_property
    def running_chroma(self) -> Float64[np.ndarray, "ticks_and_1 12"]:
        """Give the sum of the chroma before each tick."""
        return np.concatenate([np.zeros((1, 12)), np.cumsum(self.chroma, axis=0)])


Pulse = Int64[np.ndarray, " beats"]
"""Ascending ticks."""


def find_beats(heard: Heard, tempo: Tempo, *, bpm: float | None = None) -> Float64[np.ndarray, " beats"]:
    """Find the beats of a track.

    Parameters
    ----------
    heard, tempo
        What is heard, and its tempo curve.
    bpm
        The tempo, if it is known.

    Returns
    -------
    Moments in ticks, ascending, between ticks too; empty where nothing repeats. They run through pauses:
    how sure they are is for `synesthete.audio.beats.confidence` to say.
    """
    best, most = np.zeros(0, np.int64), -np.inf
    for pulse in candidate_pulses(heard, tempo):
        evidence = weigh(pulse, heard)
        if evidence is None:
            continue
        score = sum(EVIDENCE[name] * value for name, value in evidence.items())
        if bpm is not None:
            octaves = np.log2(_bpm(pulse) / bpm)
            score -= _GIVEN_WEIGHT * octaves * octaves
        if score > most:
            best, most = pulse, score
    return _between_ticks(best, _accent(heard))


def candidate_pulses(heard: Heard, tempo: Tempo) -> list[Pulse]:
    """Track pulses at all ratios of the tempo, and the off-beats of each."""
    accent = _accent(heard)
    base = 60.0 * ANALYSIS_RATE / float(np.median(tempo.period))
    ratios = [ratio for ratio in _RATIOS if _BPM_RANGE[0] < base / ratio < _BPM_RANGE[1]]
    pulses = []
    for pulse in _track(accent, tempo.period[:, None] * np.array(ratios)):
        pulses.append(pulse)
        if len(pulse) >= _FEWEST:
            pulses.append(_offbeats(pulse, accent))
    return pulses


def _accent(heard: Heard) -> Float64[np.ndarray, " ticks"]:
    weighted = sum(weight * stream for weight, stream in zip(_ACCENTS, heard.streams, strict=True))
    return np.asarray(gaussian_filter1d(weighted, 1.2))


def _track(
    accent: Float64[np.ndarray, " ticks"], periods: Float64[np.ndarray, "ticks pulses"]
) -> list[Pulse]:
    """Find for each period curve the sequence of accents that keeps to it best.

    References
    ----------
    Ellis, "Beat tracking by dynamic programming", JNMR 36(1), 2007. Differs: the period is a curve, several
    are tracked at once, and as no beat is nearer to the last than 0.62 periods, ticks are done in blocks.
    """
    ticks, pulses = periods.shape
    reach = int(_STRETCHES[-1] * periods.max()) + 2
    block = max(1, int(_STRETCHES[0] * periods.min()) - 1)
    penalty = (_TIGHTNESS * np.log(_STRETCHES) ** 2)[None, :, None]
    score = np.zeros((reach + ticks, pulses))
    back = np.full((ticks, pulses), -1, np.int32)
    columns = np.arange(pulses)
    for start in range(0, ticks, block):
        now = np.arange(start, min(start + block, ticks))
        before = now[:, None, None] - np.rint(periods[now][:, None, :] * _STRETCHES[None, :, None]).astype(
            np.int64
        )
        reached = score[before + reach, columns] - penalty
        best = reached.argmax(axis=1)
        gained = np.take_along_axis(reached, best[:, None, :], axis=1)[:, 0]
        goes_on = gained > 0
        score[reach + now] = accent[now, None] + np.where(goes_on, gained, 0.0)
        origin = np.take_along_axis(before, best[:, None, :], axis=1)[:, 0]
        back[now] = np.where(goes_on, origin, -1)
    found = []
    for pulse in range(pulses):
        first = max(0, ticks - int(1.2 * periods[-1, pulse]))
        tick = first + int(score[reach + first :, pulse].argmax())
        places = []
        while tick >= 0:
            places.append(tick)
            tick = int(back[tick, pulse])
        found.append(np.array(places[::-1], np.int64))
    return found


def _offbeats(pulse: Pulse, accent: Float64[np.ndarray, " ticks"]) -> Pulse:
    """Move each beat to the accent nearest the middle between it and the next (swing moves them)."""
    middle = (pulse[1:] + pulse[:-1]) / 2
    reach = np.diff(pulse) * _OFFBEAT_REACH
    places = []
    for centre, width in zip(middle, reach, strict=True):
        near = np.arange(int(centre - width), int(centre + width) + 1)
        weighted = accent[near] * np.exp(-0.5 * ((near - centre) / (width / 1.2)) ** 2)
        best = int(weighted.argmax())
        places.append(int(near[best]) if weighted[best] > 0.3 else round(centre))
    return np.array(places, np.int64)


def _bpm(pulse: Pulse) -> float:
    return 60.0 * ANALYSIS_RATE / float(np.median(np.diff(pulse)))


def _between_ticks(pulse: Pulse, accent: Float64[np.ndarray, " ticks"]) -> Float64[np.ndarray, " beats"]:
    """Put each beat on the top of the parabola through its tick and the ticks beside it."""
    if len(pulse) == 0:
        return pulse.astype(np.float64)
    inner = np.clip(pulse, 1, len(accent) - 2)
    before, here, after = accent[inner - 1], accent[inner], accent[inner + 1]
    bend = before - 2 * here + after
    shift = np.where(bend < -1e-9, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
    return np.asarray(np.where(inner == pulse, pulse + np.clip(shift, -0.5, 0.5), pulse))


def weigh(pulse: Pulse, heard: Heard) -> dict[str, float] | None:
    """Collect the evidence for a pulse being the beat; None for fewer than five beats.

    Contrasts compare the mean onset strength on the pulse with that half-way (``half``), a third of the way
    (``third``) or a quarter of the way (``quarter``) between its beats, per stream, as (a - b) / (a + b).
    Evidence from few beats weighs less.
    """
    if len(pulse) < _FEWEST:
        return None
    period, here = np.diff(pulse).astype(np.float64), pulse[:-1]
    ticks = heard.streams.shape[1]
    near = heard.near
    usual = near.mean(axis=1) + 1e-6

    def places(part: float) -> Pulse:
        return np.clip(np.rint(here + part * period).astype(np.int64), 0, ticks - 1)

    def strength(*parts: float) -> Float64[np.ndarray, "4"]:
        return np.asarray(np.mean([near[:, places(part)].mean(axis=1) for part in parts], axis=0) / usual)

    def contrast(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.asarray((one - other) / (one + other + 0.05))

    beat, half, third, quarter = strength(0.0), strength(0.5), strength(1 / 3, 2 / 3), strength(0.25, 0.75)
    evidence: dict[str, float] = {}
    for stream, name in enumerate(("all", "low", "middle", "high")):
        evidence[f"half.{name}"] = contrast(beat, half)[stream]
        evidence[f"third.{name}"] = contrast(beat, third)[stream]
    evidence["quarter.all"] = contrast(beat, quarter)[0]
    evidence["half-third.all"], evidence["half-third.low"] = contrast(half, third)[:2]
    evidence["half-quarter.all"] = contrast(half, quarter)[0]
    on, between = near[:, here], places(0.5)
    # How many beats have an onset at all.
    evidence["covered.all"], evidence["covered.low"] = np.minimum(on[:2], 1.0).mean(axis=1)
    changes = [_harmonic_change(heard.running_chroma, places(part), period) for part in (0.0, 0.5)]
    evidence["harmony"] = (changes[0] - changes[1]) / (sum(changes) + 0.15)
    for name, amplitude in zip(("energy", "energy.low"), heard.amplitudes, strict=True):
        one, other = amplitude[here], amplitude[between]
        evidence[name] = float(((one - other) / (one + other + 1e-3)).mean())
    accents = on[0] + on[1] - (on[0] + on[1]).mean()
    for beats in (2, 3, 4):
        together = accents[beats:] * accents[:-beats]
        evidence[f"repeats.{beats}"] = (
            float(together.mean() / (accents.var() + 0.05)) if len(together) > 1 else 0.0
        )
    # The backbeat: low and high alternate against each other from beat to beat.
    sign = np.where(np.arange(len(here)) % 2 == 0, 1.0, -1.0)
    low, middle, high = ((stream * sign).mean() / (stream.mean() + 0.05) for stream in on[1:])
    evidence |= {"backbeat.low": abs(low), "backbeat.middle": abs(middle), "backbeat.high": abs(high)}
    evidence |= {"backbeat.low-high": -low * high, "backbeat.low-middle": -low * middle}
    few = len(here) / (len(here) + _PRIOR_BEATS)
    evidence = {name: float(value) * few for name, value in evidence.items()}
    octaves = float(np.log2(_bpm(pulse) / _USUAL_BPM))
    evidence |= {"beat.all": float(beat[0]) * few, "beat.low": float(beat[1]) * few}
    evidence |= {"tempo": octaves, "tempo.2": octaves**2, "tempo.3": abs(octaves) ** 3}
    evidence["uneven"] = float(np.log(period).std())
    # What begins, begins on a beat more often than not.
    first = np.flatnonzero(near[0] > 0.5 * np.percentile(near[0], 98))
    evidence["entry"] = float(np.cos(2 * np.pi * (first[0] - here[0]) / period[0])) if len(first) else 0.0
    return evidence


def _harmonic_change(
    running: Float64[np.ndarray, "ticks_and_1 12"], at: Pulse, period: Float64[np.ndarray, " beats"]
) -> float:
    """Give the mean cosine distance of the chroma just before and just after some ticks."""
    ticks = len(running) - 1
    width = np.maximum(8, (0.45 * period).astype(np.int64))

    def mean(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        start, stop = np.clip(start, 0, ticks), np.clip(stop, 0, ticks)
        return np.asarray((running[stop] - running[start]) / np.maximum(1, stop - start)[:, None])

    before, after = mean(at - width, at - 2), mean(at + 3, at + width)
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return float(np.mean(1.0 - (before * after).sum(axis=1) / (norms + 1e-6)))
