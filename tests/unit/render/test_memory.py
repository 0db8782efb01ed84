"""Freed memory goes back to the system, but not all the time."""

import ctypes

import pytest

from synesthete.render import memory
from synesthete.render.memory import Trimmer


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Calls of the C library's ``malloc_trim``."""
    made: list[int] = []

    class Library:
        malloc_trim = staticmethod(made.append)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library)
    return made


def test_once_a_minute(calls: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(memory.time, "monotonic", lambda: now)
    trimmer = Trimmer()
    for now in (101.0, 159.0, 160.0, 161.0, 219.0, 221.0):  # noqa: B007 - read by the clock
        trimmer.trim()
    assert calls == [0, 0]


def test_a_library_without_it_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(memory, "_EVERY_SECONDS", 0.0)
    Trimmer().trim()
