"""What random programs know of the vocabulary: what suits which style, what moves with what, how fast.

Each band has its own body: bass moves sizes, mids shapes, treble edges, onsets give birth. What a word does
not mention stays near its default, and phases go with ``flow``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synesthete.programs.draws import Leaning

__all__ = ["FIGURES", "GROUNDS", "PALETTE_LEANINGS", "SCENES", "SPARKS", "SURFACES", "WARPS", "Word"]

Move = tuple[float, float, str, float]
"""Lowest and highest base, the signal that moves it, and by how much at most."""


@dataclass(frozen=True)
class Word:
    """How a primitive is used.

    Attributes
    ----------
    leaning
        The styles that it suits.
    moves
        Parameters that follow signals.
    speed
        Periods of its phases for one turn of ``flow``, which takes some ten seconds.
    given
        Parameters that are always this.
    """

    leaning: Leaning = field(default_factory=dict)
    moves: Mapping[str, Move] = field(default_factory=dict)
    speed: float = 1.0
    given: Mapping[str, Any] = field(default_factory=dict)


def _leans(matter: float = 0.0, depth: float = 0.0, density: float = 0.0) -> Leaning:
    return {"matter": matter, "depth": depth, "density": density}


FIGURES: Mapping[str, Word] = {
    "spectrum_ring": Word(
        _leans(-0.5, 0.0, 0.0),
        {"radius": (0.24, 0.42, "body", 0.16), "length": (0.45, 0.8, "energy", 0.2)},
        given={"foot": 0.3},
    ),
    "scope_ring": Word(
        _leans(-0.2, 0.0, -0.8),
        {"radius": (0.32, 0.5, "body", 0.25), "thickness": (0.01, 0.025, "spark", 0.03)},
        given={"gain": 2.2, "smoothness": 0.5},
    ),
    "shape": Word(
        _leans(-0.9, -0.2, -0.5),
        {
            "radius": (0.2, 0.5, "body", 0.35),
            "fill": (0.1, 0.4, "energy", 0.5),
            "echo": (0.3, 0.7, "voice", 0.4),
            "depth": (0.3, 0.7, "voice", 0.3),
        },
        4.0,
    ),
    "rose": Word(
        _leans(-0.5, 0.0, 0.1),
        {
            "radius": (0.5, 0.9, "body", 0.3),
            "depth": (0.3, 0.6, "voice", 0.35),
            "width": (0.01, 0.02, "spark", 0.03),
            "glow": (0.4, 0.7, "energy", 0.4),
        },
        1.5,
    ),
    "sunburst": Word(
        _leans(-0.4, 0.3, 0.1),
        {
            "length": (0.5, 1.0, "body", 0.7),
            "inner": (0.1, 0.25, "body", 0.15),
            "twist": (-0.8, 0.8, "voice", 0.5),
            "detail": (0.3, 0.6, "air", 0.4),
        },
        3.0,
    ),
    "phyllotaxis": Word(
        _leans(0.2, 0.0, 0.4),
        {
            "radius": (0.6, 1.0, "body", 0.3),
            "size": (0.4, 0.7, "spark", 0.4),
            "accent": (0.3, 0.6, "voice", 0.5),
        },
        6.0,
    ),
    "metaballs": Word(
        _leans(0.9, 0.2, -0.3),
        {
            "size": (0.17, 0.25, "body", 0.12),
            "apart": (0.4, 0.7, "voice", 0.3),
            "fill": (0.2, 0.5, "energy", 0.5),
            "glow": (0.05, 0.15, "spark", 0.2),
        },
        1.5,
    ),
    "orbits": Word(
        _leans(-0.6, 0.5, -0.4),
        {
            "size": (0.025, 0.06, "body", 0.05),
            "trail": (0.4, 0.8, "energy", 0.3),
            "glow": (0.4, 0.7, "spark", 0.6),
        },
        1.0,
    ),
    "spiral": Word(
        _leans(0.1, 0.5, 0.0),
        {
            "width": (0.2, 0.5, "body", 0.35),
            "tightness": (0.7, 2.2, "voice", 0.3),
            "extent": (0.7, 1.3, "energy", 0.6),
        },
        3.0,
    ),
    "particles": Word(
        _leans(0.6, 0.7, 0.3),
        {
            "burst": (0.05, 0.2, "body", 0.5),
            "size": (0.4, 0.65, "spark", 0.3),
            "extent": (0.6, 1.1, "energy", 0.5),
        },
        1.0,
    ),
    "ribbons": Word(
        _leans(0.7, 0.8, -0.2),
        {
            "height": (0.2, 0.4, "body", 0.2),
            "width": (0.1, 0.25, "energy", 0.15),
            "twist": (0.4, 0.8, "voice", 0.3),
        },
        1.5,
    ),
    "galaxy": Word(
        _leans(0.4, 1.0, 0.3),
        {
            "size": (0.7, 1.2, "body", 0.4),
            "core": (0.06, 0.12, "body", 0.12),
            "stars": (0.4, 0.7, "spark", 0.5),
            "winding": (0.3, 0.6, "voice", 0.15),
        },
        0.6,
    ),
    "chroma_wheel": Word(
        _leans(-0.6, 0.0, 0.0),
        {
            "length": (0.45, 0.75, "body", 0.25),
            "inner": (0.08, 0.18, "body", 0.1),
            "glow": (0.3, 0.6, "spark", 0.5),
        },
        0.7,
    ),
    "julia": Word(
        _leans(0.6, 0.4, 0.7),
        {
            "zoom": (0.8, 1.3, "body", 0.3),
            "burst": (1.0, 1.05, "voice", 0.03),
            "bloom": (0.1, 0.2, "energy", 0.1),
        },
        0.5,
    ),
    "kali": Word(
        _leans(0.4, 0.6, 0.8),
        {
            "size": (0.6, 1.0, "body", 0.25),
            "sway": (0.1, 0.2, "voice", 0.1),
            "width": (0.025, 0.05, "spark", 0.03),
        },
        1.0,
    ),
    "rings": Word(
        _leans(-0.5, 0.3, -0.3), {"count": (2.0, 5.0, "body", 0.5), "sharpness": (0.3, 0.7, "air", 0.3)}, 6.0
    ),
    "ripples": Word(
        _leans(0.1, 0.2, 0.2),
        {
            "apart": (0.3, 0.7, "voice", 0.25),
            "sharpness": (0.4, 0.7, "air", 0.3),
            "calm": (0.1, 0.5, "energy", -0.3),
        },
        6.0,
    ),
    "tunnel": Word(
        _leans(-0.5, 1.0, 0.3),
        {
            "width": (0.05, 0.12, "body", 0.15),
            "panels": (0.2, 0.5, "spark", 0.5),
            "bend": (0.2, 0.45, "voice", 0.15),
        },
        6.0,
    ),
    "lightning": Word(
        _leans(0.3, 0.2, -0.2),
        {
            "amount": (0.35, 0.6, "body", 0.4),
            "glow": (0.3, 0.5, "spark", 0.5),
            "length": (0.6, 0.8, "energy", 0.3),
        },
        given={"form": "burst"},
    ),
    "tiles": Word(
        _leans(-1.0, 0.0, 0.5),
        {
            "level": (0.15, 0.35, "energy", 0.5),
            "gap": (0.1, 0.2, "body", -0.1),
            "glow": (0.3, 0.6, "spark", 0.4),
        },
        6.0,
    ),
    "dots": Word(
        _leans(-0.8, 0.0, 0.4), {"size": (0.4, 0.65, "body", 0.35), "depth": (0.6, 0.9, "voice", 0.3)}, 5.0
    ),
    "heatmap": Word(_leans(-0.7, 0.0, 0.4), {"contrast": (0.2, 0.5, "body", 0.3)}, given={"view": "round"}),
    "moire": Word(
        _leans(-0.5, 0.2, 0.3),
        {"offset": (0.08, 0.2, "body", 0.12), "stretch": (-0.1, 0.1, "voice", 0.1)},
        2.0,
    ),
    "vectorscope": Word(
        _leans(-0.1, 0.0, -0.9), {"size": (1.2, 1.8, "body", 0.5), "light": (5.0, 8.0, "energy", 4.0)}
    ),
    "circuit": Word(
        _leans(-0.6, 0.0, 0.6),
        {
            "width": (0.04, 0.08, "body", 0.06),
            "pulse": (0.5, 0.8, "spark", 0.3),
            "rest": (0.15, 0.3, "energy", 0.5),
        },
        4.0,
    ),
}
"""Clear forms with a centre, or with a rhythm."""

SURFACES: Mapping[str, Word] = {
    "smoke": Word(
        _leans(0.9, 0.2, 0.1),
        {
            "amount": (0.8, 1.2, "body", 0.35),
            "wisps": (0.3, 0.6, "air", 0.4),
            "size": (0.5, 1.0, "voice", 0.1),
        },
        1.5,
    ),
    "plasma": Word(
        _leans(0.6, 0.0, -0.3),
        {
            "folds": (0.8, 1.6, "body", 0.5),
            "swirl": (0.7, 1.5, "voice", 0.4),
            "size": (0.5, 1.0, "energy", 0.1),
        },
        1.5,
    ),
    "flow": Word(
        _leans(0.8, 0.2, 0.4), {"amount": (0.6, 0.9, "body", 0.35), "fineness": (3.5, 6.0, "air", 1.5)}, 1.2
    ),
    "cells": Word(
        _leans(0.8, 0.0, 0.3),
        {"width": (0.06, 0.12, "body", 0.12), "jitter": (0.6, 0.9, "voice", 0.1)},
        2.0,
    ),
    "membrane": Word(
        _leans(0.8, 0.1, 0.6),
        {
            "width": (0.3, 0.6, "body", 0.5),
            "level": (-0.2, 0.2, "voice", 0.25),
            "fill": (0.1, 0.3, "energy", 0.4),
        },
        2.0,
    ),
    "caustics": Word(
        _leans(0.7, 0.3, 0.0), {"width": (0.2, 0.4, "body", 0.4), "swirl": (0.3, 0.6, "voice", 0.35)}, 2.0
    ),
    "contours": Word(
        _leans(-0.1, 0.2, 0.2),
        {
            "width": (0.012, 0.025, "body", 0.02),
            "between": (0.2, 0.4, "air", 0.5),
            "fill": (0.05, 0.2, "energy", 0.3),
        },
        2.0,
    ),
    "fbm": Word(
        _leans(0.7, 0.1, 0.2), {"contrast": (0.4, 0.7, "body", 0.3), "gain": (0.4, 0.55, "air", 0.1)}, 3.0
    ),
    "neural": Word(
        _leans(0.4, 0.0, 0.0),
        {
            "width": (0.45, 0.7, "body", 0.3),
            "gain": (0.95, 1.15, "voice", 0.08),
            "size": (0.7, 0.95, "energy", 0.1),
        },
        2.0,
    ),
    "mosaic": Word(
        _leans(-0.9, -0.2, 0.5),
        {"contrast": (0.5, 0.8, "body", 0.3), "border": (0.03, 0.06, "voice", 0.04)},
        4.0,
    ),
    "weave": Word(
        _leans(-0.7, 0.1, 0.6), {"width": (0.55, 0.75, "body", 0.2), "light": (0.4, 0.7, "spark", 0.3)}, 4.0
    ),
    "ripples": FIGURES["ripples"],
    "mandelbrot": Word(
        _leans(0.4, 0.4, 0.8),
        {
            "away": (1.04, 1.12, "voice", 0.05),
            "bloom": (0.06, 0.12, "body", 0.08),
            "zoom": (2.0, 4.0, "energy", 0.3),
        },
        0.4,
    ),
    "grid_lines": Word(
        _leans(-1.0, 0.2, 0.2), {"width": (0.015, 0.03, "body", 0.03), "glow": (0.4, 0.7, "spark", 0.4)}, 1.0
    ),
}
"""What can fill a picture: matter, tissue, patterns."""

GROUNDS: Mapping[str, Word] = {
    name: SURFACES[name]
    for name in ("smoke", "plasma", "flow", "caustics", "contours", "fbm", "neural", "cells")
} | {
    "starfield": Word(
        _leans(0.0, 1.0, -0.4), {"streak": (0.1, 0.5, "body", 0.8), "sparkle": (0.3, 0.5, "air", 0.3)}, 5.0
    ),
}
"""What is quiet enough to lie behind a figure."""

SCENES: Mapping[str, Word] = {
    "sea": Word(
        _leans(0.6, 0.7, -0.4),
        {
            "size": (0.16, 0.24, "body", 0.12),
            "swell": (0.3, 0.5, "body", 0.4),
            "glow": (0.3, 0.5, "energy", 0.5),
        },
        2.0,
    ),
    "mountains": Word(
        _leans(0.3, 0.8, 0.0),
        {
            "height": (0.7, 1.0, "body", 0.3),
            "rim": (0.2, 0.4, "spark", 0.6),
            "glow": (0.5, 0.7, "energy", 0.4),
        },
        4.0,
    ),
    "grid_floor": Word(
        _leans(-0.9, 0.9, 0.1),
        {
            "sun": (0.25, 0.4, "body", 0.12),
            "width": (0.03, 0.05, "spark", 0.05),
            "dawn": (0.3, 0.5, "energy", 0.5),
        },
        8.0,
    ),
    "skyline": Word(
        _leans(-0.6, 0.6, 0.2),
        {
            "height": (0.8, 1.1, "energy", 0.2),
            "glow": (0.3, 0.5, "body", 0.5),
            "rim": (0.3, 0.5, "spark", 0.5),
        },
        2.0,
    ),
    "terrain": Word(
        _leans(0.0, 0.8, 0.1), {"height": (0.5, 0.7, "body", 0.3), "width": (0.006, 0.01, "spark", 0.008)}
    ),
    "waterfall": Word(_leans(-0.2, 0.5, 0.3), {"contrast": (0.3, 0.5, "body", 0.3)}, given={"view": "away"}),
    "aurora": Word(
        _leans(0.7, 0.7, -0.2),
        {
            "height": (0.3, 0.6, "body", 0.4),
            "contrast": (0.5, 0.8, "air", 0.2),
            "fold": (0.4, 0.7, "voice", 0.3),
        },
        2.0,
    ),
    "tunnel": FIGURES["tunnel"],
    "galaxy": FIGURES["galaxy"],
    "spectrum_bars": Word(
        _leans(-0.8, -0.2, -0.2), {"height": (0.6, 0.85, "body", 0.15), "glow": (0.3, 0.5, "spark", 0.5)}
    ),
}
"""Places with an up and a down, or a depth: nothing bends them."""

SPARKS: Mapping[str, Word] = {
    "particles": Word(_leans(0.4, 0.5, 0.0), {"burst": (0.1, 0.2, "spark", 0.6)}, 1.5, {"density": 0.35}),
    "starfield": Word(_leans(0.0, 0.8, 0.0), {"streak": (0.2, 0.4, "spark", 1.2)}, 8.0),
    "lightning": Word(_leans(0.3, 0.0, 0.0), {"amount": (0.3, 0.5, "spark", 0.4)}),
    "scope": Word(_leans(-0.4, 0.0, -0.4), {"thickness": (0.006, 0.012, "spark", 0.02)}, given={"gain": 2.0}),
    "scope_ring": FIGURES["scope_ring"],
    "rings": Word(_leans(-0.5, 0.2, 0.0), {"sharpness": (0.8, 0.95, "spark", 0.05)}, 8.0, {"count": 1.5}),
    "orbits": FIGURES["orbits"],
}
"""Small bright things that onsets light."""

WARPS: Mapping[str, Word] = {
    "kaleidoscope": Word(_leans(-0.2, 0.0, 0.6), {"offset": (0.3, 0.8, "voice", 0.2)}, 0.6),
    "folds": Word(_leans(-0.4, 0.2, 0.8), {"offset": (0.35, 0.6, "voice", 0.12)}, 0.25),
    "mirror": Word(_leans(-0.1, 0.0, 0.2), {"offset": (0.2, 0.5, "voice", 0.2)}, given={"softness": 0.1}),
    "polar": Word(_leans(-0.4, 0.4, 0.3), {"radius": (0.85, 1.1, "body", 0.2)}, 0.4),
    "ripple": Word(_leans(0.5, 0.1, -0.2), {"amount": (0.3, 0.6, "body", 0.9)}, 6.0),
    "swell": Word(_leans(0.4, 0.3, -0.3), {"amount": (0.1, 0.3, "body", 0.5)}),
    "twist": Word(_leans(0.4, 0.5, 0.0), {"amount": (-0.35, 0.35, "body", 0.3)}),
    "turbulent": Word(_leans(1.0, 0.1, 0.2), {"amount": (0.2, 0.45, "body", 0.25)}, 1.5),
    "wave": Word(_leans(0.5, 0.0, -0.2), {"amount": (0.2, 0.4, "body", 0.5)}, 4.0),
    "tube": Word(_leans(-0.3, 1.0, 0.3), {"spiral": (-0.3, 0.3, "voice", 0.2)}, 4.0),
    "droste": Word(_leans(0.1, 0.9, 0.5), {}, 2.5, {"arms": 1}),
    "tile": Word(_leans(-0.8, -0.4, 0.8), {}, 0.8, {"cells": 2.0, "joint": "mirrored"}),
    "circle_inversion": Word(_leans(0.0, 0.4, 0.2), {"radius": (0.5, 0.8, "body", 0.25)}),
    "perspective": Word(
        _leans(-0.3, 1.0, 0.0), {"swing": (-0.4, 0.4, "voice", 0.2)}, given={"beyond": "mirrored"}
    ),
}
"""How a picture is bent, or brought into symmetry."""

PALETTE_LEANINGS: Mapping[str, Leaning] = {
    "ember": {"warmth": 1.0},
    "gold": {"warmth": 0.9},
    "copper": {"warmth": 0.3, "matter": 0.3},
    "rose": {"warmth": 0.6, "matter": 0.3},
    "dusk": {"warmth": 0.5},
    "silk": {"warmth": 0.2},
    "neon": {"warmth": -0.1, "matter": -0.6},
    "ultraviolet": {"warmth": -0.3},
    "acid": {"warmth": -0.2, "matter": -0.3},
    "forest": {"warmth": -0.2, "matter": 0.6},
    "aurora": {"warmth": -0.6},
    "ocean": {"warmth": -0.9},
    "glacier": {"warmth": -0.9, "matter": -0.2},
}
"""Palettes of random programs, and the styles that they suit; ``ink`` is left out, as it is nearly grey."""
