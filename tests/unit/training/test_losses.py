"""Losses see what they are named for, and nothing where pictures agree."""

import pytest
import torch

from synesthete.training.losses import chroma, colour_loss, edge_loss, mean_saturation, psnr, value_loss


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_equal_pictures_cost_nothing(pictures: torch.Tensor) -> None:
    assert value_loss(pictures, pictures, squares=5.0) == 0
    assert edge_loss(pictures, pictures) == 0
    assert colour_loss(pictures, pictures) == 0
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
