"""Recipes: what the band of a genre plays, and how two genres mix.

Patterns have a letter per sixteenth; see `synesthete.audio.compose.patterns`.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from synesthete.audio.compose.tempo import Pace
from synesthete.audio.compose.theory import Harmony

__all__ = ["LEAD", "DrumLine", "Recipe", "TuneLine", "drum_line", "mix_genres", "tune_line"]

Range = tuple[float, float]

LEAD: Final = "x..?x.?.x..?..?.|x.x...x.?.x...?.|x...x.?.x.?.x...|x..x..x.x...?.?."
"""Rhythms of melodies that suit most genres."""


@dataclass(frozen=True)
class DrumLine:
    """A drum and what it plays: one of several patterns, its level, and the energy at which it enters."""

    drum: str
    patterns: tuple[str, ...]
    gain: float
    enters: float = 0.0


@dataclass(frozen=True)
class TuneLine:
    """A tuned part.

    Attributes
    ----------
    stem
        ``bass``, ``chords``, ``arp``, ``melody`` or ``pad``.
    plays
        ``root``, ``octaves``, ``walk`` (basses); ``chord``, ``power``; ``arp``; ``lead``; ``pad``.
    voices
        Patches, of which a song takes one.
    patterns, gain, enters
        As for drums.
    octave
        4 holds middle C.
    steps
        How long a note lasts, sixteenths; leads last until the next.
    """

    stem: str
    plays: str
    voices: tuple[str, ...]
    patterns: tuple[str, ...]
    gain: float
    enters: float = 0.0
    octave: int = 4
    steps: float = 2.0


@dataclass(frozen=True)
class Recipe:
    """A genre.

    Attributes
    ----------
    tempo
        Range of beats per minute.
    drums, tunes
        Who plays what.
    metres, scales, harmonies, forms, paces
        What songs choose from, evenly; what is named twice is likelier.
    swing, pair
        See `synesthete.audio.compose.tempo.TempoMap`.
    human_ms
        Standard deviation of timing.
    level_dbfs
        RMS of the loud tenth of the song, after mastering.
    squash
        How hard the master is compressed, 0-1.
    room_s, room
        Reverberation time, and its level.
    pump
        How much the kick ducks the tuned parts, 0-1.
    sweep
        How far tuned parts are darkened where there is little energy, 0-1.
    echo
        Level of repeats of arpeggio and melody.
    air, air_hz
        Level of a bed of noise (tape, rain, vinyl, cymbals), and its band.
    width
        Range of the song's stereo width: 0 mono, 1 as played, above wider.
    pulse
        Whether there is a beat.
    tight
        How dry and short everything is, 0-1.
    loop_bars
        Bars that are repeated exactly; 0: the song goes on.
    """

    tempo: Range
    drums: tuple[DrumLine, ...]
    tunes: tuple[TuneLine, ...]
    metres: tuple[int, ...] = (4,)
    scales: tuple[str, ...] = ("minor", "major", "dorian", "mixolydian")
    harmonies: tuple[Harmony, ...] = ("loop", "loop", "functional", "modal")
    forms: tuple[str, ...] = ("song",)
    paces: tuple[Pace, ...] = ("constant",)
    swing: Range = (0.5, 0.5)
    pair: float = 1.0
    human_ms: float = 4.0
    level_dbfs: Range = (-17.0, -11.0)
    squash: float = 0.4
    room_s: Range = (0.3, 1.2)
    room: float = 0.15
    pump: float = 0.0
    sweep: float = 0.0
    echo: float = 0.0
    air: float = 0.001
    air_hz: Range = (100.0, 9000.0)
    width: Range = (0.4, 1.2)
    pulse: bool = True
    tight: float = 0.0
    loop_bars: int = 0


def drum_line(drum: str, patterns: str, gain: float, enters: float = 0.0) -> DrumLine:
    """Write a drum line briefly: patterns are parted by ``|``."""
    return DrumLine(drum, tuple(patterns.split("|")), gain, enters)


def tune_line(
    stem: str,
    plays: str,
    voices: str,
    patterns: str,
    gain: float,
    enters: float = 0.0,
    octave: int = 4,
    steps: float = 2.0,
) -> TuneLine:
    """Write a tuned part briefly: voices and patterns are parted by ``|``."""
    return TuneLine(
        stem, plays, tuple(voices.split("|")), tuple(patterns.split("|")), gain, enters, octave, steps
    )


def mix_genres(rng: np.random.Generator, one: Recipe, other: Recipe) -> Recipe:
    """Mix two genres: ranges in between, each part and each choice from one or the other.

    The drums, with swing, metre and pace, stay together: halves of two grooves are no groove.
    """
    share = float(rng.uniform(0.25, 0.75))
    groove, rest = (one, other) if rng.random() < 0.5 and one.drums else (other, one)
    if not groove.drums:
        groove, rest = rest, groove
    numbers: dict[str, object] = {}
    for field in fields(Recipe):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name in ("level_dbfs", "room_s", "width"):
            numbers[field.name] = tuple((1 - share) * x + share * y for x, y in zip(a, b, strict=True))
        elif field.name in ("squash", "room", "sweep", "echo", "air", "pump"):
            numbers[field.name] = (1 - share) * a + share * b
        elif field.name in ("scales", "harmonies", "forms", "air_hz"):
            numbers[field.name] = a if rng.random() < share else b
    tunes = []
    for stem in ("bass", "chords", "arp", "melody", "pad"):
        sources = [[tune for tune in recipe.tunes if tune.stem == stem] for recipe in (groove, rest)]
        first, second = sources if rng.random() < 0.5 else sources[::-1]
        tunes += first or second
    return replace(groove, tunes=tuple(tunes), **numbers)  # type: ignore[arg-type]
