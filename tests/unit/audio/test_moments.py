"""The telling moments of songs whose form is known."""

import numpy as np
import pytest

from made_timelines import quiet_timeline
from synesthete.audio.moments import telling_moments


def levels(*parts: tuple[float, float]) -> np.ndarray:
    return np.concatenate([np.full(round(seconds * 100), level, np.float32) for seconds, level in parts])


def test_the_drop_is_where_it_gets_louder_and_the_build_before_it() -> None:
    loudness = levels((10, 0.5), (6, 0.3), (14, 0.9), (10, 0.6))
    song = quiet_timeline(40, loudness=loudness, bass=loudness, onsets=(16.2,))

    moments = telling_moments(song)

    assert moments["drop"] == pytest.approx(16.2, abs=0.02)
    assert moments["build"] == pytest.approx(14.2, abs=0.02)
    assert 10 < moments["quiet"] < 16
    assert abs(moments["return"] - moments["drop"]) >= 5


def test_silence_is_not_the_quiet_moment() -> None:
    loudness = levels((10, 0.6), (5, 0.0), (10, 0.4), (10, 0.8))
    song = quiet_timeline(35, loudness=loudness, bass=loudness, silences=((10.0, 15.0),))

    assert not 9.5 < telling_moments(song)["quiet"] < 15.5


@pytest.mark.parametrize("seconds", [0.5, 4.0, 11.9, 12.0, 13.0, 20.0])
def test_moments_lie_inside_songs_of_any_length(seconds: float) -> None:
    moments = telling_moments(quiet_timeline(seconds, loudness=0.5))

    assert list(moments) == ["quiet", "build", "drop", "return"]
    assert all(0 <= moment < seconds for moment in moments.values())
