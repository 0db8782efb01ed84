"""The manner of a song: tight songs leave silence between attacks, loops repeat exactly."""

from dataclasses import replace

import numpy as np
import pytest

from synesthete.audio.compose import compose
from synesthete.audio.compose.drums import score_drums
from synesthete.audio.compose.genres import GENRES
from synesthete.audio.compose.manner import in_manner, looped
from synesthete.audio.compose.percussion import Kit
from synesthete.audio.compose.plan import Plan, draw_plan
from synesthete.audio.compose.tunes import score_tunes


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def plan_of(index: int, genre: str | None = None) -> Plan:
    return draw_plan(9, index, seconds=20.0, genre=genre, bpm=None, metre=None, key=None)


def a_loop(genre: str) -> int:
    """Give the index of a song that is a loop."""
    for index in range(400):
        plan = plan_of(index, genre)
        if plan.recipe.loop_bars and plan.form.bars >= 2 * plan.recipe.loop_bars:
            return index
    raise AssertionError(f"no loop in 400 songs of {genre}")


def test_four_songs_in_ten_are_tight_and_some_are_loops_but_none_without_a_beat() -> None:
    songs = [in_manner(rng(seed), GENRES["jazz"]) for seed in range(600)]
    assert 0.3 < np.mean([song.tight > 0 for song in songs]) < 0.5
    assert 0.06 < np.mean([song.loop_bars > 0 for song in songs]) < 0.18
    assert all(in_manner(rng(seed), GENRES["drift"]) == GENRES["drift"] for seed in range(100))


@pytest.mark.parametrize("genre", ["funk", "techno", "tabla"])
def test_every_turn_of_a_loop_is_the_same_as_the_first(genre: str) -> None:
    plan = plan_of(a_loop(genre), genre)
    bars = plan.recipe.loop_bars
    start, stop = plan.bar_start(0), plan.bar_start(bars)
    for line in (*score_drums(plan), *score_tunes(plan)):
        again = looped(plan, line)
        turns = -(-plan.form.bars // bars)
        assert len(again.starts_s) % turns == 0
        moments = again.starts_s.reshape(turns, -1)
        assert np.allclose(moments - (stop - start) * np.arange(turns)[:, None], moments[0])
        assert (again.pitches.reshape(turns, -1) == again.pitches.reshape(turns, -1)[0]).all()
        assert (moments[0] < stop).all()
        assert (moments[0] + again.lengths_s.reshape(turns, -1)[0] < stop + 1e-9).all()


def test_the_beats_of_a_loop_keep_their_places_in_it() -> None:
    plan = plan_of(a_loop("funk"), "funk")
    assert np.allclose(np.diff(plan.tempo.beats), plan.tempo.beat_s)


def test_a_song_that_is_no_loop_is_left_alone() -> None:
    plan = next(plan for plan in map(plan_of, range(50)) if not plan.recipe.loop_bars and plan.recipe.pulse)
    line = score_drums(plan)[0]
    assert looped(plan, line) is line


@pytest.mark.parametrize("drum", ["hat", "clap", "crash"])
def test_a_tight_kit_dies_away_sooner(drum: str) -> None:
    def late_share(tight: float) -> float:
        power = Kit(rng(4), tight=tight).strike(drum, 0) ** 2
        return float(power[len(power) // 4 :].sum() / power.sum())

    assert late_share(1.0) < 0.75 * late_share(0.0)


def test_tight_notes_are_shorter() -> None:
    plan = next(plan for plan in (plan_of(index, "house") for index in range(50)) if not plan.recipe.tight)
    tight = replace(plan, recipe=replace(plan.recipe, tight=1.0))
    bass, short = (score_tunes(each)[0] for each in (plan, tight))
    assert (bass.starts_s == short.starts_s).all()
    assert np.mean(short.lengths_s) < 0.7 * np.mean(bass.lengths_s)


def test_a_loop_is_heard_in_the_truth() -> None:
    index = a_loop("techno")
    plan = plan_of(index, "techno")
    truth = compose(9, index, seconds=20.0, genre="techno").truth
    turn = plan.bar_start(plan.recipe.loop_bars) - plan.bar_start(0)
    kicks = np.array([note.start_s for note in truth.notes if note.voice == "kick"])
    inside = kicks[kicks + turn < truth.seconds - 0.1]
    assert len(inside) > 8
    assert np.abs(inside[:, None] + turn - kicks).min(axis=1).max() < 1e-3


def test_any_hundred_songs_have_their_three_without_a_beat() -> None:
    still = np.array([not plan_of(index).recipe.pulse for index in range(400)])
    assert all(2 <= count <= 5 for count in np.add.reduceat(still.astype(int), [0, 100, 200, 300]))
