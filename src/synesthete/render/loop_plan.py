"""What of a song is a loop: whole bars near the length that is wished for, in whole frames."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, Clock, format_duration, samples_at
from synesthete.config.motion import LEAST_LOOP_S
from synesthete.errors import ConfigError
from synesthete.evaluation.music_changes import excerpt
from synesthete.generators.periodic import Period

__all__ = ["Loop", "choose_loop", "one_round", "whole_loop"]

_LEAD_S: Final = 6
"""Heard and planned before the first frame and after the last: more than any effect remembers."""

_FADE_S: Final = Fraction(1, 2)  # where there are no beats
_UPBEAT_S: Final = Fraction(1, 10)
"""A loop begins so long before its first bar, so that its seam does not cut into the sound of the beat."""


@dataclass(frozen=True)
class Loop:
    """A stretch of a song whose end meets its start.

    Attributes
    ----------
    start
        Where in the song it begins, seconds.
    frames, frame_rate
        How long it is.
    fade_frames
        How long its end passes over into what comes before its start: a beat.
    bars, bpm
        How many bars it has, and at which tempo; None where there are none.
    whole_s
        If the song is a loop itself, how long its sound is, seconds; it stays as it is.
    """

    start: Fraction
    frames: int
    frame_rate: Fraction
    fade_frames: int
    bars: int | None = None
    bpm: float | None = None
    whole_s: Fraction | None = None

    @property
    def whole(self) -> bool:
        """Tell whether the song is a loop itself."""
        return self.whole_s is not None

    @property
    def seconds(self) -> Fraction:
        """Give its length, seconds."""
        return Fraction(self.frames) / self.frame_rate

    @property
    def fade(self) -> Fraction:
        """Give the length of its crossfade, seconds."""
        return Fraction(self.fade_frames) / self.frame_rate

    @property
    def lead_frames(self) -> int:
        """Count the frames that are planned before the first."""
        return math.ceil(_LEAD_S * self.frame_rate)

    @property
    def lead(self) -> Fraction:
        """Give the time that is heard before its start, and after its end: its own end, and its start."""
        return Fraction(self.lead_frames) / self.frame_rate

    @property
    def period(self) -> Period:
        """Give its round, in the time of what is heard."""
        return Period(float(self.lead), float(self.seconds), float(self.fade))

    def samples(self, sample_rate: int) -> int:
        """Count its samples; a film has as many frames as there are in them."""
        return (
            math.floor(self.seconds * sample_rate)
            if self.whole_s is None
            else samples_at(self.whole_s, sample_rate)
        )

    def to_json(self) -> dict[str, Any]:
        """Give it as plan, manifest and keys have it."""
        return {
            "start_s": round(float(self.start), 6),
            "seconds": round(float(self.seconds), 6),
            "frames": self.frames,
            "bars": self.bars,
            "bpm": self.bpm,
            "fade_s": round(float(self.fade), 6),
            "whole": self.whole,
        }


def choose_loop(
    timeline: Timeline, wish: Fraction, *, start: Fraction | None, frame_rate: Fraction, song: str
) -> Loop:
    """Choose the whole bars nearest to a wish, from the bar nearest to a start.

    What comes before that bar is what the loop's end passes over into: so the first bar can be chosen only if
    a beat comes before it, as long as there is another. A song without bars is cut at the start itself,
    as long as was wished.

    Parameters
    ----------
    timeline
        Of the whole song.
    wish
        Seconds.
    start
        Seconds in the song; None for its start.
    song
        Its name, for messages.

    Raises
    ------
    ConfigError
        If the song is shorter than that, or ends too early after the start.
    """
    duration, first = timeline.duration, start or Fraction(0)
    if wish > duration:
        raise ConfigError(
            f"a loop of {format_duration(wish)} is longer than {song} ({format_duration(duration)}); "
            "pass a shorter --loop, or --loop whole"
        )
    bars = _bar_lines(timeline)
    usual = float(np.median(np.diff(bars))) if len(bars) > 1 else 0.0
    room = duration + Fraction(usual) / 2
    if first + wish > room:
        raise ConfigError(
            f"a loop of {format_duration(wish)} from {format_duration(first)} on ends after {song} does "
            f"({format_duration(duration)}); start earlier, or pass a shorter --loop"
        )
    beat = _beat(timeline)
    found = _whole_bars(bars, float(first), float(wish), float(beat + _UPBEAT_S), float(duration))
    if found is None:
        frames = round(min(wish, duration - first) * frame_rate)
        return Loop(min(first, duration - wish), frames, frame_rate, _fade_frames(beat, frames, frame_rate))
    begins, ends, count = found
    seconds = Fraction(ends - begins).limit_denominator(10_000)
    frames = max(1, round(seconds * frame_rate))
    at = max(Fraction(0), Fraction(begins).limit_denominator(10_000) - _UPBEAT_S)
    if at + frames / frame_rate > duration:
        at = max(Fraction(0), duration - frames / frame_rate)
    beats = sum(begins - 0.01 <= moment < ends - 0.01 for moment in timeline.music.beats)
    bpm = round(60 * beats * float(frame_rate) / frames, 3)
    return Loop(
        at,
        frames,
        frame_rate,
        _fade_frames(beat, frames, frame_rate),
        bars=count,
        bpm=bpm if beats else None,
    )


def whole_loop(timeline: Timeline, *, start: Fraction | None, frame_rate: Fraction, song: str) -> Loop:
    """Take a song, or the part of it that was heard, as a loop.

    Raises
    ------
    ConfigError
        If it lasts less than a second.
    """
    if timeline.duration < LEAST_LOOP_S:
        raise ConfigError(
            f"{song} lasts {format_duration(timeline.duration)}; a loop lasts {LEAST_LOOP_S} s or more"
        )
    frames = Clock(frame_rate).frames_for(timeline.samples, timeline.sample_rate)
    bars = len(timeline.music.downbeats) or None
    fade = _fade_frames(_beat(timeline), frames, frame_rate)
    return Loop(
        start or Fraction(0), frames, frame_rate, fade, bars, timeline.music.tempo_bpm, timeline.duration
    )


def one_round(timeline: Timeline, loop: Loop) -> Timeline:
    """Cut one round of a loop out of what is heard when it repeats: the Timeline of its film."""
    first = round(loop.lead * ANALYSIS_RATE)
    samples = loop.samples(timeline.sample_rate)
    ticks = math.ceil(Fraction(samples, timeline.sample_rate) * ANALYSIS_RATE)
    return replace(excerpt(timeline, first, first + ticks), samples=samples)


def _bar_lines(timeline: Timeline) -> np.ndarray:
    """Give where bars begin, and, if there is room for one more, where the last of them ends."""
    lines = np.array(timeline.music.downbeats, dtype=np.float64)
    if len(lines) < 2:
        return np.zeros(0)
    last = lines[-1] + float(np.median(np.diff(lines)))
    slack = 0.05  # the end of a file may be cut to the sample, and beats are known to the hundredth
    return np.append(lines, last) if last <= float(timeline.duration) + slack else lines


def _whole_bars(
    lines: np.ndarray, start_s: float, wish_s: float, before_s: float, duration_s: float
) -> tuple[float, float, int] | None:
    """Give where the loop's bars begin and end, and how many there are; None if there is no bar."""
    firsts = lines[:-1]
    if not len(firsts):
        return None
    # As many as have room for the wish; of those, such as have a beat before them.
    roomy = firsts[firsts + wish_s <= lines[-1] + 0.5 * (lines[-1] - lines[-2])]
    firsts = roomy if len(roomy) else firsts[:1]
    led = firsts[firsts >= before_s]
    firsts = led if len(led) else firsts
    begin = int(np.searchsorted(lines, firsts[np.argmin(np.abs(firsts - start_s))]))
    lengths = lines[begin + 1 :] - lines[begin]
    count = 1 + int(np.argmin(np.abs(lengths - wish_s)))
    if lengths[count - 1] < LEAST_LOOP_S:
        longer = np.flatnonzero(lengths >= LEAST_LOOP_S)
        if not len(longer):
            return None
        count = 1 + int(longer[0])
    return float(lines[begin]), min(float(lines[begin + count]), duration_s), count


def _beat(timeline: Timeline) -> Fraction:
    beats = np.array(timeline.music.beats)
    if len(beats) < 2:
        return _FADE_S
    return Fraction(float(np.median(np.diff(beats)))).limit_denominator(10_000)


def _fade_frames(beat: Fraction, frames: int, frame_rate: Fraction) -> int:
    return max(1, min(round(beat * frame_rate), frames // 2))
