from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from synesthete.errors import ConfigError, OutputError, RenderError
from synesthete.media.images import MAX_GIF_FRAMES, contact_sheet, write_gif, write_png


def gradient(index: int, width: int = 72, height: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([3 * x, 5 * y, np.full_like(x, 6 * index)], axis=-1).astype(np.uint8)


def gif_frames(path: Path) -> list[tuple[np.ndarray, float]]:
    with Image.open(path) as gif:
        return [
            (np.asarray(frame.convert("RGB")), frame.info["duration"])
            for frame in ImageSequence.Iterator(gif)
        ]


def test_a_png_comes_back_exactly_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "previews" / "a.png"
    write_png(path, gradient(3))
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), gradient(3))
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]


def test_a_png_may_be_a_view_of_a_larger_picture(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", gradient(0)[::-2, 10:30])
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), gradient(0)[::-2, 10:30])


def test_a_picture_that_can_not_be_written_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/a\.png"):
        write_png(tmp_path / "file" / "a.png", gradient(0))


def test_a_gif_shows_its_frames_in_time_and_loops(tmp_path: Path) -> None:
    pictures = [np.roll(gradient(20), 2 * index, axis=1) for index in range(40)]
    write_gif(tmp_path / "a.gif", iter(pictures), 24)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.info["loop"] == 0
    frames = gif_frames(tmp_path / "a.gif")
    assert len(frames) == 40
    assert sum(duration for _, duration in frames) == round(100 * 40 / 24) * 10
    for (shown, _), picture in zip(frames, pictures, strict=True):
        assert np.abs(shown.astype(int) - picture).mean() < 6


def test_a_gif_has_one_palette_for_all_frames(tmp_path: Path) -> None:
    still = gradient(0)
    pictures = [still.copy() for _ in range(6)]
    for index, picture in enumerate(pictures):
        picture[:10, 10 * index : 10 * index + 10] = (40 * index, 255, 255 - 40 * index)
    write_gif(tmp_path / "a.gif", pictures, 10)
    frames = gif_frames(tmp_path / "a.gif")
    assert len({frame[10:].tobytes() for frame, _ in frames}) == 1
    assert len(np.unique(np.concatenate([frame for frame, _ in frames]).reshape(-1, 3), axis=0)) <= 256


def test_still_frames_last_as_long_as_moving_ones(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", [gradient(0)] * 5 + [gradient(9)] * 5, 10)
    assert sum(duration for _, duration in gif_frames(tmp_path / "a.gif")) == 1000


def test_the_same_frames_give_the_same_gif(tmp_path: Path) -> None:
    for name in ("one.gif", "two.gif"):
        write_gif(tmp_path / name, [gradient(index) for index in range(8)], 12)
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()


def test_gifs_that_can_not_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    with pytest.raises(ConfigError, match="60 frames per second"):
        write_gif(path, [gradient(0)], 60)
    with pytest.raises(RenderError, match="1 to 300 frames"):
        write_gif(path, [], 10)
    with pytest.raises(RenderError, match="1 to 300 frames"):
        write_gif(path, (gradient(0) for _ in range(MAX_GIF_FRAMES + 1)), 10)
    with pytest.raises(RenderError, match="one size"):
        write_gif(path, [gradient(0), gradient(0, width=60)], 10)
    assert not path.exists()


def test_a_sheet_holds_every_picture_unchanged_in_reading_order() -> None:
    pictures = [gradient(index) for index in range(5)]
    sheet = contact_sheet(pictures, columns=3)
    assert sheet.shape == (2 * (40 + 3) + 3, 3 * (72 + 3) + 3, 3)
    assert sheet.dtype == np.uint8
    for index, picture in enumerate(pictures):
        top, left = 3 + index // 3 * 43, 3 + index % 3 * 75
        assert np.array_equal(sheet[top : top + 40, left : left + 72], picture)
    assert sheet[0].max() < 32


def test_labels_and_title_are_readable_and_stay_in_their_cells() -> None:
    pictures = [np.zeros((40, 160, 3), np.uint8)] * 2
    plain = contact_sheet(pictures, columns=2)
    sheet = contact_sheet(
        pictures, columns=2, labels=["0:01.5", "a label far too long for its cell " * 3], title="Jóga"
    )
    added = sheet.shape[0] - plain.shape[0]
    assert 30 <= added <= 60
    title, labels = sheet[: added - 16], sheet[-16:]
    assert title.max() > 200
    assert labels.max() > 150
    assert labels[:, 163:166].max() < 32
    assert labels[:, -3:].max() < 32


def test_smaller_pictures_are_centred() -> None:
    sheet = contact_sheet([gradient(1), gradient(2, width=36, height=20)], columns=2)
    assert np.array_equal(sheet[3 + 10 : 3 + 30, 78 + 18 : 78 + 54], gradient(2, width=36, height=20))


def test_sheets_that_can_not_be_are_refused() -> None:
    with pytest.raises(RenderError, match="at least one picture"):
        contact_sheet([], columns=2)
    with pytest.raises(RenderError, match="2 pictures can't have 1 labels"):
        contact_sheet([gradient(0)] * 2, columns=2, labels=["one"])
