"""FFmpeg's scopes: on the film's clock, driven by the sound, the same however it is cut."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from synesthete.clock import Clock
from synesthete.media.scopes import SCOPES, Scope, scope_frames

RATE = 44_100
NTSC = Fraction(24_000, 1001)


def burst(seconds: float = 2.0, at: float = 1.0) -> np.ndarray:
    """Give faint noise with 0.1 s of loud noise in it, in stereo."""
    sound = 0.001 * np.random.default_rng(0).standard_normal((2, round(seconds * RATE)))
    start = round(at * RATE)
    sound[:, start : start + RATE // 10] *= 300
    return sound.astype(np.float32)


def drawn(
    sound: np.ndarray, scope: Scope, *, rate: Fraction = Fraction(30), chunk: int = 65_536
) -> np.ndarray:
    chunks = (sound[:, start : start + chunk] for start in range(0, sound.shape[1], chunk))
    return np.stack(list(scope_frames(chunks, scope, width=64, height=36, frame_rate=rate)))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("rate", [NTSC, Fraction(30), Fraction(60)])
def test_there_are_as_many_frames_as_a_film_of_the_sound_has(scope: Scope, rate: Fraction) -> None:
    sound = burst()[:, : RATE + 12_345]
    frames = drawn(sound, scope, rate=rate)
    assert frames.shape == (Clock(rate).frames_for(sound.shape[1], RATE), 36, 64, 3)
    assert frames.dtype == np.uint8


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("rate", [NTSC, Fraction(60)])
def test_what_is_heard_is_seen_at_its_moment(scope: Scope, rate: Fraction) -> None:
    frames = drawn(burst(), scope, rate=rate).astype(np.float64)
    change = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    first = int(np.argmax(change > change.max() / 4)) + 1
    assert abs(float(first / rate) - 1.0) <= 0.11


@pytest.mark.parametrize("scope", SCOPES)
def test_silence_moves_nothing(scope: Scope) -> None:
    frames = drawn(np.zeros((2, RATE), np.float32), scope)
    assert np.ptp(frames[5:].astype(int), axis=0).max() <= 1


@pytest.mark.parametrize("scope", SCOPES)
def test_how_the_sound_is_cut_changes_nothing(scope: Scope) -> None:
    assert (drawn(burst(), scope) == drawn(burst(), scope, chunk=1_000)).all()


@pytest.mark.parametrize("scope", SCOPES)
def test_mono_is_drawn_as_stereo_of_twice_the_same(scope: Scope) -> None:
    mono = burst(1.0, 0.5)[:1]
    assert (drawn(mono, scope) == drawn(np.repeat(mono, 2, axis=0), scope)).all()


@pytest.mark.parametrize("scope", SCOPES)
def test_frames_come_while_the_sound_goes_in(scope: Scope) -> None:
    endless = itertools.repeat(burst(0.5, 0.2))
    frames = scope_frames(endless, scope, width=64, height=36, frame_rate=Fraction(30))
    assert len(list(itertools.islice(frames, 40))) == 40


@pytest.mark.parametrize("scope", SCOPES)
def test_a_sound_too_short_for_one_window_has_its_frames_too(scope: Scope) -> None:
    assert drawn(burst()[:, :500], scope).shape == (1, 36, 64, 3)
