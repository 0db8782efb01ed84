import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.errors import ConfigError
from synesthete.evaluation.alignment import (
    av_align,
    beat_alignment,
    end_to_end,
    flow_peaks,
    measure_alignment,
    onset_peaks,
)
from synesthete.evaluation.flow import FLOW_SHORT, flow_magnitude
from synesthete.generators.base import Size

RATE = Fraction(30)


def onset_at(moments_s: np.ndarray, seconds: float) -> np.ndarray:
    """A quiet curve at 100 Hz with a sharp rise at each moment."""
    onset = np.full(round(seconds * 100), 0.01, np.float32)
    ticks = np.round(np.asarray(moments_s) * 100).astype(int)
    for step, strength in enumerate((0.8, 0.4, 0.1)):
        onset[np.minimum(ticks + step, len(onset) - 1)] = strength
    return onset


def moves_at(moments_s: np.ndarray, seconds: float) -> np.ndarray:
    """Flow, in pixels, that peaks in the pair of frames that ends at each moment."""
    magnitude = np.full(round(seconds * RATE) - 1, 0.2, np.float32)
    magnitude[np.round(np.asarray(moments_s) * float(RATE)).astype(int) - 1] = 2.0
    return magnitude


def heard(onset: np.ndarray, beats: np.ndarray) -> Timeline:
    return Timeline(
        onset[:, None],
        ("onset",),
        np.zeros((len(onset), 64), np.float32),
        len(onset) * 441,
        44_100,
        Music(beats=tuple(beats.tolist())),
    )


def song(seed: int, seconds: float = 60.0) -> tuple[np.ndarray, np.ndarray]:
    """Onsets at random, and beats at a tempo and phase of their own, on frames of 30 frames a second."""
    rng = np.random.default_rng(seed)
    onsets = np.cumsum(rng.integers(4, 20, round(seconds * 3))) / 30
    beats = np.arange(rng.uniform(0, 0.5), seconds, rng.uniform(0.4, 0.7))
    return onsets[onsets < seconds - 1], beats[beats < seconds]


def null_songs(count: int, seconds: float = 60.0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for seed in range(1000, 1000 + count):
        onsets, beats = song(seed, seconds)
        yield onset_at(onsets, seconds), beats


# AV-Align ---------------------------------------------------------------------------------------------------


def test_the_same_peaks_align_fully() -> None:
    peaks = [0.5, 1.0, 1.7]
    assert av_align(peaks, peaks, frame_rate=30) == 1.0


def test_peaks_match_within_a_frame_and_no_further() -> None:
    assert av_align([1.0], [1.03], frame_rate=30) == 1.0
    assert av_align([1.0], [1.04], frame_rate=30) == 0.0


def test_one_picture_peak_serves_one_sound_peak_only() -> None:
    assert av_align([1.0, 1.01, 1.02], [1.01], frame_rate=30) == pytest.approx(1 / 3)


def test_order_does_not_matter() -> None:
    assert av_align([3.0, 1.0, 2.0], [2.01, 3.01, 9.0], frame_rate=30) == pytest.approx(2 / 4)


def test_no_peaks_at_all_score_nothing() -> None:
    assert av_align([], [], frame_rate=30) == 0.0
    assert av_align([], [1.0], frame_rate=30) == 0.0


# Peaks ------------------------------------------------------------------------------------------------------


def test_onsets_are_picked_where_they_rise() -> None:
    moments = np.array([0.5, 0.62, 1.4, 2.0])
    np.testing.assert_allclose(onset_peaks(onset_at(moments, 3.0)), moments)


def test_onsets_are_picked_alike_in_quiet_and_in_loud_songs() -> None:
    moments = np.array([0.5, 0.9, 1.4, 2.0])
    quiet = 1 - (1 - onset_at(moments, 3.0)) ** 0.1
    np.testing.assert_allclose(onset_peaks(quiet.astype(np.float32)), moments)


@pytest.mark.parametrize("onset", [np.zeros(0), np.zeros(300), np.full(300, 0.4), np.ones(300)])
def test_nothing_begins_in_a_song_that_does_not_change(onset: np.ndarray) -> None:
    assert len(onset_peaks(onset.astype(np.float32))) == 0


def test_flow_peaks_are_strict_and_of_a_tenth_of_a_pixel() -> None:
    magnitude = np.array([0, 0.09, 0, 0.1, 0, 1, 1, 0, 3, 0, 9], np.float32)
    np.testing.assert_allclose(flow_peaks(magnitude, Fraction(10)), [0.4, 0.9])


@pytest.mark.parametrize("pairs", [0, 1, 2])
def test_films_of_hardly_any_frames_have_no_peaks(pairs: int) -> None:
    assert len(flow_peaks(np.ones(pairs, np.float32), RATE)) == 0


# Beats ------------------------------------------------------------------------------------------------------


def test_beats_that_are_all_met_score_fully() -> None:
    beats = np.arange(0.3, 20, 0.5)
    found = beat_alignment(beats, beats)
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)


def test_peaks_between_the_beats_cost_precision_and_missed_beats_cost_recall() -> None:
    beats = np.arange(0.0, 20, 1.0)
    busy, lazy = np.arange(0.0, 20, 0.5), np.arange(0.0, 20, 2.0)
    assert beat_alignment(busy, beats).precision == pytest.approx(0.5)
    assert beat_alignment(busy, beats).recall == pytest.approx(1.0)
    assert beat_alignment(lazy, beats).precision == pytest.approx(1.0)
    assert beat_alignment(lazy, beats).recall == pytest.approx(0.5)


def test_50_ms_off_the_beat_score_as_one_sigma() -> None:
    assert beat_alignment([1.05], [1.0]).f1 == pytest.approx(np.exp(-0.5))


def test_without_peaks_or_beats_there_is_no_score() -> None:
    for found in (beat_alignment([], [1.0]), beat_alignment([1.0], []), beat_alignment([], [])):
        assert (found.precision, found.recall, found.f1) == (0, 0, 0)


def test_beats_too_far_to_count_give_zero_not_a_division_by_zero() -> None:
    assert beat_alignment([0.0], [1000.0]).f1 == 0.0


# Against chance ---------------------------------------------------------------------------------------------


def test_a_film_that_moves_on_every_onset_beats_all_other_songs() -> None:
    onsets, _ = song(0)
    found = measure_alignment(
        moves_at(onsets, 60), RATE, heard(onset_at(onsets, 60), onsets[::2]), null_songs(64)
    )
    assert found["audio_peaks"] == found["picture_peaks"] == len(onsets)
    assert found["av_align"]["value"] == 1.0
    assert found["av_align"]["p"] == pytest.approx(1 / 65)
    assert found["av_align"]["effect"] == pytest.approx(1 - found["av_align"]["null"])
    assert found["beat"]["recall"] == pytest.approx(1.0)
    assert found["beat"]["p"] == pytest.approx(1 / 65)
    assert found["beat"]["effect"] == pytest.approx(found["beat"]["f1"] - found["beat"]["null_f1"])


def test_unrelated_films_score_above_zero_and_like_their_null() -> None:
    nulls = list(null_songs(40))
    found = [
        measure_alignment(moves_at(song(seed)[0], 60), RATE, heard(onset_at(others[0], 60), others[1]), nulls)
        for seed in range(40)
        for others in [song(500 + seed)]
    ]
    assert np.mean([film["av_align"]["value"] for film in found]) > 0.05
    for score in ("av_align", "beat"):
        assert abs(np.mean([film[score]["effect"] for film in found])) < 0.01
        assert np.mean([film[score]["p"] < 0.05 for film in found]) <= 0.15


def test_a_still_film_has_no_effect_and_its_result_is_json() -> None:
    onsets, beats = song(0)
    found = measure_alignment(
        np.zeros(1799, np.float32), RATE, heard(onset_at(onsets, 60), beats), null_songs(8)
    )
    assert found["picture_peaks"] == 0
    assert found["av_align"]["effect"] == found["beat"]["effect"] == 0
    assert found["av_align"]["p"] == found["beat"]["p"] == 1
    assert found["av_align"]["z"] is None
    json.dumps(found, allow_nan=False)


def test_a_song_without_beats_has_no_beat_alignment() -> None:
    onsets, _ = song(0)
    found = measure_alignment(
        moves_at(onsets, 60), RATE, heard(onset_at(onsets, 60), np.zeros(0)), null_songs(8)
    )
    assert set(found["beat"].values()) == {None}
    assert found["av_align"]["value"] == 1.0


def test_only_null_songs_with_beats_are_compared_with_beats() -> None:
    onsets, beats = song(0)
    with_and_without = [*null_songs(5), *((onset, np.zeros(0)) for onset, _ in null_songs(3))]
    found = measure_alignment(
        moves_at(onsets, 60), RATE, heard(onset_at(onsets, 60), beats), with_and_without
    )
    assert found["av_align"]["count"] == 8
    assert found["beat"]["count"] == 5


def test_short_songs_are_played_end_to_end_with_their_beats() -> None:
    np.testing.assert_allclose(end_to_end([0.1, 0.9], 1.0, 2.5), [0.1, 0.9, 1.1, 1.9, 2.1])
    np.testing.assert_allclose(end_to_end([0.1, 0.9], 1.0, 0.5), [0.1])
    onsets, beats = np.arange(0.5, 6, 0.7), np.arange(0.25, 6, 0.5)
    picture = moves_at(end_to_end(np.round(beats * 30) / 30, 6.0, 59.9), 60)
    found = measure_alignment(
        picture, RATE, heard(onset_at(onsets, 60), beats), [(onset_at(onsets, 6), beats)]
    )
    assert found["beat"]["null_f1"] > 0.9


def test_sound_that_goes_on_after_the_film_does_not_count() -> None:
    onsets, beats = song(0)
    picture = moves_at(onsets[onsets < 29], 30)
    found = measure_alignment(picture, RATE, heard(onset_at(onsets, 60), beats), null_songs(4))
    assert found["audio_peaks"] < len(onsets) * 0.6
    assert found["av_align"]["value"] > 0.95


# Flow -------------------------------------------------------------------------------------------------------


def disc_film(size: Size, jumps: tuple[int, ...], frames: int = 40) -> Iterator[np.ndarray]:
    """A patterned disc that drifts slowly, and jumps a little at some frames."""
    rows, columns = np.mgrid[: size.height, : size.width] / size.short
    at = 0.4
    for frame in range(frames):
        at += 0.015 if frame in jumps else 0.0005
        disc = np.exp(-((((rows - 0.5) ** 2 + (columns - at) ** 2) / 0.1) ** 4))
        luma = 16 + disc * (120 + 99 * np.sin(50 * (columns - at)) * np.sin(50 * rows))
        chroma = np.full((size.height // 2, size.width), 128, np.uint8)
        yield np.concatenate([luma.astype(np.uint8), chroma])


@pytest.mark.parametrize("size", [Size(128, 72), Size(72, 128), Size(640, 360)])
def test_a_disc_that_jumps_makes_peaks_at_its_jumps(size: Size) -> None:
    pytest.importorskip("cv2")
    jumps = (7, 15, 22, 31)
    magnitude = flow_magnitude(disc_film(size, jumps), size)
    assert magnitude.shape == (39,)
    assert magnitude.dtype == np.float32
    peaks = flow_peaks(magnitude, RATE)
    strong = peaks[magnitude[np.round(peaks * 30).astype(int) - 1] > 0.5 * magnitude.max()]
    np.testing.assert_allclose(strong, np.array(jumps) / 30)


def test_flow_is_the_same_in_a_large_film_as_in_a_small_one() -> None:
    pytest.importorskip("cv2")
    small, large = Size(FLOW_SHORT, FLOW_SHORT), Size(2 * FLOW_SHORT, 2 * FLOW_SHORT)
    ours, theirs = (flow_magnitude(disc_film(size, (4,), 8), size) for size in (small, large))
    np.testing.assert_allclose(ours, theirs, rtol=0.1, atol=0.02)


def test_flow_is_the_same_on_one_core_and_on_many(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")
    size = Size(128, 72)
    found = []
    for cores in (1, 8):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        found.append(flow_magnitude(disc_film(size, (7, 15)), size))
    np.testing.assert_array_equal(*found)


def test_a_still_film_has_no_flow_and_one_frame_has_no_pair() -> None:
    pytest.importorskip("cv2")
    size = Size(64, 64)
    (picture,) = disc_film(size, (), 1)
    assert flow_magnitude([picture] * 3, size).max() < 1e-3
    assert flow_magnitude([picture], size).shape == (0,)


def test_without_opencv_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = sys.modules
    monkeypatch.setitem(modules, "cv2", None)
    with pytest.raises(ConfigError, match=r"needs OpenCV; pip install 'synesthete\[evaluate\]'"):
        flow_magnitude([], Size(64, 64))
