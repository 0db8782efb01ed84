"""Expressions in presets: what mathematics says, always finite, and refused with a reason."""

import math
import time
from collections.abc import Callable

import pytest
import torch

from synesthete.errors import ConfigError
from synesthete.programs.expression import parse_expression

X = torch.linspace(-3.0, 3.0, 25, dtype=torch.float64)  # 0 and whole numbers are among them
EVERY_FUNCTION = (
    "sin(x) + cos(x) + abs(x) + sqrt(x) + exp(x) + log(x) + tanh(x) + floor(x) + fract(x) + sign(x)"
    " + min(x, 1) + max(x, y, 1) + clamp(x, 0, y) + mix(x, 1, y) + step(y, x) + smoothstep(0, y, x) + x/y"
    " + x^2 + x^y - pi"
)


def value(text: str, **signals: float) -> float:
    tensors = {name: torch.tensor(number, dtype=torch.float64) for name, number in signals.items()}
    return parse_expression(text).evaluate(tensors).item()


def message(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_expression(text)
    (line,) = str(caught.value).splitlines()
    return line


# Meaning ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3", 7),
        ("(1 + 2)*3", 9),
        ("7 - 3 - 2", 2),
        ("7 - (3 - 2)", 6),
        ("16/4/2", 2),
        ("16/(4/2)", 8),
        ("2*3^2", 18),
        ("2^3^2", 512),
        ("(2^3)^2", 64),
        ("2**3", 8),
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("2^-1", 0.5),
        ("2^-2^2", 1 / 16),
        ("2^-1*8", 4),
        ("--2", 2),
        ("3 - -2", 5),
        ("3*-2", -6),
        ("1e-3 + .5 + 2. + 1.5E2", 152.501),
        (" \t1\n+\r\n1 ", 2),
        ("sin(pi/6)", 0.5),
        ("cos(tau)", 1),
        ("min(3, 1, 2) + max(3, 1, 2)", 4),
    ],
)
def test_operators_bind_as_in_mathematics(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-14)


def smooth(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("sin(x)", math.sin),
        ("cos(x)", math.cos),
        ("abs(x)", abs),
        ("sqrt(abs(x))", lambda x: math.sqrt(abs(x))),
        ("exp(x)", math.exp),
        ("log(x + 4)", lambda x: math.log(x + 4)),
        ("tanh(x)", math.tanh),
        ("floor(x)", math.floor),
        ("fract(x)", lambda x: x - math.floor(x)),
        ("sign(x)", lambda x: (x > 0) - (x < 0)),
        ("min(x, 1, 0.5*x)", lambda x: min(x, 1, x / 2)),
        ("max(x, 1, 2*x)", lambda x: max(x, 1, 2 * x)),
        ("clamp(x, -1, 2)", lambda x: min(max(x, -1), 2)),
        ("mix(5, -1, x)", lambda x: 5 - 6 * x),
        ("step(0.5, x)", lambda x: float(x >= 0.5)),
        ("smoothstep(-1, 2, x)", lambda x: smooth((x + 1) / 3)),
        ("smoothstep(2, -1, x)", lambda x: smooth((2 - x) / 3)),
        ("x^3", lambda x: x**3),
        ("x^-2", lambda x: x**-2 if x else 0.0),
        ("2^x", lambda x: 2**x),
    ],
)
def test_functions_agree_with_the_standard_library(text: str, reference: Callable[[float], float]) -> None:
    expected = torch.tensor([reference(x) for x in X.tolist()], dtype=torch.float64)
    torch.testing.assert_close(parse_expression(text).evaluate({"x": X}), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5/x", 0),
        ("0/x", 0),
        ("x^-1", 0),
        ("x^-0.5", 0),
        ("x^0", 1),
        ("sqrt(x - 4)", 0),
        ("log(x)", math.log(1e-6)),
        ("log(x - 4)", math.log(1e-6)),
        ("(x - 8)^(1/3)", 0),
        ("(x - 8)^0.5", 0),
        ("(x - 2)^3", -8),
        ("(x - 2)^-3", -1 / 8),
        ("(x - 2)^(1 + 2)", 0),  # no number as written: the base is taken as 0
        ("exp(x + 1000)", 1e6),
        ("-exp(x + 1000)", -1e6),
        ("exp(1000) - exp(1000)", 0),
        ("1/1e-300", 1e6),
        ("9^9^9^9^9", 1e6),
        ("(-9)^9", -1e6),
        ("clamp(x, 2, 1)", 1),
        ("smoothstep(1, 1, x)", 0),
        ("smoothstep(0, 0, x)", 1),
    ],
)
def test_what_mathematics_leaves_open_has_its_documented_value(text: str, expected: float) -> None:
    assert value(text, x=0.0) == pytest.approx(expected, rel=1e-12)
    assert value(text, x=-0.0) == pytest.approx(expected, rel=1e-12)


def test_signals_beyond_a_million_are_taken_as_a_million() -> None:
    assert value("x", x=1e300) == 1e6
    assert value("x + 1", x=-1e300) == -999_999


# Tensors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_have_the_signals_dtype_and_broadcast_shape(dtype: torch.dtype) -> None:
    signals = {"x": torch.rand(4, 1, 3, dtype=dtype), "y": torch.rand(5, 1, dtype=dtype)}
    result = parse_expression(EVERY_FUNCTION).evaluate(signals)
    assert (result.dtype, result.shape) == (dtype, (4, 5, 3))
    for text in ("2*pi", "step(1, 2)", "0-x"):
        signals = {"x": torch.tensor(0.5, dtype=dtype)}
        result = parse_expression(text).evaluate(signals)
        assert (result.dtype, result.shape) == (dtype, ())
    assert parse_expression("2*pi").evaluate({}).dtype == torch.float64


def test_everything_is_computed_where_the_signals_are() -> None:
    signals = {"x": torch.empty(7, device="meta"), "y": torch.empty((), device="meta")}
    assert parse_expression(EVERY_FUNCTION).evaluate(signals).device.type == "meta"
    assert parse_expression("pi").evaluate(signals).device.type == "meta"


def test_many_values_at_once_are_the_same_as_one_by_one() -> None:
    expression = parse_expression(EVERY_FUNCTION)
    together = expression.evaluate({"x": X, "y": X.flip(0)})
    single = [expression.evaluate({"x": x, "y": y}) for x, y in zip(X, X.flip(0), strict=True)]
    torch.testing.assert_close(together, torch.stack(single), rtol=1e-14, atol=1e-14)


def test_signals_are_left_as_they_were() -> None:
    x = torch.tensor([2e6, -1.0])
    result = parse_expression("x").evaluate({"x": x})
    result.zero_()
    assert x.tolist() == [2e6, -1.0]


# Names and canonical text -----------------------------------------------------------------------------------


def test_names_are_the_signals_and_nothing_else() -> None:
    expression = parse_expression("sin(tau*flow) + drums.onset*pi + flow + band_0 + e")
    assert expression.names == {"flow", "drums.onset", "band_0", "e"}
    assert parse_expression("1 + pi").names == frozenset()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" 0.30+.4 * (bass**2)", "0.3 + 0.4*bass^2"),
        ("((a+b))*(c)", "(a + b)*c"),
        ("(a+b)+c", "a + b + c"),
        ("a+(b+c)", "a + (b + c)"),
        ("a-(b-c)", "a - (b - c)"),
        ("a/(b*c)", "a/(b*c)"),
        ("(a*b)/c", "a*b/c"),
        ("a*(-b)", "a*-b"),
        ("a-(-b)", "a - -b"),
        ("(-a)*b", "-a*b"),
        ("-(a*b)", "-(a*b)"),
        ("-(a^b)", "-a^b"),
        ("(-a)^b", "(-a)^b"),
        ("a^(-(b^c))", "a^-b^c"),
        ("a^((-b)^c)", "a^(-b)^c"),
        ("(a^-b)^c", "(a^-b)^c"),
        ("a^(b*c)", "a^(b*c)"),
        ("min((a),(b+1))", "min(a, b + 1)"),
        ("100000 + 1e5 + 00.00001", "100000 + 100000 + 1e-05"),
        ("pi", "pi"),
    ],
)
def test_canonical_text_has_the_parentheses_it_needs(text: str, canonical: str) -> None:
    expression = parse_expression(text)
    assert expression.text == canonical
    assert parse_expression(canonical) == expression
    assert hash(parse_expression(canonical)) == hash(expression)


# Refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["character 1 (the end)", "a value is missing"]),
        (" \n", ["(the end)", "a value is missing"]),
        ("1 2", ["character 3 ('2')", "an operator is missing"]),
        ("2x", ["character 2 ('x')", "an operator is missing"]),
        ("sin(1 2)", ["character 7 ('2)')", "an operator is missing"]),
        ("1 + ", ["character 5 (the end)", "a value is missing"]),
        ("*2", ["character 1 ('*2')", "a value is missing"]),
        ("+x", ["character 1 ('+x')", "a value is missing"]),
        ("min(1,)", ["character 7 (')')", "a value is missing"]),
        ("(1 + 2", ["character 1 ('(1 + 2')", "never closed; add )"]),
        ("x*sin(x", ["character 6 ('(x')", "never closed; add )"]),
        ("1 + 2)", ["character 6 (')')", "closes nothing; remove it"]),
        ("1,5*bass", ["character 2 (',5*bass')", "comma", "decimal point"]),
        ("(1, 2)", ["character 3", "comma"]),
        ("sin", ["character 1 ('sin')", "is a function, not a signal; write sin(x)"]),
        ("1 + clamp*2", ["character 5", "write clamp(x, lo, hi)"]),
        ("sin()", ["sin takes 1 argument, not 0; write sin(x)"]),
        ("cos(1, 2)", ["cos takes 1 argument, not 2"]),
        ("max(1)", ["max takes 2 or more arguments, not 1; write max(a, b, ...)"]),
        ("2*mix(1, 2)", ["character 3 ('mix(1, 2)')", "mix takes 3 arguments, not 2; write mix(a, b, t)"]),
        ("sqr(x)", ["character 1 ('sqr(x)')", "no known function; did you mean sqrt"]),
        ("qqq(x)", ["no known function; known are sin, cos, abs"]),
        ("a.b(x)", ["no known function"]),
        ("pi(2)", ["no known function"]),
        ("1e999", ["character 1 ('1e999')", "over the limit of 1000000"]),
        ("x + 1e7", ["character 5 ('1e7')", "over the limit of 1000000"]),
        ("nan + inf(1)", ["no known function"]),
        ("a.b.c", ["character 4 ('.c')", "has no meaning"]),
        ("Bass", ["character 1 ('Bass')", "lower-case names"]),
        ("bass = 2", ["character 6 ('= 2')", "has no meaning"]),
        ("1_000", ["character 2", "has no meaning"]),
        ("__import__('os')", ["character 1", "has no meaning"]),
        ("x if y else z", ["an operator is missing"]),
        ("(lambda: 0)()", ["character 8 (': 0)()')", "has no meaning"]),
        ("x·2", ["character 2 ('·2')", "has no meaning"]),
        ("٣ + 1", ["character 1", "has no meaning"]),  # a digit, but not one of ours
        ("x\x00", ["('\\x00')", "has no meaning"]),
        ("\ud800", ["('\\ud800')", "has no meaning"]),
        ("x" * 501, ["501 characters, over the limit of 500; shorten it"]),
        (
            "+".join(["abcd"] * 100),
            ["697 characters in canonical spelling", "over the limit of 500; shorten it"],
        ),
        ("+".join("a" * 101), ["character 200 ('+a')", "over the limit of 200 numbers", "simplify it"]),
        ("(" * 41 + "x" + ")" * 41, ["character 42", "over the limit of 40 levels; simplify it"]),
        ("-" * 41 + "x", ["character 42", "over the limit of 40 levels"]),
        ("^".join("x" * 42), ["character 83", "over the limit of 40 levels"]),
        ("sin(" * 41 + "x" + ")" * 41, ["over the limit of 40 levels"]),
        ("(" * 499, ["over the limit of 40 levels"]),
    ],
)
def test_refusals_name_the_place_the_limit_and_the_remedy(text: str, parts: list[str]) -> None:
    refusal = message(text)
    assert refusal.startswith("expression")
    assert len(refusal) < 250
    for part in parts:
        assert part in refusal


def test_expressions_at_the_limits_are_read() -> None:
    assert value("(" * 40 + "x" + ")" * 40, x=2.0) == 2
    assert value("-" * 40 + "x", x=2.0) == 2
    assert value("^".join("x" * 41), x=1.0) == 1
    assert value("+".join("x" * 100), x=2.0) == 200
    assert parse_expression("x" * 500).names == {"x" * 500}


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 5000 + ")" * 5000,
        "x+" * 5_000_000,
        "9" * 10_000_000,
        " " * 10_000_000,
        "a" * 499 + "(",
    ],
    ids=["open", "nested", "long sum", "long number", "blank", "long name"],
)
def test_hostile_texts_are_refused_at_once(text: str) -> None:
    start = time.process_time()
    message(text)
    assert time.process_time() - start < 0.5
