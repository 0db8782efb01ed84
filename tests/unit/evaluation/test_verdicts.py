"""Each fact is judged by its own limit, what is unknown is not judged, and the terminal gets three lines."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from synesthete.evaluation.verdicts import Verdict, judge, shown, summary_lines, value_at

GOOD: dict[str, Any] = {
    "film": {"frame_rate": "30000/1001", "frames": 5400},
    "sync": {
        "status": "ok", "r2": 0.41, "null_r2": 0.02, "effect": 0.39, "p": 0.0154, "z": 9.0, "count": 64,
        "lag_ms": 4.0, "lag_interval_ms": [-2.0, 9.0], "lag_status": "ok", "lag_correlation": 0.6,
        "bars": {"status": "ok", "r2": 0.41, "null_r2": 0.2, "effect": 0.21, "p": 0.02, "z": 3.0},
    },
    "silence": {"motion_ratio": 0.04, "brightness_ratio": 0.3, "seconds": 6.0},
    "flicker": 0.0012,
    "coherence": {"flicker_on_onsets": 0.002, "flicker_off_onsets": 0.001, "frozen": [], "dead": []},
    "look": {"brightness": 0.18, "saturation": 0.46, "dark": 0.62, "clipped": 0.003},
    "safety": {"pass": True, "flashes": 9, "worst_per_second": 2, "worst_s": 47.0},
    "integrity": {"pass": True, "frames": 5400, "av_offset_ms": 0.0, "lufs": -14.1, "problems": []},
}  # fmt: skip
ALIGNMENT = {
    "av_align": {"value": 0.31, "null": 0.2, "effect": 0.11, "p": 0.0154, "z": 2.0},
    "beat": {"precision": 0.5, "recall": 0.6, "f1": 0.55, "null_f1": 0.3, "effect": 0.25, "p": 0.4, "z": 1.0},
}


def with_value(key: str, value: Any) -> dict[str, Any]:
    """Give the good film with one value changed."""
    values = copy.deepcopy(GOOD)
    *parents, last = key.split(".")
    place = values
    for name in parents:
        place = place[name]
    place[last] = value
    return values


def verdict_on(values: Mapping[str, Any], name: str) -> Verdict:
    return next(verdict for verdict in judge(values) if verdict.name == name)


def keys_of(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from keys_of(value, f"{prefix}{name}.")


def test_a_good_film_passes_everything_that_has_a_limit() -> None:
    assert {verdict.name: verdict.passed for verdict in judge(GOOD)} == {
        "Driven by its music": True,
        "On time": True,
        "Knows its bars": True,
        "Rests in silence": True,
        "Never stuck": True,
        "Colour": True,
        "Light": True,
        "Flicker": None,
        "Flash-safe": True,
        "File whole": True,
    }


@pytest.mark.parametrize(
    ("key", "value", "name", "passed"),
    [
        ("sync.p", 0.0199, "Driven by its music", True),
        ("sync.p", 0.02, "Driven by its music", None),
        ("sync.p", 0.05, "Driven by its music", False),
        ("sync.effect", 0.15, "Driven by its music", True),
        ("sync.effect", 0.149, "Driven by its music", None),
        ("sync.effect", 0.0, "Driven by its music", False),
        ("sync.lag_ms", 33.3, "On time", True),
        ("sync.lag_ms", -33.3, "On time", True),
        ("sync.lag_ms", 33.4, "On time", False),
        ("sync.lag_ms", None, "On time", None),
        ("sync.bars.p", 0.049, "Knows its bars", True),
        ("sync.bars.p", 0.05, "Knows its bars", None),
        ("sync.bars.effect", -0.01, "Knows its bars", None),
        ("silence.motion_ratio", 0.2, "Rests in silence", True),
        ("silence.motion_ratio", 0.21, "Rests in silence", False),
        ("silence.motion_ratio", None, "Rests in silence", None),
        ("coherence.frozen", [[3.0, 8.0]], "Never stuck", False),
        ("coherence.dead", [[3.0, 8.0]], "Never stuck", False),
        ("look.saturation", 0.15, "Colour", True),
        ("look.saturation", 0.149, "Colour", False),
        ("look.clipped", 0.2, "Light", True),
        ("look.clipped", 0.21, "Light", False),
        ("look.dark", 0.99, "Light", False),
        ("look.brightness", 0.76, "Light", False),
        ("safety.pass", False, "Flash-safe", False),
        ("integrity.pass", False, "File whole", False),
    ],
)
def test_each_limit_has_two_sides(key: str, value: Any, name: str, passed: bool | None) -> None:
    assert verdict_on(with_value(key, value), name).passed is passed


@pytest.mark.parametrize("key", list(keys_of(GOOD)))
def test_what_is_unknown_fails_nothing(key: str) -> None:
    values = with_value(key, None)
    assert all(verdict.passed is not False for verdict in judge(values))
    assert len(summary_lines(values)) == 3


def test_a_certificate_without_values_is_not_judged() -> None:
    assert [verdict.passed for verdict in judge({})] == [None] * 10
    assert all("not told" in line or "–" in line for line in summary_lines({}))


def test_a_lag_that_is_not_told_says_why() -> None:
    meanings = set()
    for status in ("weak", "periodic", "insufficient"):
        values = with_value("sync.lag_ms", None)
        values["sync"]["lag_status"] = status
        meanings.add(verdict_on(values, "On time").meaning)
    assert len(meanings) == 3


def test_the_lag_says_on_which_side_the_picture_is() -> None:
    assert "50 ms after" in verdict_on(with_value("sync.lag_ms", 50.0), "On time").meaning
    assert "50 ms before" in verdict_on(with_value("sync.lag_ms", -50.0), "On time").meaning


def test_a_faulty_file_says_what_is_wrong_in_sentences() -> None:
    values = with_value("integrity.pass", False)
    values["integrity"]["problems"] = ["3 frames are missing", "Sound is late."]
    assert verdict_on(values, "File whole").meaning == "3 frames are missing. Sound is late."


def test_alignment_adds_two_verdicts_that_only_count_for_a_film() -> None:
    verdicts = judge({**GOOD, "alignment": ALIGNMENT})[10:]
    assert [verdict.passed for verdict in verdicts] == [True, None]
    empty = {name: dict.fromkeys(scores) for name, scores in ALIGNMENT.items()}
    assert [verdict.value for verdict in judge({**GOOD, "alignment": empty})[10:]] == ["not told"] * 2


def test_verdicts_go_to_json() -> None:
    verdicts = [verdict.to_json() for verdict in judge(GOOD)]
    assert json.loads(json.dumps(verdicts, allow_nan=False)) == verdicts
    assert set(verdicts[0]) == {"name", "value", "limit", "passed", "meaning"}


def test_the_summary_says_sync_look_and_safety_in_three_lines() -> None:
    assert summary_lines(GOOD) == [
        "sync       R² 0.41, by chance 0.02 (p 0.015); lag +4 ms; knows its bars (p 0.02)",
        "look       motion in silence 0.04 of loud; flicker 0.0012; saturation 0.46",
        "safety     flash-safe (2 in the worst second, by 47.0 s); file whole, sound +0.0 ms",
    ]


def test_the_summary_names_faults_and_stays_short() -> None:
    values = with_value("safety", {"pass": False, "worst_per_second": 7, "worst_s": 122.0})
    values["integrity"].update({"pass": False, "problems": ["a very long sentence" * 20]})
    values["look"]["saturation"] = 0.05
    values["silence"]["motion_ratio"] = 0.9
    lines = summary_lines(values)
    assert "(restless)" in lines[1]
    assert "(grey)" in lines[1]
    assert lines[2].startswith(
        "safety     NOT FLASH-SAFE (7 in the worst second, by 2:02); FILE AT FAULT: A very"
    )
    assert all(len(line) <= 100 and "\n" not in line for line in lines)


def test_numbers_are_written_with_a_true_minus_and_zero_without_one() -> None:
    assert shown(-3.0, "+.0f") == "−3"
    assert shown(-0.001, ".2f") == "0.00"
    assert shown(None) == "–"


def test_a_dotted_key_leads_nowhere_without_an_error() -> None:
    assert value_at({"sync": {"bars": {"p": 0.5}}}, "sync.bars.p") == 0.5
    assert value_at({"sync": 3}, "sync.bars.p") is None
