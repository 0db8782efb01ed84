from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from made_films import curve_film, driven_film, noise_film, still_film
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.evaluation.lag import Lag, measure_lag
from synesthete.evaluation.nulls import NULL_COLUMNS, null_columns
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import measure_picture

SECONDS = 30
Made = Callable[[str, int], Timeline]


def lag_of(film: Observation, table: np.ndarray) -> Lag:
    return measure_lag(film, measure_picture(film), table)


@pytest.mark.parametrize("delay_ms", [-120, -45, 0, 20, 77, 120])
@pytest.mark.parametrize("column", ["loudness", "bass", "onset"])
def test_a_known_delay_is_found_within_ten_milliseconds(
    made_timeline: Made, column: str, delay_ms: int
) -> None:
    timeline = made_timeline("rhythm", 3)
    film = driven_film(timeline.column(column), SECONDS, delay_s=delay_ms / 1000)
    lag = lag_of(film, null_columns(timeline))
    assert lag.status == "ok"
    assert lag.ms == pytest.approx(delay_ms, abs=10)
    assert lag.interval_ms is not None
    assert lag.interval_ms[0] - 5 <= delay_ms <= lag.interval_ms[1] + 5


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30_000, 1001), Fraction(60), Fraction(120)])
def test_the_lag_does_not_depend_on_the_frame_rate(made_timeline: Made, rate: Fraction) -> None:
    timeline = made_timeline("rhythm", 3)
    film = driven_film(timeline.column("loudness"), SECONDS, delay_s=0.03, frame_rate=rate)
    assert lag_of(film, null_columns(timeline)).ms == pytest.approx(30, abs=10)


def test_a_film_whose_speed_follows_the_music_is_not_late(made_timeline: Made) -> None:
    """Its motion is a difference of frames, half a frame before the later one."""
    timeline = made_timeline("rhythm", 3)
    moments = Clock(Fraction(30)).moments(0, SECONDS * 30)
    loudness = np.interp(moments - 1 / 60, np.arange(timeline.ticks) / 100, timeline.column("loudness"))
    still = still_film(SECONDS)
    film = Observation(
        still.size,
        still.frame_rate,
        still.grid,
        (0.05 * loudness).astype(np.float32),
        still.look_frames,
        still.looks,
    )
    assert lag_of(film, null_columns(timeline)).ms == pytest.approx(0, abs=10)


def test_edges_that_do_not_agree_have_no_lag(made_timeline: Made) -> None:
    lag = lag_of(noise_film(SECONDS), null_columns(made_timeline("rhythm", 3)))
    assert (lag.ms, lag.interval_ms, lag.status) == (None, None, "weak")


def test_even_pulses_have_no_lag_that_could_be_told() -> None:
    """Pulses every 200 ms agree as well one pulse later."""
    level = np.tile(np.exp(-np.arange(20) / 4), 150).astype(np.float32)
    table = np.zeros((3000, len(NULL_COLUMNS)), np.float32)
    table[:, NULL_COLUMNS.index("loudness")] = level
    lag = lag_of(driven_film(level, SECONDS), table)
    assert (lag.ms, lag.status) == (None, "periodic")


def test_pictures_that_follow_one_part_of_the_sound_early_and_another_late_have_no_lag(
    made_timeline: Made,
) -> None:
    table = null_columns(made_timeline("rhythm", 3)).copy()
    level = table[:, NULL_COLUMNS.index("loudness")]
    table[:, NULL_COLUMNS.index("treble")] = np.roll(level, 25)
    lag = lag_of(driven_film(level, SECONDS), table)
    assert (lag.ms, lag.status) == (None, "periodic")


def test_a_film_that_is_later_than_is_looked_for_says_so(made_timeline: Made) -> None:
    timeline = made_timeline("rhythm", 5)
    level = np.convolve(timeline.column("loudness"), np.hanning(80) / 40, mode="same")
    table = np.zeros((len(level), len(NULL_COLUMNS)), np.float32)
    table[:, NULL_COLUMNS.index("loudness")] = level
    assert lag_of(driven_film(level, SECONDS, delay_s=0.33), table).status == "outside"


@pytest.mark.parametrize("film", [still_film(SECONDS), curve_film(np.full(900, 1.0))])
def test_a_still_film_has_no_lag(film: Observation, made_timeline: Made) -> None:
    assert lag_of(film, null_columns(made_timeline("rhythm", 3))).status == "weak"


def test_short_films_have_no_lag(made_timeline: Made) -> None:
    timeline = made_timeline("rhythm", 3)
    film = driven_film(timeline.column("loudness"), 19)
    assert lag_of(film, null_columns(timeline)).status == "insufficient"


def test_what_is_undetermined_is_null_in_json() -> None:
    assert Lag(None, None, "weak").to_json() == {
        "lag_ms": None,
        "lag_interval_ms": None,
        "lag_status": "weak",
        "lag_correlation": 0.0,
        "lag_of": None,
    }
