"""When and how loud: impulses at every phase of rows and frames, and sounds of known level."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.features import compute, measure
from synesthete.audio.filterbanks import log_edges
from synesthete.audio.timeline import Timeline
from synesthete.seeding import generator_for

RATE = 44_100
SECONDS = np.arange(RATE) / RATE
ROW_SECONDS = 0.01
FRAME_RATES = (Fraction(24_000, 1001), Fraction(24), Fraction(30), Fraction(60))
# 64 places, at every phase of the rows (7 samples apart) and of the frames (spread over 0.4 s).
PLACES = [11_025 + 7 * phase + 441 * (phase * 29 % 40) for phase in range(64)]
SETTLED = 10
"""Rows at the start of a noise, which is itself an onset."""


def timeline_of(table, names=COLUMN_NAMES):
    return Timeline(table, names, np.zeros((len(table), 64), np.float32), len(table) * 441, RATE)


def impulse():
    return np.array([0.8])


def click():
    """A drum-like hit: noise that decays within 20 ms."""
    count = RATE // 10
    noise = generator_for(1, "test.click").uniform(-1, 1, count)
    return 0.5 * noise * np.exp(-np.arange(count) / (0.02 * RATE))


def kick():
    time_s = np.arange(RATE // 5) / RATE
    sweep_hz = 50 + 150 * np.exp(-time_s / 0.03)
    return 0.8 * np.exp(-14 * time_s) * np.sin(2 * np.pi * np.cumsum(sweep_hz) / RATE)


HITS = {"impulse": impulse, "click": click, "kick": kick}


@pytest.fixture(scope="module", params=[(hit, noise) for hit in HITS for noise in (False, True)], ids=str)
def heard(request):
    """Give the tables of one hit at every place, some within a noise of -50 dBFS."""
    name, noisy = request.param
    hit, sounds = HITS[name](), np.zeros((len(PLACES), RATE))
    for index, place in enumerate(PLACES):
        if noisy:
            sounds[index] = 10 ** (-50 / 20) * generator_for(2, "test.hiss", index).standard_normal(RATE)
        sounds[index, place : place + len(hit)] += hit
    return compute(torch.from_numpy(sounds.astype(np.float32))[:, None]).numpy()


class TestMoment:
    def test_onset_peaks_within_10_ms(self, heard):
        onset = heard[:, SETTLED:, COLUMN_NAMES.index("onset")]
        found_s = (onset.argmax(axis=1) + SETTLED) * ROW_SECONDS
        # Measured: -4.9 to 4.9 ms (impulse), -0.5 to 9.4 ms (click), -4.6 to 5.2 ms (kick).
        assert np.abs(found_s - np.array(PLACES) / RATE).max() <= 0.01

    @pytest.mark.parametrize("rate", FRAME_RATES, ids=str)
    @pytest.mark.parametrize("column", ["onset", "peak"])
    def test_a_frame_within_one_frame_holds_the_maximum(self, heard, column, rate):
        for table, place in zip(heard, PLACES, strict=True):
            timeline = timeline_of(table)
            frames = timeline.at_frames(rate, [column])[:, 0]
            settled = round(SETTLED * ROW_SECONDS * rate) + 1
            highest = timeline.column(column)[SETTLED:].max()
            assert frames[settled:].max() == highest
            holders = settled + np.flatnonzero(frames[settled:] == highest)
            assert np.abs(holders - place / RATE * float(rate)).min() <= 1


def tone(rms_dbfs, hz=1000):
    return 2**0.5 * 10 ** (rms_dbfs / 20) * np.sin(2 * np.pi * hz * SECONDS)


def middle_row(sound):
    table = compute(torch.from_numpy(sound.astype(np.float32))[None, None])[0, 50]
    return dict(zip(COLUMN_NAMES, table.tolist(), strict=True))


class TestLevel:
    # An RMS of -20 dBFS reads 2/3; a sine with a peak of -20 dBFS (0.1) has an RMS of -23.01 dBFS.
    @pytest.mark.parametrize(
        ("sound", "dbfs", "peak"), [(tone(-20), -20.0, 0.1414), (0.1 * tone(0) / 2**0.5, -23.01, 0.1)]
    )
    def test_tone_of_1_khz_reads_its_rms_where_it_belongs(self, sound, dbfs, peak):
        row = middle_row(sound)
        for column in ("loudness", "band_4", "mid"):
            assert 60 * row[column] - 60 == pytest.approx(dbfs, abs=0.5)
        for column in ("bass", "treble", *(f"band_{band}" for band in (0, 1, 2, 6, 7))):
            assert row[column] == 0.0
        assert row["peak"] == pytest.approx(peak, abs=1e-3)

    def test_tone_of_1_khz_is_one_band_of_the_spectrum(self):
        spectrum = measure(torch.from_numpy(tone(-20).astype(np.float32))[None, None]).spectrum[0, 50].numpy()
        home = np.searchsorted(log_edges(64), 1000) - 1
        assert spectrum.argmax() == home
        assert 60 * spectrum[home] - 60 == pytest.approx(-20, abs=0.5)

    def test_tone_of_1_khz_has_its_pitch_and_colour(self):
        row = middle_row(tone(-20))
        assert row["centroid"] == pytest.approx(1000, abs=5)
        assert row["rolloff"] == pytest.approx(1000, abs=RATE / 2048)
        assert row["zcr"] == pytest.approx(2000 / RATE, abs=2 / 1764)
        # B5 is 988 Hz, C6 1047 Hz: the tone is B, with a little C.
        chroma = [row[f"chroma_{pitch}"] for pitch in range(12)]
        assert chroma[11] == pytest.approx(1.0)
        assert 0.05 < chroma[0] < 0.3
        assert max(chroma[1:11]) < 0.01
        assert (row["silence"], row["width"]) == (0.0, 0.0)

    @pytest.mark.parametrize(
        ("dbfs", "silence"), [(-60, 1.0), (-56, 1.0), (-50, 0.5), (-44, 0.0), (-40, 0.0)]
    )
    def test_noise_is_silence_below_50_dbfs(self, dbfs, silence):
        noise = 10 ** (dbfs / 20) * generator_for(3, "test.level").standard_normal(2 * RATE)
        table = compute(torch.from_numpy(noise.astype(np.float32))[None, None])[0, 20:-20].numpy()
        assert table[:, COLUMN_NAMES.index("silence")].mean() == pytest.approx(silence, abs=0.02)
        loudness = 60 * table[:, COLUMN_NAMES.index("loudness")] - 60
        assert loudness.mean() == pytest.approx(dbfs, abs=0.2)
