"""Silences: which stretches count, and where they begin and end."""

import numpy as np
import pytest

from synesthete.audio.silences import find_silences


def column(*parts: tuple[float, int]) -> np.ndarray:
    values, counts = zip(*parts, strict=True)
    return np.repeat(np.array(values, np.float32), counts)


def test_each_stretch_has_its_ends() -> None:
    silence = column((1, 50), (0, 100), (0.5, 40), (0.49, 10), (0.9, 30))
    assert find_silences(silence) == ((0.0, 0.5), (1.5, 1.9), (2.0, 2.3))


def test_a_rest_is_no_silence() -> None:
    assert find_silences(column((0, 10), (1, 29), (0, 10))) == ()
    assert find_silences(column((0, 10), (1, 29), (0, 10)), shortest_s=0.2) == ((0.1, 0.39),)


@pytest.mark.parametrize(("value", "expected"), [(1.0, ((0.0, 1.0),)), (0.0, ())])
def test_all_or_nothing(value: float, expected: tuple[tuple[float, float], ...]) -> None:
    assert find_silences(column((value, 100))) == expected
