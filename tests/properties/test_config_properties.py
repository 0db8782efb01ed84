"""A configuration means the same after it went through YAML or JSON."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from synesthete.clock import MAX_FRAME_RATE, MIN_FRAME_RATE
from synesthete.config.base import build, parse_assignment, set_path
from synesthete.config.control import Control
from synesthete.config.modulation import Modulation
from synesthete.config.preset import Preset
from synesthete.config.render import ASPECTS, MAX_SIDE, MIN_SIDE, RenderOptions, picture_size
from synesthete.files import digest_json
from synesthete.seeding import MAX_SEED

SIGNALS = sorted(Control().names())


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


AMOUNTS = st.dictionaries(st.sampled_from(SIGNALS), floats(-20, 20), max_size=3)
MODULATED = st.one_of(
    floats(-100, 100),
    st.builds(lambda base, by: {"base": base, **by}, floats(-100, 100), AMOUNTS),
    st.builds(lambda base, by: {"base": base, "by": by}, floats(-100, 100), AMOUNTS),
)
STOPS = st.tuples(floats(0, 1), floats(0, 0.4), floats(-720, 720)).map(list)
ENVELOPES = st.fixed_dictionaries(
    {
        "column": st.sampled_from(["loudness", "bass", "onset"]),
        "floor": floats(0, 0.4),
        "ceil": floats(0.5, 1),
    },
    optional={"gamma": floats(0.1, 8), "attack": floats(0, 60), "release": floats(0, 60)},
)
PRESETS = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True),
        "summary": st.text(min_size=1, max_size=40),
    },
    optional={
        "seed": st.integers(0, MAX_SEED),
        "style": st.lists(floats(-5, 5), min_size=4, max_size=4),
        "control": st.fixed_dictionaries(
            {},
            optional={
                "song_gain": st.booleans(),
                "envelopes": st.dictionaries(st.sampled_from(["energy", "body", "own"]), ENVELOPES),
                "phases": st.dictionaries(
                    st.sampled_from(["flow", "spin"]),
                    st.fixed_dictionaries({"rate": floats(-10, 10), "drive": st.just({"energy": 0.5})}),
                ),
                "oscillators": st.just({"lfo": {"phase": "flow", "ratio": 3, "offset": 0.25}}),
            },
        ),
        "cppn": st.fixed_dictionaries(
            {},
            optional={
                "net": st.fixed_dictionaries({"layers": st.integers(1, 12), "signals": AMOUNTS}),
                "view": st.fixed_dictionaries({"zoom": MODULATED, "mirror": st.booleans()}),
                "palette": st.fixed_dictionaries({"ramp": st.lists(STOPS, min_size=2, max_size=8)}),
                "surface": st.fixed_dictionaries({"exposure": MODULATED, "lines": MODULATED}),
            },
        ),
    },
)


def through_yaml(values: Any) -> Any:
    return yaml.safe_load(yaml.safe_dump(values, allow_unicode=True))


def through_json(values: Any) -> Any:
    return json.loads(json.dumps(values, allow_nan=False))


@settings(max_examples=40)
@given(PRESETS)
def test_presets_mean_the_same_after_yaml_and_json(values: dict[str, Any]) -> None:
    preset = build(Preset, values, where="preset")
    resolved = preset.model_dump(mode="json")
    for again in (through_yaml(values), through_yaml(resolved), through_json(resolved), preset.model_dump()):
        other = build(Preset, again, where="preset")
        assert other == preset
        assert digest_json(other.model_dump(mode="json")) == digest_json(resolved)


@given(MODULATED)
def test_short_and_long_notations_of_a_moving_parameter_are_one(value: Any) -> None:
    preset = build(Preset, {"name": "a", "summary": "b", "cppn": {"view": {"zoom": value}}}, where="preset")
    zoom = preset.cppn.view.zoom
    long = value if isinstance(value, dict) else {"base": value}
    by = long.get("by", {name: amount for name, amount in long.items() if name != "base"})
    assert zoom == Modulation(base=long["base"], by=by)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "preset": st.sampled_from(["silk", "my look.yaml"]),
            "seed": st.integers(0, MAX_SEED),
            "set": st.lists(st.sampled_from(["seed=1", "cppn.net.gain=1.5"]), max_size=3),
            "resolution": st.sampled_from(["720p", "4k"]),
            "aspect": st.sampled_from(sorted(ASPECTS)),
            "fps": st.fractions(MIN_FRAME_RATE, MAX_FRAME_RATE, max_denominator=1001),
            "start": st.fractions(0, 1000, max_denominator=10**6),
            "end": st.fractions(1001, 2000, max_denominator=10**6),
            "crf": st.integers(0, 51),
            "frames": st.sampled_from(["out", "/films/ö"]).map(Path),
            "preview": st.booleans(),
        },
    )
)
def test_render_options_survive_their_manifest(values: dict[str, Any]) -> None:
    options = build(RenderOptions, values, where="options")
    stored = options.model_dump(mode="json")
    assert build(RenderOptions, through_json(stored), where="options") == options
    assert build(RenderOptions, through_yaml(stored), where="options") == options


@given(st.integers(MIN_SIDE // 2, MAX_SIDE // 2), st.sampled_from([None, *ASPECTS]))
def test_short_sides_are_kept_and_the_shape_is_within_a_pixel(half: int, aspect: Any) -> None:
    short = 2 * half
    across, down = ASPECTS[aspect or "16:9"]
    long = Fraction(short * max(across, down), min(across, down))
    if long > MAX_SIDE:
        return
    width, height = picture_size(f"{short}p", aspect)
    assert min(width, height) == short
    assert abs(max(width, height) - long) <= 1
    assert (width >= height) == (across >= down)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4), st.integers())
def test_what_was_set_is_there(path: list[str], value: int) -> None:
    keys, parsed = parse_assignment(f"{'.'.join(path)}={value}")
    inner: Any = set_path({"a": {"b": 1}}, keys, parsed)
    for key in keys:
        inner = inner[key]
    assert inner == value
