"""A film that fades, burns or tires is told from one that goes on as it began."""

from fractions import Fraction

import numpy as np
import pytest

from synesthete.errors import InputError
from synesthete.evaluation.fading import COURSES, last_over_first, look_courses
from synesthete.evaluation.observe import Observation, observe
from synesthete.evaluation.picture import measure_picture
from synesthete.generators.base import Size

SIZE, RATE = Size(32, 18), Fraction(10)
SECONDS, STRETCH_S = 20, 4.0


def film(*, fades: float = 1.0, slows: float = 1.0) -> Observation:
    """Watch a coloured pattern that moves; its chroma, or its speed, ends at this share of what it was."""
    frames = int(SECONDS * RATE)
    shares = np.linspace(0, 1, frames)
    # Steps, so that the first and the last stretch are wholly at their end.
    step = np.clip((shares * SECONDS - STRETCH_S) / (SECONDS - 2 * STRETCH_S), 0, 1)
    phase = np.cumsum(0.3 * (1 + (slows - 1) * step))
    across = np.arange(SIZE.width) / SIZE.width * 2 * np.pi
    seen = []
    for frame in range(frames):
        planes = np.empty((SIZE.height * 3 // 2, SIZE.width), np.uint8)
        planes[: SIZE.height] = 120 + 40 * np.sin(across + phase[frame])
        strength = 40 * (1 + (fades - 1) * step[frame])
        planes[SIZE.height :] = round(128 - strength)
        seen.append(planes)
    return observe(seen, size=SIZE, frame_rate=RATE)


def ratios(observation: Observation) -> dict[str, float | None]:
    courses = look_courses(observation, measure_picture(observation), every_s=STRETCH_S)
    return {name: last_over_first(course) for name, course in courses.items()}


def test_a_film_that_goes_on_as_it_began_has_ratios_of_one() -> None:
    found = ratios(film())
    assert tuple(found) == COURSES
    assert all(ratio == pytest.approx(1.0, abs=0.03) for ratio in found.values()), found


def test_planted_fading_and_tiring_are_found_and_told_apart() -> None:
    faded, tired = ratios(film(fades=0.5)), ratios(film(slows=0.5))
    assert faded["saturation"] is not None
    assert tired["motion"] is not None
    assert 0.3 < faded["saturation"] < 0.7
    assert faded["motion"] == pytest.approx(1.0, abs=0.03)
    assert tired["motion"] == pytest.approx(0.5, abs=0.05)
    assert tired["saturation"] == pytest.approx(1.0, abs=0.03)


def test_the_first_frame_which_has_no_motion_and_the_rest_at_the_end_do_not_count() -> None:
    observation = film()
    courses = look_courses(observation, measure_picture(observation), every_s=6.0)
    assert all(len(course) == 3 for course in courses.values())
    assert courses["motion"][0] == pytest.approx(courses["motion"][1], rel=0.02)


def test_one_stretch_has_nothing_to_be_compared_with() -> None:
    observation = film()
    with pytest.raises(InputError, match="no two stretches of 15 s"):
        look_courses(observation, measure_picture(observation), every_s=15.0)


def test_a_stretch_of_nothing_has_no_ratio() -> None:
    assert last_over_first(np.array([0.0, 0.5])) is None
