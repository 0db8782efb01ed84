"""Sheets of looks on a real song: what is drawn, kept, saved, rated, and bred from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synesthete.config.preset import load_preset
from synesthete.media.mux import film_facts, iterate_frames

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory, song: Path) -> Path:
    """A workspace with a sheet of 2x1 sampled programs; tests only look at it."""
    from synesthete.config.explore import ExploreOptions
    from synesthete.render.explore.sheets import explore

    workspace = tmp_path_factory.mktemp("explored")
    explore(song, ExploreOptions(grid=(2, 1), seed=4, html=True, workspace=workspace))
    return workspace


def sheet_of(workspace: Path) -> Path:
    (folder,) = (workspace / "renders").glob("explore-*")
    return folder


def test_a_sheet_has_a_picture_a_mosaic_with_sound_a_gallery_and_its_cells(explored: Path) -> None:
    folder = sheet_of(explored)

    names = {path.name for path in folder.iterdir()}
    assert names == {"sheet.png", "mosaic.mp4", "gallery.html", "meta.json", "cells", ".lock"}
    assert len(list((folder / "cells").iterdir())) == 6
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.width > 2 * 512
        assert sheet.height > 288
    facts = film_facts(folder / "mosaic.mp4")
    assert (facts.width, facts.height, facts.frame_rate) == (512, 144, 15)
    assert facts.sound_rate == 44_100
    assert abs(facts.sound_samples / 44_100 - facts.duration_s) < 1 / 15
    left, right = np.split(np.stack(list(iterate_frames(folder / "mosaic.mp4"))), 2, axis=2)
    assert np.abs(left.astype(int) - right).mean() > 3  # two looks, not one twice


def test_the_gallery_needs_nothing_beside_it(explored: Path) -> None:
    page = (sheet_of(explored) / "gallery.html").read_text()

    assert page.count("data:video/mp4;base64,") == 2
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert "seed 4" in page
    assert "seed 5" in page
    assert "Architectures" not in page  # programs have none


def test_repeating_finds_everything_and_saves_a_cell_that_renders_alike(
    explored: Path, song: Path, cli: Command, tmp_path: Path
) -> None:
    folder, saved = sheet_of(explored), tmp_path / "my-look.yaml"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")}

    arguments = ("--grid", "2x1", "--seed", 4, "--workspace", explored)
    outcome = cli("explore", song, *arguments, "--save", f"2={saved}")

    assert outcome.status == 0, outcome
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")} == before
    preset = load_preset(str(saved))
    assert preset.generator == "program"
    assert preset.seed == 5
    assert preset.name == "my-look"
    assert preset.summary.startswith("Sampled with seed 5")
    again = cli("explore", song, *arguments, "--save", f"1={saved}")
    assert again.status == 2
    assert "is there already; choose another name" in again.message


def test_ratings_lie_beside_the_gallery_and_choose_the_parents(
    explored: Path, song: Path, cli: Command, workspace: Path
) -> None:
    folder = sheet_of(explored)

    unrated = cli("breed", folder, "--grid", "2x1", "--workspace", workspace)
    rated = cli(
        "explore", song, "--grid", "2x1", "--seed", 4, "--workspace", explored, "--rate", "2=4.5", "--html"
    )
    ratings = json.loads((folder / "ratings.json").read_text())
    bred = cli("breed", folder, "--grid", "2x1", "--no-mosaic", "--workspace", workspace)
    (folder / "ratings.json").unlink()

    assert unrated.status == 2
    assert "pass --parents" in unrated.message
    assert rated.status == 0
    assert ratings == {"2": 4.5}
    assert bred.status == 0, bred
    child = sheet_of(workspace)
    meta = json.loads((child / "meta.json").read_text())
    assert meta["labels"] == ["parent 1", "cell-2 changed"]
    assert not (child / "mosaic.mp4").exists()
    first = load_preset(str(child / "cells" / "cell-001.yaml"))
    assert first.program == load_preset(str(folder / "cells" / "cell-002.yaml")).program


def test_a_sweep_over_a_cppn_is_labelled_by_its_values(song: Path, cli: Command, workspace: Path) -> None:
    outcome = cli(
        "explore", song, "--generator", "cppn", "--grid", "2x2", "--no-mosaic", "--workspace", workspace,
        "--sweep", "cppn.net.layers=2,3", "--sweep", "style.0=-1:1", "--html",
        "--rate", "1=4", "--rate", "3=5", "--json",
    )  # fmt: skip

    assert outcome.status == 0, outcome
    folder = sheet_of(workspace)
    labels = json.loads((folder / "meta.json").read_text())["labels"]
    assert labels == [
        "layers 2, style.0 -1",
        "layers 3, style.0 -1",
        "layers 2, style.0 1",
        "layers 3, style.0 1",
    ]
    last = load_preset(str(folder / "cells" / "cell-004.yaml"))
    assert (last.cppn.net.layers, last.style[0]) == (3, 1.0)
    assert outcome.events[0]["event"] == "sheet"
    table = (folder / "gallery.html").read_text().partition("<h2>Architectures</h2>")[2]
    assert table.index("2 × 4") < table.index("4.50 (2 of 2 rated)") < table.index("3 × 4")


def test_an_interrupted_sheet_goes_on_with_the_cells_that_are_missing(
    song: Path, cli: Command, workspace: Path
) -> None:
    arguments = ("explore", song, "--grid", "2x1", "--seed", 8, "--no-mosaic", "--workspace", workspace)
    assert cli(*arguments).status == 0
    folder = sheet_of(workspace)
    kept = (folder / "cells" / "cell-001.mp4").stat().st_mtime_ns
    film = (folder / "cells" / "cell-002.mp4").read_bytes()
    (folder / "cells" / "cell-002.mp4").unlink()
    (folder / "meta.json").unlink()

    assert cli(*arguments).status == 0
    assert (folder / "cells" / "cell-001.mp4").stat().st_mtime_ns == kept
    assert (folder / "cells" / "cell-002.mp4").read_bytes() == film


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid", "0x3"), "grid"),
        (("--grid", "wide"), "must be COLUMNSxROWS"),
        (("--sweep", "style.0"), "is not FIELD=LOW:HIGH"),
        (("--sweep", "colour=1:2"), "sampled programs have style.0 to style.3 only"),
        (("--preset", "silk", "--sweep", "cppn.net.layers=1:90"), "less than or equal to 12"),
        (("--preset", "silk", "--generator", "program"), "preset silk is for the generator cppn"),
        (("--save", "3=look.yaml", "--grid", "2x1"), "there is no cell 3 on a sheet of 2"),
        (("--save", "1=look.txt", "--grid", "2x1"), "does not end in .yaml"),
        (("--save", "first=look.yaml"), "must be CELL=VALUE"),
        (("--save", "1=look.yaml", "--save", "2=look.yaml"), "save names one file for two cells"),
        (("--rate", "1=9"), "less than or equal to 5"),
        (("--style", "1,2"), "style"),
        (("--style", "loud"), "must be four numbers"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_drawn(
    song: Path, cli: Command, workspace: Path, arguments: tuple[str, ...], message: str
) -> None:
    outcome = cli("explore", song, *arguments, "--workspace", workspace)

    assert outcome.status == 2, outcome
    assert message in outcome.message
    assert not list(workspace.glob("renders/*"))


@pytest.mark.parametrize(
    ("parents", "message"),
    [("9", "there is no cell 9"), ("a", "must be numbers of cells"), ("0", "greater than or equal to 1")],
)
def test_wrong_parents_are_refused(
    explored: Path, cli: Command, workspace: Path, parents: str, message: str
) -> None:
    outcome = cli("breed", sheet_of(explored), "--parents", parents, "--workspace", workspace)

    assert outcome.status == 2
    assert message in outcome.message


def test_what_is_no_sheet_is_refused(cli: Command, tmp_path: Path, workspace: Path) -> None:
    outcome = cli("breed", tmp_path, "--parents", "1", "--workspace", workspace)

    assert outcome.status == 2
    assert "is no sheet; name the folder that synesthete explore printed" in outcome.message


def test_clean_shows_and_frees_sheets(song: Path, cli: Command, workspace: Path) -> None:
    cli("explore", song, "--grid", "1x1", "--seed", 8, "--no-mosaic", "--workspace", workspace)
    folder = sheet_of(workspace)

    shown = cli("clean", "--workspace", workspace)
    cli("clean", "--workspace", workspace, "--renders")

    assert folder.name in shown.out
    assert not folder.exists()
