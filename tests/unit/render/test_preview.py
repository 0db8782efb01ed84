from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synesthete.generators.base import FakeGenerator, Size, Trajectory
from synesthete.generators.control import Signals
from synesthete.generators.quantise import Quantiser
from synesthete.render.preview import write_previews


def trajectory_of(frames: int) -> Trajectory:
    signals = Signals(Fraction(30), {"energy": np.linspace(0, 1, frames)})
    return FakeGenerator().score(signals, np.zeros((frames, 4)), seed=0)


def previews(folder: Path, frames: int, size: Size, rate: int = 30, loudest: int = 0) -> dict[str, Path]:
    written = write_previews(
        folder,
        trajectory_of(frames),
        FakeGenerator(),
        size,
        Fraction(rate),
        frames=frames,
        title="Song · look",
        loudest=loudest,
    )
    assert sorted(written) == sorted(folder.iterdir())
    return {path.name: path for path in written}


def gif_facts(path: Path) -> tuple[int, float, tuple[int, int]]:
    """Count the frames of a GIF, add up its seconds, and give its size."""
    with Image.open(path) as gif:
        durations = []
        for index in range(gif.n_frames):
            gif.seek(index)
            durations.append(gif.info["duration"])
        return gif.n_frames, sum(durations) / 1000, gif.size


def test_previews_of_a_film(tmp_path: Path) -> None:
    size = Size(320, 180)
    files = previews(tmp_path, 300, size, loudest=290)
    assert set(files) == {"sheet.png", "snippet.gif", *(f"keyframe_{i}.png" for i in (1, 2, 3, 4))}
    for number, frame in enumerate((37, 112, 187, 262), start=1):
        drawn = next(FakeGenerator().frames(trajectory_of(300), frame, frame + 1, size))
        with Image.open(files[f"keyframe_{number}.png"]) as keyframe:
            np.testing.assert_array_equal(np.asarray(keyframe), Quantiser(size).rgb8(drawn).numpy())
    count, seconds, gif_size = gif_facts(files["snippet.gif"])
    assert gif_size == (284, 160)
    assert count == pytest.approx(45, abs=1)
    assert seconds == pytest.approx(3, abs=0.15)
    with Image.open(files["sheet.png"]) as sheet:
        assert sheet.width > 4 * 320


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 11])
def test_the_shortest_films_have_previews(tmp_path: Path, frames: int) -> None:
    files = previews(tmp_path, frames, Size(64, 64), loudest=frames - 1)
    assert len([name for name in files if name.startswith("keyframe")]) == min(4, frames)


@pytest.mark.parametrize("rate", [24, 60, 120])
def test_snippets_move_in_real_time(tmp_path: Path, rate: int) -> None:
    count, seconds, _ = gif_facts(previews(tmp_path, 4 * rate, Size(64, 64), rate)["snippet.gif"])
    assert seconds == pytest.approx(3, abs=0.2)
    assert 30 <= count <= 50


def test_extreme_shapes(tmp_path: Path) -> None:
    for name, size in (("wide", Size(1024, 64)), ("tall", Size(64, 1024))):
        previews(tmp_path / name, 8, size)
