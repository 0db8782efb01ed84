"""Do jobs in several processes."""

import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

__all__ = ["each"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def each(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int, *, together: int = 1
) -> Iterator[Result]:
    """Do jobs, in this process or in several; results come as they are ready, in any order.

    Parameters
    ----------
    function
        Of a module, so that another process finds it.
    workers
        Processes; with 1 none is started.
    together
        Jobs that a process is sent at once; what they share is sent once.
    """
    if workers <= 1 or len(jobs) <= 1:
        yield from map(function, jobs)
        return
    import multiprocessing

    context: Any = multiprocessing.get_context(
        "spawn"
    )  # not forked: torch's threads and a fork don't go together
    alone = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is this process's to answer, which then ends them
    with context.Pool(min(workers, len(jobs)), signal.signal, alone) as pool:
        yield from pool.imap_unordered(function, jobs, together)
