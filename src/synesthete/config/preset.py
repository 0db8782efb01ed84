"""Presets: named files that fix generator, style, control and seed."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from synesthete.config.base import Frozen, build, merge, parse_assignment, read_yaml, set_path
from synesthete.errors import ConfigError
from synesthete.files import slug
from synesthete.seeding import MAX_SEED

__all__ = [
    "DEFAULT_PRESETS",
    "Control",
    "CppnLook",
    "Envelope",
    "GeneratorName",
    "Modulation",
    "Net",
    "Oscillator",
    "Palette",
    "Part",
    "Phase",
    "Preset",
    "Surface",
    "View",
    "Wander",
    "load_preset",
    "shipped_presets",
]

GeneratorName = Literal["cppn"]
DEFAULT_PRESETS: dict[GeneratorName, str] = {"cppn": "silk"}
"""The preset that each generator renders with when none is named; the first is the default of all."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}(\.[a-z]{1,16})?$")]
Unit = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=60)]
Amount = Annotated[float, Field(ge=-20, le=20)]


class Envelope(Frozen):
    """A signal that follows one Timeline column: rescaled, then shaped in time.

    ``clip((column + contrast · (column - mean) - floor) / (ceil - floor), 0, 1) ** gamma``, where the mean is
    taken over ±1.5 s: levels stay absolute, but what stands out from its surroundings stands out more. Then
    held and released with time constant ``release``, and smoothed, centred, over ``attack``.
    """

    column: ColumnName
    floor: float = 0.0
    ceil: float = 1.0
    gamma: Annotated[float, Field(gt=0, le=8)] = 1.0
    contrast: Annotated[float, Field(ge=0, le=10)] = 0.0
    attack: Seconds = 0.02
    release: Seconds = 0.3

    @model_validator(mode="after")
    def _rising(self) -> "Envelope":
        if self.ceil <= self.floor:
            raise ValueError(f"ceil must be above floor ({self.floor})")
        return self


class Phase(Frozen):
    """A phase in turns: the integral of ``rate + Σ drive[signal] · signal``, at rest in silence.

    With ``beats`` or ``bars`` it is locked to the music as well: one more turn every so many, exactly, where
    there are beats; where there are none, ``rate`` and ``drive`` alone move it. Counting begins at the first
    beat, or at the first downbeat.
    """

    rate: Annotated[float, Field(ge=-10, le=10)] = 0.0
    drive: dict[Name, Amount] = {}
    beats: Annotated[float, Field(ge=0.25, le=256)] | None = None
    bars: Annotated[float, Field(ge=0.25, le=256)] | None = None


class Wander(Frozen):
    """Smooth seeded noise, about -1 to 1, that forgets itself after ``correlation`` seconds of music."""

    correlation: Annotated[float, Field(ge=0.1, le=600)] = 8.0


class Part(Frozen):
    """A level, -1 to 1, for each section of the music; it comes back when the section does.

    The levels of successive letters lie well apart. It glides over ``glide`` seconds, centred
    on the border.
    """

    glide: Annotated[float, Field(ge=0.05, le=30)] = 2.5


class Oscillator(Frozen):
    """A low-frequency oscillator locked to a phase: ``sin(2π · (ratio · phase + offset))``."""

    phase: Name
    ratio: Annotated[int, Field(ge=1, le=64)] = 1
    offset: Unit = 0.0


_HOUSE_ENVELOPES = {
    "energy": Envelope(
        column="loudness", floor=0.35, ceil=0.9, gamma=1.3, contrast=1.0, attack=0.05, release=0.4
    ),
    "body": Envelope(column="bass", floor=0.4, ceil=0.95, gamma=1.6, contrast=2.5, attack=0.03, release=0.24),
    "voice": Envelope(column="mid", floor=0.3, ceil=0.85, gamma=1.4, contrast=2.0, attack=0.05, release=0.35),
    "air": Envelope(column="treble", floor=0.15, ceil=0.8, gamma=1.3, contrast=2.0, attack=0.02, release=0.2),
    "spark": Envelope(column="onset", floor=0.06, ceil=0.6, attack=0.02, release=0.16),
    "pulse": Envelope(column="beat", attack=0.02, release=0.12),
}
_HOUSE_PHASES = {
    "turn": Phase(rate=0.004, drive={"energy": 0.006, "spark": 0.02}),
    "flow": Phase(rate=0.01, drive={"body": 0.045, "energy": 0.02, "spark": 0.07, "pulse": 0.06}),
    "evolve": Phase(rate=0.004, drive={"energy": 0.004}),
    "bars": Phase(bars=1),
}


class Control(Frozen):
    """How the Timeline becomes signals; what a preset names is laid over the house's own."""

    song_gain: bool = False
    envelopes: dict[Name, Envelope] = _HOUSE_ENVELOPES
    phases: dict[Name, Phase] = _HOUSE_PHASES
    wander: dict[Name, Wander] = {"drift": Wander(correlation=9.0), "sway": Wander(correlation=5.0)}
    parts: dict[Name, Part] = {"part": Part()}
    oscillators: dict[Name, Oscillator] = {"sweep": Oscillator(phase="bars")}

    @model_validator(mode="before")
    @classmethod
    def _over_house(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        house = {
            "envelopes": {name: item.model_dump() for name, item in _HOUSE_ENVELOPES.items()},
            "phases": {name: item.model_dump() for name, item in _HOUSE_PHASES.items()},
            "wander": {"drift": {"correlation": 9.0}, "sway": {"correlation": 5.0}},
            "parts": {"part": {}},
            "oscillators": {"sweep": {"phase": "bars"}},
        }
        return merge(house, values)

    @model_validator(mode="after")
    def _known_names(self) -> "Control":
        groups: list[Mapping[str, Frozen]] = [
            self.envelopes,
            self.phases,
            self.wander,
            self.parts,
            self.oscillators,
        ]
        names = [name for group in groups for name in group]
        twice = sorted({name for name in names if names.count(name) > 1})
        reserved = sorted({"calm", "base", "by"} & set(names))
        if reserved:
            raise ValueError(f"the name {reserved[0]!r} has a meaning of its own; choose another")
        if twice:
            raise ValueError(f"the name {twice[0]!r} is given twice; signal names are shared by all kinds")
        for name, phase in self.phases.items():
            for driver in phase.drive:
                if driver not in self.envelopes:
                    raise ValueError(
                        f"phase {name!r} is driven by {driver!r}, which is none of the envelopes "
                        f"{_listed(self.envelopes)}"
                    )
        for name, oscillator in self.oscillators.items():
            if oscillator.phase not in self.phases:
                raise ValueError(
                    f"oscillator {name!r} follows {oscillator.phase!r}, which is none of the phases "
                    f"{_listed(self.phases)}"
                )
        return self

    def names(self) -> frozenset[str]:
        """Give the names of all signals, ``calm`` (1 in silence) included."""
        return frozenset(
            {"calm", *self.envelopes, *self.phases, *self.wander, *self.parts, *self.oscillators}
        )


def _listed(names: Mapping[str, Frozen]) -> str:
    return ", ".join(sorted(names))


class Modulation(Frozen):
    """A parameter that moves: ``base + Σ by[signal] · signal``. A plain number is a base alone."""

    base: Annotated[float, Field(ge=-100, le=100)] = 0.0
    by: dict[Name, Amount] = {}


def _modulation(value: Any) -> Any:
    if isinstance(value, Modulation):
        return value
    if isinstance(value, dict):
        by = value.get("by", {})
        short = {name: amount for name, amount in value.items() if name not in ("base", "by")}
        return {"base": value.get("base", 0.0), "by": {**by, **short} if isinstance(by, dict) else by}
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return {"base": float(value)}  # YAML 1.1 reads 1e-3 as text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number, or base and signals such as {base: 0.5, energy: 1.0}")
    return {"base": value}


Modulated = Annotated[Modulation, BeforeValidator(_modulation)]


class Net(Frozen):
    """The CPPN's architecture, and what drives it besides the coordinates."""

    layers: Annotated[int, Field(ge=1, le=12)] = 3
    units: Annotated[int, Field(ge=2, le=512)] = 4
    activations: Annotated[
        tuple[Literal["sine", "cosine", "gaussian", "tanh"], ...], Field(min_length=1, max_length=8)
    ] = ("sine", "cosine", "gaussian", "tanh")
    mix: Literal["unit", "layer"] = "unit"
    gain: Annotated[float, Field(gt=0, le=10)] = 1.6
    bias: Annotated[float, Field(ge=0, le=10)] = 0.6
    evolution: Annotated[float, Field(ge=0, le=3.2)] = 0.6
    signals: dict[Name, Amount] = {"body": 0.8, "voice": 0.6, "air": 0.4, "drift": 0.5}
    phases: tuple[Name, ...] = ("flow", "turn")


class View(Frozen):
    """Where the network is looked at: coordinates before it."""

    zoom: Modulated = Modulation(base=1.0)
    angle: Modulated = Modulation()
    shift_x: Modulated = Modulation()
    shift_y: Modulated = Modulation()
    radial: Modulated = Modulation(base=1.0)
    fold: Annotated[int, Field(ge=1, le=12)] = 1
    mirror: bool = False
    warp: Modulated = Modulation()
    warp_scale: Annotated[float, Field(gt=0, le=20)] = 2.0
    warp_phase: Modulated = Modulation()


Stop = tuple[
    Annotated[float, Field(ge=0, le=1)],
    Annotated[float, Field(ge=0, le=0.4)],
    Annotated[float, Field(ge=-720, le=720)],
]
Ramp = Annotated[tuple[Stop, ...], Field(min_length=2, max_length=8)]


class Palette(Frozen):
    """Two OKLCH ramps from dark to light, mixed by the network's tint, and an accent for light.

    Stops are ``[lightness 0-1, chroma 0-0.4, hue in degrees]``, spaced evenly.
    """

    ramp: Ramp = ((0.0, 0.02, 270.0), (0.3, 0.12, 280.0), (0.7, 0.16, 330.0), (0.95, 0.06, 60.0))
    second: Ramp = ((0.0, 0.02, 250.0), (0.28, 0.1, 240.0), (0.65, 0.13, 210.0), (0.95, 0.05, 180.0))
    accent: Stop = (0.85, 0.12, 60.0)
    hue: Modulated = Modulation()


class Surface(Frozen):
    """How field values become light: exposure, darkness, relief and glowing contour lines."""

    bands: Modulated = Modulation(base=1.0)
    band_phase: Modulated = Modulation()
    exposure: Modulated = Modulation(base=0.5, by={"energy": 1.6, "spark": 0.5})
    darkness: Modulated = Modulation(base=0.65)
    vignette: Modulated = Modulation(base=0.15)
    mask: Modulated = Modulation(base=0.6)
    relief: Modulated = Modulation()
    gloss: Modulated = Modulation(base=0.5)
    light_angle: Modulated = Modulation(base=0.1)
    light_height: Modulated = Modulation(base=0.7)
    lines: Modulated = Modulation()
    line_count: Modulated = Modulation(base=4.0)
    line_phase: Modulated = Modulation()
    line_width: Modulated = Modulation(base=0.008)


class CppnLook(Frozen):
    """Everything the CPPN generator needs besides signals, style and seed."""

    net: Net = Net()
    view: View = View()
    palette: Palette = Palette()
    surface: Surface = Surface()


class Preset(Frozen):
    """A look that can be rendered: generator, seed, style, control and the generator's own settings."""

    name: Annotated[str, Field(pattern=_NAME)]
    summary: Annotated[str, Field(min_length=1, max_length=200)]
    generator: GeneratorName = "cppn"
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    style: Annotated[tuple[Annotated[float, Field(ge=-5, le=5)], ...], Field(min_length=4, max_length=4)] = (
        0.0,
        0.0,
        0.0,
        0.0,
    )
    control: Control = Control()
    cppn: CppnLook = CppnLook()

    @model_validator(mode="after")
    def _signals_exist(self) -> "Preset":
        known = self.control.names()
        for field, names in _signals_used(self.cppn):
            for name in names:
                if name not in known:
                    choice = ", ".join(sorted(known))
                    raise ValueError(f"cppn.{field} uses {name!r}; known signals are {choice}")
        for name in self.cppn.net.phases:
            if name not in self.control.phases:
                raise ValueError(f"cppn.net.phases uses {name!r}, which is no phase")
        return self


def _signals_used(look: CppnLook) -> list[tuple[str, Sequence[str]]]:
    used: list[tuple[str, Sequence[str]]] = [("net.signals", list(look.net.signals))]
    for section in ("view", "palette", "surface"):
        part = getattr(look, section)
        for field in type(part).model_fields:
            value = getattr(part, field)
            if isinstance(value, Modulation):
                used.append((f"{section}.{field}", list(value.by)))
    return used


def shipped_presets() -> list[str]:
    """Give the names of the presets that ship, the default first."""
    first = next(iter(DEFAULT_PRESETS.values()))
    files = [entry.name for entry in (resources.files("synesthete") / "presets").iterdir()]
    names = [file.removesuffix(".yaml") for file in files if file.endswith(".yaml")]
    return sorted(names, key=lambda name: (name != first, name))


def load_preset(name: str, *, assignments: Sequence[str] = ()) -> Preset:
    """Load a shipped preset by name, or a user's by file name, with ``key=value`` changes on top.

    A change replaces one field of the resolved preset; what it does not name stays as it is.

    Raises
    ------
    ConfigError
        If there is no such preset, or a field is wrong.
    """
    known = shipped_presets()
    if name in known:
        path = Path(str(resources.files("synesthete") / "presets" / f"{name}.yaml"))
        values = read_yaml(path)
    elif name.endswith((".yaml", ".yml")):
        path = Path(name)
        values = read_yaml(path)
    else:
        raise ConfigError(
            f"there is no preset {name[:60]!r}; choose one of {', '.join(known)}, or name a .yaml file"
        )
    values.setdefault("name", path.stem if re.fullmatch(_NAME, path.stem) else slug(path.stem))
    preset = build(Preset, values, where=f"preset {name}")
    if not assignments:
        return preset
    values = preset.model_dump()
    for text in assignments:
        key, value = parse_assignment(text)
        values = set_path(values, key, value)
    return build(Preset, values, where=f"preset {name}")
