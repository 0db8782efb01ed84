"""Keep torch to one thread where work runs side by side, or comes in pieces too small to share."""

import threading
from collections.abc import Callable
from typing import TypeVar

from synesthete.generators.threads import single_threaded

__all__ = ["interruptible", "single_threaded"]

_POLL_SECONDS = 0.1
_Result = TypeVar("_Result")


def interruptible(action: Callable[[], _Result]) -> _Result:
    """Run something in a thread of its own, so that Ctrl-C can't get lost in a library's callback.

    Python raises it in the main thread, which only waits here; the action is let finish first.
    """
    outcome: list[_Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(action())
        except BaseException as error:  # carried to the thread that waits
            failures.append(error)

    thread = threading.Thread(target=run, name=getattr(action, "__name__", "action"))
    try:
        thread.start()
        while thread.is_alive():  # join without a timeout would hold Ctrl-C back
            thread.join(_POLL_SECONDS)
    finally:
        if thread.ident is not None:
            thread.join()
    if failures:
        raise failures[0]
    return outcome[0]
