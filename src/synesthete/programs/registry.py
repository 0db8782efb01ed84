"""The vocabulary of the visual language: every primitive is one function that registers itself.

A primitive's signature says everything: its parameters are keyword arguments whose defaults declare their
ranges (`synesthete.programs.parameters`); arguments typed `Plane` or `Picture` are its children, one typed
`Place` is where it draws, and ``heard`` is what the music looks like at this moment. A new file in
``primitives/`` needs no mention anywhere.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args

from torch import Tensor

from synesthete.programs.parameters import Parameter
from synesthete.programs.place import Place, Plane

__all__ = [
    "Family",
    "Heard",
    "Kind",
    "Picture",
    "Primitive",
    "Scalars",
    "Table",
    "blend",
    "colour_map",
    "field",
    "grade",
    "light",
    "memory",
    "primitives",
    "warp",
]

Picture = tuple[Plane, Plane, Plane]
"""Red, green and blue in display values (the square root of linear light), 0 upward: light may add up."""

Scalars = tuple[Tensor, ...]
"""What a primitive receives for an angle (cosine, sine), a colour (red, green, blue) or a ramp."""

Table = Literal["spectrum", "wave", "chroma", "past", "figure"]
"""What of the music primitives may look at besides signals: see `Heard`."""

Heard = Mapping[str, Tensor]
"""The music at this moment.

``spectrum``: 64 log-spaced bands, 30 Hz to 16 kHz, 0-1. ``wave``: (2, 512), left and right around the
moment (23 ms), -1 to 1. ``chroma``: 12 pitch classes from C, 0-1. ``past``: (128, 64), the spectra of the
last four seconds, the newest first. ``figure``: (128, 128), see `synesthete.programs.heard.stereo_figure`.
A batch comes first, if there is one; `synesthete.programs.heard.look_up` reads them."""

Family = Literal["field", "warp", "light", "colour", "grade", "blend", "memory"]
Kind = Literal["field", "picture", "any"]
"""What a node gives or takes: values 0-1, a picture, or either (a warp gives what its child gives)."""

_registry: dict[str, "Primitive"] = {}
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Primitive:
    """One word of the language.

    Attributes
    ----------
    name, family
        What JSON calls it, and its kind of word.
    function
        Draws it.
    parameters
        What it can be given, by name.
    slots
        Its children's names and kinds, in order.
    gives
        What it gives.
    placed
        Whether it needs coordinates.
    hears
        The tables of `Heard` that it looks at.
    """

    name: str
    family: Family
    function: Callable[..., Any]
    parameters: Mapping[str, Parameter]
    slots: Mapping[str, Kind]
    gives: Kind
    placed: bool
    hears: tuple[Table, ...]

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def field(*, hears: tuple[Table, ...] = ()) -> Callable[[Function], Function]:
    """Register a field: ``(at, *, parameters, [heard]) -> Plane``, values 0-1 at positions."""
    return lambda function: _register(function, "field", hears)


def warp(function: Function) -> Function:
    """Register a warp: ``(at, *, parameters) -> Place``, where its child is to be looked at."""
    return _register(function, "warp", ())


def colour_map(*, hears: tuple[Table, ...] = ()) -> Callable[[Function], Function]:
    """Register a colouring: ``(of: Plane, *, parameters) -> Picture``."""
    return lambda function: _register(function, "colour", hears)


def grade(function: Function) -> Function:
    """Register a grade: ``(of: Picture, *, parameters) -> Picture``."""
    return _register(function, "grade", ())


def light(function: Function) -> Function:
    """Register a light: a picture lit by a surface or a depth.

    A child called ``height`` is given as a surface with a border of one pixel around the picture, so that its
    slope can be seen; it is drawn no finer than relief can show.
    """
    return _register(function, "light", ())


def blend(function: Function) -> Function:
    """Register a blend: ``(below: Plane, above: Plane, *, parameters) -> Plane``, per channel of pictures."""
    return _register(function, "blend", ())


def memory(function: Function) -> Function:
    """Register an effect that looks at a small picture of its child: blurred, or of the past.

    ``(of: Picture, seen: Picture, *, parameters) -> Picture``; `synesthete.programs.maps` makes ``seen``.
    """
    return _register(function, "memory", ())


def _register(function: Function, family: Family, hears: tuple[Table, ...]) -> Function:
    name = function.__name__.rstrip("_")
    if name in _registry and _registry[name].function.__module__ != function.__module__:
        raise ValueError(f"two primitives are called {name!r}")
    parameters: dict[str, Parameter] = {}
    slots: dict[str, Kind] = {}
    signature = inspect.signature(function)
    for argument in signature.parameters.values():
        if isinstance(argument.default, get_args(Parameter)):
            parameters[argument.name] = argument.default
        elif argument.annotation is Picture:
            slots[argument.name] = "picture"
        elif argument.annotation is Plane:
            slots[argument.name] = "any" if family == "blend" and argument.name != "matte" else "field"
    slots.pop("seen", None)
    if family == "warp":
        slots = {"of": "any"}
    gives: Kind = "picture"
    if family in ("warp", "blend"):
        gives = "any"
    elif signature.return_annotation == Plane:
        gives = "field"
    placed = any(argument.annotation is Place for argument in signature.parameters.values())
    _registry[name] = Primitive(name, family, function, parameters, slots, gives, placed, hears)
    return function


@lru_cache(maxsize=1)
def primitives() -> Mapping[str, Primitive]:
    """Give every primitive by name: loads all files of ``primitives/``."""
    from synesthete.programs import primitives as package

    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{package.__name__}.{module}")
    return dict(sorted(_registry.items()))
