"""Batches become smaller where memory is short, and nothing else changes."""

import logging

import pytest
import torch

from synesthete.errors import RenderError
from synesthete.models.batches import BatchSize, in_batches


def allocating(most: int) -> object:
    """Make batches with PyTorch's own allocator, which can't give what more than ``most`` items need."""

    def make(wanted: range, whole: range) -> list[int]:
        torch.empty((1 if len(whole) <= most else 2**60), dtype=torch.uint8)
        return list(wanted)

    return make


def items(start: int, stop: int, batch: BatchSize, most: int) -> list[list[int]]:
    return [made for _, made in in_batches(start, stop, batch, allocating(most))]  # type: ignore[arg-type]


def test_batches_begin_at_multiples_of_their_size() -> None:
    assert items(3, 11, BatchSize(4), 4) == [[3], [4, 5, 6, 7], [8, 9, 10]]
    assert items(5, 6, BatchSize(4), 4) == [[5]]
    assert items(5, 5, BatchSize(4), 4) == []


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_what_does_not_fit_is_halved_until_it_does(most: int, caplog: pytest.LogCaptureFixture) -> None:
    batch = BatchSize(8)
    with caplog.at_level(logging.WARNING):
        made = items(2, 30, batch, most)
    assert [item for one in made for item in one] == list(range(2, 30))
    assert batch.size == {1: 1, 2: 2, 3: 2, 5: 4}[most]
    assert len(caplog.messages) == {1: 3, 2: 2, 3: 2, 5: 1}[most]
    assert f"{batch.size} frames are decoded at a time" in caplog.messages[-1]
    assert items(0, 4, batch, most) == items(0, 4, BatchSize(batch.size), most)  # it is not tried again


def test_one_that_does_not_fit_alone_is_told() -> None:
    with pytest.raises(RenderError, match="memory is too short to decode one frame; choose a smaller"):
        items(0, 4, BatchSize(4), 0)


def test_other_failures_are_not_taken_for_it() -> None:
    def make(wanted: range, whole: range) -> None:
        torch.zeros(2) @ torch.zeros(3)

    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        list(in_batches(0, 4, BatchSize(4), make))
