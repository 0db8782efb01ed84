"""The picture that ``--style-image`` names: where it lies, and when a film is decoded for it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from made_clips import flat_pictures, write_clip
from synesthete.errors import ConfigError, MediaError
from synesthete.render.style_image import given_style


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_clip(
        tmp_path / "a.mp4", [*flat_pictures((200, 30, 30), 10), *flat_pictures((20, 60, 200), 20)]
    )


def test_a_picture_stays_where_it_is(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    picture = given_style(tmp_path / "a.png", tmp_path / "workspace")
    assert (picture.file, picture.place) == ("a.png", tmp_path / "a.png")
    assert not (tmp_path / "workspace").exists()


def test_moments_of_films_are_kept_by_content(tmp_path: Path, film: Path) -> None:
    workspace = tmp_path / "workspace"
    early = given_style(Path(f"{film}@0.1"), workspace)
    late = given_style(Path(f"{film}@0.8"), workspace)
    middle = given_style(film, workspace)
    assert early.place is not None
    assert early.place.parent == workspace / "cache" / "styles"
    assert len({early.file, late.file, middle.file}) == 3
    assert early.sha256 != late.sha256 == middle.sha256
    assert np.array(Image.open(early.place)).mean((0, 1)).argmax() == 0
    copy = film.rename(tmp_path / "other.mov")
    written = early.place.stat().st_mtime_ns
    assert given_style(Path(f"{copy}@0:00.100"), workspace) == early
    assert early.place.stat().st_mtime_ns == written
    write_clip(copy, flat_pictures((30, 200, 30), 10))
    assert given_style(Path(f"{copy}@0.1"), workspace).file != early.file


def test_what_cannot_be_taken_is_refused_and_leaves_nothing(tmp_path: Path, film: Path) -> None:
    with pytest.raises(ConfigError, match=r"--style-image: cannot read .*none\.mp4 \(No such file"):
        given_style(tmp_path / "none.mp4", tmp_path)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(ConfigError, match=r"folder\.mp4 is no regular file; name a film"):
        given_style(tmp_path / "folder.mp4", tmp_path)
    with pytest.raises(MediaError, match=r"1 s lies beyond the end of a\.mp4"):
        given_style(Path(f"{film}@1"), tmp_path)
    assert not (tmp_path / "cache").exists()
