"""Rectified flow: where lines begin and end, how exactly they are followed, and how guidance combines."""

import math
from itertools import pairwise

import pytest
import torch

from made_models import noise
from synesthete.models.flow import (
    Guidance,
    Solver,
    between,
    data_at_end,
    follow,
    guided,
    logit_normal,
    preconditioned,
    shifted,
    times,
)


def test_points_lie_on_the_line_from_noise_to_data() -> None:
    data, start = noise(3, 2, 4, seed=1), noise(3, 2, 4, seed=2)
    points = between(data, start, torch.tensor([0.0, 0.25, 1.0]))
    assert torch.equal(points[0], start[0])
    assert torch.allclose(points[1], 0.75 * start[1] + 0.25 * data[1])
    assert torch.equal(points[2], data[2])


def test_who_keeps_the_true_velocity_comes_to_the_data() -> None:
    data, start = noise(4, 3, 2, 2, seed=1), noise(4, 3, 2, 2, seed=2)
    time = torch.tensor([0.0, 0.3, 0.9, 1.0])
    assert torch.allclose(data_at_end(between(data, start, time), data - start, time), data, atol=1e-6)


@pytest.mark.parametrize("spread", [0.2, 1.0])
@pytest.mark.parametrize("time", [0.0, 0.3, 0.8, 1.0])
def test_a_network_is_asked_for_what_the_best_linear_guess_misses(spread: float, time: float) -> None:
    data, start = spread * noise(100_000, seed=1), noise(100_000, seed=2)
    at = torch.full((1,), time)
    points = between(data[None], start[None], at)[0]
    found = preconditioned(torch.tensor(spread), at)
    assert float((found.enter * points).std()) == pytest.approx(1.0, abs=0.02)
    missed = (data - start - found.skip * points) / found.leave
    assert float(missed.std()) == pytest.approx(1.0, abs=0.02)
    assert float((missed * points).mean()) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("solver", ["euler", "heun"])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_straight_line_is_followed_exactly(solver: Solver, steps: int) -> None:
    data, start = noise(2, 5, seed=1), noise(2, 5, seed=2)
    found = follow(lambda points, time: data - start, start, times(steps, shift=2.0), solver=solver)
    assert torch.allclose(found, data, atol=1e-6)


def error(steps: int, solver: Solver) -> float:
    """Follow x' = x from 1, whose end is e, and say how far from it one comes."""
    start = torch.ones(1, 1, dtype=torch.float64)
    return abs(float(follow(lambda points, time: points, start, times(steps), solver=solver)) - math.e)


def test_half_the_step_halves_the_error_of_euler_and_quarters_that_of_heun() -> None:
    assert error(32, "euler") / error(64, "euler") == pytest.approx(2.0, rel=0.05)
    assert error(32, "heun") / error(64, "heun") == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("steps", [4, 16])
def test_heun_errs_less_than_euler_that_may_ask_as_often(steps: int) -> None:
    assert error(steps, "heun") < 0.6 * error(2 * steps - 1, "euler")


def test_euler_asks_once_a_step_and_heun_twice_but_for_the_last() -> None:
    asked: list[float] = []

    def velocity(points: torch.Tensor, time: float) -> torch.Tensor:
        asked.append(time)
        return torch.full_like(points, time)

    start = torch.zeros(1, 1)
    assert float(follow(velocity, start, times(4))) == pytest.approx(0.375)
    assert asked == [0.0, 0.25, 0.5, 0.75]
    asked.clear()
    # Trapezia are exact here; the last step is a rectangle.
    assert float(follow(velocity, start, times(4), solver="heun")) == pytest.approx(0.5 - 0.25**2 / 2)
    assert asked == [0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]


@pytest.mark.parametrize("shift", [0.2, 0.37, 1.0, 1.7, 3.0, 12.0])
def test_times_of_sampling_rise_from_zero_to_one(shift: float) -> None:
    for steps in (1, 2, 7, 64):
        found = times(steps, shift=shift)
        assert (len(found), found[0], found[-1]) == (steps + 1, 0.0, 1.0)
        assert all(a < b for a, b in pairwise(found))
    assert (shifted(0.5, shift) < 0.5) == (shift > 1.0)
    assert shifted(shifted(0.3, shift), 1.0 / shift) == pytest.approx(0.3)


def test_times_of_training_are_logit_normal() -> None:
    normal = noise(20_000)
    found = logit_normal(normal, mean=0.5, deviation=2.0)
    logits = torch.logit(found.double())
    assert float(logits.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(logits.std()) == pytest.approx(2.0, abs=0.05)
    assert torch.allclose(logit_normal(-normal), 1.0 - logit_normal(normal), atol=1e-6)


# Guidance -------------------------------------------------------------------------------------------------


@pytest.fixture
def parts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give velocities under no condition, under the style, and under both."""
    return noise(2, 3, 4, seed=1), noise(2, 3, 4, seed=2), noise(2, 3, 4, seed=3)


@pytest.mark.parametrize("audio", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("style", [0.0, 1.0, 2.0, 3.0])
def test_guidance_goes_from_nothing_to_style_to_what_is_heard(
    parts: tuple[torch.Tensor, ...], audio: float, style: float
) -> None:
    plain, styled, full = parts
    found = guided(plain, styled, full, audio=audio, style=style)
    assert torch.allclose(found, plain + style * (styled - plain) + audio * (full - styled), atol=1e-5)
    # Where no condition changes anything, no scale does: weights sum to one.
    assert torch.allclose(guided(full, full, full, audio=audio, style=style), full, atol=1e-5)


def test_what_has_no_weight_may_be_missing(parts: tuple[torch.Tensor, ...]) -> None:
    plain, styled, full = parts
    assert torch.equal(guided(None, None, full, audio=1.0, style=1.0), full)
    assert torch.equal(guided(None, styled, None, audio=0.0, style=1.0), styled)
    assert torch.equal(guided(plain, None, None, audio=0.0, style=0.0), plain)
    assert torch.allclose(guided(plain, None, full, audio=2.0, style=2.0), 2.0 * full - plain)
    with pytest.raises(ValueError, match="a velocity that counts is missing"):
        guided(None, styled, full, audio=2.0, style=1.5)


def test_rescaling_keeps_the_deviation_of_each_frame(parts: tuple[torch.Tensor, ...]) -> None:
    plain, styled, full = parts

    def deviations(rescale: float) -> torch.Tensor:
        return guided(plain, styled, full, audio=4.0, style=2.0, rescale=rescale).flatten(2).std(dim=2)

    natural = full.flatten(2).std(dim=2)
    assert (deviations(0.0) > 1.5 * natural).all()
    assert torch.allclose(deviations(1.0), natural, rtol=1e-4)
    assert torch.allclose(deviations(0.5), 0.5 * (deviations(0.0) + natural), rtol=1e-4)
    deaf = guided(plain, styled, None, audio=0.0, style=3.0, rescale=1.0)
    assert torch.allclose(deaf.flatten(2).std(dim=2), styled.flatten(2).std(dim=2), rtol=1e-4)


def test_guidance_applies_in_its_interval() -> None:
    guidance = Guidance(audio=3.0, style=2.0, start=0.2, stop=0.8)
    assert [guidance.at(time) for time in (0.1, 0.2, 0.8, 0.9)] == [
        (1.0, 1.0), (3.0, 2.0), (3.0, 2.0), (1.0, 1.0),
    ]  # fmt: skip
