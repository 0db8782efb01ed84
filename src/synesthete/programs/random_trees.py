"""Random trees: anything that the vocabulary allows, with parameters that follow the music.

What a guard refuses is drawn again (`synesthete.programs.guards`).
"""

from typing import Any

import numpy as np

from synesthete.programs.guards import find_fault
from synesthete.programs.palettes import PALETTES
from synesthete.programs.parameters import Choice, Colour, Count, Parameter, Ramp, Real
from synesthete.programs.program import VERSION, Program
from synesthete.programs.registry import Family, Primitive, primitives
from synesthete.seeding import generator_for

__all__ = ["SIGNALS", "random_program"]

SIGNALS = ("energy", "body", "voice", "air", "spark", "pulse")
"""The envelopes that random programs follow; phases follow ``turn`` and ``flow``."""

_PHASES = ("turn", "flow")
_DEPTH = 3


def random_program(seed: int) -> Program:
    """Draw a program of some five to fifteen nodes from the whole vocabulary.

    Returns
    -------
    The first of the seed's draws that no guard refuses.
    """
    index = 0
    while find_fault(program := _draw(seed, index)) is not None:
        index += 1
    return program


def _draw(seed: int, index: int) -> Program:
    random = generator_for(seed, "program.sample", index)
    root = _picture(random, _DEPTH)
    for effect in ("feedback", "glow"):
        if random.random() < 0.35:
            primitive = primitives()[effect]
            root = {"node": effect, **_values(random, primitive), "of": root}
    return Program.from_json({"version": VERSION, "root": root})


def _picture(random: np.random.Generator, depth: int) -> dict[str, Any]:
    families: list[Family] = ["colour", "blend", "light", "grade", "warp"]
    shares = [0.45, 0.2, 0.15, 0.1, 0.1] if depth > 0 else [1.0, 0.0, 0.0, 0.0, 0.0]
    family = families[int(random.choice(len(families), p=shares))]
    return _node(random, family, depth, picture=True)


def _field(random: np.random.Generator, depth: int) -> dict[str, Any]:
    families: list[Family] = ["field", "warp", "blend"]
    shares = [0.4, 0.45, 0.15] if depth > 0 else [1.0, 0.0, 0.0]
    family = families[int(random.choice(len(families), p=shares))]
    return _node(random, family, depth, picture=False)


def _node(random: np.random.Generator, family: Family, depth: int, *, picture: bool) -> dict[str, Any]:
    words = [primitive for primitive in primitives().values() if primitive.family == family]
    primitive = words[int(random.integers(len(words)))]
    children = {}
    for slot, kind in primitive.slots.items():
        coloured = kind == "picture" or (kind == "any" and picture)
        children[slot] = (_picture if coloured else _field)(random, depth - 1)
    return {"node": primitive.name, **_values(random, primitive), **children}


def _values(random: np.random.Generator, primitive: Primitive) -> dict[str, Any]:
    return {
        name: _value(random, parameter)
        for name, parameter in primitive.parameters.items()
        if random.random() < 0.7
    }


def _value(random: np.random.Generator, parameter: Parameter) -> Any:
    if isinstance(parameter, Choice):
        return parameter.options[int(random.integers(len(parameter.options)))]
    if isinstance(parameter, Count):
        return int(random.integers(parameter.low, parameter.high + 1))
    if isinstance(parameter, Ramp):
        names = sorted(PALETTES)
        return {"stops": names[int(random.integers(len(names)))], "hue": float(random.normal(0.0, 0.05))}
    if isinstance(parameter, Colour):
        lightness, chroma, _ = parameter.default
        return [lightness, max(chroma, 0.1), float(random.uniform(0.0, 360.0))]
    return _number(random, parameter)


def _number(random: np.random.Generator, parameter: Real) -> Any:
    """Draw a number; half of them move, and phases go round with the music."""
    low, high = parameter.low, parameter.high
    if parameter.wraps:
        phase = _PHASES[int(random.integers(len(_PHASES)))]
        return {"base": float(random.uniform(low, high)), phase: float(random.choice([-1.0, 1.0]))}
    # Between the default and anywhere: ends of ranges are rare.
    base = float(parameter.default + random.random() * (random.uniform(low, high) - parameter.default))
    if random.random() < 0.5:
        return base
    signal = SIGNALS[int(random.integers(len(SIGNALS)))]
    return {"base": base, signal: float(random.normal(0.0, 0.15) * (high - low))}
