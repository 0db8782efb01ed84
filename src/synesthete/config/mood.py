"""Moods: how the choreography answers the music, whatever the look; laid over a preset."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from synesthete.config.base import Frozen, build
from synesthete.config.control import ColumnName, Control, Name, Seconds, Seed, Share, Step, Unit
from synesthete.config.dream import MAX_GUIDANCE_SCALE, DiffusionLook
from synesthete.config.gan_look import MAX_MOVE, GanLook
from synesthete.config.named import NAME, read_named, shipped

__all__ = [
    "DEFAULT_MOOD",
    "Band",
    "Mood",
    "Sections",
    "TempoSync",
    "WanderMood",
    "apply_guidance",
    "apply_mood",
    "apply_walk",
    "load_mood",
    "shipped_moods",
]

DEFAULT_MOOD = "default"
"""The mood that changes nothing: the preset's own choreography."""

_SCENES = r"^(off|sections|markers|every [1-9]\d{0,2} bars?)$"
_SLOWEST = 0.02
Factor = Annotated[float, Field(ge=0, le=20)]


def _column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _off(value: Any) -> Any:
    return "off" if value is False else value  # YAML 1.1 reads a plain off as false


class Band(Frozen):
    """What an envelope follows in this mood: a column's name, or a column with levels and times of its own.

    What is named here stands as it is; what is not named is the preset's, times the mood's factors.
    """

    column: ColumnName
    floor: float | None = None
    ceil: float | None = None
    gamma: Annotated[float, Field(gt=0, le=8)] | None = None
    contrast: Annotated[float, Field(ge=0, le=10)] | None = None
    attack: Seconds | None = None
    release: Seconds | None = None

    @model_validator(mode="after")
    def _levels_together(self) -> "Band":
        if (self.floor is None) != (self.ceil is None):
            raise ValueError("floor and ceil go together; give both, or neither to keep the preset's")
        if self.floor is not None and self.ceil is not None and self.ceil <= self.floor:
            raise ValueError(f"ceil must be above floor ({self.floor:g})")
        return self


class WanderMood(Frozen):
    """How the slow noise goes: factors on its size and on its correlation time, and a seed of its own."""

    amount: Share = 1.0
    correlation: Annotated[float, Field(gt=0, le=20)] = 1.0
    seed: Seed | None = None


class TempoSync(Frozen):
    """Whether phases move in steps that fall on every ``subdivision`` beats; ``grip``: how much of them.

    Without ``phases`` these are all that are not locked to beats or bars anyway. Where no beat is heard they
    flow as ever.
    """

    enabled: bool = False
    subdivision: Step = 1.0
    grip: Unit = 0.7
    phases: tuple[Name, ...] | None = None


class Sections(Frozen):
    """How sections show: factors on the glide and size of parts, and the scenes that go well with the mood.

    In the walks of the generator gan: on its glide, and on how far sections lie apart.
    ``scenes`` is written as for ``--scenes``: off, sections, markers or "every 16 bars".
    """

    glide: Annotated[float, Field(gt=0, le=20)] = 1.0
    amount: Share = 1.0
    scenes: Annotated[Annotated[str, Field(pattern=_SCENES)] | None, BeforeValidator(_off)] = None


class Mood(Frozen):
    """How the choreography answers the music.

    ``attack``, ``release``, ``contrast`` and ``gamma`` are factors on every envelope, ``rate`` and ``drive``
    on every phase; ``smoothing`` adds seconds to every attack. All smoothing is centred: no mood is late.
    ``guidance`` is a factor on how strongly the generator diffusion follows the music. The walks of the
    generator gan go at ``rate``, are moved by ``drive``, and have wander, tempo sync and sections as well.
    """

    name: Annotated[str, Field(pattern=NAME)]
    summary: Annotated[str, Field(min_length=1, max_length=200)]
    smoothing: Annotated[float, Field(ge=0, le=10)] = 0.0
    attack: Factor = 1.0
    release: Factor = 1.0
    contrast: Factor = 1.0
    gamma: Annotated[float, Field(gt=0, le=8)] = 1.0
    rate: Factor = 1.0
    drive: Factor = 1.0
    guidance: Factor = 1.0
    bands: dict[Name, Annotated[Band, BeforeValidator(_column)]] = {}
    wander: WanderMood = WanderMood()
    tempo_sync: TempoSync = TempoSync()
    sections: Sections = Sections()


def apply_mood(control: Control, mood: Mood) -> Control:
    """Lay a mood over a preset's control.

    Signals that the mood names and the control has not are passed over: a mood goes with any preset.

    Returns
    -------
    Another valid control, of the same signals; an equal one for the mood ``default``.

    Examples
    --------
    >>> mood = Mood(name="slow", summary="Twice as long", release=2.0)
    >>> apply_mood(Control(), mood).envelopes["pulse"].release
    0.24
    """
    values = control.model_dump()
    for name, envelope in values["envelopes"].items():
        _follow(envelope, mood, mood.bands.get(name))
    for name, phase in values["phases"].items():
        phase["rate"] = _scaled(phase["rate"], mood.rate, 10)
        phase["drive"] = {driver: _scaled(v, mood.drive, 20) for driver, v in phase["drive"].items()}
        if _steps(mood.tempo_sync, name, phase):
            phase["step"], phase["grip"] = mood.tempo_sync.subdivision, mood.tempo_sync.grip
    for wander in values["wander"].values():
        wander["correlation"] = max(0.1, _scaled(wander["correlation"], mood.wander.correlation, 600))
        wander["amount"] = _scaled(wander["amount"], mood.wander.amount, 3)
        if mood.wander.seed is not None:
            wander["seed"] = mood.wander.seed
    for part in values["parts"].values():
        part["glide"] = max(0.05, _scaled(part["glide"], mood.sections.glide, 30))
        part["amount"] = _scaled(part["amount"], mood.sections.amount, 3)
    return Control.model_validate(values)


def apply_guidance(look: DiffusionLook, mood: Mood) -> DiffusionLook:
    """Lay a mood over how the model that listens is asked to draw: how strongly it follows the music.

    Returns
    -------
    Another valid look; an equal one for the mood ``default``.

    Examples
    --------
    >>> mood = Mood(name="slow", summary="Half as strong", guidance=0.5)
    >>> apply_guidance(DiffusionLook(audio_guidance_scale=3.0), mood).audio_guidance_scale
    1.5
    """
    own = "audio_guidance_factor" if look.audio_guidance_scale is None else "audio_guidance_scale"
    return look.model_copy(update={own: _scaled(getattr(look, own), mood.guidance, MAX_GUIDANCE_SCALE)})


def apply_walk(look: GanLook, mood: Mood) -> GanLook:
    """Lay a mood over how the generator of pictures is walked through; its signals it follows anyway.

    Returns
    -------
    Another valid look; an equal one for the mood ``default``.

    Examples
    --------
    >>> mood = Mood(name="slow", summary="Half as fast", rate=0.5, drive=0.5)
    >>> slow = apply_walk(GanLook(move_beats=8, bass=1.0), mood)
    >>> slow.move_beats, slow.bass
    (16.0, 0.5)
    """
    slower = 1.0 / max(mood.rate, _SLOWEST)
    changes: dict[str, Any] = {
        "move_beats": max(1.0, _scaled(look.move_beats, slower, 256)),
        "move_s": max(0.5, _scaled(look.move_s, slower, 600)),
        "glide": max(0.05, _scaled(look.glide, mood.sections.glide, 30)),
        "sections": _scaled(look.sections, mood.sections.amount, MAX_MOVE),
        "wander": _scaled(look.wander, mood.wander.amount, 3),
        "wander_s": max(0.1, _scaled(look.wander_s, mood.wander.correlation, 600)),
        "smoothing": min(60.0, look.smoothing + mood.smoothing),
        **{
            field: _scaled(getattr(look, field), mood.drive, MAX_MOVE)
            for field in ("bass", "mid", "treble", "kick")
        },
    }  # fmt: skip
    if mood.wander.seed is not None:
        changes["wander_seed"] = mood.wander.seed
    if mood.tempo_sync.enabled:
        changes |= {"subdivision": mood.tempo_sync.subdivision, "grip": mood.tempo_sync.grip}
    return look.model_copy(update=changes)


def shipped_moods() -> list[str]:
    """Give the names of the moods that ship, ``default`` first."""
    return shipped("mood", first=DEFAULT_MOOD)


def load_mood(name: str) -> Mood:
    """Load a shipped mood by name, or a user's by file name.

    Raises
    ------
    ConfigError
        If there is no such mood, or a field is wrong.
    """
    values, _ = read_named("mood", name, shipped_moods())
    return build(Mood, values, where=f"mood {name}")


def _follow(envelope: dict[str, Any], mood: Mood, band: Band | None) -> None:
    envelope["attack"] = _scaled(envelope["attack"], mood.attack, 60)
    if mood.smoothing:
        envelope["attack"] = min(60.0, round(envelope["attack"] + mood.smoothing, 6))
    envelope["release"] = _scaled(envelope["release"], mood.release, 60)
    envelope["contrast"] = _scaled(envelope["contrast"], mood.contrast, 10)
    envelope["gamma"] = max(0.05, _scaled(envelope["gamma"], mood.gamma, 8))
    if band is not None:
        envelope.update(band.model_dump(exclude_none=True))


def _steps(sync: TempoSync, name: str, phase: dict[str, Any]) -> bool:
    locked = phase["beats"] is not None or phase["bars"] is not None
    return sync.enabled and not locked and (sync.phases is None or name in sync.phases)


def _scaled(value: float, factor: float, limit: float) -> float:
    """Scale within what the control allows; the factor 1 leaves the very same number."""
    return value if factor == 1 else max(-limit, min(limit, round(value * factor, 6)))
