"""From columns to beats, bars and tempo, and how sure they are, moment by moment."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import grey_opening, maximum_filter1d, uniform_filter1d

from synesthete.audio.bars import Bars, find_bars
from synesthete.audio.beats import Heard, find_beats
from synesthete.audio.columns import CHROMA
from synesthete.audio.rhythm import estimate_tempo, onset_streams
from synesthete.clock import ANALYSIS_RATE

__all__ = ["Meter", "find_meter", "heard_in"]

# Noise, rain, free notes and pads reach 0.07; the least rhythmic song of our tests that has a beat, 0.18.
_NO_BEAT: Final = 0.07
_CLEAR_BEAT: Final = 0.17
_SURE: Final = 0.5
_BRIDGED_TICKS: Final = 600
_KEPT: Final = 0.2
_PRESENCE_TICKS: Final = 121
_NEAR_TICKS: Final = 7
_CARRYING_BEATS: Final = 7
_CARRIED_SHARES: Final = (0.08, 0.25)
_FEWEST_BEATS: Final = 4
_SHORTEST_TICKS: Final = 300
_BLOCK_TICKS: Final = 60_000
_CONTEXT_TICKS: Final = 3000
_DECAY_SECONDS: Final = 0.2
_SMOOTHED_BEATS: Final = 4

Columns = Mapping[str, Float32[np.ndarray, " ticks"]]


@dataclass(frozen=True)
class Meter:
    """Beats and bars of a track.

    Attributes
    ----------
    beats, downbeats
        Ticks (1/100 s), ascending, between ticks too; downbeats are a part of the beats.
    beats_per_bar
        The metre of most of the track, or None.
    confidence
        How sure the beats are, 0-1 at every tick: 0 where nothing repeats, and in silence.
    bar_confidence
        How sure the downbeats are, 0-1 at every tick.
    """

    beats: Float64[np.ndarray, " beats"]
    downbeats: Float64[np.ndarray, " bars"]
    beats_per_bar: int | None
    confidence: Float64[np.ndarray, " ticks"]
    bar_confidence: Float64[np.ndarray, " ticks"]

    @property
    def tempo_bpm(self) -> float | None:
        """Median tempo, or None where there are no beats."""
        if len(self.beats) < 2:
            return None
        # Over several beats, so that the jitter of single ones cancels.
        over = min(_SMOOTHED_BEATS, len(self.beats) - 1)
        steps = (self.beats[over:] - self.beats[:-over]) / over
        usual = float(np.median(np.diff(self.beats)))
        near = steps[np.abs(steps - usual) < 0.2 * usual]
        return 60.0 * ANALYSIS_RATE / (float(np.median(near)) if len(near) else usual)

    def columns(self) -> dict[str, Float32[np.ndarray, " ticks"]]:
        """Give the Timeline's columns ``beat``, ``beat_sin``, …, ``tempo``; they fade with the confidence."""
        ticks = np.arange(len(self.confidence), dtype=np.float64)
        age, turns, period = _since(self.beats, ticks)
        _, bar_turns, bar_period = _since(self.downbeats, ticks)
        fade = self.confidence * (period > 0)
        bar_fade = self.confidence * self.bar_confidence * (bar_period > 0)
        pulse = np.where(age >= 0, np.exp(-age / (_DECAY_SECONDS * ANALYSIS_RATE)), 0.0)
        values = {
            "beat": fade * pulse,
            "beat_sin": fade * np.sin(2 * np.pi * turns),
            "beat_cos": fade * np.cos(2 * np.pi * turns),
            "bar_sin": bar_fade * np.sin(2 * np.pi * bar_turns),
            "bar_cos": bar_fade * np.cos(2 * np.pi * bar_turns),
            "tempo": np.where(fade > 0, 60.0 * ANALYSIS_RATE / np.where(period > 0, period, 1.0), 0.0),
        }
        return {name: value.astype(np.float32) for name, value in values.items()}


def _since(
    marks: Float64[np.ndarray, " marks"], ticks: Float64[np.ndarray, " ticks"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give, at every tick, ticks since the last mark (-1 before the first), turns, and the local period.

    Turns count marks, with lines between them and one period held beyond both ends. A gap (a pause without
    beats) is no period: the period before it is held.
    """
    if len(marks) < 2:
        nothing = np.zeros(len(ticks))
        return np.full(len(ticks), -1.0), nothing, nothing
    gaps = np.diff(marks)
    usual = float(np.median(gaps))
    period = np.where(gaps > 2.5 * usual, usual, gaps)
    width = min(_SMOOTHED_BEATS, len(period))
    smooth = uniform_filter1d(period, width, mode="nearest")
    last = np.searchsorted(marks, ticks, side="right") - 1
    inner = np.clip(last, 0, len(marks) - 2)
    local = np.where(last < 0, period[0], period[inner])
    origin = np.where(last < 0, marks[0], marks[np.clip(last, 0, len(marks) - 1)])
    turns = (ticks - origin) / local
    # In a pause phases go on at the period before it.
    age = np.where(last >= 0, ticks - origin, -1.0)
    return age, turns, smooth[inner]


def heard_in(columns: Columns, spectrum: Float32[np.ndarray, "ticks 64"]) -> Heard:
    """Collect what beats are judged by from a Timeline's columns and spectrum."""
    return Heard(
        streams=onset_streams(columns["onset"], spectrum),
        chroma=np.stack([columns[f"chroma_{i}"] for i in range(CHROMA)], axis=1).astype(np.float64),
        loudness=columns["loudness"].astype(np.float64),
        bass=columns["bass"].astype(np.float64),
    )


def find_meter(
    columns: Columns,
    spectrum: Float32[np.ndarray, "ticks 64"],
    silence: Float32[np.ndarray, " ticks"],
    *,
    bpm: float | None = None,
) -> Meter:
    """Find beats, bars and tempo of a track.

    Long tracks are heard in blocks of ten minutes, with half a minute more on either side: memory is bounded,
    and the songs of a mix are each counted in their own way.

    Parameters
    ----------
    columns
        ``onset``, ``loudness``, ``bass`` and the chroma at 100 Hz; may be memory-mapped.
    spectrum
        64 log bands, -60..0 dBFS as 0..1; may be memory-mapped.
    silence
        The column ``silence``: there are no beats in it.
    bpm
        The tempo, if it is known.
    """
    ticks = len(silence)
    blocks = max(1, round(ticks / _BLOCK_TICKS))
    edges = [round(block * ticks / blocks) for block in range(blocks + 1)]
    confidence, bar_confidence = np.zeros(ticks), np.zeros(ticks)
    beats: list[np.ndarray] = []
    downbeats: list[np.ndarray] = []
    votes: Counter[int] = Counter()
    for start, stop in pairwise(edges):
        first, last = max(0, start - _CONTEXT_TICKS), min(ticks, stop + _CONTEXT_TICKS)
        part = slice(first, last)
        heard = heard_in({name: column[part] for name, column in columns.items()}, spectrum[part])
        found, sure, bars = _hear_block(heard, silence[part], bpm)
        own = (found + first >= start) & (found + first < stop)
        if beats and len(beats[-1]) and len(found) > 1:
            # The neighbour may have put the beat at the border on its own side.
            own &= found + first > beats[-1][-1] + 0.5 * np.median(np.diff(found))
        beats.append(found[own] + first)
        downbeats.append(found[own & bars.begins] + first)
        confidence[start:stop] = sure[start - first : stop - first]
        bar_confidence[start:stop] = bars.confidence
        if bars.beats_per_bar:
            votes[bars.beats_per_bar] += int(own.sum())
    return Meter(
        beats=np.concatenate(beats),
        downbeats=np.concatenate(downbeats),
        beats_per_bar=max(votes, key=lambda metre: votes[metre]) if votes else None,
        confidence=confidence,
        bar_confidence=bar_confidence,
    )


def _hear_block(
    heard: Heard, silence: Float32[np.ndarray, " ticks"], bpm: float | None
) -> tuple[Float64[np.ndarray, " beats"], Float64[np.ndarray, " ticks"], Bars]:
    """Give the beats that are sure enough, how sure beats are at every tick, and the bars."""
    ticks = len(silence)
    if ticks < _SHORTEST_TICKS:
        return np.zeros(0), np.zeros(ticks), find_bars(np.zeros(0), heard)
    tempo = estimate_tempo(heard.streams, bpm=bpm)
    # Dry hits leave silence between them: only what outlasts the slowest beat is a pause.
    pause = grey_opening(silence.astype(np.float64), _PRESENCE_TICKS, mode="nearest")
    presence = uniform_filter1d(1.0 - pause, _PRESENCE_TICKS, mode="nearest")
    sure = np.clip((tempo.salience - _NO_BEAT) / (_CLEAR_BEAT - _NO_BEAT), 0.0, 1.0)
    found = find_beats(heard, tempo, bpm=bpm)
    sure = sure * sure * (3.0 - 2.0 * sure) * _carried(found, heard.streams[0])
    there = np.clip(2.0 * presence - 0.5, 0.0, 1.0)
    confidence = sure * there
    at = np.clip(np.rint(found).astype(np.int64), 0, ticks - 1)
    # Beats go on through a break of a few seconds, as a listener's foot does; not through silence.
    kept = (maximum_filter1d(sure, 2 * _BRIDGED_TICKS + 1) >= _SURE) & (there >= _KEPT)
    beats = found[kept[at]]
    if len(beats) < _FEWEST_BEATS:
        beats, confidence = beats[:0], np.zeros(ticks)
    return beats, confidence, find_bars(beats, heard)


def _carried(
    beats: Float64[np.ndarray, " beats"], strength: Float64[np.ndarray, " ticks"]
) -> Float64[np.ndarray, " ticks"]:
    """Tell, 0-1 at every tick, whether onsets carry the beats around it: no beat goes before its music."""
    if len(beats) == 0:
        return np.zeros(len(strength))
    at = np.clip(np.rint(beats).astype(np.int64), 0, len(strength) - 1)
    on = np.minimum(maximum_filter1d(strength, _NEAR_TICKS)[at], 1.0)
    share = uniform_filter1d(on, _CARRYING_BEATS, mode="nearest")
    low, high = _CARRIED_SHARES
    return np.asarray(np.interp(np.arange(len(strength)), beats, np.clip((share - low) / (high - low), 0, 1)))
