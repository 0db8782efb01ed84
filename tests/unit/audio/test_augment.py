from dataclasses import replace

import numpy as np
import pytest

from synesthete.audio.augment import Augmentation, draw_augmentation, soft_limit
from synesthete.audio.equaliser import Band, equalise, response_db
from synesthete.audio.stretch import SPEED_STEPS
from synesthete.config.augment import AugmentConfig
from synesthete.config.base import build
from synesthete.errors import ConfigError, InputError

RATE = 44_100
NEVER = {key: 0.0 for key in AugmentConfig.model_fields if key.endswith("_prob")}


def noise(seconds: float = 2.0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(1).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def ranges(**changes: object) -> dict[str, object]:
    return build(AugmentConfig, changes, where="augment").model_dump()


@pytest.mark.parametrize(
    "band",
    [
        Band("low_shelf", 200.0, 6.0),
        Band("high_shelf", 4_000.0, -9.0),
        Band("peak", 1_000.0, 12.0, 2.0),
    ],
)
def test_a_band_does_to_sound_what_its_response_says(band: Band) -> None:
    impulse = np.zeros((1, 1 << 15), np.float32)
    impulse[0, 0] = 1
    measured = 20 * np.log10(np.abs(np.fft.rfft(equalise(impulse, [band])[0].astype(np.float64))))
    frequencies = np.fft.rfftfreq(1 << 15, 1 / RATE)
    assert measured == pytest.approx(response_db([band], frequencies), abs=0.01)


def test_shelves_and_peaks_reach_their_gain_where_they_should_and_nowhere_else() -> None:
    low, high, peak = Band("low_shelf", 200, 6), Band("high_shelf", 4_000, -9), Band("peak", 1_000, 12, 2)
    at = np.array([5.0, 200.0, 1_000.0, 4_000.0, 22_000.0])
    assert response_db([low], at) == pytest.approx([6, 3, 0, 0, 0], abs=0.15)
    assert response_db([high], at) == pytest.approx([0, 0, 0, -4.5, -9], abs=0.15)
    assert response_db([peak], np.array([5.0, 1_000.0, 22_000.0])) == pytest.approx([0, 12, 0], abs=0.05)
    assert response_db([low, high, peak], at) == pytest.approx(
        sum(response_db([band], at) for band in (low, high, peak))
    )


def test_bands_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="outside 0 to 22050"):
        Band("peak", 30_000.0, 3.0)
    with pytest.raises(InputError, match="above 0"):
        Band("peak", 300.0, 3.0, 0.0)


def test_the_limit_is_soft_keeps_order_and_leaves_the_quiet_alone() -> None:
    ramp = np.linspace(-6, 6, 4001, dtype=np.float32)[None]
    limited = soft_limit(ramp)
    assert np.abs(limited).max() <= 0.99 + 1e-6
    assert (np.diff(limited[0]) >= 0).all()
    quiet = np.abs(ramp) <= 0.8
    assert np.array_equal(limited[quiet], ramp[quiet])
    near = np.array([[0.8, 0.801]], np.float32)
    assert np.diff(soft_limit(near))[0, 0] == pytest.approx(0.001, rel=0.01)  # no corner at the knee


def test_the_same_draw_gives_the_same_and_another_another() -> None:
    draws = [draw_augmentation(7, "x", index, **ranges()) for index in range(50)]
    assert draws == [draw_augmentation(7, "x", index, **ranges()) for index in range(50)]
    assert len(set(map(str, draws))) == 50
    assert draws != [draw_augmentation(8, "x", index, **ranges()) for index in range(50)]
    assert draws != [draw_augmentation(7, "y", index, **ranges()) for index in range(50)]


def test_one_probability_changes_only_what_it_is_of() -> None:
    for index in range(20):
        some = draw_augmentation(7, "x", index, **ranges())
        none = draw_augmentation(7, "x", index, **ranges(speed_prob=0.0))
        assert none == replace(some, speed_steps=SPEED_STEPS)


def test_draws_stay_in_their_ranges_and_reach_across_them() -> None:
    always = dict.fromkeys(NEVER, 1.0)
    drawn = [draw_augmentation(1, "x", index, **ranges(**always)) for index in range(300)]
    for values, low, high in (
        ([one.gain_db for one in drawn], -12, 3),
        ([one.speed_steps / SPEED_STEPS for one in drawn], 0.89, 1.12),
        ([one.tempo for one in drawn], 0.85, 1.18),
        ([12 * np.log2(one.pitch_steps / SPEED_STEPS) for one in drawn], -3, 3),
        ([band.gain_db for one in drawn for band in one.bands], -6, 6),
    ):
        assert low - 0.1 <= min(values) < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < max(values) <= high + 0.1
    assert all(one.mono and one.swap and one.invert for one in drawn)


def test_pitch_alone_moves_pitch_and_tempo_alone_moves_moments() -> None:
    time = np.arange(4 * RATE) / RATE
    tone = np.stack([0.5 * np.sin(2 * np.pi * 440 * time)] * 2).astype(np.float32)
    tone[:, 2 * RATE :] = 0  # it ends at 2 s
    for change, pitch in (
        (Augmentation(pitch_steps=144), 440 * 144 / 128),
        (Augmentation(tempo=1.2), 440),
        (Augmentation(speed_steps=108), 440 * 108 / 128),
        (Augmentation(speed_steps=140, tempo=0.9, pitch_steps=120), 440 * round(140 * 120 / 128) / 128),
    ):
        result = change.apply(tone, 3 * RATE)[0]
        spectrum = np.abs(np.fft.rfft(result[RATE // 2 : RATE] * np.hanning(RATE // 2), 8 * RATE))
        assert spectrum.argmax() / 8 == pytest.approx(pitch, abs=0.5)
        (end,) = change.moments(np.array([2.0]))
        heard = np.flatnonzero(np.abs(result) > 0.1)[-1] / RATE
        assert heard == pytest.approx(end, abs=0.015)
        assert change.source_samples(3 * RATE) == pytest.approx(3 * RATE * change.rate, abs=2)


def test_the_result_is_full_where_the_source_is_and_silent_beyond_it() -> None:
    for index in range(12):
        change = draw_augmentation(3, "x", index, **ranges(speed_prob=1.0, tempo_prob=0.5, pitch_prob=0.5))
        full = change.apply(noise(2.0)[:, : change.source_samples(RATE)], RATE)
        assert full.shape == (2, RATE)
        assert np.abs(full[:, -256:]).max() > 0.003
        short = change.apply(noise(0.4), RATE)
        assert not short[:, round(0.4 * RATE / change.rate) + 200 :][:, : RATE // 4].any() or change.bands
        assert np.isfinite(short).all()
        assert np.abs(short).max() <= 1


def test_polarity_channels_and_gain_are_exact() -> None:
    sound = noise(0.2)
    samples = sound.shape[1]
    assert np.array_equal(Augmentation().apply(sound, samples), sound)
    assert np.array_equal(Augmentation(invert=True).apply(sound, samples), -sound)
    assert np.array_equal(Augmentation(swap=True).apply(sound, samples), sound[::-1])
    mono = Augmentation(mono=True).apply(sound, samples)
    assert np.array_equal(mono[0], mono[1])
    assert mono[0] == pytest.approx(sound.mean(axis=0), abs=1e-7)
    assert Augmentation(gain_db=-6.0).apply(sound, samples) == pytest.approx(sound * 10**-0.3, abs=1e-7)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gain_db": (3, -3)}, "lower end, then the higher"),
        ({"speed": (0.1, 1)}, "greater than or equal to 0.75"),
        ({"mono_prob": 2}, "less than or equal to 1"),
    ],
)
def test_ranges_that_cannot_be_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ranges(**changes)
