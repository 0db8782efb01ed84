"""What programs see of the music, at many moments at once."""

import numpy as np
import torch

from conftest import music
from synesthete.audio.analysis import analyse_songs
from synesthete.generators.hearing import hear_moment, hear_moments, sources

TABLES = ("spectrum", "wave", "chroma", "past", "figure")


def test_many_moments_are_heard_as_each_of_them_is() -> None:
    (timeline,) = analyse_songs(torch.from_numpy(music(6.0))[None])
    made_from = sources(timeline, TABLES)
    moments = np.array([0.0, 0.2, 1.0 / 3.0, 4.5, 5.99])

    together = hear_moments(made_from, moments, TABLES)

    for place, moment in enumerate(moments.tolist()):
        for table, alone in zip(together, hear_moment(made_from, moment, TABLES), strict=True):
            torch.testing.assert_close(table[place], alone, atol=1e-6, rtol=0)


def test_the_past_has_the_newest_first_and_nothing_before_the_song() -> None:
    (timeline,) = analyse_songs(torch.from_numpy(music(6.0))[None])
    spectrum, past = hear_moments(sources(timeline, TABLES), np.array([1.0]), ("spectrum", "past"))

    torch.testing.assert_close(past[0, 0], spectrum[0])
    assert float(past[0, :32].amax(1).min()) > 0  # one second of music
    assert float(past[0, 33:].abs().max()) == 0.0
