"""Sections: what comes when, for how many bars, and with how much energy."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

__all__ = ["FORMS", "Form", "Part", "draw_form"]

FORMS: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "club": (
        ("intro", 0.5), ("verse", 0.75), ("build", 0.65), ("drop", 1.0), ("breakdown", 0.25), ("build", 0.6),
        ("drop", 1.0), ("outro", 0.5),
    ),
    "song": (
        ("intro", 0.5), ("verse", 0.7), ("chorus", 1.0), ("verse", 0.65), ("chorus", 1.0), ("bridge", 0.4),
        ("chorus", 1.0), ("outro", 0.55),
    ),
    "loop": (("verse", 0.85), ("chorus", 1.0), ("verse", 0.8), ("break", 0.55), ("chorus", 1.0)),
    "grow": (("intro", 0.25), ("verse", 0.5), ("verse", 0.65), ("build", 0.8), ("chorus", 1.0), ("outro",
        0.4)),
    "solos": (("head", 0.75), ("solo", 0.85), ("solo", 1.0), ("trade", 0.6), ("head", 0.8)),
    "steady": (("verse", 0.95), ("verse", 1.0)),
    "waves": (("calm", 0.35), ("swell", 0.7), ("calm", 0.3), ("swell", 0.9), ("calm", 0.25)),
}  # fmt: skip
"""Names and energies of sections by kind of form."""

_SECTION_S: Final = (5.5, 14.0)
_LEAST_S: Final = 2.6
_WHOLE_S: Final = 40.0
_WHOLE_SECTION_S: Final = (9.0, 20.0)


@dataclass(frozen=True)
class Part:
    """A section in bars: its first, the one after its last, name and energy 0-1."""

    name: str
    first: int
    stop: int
    energy: float


@dataclass(frozen=True)
class Form:
    """The sections of a song, and each bar's energy."""

    parts: tuple[Part, ...]
    energy: Float64[np.ndarray, " bars"]

    @property
    def bars(self) -> int:
        """Bars in the song."""
        return len(self.energy)

    def part_at(self, bar: int) -> Part:
        """Give the section of a bar."""
        return next(part for part in self.parts if bar < part.stop)


def draw_form(rng: np.random.Generator, kind: str, *, bars: int, bar_s: float, seconds: float) -> Form:
    """Divide bars into sections.

    A song of 40 s or more begins with the form's first section and ends with its last, and what is between
    returns as often as there is time. A shorter one is a part of such a song: it enters the form somewhere,
    and still has two to four sections.

    Parameters
    ----------
    kind
        One of `FORMS`.
    bars, bar_s, seconds
        Bars to fill, the length of a bar, and of the song.
    """
    pattern = FORMS[kind]
    whole = seconds >= _WHOLE_S and len(pattern) > 2
    low, high = _WHOLE_SECTION_S if whole else _SECTION_S
    wanted = min(rng.uniform(low, high), seconds / rng.uniform(2.2, 4.2))
    length = max(1, round(max(wanted, _LEAST_S) / bar_s))
    if length >= 3:
        length = max(2, 2 * round(length / 2))
    first = int(rng.integers(len(pattern)))
    parts: list[Part] = []
    energy = np.zeros(bars)
    bar = 0
    while bar < bars:
        name, level = pattern[(first + len(parts)) % len(pattern)]
        if whole:
            name, level = pattern[1 + (len(parts) - 1) % (len(pattern) - 2)] if parts else pattern[0]
        stop = bar + length
        if name in ("build", "break", "trade") and length > 1:
            stop = bar + max(1, length // 2)
        # What would leave a rest of under half a section goes to its end.
        stop = bars if bars - stop < max(1, length // 2) else stop
        if whole and stop == bars:
            name, level = pattern[-1]
        level = float(np.clip(level + rng.normal(0, 0.04), 0.1, 1.0))
        energy[bar:stop] = level
        if name == "build":
            energy[bar:stop] = np.linspace(0.75 * level, min(1.0, level + 0.3), stop - bar)
        parts.append(Part(name, bar, stop, level))
        bar = stop
    return Form(tuple(parts), energy)
