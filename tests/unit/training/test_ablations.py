"""The ablations: each variant differs from the last in what it says, and the table says what was measured."""

import argparse
import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def ablations() -> Any:
    spec = importlib.util.spec_from_file_location("ablations", ROOT / "benchmarks" / "ablations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ablations"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def given() -> argparse.Namespace:
    return argparse.Namespace(preset="small", steps=900, set=["data.batch_size=4"], clips=8)


def changes(before: dict[str, Any], now: dict[str, Any], path: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in now.items():
        if isinstance(value, dict) and name != "negatives":
            found |= changes(before[name], value, f"{path}{name}.")
        elif before[name] != value:
            found.add(path + name)
    return found


def test_each_variant_changes_one_thing(ablations: Any, given: argparse.Namespace) -> None:
    trained = ablations.VARIANTS[:-1]
    configs = [ablations.configuration(variant, given, 1).model_dump() for variant in trained]
    found = [changes(one, other) for one, other in pairwise(configs)]
    assert found == [
        {"conditions.aligned"},
        {"conditions.p_style_drop"},
        {"pressure.weight", "pressure.negatives"},
        {"pressure.negatives"},
        {"data.audio_silence_mix_prob", "losses.silence"},
    ]
    assert {config["steps"] for config in configs} == {900}
    assert configs[0]["conditions"]["aligned"] is False
    assert configs[0]["conditions"]["p_style_drop"] == 1.0
    assert configs[0]["pressure"]["weight"] == 0.0
    last = ablations.VARIANTS[-1]
    assert ablations.trained_as(last) == trained[-1]
    assert last.audio_guidance > trained[-1].audio_guidance == 1.0


def figures(ablations: Any, value: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in ablations.COLUMNS:
        *path, last = column.place.split(".")
        place = found
        for name in path:
            place = place.setdefault(name, {})
        place[last] = value
    return {"figures": found}


def test_the_table_gives_means_and_ranges(ablations: Any, given: argparse.Namespace) -> None:
    found = {
        "baseline": [figures(ablations, 0.5), figures(ablations, 1.0)],
        "style": [figures(ablations, None)],
    }
    head, _, *rows = ablations.table(found)
    assert "silence" in head
    assert rows[0].startswith("| misaligned, unpressed | 2 | 0.75 (0.50–1.00) |")
    assert rows[1].startswith("| + style | 1 | – |")
    page = ablations.page(found, given)
    assert "900 steps of 4 clips, preset `small` `--set data.batch_size=4`" in page
