"""Make programs from programs: what lies between two, one changed a little, and a child of two."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from synesthete.programs.draws import Draws
from synesthete.programs.grammar import leanings, write_word
from synesthete.programs.parameters import Choice, Colour, Count, Ramp, Real
from synesthete.programs.program import VERSION, Node, Program
from synesthete.programs.sample import Sampled, until_fit
from synesthete.programs.words import FIGURES, SURFACES, WARPS

__all__ = ["crossover", "interpolate", "mutate", "shake"]

Tree = dict[str, Any]

_NEUTRAL = (0.0, 0.0, 0.0, 0.0)
_FORMS = dict(SURFACES) | dict(FIGURES)
_BLENDS = ("add", "screen", "lighten", "melt", "difference", "exclusion")


def interpolate(a: Program, b: Program, t: float) -> Program:
    """Give the program that lies a share ``t`` of the way from one to another; 0 is ``a``, 1 is ``b``.

    Where both trees have the same node, its values are mixed: numbers and what moves them, angles and hues
    the shorter way round, palettes stop by stop. Where the trees differ, one picture fades into the other.

    Raises
    ------
    ConfigError
        If the two together have more nodes than a program may have.
    """
    if t <= 0 or t >= 1:
        return a if t <= 0 else b
    return _program(_between(a.root, b.root, t))


def mutate(program: Program, seed: int, *, strength: float = 0.3) -> Sampled:
    """Change a program a little: its numbers and colours, and now and then a word.

    Parameters
    ----------
    strength
        0 to 1: how far numbers go, and how likely a field, a warp or a blend is replaced by another.
    """

    def write(attempt: int) -> Program:
        draws = Draws(seed, _NEUTRAL, attempt)
        tree = _reworded(program.root, draws, strength)
        return _program(_shaken(Program.from_json({"version": VERSION, "root": tree}).root, draws, strength))

    return until_fit(write, f"mutating with seed {seed}")


def shake(program: Program, seed: int, *, strength: float) -> Program:
    """Move a program's numbers and hues, and no word: quick, and without a look at what comes of it.

    Parameters
    ----------
    strength
        0 to 1: how far, as a share of each number's range.
    """
    return _program(_shaken(program.root, Draws(seed, _NEUTRAL), strength, words=False))


def crossover(a: Program, b: Program, seed: int) -> Sampled:
    """Give a child: the first program with a part of the second in place of one of its own."""
    takers, givers = _parts(a.root), _parts(b.root)

    def write(attempt: int) -> Program:
        draws = Draws(seed, _NEUTRAL, attempt)
        taker, inside = takers[draws.whole("taker", 0, len(takers) - 1)]
        fit = [node for node, _ in givers if node.kind == taker.kind and not (inside and _remembers(node))]
        if not fit:
            return a
        giver = fit[draws.whole("giver", 0, len(fit) - 1)]
        return _program(_rewritten(a.root, lambda node: giver.to_json() if node is taker else None))

    return until_fit(write, f"crossing with seed {seed}")


def _program(root: Tree) -> Program:
    return Program.from_json({"version": VERSION, "root": root})


def _rewritten(node: Node, change: Callable[[Node], Tree | None]) -> Tree:
    """Write a tree, with other nodes where a change gives them."""
    changed = change(node)
    if changed is not None:
        return changed
    return {**_head(node), **{slot: _rewritten(child, change) for slot, child in node.children.items()}}


def _head(node: Node) -> Tree:
    """Write a node without its children."""
    return {key: value for key, value in node.to_json().items() if key not in node.children}


def _parts(root: Node) -> list[tuple[Node, bool]]:
    """List the nodes that a program can lend or lose, and whether they lie inside a warp."""
    found: list[tuple[Node, bool]] = []

    def walk(node: Node, inside: bool) -> None:
        for child in node.children.values():
            found.append((child, inside or node.primitive.family == "warp"))
            walk(child, found[-1][1])

    walk(root, False)
    return found or [(root, False)]


def _remembers(node: Node) -> bool:
    return any(child.primitive.family == "memory" for child in node.walk())


# Between ----------------------------------------------------------------------------------------------------


def _between(a: Node, b: Node, t: float) -> Tree:
    fixed = [name for name, parameter in a.primitive.parameters.items() if not parameter.moves]
    if a.primitive is not b.primitive or any(a.values[name] != b.values[name] for name in fixed):
        return {"node": "mix", "share": t, "below": a.to_json(), "above": b.to_json()}
    values = {
        name: a.values[name] if name in fixed else _mixed(parameter, *_written(a, b, name), t)
        for name, parameter in a.primitive.parameters.items()
        if name in a.given | b.given
    }
    children = {slot: _between(child, b.children[slot], t) for slot, child in a.children.items()}
    return {"node": a.primitive.name, **values, **children}


def _written(a: Node, b: Node, name: str) -> tuple[Any, Any]:
    write = a.primitive.parameters[name].write  # type: ignore[union-attr]  # it moves, so it can be written
    return write(a.values[name]), write(b.values[name])


def _mixed(parameter: Any, a: Any, b: Any, t: float) -> Any:
    if isinstance(parameter, Real):
        return _mixed_number(a, b, t, period=parameter.high if parameter.wraps else None)
    key = "stops" if isinstance(parameter, Ramp) else "oklch"
    (a_stops, a_hue), (b_stops, b_hue) = (_shade(parameter, value, key) for value in (a, b))
    count = max(len(a_stops), len(b_stops))
    stops = [
        [(1 - t) * x + t * y for x, y in zip(p[:2], q[:2], strict=True)] + [_around(p[2], q[2], t, 360.0)]
        for p, q in zip(_spread(a_stops, count), _spread(b_stops, count), strict=True)
    ]
    hue = _mixed_number(a_hue, b_hue, t, period=1.0)
    return {key: stops if key == "stops" else stops[0], "hue": hue}


def _shade(parameter: Ramp | Colour, value: Any, key: str) -> tuple[list[list[float]], Any]:
    """Give a palette's or a colour's stops, and what turns its hue."""
    shade = parameter.read(value, key)
    return [list(stop) for stop in shade.stops], shade.hue.to_json()


def _spread(stops: list[list[float]], count: int) -> list[list[float]]:
    """Give so many stops along the same ramp."""
    if count == 1:
        return stops
    places = np.linspace(0, len(stops) - 1, count)
    table = np.array(stops)
    table[:, 2] = np.degrees(np.unwrap(np.radians(table[:, 2])))
    spread = np.stack([np.interp(places, np.arange(len(stops)), column) for column in table.T], 1)
    return [[float(value) for value in stop] for stop in spread]


def _mixed_number(a: Any, b: Any, t: float, *, period: float | None) -> Any:
    if a == b:
        return a
    if isinstance(a, str) or isinstance(b, str):
        return f"({_as_text(a)})*{1 - t:.6f} + ({_as_text(b)})*{t:.6f}"
    first, second = (value if isinstance(value, Mapping) else {"base": value} for value in (a, b))
    names = [*first, *(name for name in second if name not in first)]
    mixed = {name: (1 - t) * first.get(name, 0.0) + t * second.get(name, 0.0) for name in names}
    if period is not None:
        mixed["base"] = _around(first.get("base", 0.0), second.get("base", 0.0), t, period)
    return mixed if len(mixed) > 1 else mixed["base"]


def _as_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " + ".join(
            f"{amount}" if name == "base" else f"{amount}*{name}" for name, amount in value.items()
        )
    return str(value)


def _around(a: float, b: float, t: float, period: float) -> float:
    """Mix two places on a circle, the shorter way."""
    return a + t * ((b - a + period / 2) % period - period / 2)


# Changed ----------------------------------------------------------------------------------------------------


def _reworded(root: Node, draws: Draws, strength: float) -> Tree:
    """Replace words by others of their kind, each with a chance."""
    numbers = {id(node): number for number, node in enumerate(root.walk())}

    def change(node: Node) -> Tree | None:
        what = f"mutate.{numbers[id(node)]}"
        words: Mapping[str, Any] | None = None
        if node.primitive.name in _FORMS:
            words = _FORMS
        elif node.primitive.name in WARPS:
            words = WARPS
        share = min(0.95, max(0.01, 0.6 * strength))
        if words is not None and draws.chance(f"{what}.word", share):
            others = {name: word for name, word in words.items() if name != node.primitive.name}
            head = write_word(draws, what, others, draws.choose(f"{what}.new", leanings(others)))
            return {**head, **{slot: _rewritten(child, change) for slot, child in node.children.items()}}
        if node.primitive.name in _BLENDS and draws.chance(f"{what}.word", share):
            blend = draws.choose(f"{what}.new", {name: {} for name in _BLENDS})
            return {"node": blend, **{s: _rewritten(child, change) for s, child in node.children.items()}}
        return None

    return _rewritten(root, change)


def _shaken(root: Node, draws: Draws, strength: float, *, words: bool = True) -> Tree:
    """Move every number and colour a little, and choices and whole numbers if words are to move, too."""
    numbers = {id(node): number for number, node in enumerate(root.walk())}

    def write(node: Node) -> Tree:
        head = _head(node)
        if node.primitive.name == "exposure":  # as much light as can be without flashes
            return {**head, **{slot: write(child) for slot, child in node.children.items()}}
        for name, parameter in node.primitive.parameters.items():
            key = f"shake.{numbers[id(node)]}.{name}"
            head_value = head.get(name)
            if isinstance(parameter, Choice | Count) and not words:
                continue
            if isinstance(parameter, Choice):
                if draws.chance(f"{key}.else", max(0.01, 0.3 * strength)):
                    head[name] = draws.choose(key, {option: {} for option in parameter.options})
            elif isinstance(parameter, Count):
                value = node.values[name] + round(draws.between(key, -3.0, 3.0) * strength)
                head[name] = max(parameter.low, min(parameter.high, value))
            elif isinstance(parameter, Real):
                head[name] = _shaken_number(
                    parameter, parameter.write(node.values[name]), draws, key, strength
                )
            elif isinstance(parameter, Ramp) and head_value is not None:
                head[name] = _turned(head_value, "stops", draws.between(key, -0.3, 0.3) * strength)
        return {**head, **{slot: write(child) for slot, child in node.children.items()}}

    return write(root)


def _shaken_number(parameter: Real, value: Any, draws: Draws, key: str, strength: float) -> Any:
    if isinstance(value, str):
        return value
    moved = dict(value) if isinstance(value, Mapping) else {"base": value}
    reach = parameter.high - parameter.low
    # A way of 64 cells is as many pictures: a step of one is far enough.
    step = draws.between(key, -0.5, 0.5) * strength * (min(reach, 1.0) if parameter.wraps else reach)
    base = moved.get("base", 0.0) + step
    moved["base"] = round(base if parameter.wraps else max(parameter.low, min(parameter.high, base)), 4)
    for name in [name for name in moved if name != "base"]:
        moved[name] = round(moved[name] * (1.0 + draws.between(f"{key}.{name}", -1.0, 1.0) * strength), 4)
    return moved if len(moved) > 1 else moved["base"]


def _turned(value: Any, key: str, turn: float) -> Any:
    """Turn the hue of a palette."""
    stops, hue = (value[key], value.get("hue", 0.0)) if isinstance(value, Mapping) else (value, 0.0)
    if isinstance(hue, str):
        return value
    moved = dict(hue) if isinstance(hue, Mapping) else {"base": hue}
    moved["base"] = round(moved.get("base", 0.0) + turn, 4)
    return {key: stops, "hue": moved if len(moved) > 1 else moved["base"]}
