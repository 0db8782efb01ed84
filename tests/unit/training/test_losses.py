"""Losses see what they are named for, and nothing where pictures agree."""

import pytest
import torch

from synesthete.training.losses import (
    chroma,
    colour_loss,
    edge_loss,
    mean_saturation,
    psnr,
    sharpness_loss,
    value_loss,
)


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_equal_pictures_cost_nothing(pictures: torch.Tensor) -> None:
    assert value_loss(pictures, pictures, squares=5.0) == 0
    assert edge_loss(pictures, pictures) == 0
    assert colour_loss(pictures, pictures) == 0
    assert sharpness_loss(pictures, pictures) == 0
    assert psnr(pictures, pictures).tolist() == [100.0, 100.0]


def test_psnr_is_that_of_a_known_error(pictures: torch.Tensor) -> None:
    grey = torch.full_like(pictures, 0.5)
    assert psnr(grey + 0.1, grey).tolist() == pytest.approx([20.0, 20.0], abs=1e-3)


def test_an_offset_has_no_edges_and_a_blur_loses_them(pictures: torch.Tensor) -> None:
    blurred = torch.nn.functional.avg_pool2d(pictures, 3, stride=1, padding=1)
    assert edge_loss(pictures + 0.1, pictures) < 1e-6
    assert edge_loss(blurred, pictures) > 0.1


def test_colour_fades_with_chroma_alone(pictures: torch.Tensor) -> None:
    grey = pictures.mean(dim=1, keepdim=True).expand_as(pictures)
    assert chroma(grey).abs().max() < 1e-6
    assert mean_saturation(grey).max() < 1e-3
    assert colour_loss(grey, pictures) > 0.1
    assert colour_loss(pictures + 0.1, pictures) < 1e-6


def test_sharpness_wants_edges_and_does_not_mind_where() -> None:
    stripes = torch.zeros(1, 3, 32, 32)
    stripes[..., ::8] = 1.0
    moved, blurred = stripes.roll(3, dims=-1), torch.full_like(stripes, 1 / 8)
    assert sharpness_loss(blurred, stripes) > 0.1
    assert sharpness_loss(moved, stripes) < 0.3 * sharpness_loss(blurred, stripes)
    # What compares pixels prefers no stripe to one elsewhere.
    assert value_loss(moved, stripes, squares=0.0) >= value_loss(blurred, stripes, squares=0.0)
