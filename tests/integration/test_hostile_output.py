"""Places that can't be written to end in one clear sentence, and nothing is left lying about."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture
def short(make_song: Command) -> Path:
    return make_song(1.0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a file and a folder in it, to aim at."""
    folder = tmp_path / "place"
    (folder / "folder").mkdir(parents=True)
    (folder / "folder.mp4").mkdir()
    (folder / "file").write_bytes(b"precious")
    (folder / "file.mp4").write_bytes(b"precious")
    return folder


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


OUTPUTS = {
    "file/film.mp4": "cannot write {place}/file (",
    "file/deeper/film.mp4": "cannot write {place}/file/deeper (Not a directory); choose another place",
    "folder": "output {place}/folder does not end in .mp4, .mov, .webm, .gif or .webp; choose",
    "folder.mp4": "folder.mp4 is a folder; name a file in it, such as {place}/folder.mp4/film.mp4",
    "film": "output {place}/film does not end in .mp4",
    "film.mkv": "output {place}/film.mkv does not end in .mp4",
    "x" * 260 + ".mp4": "File name too long",
    "x" * 260 + "/film.mp4": "File name too long",
}


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda name: name[:30])
def test_outputs_that_can_not_be(render: Command, short: Path, place: Path, output: str) -> None:
    before = tree(place)
    outcome = render(short, "-o", place / output, status=2)
    assert OUTPUTS[output].format(place=place) in outcome.message
    assert tree(place) == before


def test_the_song_is_never_overwritten(render: Command, short: Path, place: Path, workspace: Path) -> None:
    song = place / "song.mp4"
    shutil.copyfile(short, song)
    (place / "link.mp4").symlink_to(song)
    os.link(song, place / "hard.mp4")
    before = tree(place)
    for name in ("song.mp4", "link.mp4", "hard.mp4", "folder/../song.mp4"):
        outcome = render(song, "-o", place / name, status=2)
        assert outcome.message.endswith("is the song itself; choose another name")
    assert tree(place) == before
    assert not workspace.exists()


def test_an_earlier_film_is_replaced_only_by_a_whole_one(render: Command, short: Path, place: Path) -> None:
    before = tree(place)
    render(short, "-o", place / "file.mp4", "--set", "nosuch=1", status=2)
    assert tree(place) == before
    render(short, "-o", place / "file.mp4")
    after = tree(place)
    assert after.pop("file.mp4") != before.pop("file.mp4")
    assert after == before


@pytest.mark.parametrize("workspace_name", ["file", "file/below", "x" * 260, "song"])
def test_workspaces_that_can_not_be(
    render: Command, short: Path, place: Path, workspace_name: str, tmp_path: Path
) -> None:
    before = tree(place)
    workspace = short if workspace_name == "song" else place / workspace_name
    outcome = render(short, "-o", tmp_path / "film.mp4", workspace=workspace, status=2)
    assert outcome.message.startswith(f"cannot write {workspace}/")
    assert outcome.message.endswith("; choose another place")
    assert tree(place) == before
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize("blocked", ["renders", "cache", "cache/timelines"])
def test_a_file_where_the_workspace_needs_a_folder(
    render: Command, short: Path, workspace: Path, blocked: str
) -> None:
    (workspace / blocked).parent.mkdir(parents=True)
    (workspace / blocked).write_bytes(b"precious")
    outcome = render(short, status=2)
    assert outcome.message.startswith(f"cannot write {workspace}/{blocked}")
    assert (workspace / blocked).read_bytes() == b"precious"
    assert not list(workspace.rglob("*.part"))


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_frames_that_have_no_folder(
    render: Command, short: Path, place: Path, workspace: Path, folder: str
) -> None:
    before = tree(place)
    outcome = render(short, "--frames", place / folder, status=2)
    assert outcome.message.startswith(f"cannot write {place / folder} (")
    assert tree(place) == before
    assert not (workspace / "renders").exists()


def test_a_folder_where_a_frame_should_be(render: Command, short: Path, place: Path, workspace: Path) -> None:
    (place / "frame_000003.png" / "inside").mkdir(parents=True)
    outcome = render(short, "--frames", place, status=2)
    assert str(place) in outcome.message
    assert (place / "frame_000003.png" / "inside").is_dir()
    assert not list(place.rglob("*.part"))
    assert not list(workspace.rglob("film.mp4"))


# A full disk ------------------------------------------------------------------------------------------------

ARGUMENTS = ("--resolution", "64x64", "--kernels", "eager", "--speed", "ultrafast", "--crf", "5")
FILLED = """
import contextlib, io, json, subprocess, sys
from pathlib import Path
from synesthete.cli import main

def mount(folder, options):
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)

def run(*arguments):
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        status = main([*sys.argv[2:], *map(str, arguments)])
    files = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    return {"status": status, "err": err.getvalue(), "files": files}

root = Path(sys.argv[1])
report = {}
for kilobytes in (40, 150, 300):
    disk = root / str(kilobytes)
    mount(disk, f"size={kilobytes}k")
    full = run("--workspace", disk)
    mount(disk, "remount,size=16m")
    report[kilobytes] = full, run("--workspace", disk)
mount(root / "out", "size=20k")
report["out"] = run("--workspace", root / "300", "-o", root / "out" / "film.mp4")
print(json.dumps(report))
"""
LIMITED = """
import resource, sys
from synesthete.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.exit(main(sys.argv[2:]))
"""
GO_ON = "; free some and repeat the command, which goes on where it stopped\n"


def test_a_full_disk_is_said_and_what_is_finished_is_kept(make_song: Command, tmp_path: Path) -> None:
    """40 kB do not hold the Timeline, 150 no Segment, 300 no film with its previews."""
    unshare = shutil.which("unshare")  # mounts are the process's own, and go with it
    if unshare is None or subprocess.run([unshare, "-rm", "true"], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here; the next test stands in")
    command = [unshare, "-rm", sys.executable, "-c", FILLED, tmp_path, "render", make_song(1.0), *ARGUMENTS]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    for kilobytes in ("40", "150", "300"):
        full, again = report[kilobytes]
        assert full["status"] == 1
        assert full["err"].startswith(f"synesthete: no space left while writing {tmp_path / kilobytes}/")
        assert full["err"].endswith(GO_ON)
        left = [Path(name).name for name in full["files"] if name.startswith(kilobytes)]
        assert not [name for name in left if name == "meta.json" or name.endswith(".part")]
        assert (again["status"], again["err"]) == (0, "")
        assert [name for name in again["files"] if name.startswith(kilobytes) and name.endswith("meta.json")]
    assert report["out"]["status"] == 1
    assert report["out"]["err"].startswith(
        f"synesthete: no space left while writing {tmp_path}/out/film.mp4 ("
    )
    assert not [name for name in report["out"]["files"] if name.startswith("out")]


def test_files_that_may_not_grow(make_song: Command, tmp_path: Path, workspace: Path) -> None:
    arguments = ["render", make_song(1.0), *ARGUMENTS, "--workspace", workspace, "-o", tmp_path / "film.mp4"]
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, "30000", *map(str, arguments)], capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"synesthete: no space left while writing {workspace}/")
    assert run.stderr.endswith(GO_ON)
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.rglob("film.mp4"))
