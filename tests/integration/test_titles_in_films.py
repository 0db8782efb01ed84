"""Titles in films, from the command line to the frames: only what is asked for changes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synesthete

SMALL: dict[str, Any] = {"resolution": "128x72", "kernels": "eager", "fps": 24, "preset": "silk"}
SECONDS = 5.0


@pytest.fixture(scope="module")
def track(make_song: Callable[..., Path]) -> Path:
    return make_song(SECONDS, name="titled")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("titles")


def frames_of(track: Path, place: Path, name: str, **options: Any) -> np.ndarray:
    film = synesthete.render(
        track, frames=place / name, workspace=place, certificate=False, **{**SMALL, **options}
    )
    pictures = [np.asarray(Image.open(path), np.float64) for path in sorted((place / name).glob("*.png"))]
    assert len(pictures) == film.frames
    return np.stack(pictures)


@pytest.fixture(scope="module")
def plain(track: Path, place: Path) -> np.ndarray:
    return frames_of(track, place, "plain")


def test_a_card_changes_its_frames_and_no_others(track: Path, place: Path, plain: np.ndarray) -> None:
    titled = frames_of(track, place, "card", titles={"card": True, "title": "Ж", "cover_art": "off"})
    changed = (titled != plain).any((1, 2, 3))
    assert not changed[:8].any()
    assert changed[24:72].all()
    assert not changed[-8:].any()
    titles = {"card": True, "title": "Ж", "cover_art": "off"}
    again = frames_of(track, place, "again", titles=titles, workers=2, force=True)
    assert np.array_equal(titled, again)


def test_fades_and_overlay_reach_the_film_and_its_previews(
    track: Path, place: Path, plain: np.ndarray
) -> None:
    titles = {"fade_in": 1, "fade_out": "2s", "overlay": True, "watermark": "N"}
    film = synesthete.render(track, workspace=place, frames=place / "all", **{**SMALL, "titles": titles})
    first, *_, last = (np.asarray(Image.open(path)) for path in sorted((place / "all").glob("*.png")))
    assert first.max() <= 1  # dither
    assert last.max() < 16
    assert film.certificate is not None
    sheet = np.asarray(Image.open(film.run / "previews" / "keyframe_2.png"), np.float64)
    middle = len(plain) * 3 // 8
    assert np.abs(sheet - plain[middle])[-20:].mean() > 4 * np.abs(sheet - plain[middle])[:40].mean()


def test_the_command_line_writes_what_is_asked_for(
    cli: Callable[..., Any], track: Path, tmp_path: Path
) -> None:
    arguments = [
        "render", track, "--dry-run", "--json", "--workspace", tmp_path, "-r", "128x72", "--title-card",
        "--lower-third", "--title", "日本", "--artist", "A", "--watermark", "© N",
        "--watermark-opacity", "0.3", "--watermark-corner", "top-left", "--fade-in", "1s", "--overlay",
        "--cover-art", "off",
    ]  # fmt: skip
    runs = {cli(*arguments, "--fade-out", fade).events[0]["run_id"] for fade in ("2.5", "3s", "3")}
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--fade-in", "soon"], "fade_in"),
        (["--watermark", "missing.png"], "watermark"),
        (["--title-card", "--cover-art", "missing.png"], "cover art"),
        (["--watermark-opacity", "2"], "watermark_opacity"),
    ],
)
def test_what_cannot_be_used_ends_with_status_2(
    cli: Callable[..., Any], track: Path, tmp_path: Path, given: list[str], message: str
) -> None:
    found = cli("render", track, "--dry-run", "--workspace", tmp_path, "-r", "128x72", *given)
    assert found.status == 2
    assert message in found.message


def test_what_is_left_out_is_told(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, track: Path, tmp_path: Path
) -> None:
    from synesthete.cli.progress import Progress

    Progress(json_lines=False).on_event({"event": "warning", "track": "one", "message": "no font has 日"})
    assert capfd.readouterr().err == "warning: one: no font has 日\n"
    monkeypatch.setattr("synesthete.media.fonts._system_fonts", lambda: ())
    events: list[dict[str, Any]] = []
    titles = {"lower_third": True, "title": "日 Tokyo"}
    options = {**SMALL, "workspace": tmp_path, "certificate": False, "end": 1, "titles": titles}
    synesthete.render(track, on_event=events.append, **options)
    (warning,) = [event for event in events if event["event"] == "warning"]
    assert "'日' of the title" in warning["message"]
