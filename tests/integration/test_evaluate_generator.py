"""The probes of generators on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synesthete.evaluation.baselines import baselines
from synesthete.evaluation.probe_music import PROBE_SONGS, write_probe_song
from synesthete.evaluation.subjects import ProbeSettings
from synesthete.generators.base import Size
from synesthete.media.probe import probe_sound
from synesthete.render import evaluate_generator

Command = Callable[..., Any]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw little, so that the test is quick."""
    small = Size(32, 18)
    settings = ProbeSettings(
        frames=6, size=small, film_s=21, film_size=small, styles=3, moments=2, style_size=small,
        speed_frames=2, speed_size=small,
    )  # fmt: skip
    monkeypatch.setattr("synesthete.evaluation.generator_probes.ProbeSettings", lambda: settings)
    # The costly scopes have tests of their own.
    few = [subject for subject in baselines() if subject.name not in ("showcqt", "showspectrum")]
    monkeypatch.setattr(evaluate_generator, "baselines", lambda: few)


def test_a_preset_is_probed_beside_the_baselines(quick: None, cli: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    wanted = ("--preset", "silk", "--fail-under", "shuffle.gap=0.069")
    outcome = cli("evaluate-generator", *wanted, "--workspace", tmp_path, "-o", report, "--json")
    assert outcome.status == 0, outcome
    (document,) = outcome.events
    figures = {result["subject"]: result for result in document["results"]}
    assert next(iter(figures)) == "silk"
    assert {"still", "drift", "pixel noise", "strobe", "avectorscope"} <= set(figures)
    assert figures["silk"]["shuffle"]["gap"] > 0.2
    assert figures["still"]["shuffle"]["gap"] == figures["drift"]["shuffle"]["gap"] == 0
    assert figures["silk"]["sync"]["status"] == "ok"
    assert "silk" in report.read_text()
    assert json.loads(report.with_suffix(".json").read_text())


def test_a_figure_under_its_limit_exits_with_3(quick: None, cli: Command, tmp_path: Path) -> None:
    limits = ("--fail-under", "shuffle.gap=0.069", "--fail-under", "silence.gap=99")
    outcome = cli("evaluate-generator", "--no-baselines", "--workspace", tmp_path, *limits)
    assert outcome.status == 3
    assert "silence.gap is" in outcome.err
    assert "under 99" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fail-under", "shuffle.gap"), "is not KEY=VALUE"),
        (("--fail-under", "shuffle.gap=much"), "is not KEY=VALUE"),
        (("--fail-under", "beauty=1"), "knows no figure 'beauty' of which more is better"),
        (("--fail-under", "flicker=1"), "knows no figure 'flicker' of which more is better"),
        (("--preset", "nothing"), "nothing"),
        (("--compare", "nothing"), "nothing"),
        (("--song", "missing.ogg"), "missing.ogg"),
        (("--references", "nowhere"), "nowhere"),
        (("-o", "report.pdf"), "does not end in .html"),
    ],
)
def test_bad_input_is_refused_at_once(cli: Command, tmp_path: Path, arguments: Any, said: str) -> None:
    outcome = cli("evaluate-generator", *arguments, "--workspace", tmp_path)
    assert outcome.status == 2
    assert said in outcome.message


@pytest.mark.parametrize("name", list(PROBE_SONGS))
def test_the_songs_that_ship_are_music_and_always_the_same(name: str, tmp_path: Path) -> None:
    for target in ("a.wav", "b.wav"):
        write_probe_song(name, tmp_path / target)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    info = probe_sound(tmp_path / "a.wav")
    assert (info.channels, info.sample_rate, info.duration_s) == (2, 44_100, 32.0)
