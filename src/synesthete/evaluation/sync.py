r"""Measure how much of a picture's dynamics its music explains, against two nulls.

The score is the share of the picture's dynamics that ridge regression predicts from the music on stretches
that it was not fitted on: 1 is all of it, 0 nothing. Light and motion are scored each on its own, and the
better one counts: where brightness follows the music, motion follows the music's changes, up and down alike,
which no linear prediction tells. Chance has a score too, so the same film is scored with other songs (is it
synced at all?), and with its own song moved by whole bars (does it know this song?).

:math:`R^2 = \max(0, 1 - \sum_f \lVert y_f - X_f w_{-f}\rVert^2 / \sum_f \lVert y_f - \bar y_{-f}\rVert^2)`
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float32, Float64

from synesthete.audio.music import Music
from synesthete.evaluation.chance import Comparison, compare
from synesthete.evaluation.dynamics import Dynamics, Hearing, music_sums
from synesthete.evaluation.nulls import bar_shifts, shifted

__all__ = ["LEAST_SECONDS", "Sync", "explained_share", "measure_sync", "rv2"]

LEAST_SECONDS: Final = 20.0
"""Shorter films have too few independent stretches for a number."""

_FOLDS: Final = 5
_BLOCK_S: Final = 5.0
_GUARD_S: Final = 0.9  # the reach of the music; song and null share what the high-pass carries farther
_RIDGE: Final = 0.3
_RIDGE_S: Final = 60.0  # shorter films are fitted more cautiously, as they hold less to fit on
_INVISIBLE: Final = 1e-4  # variance of what changes by under a grey level: nobody sees it

Table = Float32[np.ndarray, "ticks columns"]


@dataclass(frozen=True)
class Sync:
    """Both comparisons, and the same for RV2; None where the film is too short."""

    songs: Comparison | None
    bars: Comparison | None
    rv2: Comparison | None

    def to_json(self) -> dict[str, Any]:
        """Give ``r2``, ``null_r2``, ``effect``, ``p``, ``z`` against other songs; ``bars``, ``rv2``."""
        return {
            "status": "insufficient" if self.songs is None else "ok",
            **_flat(self.songs, "r2"),
            "bars": {
                "status": "insufficient" if self.bars is None else "ok",
                **_flat(self.bars, "r2"),
            },
            "rv2": _flat(self.rv2, "value"),
        }


def measure_sync(dynamics: Dynamics, table: Table, music: Music, others: Iterable[Table]) -> Sync:
    """Score a film with its own music and under both nulls.

    Parameters
    ----------
    table
        The film's music: `synesthete.evaluation.nulls.NULL_COLUMNS` at 100 Hz, as long as the film.
    music
        Its bars.
    others
        The same columns of music that the film has nothing to do with, as long as the film.
    """
    # Above 30 frames a second rows hold several frames, and what is left over may be one row's worth.
    if (len(dynamics.moments_s) + 0.999) / dynamics.rate < LEAST_SECONDS:
        return Sync(None, None, None)
    scorer = _Scorer(dynamics)
    own_r2, own_rv2 = scorer.score(table)
    songs = [scorer.score(other) for other in others]
    shifts = bar_shifts(music, len(table) / 100)
    bars = [scorer.score(shifted(table, shift))[0] for shift in shifts]
    return Sync(
        songs=compare(own_r2, [r2 for r2, _ in songs]),
        bars=compare(own_r2, bars) if bars else None,
        rv2=compare(own_rv2, [similarity for _, similarity in songs]),
    )


def explained_share(dynamics: Dynamics, table: Table) -> float:
    """Give the cross-validated share of the dynamics that music explains; 0 for a still picture."""
    return _Scorer(dynamics).score(table)[0]


def rv2(x: Float64[np.ndarray, "rows p"], y: Float64[np.ndarray, "rows q"]) -> float:
    r"""Compare two tables of rows by the similarities between their rows: centred, without the diagonal.

    :math:`\mathrm{RV}_2 = \mathrm{tr}(\tilde S_x \tilde S_y) / \sqrt{\mathrm{tr}(\tilde S_x^2)\,
    \mathrm{tr}(\tilde S_y^2)}`, where :math:`\tilde S = ZZ^\top - \mathrm{diag}(ZZ^\top)`

    Returns
    -------
    -1 to 1; 0 where one of them is constant.

    References
    ----------
    Smilde et al., "Matrix correlations for high-dimensional data: the modified RV-coefficient",
    Bioinformatics 25(3), 2009. The traces are expanded, so that no matrix of rows by rows is made.
    """
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    own_x, own_y = (x * x).sum(axis=1), (y * y).sum(axis=1)

    def trace(a: np.ndarray, b: np.ndarray, own: np.ndarray) -> float:
        return float(((a.T @ b) ** 2).sum() - own.sum())

    scale = trace(x, x, own_x**2) * trace(y, y, own_y**2)
    return trace(x, y, own_x * own_y) / scale**0.5 if scale > 1e-24 else 0.0


class _Scorer:
    """Scores one picture with one piece of music after another."""

    def __init__(self, dynamics: Dynamics) -> None:
        self._moments_s = dynamics.moments_s
        self._hearing: Hearing | None = None
        self._ridge = _RIDGE * max(1.0, _RIDGE_S * dynamics.rate / len(dynamics.moments_s))
        self._parts = _parts(len(dynamics.moments_s), dynamics.rate)
        seen = dynamics.values[:, dynamics.values.var(axis=0) >= _INVISIBLE]
        self._y = seen - seen.mean(axis=0)

    def score(self, table: Table) -> tuple[float, float]:
        """Give the explained share, and RV2."""
        if self._y.shape[1] == 0:
            return 0.0, 0.0
        if self._hearing is None:  # all music is as long as the film
            self._hearing = Hearing(self._moments_s, len(table))
        sums, hearing = music_sums(table), self._hearing
        products = [self._products(hearing, sums, rows) for rows in self._parts]
        share = _cross_validated(products, targets=self._y.shape[1], ridge=self._ridge)
        return share, rv2(hearing.now(sums).astype(np.float64), self._y)

    def _products(self, hearing: Hearing, sums: np.ndarray, rows: np.ndarray) -> Float64[np.ndarray, "n n"]:
        """Multiply everything with everything over some rows: ones, what was heard, the picture."""
        heard = hearing.around(sums, rows)
        ones = np.ones((len(rows), 1), np.float32)
        joined = torch.from_numpy(np.concatenate([ones, heard, self._y[rows].astype(np.float32)], axis=1))
        # In torch, which keeps to the caller's number of threads: NumPy's would wait for busy cores.
        return (joined.T @ joined).double().numpy()


def _parts(rows: int, rate: float) -> list[np.ndarray]:
    """List, for each fold, the rows at the heads, in the middles and at the tails of its blocks."""
    block_s = min(_BLOCK_S, rows / rate / _FOLDS)
    at = np.arange(rows) / rate
    block = np.minimum(at // block_s, np.ceil(rows / rate / block_s) - 1)
    inside = at - block * block_s
    place = np.where(inside < _GUARD_S, 0, np.where(inside >= block_s - _GUARD_S, 2, 1))
    part = block % _FOLDS * 3 + place
    return [np.flatnonzero(part == number) for number in range(3 * _FOLDS)]


def _cross_validated(grams: Sequence[Float64[np.ndarray, "n n"]], *, targets: int, ridge: float) -> float:
    """Fit on all but one fold and its neighbourhood, predict that fold; everything from sums of products."""
    whole = np.sum(grams, axis=0)
    predictors = len(whole) - 1 - targets
    x, y = slice(1, predictors + 1), slice(predictors + 1, None)
    rows = whole[0, 0]
    spread = np.sqrt(np.maximum(np.diag(whole)[x] / rows - (whole[0, x] / rows) ** 2, 0.0))
    scale = np.ones(len(whole))
    scale[x] = 1.0 / np.where(spread > 1e-6, spread, 1.0)
    errors, total = np.zeros(targets), np.zeros(targets)
    for fold in range(_FOLDS):
        test = np.sum(grams[3 * fold : 3 * fold + 3], axis=0)
        # The tails of the blocks before it and the heads of those after it are neither fitted nor predicted.
        near = grams[(fold - 1) % _FOLDS * 3 + 2] + grams[(fold + 1) % _FOLDS * 3]
        fit = (whole - test - near) * np.outer(scale, scale)
        seen = test * np.outer(scale, scale)
        count = fit[0, 0]
        mean_x, mean_y = fit[0, x] / count, fit[0, y] / count
        cov_xx = fit[x, x] - count * np.outer(mean_x, mean_x)
        cov_xy = fit[x, y] - count * np.outer(mean_x, mean_y)
        penalised = torch.from_numpy(cov_xx + ridge * count * np.eye(predictors))
        weights = torch.linalg.solve(penalised, torch.from_numpy(cov_xy)).numpy()
        base = mean_y - mean_x @ weights
        solution = np.concatenate([base[None], weights])
        inputs = slice(0, predictors + 1)
        squares = seen[y, y]
        predicted = solution.T @ seen[inputs, inputs] @ solution
        crossed = solution.T @ seen[inputs, y]
        errors += np.diag(squares - 2 * crossed + predicted)
        centred = squares - 2 * np.outer(mean_y, seen[0, y]) + seen[0, 0] * np.outer(mean_y, mean_y)
        total += np.diag(centred)
    return float(np.max(1.0 - errors / total, initial=0.0))


def _flat(comparison: Comparison | None, name: str) -> dict[str, Any]:
    if comparison is None:
        return {name: None, f"null_{name}": None, "effect": None, "p": None, "z": None, "count": 0}
    values = comparison.to_json()
    return {name: values.pop("value"), f"null_{name}": values.pop("null"), **values}
