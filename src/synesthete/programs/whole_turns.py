"""Programs whose turns are whole over a stretch of time, for loops."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from synesthete.programs.parameters import Colour, Moving, Parameter, Ramp, Real, Shade
from synesthete.programs.program import Node, Program

__all__ = ["with_whole_turns"]

_TURN = 1.0


def with_whole_turns(program: Program, ends: Mapping[str, Tensor], *, along: str) -> Program:
    """Let everything that goes round in a program do so a whole number of times, the nearest one.

    Phases, angles, hues and ways through patterns that repeat after 1 are changed by as much as is missing,
    evenly; ways through longer patterns stay as they are.

    Parameters
    ----------
    ends
        The program's signals at the start and at the end of the stretch, two values each.
    along
        A signal that grows from 0 to 1 over it.

    Returns
    -------
    A program of the same structure.
    """
    return Program(_closed(program.root, ends, along))


def _closed(node: Node, ends: Mapping[str, Tensor], along: str) -> Node:
    values = {
        name: _whole(node.primitive.parameters[name], value, ends, along)
        for name, value in node.values.items()
    }
    children = {slot: _closed(child, ends, along) for slot, child in node.children.items()}
    return replace(node, values=values, children=children)


def _whole(parameter: Parameter, value: Any, ends: Mapping[str, Tensor], along: str) -> Any:
    if isinstance(parameter, Ramp | Colour):
        assert isinstance(value, Shade)
        return replace(value, hue=_completed(value.hue, ends, along))
    if isinstance(parameter, Real) and parameter.wraps and parameter.high - parameter.low == _TURN:
        return _completed(value, ends, along)
    return value


def _completed(moving: Moving, ends: Mapping[str, Tensor], along: str) -> Moving:
    if not moving.names:
        return moving
    first, last = moving.evaluate(ends).tolist()
    missing = round(last - first) - (last - first)
    return replace(moving, by={**moving.by, along: missing})
