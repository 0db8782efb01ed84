from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.errors import OutputError, RenderError
from synesthete.generators.base import FakeGenerator, Generator, Size, Trajectory, pixel_grid
from synesthete.generators.control import Signals


@pytest.fixture
def trajectory() -> Trajectory:
    rows = np.random.default_rng(0).standard_normal((5000, 3)).astype(np.float32)
    return Trajectory(rows, ("zoom", "angle", "glow"), {"seed": 7, "shape": [1, 2.5, "x"]})


def test_sizes() -> None:
    size = Size(1920, 1080)
    assert (size.short, str(size), size.pixel) == (1080, "1920x1080", 2 / 1080)
    assert Size(1080, 1920).short == 1080


def test_a_trajectory_is_the_same_after_disk(tmp_path: Path, trajectory: Trajectory) -> None:
    trajectory.save(tmp_path / "a" / "b")
    loaded = Trajectory.load(tmp_path / "a" / "b")
    np.testing.assert_array_equal(loaded.rows, trajectory.rows)
    assert isinstance(loaded.rows, np.memmap)  # a long film's rows stay on disk
    assert (loaded.columns, loaded.fixed) == (trajectory.columns, trajectory.fixed)
    assert loaded.digest() == trajectory.digest()
    assert loaded.row(4999) == trajectory.row(4999) != trajectory.row(4998)
    assert loaded.frames == 5000


def test_the_digest_sees_every_change(trajectory: Trajectory) -> None:
    rows = trajectory.rows.copy()
    rows[4999, 2] = np.nextafter(rows[4999, 2], np.float32(9))
    others = [
        Trajectory(rows, trajectory.columns, trajectory.fixed),
        Trajectory(trajectory.rows[:-1], trajectory.columns, trajectory.fixed),
        Trajectory(trajectory.rows, ("zoom", "angle", "glo"), trajectory.fixed),
        Trajectory(trajectory.rows, trajectory.columns, {"seed": 8}),
    ]
    assert len({t.digest() for t in (trajectory, *others)}) == 5


def test_rows_must_fit_their_columns(trajectory: Trajectory) -> None:
    with pytest.raises(ValueError, match=r"shape \(5000, 3\) do not fit 2 columns"):
        Trajectory(trajectory.rows, ("a", "b"), {})


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no index": lambda folder: (folder / "trajectory.json").unlink(),
    "no rows": lambda folder: (folder / "rows.npy").unlink(),
    "empty rows": lambda folder: (folder / "rows.npy").write_bytes(b""),
    "truncated rows": lambda folder: (folder / "rows.npy").write_bytes(
        (folder / "rows.npy").read_bytes()[:-4000]
    ),
    "truncated header": lambda folder: (folder / "rows.npy").write_bytes(
        (folder / "rows.npy").read_bytes()[:20]
    ),
    "a pickle": lambda folder: np.save(folder / "rows.npy", np.array([{}], dtype=object)),
    "other rows": lambda folder: np.save(folder / "rows.npy", np.zeros((4, 2), np.float32)),
    "no JSON": lambda folder: (folder / "trajectory.json").write_text("{"),
    "a list": lambda folder: (folder / "trajectory.json").write_text("[]"),
    "null": lambda folder: (folder / "trajectory.json").write_text("null"),
    "no columns": lambda folder: (folder / "trajectory.json").write_text('{"fixed": {}}'),
    "not UTF-8": lambda folder: (folder / "trajectory.json").write_bytes(b"\xff\xfe"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_trajectory_is_refused(tmp_path: Path, trajectory: Trajectory, damage: str) -> None:
    trajectory.save(tmp_path)
    DAMAGE[damage](tmp_path)
    with pytest.raises(RenderError, match=r"the trajectory in .* can't be read .*render with --force"):
        Trajectory.load(tmp_path)


def test_a_trajectory_in_no_folder(tmp_path: Path, trajectory: Trajectory) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        trajectory.save(tmp_path / "file")


@pytest.mark.parametrize("size", [Size(160, 90), Size(90, 160), Size(64, 64)])
def test_the_short_side_spans_minus_one_to_one(size: Size) -> None:
    x, y = pixel_grid(size)
    short, long = (y, x) if size.width >= size.height else (x, y)
    half = size.pixel / 2
    assert short.flatten()[0].item() == pytest.approx(-1 + half)
    assert short.flatten()[-1].item() == pytest.approx(1 - half)
    assert long.flatten()[-1].item() == pytest.approx(max(size.width, size.height) / size.short - half)
    torch.testing.assert_close(x, -x.flip(1))
    assert (x.shape, y.shape) == ((1, size.width), (size.height, 1))


def test_a_border_lies_around_the_same_pixels() -> None:
    size = Size(64, 36)
    x, y = pixel_grid(size)
    wide, high = pixel_grid(size, border=2)
    torch.testing.assert_close(wide[:, 2:-2], x, rtol=0, atol=0)
    torch.testing.assert_close(high[2:-2], y, rtol=0, atol=0)


# The generator for tests ------------------------------------------------------------------------------------


@pytest.fixture
def scored() -> tuple[FakeGenerator, Trajectory]:
    generator = FakeGenerator("energy")
    signals = Signals(Fraction(30), {"energy": np.linspace(0, 1, 11)})
    return generator, generator.score(signals, np.zeros((11, 4)), seed=3)


def test_the_fake_is_a_generator(scored: tuple[FakeGenerator, Trajectory]) -> None:
    generator, trajectory = scored
    assert isinstance(generator, Generator)
    assert generator.prepare(trajectory, Size(64, 64)) == "eager-float32-cpu"
    assert trajectory.fixed["seed"] == 3


def test_the_fake_draws_a_disc_as_large_as_the_signal(scored: tuple[FakeGenerator, Trajectory]) -> None:
    generator, trajectory = scored
    size = Size(160, 90)
    for frame, picture in enumerate(generator.frames(trajectory, 0, 11, size)):
        level = frame / 10
        assert picture.shape == (3, 90, 160)
        area = float(picture[2].sum()) / 0.5 * size.pixel**2
        assert area == pytest.approx(np.pi * (0.2 + 0.6 * level) ** 2, rel=0.02)
        assert float(picture[1].max()) == pytest.approx(level, abs=1e-6)


def test_any_range_gives_the_same_frames(scored: tuple[FakeGenerator, Trajectory]) -> None:
    generator, trajectory = scored
    size = Size(64, 64)
    whole = list(generator.frames(trajectory, 0, 11, size))
    part = list(generator.frames(trajectory, 4, 7, size))
    for one, other in zip(part, whole[4:7], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
