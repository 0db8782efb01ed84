"""Tell whether a film that was made in pieces shows where they meet.

A seam is a change from one frame to the next that is larger, or smaller, than those around it. Music changes
pictures as well, and may beat in step with the pieces: what it explains is taken out first.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

from synesthete.errors import InputError
from synesthete.evaluation.chance import compare
from synesthete.seeding import generator_for

__all__ = ["BorderGaps", "SeamReport", "border_gaps", "find_seams"]

_DRAWS: Final = 9_999
_AROUND: Final = (-1, 0, 1)  # frames whose music may explain a change
_RIDGE: Final = 0.02
_STILL: Final = 0.01  # of the usual change: what is less is no change

Frames = Float[np.ndarray, " frames"]


@dataclass(frozen=True)
class SeamReport:
    """How changes at borders compare with those elsewhere.

    Attributes
    ----------
    borders
        How many there are.
    rank
        Mean rank of the change at a border among those around it, 0-1: 0.5 where it is one of them.
    jump
        Median of the change at a border over the median of those around it, the music taken out of both.
    p
        How often as many steps, drawn at random from around the borders, have a mean rank as far from 0.5, on
        either side; 0.0001 at least.
    """

    borders: int
    rank: float
    jump: float
    p: float

    def to_json(self) -> dict[str, float | int]:
        """Give the values rounded, for JSON."""
        return {name: round(value, 5) for name, value in asdict(self).items()}


def find_seams(
    changes: Frames, borders: Sequence[int], heard: Float[np.ndarray, "frames columns"], *, reach: int = 32
) -> SeamReport:
    r"""Compare a film's changes from frame to frame at borders with those elsewhere: a permutation test.

    Of the changes' logarithms, ridge regression takes out what music explains: each column of ``heard``, and
    the size of its change, at the frame, the one before and the one after. It is fitted on all frames, and
    knows no borders. What remains at a border is ranked among what remains within ``reach`` frames of it, so
    that louder and quieter parts of a song don't mix. If a border is a step like others, every rank is as
    likely; the mean of all borders' ranks is compared with that of steps drawn at random, one from around
    each border. The test has two sides: pieces that halt where they meet are seen like those that jump.

    Parameters
    ----------
    changes
        From the frame before to each frame, non-negative; that to the first is not looked at.
    borders
        First frames of pieces, ascending, without that of the film.
    heard
        What may explain changes, at each frame.
    reach
        How many steps before and after a border it is compared with; half a piece or less.

    Raises
    ------
    InputError
        If there is no border inside the film, or the picture never changes.

    Examples
    --------
    >>> changes = np.random.default_rng(0).uniform(1.0, 2.0, 640)
    >>> changes[64::64] *= 3.0
    >>> found = find_seams(changes, range(64, 640, 64), np.zeros((640, 1)))
    >>> found.borders, found.p < 0.01
    (9, True)
    """
    frames, at = len(changes), np.asarray(borders, np.int64)
    if len(at) == 0 or at.min() < 1 or at.max() >= frames:
        raise InputError(f"a film of {frames} frames has no borders to look at; draw more of the song")
    usual = float(np.median(changes[1:]))
    if usual <= 0:
        raise InputError("the picture hardly ever changes, so borders can't stand out; take livelier music")
    rest = _unexplained(np.log(np.maximum(changes, _STILL * usual)), heard)
    others = np.ones(frames, np.bool_)
    others[at] = False
    others[0] = False
    draws = generator_for(0, "evaluation.seams")
    ranks, nulls, jumps = [], np.zeros(_DRAWS), []
    for border in at.tolist():
        own = _around(others, border, reach)
        values = rest[[border, *own]]
        places = (rankdata(values) - 0.5) / len(values)
        ranks.append(places[0])
        nulls += places[draws.integers(0, len(places), _DRAWS)]
        jumps.append(values[0] - np.median(values[1:]))
    rank = float(np.mean(ranks))
    found = compare(abs(rank - 0.5), np.abs(nulls / len(at) - 0.5).tolist())
    return SeamReport(len(at), rank, float(np.exp(np.median(jumps))), found.p)


@dataclass(frozen=True)
class BorderGaps:
    """How far what was made in pieces is from what was made in one.

    Attributes
    ----------
    near, elsewhere
        Norm of the difference over that of the whole, over frames near borders, and over the others.
    """

    near: float
    elsewhere: float


def border_gaps(
    pieces: Float[np.ndarray, "frames *shape"],
    whole: Float[np.ndarray, "frames *shape"],
    borders: Sequence[int],
    *,
    reach: int = 4,
) -> BorderGaps:
    """Measure how far latents that were sampled in pieces are from the same sampled in one.

    Parameters
    ----------
    pieces, whole
        Centred, so that norms are those of what varies.
    borders
        First frames of pieces.
    reach
        How many frames before and after a border are near it.

    Raises
    ------
    InputError
        If all frames are near borders, or none is.

    Examples
    --------
    >>> whole = np.ones((16, 2))
    >>> pieces = whole + 0.1 * (np.abs(np.arange(16) - 7.5) < 2)[:, None]
    >>> border_gaps(pieces, whole, [8], reach=2)
    BorderGaps(near=0.1, elsewhere=0.0)
    """
    frames = np.arange(len(whole))
    near = np.zeros(len(whole), np.bool_)
    for border in borders:
        near |= (frames >= border - reach) & (frames < border + reach)
    if not near.any() or near.all():
        raise InputError(f"{len(whole)} frames don't lie on both sides of borders; sample more of them")

    def gap(where: Bool[np.ndarray, " frames"]) -> float:
        wide = whole[where].astype(np.float64)
        return round(float(np.linalg.norm(pieces[where] - wide) / np.linalg.norm(wide)), 5)

    return BorderGaps(gap(near), gap(~near))


def _unexplained(values: Frames, heard: Float[np.ndarray, "frames columns"]) -> Frames:
    """Give what ridge regression on the music leaves of values; it is not fitted on the first frame."""
    moved = np.abs(np.diff(heard, axis=0, prepend=heard[:1]))
    now = np.concatenate([heard, moved], axis=1).astype(np.float64)
    frames = np.arange(len(values))
    causes = np.concatenate([now[np.clip(frames + k, 0, len(now) - 1)] for k in _AROUND], axis=1)
    fit_on = slice(1, None)
    causes = causes - causes[fit_on].mean(axis=0)
    spread = causes[fit_on].std(axis=0)
    causes = causes[:, spread > 1e-6] / spread[spread > 1e-6]
    centred = values - values[fit_on].mean()
    products = causes[fit_on].T @ causes[fit_on] + _RIDGE * len(values) * np.eye(causes.shape[1])
    weights = np.linalg.solve(products, causes[fit_on].T @ centred[fit_on])
    return np.asarray(centred - causes @ weights)


def _around(others: Bool[np.ndarray, " frames"], border: int, reach: int) -> list[int]:
    first = max(0, border - reach)
    found: list[int] = (first + np.flatnonzero(others[first : border + reach + 1])).tolist()
    return found
