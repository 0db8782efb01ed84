"""The command line on real sound: what a user types, and what is there afterwards."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import signal

import synesthete
from synesthete.config.preset import DEFAULT_PRESETS
from synesthete.media.decode import decode_sound
from synesthete.media.mux import film_facts, iterate_frames
from synesthete.render.run import RunFolder

FRAMES = 75  # 2.5 s at 30 frames a second
RUN = {"film.mp4", "meta.json", "certificate.json", "certificate.html", "previews", ".lock"}
PREVIEWS = {"sheet.png", "snippet.gif", *(f"keyframe_{i}.png" for i in (1, 2, 3, 4))}
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def workspace_with_film(tmp_path_factory: pytest.TempPathFactory, song: Path) -> Path:
    """A workspace in which the song was rendered once; tests only look at it."""
    workspace = tmp_path_factory.mktemp("rendered")
    synesthete.render(song, workspace=workspace, resolution="64x64", kernels="eager")
    return workspace


def decoded(film: Path) -> np.ndarray:
    return np.stack(list(iterate_frames(film))).astype(int)


def sound_of(path: Path) -> np.ndarray:
    return np.concatenate(list(decode_sound(path)), axis=1)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# A film -----------------------------------------------------------------------------------------------------


def test_the_film_has_the_songs_length_and_sound(
    workspace_with_film: Path, song: Path, only_run: Callable[[Path], Path]
) -> None:
    film = only_run(workspace_with_film) / "film.mp4"
    facts = film_facts(film)
    assert (facts.frames, facts.width, facts.height, facts.frame_rate) == (FRAMES, 64, 64, 30)
    assert facts.constant_rate
    assert facts.start_s == facts.sound_start_s == 0
    assert (facts.sound_rate, facts.sound_channels, facts.sound_samples) == (44_100, 2, 110_250)
    assert (facts.codec, facts.pixel_format, facts.colour) == ("h264", "yuv420p", ("bt709",) * 3 + ("tv",))

    heard, source = sound_of(film), sound_of(song)
    assert 0 <= heard.shape[1] - source.shape[1] < 1024  # the last AAC frame is padded
    heard = heard[:, : source.shape[1]]
    for channel in range(2):
        correlation = signal.correlate(heard[channel], source[channel], method="fft")
        delay = int(correlation.argmax()) - (source.shape[1] - 1)
        assert abs(delay) <= 44  # 1 ms
    assert np.corrcoef(heard.ravel(), source.ravel())[0, 1] > 0.98


def test_a_run_folder_is_complete_and_tidy(
    workspace_with_film: Path, song: Path, only_run: Callable[[Path], Path]
) -> None:
    run = only_run(workspace_with_film)
    assert names(run) == RUN
    assert names(run / "previews") == PREVIEWS
    assert names(workspace_with_film) == {"cache", "renders"}
    assert not list(workspace_with_film.rglob("*.part"))
    with Image.open(run / "previews" / "keyframe_2.png") as keyframe:
        assert keyframe.size == (64, 64)


def test_the_manifest_tells_everything(
    workspace_with_film: Path, song: Path, manifest_of: Callable[[Path], dict[str, Any]]
) -> None:
    manifest = manifest_of(workspace_with_film)
    assert manifest["status"] == "finished"
    assert manifest["synesthete"] == synesthete.__version__
    assert (manifest["preset"], manifest["generator"], manifest["frames"]) == ("silk", "cppn", FRAMES)
    assert (manifest["song"]["file"], manifest["song"]["samples"]) == (song.name, 110_250)
    assert [s["frames"] for s in manifest["segments"]] == [FRAMES]
    assert manifest["segments"][0]["resumed"] is False
    assert set(manifest["digests"]) == {"timeline", "trajectory", "code"}
    assert manifest["numerics"]["path"].startswith("eager-float32")
    assert manifest["numerics"]["eager_because"] == "not asked for"
    assert {"score", "segments", "stitch", "previews", "threads.draw", "threads.encode"} <= manifest[
        "seconds"
    ].keys()
    assert {f"previews/{name}" for name in PREVIEWS} == set(manifest["previews"])
    assert manifest["versions"].keys() >= {"python", "torch", "av", "libavcodec"}
    assert str(song.parent) not in json.dumps(manifest)  # a film's manifest can be published


def test_o_copies_the_film(
    render: Command, song: Path, tmp_path: Path, workspace: Path, only_run: Command
) -> None:
    output = tmp_path / "films" / "My Film.MP4"
    outcome = render(song, "-o", output, "--end", 1)
    film, run, *summary = outcome.out.splitlines()
    assert (film, run) == (f"film: {output}", f"run:  {only_run(workspace)}")
    assert len(summary) == 3
    assert outcome.err == ""
    assert output.read_bytes() == (only_run(workspace) / "film.mp4").read_bytes()
    assert names(output.parent) == {output.name}


def test_repeating_is_recognised(
    render: Command, song: Path, tmp_path: Path, workspace: Path, only_run: Command
) -> None:
    render(song)
    film = only_run(workspace) / "film.mp4"
    before, data = film.stat(), film.read_bytes()
    began = time.monotonic()
    outcome = render(song, "-o", tmp_path / "again.mp4", "--json")
    assert time.monotonic() - began < 1
    assert [event["event"] for event in outcome.events] == ["plan", "done"]
    after = film.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (tmp_path / "again.mp4").read_bytes() == data
    assert names(only_run(workspace)) == RUN


def test_another_name_for_the_same_song_is_another_run(
    render: Command, make_song: Command, workspace: Path
) -> None:
    render(make_song(1.0))
    render(make_song(1.0, name="other"))
    assert len(names(workspace / "renders")) == 2
    assert len(names(workspace / "cache" / "timelines")) == 1  # but it is heard once


def test_force_renders_anew(render: Command, make_song: Command, workspace: Path, only_run: Command) -> None:
    song = make_song(1.0)
    render(song)
    film = only_run(workspace) / "film.mp4"
    written, data = film.stat().st_mtime_ns, film.read_bytes()
    (film.parent / "previews" / "left.png").touch()
    events = render(song, "--force", "--json").events
    assert events[-1]["segments_resumed"] == 0
    assert any(event["event"] == "progress" for event in events)
    assert film.stat().st_mtime_ns > written
    assert film.read_bytes() == data  # the same inputs, the same bytes
    assert names(film.parent / "previews") == PREVIEWS


@pytest.mark.parametrize("damage", ["film.mp4", "meta.json"])
def test_a_damaged_film_is_rendered_again(
    render: Command, make_song: Command, workspace: Path, only_run: Command, damage: str
) -> None:
    song = make_song(1.0)
    render(song)
    run = only_run(workspace)
    data = (run / "film.mp4").read_bytes()
    (run / damage).write_bytes((run / damage).read_bytes()[:-7] + b"damaged")
    render(song)
    assert (run / "film.mp4").read_bytes() == data
    assert json.loads((run / "meta.json").read_text())["status"] == "finished"


# What is printed --------------------------------------------------------------------------------------------


def test_json_lines(render: Command, song: Path, workspace: Path, only_run: Command) -> None:
    outcome = render(song, "--json", "--workers", 2)
    assert outcome.err == ""
    plan, flashes, *progress, done = outcome.events
    assert flashes == {"event": "flash-safety", "frames": FRAMES}
    assert (plan["event"], plan["frames"], plan["segments"]) == ("plan", FRAMES, 1)
    assert progress
    assert all(event["event"] == "progress" for event in progress)
    assert [event["frames"] for event in progress] == sorted({event["frames"] for event in progress})
    assert progress[-1] == {"event": "progress", "frames": FRAMES, "of": FRAMES, "rendered": FRAMES}
    assert done["event"] == "done"
    assert done["film"] == str(only_run(workspace) / "film.mp4")
    assert (done["run"], done["frames"]) == (str(only_run(workspace)), FRAMES)


def test_json_errors(cli: Command, song: Path) -> None:
    for arguments in (
        ("nosuch.wav",),
        (song, "--preset", "nosuch"),
        (song, "--nosuch"),
        (song, "--seed", "x"),
    ):
        outcome = cli("render", *arguments, "--json")
        (event,) = outcome.events
        assert (outcome.status, outcome.err, event["event"]) == (2, "", "error")
        assert event["message"]
        assert event.keys() == {"event", "message"}


def test_on_a_terminal_a_bar_goes_by(
    cli: Command, make_song: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    arguments = (
        "render",
        make_song(1.0),
        "--resolution",
        "64x64",
        "--kernels",
        "eager",
        "--workspace",
        workspace,
    )
    outcome = cli(*arguments, "--fps", "29.97")
    assert outcome.status == 0
    assert "frames/s" in outcome.err
    assert "× real time" in outcome.err
    assert outcome.out.startswith("film: ")
    outcome = cli(*arguments, "--fps", "29.97", "--json")
    assert outcome.err == ""


def test_dry_run_renders_nothing(cli: Command, song: Path, workspace: Path) -> None:
    arguments = ("render", song, "--workspace", workspace, "--dry-run", "--fps", "23.976", "--aspect", "9:16")
    outcome = cli(*arguments)
    assert outcome.status == 0
    plan = dict(line.split(maxsplit=1) for line in outcome.out.splitlines())
    assert (plan["width"], plan["height"], plan["frames"], plan["frame_rate"]) == (
        "1080",
        "1920",
        "60",
        "24000/1001",
    )
    assert names(workspace) == {"cache"}
    (event,) = cli(*arguments, "--json").events
    assert (event["event"], event["run_id"]) == ("plan", plan["run_id"])
    assert names(workspace) == {"cache"}


def test_version_and_help(cli: Command) -> None:
    assert cli("--version").out == f"synesthete {synesthete.__version__}\n"
    for arguments in ((), ("--help",)):
        outcome = cli(*arguments)
        assert outcome.status == 0
        assert all(f"\n  {name} " in outcome.out for name in ("render", "presets", "clean", "profile"))
    for command in ("render", "presets", "clean", "profile"):
        outcome = cli(command, "--help")
        assert (outcome.status, outcome.err) == (0, "")
        assert f"synesthete {command}" in outcome.out
    assert all(option in cli("render", "--help").out for option in ("--fps", "--set", "--resume")[:2])


# Options ----------------------------------------------------------------------------------------------------


def test_a_part_of_the_song(render: Command, song: Path, workspace: Path, only_run: Command) -> None:
    render(song, "--start", "0:00.5", "--end", 2)
    film = only_run(workspace) / "film.mp4"
    facts = film_facts(film)
    assert (facts.frames, facts.sound_samples) == (45, 66_150)
    heard, source = sound_of(film), sound_of(song)[:, 22_050:88_200]
    correlation = signal.correlate(heard[0], source[0], method="fft")
    assert abs(int(correlation.argmax()) - (source.shape[1] - 1)) <= 44


def test_preview_is_the_film_seen_from_further_away(
    cli: Command, make_song: Command, workspace: Path, tmp_path: Path
) -> None:
    arguments = ("render", make_song(1.0), "--kernels", "eager", "--end", 0.5, "--workspace", workspace)
    for name, options in (("preview", ["--preview"]), ("film", ["--crf", 10])):
        outcome = cli(*arguments, *options, "-r", "360p", "--aspect", "1:1", "-o", tmp_path / f"{name}.mp4")
        assert outcome.status == 0
    facts = film_facts(tmp_path / "preview.mp4")
    assert (facts.width, facts.height, facts.frames) == (256, 256, 15)
    small = np.stack(list(iterate_frames(tmp_path / "preview.mp4", size=(64, 64)))).astype(float)
    large = np.stack(list(iterate_frames(tmp_path / "film.mp4", size=(64, 64)))).astype(float)
    assert np.abs(small - large).mean() < 4


def test_frames_as_png(
    render: Command, song: Path, tmp_path: Path, workspace: Path, only_run: Command
) -> None:
    folder = tmp_path / "deep" / "frames"
    render(song, "--frames", folder, "--end", 1)
    pictures = [f"frame_{i:06d}.png" for i in range(30)]
    assert names(folder) == {*pictures, "frames.json"}
    stored = np.stack([np.asarray(Image.open(folder / name)) for name in pictures]).astype(int)
    difference = np.abs(decoded(only_run(workspace) / "film.mp4") - stored)
    assert difference.mean() < 6  # crf 17, and chroma at half the size


def test_png_frames_of_a_finished_film(
    render: Command, make_song: Command, tmp_path: Path, workspace: Path, only_run: Command
) -> None:
    song = make_song(1.0)
    folder = tmp_path / "frames"
    render(song, "--frames", folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    film = only_run(workspace) / "film.mp4"
    inode = film.stat().st_ino
    (folder / "frame_000007.png").unlink()
    render(song, "--frames", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert film.stat().st_ino == inode
    assert names(only_run(workspace)) == RUN


def test_png_frames_of_one_film_are_never_taken_for_anothers(
    render: Command, make_song: Command, tmp_path: Path
) -> None:
    song, folder = make_song(1.0), tmp_path / "frames"
    render(song, "--seed", 2)
    render(song, "--seed", 1, "--frames", folder)
    first = (folder / "frame_000010.png").read_bytes()
    render(song, "--seed", 2, "--frames", folder)  # finished, and the folder is full
    second = (folder / "frame_000010.png").read_bytes()
    assert first != second
    render(song, "--seed", 1, "--frames", folder, "--force")
    assert (folder / "frame_000010.png").read_bytes() == first


def test_seed_and_set_change_the_film(
    render: Command, make_song: Command, tmp_path: Path, workspace: Path
) -> None:
    song = make_song(1.0)
    films = []
    for number, options in enumerate(
        (
            [],
            ["--seed", 77],
            ["--set", "seed=77"],
            ["--set", "cppn.surface.exposure=0", "--set", "cppn.palette.hue=0.5"],
        )
    ):
        output = tmp_path / f"{number}.mp4"
        render(song, "-o", output, *options)
        films.append(output.read_bytes())
    assert films[1] == films[2]  # and one run for both
    assert len(set(films)) == 3
    assert len(names(workspace / "renders")) == 3


def test_a_users_preset(
    render: Command, make_song: Command, tmp_path: Path, workspace: Path, manifest_of: Command
) -> None:
    preset = tmp_path / "My Glow.yaml"
    preset.write_text("summary: mine\nseed: 4\ncppn: {net: {layers: 2}}\n")
    render(make_song(1.0), "--preset", preset, "--generator", "cppn")
    manifest = manifest_of(workspace)
    assert (manifest["preset"], manifest["seed"]) == ("my-glow", 4)
    assert manifest["preset_resolved"]["cppn"]["net"]["layers"] == 2


def test_frames_do_not_depend_on_workers_or_tiles(
    render: Command, make_song: Command, tmp_path: Path
) -> None:
    song = make_song(4.5)  # two Segments
    films = []
    for options in (
        ("--workers", 1, "--tile", 0),
        ("--workers", 2, "--tile", 0),
        ("--workers", 1, "--tile", 500),
    ):
        output = tmp_path / f"{len(films)}.mp4"
        render(song, *options, "--fps", 24, "-o", output, workspace=output.with_suffix(""))
        films.append(decoded(output))
    assert films[0].shape == (108, 64, 64, 3)
    np.testing.assert_array_equal(films[0], films[1])
    np.testing.assert_array_equal(films[0], films[2])


def test_a_song_of_a_few_samples(
    render: Command, make_song: Command, workspace: Path, only_run: Command
) -> None:
    render(make_song(0.01))
    facts = film_facts(only_run(workspace) / "film.mp4")
    assert (facts.frames, facts.sound_samples) == (1, 441)


def test_file_names_may_be_anything(
    render: Command, make_song: Command, tmp_path: Path, workspace: Path, manifest_of: Command
) -> None:
    for number, name in enumerate(
        (os.fsdecode(b"caf\xe9 \xff.wav"), "日本語 “x”\n.wav", "-dash.wav", "x" * 251 + ".wav")
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        song = folder / name
        song.write_bytes(make_song(1.0).read_bytes())
        output = folder / f"{name[:100]}.mp4"
        outcome = render(song, "--end", 0.2, "-o", output, workspace=folder)
        assert output.is_file()
        assert outcome.out.startswith("film: ")
        assert manifest_of(folder)["song"]["file"] == name


# Other commands ---------------------------------------------------------------------------------------------


def test_presets_are_listed(cli: Command) -> None:
    lines = cli("presets").out.splitlines()
    assert lines[0].startswith("silk")
    events = cli("presets", "--json").events
    assert [event["name"] for event in events] == [line.split()[0] for line in lines]
    assert all(event["summary"] and event["generator"] in DEFAULT_PRESETS for event in events)


def test_clean_shows_and_frees(cli: Command, render: Command, make_song: Command, workspace: Path) -> None:
    render(make_song(1.0))
    (film,) = (workspace / "renders").iterdir()
    unfinished = workspace / "renders" / "song-silk-0123456789"
    (unfinished / "work").mkdir(parents=True)
    (unfinished / ".lock").touch()
    somebodys = workspace / "renders" / "shot01"
    somebodys.mkdir()
    (unfinished / "work" / "segment.mp4").write_bytes(bytes(12_345))

    outcome = cli("clean", "--workspace", workspace)
    kinds = {line.split()[0]: line for line in outcome.out.splitlines()}
    assert set(kinds) == {"cache", "film", "unfinished", "nothing"}
    assert "12.3 kB" in kinds["unfinished"]
    assert str(film) in kinds["film"]
    assert film.is_dir()

    outcome = cli("clean", "--workspace", workspace, "--unfinished")
    assert names(workspace / "renders") == {film.name, "shot01"}
    assert outcome.out.splitlines()[-1] == "12.3 kB freed"

    cli("clean", "--workspace", workspace, "--cache")
    assert names(workspace) == {"renders"}
    assert (film / "film.mp4").is_file()

    cli("clean", "--workspace", workspace, "--renders")
    assert names(workspace / "renders") == {"shot01"}  # not ours
    assert cli("clean", "--workspace", workspace, "--renders").status == 0
    assert cli("clean", "--workspace", workspace / "nowhere").status == 0
    assert not (workspace / "nowhere").exists()


def test_clean_leaves_alone_what_is_in_use(cli: Command, workspace: Path) -> None:
    run = RunFolder(workspace / "renders" / "busy-silk-0123456789")
    with run.opened():
        (run.path / "data").write_bytes(bytes(10))
        outcome = cli("clean", "--workspace", workspace, "--renders", "--unfinished")
        assert outcome.status == 0
        assert outcome.out.startswith("in use ")
        assert (run.path / "data").is_file()
    assert cli("clean", "--workspace", workspace, "--renders").out.startswith("freed ")
    assert not run.path.exists()


def test_a_run_that_is_being_rendered_is_busy(render: Command, make_song: Command, workspace: Path) -> None:
    song = make_song(1.0)
    render(song)
    (run,) = (workspace / "renders").iterdir()
    with RunFolder(run).opened():
        outcome = render(song, "--force", status=1)
    assert outcome.message.startswith(f"another process is rendering {run}; wait for it")
    assert (run / "film.mp4").is_file()


def test_profile_shows_where_the_time_goes(cli: Command, song: Path, workspace: Path) -> None:
    arguments = ("profile", song, "--seconds", 1, "--start", "0.5", "-r", "64x64", "--kernels", "eager")
    outcome = cli(*arguments, "--workspace", workspace)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[0].startswith("30 frames, ")
    assert {line.split()[0] for line in lines[1:]} >= {"score", "segments", "draw", "encode", "stitch"}
    (report,) = cli(*arguments, "--workspace", workspace, "--json", "--seconds", 600).events
    assert (report["event"], report["frames"]) == ("profile", 60)  # to the end of the song
    assert report["frames_per_second"] > 0
    assert not list((workspace / "cache").iterdir())
    outcome = cli(*arguments, "--workspace", workspace, "--preset", "nosuch")
    assert outcome.status == 2
    assert not list((workspace / "cache").iterdir())


# Refusals ---------------------------------------------------------------------------------------------------

REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("--preset", "nosuch"), "there is no preset 'nosuch'; choose one of silk"),
    (("--preset", "nosuch.yaml"), "cannot read nosuch.yaml (No such file or directory); check the name"),
    (
        ("--generator", "nosuch"),
        "Invalid value for '--generator': 'nosuch' is not one of 'cppn', 'program', 'gan', 'diffusion'.",
    ),
    (("--nosuch",), "No such option: --nosuch"),
    (
        ("--aspect", "3:2"),
        "Invalid value for '--aspect': '3:2' is not one of '16:9', '9:16', '1:1', '4:5', '21:9'.",
    ),
    (("--seed", "-1"), "options: seed = -1: should be greater than or equal to 0"),
    (("--seed", "x"), "Invalid value for '--seed'"),
    (("--fps", "10"), "frame rate '10' is outside 24000/1001 to 120; pass for instance --fps 30"),
    (("--resolution", "hd"), "resolution 'hd' is not known; pass 360p, 720p, 1080p, 4k or WIDTHxHEIGHT"),
    (("--aspect", "1:1"), "--resolution 64x64 fixes both sides; drop --aspect 1:1"),
    (("--start", "9"), "start"),
    (("--end", "x"), "options: end: 'x' is no moment in a track; write seconds (83.5) or m:ss (1:23.5)"),
    (("--start", "2", "--end", "1"), "end 1 s must lie after start 2 s"),
    (("--set", "cppn.net.layers=99"), "cppn.net.layers = 99: should be less than or equal to 12"),
    (("--set", "nosuch=1"), "nosuch is no known field; remove it or correct its name"),
    (("--set", "seed"), "--set 'seed' is not of the form key=value, such as --set seed=7"),
    (
        ("--set", "control.envelopes.body.column=x"),
        "control.envelopes.body.column = 'x' is no Timeline column",
    ),
    (("--crf", "60"), "--crf 60 is beyond h264's worst; pass 0 to 51"),
    (("--workers", "0"), "options: workers = 0: should be greater than or equal to 1"),
    (
        ("--device", "mps"),
        "--device mps is not available with this PyTorch on this machine; pass --device auto",
    ),
    (("--encoder", "h264_videotoolbox"), "encoder h264_videotoolbox does not open on this machine"),
    (("-o", "film.avi"), "output film.avi does not end in .mp4, .mov, .webm, .gif or .webp; choose"),
]


@pytest.mark.parametrize(
    ("options", "says"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_bad_options_end_in_one_sentence(
    render: Command, make_song: Command, workspace: Path, options: tuple[str, ...], says: str
) -> None:
    outcome = render(make_song(1.0), *options, status=2)
    assert says in outcome.message
    assert not list(workspace.rglob("film.mp4"))


def test_songs_that_are_none(render: Command, cli: Command, tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "text.wav").write_text("Lorem ipsum " * 500)
    (tmp_path / "empty.wav").touch()
    for song in ("text.wav", "empty.wav", "nosuch.wav", "."):
        assert render(tmp_path / song, status=2).message
    assert not (workspace / "renders").exists()
    assert cli("render").message == "Missing argument 'song'."
    assert cli("nosuch").message == "No such command 'nosuch'."
    assert cli("render", "a", "b", "c").status == 2


def test_fused_kernels_that_can_not_be_had_are_not_replaced_silently(
    render: Command, make_song: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    outcome = render(make_song(1.0), "--kernels", "fused", status=1)
    assert outcome.message == "fused kernels can't be had: no C++ compiler was found; pass --kernels auto"


def test_debug_shows_where_it_failed(cli: Command, capfd: pytest.CaptureFixture[str]) -> None:
    from synesthete.cli import main

    assert main(["render", "nosuch.wav", "--debug"]) == 2
    shown = capfd.readouterr().err
    assert "Traceback" in shown
    assert shown.splitlines()[-1].startswith("synesthete: there is no file nosuch.wav")


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_is_no_fault(cli: Command, song: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synesthete.render.pipeline.render_song", interrupted)
    outcome = cli("render", song, *(["--json"] if as_json else []), "--debug")
    assert outcome.status == 130
    message = outcome.events[0]["message"] if as_json else outcome.message
    assert message == "interrupted; repeat the same command to go on where it stopped"


def test_an_error_that_nobody_reads_is_no_other_error(cli: Command) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone, contextlib.redirect_stdout(gone):
        assert cli("render", "nosuch.wav", "--json").status == 2


def test_a_fault_of_ours_says_so(cli: Command, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("synesthete.render.pipeline.render_song", broken)
    outcome = cli("render", song)
    assert outcome.status == 1
    assert outcome.message == (
        "ZeroDivisionError: division by zero; "
        "this is a fault of ours, please report it with the output of --debug"
    )


# In a process of its own ------------------------------------------------------------------------------------


def run_python(*arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)


def test_importing_loads_nothing_heavy() -> None:
    program = (
        "import sys, synesthete, synesthete.cli\n"
        "print(sorted({'torch', 'av', 'scipy', 'PIL', 'matplotlib', 'rich.progress'} & set(sys.modules)))"
    )
    run = run_python("-W", "error", "-c", program)
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_python_m_writes_nothing_where_it_is_called(tmp_path: Path) -> None:
    run = run_python("-m", "synesthete", "--help", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "Turn music into film" in run.stdout
    run = run_python("-m", "synesthete", "render", "nosuch.wav", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "synesthete: there is no file nosuch.wav in this folder; check the path\n"
    assert names(tmp_path) == set()


def test_a_reader_that_goes_away_is_no_error(spawn: Command, song: Path, workspace: Path) -> None:
    process = spawn("render", song, "-r", "64x64", "--kernels", "eager", "--workspace", workspace, "--json")
    assert json.loads(process.stdout.readline())["event"] == "plan"
    process.stdout.close()
    assert process.wait(60) == 1
    assert process.stderr.read() == ""
    process.stdout = open(os.devnull)  # noqa: PTH123, SIM115 - so that it can be closed again
    assert not list(workspace.rglob("*.part"))


# In Python --------------------------------------------------------------------------------------------------


def test_the_room_does_not_hide_the_function(song: Path, tmp_path: Path) -> None:
    import synesthete.render.pipeline

    options = {"resolution": "64x64", "kernels": "eager", "end": 0.2, "workspace": tmp_path}
    assert synesthete.render(song, **options).frames == synesthete.render(song, **options).frames == 6
    assert callable(synesthete.render.pipeline.render_song)


def test_render_in_python(song: Path, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    film = synesthete.render(
        str(song), str(tmp_path / "film.mp4"), resolution="64x64", fps=24, end=1, kernels="eager",
        set=["seed=5"], workspace=tmp_path / "ws", frames=tmp_path / "frames", on_event=events.append,
    )  # fmt: skip
    assert film.film == tmp_path / "film.mp4"
    assert film.run.parent == tmp_path / "ws" / "renders"
    assert (film.frames, film.resumed) == (24, 0)
    assert (events[0]["event"], events[-1]["event"], events[0]["seed"]) == ("plan", "done", 5)
    again = synesthete.render(
        song, resolution="64x64", fps="24", end="0:01", kernels="eager", seed=5, workspace=tmp_path / "ws"
    )
    assert (again.run, again.film, again.resumed) == (film.run, film.run / "film.mp4", 1)


def test_analyse_in_python(song: Path, tmp_path: Path) -> None:
    timeline = synesthete.analyse(str(song), workspace=tmp_path)
    assert (timeline.ticks, timeline.samples, timeline.sample_rate) == (250, 110_250, 44_100)
    silence = timeline.column("silence")
    assert silence[130:180].min() > 0.99
    assert silence[20:60].max() < 0.01
    part = synesthete.analyse(song, start="0:01", end=2, workspace=tmp_path)
    assert part.samples == 44_100
    assert len(names(tmp_path / "cache" / "timelines")) == 2


def test_errors_in_python_are_the_documented_ones(song: Path, tmp_path: Path) -> None:
    from synesthete.errors import ConfigError, MediaError

    with pytest.raises(ConfigError, match=r"^options: colour is no known field"):
        synesthete.render(song, colour="red", workspace=tmp_path)
    with pytest.raises(ConfigError, match="is no moment in a track"):
        synesthete.analyse(song, start="x", workspace=tmp_path)
    with pytest.raises(MediaError):
        synesthete.analyse(tmp_path / "nosuch.wav", workspace=tmp_path)
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        synesthete.nosuch  # noqa: B018
    assert names(tmp_path) == set()
