"""Genres of players: rock, jazz, orchestras, drummers; and music without a beat."""

from collections.abc import Mapping
from typing import Final

from synesthete.audio.compose.recipe import LEAD as _LEAD
from synesthete.audio.compose.recipe import Recipe
from synesthete.audio.compose.recipe import drum_line as _d
from synesthete.audio.compose.recipe import tune_line as _t

__all__ = ["PLAYED"]

PLAYED: Final[Mapping[str, Recipe]] = {
    "funk": Recipe(
        (102, 126),
        (
            _d("rock kick", "x.......x.u.....|x.......x..u....", 0.9, 0.3),
            _d("snare", "....x..g.g..x..g", 0.8, 0.3),
            _d("hat", "xuuu|xu.u", 0.35, 0.25),
            _d("tambourine", "x.u.", 0.15, 0.8),
                _d("cowbell", "x...", 0.12, 0.9),
        ),
        (
            _t("bass", "octaves", "electric bass|square bass",
                "x..u..o.x.u...o.|x.u...o.x.......|x.uox.u.x..ux.u.", 0.55, 0.3, 2, 1.2),
            _t("chords", "chord", "muted guitar|organ|electric piano", "x.uu..o.x.u...u.|x.u.o.uux.u.o.u.",
                0.3, 0.3, 4, 0.8),
            _t("melody", "lead", "brass|singer|reed|saw lead", _LEAD, 0.3, 0.65, 5, 2),
        ),
        scales=("dorian", "mixolydian", "blues", "minor pentatonic"), harmonies=("modal", "modal", "loop",
            "blues"), forms=("song", "loop"),
        paces=("constant", "walk"), human_ms=6, level_dbfs=(-15, -9), squash=0.55, width=(0.5, 1.1),
    ),
    "rock": Recipe(
        (100, 184),
        (
            _d("rock kick", "x.......x.......|x.......x.x.....", 0.95, 0.3),
            _d("snare", "....x.......x...", 0.85, 0.3),
            _d("hat", "x.u.|x...|xuuu", 0.35, 0.3),
            _d("crash", "x" + 31 * "." + "|x" + 15 * ".", 0.3, 0.92),
                _d("ride", "x.u.", 0.18, 0.85),
        ),
        (
            _t("bass", "root", "electric bass", "x...|x.u.|xuuu", 0.5, 0.3, 2, 1.8),
            _t("chords", "power", "distorted guitar", "x.u.x.u.|x.......x.......|x...x...x.u.x.u.", 0.4, 0.3,
                3, 2),
            _t("melody", "lead", "singer|saw lead|guitar", _LEAD, 0.28, 0.6, 5, 3),
            _t("arp", "arp", "guitar", "x.u.", 0.2, 0.0, 4, 2),
        ),
        scales=("minor", "major", "mixolydian", "minor pentatonic"), harmonies=("loop", "loop", "functional"),
            forms=("song", "song", "grow"),
        paces=("constant", "walk", "walk"), human_ms=5, level_dbfs=(-13, -6.5), squash=0.75, air=0.001,
            width=(0.5, 1.2),
    ),
    "metal": Recipe(
        (140, 200),
        (
            _d("rock kick", "x.o.x.o.|x...x...x.u.x...|xuou", 0.95, 0.3),
            _d("snare", "....x.......x...|....x...", 0.85, 0.3),
            _d("crash", "x...............", 0.3, 0.75),
            _d("hat", "x...|x.u.", 0.35, 0.3),
        ),
        (
            _t("bass", "root", "electric bass|saw bass", "x.u.|xuou", 0.45, 0.3, 2, 1),
            _t("chords", "power", "distorted guitar", "x.uox.uo|x...x.uox...x.u.|xuou", 0.5, 0.2, 3, 1),
            _t("melody", "lead", "saw lead|distorted guitar", "x.x.x.x.x.?.x...", 0.25, 0.8, 5, 2),
        ),
        scales=("minor", "phrygian", "harmonic minor", "locrian", "phrygian dominant"), harmonies=("loop",
            "modal", "pedal"), forms=("song", "loop"),
        human_ms=3, level_dbfs=(-9, -4.5), squash=0.9, air=0.001, width=(0.5, 1.2),
    ),
    "jazz": Recipe(
        (92, 200),
        (
            _d("ride", "x...x.u.", 0.4, 0.2),
            _d("rock kick", "o...|x.......", 0.4, 0.3),
            _d("hat", "....x...", 0.35, 0.2),
            _d("brush", "....o..g....o.g.", 0.35, 0.4),
            _d("snare", "........?.....g.", 0.2, 0.8),
        ),
        (
            _t("bass", "walk", "upright bass", "x...", 0.6, 0.2, 2, 3.6),
            _t("chords", "chord", "piano|vibraphone|electric piano|guitar",
                "x.....x.........|x.......x.....x.|....x.......x...", 0.3, 0.3, 4, 3),
            _t("melody", "lead", "vibraphone|reed|brass|piano|flute", "x.x.x.x.x.?.x.?.|x...x.x.x...?.x.",
                0.35, 0.5, 5, 2),
        ),
        scales=("major", "dorian", "minor", "melodic minor", "blues"), harmonies=("jazz", "jazz",
            "functional", "blues"), forms=("solos", "solos", "song"),
        paces=("walk", "walk", "constant"), swing=(0.6, 0.68), human_ms=8, level_dbfs=(-22, -13), squash=0.25,
            room_s=(0.4, 1.0), width=(0.3, 1.1),
    ),
    "orchestral": Recipe(
        (66, 132),
        (
            _d("timpani", "x.......x.......|x...........x.x.", 0.6, 0.5),
            _d("crash", "x" + 63 * ".", 0.3, 0.9),
            _d("snare", "x..ux.u.|x.uux.uu", 0.25, 0.75),
            _d("boom", "x...............", 0.5, 0.8),
        ),
        (
            _t("pad", "pad", "strings|choir", "x", 0.5, 0, 4),
            _t("arp", "arp", "short strings|harpsichord|piano", "x.uu|xuuu|x...", 0.4, 0.25, 4, 1.6),
            _t("melody", "lead", "brass|flute|reed|singer", "x...x.x.x.......|x.....x.x...x...", 0.4, 0.45,
                5, 4),
            _t("bass", "root", "short strings|upright bass", "x...|x.......x...x...", 0.5, 0.3, 2, 3),
        ),
        metres=(4, 4, 3), scales=("minor", "harmonic minor", "major", "lydian", "dorian", "double harmonic"),
            harmonies=("functional", "functional", "loop"),
        forms=("grow", "waves", "song"), paces=("walk", "walk", "rubato", "constant"), human_ms=7,
            level_dbfs=(-27, -14), squash=0.15,
        room_s=(1.5, 3.0), room=0.45, air=0.0006, width=(0.8, 1.8),
    ),
    "latin": Recipe(
        (88, 132),
        (
            _d("conga", "x.u.o.uox.u.o.uo|x..ux.uo", 0.4, 0.3),
            _d("block", "x..u..u.x.u.u...", 0.25, 0.4),
                _d("shaker", "xuuu|xu.u", 0.2, 0.2),
            _d("kick", "x...|x.....u.x.....u.", 0.7, 0.35),
            _d("cowbell", "x.u.", 0.15, 0.8),
            _d("bongo", "xuou", 0.2, 0.6),
        ),
        (
            _t("bass", "root", "upright bass|electric bass", "x.....u.x.....u.|x.......x...x...", 0.55, 0.3,
                2, 2.5),
            _t("chords", "chord", "piano|guitar", "x.u.u..ux..u..u.|x..u..u.x.u.u...", 0.35, 0.3, 4, 1.5),
            _t("melody", "lead", "brass|flute|singer|vibraphone", _LEAD, 0.32, 0.6, 5, 2),
        ),
        scales=("minor", "major", "harmonic minor", "dorian"), harmonies=("functional", "loop", "modal"),
            paces=("constant", "walk"),
        human_ms=7, level_dbfs=(-17, -11), squash=0.4, width=(0.4, 1.2),
    ),
    "odd folk": Recipe(
        (100, 184),
        (
            _d("low tom", "x.......x...", 0.6, 0.2),
            _d("tambourine", "....x...", 0.3, 0.4),
            _d("clap", "........x.......x...", 0.3, 0.6),
            _d("bongo", "x.u.", 0.25, 0.5),
            _d("rock kick", "x...........", 0.6, 0.5),
        ),
        (
            _t("bass", "root", "upright bass|electric bass", "x...|x.......x...", 0.5, 0.3, 2, 3),
            _t("chords", "chord", "guitar|harpsichord|organ", "x.....x.x...x...|x...", 0.35, 0.2, 4, 3),
            _t("melody", "lead", "reed|flute|singer|guitar", "x.x.x.x.x.?.x...|x...x.x.x.x.?...", 0.38, 0.3,
                5, 2),
        ),
        metres=(5, 7, 3, 6, 3), scales=("dorian", "phrygian dominant", "mixolydian", "harmonic minor",
            "double harmonic", "major", "hungarian minor"),
        harmonies=("modal", "loop", "functional"), forms=("song", "loop"), paces=("walk", "constant"),
            human_ms=7, level_dbfs=(-21, -12),
        squash=0.3, width=(0.3, 1.3),
    ),
    "tabla": Recipe(
        (80, 190),
        (
            _d("ge", "x...x...x.u.x...|x...x.u.x...x...|x...o...x.u.o.u.", 1.0),
            _d("na", "x.uux.u.x.u.x.uu|x.u.x.uux.uux.u.|xuoux.uox.uoxuou", 0.7),
            _d("te", ".g?u..gu.g?u.gou|.ug..uo..ug..uuu", 0.4),
        ),
        (
            _t("pad", "pad", "hollow pad|warm pad", "x", 0.05, 0.6, 3),
            _t("melody", "lead", "guitar|reed", "x...?.x.x.......", 0.12, 0.85, 4, 4),
        ),
        metres=(4, 4, 4, 7, 5), scales=("phrygian dominant", "double harmonic", "dorian", "lydian"),
            harmonies=("pedal",), forms=("loop", "steady"),
        paces=("walk", "constant"), human_ms=6, level_dbfs=(-30, -14), squash=0.1, room=0.12, air=0.0004,
            width=(0.0, 1.3),
    ),
    "drum solo": Recipe(
        (92, 190),
        (
            _d("rock kick", "x.x.......xx....|x.......x.x.....|x...", 1.0),
            _d("snare", "....x..g.g..x..g|....x..g....x.g.", 0.9),
            _d("ride", "x.u.|xgog", 0.4),
            _d("hat", "x.u.", 0.3, 0.6),
            _d("high tom", "......?.......?.", 0.4, 0.7),
            _d("crash", "x" + 31 * ".", 0.35, 0.8),
        ),
        (_t("bass", "root", "electric bass|sub bass", "x.......x.......|x.....u.x.......", 0.2, 0.97, 2, 2),),
        forms=("loop", "steady", "solos"), paces=("walk", "constant"), swing=(0.5, 0.6), human_ms=5,
            level_dbfs=(-18, -6), squash=0.4,
        room_s=(0.2, 0.6), room=0.06, air=0.0004, width=(0.0, 0.8),
    ),
    "ambient": Recipe(
        (60, 84), (),
        (
            _t("pad", "pad", "warm pad|hollow pad|choir|strings", "x", 0.6, 0, 4),
            _t("bass", "root", "sub bass", "x" + 31 * ".", 0.35, 0.3, 2, 24),
            _t("melody", "lead", "bell|fm bell|flute|kalimba|piano", "?...?..?....?...|.?....?...?.....",
                0.22, 0.3, 5, 8),
        ),
        scales=("major", "lydian", "minor", "dorian", "major pentatonic", "whole tone"), harmonies=("modal",
            "loop", "functional"), forms=("waves", "grow"),
        paces=("rubato", "rubato", "walk"), human_ms=60, level_dbfs=(-46, -16), squash=0.1, room_s=(2.0, 3.5),
            room=0.8, echo=0.4,
        air=0.012, air_hz=(80, 6000), width=(0.6, 2.2), pulse=False,
    ),
    "drift": Recipe(
        (60, 100), (),
        (
            _t("pad", "pad", "hollow pad|warm pad", "x", 0.15, 0, 3),
            _t("melody", "lead", "bell|kalimba|fm bell", "?..........?....", 0.1, 0.5, 5, 6),
        ),
        harmonies=("pedal", "modal"), forms=("waves",), paces=("rubato",), human_ms=90, level_dbfs=(-38, -18),
            squash=0.05,
        room_s=(0.8, 2.5), room=0.5, air=0.3, air_hz=(400, 15_000), width=(0.3, 2.2), pulse=False,
    ),
}  # fmt: skip
"""Recipes by name."""
