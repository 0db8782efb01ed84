"""Find the sections of a track, and which of them are the same music."""

from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from synesthete.audio.columns import BANDS
from synesthete.audio.music import Section
from synesthete.audio.similarity import (
    Steps,
    similarity_band,
    similarity_means,
    smooth,
    step_features,
    tonality,
)
from synesthete.clock import ANALYSIS_RATE

__all__ = ["find_sections"]

_SHORTEST_TRACK_S: Final = 10.0
_SHORTEST_S: Final = 4.0
_SILENCE: Final = 1.0 / 6.0
_SILENCE_S: Final = 1.0

# Costs in units of one second of wholly unlike music; chosen on 165 synthetic songs and 9 real ones.
_BORDER_COST: Final = 0.75
_SHORT_COST: Final = 2.5
_SHORT_S: Final = 10.0
_LONGEST_STEPS: Final = 240
_LEAST_CHANGE: Final = 0.12
_SAME_MUSIC: Final = 0.14
_PAIR_STEPS: Final = 4096

_FINE_TICKS: Final = 10
_REFINED_S: Final = 1.5
_SIDE_S: Final = 12.0
_CONFIDENT: Final = 0.5
_SNAP_BARS: Final = 0.6
_SNAP_FREELY_S: Final = 0.25
_BAR_SEARCH_S: Final = 8.0

# What counts as half different where the border is sought, in tenths of a second.
_FINE_TIMBRE_DB: Final = 2.7
_FINE_RISE: Final = 0.067
_FINE_HARMONY: Final = 0.23
_FINE_SMOOTH: Final = 5
_UNHEARD: Final = 0.01


def find_sections(
    steps: Steps,
    *,
    downbeats: Float64[np.ndarray, " bars"] | None,
    bar_confidence: float,
    duration_s: float,
) -> tuple[Section, ...]:
    """Cut a track into sections, and give the same letter to those that are the same music.

    Borders: the cut of the track into stretches that are each alike in themselves (kernel change-point
    detection), at a cost per border that is higher for stretches under 10 s; then neighbours that hardly
    differ are joined. A silence of over 1 s between music makes a border where the music returns; of 4 s and
    more, a section of its own. Borders move to where the rows before and after fit best to their own side,
    and to the nearest downbeat unless what is heard contradicts that. Letters: average linkage of the
    sections' discrepancy, which is blind to the order of the moments in a section, so that fills, noise and
    another length don't matter.

    Parameters
    ----------
    steps
        The track, as `synesthete.audio.similarity.summarise` gives it.
    downbeats
        Moments, seconds, ascending; None or empty where there are none.
    bar_confidence
        How sure they are, 0-1; below 0.5 they are not used.
    duration_s
        Length of the track, seconds.

    Returns
    -------
    Sections from 0 to ``duration_s`` without gaps, at least one; lettered ``A``, ``B``, … ``Z``, ``AA``, …
    in the order in which they are first heard. A track under 10 s is one section. Neighbours have
    different letters unless a silence parts them.

    References
    ----------
    Arlot, Celisse & Harchaoui, "A kernel multiple change-point algorithm via model selection", JMLR 20, 2019,
    eq. 2-6; Foote, ICME 2000. Differs: a fixed cost per border instead of model selection, sections of at
    most 2 minutes at first, joined later.
    """
    if duration_s < _SHORTEST_TRACK_S or len(steps) < 2:
        return (Section(0.0, duration_s, "A"),)
    fixed = _silent_borders(steps)
    borders, letters = _lettered(steps, fixed)
    bars = downbeats if downbeats is not None and bar_confidence >= _CONFIDENT else np.zeros(0)
    moments = [0.0]
    for before, border, after in zip(borders[:-2], borders[1:-1], borders[2:], strict=True):
        if border in fixed:
            moments.append(fixed[border])
        else:
            moments.append(_meeting(steps, max(before * steps.step_s, moments[-1]), border, after, bars))
    moments.append(duration_s)
    return tuple(
        Section(start, end, letter)
        for start, end, letter in zip(moments[:-1], moments[1:], letters, strict=True)
    )


# Where silence cuts ----------------------------------------------------------------------------------------


def _silent_borders(steps: Steps) -> dict[int, float]:
    """Give the borders that silences make: their step, and their moment in seconds."""
    silent = np.asarray(steps.columns["loudness"]) < _SILENCE
    shortest = round(_SHORTEST_S * ANALYSIS_RATE)
    runs = _runs(silent)
    moments: list[int] = []
    for index, (start, stop) in enumerate(runs):
        before = start - (runs[index - 1][1] if index else 0)
        after = (runs[index + 1][0] if index + 1 < len(runs) else steps.ticks) - stop
        if stop - start >= shortest:
            moments += [start, stop]
        elif before >= shortest and after >= shortest:
            moments.append(stop)
    borders = {round(moment / steps.step_ticks): moment / ANALYSIS_RATE for moment in moments}
    least = shortest // (2 * steps.step_ticks) + 1
    return {step: moment for step, moment in borders.items() if least <= step <= len(steps) - least}


def _runs(silent: Bool[np.ndarray, " ticks"]) -> list[tuple[int, int]]:
    """Give the stretches of over 1 s that are silent, as rows from and to."""
    turns = np.flatnonzero(np.diff(np.concatenate(([False], silent, [False])).astype(np.int8)))
    runs = [(int(start), int(stop)) for start, stop in turns.reshape(-1, 2)]
    return [(start, stop) for start, stop in runs if stop - start > _SILENCE_S * ANALYSIS_RATE]


# Cutting and naming ----------------------------------------------------------------------------------------


def _lettered(steps: Steps, fixed: dict[int, float]) -> tuple[list[int], list[str]]:
    """Give the borders in steps, both ends included, and the letters of what lies between them."""
    band = similarity_band(steps.families, min(_LONGEST_STEPS, len(steps)))
    stops = [0, *sorted(fixed), len(steps)]
    borders = [0]
    for start, stop in pairwise(stops):
        borders += [start + border for border in _partition(band[start:stop], steps.step_s)]
    means, sizes = _section_means(steps, borders), np.diff(borders).astype(float)
    while len(borders) > 2:
        change = np.array([_apart(means, i, i + 1) for i in range(len(means) - 1)])
        change[[border in fixed for border in borders[1:-1]]] = np.inf
        weakest = int(change.argmin())
        if change[weakest] > _LEAST_CHANGE:
            break
        means, sizes = _joined(means, sizes, weakest)
        del borders[weakest + 1]
    groups = _groups(means)
    kept = [0]
    for index in range(1, len(groups)):
        if groups[index] != groups[index - 1] or borders[index] in fixed:
            kept.append(index)
    order: dict[int, str] = {}
    for group in groups:
        order.setdefault(int(group), _letter(len(order)))
    return [borders[index] for index in kept] + [borders[-1]], [order[int(groups[index])] for index in kept]


def _partition(band: Float64[np.ndarray, "n width"], step_s: float) -> list[int]:
    r"""Cut a stretch into parts at the least cost.

    A part of ``n`` steps costs :math:`\sum_i k(i, i) - \frac1n \sum_{ij} k(i, j)` and what its border costs.

    Returns
    -------
    The ends of the parts, the last one included.
    """
    count, width = band.shape
    shortest, short = _SHORTEST_S / step_s, _SHORT_S / step_s
    if count < 2 * shortest:
        return [count]
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    lengths = np.arange(1, width + 1)
    costs = _BORDER_COST / step_s + _SHORT_COST / step_s * np.maximum(0.0, 1.0 - lengths / short)
    costs[: int(np.ceil(shortest)) - 1] = np.inf
    inner = np.zeros(width + 1)
    previous = np.zeros(count + 1, int)
    for end in range(1, count + 1):
        # Sums over the square blocks that end here, from those that ended one step earlier.
        row = np.cumsum(band[end - 1])
        inner[1:] = inner[:-1] + 2.0 * row - band[end - 1, 0]
        used = min(end, width)
        total = best[end - lengths[:used]] + lengths[:used] - inner[1 : used + 1] / lengths[:used]
        total = total + costs[:used]
        choice = int(total.argmin())
        best[end], previous[end] = total[choice], end - lengths[choice]
    ends = [count]
    while previous[ends[-1]] > 0:
        ends.append(int(previous[ends[-1]]))
    return ends[::-1]


def _section_means(steps: Steps, borders: list[int]) -> Float64[np.ndarray, "n n"]:
    """Average the likeness of pairs of steps out of two sections; long ones give evenly spaced steps."""
    most = int(np.clip(_PAIR_STEPS // (len(borders) - 1), 12, 64))
    groups = []
    for start, stop in pairwise(borders):
        # The outermost steps were smoothed into the neighbours.
        edge = 1 if stop - start > 4 else 0
        number = min(most, stop - start - 2 * edge)
        groups.append(np.linspace(start + edge, stop - edge - 1, number).round().astype(int))
    return similarity_means(steps.families, groups)


def _apart(means: Float64[np.ndarray, "n n"], one: int, other: int) -> float:
    return float(means[one, one] + means[other, other] - 2.0 * means[one, other])


def _joined(
    means: Float64[np.ndarray, "n n"], sizes: Float64[np.ndarray, " n"], index: int
) -> tuple[Float64[np.ndarray, "m m"], Float64[np.ndarray, " m"]]:
    """Join section ``index`` with the next: means of a union are weighed by the parts' sizes."""
    mix = np.delete(np.eye(len(sizes)), index + 1, axis=0)
    mix[index, index : index + 2] = sizes[index : index + 2] / sizes[index : index + 2].sum()
    rows = np.delete(means, index + 1, axis=0)
    rows[index] = mix[index, index] * means[index] + mix[index, index + 1] * means[index + 1]
    joined = np.delete(rows, index + 1, axis=1)
    joined[:, index] = mix[index, index] * rows[:, index] + mix[index, index + 1] * rows[:, index + 1]
    merged = np.delete(sizes, index + 1)
    merged[index] += sizes[index + 1]
    return joined, merged


def _groups(means: Float64[np.ndarray, "n n"]) -> list[int]:
    """Give the sections numbers: equal ones are the same music."""
    if len(means) == 1:
        return [1]
    own = np.diag(means)
    apart = np.maximum(own[:, None] + own[None, :] - 2.0 * means, 0.0)
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform((apart + apart.T) / 2, checks=False), "average")
    return [int(group) for group in fcluster(tree, _SAME_MUSIC, "distance")]


def _letter(index: int) -> str:
    name = ""
    index += 1
    while index > 0:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


# Moving borders to their place -----------------------------------------------------------------------------


def _meeting(steps: Steps, before_s: float, border: int, after: int, bars: np.ndarray) -> float:
    """Find the moment, seconds, at which two neighbours meet, or its downbeat."""
    middle_s, after_s = border * steps.step_s, after * steps.step_s
    room_s = 0.45 * min(middle_s - before_s, after_s - middle_s)
    reach_s = min(max(_REFINED_S, steps.step_s), room_s)
    first = round(max(before_s, middle_s - _SIDE_S) * ANALYSIS_RATE)
    last = min(round(min(after_s, middle_s + _SIDE_S) * ANALYSIS_RATE), steps.ticks)
    misfit = _misfit(steps, first, last, middle_s, reach_s)
    times = (first + np.arange(len(misfit)) * _FINE_TICKS) / ANALYSIS_RATE
    free = np.flatnonzero(np.abs(times - middle_s) <= reach_s)
    if len(free) == 0:
        return middle_s
    best = int(free[misfit[free].argmin()])
    return _at_downbeat(bars, times, misfit, best, room_s)


def _misfit(
    steps: Steps, first: int, last: int, middle_s: float, reach_s: float
) -> Float64[np.ndarray, " n"]:
    """Measure, for a border at each tenth of a second, how ill the rows fit to what their side plays.

    A row fits a side by its mean likeness to all of that side's rows, and not to their mean: each chord of a
    progression fits as well as the next.
    """
    timbre, rhythm, chroma = step_features(
        steps.columns, steps.spectrum, steps.reference_dbfs, first, last, _FINE_TICKS
    )
    families = (
        timbre / (_FINE_TIMBRE_DB * np.sqrt(timbre.shape[1])),
        np.sqrt(np.maximum(rhythm[:, :BANDS], 0.0)) / (_FINE_RISE * np.sqrt(BANDS)),
        tonality(chroma) / _FINE_HARMONY,
    )
    values = smooth(np.concatenate(families, axis=1), _FINE_SMOOTH)
    times = (first + (np.arange(len(values)) + 0.5) * _FINE_TICKS) / ANALYSIS_RATE
    strange = []
    for side in (np.flatnonzero(times < middle_s - reach_s), np.flatnonzero(times > middle_s + reach_s)):
        if len(side) == 0:
            return np.zeros(len(values) + 1)
        square = np.einsum("ij,ij->i", values, values)
        product = np.einsum("ik,jk->ij", values, values[side])
        likeness = np.exp(-0.5 * np.maximum(square[:, None] + square[side] - 2.0 * product, 0.0))
        likeness[side, np.arange(len(side))] = 0.0  # no row speaks for itself
        strange.append(-np.log(likeness.mean(axis=1) + _UNHEARD))
    return np.concatenate([[0.0], np.cumsum(strange[0] - strange[1])])


def _at_downbeat(
    bars: Float64[np.ndarray, " bars"],
    times: Float64[np.ndarray, " n"],
    misfit: Float64[np.ndarray, " n"],
    best: int,
    room_s: float,
) -> float:
    """Give the downbeat within 0.6 of a bar that fits best, or ``times[best]`` where that contradicts it."""
    moment = float(times[best])
    around = bars[np.abs(bars - moment) < _BAR_SEARCH_S]
    bar_s = float(np.median(np.diff(around))) if len(around) > 1 else 0.0
    close = around[np.abs(around - moment) <= min(_SNAP_BARS * bar_s, room_s)]
    if len(close) == 0:
        return moment
    places = np.clip(np.searchsorted(times, close), 0, len(times) - 1)
    choice = int(misfit[places].argmin())
    bar, place = float(close[choice]), int(places[choice])
    # Contradicted: on the way there, the rows side with their own neighbour by over half of what they
    # do on average on that side.
    end = len(misfit) - 1 if place > best else 0
    slope = (misfit[end] - misfit[best]) / max(1, abs(end - best))
    if abs(bar - moment) > _SNAP_FREELY_S and misfit[place] - misfit[best] > 0.5 * slope * abs(place - best):
        return moment
    return bar
