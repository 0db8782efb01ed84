"""Albums from a folder of sounds to the album film, through the command line."""

import json
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import filelock
import numpy as np
import pytest
from PIL import Image

from conftest import music, write_wav
from synesthete.cli import main
from synesthete.config.album_file import read_album
from synesthete.media.mux import film_facts

Command = Callable[..., Any]
CONFIG = """\
title: "Jóga & <Söhne>"
artist: Somebody
licence: CC0-1.0
date: 2025
cover: cover.png
output_root: films
frame_rate: 24
resolution: [64, 64]
kernels: eager
preset: silk
"""
TRACKS = [
    {"id": "one", "src": "01 – Erste.wav", "title": "Erste", "bpm": 120, "key": "Am", "licence": "CC-BY-4.0"},
    {"id": "two", "src": "two.wav", "markers": [0.9], "artist": "Another"},
    {"id": "album", "src": "two.wav", "trim": {"start": 0.5, "end": 0.55}, "seed": 3},
]
TRACK_FILES = {"film.mp4", "meta.json", "certificate.json", "certificate.html", "previews", ".lock"}


def write_album(folder: Path) -> Path:
    folder.mkdir()
    write_wav(folder / TRACKS[0]["src"], music(1.5))  # type: ignore[operator]
    write_wav(folder / "two.wav", music(1.4, seed=1)[:1, :57_600], 32_000)  # mono, and at another rate
    Image.new("RGB", (32, 32), "teal").save(folder / "cover.png")
    (folder / "render.yaml").write_text(CONFIG)
    (folder / "tracklist.json").write_text(json.dumps(TRACKS))
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An album, rendered in one go; not to be changed."""
    folder = write_album(tmp_path_factory.mktemp("albums") / "Jóga live")
    assert main(["album", str(folder), "--workers", "1"]) == 0
    return folder


@pytest.fixture
def album(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished album."""
    return Path(shutil.copytree(finished, tmp_path / "copy of it"))


@pytest.fixture
def run(cli: Command) -> Iterator[Command]:
    """Render an album, and give what was rendered, what was recognised, and whether it was joined."""

    def run(folder: Path, *arguments: object) -> tuple[list[str], list[str], bool]:
        outcome = cli("album", folder, "--json", *arguments)
        assert outcome.status == 0, outcome
        done = outcome.events[-1]
        assert done["event"] == "done"
        joined = any(event["event"] == "joined" for event in outcome.events)
        return done["rendered"], done["recognised"], joined

    return run


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Everything but what says when it was made."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in ("log.jsonl", "album.html", ".lock")
        and "cache" not in path.parts
    }


def films(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.mp4"))}


# What is there afterwards ----------------------------------------------------------------------------------


def test_everything_is_there_and_nothing_else(finished: Path) -> None:
    root = finished / "films"
    assert {path.name for path in root.iterdir()} == {
        "album.mp4",
        "album.html",
        "meta.json",
        "log.jsonl",
        ".lock",
        "one",
        "two",
        "album",
    }
    for name in ("one", "two", "album"):
        assert {path.name for path in (root / name).iterdir()} == TRACK_FILES
        assert {"sheet.png", "snippet.gif", "keyframe_1.png"} <= {
            p.name for p in (root / name / "previews").iterdir()
        }
    events = [json.loads(line)["event"] for line in (root / "log.jsonl").read_text().splitlines()]
    assert events == ["gain", *["plan", "track"] * 3, "joined", "done"]
    assert {path.name for path in finished.iterdir()} == {
        "01 – Erste.wav",
        "two.wav",
        "cover.png",
        "render.yaml",
        "tracklist.json",
        "films",
        "cache",
    }


def test_the_album_film_is_its_tracks_one_after_another(finished: Path) -> None:
    root = finished / "films"
    facts = film_facts(root / "album.mp4")
    parts = [film_facts(root / name / "film.mp4") for name in ("one", "two", "album")]
    assert [part.frames for part in parts] == [36, 44, 2]
    assert facts.frames == sum(part.frames for part in parts)
    assert facts.sound_samples == 72_000 + 86_400 + 2_400
    assert facts.sound_channels == 2


def test_chapters_tags_and_cover_are_in_the_films(finished: Path) -> None:
    with av.open(str(finished / "films" / "album.mp4")) as film:
        tags = {name.lower(): value for name, value in film.metadata.items()}
        chapters = [(c["metadata"]["title"], float(c["start"] * c["time_base"])) for c in film.chapters()]
        pictures = [stream for stream in film.streams.video if stream.codec_context.name == "png"]
    assert {k: tags[k] for k in ("title", "album", "artist", "copyright", "date")} == {
        "title": "Jóga & <Söhne>",
        "album": "Jóga & <Söhne>",
        "artist": "Somebody",
        "copyright": "CC0-1.0",
        "date": "2025",
    }
    assert chapters == [("Erste", 0.0), ("two", 1.5), ("two", 3.3)]
    assert len(pictures) == 1
    with av.open(str(finished / "films" / "one" / "film.mp4")) as film:
        tags = {name.lower(): value for name, value in film.metadata.items()}
    assert {k: tags[k] for k in ("title", "album", "artist", "copyright", "track")} == {
        "title": "Erste",
        "album": "Jóga & <Söhne>",
        "artist": "Somebody",
        "copyright": "CC-BY-4.0",
        "track": "1/3",
    }


def test_the_manifest_tells_the_gain_and_what_every_track_came_from(finished: Path) -> None:
    meta = json.loads((finished / "films" / "meta.json").read_text())
    gain = meta["loudness"]
    assert gain["target_lufs"] == -14
    assert gain["reached_lufs"] == pytest.approx(-14, abs=0.1) or gain["held_back_db"] > 0
    assert gain["reached_peak_dbtp"] <= -1
    assert [track["start_sample"] for track in meta["tracks"]] == [0, 72_000, 158_400]
    assert [track["seed"] for track in meta["tracks"]][2] == 3
    assert meta["config_resolved"]["frame_rate"] == "24"
    for track in meta["tracks"]:
        own = json.loads((finished / "films" / track["id"] / "meta.json").read_text())
        assert own["inputs"] == track["inputs"]
        assert own["sound"]["loudness"] == gain


def test_the_page_links_what_is_there_and_escapes_what_is_said(finished: Path) -> None:
    page = (finished / "films" / "album.html").read_text()
    assert "Jóga &amp; &lt;Söhne&gt;" in page
    assert '<video src="album.mp4"' in page
    for name in ("one", "two", "album"):
        for file in ("film.mp4", "certificate.html", "previews/sheet.png"):
            assert f'"{name}/{file}"' in page


# What is rendered again ------------------------------------------------------------------------------------


def test_repeating_the_command_recognises_everything_and_writes_nothing(album: Path, run: Command) -> None:
    before = content(album)
    assert run(album) == ([], ["one", "two", "album"], False)
    assert content(album) == before


def test_a_film_that_was_removed_is_rendered_alone_and_the_same(album: Path, run: Command) -> None:
    before = films(album)
    (album / "films" / "two" / "film.mp4").unlink()
    assert run(album) == (["two"], ["one", "album"], False)
    assert films(album) == before
    (album / "films" / "album.mp4").unlink()
    assert run(album) == ([], ["one", "two", "album"], True)
    assert films(album) == before


def test_a_track_of_another_preset_is_rendered_alone_and_the_album_joined_anew(
    album: Path, run: Command
) -> None:
    before = content(album)
    tracks = [*TRACKS[:2], {**TRACKS[2], "preset": "medusa"}]
    (album / "tracklist.json").write_text(json.dumps(tracks))
    assert run(album) == (["album"], ["one", "two"], True)
    after = content(album)
    for name in ("films/one/film.mp4", "films/two/film.mp4"):
        assert after[name] == before[name]
    for name in ("films/album/film.mp4", "films/album.mp4"):
        assert after[name][0] != before[name][0]
    assert json.loads((album / "films/meta.json").read_text())["tracks"][2]["preset"] == "medusa"


def test_another_loudness_draws_nothing_anew_and_gives_the_film_that_would_have_been(
    album: Path, run: Command, tmp_path: Path
) -> None:
    before = films(album)
    assert run(album, "--set", "audio.normalization=-20") == ([], ["one", "two", "album"], True)

    fresh = write_album(tmp_path / "fresh")
    run(fresh, "--set", "audio.normalization=-20", "--workers", "1")

    assert films(album) == films(fresh)
    assert films(album) != before


def test_an_album_film_whose_tracks_have_changed_is_taken_away(album: Path, run: Command) -> None:
    rendered, recognised, joined = run(album, "--track", "album", "--set", "seed=9")
    assert (rendered, recognised, joined) == (["album"], [], False)
    root = album / "films"
    assert not (root / "album.mp4").exists()
    assert not (root / "meta.json").exists()
    page = (root / "album.html").read_text()
    assert "no album film yet" in page
    assert '"album/film.mp4"' in page  # the one that is as asked for
    assert '"one/film.mp4"' not in page
    assert run(album)[2]
    assert (root / "album.mp4").exists()


def test_a_track_alone_that_has_not_changed_leaves_the_album_film(album: Path, run: Command) -> None:
    before = content(album)
    assert run(album, "--track", "two") == ([], ["two"], False)
    assert content(album) == before
    assert '<video src="album.mp4"' in (album / "films" / "album.html").read_text()


def test_previews_left_out_are_drawn_later(tmp_path: Path, run: Command) -> None:
    album = write_album(tmp_path / "x")
    assert run(album, "--track", "album", "--no-previews")[0] == ["album"]
    root = album / "films"
    assert not (root / "album" / "previews").exists()
    assert not (root / "album.mp4").exists()
    film = (root / "album" / "film.mp4").read_bytes()
    assert run(album, "--track", "album", "--keep-frames") == ([], ["album"], False)
    assert (root / "album" / "previews" / "sheet.png").is_file()
    assert "previews/sheet.png" in json.loads((root / "album" / "meta.json").read_text())["previews"]
    assert len(list((root / "album" / "frames").glob("frame_*.png"))) == 2
    assert (root / "album" / "film.mp4").read_bytes() == film


# What fails ------------------------------------------------------------------------------------------------


def test_a_track_that_fails_does_not_lose_the_others(album: Path, cli: Command, run: Command) -> None:
    before = content(album)
    song = album / str(TRACKS[0]["src"])
    sound = song.read_bytes()
    song.write_bytes(b"garbage" * 100)
    outcome = cli("album", album)
    assert outcome.status == 2
    told = outcome.err.splitlines()[-1]
    assert "1 track failed; 2 finished in " in told
    assert "no album film was made: one: " in told
    root = album / "films"
    assert not (root / "album.mp4").exists()
    assert not (root / "meta.json").exists()
    page = (root / "album.html").read_text()
    assert "no album film yet" in page
    assert '"one/film.mp4"' not in page
    assert 'class="failure"' in page
    for name in ("films/two/film.mp4", "films/album/film.mp4"):  # not even their loudness has changed
        assert content(album)[name] == before[name]
    alone = cli("album", album, "--track", "two")
    assert alone.status == 0
    assert "note: the album can't be finished yet, as one fails: " in alone.out
    song.write_bytes(sound)
    assert run(album) == ([], ["one", "two", "album"], True)
    assert {k: v[0] for k, v in content(album).items()} == {k: v[0] for k, v in before.items()}


def test_a_slip_of_the_command_line_takes_nothing_away(album: Path, cli: Command) -> None:
    before = content(album)
    outcome = cli("album", album, "--preset", "nosuch")
    assert outcome.status == 2
    assert "3 tracks failed, no album film was made: one, two, album: there is no preset" in outcome.err
    assert content(album) == before


def test_an_album_of_which_nothing_can_be_heard(tmp_path: Path, cli: Command) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "b.wav").write_bytes(b"x")
    outcome = cli("album", tmp_path, "--set", "output_root=out")
    assert outcome.status == 2
    assert "2 tracks failed, no album film was made: a: " in outcome.message
    assert not (tmp_path / "out" / "album.mp4").exists()


REFUSED = {
    "../x": "'..' is not allowed",
    "/elsewhere/x": "is absolute",
    "~/x": "is absolute",
    "file:/x": "protocols and drives are not allowed",
    "C:x": "protocols and drives",
    "link": "leads out of",
    "link/deep": "leads out of",
    ".": "holds other things; name a folder",
    "cache": "holds other things; name a folder",
    "cache/timelines": "holds other things; name a folder",
    "trap": "leads out of",
    "logged": "leads out of",
    "locked": "leads out of",
    "two.wav": "cannot write",
}


@pytest.mark.parametrize("name", REFUSED)
def test_films_are_written_below_the_album_only(tmp_path: Path, cli: Command, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    album = write_album(tmp_path / "x")
    (album / "link").symlink_to("../outside")
    for place, inner, target in (
        ("trap", "one", "outside"),
        ("logged", "log.jsonl", "outside/precious"),
        ("locked", ".lock", "outside/precious"),
    ):
        (album / place).mkdir()
        (album / place / inner).symlink_to(f"../../{target}")
    outcome = cli("album", album, "--set", f"output_root={name}", "--track", "album")
    assert outcome.status == 2
    assert REFUSED[name] in outcome.message
    assert [path.read_text() for path in outside.iterdir()] == ["precious"]


@pytest.mark.parametrize("field", ["src", "art", "stems", "preset", "mood", "cover"])
def test_no_field_reads_a_file_outside(tmp_path: Path, cli: Command, field: str) -> None:
    (tmp_path / "outside").mkdir()
    for name, text in (("a.wav", "sound"), ("look.yaml", "summary: secret-content\n")):
        (tmp_path / "outside" / name).write_text(text)
    album = write_album(tmp_path / "x")
    (album / "look.yaml").symlink_to("../outside/look.yaml")
    (album / "out.wav").symlink_to("../outside/a.wav")
    (album / "stems").symlink_to("../outside")
    value = {"src": "out.wav", "art": "out.wav", "cover": "out.wav", "stems": "stems"}.get(field, "look.yaml")
    track: dict[str, Any] = {"id": "a", "src": "two.wav"}
    if field == "mood":
        track["controller"] = {"preset": value}
    elif field != "cover":
        track[field] = value
    (album / "tracklist.json").write_text(json.dumps([track]))
    extra = ["--set", "cover=out.wav"] if field == "cover" else []
    outcome = cli("album", album, "--dry-run", *extra)
    assert outcome.status == 2
    assert "is a link that leads out of" in outcome.message
    assert "secret-content" not in outcome.message


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--preset", "nosuch"], "there is no preset 'nosuch'"),
        (["--mood", "nosuch"], "there is no mood 'nosuch'"),
        (["--track", "nosuch"], "the album has no such track; it has one, two, album"),
        (["--fps", "12"], "frame rate '12' is outside"),
        (["--resolution", "63x64"], "gives width 63"),
        (["--set", "tracks.0.seed=1"], "--set tracks… is not possible"),
        (["--set", "cover=two.wav"], "is no picture that can be read|neither JPEG nor PNG"),
        (["--config", "elsewhere/render.yaml"], "an album's file lies in its folder"),
    ],
)
def test_options_that_can_not_be(finished: Path, cli: Command, arguments: list[str], expected: str) -> None:
    before = content(finished)
    outcome = cli("album", finished, "--dry-run", *arguments)
    assert outcome.status == 2
    assert re.search(expected, outcome.message), outcome.message
    assert content(finished) == before


def test_two_commands_never_render_one_album_at_once(album: Path, cli: Command) -> None:
    with filelock.FileLock(album / "films" / ".lock"):
        outcome = cli("album", album)
    assert outcome.status == 1
    assert "another process is rendering the album in" in outcome.message


# Killed ----------------------------------------------------------------------------------------------------


def test_an_album_killed_at_any_moment_goes_on_to_the_same_bytes(
    finished: Path, tmp_path: Path, spawn: Command, run: Command
) -> None:
    album = write_album(tmp_path / "x")
    shutil.copytree(finished / "cache", album / "cache")
    process = spawn("album", album, "--workers", "1")
    deadline = time.monotonic() + 60
    begun = album / "films" / "two" / "work"
    while not list(begun.glob("*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(np.random.default_rng().uniform(0, 0.5))
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not (album / "films" / "meta.json").exists():
        assert not (album / "films" / "album.html").exists()
    run(album, "--workers", "1")
    assert films(album) == films(finished)
    assert not list(album.rglob("*.part"))
    assert not (album / "films" / ".sound.m4a").exists()


# Other albums ----------------------------------------------------------------------------------------------


def test_an_album_of_one_very_short_track_without_a_gain(tmp_path: Path, run: Command) -> None:
    write_wav(tmp_path / "Re – 音楽.wav", music(0.05)[:1, :1_102], 22_050)
    rendered, _, joined = run(
        tmp_path,
        "-r",
        "64x64",
        "--fps",
        "24000/1001",
        "--set",
        "kernels=eager",
        "--set",
        "audio.normalization=null",
        "--set",
        "audio.sample_rate=96000",
        "--set",
        "title=音楽",
        "--no-previews",
    )
    assert (rendered, joined) == (["re"], True)
    (root,) = (tmp_path / "renders").iterdir()
    assert film_facts(root / "album.mp4").frames == 2
    assert film_facts(root / "album.mp4").sound_rate == 96_000
    assert json.loads((root / "meta.json").read_text())["loudness"] is None


def test_a_dry_run_plans_all_tracks_and_makes_no_film(tmp_path: Path, cli: Command) -> None:
    album = write_album(tmp_path / "x")
    outcome = cli("album", album, "--dry-run", "--json")
    assert outcome.status == 0
    assert [(event["track"], event["frames"]) for event in outcome.events] == [
        ("one", 36),
        ("two", 44),
        ("album", 2),
    ]
    assert not (album / "films").exists()


# --init ----------------------------------------------------------------------------------------------------


def test_init_writes_files_that_say_the_same_with_and_without_comments(tmp_path: Path, cli: Command) -> None:
    folder = tmp_path / 'Off: "1999" # ö'
    folder.mkdir()
    for name in ("1 a.wav", "2 b.wav"):
        write_wav(folder / name, np.zeros((1, 400), np.float32))
    plain = read_album(folder).album
    outcome = cli("album", folder, "--init")
    assert outcome.status == 0
    assert outcome.out.count("wrote ") == 2
    written = read_album(folder).album
    assert written.title == folder.name
    assert [(t.id, t.src, t.title) for t in written.tracks] == [
        ("1-a", "1 a.wav", "1 a"),
        ("2-b", "2 b.wav", "2 b"),
    ]
    text = (folder / "render.yaml").read_text()
    (folder / "render.yaml").write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    )
    assert read_album(folder).album == written
    fields = [
        line.removeprefix("# ") if line[2:].partition(":")[0] in type(plain).model_fields else line
        for line in text.splitlines()
        if "tracks:" not in line
    ]
    (folder / "render.yaml").write_text("\n".join(fields))
    assert (
        sum(not line.startswith("#") and bool(line) for line in fields) == len(type(plain).model_fields) - 1
    )
    assert read_album(folder).album == written
    assert "are there already" in cli("album", folder, "--init").message


def test_init_reads_no_file_outside(tmp_path: Path, cli: Command) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    write_wav(tmp_path / "secret.wav", np.zeros((1, 400), np.float32))
    (folder / "render.yaml").write_text("tracks: [{src: ../secret.wav}]")
    outcome = cli("album", folder, "--init")
    assert outcome.status == 2
    assert "'..' is not allowed" in outcome.message
    assert not (folder / "tracklist.json").exists()


def test_clean_knows_albums_and_frees_their_unfinished_tracks_alone(album: Path, cli: Command) -> None:
    (album / "films").rename(album / "renders-of-old")
    (album / "renders").mkdir()
    (album / "renders-of-old").rename(album / "renders" / "live")
    root = album / "renders" / "live"
    (root / "two" / "meta.json").unlink()

    shown = cli("clean", "--workspace", album).out
    assert [line.split()[0] for line in shown.splitlines() if "live" in line] == [
        *["film", "film", "unfinished"],
        "album",
    ]
    assert cli("clean", "--workspace", album, "--unfinished").status == 0
    assert {path.name for path in root.iterdir() if path.is_dir()} == {"one", "album"}
    assert cli("clean", "--workspace", album, "--renders").status == 0
    assert not root.exists()
