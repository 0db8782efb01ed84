"""Sections of synthetic songs, and what must not change them."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.music import Section
from synesthete.audio.sections import find_sections
from synesthete.audio.similarity import novelty_curve, summarise

sys.path.insert(0, str(Path(__file__).parents[2]))
from made_songs import section_song, texture_song

RATE = 44_100


def steps_of(sound):
    """Sum up mono samples."""
    measured = measure(torch.from_numpy(np.asarray(sound, np.float32))[None, None])
    table = dict(zip(MEASURED_NAMES, measured.columns[0].numpy().T, strict=True))
    return summarise(table, measured.spectrum[0].numpy())


def sections_of(sound, *, downbeats=None, confidence=0.0, steps=None):
    """Find sections, and check what holds for all."""
    duration = len(sound) / RATE
    found = find_sections(
        steps or steps_of(sound), downbeats=downbeats, bar_confidence=confidence, duration_s=duration
    )
    assert found[0].start_s == 0.0
    assert found[-1].end_s == duration
    assert all(before.end_s == after.start_s for before, after in pairwise(found))
    assert all(part.end_s > part.start_s for part in found)
    letters = list(dict.fromkeys(part.label for part in found))
    assert letters == [chr(ord("A") + index) for index in range(len(letters))]
    return found


def noise(seconds, amplitude=0.2, seed=0):
    return amplitude * np.random.default_rng(seed).uniform(-1, 1, round(seconds * RATE))


def tone(hz, seconds, amplitude=0.2):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


@pytest.fixture(scope="module")
def song():
    """Give a song of the form A-B-A-C with what was measured in it."""
    made = section_song(2, "ABAC")
    return made, steps_of(made.sound)


@pytest.mark.parametrize(("make", "seed"), [(section_song, 2), (section_song, 9), (texture_song, 4)])
def test_borders_are_found_and_returning_sections_keep_their_letter(make, seed):
    made = make(seed, "ABAC")
    found = sections_of(made.sound, downbeats=made.downbeats, confidence=1.0)
    assert "".join(part.label for part in found) == "ABAC"
    given = [part.start_s for part in found]
    np.testing.assert_allclose(given, [start for start, *_ in made.sections], atol=0.7)


def test_without_downbeats_borders_are_within_a_second(song):
    made, steps = song
    found = sections_of(made.sound, steps=steps)
    assert [part.label for part in found] == list("ABAC")
    truth = [start for start, *_ in made.sections]
    np.testing.assert_allclose([part.start_s for part in found], truth, atol=1.0)


def test_borders_lie_on_downbeats_only_where_bars_are_sure(song):
    made, steps = song
    sure = sections_of(made.sound, downbeats=made.downbeats, confidence=0.9, steps=steps)
    assert {part.start_s for part in sure} <= set(made.downbeats.tolist())
    unsure = sections_of(made.sound, downbeats=made.downbeats, confidence=0.2, steps=steps)
    assert unsure == sections_of(made.sound, steps=steps)


def test_downbeats_that_the_sound_contradicts_move_no_border_far(song):
    made, steps = song
    wrong = made.downbeats + 0.5 * np.diff(made.downbeats)[0]
    found = sections_of(made.sound, downbeats=wrong, confidence=1.0, steps=steps)
    truth = [start for start, *_ in made.sections]
    np.testing.assert_allclose([part.start_s for part in found], truth, atol=1.0)


def test_a_constant_gain_changes_nothing(song):
    made, steps = song
    loud = sections_of(made.sound, steps=steps)
    quiet = sections_of(made.sound * np.float32(0.5))
    assert [part.label for part in quiet] == [part.label for part in loud]
    np.testing.assert_allclose([part.start_s for part in quiet], [part.start_s for part in loud], atol=0.11)


@pytest.mark.parametrize(
    "sound",
    [tone(220, 40), noise(40), np.zeros(40 * RATE), np.tile(noise(0.5) * np.linspace(1, 0, RATE // 2), 80)],
    ids=["tone", "noise", "silence", "loop"],
)
def test_what_stays_the_same_is_one_section_without_novelty(sound):
    steps = steps_of(sound)
    assert sections_of(sound, steps=steps) == (Section(0.0, len(sound) / RATE, "A"),)
    assert novelty_curve(steps).max() < 0.15


def test_noise_tone_noise():
    sound = np.concatenate([noise(12), tone(330, 9), noise(15, seed=1)])
    found = sections_of(sound)
    assert [part.label for part in found] == list("ABA")
    np.testing.assert_allclose([part.start_s for part in found], [0, 12, 21], atol=0.15)


def test_a_long_silence_is_a_section_and_a_short_one_a_border():
    playing = tone(220, 12) + noise(12, 0.05)
    long = sections_of(np.concatenate([playing, np.zeros(6 * RATE), playing]))
    assert [(round(part.start_s), part.label) for part in long] == [(0, "A"), (12, "B"), (18, "A")]
    short = sections_of(np.concatenate([playing, np.zeros(2 * RATE), playing]))
    assert [(round(part.start_s), part.label) for part in short] == [(0, "A"), (14, "A")]


@pytest.mark.parametrize("seconds", [0.02, 0.6, 3.0, 9.9])
def test_a_short_track_is_one_section(seconds):
    sound = np.concatenate([tone(220, seconds / 2), noise(seconds / 2)])
    assert sections_of(sound) == (Section(0.0, len(sound) / RATE, "A"),)


def test_novelty_is_high_at_borders_and_low_between(song):
    made, steps = song
    novelty = novelty_curve(steps)
    assert novelty.dtype == np.float32
    assert len(novelty) == steps.ticks
    assert novelty.min() >= 0.0
    assert novelty.max() <= 1.0
    for start, *_ in made.sections[1:]:
        assert novelty[round((start - 0.7) * 100) : round((start + 0.7) * 100)].max() > 0.5
    middles = [round(50 * (start + end)) for start, end, _ in made.sections]
    assert np.median(novelty[middles]) < 0.25


def test_longer_steps_find_the_same_sections(monkeypatch, song):
    made, steps = song
    monkeypatch.setattr("synesthete.audio.similarity._MAX_STEPS", 50)
    coarse = summarise(steps.columns, steps.spectrum)
    assert len(coarse) <= 50
    found = sections_of(made.sound, steps=coarse)
    assert [part.label for part in found] == list("ABAC")
    truth = [start for start, *_ in made.sections]
    np.testing.assert_allclose([part.start_s for part in found], truth, atol=1.5)
