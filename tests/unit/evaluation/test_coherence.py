"""Flicker, stability, drift and dead stretches of films made to have them; the picture's columns."""

import json
from fractions import Fraction

import numpy as np
import pytest

from made_films import curve_film, still_film
from made_timelines import quiet_timeline
from synesthete.evaluation.coherence import CoherenceReport, measure_coherence
from synesthete.evaluation.look import LOOK_COLUMNS
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import heard_on_frames, measure_picture
from synesthete.generators.base import Size

NTSC = Fraction(30_000, 1001)


def grid_film(grid: np.ndarray, *, frame_rate: Fraction = Fraction(30)) -> Observation:
    """Give a film by its grid, 0-1, shape (frames, rows, columns, 3); it moves as much as the grid does."""
    cells = np.rint(np.clip(grid, 0, 1) * 255).astype(np.uint8)
    steps = np.abs(np.diff(cells.astype(np.float32), axis=0)).mean(axis=(1, 2, 3)) / 255
    looks = np.zeros((1, len(LOOK_COLUMNS)), np.float32)
    motion = np.concatenate([[0], steps]).astype(np.float32)
    return Observation(Size(320, 180), frame_rate, cells, motion, np.zeros(1, np.int64), looks)


def grey(levels: np.ndarray, rows: int = 4, columns: int = 4) -> np.ndarray:
    return np.broadcast_to(levels.reshape(-1, 1, 1, 1), (len(levels), rows, columns, 3))


def facts(report: CoherenceReport) -> CoherenceReport:
    json.dumps(report.to_json(), allow_nan=False)
    return report


# Columns of the picture ------------------------------------------------------------------------------------


def test_columns_are_those_of_a_plain_computation_across_blocks() -> None:
    grid = np.random.default_rng(0).uniform(0, 1, (1100, 5, 7, 3))
    film = grid_film(grid)
    shown = film.grid / 255
    luma = (shown @ [0.2126, 0.7152, 0.0722]).reshape(1100, -1)
    picture = measure_picture(film)
    assert picture.brightness == pytest.approx(luma.mean(axis=1), abs=1e-5)
    assert picture.contrast == pytest.approx(luma.std(axis=1), abs=1e-5)
    largest, smallest = shown.max(axis=3), shown.min(axis=3)
    purity = np.where(largest > 0.05, (largest - smallest) / np.maximum(largest, 1e-9), np.nan)
    assert picture.saturation == pytest.approx(np.nanmean(purity, axis=(1, 2)), abs=1e-5)
    flicker = np.abs(luma[:-2] - 2 * luma[1:-1] + luma[2:]).mean(axis=1)
    assert picture.flicker[1:-1] == pytest.approx(flicker, abs=1e-5)
    assert (picture.flicker[0], picture.flicker[-1], picture.flicker_step) == (0, 0, 1)
    likeness = [np.corrcoef(luma[i], luma[i + 30])[0, 1] for i in range(1070)]
    assert picture.likeness == pytest.approx(np.array(likeness), abs=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 3, 29, 31, 513])
def test_short_films_have_columns_too(frames: int) -> None:
    picture = measure_picture(grid_film(np.random.default_rng(0).uniform(0, 1, (frames, 2, 2, 3))))
    assert len(picture.brightness) == len(picture.flicker) == frames
    assert len(picture.likeness) == max(0, frames - 30)
    report = facts(measure_coherence(still_film(frames / 30), None))
    assert report.flicker == (None if frames < 3 else 0.0)
    assert report.stability == (None if frames <= 30 else 1.0)


def test_music_that_ends_before_the_film_is_followed_by_silence() -> None:
    film = still_film(4)
    heard = heard_on_frames(quiet_timeline(3.0, loudness=0.5), film, ("loudness", "silence"))
    assert heard[:88] == pytest.approx(np.tile([0.5, 0.0], (88, 1)))
    assert heard[91:] == pytest.approx(np.tile([0.0, 1.0], (29, 1)))


# Flicker ---------------------------------------------------------------------------------------------------


def test_steady_light_and_steady_fades_do_not_flicker() -> None:
    assert facts(measure_coherence(still_film(5), None)).flicker == 0.0
    fade = measure_coherence(curve_film(np.linspace(0, 1, 256)), None)
    assert fade.flicker == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("depth", [0.02, 0.1, 0.4])
def test_flicker_grows_with_what_jumps_to_and_fro(depth: float) -> None:
    curve = 0.5 + depth / 2 * (-1.0) ** np.arange(300)
    assert measure_coherence(curve_film(curve), None).flicker == pytest.approx(2 * depth, abs=0.01)


@pytest.mark.parametrize("frame_rate", [NTSC, Fraction(60), Fraction(120)])
def test_flicker_is_the_same_at_every_frame_rate(frame_rate: Fraction) -> None:
    def swing(rate: Fraction) -> float | None:
        moments = np.arange(int(8 * rate)) / float(rate)
        levels = 0.5 + 0.3 * np.sin(2 * np.pi * 4 * moments)
        return measure_coherence(curve_film(levels, rate), None).flicker

    assert swing(frame_rate) == pytest.approx(swing(Fraction(30)), rel=0.05)


def test_flicker_on_onsets_is_told_from_flicker_between_them() -> None:
    onsets = (1.0, 2.0, 3.0, 4.0)
    curve = np.full(180, 0.4)
    for onset in onsets:
        curve[int(onset * 30) + 1] = 0.8
    report = facts(measure_coherence(curve_film(curve), quiet_timeline(6.0, onsets=onsets)))
    # Of the frames within 100 ms after an onset, three in four know of the flash.
    assert report.flicker_on_onsets == pytest.approx((0.4 + 0.8 + 0.4) / 4, rel=0.02)
    assert report.flicker_off_onsets == pytest.approx(0, abs=1e-6)
    assert facts(measure_coherence(curve_film(curve), None)).flicker_on_onsets is None


def test_music_without_onsets_leaves_that_part_undetermined() -> None:
    report = facts(measure_coherence(still_film(5), quiet_timeline(5.0, loudness=0.5)))
    assert report.flicker_on_onsets is None
    assert report.flicker_off_onsets == 0.0


# Stability and drift ---------------------------------------------------------------------------------------


def test_stability_is_one_for_a_still_picture_and_for_one_that_only_dims() -> None:
    pattern = np.random.default_rng(1).uniform(0.2, 1, (1, 6, 6, 1))
    still = np.broadcast_to(pattern, (90, 6, 6, 3))
    assert measure_coherence(grid_film(still), None).stability == pytest.approx(1.0)
    dimming = still * np.linspace(1, 0.3, 90)[:, None, None, None]
    assert measure_coherence(grid_film(dimming), None).stability == pytest.approx(1.0, abs=0.01)


def test_stability_is_about_none_for_noise_and_below_it_for_a_picture_that_turns_over() -> None:
    noise = np.random.default_rng(2).uniform(0, 1, (120, 12, 12, 1)).repeat(3, axis=3)
    assert measure_coherence(grid_film(noise), None).stability == pytest.approx(0, abs=0.03)
    pattern = np.linspace(0, 1, 16).reshape(1, 4, 4, 1)
    turned = np.concatenate(
        [pattern if second % 2 else 1 - pattern for second in range(4) for _ in range(30)]
    )
    assert measure_coherence(grid_film(turned.repeat(3, axis=3)), None).stability == pytest.approx(
        -1.0, abs=0.01
    )


def test_a_cut_from_black_to_a_picture_is_not_stable() -> None:
    pattern = np.random.default_rng(3).uniform(0, 1, (1, 4, 4, 3))
    film = grid_film(np.concatenate([np.zeros((30, 4, 4, 3)), np.repeat(pattern, 30, axis=0)]))
    assert measure_coherence(film, None).stability == 0.0


def test_drift_compares_the_first_minute_with_the_last() -> None:
    levels = np.full(30 * 300, 0.5)
    levels[: 30 * 60] = 0.2
    levels[-30 * 60 :] = 0.8
    assert measure_coherence(curve_film(levels), None).drift == pytest.approx(0.6, abs=0.01)
    assert measure_coherence(curve_film(levels[::-1]), None).drift == pytest.approx(0.6, abs=0.01)
    assert measure_coherence(still_film(20), None).drift == 0.0


def test_drift_of_a_short_film_compares_its_quarters() -> None:
    levels = np.repeat([0.2, 0.9, 0.9, 0.4], 30 * 10)
    assert measure_coherence(curve_film(levels), None).drift == pytest.approx(0.2, abs=0.01)


# Stretches -------------------------------------------------------------------------------------------------


def wobble(seconds: float, rate: int = 30) -> np.ndarray:
    return 0.5 + 0.2 * np.sin(np.arange(int(seconds * rate)))


def test_a_stretch_without_motion_is_frozen_if_it_is_long_and_there_is_sound() -> None:
    curve = np.concatenate([wobble(4), np.full(30 * 3, 0.5), wobble(3), np.full(30, 0.5), wobble(3)])
    film = curve_film(curve)
    for timeline in (None, quiet_timeline(14.0, loudness=0.6)):
        ((start, end),) = facts(measure_coherence(film, timeline)).frozen
        assert start == pytest.approx(4.0, abs=0.04)
        assert end == pytest.approx(7.0, abs=0.04)
    assert measure_coherence(film, quiet_timeline(14.0, loudness=0.6, silences=((3.9, 7.1),))).frozen == ()
    assert measure_coherence(still_film(5), None).frozen == ((0.0, 5.0),)


def test_a_black_stretch_is_dead_while_there_is_sound() -> None:
    curve = np.concatenate([wobble(3), np.zeros(30 * 4), wobble(3), np.zeros(45), wobble(2)])
    film = curve_film(curve)
    report = facts(measure_coherence(film, quiet_timeline(13.0, loudness=0.6)))
    ((start, end),) = report.dead
    assert (start, end) == (pytest.approx(3.0, abs=0.04), pytest.approx(7.0, abs=0.04))
    silent = quiet_timeline(13.0, loudness=0.6, silences=((3.0, 6.0),))
    assert measure_coherence(film, silent).dead == ()


def test_slow_motion_is_no_standstill_at_a_high_frame_rate() -> None:
    def slow(rate: int) -> Observation:
        film = still_film(4, Fraction(rate))
        motion = np.full(film.frames, 0.009 / rate, np.float32)
        return Observation(film.size, film.frame_rate, film.grid, motion, film.look_frames, film.looks)

    assert measure_coherence(slow(30), None).frozen == measure_coherence(slow(120), None).frozen == ()


def test_what_is_at_hand_is_not_measured_again() -> None:
    film = curve_film(wobble(5))
    picture = measure_picture(film)
    assert measure_coherence(film, None, picture) == measure_coherence(film, None)
