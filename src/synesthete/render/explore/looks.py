"""Where the cells of a sheet come from: seeds, sweeps, or parents. A cell is a preset with a label."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synesthete.config.base import build, set_path
from synesthete.config.preset import GeneratorName, Preset, default_preset, load_preset
from synesthete.errors import ConfigError
from synesthete.generators.build import check_preset
from synesthete.generators.program import program_of
from synesthete.programs.program import Program
from synesthete.programs.sample import sample_program, sample_style
from synesthete.programs.vary import crossover, interpolate, mutate
from synesthete.seeding import MAX_SEED, generator_for

__all__ = ["Look", "Sweep", "bred_looks", "parse_sweep", "seeded_looks", "swept_looks"]

_WHOLE = (
    "layers", "units", "fold", "seed", "steps", "style_seed", "style_seed_to", "anchors", "anchor_seed",
    "wander_seed",
)  # fmt: skip
_CHANGED = ("net", "view", "palette", "surface")


@dataclass(frozen=True)
class Look:
    """One cell of a sheet."""

    label: str
    preset: Preset


@dataclass(frozen=True)
class Sweep:
    """A field of the preset, and the values that it takes one after another.

    Attributes
    ----------
    field
        Dotted, as in ``style.0`` or ``cppn.net.layers``.
    ends
        First and last value, with as many between them as there are cells; None if they are listed.
    listed
        The values themselves; empty if there are ends.
    """

    field: str
    ends: tuple[float, float] | None
    listed: tuple[float, ...] = ()

    def values(self, count: int) -> list[float]:
        """Give a value for each of so many cells; of listed values, as many as there are."""
        if self.ends is None:
            return list(self.listed[:count])
        return [round(float(value), 6) for value in np.linspace(*self.ends, count)]


def parse_sweep(text: str) -> Sweep:
    """Read ``FIELD=LOW:HIGH`` or ``FIELD=A,B,C``.

    Raises
    ------
    ConfigError
        If it is neither.

    Examples
    --------
    >>> parse_sweep("style.0=-2:2").values(3)
    [-2.0, 0.0, 2.0]
    """
    field, _, values = text.partition("=")
    field = field.strip()
    try:
        if ":" in values:
            low, high = (float(value) for value in values.split(":"))
            if field and abs(low) < np.inf and abs(high) < np.inf:
                return Sweep(field, (low, high))
        else:
            listed = tuple(float(value) for value in values.split(","))
            if field and all(abs(value) < np.inf for value in listed):
                return Sweep(field, None, listed)
    except ValueError:
        pass
    raise ConfigError(
        f"--sweep {text[:60]!r} is not FIELD=LOW:HIGH or FIELD=A,B,C; pass for instance "
        "--sweep style.0=-2:2 or --sweep cppn.net.layers=2,3,4"
    )


def seeded_looks(
    generator: GeneratorName, preset: str | None, count: int, *, seed: int, style: Sequence[float] | None
) -> list[Look]:
    """Give one look per seed, from ``seed`` on.

    Without a preset, programs are sampled, each in a style of its own if none is given, and CPPNs are other
    networks of their default preset. With a program preset, the looks are variations of it. The model that
    listens takes its style, and its noise, from the seed, and the generator of pictures its anchors and walk.
    """
    if seed + count - 1 > MAX_SEED:
        raise ConfigError(f"--seed {seed} is too large for {count} cells; pass a smaller one")
    seeds = range(seed, seed + count)
    if generator == "program" and preset is None:
        styles = [sample_style(each) if style is None else tuple(style) for each in seeds]
        return [Look(f"seed {each}", _sampled(each, own)) for each, own in zip(seeds, styles, strict=True)]
    base = _base(generator, preset)
    if generator == "program":
        own = Program.from_json(base.program)
        return [Look(f"seed {each}", _with_program(base, mutate(own, each).program, each)) for each in seeds]
    chosen = {} if style is None else {"style": list(style)}
    return [Look(f"seed {each}", _changed(base, {"seed": each, **chosen})) for each in seeds]


def swept_looks(
    generator: GeneratorName,
    preset: str | None,
    sweeps: Sequence[Sweep],
    grid: tuple[int, int],
    *,
    seed: int,
    style: Sequence[float] | None,
) -> list[Look]:
    """Give the looks of one sweep over all cells, or of two: along columns and down rows.

    Without a preset, a sweep of ``style`` steers what is sampled from the seed; else fields of the preset.
    """
    columns, rows = grid
    if len(sweeps) == 1:
        points: list[tuple[tuple[str, float], ...]] = [
            ((sweeps[0].field, value),) for value in sweeps[0].values(columns * rows)
        ]
    else:
        across, down = sweeps
        points = [
            ((across.field, x), (down.field, y))
            for y, x in itertools.product(down.values(rows), across.values(columns))
        ]
    labels = [", ".join(f"{_short(field)} {value:g}" for field, value in point) for point in points]
    presets = [_at(point, generator, preset, seed, style) for point in points]
    return [Look(label, look) for label, look in zip(labels, presets, strict=True)]


def bred_looks(parents: Sequence[Preset], count: int, *, seed: int, strength: float) -> list[Look]:
    """Give the next generation: the parents themselves first, then children, each by another way.

    Children of programs are in turn crossings of two parents, what lies between two, and mutations of one.
    Children of CPPNs take each part of their look from one parent or the other, or a new network; those of
    the model that listens lie between the styles of two parents, or near that of one; those of the generator
    of pictures walk as one parent does, among the anchors of the other, or new ones.
    """
    looks = [Look(f"parent {number}", parent) for number, parent in enumerate(parents, start=1)][:count]
    for number in range(count - len(looks)):
        draws = generator_for(seed, "explore.breed", number)
        first = parents[number % len(parents)]
        others = [parent for parent in parents if parent is not first and parent.generator == first.generator]
        second = others[int(draws.integers(len(others)))] if others else None
        child_seed = int(draws.integers(2**31))
        looks.append(_CHILDREN[first.generator](first, second, child_seed, number // len(parents), strength))
    return looks


def _sampled(seed: int, style: Sequence[float]) -> Preset:
    program = sample_program(seed, style).program
    axes = ", ".join(f"{value:g}" for value in style)
    return build(
        Preset,
        {
            "name": f"sampled-{seed}",
            "summary": f"Sampled with seed {seed} and style {axes}",
            "generator": "program",
            "seed": seed,
            "style": list(style),
            "program": program.to_json(),
        },
        where="sampled preset",
    )


def _base(generator: GeneratorName, preset: str | None) -> Preset:
    base = load_preset(preset or default_preset(generator))
    check_preset(base)
    return base


def _changed(base: Preset, changes: Mapping[str, Any]) -> Preset:
    preset = build(Preset, {**base.model_dump(), **changes}, where=f"preset {base.name}")
    check_preset(preset)
    return preset


def _with_program(base: Preset, program: Program, seed: int) -> Preset:
    return _changed(base, {"program": program.to_json(), "seed": seed})


def _at(
    point: Sequence[tuple[str, float]],
    generator: GeneratorName,
    preset: str | None,
    seed: int,
    style: Sequence[float] | None,
) -> Preset:
    own = list(style or (0.0, 0.0, 0.0, 0.0))
    if generator == "program" and preset is None:
        for field, value in point:
            axis = _style_axis(field)
            if axis is None:
                raise ConfigError(
                    f"--sweep {field}: sampled programs have style.0 to style.3 only; name a --preset to "
                    "sweep its fields"
                )
            own[axis] = value
        return _sampled(seed, own)
    base = _base(generator, preset)
    values = {**base.model_dump(), **({} if style is None else {"style": own})}
    for field, value in point:
        whole = field.rpartition(".")[2] in _WHOLE
        values = set_path(values, field.split("."), round(value) if whole else value)
    return _changed(base, values)


def _short(field: str) -> str:
    """Name a field by its last word, and the axes of style in full."""
    return field if field.startswith("style") else field.rpartition(".")[2]


def _style_axis(field: str) -> int | None:
    name, _, index = field.partition(".")
    return int(index) if name == "style" and index in ("0", "1", "2", "3") else None


def _program_child(first: Preset, second: Preset | None, seed: int, turn: int, strength: float) -> Look:
    own = program_of(first)
    if second is None or turn % 3 == 2:
        return Look(
            f"{first.name} changed", _with_program(first, mutate(own, seed, strength=strength).program, seed)
        )
    other = program_of(second)
    if turn % 3 == 0:
        child, how = crossover(own, other, seed).program, "crossed with"
    else:
        child, how = interpolate(own, other, 0.5), "halfway to"
    return Look(f"{first.name} {how} {second.name}", _child_of(first, second, child, seed))


def _child_of(first: Preset, second: Preset, program: Program, seed: int) -> Preset:
    control = _joined_control(first, second)
    return _changed(first, {"program": program.to_json(), "seed": seed, "control": control})


def _joined_control(first: Preset, second: Preset) -> dict[str, Any]:
    """Give the signals of both, so that what either names is there; the first's where both name one."""
    joined = first.control.model_dump()
    for part in ("envelopes", "phases", "wander", "parts", "oscillators"):
        joined[part] = {**second.control.model_dump()[part], **joined[part]}
    return joined


def _cppn_child(first: Preset, second: Preset | None, seed: int, turn: int, strength: float) -> Look:
    draws = generator_for(seed, "explore.cppn")
    if second is None:
        style = np.clip(np.array(first.style) + strength * draws.normal(size=4), -5, 5).round(3).tolist()
        own = seed if draws.random() < strength else first.seed
        return Look(f"{first.name} changed", _changed(first, {"style": style, "seed": own}))
    look = {part: getattr((first, second)[int(draws.integers(2))].cppn, part) for part in _CHANGED}
    style = ((np.array(first.style) + np.array(second.style)) / 2).round(3).tolist()
    chosen = (first.seed, second.seed, seed)[int(draws.integers(3))]
    changes = {"cppn": look, "style": style, "seed": chosen, "control": _joined_control(first, second)}
    child = _changed(first, changes)
    return Look(f"{first.name} crossed with {second.name}", child)


def _diffusion_child(first: Preset, second: Preset | None, seed: int, turn: int, strength: float) -> Look:
    draws = generator_for(seed, "explore.diffusion")
    own, other = first.style, (second or first).style
    style = 0.5 * (np.array(own) + np.array(other)) + strength * draws.normal(size=len(own))
    changes: dict[str, Any] = {"style": np.clip(style, -5, 5).round(3).tolist()}
    if second is None:
        return Look(f"{first.name} changed", _changed(first, changes))
    if "random" == first.diffusion.style_mode == second.diffusion.style_mode:
        between = {
            "style_mode": "interpolate",
            "style_seed": _style_seed(first),
            "style_seed_to": _style_seed(second),
            "style_share": round(float(draws.uniform(0.25, 0.75)), 3),
        }
        changes["diffusion"] = {**first.diffusion.model_dump(), **between}
    else:
        changes["diffusion"] = (first, second)[int(draws.integers(2))].diffusion.model_dump()
    return Look(f"{first.name} halfway to {second.name}", _changed(first, changes))


def _gan_child(first: Preset, second: Preset | None, seed: int, turn: int, strength: float) -> Look:
    draws = generator_for(seed, "explore.gan")
    own, other = first.style, (second or first).style
    style = 0.5 * (np.array(own) + np.array(other)) + strength * draws.normal(size=len(own))
    changes: dict[str, Any] = {"style": np.clip(style, -5, 5).round(3).tolist()}
    if second is None:
        anchors = seed if draws.random() < strength else _anchor_seed(first)
        changes["gan"] = {**first.gan.model_dump(), "anchor_seed": anchors}
        return Look(f"{first.name} changed", _changed(first, changes))
    walker, among = (first, second) if draws.integers(2) else (second, first)
    changes |= {
        "gan": {
            **walker.gan.model_dump(), "weights": among.gan.weights, "anchor_seed": _anchor_seed(among),
        },
        "seed": walker.seed,
        "control": _joined_control(walker, among),
    }  # fmt: skip
    return Look(f"{walker.name} among {among.name}", _changed(first, changes))


def _anchor_seed(preset: Preset) -> int:
    own = preset.gan.anchor_seed
    return preset.seed if own is None else own


def _style_seed(preset: Preset) -> int:
    own = preset.diffusion.style_seed
    return preset.seed if own is None else own


_CHILDREN: Mapping[GeneratorName, Callable[[Preset, Preset | None, int, int, float], Look]] = {
    "cppn": _cppn_child,
    "program": _program_child,
    "gan": _gan_child,
    "diffusion": _diffusion_child,
}
