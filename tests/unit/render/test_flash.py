"""The flash limiter: what it does to light in closed form, and films that end up safe."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from made_strobes import Strobe, adversarial_films
from synesthete.clock import Clock
from synesthete.evaluation.observe import Observation, observe
from synesthete.evaluation.safety import find_flashes
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.quantise import Quantiser
from synesthete.render.flash import FlashLimiter, FlashPlan, limit_frame
from synesthete.render.flash_plan import Demand, demands_of, plan_flashes
from synesthete.render.flash_treat import LAST_LEVEL
from synesthete.seeding import generator_for

SMALL, FINAL = Size(128, 72), Size(160, 90)
NO_TRAJECTORY = Trajectory(np.zeros((0, 1), np.float32), ("none",), {})
RATE = Fraction(30)
LUMINANCE = torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]


def picture(seed: int = 0, channels: int = 3) -> Tensor:
    return torch.from_numpy(generator_for(seed, "test.flash", 0).random((channels, 18, 32), np.float32))


def plan_of(*, gain: float = 1.0, red: float = 0.0, **more: object) -> FlashPlan:
    plan = FlashPlan.untouched(30, RATE)
    plan.gain[5], plan.red[5] = gain, red
    return replace(plan, **more)  # type: ignore[arg-type]


def watch(painter: Painter, film: Strobe, size: Size) -> Observation:
    quantiser = Quantiser(size)
    frames = painter.frames(NO_TRAJECTORY, 0, film.count, size)
    return observe((quantiser.yuv420(f).numpy() for f in frames), size=size, frame_rate=film.frame_rate)


# What is done to a frame ------------------------------------------------------------------------------------


def test_untouched_frames_pass_as_they_are() -> None:
    drawn = picture()
    plan = plan_of(gain=0.5)
    assert limit_frame(drawn, plan, 4) is drawn
    assert limit_frame(drawn, plan, 6) is drawn
    assert plan.touched() == [5]
    assert plan.digest(0, 5) is None
    assert plan.digest(6, 30) is None
    assert plan.digest(5, 6) is not None


def test_a_gain_is_a_factor_on_light() -> None:
    drawn = picture()
    before = drawn.clone()
    torch.testing.assert_close(limit_frame(drawn, plan_of(gain=0.3), 5) ** 2, 0.3 * drawn**2)
    assert torch.equal(drawn, before)


def test_red_is_taken_at_equal_luminance_and_only_where_it_is_in_excess() -> None:
    drawn = picture(1)
    after, before = limit_frame(drawn, plan_of(red=0.6), 5) ** 2, drawn**2
    torch.testing.assert_close((after * LUMINANCE).sum(0), (before * LUMINANCE).sum(0))
    excess = (before[0] - before[1] - before[2]).clamp(min=0)
    assert excess.max() > 0.3
    torch.testing.assert_close(
        (after[0] - after[1] - after[2]).clamp(min=0), excess * (1 - 1.2126 * 0.6), atol=1e-6, rtol=1e-4
    )
    others = excess == 0
    torch.testing.assert_close(after[:, others], before[:, others])


def test_a_veil_covers_by_its_opacity_runs_straight_between_knots_and_ends_where_it_is_missing() -> None:
    light = np.array([0.2, 0.4, 0.6], np.float32)
    veil = np.concatenate([0.5 * light, [0.5]]).astype(np.float32)[:, None, None] * np.ones(
        (1, 3, 4), np.float32
    )
    plan = plan_of(veils={2: veil})  # at 0.5 s; knots lie a quarter of a second apart
    drawn = picture(2)
    for frame in range(30):
        opacity = 0.5 * max(0.0, 1 - abs(frame / 30 - 0.5) * 4)
        mixed = (1 - opacity) * drawn**2 + opacity * torch.from_numpy(light)[:, None, None]
        torch.testing.assert_close(limit_frame(drawn, plan, frame) ** 2, mixed, atol=1e-5, rtol=1e-5)
        assert plan.touches(frame) == (opacity > 0)


def test_alpha_stays() -> None:
    drawn = picture(3, channels=4)
    limited = limit_frame(drawn, plan_of(gain=0.1, red=0.5), 5)
    assert torch.equal(limited[3], drawn[3])
    assert torch.equal(limited[:3], limit_frame(drawn[:3], plan_of(gain=0.1, red=0.5), 5))


def test_digests_follow_what_is_done_in_their_range_alone() -> None:
    veil = np.full((4, 3, 4), 0.5, np.float32)
    base = plan_of(gain=0.5, veils={2: veil})
    assert base.digest(0, 7) == plan_of(gain=0.5, veils={3: veil}).digest(0, 7)
    assert base.digest(0, 7) != plan_of(gain=0.4).digest(0, 7)
    assert base.digest(10, 20) != plan_of(gain=0.5, veils={2: 0.9 * veil}).digest(10, 20)
    assert base.digest(25, 30) is None


# Whole films ------------------------------------------------------------------------------------------------


def chosen() -> list[Strobe]:
    """Give a film of each kind, two seconds of it or as far as over a border."""
    films = adversarial_films()
    wanted = (0, 3, 17, 19, 28, 34, 36, 41, 48, 58, 66, 69, 79, 84, 96, 105, 113, 121, 125, 128, 139, 147)
    return [replace(films[k], seconds=4.6 if films[k].seconds > 6 else 2.0) for k in wanted]


SAFE = {"full field, square, 2 Hz, 24 fps", "band of 25%, 6 Hz, 60 fps"}


@pytest.mark.parametrize("film", chosen(), ids=lambda film: film.name)
def test_films_that_flash_too_often_end_up_safe(film: Strobe) -> None:
    small = watch(film, film, SMALL)
    plan = plan_flashes(small)
    report = find_flashes(watch(FlashLimiter(film, plan), film, FINAL))
    if not report.passed:  # within a hair of the limit, which finished frames decide
        assert not plan.touched()
        plan = plan_flashes(small, demands_of(report, film.count, Clock(film.frame_rate), 1))
        report = find_flashes(watch(FlashLimiter(film, plan), film, FINAL))
    assert report.passed
    assert bool(plan.touched()) != (film.name in SAFE)


def strobe(hertz: float, *, seconds: float = 4.0) -> Strobe:
    return Strobe("strobe", RATE, seconds, lambda t, i, x, y: np.float32((t * hertz + 1e-9) % 1 >= 0.5))


def levels(film: Strobe, plan: FlashPlan) -> np.ndarray:
    frames = FlashLimiter(film, plan).frames(NO_TRAJECTORY, 0, film.count, Size(4, 4))
    return np.array([float(frame.mean()) for frame in frames])


def test_some_pulses_stay_and_the_others_sink_below_a_flash() -> None:
    film = strobe(5)
    after = levels(film, plan_flashes(watch(film, film, SMALL)))
    before = levels(film, FlashPlan.untouched(film.count, RATE))
    pulses = np.flatnonzero(np.diff(before, prepend=0) > 0)
    heights = np.array([after[start : start + 3].max() for start in pulses])
    assert (heights > 0.99).sum() >= 8  # two in a second
    assert ((heights > 0.99) | (heights < 0.36)).all()  # 0.1 of light is a code of 0.35
    assert (after <= before).all()


def test_only_the_part_that_flashes_is_touched() -> None:
    film = Strobe("burst", RATE, 12, lambda t, i, x, y: np.float32(5 < t < 6.5) * ((t * 8 + 1e-9) % 1 >= 0.5))
    plan = plan_flashes(watch(film, film, SMALL))
    touched = np.array(plan.touched()) / 30
    assert touched.min() > 4.9
    assert touched.max() < 6.7


def test_halves_in_turn_keep_the_films_light() -> None:
    film = Strobe("halves", RATE, 3, lambda t, i, x, y: ((x > 0.5) != (t * 6 % 1 > 0.5)) * 1.0)
    small = watch(film, film, SMALL)
    seen = watch(FlashLimiter(film, plan_flashes(small)), film, SMALL)
    assert find_flashes(seen).passed
    light = [np.square(s.grid / 255).mean() for s in (small, seen)]
    assert light[1] == pytest.approx(light[0], abs=0.03)


@pytest.mark.parametrize("name", ["random tiles", "red and green", "random frames"])
def test_the_last_resort_leaves_nothing_to_flash(name: str) -> None:
    film = replace(next(f for f in adversarial_films() if f.name.startswith(name)), seconds=4.5)
    plan = plan_flashes(watch(film, film, SMALL), [Demand(0, film.count, LAST_LEVEL)])
    report = find_flashes(watch(FlashLimiter(film, plan), film, FINAL))
    assert report.flashes == report.red_flashes == 0


def test_demands_treat_what_looked_safe() -> None:
    film = strobe(2)
    small = watch(film, film, SMALL)
    assert not plan_flashes(small).touched()
    plan = plan_flashes(small, [Demand(30, 90, 1)])
    touched = plan.touched()
    assert touched
    assert touched[0] >= 10
    assert touched[-1] < 110
    assert levels(film, plan)[60:75].max() < 0.4 or plan.veils


def test_the_same_film_gets_the_same_plan() -> None:
    film = chosen()[5]
    small = watch(film, film, SMALL)
    assert plan_flashes(small).digest(0, film.count) == plan_flashes(small).digest(0, film.count)


@pytest.mark.parametrize("size", [Size(64, 64), Size(72, 128), Size(168, 72), Size(130, 74)])
def test_every_shape_of_picture(size: Size) -> None:
    film = Strobe("quarters", RATE, 2, lambda t, i, x, y: ((x > 0.5) != (y > 0.5)) != (t * 7 % 1 > 0.5))
    plan = plan_flashes(watch(film, film, size))
    assert find_flashes(watch(FlashLimiter(film, plan), film, size)).passed


def test_any_range_is_limited_as_the_whole() -> None:
    film = strobe(7)
    limiter = FlashLimiter(film, plan_flashes(watch(film, film, SMALL)))
    whole = [f.clone() for f in limiter.frames(NO_TRAJECTORY, 0, film.count, SMALL)]
    for start in (0, 17, 53, 119):
        part = next(limiter.frames(NO_TRAJECTORY, start, start + 1, SMALL))
        assert torch.equal(part, whole[start])
