"""Any folder of pictures becomes stills, whatever cameras and programs write."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from synesthete.errors import InputError
from synesthete.training.stills.folder import open_folder
from synesthete.training.stills.write import MANIFEST, read_still, write_stills

RED, BLUE = (200, 30, 60), (20, 60, 180)
TURNED = 6
"""By EXIF: what is shown is turned a quarter clockwise from what is stored."""


def halves(width: int = 48, height: int = 32) -> Image.Image:
    """Paint the left half red and the right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def put(folder: Path, name: str, image: Image.Image, **settings: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **settings)


def first(folder: Path, size: int = 16) -> np.ndarray:
    return open_folder(folder, size).draw("pictures", 0).picture.astype(int)


def near(picture: np.ndarray, place: tuple[int, int], colour: tuple[int, ...], within: int = 3) -> bool:
    return bool(np.abs(picture[place] - np.array(colour)).max() <= within)


def test_folders_are_buckets_and_content_is_what_counts(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    put(mine, "b.png", halves())
    put(mine, "a.webp", halves(20, 20), lossless=True)
    put(mine, "Old Trips/2019/rome.JPG", halves(32, 64), format="JPEG")
    put(mine, "Old Trips/again.png", halves())  # b.png is read later
    put(mine, ".trash/c.png", halves(18, 18))
    put(mine, "Culled/d.png", halves(19, 19))
    (mine / "notes.txt").write_text("no picture")
    said: list[str] = []
    source = open_folder(mine, 16, warn=said.append)
    assert source.counts == {"old-trips": 2, "pictures": 1}
    assert said == [f"1 of 4 files in {mine} are left out: copies of other ones"]
    out = tmp_path / "out"
    write_stills(source, out, {bucket: range(count) for bucket, count in source.counts.items()}, cull=0.5)
    with (out / MANIFEST).open(newline="") as handle:
        listed = list(csv.DictReader(handle))
    assert ["rome.JPG" in row["facts"] for row in listed] == [True, False, False]
    assert all(read_still(out / row["file"]).shape == (16, 16, 3) for row in listed)

    # Names and places say nothing.
    recipe = source.recipe
    mine.rename(tmp_path / "yours")
    assert open_folder(tmp_path / "yours", 16).recipe == recipe
    put(tmp_path / "yours", "a.webp", halves(20, 22), lossless=True)
    assert open_folder(tmp_path / "yours", 16).recipe != recipe


def test_the_middle_is_kept(tmp_path: Path) -> None:
    image = Image.new("RGB", (90, 30), (0, 255, 0))
    image.paste(halves(30, 30), (30, 0))
    put(tmp_path, "wide.png", image)
    picture = first(tmp_path)
    assert picture.shape == (16, 16, 3)
    assert near(picture, (8, 2), RED)
    assert near(picture, (8, 13), BLUE)


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = TURNED
    put(tmp_path, "phone.jpg", halves(32, 32), exif=exif, quality=95)
    picture = first(tmp_path)
    assert near(picture, (2, 8), RED, 12)
    assert near(picture, (13, 8), BLUE, 12)


def of_16_bits() -> Image.Image:
    ramp = np.linspace(0, 65_535, 32).astype(np.uint16)
    return Image.fromarray(np.tile(ramp, (32, 1)))


def with_a_hole() -> Image.Image:
    image = Image.new("RGBA", (32, 32), (255, 255, 255, 0))
    image.paste((*BLUE, 255), (16, 0, 32, 32))
    return image


@pytest.mark.parametrize(
    ("name", "make", "left", "right"),
    [
        ("deep.png", of_16_bits, (18, 18, 18), (237, 237, 237)),
        ("print.jpg", lambda: halves(32, 32).convert("CMYK"), RED, BLUE),
        ("grey.png", lambda: halves(32, 32).convert("L"), (84, 84, 84), (62, 62, 62)),
        ("few.png", lambda: halves(32, 32).quantize(4), RED, BLUE),
        ("hole.png", with_a_hole, (0, 0, 0), BLUE),
        ("hole.webp", with_a_hole, (0, 0, 0), BLUE),
    ],
)
def test_what_pixels_may_be(
    tmp_path: Path,
    name: str,
    make: Callable[[], Image.Image],
    left: tuple[int, int, int],
    right: tuple[int, int, int],
) -> None:
    put(tmp_path, name, make())
    picture = first(tmp_path)
    assert near(picture, (8, 1), left, 8)
    assert near(picture, (8, 14), right, 8)


def test_unfit_files_are_named_and_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.png", halves())
    put(tmp_path, "cut.png", halves(200, 200))
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:120])
    put(tmp_path, "dot.png", halves(15, 400))
    put(tmp_path, "long.png", halves(9000, 16))
    (tmp_path / "text.jpg").write_text("no picture")
    text = PngImagePlugin.PngInfo()
    text.add_text("much", "0" * 16_000_000)
    put(tmp_path, "vast.png", halves(), pnginfo=text)
    said: list[str] = []
    assert open_folder(tmp_path, 16, warn=said.append).counts == {"pictures": 1}
    assert said == [
        f"5 of 6 files in {tmp_path} are left out: cut.png is no picture that can be read, dot.png is "
        "smaller than 16 pixels, long.png is wider or higher than 8192 pixels and 2 more"
    ]
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"there is no picture in .*\(cut.png is no picture"):
        open_folder(tmp_path, 16)


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder; name a folder of pictures"):
        open_folder(tmp_path / "none", 16)
    with pytest.raises(InputError, match=r"\(no files\); name a folder of PNG, JPEG or WebP files"):
        open_folder(tmp_path, 16)


@pytest.mark.parametrize("change", ["other", "damaged", "gone"])
def test_a_picture_that_changes_meanwhile(tmp_path: Path, change: str) -> None:
    put(tmp_path, "a.png", halves())
    source = open_folder(tmp_path, 16)
    if change == "gone":
        (tmp_path / "a.png").unlink()
    elif change == "damaged":
        (tmp_path / "a.png").write_bytes(b"damaged")
    else:
        put(tmp_path, "a.png", halves(40, 40))
    with pytest.raises(InputError, match="has changed meanwhile; repeat the command"):
        source.draw("pictures", 0)


def test_processes_give_the_same_files(tmp_path: Path) -> None:
    for k in range(5):
        put(tmp_path / "mine", f"{k}.png", halves(30 + 2 * k, 32))
    (tmp_path / "mine" / "5.png").write_text("no picture")
    written, told = [], list[int]()
    for workers in (1, 2):
        source, out = open_folder(tmp_path / "mine", 16, workers=workers), tmp_path / str(workers)
        write_stills(
            source, out, {"pictures": range(5)}, workers=workers, on_still=lambda done, of: told.append(done)
        )
        files = [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]
        written.append({path.relative_to(out): path.read_bytes() for path in files})
    assert told == [0, 1, 2, 3, 4, 5] * 2
    assert written[0] == written[1]
    assert len(written[0]) == 12
