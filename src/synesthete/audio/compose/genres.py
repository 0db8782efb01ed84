"""Genres: what a band of each plays, and how two of them mix.

Patterns have a letter per sixteenth; see `synesthete.audio.compose.patterns`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from synesthete.audio.compose.tempo import Pace
from synesthete.audio.compose.theory import Harmony

__all__ = ["GENRES", "GENRE_NAMES", "DrumLine", "Recipe", "TuneLine", "mix_genres"]

Range = tuple[float, float]


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


def _d(drum: str, patterns: str, gain: float, enters: float = 0.0) -> DrumLine:
    return DrumLine(drum, tuple(patterns.split("|")), gain, enters)


def _t(
    stem: str,
    plays: str,
    voices: str,
    patterns: str,
    gain: float,
    enters: float = 0.0,
    octave: int = 4,
    steps: float = 2.0,
) -> TuneLine:
    return TuneLine(
        stem, plays, tuple(voices.split("|")), tuple(patterns.split("|")), gain, enters, octave, steps
    )


_LEAD: Final = "x..?x.?.x..?..?.|x.x...x.?.x...?.|x...x.?.x.?.x...|x..x..x.x...?.?."

GENRES: Final[Mapping[str, Recipe]] = {
    "techno": Recipe(
        (122, 148),
        (
            _d("kick", "x...", 1.0, 0.35), _d("hat", "xuou|x.u.|xugu", 0.35, 0.4), _d("open hat", "..x.", 0.22, 0.6),
            _d("clap", "....x...", 0.5, 0.6), _d("rim", ".?.g..o..g.?..o.", 0.25, 0.5), _d("ride", "x...|x.u.", 0.15, 0.9),
        ),
        (
            _t("bass", "root", "sub bass|acid bass|fm bass", ".uou|..x.|x.uo", 0.4, 0.35, 2, 0.9),
            _t("arp", "arp", "pluck|acid bass|fm bell", "xuoxuxou|x.ox.uo.", 0.3, 0.4, 3, 0.7),
            _t("chords", "chord", "stab", "...x..x.........|x.....x.....o...", 0.22, 0.6, 4, 1.2),
            _t("pad", "pad", "bright pad|hollow pad", "x", 0.12, 0, 4),
        ),
        scales=("minor", "phrygian", "dorian", "minor pentatonic"), harmonies=("pedal", "modal", "modal", "loop"),
        forms=("club", "club", "loop"), human_ms=0.6, level_dbfs=(-9, -4.5), squash=0.85, room=0.12, pump=0.5,
        sweep=0.6, echo=0.35, air=0.006, air_hz=(2000, 14_000), width=(0.0, 0.9),
    ),
    "house": Recipe(
        (114, 128),
        (
            _d("kick", "x...", 0.95, 0.3), _d("open hat", "..x.", 0.26, 0.35), _d("clap", "....x...", 0.45, 0.5),
            _d("shaker", "xuou|xugu", 0.16, 0.4), _d("conga", "..?..x?..?.x..?.", 0.2, 0.65), _d("hat", "x.u.", 0.2, 0.75),
        ),
        (
            _t("bass", "root", "saw bass|sub bass|fm bass|electric bass", "x..u..x...u..xu.|x..x..x...x.....|x.u.", 0.4, 0.4, 2, 1.6),
            _t("chords", "chord", "electric piano|piano|stab|organ", "x..x..x...x..x..|...x..x....x..x.", 0.35, 0.3, 4, 1.6),
            _t("melody", "lead", "singer|saw lead|vibraphone", _LEAD, 0.28, 0.7, 5, 3),
            _t("pad", "pad", "warm pad|strings|bright pad", "x", 0.2, 0, 4),
        ),
        scales=("minor", "dorian", "major", "mixolydian"), forms=("club", "club", "song"), swing=(0.5, 0.58), pair=0.5,
        human_ms=1.5, level_dbfs=(-11.5, -7), squash=0.75, pump=0.45, sweep=0.45, echo=0.25, air=0.002,
    ),
    "trance": Recipe(
        (132, 142),
        (
            _d("kick", "x...", 0.95, 0.45), _d("open hat", "..x.", 0.26, 0.55), _d("clap", "....x...", 0.35, 0.65),
            _d("hat", "xuou", 0.2, 0.5), _d("crash", "x" + 63 * ".", 0.25, 0.95),
        ),
        (
            _t("arp", "arp", "pluck|saw lead|stab", "x.uox.uo|xuou|x.uo", 0.32, 0.2, 4, 0.9),
            _t("bass", "root", "saw bass|reese bass", ".uou|x.uo", 0.42, 0.45, 2, 0.85),
            _t("melody", "lead", "saw lead|pluck", _LEAD, 0.32, 0.75, 5, 3),
            _t("pad", "pad", "bright pad|choir|strings", "x", 0.35, 0, 4),
        ),
        scales=("minor", "minor", "harmonic minor", "dorian"), forms=("club", "grow"), human_ms=0.5, level_dbfs=(-10, -6),
        squash=0.8, room_s=(1.2, 2.8), room=0.3, pump=0.6, sweep=0.55, echo=0.4, air=0.003, width=(0.7, 1.5),
    ),
    "drum and bass": Recipe(
        (160, 178),
        (
            _d("kick", "x.........x.....|x.x.......x.....", 1.0, 0.4), _d("snare", "....x..g.g..x.g.|....x.......x...", 0.9, 0.4),
            _d("hat", "x.u.|xgog|xugu", 0.4, 0.35), _d("ride", "x...x...", 0.16, 0.9),
        ),
        (
            _t("bass", "root", "reese bass|acid bass|sub bass", "x.........x.....|x.....x...x.....|x.......x.......", 0.45, 0.45, 1, 4),
            _t("chords", "chord", "electric piano|stab", "x.......x.......", 0.25, 0.5, 4, 3),
            _t("melody", "lead", "fm bell|singer|saw lead", "x...x...x...?...|x...?.x.x.......", 0.28, 0.6, 5, 4),
            _t("pad", "pad", "warm pad|strings|hollow pad", "x", 0.3, 0, 4),
        ),
        scales=("minor", "dorian", "phrygian"), forms=("club", "club", "loop"), human_ms=1.5, level_dbfs=(-10, -6), squash=0.85,
        sweep=0.5, echo=0.3, air=0.004, air_hz=(1500, 14_000), width=(0.3, 1.3),
    ),
    "breakbeat": Recipe(
        (118, 142),
        (
            _d("rock kick", "x.x.......xx....|x.........x.....|x..x......x.....", 0.95, 0.3),
            _d("snare", "....x..g.g..x..g|....x..g....x.g.", 0.8, 0.3), _d("hat", "x.u.|xgog|xugu", 0.42, 0.25), _d("ride", "x...", 0.15, 0.9),
        ),
        (
            _t("bass", "root", "electric bass|square bass|reese bass", "x.....x.x.......|x.xx....x.......", 0.5, 0.45, 2, 2),
            _t("chords", "chord", "organ|stab|electric piano", "x..x....x.......|....x.......x...", 0.3, 0.4, 4, 1.5),
            _t("arp", "arp", "square blip|pluck", "x.uox.u.", 0.2, 0.7, 5, 1),
        ),
        forms=("club", "loop", "loop"), human_ms=3, level_dbfs=(-13, -7), squash=0.7, sweep=0.35, echo=0.25, air=0.006,
        air_hz=(300, 12_000), width=(0.0, 1.0),
    ),
    "hip-hop": Recipe(
        (76, 104),
        (
            _d("boom", "x.....?...x.....|x..x......x.....|x.......x.......", 1.0, 0.3), _d("snare", "....x.......x...|....x..g....x...", 0.8, 0.3),
            _d("hat", "x..ux.u.|xu.u|x..gx..u", 0.35, 0.3), _d("open hat", "..............x.", 0.25, 0.7),
        ),
        (
            _t("bass", "root", "sub bass|upright bass", "x.....?...x.....|x..x......x.....|x.......x.......", 0.55, 0.45, 2, 4),
            _t("chords", "chord", "electric piano|piano|guitar|organ", "x.......x.......|x......x........", 0.35, 0.2, 4, 6),
            _t("melody", "lead", "flute|vibraphone|fm bell|singer|pluck", "x...?.x.x...?...", 0.28, 0.55, 5, 3),
            _t("pad", "pad", "strings|choir", "x", 0.18, 0, 4),
        ),
        scales=("minor", "dorian", "harmonic minor", "minor pentatonic"), forms=("loop", "song"), swing=(0.5, 0.62), pair=0.5,
        human_ms=5, level_dbfs=(-14, -8), squash=0.65, air=0.004, air_hz=(500, 9000), width=(0.2, 1.0),
    ),
    "funk": Recipe(
        (92, 122),
        (
            _d("rock kick", "x.....x.x.......|x.......x.x.....", 0.9, 0.3), _d("snare", "....x..g.g..x..g", 0.8, 0.3),
            _d("hat", "xu.ux.uu|x..ux.uu|xuuu", 0.35, 0.25), _d("tambourine", "x.u.", 0.15, 0.8), _d("cowbell", "x...", 0.12, 0.9),
        ),
        (
            _t("bass", "octaves", "electric bass|square bass", "x..u..o.x.u...o.|x.u...o.x.......|x.uox.u.x..ux.u.", 0.55, 0.3, 2, 1.2),
            _t("chords", "chord", "muted guitar|organ|electric piano", "x.uu..o.x.u...u.|x.u.o.uux.u.o.u.", 0.3, 0.3, 4, 0.8),
            _t("melody", "lead", "brass|singer|reed|saw lead", _LEAD, 0.3, 0.65, 5, 2),
        ),
        scales=("dorian", "mixolydian", "blues", "minor pentatonic"), harmonies=("modal", "modal", "loop", "blues"), forms=("song", "loop"),
        paces=("constant", "walk"), human_ms=6, level_dbfs=(-15, -9), squash=0.55, width=(0.5, 1.1),
    ),
    "rock": Recipe(
        (96, 168),
        (
            _d("rock kick", "x.......x.......|x.......x.x.....", 0.95, 0.3), _d("snare", "....x.......x...", 0.85, 0.3),
            _d("hat", "x.u.|x...|xuuu", 0.35, 0.3), _d("crash", "x" + 31 * "." + "|x" + 15 * ".", 0.3, 0.92), _d("ride", "x.u.", 0.18, 0.85),
        ),
        (
            _t("bass", "root", "electric bass", "x...|x.u.|xuuu", 0.5, 0.3, 2, 1.8),
            _t("chords", "power", "distorted guitar", "x.u.x.u.|x.......x.......|x...x...x.u.x.u.", 0.4, 0.3, 3, 2),
            _t("melody", "lead", "singer|saw lead|guitar", _LEAD, 0.28, 0.6, 5, 3),
            _t("arp", "arp", "guitar", "x.u.", 0.2, 0.0, 4, 2),
        ),
        scales=("minor", "major", "mixolydian", "minor pentatonic"), harmonies=("loop", "loop", "functional"), forms=("song", "song", "grow"),
        paces=("constant", "walk", "walk"), human_ms=5, level_dbfs=(-13, -6.5), squash=0.75, air=0.001, width=(0.5, 1.2),
    ),
    "metal": Recipe(
        (132, 200),
        (
            _d("rock kick", "x.o.x.o.|x...x...x.u.x...|xuou", 0.95, 0.3), _d("snare", "....x.......x...|....x...", 0.85, 0.3),
            _d("crash", "x...............", 0.3, 0.75), _d("hat", "x...|x.u.", 0.35, 0.3),
        ),
        (
            _t("bass", "root", "electric bass|saw bass", "x.u.|xuou", 0.45, 0.3, 2, 1),
            _t("chords", "power", "distorted guitar", "x.uox.uo|x...x.uox...x.u.|xuou", 0.5, 0.2, 3, 1),
            _t("melody", "lead", "saw lead|distorted guitar", "x.x.x.x.x.?.x...", 0.25, 0.8, 5, 2),
        ),
        scales=("minor", "phrygian", "harmonic minor", "locrian", "phrygian dominant"), harmonies=("loop", "modal", "pedal"), forms=("song", "loop"),
        human_ms=3, level_dbfs=(-9, -4.5), squash=0.9, air=0.001, width=(0.5, 1.2),
    ),
    "jazz": Recipe(
        (84, 180),
        (
            _d("ride", "x...x.u.", 0.4, 0.2), _d("rock kick", "o...|x.......", 0.4, 0.3), _d("hat", "....x...", 0.35, 0.2),
            _d("brush", "....o..g....o.g.", 0.35, 0.4), _d("snare", "........?.....g.", 0.2, 0.8),
        ),
        (
            _t("bass", "walk", "upright bass", "x...", 0.6, 0.2, 2, 3.6),
            _t("chords", "chord", "piano|vibraphone|electric piano|guitar", "x.....x.........|x.......x.....x.|....x.......x...", 0.3, 0.3, 4, 3),
            _t("melody", "lead", "vibraphone|reed|brass|piano|flute", "x.x.x.x.x.?.x.?.|x...x.x.x...?.x.", 0.35, 0.5, 5, 2),
        ),
        scales=("major", "dorian", "minor", "melodic minor", "blues"), harmonies=("jazz", "jazz", "functional", "blues"), forms=("solos", "solos", "song"),
        paces=("walk", "walk", "constant"), swing=(0.6, 0.68), human_ms=8, level_dbfs=(-22, -13), squash=0.25, room_s=(0.4, 1.0), width=(0.3, 1.1),
    ),
    "chiptune": Recipe(
        (110, 180),
        (
            _d("chip kick", "x.......x.......|x...|x.....x.x.......", 0.7, 0.3), _d("chip noise", "....x.......x...|....x..x....x...", 0.5, 0.3),
            _d("hat", "x.u.", 0.15, 0.5),
        ),
        (
            _t("bass", "octaves", "square bass|square blip", "x.u.|x...x.u.", 0.4, 0.2, 2, 1.5),
            _t("arp", "arp", "square blip|pulse lead", "xuou|x.uo", 0.22, 0.2, 5, 0.9),
            _t("melody", "lead", "pulse lead|square blip", _LEAD, 0.3, 0.3, 5, 2),
        ),
        scales=("major", "minor", "mixolydian", "major pentatonic", "harmonic minor"), forms=("song", "loop", "loop"), swing=(0.5, 0.62),
        human_ms=0, level_dbfs=(-16, -9), squash=0.3, room=0.0, air=0.0, width=(0.0, 0.3),
    ),
    "synthwave": Recipe(
        (80, 118),
        (
            _d("kick", "x.......x.......|x...", 0.9, 0.3), _d("snare", "....x.......x...", 0.9, 0.35), _d("hat", "xu.u|xuuu|x..u", 0.25, 0.4),
            _d("low tom", "............x.x.", 0.3, 0.85),
        ),
        (
            _t("bass", "octaves", "saw bass|square bass", "x.uu|xuuu|xu.u", 0.45, 0.25, 2, 0.9),
            _t("arp", "arp", "pluck|fm bell", "x.uu|xuuu", 0.22, 0.4, 5, 1),
            _t("melody", "lead", "saw lead|brass", _LEAD, 0.3, 0.6, 5, 3),
            _t("pad", "pad", "bright pad|warm pad|strings", "x", 0.35, 0, 4),
        ),
        scales=("minor", "dorian", "major"), forms=("song", "grow", "club"), human_ms=1, level_dbfs=(-13, -8), squash=0.6,
        room_s=(0.8, 2.0), room=0.22, pump=0.3, sweep=0.4, echo=0.3, width=(0.6, 1.5),
    ),
    "orchestral": Recipe(
        (66, 132),
        (
            _d("timpani", "x.......x.......|x...........x.x.", 0.6, 0.5), _d("crash", "x" + 63 * ".", 0.3, 0.9),
            _d("snare", "x..ux.u.|x.uux.uu", 0.25, 0.75), _d("boom", "x...............", 0.5, 0.8),
        ),
        (
            _t("pad", "pad", "strings|choir", "x", 0.5, 0, 4), _t("arp", "arp", "short strings|harpsichord|piano", "x.uu|xuuu|x...", 0.4, 0.25, 4, 1.6),
            _t("melody", "lead", "brass|flute|reed|singer", "x...x.x.x.......|x.....x.x...x...", 0.4, 0.45, 5, 4),
            _t("bass", "root", "short strings|upright bass", "x...|x.......x...x...", 0.5, 0.3, 2, 3),
        ),
        metres=(4, 4, 3), scales=("minor", "harmonic minor", "major", "lydian", "dorian", "double harmonic"), harmonies=("functional", "functional", "loop"),
        forms=("grow", "waves", "song"), paces=("walk", "walk", "rubato", "constant"), human_ms=7, level_dbfs=(-27, -14), squash=0.15,
        room_s=(1.5, 3.0), room=0.45, air=0.0006, width=(0.8, 1.8),
    ),
    "latin": Recipe(
        (88, 132),
        (
            _d("conga", "x.u.o.uox.u.o.uo|x..ux.uo", 0.4, 0.3), _d("block", "x..x..x...x.x...", 0.3, 0.4), _d("shaker", "xuuu|xu.u", 0.2, 0.2),
            _d("kick", "x...|x......xx......x", 0.7, 0.35), _d("cowbell", "x.u.", 0.15, 0.8), _d("bongo", "xuou", 0.2, 0.6),
        ),
        (
            _t("bass", "root", "upright bass|electric bass", "x.....x.x.....x.|x.......x...x...", 0.55, 0.3, 2, 2.5),
            _t("chords", "chord", "piano|guitar", "x.x.x..xx..x..x.|x..x..x.x..x..x.", 0.35, 0.3, 4, 1.5),
            _t("melody", "lead", "brass|flute|singer|vibraphone", _LEAD, 0.32, 0.6, 5, 2),
        ),
        scales=("minor", "major", "harmonic minor", "dorian"), harmonies=("functional", "loop", "modal"), paces=("constant", "walk"),
        human_ms=7, level_dbfs=(-17, -11), squash=0.4, width=(0.4, 1.2),
    ),
    "odd folk": Recipe(
        (96, 168),
        (
            _d("low tom", "x.......x...", 0.6, 0.2), _d("tambourine", "....x...", 0.3, 0.4), _d("clap", "........x.......x...", 0.3, 0.6),
            _d("bongo", "x.u.", 0.25, 0.5), _d("rock kick", "x...........", 0.6, 0.5),
        ),
        (
            _t("bass", "root", "upright bass|electric bass", "x...|x.......x...", 0.5, 0.3, 2, 3),
            _t("chords", "chord", "guitar|harpsichord|organ", "x.....x.x...x...|x...", 0.35, 0.2, 4, 3),
            _t("melody", "lead", "reed|flute|singer|guitar", "x.x.x.x.x.?.x...|x...x.x.x.x.?...", 0.38, 0.3, 5, 2),
        ),
        metres=(5, 7, 3, 6, 3), scales=("dorian", "phrygian dominant", "mixolydian", "harmonic minor", "double harmonic", "major", "hungarian minor"),
        harmonies=("modal", "loop", "functional"), forms=("song", "loop"), paces=("walk", "constant"), human_ms=7, level_dbfs=(-21, -12),
        squash=0.3, width=(0.3, 1.3),
    ),
    "tabla": Recipe(
        (80, 150),
        (
            _d("ge", "x...x...x.u.x...|x...x.u.x...x...|x...o...x.u.o.u.", 1.0), _d("na", "x.uux.u.x.u.x.uu|x.u.x.uux.uux.u.|xuoux.uox.uoxuou", 0.7),
            _d("te", ".g?u..gu.g?u.gou|.ug..uo..ug..uuu", 0.4),
        ),
        (
            _t("pad", "pad", "hollow pad|warm pad", "x", 0.05, 0.6, 3),
            _t("melody", "lead", "guitar|reed", "x...?.x.x.......", 0.12, 0.85, 4, 4),
        ),
        metres=(4, 4, 4, 7, 5), scales=("phrygian dominant", "double harmonic", "dorian", "lydian"), harmonies=("pedal",), forms=("loop", "steady"),
        paces=("walk", "constant"), human_ms=6, level_dbfs=(-30, -14), squash=0.1, room=0.12, air=0.0004, width=(0.0, 1.3),
    ),
    "drum solo": Recipe(
        (84, 172),
        (
            _d("rock kick", "x.x.......xx....|x.......x.x.....|x...", 1.0), _d("snare", "....x..g.g..x..g|....x..g....x.g.", 0.9),
            _d("ride", "x.u.|xgog", 0.4), _d("hat", "x.u.", 0.3, 0.6), _d("high tom", "......?.......?.", 0.4, 0.7), _d("crash", "x" + 31 * ".", 0.35, 0.8),
        ),
        (_t("bass", "root", "electric bass|sub bass", "x.......x.......|x.....u.x.......", 0.2, 0.97, 2, 2),),
        forms=("loop", "steady", "solos"), paces=("walk", "constant"), swing=(0.5, 0.6), human_ms=5, level_dbfs=(-18, -6), squash=0.4,
        room_s=(0.2, 0.6), room=0.06, air=0.0004, width=(0.0, 0.8),
    ),
    "ambient": Recipe(
        (60, 84), (),
        (
            _t("pad", "pad", "warm pad|hollow pad|choir|strings", "x", 0.6, 0, 4), _t("bass", "root", "sub bass", "x" + 31 * ".", 0.35, 0.3, 2, 24),
            _t("melody", "lead", "bell|fm bell|flute|kalimba|piano", "?...?..?....?...|.?....?...?.....", 0.22, 0.3, 5, 8),
        ),
        scales=("major", "lydian", "minor", "dorian", "major pentatonic", "whole tone"), harmonies=("modal", "loop", "functional"), forms=("waves", "grow"),
        paces=("rubato", "rubato", "walk"), human_ms=60, level_dbfs=(-46, -16), squash=0.1, room_s=(2.0, 3.5), room=0.8, echo=0.4,
        air=0.012, air_hz=(80, 6000), width=(0.6, 2.2), pulse=False,
    ),
    "drift": Recipe(
        (60, 100), (),
        (
            _t("pad", "pad", "hollow pad|warm pad", "x", 0.15, 0, 3),
            _t("melody", "lead", "bell|kalimba|fm bell", "?..........?....", 0.1, 0.5, 5, 6),
        ),
        harmonies=("pedal", "modal"), forms=("waves",), paces=("rubato",), human_ms=90, level_dbfs=(-38, -18), squash=0.05,
        room_s=(0.8, 2.5), room=0.5, air=0.3, air_hz=(400, 15_000), width=(0.3, 2.2), pulse=False,
    ),
}  # fmt: skip
"""Recipes by name; ``ambient`` and ``drift`` (rain, wind, far bells) have no beat."""

GENRE_NAMES: Final = tuple(GENRES)


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
