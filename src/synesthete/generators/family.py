"""A palette family: presets whose hues are turned towards one another, so that they look like one work."""

import math
from collections.abc import Sequence

from synesthete.config.preset import Preset
from synesthete.generators.program import program_of
from synesthete.programs.parameters import Colour, Ramp, Shade
from synesthete.programs.program import Program
from synesthete.programs.style import with_hue

__all__ = ["main_hue", "turned", "turned_towards"]

_FAMILY_TURNS = 1 / 12


def main_hue(preset: Preset) -> float | None:
    """Give the hue that a preset's palettes have most of, in turns; None for grey ones, and without any."""
    stops = [stop for ramp in _ramps(preset) for stop in ramp]
    x = sum(light * chroma * math.cos(math.radians(hue)) for light, chroma, hue in stops)
    y = sum(light * chroma * math.sin(math.radians(hue)) for light, chroma, hue in stops)
    return None if math.hypot(x, y) < 1e-3 else (math.atan2(y, x) / (2 * math.pi)) % 1.0


def turned_towards(preset: Preset, hue: float | None) -> Preset:
    """Turn a preset's hues, as little as can be, until its main one lies within 30 degrees of ``hue``."""
    own = main_hue(preset)
    if own is None or hue is None:
        return preset
    away = (hue - own + 0.5) % 1.0 - 0.5
    return turned(preset, math.copysign(max(0.0, abs(away) - _FAMILY_TURNS), away))


def turned(preset: Preset, turns: float) -> Preset:
    """Turn all hues of a preset; of one without palettes, none."""
    if turns == 0 or preset.generator in ("gan", "diffusion"):
        return preset
    if preset.generator == "program":
        program_of(preset)  # that it can be read
        return preset.model_copy(update={"program": with_hue(preset.program, turns)})
    palette = preset.cppn.palette
    hue = palette.hue.model_copy(update={"base": palette.hue.base + turns})
    cppn = preset.cppn.model_copy(update={"palette": palette.model_copy(update={"hue": hue})})
    return preset.model_copy(update={"cppn": cppn})


def _ramps(preset: Preset) -> Sequence[Sequence[tuple[float, float, float]]]:
    if preset.generator == "program":
        return _program_ramps(program_of(preset))
    if preset.generator in ("gan", "diffusion"):
        return []
    turn = 360.0 * preset.cppn.palette.hue.base
    ramps = (preset.cppn.palette.ramp, preset.cppn.palette.second)
    return [[(light, chroma, hue + turn) for light, chroma, hue in ramp] for ramp in ramps]


def _program_ramps(program: Program) -> list[list[tuple[float, float, float]]]:
    ramps = []
    for node in program.root.walk():
        for name, parameter in node.primitive.parameters.items():
            value = node.values[name]
            if isinstance(parameter, Ramp | Colour) and isinstance(value, Shade):
                turn = 360.0 * value.hue.base
                ramps.append([(light, chroma, hue + turn) for light, chroma, hue in value.stops])
    return ramps
