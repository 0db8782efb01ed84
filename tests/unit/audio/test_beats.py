"""Beats, bars and tempo: on music whose beats are known, where there are none, and on anything at all."""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from made_rhythm import RATE, beat_score, rhythm_song
from synesthete.audio.columns import COLUMN_NAMES, DERIVED_NAMES, MEASURED_NAMES, SPECS
from synesthete.audio.features import measure
from synesthete.audio.listening import listen_through
from synesthete.audio.meter import Meter, find_meter
from synesthete.audio.music import Music, Section
from synesthete.audio.silences import silence_from
from synesthete.audio.timeline import Timeline
from synesthete.seeding import generator_for

SEEDS = range(10)
SECONDS = 18.0
BEAT_COLUMNS = ("beat", "beat_sin", "beat_cos", "bar_sin", "bar_cos", "tempo")


# Sound ------------------------------------------------------------------------------------------------------


def measured(sound):
    """Columns and spectrum of a mono sound."""
    heard = measure(torch.from_numpy(np.asarray(sound, np.float32))[None, None])
    columns = {name: heard.columns[0, :, place].numpy() for place, name in enumerate(MEASURED_NAMES)}
    return columns, heard.spectrum[0].numpy()


def meter_of(columns, spectrum, *, bpm=None):
    silence = silence_from(torch.from_numpy(np.array(columns["loudness"]))).numpy()
    return find_meter(columns, spectrum, silence, bpm=bpm)


def meter_in(sound):
    return meter_of(*measured(sound))


def placed(moments, hit, seconds, levels=None):
    """The same hit at each moment."""
    mix = np.zeros(round(seconds * RATE))
    for moment, level in zip(moments, np.ones(len(moments)) if levels is None else levels, strict=True):
        start = round(moment * RATE)
        part = hit[: len(mix) - start]
        mix[start : start + len(part)] += level * part
    return mix


def decaying(seconds, rate, pitch):
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.5 * np.sin(2 * np.pi * pitch * t) * np.exp(-t / rate) * np.minimum(1.0, t / 0.001)


CLICK = decaying(0.05, 0.012, 1000.0)
DRUM = decaying(0.3, 0.1, 160.0)


def ringing(moments, seconds, levels=None):
    """Hits over a quiet tone: there is sound between them."""
    t = np.arange(round(seconds * RATE)) / RATE
    return placed(moments, DRUM, seconds, levels) + 0.01 * np.sin(2 * np.pi * 220 * t)


def sliding(start_bpm, stop_bpm, seconds):
    moments, now = [], 0.4
    while now < seconds - 0.1:
        moments.append(now)
        now += 60 / (start_bpm + (stop_bpm - start_bpm) * now / seconds)
    return np.array(moments)


@lru_cache
def made(seed):
    """A made song, its columns and its meter: songs are dear, and what is heard in them changes nothing."""
    song = rhythm_song(seed, SECONDS)
    heard = measured(song.sound)
    return song, heard, meter_of(*heard)


# Music whose beats are known --------------------------------------------------------------------------------


class TestMadeSongs:
    def test_beats_are_found(self):
        scores = [beat_score(song.beats, meter.beats / 100) for song, _, meter in map(made, SEEDS)]
        assert np.mean(scores) >= 0.95
        assert min(scores) >= 0.85

    def test_downbeats_are_found_where_beats_are(self):
        scores = [
            beat_score(song.downbeats, meter.downbeats / 100)
            for song, _, meter in map(made, SEEDS)
            if beat_score(song.beats, meter.beats / 100) >= 0.9
        ]
        assert len(scores) >= 8
        assert np.mean(scores) >= 0.7

    def test_downbeats_are_beats_and_a_bar_has_its_beats(self):
        for seed in SEEDS:
            meter = made(seed)[2]
            assert np.isin(meter.downbeats, meter.beats).all()
            lengths = np.diff(np.searchsorted(meter.beats, meter.downbeats))
            assert np.mean(lengths == meter.beats_per_bar) > 0.8, seed

    def test_beats_are_sure_of_themselves_and_even(self):
        for seed in SEEDS:
            meter = made(seed)[2]
            assert meter.confidence.mean() > 0.9
            steps = np.diff(meter.beats)
            assert steps.min() > 0.6 * np.median(steps), seed

    @pytest.mark.parametrize("seed", [2, 3])
    def test_a_song_20_db_quieter_has_the_same_beats(self, seed):
        song, _, meter = made(seed)
        quiet = meter_in(0.1 * song.sound)
        np.testing.assert_allclose(quiet.beats, meter.beats, atol=1.0)
        assert quiet.tempo_bpm == pytest.approx(meter.tempo_bpm, rel=2e-3)


class TestMetronome:
    @pytest.mark.parametrize("bpm", [60, 97.3, 128, 200])
    def test_every_hit_is_a_beat(self, bpm):
        truth = np.arange(0.37, 19.9, 60 / bpm)
        self.are_all_found(truth, ringing(truth, 20))

    @pytest.mark.parametrize("bpm", [60, 97.3, 128, 200])
    def test_every_dry_click_is_a_beat(self, bpm):
        truth = np.arange(0.37, 19.9, 60 / bpm)
        self.are_all_found(truth, placed(truth, CLICK, 20))

    @pytest.mark.parametrize("bpm", [50, 51])
    def test_the_slowest_tempo_that_can_be_named_is_found(self, bpm):
        truth = np.arange(0.37, 19.9, 60 / bpm)
        self.are_all_found(truth, ringing(truth, 20), bpm=bpm)

    @staticmethod
    def are_all_found(truth, sound, **known):
        meter = meter_of(*measured(sound), **known)
        assert len(meter.beats) == len(truth)
        np.testing.assert_allclose(meter.beats / 100, truth, atol=0.015)
        assert meter.tempo_bpm == pytest.approx(60 / np.diff(truth).mean(), rel=3e-3)

    @pytest.mark.parametrize("stop_bpm", [84, 132, 150])
    def test_beats_follow_a_tempo_that_changes(self, stop_bpm):
        truth = sliding(110, stop_bpm, 30)
        meter = meter_in(ringing(truth, 30))
        assert beat_score(truth, meter.beats / 100) > 0.97
        tempo = meter.columns()["tempo"]
        for second in (5, 25):
            assert tempo[100 * second] == pytest.approx(110 + (stop_bpm - 110) * second / 30, rel=0.03)

    def test_beats_stop_in_a_pause_and_go_on_after_it(self):
        truth = np.arange(0.25, 25, 0.5)
        truth = truth[(truth < 10) | (truth >= 15)]
        sound = ringing(truth, 25)
        sound[round(10.1 * RATE) : round(14.9 * RATE)] = 0
        meter = meter_in(sound)
        beats = meter.beats / 100
        assert not ((beats > 10.5) & (beats < 14.5)).any()
        for part in (slice(0, 9.9), slice(15.1, 24.9)):
            expected = truth[(truth > part.start) & (truth < part.stop)]
            found = beats[(beats > part.start) & (beats < part.stop)]
            np.testing.assert_allclose(found, expected, atol=0.03)
        columns = meter.columns()
        for name in BEAT_COLUMNS:
            assert np.all(columns[name][1080:1420] == 0), name
            assert np.abs(columns[name][1600:2400]).max() > 0, name
        assert meter.confidence[1080:1420].max() == 0

    @pytest.mark.parametrize("levels", [(1.0, 1.0), (1.0, 0.6)])
    def test_a_known_tempo_decides_the_octave(self, levels):
        moments = np.arange(0.3, 20, 0.4)
        strengths = np.array(levels)[np.arange(len(moments)) % 2]
        heard = measured(ringing(moments, 20, strengths))
        for bpm, step in ((75, 80), (150, 40), (73, 80), (154, 40)):
            meter = meter_of(*heard, bpm=bpm)
            assert meter.tempo_bpm == pytest.approx(6000 / step, rel=3e-3)
            np.testing.assert_allclose(np.diff(meter.beats), step, atol=2)

    def test_at_half_the_tempo_the_louder_clicks_are_the_beats(self):
        moments = np.arange(0.3, 20, 0.4)
        for first in (0, 1):
            strengths = np.where(np.arange(len(moments)) % 2 == first, 1.0, 0.4)
            meter = meter_of(*measured(ringing(moments, 20, strengths)), bpm=75)
            offsets = np.mod(meter.beats / 100 - moments[first] + 0.4, 0.8) - 0.4
            assert np.abs(offsets).max() < 0.03


# Where there is no beat -------------------------------------------------------------------------------------


def _tone(t, rng):
    return 0.4 * np.sin(2 * np.pi * 220 * t)


def _chord(t, rng):
    return 0.1 * sum(np.sin(2 * np.pi * pitch * t) for pitch in (220.0, 277.2, 329.6))


def _noise(t, rng):
    return 0.2 * rng.standard_normal(len(t))


def _swell(t, rng):
    return 0.3 * np.sin(np.pi * t / t[-1]) * np.sin(2 * np.pi * 330 * t)


def _silence(t, rng):
    return 0 * t


def _steady(t, rng):
    return 0 * t + 0.3


class TestNoBeat:
    @pytest.mark.parametrize("made_of", [_silence, _steady, _noise, _tone, _chord, _swell])
    def test_there_are_no_beats(self, made_of):
        meter = meter_in(made_of(np.arange(12 * RATE) / RATE, generator_for(1, "test.no_beat")))
        assert len(meter.beats) == len(meter.downbeats) == 0
        assert meter.tempo_bpm is None
        assert meter.beats_per_bar is None
        assert meter.confidence.max() == 0
        for name, values in meter.columns().items():
            assert np.all(values == 0), name

    @pytest.mark.parametrize("seed", range(3))
    def test_free_notes_have_next_to_none(self, seed):
        rng = generator_for(seed, "test.free_notes")
        sound = np.zeros(20 * RATE)
        for moment in rng.uniform(0, 19, 48):
            note = decaying(rng.uniform(0.3, 1.5), 0.4, 220 * 2 ** (rng.integers(24) / 12))
            sound += placed([moment], rng.uniform(0.2, 0.8) * note, 20)
        meter = meter_in(sound)
        assert meter.confidence.mean() < 0.3
        assert meter.columns()["beat"].mean() < 0.1

    @pytest.mark.parametrize("seed", range(2))
    def test_clicks_at_random_have_none(self, seed):
        rng = generator_for(seed, "test.geiger")
        meter = meter_in(placed(rng.uniform(0, 19.9, 50), CLICK, 20, rng.uniform(0.2, 1, 50)))
        assert meter.confidence.mean() < 0.1

    @pytest.mark.parametrize("seconds", [0.001, 0.02, 0.5, 1.0, 2.99, 3.0, 3.01])
    def test_the_shortest_sounds_are_heard_without_fail(self, seconds):
        meter = meter_in(ringing(np.arange(0.0, seconds, 0.25), seconds))
        ticks = len(meter.confidence)
        assert all(len(values) == ticks for values in meter.columns().values())
        assert ((meter.beats >= 0) & (meter.beats < ticks)).all()
        if seconds < 3:
            assert len(meter.beats) == 0


# Long tracks ------------------------------------------------------------------------------------------------


def loop(times):
    """Eight seconds at 120 BPM that repeat without a seam."""
    columns, spectrum = measured(ringing(np.arange(0.25, 16, 0.5), 16, np.tile([1, 0.6, 0.8, 0.6], 8)))
    columns = {name: np.tile(column[400:1200], times) for name, column in columns.items()}
    return columns, np.tile(spectrum[400:1200], (times, 1))


class TestLongTracks:
    def test_blocks_leave_no_gap(self):
        long = meter_of(*loop(120))  # 16 minutes: two blocks
        short = meter_of(*loop(8))
        steps = np.diff(long.beats)
        assert len(long.beats) == 120 * 16
        np.testing.assert_allclose(steps, 50, atol=2)
        assert np.diff(np.searchsorted(long.beats, long.downbeats)).max() <= 2 * long.beats_per_bar
        assert long.tempo_bpm == pytest.approx(120, rel=1e-3)
        np.testing.assert_allclose(long.beats[: len(short.beats) - 2], short.beats[:-2], atol=0.5)


# Columns ----------------------------------------------------------------------------------------------------


class TestColumns:
    @pytest.fixture(params=[3, 4])
    def heard(self, request):
        return made(request.param)

    def test_they_are_in_their_ranges(self, heard):
        columns = heard[2].columns()
        assert tuple(columns) == BEAT_COLUMNS
        for name, values in columns.items():
            assert values.min() >= SPECS[name].low
            assert values.max() <= SPECS[name].high

    @pytest.mark.parametrize(("prefix", "marks"), [("beat", "beats"), ("bar", "downbeats")])
    def test_phases_begin_on_their_marks(self, heard, prefix, marks):
        meter = heard[2]
        columns = meter.columns()
        moments = getattr(meter, marks)[1:-1]
        at = np.rint(moments).astype(int)
        sure = meter.confidence[at] * (meter.bar_confidence[at] if prefix == "bar" else 1)
        sine, cosine = columns[f"{prefix}_sin"], columns[f"{prefix}_cos"]
        assert sure.min() > 0.1
        # The nearest row is up to 5 ms away.
        gaps = np.diff(getattr(meter, marks))
        slack = np.pi / np.minimum(gaps[1:], gaps[:-1])
        assert np.all(cosine[at] >= sure * np.cos(slack) - 1e-6)
        assert np.all(cosine[at] <= sure + 1e-6)
        assert np.all(np.abs(sine[at]) <= sure * np.sin(slack) + 1e-6)
        assert np.all(sine[at + 2] > sine[at - 2])

    def test_a_pulse_decays_after_each_beat(self, heard):
        meter = heard[2]
        at = np.ceil(meter.beats[:-1]).astype(int)
        beat = meter.columns()["beat"]
        np.testing.assert_allclose(
            beat[at + 15],
            meter.confidence[at + 15] * np.exp(-(at + 15 - meter.beats[:-1]) / 20),
            rtol=1e-5,
        )
        assert np.all(beat[at] > 0.95 * meter.confidence[at])

    def test_tempo_is_that_of_the_music(self):
        song, _, meter = made(3)
        tempo = meter.columns()["tempo"][200:-200]
        np.testing.assert_allclose(tempo, 60 / np.diff(song.beats).mean(), rtol=0.02)

    def test_before_the_first_beat_and_after_the_last_phases_go_on(self):
        ticks = np.arange(1000)
        beats = np.arange(300.0, 700.0, 50.0)
        meter = Meter(beats, beats[::4], 4, np.ones(1000), np.ones(1000))
        columns = meter.columns()
        np.testing.assert_allclose(columns["beat_sin"], np.sin(2 * np.pi * ticks / 50), atol=1e-5)
        np.testing.assert_allclose(columns["bar_cos"], np.cos(2 * np.pi * (ticks - 300) / 200), atol=1e-5)
        np.testing.assert_allclose(columns["tempo"], 120)
        assert np.all(columns["beat"][:300] == 0)


# What is written down ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heard():
    """A song between two turns of another: columns and spectrum, what was heard, seconds."""
    first, middle = made(3)[1], made(0)[1]
    parts = [first, middle, first]
    columns = {name: np.concatenate([part[0][name] for part in parts]) for name in MEASURED_NAMES}
    spectrum = np.concatenate([part[1] for part in parts])
    duration_s = len(spectrum) / 100
    return columns, spectrum, *listen_through(columns, spectrum, duration_s=duration_s), duration_s


@pytest.fixture(scope="module")
def timeline(heard):
    columns, spectrum, derived, music, duration_s = heard
    table = np.stack([*columns.values(), *derived.values()], axis=1)
    return Timeline(table, COLUMN_NAMES, spectrum, round(duration_s * RATE), RATE, music)


class TestMusic:
    def test_sections_have_their_numbers(self, heard):
        _, _, derived, music, duration_s = heard
        assert len({part.label for part in music.sections}) >= 2
        assert music.sections[0].start_s == 0
        assert music.sections[-1].end_s == pytest.approx(duration_s, abs=1e-3)
        numbers = {}
        for part in music.sections:
            rows = derived["section"][int(np.ceil(part.start_s * 100)) : int(part.end_s * 100)]
            assert np.all(rows == numbers.setdefault(part.label, len(numbers))), part
        for one, other in zip(music.sections, music.sections[1:], strict=False):
            assert one.end_s == other.start_s

    def test_moments_are_those_of_the_columns(self, heard):
        columns, spectrum, derived, music, duration_s = heard
        meter = meter_of(columns, spectrum)
        assert tuple(derived) == DERIVED_NAMES
        np.testing.assert_allclose(np.array(music.beats) * 100, meter.beats, atol=0.01)
        assert set(music.downbeats) <= set(music.beats)
        assert max(music.beats) <= duration_s
        assert music.tempo_bpm == pytest.approx(meter.tempo_bpm, abs=0.01)
        for name, values in meter.columns().items():
            np.testing.assert_array_equal(derived[name], values)

    def test_json_tells_everything(self, heard):
        music = heard[3]
        assert Music.from_json(json.loads(json.dumps(music.to_json()))) == music
        assert Music.from_json(json.loads(json.dumps(Music().to_json()))) == Music()
        incomplete = music.to_json()
        del incomplete["sections"]
        with pytest.raises(KeyError):
            Music.from_json(incomplete)

    def test_a_timeline_keeps_its_music(self, timeline, tmp_path):
        timeline.save(tmp_path)
        loaded = Timeline.load(tmp_path)
        assert loaded.music == timeline.music
        assert loaded.digest() == timeline.digest()

    def test_digest_sees_all_of_the_music(self, timeline):
        changes = {
            "beats": timeline.music.beats[:-1],
            "downbeats": (),
            "beat_confidence": 0.123,
            "tempo_bpm": None,
            "beats_per_bar": 11,
            "key": "H major",
            "sections": (Section(0.0, 54.0, "A"),),
        }
        digests = {timeline.digest()} | {
            replace(timeline, music=replace(timeline.music, **{field: value})).digest()
            for field, value in changes.items()
        }
        assert len(digests) == len(changes) + 1


# Anything at all --------------------------------------------------------------------------------------------


def random_rows(seed, ticks, kind):
    """Columns and a spectrum of values in [0, 1]: noise, blocks of 0 and 1, constants, or slow waves."""
    rng = generator_for(seed, "test.rows")

    def values(columns):
        if kind == "noise":
            return rng.random((ticks, columns))
        if kind == "blocks":
            starts = -(-ticks // 37)
            return np.repeat(rng.integers(0, 2, (starts, columns)), 37, axis=0)[:ticks]
        if kind == "constant":
            return np.broadcast_to(rng.random(columns), (ticks, columns))
        if kind == "spikes":
            return np.where(rng.random((ticks, columns)) < 0.02, rng.random((ticks, columns)), 0.0)
        return 0.5 + 0.5 * np.sin(np.outer(np.arange(ticks), rng.uniform(0.005, 0.3, columns)))

    table = values(len(MEASURED_NAMES)).astype(np.float32)
    columns = {name: table[:, place].copy() for place, name in enumerate(MEASURED_NAMES)}
    return columns, values(64).astype(np.float32)


ROWS = {
    "seed": st.integers(0, 1000),
    "ticks": st.integers(1, 3000),
    "kind": st.sampled_from(["noise", "blocks", "constant", "spikes", "waves"]),
    "bpm": st.none() | st.floats(50, 225),
}


@settings(max_examples=30, deadline=None)
@given(**ROWS)
@example(seed=0, ticks=1, kind="noise", bpm=120.0)
@example(seed=0, ticks=299, kind="spikes", bpm=None)
@example(seed=0, ticks=300, kind="constant", bpm=50.0)
def test_any_rows_have_a_meter(seed, ticks, kind, bpm):
    columns, spectrum = random_rows(seed, ticks, kind)
    meter = meter_of(columns, spectrum, bpm=bpm)
    assert np.all(np.diff(meter.beats) > 0)
    assert ((meter.beats >= 0) & (meter.beats <= ticks - 1)).all()
    assert np.isin(meter.downbeats, meter.beats).all()
    for sure in (meter.confidence, meter.bar_confidence):
        assert len(sure) == ticks
        assert ((sure >= 0) & (sure <= 1)).all()
    for name, values in meter.columns().items():
        assert np.isfinite(values).all()
        assert ((values >= SPECS[name].low) & (values <= SPECS[name].high)).all(), name
    again = meter_of(columns, spectrum, bpm=bpm)
    np.testing.assert_array_equal(again.beats, meter.beats)
    np.testing.assert_array_equal(again.downbeats, meter.downbeats)
    np.testing.assert_array_equal(again.confidence, meter.confidence)


@settings(max_examples=15, deadline=None)
@given(seed=ROWS["seed"], ticks=st.integers(1, 2500), kind=ROWS["kind"])
@example(seed=0, ticks=1, kind="noise")
def test_any_rows_are_heard_as_music(seed, ticks, kind):
    columns, spectrum = random_rows(seed, ticks, kind)
    duration_s = (ticks - 0.3) / 100
    derived, music = listen_through(columns, spectrum, duration_s=duration_s)
    for name, values in derived.items():
        assert len(values) == ticks
        assert np.isfinite(values).all()
        assert ((values >= SPECS[name].low) & (values <= SPECS[name].high)).all(), name
    assert all(0 <= moment <= duration_s + 1e-4 for moment in music.beats)
    assert 0 <= music.beat_confidence <= 1
    assert music.sections[-1].end_s == pytest.approx(duration_s, abs=1e-3)
    assert Music.from_json(json.loads(json.dumps(music.to_json()))) == music
