"""``synesthete analyse`` on real sound: what is printed, what is written, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synesthete
from synesthete.media.mux import film_facts
from synesthete.render.plot import PLOT_SIZE

SONG = Path(__file__).parents[2] / "album" / "torus-trooper-1.ogg"
PART = ("--start", "0:24", "--end", "0:34")
KEYS = {
    "duration_s", "tempo_bpm", "beats", "downbeats", "beats_per_bar", "beat_confidence", "key", "sections",
    "loudness_lufs", "true_peak_dbtp", "silences",
}  # fmt: skip
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which songs are heard once."""
    return tmp_path_factory.mktemp("heard")


@pytest.fixture
def analyse(cli: Command, heard: Path) -> Command:
    def run(song: Path, *arguments: object, status: int = 0, workspace: Path = heard) -> Any:
        outcome = cli("analyse", song, "--workspace", workspace, *arguments)
        assert outcome.status == status, outcome
        return outcome

    return run


def read_json(outcome: Any) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    (line,) = outcome.out.splitlines()
    values = json.loads(line, parse_constant=refuse)
    assert values.keys() >= KEYS
    return dict(values)


# What is printed ------------------------------------------------------------------------------------------


def test_json_tells_what_was_heard(analyse: Command) -> None:
    values = read_json(analyse(SONG, *PART, "--json"))
    assert values["duration_s"] == 10
    assert values["tempo_bpm"] == pytest.approx(160, rel=0.01)
    assert values["beats_per_bar"] == 4
    assert 0 < values["beat_confidence"] <= 1
    assert set(values["downbeats"]) <= set(values["beats"])
    assert all(0 <= beat <= 10 for beat in values["beats"])
    assert np.median(np.diff(values["beats"])) == pytest.approx(60 / 160, abs=0.005)
    assert (values["sections"][0]["start_s"], values["sections"][-1]["end_s"]) == (0, 10)
    assert -12 < values["loudness_lufs"] < -6
    assert -1 < values["true_peak_dbtp"] < 3
    assert values["silences"] == []


def test_the_summary_is_for_people(analyse: Command) -> None:
    outcome = analyse(SONG, *PART)
    lines = {line.split()[0]: line for line in outcome.out.splitlines()}
    assert lines["duration"].split() == ["duration", "0:10.0"]
    assert "BPM, 4 beats to the bar" in lines["tempo"]
    assert "downbeats; confidence " in lines["beats"]
    assert "LUFS, true peak" in lines["loudness"]
    assert lines["silences"].split() == ["silences", "none"]
    assert "A  0:00.0 to " in lines["sections"]
    assert "key" in lines
    assert outcome.err == ""


def test_silences_have_their_moments(analyse: Command, song: Path) -> None:
    (silence,) = read_json(analyse(song, "--json"))["silences"]
    assert silence["start_s"] == pytest.approx(0.75, abs=0.06)
    assert silence["end_s"] == pytest.approx(2.25, abs=0.06)
    assert "silences  0:00.8 to 0:02.2" in analyse(song).out


@pytest.mark.parametrize("seconds", [0.01, 0.3, 3.0])
def test_silence_has_no_numbers_that_json_lacks(
    analyse: Command, make_song: Command, tmp_path: Path, seconds: float
) -> None:
    song = make_song(seconds, silences=((0, seconds),), name="silence")
    values = read_json(analyse(song, "--json"))
    assert values["duration_s"] == seconds
    assert [values[name] for name in ("tempo_bpm", "beats_per_bar", "loudness_lufs", "true_peak_dbtp")] == [
        None
    ] * 4
    assert (values["beats"], values["downbeats"]) == ([], [])
    outcome = analyse(song, "--plot", tmp_path / "plot.png", "-o", tmp_path / "t.npz")
    assert "no beat heard" in outcome.out
    assert "silent" in outcome.out


def test_a_sound_shorter_than_a_block_of_loudness(analyse: Command, make_song: Command) -> None:
    values = read_json(analyse(make_song(0.3), "--json"))
    assert values["loudness_lufs"] is None
    assert -10 < values["true_peak_dbtp"] < 1


def test_the_tempo_may_be_given(analyse: Command) -> None:
    values = read_json(analyse(SONG, *PART, "--bpm", 80, "--json"))
    assert values["tempo_bpm"] == pytest.approx(80, rel=0.02)


# What is written ------------------------------------------------------------------------------------------


def test_the_table_at_100_hz(analyse: Command, tmp_path: Path, heard: Path) -> None:
    path = tmp_path / "new" / "timeline.npz"
    analyse(SONG, *PART, "-o", path)
    timeline = synesthete.analyse(SONG, start="0:24", end="0:34", workspace=heard)
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays.files) == {*timeline.names, "beats", "downbeats"}
        for name in timeline.names:
            np.testing.assert_array_equal(arrays[name], timeline.column(name))
        np.testing.assert_array_equal(arrays["beats"], timeline.music.beats)
        np.testing.assert_array_equal(arrays["downbeats"], timeline.music.downbeats)
    first = path.read_bytes()
    analyse(SONG, *PART, "-o", path)
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("fps", "rows"), [("30", 300), ("24000/1001", 240), ("60", 600)])
def test_the_table_on_a_films_clock(
    analyse: Command, tmp_path: Path, heard: Path, fps: str, rows: int
) -> None:
    path = tmp_path / "timeline.npz"
    analyse(SONG, *PART, "-o", path, "--fps", fps)
    timeline = synesthete.analyse(SONG, start=24, end=34, workspace=heard)
    expected = timeline.at_frames(Fraction(fps), ["loudness"])[:, 0]
    with np.load(path, allow_pickle=False) as arrays:
        assert {arrays[name].shape for name in timeline.names} == {(rows,)}
        np.testing.assert_array_equal(arrays["loudness"], expected)


def test_the_plot_is_a_picture(analyse: Command, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    outcome = analyse(SONG, *PART, "--plot", path)
    assert f"plot      {path}" in outcome.out
    assert list(tmp_path.iterdir()) == [path]
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", PLOT_SIZE)
        pixels = np.asarray(picture.convert("RGB"))
    assert len(np.unique(pixels[::9, ::9].reshape(-1, 3), axis=0)) > 1_000
    assert pixels[:20].max() < 30  # dark all around


def test_a_name_in_any_script_is_drawn(analyse: Command, make_song: Command, tmp_path: Path) -> None:
    song = tmp_path / "音楽 $x^2$ {\\frac \n.wav"
    shutil.copyfile(make_song(1.0), song)
    assert analyse(song, "--plot", tmp_path / "plot.png").err == ""


def test_plotting_leaves_pyplot_alone(make_song: Command, tmp_path: Path) -> None:
    code = (
        "import sys; from synesthete.cli import main; status = main(sys.argv[1:]);"
        "sys.exit(status or 'matplotlib.pyplot' in sys.modules)"
    )
    arguments = ["analyse", make_song(1.0), "--plot", tmp_path / "p.png", "--workspace", tmp_path]
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True, capture_output=True)


def test_the_film_is_a_film(analyse: Command, make_song: Command, tmp_path: Path) -> None:
    path = tmp_path / "check.mp4"
    song = make_song(1.0)
    analyse(song, "--film", path)
    facts = film_facts(path)
    assert (facts.frames, facts.width, facts.height, facts.sound_samples) == (30, 640, 360, 44_100)


# What is refused ------------------------------------------------------------------------------------------

REFUSED = {
    ("-o", "t.csv"): "--output {0}/t.csv does not end in .npz; a timeline is a NumPy archive",
    ("-o", "timeline"): "does not end in .npz",
    ("--plot", "plot.pdf"): "--plot {0}/plot.pdf does not end in .png; a plot is a PNG picture",
    ("--film", "film.mkv"): "--film {0}/film.mkv does not end in .mp4; films are H.264 in MP4",
    ("--plot", "folder.png"): "folder.png is a folder; name a file in it, such as {0}/folder.png/plot.png",
    ("-o", "file/t.npz"): "cannot write {0}/file",
}


@pytest.mark.parametrize(("option", "name"), REFUSED, ids=lambda value: value.strip("-"))
def test_outputs_that_can_not_be(
    analyse: Command, song: Path, tmp_path: Path, option: str, name: str
) -> None:
    place, workspace = tmp_path / "place", tmp_path / "ws"
    (place / "folder.png").mkdir(parents=True)
    (place / "file").touch()
    before = sorted(place.rglob("*"))
    outcome = analyse(song, option, place / name, workspace=workspace, status=2)
    assert REFUSED[option, name].format(place) in outcome.message
    assert sorted(place.rglob("*")) == before
    assert not workspace.exists()  # nothing was computed for it


@pytest.mark.parametrize(("option", "suffix"), [("-o", "npz"), ("--plot", "png"), ("--film", "mp4")])
def test_the_song_is_never_overwritten(
    analyse: Command, make_song: Command, tmp_path: Path, option: str, suffix: str
) -> None:
    song = tmp_path / f"song.{suffix}"
    shutil.copyfile(make_song(1.0), song)
    os.link(song, tmp_path / f"other.{suffix}")
    before = song.read_bytes()
    for name in ("song", "other"):
        outcome = analyse(song, option, tmp_path / f"{name}.{suffix}", status=2)
        assert outcome.message.endswith("is the song itself; choose another name")
    assert song.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--bpm", "nan"), "bpm"),
        (("--bpm", "1e9"), "bpm = 1000000000.0: should be less than or equal to 225"),
        (("--fps", "5"), "frame rate '5' is outside 24000/1001 to 120"),
        (("--start", "2", "--end", "1"), "end 1 s must lie after start 2 s"),
        (("--end", "9:00"), "--end 540 lies after the end of"),
        (("--stems", "/nosuch/folder"), "/nosuch/folder"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_options_that_can_not_be(
    analyse: Command, song: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    outcome = analyse(song, *arguments, "-o", tmp_path / "t.npz", status=2)
    assert words in outcome.message
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_song(analyse: Command, tmp_path: Path) -> None:
    (tmp_path / "text.ogg").write_text("no sound")
    assert "is no sound file" in analyse(tmp_path / "text.ogg", status=2).message
    assert "there is no file" in analyse(tmp_path / "nosuch.ogg", status=2).message
    (event,) = analyse(tmp_path / "nosuch.ogg", "--json", status=2).events
    assert event["event"] == "error"


def test_a_part_of_a_damaged_song(analyse: Command, tmp_path: Path) -> None:
    part = tmp_path / "part.ogg"
    part.write_bytes(SONG.read_bytes()[:150_000])
    assert "pass --allow-truncated" in analyse(part, status=2).message
    values = read_json(analyse(part, "--allow-truncated", "--json"))
    assert 2 < values["duration_s"] < 20
    assert values["loudness_lufs"] is not None


def test_python_takes_tempo_and_stems(song: Path, heard: Path, tmp_path: Path) -> None:
    from synesthete.errors import InputError

    timeline = synesthete.analyse(SONG, start=24, end=34, bpm=80, workspace=heard)
    assert timeline.music.tempo_bpm == pytest.approx(80, rel=0.02)
    with pytest.raises(InputError, match="bpm"):
        synesthete.analyse(song, bpm=float("inf"), workspace=heard)
    with pytest.raises(InputError):
        synesthete.analyse(song, stems=tmp_path / "nosuch", workspace=heard)
