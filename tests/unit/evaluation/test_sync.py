from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from made_films import curve_film, driven_film, noise_film, still_film
from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.evaluation.chance import compare
from synesthete.evaluation.dynamics import Dynamics, Hearing, music_sums, picture_dynamics
from synesthete.evaluation.nulls import NULL_COLUMNS, null_bank, null_columns
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.sync import Sync, explained_share, measure_sync, rv2

SECONDS = 30
Made = Callable[[str, int], Timeline]


def dynamics_of(film: Observation) -> Dynamics:
    return picture_dynamics(film, measure_picture(film))


def sync_of(film: Observation, timeline: Timeline) -> Sync:
    ticks = round(film.duration_s * 100)
    others = (song.stretched_to(ticks) for song in null_bank())
    return measure_sync(dynamics_of(film), null_columns(timeline)[:ticks], timeline.music, others)


@pytest.mark.parametrize("delay_ms", [-120, 0, 120])
def test_a_film_driven_by_its_music_beats_every_other_song_late_or_not(
    made_timeline: Made, delay_ms: int
) -> None:
    timeline = made_timeline("rhythm", 3)
    film = driven_film(timeline.column("loudness"), SECONDS, delay_s=delay_ms / 1000)
    sync = sync_of(film, timeline)
    assert sync.songs is not None
    assert sync.songs.p == pytest.approx(1 / (1 + len(null_bank())))
    assert sync.songs.effect > 0.3
    assert sync.rv2 is not None
    assert abs(delay_ms) > 0 or sync.rv2.p == sync.songs.p


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(25), Fraction(60), Fraction(120)])
def test_the_score_hardly_depends_on_the_frame_rate(made_timeline: Made, rate: Fraction) -> None:
    timeline = made_timeline("rhythm", 3)
    column = np.convolve(timeline.column("loudness"), np.hanning(9) / 4, mode="same")
    table = null_columns(timeline)[: SECONDS * 100]
    at_30 = explained_share(dynamics_of(driven_film(column, SECONDS)), table)
    other = explained_share(dynamics_of(driven_film(column, SECONDS, frame_rate=rate)), table)
    assert other == pytest.approx(at_30, abs=0.12)


def test_a_still_film_has_no_effect(made_timeline: Made) -> None:
    sync = sync_of(still_film(SECONDS), made_timeline("rhythm", 3))
    assert sync.songs is not None
    assert (sync.songs.effect, sync.songs.p, sync.songs.z) == (0.0, 1.0, None)
    assert sync.bars is not None
    assert (sync.bars.effect, sync.bars.p) == (0.0, 1.0)


def test_silent_music_explains_nothing() -> None:
    silent = np.zeros((SECONDS * 100, len(NULL_COLUMNS)), np.float32)
    others = (song.stretched_to(len(silent)) for song in null_bank())
    sync = measure_sync(dynamics_of(noise_film(SECONDS)), silent, Music(), others)
    assert sync.songs is not None
    assert (sync.songs.value, sync.songs.p) == (0.0, 1.0)


def test_a_film_whose_speed_follows_the_music_is_as_driven_as_one_whose_light_does(
    made_timeline: Made,
) -> None:
    timeline = made_timeline("rhythm", 3)
    light = driven_film(timeline.column("loudness"), SECONDS)
    moments = light.moments_s() - 1 / 60
    speed = 0.05 * np.interp(moments, np.arange(timeline.ticks) / 100, timeline.column("loudness"))
    still = still_film(SECONDS)
    film = replace(still, motion=speed.astype(np.float32))
    for driven in (light, film):
        songs = sync_of(driven, timeline).songs
        assert songs is not None
        assert songs.p == pytest.approx(1 / (1 + len(null_bank())))
        assert songs.effect > 0.3


@pytest.mark.parametrize("rate", [Fraction(60_000, 1001), Fraction(100), Fraction(30)])
def test_twenty_seconds_are_enough_at_any_frame_rate(made_timeline: Made, rate: Fraction) -> None:
    timeline = made_timeline("rhythm", 3)
    film = driven_film(timeline.column("loudness"), 20.02, frame_rate=rate)
    assert sync_of(film, timeline).songs is not None


def test_short_films_get_no_number(made_timeline: Made) -> None:
    timeline = made_timeline("rhythm", 3)
    values = sync_of(driven_film(timeline.column("loudness"), 19.9), timeline).to_json()
    assert values["status"] == "insufficient"
    assert [values[k] for k in ("r2", "null_r2", "effect", "p", "z")] == [None] * 5
    assert values["bars"]["status"] == "insufficient"


def test_a_film_driven_by_another_song_of_the_same_tempo_does_not_know_this_one() -> None:
    # Two songs on one grid of beats, with accents of their own.
    def song(seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        level = np.zeros(4000)
        for place in range(0, 4000, 25):  # eighths at 120 beats a minute
            level[place:] += 0 if random.random() < 0.35 else random.uniform(0.3, 1.0) * _decay(4000 - place)
        table = np.zeros((4000, len(NULL_COLUMNS)), np.float32)
        for name in ("loudness", "bass", "mid", "treble"):
            table[:, NULL_COLUMNS.index(name)] = level / level.max()
        table[:, NULL_COLUMNS.index("onset")] = np.maximum(0, np.diff(level, prepend=0))
        return table

    beats = tuple(np.arange(0, 40, 0.5))
    music = Music(beats=beats, downbeats=beats[::4], tempo_bpm=120.0, beats_per_bar=4)
    mine, theirs = song(1), song(2)
    film = driven_film(theirs[:, 0], 40)
    wrong = measure_sync(dynamics_of(film), mine, music, [mine])
    right = measure_sync(dynamics_of(film), theirs, music, [mine])
    assert wrong.bars is not None
    assert right.bars is not None
    assert wrong.bars.p > 0.1
    assert right.bars.p == pytest.approx(1 / (1 + right.bars.count))


def _decay(ticks: int) -> np.ndarray:
    return np.exp(-np.arange(ticks) / 8)


@pytest.mark.slow
def test_unrelated_films_and_songs_are_called_synced_as_often_as_chance_allows(made_timeline: Made) -> None:
    """Over 200 pairs of a film and a song it has nothing to do with, p < 0.05 comes as often as it should."""
    bank = list(null_bank())
    strangers = [made_timeline("rhythm", seed) for seed in range(20, 26)]
    strangers += [made_timeline("texture", seed) for seed in range(2)]
    ticks, found = 24 * 100, []
    for number, song in enumerate(bank[::4]):
        column = song.table[:, NULL_COLUMNS.index(("loudness", "onset", "bass")[number % 3])]
        film = dynamics_of(driven_film(column, 24, seed=number))
        nulls = [
            explained_share(film, other.stretched_to(ticks)) for other in bank if other.name != song.name
        ]
        for stranger in strangers:
            found.append(compare(explained_share(film, null_columns(stranger)[:ticks]), nulls).p)
    assert len(found) >= 200
    low, high = stats.binom.interval(0.99, len(found), 0.05)
    assert low <= sum(p < 0.05 for p in found) <= high


def test_rv2_is_that_of_the_definition() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 5)), random.normal(size=(40, 3))
    y[:, 0] += x[:, 0]

    def similarities(rows: np.ndarray) -> np.ndarray:
        centred = rows - rows.mean(axis=0)
        products = centred @ centred.T
        return products - np.diag(np.diag(products))

    a, b = similarities(x), similarities(y)
    expected = np.trace(a @ b) / np.sqrt(np.trace(a @ a) * np.trace(b @ b))
    assert rv2(x, y) == pytest.approx(expected, abs=1e-12)
    assert rv2(x, x) == pytest.approx(1.0)
    assert rv2(x, np.ones((40, 2))) == 0.0


def test_the_explained_share_is_that_of_plain_ridge_regression(made_timeline: Made) -> None:
    """Everything comes from sums of products; fitting row by row gives the same."""
    timeline = made_timeline("rhythm", 3)
    table = null_columns(timeline)[: SECONDS * 100]
    film = dynamics_of(driven_film(timeline.column("bass"), SECONDS))
    assert explained_share(film, table) == pytest.approx(_plainly(film, table), abs=2e-3)


def _plainly(film: Dynamics, table: np.ndarray) -> float:
    x = Hearing(film.moments_s, len(table)).around(music_sums(table)).astype(np.float64)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)
    y = film.values - film.values.mean(axis=0)
    at = np.arange(len(y)) / film.rate
    block = np.minimum(at // 5, np.ceil(len(y) / film.rate / 5) - 1).astype(int)
    errors, total = np.zeros(2), np.zeros(2)
    for fold in range(5):
        test = block % 5 == fold
        near = np.zeros(len(y), bool)
        for number in np.unique(block):
            begin, end = number * 5.0, number * 5.0 + 5.0
            if (number + 1) % 5 == fold:
                near |= (block == number) & (at - begin >= 5.0 - 0.9)
            if (number - 1) % 5 == fold:
                near |= (block == number) & (at - begin < 0.9)
            assert end > begin
        fit = ~test & ~near
        mean_x, mean_y = x[fit].mean(axis=0), y[fit].mean(axis=0)
        a = (x[fit] - mean_x).T @ (x[fit] - mean_x) + 0.6 * fit.sum() * np.eye(x.shape[1])
        weights = np.linalg.solve(a, (x[fit] - mean_x).T @ (y[fit] - mean_y))
        predicted = mean_y + (x[test] - mean_x) @ weights
        errors += ((y[test] - predicted) ** 2).sum(axis=0)
        total += ((y[test] - mean_y) ** 2).sum(axis=0)
    return float(np.max(1 - errors / total, initial=0.0))


def test_a_cut_does_not_outweigh_the_rest() -> None:
    curve = np.full(900, 0.3)
    curve[450:] = 0.9
    values = dynamics_of(curve_film(curve)).values
    assert np.abs(values).max() < 3
