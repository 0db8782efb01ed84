"""What a song is like as a whole."""

import numpy as np
import pytest

from made_timelines import quiet_timeline
from synesthete.audio.moments import telling_character


@pytest.mark.parametrize(
    ("loudness", "centroid", "expected"),
    [
        (0.8, 4000.0, (True, True)),
        (0.8, 900.0, (True, False)),
        (0.5, 4000.0, (False, True)),
        (0.5, 900.0, (False, False)),
    ],
)
def test_songs_are_energetic_and_bright_or_not(
    loudness: float, centroid: float, expected: tuple[bool, bool]
) -> None:
    song = quiet_timeline(10, loudness=loudness, centroid=np.full(1000, centroid))

    assert telling_character(song) == expected


def test_silence_does_not_count() -> None:
    centroid = np.full(1000, 4000.0)
    half = quiet_timeline(10, loudness=0.8, centroid=centroid, silences=((2.0, 9.0),))
    none = quiet_timeline(10, silences=((0.0, 10.0),))

    assert telling_character(half) == (True, True)
    assert telling_character(none) == (False, False)
