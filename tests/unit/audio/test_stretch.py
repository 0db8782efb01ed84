import numpy as np
import pytest

from synesthete.audio.stretch import SPEED_STEPS, change_speed, stretch
from synesthete.errors import InputError

RATE = 44_100


def sine(frequency: float, seconds: float = 3.0) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, 0.5 * wave]).astype(np.float32)


def purity(sound: np.ndarray) -> tuple[float, float]:
    """Give the strongest frequency, Hz, and how far the rest lies below it, dB."""
    middle = sound[RATE // 2 : -RATE // 2].astype(np.float64)
    power = np.abs(np.fft.rfft(middle * np.blackman(len(middle)))) ** 2
    top = int(power.argmax())
    near = power[max(0, top - 6) : top + 7]
    centre = (np.arange(max(0, top - 6), top + 7) * near).sum() / near.sum()
    return centre * RATE / len(middle), 10 * np.log10(near.sum() / (power.sum() - near.sum()))


@pytest.mark.parametrize("ratio", [0.6, 0.87, 0.93, 1.1, 1.37, 1.8])
@pytest.mark.parametrize("frequency", [110.0, 440.0, 5_000.0])
def test_a_stretched_sine_is_the_same_sine_for_longer(ratio: float, frequency: float) -> None:
    stretched = stretch(sine(frequency), ratio)
    assert stretched.shape == (2, round(3 * RATE * ratio))
    found, below_db = purity(stretched[0])
    assert found == pytest.approx(frequency, abs=0.05)
    assert below_db > 45
    middle = stretched[:, RATE // 2 : -RATE // 2]
    assert middle.std(axis=1) == pytest.approx([0.5 * np.sqrt(0.5), 0.25 * np.sqrt(0.5)], rel=2e-3)


@pytest.mark.parametrize("ratio", [0.8, 1.1, 1.25])
@pytest.mark.parametrize("tone", [0.0, 0.3])
def test_clicks_stay_sharp_and_at_their_moments(ratio: float, tone: float) -> None:
    rng = np.random.default_rng(0)
    moments = np.arange(1, 9) + rng.uniform(0, 0.5, 8)
    sound = tone * sine(440, 10.0)
    click = np.exp(-np.arange(200) / 40) * rng.standard_normal(200) * 0.5
    for moment in moments:
        sound[:, round(moment * RATE) :][:, :200] += click.astype(np.float32)
    stretched = stretch(sound, ratio)[0]
    high = np.diff(stretched, n=4) ** 2  # a tone has next to nothing there
    for moment in moments:
        start = round((moment * ratio - 0.05) * RATE)
        around = high[start : start + RATE // 10]
        centre = np.flatnonzero(np.cumsum(around) > 0.1 * around.sum())[0] / RATE - 0.05
        assert abs(centre) < 0.003
        near = around[RATE // 20 - 220 : RATE // 20 + 441]  # 5 ms before to 10 ms after
        assert near.sum() > 0.9 * around.sum()


def test_what_is_opposite_in_both_channels_stays_so() -> None:
    wave = sine(300)[0]
    stretched = stretch(np.stack([wave, -wave]), 1.2)
    assert np.array_equal(stretched[0], -stretched[1])
    assert stretched[0].std() == pytest.approx(wave.std(), rel=0.02)


def test_silence_stays_silence_and_sound_after_it_comes_back() -> None:
    sound = np.concatenate([np.zeros((2, RATE), np.float32), sine(440, 1.0)], axis=1)
    stretched = stretch(sound, 1.25)
    assert np.abs(stretched[:, : round(0.95 * 1.25 * RATE)]).max() == 0
    assert stretched[0, round(1.5 * 1.25 * RATE) :].std() > 0.3
    assert not stretch(np.zeros((2, RATE), np.float32), 0.9).any()


@pytest.mark.parametrize("steps", [96, 121, 135, 192])
def test_a_change_of_speed_moves_pitch_and_time_together(steps: int) -> None:
    changed = change_speed(sine(440), steps)
    assert changed.shape[1] == pytest.approx(3 * RATE * SPEED_STEPS / steps, abs=1)
    found, below_db = purity(changed[0])
    assert found == pytest.approx(440 * steps / SPEED_STEPS, abs=0.05)
    assert below_db > 70


def test_nothing_to_do_changes_nothing() -> None:
    sound = sine(440, 0.5)
    assert np.array_equal(stretch(sound, 1.0), sound)
    assert np.array_equal(change_speed(sound, SPEED_STEPS), sound)
    assert stretch(sound[:, :0], 1.5).shape == (2, 0)


def test_factors_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"outside 0\.5 to 2"):
        stretch(sine(440, 0.1), 2.5)
    with pytest.raises(InputError, match=r"outside 0\.5 to 2"):
        change_speed(sine(440, 0.1), 300)
