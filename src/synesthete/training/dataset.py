"""The endless data set: batches dealt to ranks and workers, in one order, from any step on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from synesthete.audio.embeddings import Embedder
from synesthete.config.data import DataConfig
from synesthete.errors import SynestheteError
from synesthete.training.items import Batch, Item, make_items, stack
from synesthete.training.music import Music
from synesthete.training.plan import batches_of
from synesthete.training.songs import Songs

__all__ = [
    "BatchDataset",
    "BatchLoader",
    "BatchSource",
    "BatchesAnew",
    "ClipBatches",
    "ClipLoader",
    "ItemSource",
    "LiveItems",
]

ItemSource = Callable[[Sequence[int]], list[Item]]
"""Gives items by their numbers."""

BatchSource = Callable[[int], Any]
"""Makes a batch by its number; it travels to other processes."""


class LiveItems:
    """Makes items as they are asked for; each process keeps the songs that it used last.

    Parameters
    ----------
    config
        What the items are.
    music
        The opened folder of recorded music, if some is mixed in.
    device
        Where sound is measured and clips are drawn; items come back on the CPU.
    embedder
        The opened network of ``config.embedding``, if there is one.
    """

    def __init__(
        self,
        config: DataConfig,
        music: Music | None = None,
        *,
        device: torch.device | str = "cpu",
        embedder: Embedder | None = None,
    ) -> None:
        self._config, self._music, self._device, self._embedder = config, music, device, embedder
        self._songs = Songs(config, music, device=device, embedder=embedder)

    def __call__(self, numbers: Sequence[int]) -> list[Item]:
        """Make items."""
        return make_items(self._config, numbers, self._songs, device=self._device)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without the songs."""
        return _live, (self._config, self._music, self._device, self._embedder)


def _live(
    config: DataConfig, music: Music | None, device: torch.device | str, embedder: Embedder | None
) -> LiveItems:
    return LiveItems(config, music, device=device, embedder=embedder)


class ClipBatches:
    """Makes batches of clips by their numbers.

    Parameters
    ----------
    config
        What the items are.
    read
        Gives items; by default they are made.
    """

    def __init__(self, config: DataConfig, read: ItemSource | None = None) -> None:
        self._size, self._read = config.batch_size, read or LiveItems(config)

    def __call__(self, number: int) -> Batch:
        """Make a batch."""
        return stack(self._read(range(number * self._size, (number + 1) * self._size)))


class BatchDataset(IterableDataset[Any]):
    """Batches ``first + rank``, ``first + rank + ranks``, …; of several workers, each makes its part.

    Parameters
    ----------
    make
        Makes a batch by its number.
    first
        The first batch of all ranks.
    stop
        The batch before which it ends; by default it doesn't.
    rank, ranks
        Which of how many processes train.
    """

    def __init__(
        self, make: BatchSource, *, first: int = 0, stop: int | None = None, rank: int = 0, ranks: int = 1
    ) -> None:
        self._make = make
        self._first, self._stop = first, stop
        self._rank, self._ranks = rank, ranks

    def __iter__(self) -> Iterator[Any]:
        """Give the batches of this worker; where one can't be made, the error in its place."""
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        for number in batches_of(
            self._first, rank=self._rank, ranks=self._ranks, worker=worker, workers=workers
        ):
            if self._stop is not None and number >= self._stop:
                return
            try:
                batch = self._make(number)
            except SynestheteError as error:
                # Raised in a worker it would come out as a traceback in a sentence's place.
                yield error
                return
            yield batch


class BatchLoader:
    """Loads batches, by worker processes if there are any, and knows where to go on.

    Every pass goes on where the last one was left. The order of batches depends on neither the number of
    workers nor the steps at which loading was interrupted.

    Parameters
    ----------
    make, rank, ranks, stop
        As for `BatchDataset`.
    workers
        Processes that make batches; 0: this one does.
    consumed
        Tells how many batches, of all ranks, were trained on: where it is given, the next pass begins there,
        whatever was loaded ahead.
    """

    def __init__(
        self,
        make: BatchSource,
        *,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        stop: int | None = None,
        consumed: Callable[[], int] | None = None,
    ) -> None:
        self._make, self._workers = make, workers
        self._rank, self._ranks, self._stop = rank, ranks, stop
        self._consumed = consumed
        self._next = 0

    def __iter__(self) -> Iterator[Any]:
        """Load batches from where the last pass was left."""
        first = self._position()
        dataset = BatchDataset(self._make, first=first, stop=self._stop, rank=self._rank, ranks=self._ranks)
        loaded = DataLoader(dataset, batch_size=None, num_workers=self._workers)
        for step, batch in enumerate(loaded, start=1):
            if isinstance(batch, SynestheteError):
                raise batch
            self._next = first + step * self._ranks
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Say which batch is the next one, of all ranks."""
        return {"next_batch": self._position()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on at the batch that a state names: at the next pass."""
        self._next = int(state["next_batch"])

    def _position(self) -> int:
        return self._next if self._consumed is None else self._consumed()


class BatchesAnew(BatchLoader):
    """A loader of a known length, whose every pass is the same.

    Parameters
    ----------
    batches
        How many, on each rank.
    """

    def __init__(
        self, make: BatchSource, *, batches: int, workers: int = 0, rank: int = 0, ranks: int = 1
    ) -> None:
        super().__init__(
            make, workers=workers, rank=rank, ranks=ranks, stop=batches * ranks, consumed=lambda: 0
        )
        self._batches = batches

    def __len__(self) -> int:
        return self._batches


class ClipLoader(BatchLoader):
    """Loads batches of clips; see `BatchLoader`.

    Parameters
    ----------
    config, read
        As for `ClipBatches`.

    Examples
    --------
    >>> loader = ClipLoader(DataConfig(batch_size=4))
    >>> loader.load_state_dict({"next_batch": 7})
    >>> loader.state_dict()
    {'next_batch': 7}
    """

    def __init__(self, config: DataConfig, read: ItemSource | None = None, **given: Any) -> None:
        super().__init__(ClipBatches(config, read), **given)
