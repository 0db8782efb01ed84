"""What is heard at a frame: its window, the whole window, and nothing but the window."""

import pytest
import torch

from made_models import noise, stirred
from synesthete.models.rows import RowEncoder, reach

LAYERS = 3


@pytest.fixture
def ear() -> RowEncoder:
    encoder = stirred(RowEncoder(3, width=8, layers=LAYERS, size=4))
    assert isinstance(encoder, RowEncoder)
    return encoder


@pytest.mark.parametrize("every", [1, 2])
def test_a_frame_hears_what_comes_and_what_was_as_far_as_it_reaches(ear: RowEncoder, every: int) -> None:
    frames, frame = 9, 4
    rows = noise(1, every * (frames - 1) + 1 + 2 * ear.reach, 3).requires_grad_()
    heard = ear(rows, every=every)
    assert heard.shape == (1, frames, 4)
    heard[0, frame].sum().backward()
    assert rows.grad is not None
    counts = rows.grad[0].abs().sum(dim=1) > 0
    own = ear.reach + every * frame
    assert counts.nonzero().flatten().tolist() == list(range(own - ear.reach, own + ear.reach + 1))


def test_a_part_is_heard_as_in_the_whole(ear: RowEncoder) -> None:
    rows = noise(2, 60, 3)
    whole = ear(rows)
    part = ear(rows[:, 11 : 11 + 2 * ear.reach + 5])
    assert part.shape[1] == 5
    assert torch.allclose(part, whole[:, 11:16], atol=1e-5)


def test_frames_are_every_so_many_rows(ear: RowEncoder) -> None:
    rows = noise(1, 50, 3)
    assert torch.allclose(ear(rows, every=3), ear(rows)[:, ::3], atol=1e-6)


def test_the_reach_is_that_of_its_convolutions(ear: RowEncoder) -> None:
    assert ear.reach == reach(LAYERS)
    assert ear(noise(1, 2 * reach(LAYERS) + 1, 3)).shape[1] == 1


def test_columns_are_scaled_and_what_never_varies_is_nothing(ear: RowEncoder) -> None:
    rows = noise(5, 40, 3) * torch.tensor([0.01, 100.0, 0.0]) + torch.tensor([0.5, 120.0, 7.0])
    ear.fit_scale(rows)
    scaled = ear.scaled(rows).flatten(0, 1)
    assert scaled.mean(dim=0).abs().max() < 1e-3
    assert torch.allclose(scaled[:, :2].std(dim=0), torch.ones(2), atol=1e-3)
    assert scaled[:, 2].abs().max() == 0
    # Also after a file of half precision.
    assert torch.isfinite(ear.deviation.half()).all()
