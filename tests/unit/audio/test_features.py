"""Synthetic sounds with known answers."""

import numpy as np
import pytest
import torch

from onset_peaks import onset_peaks
from synesthete.audio.columns import COLUMN_NAMES, COLUMNS, MEASURED_NAMES, SPECTRUM_BANDS
from synesthete.audio.features import FeatureStream, compute, measure
from synesthete.audio.filterbanks import log_edges
from synesthete.clock import analysis_ticks
from synesthete.errors import InputError
from synesthete.seeding import generator_for

RATE = 44_100


def seconds(count):
    return np.arange(round(count * RATE)) / RATE


def tone(hz, amplitude=0.1, length=1.0):
    return amplitude * np.sin(2 * np.pi * hz * seconds(length))


def noise(length=1.0, amplitude=0.3, index=0):
    return amplitude * generator_for(1, "test.noise", index).uniform(-1, 1, round(length * RATE))


def table_of(sound):
    """Compute the table of one clip as a dictionary of columns."""
    samples = torch.from_numpy(np.atleast_2d(sound).astype(np.float32))
    return dict(zip(COLUMN_NAMES, compute(samples[None])[0].T.numpy(), strict=True))


def dbfs(level):
    return 60.0 * level - 60.0


def test_each_column_is_documented_once():
    assert len(set(COLUMN_NAMES)) == len(COLUMNS) == 56
    assert all(spec.unit and spec.formula and spec.low < spec.high for spec in COLUMNS)


class TestLevels:
    def test_sine_of_a_tenth_reads_minus_23_dbfs(self):
        loudness = dbfs(table_of(tone(1000))["loudness"][10:-10])
        np.testing.assert_allclose(loudness, -23.01, atol=0.01)

    def test_full_scale_square_reads_0_dbfs(self):
        assert table_of(np.sign(tone(500) + 1e-9))["loudness"][50] == pytest.approx(1.0, abs=1e-6)

    def test_half_the_amplitude_is_6_db_less_whatever_else_the_clip_holds(self):
        both = table_of(np.concatenate([tone(1000, 0.8), tone(1000, 0.4)]))["loudness"]
        alone = table_of(tone(1000, 0.4))["loudness"]
        assert dbfs(both[50]) - dbfs(both[150]) == pytest.approx(6.02, abs=0.01)
        assert both[150] == pytest.approx(alone[50], abs=1e-5)

    def test_one_channel_of_two_is_3_db_less_than_both(self):
        left = table_of(np.stack([tone(1000), 0 * tone(1000)]))["loudness"][50]
        both = table_of(np.stack([tone(1000), tone(1000)]))["loudness"][50]
        assert dbfs(both) - dbfs(left) == pytest.approx(3.01, abs=0.01)

    @pytest.mark.parametrize("band", range(8))
    def test_sine_inside_a_band_reads_its_level_there_and_nowhere_far(self, band):
        edges = log_edges(8)
        table = table_of(tone(np.sqrt(edges[band] * edges[band + 1])))
        assert np.abs(dbfs(table[f"band_{band}"][15:-15]) + 23.01).max() < 0.5
        others = [table[f"band_{other}"][15:-15].max() for other in range(8) if abs(other - band) > 1]
        assert max(others) < 0.1
        home = ("bass", "mid", "treble")[band // 3]
        assert np.abs(dbfs(table[home][15:-15]) + 23.01).max() < 0.5

    def test_each_spectrum_band_reads_a_sine_at_its_centre(self):
        edges = log_edges(SPECTRUM_BANDS)
        for band in range(SPECTRUM_BANDS):
            sine = torch.from_numpy(tone(np.sqrt(edges[band] * edges[band + 1]), length=0.5)).float()
            row = measure(sine[None, None]).spectrum[0, 25]
            assert dbfs(float(row[band])) == pytest.approx(-23.01, abs=0.5)
            assert abs(int(row.argmax()) - band) <= 1

    def test_peak_is_the_largest_sample_and_stays_where_it_is(self):
        sound = np.zeros((2, RATE))
        sound[1, 22_050] = -0.7
        peak = table_of(sound)["peak"]
        assert peak.max() == pytest.approx(0.7)
        assert set(np.flatnonzero(peak)) <= {49, 50, 51}

    def test_flux_rises_with_its_band_only(self):
        table = table_of(np.concatenate([np.zeros(RATE), tone(1000, 0.5), np.zeros(RATE)]))
        assert table["flux_4"][95:106].max() > 0.2
        assert table["flux_4"][110:190].max() < 1e-3
        assert table["flux_4"][203:].max() == 0.0


class TestWidth:
    def test_mono_is_0_opposite_is_1_independent_is_a_half(self):
        left, right = noise(index=1), noise(index=2)
        assert table_of(np.stack([left, left]))["width"].max() == 0.0
        assert table_of(left)["width"].max() == 0.0
        assert table_of(np.stack([left, -left]))["width"][50] == pytest.approx(1.0, abs=1e-4)
        assert table_of(np.stack([left, right]))["width"].mean() == pytest.approx(0.5, abs=0.03)

    def test_silence_and_dither_have_no_width(self):
        dither = np.stack([noise(amplitude=2**-15, index=index) for index in (1, 2)])
        assert table_of(dither)["width"].max() == 0.0


class TestSilence:
    def test_gap_is_silent_and_sound_is_not(self):
        gap = np.concatenate([noise(), np.zeros(RATE), noise()])
        silence = table_of(gap)["silence"]
        assert silence[115:185].min() == 1.0
        assert max(silence[:90].max(), silence[210:].max()) == 0.0

    def test_edges_are_soft_and_symmetric_in_time(self):
        gap = np.concatenate([tone(1000, 0.3), np.zeros(RATE), tone(1000, 0.3)])
        silence = table_of(gap)["silence"]
        np.testing.assert_allclose(silence[90:150], silence[210:150:-1], atol=0.02)
        assert np.abs(np.diff(silence)).max() < 0.2

    @pytest.mark.parametrize(("level", "expected"), [(-56.0, 1.0), (-44.0, 0.0), (-50.0, 0.5)])
    def test_limit_is_50_dbfs(self, level, expected):
        sine = tone(1000, 2**0.5 * 10 ** (level / 20))
        assert table_of(sine)["silence"][50] == pytest.approx(expected, abs=0.02)


class TestOnset:
    @pytest.mark.parametrize("amplitude", [1.0, 0.1])
    def test_impulse_at_any_phase_is_found_within_10_ms(self, amplitude):
        for phase in range(0, 441, 21):
            sound = np.zeros(RATE // 2)
            sound[11_025 + phase] = amplitude
            found = table_of(sound)["onset"].argmax() / 100
            assert abs(found - (11_025 + phase) / RATE) <= 0.0101

    @pytest.mark.parametrize("hz", [60, 440, 5000])
    def test_start_of_a_tone_is_found_within_20_ms(self, hz):
        for phase in range(0, 441, 63):
            sound = np.concatenate([np.zeros(11_025 + phase), tone(hz, 0.5, 0.25)])
            found = table_of(sound)["onset"].argmax() / 100
            assert abs(found - (11_025 + phase) / RATE) <= 0.02

    def test_silence_and_steady_tones_have_none(self):
        assert table_of(np.zeros(RATE))["onset"].max() == 0.0
        for hz in (40, 110, 1000, 9000):
            assert table_of(tone(hz, 0.5))["onset"][5:-5].max() < 0.01

    def test_strength_follows_the_hit(self):
        decay = np.exp(-seconds(0.5) / 0.05)
        strengths = []
        for amplitude in (0.01, 0.03, 0.1, 0.3, 1.0):
            hit = np.concatenate([np.zeros(RATE // 4), noise(0.5, amplitude) * decay])
            strengths.append(table_of(hit)["onset"].max())
        assert np.all(np.diff(strengths) > 0)
        assert strengths[0] < 0.6
        assert strengths[-1] > 0.95

    def test_where_sound_breaks_off_nothing_begins(self):
        for hz in (220, 1000, 3000):
            cut = np.concatenate([tone(hz, 0.8, 0.5), np.zeros(RATE // 2)])
            assert table_of(cut)["onset"][10:].max() < 0.05
            assert table_of(tone(hz, 0.8, 0.5))["onset"][10:].max() < 0.05

    def test_every_hit_of_a_row_is_picked_once(self):
        sound = noise(4.0, 0.01)
        moments = np.arange(0.25, 4.0, 0.25)
        for moment in moments:
            at = round(moment * RATE)
            burst = min(RATE // 10, len(sound) - at)
            sound[at : at + burst] += noise(0.1, 0.5)[:burst] * np.exp(-seconds(0.1)[:burst] / 0.02)
        peaks = onset_peaks(table_of(sound)["onset"]) / 100
        found = peaks[peaks > 0.1]
        np.testing.assert_allclose(found, moments, atol=0.015)


class TestTimbre:
    def test_tone_has_its_frequency_as_centroid_and_rolloff(self):
        table = table_of(tone(2000))
        assert table["centroid"][50] == pytest.approx(2000, abs=40)
        assert table["rolloff"][50] == pytest.approx(2000, abs=40)
        assert table["zcr"][50] == pytest.approx(2 * 2000 / RATE, rel=0.02)
        assert table["flatness"][50] < 1e-3

    def test_white_noise_is_flat(self):
        table = table_of(noise(2.0))
        # The periodogram of white noise is exponentially distributed: exp(-γ) = 0.5615.
        assert table["flatness"][10:-10].mean() == pytest.approx(0.5615, abs=0.01)
        assert table["zcr"][10:-10].mean() == pytest.approx(0.5, abs=0.01)
        assert table["centroid"][10:-10].mean() == pytest.approx(RATE / 4, rel=0.02)

    @pytest.mark.parametrize("note", range(60, 96))
    def test_note_lights_up_its_pitch_class(self, note):
        table = table_of(tone(440 * 2 ** ((note - 69) / 12), length=0.3))
        chroma = np.array([table[f"chroma_{pitch}"][15] for pitch in range(12)])
        assert chroma.argmax() == note % 12
        assert chroma.max() == pytest.approx(1.0)

    def test_mfcc_of_digital_silence_is_that_of_the_floor(self):
        table = table_of(np.zeros(RATE))
        # 40 bands of -100 dB: the orthonormal DCT gives -100·√40 and zeros.
        assert table["mfcc_0"][50] == pytest.approx(-100 * 40**0.5, rel=1e-5)
        assert abs(table["mfcc_1"][50]) < 1e-3

    def test_silence_has_no_timbre(self):
        table = table_of(np.zeros(RATE))
        gated = ["centroid", "rolloff", "flatness", "zcr", *(f"chroma_{pitch}" for pitch in range(12))]
        assert all(table[name].max() == 0.0 for name in gated)


def _awkward_sounds():
    click = np.zeros(5000)
    click[2500] = 1.0
    broken = noise(0.1)
    broken[100:103] = np.nan, np.inf, -np.inf
    return {
        "silence": np.zeros(10_000),
        "full-scale noise": np.sign(noise(0.5)),
        "DC": np.ones(20_000),
        "click": click,
        "one sample": np.ones(1),
        "shorter than a window": noise(0.01),
        "far over full scale": 1e30 * noise(0.2),
        "not finite": broken,
        "tiny": 1e-30 * noise(0.2),
    }


@pytest.mark.parametrize("name", list(_awkward_sounds()))
def test_any_sound_gives_finite_values_in_range(name):
    sound = _awkward_sounds()[name]
    table = table_of(sound)
    for spec in COLUMNS:
        values = table[spec.name]
        assert len(values) == analysis_ticks(len(sound))
        assert np.isfinite(values).all()
        assert spec.low <= values.min()
        assert values.max() <= spec.high


def test_no_samples_give_no_rows():
    assert compute(torch.zeros(2, 1, 0)).shape == (2, 0, len(COLUMN_NAMES))
    assert FeatureStream().flush().columns.shape == (0, len(MEASURED_NAMES))


def test_three_channels_are_refused():
    with pytest.raises(InputError, match="3 channels"):
        compute(torch.zeros(1, 3, 100))


def test_changing_number_of_channels_is_refused():
    stream = FeatureStream()
    stream.push(np.zeros((2, 10), np.float32))
    with pytest.raises(InputError, match="from 2 to 1 channels"):
        stream.push(np.zeros((1, 10), np.float32))


def test_stream_can_be_used_again():
    sound = noise(3.0).astype(np.float32)[None]
    stream = FeatureStream()
    runs = []
    for _ in range(2):
        parts = [stream.push(sound).columns, stream.flush().columns]
        runs.append(torch.cat(parts))
    assert torch.equal(*runs)
    assert len(runs[0]) == 300


def test_clip_in_a_batch_is_the_clip_alone():
    clips = torch.from_numpy(np.stack([noise(1.3, index=index) for index in range(3)])).float()[:, None]
    together = compute(clips)
    for index in range(3):
        alone = compute(clips[index : index + 1])[0]
        torch.testing.assert_close(together[index], alone, atol=1e-4, rtol=1e-5)


def test_threads_change_nothing():
    sound = torch.from_numpy(np.stack([noise(6.0, index=1), noise(6.0, index=2)])).float()[None]
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            results.append((compute(sound), measure(sound).spectrum))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_autocast_around_it_changes_nothing():
    sound = torch.from_numpy(noise(1.0)).float()[None, None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = compute(sound)
    assert torch.equal(inside, compute(sound))
