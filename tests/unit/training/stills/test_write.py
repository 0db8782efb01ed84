import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synesthete.errors import InputError, OutputError
from synesthete.seeding import generator_for
from synesthete.training.stills.sources import Still
from synesthete.training.stills.write import CULLED, MANIFEST, RECIPE, read_still, write_stills

SIDE = 16


class Lamps:
    """Draws a lamp of its own for each picture; every fifth is off."""

    buckets = ("warm", "cold")

    def __init__(self, seed: int = 1) -> None:
        self.seed, self.drawn = seed, list[tuple[str, int]]()

    @property
    def recipe(self) -> Mapping[str, Any]:
        return {"source": "lamps", "seed": self.seed}

    def draw(self, bucket: str, index: int) -> Still:
        self.drawn.append((bucket, index))
        draws = generator_for(self.seed, bucket, index)
        y, x = np.mgrid[:SIDE, :SIDE] / SIDE
        light = np.exp(-((x - draws.random()) ** 2 + (y - draws.random()) ** 2) / 0.1)[:, :, None]
        bright = 0.0 if index % 5 == 2 else 200.0
        return Still((bright * light * draws.uniform(0.3, 1.0, 3)).astype(np.uint8), {"of": "lamp"})


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / MANIFEST).open(newline="") as handle:
        return list(csv.DictReader(handle))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_the_folder_holds_what_the_manifest_says(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = write_stills(
        Lamps(),
        tmp_path,
        {"warm": range(3), "cold": range(2)},
        on_still=lambda done, of: told.append((done, of)),
    )
    assert (found.kept, found.culled, found.made) == (5, 0, 5)
    assert told == [(done, 5) for done in range(6)]
    listed = rows(tmp_path)
    assert [row["file"] for row in listed] == [
        "warm/warm-00000.png", "warm/warm-00001.png", "warm/warm-00002.png", "cold/cold-00000.png",
        "cold/cold-00001.png",
    ]  # fmt: skip
    for row in listed:
        picture = read_still(tmp_path / row["file"])
        assert np.array_equal(picture, Lamps().draw(row["bucket"], int(row["index"])).picture)
        beside = json.loads((tmp_path / row["file"]).with_suffix(".json").read_text())
        assert (beside["facts"], beside["sha256"]) == ({"of": "lamp"}, row["sha256"])
        assert float(row["brightness"]) == beside["brightness"] > 0 or row["index"] == "2"
    assert json.loads((tmp_path / RECIPE).read_text())["seed"] == 1


def test_repeating_makes_only_what_is_missing(tmp_path: Path) -> None:
    write_stills(Lamps(), tmp_path, {"warm": range(4)})
    before = contents(tmp_path)
    (tmp_path / "warm" / "warm-00001.png").unlink()
    (tmp_path / "warm" / "warm-00002.json").unlink()
    (tmp_path / "warm" / "warm-00003.png").write_bytes(b"damaged")
    again = Lamps()
    assert write_stills(again, tmp_path, {"warm": range(4)}).made == 3
    assert again.drawn == [("warm", 1), ("warm", 2), ("warm", 3)]
    assert contents(tmp_path) == before
    more = Lamps()
    write_stills(more, tmp_path, {"warm": range(5), "cold": range(1)})
    assert more.drawn == [("warm", 4), ("cold", 0)]


def test_the_worst_are_put_aside_and_come_back(tmp_path: Path) -> None:
    found = write_stills(Lamps(), tmp_path, {"warm": range(10), "cold": range(5)}, cull=0.2)
    assert (found.kept, found.culled, found.reasons) == (12, 3, {"too dark": 3})
    aside = {row["file"]: row for row in rows(tmp_path) if row["kept"] == "no"}
    assert set(aside) == {
        f"{CULLED}/warm/warm-00002.png", f"{CULLED}/warm/warm-00007.png", f"{CULLED}/cold/cold-00002.png",
    }  # fmt: skip
    assert {row["reason"] for row in aside.values()} == {"too dark"}
    assert all((tmp_path / name).is_file() for name in aside)
    assert len(list((tmp_path / "warm").glob("*.png"))) == 8
    same = contents(tmp_path)
    again = Lamps()
    assert write_stills(again, tmp_path, {"warm": range(10), "cold": range(5)}, cull=0.2).made == 0
    assert contents(tmp_path) == same
    write_stills(again, tmp_path, {"warm": range(10), "cold": range(5)})
    assert again.drawn == []
    assert len(list((tmp_path / "warm").glob("*.png"))) == 10
    assert not list((tmp_path / CULLED).rglob("*.png"))


def test_a_pair_that_was_torn_apart_is_joined(tmp_path: Path) -> None:
    write_stills(Lamps(), tmp_path, {"warm": range(5)}, cull=0.2)
    whole = contents(tmp_path)
    aside = tmp_path / CULLED / "warm"
    (aside / "warm-00002.json").replace(tmp_path / "warm" / "warm-00002.json")
    again = Lamps()
    write_stills(again, tmp_path, {"warm": range(5)}, cull=0.2)
    assert again.drawn == []
    assert contents(tmp_path) == whole


def test_another_dataset_is_refused(tmp_path: Path) -> None:
    write_stills(Lamps(), tmp_path / "one", {"warm": range(1)})
    with pytest.raises(OutputError, match="another seed, size or source"):
        write_stills(Lamps(seed=2), tmp_path / "one", {"warm": range(1)})
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match="holds other files"):
        write_stills(Lamps(), tmp_path / "two", {"warm": range(1)})


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no")
    with pytest.raises(InputError, match="no picture that can be read"):
        read_still(tmp_path / "no.png")


def test_pictures_that_are_picked(tmp_path: Path) -> None:
    source = Lamps()
    write_stills(source, tmp_path, {"warm": [4, 1], "cold": [3]})
    assert source.drawn == [("warm", 4), ("warm", 1), ("cold", 3)]
    assert [row["file"] for row in rows(tmp_path)] == [
        "warm/warm-00004.png", "warm/warm-00001.png", "cold/cold-00003.png",
    ]  # fmt: skip
