import numpy as np
import pytest
from PIL import Image

from synesthete.config.stills import BUCKETS
from synesthete.training.stills.culling import measure_still
from synesthete.training.stills.sources import ProgramSource

SIZE = 64


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    source = ProgramSource(3, SIZE)
    return {bucket: source.draw(bucket, 1).picture for bucket in BUCKETS}


def test_every_bucket_is_drawn(drawn: dict[str, np.ndarray]) -> None:
    assert ProgramSource(3, SIZE).buckets == BUCKETS
    for picture in drawn.values():
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.dtype == np.uint8
        found = measure_still(picture)
        assert 0.005 < found.brightness < 0.7
        assert found.contrast > 0.01


@pytest.mark.parametrize("bucket", sorted({*BUCKETS} - {"reaction-diffusion"}))
def test_a_still_is_a_function_of_seed_bucket_and_index(bucket: str, drawn: dict[str, np.ndarray]) -> None:
    again = ProgramSource(3, SIZE)
    again.draw("colour-field", 0)  # what was drawn before says nothing
    assert np.array_equal(again.draw(bucket, 1).picture, drawn[bucket])
    assert not np.array_equal(again.draw(bucket, 2).picture, drawn[bucket])
    assert not np.array_equal(ProgramSource(4, SIZE).draw(bucket, 1).picture, drawn[bucket])


@pytest.mark.parametrize("bucket", ["colour-field", "interference", "relief", "reaction-diffusion"])
def test_size_is_only_sampling(bucket: str, drawn: dict[str, np.ndarray]) -> None:
    large = ProgramSource(3, 2 * SIZE).draw(bucket, 1).picture
    small = np.asarray(Image.fromarray(large).resize((SIZE, SIZE), Image.Resampling.BOX), np.float64)
    error = np.square(small - drawn[bucket].astype(np.float64)).mean() / 255**2
    assert error < 10 ** (-26 / 10)


def test_noise_has_one_hue() -> None:
    source = ProgramSource(0, SIZE)
    for index in range(3):
        picture = source.draw("monochrome-noise", index).picture.astype(float)
        spread = picture.max(axis=2) - picture.min(axis=2)
        assert spread.mean() < 30
