"""Text is set as large as goes, never beyond its box, in fonts that have its letters, in their order."""

from pathlib import Path

import numpy as np
import pytest

from synesthete.media import fonts as fonts_module
from synesthete.media.characters import cleaned, legible, unset_characters
from synesthete.media.fonts import SHIPPED_FONT, fonts_for, glyphs_of
from synesthete.media.lettering import CAP_HEIGHT, Block, Sheet, TypeStyle, set_text

STYLE = TypeStyle(weight=600, tracking=-0.018, leading=1.1)
TITLES = [
    "Vibe Ace",
    "Симфония № 5 до минор",
    "Ὀδύσσεια, Ελλάδα",
    "Ångström à la Dvořák – Việt Nam",
    "שלום עולם (Remix)",
    "مرحبا بالعالم",
    "🔥 Fire 😀 party",
    "line\nbreak\ttab\x07bell\u202eoverride",
    "W" * 300,
    "an evening in the garden of unearthly delights " * 7,
    "Z̸̢̛͎a̷l̵͝g̷o",
]


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts_module, "_system_fonts", lambda: ())


def set_in(text: str, width: float = 1.4, height: float = 0.45) -> Block:
    return set_text(legible(text), STYLE, width=width, height=height, largest=0.115, smallest=0.034)


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize(("width", "height"), [(1.42, 0.44), (0.86, 0.26), (0.5, 0.12)])
def test_no_title_leaves_its_box(title: str, width: float, height: float) -> None:
    block = set_in(title, width, height)
    assert block.lines
    assert block.width <= width + 1e-6
    assert block.height <= height + 1e-6
    pixels = 300
    sheet = Sheet(round(pixels * width) + 40, round(pixels * height) + 80)
    sheet.write(block, 20, 40, pixels)
    ink = sheet.coverage()
    assert ink.max() > 0.5
    columns = np.flatnonzero((ink > 0.02).any(0))
    assert columns[0] >= 18
    assert columns[-1] <= 20 + pixels * width + 2


def test_a_short_title_is_large_and_a_long_one_small_and_whole() -> None:
    assert set_in("Vibe Ace").size == pytest.approx(0.115)
    long = "one two three four five six seven eight nine ten " * 4
    block = set_in(long)
    assert block.size < 0.08
    assert " ".join(block.lines) == long.strip()


def test_what_cannot_fit_ends_in_an_ellipsis() -> None:
    block = set_in("word " * 300)
    assert block.size == pytest.approx(0.034)
    assert block.lines[-1].endswith("word…")


def test_lines_are_of_like_length() -> None:
    block = set_in("The Long and Winding Road to Nowhere in Particular")
    widths = [set_in(line, 9.0).width for line in block.lines]
    assert len(widths) == 2
    assert min(widths) > 0.7 * max(widths)


def test_controls_and_overrides_are_no_letters() -> None:
    assert cleaned("a\nb\r\n c\t\x00d\u200bе\u202e\ud800\u2028f \ufe0f") == "a b c dе f"
    assert cleaned("\n\x07\u202e") == ""
    assert cleaned("Jo\u0301ga") == "Jóga"


@pytest.mark.usefixtures("no_system_fonts")
def test_what_no_font_has_is_named_and_left_out() -> None:
    assert unset_characters(cleaned("日本 Tokyo 日 \U0001fabf")) == "日本\U0001fabf"
    assert legible("日本\u0301 Tokyo") == "Tokyo"
    assert unset_characters("Ж é א ب Ω") == ""
    assert fonts_for("Vibe Ace, Симфония") == (SHIPPED_FONT,)


def test_letters_are_looked_for_in_the_fonts_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    dejavu = fonts_module._matplotlib_fonts()[0]
    monkeypatch.setattr(fonts_module, "_matplotlib_fonts", lambda: ())
    broken = Path(__file__)
    monkeypatch.setattr(fonts_module, "_system_fonts", lambda: (broken, dejavu))
    assert fonts_for("Abc א") == (SHIPPED_FONT, dejavu)
    assert glyphs_of(broken) == frozenset()


def test_hebrew_runs_from_right_to_left() -> None:
    def ink(text: str, align: str) -> np.ndarray:
        sheet = Sheet(400, 60)
        block = set_text(text, STYLE, width=9, height=1, largest=0.1, smallest=0.1)
        sheet.write(block, 200, 15, 300, align=align)
        return sheet.coverage()

    # The first letter stands at the right end, the last at the left.
    assert np.allclose(ink("אאאב", "right")[:, 190:], ink("א", "right")[:, 190:], atol=0.1)
    assert np.allclose(ink("אאאב", "left")[:, :210], ink("ב", "left")[:, :210], atol=0.1)
    assert not np.allclose(ink("אאאב", "left")[:, :210], ink("א", "left")[:, :210], atol=0.1)


def test_small_type_is_large_type_from_further_away() -> None:
    block = set_in("The Long and Winding Road")
    large, small = Sheet(960, 240), Sheet(240, 60)
    large.write(block, 40, 40, 640)
    small.write(block, 10, 10, 160)
    shrunk = large.coverage().reshape(60, 4, 240, 4).mean((1, 3))
    assert np.abs(shrunk - small.coverage()).mean() < 0.01
    assert np.abs(shrunk - small.coverage()).max() < 0.25


def test_kerning_stays_where_letters_are_tracked() -> None:
    def width(text: str, tracking: float) -> float:
        style = TypeStyle(weight=600, tracking=tracking)
        return set_text(text, style, width=9, height=1, largest=0.1, smallest=0.1).width

    assert width("AVAVAV", 0.05) == pytest.approx(width("AVAVAV", 0.0) + 5 * 0.05 * 0.1, abs=1e-4)
    assert width("AVAVAV", 0.0) < 3 * (width("A", 0.0) + width("V", 0.0)) - 0.01


def test_a_capital_is_as_high_as_is_said() -> None:
    sheet = Sheet(300, 300)
    sheet.write(set_text("H", STYLE, width=9, height=1, largest=0.5, smallest=0.5), 50, 50, 300)
    rows = np.flatnonzero((sheet.coverage() > 0.5).any(1))
    assert rows[0] == pytest.approx(50, abs=1)
    assert rows[-1] + 1 == pytest.approx(50 + 150 * CAP_HEIGHT, abs=1)
