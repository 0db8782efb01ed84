"""The sound beside the columns: halved without moving it, and cut so that scopes stand still."""

import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import firwin

from made_timelines import quiet_timeline
from synesthete.audio.analysis import analyse_stream
from synesthete.audio.timeline import WAVE_FILE, Timeline
from synesthete.audio.wave import WAVE_FULL_SCALE, WAVE_RATE, WaveStream, aligned_windows, no_wave
from synesthete.errors import InputError
from synesthete.seeding import generator_for

RATE = 44_100


def halved(sound: np.ndarray, *cuts: int) -> np.ndarray:
    """Give the wave of sound that comes in pieces."""
    stream = WaveStream()
    pieces = np.split(np.atleast_2d(sound).astype(np.float32), cuts, axis=1)
    return np.concatenate([*(stream.push(piece) for piece in pieces), stream.flush()])


def sine(hertz: float, seconds: float = 4.0, *, rate: int = WAVE_RATE, amplitude: float = 0.6) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def as_wave(left: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    both = np.stack([left, left if right is None else right], axis=1)
    return np.rint(both * WAVE_FULL_SCALE).astype(np.int16)


def noise(seconds: float, index: int = 0) -> np.ndarray:
    return generator_for(5, "test.wave", index).uniform(-0.5, 0.5, (2, round(seconds * RATE)))


def correlations(windows: np.ndarray) -> np.ndarray:
    """Correlate every window with every other one."""
    flat = windows.reshape(len(windows), -1).astype(np.float64)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat @ flat.T)


def moments(count: int = 100, seconds: float = 4.0) -> np.ndarray:
    return generator_for(6, "test.wave.moments").uniform(0.05, seconds - 0.05, count)


# Halved -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [3000, 3001, 40_000, 40_001])
def test_an_impulse_stays_at_its_moment(place: int) -> None:
    sound = np.zeros(60_000)
    sound[place - 50 : place + 51] = firwin(101, 0.35) / firwin(101, 0.35).max() * 0.9
    left = halved(sound)[:, 0].astype(float)
    peak = int(left.argmax())
    before, at, after = left[peak - 1 : peak + 2]
    exact = peak + (before - after) / (2 * (before - 2 * at + after))
    assert exact == pytest.approx(place / 2, abs=0.05)


@pytest.mark.parametrize(
    ("hertz", "low_db", "high_db"), [(50, -0.1, 0.1), (8800, -0.1, 0.1), (14e3, -99, -60)]
)
def test_what_the_rate_can_hold_passes_and_the_rest_does_not(
    hertz: float, low_db: float, high_db: float
) -> None:
    sound = sine(hertz, rate=RATE, amplitude=1.0)
    level = np.sqrt(2 * np.square(halved(sound)[100:-100, 0] / WAVE_FULL_SCALE).mean())
    assert low_db <= 20 * np.log10(level) <= high_db


def test_sizes_of_chunks_change_no_sample() -> None:
    sound = noise(2.0)
    whole = halved(sound)
    assert whole.shape == (RATE, 2)
    many = np.sort(generator_for(7, "test.wave.cuts").integers(0, 2 * RATE, 60))
    for cuts in ([1], [33_333], [16_384, 32_768, 49_152], [2, 2, 3, 70_001], many):
        np.testing.assert_array_equal(halved(sound, *cuts), whole)


@pytest.mark.parametrize("samples", [1, 2, 31, 32, 33, 16_383, 32_801])
def test_every_second_moment_has_a_sample(samples: int) -> None:
    assert len(halved(np.zeros(samples))) == (samples + 1) // 2


def test_a_stream_that_has_ended_begins_anew() -> None:
    stream = WaveStream()
    sound = noise(0.5).astype(np.float32)
    first = np.concatenate([stream.push(sound), stream.flush()])
    second = np.concatenate([stream.push(sound), stream.flush()])
    np.testing.assert_array_equal(first, second)
    assert stream.flush().shape == (0, 2)


def test_one_channel_is_left_and_right() -> None:
    mono = noise(0.5)[:1]
    wave = halved(mono)
    np.testing.assert_array_equal(wave[:, 0], wave[:, 1])
    np.testing.assert_array_equal(wave, halved(np.repeat(mono, 2, axis=0)))


def test_left_and_right_are_apart() -> None:
    wave = halved(np.stack([sine(300, rate=RATE), np.zeros(4 * RATE)]))
    assert wave[:, 0].max() > 0.59 * WAVE_FULL_SCALE
    assert not wave[:, 1].any()


def test_broken_samples_are_heard_as_the_columns_hear_them() -> None:
    sound = np.zeros(2000)
    sound[1000:1100] = np.nan
    assert not halved(sound).any()
    sound[1000:1100] = np.inf
    assert halved(sound)[505:545].min() == WAVE_FULL_SCALE
    sound[1000:1100] = -np.inf
    assert halved(sound)[505:545].max() == -WAVE_FULL_SCALE


# Windows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hertz", [55.0, 220.0, 997.0, 2500.0])
def test_a_steady_tone_stands_still(hertz: float) -> None:
    windows = aligned_windows(as_wave(sine(hertz)), moments())
    assert correlations(windows).min() > 0.99
    middle = windows[:, :, 254:259]
    assert np.abs(middle[:, :, 2]).max() < 0.01
    assert (np.diff(middle, axis=2) > 0).all()


def test_noise_does_not_decide_where_a_tone_stands() -> None:
    hiss = generator_for(8, "test.wave.hiss").normal(0, 0.06, 4 * WAVE_RATE)
    windows = aligned_windows(as_wave(sine(110) + hiss), moments())
    assert correlations(windows).min() > 0.95


def test_of_a_tone_with_overtones_always_the_same_crossing_is_taken() -> None:
    rich = sine(131, amplitude=0.3) + sine(262, amplitude=0.25) + sine(524, amplitude=0.25)
    assert correlations(aligned_windows(as_wave(rich, 0.5 * rich), moments())).min() > 0.99


def test_a_click_is_drawn_where_it_sounds() -> None:
    wave = np.zeros((WAVE_RATE, 2), np.int16)
    wave[10_000, 0], wave[10_000, 1] = 20_000, -5000
    for shift in (-200, 0, 200):
        window = aligned_windows(wave, np.array([(10_000 - shift) / WAVE_RATE]))[0]
        # Sound that is never below zero has no rising crossing: nothing is moved.
        assert np.flatnonzero(window[0]).tolist() == [256 + shift]
        assert window[:, 256 + shift] == pytest.approx([20_000 / 32_767, -5000 / 32_767])


def test_windows_are_moved_by_11_6_ms_at_most() -> None:
    ramp = np.linspace(-0.5, 0.5, WAVE_RATE)
    around = np.arange(-600, 601, 3)
    windows = aligned_windows(as_wave(ramp), 0.5 + around / WAVE_RATE)[:, 0]
    moved = np.abs(windows[:, 256]) < 1e-4
    assert moved[np.abs(around) < 250].all()
    step = 1 / WAVE_RATE
    unmoved = np.abs(around) > 260
    np.testing.assert_allclose(windows[unmoved, 256], around[unmoved] * step, atol=2e-4)


def test_silence_and_what_is_unknown_read_as_zeros() -> None:
    for wave in (np.zeros((WAVE_RATE, 2), np.int16), no_wave()):
        windows = quiet_timeline(1.0, wave=wave).wave_at(np.array([0.0, 0.5, 2.0]))
        assert windows.shape == (3, 2, 512)
        assert windows.dtype == np.float32
        assert not windows.any()


def test_beyond_the_ends_there_are_zeros() -> None:
    wave = as_wave(np.full(1000, 0.5))
    first, last, *outside = aligned_windows(wave, np.array([0.0, 999 / WAVE_RATE, -1.0, 3.0, 1e300]))
    assert np.flatnonzero(first[0]).tolist() == list(range(256, 512))
    assert np.flatnonzero(last[0]).tolist() == list(range(257))
    assert not np.any(outside)


def test_values_stay_within_full_scale() -> None:
    loud = np.where(sine(190) > 0, 1.0, -1.0)
    windows = aligned_windows(as_wave(loud), moments())
    assert (windows.min(), windows.max()) == (-1.0, 1.0)


@pytest.mark.parametrize("moment", [np.nan, np.inf, -np.inf])
def test_a_moment_that_is_none_is_refused(moment: float) -> None:
    with pytest.raises(InputError, match="must be a number of seconds"):
        aligned_windows(as_wave(sine(100)), np.array([0.1, moment]))


# In the Timeline --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    return analyse_stream(
        np.array_split(noise(3.0).astype(np.float32), 9, axis=1), tmp_path_factory.mktemp("t")
    )


def test_frame_i_at_30_is_frame_2i_at_60(heard: Timeline) -> None:
    np.testing.assert_array_equal(
        heard.wave_at_frames(Fraction(30)), heard.wave_at_frames(Fraction(60))[::2][:90]
    )


def test_a_window_is_a_function_of_its_moment_alone(heard: Timeline) -> None:
    whole = heard.wave_at_frames(Fraction(60))
    assert whole.shape == (180, 2, 512)
    np.testing.assert_array_equal(heard.wave_at_frames(Fraction(60), 7, 150), whole[7:150])
    order = generator_for(9, "test.wave.order").permutation(180)
    np.testing.assert_array_equal(heard.wave_at(order / 60), whole[order])
    with pytest.raises(InputError, match="which has 180 frames"):
        heard.wave_at_frames(Fraction(60), 0, 181)


def test_gain_is_heard_in_the_wave(tmp_path: Path) -> None:
    sound = noise(1.0).astype(np.float32) / 4
    plain = analyse_stream([sound], tmp_path / "plain").wave
    louder = analyse_stream([sound], tmp_path / "louder", gain_db=20 * np.log10(2)).wave
    np.testing.assert_allclose(louder, 2.0 * plain, atol=1.6)


def test_digest_sees_every_sample() -> None:
    wave = np.zeros((4 * WAVE_RATE, 2), np.int16)
    before = quiet_timeline(4.0, wave=wave).digest()
    wave[-1, 1] = 1
    assert quiet_timeline(4.0, wave=wave).digest() != before
    assert quiet_timeline(4.0).digest() != before


def test_without_a_wave_a_timeline_is_kept_as_well(tmp_path: Path) -> None:
    timeline = quiet_timeline(1.0)
    timeline.save(tmp_path)
    loaded = Timeline.load(tmp_path)
    assert loaded.digest() == timeline.digest()
    assert loaded.wave.shape == (0, 2)
    assert not loaded.wave_at_frames(Fraction(30)).any()


def test_a_wave_of_another_length_or_shape_is_refused() -> None:
    for wave in (np.zeros((WAVE_RATE, 2), np.int16), np.zeros((2 * WAVE_RATE, 3), np.int16)):
        # Where jaxtyping checks shapes, it is first to say so.
        with pytest.raises((InputError, TypeError), match=r"wave of shape|Type-check"):
            quiet_timeline(2.0, wave=wave)


def test_a_damaged_wave_is_noticed(tmp_path: Path) -> None:
    quiet_timeline(1.0, wave=np.zeros((WAVE_RATE, 2), np.int16)).save(tmp_path)
    with (tmp_path / WAVE_FILE).open("rb+") as file:
        file.seek(20_000)
        file.write(b"\1")
    with pytest.raises(InputError, match="missing or damaged"):
        Timeline.load(tmp_path)


def test_memory_does_not_grow_with_the_track(tmp_path: Path) -> None:
    minutes = 10
    chunk = np.zeros((2, 65_536), np.float32)
    stream = WaveStream()
    tracemalloc.start()
    try:
        for _ in range(minutes * 60 * RATE // chunk.shape[1]):
            stream.push(chunk)
        stream.flush()
        long = np.lib.format.open_memmap(tmp_path / "wave.npy", "w+", "<i2", (minutes * 60 * WAVE_RATE, 2))
        aligned_windows(long, np.linspace(0, minutes * 60, 200))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8e6
