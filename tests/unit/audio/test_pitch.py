"""Pitch classes of spectral peaks: of tones between notes, of chords under drums, the same bits anywhere."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.pitch import pitch_classes
from synesthete.clock import ANALYSIS_RATE

sys.path.insert(0, str(Path(__file__).parents[2]))
from made_songs import chord_song

RATE = 44_100
N_FFT = 4096
CHROMA = [MEASURED_NAMES.index(f"chroma_{pitch}") for pitch in range(12)]


def chroma_of(sound):
    columns = measure(torch.from_numpy(np.asarray(sound, np.float32))[None, None]).columns[0]
    return columns[:, CHROMA].numpy()


def tone(note, length=0.3):
    return 0.1 * np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * np.arange(round(length * RATE)) / RATE)


@pytest.mark.parametrize("cents", [0.0, 30.0])
def test_the_three_strongest_classes_are_the_chord(cents):
    right = []
    for seed in range(3):
        song = chord_song(seed, 5 * seed % 12, minor=seed % 2 == 1, cents=cents, bars=8)
        chroma = chroma_of(song.sound)
        for start, end, pitches in song.chords:
            strength = chroma[round(start * ANALYSIS_RATE) : round(end * ANALYSIS_RATE)].mean(axis=0)
            right.append(set(np.argsort(strength)[-3:].tolist()) == pitches)
    assert np.mean(right) >= 0.85


@pytest.mark.parametrize("note", range(60, 96, 5))
def test_a_tone_between_two_notes_lights_both_by_its_distance(note):
    chroma = chroma_of(tone(note + 0.3))[15]
    # cos² of 0.3 and of 0.7 semitones: 0.794 and 0.206. The parabola errs by up to 0.05 bins, 0.03 semitones.
    assert chroma[note % 12] == pytest.approx(1.0)
    assert chroma[(note + 1) % 12] == pytest.approx(0.206 / 0.794, abs=0.09)


def test_low_notes_less_than_a_bin_apart_are_told_apart():
    # C3 and C#3 are 7.8 Hz apart, less than a bin of 10.8 Hz.
    assert [int(chroma_of(tone(note))[15].argmax()) for note in (48, 49, 50)] == [0, 1, 2]


def test_silence_has_none_and_the_loudest_noise_is_finite():
    assert pitch_classes(torch.zeros(2, N_FFT // 2 + 1)).abs().max() == 0.0
    power = torch.rand(64, N_FFT // 2 + 1, generator=torch.Generator().manual_seed(1))
    for scale in (1e-44, 1e-20, 1.0, 16.0**2 * N_FFT**2):
        strengths = pitch_classes(scale * power)
        assert torch.isfinite(strengths).all()
        assert strengths.min() >= 0.0


def test_threads_batches_and_blocks_change_no_bit():
    power = torch.rand(3, 272, N_FFT // 2 + 1, generator=torch.Generator().manual_seed(0)).square()
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = pitch_classes(power)
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            assert torch.equal(pitch_classes(power), whole)
            assert torch.equal(torch.stack([pitch_classes(clip) for clip in power]), whole)
            assert torch.equal(torch.cat([pitch_classes(p) for p in power.split(16, dim=1)], dim=1), whole)
            assert torch.equal(torch.stack([pitch_classes(row) for row in power[0]]), whole[0])
    finally:
        torch.set_num_threads(before)
