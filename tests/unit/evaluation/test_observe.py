"""What is kept of a film: the same for any cut into stretches, any size, any container, in bounded memory."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.errors import RenderError
from synesthete.evaluation.look import LOOK_COLUMNS, measure_look
from synesthete.evaluation.observe import (
    MOTION_SHORT,
    Observation,
    Observer,
    Stretch,
    grid_shape,
    join_stretches,
    observe,
    stretches_of,
)
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser

SIZE = Size(128, 72)
RATE = Fraction(24)
ARRAYS = ("grid", "motion", "look_frames", "looks")


def planes_of(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    picture = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))
    return Quantiser(Size(width, height)).yuv420(picture).numpy()


def flat(red: float, green: float, blue: float, size: Size = SIZE) -> np.ndarray:
    return planes_of(np.full((size.height, size.width, 3), (red, green, blue), np.float32))


def waves(frames: int, size: Size = SIZE) -> Iterator[np.ndarray]:
    """Draw coloured waves that travel, in normalised coordinates."""
    y = (np.arange(size.height) + 0.5) / size.height
    x = (np.arange(size.width) + 0.5) / size.width
    for frame in range(frames):
        phase = 0.15 * frame
        red = 0.5 + 0.4 * np.sin(7 * x + phase)[None, :] * np.cos(3 * y)[:, None]
        green = 0.5 + 0.3 * np.cos(4 * y + phase)[:, None] * np.ones(size.width)
        yield planes_of(np.stack([red, green, 0.3 + 0.3 * red], axis=2))


def assert_same(one: Observation, two: Observation) -> None:
    for name in ARRAYS:
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


# The grid --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size",
    [Size(1920, 1080), Size(3840, 2160), Size(1080, 1920), Size(640, 640), Size(854, 480), Size(2560, 1080)],
)
def test_cells_are_squares_and_some_2300(size: Size) -> None:
    rows, columns = grid_shape(size)
    assert rows * columns == pytest.approx(2304, rel=0.03)
    assert (size.width / columns) / (size.height / rows) == pytest.approx(1, rel=0.04)


def test_the_grid_holds_the_display_colours() -> None:
    colours = [(0.9, 0.1, 0.2), (0.1, 0.8, 0.3), (0.2, 0.3, 0.9), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)]
    seen = observe((flat(*colour) for colour in colours), size=SIZE, frame_rate=RATE)
    for grid, colour in zip(seen.grid, colours, strict=True):
        assert np.abs(grid / 255 - colour).max() < 0.012


def test_cells_average_their_part_of_the_picture() -> None:
    size = Size(640, 360)
    random = np.random.default_rng(0)
    rgb = random.uniform(0.2, 0.8, (36, 64, 3)).repeat(10, axis=0).repeat(10, axis=1)
    fine = np.clip(rgb + random.uniform(-0.1, 0.1, (360, 640, 1)), 0, 1)
    seen = observe([planes_of(fine)], size=size, frame_rate=RATE)
    means = fine.reshape(36, 10, 64, 10, 3).mean(axis=(1, 3))
    assert seen.grid.shape == (1, 36, 64, 3)
    assert np.abs(seen.grid[0] / 255 - means).mean() < 0.01
    assert np.abs(seen.grid[0] / 255 - means).max() < 0.04


@pytest.mark.parametrize("size", [Size(16, 16), Size(64, 48), Size(48, 64), Size(2, 2), Size(250, 30)])
def test_small_and_long_pictures_can_be_watched(size: Size) -> None:
    seen = observe(waves(3, size), size=size, frame_rate=RATE)
    assert seen.grid.shape == (3, *grid_shape(size), 3)
    assert np.isfinite(seen.looks).all()


def test_blocks_give_the_grid_in_parts() -> None:
    seen = observe(waves(10), size=SIZE, frame_rate=RATE)
    blocks = list(seen.blocks(frames=4))
    assert [start for start, _ in blocks] == [0, 4, 8]
    joined = np.concatenate([block for _, block in blocks])
    assert joined.dtype == np.float32
    assert joined == pytest.approx(seen.grid / 255, abs=1e-6)


# Motion ----------------------------------------------------------------------------------------------------


def test_motion_is_the_mean_change_of_luma() -> None:
    levels = [0.2, 0.2, 0.5, 0.1]
    seen = observe((flat(v, v, v) for v in levels), size=SIZE, frame_rate=RATE)
    assert seen.motion == pytest.approx([0, 0, 0.3, 0.4], abs=0.004)
    assert seen.motion[1] == 0.0


def test_motion_counts_what_moves_and_not_only_what_brightens() -> None:
    left, right = (np.zeros((72, 128, 3), np.float32) for _ in range(2))
    left[:, :64], right[:, 64:] = 1, 1
    seen = observe([planes_of(left), planes_of(right)], size=SIZE, frame_rate=RATE)
    assert seen.motion[1] == pytest.approx(1.0, abs=0.01)


def test_a_preview_moves_as_the_film_does() -> None:
    small, large = (
        observe(waves(6, size), size=size, frame_rate=RATE) for size in (Size(256, 144), Size(1280, 720))
    )
    assert small.motion == pytest.approx(large.motion, rel=0.03)
    assert np.abs(small.grid.astype(int) - large.grid).mean() < 1.5


def test_dither_does_not_move_a_large_still_picture() -> None:
    size = Size(4 * MOTION_SHORT * 16 // 9 // 2 * 2, 4 * MOTION_SHORT)
    still = next(waves(1, size)).astype(np.int16)
    noise = np.random.default_rng(0)
    pictures = [
        np.clip(still + noise.integers(-1, 2, still.shape), 16, 235).astype(np.uint8) for _ in range(2)
    ]
    assert observe(pictures, size=size, frame_rate=RATE).motion[1] < 0.002


# Looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(30), Fraction(60)])
def test_one_frame_a_second_is_looked_at_closely(rate: Fraction) -> None:
    planes = next(waves(1))
    seen = observe((planes for _ in range(150)), size=SIZE, frame_rate=rate)
    assert seen.look_frames.tolist() == list(range(0, 150, round(rate)))
    assert np.array_equal(seen.looks[0], measure_look(planes, SIZE))
    assert seen.look("contrast").tolist() == [seen.looks[0][LOOK_COLUMNS.index("contrast")]] * len(seen.looks)


def test_length_and_duration() -> None:
    seen = observe(waves(48), size=SIZE, frame_rate=RATE)
    assert (seen.frames, seen.duration_s) == (48, 2.0)


# Stretches -------------------------------------------------------------------------------------------------


def cut_up(frames: list[np.ndarray], borders: list[int]) -> Iterator[Stretch]:
    edges = [0, *borders, len(frames)]
    for start, stop in pairwise(edges):
        observer = Observer(SIZE, RATE, start)
        for planes in frames[start:stop]:
            observer.see(planes)
        yield observer.stretch()


@pytest.mark.parametrize("borders", [[], [1], [24], [10, 11, 49], list(range(1, 60))])
def test_stretches_join_to_what_is_seen_at_once(borders: list[int], tmp_path: Path) -> None:
    frames = list(waves(60))
    whole = observe(iter(frames), size=SIZE, frame_rate=RATE)
    joined = join_stretches(cut_up(frames, borders), size=SIZE, frame_rate=RATE)
    assert_same(joined, whole)
    assert joined.motion[0] == 0.0
    assert not np.isnan(joined.motion).any()
    on_disk = join_stretches(cut_up(frames, borders), size=SIZE, frame_rate=RATE, scratch=tmp_path / "grid")
    assert isinstance(on_disk.grid, np.memmap)
    assert_same(on_disk, whole)


def test_what_was_seen_until_a_frame_is_what_is_seen_of_the_frames_before_it() -> None:
    frames = list(waves(60))
    whole = observe(frames, size=SIZE, frame_rate=RATE)
    assert_same(whole.until(49), observe(frames[:49], size=SIZE, frame_rate=RATE))
    assert whole.until(48).look_frames.tolist() == [0, 24]


def test_stretches_are_made_as_frames_go_by_and_hold_few_of_them() -> None:
    taken = 0

    def frames() -> Iterator[np.ndarray]:
        nonlocal taken
        planes = flat(0.4, 0.4, 0.4)
        for _ in range(400):
            taken += 1
            yield planes

    stretches = stretches_of(frames(), size=SIZE, frame_rate=RATE, start=7)
    first = next(stretches)
    assert first.start == 7
    assert taken <= 150
    rest = list(stretches)
    ends = [first.start + len(first.motion), *(s.start + len(s.motion) for s in rest)]
    assert [s.start for s in rest] == ends[:-1]
    assert ends[-1] == 407


def test_a_stretch_is_saved_and_loaded_whole(tmp_path: Path) -> None:
    (stretch,) = cut_up(list(waves(5)), [])
    stretch.save(tmp_path / "a.npz")
    loaded = Stretch.load(tmp_path / "a.npz")
    assert loaded.start == stretch.start
    for name in ("grid", "motion", "first", "last", "look_frames", "looks"):
        one, two = getattr(loaded, name), getattr(stretch, name)
        assert one.dtype == two.dtype
        assert np.array_equal(one, two, equal_nan=one.dtype.kind == "f"), name


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut off", "flipped"])
def test_a_damaged_stretch_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.npz"
    (stretch,) = cut_up(list(waves(5)), [])
    stretch.save(path)
    content = path.read_bytes()
    middle = len(content) // 2
    new = {
        "empty": b"",
        "text": b"nothing here",
        "cut off": content[:middle],
        "flipped": content[: middle - 50] + bytes(100) + content[middle + 50 :],
    }
    path.write_bytes(new.get(damage, content))
    if damage == "missing":
        path.unlink()
    with pytest.raises(RenderError, match=r"a\.npz is missing or damaged"):
        Stretch.load(path)


def test_stretches_that_do_not_follow_one_another_are_refused() -> None:
    parts = list(cut_up(list(waves(12)), [4, 8]))
    for wrong in ([parts[0], parts[2]], parts[1:], [parts[0], parts[0]]):
        with pytest.raises(RenderError, match="does not fit at frame"):
            join_stretches(wrong, size=SIZE, frame_rate=RATE)
    with pytest.raises(RenderError, match="does not fit at frame 0"):
        join_stretches(parts, size=Size(72, 128), frame_rate=RATE)
    with pytest.raises(RenderError, match="no frame"):
        join_stretches([], size=SIZE, frame_rate=RATE)
