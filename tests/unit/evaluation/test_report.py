"""The page is whole by itself, well-formed, escaped, the same every time, and shows what was measured."""

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synesthete.evaluation.report import Evidence, write_report
from synesthete.evaluation.verdicts import judge

VOID = {"meta", "img", "br", "hr", "link", "input"}
BEAT_S = 0.5
PATH = re.compile(r"(M\d+ \d+( \d+ \d+)*(V\d+H\d+Z)?|(M\d+ \d+V\d+h\d+V\d+Z)*)")


def make_values(duration_s: float, frame_rate: Fraction, **changes: Any) -> dict[str, Any]:
    third = duration_s / 3
    values: dict[str, Any] = {
        "certificate": 1,
        "synesthete": "0.1.0",
        "film": {
            "file": "film.mp4", "frames": round(duration_s * frame_rate), "frame_rate": str(frame_rate),
            "width": 1920, "height": 1080, "duration_s": duration_s,
        },
        "music": {
            "file": "song.ogg", "tempo_bpm": 120.0, "beats_per_bar": 4, "key": "A minor",
            "sections": [
                {"start_s": k * third, "end_s": (k + 1) * third, "label": label}
                for k, label in enumerate("ABA")
            ],
        },
        "sync": {
            "status": "ok", "r2": 0.4, "null_r2": 0.0, "effect": 0.4, "p": 0.0154, "z": 9.0, "count": 64,
            "lag_ms": None, "lag_status": "weak",
        },
        "response": {
            "bands": {"brightness": [0.5, -0.25, 0, 0, 0, 0, 0, 0.1], "motion": [0.1] * 8},
            "loudness_to_motion": 0.7,
        },
        "silence": {"motion_ratio": None},
        "look": {"saturation": 0.05},
        "safety": {"pass": True, "worst_per_second": 0, "worst_s": None, "general": [], "red": []},
        **changes,
    }  # fmt: skip
    return {**values, "verdicts": [verdict.to_json() for verdict in judge(values)]}


def make_evidence(duration_s: float = 60.0, frame_rate: Fraction = Fraction(30), **changes: Any) -> Evidence:
    ticks = np.arange(max(1, round(duration_s * 100))) / 100
    frames = np.arange(max(1, round(duration_s * frame_rate))) / float(frame_rate)
    motion = np.exp(-8 * (frames % BEAT_S))
    return Evidence(
        values=make_values(duration_s, frame_rate, **changes),
        onset=np.exp(-20 * (ticks % BEAT_S)).astype(np.float32),
        motion=(0.02 * motion).astype(np.float32),
        brightness=(0.1 + 0.1 * motion).astype(np.float32),
        frame_rate=frame_rate,
        flashes=np.zeros(int(np.ceil(duration_s)), np.float32),
        sheet_jpeg=b"\xff\xd8 not shown here",
        title="film.mp4 · song.ogg",
    )


def page_of(evidence: Evidence, folder: Path) -> str:
    path = folder / "certificate.html"
    write_report(path, evidence)
    return path.read_text("utf-8")


def drawings(page: str) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)]


def by_class(page: str, name: str) -> list[ET.Element]:
    return [shape for svg in drawings(page) for shape in svg.iter() if shape.get("class") == name]


class Checker(HTMLParser):
    """Fails on tags that don't nest, and keeps the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "object")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data


def checked_text(page: str) -> str:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return re.sub(r"\s+", " ", checker.text)


def test_the_page_needs_nothing_beside_it(tmp_path: Path) -> None:
    page = page_of(make_evidence(), tmp_path)
    checked_text(page)
    assert not re.search(r"https?:|url\(|@import|src=\"(?!data:)", page)
    assert list(tmp_path.iterdir()) == [tmp_path / "certificate.html"]


@pytest.mark.parametrize("duration_s", [1 / 30, 0.4, 7.0, 60.0, 3600.0])
@pytest.mark.parametrize("frame_rate", [Fraction(24_000, 1001), Fraction(120)])
def test_films_of_any_length_give_clean_drawings_of_bounded_size(
    tmp_path: Path, duration_s: float, frame_rate: Fraction
) -> None:
    page = page_of(make_evidence(duration_s, frame_rate), tmp_path)
    checked_text(page)
    for svg in drawings(page):
        for shape in svg.iter():
            assert PATH.fullmatch(shape.get("d", "")) is not None
    assert len(page) < 250_000


def test_the_same_certificate_gives_the_same_bytes(tmp_path: Path) -> None:
    assert page_of(make_evidence(), tmp_path) == page_of(make_evidence(), tmp_path)


def test_names_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    hostile = '<script>alert("1")</script>'
    evidence = make_evidence(
        music={"file": hostile, "sections": [{"start_s": 0.0, "end_s": 60.0, "label": hostile}]},
        sync={"against": {hostile: 0.1}},
    )
    evidence = replace(evidence, title=f"{hostile}\x00\udcff.mp4")
    text = checked_text(page_of(evidence, tmp_path))
    assert text.count(hostile) >= 3


@pytest.mark.parametrize(
    "evidence",
    [
        replace(make_evidence(), onset=None, sheet_jpeg=None, values={}),
        replace(make_evidence(), onset=np.zeros(6000, np.float32), motion=np.zeros(1800, np.float32)),
        replace(make_evidence(), onset=np.zeros(1, np.float32), flashes=np.zeros(0, np.float32)),
        make_evidence(film=None, music=None, response={"bands": None}, safety=None, sync={"count": None}),
        make_evidence(response={"bands": {"motion": [None] * 8, "contrast": None}}),
    ],
    ids=["no sound, no values", "still and silent", "hardly any sound", "nothing determined", "no gains"],
)
def test_what_is_missing_is_left_out(tmp_path: Path, evidence: Evidence) -> None:
    text = checked_text(page_of(evidence, tmp_path))
    assert "nan" not in text.lower().split()
    assert "None" not in text


def test_verdicts_are_marked_by_a_word_and_not_by_colour_alone(tmp_path: Path) -> None:
    text = checked_text(page_of(make_evidence(), tmp_path))
    assert "✓ Driven by its music" in text
    assert "✗ Colour saturation 0.05 The film is grey. failed at least 0.15" in text
    assert "○ On time" in text
    assert "· Flicker not told" in text
    assert "2 passed 1 failed 6 open" in text


def test_the_words_of_statistics_are_explained_with_the_numbers_of_this_film(tmp_path: Path) -> None:
    text = checked_text(page_of(make_evidence(), tmp_path))
    assert "64 songs" in text
    assert "1 in 65" in text


def test_equal_sections_have_equal_colours_and_stand_where_they_are_heard(tmp_path: Path) -> None:
    page = page_of(make_evidence(), tmp_path)
    strip = re.findall(r'<span class="s(\d)" style="left:([\d.]+)%;width:([\d.]+)%"[^>]*>(\w)', page)
    assert [(colour, label) for colour, _, _, label in strip] == [("0", "A"), ("1", "B"), ("0", "A")]
    assert [float(left) for _, left, _, _ in strip] == pytest.approx([0, 33.33, 66.67], abs=0.02)


def test_the_close_view_shows_the_ten_seconds_with_the_strongest_onsets(tmp_path: Path) -> None:
    evidence = make_evidence()
    assert evidence.onset is not None
    onset = evidence.onset * 0.2
    onset[3200:4200] *= 5
    page = page_of(replace(evidence, onset=onset), tmp_path)
    (window,) = by_class(page, "window")
    assert [int(window.get(name, "")) / 10_000 * 60 for name in ("x", "width")] == pytest.approx(
        [32, 10], abs=0.02
    )


def test_a_line_stands_at_every_onset(tmp_path: Path) -> None:
    evidence = make_evidence(8.0)
    page = page_of(evidence, tmp_path)
    lines = sorted({int(line.get("x1", "")) / 10_000 * 8 for line in by_class(page, "peak")})
    assert lines == pytest.approx([k * BEAT_S for k in range(16)], abs=0.011)


def test_motion_is_drawn_half_a_frame_before_its_frame(tmp_path: Path) -> None:
    motion = np.zeros(80, np.float32)
    motion[40] = 1.0
    (line,) = by_class(
        page_of(replace(make_evidence(8.0, Fraction(10)), motion=motion), tmp_path), "motion-line"
    )
    points = np.array(line.get("d", "")[1:].split(), int).reshape(-1, 2)
    assert points[points[:, 1].argmin(), 0] / 10_000 * 8 == pytest.approx(3.95, abs=0.001)


def test_seconds_over_the_limit_stand_out_even_in_a_long_film(tmp_path: Path) -> None:
    flashes = np.zeros(3600, np.float32)
    flashes[1000] = 2
    flashes[2500] = 9
    page = page_of(replace(make_evidence(3600.0), flashes=flashes), tmp_path)
    (calm,), (over,) = by_class(page, "calm"), by_class(page, "over")
    assert calm.get("d", "").count("M") == 1
    left = re.match(r"M(\d+) 1000V0h", over.get("d", ""))
    assert left is not None
    assert int(left[1]) == pytest.approx(2500 / 3600 * 10_000, abs=20)


def test_stretches_that_fail_are_lit(tmp_path: Path) -> None:
    page = page_of(
        make_evidence(safety={"pass": False, "general": [[6.0, 9.0]], "red": [[30.0, 30.1]]}), tmp_path
    )
    assert [shape.get("x") for shape in by_class(page, "flashing")] == ["1000", "5000"]


def test_the_strongest_gain_has_the_strongest_shade(tmp_path: Path) -> None:
    page = page_of(make_evidence(), tmp_path)
    assert re.findall(r"rgba\(var\(--(\w+)\),([\d.]+)\)\">([+−][\d.]+)<", page)[:2] == [
        ("more", "1.00", "+0.50"),
        ("less", "0.50", "−0.25"),
    ]


def test_the_contact_sheet_is_inside(tmp_path: Path) -> None:
    evidence = make_evidence()
    found = re.search(r'data:image/jpeg;base64,([^"]+)', page_of(evidence, tmp_path))
    assert found is not None
    assert base64.b64decode(found[1]) == evidence.sheet_jpeg


def test_every_number_is_in_the_table_under_its_key(tmp_path: Path) -> None:
    text = checked_text(page_of(make_evidence(), tmp_path))
    for row in ("sync.p 0.0154", "safety.pass yes", "silence.motion_ratio –", "music.key A minor"):
        assert row in text
