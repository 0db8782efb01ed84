"""A few programs that answer the music as plainly as can be: what a model learns to listen from.

Each answers loudness, bands, onsets or beats by brightness, size, place or hue, and by little else. In
silence all are dark and at rest.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from synesthete.programs.program import VERSION, Program

__all__ = ["REACTIVE", "reactive_program"]

_CLOUDS: Final = {"node": "plasma", "size": 0.7, "phase": {"flow": 2.0}}


def _disc(
    radius: Mapping[str, float], right: float, colours: str, light: Mapping[str, float]
) -> dict[str, Any]:
    shape = {
        "node": "shape", "figure": "polygon", "sides": 12.0, "roundness": 1.0, "fill": 1.0, "glow": 0.6,
        "echo": 0.0, "radius": radius,
    }  # fmt: skip
    moved = {"node": "shift", "right": right, "of": shape}
    return {"node": "palette", "colours": colours, "light": light, "of": moved}


REACTIVE: Final[Mapping[str, dict[str, Any]]] = {
    "light": {
        "node": "palette",
        "colours": "ember",
        "light": {"base": 0.02, "energy": 1.5},
        "of": _CLOUDS,
    },
    "size": _disc({"base": 0.12, "energy": 1.1}, 0.0, "gold", {"base": 0.3, "energy": 1.8}),
    "hue": {
        "node": "palette",
        "colours": {"stops": "rose", "hue": {"body": 0.45, "air": -0.45}},
        "light": {"base": 0.05, "energy": 1.3},
        "of": {"node": "rings", "count": 2.0, "phase": {"flow": 2.0}, "sharpness": 0.2},
    },
    "bands": {
        "node": "add",
        "below": _disc({"base": 0.12, "body": 0.7}, -0.55, "ember", {"base": 0.15, "body": 1.9}),
        "above": {
            "node": "add",
            "below": _disc({"base": 0.12, "voice": 0.7}, 0.0, "forest", {"base": 0.15, "voice": 1.9}),
            "above": _disc({"base": 0.12, "air": 0.7}, 0.55, "ocean", {"base": 0.15, "air": 1.9}),
        },
    },
    "spectrum": {
        "node": "palette",
        "colours": "aurora",
        "light": {"base": 0.05, "energy": 2.0},
        "of": {
            "node": "spectrum_bars",
            "base": "edge",
            "bars": 12.0,
            "height": 1.0,
            "contrast": 0.2,
            "gap": 0.15,
            "foot": 1.0,
            "cap": 0.3,
        },
    },
    "onsets": {
        "node": "palette",
        "colours": "glacier",
        "light": {"base": 0.05, "energy": 0.3, "spark": 1.7},
        "of": {
            "node": "sunburst",
            "rays": 12.0,
            "share": 0.5,
            "length": {"base": 0.3, "spark": 1.7},
            "phase": {"turn": 4.0},
        },
    },
    "beats": {
        "node": "palette",
        "colours": "ultraviolet",
        "light": {"base": 0.03, "energy": 0.4, "pulse": 1.2},
        "of": {
            "node": "zoom",
            "factor": {"base": 0.6, "pulse": 1.2},
            "of": {"node": "rings", "count": 3.0, "phase": {"bars": 1.0}, "sharpness": 0.5},
        },
    },
    "bass": {
        "node": "palette",
        "colours": "copper",
        "light": {"base": 0.05, "body": 1.9},
        "of": {
            "node": "spiral",
            "arms": 3.0,
            "width": {"base": 0.15, "body": 0.75},
            "phase": {"flow": 3.0},
        },
    },
}
"""Their trees, by name; an item's program number is -1 for the first, -2 for the second, …"""


@lru_cache(maxsize=len(REACTIVE))
def reactive_program(place: int) -> Program:
    """Give one of them: 0 is the first."""
    name = list(REACTIVE)[place]
    return Program.from_json({"version": VERSION, "root": REACTIVE[name]}, where=f"reactive program {name}")
