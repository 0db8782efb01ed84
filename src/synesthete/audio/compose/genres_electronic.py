"""Genres of machines: techno, house, chiptune and their kin."""

from collections.abc import Mapping
from typing import Final

from synesthete.audio.compose.recipe import LEAD as _LEAD
from synesthete.audio.compose.recipe import Recipe
from synesthete.audio.compose.recipe import drum_line as _d
from synesthete.audio.compose.recipe import tune_line as _t

__all__ = ["ELECTRONIC"]

ELECTRONIC: Final[Mapping[str, Recipe]] = {
    "techno": Recipe(
        (122, 155),
        (
            _d("kick", "x...", 1.0, 0.35),
            _d("hat", "xuou|x.u.|xugu", 0.35, 0.4),
            _d("open hat", "..x.", 0.22, 0.6),
            _d("clap", "....x...", 0.5, 0.6),
            _d("rim", ".?.g..o..g.?..o.", 0.25, 0.5),
            _d("ride", "x...|x.u.", 0.15, 0.9),
        ),
        (
            _t("bass", "root", "sub bass|acid bass|fm bass", ".uou|..x.|x.uo", 0.4, 0.35, 2, 0.9),
            _t("arp", "arp", "pluck|acid bass|fm bell", "xuoxuxou|x.ox.uo.", 0.3, 0.4, 3, 0.7),
            _t("chords", "chord", "stab", "...x..x.........|x.....x.....o...", 0.22, 0.6, 4, 1.2),
            _t("pad", "pad", "bright pad|hollow pad", "x", 0.12, 0, 4),
        ),
        scales=("minor", "phrygian", "dorian", "minor pentatonic"), harmonies=("pedal", "modal", "modal",
            "loop"),
        forms=("club", "club", "loop"), human_ms=0.6, level_dbfs=(-9, -4.5), squash=0.85, room=0.12, pump=0.5,
        sweep=0.6, echo=0.35, air=0.006, air_hz=(2000, 14_000), width=(0.0, 0.9),
    ),
    "house": Recipe(
        (114, 128),
        (
            _d("kick", "x...", 0.95, 0.3),
            _d("open hat", "..x.", 0.26, 0.35),
            _d("clap", "....x...", 0.45, 0.5),
            _d("shaker", "xuou|xugu", 0.16, 0.4),
            _d("conga", "..?..x?..?.x..?.", 0.2, 0.65),
            _d("hat", "x.u.", 0.2, 0.75),
        ),
        (
            _t("bass", "root", "saw bass|sub bass|fm bass|electric bass",
                "x..u..x...u..xu.|x..x..x...x.....|x.u.", 0.4, 0.4, 2, 1.6),
            _t("chords", "chord", "electric piano|piano|stab|organ", "x..x..x...x..x..|...x..x....x..x.",
                0.35, 0.3, 4, 1.6),
            _t("melody", "lead", "singer|saw lead|vibraphone", _LEAD, 0.28, 0.7, 5, 3),
            _t("pad", "pad", "warm pad|strings|bright pad", "x", 0.2, 0, 4),
        ),
        scales=("minor", "dorian", "major", "mixolydian"), forms=("club", "club", "song"), swing=(0.5, 0.58),
            pair=0.5,
        human_ms=1.5, level_dbfs=(-11.5, -7), squash=0.75, pump=0.45, sweep=0.45, echo=0.25, air=0.002,
    ),
    "trance": Recipe(
        (132, 142),
        (
            _d("kick", "x...", 0.95, 0.45),
            _d("open hat", "..x.", 0.26, 0.55),
            _d("clap", "....x...", 0.35, 0.65),
            _d("hat", "xuou", 0.2, 0.5),
            _d("crash", "x" + 63 * ".", 0.25, 0.95),
        ),
        (
            _t("arp", "arp", "pluck|saw lead|stab", "x.uox.uo|xuou|x.uo", 0.32, 0.2, 4, 0.9),
            _t("bass", "root", "saw bass|reese bass", ".uou|x.uo", 0.42, 0.45, 2, 0.85),
            _t("melody", "lead", "saw lead|pluck", _LEAD, 0.32, 0.75, 5, 3),
            _t("pad", "pad", "bright pad|choir|strings", "x", 0.35, 0, 4),
        ),
        scales=("minor", "minor", "harmonic minor", "dorian"), forms=("club", "grow"), human_ms=0.5,
            level_dbfs=(-10, -6),
        squash=0.8, room_s=(1.2, 2.8), room=0.3, pump=0.6, sweep=0.55, echo=0.4, air=0.003, width=(0.7, 1.5),
    ),
    "drum and bass": Recipe(
        (162, 184),
        (
            _d("kick", "x.........x.....|x.x.......x.....", 1.0, 0.4),
            _d("snare", "....x..g.g..x.g.|....x.......x...", 0.9, 0.4),
            _d("hat", "x.u.|xgog|xugu", 0.4, 0.35),
            _d("ride", "x...x...", 0.16, 0.9),
        ),
        (
            _t("bass", "root", "reese bass|acid bass|sub bass",
                "x.........x.....|x.....x...x.....|x.......x.......", 0.45, 0.45, 1, 4),
            _t("chords", "chord", "electric piano|stab", "x.......x.......", 0.25, 0.5, 4, 3),
            _t("melody", "lead", "fm bell|singer|saw lead", "x...x...x...?...|x...?.x.x.......", 0.28, 0.6,
                5, 4),
            _t("pad", "pad", "warm pad|strings|hollow pad", "x", 0.3, 0, 4),
        ),
        scales=("minor", "dorian", "phrygian"), forms=("club", "club", "loop"), human_ms=1.5, level_dbfs=(-10,
            -6), squash=0.85,
        sweep=0.5, echo=0.3, air=0.004, air_hz=(1500, 14_000), width=(0.3, 1.3),
    ),
    "breakbeat": Recipe(
        (118, 165),
        (
            _d("rock kick", "x.x.......xx....|x.........x.....|x..x......x.....", 0.95, 0.3),
            _d("snare", "....x..g.g..x..g|....x..g....x.g.", 0.8, 0.3),
            _d("hat", "x.u.|xgog|xugu", 0.42, 0.25),
            _d("ride", "x...", 0.15, 0.9),
        ),
        (
            _t("bass", "root", "electric bass|square bass|reese bass", "x.....x.x.......|x.xx....x.......",
                0.5, 0.45, 2, 2),
            _t("chords", "chord", "organ|stab|electric piano", "x..x....x.......|....x.......x...", 0.3, 0.4,
                4, 1.5),
            _t("arp", "arp", "square blip|pluck", "x.uox.u.", 0.2, 0.7, 5, 1),
        ),
        forms=("club", "loop", "loop"), human_ms=3, level_dbfs=(-13, -7), squash=0.7, sweep=0.35, echo=0.25,
            air=0.006,
        air_hz=(300, 12_000), width=(0.0, 1.0),
    ),
    "hip-hop": Recipe(
        (82, 108),
        (
            _d("boom", "x.......x.......|x..u....x.......|x.......x.o.....", 1.0, 0.3),
            _d("snare", "....x.......x...|....x..g....x...", 0.8, 0.3),
            _d("hat", "x...|x..u|x..ux.u.", 0.35, 0.3),
            _d("open hat", "..............x.", 0.25, 0.7),
        ),
        (
            _t("bass", "root", "sub bass|upright bass", "x.....?...x.....|x..x......x.....|x.......x.......",
                0.55, 0.45, 2, 4),
            _t("chords", "chord", "electric piano|piano|guitar|organ", "x...x...|x...x..u|x.......x.......",
                0.35, 0.2, 4, 6),
            _t("melody", "lead", "flute|vibraphone|fm bell|singer|pluck", "x...?.x.x...?...", 0.28, 0.55, 5,
                3),
            _t("pad", "pad", "strings|choir", "x", 0.18, 0, 4),
        ),
        scales=("minor", "dorian", "harmonic minor", "minor pentatonic"), forms=("loop", "song"), swing=(0.5,
            0.62), pair=0.5,
        human_ms=5, level_dbfs=(-14, -8), squash=0.65, air=0.004, air_hz=(500, 9000), width=(0.2, 1.0),
    ),
    "chiptune": Recipe(
        (120, 196),
        (
            _d("chip kick", "x.......x.......|x...|x.....x.x.......", 0.7, 0.3),
            _d("chip noise", "....x.......x...|....x..x....x...", 0.5, 0.3),
            _d("hat", "x.u.", 0.15, 0.5),
        ),
        (
            _t("bass", "octaves", "square bass|square blip", "x.u.|x...x.u.", 0.4, 0.2, 2, 1.5),
            _t("arp", "arp", "square blip|pulse lead", "xuou|x.uo", 0.22, 0.2, 5, 0.9),
            _t("melody", "lead", "pulse lead|square blip", _LEAD, 0.3, 0.3, 5, 2),
        ),
        scales=("major", "minor", "mixolydian", "major pentatonic", "harmonic minor"), forms=("song", "loop",
            "loop"), swing=(0.5, 0.62),
        human_ms=0, level_dbfs=(-16, -9), squash=0.3, room=0.0, air=0.0, width=(0.0, 0.3),
    ),
    "synthwave": Recipe(
        (80, 118),
        (
            _d("kick", "x.......x.......|x...", 0.9, 0.3),
            _d("snare", "....x.......x...", 0.9, 0.35),
                _d("hat", "xu.u|xuuu|x..u", 0.25, 0.4),
            _d("low tom", "............x.x.", 0.3, 0.85),
        ),
        (
            _t("bass", "octaves", "saw bass|square bass", "x.uu|xuuu|xu.u", 0.45, 0.25, 2, 0.9),
            _t("arp", "arp", "pluck|fm bell", "x.uu|xuuu", 0.22, 0.4, 5, 1),
            _t("melody", "lead", "saw lead|brass", _LEAD, 0.3, 0.6, 5, 3),
            _t("pad", "pad", "bright pad|warm pad|strings", "x", 0.35, 0, 4),
        ),
        scales=("minor", "dorian", "major"), forms=("song", "grow", "club"), human_ms=1, level_dbfs=(-13, -8),
            squash=0.6,
        room_s=(0.8, 2.0), room=0.22, pump=0.3, sweep=0.4, echo=0.3, width=(0.6, 1.5),
    ),
}  # fmt: skip
"""Recipes by name."""
