"""Synthesis in closed form, voice leading, swing, forms: what songs are made of."""

import itertools

import numpy as np
import pytest
from scipy.special import jv

from synesthete.audio.compose.form import FORMS, draw_form
from synesthete.audio.compose.instruments import PATCHES, Instrument, hertz_of
from synesthete.audio.compose.patterns import strike_pattern
from synesthete.audio.compose.percussion import DRUMS, Kit
from synesthete.audio.compose.synthesis import (
    RATE,
    fm_tone,
    harmonic_bands,
    spread_spectrum,
    string_tone,
    swept_tables,
    table_tone,
)
from synesthete.audio.compose.tempo import TempoMap, draw_tempo_map
from synesthete.audio.compose.theory import Key, progression, voicing
from synesthete.audio.compose.tone import draw_tone


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def amplitude_at(sound: np.ndarray, hertz: float) -> float:
    """Give the amplitude of a sine in a sound, by a Hann window."""
    window = np.hanning(len(sound))
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / RATE)
    return float(2 * abs(np.sum(sound * window * turns)) / window.sum())


def fundamental(sound: np.ndarray, near: float) -> float:
    """Give the frequency of the strongest partial within a semitone."""
    grid = near * 2 ** (np.linspace(-1, 1, 401) / 12)
    return float(grid[int(np.argmax([amplitude_at(sound, hertz) for hertz in grid]))])


# Synthesis ------------------------------------------------------------------------------------------------


def test_fm_has_the_sidebands_of_bessel_functions() -> None:
    sound = fm_tone(2000.0, 0.31, np.full(RATE, 2.0, np.float32))
    for order in range(4):
        expected = 0.42 * abs(jv(order, 2.0))
        assert amplitude_at(sound, 2000 + 620 * order) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("hertz", [55.0, 220.0, 987.77])
def test_strings_are_in_tune_and_their_highs_die_first(hertz: float) -> None:
    sound = string_tone(rng(), hertz, 1.5, decay_s=0.8, bright=0.8, pick=0.3)
    assert 1200 * abs(np.log2(fundamental(sound[: RATE // 2], hertz) / hertz)) < 6
    early, late = sound[2000:12_000], sound[40_000:50_000]
    ratios = [amplitude_at(late, k * hertz) / amplitude_at(early, k * hertz) for k in (1, 5)]
    assert ratios[1] < ratios[0] < 1


def test_waves_are_band_limited() -> None:
    pitch = 3520.0
    tables = swept_tables(rng(), pitch, harmonic_bands("saw", 40), np.array([20_000.0]), 0.7)
    sound = table_tone(tables, pitch, None, samples=RATE)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(RATE)))
    own = np.zeros(len(spectrum), np.bool_)
    for k in range(1, 7):
        own[round(k * pitch) - 4 : round(k * pitch) + 5] = True
    # What lies between the harmonics is table noise, and nothing folds back.
    assert 20 * np.log10(spectrum[~own].max() / spectrum.max()) < -45


def test_a_sweep_closes_the_filter() -> None:
    player = Instrument(PATCHES["acid bass"], rng(), {(36, 1): 1.0})
    tone = player.tone(36, 1)
    share = [
        amplitude_at(part, 12 * hertz_of(36)) / amplitude_at(part, hertz_of(36))
        for part in (tone[:6000], tone[20_000:26_000])
    ]
    assert share[1] < 0.5 * share[0]


def test_ensembles_are_wide_repeat_without_a_seam_and_are_in_tune() -> None:
    chord = spread_spectrum(rng(), np.array([220.0]), np.ones((1, 4)), samples=65_536, cents=10)
    left, right = chord
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.3
    seam, steps = abs(left[0] - left[-1]), np.abs(np.diff(left))
    assert seam < steps.max()
    spectrum = np.abs(np.fft.rfft(left)) ** 2
    hertz = np.arange(len(spectrum)) * RATE / 65_536
    low = (hertz > 150) & (hertz < 330)
    assert float((hertz[low] * spectrum[low]).sum() / spectrum[low].sum()) == pytest.approx(220, rel=0.01)


@pytest.mark.parametrize("name", [name for name, patch in PATCHES.items() if patch.kind != "ensemble"])
def test_instruments_play_in_tune_without_a_click_at_the_start(name: str) -> None:
    pitch = 40 if "bass" in name else 64
    player = Instrument(PATCHES[name], rng(2), {(pitch, 1): 0.6})
    tone = player.tone(pitch, 1)
    assert np.isfinite(tone).all()
    assert abs(tone[0]) < 0.05
    assert 0.02 < np.sqrt(np.mean(tone[: RATE // 4] ** 2)) < 0.8
    assert abs(tone.mean()) < 0.02


@pytest.mark.parametrize("name", DRUMS)
def test_drums_begin_at_once_end_at_nothing_and_differ_from_strike_to_strike(name: str) -> None:
    kit = Kit(rng(4))
    strikes = [kit.strike(name, turn) for turn in range(3)]
    assert max(np.abs(strike).max() for strike in strikes) == pytest.approx(1.0)
    assert all(np.abs(strike[:2205]).max() > 0.3 for strike in strikes)
    assert all(abs(strike[-1]) < 0.01 for strike in strikes)
    assert not np.array_equal(strikes[0], strikes[1])
    assert kit.strike(name, 3) is strikes[0]


def test_a_tone_is_stable_and_cuts_what_is_not_heard() -> None:
    for seed in range(40):
        sections = draw_tone(rng(seed), dull=0.5)
        for row in sections:
            assert np.abs(np.roots(row[3:])).max() < 1
        at_zero = np.prod(sections[:, :3].sum(axis=1) / sections[:, 3:].sum(axis=1))
        assert abs(at_zero) < 1e-6


# Music ----------------------------------------------------------------------------------------------------


def test_voices_move_as_little_as_they_can() -> None:
    key, found = Key(0, "major"), ()
    chords = []
    for degree in (0, 3, 4, 0, 5, 1, 4, 0):
        found = voicing(key.chord(degree, 3), found, 62)
        assert {pitch % 12 for pitch in found} == set(key.chord(degree, 3))
        chords.append(found)
    moves = [abs(a - b) for one, two in itertools.pairwise(chords) for a, b in zip(one, two, strict=True)]
    assert max(moves) <= 4
    assert np.mean(moves) < 2


@pytest.mark.parametrize("harmony", ["functional", "loop", "modal", "jazz", "blues", "pedal"])
def test_progressions_fill_all_bars_and_are_at_home_somewhere(harmony: str) -> None:
    degrees = progression(rng(1), harmony, 24)  # type: ignore[arg-type]
    assert len(degrees) == 24
    assert set(degrees) <= set(range(7))
    assert 0 in degrees


def test_swing_delays_the_second_half_only() -> None:
    tempo = TempoMap(np.arange(9) * 0.5, swing=2 / 3, pair=1.0)
    assert np.allclose(tempo.seconds(np.array([0.0, 0.5, 1.0, 1.25])), [0.0, 1 / 3, 0.5, 2 / 3])
    sixteenths = TempoMap(np.arange(9) * 0.5, swing=0.6, pair=0.5)
    assert np.allclose(sixteenths.seconds(np.array([0.25, 0.5, 0.75])), [0.15, 0.25, 0.4])


@pytest.mark.parametrize("pace", ["constant", "walk", "rubato", "accelerando"])
def test_tempo_moves_as_its_pace_says(pace: str) -> None:
    tempo = draw_tempo_map(
        rng(3),
        seconds=40.0,
        bpm=120.0,
        metre=4,
        pace=pace,
        swing=0.5,
        pair=1.0,  # type: ignore[arg-type]
    )
    bpm = 60 / np.diff(tempo.beats)
    assert tempo.beats[0] < 0.5 < 40 < tempo.beats[-1]
    assert np.all((bpm > 84) & (bpm < 168))
    spread = float(np.ptp(bpm) / 120)
    assert spread < 1e-9 if pace == "constant" else 0.01 < spread < 0.25


@pytest.mark.parametrize("kind", [kind for kind, pattern in FORMS.items() if len(pattern) > 2])
def test_whole_songs_begin_and_end_as_their_form_does(kind: str) -> None:
    for seed in range(20):
        form = draw_form(rng(seed), kind, bars=40, bar_s=2.0, seconds=80.0)
        names = [part.name for part in form.parts]
        assert (names[0], names[-1]) == (FORMS[kind][0][0], FORMS[kind][-1][0])
        assert set(names[1:-1]) <= {name for name, _ in FORMS[kind][1:-1]}


@pytest.mark.parametrize("kind", FORMS)
def test_forms_fill_the_song_and_short_ones_change_too(kind: str) -> None:
    for seed in range(5):
        form = draw_form(rng(seed), kind, bars=6, bar_s=2.0, seconds=12.0)
        assert [part.first for part in form.parts] == [0, *(part.stop for part in form.parts[:-1])]
        assert form.parts[-1].stop == form.bars == 6
        assert len(form.parts) >= 2
        assert np.all((form.energy > 0) & (form.energy <= 1))


def test_patterns_are_struck_as_written_where_there_is_energy() -> None:
    hits = strike_pattern(
        rng(), "x..u", steps=16, energy=np.array([1.0, 0.2, 1.0]), enters=0.5, loose=0.0, spread=0.0
    )
    assert set(hits.steps // 16) == {0, 2}
    assert set(hits.steps % 4) == {0, 3}
    strong, weak = hits.force[hits.steps % 4 == 0], hits.force[hits.steps % 4 == 3]
    assert strong.min() > 2 * weak.max()
