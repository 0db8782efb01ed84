"""Programs as JSON: what is read, what is refused, and how parameters move."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from synesthete.errors import ConfigError
from synesthete.programs.program import Program

RINGS = {"node": "rings"}


def program(root: Any) -> Program:
    return Program.from_json({"version": 1, "root": root})


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = dict(RINGS)
    for _ in range(depth):
        node = {"node": "rotate", "of": node}
    return node


def cycle() -> dict[str, Any]:
    node: dict[str, Any] = {"node": "rotate"}
    node["of"] = node
    return {"version": 1, "root": node}


def doubling(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = dict(RINGS)
    for _ in range(levels):
        node = {"node": "add", "below": node, "above": node}
    return {"version": 1, "root": node}


def test_reading_what_was_written_gives_the_same_program() -> None:
    tree = {
        "node": "palette",
        "colours": {"stops": "silk", "hue": {"base": 0.1, "energy": 0.05}},
        "light": "0.5 + body^2",
        "of": {"node": "rotate", "turn": {"turn": 1.0}, "of": {"node": "rings", "count": 7}},
    }
    first = program(tree)

    assert Program.from_text(first.to_text()) == first
    assert first.to_json()["root"]["light"] == "0.5 + body^2"
    assert "phase" not in first.to_json()["root"]["of"]["of"]


def test_it_names_the_signals_that_move_it() -> None:
    tree = {"node": "rotate", "turn": {"turn": 1.0}, "of": {"node": "rings", "count": "3 + air*bass"}}

    assert program(tree).signals == {"turn", "air", "bass"}


def test_parameters_follow_signals_and_stay_in_range() -> None:
    moving = program({"node": "rings", "count": {"base": 10, "energy": 100}})
    values = moving.vectors({"energy": torch.tensor([-1.0, 0.1, 5.0], dtype=torch.float64)})

    column = moving.columns.index("0.rings.count.0")
    assert values[:, column].tolist() == [0.5, 20.0, 24.0]


def test_phases_wrap_without_losing_precision_in_a_long_song() -> None:
    moving = program({"node": "rings", "phase": {"flow": 1.0}})
    values = moving.vectors({"flow": torch.tensor([0.25, 100_000.25], dtype=torch.float64)})

    column = moving.columns.index("0.rings.phase.0")
    assert values[0, column] == values[1, column] == 0.25


def test_seeds_and_numbers_do_not_change_the_structure_but_words_do() -> None:
    assert (
        program({"node": "rings", "count": 2}).structure == program({"node": "rings", "count": 9}).structure
    )
    assert program(nested(1)).structure != program(nested(2)).structure


HOSTILE: dict[str, tuple[Any, str]] = {
    "a list": ([1, 2], "is no program"),
    "no version": ({"root": RINGS}, "version"),
    "a later version": ({"version": 2, "root": RINGS}, "version"),
    "a version that is true": ({"version": True, "root": RINGS}, "version"),
    "no root": ({"version": 1}, "root is missing"),
    "something else beside": ({"version": 1, "root": RINGS, "code": "x"}, "'code'"),
    "a root that is text": ({"version": 1, "root": "rings"}, "is no node"),
    "an unknown node": ({"version": 1, "root": {"node": "ring"}}, "did you mean rings"),
    "a node without a name": ({"version": 1, "root": {}}, "no primitive"),
    "a name that is a list": ({"version": 1, "root": {"node": ["rings"]}}, "no primitive"),
    "an unknown parameter": ({"version": 1, "root": {**RINGS, "cuont": 2}}, "did you mean count"),
    "a parameter that is no text": ({"version": 1, "root": {**RINGS, 3: 2}}, "has no 3"),
    "NaN": ({"version": 1, "root": {**RINGS, "count": float("nan")}}, "outside"),
    "infinity": ({"version": 1, "root": {**RINGS, "count": float("inf")}}, "outside"),
    "a huge number": ({"version": 1, "root": {**RINGS, "count": 10**400}}, "outside"),
    "a number out of range": ({"version": 1, "root": {**RINGS, "count": 50}}, "outside 0.5 to 24"),
    "a truth value": ({"version": 1, "root": {**RINGS, "count": True}}, "is no number"),
    "an amount that is text": ({"version": 1, "root": {**RINGS, "count": {"bass": "x"}}}, "is no number"),
    "a signal with spaces": ({"version": 1, "root": {**RINGS, "count": {"a b": 1}}}, "no name of a signal"),
    "code": ({"version": 1, "root": {**RINGS, "count": "__import__('os')"}}, "no meaning"),
    "a missing child": ({"version": 1, "root": {"node": "rotate"}}, "of is missing"),
    "a child too many": ({"version": 1, "root": {**RINGS, "of": RINGS}}, "has no 'of'"),
    "a picture for a field": (
        {"version": 1, "root": {"node": "palette", "of": {"node": "palette", "of": RINGS}}},
        "needs a field",
    ),
    "an unknown palette": (
        {"version": 1, "root": {"node": "palette", "of": RINGS, "colours": "silc"}},
        "silk",
    ),
    "a palette of one": (
        {"version": 1, "root": {"node": "palette", "of": RINGS, "colours": [[0, 0, 0]]}},
        "2 to 8 stops",
    ),
    "a colour out of range": (
        {"version": 1, "root": {"node": "palette", "of": RINGS, "colours": [[0, 0, 0], [2, 0, 0]]}},
        "lightness",
    ),
    "glow inside a warp": (
        {"version": 1, "root": {"node": "rotate", "of": {"node": "glow", "of": RINGS}}},
        "inside a warp",
    ),
    "a cycle": (cycle(), "deep"),
    "doubling references": (doubling(20), "200 nodes"),
    "depth": ({"version": 1, "root": nested(400)}, "deep"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_wrong_is_refused_in_one_sentence(name: str) -> None:
    value, said = HOSTILE[name]
    started = time.process_time()

    with pytest.raises(ConfigError) as caught:
        Program.from_json(value)

    assert said in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 2.0


TEXTS: dict[str, Callable[[], str]] = {
    "ten megabytes": lambda: "[" * 10_000_000,
    "brackets": lambda: "[" * 100_000,
    "half a program": lambda: '{"version": 1, "root": {',
    "a key twice": lambda: '{"version": 1, "version": 1}',
    "digits": lambda: '{"version": 1, "root": {"node": "rings", "count": ' + "9" * 5000 + "}}",
    "NaN": lambda: '{"version": 1, "root": {"node": "rings", "count": NaN}}',
    "nothing": lambda: "",
    "thousands of nodes": lambda: json.dumps(doubling(7) | {"version": 1}),
}


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_refused_quickly(name: str) -> None:
    text = TEXTS[name]()
    started = time.process_time()

    with pytest.raises(ConfigError) as caught:
        Program.from_text(text)

    assert len(str(caught.value)) < 400
    assert time.process_time() - started < 2.0
