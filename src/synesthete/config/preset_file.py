"""Presets as YAML that people read: a commented file to start from, and a resolved preset in full."""

import re
from typing import Any, get_args

import yaml

from synesthete.config.preset import GeneratorName, Preset
from synesthete.errors import ConfigError

__all__ = ["new_preset", "resolved_yaml", "stem_of_new"]

_WIDTH = 106
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_ABOUT: dict[str, str] = {
    "summary": "What one sees, in one line: the only field that a preset must have.",
    "world": "The family of looks that it belongs to; free text.",
    "key": "light, if what is dark may become transparent (--alpha): for pictures of light on black.",
    "generator": "What draws: cppn (a small neural field), program (a tree of primitives), gan or diffusion.",
    "seed": "Another seed is another picture: the strongest knob of all.",
    "style": "How it looks, four numbers of about -2 to 2: matter, depth, warmth, density.",
    "control": "How the music becomes signals; what is not named here is as in every preset.",
    "cppn": "Any number may move: {base: 1.0, body: 0.2} is 1.0 + 0.2 * body at every moment.",
    "cppn.net": "The network: small ones (2x4 to 3x8) look best. signals and phases are what it hears.",
    "cppn.view": "Where it is looked at: zoom, angle, fold (kaleidoscope), mirror, warp.",
    "cppn.palette": "OKLCH stops from dark to light: [lightness 0-1, chroma 0-0.4, hue in degrees].",
    "cppn.surface": "How form becomes light: bands, exposure, darkness, relief, gloss, lines.",
    "program": "The picture as a tree; docs/programs.md shows every node and its parameters.",
    "gan": "How the generator of pictures is walked through; docs/gan-fields.md lists what there is.",
    "diffusion": "How the model that listens draws; docs/dream-fields.md lists what there is.",
    "post": "What is done to the finished picture: colour, light, lens, grain; docs/post.md tells of it.",
}

_SIGNALS = """\
# Signals that exist in every preset: energy (loudness), body (bass), voice (mids), air (treble), spark
# (onsets), pulse (beats), calm (1 in silence); the phases turn, flow, evolve and bars; the wander drift and
# sway; part, a level for each section; sweep, a sine over a bar. Your own, and other ways to follow, go here:
#
# control:
#   envelopes:
#     body: {column: band_1, floor: 0.4, ceil: 0.9, contrast: 2.5, attack: 0.02, release: 0.2}
#     kick: {column: drums.onset, ceil: 0.6, release: 0.1}  # needs --stems FOLDER
#   phases:
#     flow: {rate: 0.01, drive: {body: 0.05, energy: 0.02}, step: 1}  # moves in steps that fall on the beats
#     spin: {beats: 8}  # one turn every eight beats
#   wander: {drift: {correlation: 9, amount: 1.0}}
#   parts: {part: {glide: 2.5}}
#   oscillators: {nod: {phase: spin, ratio: 8}}
"""


def stem_of_new(name: str) -> str:
    """Give the file's name without its ending for a preset to be made.

    Raises
    ------
    ConfigError
        If it is no name for a preset.

    Examples
    --------
    >>> stem_of_new("my-look.yaml")
    'my-look'
    """
    stem = name.removesuffix(".yaml")
    if not _NAME.fullmatch(stem):
        raise ConfigError(
            f"{name[:60]!r} is no name for a preset; take at most 64 letters (a-z), digits, - and _, without "
            "folders, such as my-look"
        )
    return stem


def new_preset(source: Preset, *, name: str) -> str:
    """Write a preset to start from: another one's values, each part with a line that says what it is for.

    Returns
    -------
    YAML that loads as a preset equal to ``source`` but for its name, which will be the file's.
    """
    values: dict[str, Any] = source.model_dump(mode="json", exclude_defaults=True)
    values.pop("name", None)
    values |= {
        "generator": source.generator,
        "seed": source.seed,
        "key": source.key,
        "post": _short(source.post.model_dump(mode="json", exclude_none=True)),
    }
    if source.generator == "cppn":  # every knob of it, so that one can turn them
        values["cppn"] = _short(source.cppn.model_dump(mode="json", exclude_none=True))
    if source.generator in ("gan", "diffusion"):
        look = getattr(source, source.generator)
        values[source.generator] = look.model_dump(mode="json", exclude_none=True)
    lines = [
        f"# {name}: a preset of Synesthete, started from {source.name}.",
        f"#   synesthete preset check {name}.yaml",
        f"#   synesthete render SONG --preset {name}.yaml --preview",
        "# docs/guide.md tells of presets at length.",
        "",
    ]
    for key in sorted(values, key=list(_ABOUT).index):
        lines += _part(key, values[key])
    return "\n".join([*lines, "", _SIGNALS.rstrip(), ""])


def resolved_yaml(preset: Preset) -> str:
    """Write every field of a preset, defaults included; it loads as the same preset."""
    values: dict[str, Any] = preset.model_dump(mode="json", exclude_none=True)
    for other in {*get_args(GeneratorName)} - {preset.generator}:
        del values[other]
    values["post"] = _short(values["post"])
    if preset.generator == "cppn":
        values["cppn"] = _short(values["cppn"])
    return _yaml(values)


def _part(key: str, value: Any) -> list[str]:
    lines = [f"# {_ABOUT[key]}"]
    within = [name for name in value if f"{key}.{name}" in _ABOUT] if isinstance(value, dict) else []
    if not within:
        return [*lines, _yaml({key: value}).rstrip()]
    lines.append(f"{key}:")
    for name, inner in value.items():
        lines.append(f"  # {_ABOUT[f'{key}.{name}']}")
        lines += [f"  {line}" for line in _yaml({name: inner}).rstrip().splitlines()]
    return lines


class _Dumper(yaml.SafeDumper):
    """Writes lists of plain values, and mappings of them, in one line, but never a whole document."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _flat(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    nested = any(isinstance(item, dict) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=not nested)


_Dumper.add_representer(list, _flat)


def _yaml(values: dict[str, Any]) -> str:
    plain = not any(isinstance(value, dict | list) for value in values.values())
    text: str = yaml.dump(
        values,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False if plain else None,
        allow_unicode=True,
        width=_WIDTH,
    )
    return text


def _short(value: Any) -> Any:
    """Write what moves as ``{base: 1.0, body: 0.2}``, and what stays as a plain number."""
    if isinstance(value, list):
        return [_short(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value and value.keys() <= {"base", "by"}:
        moves = value.get("by", {})
        base = value.get("base", 0.0)
        return {**({"base": base} if base else {}), **moves} if moves else base
    return {key: _short(item) for key, item in value.items()}
