"""A change of sample rate moves nothing in time and does not depend on how the sound is cut."""

import numpy as np
import pytest

from synesthete.media.decode import Resampler

RATES = [
    (48_000, 44_100),
    (44_100, 48_000),
    (8000, 44_100),
    (192_000, 44_100),
    (44_101, 44_100),
    (44_100, 44_100),
]


def noise(channels: int, samples: int) -> np.ndarray:
    return 0.3 * np.random.default_rng(5).standard_normal((channels, samples), dtype=np.float32)


def resample(sound: np.ndarray, source: int, target: int, sizes: list[int]) -> np.ndarray:
    resampler = Resampler(source, target, sound.shape[0])
    starts = np.cumsum([0, *sizes])
    parts = [
        resampler.push(sound[:, a:b]) for a, b in zip(starts, [*starts[1:], sound.shape[1]], strict=True)
    ]
    return np.concatenate([*parts, resampler.flush()], axis=1)


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("channels", [1, 2, 9])
def test_resampling_does_not_depend_on_the_chunks(source: int, target: int, channels: int) -> None:
    sound = noise(channels, int(0.31 * source))
    at_once = resample(sound, source, target, [])
    in_pieces = resample(sound, source, target, [1, 0, 17, 1000, 999, 1, 2])
    assert at_once.shape == (channels, -(-sound.shape[1] * target // source))
    np.testing.assert_allclose(in_pieces, at_once, atol=1e-6)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_resampling_keeps_moments_and_tones(source: int, target: int) -> None:
    impulse = np.zeros((1, source), np.float32)
    impulse[0, source * 2 // 5] = 1
    power = resample(impulse, source, target, [])[0].astype(float) ** 2
    moment = (np.arange(len(power)) * power).sum() / power.sum() / target
    assert abs(moment - 0.4) < 1e-4
    tone = np.sin(2 * np.pi * 440 * np.arange(source) / source).astype(np.float32)[None]
    result = resample(tone, source, target, [])[0]
    expected = np.sin(2 * np.pi * 440 * np.arange(target) / target)
    assert np.abs(result - expected)[target // 10 : -target // 10].max() < 1e-4


@pytest.mark.parametrize("length", [0, 1, 2, 31])
def test_resampling_next_to_nothing(length: int) -> None:
    for source, target in RATES:
        result = resample(np.ones((1, length), np.float32), source, target, [])
        assert result.shape[1] == -(-length * target // source)


def test_resampler_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="positive"):
        Resampler(0, 44_100, 1)
