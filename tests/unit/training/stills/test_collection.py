"""What a folder of pictures holds, what is held out, and what is wrong with it."""

import json
from pathlib import Path

import pytest

from made_stills import lamp, write_lamps
from synesthete.errors import InputError
from synesthete.media.images import write_png
from synesthete.training.stills.collection import open_stills
from synesthete.training.stills.sources import Still
from synesthete.training.stills.write import write_stills


class Lamps:
    buckets = ("warm",)
    recipe = {"source": "lamps", "seed": 4}  # noqa: RUF012

    def draw(self, bucket: str, index: int) -> Still:
        return Still(lamp(index), {})


def test_any_folder_is_taken_but_for_what_is_hidden(tmp_path: Path) -> None:
    write_lamps(tmp_path / "more", 20)
    write_lamps(tmp_path / ".hidden", 3)
    (tmp_path / "notes.txt").write_text("none")
    found = open_stills(tmp_path)
    assert len(found.training) + len(found.held_out) == 20
    assert not set(found.training) & set(found.held_out)
    assert found.recipe == {}


def test_what_is_held_out_stays_so_when_pictures_are_added(tmp_path: Path) -> None:
    write_lamps(tmp_path, 100)
    before = open_stills(tmp_path)
    write_lamps(tmp_path, 160)
    after = open_stills(tmp_path)
    assert set(before.held_out) <= set(after.held_out)
    assert len(after.held_out) < 30
    assert before.digest != after.digest


def test_the_digest_is_of_names_and_contents_and_not_of_the_place(tmp_path: Path) -> None:
    one = open_stills(write_lamps(tmp_path / "one"))
    other = open_stills(write_lamps(tmp_path / "other"))
    assert one.digest == other.digest
    write_png(tmp_path / "other" / "lamp-3.png", lamp(99))
    assert open_stills(tmp_path / "other").digest != one.digest


def test_of_written_stills_those_are_taken_that_the_manifest_keeps(tmp_path: Path) -> None:
    write_stills(Lamps(), tmp_path, {"warm": range(24)}, cull=0.25)
    found = open_stills(tmp_path)
    assert len(found.training) + len(found.held_out) == 18
    assert not any("culled" in path.parts for path in (*found.training, *found.held_out))
    assert found.recipe == {"source": "lamps", "seed": 4}


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder; write one with"):
        open_stills(tmp_path / "nowhere")
    write_lamps(tmp_path / "few", 15)
    with pytest.raises(InputError, match=r"holds 15 pictures .*, and at least 16 are needed"):
        open_stills(tmp_path / "few")
    bad = write_lamps(tmp_path / "bad")
    (bad / "lamp-7.png").write_bytes(b"no")
    with pytest.raises(InputError, match=r"lamp-7.png is no picture that can be read"):
        open_stills(bad)
    write_png(bad / "lamp-7.png", lamp(1, wide=8, high=8))
    with pytest.raises(InputError, match="is 8 pixels along a side, and 16 are needed"):
        open_stills(bad)
    write_stills(Lamps(), tmp_path / "written", {"warm": range(20)})
    (tmp_path / "written" / "warm" / "warm-00003.png").unlink()
    with pytest.raises(InputError, match=r"names 'warm/warm-00003.png', which is not there"):
        open_stills(tmp_path / "written")


def test_a_manifest_names_nothing_outside_its_folder(tmp_path: Path) -> None:
    write_stills(Lamps(), tmp_path / "in", {"warm": range(20)})
    write_lamps(tmp_path, 1)
    manifest = tmp_path / "in" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("warm/warm-00003.png", "../lamp-0.png"))
    with pytest.raises(InputError, match="which is not there"):
        open_stills(tmp_path / "in")
    (tmp_path / "in" / "stills.json").write_text(json.dumps([]))
    manifest.write_text(manifest.read_text().replace("../lamp-0.png", "warm/warm-00003.png"))
    with pytest.raises(InputError, match="can't be read; repeat"):
        open_stills(tmp_path / "in")
