"""Flashes on both sides of every threshold, at every frame rate; and what moves without flashing."""

import json
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synesthete.evaluation.look import LOOK_COLUMNS
from synesthete.evaluation.observe import Observation, grid_shape, observe
from synesthete.evaluation.safety import FlashFinder, FlashReport, find_flashes
from synesthete.generators.base import Size
from synesthete.seeding import generator_for

RATES = [Fraction(24_000, 1001), *map(Fraction, (24, 25, 30, 50, 60, 120))]
SIZE = Size(320, 180)
CELL = 5
Y, X = np.mgrid[: SIZE.height, : SIZE.width] + 0.5
ROW, COLUMN = np.mgrid[:36, :64]

every_rate = pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.5g}fps")


def coded(linear: object) -> np.ndarray:
    """Encode linear light as sRGB."""
    light = np.maximum(np.asarray(linear, float), 0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def flashes_in(
    picture: Callable[[float], object], rate: Fraction | int, *, seconds: float = 1.3
) -> FlashReport:
    """Judge a film that shows the picture of each moment: codes 0-1, all alike, per cell or per pixel."""
    return find_flashes(film(picture, Fraction(rate), seconds=seconds))


def film(picture: Callable[[float], object], rate: Fraction, *, seconds: float) -> Observation:
    frames = [cells(np.asarray(picture(float(i / rate)), float)) for i in range(round(seconds * rate))]
    return observation(np.stack(frames), rate, SIZE)


def cells(picture: np.ndarray) -> np.ndarray:
    if picture.shape == (SIZE.height, SIZE.width):
        picture = picture.reshape(36, CELL, 64, CELL).mean((1, 3))
    if picture.shape == (36, 64):
        picture = picture[..., None]
    return np.broadcast_to(np.round(picture * 255).astype(np.uint8), (36, 64, 3))


def observation(grid: np.ndarray, rate: Fraction, size: Size) -> Observation:
    return Observation(
        size=size,
        frame_rate=rate,
        grid=grid,
        motion=np.zeros(len(grid), np.float32),
        look_frames=np.zeros(0, np.int64),
        looks=np.zeros((0, len(LOOK_COLUMNS)), np.float32),
    )


def square(time_s: float, hertz: float) -> float:
    """1 in the second half of each period, 0 before."""
    return float((time_s * hertz + 1e-9) % 1 >= 0.5)


def sine(time_s: float, hertz: float) -> float:
    return float(0.5 - 0.5 * np.cos(2 * np.pi * hertz * time_s))


def pulses(time_s: float, starts: tuple[float, ...], length_s: float = 0.1) -> float:
    return float(any(start <= time_s + 1e-9 < start + length_s for start in starts))


# Count ------------------------------------------------------------------------------------------------------


@every_rate
@pytest.mark.parametrize("wave", [square, sine])
def test_three_flashes_a_second_pass_for_ever(rate: Fraction, wave: Callable[[float, float], float]) -> None:
    report = flashes_in(lambda t: coded(wave(t, 3)), rate, seconds=12 if rate < 30 else 3)
    assert report.passed
    assert report.worst_per_second == 3
    assert report.flashes == pytest.approx(36 if rate < 30 else 9, abs=1)


@every_rate
@pytest.mark.parametrize("hertz", [4, 7, 10])
@pytest.mark.parametrize("wave", [square, sine])
def test_four_and_more_flashes_a_second_fail(
    rate: Fraction, hertz: int, wave: Callable[[float, float], float]
) -> None:
    report = flashes_in(lambda t: coded(wave(t, hertz)), rate)
    assert not report.passed
    assert report.worst_per_second == hertz
    assert report.flashes == pytest.approx(1.3 * hertz, abs=1.5)
    assert not report.red


@every_rate
@pytest.mark.parametrize("dark", [0.0, 1.0])
def test_the_fourth_flash_within_a_second_fails(rate: Fraction, dark: float) -> None:
    starts = (0.3, 0.52, 0.74, 0.96)
    for count in (1, 3, 4):
        report = flashes_in(lambda t, n=count: abs(dark - pulses(t, starts[:n])), rate)
        assert report.flashes == report.worst_per_second == count
        assert report.passed == (count < 4)


def test_four_flashes_over_more_than_a_second_pass() -> None:
    assert flashes_in(lambda t: pulses(t, (1.0, 1.34, 1.68, 2.02)), 60, seconds=3).passed
    assert not flashes_in(lambda t: pulses(t, (1.0, 1.31, 1.62, 1.93)), 60, seconds=3).passed


def test_a_cut_to_white_is_no_flash_until_it_is_taken_back() -> None:
    assert flashes_in(lambda t: float(t >= 1), 30, seconds=4).flashes == 0
    report = flashes_in(lambda t: pulses(t, (1.0,), length_s=2.0), 30, seconds=4)
    assert report.flashes == 1
    assert report.passed
    assert report.worst_s == pytest.approx(3.0)


@every_rate
def test_stretches_run_from_the_first_flash_to_the_end_of_the_last(rate: Fraction) -> None:
    bursts = tuple(start + 0.2 * i for start in (1.0, 4.0) for i in range(5))
    report = flashes_in(lambda t: pulses(t, bursts), rate, seconds=6)
    frame = float(1 / rate)
    assert len(report.general) == 2
    for start, (begins, ends) in zip((1.0, 4.0), report.general, strict=True):
        assert begins == pytest.approx(start, abs=1.01 * frame)
        assert ends == pytest.approx(start + 0.9, abs=1.01 * frame)
    assert report.worst_per_second == 5
    assert report.worst_s == pytest.approx(1.9, abs=1.01 * frame)
    assert report.timeline.tolist()[:6] == [0, 5, 0, 0, 5, 0]


def test_what_goes_into_the_certificate_is_plain_json() -> None:
    report = flashes_in(lambda t: pulses(t, (1.0, 1.2, 1.4, 1.6)), Fraction(24_000, 1001), seconds=3)
    assert json.loads(json.dumps(report.to_json(), allow_nan=False)) == {
        "pass": False,
        "flashes": 4,
        "red_flashes": 0,
        "worst_per_second": 4,
        "worst_s": 1.71,
        "general": [[1.001, 1.71]],
        "red": [],
    }


# Contrast, darkness, slowness -------------------------------------------------------------------------------


@every_rate
@pytest.mark.parametrize(
    ("darker", "lighter", "counts"),
    [
        (0, 0.09, False),
        (0, 0.11, True),
        (0.3, 0.39, False),
        (0.3, 0.41, True),
        (0.79, 0.88, False),
        (0.79, 0.91, True),
        (0.81, 0.93, False),
        (0.79, 1, True),
        (0.81, 1, False),
    ],
)
def test_luminance_must_change_by_a_tenth_from_below_eight(
    rate: Fraction, darker: float, lighter: float, counts: bool
) -> None:
    report = flashes_in(lambda t: coded(darker + (lighter - darker) * square(t, 5)), rate)
    assert report.passed == (not counts)
    assert report.flashes == 6 * counts


@every_rate
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_slow_fades_never_count(rate: Fraction, seconds: float) -> None:
    for curve in (
        lambda t: 1 - abs((t / seconds) % 2 - 1),
        lambda t: coded(1 - abs((t / seconds) % 2 - 1)),
        lambda t: sine(t, 0.5 / seconds),
        lambda t: coded(0.2 + 0.5 * sine(t, 0.5 / seconds)),
    ):
        assert flashes_in(curve, rate, seconds=2.2 * seconds).flashes == 0


@every_rate
def test_noise_and_drift_before_a_flash_do_not_make_it_slow(rate: Fraction) -> None:
    noise = generator_for(3, "test.safety.plateau").normal(0, 0.01, (400, 36, 64))
    starts = (3.0, 3.2, 3.4, 3.6)
    report = flashes_in(
        lambda t: 0.1 + 0.02 * t + 0.6 * pulses(t, starts) + noise[round(t * 100) % 400], rate, seconds=4
    )
    assert report.flashes == 4
    assert not report.passed


@every_rate
def test_edges_may_take_several_frames_and_parts_may_differ_in_strength(rate: Fraction) -> None:
    strength = generator_for(4, "test.safety.strength").uniform(0.12, 1, (36, 64))
    glow = np.exp(-((COLUMN - 32) ** 2 / 1000 + (ROW - 18) ** 2 / 320))
    for picture in (strength, glow, 0.3 + 0.7 * strength):
        assert not flashes_in(lambda t, picture=picture: coded(picture * sine(t, 4)), rate).passed
    assert not flashes_in(lambda t: 0.4 * strength + 0.5 * np.exp(-3 * ((4 * t) % 1)), rate).passed


# Area -------------------------------------------------------------------------------------------------------


def rectangle(share: float, width: int, left: int, top: int) -> np.ndarray:
    height = round(share * X.size / width)
    inside = (abs(X - left - width / 2) < width / 2) & (abs(Y - top - height / 2) < height / 2)
    return inside.astype(float)


def pieces(share: float, side: int, seed: int) -> np.ndarray:
    """Scatter squares, wherever they lie on the grid, that don't touch."""
    random = generator_for(seed, "test.safety.pieces")
    mask = np.zeros(X.shape)
    while (missing := round(share * X.size - mask.sum())) > 0:
        top, left = random.integers(0, SIZE.height - side), random.integers(0, SIZE.width - side)
        if not mask[max(0, top - 6) : top + side + 6, max(0, left - 6) : left + side + 6].any():
            mask[top : top + min(side, -(-missing // side)), left : left + side] = 1
    return mask


SHAPES = {
    "corner": lambda share: rectangle(share, 160, 0, 0),
    "off the grid": lambda share: rectangle(share, 133, 83, 37),
    "low": lambda share: rectangle(share, 167, 124, 89),
    "column": lambda share: rectangle(share, round(320 * share), 201, 0),
    "band": lambda share: rectangle(share, 320, 0, 66),
    "disc": lambda share: (np.hypot(X - 158, Y - 88) < np.sqrt(share * X.size / np.pi)).astype(float),
    "large pieces": lambda share: pieces(share, 41, 1),
    "pieces": lambda share: pieces(share, 24, 2),
    "small pieces": lambda share: pieces(share, 16, 3),
}


@pytest.mark.parametrize(("dark", "light"), [(0.0, 1.0), (0.0, 0.115), (0.5, 0.63), (1.0, 0.5)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_quarter_of_the_picture_must_flash(shape: str, dark: float, light: float) -> None:
    low, high = coded(dark), coded(light)
    for share, passed in ((0.24, True), (0.26, False)):
        mask = SHAPES[shape](share)
        assert mask.mean() == pytest.approx(share, abs=0.004)
        report = flashes_in(lambda t, mask=mask: low + mask * (high - low) * square(t, 5), 25)
        assert report.passed == passed


@every_rate
def test_a_quarter_of_the_picture_must_flash_at_every_frame_rate(rate: Fraction) -> None:
    for share, passed in ((0.24, True), (0.26, False)):
        mask = SHAPES["off the grid"](share)
        assert flashes_in(lambda t, mask=mask: mask * square(t, 5), rate).passed == passed


def test_a_film_as_it_is_watched_gives_the_same_area() -> None:
    for share, passed in ((0.24, True), (0.26, False)):
        luma = (16 + 219 * SHAPES["off the grid"](share)).astype(np.uint8)
        chroma = np.full((SIZE.height // 2, SIZE.width), 128, np.uint8)
        dark, light = np.concatenate([np.full_like(luma, 16), chroma]), np.concatenate([luma, chroma])
        frames = [light if i % 6 < 3 else dark for i in range(60)]
        assert find_flashes(observe(frames, size=SIZE, frame_rate=Fraction(30))).passed == passed


@every_rate
def test_cells_flash_together_within_some_tens_of_milliseconds(rate: Fraction) -> None:
    place = (COLUMN + 0.5) / 64
    quick = flashes_in(lambda t: ((t * 4 % 1) / 0.16 > place) * ((t * 4 % 1 - 0.5) / 0.16 < place), rate)
    assert not quick.passed
    slow = flashes_in(lambda t: (t * 4 % 1) / 0.9 < place, rate)  # on at once, off over 225 ms
    assert slow.flashes == 0


@every_rate
def test_parts_that_flash_at_different_times_do_not_add_up(rate: Fraction) -> None:
    left, right = COLUMN < 10, COLUMN >= 54
    assert flashes_in(lambda t: left * square(t, 5) + right * (1 - square(t, 5)), rate).flashes == 0
    assert not flashes_in(lambda t: (left | right) * square(t, 5), rate).passed


@every_rate
@pytest.mark.parametrize("parts", [(2, 1), (1, 2), (2, 2), (3, 1)])
def test_large_parts_in_counter_phase_count(rate: Fraction, parts: tuple[int, int]) -> None:
    mask = (COLUMN * parts[0] // 64 + ROW * parts[1] // 36) % 2
    report = flashes_in(lambda t: abs(mask - square(t, 4)), rate)
    assert not report.passed
    assert report.worst_per_second == 4
    assert flashes_in(lambda t: abs(mask - square(t, 3)), rate).passed


@every_rate
def test_a_wave_as_wide_as_the_picture_counts(rate: Fraction) -> None:
    for hertz, passed in ((3, True), (4, False), (6, False)):
        report = flashes_in(lambda t, h=hertz: 0.5 + 0.5 * np.sin(2 * np.pi * (COLUMN / 64 - h * t)), rate)
        assert report.passed == passed


# Red --------------------------------------------------------------------------------------------------------


def red(share: float, change: float) -> np.ndarray:
    """Give linear RGB of which R/(R+G+B) is ``share`` and (R-G-B)x320 is ``change``."""
    strength = change / 320 / (2 - 1 / share)
    return np.array([strength, *[(strength / share - strength) / 2] * 2])


@every_rate
@pytest.mark.parametrize(
    ("state", "other", "counts"),
    [
        (red(1, 100), (0.06, 0.06, 0.06), True),
        (red(0.75, 60), (0, 0, 0), False),
        (red(0.85, 60), (0, 0, 0), True),
        (red(1, 18), (0, 0, 0), False),
        (red(1, 22), (0, 0, 0), True),
        (red(0.85, 18), (0.02, 0.02, 0.02), False),
        (red(0.85, 22), (0.02, 0.02, 0.02), True),
        (red(1, 100), red(1, 82), False),
        (red(1, 100), red(1, 75), True),
        ((0, 0, 0.9), (0, 0, 0), False),
    ],
)
def test_red_flashes_count_whatever_their_luminance(
    rate: Fraction, state: np.ndarray, other: tuple[float, float, float], counts: bool
) -> None:
    def picture(hertz: int) -> Callable[[float], object]:
        return lambda t: coded(np.where(square(t, hertz), state, other))

    report = flashes_in(picture(4), rate)
    assert report.flashes == 0
    assert report.passed == (not counts)
    assert bool(report.red) == counts
    assert not counts or flashes_in(picture(3), rate).passed


def test_the_area_of_red_is_a_quarter_too() -> None:
    for share, passed in ((0.24, True), (0.26, False)):
        part = SHAPES["off the grid"](share).reshape(36, CELL, 64, CELL).mean((1, 3))[..., None]
        report = flashes_in(lambda t, part=part: part * [0.6, 0, 0] * square(t, 5), 30)
        assert report.passed == passed
        assert report.flashes == 0


def test_a_flash_from_grey_to_red_of_the_same_luminance_is_red() -> None:
    state, other = (0.4, 0, 0), (0.08504,) * 3
    for wave in (square, sine):
        report = flashes_in(lambda t, w=wave: coded(np.add(other, np.subtract(state, other) * w(t, 4))), 60)
        assert report.red
        assert not report.general


# What moves but doesn't flash -------------------------------------------------------------------------------


def lines(places: np.ndarray, width: float, shift: float) -> np.ndarray:
    """Give stripes of -1 and 1 along a side, of some pixels' width, averaged over cells."""
    return np.asarray(((places + shift) // width % 2 * 2 - 1).reshape(-1, CELL).mean(1))


def checks(width: float, right: float, down: float, *, stripes: bool = False) -> np.ndarray:
    """Give checks, or stripes, of some pixels' width, moved by some pixels."""
    across, along = lines(X[0], width, right), lines(Y[:, 0], width, down)
    return 0.5 + 0.5 * across * (np.ones((36, 1)) if stripes else along[:, None])


@pytest.mark.parametrize("rate", [24, 30, 60])
@pytest.mark.parametrize("width", [4, 10, 20, 40])
@pytest.mark.parametrize("periods", [0.4, 2.3, 7.7])
def test_scrolling_stripes_and_checks_never_count(rate: int, width: int, periods: float) -> None:
    speed = 2 * width * periods
    assert flashes_in(lambda t: checks(width, speed * t, 0, stripes=True), rate).flashes == 0
    assert flashes_in(lambda t: checks(width, speed * t, 0.4 * speed * t), rate).flashes == 0


@pytest.mark.parametrize("rate", [24, 60, 120])
@pytest.mark.parametrize("width", [5, 16, 27, 40])
def test_textures_that_reverse_never_count(rate: int, width: int) -> None:
    for stripes in (False, True):
        for hertz in (4, 10):
            report = flashes_in(
                lambda t, h=hertz, s=stripes: abs(checks(width, 7, 3, stripes=s) - square(t, h)), rate
            )
            assert report.flashes == 0


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    grain=st.integers(1, 4),
    hold=st.integers(1, 6),
    rate=st.sampled_from(RATES),
    levels=st.sampled_from([(0.0, 1.0), (0.0, 0.4), (0.5, 1.0), (0.0, 0.5, 1.0)]),
    colour=st.booleans(),
)
def test_random_textures_of_constant_brightness_never_count(
    seed: int, grain: int, hold: int, rate: Fraction, levels: tuple[float, ...], colour: bool
) -> None:
    random = generator_for(seed, "test.safety.texture")
    rows, columns = -(-36 // grain), -(-64 // grain)
    values = np.resize(levels, rows * columns)
    frames = []
    for _ in range(round(rate / hold)):
        layers = [random.permutation(values) for _ in range(3 if colour else 1)]
        tiles = np.stack(layers, -1).reshape(rows, columns, -1)
        frames.append(tiles.repeat(grain, 0).repeat(grain, 1)[:36, :64] * np.ones(3))
    grid = np.round(np.repeat(frames, hold, axis=0) * 255).astype(np.uint8)
    report = find_flashes(observation(grid, rate, SIZE))
    assert report.flashes == report.red_flashes == 0


@pytest.mark.parametrize("rate", [24, 60])
@pytest.mark.parametrize("width", [10, 40])
def test_rings_that_grow_never_count(rate: int, width: int) -> None:
    radius = np.hypot(X - 160, Y - 90)
    for periods in (0.7, 3.0):
        report = flashes_in(lambda t, p=periods: (radius - 2 * width * p * t) // width % 2, rate)
        assert report.flashes == 0


@pytest.mark.parametrize("rate", [24, 60])
def test_particles_never_count(rate: int) -> None:
    random = generator_for(5, "test.safety.particles")
    starts, speeds = random.uniform(0, 1, (40, 2)) * (36, 64), random.normal(0, 40, (40, 2))

    def picture(t: float) -> np.ndarray:
        y, x = ((starts + speeds * t) % (36, 64)).T[..., None, None]
        return np.clip(2.3 - np.hypot(ROW - y, COLUMN - x), 0, 1).max(0)

    assert flashes_in(picture, rate).flashes == 0


@every_rate
def test_one_thing_that_sweeps_over_the_picture_never_counts(rate: Fraction) -> None:
    place, angle = (COLUMN + 0.5) / 64, np.arctan2(ROW - 17.5, COLUMN - 31.5) / (2 * np.pi)
    for hertz in (3, 6):
        for width in (0.06, 0.23):
            bar = flashes_in(lambda t, w=width, h=hertz: (place - h * t) % 1 < w, rate)
            assert bar.flashes == 0
        wedge = flashes_in(lambda t, h=hertz: (angle - h * t) % 1 < 0.12, rate)
        assert wedge.flashes == 0


@every_rate
def test_a_texture_that_moves_hides_no_strobe(rate: Fraction) -> None:
    def moving(t: float) -> np.ndarray:
        return checks(15, 100 * t, 0)

    assert flashes_in(lambda t: 0.1 + 0.8 * moving(t), rate).flashes == 0
    assert not flashes_in(lambda t: 0.1 + 0.3 * moving(t) + 0.5 * square(t, 4), rate).passed
    assert not flashes_in(lambda t: moving(t) * square(t, 4), rate).passed


# Films of every kind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [Size(320, 180), Size(180, 320), Size(64, 64), Size(2, 640), Size(638, 2)])
def test_films_of_every_shape_are_judged(size: Size) -> None:
    shape = (*grid_shape(size), 3)
    strobe = np.stack([np.full(shape, 255 * (i // 3 % 2), np.uint8) for i in range(60)])
    assert not find_flashes(observation(strobe, Fraction(30), size)).passed
    still = find_flashes(observation(np.full((60, *shape), 130, np.uint8), Fraction(30), size))
    assert still.passed
    assert still.worst_per_second == 0
    assert still.worst_s is None
    assert still.timeline.tolist() == [0, 0]


def test_a_film_of_one_frame_passes() -> None:
    report = flashes_in(lambda t: 1.0, 30, seconds=1 / 30)
    assert report.to_json()["pass"] is True
    assert report.timeline.tolist() == [0]


@pytest.mark.parametrize("block", [1, 64])
def test_how_frames_are_dealt_out_changes_nothing(block: int) -> None:
    random = generator_for(6, "test.safety.blocks")
    level = np.repeat(random.uniform(0, 1, 60), random.integers(1, 10, 60))[:150]
    codes = np.clip(
        level[:, None, None, None] * [1, 0.3, 0.3] + random.normal(0, 0.1, (150, 36, 64, 3)), 0, 1
    )
    whole = observation(np.round(codes * 255).astype(np.uint8), Fraction(30), SIZE)
    finder = FlashFinder(Fraction(30), 36, 64)
    for _, rgb in whole.blocks(frames=block):
        finder.see(rgb)
    expected = find_flashes(whole)
    assert expected.flashes >= 5
    assert finder.report().to_json() == expected.to_json()
