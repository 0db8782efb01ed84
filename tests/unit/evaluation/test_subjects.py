"""Altered music, and what draws it: a change is the same for Timeline and sound, and changes nothing else."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from made_clips import write_wav
from made_subjects import made_song, made_timeline
from synesthete.audio.analysis import analyse_stream
from synesthete.audio.columns import BANDS, COLUMN_NAMES
from synesthete.audio.features import compute
from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.clock import HOP_SAMPLES
from synesthete.config.preset import load_preset
from synesthete.errors import ConfigError, InputError
from synesthete.evaluation.baselines import Strobe, baselines
from synesthete.evaluation.music_changes import band_edges_hz, excerpt, muted_band, permuted, silenced
from synesthete.evaluation.subjects import PresetSubject, ProbeSettings, ProbeSong, Style, spread
from synesthete.generators.base import Size

RATE = 44_100
SIZE = Size(32, 18)
FPS = Fraction(30)
REST = (210.0, 500.0, 5000.0)


def tones(seconds: float, *hertz: float) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE)) / RATE
    return np.sum([0.2 * np.sin(2 * np.pi * f * time_s) for f in hertz], axis=0)[None].astype(np.float32)


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.square(sound[:, RATE // 2 : -RATE // 2]).mean() + 1e-12))


# Permuted ---------------------------------------------------------------------------------------------------


def test_permuting_moves_whole_rows_and_keeps_the_moments() -> None:
    timeline = made_timeline(3.0)
    shuffled = permuted(0).timeline(timeline)
    order = [int(np.flatnonzero(timeline.table[:, 0] == value)[0]) for value in shuffled.table[:, 0]]
    assert sorted(order) == list(range(300))
    assert order != list(range(300))
    assert (shuffled.table[:, :-1] == timeline.table[order, :-1]).all()
    assert (shuffled.spectrum == timeline.spectrum[order]).all()
    assert (shuffled.column("time") == timeline.column("time")).all()
    assert shuffled.music == Music()


def test_permuting_sound_and_timeline_is_the_same_permutation() -> None:
    timeline = made_timeline(2.0)
    timeline.table[:, 0] = np.arange(200)
    blocks = np.repeat(np.arange(200, dtype=np.float32), HOP_SAMPLES)[None]
    (sound,) = permuted(3).sound(iter([blocks[:, :50_000], blocks[:, 50_000:]]))
    assert (sound[0, ::HOP_SAMPLES] == permuted(3).timeline(timeline).table[:, 0]).all()


def test_another_seed_permutes_otherwise() -> None:
    timeline = made_timeline(1.0)
    one, again, other = (permuted(seed).timeline(timeline).table for seed in (1, 1, 2))
    assert (one == again).all()
    assert not (one == other).all()


def test_permuting_moves_the_wave_along(tmp_path: Path) -> None:
    pitches = np.repeat(np.linspace(500.0, 4000.0, 100), HOP_SAMPLES)
    sound = (0.5 * np.sin(2 * np.pi * np.cumsum(pitches) / RATE))[None].astype(np.float32)
    heard = analyse_stream([sound], tmp_path / "heard")
    shuffled = permuted(3).timeline(heard)
    (moved,) = permuted(3).sound(iter([sound]))
    again = analyse_stream([moved], tmp_path / "again")
    assert shuffled.wave.shape == heard.wave.shape
    blocks = [wave[: 220 * 100].reshape(100, 220, 2)[:, 20:200, 0] for wave in (shuffled.wave, again.wave)]
    levels = [np.abs(np.fft.rfft(block, axis=1)).argmax(axis=1) for block in blocks]
    assert np.abs(levels[0] - levels[1]).max() <= 2


# Silenced ---------------------------------------------------------------------------------------------------


def test_silence_is_what_the_analysis_hears_in_digital_silence() -> None:
    timeline = silenced().timeline(made_timeline(2.0))
    heard = compute(torch.zeros(1, 1, 2 * RATE))[0].numpy()
    places = [COLUMN_NAMES.index(name) for name in COLUMN_NAMES if name != "novelty"]
    assert np.allclose(timeline.table[:, places], heard[:, places])
    assert timeline.column("silence").min() == 1.0
    assert timeline.spectrum.max() == 0.0
    assert timeline.music == Music()


def test_the_wave_falls_silent_too(tmp_path: Path) -> None:
    heard = analyse_stream([tones(1.0, 300.0)], tmp_path)
    silent = silenced().timeline(heard).wave
    assert silent.shape == heard.wave.shape
    assert heard.wave.any()
    assert not silent.any()


def test_stems_fall_silent_too() -> None:
    of = made_timeline(1.0)
    table = np.concatenate([of.table, np.full((100, 1), 0.7, np.float32)], axis=1)
    with_stem = Timeline(table, (*of.names, "drums.bass"), of.spectrum, of.samples, of.sample_rate)
    assert silenced().timeline(with_stem).column("drums.bass").max() == 0.0


# A band muted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hertz", "band"), [(45.0, 0), (100.0, 1), (1000.0, 4), (10_000.0, 7)])
def test_muting_a_band_hears_what_is_left_without_its_tone(hertz: float, band: int, tmp_path: Path) -> None:
    both = analyse_stream([tones(3.0, hertz, *REST)], tmp_path / "both")
    one = analyse_stream([tones(3.0, *REST)], tmp_path / "one")
    muted = muted_band(band).timeline(both)
    for name in ("loudness", "bass", "mid", "treble", "silence", f"band_{band}", f"flux_{band}"):
        assert np.abs(muted.column(name) - one.column(name))[50:-50].max() < 0.02, name
    kept = [name for name in COLUMN_NAMES if name.startswith("band_") and name != f"band_{band}"]
    assert all((muted.column(name) == both.column(name)).all() for name in kept)
    assert (muted.column("onset") == both.column("onset")).all()


@pytest.mark.parametrize(("hertz", "band"), [(100.0, 1), (9000.0, 7)])
def test_muting_a_band_takes_its_tone_out_of_the_wave(hertz: float, band: int, tmp_path: Path) -> None:
    both = analyse_stream([tones(2.0, hertz, 500.0)], tmp_path)
    muted = muted_band(band).timeline(both)
    before, after = (np.abs(np.fft.rfft(timeline.wave[:, 0])) for timeline in (both, muted))
    assert after[round(2 * hertz)] < 0.1 * before[round(2 * hertz)]
    assert after[1000] > 0.98 * before[1000]


def test_muting_the_only_band_leaves_silence(tmp_path: Path) -> None:
    muted = muted_band(3).timeline(analyse_stream([tones(2.0, 470.0)], tmp_path))
    assert muted.column("silence")[50:-50].min() > 0.99
    assert muted.column("percussive")[50:-50].max() < 0.1


def test_muting_a_band_of_silence_changes_nothing() -> None:
    silence = silenced().timeline(made_timeline(1.0))
    for band in range(BANDS):
        assert np.allclose(muted_band(band).timeline(silence).table, silence.table, atol=1e-6)


@pytest.mark.parametrize("band", range(BANDS))
def test_muting_a_band_of_the_sound_takes_its_middle_out_and_leaves_the_others(band: int) -> None:
    low, high = band_edges_hz(band)
    inside, outside = tones(3.0, (low * high) ** 0.5), tones(3.0, band_edges_hz((band + 4) % BANDS)[0] * 1.4)
    for sound, least, most in ((inside, -200.0, -25.0), (outside, -0.5, 0.5)):
        filtered = np.concatenate(list(muted_band(band).sound(iter([sound]))), axis=1)
        assert least <= level_db(filtered) - level_db(sound) <= most


def test_how_the_sound_is_cut_into_chunks_changes_nothing() -> None:
    sound = tones(1.0, 100.0, 3000.0)
    whole = np.concatenate(list(muted_band(1).sound(iter([sound]))), axis=1)
    cut = np.concatenate(list(muted_band(1).sound(iter(np.split(sound, [10, 9_000], axis=1)))), axis=1)
    assert np.allclose(whole, cut, atol=1e-6)


# Cut out ----------------------------------------------------------------------------------------------------


def test_an_excerpt_counts_from_its_own_start() -> None:
    timeline = made_timeline(10.0)
    part = excerpt(timeline, 300, 700)
    assert part.ticks == 400
    assert float(part.duration) == 4.0
    assert (part.column("loudness") == timeline.column("loudness")[300:700]).all()
    assert part.column("time")[0] == pytest.approx(0.0, abs=1e-6)
    assert part.music.beats[:3] == (0.0, 0.5, 1.0)
    assert part.music.beats[-1] < 4.0
    assert timeline.column("time")[0] == 0.0


def test_an_excerpt_sounds_as_the_whole_does_there(tmp_path: Path) -> None:
    whole = analyse_stream([tones(4.0, 150.0, 430.0)], tmp_path)
    part = excerpt(whole, 101, 300)
    there = whole.wave_at(np.arange(10, 50) / 30 + 1.01)
    assert np.abs(part.wave_at(np.arange(10, 50) / 30) - there).max() < 0.05


# Songs ------------------------------------------------------------------------------------------------------


def test_a_songs_sound_is_altered_as_its_timeline_is(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "song.wav", tones(1.0, 440.0))
    song = ProbeSong("song", made_timeline(1.0), path)
    plain = np.concatenate(list(song.sound()), axis=1)
    silent = np.concatenate(list(song.altered(silenced()).sound()), axis=1)
    assert plain.shape == silent.shape == (1, RATE)
    assert np.abs(plain).max() > 0.1
    assert np.abs(silent).max() == 0.0


def test_a_song_without_a_file_has_no_sound() -> None:
    with pytest.raises(InputError, match="name its file"):
        made_song().sound()


def test_frames_are_spread_over_the_whole_film_one_in_each_share() -> None:
    frames = spread(1800, 64)
    assert all(1800 * k // 64 <= frame < 1800 * (k + 1) / 64 for k, frame in enumerate(frames))
    assert spread(3, 64) == [0, 1, 2]


@pytest.mark.parametrize("bpm", [60, 90, 120, 128, 150, 174])
def test_no_tempo_falls_in_with_the_frames(bpm: int) -> None:
    phases = np.array(spread(1800, 64)) / 30 * bpm / 60 * 2 * np.pi
    assert abs(np.exp(1j * phases).mean()) < 0.25


def test_settings_refuse_what_can_tell_nothing() -> None:
    with pytest.raises(ConfigError, match="frames = 2 is too few; pass 3 or more"):
        ProbeSettings(frames=2)


# Subjects ---------------------------------------------------------------------------------------------------


def drawn(subject: object, song: ProbeSong, frames: list[int], **given: object) -> torch.Tensor:
    pictures = subject.draw(song, frames, size=SIZE, frame_rate=FPS, **given)  # type: ignore[attr-defined]
    return torch.stack([picture.clone() for picture in pictures])


def test_a_preset_draws_the_named_frames_one_by_one_or_together() -> None:
    subject, song = PresetSubject(load_preset("silk")), made_song()
    together = drawn(subject, song, [3, 4, 5, 40])
    assert together.shape == (4, 3, 18, 32)
    assert torch.equal(drawn(subject, song, [4]), together[1:2])
    assert torch.equal(drawn(subject, song, [40]), together[3:])


def test_a_preset_drawn_again_with_nothing_changed_is_the_same() -> None:
    preset, frames = load_preset("silk"), [10, 70]
    once = drawn(PresetSubject(preset), made_song(), frames)
    own = Style(preset.style, preset.seed)
    assert torch.equal(drawn(PresetSubject(preset), made_song(), frames, seed=preset.seed, style=own), once)


@pytest.mark.parametrize("style", [Style((1.0, 0.0, 0.0, 0.0), 26), Style((0.0, 0.0, 0.0, 0.0), 27)])
def test_a_style_is_a_vector_and_a_seed_for_a_preset(style: Style) -> None:
    subject, song = PresetSubject(load_preset("silk")), made_song()
    assert load_preset("silk").seed == 26
    assert (drawn(subject, song, [50], style=style) - drawn(subject, song, [50])).abs().mean() > 0.01


def test_altered_music_moves_a_preset_and_the_original_stays() -> None:
    subject, song = PresetSubject(load_preset("silk")), made_song()
    before = drawn(subject, song, [60])
    altered = drawn(subject, song.altered(silenced()), [60])
    assert (altered - before).abs().mean() > 0.01
    assert torch.equal(drawn(subject, song, [60]), before)


def test_baselines_that_do_not_listen_draw_the_same_whatever_is_heard() -> None:
    song = made_song()
    for subject in baselines()[:3]:
        own = drawn(subject, song, [0, 50])
        assert torch.equal(drawn(subject, song.altered(silenced()), [0, 50]), own), subject.name
        assert own.min() >= 0.0
        assert own.max() <= 1.0
        assert own.std() > 0.1, subject.name


def test_the_still_stands_still_and_the_drift_drifts_slowly() -> None:
    still, drift = baselines()[:2]
    song = made_song(8.0)
    assert torch.equal(*drawn(still, song, [0, 200]))
    now, soon, later = drawn(drift, song, [0, 1, 200])
    assert 0 < (now - soon).abs().mean() < 0.01 < (now - later).abs().mean()


def test_the_strobe_flashes_on_beats() -> None:
    beat, between = drawn(Strobe(), made_song(), [15, 28])
    assert beat.min() == 1.0
    assert between.max() < 0.2


def test_scopes_draw_the_sound_that_was_altered(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "song.wav", tones(2.0, 440.0))
    song = ProbeSong("song", made_timeline(2.0), path)
    for subject in baselines()[4:]:
        own = drawn(subject, song, [10, 40])
        assert own.shape == (2, 3, 18, 32)
        assert own[1].max() > 0.5, subject.name
        assert drawn(subject, song.altered(silenced()), [40]).mean() < own[1].mean(), subject.name
