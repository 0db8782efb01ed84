"""Style: what it is read from, and how two are blended."""

import math

import pytest
import torch

from made_models import noise, stirred
from synesthete.models.style import StandardStyles, StyleEncoder, spherical


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


def made_styles(count: int = 4000) -> torch.Tensor:
    """Give styles that depend on each other."""
    return noise(count, 6, seed=4) @ (torch.eye(6) + 0.2 * noise(6, 6, seed=5)) + noise(6, seed=6)


def test_standard_styles_are_standard_and_come_back() -> None:
    read, styles = made_styles(), StandardStyles(6)
    assert torch.equal(styles(read), read)
    styles.fit(read)
    standard = styles.standard(read)
    assert torch.allclose(standard.mean(dim=0), torch.zeros(6), atol=1e-3)
    assert torch.allclose(standard.T.cov(correction=0), torch.eye(6), atol=0.2)
    assert torch.allclose(styles(standard), read, atol=1e-3)
    drawn = styles(noise(4000, 6, seed=7))
    assert torch.allclose(drawn.T.cov(), read.T.cov(), atol=0.15 * float(read.T.cov().abs().max()))


def test_the_first_number_of_a_standard_style_says_most() -> None:
    styles = StandardStyles(6)
    styles.fit(made_styles())
    moved = [float((styles(one) - styles.middle).norm()) for one in torch.eye(6)]
    assert moved == sorted(moved, reverse=True)


def test_few_styles_are_made_standard_too() -> None:
    read, styles = made_styles(3), StandardStyles(6)
    styles.fit(read)
    assert torch.allclose(styles(styles.standard(read)), read, atol=1e-2)
    assert torch.isfinite(styles(noise(5, 6))).all()
