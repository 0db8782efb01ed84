"""What is locked to beats and sections: the count of beats, phases, levels of parts, stems as envelopes."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch

from made_rhythm import rhythm_song
from synesthete.audio.columns import COLUMN_NAMES, MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.listening import listen_through
from synesthete.audio.meter import Meter
from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control, Part, Phase
from synesthete.errors import ConfigError
from synesthete.generators.control import build_signals, count_beats, part_levels

RATE = 44_100


def control_of(**groups: object) -> Control:
    return Control.model_validate(groups)


def timeline_of(
    seconds: float,
    beats: np.ndarray,
    *,
    sure: np.ndarray | float = 1.0,
    **columns: np.ndarray | float,
) -> Timeline:
    """A Timeline of middling music with beats at given moments, as sure as is said."""
    ticks = round(seconds * 100)
    confidence = np.broadcast_to(np.asarray(sure, np.float64), (ticks,))
    meter = Meter(beats * 100, beats[::4] * 100, 4, confidence, confidence)
    values = {"loudness": 0.6, "bass": 0.6, "onset": 0.3, **meter.columns(), **columns}
    names = (*COLUMN_NAMES, *(name for name in values if name not in COLUMN_NAMES))
    table = np.zeros((ticks, len(names)), np.float32)
    for name, value in values.items():
        table[:, names.index(name)] = value
    music = Music(beats=tuple(beats.tolist()), downbeats=tuple(beats[::4].tolist()))
    return Timeline(table, names, np.zeros((ticks, 64), np.float32), ticks * 441, RATE, music)


def at_moments(curve: np.ndarray, moments: np.ndarray) -> np.ndarray:
    return np.interp(moments * 100, np.arange(len(curve)), curve)


STEADY = np.arange(0.5, 19.9, 0.5)
PAUSED = STEADY[(STEADY <= 8) | (STEADY >= 13)]


def pause() -> np.ndarray:
    """Sure beats, none from 8.2 to 12.8 s."""
    time_s = np.arange(2000) / 100
    return np.where((time_s > 8.2) & (time_s < 12.8), 0.0, 1.0)


# Beats ------------------------------------------------------------------------------------------------------


def test_the_count_grows_by_one_from_beat_to_beat() -> None:
    count = count_beats(timeline_of(20, STEADY))
    np.testing.assert_allclose(np.diff(at_moments(count, STEADY)), 1.0, atol=1e-6)
    assert np.all(np.diff(count) >= 0)
    # Between two beats it grows evenly.
    np.testing.assert_allclose(np.diff(count[60:1900]), 0.02, atol=1e-6)


def test_the_count_follows_a_tempo_that_changes() -> None:
    beats = 0.5 + np.cumsum(np.linspace(0.4, 0.7, 33))
    count = at_moments(count_beats(timeline_of(20, beats)), beats)
    # Rows lie up to 5 ms from a beat, and its two neighbours count at nearly the same pace.
    np.testing.assert_allclose(count - count[0], np.arange(33), atol=5e-3)


def test_the_count_starts_at_0_and_rests_outside_of_the_beats() -> None:
    beats = np.arange(3.0, 10.0, 0.5)
    count = count_beats(timeline_of(20, beats))
    assert np.all(count[:301] == 0)
    assert np.ptp(count[951:]) == pytest.approx(0, abs=1e-9)
    assert count[-1] == pytest.approx(len(beats) - 1)


@pytest.mark.parametrize("beats", [np.zeros(0), np.array([3.0])])
def test_without_beats_there_is_no_count(beats: np.ndarray) -> None:
    assert np.all(count_beats(timeline_of(5, beats, sure=0.0)) == 0)


def test_the_count_rests_where_beats_are_not_sure() -> None:
    time_s = np.arange(2000) / 100
    count = count_beats(timeline_of(20, STEADY, sure=np.where((time_s > 6) & (time_s < 12), 0.1, 0.9)))
    assert np.ptp(count[610:1190]) == pytest.approx(0, abs=1e-9)
    assert count[600] - count[100] == pytest.approx(10, abs=0.03)
    assert count[1900] - count[1200] == pytest.approx(14, abs=0.03)


def test_the_count_rests_in_a_pause() -> None:
    count = count_beats(timeline_of(20, PAUSED, sure=pause()))
    assert np.ptp(count[825:1275]) == pytest.approx(0, abs=1e-9)
    for part in (PAUSED[PAUSED <= 8], PAUSED[PAUSED >= 13]):
        np.testing.assert_allclose(np.diff(at_moments(count, part)), 1.0, atol=1e-6)


def test_after_a_pause_the_count_is_whole_on_beats_as_before() -> None:
    count = at_moments(count_beats(timeline_of(20, PAUSED, sure=pause())), PAUSED)
    np.testing.assert_allclose(count, np.rint(count), atol=1e-6)


# Phases -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beats", [1, 4, 2.5])
@pytest.mark.parametrize("rate", [0.0, 0.03])
def test_a_phase_turns_once_in_so_many_beats(beats: float, rate: float) -> None:
    control = control_of(phases={"locked": {"beats": beats, "rate": rate}})
    curve = build_signals(timeline_of(20, STEADY), control, frame_rate=Fraction(50), seed=0).curves["locked"]
    turned = np.interp(STEADY, np.arange(len(curve)) / 50, curve)
    for later in (1, 4, 16):
        expected = later / beats + rate * 0.5 * later
        np.testing.assert_allclose(turned[later:] - turned[:-later], expected, atol=1e-6)


def test_an_oscillator_on_bars_is_where_it_was_a_bar_ago() -> None:
    control = control_of(oscillators={"swing": {"phase": "bars"}})
    curve = build_signals(timeline_of(20, STEADY), control, frame_rate=Fraction(50), seed=0).curves["swing"]
    inner = curve[25:925]  # from the first beat on; a bar is 100 frames
    np.testing.assert_allclose(inner[100:], inner[:-100], atol=1e-6)
    assert np.ptp(inner) > 1.9


def test_without_beats_a_locked_phase_moves_by_its_rate_alone() -> None:
    control = control_of(phases={"locked": {"beats": 4, "rate": 0.25}, "free": {"rate": 0.25}})
    curves = build_signals(
        timeline_of(8, np.zeros(0), sure=0.0), control, frame_rate=Fraction(30), seed=0
    ).curves
    np.testing.assert_array_equal(curves["locked"], curves["free"])
    assert np.ptp(curves["bars"]) == 0
    assert Phase().beats is None


# Parts ------------------------------------------------------------------------------------------------------


def sections_of(*numbers: int, seconds: float = 6.0) -> np.ndarray:
    return np.repeat(np.array(numbers, np.float32), round(seconds * 100))


def level_of(section: np.ndarray, **options: object) -> np.ndarray:
    given = {"seed": 1, "name": "part", **options}
    return part_levels(section, Part(glide=2.0), seed=int(str(given["seed"])), name=str(given["name"]))


@pytest.mark.parametrize("seed", range(5))
def test_a_section_that_comes_back_brings_its_level(seed: int) -> None:
    levels = level_of(sections_of(0, 1, 0, 2, 1), seed=seed)[300::600]
    assert levels[0] == pytest.approx(levels[2], abs=1e-9)
    assert levels[1] == pytest.approx(levels[4], abs=1e-9)
    assert len({round(level, 6) for level in levels}) == 3


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_have_levels_well_apart(seed: int) -> None:
    levels = level_of(sections_of(*range(12)), seed=seed)
    assert np.abs(np.diff(levels[300::600])).min() > 0.2
    assert levels.min() >= -1
    assert levels.max() <= 1


def test_a_glide_is_centred_on_the_border_and_as_long_as_is_said() -> None:
    levels = level_of(sections_of(0, 1))
    before, after = levels[0], levels[-1]
    np.testing.assert_allclose(levels[:500], before)
    np.testing.assert_allclose(levels[700:], after)
    part = (levels - before) / (after - before)
    assert np.all(np.diff(part) >= -1e-12)
    assert np.interp(0.5, part[500:700], np.arange(500, 700)) == pytest.approx(599.5, abs=0.02)
    np.testing.assert_allclose(part + part[::-1], 1.0, atol=1e-9)


def test_levels_are_the_seed_s_and_the_name_s() -> None:
    section = sections_of(0, 1, 2)
    np.testing.assert_array_equal(level_of(section), level_of(section))
    assert not np.allclose(level_of(section), level_of(section, seed=2))
    assert not np.allclose(level_of(section), level_of(section, name="other"))


@pytest.mark.parametrize("ticks", [1, 2, 50])
def test_a_track_shorter_than_its_glide_has_levels(ticks: int) -> None:
    levels = part_levels(np.zeros(ticks, np.float32), Part(glide=30), seed=0, name="part")
    assert len(levels) == ticks
    np.testing.assert_allclose(levels, levels[0])


def test_parts_go_through_to_the_frames() -> None:
    timeline = timeline_of(18, np.arange(0.5, 17.9, 0.5), section=sections_of(0, 1, 0))
    control = control_of(parts={"part": {"glide": 1.0}, "slow": {"glide": 4.0}})
    curves = build_signals(timeline, control, frame_rate=Fraction(30), seed=3).curves
    assert curves["part"][90] == pytest.approx(curves["part"][-90], abs=1e-9)
    assert abs(curves["part"][90] - curves["part"][270]) > 0.2
    assert np.abs(np.diff(curves["slow"])).max() < 0.5 * np.abs(np.diff(curves["part"])).max()


# Frame rates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(24_000, 1001)])
def test_frame_i_is_frame_2i_at_twice_the_rate(rate: Fraction) -> None:
    numbers = np.repeat(np.array([0, 1, 2, 0], np.float32), 500)
    timeline = timeline_of(20, PAUSED, sure=pause(), section=numbers, silence=1 - pause())
    control = control_of(phases={"locked": {"beats": 3, "rate": 0.1}}, parts={"level": {"glide": 3}})
    slow = build_signals(timeline, control, frame_rate=rate, seed=3)
    fast = build_signals(timeline, control, frame_rate=2 * rate, seed=3)
    for name in ("locked", "bars", "sweep", "pulse", "part", "level"):
        np.testing.assert_array_equal(slow.curves[name], fast.curves[name][::2][: slow.frames], err_msg=name)


# Stems ------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_drums() -> Control:
    return control_of(envelopes={"hit": {"column": "drums.onset", "release": 0.1, "attack": 0.0}})


def test_a_stem_that_is_not_there_is_asked_for(on_drums: Control) -> None:
    with pytest.raises(ConfigError, match=r"control\.envelopes\.hit\.column = 'drums\.onset'.*--stems"):
        build_signals(timeline_of(2, np.zeros(0), sure=0.0), on_drums, frame_rate=Fraction(30), seed=0)


def test_a_column_that_no_stem_has_is_not_blamed_on_stems() -> None:
    control = control_of(envelopes={"hit": {"column": "brightness"}})
    with pytest.raises(ConfigError) as failure:
        build_signals(timeline_of(2, np.zeros(0), sure=0.0), control, frame_rate=Fraction(30), seed=0)
    assert "--stems" not in str(failure.value)


def test_a_stem_moves_what_follows_it(on_drums: Control) -> None:
    hits = np.zeros(400)
    hits[[100, 250]] = 1.0
    timeline = timeline_of(4, np.zeros(0), sure=0.0, **{"drums.onset": hits})
    curve = build_signals(timeline, on_drums, frame_rate=Fraction(50), seed=0).curves["hit"]
    assert curve[50] == pytest.approx(1, abs=1e-6)
    assert curve[125] == pytest.approx(1, abs=1e-6)
    assert curve[:49].max() < 1e-6
    assert curve[100:124].max() < 1e-3


@pytest.mark.parametrize(
    "make",
    [lambda: Phase(beats=0.1), lambda: Phase(beats=300), lambda: Part(glide=0), lambda: Part(glide=31)],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"greater than or equal|less than or equal"):
        make()


def test_bars_are_whole_on_downbeats() -> None:
    song = rhythm_song(6)
    measured = measure(torch.from_numpy(song.sound)[None, None])
    columns = dict(zip(MEASURED_NAMES, measured.columns[0].T.numpy(), strict=True))
    derived, music = listen_through(
        columns, measured.spectrum[0].numpy(), duration_s=len(song.sound) / 44_100
    )
    table = np.stack([*columns.values(), *derived.values()], 1)
    timeline = Timeline(table, COLUMN_NAMES, measured.spectrum[0].numpy(), len(song.sound), 44_100, music)
    curves = build_signals(timeline, Control(), frame_rate=Fraction(50), seed=1).curves
    at = np.array(music.downbeats)
    bars = np.interp(at, np.arange(len(curves["bars"])) / 50, curves["bars"])
    assert len(at) > 5
    np.testing.assert_allclose(bars, np.rint(bars), atol=0.05)
