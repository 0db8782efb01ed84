"""Named random draws that a style leans on: the same seed draws alike under styles that are alike.

Every decision has its own noise, by name, and a leaning: how much each axis of the style speaks for it. A
small step of style changes numbers a little, and few decisions.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from synesthete.errors import ConfigError
from synesthete.seeding import generator_for

__all__ = ["STYLE_AXES", "Draws", "Leaning", "Style", "read_style"]

STYLE_AXES = ("matter", "depth", "warmth", "density")
"""What a style says, each about -2 to 2: drawn geometry or living matter; flat or deep; cold or warm; sparse
or rich."""

Style = tuple[float, float, float, float]
Leaning = Mapping[str, float]
"""By axis of `STYLE_AXES`: above 0, a style high on that axis speaks for it."""

_FARTHEST = 5.0
_WEIGHT = 1.2
_PLAIN: Leaning = {}


def read_style(style: Sequence[float]) -> Style:
    """Check a style: four numbers, -5 to 5.

    Raises
    ------
    ConfigError
        If it is none.
    """
    if len(style) != len(STYLE_AXES) or not all(abs(value) <= _FARTHEST for value in style):
        raise ConfigError(
            f"style = {list(style)!r:.60} is none; give {len(STYLE_AXES)} numbers within ±{_FARTHEST:g}: "
            f"{', '.join(STYLE_AXES)}"
        )
    matter, depth, warmth, density = (float(value) for value in style)
    return matter, depth, warmth, density


class Draws:
    """Makes the decisions of one draw.

    Parameters
    ----------
    seed
        0 to 2**63 - 1.
    style
        See `STYLE_AXES`.
    attempt
        Another one is another draw of the same seed.
    """

    def __init__(self, seed: int, style: Style, attempt: int = 0) -> None:
        self._seed, self._attempt = seed, attempt
        self._style = dict(zip(STYLE_AXES, style, strict=True))

    def choose(self, name: str, options: Mapping[str, Leaning]) -> str:
        """Choose one of several words."""
        # Gumbel's trick: the largest of score plus noise is a draw from the softmax of the scores.
        words = list(options)
        noise = [self._noise(f"{name}={word}").gumbel() for word in words]
        scores = [self._pull(options[word]) + n for word, n in zip(words, noise, strict=True)]
        return words[int(np.argmax(scores))]

    def chance(self, name: str, share: float, leaning: Leaning = _PLAIN) -> bool:
        """Decide; true in this share of draws under a neutral style."""
        return bool(self._noise(name).logistic() < math.log(share / (1 - share)) + self._pull(leaning))

    def between(self, name: str, low: float, high: float, leaning: Leaning = _PLAIN) -> float:
        """Draw a number; a leaning style moves it towards the upper end."""
        place = 1.0 / (1.0 + math.exp(-(1.4 * self._noise(name).normal() + self._pull(leaning))))
        return round(low + (high - low) * place, 4)

    def whole(self, name: str, low: int, high: int, leaning: Leaning = _PLAIN) -> int:
        """Draw a whole number, ``high`` included."""
        return min(high, low + int(self.between(name, 0.0, 1.0, leaning) * (high - low + 1)))

    def sign(self, name: str) -> float:
        """Draw a direction: 1 or -1."""
        return 1.0 if self._noise(name).random() < 0.5 else -1.0

    def _pull(self, leaning: Leaning) -> float:
        return _WEIGHT * sum(share * self._style[axis] for axis, share in leaning.items())

    def _noise(self, name: str) -> np.random.Generator:
        return generator_for(self._seed, f"program.{name}", self._attempt)
