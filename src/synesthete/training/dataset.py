"""The endless data set: batches dealt to ranks and workers, in one order, from any step on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from synesthete.audio.embeddings import Embedder
from synesthete.config.data import DataConfig
from synesthete.training.items import Batch, Item, make_items, stack
from synesthete.training.music import Music
from synesthete.training.plan import batches_of
from synesthete.training.songs import Songs

__all__ = ["ClipDataset", "ClipLoader", "ItemSource", "LiveItems"]

ItemSource = Callable[[Sequence[int]], list[Item]]
"""Gives items by their numbers."""


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


class ClipDataset(IterableDataset[Batch]):
    """Batches ``first + rank``, ``first + rank + ranks``, …; of several workers, each makes its part.

    Parameters
    ----------
    config
        What the items are.
    read
        Gives items; by default they are made.
    first
        The first batch of all ranks.
    stop
        The batch before which it ends; by default it doesn't.
    rank, ranks
        Which of how many processes train.
    """

    def __init__(
        self,
        config: DataConfig,
        read: ItemSource | None = None,
        *,
        first: int = 0,
        stop: int | None = None,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self._config = config
        self._read = read or LiveItems(config)
        self._first, self._stop = first, stop
        self._rank, self._ranks = rank, ranks

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches of this worker."""
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        size = self._config.batch_size
        for number in batches_of(
            self._first, rank=self._rank, ranks=self._ranks, worker=worker, workers=workers
        ):
            if self._stop is not None and number >= self._stop:
                return
            yield stack(self._read(range(number * size, (number + 1) * size)))


class ClipLoader:
    """Loads batches, by worker processes if there are any, and knows where to go on.

    Every pass goes on where the last one was left. The order of batches depends on neither the number of
    workers nor the steps at which loading was interrupted.

    Parameters
    ----------
    config, read, rank, ranks, stop
        As for `ClipDataset`.
    workers
        Processes that make batches; 0: this one does.
    consumed
        Tells how many batches, of all ranks, were trained on: where it is given, the next pass begins there,
        whatever was loaded ahead.

    Examples
    --------
    >>> loader = ClipLoader(DataConfig(batch_size=4))
    >>> loader.load_state_dict({"next_batch": 7})
    >>> loader.state_dict()
    {'next_batch': 7}
    """

    def __init__(
        self,
        config: DataConfig,
        read: ItemSource | None = None,
        *,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        stop: int | None = None,
        consumed: Callable[[], int] | None = None,
    ) -> None:
        self._config, self._read, self._workers = config, read or LiveItems(config), workers
        self._rank, self._ranks, self._stop = rank, ranks, stop
        self._consumed = consumed
        self._next = 0

    def __iter__(self) -> Iterator[Batch]:
        """Load batches from where the last pass was left."""
        first = self._position()
        dataset = ClipDataset(
            self._config, self._read, first=first, stop=self._stop, rank=self._rank, ranks=self._ranks
        )
        loaded = DataLoader(dataset, batch_size=None, num_workers=self._workers)
        for step, batch in enumerate(loaded, start=1):
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
