"""What goes wrong in the middle of a film; the rest is seen by the tests of the command line."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synesthete.config.render import RenderOptions
from synesthete.errors import MediaError, RenderError
from synesthete.files import digest_file
from synesthete.media.gain import choose_gain
from synesthete.media.loudness import Loudness
from synesthete.render.film import FilmMaker
from synesthete.render.listen import hear
from synesthete.render.pipeline import make_plan
from synesthete.render.run import RunFolder

Start = Callable[..., tuple[FilmMaker, RunFolder, Path]]


@pytest.fixture
def start(make_song: Callable[..., Path], tmp_path: Path) -> Iterator[Start]:
    """Plan a film of two Segments and open its folder."""
    song = tmp_path / "song.wav"
    shutil.copyfile(make_song(4.5), song)
    options = RenderOptions(resolution="64x64", kernels="eager", workers=1, fps=24, workspace=tmp_path / "ws")
    plan, timeline = make_plan(song, options)
    folder = RunFolder(tmp_path / "ws" / "renders" / plan.run_id)

    def begin(
        on_event: Callable[[dict[str, Any]], None] = lambda event: None,
    ) -> tuple[FilmMaker, RunFolder, Path]:
        return FilmMaker(plan, timeline, folder, on_event), folder, song

    with folder.opened():
        yield begin


def work(folder: RunFolder) -> set[str]:
    return {path.suffix for path in folder.work.iterdir() if path.is_file()}


def test_a_song_that_vanishes_is_named_at_once(start: Start) -> None:
    maker, folder, song = start()
    song.unlink()
    with pytest.raises(MediaError, match=r"song\.wav"):
        maker.make()
    assert work(folder) <= {".mp4", ".json"}  # nothing half-written
    assert folder.finished() is None


def test_a_failure_of_the_picture_stops_the_sound(start: Start) -> None:
    def refuse(event: dict[str, Any]) -> None:
        raise RuntimeError("no more")

    maker, folder, _ = start(refuse)
    with pytest.raises(RuntimeError, match="no more"):
        maker.make()
    assert not [path for path in folder.path.rglob("*") if path.suffix == ".part"]
    assert not folder.film.exists()


def test_a_segment_that_is_lost_while_others_render_is_rendered_at_the_next_try(start: Start) -> None:
    def lose(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["rendered"] == event["of"]:
            for path in folder.work.glob("segment-00000-*.mp4"):
                path.unlink()

    maker, folder, _ = start(lose)
    with pytest.raises(RenderError, match=r"segment 0 of .* is damaged; repeat the command"):
        maker.make()
    again, _, _ = start()
    assert again.make() == 1
    manifest = folder.finished()
    assert manifest is not None
    assert [segment["resumed"] for segment in manifest["segments"]] == [False, True]


def test_a_film_with_another_sound_is_the_one_that_would_have_been_rendered(
    make_song: Callable[..., Path], tmp_path: Path
) -> None:
    options = RenderOptions(resolution="64x64", kernels="eager", workers=1, fps=24, workspace=tmp_path / "ws")
    plan, timeline = make_plan(make_song(4.5), options)
    louder = replace(
        plan,
        gain=choose_gain(Loudness(-20.0, -9.0), -14.0),
        song=replace(plan.song, tags={"title": "Other"}),
    )
    folder, fresh = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "b")
    events: list[dict[str, Any]] = []
    with folder.opened(), fresh.opened():
        FilmMaker(plan, timeline, folder, lambda event: None).make()
        before = folder.finished()
        assert before is not None
        FilmMaker(louder, timeline, folder, events.append).remux(before)
        FilmMaker(louder, timeline, fresh, lambda event: None).make()

    after, expected = folder.finished(), fresh.finished()
    assert after is not None
    assert expected is not None
    assert folder.film.read_bytes() == fresh.film.read_bytes()
    assert not events  # nothing was drawn
    assert after["picture"] == before["picture"]
    assert after["inputs"] == expected["inputs"] != before["inputs"]
    assert after["sound"] == expected["sound"]
    assert after["song"]["tags"] == {"title": "Other"}


def test_a_song_that_can_not_be_read_to_its_end_is_named(
    make_song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> str:
        raise OSError(5, "Input/output error")

    assert digest_file(make_song(1.0))
    monkeypatch.setattr("synesthete.render.listen.digest_file", fail)
    with pytest.raises(MediaError, match=r"song\.wav can't be read \(Input/output error\); check the disk"):
        hear(make_song(1.0), start=None, end=None, allow_truncated=False, workspace=tmp_path)
