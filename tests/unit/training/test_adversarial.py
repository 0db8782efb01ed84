"""Losses of two networks that play against each other, against what is known of them."""

import math

import pytest
import torch

from synesthete.training.adversarial import (
    chroma_gap,
    drawn_loss,
    fooling_loss,
    saturation_gap,
    slope_penalty,
    true_loss,
)


def pictures(seed: int, count: int = 4) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_an_undecided_judge_loses_log_two_each_time() -> None:
    undecided = torch.zeros(3)
    for loss in (true_loss, drawn_loss, fooling_loss):
        assert loss(undecided) == pytest.approx(math.log(2.0))


def test_a_generator_that_is_found_out_still_has_a_slope() -> None:
    scores = torch.full((2,), -20.0, requires_grad=True)
    fooling_loss(scores).backward()
    assert scores.grad is not None
    assert torch.allclose(scores.grad, torch.full((2,), -0.5))


def test_the_penalty_of_a_linear_judge_is_half_its_squared_weights() -> None:
    weights = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    # On values of -1 to 1.
    penalty = slope_penalty(lambda seen: ((2.0 * seen - 1.0) * weights).sum(dim=(1, 2, 3)), pictures(0))
    assert float(penalty.detach()) == pytest.approx(float(0.5 * weights.detach().square().sum()), rel=1e-5)
    penalty.backward()
    assert torch.allclose(weights.grad, weights.detach(), rtol=1e-4)


def test_colours_of_the_same_pictures_in_another_order_have_no_gap() -> None:
    true = pictures(1)
    assert chroma_gap(true.flip(0), true) == pytest.approx(0.0, abs=1e-6)
    assert saturation_gap(true.flip(0), true) == pytest.approx(0.0, abs=1e-6)


def test_washed_out_pictures_have_gaps_that_shrink_as_colour_returns() -> None:
    true = pictures(2)
    grey = true.mean(dim=1, keepdim=True)
    gaps = [
        (float(chroma_gap(one, true)), float(saturation_gap(one, true)))
        for one in (torch.lerp(grey, true, share) for share in (0.0, 0.5, 0.9))
    ]
    assert gaps[0] > gaps[1] > gaps[2] > (0.0, 0.0)
    assert gaps[0][1] > gaps[1][1] > gaps[2][1]
