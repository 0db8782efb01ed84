"""Parameters of primitives: what they may be, how JSON writes them, and how they move.

A primitive declares its parameters as defaults of its keyword arguments, ``radius: Tensor = real(0.4, 0.0,
2.0)``. A value is a number, a number plus signals (``{"base": 0.3, "bass": 0.4}``), or an expression over
signals (``"0.3 + 0.4*bass^2"``); it is evaluated once per frame and clipped to the declared range.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.errors import ConfigError
from synesthete.programs.expression import Expression, parse_expression
from synesthete.programs.palettes import PALETTES, RAMP_DEGREE, Stop, oklch_to_display, ramp_table

__all__ = [
    "Choice",
    "Colour",
    "Count",
    "Moving",
    "Parameter",
    "Ramp",
    "Real",
    "angle",
    "choice",
    "colour",
    "count",
    "ramp",
    "real",
    "shown",
    "travel",
    "turns",
]

Signals = Mapping[str, Tensor]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MOST = 1e6
_HUE_STEPS = 64


def shown(value: Any) -> str:
    """Give a value as it appears in messages: at most 60 characters."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a number of over 30 digits"
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Moving:
    """A number that moves with signals: ``base + Σ by[signal] · signal``, an expression for ``base``."""

    base: float
    by: Mapping[str, float] = field(default_factory=dict)
    expression: Expression | None = None

    @classmethod
    def from_json(cls, value: Any, where: str) -> "Moving":
        """Read a number, a mapping or an expression.

        Raises
        ------
        ConfigError
            If it is none of these.
        """
        if isinstance(value, str):
            try:
                return cls(0.0, {}, parse_expression(value))
            except ConfigError as error:
                raise ConfigError(f"{where}: {error}") from None
        if isinstance(value, Mapping):
            return cls(
                number(value.get("base", 0.0), f"{where}.base"),
                {
                    _signal(name, where): number(amount, f"{where}.{name}")
                    for name, amount in value.items()
                    if name != "base"
                },
            )
        return cls(number(value, where))

    def to_json(self) -> Any:
        """Write it as it was read."""
        if self.expression is not None:
            return self.expression.text
        return {"base": self.base, **self.by} if self.by else self.base

    @property
    def names(self) -> frozenset[str]:
        """Give the signals that move it."""
        names = frozenset(self.by)
        return names if self.expression is None else names | self.expression.names

    def evaluate(self, signals: Signals) -> Float[Tensor, "..."]:
        """Evaluate it; a number that does not move gives a 0-d tensor."""
        value = torch.tensor(self.base, dtype=torch.float64)
        if self.expression is not None:
            value = self.expression.evaluate(signals)
        for name, amount in self.by.items():
            value = value + amount * signals[name]
        return value


def number(value: Any, where: str) -> float:
    """Read a finite number.

    Raises
    ------
    ConfigError
        If it is none, or beyond ±1e6.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(
            f"{where} = {shown(value)} is no number; give a number, a mapping such as "
            '{"base": 0.3, "bass": 0.4}, or an expression'
        )
    if not -_MOST <= value <= _MOST:  # NaN too
        raise ConfigError(f"{where} = {shown(value)} lies outside ±{_MOST:g}; give a smaller number")
    return float(value)


def _signal(name: Any, where: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: {shown(name)} is no name of a signal, such as bass")
    return name


@dataclass(frozen=True)
class Real:
    """A number that may move, clipped to ``low`` - ``high``, or wrapped where it goes round.

    Attributes
    ----------
    wraps
        Whether going beyond ``high`` comes back at ``low``: turns, and ways through periodic patterns.
    trigonometric
        Whether the primitive receives cosine and sine of the turn instead of the turn.
    """

    default: float
    low: float
    high: float
    wraps: bool = False
    trigonometric: bool = False
    moves: ClassVar[bool] = True

    @property
    def slots(self) -> int:
        """Count the scalars that the primitive receives."""
        return 2 if self.trigonometric else 1

    def read(self, value: Any, where: str) -> Moving:
        """Read a JSON value; a plain number must lie in the range."""
        moving = Moving.from_json(value, where)
        plain = moving.expression is None and not moving.by
        if plain and not self.wraps and not self.low <= moving.base <= self.high:
            raise ConfigError(
                f"{where} = {moving.base:g} lies outside {self.low:g} to {self.high:g}; change it"
            )
        return moving

    def write(self, value: Moving) -> Any:
        """Give the JSON value."""
        return value.to_json()

    def evaluate(self, value: Moving, signals: Signals) -> list[Float[Tensor, "..."]]:
        """Give the scalars that the primitive receives."""
        x = value.evaluate(signals)
        if not self.wraps:
            return [torch.clamp(x, self.low, self.high)]
        x = self.low + torch.remainder(x - self.low, self.high - self.low)
        if self.trigonometric:
            return [torch.cos(2 * math.pi * x), torch.sin(2 * math.pi * x)]
        return [x]


@dataclass(frozen=True)
class Ramp:
    """A palette: OKLCH stops from dark to light, whose hue may move; primitives receive polynomials."""

    default: str
    moves: ClassVar[bool] = True
    slots: ClassVar[int] = 3 * (RAMP_DEGREE + 1)

    def read(self, value: Any, where: str) -> "Shade":
        """Read a palette's name, a list of stops, or a mapping of both with ``hue``."""
        given, hue = _hued(value, "stops", where)
        if isinstance(given, str):
            if given not in PALETTES:
                close = difflib.get_close_matches(given, PALETTES, n=2) or sorted(PALETTES)
                raise ConfigError(
                    f"{where}: there is no palette {shown(given)}; did you mean {' or '.join(close)}?"
                )
            return Shade(PALETTES[given], hue, given)
        if not isinstance(given, Sequence) or not 2 <= len(given) <= 8:
            raise ConfigError(
                f"{where} = {shown(given)} is no palette; give a name, or 2 to 8 stops [L, C, h]"
            )
        return Shade(tuple(_stop(stop, f"{where}[{i}]") for i, stop in enumerate(given)), hue)

    def write(self, value: "Shade") -> Any:
        """Give the JSON value."""
        return value.to_json("stops")

    def evaluate(self, value: "Shade", signals: Signals) -> list[Float[Tensor, "..."]]:
        """Give the coefficients: red's by rising power, then green's and blue's."""
        return list(value.table(signals, _ramp_table(value.stops)).unbind(-1))


@dataclass(frozen=True)
class Colour:
    """One OKLCH colour whose hue may move; given to the primitive as display red, green and blue."""

    default: Stop
    moves: ClassVar[bool] = True
    slots: ClassVar[int] = 3

    def read(self, value: Any, where: str) -> "Shade":
        """Read ``[L, C, h]``, or a mapping ``{"oklch": [L, C, h], "hue": …}``."""
        given, hue = _hued(value, "oklch", where)
        return Shade((_stop(given, where),), hue)

    def write(self, value: "Shade") -> Any:
        """Give the JSON value."""
        return value.to_json("oklch")

    def evaluate(self, value: "Shade", signals: Signals) -> list[Float[Tensor, "..."]]:
        """Give red, green and blue."""
        return list(value.table(signals, _colour_table(value.stops[0])).unbind(-1))


@dataclass(frozen=True)
class Count:
    """A whole number that belongs to the structure: it decides the code, and does not move."""

    default: int
    low: int
    high: int
    moves: ClassVar[bool] = False
    slots: ClassVar[int] = 0

    def read(self, value: Any, where: str) -> int:
        """Read a whole number in range."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ConfigError(
                f"{where} = {shown(value)} is no whole number from {self.low} to {self.high}; change it"
            )
        return value


@dataclass(frozen=True)
class Choice:
    """A word out of a few that belongs to the structure."""

    default: str
    options: tuple[str, ...]
    moves: ClassVar[bool] = False
    slots: ClassVar[int] = 0

    def read(self, value: Any, where: str) -> str:
        """Read one of the words."""
        if value not in self.options:
            raise ConfigError(f"{where} = {shown(value)}: choose one of {', '.join(self.options)}")
        return str(value)


Parameter = Real | Ramp | Colour | Count | Choice


@dataclass(frozen=True)
class Shade:
    """OKLCH stops, and the turns by which their hue moves on."""

    stops: tuple[Stop, ...]
    hue: Moving
    name: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Give the signals that move the hue."""
        return self.hue.names

    def to_json(self, key: str) -> Any:
        """Write it as it was read."""
        stops: Any = [list(stop) for stop in self.stops]
        given = self.name if self.name is not None else stops if key == "stops" else stops[0]
        return given if self.hue == Moving(0.0) else {key: given, "hue": self.hue.to_json()}

    def table(self, signals: Signals, by_hue: Float[np.ndarray, "hues slots"]) -> Float[Tensor, "... slots"]:
        """Look a table over one turn of hue up at this hue, between its rows too."""
        table = torch.from_numpy(by_hue)
        place = torch.remainder(self.hue.evaluate(signals), 1.0) * _HUE_STEPS
        first = torch.floor(place)
        index = first.to(torch.int64)
        share = (place - first)[..., None].to(table.dtype)
        return torch.lerp(table[index % _HUE_STEPS], table[(index + 1) % _HUE_STEPS], share)


def _hued(value: Any, key: str, where: str) -> tuple[Any, Moving]:
    if not isinstance(value, Mapping):
        return value, Moving(0.0)
    unknown = set(value) - {key, "hue"}
    if unknown or key not in value:
        raise ConfigError(f"{where} takes {key} and hue; it has {shown(sorted(map(str, value)))}")
    return value[key], Moving.from_json(value.get("hue", 0.0), f"{where}.hue")


def _stop(value: Any, where: str) -> Stop:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 3:
        raise ConfigError(f"{where} = {shown(value)} is no colour; give [lightness, chroma, hue in degrees]")
    lightness, chroma, hue = (number(part, where) for part in value)
    if not (0 <= lightness <= 1 and 0 <= chroma <= 0.4 and -720 <= hue <= 720):
        raise ConfigError(
            f"{where}: lightness is 0 to 1, chroma 0 to 0.4, hue -720 to 720 degrees; change it"
        )
    return lightness, chroma, hue


_tables: dict[tuple[Any, ...], np.ndarray] = {}
_MOST_TABLES = 512


def _ramp_table(stops: tuple[Stop, ...]) -> Float[np.ndarray, "hues slots"]:
    """Fit a ramp at every hue of a turn."""
    hues = np.arange(_HUE_STEPS) / _HUE_STEPS
    return _remember(("ramp", stops), lambda: ramp_table(stops, hues).reshape(_HUE_STEPS, -1))


def _colour_table(stop: Stop) -> Float[np.ndarray, "hues slots"]:
    hues = stop[2] + 360.0 * np.arange(_HUE_STEPS) / _HUE_STEPS
    same = np.ones(_HUE_STEPS)
    return _remember(("colour", stop), lambda: oklch_to_display(stop[0] * same, stop[1] * same, hues))


def _remember(key: tuple[Any, ...], make: Any) -> np.ndarray:
    if key not in _tables:
        if len(_tables) >= _MOST_TABLES:
            _tables.clear()
        _tables[key] = make()
    return _tables[key]


def real(default: float, low: float, high: float) -> Any:
    """Declare a number that may move."""
    return Real(default, low, high)


def turns(default: float = 0.0) -> Any:
    """Declare a phase in turns: 1 is where it began."""
    return Real(default, 0.0, 1.0, wraps=True)


def travel(period: float, default: float = 0.0) -> Any:
    """Declare a way through a pattern that repeats after ``period``."""
    return Real(default, 0.0, period, wraps=True)


def angle(default: float = 0.0) -> Any:
    """Declare an angle in turns; the primitive receives its cosine and sine."""
    return Real(default, 0.0, 1.0, wraps=True, trigonometric=True)


def ramp(default: str) -> Any:
    """Declare a palette; the primitive receives what `synesthete.programs.light.ramp_colour` takes."""
    return Ramp(default)


def colour(lightness: float, chroma: float, hue: float) -> Any:
    """Declare a colour; the primitive receives display red, green and blue."""
    return Colour((lightness, chroma, hue))


def count(default: int, low: int, high: int) -> Any:
    """Declare a whole number that belongs to the structure."""
    return Count(default, low, high)


def choice(*options: str) -> Any:
    """Declare a word that belongs to the structure; the first option is the default."""
    return Choice(options[0], options)
