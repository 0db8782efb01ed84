"""Style: what it is read from, and how two are blended."""

import math

import pytest
import torch

from made_models import noise, stirred
from synesthete.models.style import StyleEncoder, spherical


@pytest.fixture
def eye() -> StyleEncoder:
    encoder = stirred(StyleEncoder(4, width=8, channels=3, cells=2))
    assert isinstance(encoder, StyleEncoder)
    return encoder


@pytest.mark.parametrize("size", [(8, 8), (6, 11), (11, 6)])
def test_every_shape_of_picture_has_a_style(eye: StyleEncoder, size: tuple[int, int]) -> None:
    found = eye(noise(2, 3, 4, *size))
    assert found.mean.shape == found.log_variance.shape == (2, 12)
    assert found.log_variance.max() <= 4.0


def test_neither_the_order_nor_the_number_of_equal_frames_matters(eye: StyleEncoder) -> None:
    frames = noise(1, 3, 4, 8, 8)
    style = eye(frames).mean
    assert torch.allclose(eye(frames[:, [2, 0, 1]]).mean, style, atol=1e-5)
    assert torch.allclose(eye(frames.repeat(1, 2, 1, 1, 1)).mean, style, atol=1e-5)
    assert not torch.allclose(eye(noise(1, 3, 4, 8, 8, seed=9)).mean, style, atol=1e-2)


def test_a_blend_goes_evenly_along_the_sphere() -> None:
    first, second = noise(3, 16, seed=1), noise(3, 16, seed=2)
    shares = [step / 8 for step in range(9)]
    path = [spherical(first, second, share) for share in shares]
    assert torch.allclose(path[0], first, atol=1e-5)
    assert torch.allclose(path[-1], second, atol=1e-5)
    whole = torch.arccos(torch.cosine_similarity(first, second))
    for share, style in zip(shares, path, strict=True):
        turned = torch.arccos(torch.cosine_similarity(first, style).clamp(-1.0, 1.0))
        assert torch.allclose(turned, share * whole, atol=1e-3)
        lengths = (1.0 - share) * first.norm(dim=1) + share * second.norm(dim=1)
        assert torch.allclose(style.norm(dim=1), lengths, rtol=1e-4)


def test_equal_opposite_and_missing_styles_are_blended_too() -> None:
    style = torch.tensor([[3.0, 4.0]])
    assert torch.allclose(spherical(style, style, 0.3), style, atol=1e-5)
    assert torch.allclose(spherical(style, 2.0 * style, 0.5), 1.5 * style, atol=1e-5)
    assert torch.isfinite(spherical(style, -style, 0.5)).all()
    half = spherical(torch.zeros(1, 2), style, 0.5)
    assert float(half.norm()) == pytest.approx(2.5 * math.sin(math.pi / 4), abs=1e-5)
