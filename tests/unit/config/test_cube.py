"""Files of colours that nobody vouches for: each fault in one clear sentence."""

import os
from pathlib import Path

import numpy as np
import pytest

from synesthete.config.cube import read_cube
from synesthete.config.post import Lut, found_lut
from synesthete.config.preset import load_preset
from synesthete.errors import ConfigError

TWO = "0 0 0\n1 1 1\n"
EIGHT = "0 0 0\n" * 8


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "a.cube"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_table_is_read_in_the_files_order(tmp_path: Path) -> None:
    path = written(
        tmp_path, "\ufeff# made\r\nTITLE \"x y\"\r\nlut_3d_size 2\r\nDOMAIN_MAX 2 2 4\r\n\r\n" + "".join(
            f"{r} {g} {b}e0\r\n" for b in (0, 1) for g in (0, 1) for r in (0, 1)
        )
    )  # fmt: skip
    cube = read_cube(path)
    assert (cube.dimensions, cube.side, cube.low, cube.high) == (3, 2, (0, 0, 0), (2, 2, 4))
    np.testing.assert_array_equal(cube.table[1], [1, 0, 0])
    np.testing.assert_array_equal(cube.table[4], [0, 0, 1])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no LUT_1D_SIZE"),
        (TWO, "no LUT_1D_SIZE"),
        ("LUT_3D_SIZE 1000000\n" + TWO, "size '1000000'; 3D tables have 2 to 65"),
        ("LUT_3D_SIZE 256\n" + TWO, "2 to 65"),
        ("LUT_1D_SIZE 9" + "9" * 500 + "\n" + TWO, "2 to 65536"),
        ("LUT_1D_SIZE -2\n" + TWO, "size '-2'"),
        ("LUT_1D_SIZE 2.5\n" + TWO, "size '2.5'"),
        ("LUT_1D_SIZE\n" + TWO, "size ''"),
        ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n" + TWO, "second size"),
        ("LUT_3D_SIZE 2\n" + TWO, "has 2 colours; a 3D table of size 2 has 8"),
        ("LUT_1D_SIZE 2\n" + TWO + TWO, "has 4 colours"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 nan 1\n", "line 3: has a value that is not within"),
        ("LUT_1D_SIZE 2\nnan 0 0\n1 1 1\n", "line 2: has a value that is not within"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 -inf 1\n", "not within"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1e39 1\n", "not within"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 0x1 1\n", "line 3: has '1 0x1 1', which are no numbers"),
        ("LUT_1D_SIZE 2\n0 0\n1 1 1\n", "line 2: has 2 values; a colour has 3"),
        ("LUT_1D_SIZE 2\n0 0 0\nTITLE \"late\"\n1 1 1\n", "among the colours"),
        ("LUT_1D_SIZE 2\nEXEC rm\n" + TWO, "unknown word 'EXEC'"),
        ("LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n" + TWO, "DOMAIN_MAX must be above"),
        ("LUT_1D_SIZE 2\nDOMAIN_MIN 0 0\n" + TWO, "a domain has 3"),
        ("LUT_1D_SIZE 2\nDOMAIN_MIN 0 nan 0\n" + TWO, "not within"),
        ("LUT_1D_SIZE 2\n" + "0 " * 5000 + "\n", "over 1000 characters"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text"),
        (b"LUT_1D_SIZE 2\n0 0 0\n1 1 1\n\x00", "is no text"),
        (np.random.default_rng(1).bytes(100_000), "is no text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str | bytes, fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_cube(written(tmp_path, text))
    assert fault in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_huge_files_pipes_and_folders_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "huge.cube"
    with path.open("wb") as handle:
        handle.truncate(100_000_000)
    with pytest.raises(ConfigError, match=r"100000000 bytes; a \.cube file has at most 16000000"):
        read_cube(path)
    os.mkfifo(tmp_path / "pipe.cube")
    for other in (tmp_path / "pipe.cube", tmp_path):
        with pytest.raises(ConfigError, match="no regular file"):
            read_cube(other)
    with pytest.raises(ConfigError, match="cannot read"):
        read_cube(tmp_path / "none.cube")


def test_a_preset_names_tables_below_its_own_folder_only(tmp_path: Path) -> None:
    place = tmp_path / "looks"
    (place / "luts").mkdir(parents=True)
    written(place / "luts", "LUT_1D_SIZE 2\n" + TWO)
    outside = written(tmp_path, "LUT_1D_SIZE 2\n" + TWO)
    preset = place / "mine.yaml"

    def load(lut: str) -> Lut:
        preset.write_text(f"summary: mine\npost: {{lut: {lut}, grain: 0.1}}\n")
        found = load_preset(str(preset), assignments=["seed=3"]).post.lut
        assert found is not None
        return found

    lut = load("luts/a.cube")
    assert lut.place == place / "luts" / "a.cube"
    assert lut.sha256 == read_cube(outside).sha256
    (place / "out.cube").symlink_to(outside)
    for name in (
        "../a.cube",
        str(outside),
        "out.cube",
        "file:luts/a.cube",
        "{file: luts/a.cube, place: /etc}",
    ):
        with pytest.raises(ConfigError):
            load(name)
    with pytest.raises(ConfigError, match="not the table whose sha256 is given"):
        load(f"{{file: luts/a.cube, sha256: '{'0' * 64}'}}")


def test_the_content_counts_and_not_where_it_lies(tmp_path: Path) -> None:
    dumps = []
    for name, text in (("one", TWO), ("two", TWO), ("three", "0 0 0\n1 1 0.5\n")):
        (tmp_path / name).mkdir()
        written(tmp_path / name, "LUT_1D_SIZE 2\n" + text)
        dumps.append(found_lut(Lut(file="a.cube"), tmp_path / name, where="lut").model_dump(mode="json"))
    assert dumps[0] == dumps[1] != dumps[2]
