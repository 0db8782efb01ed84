"""Motion blur: which moments a frame is exposed at, and light that adds up over them."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from made_scenes import TRAILS, heard_song, program_preset
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock, ShutterClock, film_clock
from synesthete.config.preset import Preset, load_preset
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.build import build_fuser
from synesthete.render.mixer import score_voices
from synesthete.render.schedule import lasting
from synesthete.render.shutter import Shutter, exposed, pictures_per_frame

SIZE = Size(64, 64)
SILK, TRAILING = load_preset("silk"), program_preset(TRAILS)


@lru_cache
def song() -> Timeline:
    return heard_song(2.0)


def scored(preset: Preset, *, rate: int = 30, shutter: int = 0) -> tuple[Painter, Trajectory]:
    options = RenderOptions.model_validate(
        {"kernels": "eager", "device": "cpu", "fps": rate, "shutter": shutter}
    )
    pictures = song().frame_count(options.fps) * pictures_per_frame(options.shutter)
    voices, weights = lasting(preset).voices(pictures, options.fps, options.shutter)
    return score_voices(voices, weights, song(), options, build_fuser(options, "cppn", SIZE, 1))


def drawn(painter: Painter, trajectory: Trajectory, start: int, stop: int) -> list[Tensor]:
    return [picture.clone() for picture in painter.frames(trajectory, start, stop, SIZE)]


# Moments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("degrees", "samples"), [(1, 3), (90, 3), (121, 5), (180, 5), (270, 7), (360, 9)])
def test_a_frame_is_exposed_around_its_own_moment(degrees: int, samples: int) -> None:
    clock = ShutterClock(Fraction(30_000, 1001), Fraction(degrees))
    of_frame = [clock.seconds(7 * samples + k) for k in range(samples)]
    own, open_s = Clock(clock.frame_rate).seconds(7), Fraction(degrees, 360) / clock.frame_rate

    assert clock.samples == samples
    assert of_frame[samples // 2] == own
    assert [2 * own - moment for moment in of_frame[::-1]] == of_frame
    # Each stands for an equal part of the time for which the shutter is open.
    assert {later - earlier for earlier, later in pairwise(of_frame)} == {open_s / samples}
    np.testing.assert_allclose(
        clock.moments(7 * samples, 8 * samples), [float(m) for m in of_frame], atol=1e-12
    )


def test_pictures_are_counted_by_frames_and_none_is_before_the_film() -> None:
    clock = ShutterClock(Fraction(30), Fraction(180))
    assert clock.frames_for(44_101, 44_100) == 5 * Clock(Fraction(30)).frames_for(44_101, 44_100)
    assert [clock.seconds(k) for k in range(3)] == [0, 0, 0]
    np.testing.assert_array_equal(clock.moments(0, 3), 0.0)


def test_without_a_shutter_the_clock_is_that_of_frames() -> None:
    assert film_clock(Fraction(30)) == Clock(Fraction(30))


def test_the_same_exposure_spreads_over_the_same_time_at_another_frame_rate() -> None:
    for rate, degrees, frame in ((30, 90, 4), (60, 180, 8)):  # 1/120 s around 4/30 s
        clock = ShutterClock(Fraction(rate), Fraction(degrees))
        first, last = (clock.seconds(clock.samples * frame + k) for k in (0, clock.samples - 1))
        half = (last - first) / (clock.samples - 1) / 2
        assert (first - half, last + half) == (
            Fraction(4, 30) - Fraction(1, 240),
            Fraction(4, 30) + Fraction(1, 240),
        )


# Light -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", [SILK, TRAILING], ids=["field", "with a memory"])
def test_a_frame_is_the_mean_light_of_its_pictures(preset: Preset) -> None:
    painter, trajectory = scored(preset, shutter=180)
    pictures = drawn(painter, trajectory, 40, 60)
    frames = drawn(exposed(painter, Fraction(180)), trajectory, 8, 12)

    for frame, own in zip(frames, zip(*[iter(pictures)] * 5, strict=True), strict=True):
        expected = torch.stack([picture.double() ** 2 for picture in own]).mean(0).sqrt()
        torch.testing.assert_close(frame.double(), expected, atol=2e-6, rtol=0)
        assert max(float((picture - own[2]).abs().max()) for picture in own) > 0.005  # else it would not tell


def test_the_middle_picture_of_a_frame_is_the_frame_without_a_shutter() -> None:
    for preset in (SILK, TRAILING):
        plain = drawn(*scored(preset), 20, 22)
        painter, trajectory = scored(preset, shutter=180)
        pictures = drawn(painter, trajectory, 100, 110)
        for frame, picture in zip(plain, (pictures[2], pictures[7]), strict=True):
            torch.testing.assert_close(picture, frame, atol=1e-4, rtol=0)


def test_frames_are_the_same_from_any_segment() -> None:
    painter, trajectory = scored(TRAILING, shutter=180)
    blurred = exposed(painter, Fraction(180))
    whole = drawn(blurred, trajectory, 10, 20)
    pieces = [frame for a, b in ((10, 11), (11, 17), (17, 20)) for frame in drawn(blurred, trajectory, a, b)]
    assert all(torch.equal(one, other) for one, other in zip(whole, pieces, strict=True))


def test_what_stands_still_stays_sharp_and_nothing_exceeds_white() -> None:
    class Still:
        def prepare(self, trajectory: Trajectory, size: Size) -> str:
            return "eager"

        def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
            picture = torch.linspace(0.0, 1.0, 3 * size.height * size.width).view(3, size.height, size.width)
            for _ in range(start, stop):
                yield picture

    trajectory = Trajectory(np.zeros((90, 1), np.float32), ("x",), {})
    for samples in (3, 5, 9):
        still = next(Still().frames(trajectory, 0, 1, SIZE))
        for frame in drawn(Shutter(Still(), samples), trajectory, 0, 3):
            torch.testing.assert_close(frame, still, atol=1e-6, rtol=0)
            assert float(frame.max()) <= 1.0


def test_a_closed_shutter_changes_nothing() -> None:
    painter, trajectory = scored(SILK)
    assert exposed(painter, Fraction(0)) is painter
    assert pictures_per_frame(Fraction(0)) == 1
    assert len(scored(SILK, shutter=180)[1].rows) == 5 * len(trajectory.rows)
