"""Compare a score with what chance gives: the effect, an empirical p-value, and z."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

__all__ = ["Comparison", "compare"]

_TIE = 1e-12


@dataclass(frozen=True)
class Comparison:
    """A score against its null.

    Attributes
    ----------
    value
        The score.
    null
        Mean of the scores under the null.
    effect
        ``value - null``.
    p
        Share of the null that scores as much, ``(1 + #{null ≥ value}) / (1 + count)``: never 0.
    z
        Effect in standard deviations of the null; None where these are all the same.
    count
        Size of the null.
    """

    value: float
    null: float
    effect: float
    p: float
    z: float | None
    count: int

    def to_json(self, *, digits: int = 5) -> dict[str, float | int | None]:
        """Give the values rounded, for JSON."""
        rounded = {k: None if v is None else round(v, digits) for k, v in asdict(self).items()}
        return {**rounded, "count": self.count}


def compare(value: float, nulls: Sequence[float]) -> Comparison:
    """Compare a score with the scores under the null.

    References
    ----------
    Phipson & Smyth, "Permutation p-values should never be zero", SAGMB 9(1), 2010.

    Examples
    --------
    >>> compare(3.0, [0.0, 1.0, 2.0]).p
    0.25
    """
    scores = np.asarray(nulls, np.float64)
    if not math.isfinite(value) or len(scores) == 0 or not np.isfinite(scores).all():
        raise ValueError("a score can be compared with finite scores only, and with one at least")
    mean, spread = float(scores.mean()), float(scores.std())
    effect = float(value - mean)
    p = float((1 + np.count_nonzero(scores >= value - _TIE)) / (1 + len(scores)))
    z = effect / spread if spread > _TIE else None
    return Comparison(value=float(value), null=mean, effect=effect, p=p, z=z, count=len(scores))
