"""Give memory back to the system between Segments, where the C library keeps it."""

import ctypes

__all__ = ["trim"]


def trim() -> None:
    """Return what was freed to the system; without effect where the C library has no ``malloc_trim``.

    glibc keeps an arena per thread and gives little of it back: with new threads and encoders for every
    Segment, a film of an hour would slowly fill memory with what nobody uses.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
