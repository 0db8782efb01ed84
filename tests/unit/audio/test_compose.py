"""Composed songs: what their truth says is what sounds."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from mir_eval.beat import f_measure

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.compose import Composition, Truth, compose
from synesthete.audio.compose.genres import BEATLESS, GENRES
from synesthete.audio.compose.plan import draw_plan
from synesthete.audio.compose.theory import SCALES, parse_key
from synesthete.audio.features import measure
from synesthete.audio.listening import listen_through
from synesthete.audio.music import Music
from synesthete.errors import InputError

RATE = 44_100


@cache
def song(index: int = 0, **more: Any) -> Composition:
    return compose(21, index, seconds=more.pop("seconds", 10.0), **more)


def heard(sound: np.ndarray) -> Music:
    measured = measure(torch.from_numpy(sound)[None])
    columns = dict(zip(MEASURED_NAMES, measured.columns[0].T.numpy(), strict=True))
    return listen_through(columns, measured.spectrum[0].numpy(), duration_s=sound.shape[1] / RATE)[1]


def level_db(sound: np.ndarray, start_s: float, stop_s: float) -> float:
    return float(
        20 * np.log10(np.sqrt(np.mean(sound[:, round(start_s * RATE) : round(stop_s * RATE)] ** 2)) + 1e-9)
    )


# The sound ------------------------------------------------------------------------------------------------


def test_the_same_song_again_also_in_another_thread_and_another_index_is_another() -> None:
    first = song(silence_mix_prob=0.5)
    with ThreadPoolExecutor(2) as pool:
        again, other = pool.map(lambda index: compose(21, index, seconds=10.0, silence_mix_prob=0.5), (0, 1))
    assert again.sound.tobytes() == first.sound.tobytes()
    assert again.truth == first.truth
    assert not np.array_equal(other.sound, first.sound)


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_is_sound_within_full_scale_without_offset(genre: str) -> None:
    short = compose(3, seconds=4.0373, genre=genre)
    assert short.sound.shape == (2, round(4.0373 * RATE))
    assert short.sound.dtype == np.float32
    assert np.abs(short.sound).max() < 1
    assert np.abs(short.sound.mean(axis=1)).max() < 0.005
    assert level_db(short.sound, 0, 4) > -60
    assert short.truth.genre == genre


def test_stems_add_up_to_the_song_and_keeping_them_changes_nothing() -> None:
    kept = compose(21, 0, seconds=10.0, silence_mix_prob=0.5, keep_stems=True)
    assert kept.stems is not None
    assert kept.sound.tobytes() == song(silence_mix_prob=0.5).sound.tobytes()
    assert np.abs(sum(kept.stems.values()) - kept.sound).max() < 1e-4
    assert {note.stem for note in kept.truth.notes} <= set(kept.stems)


def test_genres_differ_in_loudness_as_real_music_does() -> None:
    levels = {
        name: np.mean([level_db(song(k, genre=name).sound, 0, 10) for k in range(2)])
        for name in ("metal", "ambient")
    }
    assert levels["metal"] > -14
    assert levels["ambient"] < levels["metal"] - 8


# The truth ------------------------------------------------------------------------------------------------


def test_truth_goes_through_json() -> None:
    truth = song(silence_mix_prob=1.0).truth
    assert Truth.from_json(json.loads(json.dumps(truth.to_json()))) == truth


def test_what_is_asked_for_is_composed() -> None:
    truth = song(genre="techno", tempo=131.0, metre=5, key="F# dorian").truth
    assert (truth.tempo, truth.metre, truth.key, truth.genre) == (131.0, 5, "F# dorian", "techno")
    beats = np.array(truth.beats)
    assert np.allclose(np.diff(beats), 60 / 131, atol=2e-5)
    at = np.searchsorted(beats, truth.downbeats)
    assert set(np.diff(at)) == {5}
    assert np.allclose(beats[at], truth.downbeats)


def test_beats_are_where_the_tracker_hears_them() -> None:
    """Twelve seconds of genres of all kinds: the mean F-measure of 500 clips is benchmarks/compose.py's."""
    scores = []
    for index, genre in enumerate(("techno", "rock", "jazz", "drum solo", "chiptune", "odd folk")):
        clip = song(index, genre=genre, seconds=12.0)
        scores.append(f_measure(np.array(clip.truth.beats), np.array(heard(clip.sound).beats)))
    assert np.mean(scores) > 0.9


def test_notes_keep_to_the_key() -> None:
    for index, genre in enumerate(("synthwave", "orchestral", "trance", "odd folk")):
        truth = song(index, genre=genre).truth
        key = parse_key(truth.key)
        parent = {"minor pentatonic": "minor", "major pentatonic": "major"}.get(key.scale, key.scale)
        allowed = {(key.root + step) % 12 for step in SCALES[parent]}
        inside = [note.pitch % 12 in allowed for note in truth.notes if note.pitch is not None]
        assert np.mean(inside) > 0.93  # fifths on the leading tone, octaves and suspensions


def test_struck_notes_are_heard_when_the_truth_says() -> None:
    """Energy rises at kicks, by their stem: 30 ms after each it is louder than 30 ms before."""
    clip = compose(21, 2, seconds=10.0, genre="techno", keep_stems=True)
    assert clip.stems is not None
    drums = np.abs(clip.stems["drums"]).max(axis=0)
    kicks = [
        round(note.start_s * RATE) for note in clip.truth.notes if note.voice == "kick" and note.start_s > 0.1
    ]
    assert len(kicks) > 8
    after = np.array([drums[at : at + 1300].max() for at in kicks if at + 1300 < len(drums)])
    before = np.array([drums[at - 1300 : at - 60].max() for at in kicks if at + 1300 < len(drums)])
    assert np.mean(after > 1.5 * before) > 0.9


def test_sections_follow_one_another_and_drops_are_louder_than_breakdowns() -> None:
    low, high = [], []
    for index in range(6):
        clip = song(index, genre="techno+trance", seconds=16.0)
        parts = clip.truth.sections
        assert (parts[0].start_s, parts[-1].stop_s) == (0.0, 16.0)
        assert all(a.stop_s == b.start_s for a, b in zip(parts, parts[1:], strict=False))
        for part in parts:
            if part.stop_s - part.start_s > 1.5:
                (low if part.energy < 0.4 else high if part.energy > 0.9 else []).append(
                    level_db(clip.sound, part.start_s, part.stop_s)
                )
    assert np.mean(high) > np.mean(low) + 3


@pytest.mark.parametrize("genre", BEATLESS)
def test_music_without_a_pulse_says_so(genre: str) -> None:
    truth = song(genre=genre).truth
    assert not truth.pulse
    assert truth.beats == truth.downbeats == ()


def test_few_songs_have_no_pulse_and_most_have_four_beats() -> None:
    plans = [draw_plan(5, k, seconds=12.0, genre=None, bpm=None, metre=None, key=None) for k in range(500)]
    assert 0.03 < np.mean([not plan.recipe.pulse for plan in plans]) < 0.1
    assert 0.7 < np.mean([plan.metre == 4 for plan in plans]) < 0.95
    assert {3, 4, 5, 6, 7} == {plan.metre for plan in plans}
    assert all(60 <= plan.bpm <= 200 for plan in plans)
    assert len({plan.genre for plan in plans}) > 60


# Silences -------------------------------------------------------------------------------------------------


def test_silences_are_digital_and_nothing_begins_in_them() -> None:
    for index in range(4):
        clip = song(index, silence_mix_prob=1.0, seconds=14.0)
        (silence,) = clip.truth.silences
        start, stop = silence
        assert 1.0 <= stop - start <= 3.0
        assert not clip.sound[:, round(start * RATE) : round(stop * RATE)].any()
        assert not any(start <= note.start_s < stop - 0.03 for note in clip.truth.notes)
        assert not any(start <= beat < stop - 0.02 for beat in clip.truth.beats)
        assert level_db(clip.sound, 0, start) > -60


def test_after_a_silence_tracks_return_one_by_one() -> None:
    returns = []
    for index in range(4):
        truth = song(index, silence_mix_prob=1.0, seconds=14.0, genre="house").truth
        stop = truth.silences[0][1]
        stems = {note.stem for note in truth.notes if note.stem != "effects" and note.start_s > stop}
        first = [
            min(n.start_s for n in truth.notes if n.stem == stem and n.start_s > stop - 0.03)
            for stem in stems
        ]
        returns.append(np.ptp(first) if len(first) > 1 else 0.0)
    assert np.mean(returns) > 0.8


def test_without_the_probability_there_are_no_silences() -> None:
    assert all(song(index).truth.silences == () for index in range(3))


# What is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seconds": 0.5}, "0.5 s is outside 1 to 1800"),
        ({"seconds": float("nan")}, "outside 1 to 1800"),
        ({"silence_mix_prob": 1.5}, "outside 0 to 1"),
        ({"genre": "hous"}, "'hous' is no genre; choose one of techno"),
        ({"genre": "house+rock+jazz"}, "or two of them joined by +"),
        ({"tempo": 20.0}, "a tempo of 20 is outside 60 to 200"),
        ({"metre": 9}, "a metre of 9 is not to be had"),
        ({"key": "H major"}, "'H major' is no key"),
    ],
)
def test_what_is_not_to_be_had_is_refused_clearly(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says.replace("+", r"\+").replace("(", r"\(")):
        compose(0, **{"seconds": 4.0, **options})
