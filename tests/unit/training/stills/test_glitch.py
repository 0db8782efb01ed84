import numpy as np
import pytest
import torch

from synesthete.training.stills.glitch import (
    block_shifts,
    channel_offsets,
    databend,
    pixel_sort,
    scan_lines,
)


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(3))


def draw(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("glitch", [block_shifts, channel_offsets, scan_lines, databend])
def test_a_glitch_is_a_function_of_its_draw(glitch, picture: torch.Tensor) -> None:
    before = picture.clone()
    one, again, other = (glitch(picture, draw(seed)) for seed in (5, 5, 6))
    assert torch.equal(picture, before)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert not torch.equal(one, picture)
    assert one.shape == picture.shape


def test_offsets_move_channels_and_lose_nothing(picture: torch.Tensor) -> None:
    made = channel_offsets(picture, draw())
    assert torch.equal(made[1], picture[1])
    for channel in (0, 2):
        assert not torch.equal(made[channel], picture[channel])
        assert torch.equal(made[channel].flatten().sort().values, picture[channel].flatten().sort().values)


def test_sorted_runs_rise_and_the_rest_stays(picture: torch.Tensor) -> None:
    low, high = 0.3, 0.8
    luma = torch.tensordot(torch.tensor([0.2126, 0.7152, 0.0722]), picture, 1)
    made = pixel_sort(picture, low=low, high=high, longest=1.0)
    now = torch.tensordot(torch.tensor([0.2126, 0.7152, 0.0722]), made, 1)
    inside = (luma > low) & (luma < high)
    outside = (~inside).expand(3, -1, -1)
    assert torch.equal(made[outside], picture[outside])
    both = inside[:, 1:] & inside[:, :-1]
    assert bool(both.any())
    assert bool((now[:, 1:][both] >= now[:, :-1][both]).all())


def test_sorting_downward_is_sorting_the_picture_on_its_side(picture: torch.Tensor) -> None:
    down = pixel_sort(picture, low=0.1, high=0.9, downward=True)
    assert torch.equal(down.transpose(1, 2), pixel_sort(picture.transpose(1, 2), low=0.1, high=0.9))


def test_runs_are_no_longer_than_asked(picture: torch.Tensor) -> None:
    columns = torch.linspace(0.9, 0.1, 96).expand(3, 4, 96)
    made = pixel_sort(columns, low=0.0, high=1.0, longest=0.25)
    assert torch.allclose(made[:, :, :24], columns[:, :, :24].flip(2))


def test_lines_fade_where_pixels_are_too_coarse() -> None:
    flat = torch.full((3, 64, 8), 0.5)
    coarse = scan_lines(flat, draw(), lines=60)
    assert float((coarse[:, 1:] - coarse[:, :-1]).abs().max()) < 0.05
    fine = scan_lines(torch.full((3, 512, 8), 0.5), draw(), lines=60)
    assert float((fine[:, 1:] - fine[:, :-1]).abs().max()) > 0.05
