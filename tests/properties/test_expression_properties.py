"""Random expressions: the text keeps the meaning, results are finite, and garbage is refused politely."""

import math
from typing import Any

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from synesthete.errors import ConfigError
from synesthete.programs.expression import parse_expression

ARGUMENTS = {
    **dict.fromkeys(("sin", "cos", "abs", "sqrt", "exp", "log", "tanh", "floor", "fract", "sign"), 1),
    **{"min": 2, "max": 2, "step": 2, "clamp": 3, "mix": 3, "smoothstep": 3},
}
NUMBERS = st.one_of(
    st.integers(0, 9).map(str),
    st.sampled_from(["1e6", "999999.5", "1e-300", "0.5", "1e-7", "pi", "tau"]),
    st.floats(0, 1e6).map(repr),
)
LEAVES = st.one_of(NUMBERS, st.sampled_from(["x", "y", "drums.onset"]))
EXTREME = st.one_of(st.floats(-4, 4), st.floats(allow_nan=False, allow_infinity=False, width=32))

Tree = Any  # a leaf's text, or a tuple of an operator or function and its operands


def trees(operators: str, functions: dict[str, int]) -> st.SearchStrategy[Tree]:
    def grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        calls = [st.tuples(st.just(name), *[inner] * count) for name, count in functions.items()]
        return st.one_of(
            st.tuples(st.sampled_from(operators), inner, inner), st.tuples(st.just("-"), inner), *calls
        )

    return st.recursive(LEAVES, grow, max_leaves=12)


def spell(tree: Tree) -> str:
    """Write a tree with every parenthesis there can be."""
    if isinstance(tree, str):
        return tree
    name, *operands = tree
    texts = [spell(operand) for operand in operands]
    if name.isalpha():
        return f"{name}({','.join(texts)})"
    return f"(-{texts[0]})" if len(texts) == 1 else f"({texts[0]}{name}{texts[1]})"


def calculate(tree: Tree, signals: dict[str, float]) -> float:
    """Compute a tree of operations that IEEE arithmetic rounds in one way only."""
    if isinstance(tree, str):
        constants = {"pi": math.pi, "tau": math.tau, **signals}
        return clamp(constants[tree] if tree in constants else float(tree))
    name, *operands = tree
    a, b = ([calculate(operand, signals) for operand in operands] + [0.0])[:2]
    if len(operands) == 1:
        return clamp(-a if name == "-" else abs(a))
    quotient = a / b if name == "/" and b != 0 else 0.0
    results = {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "min": min(a, b), "max": max(a, b)}
    return clamp(results[name])


def clamp(number: float) -> float:
    return min(max(number, -1e6), 1e6)


@given(trees("+-*/", {"abs": 1, "min": 2, "max": 2}), EXTREME, EXTREME)
def test_values_are_those_of_plain_arithmetic(tree: Tree, x: float, y: float) -> None:
    signals = {"x": x, "y": y, "drums.onset": 0.25}
    text = spell(tree)
    assume(len(text) < 400)
    tensors = {name: torch.tensor(number, dtype=torch.float64) for name, number in signals.items()}
    assert parse_expression(text).evaluate(tensors).item() == calculate(tree, signals)


@given(trees("+-*/^", ARGUMENTS))
def test_canonical_text_is_stable_and_means_the_same(tree: Tree) -> None:
    text = spell(tree)
    assume(len(text) < 400)
    expression = parse_expression(text)
    again = parse_expression(expression.text)
    assert again == expression
    signals = {name: torch.linspace(-3, 3, 7) for name in expression.names}
    assert torch.equal(again.evaluate(signals), expression.evaluate(signals))


PIECES = st.tuples(st.sampled_from(["", "-"]), st.floats(0.5, 1.5).map(lambda x: f"{x:.3f}")).map("".join)


@given(st.lists(st.tuples(st.sampled_from(["+", "-", "*", "/", "**"]), PIECES), max_size=6), PIECES)
def test_precedence_is_that_of_python(rest: list[tuple[str, str]], first: str) -> None:
    text = first + "".join(operator + piece for operator, piece in rest)
    assert parse_expression(text).evaluate({}).item() == pytest.approx(eval(text), rel=1e-9, abs=1e-9)


@settings(max_examples=200)
@given(
    trees("+-*/^", ARGUMENTS),
    st.lists(EXTREME, min_size=9, max_size=9),
    st.sampled_from([torch.float32, torch.float64]),
)
@example(
    ("^", ("-", "1e6"), ("-", "y")), [0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, 1.0, -1.0, 0.5], torch.float32
)
@example(("/", "x", "y"), [0.0, 0.0, 0.0, 1e-45, -1e-45, 3e38, 0.0, 1e-45, 1e-45], torch.float32)
def test_results_are_finite_and_within_a_million(
    tree: Tree, numbers: list[float], dtype: torch.dtype
) -> None:
    text = spell(tree)
    assume(len(text) < 400)
    values = torch.tensor(numbers, dtype=torch.float64).to(dtype)
    signals = {"x": values[:, None], "y": values.flip(0), "drums.onset": values[0]}
    result = parse_expression(text).evaluate(signals)
    assert result.dtype == dtype
    assert bool((result.abs() <= 1e6).all())


FRAGMENTS = st.sampled_from(
    [*"0123456789.+-*/^(),xye _\n=", "sin(", "min(", "1e", "e-5", "**", "drums.", "pi"]
)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=60), st.lists(FRAGMENTS, max_size=40).map("".join)))
def test_garbage_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ConfigError as error:
        refusal = str(error)
    else:
        assert parse_expression(expression.text) == expression
        return
    assert len(refusal.splitlines()) == 1
    assert len(refusal) < 400
