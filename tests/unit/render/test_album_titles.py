"""Titles of albums: for all or for one track; texts and art are the tracklist's, pictures lie inside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import music, write_wav
from synesthete.config.album_file import read_album
from synesthete.errors import ConfigError, InputError
from synesthete.render.album_tracks import AlbumRun, PlannedTrack, plan_track

Plan = Callable[..., list[PlannedTrack]]
SMALL = {"resolution": [64, 64], "frame_rate": 24, "kernels": "eager", "preset": "silk", "scenes": "off"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside") / "album"
    folder.mkdir()
    write_wav(folder / "a.wav", music(2.0))
    for name in ("art.png", "cover.png", "logo.png", "../outside.png"):
        Image.new("RGB", (8, 8), (len(name), 80, 90)).save(folder / name)
    return folder


@pytest.fixture
def plan(folder: Path) -> Plan:
    def plan(*tracks: dict[str, Any], assignments: tuple[str, ...] = (), **album: Any) -> list[PlannedTrack]:
        listed = [{"id": f"t{k}", "src": "a.wav", **track} for k, track in enumerate(tracks)]
        (folder / "render.yaml").write_text(json.dumps({**SMALL, **album, "tracks": listed}))
        files = read_album(folder, assignments=assignments)
        return [plan_track(files, index, AlbumRun()) for index in range(len(listed))]

    return plan


def test_texts_and_art_are_the_tracks(plan: Plan, folder: Path) -> None:
    first, second = plan(
        {"title": "One", "art": "art.png"}, {"artist": "Guest"},
        titles={"card": True}, artist="Band", cover="cover.png",
    )  # fmt: skip
    assert first.plan.titles is not None
    assert second.plan.titles is not None
    assert (first.plan.titles.title, first.plan.titles.artist) == ("One", "Band")
    assert (second.plan.titles.title, second.plan.titles.artist) == ("a", "Guest")
    assert first.plan.titles.art == (folder / "art.png").read_bytes()
    assert second.plan.titles.art == (folder / "cover.png").read_bytes()


def test_a_track_differs_from_its_album_field_by_field(plan: Plan) -> None:
    album, own, none = plan(
        {}, {"titles": {"fade_in": 2, "lower_third": True}}, {"titles": {"card": False, "fade_in": 0}},
        titles={"card": True, "fade_in": "1s"},
    )  # fmt: skip
    assert album.plan.titles is not None
    assert own.plan.titles is not None
    assert (album.plan.titles.style.card, album.plan.titles.style.fade_in) == (True, 1.0)
    style = own.plan.titles.style
    assert (style.card, style.lower_third, style.fade_in) == (True, True, 2.0)
    assert none.plan.titles is None
    assert len({one.plan.run_id for one in (album, own, none)}) == 3


def test_the_command_line_comes_last(plan: Plan) -> None:
    (one,) = plan({"titles": {"fade_out": 1}}, assignments=("titles.fade_out=3s", "titles.overlay=true"))
    assert one.plan.titles is not None
    assert one.plan.titles.style.fade_out == 3.0
    assert one.plan.titles.style.overlay


def test_a_watermark_is_a_text_or_a_picture_in_the_folder(plan: Plan, folder: Path) -> None:
    text, picture = plan({}, {"titles": {"watermark": "logo.png"}}, titles={"watermark": "© Band"})
    assert text.plan.titles is not None
    assert picture.plan.titles is not None
    assert text.plan.titles.mark == "© Band"
    assert picture.plan.titles.mark == (folder / "logo.png").read_bytes()
    for name in ("../outside.png", str(folder / "logo.png"), "file:logo.png"):
        with pytest.raises(ConfigError, match=r"titles\.watermark"):
            plan({}, titles={"watermark": name})
    (folder / "link.png").unlink(missing_ok=True)
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    with pytest.raises(ConfigError, match="leads out"):
        plan({}, titles={"watermark": "link.png"})
    with pytest.raises(InputError, match="no picture"):
        plan({}, titles={"watermark": "missing.png"})


@pytest.mark.parametrize("titles", [{"cover_art": "art.png"}, {"title": "T"}, {"fade_in": -1}, {"card": 3}])
def test_other_fields_are_refused(plan: Plan, titles: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="titles"):
        plan({}, titles=titles)
