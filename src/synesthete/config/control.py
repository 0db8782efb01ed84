"""How the Timeline becomes signals: envelopes, phases, wander, parts and oscillators, by name."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from synesthete.config.base import Frozen, merge
from synesthete.seeding import MAX_SEED

__all__ = [
    "Amount",
    "ColumnName",
    "Control",
    "Envelope",
    "Name",
    "Oscillator",
    "Part",
    "Phase",
    "Seconds",
    "Seed",
    "Share",
    "Step",
    "Unit",
    "Wander",
]

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}(\.[a-z]{1,16})?$")]
Unit = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=60)]
Amount = Annotated[float, Field(ge=-20, le=20)]
Step = Annotated[float, Field(ge=0.125, le=64)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Share = Annotated[float, Field(ge=0, le=3)]


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

    With ``step`` what ``rate`` and ``drive`` move falls onto every so many beats: fastest on the beat,
    slowest halfway between; ``grip`` says how much of it, from 0 (even) to 1 (all but at rest between beats).
    """

    rate: Annotated[float, Field(ge=-10, le=10)] = 0.0
    drive: dict[Name, Amount] = {}
    beats: Annotated[float, Field(ge=0.25, le=256)] | None = None
    bars: Annotated[float, Field(ge=0.25, le=256)] | None = None
    step: Step | None = None
    grip: Unit = 0.7


class Wander(Frozen):
    """Smooth seeded noise, about -1 to 1, that forgets itself after ``correlation`` seconds of music.

    ``amount`` scales it; ``seed`` makes it another walk than the preset's own seed does.
    """

    correlation: Annotated[float, Field(ge=0.1, le=600)] = 8.0
    amount: Share = 1.0
    seed: Seed | None = None


class Part(Frozen):
    """A level, -1 to 1, for each section of the music; it comes back when the section does.

    The levels of successive letters lie well apart. It glides over ``glide`` seconds, centred
    on the border; ``amount`` scales it.
    """

    glide: Annotated[float, Field(ge=0.05, le=30)] = 2.5
    amount: Share = 1.0


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
