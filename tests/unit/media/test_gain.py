"""One gain for a song or an album: exact on known sounds, and no peak above the ceiling, measured again."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synesthete.media.decode import Span
from synesthete.media.gain import Gain, apply_gain, choose_gain, find_gain, with_gain
from synesthete.media.limiter import Limiter
from synesthete.media.loudness import Loudness, measure_loudness, measure_loudness_of
from synesthete.media.sound import Sound, join_sounds

ALBUM = Path(__file__).parents[3] / "album"
RATE = 44_100


def sound(samples: np.ndarray, rate: int = RATE, cut: int = 20_000) -> Sound:
    """Samples that can be had again, in pieces."""
    samples = np.atleast_2d(samples).astype(np.float32)
    return Sound(
        lambda: (samples[:, i : i + cut] for i in range(0, samples.shape[1], cut)), rate, len(samples)
    )


def samples_of(heard: Sound) -> np.ndarray:
    return np.concatenate(list(heard.chunks()), axis=1)


def tone(seconds: float, level: float, hertz: float = 997.0, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def noise(seconds: float, level: float, channels: int = 2, rate: int = RATE) -> np.ndarray:
    return level * np.random.default_rng(5).standard_normal((channels, round(seconds * rate)))


def faded(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Without a cut at the ends, where every meter's filter sees something else."""
    ramp = np.minimum(np.arange(samples.shape[-1]) / rate / 0.05, 1)
    return samples * ramp * ramp[::-1]


def limited(samples: np.ndarray, cuts: Iterator[int], rate: int = RATE, ceiling: float = -1.0) -> np.ndarray:
    limiter = Limiter(rate, len(samples), ceiling)
    parts, start = [], 0
    while start < samples.shape[1]:
        length = next(cuts)
        parts += limiter.push(samples[:, start : start + length])
        start += length
    parts += limiter.flush()
    return np.concatenate(parts, axis=1)


def at_once() -> Iterator[int]:
    yield 1 << 30


# Choosing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "gain_db", "held_back_db", "reached"),
    [
        (Loudness(-20.0, -12.0), 6.0, 0.0, (-14.0, -6.0)),
        (Loudness(-8.0, 0.5), -6.0, 0.0, (-14.0, -5.5)),
        (Loudness(-20.0, -3.0), 2.0, 4.0, (-18.0, -1.0)),  # peaks forbid more
        (Loudness(-14.0, 2.0), -3.0, 3.0, (-17.0, -1.0)),
        (Loudness(-20.006, -12.0), 6.0, 0.0, (-14.01, -6.0)),  # rounded down
        (Loudness(None, None), 0.0, 0.0, (None, None)),
        (Loudness(None, -80.0), 0.0, 0.0, (None, -80.0)),  # what is silent isn't raised
        (Loudness(None, 1.5), -2.5, 2.5, (None, -1.0)),  # a click
    ],
)
def test_the_gain_gives_way_to_peaks(
    heard: Loudness, gain_db: float, held_back_db: float, reached: tuple[float | None, float | None]
) -> None:
    assert choose_gain(heard, -14.0) == Gain(-14.0, -1.0, gain_db, held_back_db, False, *reached)


def test_a_limiter_works_only_where_peaks_pass_the_ceiling() -> None:
    assert not choose_gain(Loudness(-20.0, -12.0), -14.0, limiter=True).limited
    assert not choose_gain(Loudness(None, -12.0), -14.0, limiter=True).limited
    gain = choose_gain(Loudness(-20.0, -3.0), -14.0, limiter=True)
    assert (gain.limited, gain.gain_db, gain.held_back_db) == (True, 6.0, 0.0)


@given(st.floats(-60, 5), st.floats(-60, 5), st.floats(-40, -5), st.floats(-9, 0))
def test_neither_target_nor_ceiling_is_ever_passed(
    lufs: float, peak: float, target: float, ceiling: float
) -> None:
    gain = choose_gain(Loudness(lufs, peak), target, ceiling_dbtp=ceiling)
    excess = max(lufs + gain.gain_db - target, peak + gain.gain_db - ceiling)
    assert -0.011 < excess < 1e-6
    assert gain.held_back_db >= 0


# Applying ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", [0.01, 0.3])
def test_a_tone_comes_to_its_target(channels: int, level: float) -> None:
    heard = sound(np.tile(faded(tone(3, level)), (channels, 1)))
    gain = find_gain(heard, target_lufs=-23)
    reached = measure_loudness_of(with_gain(heard, gain))
    assert reached.integrated_lufs == pytest.approx(-23, abs=0.02)
    assert reached.integrated_lufs == pytest.approx(gain.reached_lufs, abs=0.02)
    assert reached.true_peak_dbtp == pytest.approx(gain.reached_peak_dbtp, abs=0.05)


def test_noise_keeps_its_peaks_under_the_ceiling() -> None:
    heard = sound(faded(noise(3, 0.05)))
    gain = find_gain(heard, target_lufs=-7)
    assert gain.held_back_db > 1
    assert measure_loudness_of(with_gain(heard, gain)).true_peak_dbtp == pytest.approx(-1, abs=0.05)


def test_a_gain_of_zero_touches_nothing() -> None:
    heard = sound(np.zeros((2, 30_000)))
    gain = find_gain(heard, target_lufs=-14, limiter=True)
    assert gain.gain_db == 0
    chunk = noise(0.1, 1).astype(np.float32)
    (kept,) = apply_gain(iter([chunk]), gain, RATE)
    assert kept is chunk


def test_a_limiter_reaches_what_peaks_forbid() -> None:
    song = Sound.of_file(ALBUM / "jazz-vibe-ace.ogg", span=Span(Fraction(20), Fraction(28)))
    plain = find_gain(song, target_lufs=-14)
    gain = find_gain(song, target_lufs=-14, limiter=True)
    assert plain.reached_lufs is not None
    assert plain.reached_lufs < -15
    assert gain.limited
    assert gain.reached_lufs == pytest.approx(-14, abs=0.12)
    assert gain.reached_peak_dbtp == pytest.approx(-1, abs=0.1)
    loud = with_gain(song, gain)
    assert measure_loudness_of(loud) == Loudness(gain.reached_lufs, gain.reached_peak_dbtp)
    assert samples_of(loud).shape == samples_of(song).shape


def test_a_limiter_gives_up_where_it_would_only_flatten() -> None:
    heard = sound(faded(np.sign(tone(2, 1, hertz=100)) * 0.5))
    gain = find_gain(heard, target_lufs=-0.5, limiter=True)  # far above what a square wave can have
    assert gain.limited
    assert gain.reached_lufs is not None
    assert gain.reached_lufs < -1
    assert gain.reached_peak_dbtp == pytest.approx(-1, abs=0.1)


# Limiting ---------------------------------------------------------------------------------------------------

NASTY = {
    "squares": lambda t, rate: np.sign(np.sin(2 * np.pi * 437.3 * t)),
    "peaks between the samples": lambda t, rate: np.sin(2 * np.pi * rate / 4 * t + np.pi / 4),
    "bass": lambda t, rate: np.sin(2 * np.pi * 41 * t),
    "treble": lambda t, rate: np.sin(2 * np.pi * 0.41 * rate * t),
    "bursts": lambda t, rate: np.sin(2 * np.pi * 1000 * t) * (np.sin(2 * np.pi * 7 * t) > 0),
    "clicks": lambda t, rate: (np.random.default_rng(0).random(t.size) < 0.001) * 1.0,
    "noise": lambda t, rate: np.random.default_rng(0).standard_normal(t.size),
}


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("kind", NASTY)
def test_peaks_stay_under_the_ceiling(kind: str, rate: int) -> None:
    wave = NASTY[kind](np.arange(2 * rate) / rate, rate)
    loud = faded(np.stack([1.3 * wave, -2 * wave]), rate).astype(np.float32)
    kept = limited(loud, at_once(), rate)
    assert kept.shape == loud.shape
    peak = measure_loudness_of(sound(kept, rate)).true_peak_dbtp
    assert peak is not None
    assert -1.15 < peak < -0.9  # and no lower than it must be
    assert np.abs(kept[0] * 2 + kept[1] * 1.3).max() < 1e-6  # both channels alike


@pytest.mark.parametrize("rate", [1_000, 44_100])
def test_chunks_make_no_difference(rate: int) -> None:
    loud = noise(0.7, 1.0, rate=rate).astype(np.float32)
    loud[:, : loud.shape[1] // 3] *= 0.05
    whole = limited(loud, at_once(), rate)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        longest = 10 ** (seed + 2)
        parts = limited(loud, iter(lambda: int(rng.integers(0, longest)), -1), rate)  # noqa: B023
        np.testing.assert_array_equal(parts, whole)


@settings(max_examples=25)
@given(st.integers(0, 9_000), st.sampled_from([1, 2]), st.floats(-6, 0))
def test_as_many_samples_come_out(length: int, channels: int, ceiling: float) -> None:
    loud = noise(1, 0.7, channels)[:, :length].astype(np.float32)
    limiter = Limiter(RATE, channels, ceiling)
    parts = [loud[:, :0], *limiter.push(loud), *limiter.flush()]
    kept = np.concatenate(parts, axis=1)
    assert kept.shape == loud.shape
    assert np.abs(kept).max(initial=0) <= 10 ** (ceiling / 20) + 1e-6
    assert (np.abs(kept) <= np.abs(loud)).all()
    assert (np.sign(kept) == np.sign(loud)).all()  # each at its place


def test_what_needs_no_limiting_is_not_touched() -> None:
    soft = faded(noise(1, 0.1)).astype(np.float32)
    np.testing.assert_array_equal(limited(soft, at_once()), soft)
    np.testing.assert_array_equal(limited(0 * soft, at_once()), 0 * soft)


def test_the_gain_falls_before_a_peak_and_returns_after_it() -> None:
    sample_s = 1 / RATE
    steady = np.full((1, RATE), 0.5, np.float32)
    steady[0, RATE // 2] = 1.5
    gain = limited(steady, at_once())[0] / steady[0]
    changed = np.flatnonzero(gain < 1 - 1e-4)
    assert 0.003 < (RATE // 2 - changed[0]) * sample_s < 0.006
    assert gain[RATE // 2 + round(0.15 * RATE)] > gain[RATE // 2] + 0.2
    assert gain[-1] > 0.97
    assert np.abs(np.diff(gain)).max() < 0.01  # no click


# Albums -----------------------------------------------------------------------------------------------------


def test_an_album_is_measured_as_one_programme() -> None:
    parts = [faded(noise(seconds, level)) for seconds, level in ((4, 0.2), (2, 0.03), (6, 0.002))]
    together = measure_loudness_of(*map(sound, parts))
    assert together == measure_loudness_of(sound(np.concatenate(parts, axis=1), cut=12_345))
    lufs = [measure_loudness_of(sound(part)).integrated_lufs for part in parts]
    assert together.integrated_lufs is not None
    assert together.integrated_lufs > np.mean([level for level in lufs if level is not None]) + 5
    assert together.integrated_lufs < max(level for level in lufs if level is not None)


def test_tracks_of_other_rates_and_channels_count_as_they_will_be_heard() -> None:
    mono = tone(3, 0.2, rate=22_050)
    stereo = np.tile(tone(3, 0.2), (2, 1))
    alone = measure_loudness_of(sound(mono, 22_050)).integrated_lufs
    with_stereo = measure_loudness_of(sound(mono, 22_050), sound(stereo)).integrated_lufs
    assert alone == pytest.approx(-16.99, abs=0.05)
    assert with_stereo == pytest.approx(-13.98, abs=0.1)  # from both loudspeakers
    joint = join_sounds([sound(mono, 22_050), sound(stereo)])
    assert (joint.sample_rate, joint.channels) == (RATE, 2)
    assert samples_of(joint).shape == (2, 6 * RATE)


def test_an_album_keeps_the_distances_of_its_tracks() -> None:
    tracks = [sound(faded(noise(3, level))) for level in (0.02, 0.005)]
    gain = find_gain(*tracks, target_lufs=-30)
    reached = [measure_loudness_of(with_gain(track, gain)).integrated_lufs for track in tracks]
    before = [measure_loudness_of(track).integrated_lufs for track in tracks]
    assert np.subtract(reached, before) == pytest.approx([gain.gain_db] * 2, abs=0.02)
    together = measure_loudness_of(*(with_gain(track, gain) for track in tracks))
    assert together.integrated_lufs == pytest.approx(-30, abs=0.02)


def test_a_file_is_measured_like_its_samples() -> None:
    path, span = ALBUM / "torus-trooper-1.ogg", Span(Fraction(1), Fraction(4))
    assert measure_loudness(path, span) == measure_loudness_of(Sound.of_file(path, span=span))


def test_what_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="no sounds"):
        join_sounds([])
    with pytest.raises(ValueError, match="2 channels can't be spread to 1"):
        sound(np.zeros((2, 10))).adapted(RATE, 1)


def test_nothing_at_all_has_no_loudness() -> None:
    nothing = Sound(lambda: iter([np.zeros((2, 0), np.float32)]), RATE, 2)
    assert measure_loudness_of(nothing) == Loudness(None, None)
    assert list(Limiter(RATE, 2, -1).flush()) == []
