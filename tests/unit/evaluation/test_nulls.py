"""The null bank, and shifts by whole bars."""

from pathlib import Path

import numpy as np
import pytest

from synesthete.audio.analysis import analyse_stream
from synesthete.audio.columns import SPECS
from synesthete.audio.compose.genres import GENRES
from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.evaluation.nulls import (
    BANK_FILE,
    NULL_COLUMNS,
    NullSong,
    bar_shifts,
    null_bank,
    null_columns,
    shifted,
)

TOOLS = Path(__file__).resolve().parents[3] / "tools"
ONSET = NULL_COLUMNS.index("onset")

# The bank ---------------------------------------------------------------------------------------------------


def test_the_bank_has_at_least_64_songs_of_many_kinds_with_names_of_their_own() -> None:
    names = [song.name for song in null_bank()]
    assert len(names) == len(set(names)) == len(null_bank()) >= 64
    assert len({name.rsplit(" ", 1)[0] for name in names}) >= 32


def test_every_song_is_a_minute_of_finite_values_in_its_columns_ranges() -> None:
    for song in null_bank():
        assert song.table.shape == (6400, len(NULL_COLUMNS))
        assert song.table.dtype == np.float32
        assert np.isfinite(song.table).all()
        for values, name in zip(song.table.T, NULL_COLUMNS, strict=True):
            assert values.min() >= SPECS[name].low - 1e-6, (song.name, name)
            assert values.max() <= SPECS[name].high + 1e-6, (song.name, name)


def test_beats_ascend_within_the_song_and_downbeats_are_beats() -> None:
    for song in null_bank():
        beats = np.array(song.beats)
        assert (np.diff(beats) > 0.2).all()
        assert len(beats) == 0 or (beats[0] >= 0 and beats[-1] <= 64)
        assert set(song.downbeats) <= set(song.beats)


def test_three_songs_of_five_have_a_clear_beat() -> None:
    pulses = [np.quantile(song.table[:, NULL_COLUMNS.index("beat")], 0.95) for song in null_bank()]
    assert 0.55 <= np.mean(np.array(pulses) > 0.6) <= 0.65


def test_songs_are_of_every_genre_of_all_tempi_and_some_are_quiet_or_rest() -> None:
    genres = {part for song in null_bank() for part in song.name.rsplit(" ", 1)[0].split(" + ")}
    assert genres == set(GENRES)
    tempi = [60 / np.median(np.diff(song.beats)) for song in null_bank() if len(song.beats) > 8]
    assert (np.histogram(tempi, [55, 90, 120, 150, 180, 205])[0] >= 8).all()
    loudness, silence = (
        np.array([song.table[:, NULL_COLUMNS.index(name)].mean() for song in null_bank()])
        for name in ("loudness", "silence")
    )
    assert 0.05 <= (loudness < 0.35).mean() <= 0.25
    assert 0.05 <= (silence > 0.1).mean() <= 0.4


def test_no_two_songs_are_alike() -> None:
    tables = np.stack([song.table[:, ONSET] for song in null_bank()])
    tables = tables - tables.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(tables / np.linalg.norm(tables, axis=1, keepdims=True), axis=1)
    for place in range(1, len(spectra)):
        # At every circular shift: two songs of one tempo may beat together, but are not one song.
        alike = np.fft.irfft(spectra[:place] * spectra[place].conj(), n=tables.shape[1], axis=1)
        assert alike.max() < 0.8, null_bank()[place].name


def test_the_file_holds_features_only_and_is_small() -> None:
    with np.load(BANK_FILE, allow_pickle=False) as values:
        sizes = {name: values[name].nbytes for name in values.files}
        assert values["table"].dtype == np.uint8
    # 16 bytes per 10 ms: a five-hundredth of the sound, from which it can't be made again.
    assert sizes["table"] == len(null_bank()) * 6400 * len(NULL_COLUMNS)
    assert sum(sizes.values()) - sizes["table"] < 1e6
    assert BANK_FILE.stat().st_size <= 5.5e6


def test_the_bank_can_be_sliced_and_counted_from_the_end() -> None:
    bank = null_bank()
    assert [song.name for song in bank[1:4]] == [bank[place].name for place in (1, 2, 3)]
    assert bank[-1].name == bank[len(bank) - 1].name
    with pytest.raises(IndexError):
        bank[len(bank)]


@pytest.mark.parametrize("place", [3, 69])
def test_songs_composed_and_heard_again_are_those_of_the_bank(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    from make_null_bank import choose_songs, hear

    wanted = choose_songs()
    assert [song.name for song in wanted] == [song.name for song in null_bank()]
    heard, stored = hear(wanted[place], tmp_path), null_bank()[place]
    assert heard.name == stored.name
    with np.load(BANK_FILE) as values:
        step = (values["high"] - values["low"]) / 255
    assert (np.abs(heard.table - stored.table) <= 0.51 * step).mean() > 0.999
    np.testing.assert_allclose(heard.beats, stored.beats, atol=1e-3)
    assert not list(tmp_path.iterdir())


def test_what_is_kept_of_a_song_are_the_timelines_columns(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal((2, 66_150)).astype(np.float32) / 10
    timeline = analyse_stream([noise], tmp_path)
    table = null_columns(timeline)
    assert table.shape == (timeline.ticks, len(NULL_COLUMNS))
    for values, name in zip(table.T, NULL_COLUMNS, strict=True):
        np.testing.assert_array_equal(values, timeline.column(name))
    reordered = Timeline(
        np.ascontiguousarray(timeline.table[:, ::-1]),
        timeline.names[::-1],
        timeline.spectrum,
        timeline.samples,
        timeline.sample_rate,
    )
    np.testing.assert_array_equal(null_columns(reordered), table)


def test_a_song_is_cropped_from_its_start_or_repeated_end_to_end() -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    song = NullSong("four rows", table, (), ())
    np.testing.assert_array_equal(song.stretched_to(3), table[:3])
    np.testing.assert_array_equal(song.stretched_to(4), table)
    np.testing.assert_array_equal(song.stretched_to(10), np.concatenate([table, table, table[:2]]))


# Shifts by bars ---------------------------------------------------------------------------------------------


def _music(tempo_bpm: float, duration_s: float, *, per_bar: int = 4, first_s: float = 0.3) -> Music:
    beats = np.arange(first_s, duration_s, 60 / tempo_bpm)
    return Music(beats=tuple(beats.tolist()), downbeats=tuple(beats[::per_bar].tolist()))


def _gaps(shifts: tuple[float, ...], duration_s: float) -> np.ndarray:
    """Distances between neighbours around the circle, with no shift among them."""
    return np.diff([0.0, *shifts, duration_s])


@pytest.mark.parametrize(("tempo", "per_bar"), [(120, 4), (174, 4), (91.3, 3), (150, 7), (133, 5)])
@pytest.mark.parametrize("duration", [20.0, 61.4, 244.0])
def test_shifts_are_whole_bars_from_the_start_or_from_the_end(
    tempo: float, per_bar: int, duration: float
) -> None:
    bar = per_bar * 60 / tempo
    shifts = bar_shifts(_music(tempo, duration, per_bar=per_bar), duration)
    assert 2 <= len(shifts) <= 64
    for shift in shifts:
        nearer = min(shift, duration - shift)
        assert nearer / bar == pytest.approx(round(nearer / bar), abs=1e-6)
        assert nearer >= 2.0
    assert (_gaps(shifts, duration) > bar / 2 - 1e-9).all()


def test_shifts_spread_over_the_song_and_are_no_more_than_wanted() -> None:
    music = _music(128, 600.0)
    for most in (1, 7, 64):
        shifts = bar_shifts(music, 600.0, most=most)
        assert len(shifts) == len(set(shifts)) == most
    gaps = _gaps(bar_shifts(music, 600.0, most=20), 600.0)
    assert gaps[1:-1].max() < 1.2 * gaps[1:-1].min()


def test_shifts_keep_their_distance_from_the_unmoved_song() -> None:
    for least in (0.5, 2.0, 9.0):
        shifts = bar_shifts(_music(120, 60.0), 60.0, least_s=least)
        assert shifts[0] >= least
        assert shifts[-1] <= 60 - least


@pytest.mark.parametrize("duration", [0.0, 0.5, 3.9])
def test_a_song_that_is_too_short_has_no_shifts(duration: float) -> None:
    assert bar_shifts(_music(120, duration), duration) == ()
    assert bar_shifts(Music(), duration) == ()


def test_four_beats_stand_for_a_bar_where_none_is_known() -> None:
    beats = tuple(np.arange(0.1, 30, 0.5).tolist())
    for shift in bar_shifts(Music(beats=beats), 30.0):
        nearer = min(shift, 30 - shift)
        assert nearer / 2 == pytest.approx(round(nearer / 2))


def test_without_beats_shifts_are_steps_of_two_seconds() -> None:
    assert bar_shifts(Music(), 11.0) == pytest.approx((2, 4, 7, 9))
    assert bar_shifts(Music(beats=(1.0,)), 10.0) == pytest.approx((2, 4, 6, 8))


def test_bars_that_are_heard_in_a_part_of_the_song_are_counted_on_beyond_it() -> None:
    downbeats = tuple(np.arange(10.0, 19.0, 2.0).tolist())
    shifts = bar_shifts(Music(beats=downbeats, downbeats=downbeats), 80.0)
    assert len(shifts) == 39


def test_where_the_tempo_varies_bar_lines_meet_bar_lines_as_well_as_may_be() -> None:
    lengths = 2.0 + 0.08 * np.sin(np.arange(60) * 0.7) + 0.001 * np.arange(60)
    downbeats = np.concatenate([[0.5], 0.5 + np.cumsum(lengths)])
    duration = float(downbeats[-1])
    music = Music(beats=tuple(downbeats.tolist()), downbeats=tuple(downbeats.tolist()))

    def miss(shift: float) -> float:
        moved = downbeats + shift if shift < duration / 2 else downbeats + shift - duration
        inside = moved[(moved > downbeats[0]) & (moved < downbeats[-1])]
        return float(np.abs(inside[:, None] - downbeats).min(axis=1).mean())

    shifts = bar_shifts(music, duration)
    assert len(shifts) > 50
    assert np.mean([miss(shift) for shift in shifts]) < 0.2
    # Half a bar is the worst; in steps of the first bar they would drift off the bars.
    assert np.mean([miss(k * float(lengths[0])) for k in range(1, 30)]) > 0.3


def test_a_shift_moves_the_song_later_around_the_circle() -> None:
    table = np.random.default_rng(2).random((500, 3), dtype=np.float32)
    np.testing.assert_array_equal(shifted(table, 5.0), table)
    np.testing.assert_array_equal(shifted(table, 0.02)[2:], table[:-2])
    np.testing.assert_array_equal(shifted(shifted(table, 1.7), 3.3), table)
