"""A render that was killed goes on where it stopped, and the film is the same to the byte."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import synesthete

FRAMES, SEGMENTS = 240, 3  # 10 s at 24 frames a second
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def song(make_song: Command) -> Path:
    return make_song(10.0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, song: Path, options: dict[str, Any]) -> bytes:
    """The film, rendered in one go in a workspace of its own."""
    return synesthete.render(song, workspace=tmp_path_factory.mktemp("calm"), **options).film.read_bytes()


@pytest.fixture(scope="module")
def options() -> dict[str, Any]:
    return {"resolution": "64x64", "kernels": "eager", "fps": 24, "workers": 1}


@pytest.fixture
def start(spawn: Command, song: Path, workspace: Path, options: dict[str, Any]) -> Command:
    flags = [text for name, value in options.items() for text in (f"--{name}", value)]
    return lambda *more: spawn("render", song, *flags, "--workspace", workspace, *more)


@pytest.fixture
def resume(song: Path, workspace: Path, options: dict[str, Any]) -> Command:
    """Render in this process; give the film, the segments' facts and how many frames were rendered now."""

    def render() -> tuple[bytes, list[dict[str, Any]], int]:
        events: list[dict[str, Any]] = []
        film = synesthete.render(song, workspace=workspace, on_event=events.append, **options)
        manifest = json.loads((film.run / "meta.json").read_text())
        assert film.resumed == sum(segment["resumed"] for segment in manifest["segments"])
        rendered = max((event["rendered"] for event in events if event["event"] == "progress"), default=0)
        left = {path.name for path in film.run.iterdir()}
        assert left == {"film.mp4", "meta.json", "certificate.json", "certificate.html", "previews", ".lock"}
        assert not list(workspace.rglob("*.part"))
        return film.film.read_bytes(), manifest["segments"], rendered

    return render


def wait_for(process: "subprocess.Popen[str]", condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"it ended first: {process.communicate()}"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def stored(workspace: Path) -> dict[int, dict[str, Any]]:
    """What the sidecars of finished Segments say."""
    found = {}
    for sidecar in workspace.rglob("segment-*.json"):
        found[int(sidecar.name.split("-")[1])] = json.loads(sidecar.read_text())
    return found


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the run has begun": lambda w: bool(list(w.glob("renders/*/work"))),
    "a segment is half-written": lambda w: bool(list(w.rglob(".segment-*.part"))),
    "one segment is finished": lambda w: len(stored(w)) == 1,
    "the film is there and its manifest is not": lambda w: bool(list(w.glob("renders/*/film.mp4"))),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_render_goes_on(
    start: Command, resume: Command, workspace: Path, undisturbed: bytes, moment: str
) -> None:
    process = start()
    wait_for(process, lambda: MOMENTS[moment](workspace))
    process.kill()
    process.wait()
    assert not list(workspace.glob("renders/*/meta.json"))
    before = stored(workspace)
    film, segments, rendered = resume()
    assert film == undisturbed
    assert [s["index"] for s in segments if s["resumed"]] == sorted(before)
    for index, facts in before.items():  # seconds and digest are those of the first render
        assert {name: segments[index][name] for name in facts} == facts
    assert rendered == sum(s["frames"] for s in segments if not s["resumed"])


def test_ctrl_c_says_how_to_go_on(
    ctrl_c: None, start: Command, resume: Command, workspace: Path, undisturbed: bytes
) -> None:
    process = start()
    wait_for(process, lambda: len(stored(workspace)) == 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "synesthete: interrupted; repeat the same command to go on where it stopped\n"
    assert not list(workspace.rglob("*.part"))
    before = stored(workspace)
    assert 1 <= len(before) < SEGMENTS
    film, segments, _ = resume()
    assert film == undisturbed
    assert sum(s["resumed"] for s in segments) == len(before)


def test_a_damaged_segment_is_rendered_again(
    start: Command, resume: Command, workspace: Path, undisturbed: bytes
) -> None:
    process = start("--json")
    wait_for(process, lambda: len(stored(workspace)) == 2)
    process.kill()
    process.wait()
    (victim,) = workspace.rglob("segment-00000-*.mp4")
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    film, segments, rendered = resume()
    assert film == undisturbed
    assert [s["resumed"] for s in segments] == [False, True, False]
    assert rendered == FRAMES - segments[1]["frames"]


def test_another_process_is_told_to_wait_and_then_finds_the_film(
    start: Command, workspace: Path, undisturbed: bytes
) -> None:
    first = start()
    wait_for(first, lambda: bool(stored(workspace)))
    first.send_signal(signal.SIGSTOP)  # in the midst of its film, however busy the machine is
    second = start()
    out, err = second.communicate(timeout=60)
    first.send_signal(signal.SIGCONT)
    assert (second.returncode, out) == (1, "")
    assert err.startswith("synesthete: another process is rendering ")
    assert first.wait(60) == 0
    (film,) = workspace.glob("renders/*/film.mp4")
    assert film.read_bytes() == undisturbed
