import json
from pathlib import Path

import pytest

from synesthete.errors import OutputError
from synesthete.render.frames import claim_frames, frame_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_frames_of_the_same_run_are_kept_and_its_leftovers_swept(tmp_path: Path) -> None:
    claim_frames(tmp_path, "run-a", 3)
    frame_file(tmp_path, 1).touch()
    (tmp_path / ".frame_000002.ab12cd34.png.part").touch()
    (tmp_path / ".something.part").touch()
    claim_frames(tmp_path, "run-a", 3)
    assert names(tmp_path) == [".something.part", "frame_000001.png", "frames.json"]
    assert json.loads((tmp_path / "frames.json").read_text()) == {"run_id": "run-a", "frames": 3}


@pytest.mark.parametrize("owner", [None, '{"run_id": "run-b"}', "{", "[]", '{"other": 1}'])
def test_frames_of_another_film_are_never_taken(tmp_path: Path, owner: str | None) -> None:
    if owner is not None:
        (tmp_path / "frames.json").write_text(owner)
    for index in range(4):
        frame_file(tmp_path, index).touch()
    (tmp_path / "holiday.png").touch()
    claim_frames(tmp_path, "run-a", 3)
    assert names(tmp_path) == ["frame_000003.png", "frames.json", "holiday.png"]


def test_a_folder_in_a_frames_place_is_not_removed(tmp_path: Path) -> None:
    frame_file(tmp_path, 0).mkdir()
    with pytest.raises(OutputError, match="cannot write"):
        claim_frames(tmp_path, "run-a", 3)
    assert names(tmp_path) == ["frame_000000.png"]
