"""Give memory back to the system now and then, where the C library keeps it."""

import ctypes
import threading
import time
from typing import Final

__all__ = ["Trimmer"]

_EVERY_SECONDS: Final = 60.0


class Trimmer:
    """Returns what was freed to the system, once a minute; without effect where the C library can't.

    glibc keeps an arena per thread and gives little of it back: with new threads and encoders for every
    Segment, a film of an hour would slowly fill memory with what nobody uses. More often would cost time:
    what is needed again comes back page by page.
    """

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def trim(self) -> None:
        """Trim, if a minute has passed since the last time."""
        with self._lock:
            now = time.monotonic()
            if now - self._last < _EVERY_SECONDS:
                return
            self._last = now
        try:
            ctypes.CDLL(None).malloc_trim(0)
        except (AttributeError, OSError, TypeError):
            return
