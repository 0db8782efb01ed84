"""Programs: trees of primitives that serialise to JSON.

``{"version": 1, "root": NODE}``, where a node names its primitive, its parameters and its children:
``{"node": "twist", "amount": {"base": 0.2, "bass": 0.5}, "of": {"node": "rings"}}``. What a tree's code looks
like (primitives, counts, choices) is its structure; everything else is a vector of numbers per
frame, so that neither a new seed nor another song needs new code.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.errors import ConfigError
from synesthete.programs.parameters import Choice, Colour, Count, Ramp, Real, shown
from synesthete.programs.registry import Kind, Primitive, Table, primitives

__all__ = ["FRAME_SLOTS", "VERSION", "Node", "Program"]

VERSION = 1
FRAME_SLOTS = 3
"""Scalars at the head of a frame's vector: size of a pixel, half the width, half the height."""

_MOST_NODES = 200
_MOST_DEPTH = 24
_MOST_CHARACTERS = 1_000_000
_MOST_MAPS = 4


@dataclass(frozen=True)
class Node:
    """One primitive with its values and children.

    Attributes
    ----------
    primitive
        The word.
    values
        A value for each of its parameters, as read.
    children
        A node for each of its slots.
    given
        The parameters that were written down; others have their defaults.
    """

    primitive: Primitive
    values: Mapping[str, Any]
    children: Mapping[str, "Node"]
    given: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def kind(self) -> Kind:
        """Tell what it gives: a field or a picture."""
        if self.primitive.gives != "any":
            return self.primitive.gives
        return next(child.kind for slot, child in self.children.items() if slot != "matte")

    def walk(self) -> Iterator["Node"]:
        """Give this node, then its children's, in order."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def to_json(self) -> dict[str, Any]:
        """Write what differs from the defaults."""
        parameters = self.primitive.parameters
        written = {name: self.values[name] for name in parameters if name in self.given}
        return {
            "node": self.primitive.name,
            **{name: _write(parameters[name], value) for name, value in written.items()},
            **{slot: child.to_json() for slot, child in self.children.items()},
        }

    @property
    def structure(self) -> tuple[Any, ...]:
        """Give what decides its code."""
        fixed = [value for name, value in self.values.items() if not self.primitive.parameters[name].moves]
        return (self.primitive.name, *fixed, *(child.structure for child in self.children.values()))


def _write(parameter: Any, value: Any) -> Any:
    return value if isinstance(parameter, Count | Choice) else parameter.write(value)


@dataclass(frozen=True)
class Program:
    """A picture that moves with the music, as a tree."""

    root: Node

    @classmethod
    def from_json(cls, value: Any, *, where: str = "program") -> "Program":
        """Read a program from JSON values.

        Raises
        ------
        ConfigError
            If it is none: says which field is wrong, what it was and what is allowed.
        """
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} = {shown(value)} is no program; give version and root")
        unknown = sorted(str(key) for key in value if key not in ("version", "root"))
        if unknown:
            raise ConfigError(f"{where} has {shown(unknown[0])}; it takes version and root")
        version = value.get("version")
        if version != VERSION or isinstance(version, bool):
            raise ConfigError(f"{where}.version = {shown(version)}: this Synesthete reads version {VERSION}")
        if "root" not in value:
            raise ConfigError(f"{where}.root is missing; give a node such as {{node: rings}}")
        reader = _Reader()
        return cls(reader.node(value["root"], f"{where}.root"))

    @classmethod
    def from_text(cls, text: str, *, where: str = "program") -> "Program":
        """Read a program from JSON text.

        Raises
        ------
        ConfigError
            If it is no JSON, too long, or no program.
        """
        if len(text) > _MOST_CHARACTERS:
            raise ConfigError(
                f"{where} has {len(text)} characters; a program has at most {_MOST_CHARACTERS}; simplify it"
            )
        try:
            value = json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where} is not JSON ({str(error)[:80]}); correct it") from None
        return cls.from_json(value, where=where)

    @classmethod
    def sample(cls, seed: int, style: Sequence[float] = (0.0, 0.0, 0.0, 0.0)) -> "Program":
        """Draw a program from a seed and a style; see `synesthete.programs.sample.sample_program`.

        Raises
        ------
        ConfigError
            If the style is none.
        """
        from synesthete.programs.sample import sample_program  # it writes programs

        return sample_program(seed, style).program

    def to_json(self) -> dict[str, Any]:
        """Write the program as JSON values; reading them gives the same program."""
        return {"version": VERSION, "root": self.root.to_json()}

    def to_text(self) -> str:
        """Write the program as readable JSON."""
        return json.dumps(self.to_json(), indent=2, allow_nan=False)

    @cached_property
    def structure(self) -> tuple[Any, ...]:
        """Give what decides the code: programs of one structure share their kernels."""
        return self.root.structure

    @cached_property
    def hears(self) -> tuple[Table, ...]:
        """Give the tables of `synesthete.programs.registry.Heard` that it looks at."""
        return tuple(sorted({table for node in self.root.walk() for table in node.primitive.hears}))

    @cached_property
    def signals(self) -> frozenset[str]:
        """Give the signals that move it."""
        names: set[str] = set()
        for node in self.root.walk():
            for name, parameter in node.primitive.parameters.items():
                if parameter.moves:
                    names |= node.values[name].names
        return frozenset(names)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Name the scalars of a frame's vector, beyond the first `FRAME_SLOTS`."""
        names = []
        for index, node in enumerate(self.root.walk()):
            for name, parameter in node.primitive.parameters.items():
                names += [f"{index}.{node.primitive.name}.{name}.{slot}" for slot in range(parameter.slots)]
        return tuple(names)

    def vectors(self, signals: Mapping[str, Tensor]) -> Float[Tensor, "*frames columns"]:
        """Evaluate every parameter.

        Parameters
        ----------
        signals
            One tensor per name in `signals`, all of one shape: a value per frame.

        Returns
        -------
        float32, in the order of `columns`; every value lies in its parameter's range.
        """
        shape = next((tensor.shape for tensor in signals.values()), torch.Size())
        vectors = self._still.expand(*shape, -1).clone()
        if self._moving:
            scalars = [
                scalar.to(torch.float64).expand(shape)
                for _, parameter, value in self._moving
                for scalar in parameter.evaluate(value, signals)
            ]
            places = [first + slot for first, parameter, _ in self._moving for slot in range(parameter.slots)]
            vectors[..., places] = torch.stack(scalars, -1).float()
        return vectors

    @cached_property
    def _scalars(self) -> Sequence[tuple[int, Real | Ramp | Colour, Any]]:
        """Give every parameter that a vector has, where it begins there, and its value."""
        found, first = [], 0
        for node in self.root.walk():
            for name, parameter in node.primitive.parameters.items():
                if not isinstance(parameter, Count | Choice):
                    found.append((first, parameter, node.values[name]))
                    first += parameter.slots
        return found

    @cached_property
    def _moving(self) -> Sequence[tuple[int, Real | Ramp | Colour, Any]]:
        return [one for one in self._scalars if one[2].names]

    @cached_property
    def _still(self) -> Float[Tensor, " columns"]:
        """Give a vector whose moving values are 0: most values of most programs never move."""
        scalars: list[Tensor] = []
        for _, parameter, value in self._scalars:
            moves = bool(value.names)
            scalars += [torch.zeros(())] * parameter.slots if moves else parameter.evaluate(value, {})
        return torch.stack([scalar.double() for scalar in scalars]).float() if scalars else torch.zeros(0)


class _Reader:
    """Reads nodes, and counts them."""

    def __init__(self) -> None:
        self._nodes = 0
        self._maps = 0

    def node(self, value: Any, where: str, *, depth: int = 1, warped: bool = False) -> Node:
        self._nodes += 1
        if depth > _MOST_DEPTH:
            raise ConfigError(f"{where[:80]}…: a program is at most {_MOST_DEPTH} nodes deep; simplify it")
        if self._nodes > _MOST_NODES:
            raise ConfigError(f"{where}: a program has at most {_MOST_NODES} nodes; simplify it")
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} = {shown(value)} is no node; give a mapping such as {{node: rings}}")
        primitive = _primitive(value.get("node"), where)
        self._check_map(primitive, where, warped=warped)
        known = {*primitive.parameters, *primitive.slots, "node"}
        for key in value:
            if key not in known:
                raise ConfigError(f"{where}: {_unknown(key, known - {'node'}, primitive.name)}")
        values = {
            name: parameter.read(value.get(name, parameter.default), f"{where}.{name}")
            for name, parameter in primitive.parameters.items()
        }
        children = {}
        for slot, kind in primitive.slots.items():
            if slot not in value:
                raise ConfigError(f"{where}.{slot} is missing: {primitive.name} needs a node there")
            child = self.node(
                value[slot], f"{where}.{slot}", depth=depth + 1, warped=warped or primitive.family == "warp"
            )
            if kind == "field" and child.kind == "picture":
                raise ConfigError(
                    f"{where}.{slot} is a picture ({child.primitive.name}), but {primitive.name} needs a "
                    "field there; take the colouring away"
                )
            children[slot] = _coloured(child) if kind == "picture" else child
        if primitive.family == "blend":
            children = _of_one_kind(children)
        return Node(primitive, values, children, frozenset(value) & set(primitive.parameters))

    def _check_map(self, primitive: Primitive, where: str, *, warped: bool) -> None:
        if primitive.family != "memory":
            return
        self._maps += 1
        if warped:
            raise ConfigError(
                f"{where}: {primitive.name} sees the whole screen and can't lie inside a warp; "
                "put the warp inside it"
            )
        if self._maps > _MOST_MAPS:
            raise ConfigError(
                f"{where}: a program has at most {_MOST_MAPS} nodes of glow and feedback; take some away"
            )


def _primitive(name: Any, where: str) -> Primitive:
    known = primitives()
    if not isinstance(name, str) or name not in known:
        close = difflib.get_close_matches(str(name)[:40], known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see docs/programs.md for all of them"
        raise ConfigError(f"{where}: there is no primitive {shown(name)}; {hint}")
    return known[name]


def _unknown(key: Any, known: set[str], name: str) -> str:
    close = difflib.get_close_matches(str(key)[:40], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(sorted(known)) or 'nothing'}"
    return f"{name} has no {shown(key)}; {hint}"


def _coloured(node: Node) -> Node:
    """Make a picture of a field, in greys."""
    if node.kind == "picture":
        return node
    grey = primitives()["grey"]
    return Node(grey, {}, {"of": node})


def _of_one_kind(children: dict[str, Node]) -> dict[str, Node]:
    if all(child.kind == "field" for child in children.values()):
        return children
    return {slot: child if slot == "matte" else _coloured(child) for slot, child in children.items()}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key given twice instead of keeping the last."""
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{shown(twice)} is given twice")
    return result
