"""Batches are dealt once each, in one order, whatever the ranks, the workers and the interruptions."""

from itertools import chain, islice

from hypothesis import given
from hypothesis import strategies as st

from synesthete.training.plan import batches_of

few = st.integers(1, 5)


def loaded(first: int, steps: int, *, rank: int, ranks: int, workers: int) -> list[int]:
    """Give what a loader yields that asks its workers in turn, as torch's does."""
    own = [
        batches_of(first, rank=rank, ranks=ranks, worker=worker, workers=workers) for worker in range(workers)
    ]
    return [next(own[step % workers]) for step in range(steps)]


@given(first=st.integers(0, 1000), ranks=few, workers=few, steps=st.integers(1, 12))
def test_every_batch_is_trained_on_once(first: int, ranks: int, workers: int, steps: int) -> None:
    seen = [loaded(first, steps, rank=rank, ranks=ranks, workers=workers) for rank in range(ranks)]

    # Step after step, the ranks together go through all batches in order.
    assert list(chain.from_iterable(zip(*seen, strict=True))) == list(range(first, first + steps * ranks))


@given(ranks=few, workers=few, steps=st.integers(1, 20), data=st.data())
def test_the_order_does_not_know_the_number_of_workers(
    ranks: int, workers: int, steps: int, data: st.DataObject
) -> None:
    rank = data.draw(st.integers(0, ranks - 1))

    alone = loaded(7, steps, rank=rank, ranks=ranks, workers=1)

    assert loaded(7, steps, rank=rank, ranks=ranks, workers=workers) == alone


@given(
    size=st.integers(1, 9),
    parts=st.lists(st.tuples(few, few, st.integers(0, 6)), min_size=1, max_size=5),
)
def test_runs_that_were_interrupted_and_went_on_otherwise_saw_every_item_once(
    size: int, parts: list[tuple[int, int, int]]
) -> None:
    items: list[int] = []
    first = 0
    for ranks, workers, steps in parts:
        seen = [loaded(first, steps, rank=rank, ranks=ranks, workers=workers) for rank in range(ranks)]
        for batch in chain.from_iterable(zip(*seen, strict=True)):
            items += range(batch * size, (batch + 1) * size)
        first += ranks * steps

    assert items == list(range(first * size))


def test_a_worker_makes_no_batch_of_another() -> None:
    dealt = [
        set(islice(batches_of(3, rank=rank, ranks=3, worker=worker, workers=4), 50))
        for rank in range(3)
        for worker in range(4)
    ]

    assert sum(len(own) for own in dealt) == len(set().union(*dealt))
