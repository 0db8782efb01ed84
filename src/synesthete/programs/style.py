"""How a program follows a style that moves: hue, and directions through its fields and warps.

A style says how a picture looks and not what happens. A preset's own style is where its program is as it was
written; away from it hues turn together, and what shapes fields and warps moves a little.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from synesthete.errors import ConfigError
from synesthete.programs.expression import parse_expression
from synesthete.programs.parameters import Colour, Moving, Ramp, Real, Shade
from synesthete.programs.program import Node, Program
from synesthete.programs.registry import primitives
from synesthete.seeding import generator_for

__all__ = ["AWAY", "STYLE_AXES", "restyled", "with_hue"]

AWAY = "away_"
"""``away_0`` to ``away_3``: how far the style is from the preset's own."""

STYLE_AXES = 4
_HUE_TURNS = 0.11
_PHASE_TURNS = 0.25
_SHARE_OF_RANGE = 0.09
_SHAPED = ("field", "warp")


def restyled(program: Program, seed: int) -> Program:
    """Let a program follow a style; where that does not move, nothing changes.

    Axis 0 turns all hues. The others move the numbers of fields and warps along directions of the seed's:
    phases by up to a quarter of a turn per unit, the rest by some percent of its range. Light, exposure and
    memory stay, so that nothing burns out. A program that names ``style_0`` and so on follows them itself,
    and is given back.
    """
    if any(name.startswith(("style_", AWAY)) for name in program.signals):
        return program
    numbers = {id(node): number for number, node in enumerate(program.root.walk())}

    def follow(node: Node) -> Node:
        values = dict(node.values)
        for place, (name, parameter) in enumerate(node.primitive.parameters.items()):
            value = values[name]
            if isinstance(parameter, Ramp | Colour):
                hue = _moved(value.hue, {f"{AWAY}0": _HUE_TURNS})
                values[name] = Shade(value.stops, hue, value.name)
            elif isinstance(parameter, Real) and node.primitive.family in _SHAPED:
                draw = generator_for(seed, f"program.style.{numbers[id(node)]}", place)
                values[name] = _moved(value, _amounts(parameter, draw))
        children = {slot: follow(child) for slot, child in node.children.items()}
        return Node(node.primitive, values, children, node.given)

    return Program(follow(program.root))


def with_hue(written: Mapping[str, Any], turns: float) -> dict[str, Any]:
    """Turn all hues of a program by as much, as JSON writes it; what reading adds to it is not written.

    Parameters
    ----------
    written
        A program that can be read.
    """

    def turn(node: Mapping[str, Any]) -> dict[str, Any]:
        primitive, result = primitives()[node["node"]], dict(node)
        for name, parameter in primitive.parameters.items():
            if isinstance(parameter, Ramp | Colour):
                shade = parameter.read(node.get(name, parameter.default), name)
                result[name] = parameter.write(Shade(shade.stops, _plus(shade.hue, turns), shade.name))
        return result | {slot: turn(node[slot]) for slot in primitive.slots}

    return {**written, "root": turn(written["root"])}


def _plus(value: Moving, amount: float) -> Moving:
    if value.expression is None:
        return Moving(value.base + amount, value.by)
    return _lengthened(value, f"({value.expression.text}) + {amount:.9f}")


def _amounts(parameter: Real, draw: np.random.Generator) -> dict[str, float]:
    reach = parameter.high - parameter.low
    scale = _PHASE_TURNS * min(reach, 1.0) if parameter.wraps else _SHARE_OF_RANGE * reach
    directions = draw.uniform(-1.0, 1.0, STYLE_AXES - 1)
    return {f"{AWAY}{axis}": scale * float(d) for axis, d in enumerate(directions, start=1)}


def _moved(value: Moving, by: dict[str, float]) -> Moving:
    if value.expression is None:
        return Moving(value.base, {**value.by, **by})
    sums = "".join(f" + {amount:.9f}*{name}" for name, amount in by.items())
    return _lengthened(value, f"({value.expression.text}){sums}")


def _lengthened(value: Moving, text: str) -> Moving:
    """Read a longer expression; one that can't grow any more stays as it is."""
    try:
        return Moving(0.0, {}, parse_expression(text))
    except ConfigError:
        return value
