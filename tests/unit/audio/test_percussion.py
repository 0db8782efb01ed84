"""Hits and what is held, apart and mixed."""

import numpy as np
import pytest
import torch

from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.percussion import HALO_TICKS, split_percussive, split_rows
from synesthete.seeding import generator_for

RATE = 44_100
LOUDNESS = MEASURED_NAMES.index("loudness")


def seconds(count):
    return np.arange(round(count * RATE)) / RATE


def chord(notes, length=2.0):
    return sum(0.1 * np.sin(2 * np.pi * hz * seconds(length) + index) for index, hz in enumerate(notes))


def hits(moments, hit, length=2.0):
    sound = np.zeros(round(length * RATE))
    for moment in moments:
        at = round(moment * RATE)
        sound[at : at + len(hit)] += hit[: len(sound) - at]
    return sound


def snare(amplitude=0.5):
    time_s = seconds(0.3)
    noise = generator_for(1, "test.snare").uniform(-1, 1, len(time_s))
    return amplitude * noise * np.exp(-time_s / 0.03)


def kick():
    time_s = seconds(0.4)
    sweep_hz = 50 + 150 * np.exp(-time_s / 0.03)
    return 0.8 * np.exp(-12 * time_s) * np.sin(2 * np.pi * np.cumsum(sweep_hz) / RATE)


def heard(sound):
    """Give loudness, percussive and harmonic level of mono, dBFS."""
    measured = measure(torch.from_numpy(sound.astype(np.float32))[None, None])
    levels = (measured.columns[0, :, LOUDNESS], *split_percussive(measured.spectrum[0]))
    return [60.0 * level.numpy() - 60.0 for level in levels]


@pytest.fixture(scope="module")
def spectrum():
    """About 13 blocks of hits and notes, as rows of a Timeline, some bands silent."""
    generator = generator_for(2, "test.rows")
    rows = generator.uniform(0, 1, (3333, 64)) * generator.choice([0.2, 1.0], (3333, 1))
    rows[:, 20:30] = 0.6
    rows[1000:1200] = 0.0
    return rows.astype(np.float32)


class TestSeparation:
    @pytest.mark.parametrize("hz", [35, 45, 60, 110, 220, 440, 700, 1000, 5000, 12_000])
    def test_a_held_tone_is_harmonic_at_its_loudness(self, hz):
        loudness, percussive, harmonic = (level[20:-20] for level in heard(chord([hz])))
        assert np.abs(harmonic - loudness).max() < 1.1
        assert (loudness - percussive).min() > 15

    @pytest.mark.parametrize(
        "notes",
        [[220.0, 277.2, 329.6], [55.0, 110.0, 220.0, 277.2, 329.6, 440.0], [261.6 * k for k in range(1, 12)]],
    )
    def test_a_held_chord_is_harmonic_at_its_loudness(self, notes):
        loudness, percussive, harmonic = (level[20:-20] for level in heard(chord(notes)))
        assert np.abs(harmonic - loudness).max() < 1.0
        assert (loudness - percussive).min() > 8

    @pytest.mark.parametrize(("hit", "at_most_db"), [(snare(), 2.0), (kick(), 2.0), (np.ones(1), 1.5)])
    def test_a_hit_is_percussive_near_its_loudness(self, hit, at_most_db):
        moments = np.arange(0.5, 2.0, 0.5)
        loudness, percussive, harmonic = heard(hits(moments, hit))
        for moment in moments:
            loudest = round(100 * moment) + np.argmax(loudness[round(100 * moment) :][:8])
            assert abs(loudness[loudest] - percussive[loudest]) < at_most_db
            assert percussive[loudest] - harmonic[loudest] > 8

    def test_hits_and_a_chord_are_told_apart(self):
        moments = np.arange(0.25, 2.0, 0.25)
        held, struck = chord([220.0, 277.2, 329.6]), hits(moments, snare())
        _, percussive, harmonic = heard(held + struck)
        alone_held, alone_struck = heard(held)[0], heard(struck)[0]
        inner = slice(20, -20)
        assert np.abs(harmonic - alone_held)[inner].mean() < 1.0
        rows = [round(100 * moment) + 1 for moment in moments]
        assert np.abs(percussive - alone_struck)[rows].max() < 3.0
        between = [row + 18 for row in rows[:-1]]
        assert (percussive[rows[:-1]] - percussive[between]).min() > 15

    def test_silence_is_0_in_both(self):
        percussive, harmonic = split_percussive(torch.zeros(300, 64))
        assert percussive.max() == harmonic.max() == 0.0

    def test_powers_of_both_add_up_to_the_same_whatever_the_split(self, spectrum):
        def summed(rows):
            return sum(10 ** (6 * (part.astype(float) - 1)) for part in split_rows(rows))

        quiet = spectrum / 2
        order = np.argsort(generator_for(3, "test.order").random(len(quiet)))
        np.testing.assert_allclose(summed(quiet[order]), summed(quiet)[order], rtol=1e-4)


class TestBlocks:
    def test_pieces_with_a_halo_are_the_whole_to_the_bit(self, spectrum):
        whole = split_percussive(torch.from_numpy(spectrum))
        for start, stop in ((0, 1), (0, 300), (255, 257), (777, 2048), (3300, 3333)):
            first = max(0, start - HALO_TICKS)
            piece = split_percussive(torch.from_numpy(spectrum[first : stop + HALO_TICKS]))
            for part, expected in zip(piece, whole, strict=True):
                assert torch.equal(part[start - first : stop - first], expected[start:stop])

    def test_a_file_in_blocks_is_the_whole_to_the_bit(self, spectrum, tmp_path):
        np.save(tmp_path / "spectrum.npy", spectrum)
        mapped = np.load(tmp_path / "spectrum.npy", mmap_mode="r")
        for part, whole in zip(split_rows(mapped), split_percussive(torch.from_numpy(spectrum)), strict=True):
            np.testing.assert_array_equal(part, whole.numpy())

    def test_clip_in_a_batch_is_the_clip_alone(self, spectrum):
        clips = torch.from_numpy(spectrum[:1200]).reshape(2, 2, 300, 64)
        together = split_percussive(clips)
        assert together[0].shape == (2, 2, 300)
        for index in np.ndindex(2, 2):
            alone = split_percussive(clips[index])
            assert all(torch.equal(a[index], b) for a, b in zip(together, alone, strict=True))

    def test_threads_change_nothing(self, spectrum):
        before = torch.get_num_threads()
        try:
            results = []
            for threads in (1, 3):
                torch.set_num_threads(threads)
                results.append(split_rows(spectrum))
        finally:
            torch.set_num_threads(before)
        np.testing.assert_array_equal(*results)

    def test_no_rows_give_none(self):
        assert [part.shape for part in split_percussive(torch.zeros(3, 0, 64))] == [(3, 0), (3, 0)]
