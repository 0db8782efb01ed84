"""Keys, scales, chords, progressions and voice leading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import numpy as np

__all__ = ["PITCH_NAMES", "SCALES", "Harmony", "Key", "parse_key", "progression", "voicing"]

PITCH_NAMES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS: Final = {"Db": 1, "Eb": 3, "Gb": 6, "Ab": 8, "Bb": 10}

SCALES: Final[Mapping[str, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
    "double harmonic": (0, 1, 4, 5, 7, 8, 11),
    "hungarian minor": (0, 2, 3, 6, 7, 8, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
}
"""Semitones above the root."""

_CHORD_SCALES: Final = {"major pentatonic": "major", "minor pentatonic": "minor", "blues": "mixolydian"}

Harmony = Literal["functional", "loop", "modal", "jazz", "blues", "pedal"]
"""How chords follow one another."""

_LOOPS: Final = (
    (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 0, 4), (0, 6, 5, 6), (0, 5, 6, 0), (0, 3, 6, 2),
    (5, 4, 3, 4), (0, 2, 3, 4), (0, 0, 5, 6), (0, 6, 3, 0), (0, 2, 5, 3), (3, 4, 2, 5),
)  # fmt: skip
_BLUES: Final = (0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4)
_JAZZ: Final = ((1, 4, 0, 0), (1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4), (3, 6, 2, 5, 1, 4, 0, 0))
# Tonic goes anywhere, subdominants to dominants, dominants home.
_NEXT: Final = {
    0: ((3, 4, 5, 1, 2), (0.3, 0.25, 0.25, 0.15, 0.05)),
    1: ((4, 6, 3), (0.75, 0.15, 0.1)),
    2: ((5, 3), (0.6, 0.4)),
    3: ((4, 0, 1), (0.5, 0.3, 0.2)),
    4: ((0, 5, 3), (0.65, 0.25, 0.1)),
    5: ((3, 1, 4), (0.5, 0.3, 0.2)),
    6: ((0, 2), (0.8, 0.2)),
}


@dataclass(frozen=True)
class Key:
    """A root (pitch class 0-11) and a scale of `SCALES`.

    Examples
    --------
    >>> key = Key(9, "minor")
    >>> str(key), key.pitch(2, 4), key.chord(0, 3)
    ('A minor', 72, (9, 0, 4))
    """

    root: int
    scale: str

    def __str__(self) -> str:
        return f"{PITCH_NAMES[self.root]} {self.scale}"

    @property
    def steps(self) -> tuple[int, ...]:
        """Semitones of the scale above the root."""
        return SCALES[self.scale]

    def pitch(self, degree: int, octave: int) -> int:
        """Give the MIDI number of a degree (0 is the root) above the root in an octave (4 holds middle C)."""
        octaves, place = divmod(degree, len(self.steps))
        return self.root + 12 * (octave + 1 + octaves) + self.steps[place]

    def chord(self, degree: int, size: int, *, suspended: bool = False) -> tuple[int, ...]:
        """Stack thirds on a degree: pitch classes, the chord's root first; 2 is a power chord."""
        steps = SCALES[_CHORD_SCALES.get(self.scale, self.scale)]
        if size == 2:
            root = self.root + steps[degree % len(steps)]
            return (root % 12, (root + 7) % 12)
        offsets = [0, 2, 4, 6, 8][:size]
        if suspended:
            offsets[1] = 3
        return tuple((self.root + steps[(degree + offset) % len(steps)]) % 12 for offset in offsets)


def parse_key(text: str) -> Key:
    """Read ``A minor``, ``F# dorian``, ``Bb``.

    Raises
    ------
    ValueError
        If there is no such root or scale; says which there are.
    """
    root, _, scale = text.strip().partition(" ")
    name = scale.strip().lower() or "major"
    places = {name: place for place, name in enumerate(PITCH_NAMES)} | _FLATS
    if root[:1].upper() + root[1:] not in places or name not in SCALES:
        raise ValueError(
            f"{text!r} is no key; give a root (C, C#, … B) and one of: {', '.join(SCALES)}, as in 'A minor'"
        )
    return Key(places[root[:1].upper() + root[1:]], name)


def progression(rng: np.random.Generator, harmony: Harmony, bars: int) -> list[int]:
    """Draw the degree of each bar's chord; what is drawn for eight bars mostly comes back."""
    if harmony == "blues":
        cycle = list(_BLUES)
    elif harmony == "jazz":
        cycle = list(_JAZZ[rng.integers(len(_JAZZ))])
    elif harmony == "loop":
        cycle = list(_LOOPS[rng.integers(len(_LOOPS))])
    elif harmony == "modal":
        cycle = (
            [0, int(rng.choice([1, 3, 4, 6, 5]))] * 2
            if rng.random() < 0.6
            else [0, 0, 0, int(rng.choice([1, 3, 6]))]
        )
    elif harmony == "pedal":
        cycle = [0]
    else:
        cycle = [0]
        while len(cycle) < 8:
            following, odds = _NEXT[cycle[-1]]
            cycle.append(int(rng.choice(following, p=odds)))
        cycle = cycle[: int(rng.choice([4, 4, 8]))]
    stretch = int(rng.choice([1, 1, 2])) if len(cycle) <= 4 and bars >= 8 else 1
    return [cycle[bar // stretch % len(cycle)] for bar in range(bars)]


def voicing(classes: Sequence[int], previous: Sequence[int], centre: int) -> tuple[int, ...]:
    """Place pitch classes near a centre (MIDI) so that the voices move least from the previous chord.

    References
    ----------
    Tymoczko, "A Geometry of Music", 2011: voice leading as the shortest path between chords.

    Examples
    --------
    >>> voicing((5, 9, 0), voicing((0, 4, 7), (), 62), 62)
    (60, 65, 69)
    """
    options = [[pitch for pitch in range(centre - 9, centre + 10) if pitch % 12 == kind] for kind in classes]
    best, least = tuple(sorted(choice[0] for choice in options)), float("inf")
    for choice in product(*options):
        pitches = tuple(sorted(choice))
        spread = pitches[-1] - pitches[0]
        cost = 0.05 * abs(sum(pitches) / len(pitches) - centre) + (4.0 if spread > 15 else 0.0)
        if previous:
            shared = min(len(pitches), len(previous))
            cost += sum(abs(a - b) for a, b in zip(pitches[:shared], sorted(previous)[:shared], strict=True))
        else:
            cost += 0.2 * spread
        if cost < least:
            best, least = pitches, cost
    return best
