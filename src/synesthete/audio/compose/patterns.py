"""Rhythms written with a letter per sixteenth, and how they are struck."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

__all__ = ["Hits", "fit_pattern", "strike_pattern"]

_LETTERS: Final = {
    "x": (1.0, 1.0),
    "o": (1.0, 0.62),
    "u": (1.0, 0.36),
    "g": (0.55, 0.3),
    "?": (0.4, 0.8),
    ".": (0.0, 0.0),
}


class Hits(NamedTuple):
    """When something is struck (sixteenths from bar 0), and how hard (0-1)."""

    steps: Int64[np.ndarray, " hits"]
    force: Float64[np.ndarray, " hits"]


def fit_pattern(pattern: str, steps: int) -> str:
    """Repeat a pattern to whole bars of ``steps`` sixteenths.

    One of a bar of four quarters is cut or goes on from its start in another metre; one of two bars stays so.

    Examples
    --------
    >>> fit_pattern("x...", 12), fit_pattern("x.......x.....o.", 12), fit_pattern("x...x...", 20)
    ('x...x...x...', 'x.......x...', 'x...x...x...x...x...')
    """
    bars = max(1, len(pattern) // 16)
    span = len(pattern) // bars
    texts = [pattern[bar * span : (bar + 1) * span] for bar in range(bars)]
    return "".join((text * (steps // len(text) + 1))[:steps] for text in texts)


def strike_pattern(
    rng: np.random.Generator,
    pattern: str,
    *,
    steps: int,
    energy: Float64[np.ndarray, " bars"],
    enters: float = 0.0,
    loose: float = 0.02,
    spread: float = 0.1,
) -> Hits:
    """Play a pattern through all bars that have enough energy.

    Letters: ``x`` strong, ``o`` weaker, ``u`` soft, ``g`` a ghost note now and then, ``?`` sometimes, ``.``
    nothing.

    Parameters
    ----------
    steps
        Sixteenths in a bar.
    energy
        Of each bar, 0-1.
    enters
        The least energy at which it is played.
    loose
        How likely a sure note is left out.
    spread
        Standard deviation of the logarithm of force.
    """
    text = fit_pattern(pattern, steps)
    chance, force = np.resize([_LETTERS[letter] for letter in text], (len(energy) * steps, 2)).T
    bar = np.arange(len(chance)) // steps
    beat = np.arange(len(chance)) % 4 == 0
    sure = np.where(beat, 1.0, 1.0 - loose)
    struck = rng.random(len(chance)) < np.where(chance == 1, sure, chance)
    struck &= energy[bar] >= enters
    (places,) = np.nonzero(struck)
    dynamics = 0.72 + 0.28 * energy[bar[places]]
    human = np.exp(spread * rng.standard_normal(len(places)))
    return Hits(places, np.clip(force[places] * dynamics * human, 0.05, 1.0))
