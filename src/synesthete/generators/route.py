"""The route of a film among anchors: which it goes to, and when, in time with beats and sections.

A move begins and ends on a beat where beats are heard. Each section has anchors of its own, the first of
which is reached as the section begins; music that comes back goes the same way again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int64

from synesthete.audio.music import Section
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE
from synesthete.generators.control import running_integral
from synesthete.seeding import generator_for

__all__ = ["Route", "plan_route"]

_STEP: Final = 1.0 / ANALYSIS_RATE
_SHORTEST: Final = 0.5
"""Of a move, before a section is left: shorter ones are not begun."""

_NEAR: Final = 0.6
"""Of the gap between beats: what lies nearer to one is moved onto it."""

_COUNTED: Final = 0.5
_LEAST_OF_GLIDE: Final = 0.5
"""Of a glide: with less sound in it, the section's anchor is gone to when sound comes."""


@dataclass(frozen=True)
class Route:
    """Where a film is when.

    Attributes
    ----------
    moments
        Seconds, ascending, the first 0: between two of them it moves from one stop to the next.
    stops
        Anchors that it is at then.
    levels
        What the section is at that it has come to with each stop, -1 to 1.
    beaten
        Of each move, whether beats are heard in it.
    reach
        How much of the last move is done when the song ends, 0 to 1.
    """

    moments: Float[np.ndarray, " stops"]
    stops: Int64[np.ndarray, " stops"]
    levels: Float[np.ndarray, " stops"]
    beaten: Bool[np.ndarray, " moves"]
    reach: float

    def weights(
        self,
        at: Float[np.ndarray, " frames"],
        pace: Float[np.ndarray, " ticks"],
        anchors: int,
    ) -> Float[np.ndarray, "frames anchors"]:
        """Say how much of each anchor there is at moments: of at most two, in all 1.

        Parameters
        ----------
        at
            Seconds.
        pace
            How fast it goes, at 100 Hz; what counts is where in a move it is faster, and where it rests.
        """
        weights = np.zeros((len(at), anchors))
        rows = np.arange(len(at))
        before, after, share = self._between(at, pace)
        weights[rows, self.stops[before]] = 1.0 - share
        weights[rows, self.stops[after]] += share
        return weights

    def level(
        self, at: Float[np.ndarray, " frames"], pace: Float[np.ndarray, " ticks"]
    ) -> Float[np.ndarray, " frames"]:
        """Give the level at moments: that of a section is gone to with the section's first anchor."""
        before, after, share = self._between(at, pace)
        return np.asarray((1.0 - share) * self.levels[before] + share * self.levels[after])

    def _between(
        self, at: Float[np.ndarray, " frames"], pace: Float[np.ndarray, " ticks"]
    ) -> tuple[Int64[np.ndarray, " frames"], Int64[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
        """Give between which stops moments lie, by number, and the share of the move that is done."""
        moves = len(self.stops) - 1
        if moves == 0:
            only = np.zeros(len(at), np.int64)
            return only, only, np.zeros(len(at))
        gone = running_integral(pace)
        ticks = np.arange(len(gone)) * _STEP
        stations = np.interp(self.moments, ticks, gone)
        move = np.clip(np.searchsorted(self.moments, at, side="right") - 1, 0, moves - 1)
        start, stop = stations[move], stations[move + 1]
        # The sums of a pace differ in their last bits from those of what a route is planned by.
        share = np.clip((np.interp(at, ticks, gone) - start) / np.maximum(stop - start, 1e-9), 0.0, 1.0)
        # Where nothing says when to move, it rests at the anchors, and turns no corner at full speed.
        share = np.where(self.beaten[move], share, share * share * (3.0 - 2.0 * share))
        return move, move + 1, np.where(move == moves - 1, self.reach * share, share)


def plan_route(
    timeline: Timeline,
    presence: Float[np.ndarray, " ticks"],
    beats: Float[np.ndarray, " ticks"],
    *,
    anchors: int,
    move_beats: float,
    move_s: float,
    glide: float,
    seed: int,
) -> Route:
    """Plan a song's route.

    Parameters
    ----------
    presence
        1 where there is sound, 0 in silence, at 100 Hz.
    beats
        What `count_beats` gives.
    anchors
        How many there are, 2 or more.
    move_beats, move_s
        How long moves are, in beats, and in seconds of sound where no beat is heard.
    glide
        Seconds before a section in which its first anchor is gone to.
    seed
        Decides the order of the anchors.
    """
    song = _Song(timeline, presence, beats, move_beats, move_s)
    sections = timeline.music.sections or (Section(0.0, song.end_s, "A"),)
    kinds = list(dict.fromkeys(section.label for section in sections))
    tours, levels = _tours(kinds, anchors, seed), _levels(kinds, seed)
    walk = _Walk(song, tours[sections[0].label], levels[sections[0].label])
    for following in [*sections[1:], None]:
        if following is None:
            walk.until(song.end_s, whole=1.0)
            reach = min(1.0, walk.left(song.end_s))
            if reach > 0:
                walk.go_on(song.end_s)
            return walk.route(reach)
        arrive = max(song.on_grid(min(following.start_s, song.end_s)), walk.moment)
        leave = song.on_grid(max(0.0, arrive - glide))
        if leave > arrive - _LEAST_OF_GLIDE * glide:
            leave = arrive - glide
        leave = max(leave, walk.moment)
        walk.until(leave, whole=1.0 + _SHORTEST)
        if walk.left(leave) >= _SHORTEST:
            walk.go_on(leave)
        walk.tour, walk.level, walk.place = tours[following.label], levels[following.label], -1
        if song.heard(walk.moment, arrive) >= _LEAST_OF_GLIDE * glide:
            walk.go_on(arrive)
    raise AssertionError("the last section ends the walk")


class _Song:
    """What the way through a song is measured by."""

    def __init__(
        self,
        timeline: Timeline,
        presence: np.ndarray,
        beats: np.ndarray,
        move_beats: float,
        move_s: float,
    ) -> None:
        self.beats = beats
        self.end_s = (len(beats) - 1) * _STEP
        self._ticks = np.arange(len(beats)) * _STEP
        self._music = running_integral(presence)
        counted = np.diff(beats)
        free = np.where(counted > 0, counted / move_beats, _STEP / move_s)
        moves = 0.5 * (presence[1:] + presence[:-1]) * free
        self._moves = np.concatenate([[0.0], np.cumsum(moves)])
        marks = np.array(timeline.music.beats)
        self._marks, self._near = marks[:0], 0.0
        if len(marks) > 1:
            rises = np.diff(np.interp(marks, self._ticks, beats)) > _COUNTED
            self._marks = marks[np.append(rises, False) | np.append(False, rises)]
            self._near = _NEAR * float(np.median(np.diff(marks)))

    def passed(self, moment: float) -> float:
        """Give how many moves fit into the music before a moment."""
        return float(np.interp(moment, self._ticks, self._moves))

    def after(self, moment: float, moves: float) -> float:
        """Give the moment by which so many more moves have passed."""
        tick = np.searchsorted(self._moves, self.passed(moment) + moves - 1e-9)
        return min(float(tick) * _STEP, self.end_s)

    def heard(self, start: float, stop: float) -> float:
        """Give the seconds of sound between moments."""
        return float(np.diff(np.interp([start, stop], self._ticks, self._music))[0])

    def on_grid(self, moment: float) -> float:
        """Give the nearest beat, if one is near."""
        if len(self._marks) == 0:
            return moment
        beat = float(self._marks[np.abs(self._marks - moment).argmin()])
        return beat if abs(beat - moment) <= self._near else moment


class _Walk:
    """A route in the making."""

    def __init__(self, song: _Song, tour: Sequence[int], level: float) -> None:
        self._song, self._moments, self._stops, self._levels = song, [0.0], [tour[0]], [level]
        self.tour, self.level, self.place = tour, level, 0

    @property
    def moment(self) -> float:
        """Give when it is at its last stop."""
        return self._moments[-1]

    def left(self, moment: float) -> float:
        """Give the moves from the last stop to a moment."""
        return self._song.passed(moment) - self._song.passed(self.moment)

    def go_on(self, moment: float) -> None:
        """Be at the next anchor of the tour, and at its level, at a moment."""
        self.place += 1
        if self.tour[self.place % len(self.tour)] == self._stops[-1]:  # it is another section's anchor too
            self.place += 1
        self._stops.append(self.tour[self.place % len(self.tour)])
        self._levels.append(self.level)
        self._moments.append(moment)

    def until(self, moment: float, *, whole: float) -> None:
        """Go on by whole moves, while more than ``whole`` of them are left to a moment."""
        while self.left(moment) > whole:
            after = self._song.after(self.moment, 1.0)
            beat = self._song.on_grid(after)
            self.go_on(beat if self.moment < beat < moment else after)

    def route(self, reach: float) -> Route:
        """Give what was gone."""
        moments = np.array(self._moments)
        counted = np.diff(np.interp(moments, np.arange(len(self._song.beats)) * _STEP, self._song.beats))
        stops, levels = np.array(self._stops, np.int64), np.array(self._levels)
        return Route(moments, stops, levels, counted >= 1.0, reach)


def _tours(kinds: Sequence[str], anchors: int, seed: int) -> dict[str, list[int]]:
    """Deal the anchors out to kinds of sections, two at least to each, in a seeded order."""
    order = generator_for(seed, "gan.tour").permutation(anchors).tolist()
    own = max(2, anchors // len(kinds))
    return {
        kind: [order[(number * own + k) % anchors] for k in range(own)] for number, kind in enumerate(kinds)
    }


def _levels(kinds: Sequence[str], seed: int) -> dict[str, float]:
    """Give kinds of sections levels evenly from -1 to 1, in a seeded order; one alone is at 0."""
    most = 1.0 if len(kinds) > 1 else 0.0
    levels = generator_for(seed, "gan.levels").permutation(np.linspace(-most, most, len(kinds)))
    return dict(zip(kinds, levels.tolist(), strict=True))
