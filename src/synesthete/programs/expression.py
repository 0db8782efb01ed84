"""Arithmetic over signals, as users write it in a preset: ``radius: "0.3 + 0.4*bass^2"``.

A precedence-climbing parser turns the text into a flat list of steps in postfix order, so that evaluation
does not recurse (the parser does, down to a fixed depth), and into canonical text, with parentheses only
where they are needed. ``-x^2`` is ``-(x^2)``, ``2^3^2`` is ``2^9``.

Evaluation is total: finite signals give finite results, as every value on the way lies within ±1e6, and what
mathematics leaves undefined is given a value (`Expression` says which).
"""

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.errors import ConfigError

__all__ = ["Expression", "parse_expression"]

_MOST_CHARACTERS = 500
_MOST_NODES = 200
_MOST_DEPTH = 40
_LARGEST = 1e6

Values = Float[Tensor, "..."]
_Operation = Callable[..., Tensor]


class _Call(NamedTuple):
    name: str
    arguments: int


_Step = float | str | _Call  # a string is the name of a signal


@dataclass(frozen=True)
class Expression:
    """An expression that was read by `parse_expression`.

    What is computed, where mathematics or floating point would give no finite number:

    - Every value is clamped to ±1e6: signals and intermediate results.
    - ``x/0`` is 0.
    - ``x^y``: where ``y`` is written as a whole number, the sign of ``x`` counts; with any other ``y``, an
      ``x`` below 0 is taken as 0. 0 to a negative power is 0, ``0^0`` is 1.
    - ``sqrt(x)`` is 0 below 0; ``log(x)`` is the natural logarithm of ``max(x, 1e-6)``, so at least -13.8.
    - ``clamp(x, lo, hi)`` is ``hi`` where ``lo > hi``. ``smoothstep(lo, hi, x)`` falls where ``lo > hi``, and
      is ``step(lo, x)`` where they are equal; ``step(edge, x)`` is 1 where ``x >= edge``.

    Attributes
    ----------
    text
        Canonical spelling, without needless parentheses; reading it gives an equal expression.
    names
        The signals it reads. Whether they exist is for the caller to check.
    """

    text: str
    names: frozenset[str]
    _steps: tuple[_Step, ...] = field(repr=False)

    def evaluate(self, signals: Mapping[str, Values]) -> Values:
        """Compute the expression, element by element.

        Parameters
        ----------
        signals
            At least those in ``names``: tensors that broadcast against one another, of one dtype (float32 or
            float64) and on one device.

        Returns
        -------
        Values within ±1e6, in the broadcast shape of the signals that are read, their dtype and device; a
        0-d tensor where none is read (float64 on the CPU if ``signals`` is empty).

        Raises
        ------
        KeyError
            If a signal in ``names`` is missing.

        Examples
        --------
        >>> parse_expression("0.5 + bass^2/2").evaluate({"bass": torch.tensor([0.0, 0.5, 1.0])})
        tensor([0.5000, 0.6250, 1.0000])
        """
        like = next(iter(signals.values()), torch.empty((), dtype=torch.float64))
        stack: list[Tensor] = []
        for step in self._steps:
            if isinstance(step, _Call):
                first = len(stack) - step.arguments
                value = _OPERATIONS[step.name](*stack[first:])
                del stack[first:]
            elif isinstance(step, str):
                value = signals[step]
            else:
                value = torch.full((), step, dtype=like.dtype, device=like.device)
            stack.append(value.clamp(-_LARGEST, _LARGEST))
        return stack.pop()


def parse_expression(text: str) -> Expression:
    """Read an arithmetic expression over signals.

    There are numbers (``0.3``, ``1e-3``), signals by their lower-case names (``bass``, ``drums.onset``),
    ``pi`` and ``tau``, the operators ``+ - * / ^`` (``**`` is the same as ``^``), parentheses, and the
    functions sin and cos (of radians), abs, sqrt, exp, log, tanh, floor, fract, sign, min, max, clamp, mix,
    step and smoothstep, with their arguments in GLSL's order.

    Parameters
    ----------
    text
        At most 500 characters, in canonical spelling too; at most 200 numbers, names, operators and calls;
        nested at most 40 levels deep (parentheses, calls, right operands); numbers up to 1e6.

    Raises
    ------
    ConfigError
        If it is no such expression; the message names the place.

    Examples
    --------
    >>> expression = parse_expression("(0.30+.4 * (bass**2))")
    >>> expression.text, sorted(expression.names)
    ('0.3 + 0.4*bass^2', ['bass'])
    """
    _check_length(text, "")
    canonical, steps = _Parser(text).parse()
    _check_length(canonical, f" in canonical spelling ({canonical[:24]!r}...)")
    return Expression(canonical, frozenset(step for step in steps if isinstance(step, str)), steps)


def _check_length(text: str, spelling: str) -> None:
    if len(text) > _MOST_CHARACTERS:
        limit = f"over the limit of {_MOST_CHARACTERS}; shorten it"
        raise ConfigError(f"expression has {len(text)} characters{spelling}, {limit}")


# Operations: total for operands within ±1e6 -----------------------------------------------------------------


def _divide(x: Tensor, y: Tensor) -> Tensor:
    return (x / y).masked_fill(y == 0, 0.0)


def _whole_power(x: Tensor, y: Tensor) -> Tensor:
    return (x**y).masked_fill((x == 0) & (y < 0), 0.0)


def _power(x: Tensor, y: Tensor) -> Tensor:
    return _whole_power(x.clamp(min=0.0), y)


def _step(edge: Tensor, x: Tensor) -> Tensor:
    return (x >= edge).to(x.dtype)


def _smoothstep(low: Tensor, high: Tensor, x: Tensor) -> Tensor:
    t = torch.where(low == high, _step(low, x), (x - low) / (high - low)).clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


_CONSTANTS = {"pi": math.pi, "tau": math.tau}
_FUNCTIONS: dict[str, tuple[str, _Operation]] = {
    "sin": ("x", torch.sin),
    "cos": ("x", torch.cos),
    "abs": ("x", torch.abs),
    "sqrt": ("x", lambda x: x.clamp(min=0.0).sqrt()),
    "exp": ("x", torch.exp),
    "log": ("x", lambda x: x.clamp(min=1e-6).log()),
    "tanh": ("x", torch.tanh),
    "floor": ("x", torch.floor),
    "fract": ("x", lambda x: x - x.floor()),
    "sign": ("x", torch.sign),
    "min": ("a, b, ...", lambda *values: reduce(torch.minimum, values)),
    "max": ("a, b, ...", lambda *values: reduce(torch.maximum, values)),
    "clamp": ("x, lo, hi", lambda x, low, high: x.maximum(low).minimum(high)),
    "mix": ("a, b, t", torch.lerp),
    "step": ("edge, x", _step),
    "smoothstep": ("lo, hi, x", _smoothstep),
}


class _Operator(NamedTuple):
    operation: _Operation
    symbol: str
    binding: int
    left: int  # how tightly its left operand must bind to stand without parentheses
    right: int


_NEGATE, _WHOLE, _MINUS_BINDING, _ATOM_BINDING = "negate", "^whole", 3, 5
_OPERATORS = {
    "+": _Operator(torch.add, " + ", 1, 1, 2),
    "-": _Operator(torch.sub, " - ", 1, 1, 2),
    "*": _Operator(torch.mul, "*", 2, 2, _MINUS_BINDING),
    "/": _Operator(_divide, "/", 2, 2, _MINUS_BINDING),
    "^": _Operator(_power, "^", 4, _ATOM_BINDING, _MINUS_BINDING),
    _WHOLE: _Operator(_whole_power, "^", 4, _ATOM_BINDING, _MINUS_BINDING),
}
_OPERATIONS: dict[str, _Operation] = {
    _NEGATE: torch.neg,
    **{name: operator.operation for name, operator in _OPERATORS.items()},
    **{name: operation for name, (_, operation) in _FUNCTIONS.items()},
}

# Reading ----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)?)"
    r"|(?P<mark>\*\*|[-+*/^(),])"
    r"|(?P<stray>.)"
    r"|(?P<end>\Z)",
    re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    where: str

    def refusal(self, problem: str) -> ConfigError:
        return ConfigError(f"expression, {self.where}: {problem}")


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind, place = str(match.lastgroup), match.start()
        here = repr(text[place : place + 24]) if kind != "end" else "the end"
        token = _Token(kind, match[0].replace("**", "^"), f"character {place + 1} ({here})")
        if kind == "stray":
            raise token.refusal("this has no meaning; use numbers, lower-case names, + - * / ^ ( ) or commas")
        if kind != "space":
            yield token


class _Written(NamedTuple):
    text: str
    binding: int

    def bare(self, needed: int) -> str:
        return self.text if self.binding >= needed else f"({self.text})"


class _Parser:
    """Each method appends the steps of what it reads, and gives its canonical text."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._ahead = next(self._tokens)
        self._depth = 0
        self._steps: list[_Step] = []

    def parse(self) -> tuple[str, tuple[_Step, ...]]:
        written = self._expression()
        if self._ahead.kind != "end":
            raise _unexpected(self._ahead)
        return written.text, tuple(self._steps)

    def _take(self) -> _Token:
        token = self._ahead
        self._ahead = next(self._tokens, token)
        return token

    def _emit(self, step: _Step, token: _Token) -> None:
        if len(self._steps) == _MOST_NODES:
            limit = f"over the limit of {_MOST_NODES} numbers, names, operators and calls"
            raise token.refusal(f"{limit}; simplify it")
        self._steps.append(step)

    def _expression(self, least: int = 0) -> _Written:
        """Read one operand, and the operators after it that bind at least so tightly."""
        if self._depth > _MOST_DEPTH:
            raise self._ahead.refusal(f"nested over the limit of {_MOST_DEPTH} levels; simplify it")
        self._depth += 1
        left = self._operand()
        while (operator := _OPERATORS.get(self._ahead.text)) and operator.binding >= least:
            token, start = self._take(), len(self._steps)
            right = self._expression(operator.right)
            whole = token.text == "^" and _is_whole(self._steps[start:])
            self._emit(_Call(_WHOLE if whole else token.text, 2), token)
            text = left.bare(operator.left) + operator.symbol + right.bare(operator.right)
            left = _Written(text, operator.binding)
        self._depth -= 1
        return left

    def _operand(self) -> _Written:
        token = self._take()
        if token.text == "-":
            operand = self._expression(_MINUS_BINDING)
            self._emit(_Call(_NEGATE, 1), token)
            return _Written("-" + operand.bare(_MINUS_BINDING), _MINUS_BINDING)
        if token.text == "(":
            inner = self._expression()
            self._close(token)
            return inner
        if token.kind == "number":
            return self._number(token)
        if token.kind != "name":
            raise token.refusal("a value is missing; write a number, a signal or a function here")
        if self._ahead.text == "(":
            return self._call(token)
        if token.text in _FUNCTIONS:
            arguments = _FUNCTIONS[token.text][0]
            raise token.refusal(f"{token.text} is a function, not a signal; write {token.text}({arguments})")
        self._emit(_CONSTANTS.get(token.text, token.text), token)
        return _Written(token.text, _ATOM_BINDING)

    def _number(self, token: _Token) -> _Written:
        value = float(token.text)
        if value > _LARGEST:
            raise token.refusal(f"this number is over the limit of {_LARGEST:.0f}; write a smaller one")
        self._emit(value, token)
        return _Written(repr(value).removesuffix(".0"), _ATOM_BINDING)

    def _call(self, name: _Token) -> _Written:
        if name.text not in _FUNCTIONS:
            close = difflib.get_close_matches(name.text, _FUNCTIONS, n=3, cutoff=0.5)
            remedy = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(_FUNCTIONS)}"
            raise name.refusal(f"this is no known function; {remedy}")
        opening = self._take()
        given = [] if self._ahead.text == ")" else [self._expression().text]
        while self._ahead.text == ",":
            self._take()
            given.append(self._expression().text)
        self._close(opening)
        arguments = _FUNCTIONS[name.text][0]
        needed, more = arguments.removesuffix(", ...").count(",") + 1, arguments.endswith("...")
        if len(given) < needed or (len(given) > needed and not more):
            takes = f"takes {needed}{' or more' if more else ''} argument{'s' if needed > 1 else ''}"
            raise name.refusal(f"{name.text} {takes}, not {len(given)}; write {name.text}({arguments})")
        self._emit(_Call(name.text, len(given)), name)
        return _Written(f"{name.text}({', '.join(given)})", _ATOM_BINDING)

    def _close(self, opening: _Token) -> None:
        token = self._take()
        if token.kind == "end":
            raise opening.refusal("this parenthesis is never closed; add )")
        if token.text != ")":
            raise _unexpected(token)


def _unexpected(token: _Token) -> ConfigError:
    problems = {
        ")": "this parenthesis closes nothing; remove it",
        ",": "a comma only separates arguments of a function; remove it, or write a decimal point",
    }
    return token.refusal(problems.get(token.text, "an operator is missing; write + - * / or ^ before this"))


def _is_whole(exponent: list[_Step]) -> bool:
    """Tell whether these steps are a whole number as it is written, perhaps with a minus sign."""
    number, *rest = exponent
    return isinstance(number, float) and number.is_integer() and rest in ([], [_Call(_NEGATE, 1)])
