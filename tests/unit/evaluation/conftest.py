"""Music that was analysed once for all tests of this folder; none of it is in the bank of other songs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from made_rhythm import rhythm_song
from made_songs import texture_song
from synesthete.audio.analysis import analyse_stream
from synesthete.audio.timeline import Timeline

SECONDS = 36.0


@pytest.fixture(scope="session")
def made_timeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Timeline]:
    """Give the Timeline of a made song: ``rhythm`` or ``texture``, and its seed."""
    folder = tmp_path_factory.mktemp("made")

    @cache
    def make(kind: str, seed: int) -> Timeline:
        sound = rhythm_song(seed, SECONDS).sound if kind == "rhythm" else texture_song(seed).sound
        place: Path = folder / f"{kind}-{seed}"
        return analyse_stream([sound[None, : int(SECONDS * 44_100)].astype("float32")], place)

    return make
