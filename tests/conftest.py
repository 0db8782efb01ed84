"""What tests share: a short synthetic song, the command line in this process or another, golden pictures."""

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for processes that tests start

settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")

SONG_RATE = 44_100
SMALL = ("--resolution", "64x64", "--kernels", "eager")
"""The least that can be rendered, without compiling."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="accept the pictures that are drawn now")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Leave the other core to the other worker; what is computed does not depend on it."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def tiny_clip(tmp_path: Path) -> Path:
    """Save a tiny CLIP with random weights into a folder."""
    from made_judge import write_clip

    return write_clip(tmp_path / "clip")


# Sound -----------------------------------------------------------------------------------------------------


def music(seconds: float, *, silences: tuple[tuple[float, float], ...] = (), seed: int = 0) -> np.ndarray:
    """Make kicks on every half second, hats between them and a tone: stereo float32 at 44.1 kHz.

    The noise in it makes its cross-correlation with itself one sharp peak.
    """
    time_s = np.arange(round(seconds * SONG_RATE)) / SONG_RATE
    rng = np.random.default_rng(seed)
    left, right = (0.15 * np.sin(2 * np.pi * pitch * time_s) for pitch in (220.0, 277.2))
    for beat in np.arange(0, seconds, 0.5):
        since = time_s - beat
        kick = np.where(since >= 0, np.exp(-14 * np.clip(since, 0, None)), 0) * np.sin(2 * np.pi * 55 * since)
        hat = np.where(since >= 0.25, np.exp(-60 * np.clip(since - 0.25, 0, None)), 0)
        hat = hat * rng.standard_normal(time_s.size)
        left, right = left + 0.6 * kick + 0.12 * hat, right + 0.6 * kick + 0.08 * hat
    sound = np.stack([left, right])
    for start, stop in silences:
        sound[:, (time_s >= start) & (time_s < stop)] = 0.0
    return np.clip(sound, -1, 1).astype(np.float32)


def write_wav(path: Path, sound: np.ndarray, rate: int = SONG_RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sound))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(sound.T * 32_767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def make_song(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a song of so many seconds, with silences where asked for; the same call, the same file."""
    folder = tmp_path_factory.mktemp("songs")

    def make(seconds: float, *, silences: tuple[tuple[float, float], ...] = (), name: str = "song") -> Path:
        path = folder / f"{seconds}-{len(silences)}" / f"{name}.wav"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_wav(path, music(seconds, silences=silences))
        return path

    return make


@pytest.fixture(scope="session")
def song(make_song: Callable[..., Path]) -> Path:
    """A song of 2.5 s: music, silence from 0.75 to 2.25 s, music."""
    return make_song(2.5, silences=((0.75, 2.25),))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace."""
    return tmp_path / "workspace"


# The command line -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a command ended with and printed."""

    status: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every line of standard output as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def message(self) -> str:
        """The one sentence of a failure."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.startswith("synesthete: ")
        return line.removeprefix("synesthete: ")


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process; a traceback or a warning fails the test."""
    from synesthete.cli import main

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Outcome(status, out, err)

    return run


@pytest.fixture
def render(cli: Callable[..., Outcome], workspace: Path) -> Callable[..., Outcome]:
    """Render at the smallest size into the test's workspace."""

    def run(song: Path, *arguments: object, workspace: Path = workspace, status: int = 0) -> Outcome:
        outcome = cli("render", song, *SMALL, "--workspace", workspace, *arguments)
        assert outcome.status == status, outcome
        return outcome

    return run


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where a shell started the tests in the background and had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def spawn() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the command line in a process of its own; what still runs at the end is killed."""
    processes = []

    def start(*arguments: object, **options: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "synesthete", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(command, **{**pipes, **options}))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


# Runs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def only_run() -> Callable[[Path], Path]:
    """Give the one run folder of a workspace."""

    def find(workspace: Path) -> Path:
        (run,) = (workspace / "renders").iterdir()
        return run

    return find


@pytest.fixture(scope="session")
def manifest_of(only_run: Callable[[Path], Path]) -> Callable[[Path], dict[str, Any]]:
    """Read the manifest of the one run of a workspace."""

    def read(workspace: Path) -> dict[str, Any]:
        return dict(json.loads((only_run(workspace) / "meta.json").read_text()))

    return read


# Golden pictures --------------------------------------------------------------------------------------------


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, np.ndarray], None]:
    """Compare a picture with ``tests/golden/NAME.png``, one grey level of tolerance."""
    from PIL import Image

    def check(name: str, picture: np.ndarray) -> None:
        path = Path(__file__).parent / "golden" / f"{name}.png"
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(picture).save(path, optimize=True)
        with Image.open(path) as stored:
            expected = np.asarray(stored.convert("RGB")).astype(int)
        assert picture.shape == expected.shape
        assert np.abs(picture.astype(int) - expected).max() <= 1

    return check
