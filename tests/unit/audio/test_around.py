"""What is heard around moments, beyond the ends of a song too."""

from fractions import Fraction

import numpy as np

from made_subjects import made_timeline
from synesthete.audio.around import rows_around, silent_row
from synesthete.audio.columns import COLUMN_NAMES

NAMES = ("loudness", "onset", "silence", "mfcc_0")


def test_inside_a_song_rows_are_the_timelines() -> None:
    timeline = made_timeline(2.0)
    rows = rows_around(timeline, NAMES, Fraction(30), 0, 60)
    assert np.array_equal(rows, timeline.at_frames(Fraction(30), NAMES))


def test_beyond_its_ends_it_is_silent() -> None:
    silence = dict(zip(COLUMN_NAMES, silent_row().tolist(), strict=True))
    assert silence["silence"] == 1.0
    assert silence["loudness"] == 0.0
    timeline = made_timeline(1.0)
    rows = rows_around(timeline, NAMES, Fraction(30), -5, 40)
    still = np.array([silence[name] for name in NAMES], np.float32)
    assert (rows[:5] == still).all()
    assert (rows[35:] == still).all()
    assert np.array_equal(rows[5:35], rows_around(timeline, NAMES, Fraction(30), 0, 30))
    assert (rows_around(timeline, NAMES, Fraction(30), 90, 95) == still).all()
