"""Keys of triads, songs, and of what has none."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.harmony import estimate_key
from synesthete.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2]))
from made_songs import chord_song

RATE = 44_100
PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CHROMA = [MEASURED_NAMES.index(f"chroma_{pitch}") for pitch in range(12)]
LOUDNESS = MEASURED_NAMES.index("loudness")


def key_of(sound):
    table = measure(torch.from_numpy(np.asarray(sound, np.float32))[None, None]).columns[0].numpy()
    return estimate_key(table[:, CHROMA], table[:, LOUDNESS])


def triad(tonic, third):
    """Give half a second of a triad: three tones of four overtones each, around C4."""
    t = np.arange(RATE // 2) / RATE
    notes = [60 + (tonic + step) % 12 for step in (0, third, 7)]
    hz = [440 * 2 ** ((note - 69) / 12) for note in notes]
    return sum(0.05 / number * np.sin(2 * np.pi * number * f * t) for f in hz for number in range(1, 5))


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_tonic_subdominant_and_dominant_make_the_key(tonic, mode):
    third = 4 if mode == "major" else 3
    chords = [triad(tonic, third), triad(tonic + 5, third), triad(tonic + 7, 4), triad(tonic, third)]
    assert key_of(np.concatenate(chords)) == f"{PITCHES[tonic]} {mode}"


def test_most_songs_with_drums_have_their_key():
    songs = [chord_song(seed, 5 * seed % 12, minor=seed % 2 == 1, bars=8) for seed in range(8)]
    assert sum(key_of(song.sound) == song.key for song in songs) >= 7


def test_the_scale_of_chroma_and_of_weights_changes_nothing():
    chroma = np.random.default_rng(0).uniform(size=(50, 12)) * [9, 1, 3, 1, 5, 4, 1, 7, 1, 4, 1, 3]
    weight = np.linspace(0, 1, 50)
    assert estimate_key(chroma, weight) == estimate_key(40 * chroma, 0.01 * weight) == "C major"


def test_rows_without_weight_do_not_count():
    chroma = np.zeros((30, 12))
    chroma[:10, [0, 4, 7]] = chroma[:5, [5, 9, 2]] = 1.0
    chroma[10:, [1, 6, 8]] = 1.0
    weight = np.concatenate([np.ones(10), np.zeros(20)])
    assert estimate_key(chroma, weight) == estimate_key(chroma[:10], weight[:10])


def test_noise_drums_silence_and_one_note_have_no_key():
    rng = np.random.default_rng(1)
    assert key_of(0.3 * rng.uniform(-1, 1, 8 * RATE)) is None
    strokes = rng.standard_normal((16, RATE // 4)) * np.exp(-np.arange(RATE // 4) / 2000)
    assert key_of(0.2 * strokes.reshape(-1)) is None
    assert key_of(np.zeros(2 * RATE)) is None
    assert key_of(0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)) is None
    assert estimate_key(np.zeros((0, 12)), np.zeros(0)) is None
    assert estimate_key(np.ones((5, 12)), np.ones(5)) is None


@pytest.mark.parametrize("seed", range(6))
def test_random_notes_have_no_key(seed):
    rng = np.random.default_rng([5, seed])
    t = np.arange(RATE // 2) / RATE
    chords = [440 * 2 ** ((rng.integers(48, 72, 3) - 69) / 12) for _ in range(32)]
    sound = [
        sum(0.05 / number * np.sin(2 * np.pi * number * hz * t) for hz in chord for number in range(1, 5))
        for chord in chords
    ]
    assert key_of(np.concatenate(sound)) is None


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(InputError, match=r"\(4, 11\)"):
        estimate_key(np.ones((4, 11)), np.ones(4))
    with pytest.raises(InputError, match=r"\(3,\)"):
        estimate_key(np.ones((4, 12)), np.ones(3))
