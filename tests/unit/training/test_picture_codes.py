"""The baselines that an autoencoder is measured against are what they are called."""

import pytest
import torch

from synesthete.training.picture_codes import block_transform, edge_powers


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(1))


def test_all_coefficients_are_the_picture(pictures: torch.Tensor) -> None:
    assert torch.allclose(block_transform(pictures, 3 * 256), pictures, atol=1e-5)


def test_one_coefficient_of_grey_is_each_blocks_mean(pictures: torch.Tensor) -> None:
    grey = pictures.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    means = torch.nn.functional.avg_pool2d(grey, 16).repeat_interleave(16, 2).repeat_interleave(16, 3)
    assert torch.allclose(block_transform(grey, 1), means, atol=1e-5)


def test_more_coefficients_and_own_ones_are_nearer(pictures: torch.Tensor) -> None:
    def error(kept: int, *, own: bool = False) -> float:
        return float((block_transform(pictures, kept, own=own) - pictures).square().mean())

    assert error(8) > error(32) > error(128)
    assert error(32, own=True) < error(32)


def test_a_blur_loses_the_finest_edges_first(pictures: torch.Tensor) -> None:
    square = pictures[..., :32]
    blurred = torch.nn.functional.avg_pool2d(square, 3, stride=1, padding=1)
    left = edge_powers(blurred) / edge_powers(square)
    assert left[0] < left[1] < left[2] < 1
    assert left[0] < 0.3
    assert torch.allclose(edge_powers(square) * 4, edge_powers(square * 2))
