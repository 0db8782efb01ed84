"""Which of many alike cases run in ``make test``, and which need the patience of ``make test-all``."""

from collections.abc import Container, Iterable
from typing import Any

import pytest

__all__ = ["mostly_slow"]


def mostly_slow(cases: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """Mark all cases as slow but the quick ones: a sample that stands for the others."""
    return [
        case if case in quick else pytest.param(case, marks=pytest.mark.slow, id=str(case)) for case in cases
    ]
