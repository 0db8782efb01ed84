"""The page on generators: self-contained, safe with any name, honest on what is best and what is unknown."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from made_subjects import SMALL, deaf, follower, made_song
from synesthete.errors import RenderError
from synesthete.evaluation.baselines import Drift, PixelNoise
from synesthete.evaluation.generator_probes import ProbeResult, probe_subject
from synesthete.evaluation.generator_report import FIGURES, write_generator_report
from synesthete.evaluation.subjects import Subject
from synesthete.evaluation.verdicts import value_at

HOSTILE = '<script>alert("x")</script> & $x^2$ Björk\ud800'


class Page(HTMLParser):
    """Reads the table of figures: for every key, the texts and classes of its cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[tuple[str, str]]] = {}
        self.tags: set[str] = set()
        self.links: list[str] = []
        self._within = ""
        self._key = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        self.links += [given[name] or "" for name in ("src", "href", "srcset") if name in given]
        self._within = tag
        if tag == "td" and self._key:
            self.rows[self._key].append(("", given.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        self._within = ""
        if tag == "tr":
            self._key = ""

    def handle_data(self, data: str) -> None:
        if self._within == "code":
            self._key = data
            self.rows[data] = []
        elif self._within == "td" and self._key:
            text, kind = self.rows[self._key][-1]
            self.rows[self._key][-1] = (text + data, kind)


def probed(subject: Subject, **given: Any) -> ProbeResult:
    return probe_subject(subject, made_song(), made_song(seed=1), settings=SMALL, **given)


@pytest.fixture(scope="module")
def results() -> list[ProbeResult]:
    def sync(*_: object) -> dict[str, Any]:
        return {"effect": 0.3, "p": 0.02, "lag_ms": -4.0}

    return [
        probed(follower("loudness"), sync=sync),
        probed(follower("band_2")),
        probed(Drift(moving=False)),
        probed(PixelNoise()),
    ]


@pytest.fixture(scope="module")
def page(results: list[ProbeResult], tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("report") / "generators.html"
    write_generator_report(path, results)
    return Page(path.read_text())


def test_the_page_needs_nothing_beside_it(page: Page) -> None:
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert len(page.links) == 4
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)


def test_every_figure_that_is_known_is_shown_for_every_subject(
    page: Page, results: list[ProbeResult]
) -> None:
    for figures in FIGURES.values():
        for figure in figures:
            known = [value_at(result.figures, figure.key) for result in results]
            if all(value is None for value in known):
                assert figure.key not in page.rows
                continue
            shown = [text for text, _ in page.rows[figure.key]]
            assert len(shown) == 4
            assert [text == "–" for text in shown] == [value is None for value in known], figure.key
    assert page.rows["shuffle.gap"][2][0] == "0.000"
    assert page.rows["sync.lag_ms"][0][0] == "−4"


def test_every_figure_is_explained() -> None:
    explained = [figure.meaning for figures in FIGURES.values() for figure in figures]
    assert all(text.endswith(".") and len(text) > 20 for text in explained)


def test_the_best_is_marked_among_generators_only(page: Page, results: list[ProbeResult]) -> None:
    gaps = [result.figures["silence"]["gap"] for result in results[:2]]
    assert gaps[0] == gaps[1]  # both show black: no best among equals
    assert not any("best" in kind for _, kind in page.rows["silence.gap"])
    marked = ["best" in kind for _, kind in page.rows["flicker"]]
    flicker = [result.figures["flicker"] for result in results[:2]]
    assert marked == [flicker[0] < flicker[1], flicker[1] < flicker[0], False, False]
    assert [kind.split()[0] for _, kind in page.rows["flicker"]] == ["generator"] * 2 + ["baseline"] * 2


def test_the_same_figures_lie_beside_it_as_json(results: list[ProbeResult], tmp_path: Path) -> None:
    write_generator_report(tmp_path / "page.html", results)
    document = json.loads((tmp_path / "page.json").read_text())
    assert [found["subject"] for found in document["results"]] == [
        "loudness",
        "band_2",
        "still",
        "pixel noise",
    ]
    assert document["results"][0]["shuffle"]["gap"] == results[0].figures["shuffle"]["gap"]


def test_the_same_results_give_the_same_bytes(results: list[ProbeResult], tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_generator_report(tmp_path / f"{name}.html", results)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_names_are_data(tmp_path: Path) -> None:
    result = probed(deaf())
    hostile = {**result.figures, "subject": HOSTILE, "song": HOSTILE, "other_song_name": HOSTILE}
    write_generator_report(tmp_path / "page.html", [ProbeResult(hostile, result.pictures)])
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text
    assert "Björk" in text
    assert not re.search(r"https?://", text)


def test_one_black_subject_can_be_shown(tmp_path: Path) -> None:
    write_generator_report(tmp_path / "page.html", [probed(deaf(0.0))])
    page = Page((tmp_path / "page.html").read_text())
    assert "shuffle.gap" not in page.rows
    assert not any("best" in kind for cells in page.rows.values() for _, kind in cells)


def test_a_page_on_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="at least one"):
        write_generator_report(tmp_path / "page.html", [])
