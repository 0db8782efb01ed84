"""Which band moves what, what silence does, and whether loud music moves more: on films made to answer so."""

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from made_films import curve_film, still_film
from made_timelines import quiet_timeline
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.response import PICTURE_VARIABLES, measure_response
from synesthete.seeding import generator_for


def answer(film: Observation, timeline: Timeline | None) -> dict[str, Any]:
    values = measure_response(film, measure_picture(film), timeline)
    json.dumps(values, allow_nan=False)
    return values


def bands(seconds: float, *, shared: float = 0.0) -> dict[str, np.ndarray]:
    """Give eight levels that rise and fall by themselves, smoothly, with a part that they share."""
    random = generator_for(0, "bands", 0)
    ticks = round(seconds * 100)
    kernel = np.hanning(15) / np.hanning(15).sum()
    common = random.normal(0, 1, ticks)
    curves = {}
    for band in range(8):
        own = (1 - shared) * random.normal(0, 1, ticks) + shared * common
        curves[f"band_{band}"] = np.clip(0.5 + 0.35 * np.convolve(own, kernel, mode="same"), 0, 1)
    return curves


def film_of(column: np.ndarray, seconds: float, rate: Fraction = Fraction(30)) -> Observation:
    moments = Clock(rate).moments(0, int(seconds * rate))
    return curve_film(0.1 + 0.8 * np.interp(moments, np.arange(len(column)) / 100, column), rate)


# Bands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("band", [0, 3, 7])
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_the_band_that_drives_the_light_is_found_among_bands_that_rise_with_it(
    band: int, shared: float
) -> None:
    levels = bands(30, shared=shared)
    timeline = quiet_timeline(30, loudness=0.5, **levels)
    response = answer(film_of(levels[f"band_{band}"], 30), timeline)["response"]
    gains = response["bands"]["brightness"]
    assert response["strongest"]["brightness"] == band
    assert gains[band] > 0.8
    assert max(abs(gain) for place, gain in enumerate(gains) if place != band) < 0.25
    assert set(response["bands"]) == set(response["strongest"]) == set(PICTURE_VARIABLES)


def test_a_band_that_darkens_has_a_negative_gain() -> None:
    levels = bands(30)
    response = answer(film_of(1 - levels["band_2"], 30), quiet_timeline(30, **levels))["response"]
    assert response["bands"]["brightness"][2] < -0.8
    assert response["strongest"]["brightness"] == 2


def test_what_never_changes_answers_to_nothing() -> None:
    values = answer(still_film(30), quiet_timeline(30, **bands(30)))["response"]
    assert values["bands"] == {name: [0.0] * 8 for name in PICTURE_VARIABLES}
    assert values["strongest"] == dict.fromkeys(PICTURE_VARIABLES)
    assert values["loudness_to_motion"] is None


def test_music_that_never_changes_moves_nothing() -> None:
    film = film_of(bands(30)["band_0"], 30)
    values = answer(film, quiet_timeline(30, loudness=0.5))["response"]
    assert values["bands"]["brightness"] == [0.0] * 8
    assert values["strongest"]["brightness"] is None


def test_what_changes_slowly_hides_no_answer() -> None:
    rise = np.linspace(0, 1, 6000)
    levels = {**bands(60), "band_4": rise}
    film = film_of(0.7 * rise + 0.1 * levels["band_1"], 60)
    response = answer(film, quiet_timeline(60, **levels))["response"]
    assert response["strongest"]["brightness"] == 1
    assert response["bands"]["brightness"][1] > 0.8


# Silence ---------------------------------------------------------------------------------------------------


def restful(silent_motion: float, *, rate: int = 30) -> Observation:
    """Give a film of 20 s: motion 0.04 but in its silence from 8 to 12 s, of which a second is a coda."""
    film = still_film(20, Fraction(rate))
    motion = np.full(film.frames, 0.04, np.float32)
    motion[8 * rate : 9 * rate] = 0.03
    motion[9 * rate : 12 * rate] = silent_motion
    motion[0] = 0.0
    return Observation(film.size, film.frame_rate, film.grid, motion, film.look_frames, film.looks)


SILENT = quiet_timeline(20, loudness=0.6, silences=((8, 12),))


@pytest.mark.parametrize(("silent_motion", "ratio"), [(0.0, 0.0), (0.004, 0.1), (0.04, 1.0)])
@pytest.mark.parametrize("rate", [24, 30, 60])
def test_silence_counts_from_a_second_after_it_begins(silent_motion: float, ratio: float, rate: int) -> None:
    silence = answer(restful(silent_motion, rate=rate), SILENT)["silence"]
    assert silence["motion_ratio"] == pytest.approx(ratio, abs=1e-4)
    assert silence["brightness_ratio"] == pytest.approx(1.0, abs=1e-4)
    assert silence["seconds"] == pytest.approx(3.0, abs=0.05)


def test_brightness_in_silence_is_compared_too() -> None:
    curve = np.full(600, 0.6)
    curve[30 * 9 : 30 * 12] = 0.15
    silence = answer(curve_film(curve), SILENT)["silence"]
    assert silence["brightness_ratio"] == pytest.approx(0.25, abs=0.01)


def test_a_rest_is_no_silence_and_no_loud_passage_either() -> None:
    rest = quiet_timeline(20, loudness=0.6, silences=((8, 9.4),))
    assert answer(restful(0.0), rest)["silence"] == {
        "motion_ratio": None,
        "brightness_ratio": None,
        "seconds": 0.0,
    }


def test_without_anything_loud_there_is_nothing_to_compare_silence_with() -> None:
    silent = quiet_timeline(20, silences=((0, 20),))
    values = answer(restful(0.0), silent)["silence"]
    assert values["motion_ratio"] is None
    assert values["seconds"] == pytest.approx(19, abs=0.05)
    still = answer(still_film(20), SILENT)["silence"]
    assert still["motion_ratio"] is None  # loud passages have no motion
    assert still["brightness_ratio"] == pytest.approx(1.0)


def test_a_film_without_music_has_no_response() -> None:
    values = answer(still_film(20), None)
    assert values["response"] == {"bands": None, "strongest": None, "loudness_to_motion": None}
    assert values["silence"] == {"motion_ratio": None, "brightness_ratio": None, "seconds": None}


# Loudness --------------------------------------------------------------------------------------------------


def film_that_moves(per_second: np.ndarray) -> Observation:
    film = still_film(len(per_second))
    motion = np.repeat(per_second, 30).astype(np.float32)
    return Observation(film.size, film.frame_rate, film.grid, motion, film.look_frames, film.looks)


def test_loudness_and_motion_are_compared_by_their_ranks() -> None:
    random = generator_for(0, "loudness", 0)
    loudness = random.uniform(0.2, 0.9, 40)
    moves = 0.02 * loudness**4 + random.uniform(0, 0.003, 40)
    timeline = quiet_timeline(40, loudness=np.repeat(loudness, 100))
    expected = float(spearmanr(loudness, moves).statistic)
    measured = answer(film_that_moves(moves), timeline)["response"]["loudness_to_motion"]
    assert measured == pytest.approx(expected, abs=0.02)
    opposite = answer(film_that_moves(0.02 - 0.02 * loudness), timeline)["response"]["loudness_to_motion"]
    assert opposite == pytest.approx(-1.0, abs=0.02)


def test_ties_share_their_rank() -> None:
    loudness = np.repeat([0.2, 0.4, 0.4, 0.8, 0.8, 0.8], 2)
    moves = np.tile([0.01, 0.02, 0.03], 4)
    timeline = quiet_timeline(12, loudness=np.repeat(loudness, 100))
    measured = answer(film_that_moves(moves), timeline)["response"]["loudness_to_motion"]
    assert measured == pytest.approx(float(spearmanr(loudness, moves).statistic), abs=0.06)


def test_short_films_and_constant_music_have_no_rank_correlation() -> None:
    rising = film_that_moves(np.linspace(0.01, 0.02, 9))
    loud = quiet_timeline(9, loudness=np.linspace(0.2, 0.8, 900))
    assert answer(rising, loud)["response"]["loudness_to_motion"] is None
    steady = quiet_timeline(20, loudness=0.5)
    moving = film_that_moves(np.linspace(0.01, 0.02, 20))
    assert answer(moving, steady)["response"]["loudness_to_motion"] is None
