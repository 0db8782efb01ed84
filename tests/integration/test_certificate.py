"""Every film gets a certificate; any film can be evaluated; bad input gets one sentence."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import synesthete
from synesthete.evaluation.observe import Stretch

Command = Callable[..., Any]
KEYS = (
    "sync.r2", "sync.null_r2", "sync.effect", "sync.p", "sync.z", "sync.lag_ms", "sync.status", "sync.bars.p",
    "silence.motion_ratio", "flicker", "look.saturation", "safety.pass", "integrity.av_offset_ms",
    "coherence.flicker_on_onsets", "coherence.flicker_off_onsets",
)  # fmt: skip
OPTIONS: dict[str, Any] = {"resolution": "64x64", "kernels": "eager", "fps": 24}


@pytest.fixture(scope="module")
def long_song(make_song: Command) -> Path:
    return make_song(22.0, silences=((10.0, 14.0),))


@pytest.fixture(scope="module")
def film(long_song: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return synesthete.render(long_song, workspace=tmp_path_factory.mktemp("films"), **OPTIONS)


@pytest.fixture(scope="module")
def certificate(film: Any) -> dict[str, Any]:
    return dict(json.loads((film.run / "certificate.json").read_text()))


def value(values: Any, key: str) -> Any:
    for name in key.split("."):
        values = values[name]
    return values


def test_a_render_certifies_its_film(film: Any, certificate: dict[str, Any]) -> None:
    assert film.certificate == certificate
    for key in KEYS:
        assert value(certificate, key) is not None or key == "sync.lag_ms", key
    assert certificate["sync"]["status"] == "ok"
    assert certificate["sync"]["count"] >= 64
    assert certificate["integrity"]["pass"], certificate["integrity"]
    assert certificate["film"]["frames"] == film.frames == 528
    assert certificate["silence"]["seconds"] == pytest.approx(3.0, abs=0.2)
    page = (film.run / "certificate.html").read_text()
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert len(film.summary) == 3
    assert all(len(line) <= 100 for line in film.summary)


def test_no_number_is_nan(certificate: dict[str, Any]) -> None:
    def check(values: Any) -> None:
        if isinstance(values, dict):
            values = list(values.values())
        if isinstance(values, list):
            for each in values:
                check(each)
        elif isinstance(values, float):
            assert math.isfinite(values)

    check(certificate)


def test_evaluating_the_film_gives_what_its_certificate_says(
    film: Any, certificate: dict[str, Any], long_song: Path, tmp_path: Path
) -> None:
    """Watched while it streams and decoded afterwards: the encoder changes little."""
    values = synesthete.evaluate(film.film, audio=long_song, workspace=tmp_path).values
    for key, tolerance in (
        ("sync.effect", 0.05), ("sync.p", 0.03), ("flicker", 0.01), ("look.saturation", 0.05),
        ("look.brightness", 0.02), ("silence.motion_ratio", 0.05), ("integrity.av_offset_ms", 1.0),
    ):  # fmt: skip
        assert value(values, key) == pytest.approx(value(certificate, key), abs=tolerance), key
    assert values["integrity"]["decoded_frames"] == 528
    assert values["integrity"]["pass"], values["integrity"]


def test_certifying_does_not_change_the_film(film: Any, long_song: Path, workspace: Path) -> None:
    plain = synesthete.render(long_song, workspace=workspace, certificate=False, **OPTIONS)
    assert plain.film.read_bytes() == film.film.read_bytes()
    assert plain.certificate is None
    assert plain.summary == []
    assert not list(plain.run.glob("certificate*"))
    assert not list(workspace.rglob("*.npz"))


def test_a_finished_film_without_certificate_gets_one_and_keeps_it(
    film: Any, certificate: dict[str, Any], long_song: Path, workspace: Path
) -> None:
    plain = synesthete.render(long_song, workspace=workspace, certificate=False, **OPTIONS)
    again = synesthete.render(long_song, workspace=workspace, **OPTIONS)
    assert again.run == plain.run
    assert again.certificate is not None
    assert again.certificate["sync"]["p"] == pytest.approx(certificate["sync"]["p"], abs=0.03)
    written = (again.run / "certificate.json").stat().st_mtime_ns
    assert synesthete.render(long_song, workspace=workspace, **OPTIONS).certificate == again.certificate
    assert (again.run / "certificate.json").stat().st_mtime_ns == written
    assert not (again.run / "work").exists()


def test_a_resumed_run_needs_no_second_look_at_what_was_seen(
    make_song: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = make_song(10.0)
    whole = synesthete.render(song, workspace=workspace / "whole", workers=1, **OPTIONS)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("synesthete.render.film.stitch", die)
        with pytest.raises(Killed):
            synesthete.render(song, workspace=workspace, workers=1, **OPTIONS)
    seen = sorted(workspace.rglob("segment-*.npz"))
    assert len(seen) == 3
    assert [len(Stretch.load(path).motion) for path in seen] == [96, 96, 48]
    seen[1].write_bytes(b"damaged")
    watched = []
    from synesthete.render import certify

    real = certify.watch_pictures
    monkeypatch.setattr(certify, "watch_pictures", lambda path: watched.append(path) or real(path))
    resumed = synesthete.render(song, workspace=workspace, workers=1, **OPTIONS)
    assert resumed.resumed == 3
    assert [path.stem for path in watched] == [seen[1].stem]  # only what was damaged is decoded
    assert resumed.film.read_bytes() == whole.film.read_bytes()
    assert resumed.certificate is not None
    assert whole.certificate is not None
    assert resumed.certificate["safety"] == whole.certificate["safety"]
    assert resumed.certificate["flicker"] == pytest.approx(whole.certificate["flicker"], abs=0.01)


def test_short_films_are_insufficient_and_say_so(
    make_song: Command, render: Command, workspace: Path
) -> None:
    outcome = render(make_song(2.5))
    assert "not told" in outcome.out.splitlines()[2]
    (path,) = workspace.rglob("certificate.json")
    sync = json.loads(path.read_text())["sync"]
    assert (sync["status"], sync["r2"], sync["lag_ms"]) == ("insufficient", None, None)


def test_evaluate_prints_lines_or_one_object_and_writes_both_files(
    film: Any, cli: Command, tmp_path: Path
) -> None:
    outcome = cli("evaluate", film.film, "--workspace", tmp_path, "-o", tmp_path / "out")
    assert outcome.status == 0, outcome
    assert [line.split()[0] for line in outcome.out.splitlines()[:3]] == ["sync", "look", "safety"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"certificate.html", "certificate.json"}
    outcome = cli("evaluate", film.film, "--workspace", tmp_path, "--json")
    (values,) = outcome.events
    assert values["sync"]["status"] == "ok"
    assert not list((tmp_path / "cache").glob("evaluate-*"))


def test_other_songs_join_the_null_and_are_shown(
    film: Any, make_song: Command, cli: Command, tmp_path: Path
) -> None:
    others = [make_song(6.0, name="first"), make_song(9.0, name="second")]
    outcome = cli("evaluate", film.film, "--against", *others, "--workspace", tmp_path, "--json")
    (values,) = outcome.events
    assert set(values["sync"]["against"]) == {"first.wav", "second.wav"}
    alone = synesthete.evaluate(film.film, workspace=tmp_path).values
    assert values["sync"]["count"] == alone["sync"]["count"] + 2


def test_the_full_evaluation_stands_beside_its_null(film: Any, cli: Command, tmp_path: Path) -> None:
    (values,) = cli("evaluate", film.film, "--full", "--workspace", tmp_path, "--json").events
    assert set(values["alignment"]["av_align"]) >= {"value", "null", "effect", "p", "z"}
    assert set(values["alignment"]["beat"]) >= {"precision", "recall", "f1", "null_f1", "p"}


def test_a_film_of_a_part_of_a_song_is_measured_against_that_part(
    make_song: Command, workspace: Path
) -> None:
    song = make_song(34.0, name="whole")
    part = synesthete.render(song, workspace=workspace, start=12, **OPTIONS)
    values = synesthete.evaluate(part.film, audio=song, workspace=workspace).values
    assert values["integrity"]["pass"], values["integrity"]
    assert part.certificate is not None
    assert values["sync"]["r2"] == pytest.approx(part.certificate["sync"]["r2"], abs=0.1)


def test_evaluate_refuses_what_is_no_film(song: Path, cli: Command, tmp_path: Path, film: Any) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a film")
    for arguments in (
        (tmp_path / "missing.mp4",),
        (tmp_path,),
        (text,),
        (song,),  # sound without picture
        (film.film, song),  # another song, but no --against
        (film.film, "--audio", text),
        (film.film, "--against", text),
    ):
        outcome = cli("evaluate", *arguments, "--workspace", tmp_path / "w")
        assert outcome.status == 2, (arguments, outcome)
        assert outcome.message
    assert not list(tmp_path.rglob("evaluate-*"))
