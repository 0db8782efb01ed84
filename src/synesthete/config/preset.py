"""Presets: named files that fix generator, style, control and seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from synesthete.config.base import Frozen, build, parse_assignment, set_path
from synesthete.config.control import Amount, Control, Name
from synesthete.config.dream import DiffusionLook
from synesthete.config.gan_look import GanLook
from synesthete.config.look_files import copies_beside, found_files, with_copies
from synesthete.config.modulation import Modulated, Modulation
from synesthete.config.mood import Mood, apply_guidance, apply_mood, apply_walk
from synesthete.config.named import NAME, read_named, shipped
from synesthete.config.post import Lut, Post, found_lut
from synesthete.config.weights import SUFFIX, GivenWeights, Picture, Weights, copied, found
from synesthete.errors import ConfigError
from synesthete.seeding import MAX_SEED

__all__ = [
    "AUTO_PRESET",
    "DEFAULT_PRESETS",
    "FAMILIES",
    "CppnLook",
    "GeneratorName",
    "Net",
    "Palette",
    "Preset",
    "Surface",
    "View",
    "check_key",
    "default_preset",
    "files_beside",
    "load_preset",
    "shipped_presets",
    "with_files_beside",
    "with_lut",
    "with_style_image",
    "with_weights",
]

GeneratorName = Literal["cppn", "program", "gan", "diffusion"]
DEFAULT_PRESETS: dict[GeneratorName, str] = {
    "cppn": "silk", "program": "corona", "gan": "walk", "diffusion": "dream",
}  # fmt: skip
"""The preset that each generator renders with when none is named; the first is the default of all."""

AUTO_PRESET = "auto"
"""Names no preset: a family is chosen when the song was heard."""

FAMILIES: dict[tuple[bool, bool], str] = {
    (True, True): "fractal",
    (True, False): "geometric",
    (False, True): "flowing",
    (False, False): "organic",
}
"""The four pattern families of the CPPN project, by whether the music is energetic, and bright."""


class Net(Frozen):
    """The CPPN's architecture, and what drives it besides the coordinates.

    Its weights are drawn from the seed, or come from a file (`synesthete fit` writes such); ``output`` says
    what its three values are: form, tint and light, shown through the palette, or the picture's colours
    themselves. ``reach`` is the radius of the circles on which phases enter: at 0 they are at rest.
    """

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
    reach: Modulated = Modulation(base=1.0)
    output: Literal["form", "colour"] = "form"
    weights: GivenWeights | None = None

    @model_validator(mode="after")
    def _drawn_or_given(self) -> "Net":
        if self.weights is not None and self.evolution:
            raise ValueError("a net with weights of its own does not evolve; set evolution to 0")
        return self


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

    name: Annotated[str, Field(pattern=NAME)]
    summary: Annotated[str, Field(min_length=1, max_length=200)]
    world: Annotated[str, Field(max_length=40)] = ""
    key: Literal["light"] | None = None
    generator: GeneratorName = "cppn"
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    style: Annotated[tuple[Annotated[float, Field(ge=-5, le=5)], ...], Field(min_length=4, max_length=4)] = (
        0.0,
        0.0,
        0.0,
        0.0,
    )
    control: Control = Control()
    post: Post = Post()
    cppn: CppnLook = CppnLook()
    program: dict[str, Any] = {}
    gan: GanLook = GanLook()
    diffusion: DiffusionLook = DiffusionLook()

    @model_validator(mode="after")
    def _of_its_generator(self) -> "Preset":
        for name in get_args(GeneratorName):
            if name != self.generator and getattr(self, name) != Preset.model_fields[name].default:
                raise ValueError(
                    f"a preset of the generator {self.generator} takes no {name}; remove it, or correct "
                    "generator"
                )
        if self.generator == "program" and not self.program:
            raise ValueError("program is missing; give version and root")
        return self

    @model_validator(mode="after")
    def _signals_exist(self) -> "Preset":
        known = self.control.names()
        for field, names in _signals_used(self.cppn):
            for name in names:
                if name not in known:
                    choice = ", ".join(sorted(known))
                    raise ValueError(f"cppn.{field} uses {name!r}; known signals are {choice}")
        for field, names in self.post.signals().items():
            for name in names:
                if name not in known:
                    choice = ", ".join(sorted(known))
                    raise ValueError(f"post.{field} is driven by {name!r}; known signals are {choice}")
        for name in self.cppn.net.phases:
            if name not in self.control.phases:
                raise ValueError(f"cppn.net.phases uses {name!r}, which is no phase")
        return self


def _signals_used(look: CppnLook) -> list[tuple[str, Sequence[str]]]:
    used: list[tuple[str, Sequence[str]]] = [("net.signals", list(look.net.signals))]
    for section in ("net", "view", "palette", "surface"):
        part = getattr(look, section)
        for field in type(part).model_fields:
            value = getattr(part, field)
            if isinstance(value, Modulation):
                used.append((f"{section}.{field}", list(value.by)))
    return used


def check_key(presets: Sequence[Preset]) -> None:
    """Refuse to make the dark transparent in presets whose dark is part of the picture.

    Raises
    ------
    ConfigError
        If one of them declares no key.
    """
    lacking = next((preset for preset in presets if preset.key is None), None)
    if lacking is not None:
        keyed = [name for name in shipped_presets() if load_preset(name).key is not None]
        raise ConfigError(
            f"preset {lacking.name} has no key that could make its dark transparent; drop --alpha, or take "
            f"one of light on black: {', '.join(keyed)}"
        )


def shipped_presets() -> list[str]:
    """Give the names of the presets that ship, the default first."""
    return shipped("preset", first=default_preset())


def default_preset(generator: GeneratorName | None = None) -> str:
    """Name the preset that a generator renders with when none is named; by default that of all."""
    if generator is None:
        return next(iter(DEFAULT_PRESETS.values()))
    return DEFAULT_PRESETS[generator]


def load_preset(name: str, *, assignments: Sequence[str] = (), mood: Mood | None = None) -> Preset:
    """Load a shipped preset by name, or a user's by file name, with ``key=value`` changes on top.

    A change replaces one field of the resolved preset; what it does not name stays as it is. A mood is laid
    over the preset's control, and over what learned generators have of their own, before the changes.

    Raises
    ------
    ConfigError
        If there is no such preset, or a field is wrong.
    """
    values, folder = read_named("preset", name, shipped_presets())
    preset = build(Preset, values, where=f"preset {name}")
    if mood is not None:
        preset = _in_mood(preset, mood)
    if assignments:
        values = preset.model_dump()
        for text in assignments:
            key, value = parse_assignment(text)
            values = set_path(values, key, value)
        preset = build(Preset, values, where=f"preset {name}")
    weights = preset.cppn.net.weights
    if weights is not None:
        preset = with_weights(preset, found(weights, folder, where=f"preset {name}: cppn.net.weights"))
    looks = {
        "gan": found_files(preset.gan, folder, where=f"preset {name}: gan"),
        "diffusion": found_files(preset.diffusion, folder, where=f"preset {name}: diffusion"),
    }
    preset = preset.model_copy(update=looks)
    if preset.post.lut is None:
        return preset
    return with_lut(preset, found_lut(preset.post.lut, folder, where=f"preset {name}: post.lut"))


def _in_mood(preset: Preset, mood: Mood) -> Preset:
    """Lay a mood over a preset; learned generators have something of their own that it changes."""
    changes: dict[str, Any] = {"control": apply_mood(preset.control, mood)}
    if preset.generator == "diffusion":
        changes["diffusion"] = apply_guidance(preset.diffusion, mood)
    if preset.generator == "gan":
        changes["gan"] = apply_walk(preset.gan, mood)
    return preset.model_copy(update=changes)


def with_weights(preset: Preset, weights: Weights) -> Preset:
    """Give a preset's network weights from another place."""
    net = preset.cppn.net.model_copy(update={"weights": weights})
    return preset.model_copy(update={"cppn": preset.cppn.model_copy(update={"net": net})})


def files_beside(preset: Preset, target: Path) -> list[Path]:
    """Say where `with_files_beside` copies to."""
    own = [] if preset.cppn.net.weights is None else [target.with_suffix(SUFFIX)]
    looks: tuple[GanLook | DiffusionLook, ...] = (preset.gan, preset.diffusion)
    return [*own, *(copy for look in looks for copy in copies_beside(look, target).values())]


def with_files_beside(preset: Preset, target: Path) -> Preset:
    """Copy weights and pictures that a preset brings along beside a file that will hold it.

    Returns
    -------
    The preset as it is to be written there.

    Raises
    ------
    OutputError, RenderError
        If they can't be written; see `synesthete.files.whole_file`.
    """
    weights = preset.cppn.net.weights
    if weights is not None:
        preset = with_weights(preset, copied(weights, target.with_suffix(SUFFIX)))
    looks = {"gan": with_copies(preset.gan, target), "diffusion": with_copies(preset.diffusion, target)}
    return preset.model_copy(update=looks)


def with_style_image(preset: Preset, picture: Picture) -> Preset:
    """Give a preset of the model that listens the style of a picture."""
    changes = {"style_mode": "image", "style_image": picture, "style_seed_to": None}
    return preset.model_copy(update={"diffusion": preset.diffusion.model_copy(update=changes)})


def with_lut(preset: Preset, lut: Lut | None) -> Preset:
    """Give a preset another table of colours, or none."""
    return preset.model_copy(update={"post": preset.post.model_copy(update={"lut": lut})})
