"""``synesthete dataset``: what it writes and prints, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import music, write_wav
from made_listeners import write_listener
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.training.shards import open_shards

Command = Callable[..., Any]
SMALL = (
    "audio_debug_mode=true", "clip_frames=3", "style_frames=1", "context_s=0.1", "warm_up_s=0",
    "song_seconds=4", "batch_size=2", "clips_per_song=2",
)  # fmt: skip


def small(*changes: str) -> list[str]:
    return [part for change in (*SMALL, *changes) for part in ("--set", change)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Describe training data whose songs are recorded."""
    folder = tmp_path / "data"
    (folder / "songs").mkdir(parents=True)
    write_wav(folder / "songs" / "one.wav", 0.5 * music(5.0, seed=1))
    (folder / "songs" / "cover.jpg").write_bytes(b"no sound")
    path = folder / "data.yaml"
    lines = [change.replace("=", ": ") for change in SMALL]
    path.write_text("\n".join([*lines, "music_dir: songs", "real_mix_prob: 1.0", ""]))
    return path


def test_preview_of_recorded_music(cli: Command, data: Path, tmp_path: Path, workspace: Path) -> None:
    target = tmp_path / "preview"
    outcome = cli(
        "dataset", "preview", "-o", target, "--config", data, "--count", 1, "--workspace", workspace,
        "--set", "seed=3",
    )  # fmt: skip
    assert outcome.status == 0
    assert outcome.err.startswith("warning: 1 of 2 files")
    assert f"sheet:    {target / 'sheet.png'}" in outcome.out
    assert {path.name for path in target.iterdir()} == {"sheet.png", "clip-0.mp4", "program-0.json"}
    facts = json.loads((target / "program-0.json").read_text())["facts"]
    assert facts["real"]["file"] == "one.wav"
    assert list((workspace / "cache" / "music").glob("*.s16"))


def test_export_and_the_figures_of_what_was_exported(cli: Command, tmp_path: Path, workspace: Path) -> None:
    target = tmp_path / "set"
    given = ("dataset", "export", "-o", target, "--items", 4, "--shards", 2, *small())
    outcome = cli(*given, "--json")
    assert outcome.status == 0
    assert [event["event"] for event in outcome.events] == ["progress"] * 3 + ["done"]
    assert open_shards(target).count == 4
    assert "2 with 4 items" in cli(*given).out  # nothing left to do

    figures = tmp_path / "stats.json"
    outcome = cli("dataset", "stats", "--from", target, "-o", figures)
    assert outcome.status == 0
    assert outcome.out.startswith("4 clips")
    assert "in silence" in outcome.out
    stored = json.loads(figures.read_text())
    live = cli("dataset", "stats", "--items", 4, "--json", *small())
    assert live.events == [stored]


def test_figures_beside_recorded_music(cli: Command, data: Path, workspace: Path) -> None:
    outcome = cli(
        "dataset", "stats", "--items", 2, "--music", data.parent / "songs", "--workspace", workspace, *small()
    )
    assert outcome.status == 0
    assert "of 55 columns covered" in outcome.out


def test_export_with_the_embeddings_of_a_folder(cli: Command, tmp_path: Path) -> None:
    write_listener("whisper", tmp_path / "whisper")
    config = tmp_path / "data.yaml"
    lines = [change.replace("=", ": ") for change in SMALL]
    config.write_text("\n".join([*lines, "embedding: whisper", "embedding_dir: whisper", ""]))
    given = ("--config", config, "--set", "embedding_size=5")
    outcome = cli("dataset", "export", "-o", tmp_path / "set", "--items", 2, "--shards", 1, *given)
    assert outcome.status == 0, outcome
    assert open_shards(tmp_path / "set").read([0])[0].rows.shape[1] == len(COLUMN_NAMES) + 5

    # What does not look at them does without.
    figures = [cli("dataset", "stats", "--json", "--items", 2, *source) for source in (given, small())]
    assert figures[0].events == figures[1].events
    assert cli("dataset", "preview", "-o", tmp_path / "preview", "--count", 1, *given).status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "dataset needs a command"),
        (("preview", "-o", "x", "--count", "0"), "count = 0"),
        (("preview", "-o", "x", "--set", "clip_frames=0"), "clip_frames = 0"),
        (("preview", "-o", "x", "--set", "no_such=1"), "no_such is no known field"),
        (("preview", "-o", "x", "--config", "none.yaml"), "cannot read none.yaml"),
        (("preview", "-o", "x", "--set", "music_dir=none", "--set", "real_mix_prob=1"), "none is no folder"),
        (
            ("export", "-o", "x", "--items", "7", "--shards", "1"),
            "--items 7 is not a whole number of batches",
        ),
        (("export", "-o", "x", "--items", "32", "--shards", "2"), "--shards 2 is outside 1 to 1"),
        (
            (
                "export",
                "-o",
                "x",
                "--items",
                "32",
                "--shards",
                "1",
                "--set",
                "embedding=clap",
                "--set",
                "embedding_dir=none",
            ),
            "embedding_dir = none is no folder",
        ),
        (("preview", "-o", "x", "--set", "embedding=clap"), "needs embedding_dir"),
        (("stats", "--from", "none"), "none holds no dataset"),
        (("stats", "--from", "none", "--set", "seed=1"), "drop --config and --set"),
        (("stats", "-o", "figures.txt"), "does not end in .json"),
        (("stats", "--music", "none"), "none is no folder"),
        (("images", "-o", "x", "--buckets", "zebra"), "choose from abstract, colour-field"),
        (("images", "-o", "x", "--size", "8"), "size = 8"),
        (("images", "-o", "x", "--source", "sd"), "name its folder with --model DIR"),
        (("images", "-o", "x", "--source", "sd", "--model", "none"), "holds no pipeline"),
        (("images", "-o", "x", "--source", "dreams"), "source = 'dreams'"),
        (("images", "-o", "x", "--steps", "20"), "--steps belongs to --source sd"),
        (("images", "-o", "x", "--from", "none"), "--from none is no folder"),
        (("images", "-o", "x", "--from", "."), "-o x lies in the folder that pictures are taken from"),
        (("images", "-o", "x", "--config", "none.yaml"), "cannot read none.yaml"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    cli: Command, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli("dataset", *arguments)
    assert outcome.status == 2
    assert said in outcome.message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["/etc", "../songs", "https://example.org/songs"])
def test_a_file_names_folders_below_its_own_only(cli: Command, data: Path, place: str) -> None:
    data.write_text(f"music_dir: {place}\nreal_mix_prob: 1.0\n")
    outcome = cli("dataset", "preview", "-o", data.parent / "x", "--config", data)
    assert outcome.status == 2
    assert "music_dir" in outcome.message
    data.write_text(f"embedding: clap\nembedding_dir: {place}\n")
    outcome = cli("dataset", "preview", "-o", data.parent / "x", "--config", data)
    assert outcome.status == 2
    assert "embedding_dir" in outcome.message


def test_images_in_buckets_and_what_is_put_aside(cli: Command, tmp_path: Path) -> None:
    target = tmp_path / "stills"
    given = ("dataset", "images", "-o", target, "--buckets", "colour-field, monochrome-noise", "--size", 32)
    outcome = cli(*given, "--total", 5)
    assert outcome.status == 0
    assert f"stills:   5 in 2 buckets in {target}; 5 new" in outcome.out
    outcome = cli(*given, "--count", 4, "--cull", 0.25, "--json")
    assert outcome.status == 0
    done = outcome.events[-1]
    assert (done["kept"], done["culled"], done["made"]) == (6, 2, 3)
    assert len((target / "manifest.csv").read_text().splitlines()) == 9
    assert len(list((target / "culled").rglob("*.png"))) == 2


def test_images_from_a_folder_and_a_file_of_options(cli: Command, tmp_path: Path) -> None:
    mine, target, file = tmp_path / "mine", tmp_path / "stills", tmp_path / "recipe.yaml"
    mine.mkdir()
    for k in range(3):
        Image.new("RGB", (40, 30), (60 * k, 90, 120)).save(mine / f"{k}.png")
    (mine / "bad.jpg").write_text("no picture")
    outcome = cli("dataset", "images", "-o", target, "--from", mine, "--size", 32)
    assert outcome.status == 0
    assert f"stills:   3 in 1 buckets in {target}; 3 new" in outcome.out
    assert "1 of 4 files" in outcome.err
    file.write_text("size: 32\npick: {monochrome-noise: [4, 2]}\n")
    outcome = cli("dataset", "images", "-o", tmp_path / "picked", "--config", file)
    assert outcome.status == 0
    assert sorted(path.name for path in (tmp_path / "picked" / "monochrome-noise").glob("*.png")) == [
        "monochrome-noise-00002.png", "monochrome-noise-00004.png",
    ]  # fmt: skip
