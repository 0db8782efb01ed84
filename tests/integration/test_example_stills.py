"""The stills in examples/ are those of their recipe, whole, and worth looking at."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from synesthete.config.stills import BUCKETS, load_images_options
from synesthete.files import digest_file
from synesthete.training.stills.sources import ProgramSource
from synesthete.training.stills.write import MANIFEST, RECIPE, read_still

STILLS = Path(__file__).resolve().parents[2] / "examples" / "stills"
OPTIONS = load_images_options(STILLS / "recipe.yaml", {})
MOST_BYTES = 3_500_000


def rows() -> list[dict[str, str]]:
    with (STILLS / MANIFEST).open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_folder_is_what_the_recipe_says() -> None:
    listed = rows()
    wanted = {(bucket, index) for bucket, indices in OPTIONS.pick.items() for index in indices}
    assert {(row["bucket"], int(row["index"])) for row in listed} == wanted
    assert len(listed) == len(wanted) == 64
    assert set(OPTIONS.pick) == set(BUCKETS)
    source = ProgramSource(OPTIONS.seed, OPTIONS.size)
    assert json.loads((STILLS / RECIPE).read_text()) == {"kind": "synesthete stills", **source.recipe}
    for row in listed:
        assert digest_file(STILLS / row["file"]) == row["sha256"]
    assert sum(path.stat().st_size for path in STILLS.rglob("*") if path.is_file()) < MOST_BYTES


def test_none_is_empty_grey_or_burnt() -> None:
    for row in rows():
        assert float(row["brightness"]) > 0.015, row["file"]
        assert float(row["contrast"]) > 0.03, row["file"]
        assert float(row["clipped"]) < 0.15, row["file"]
        assert float(row["saturation"]) > 0.3 or row["bucket"] == "monochrome-noise", row["file"]


@pytest.mark.slow
@pytest.mark.parametrize("bucket", BUCKETS)
def test_they_can_be_drawn_again(bucket: str) -> None:
    source = ProgramSource(OPTIONS.seed, OPTIONS.size)
    for index in OPTIONS.pick[bucket][:2]:
        drawn = source.draw(bucket, index).picture.astype(int)
        shipped = read_still(STILLS / bucket / f"{bucket}-{index:05d}.png").astype(int)
        # To the bit on one machine; other SIMD units round some pixels to the next level.
        assert np.abs(drawn - shipped).mean() < 0.05
