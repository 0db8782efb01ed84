"""Batches of stills: every picture once a turn, the same whenever asked, changed a little each time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from made_stills import lamp, write_lamps
from synesthete.config.gan import StillAugmentConfig, StillDataConfig
from synesthete.errors import InputError
from synesthete.seeding import generator_for
from synesthete.training.dataset import BatchLoader
from synesthete.training.stills.augment import augmented, squared
from synesthete.training.stills.batches import PlainBatches, StillBatches

OFF = StillAugmentConfig(
    flip_prob=0, crop=1, brightness=0, contrast=0, saturation=0, hue_degrees=0, blur_prob=0, jpeg_prob=0,
    cutout_prob=0,
)  # fmt: skip
SIDE = 32


def draw(number: int = 0) -> np.random.Generator:
    return generator_for(3, "test", number)


def files(folder: Path, count: int) -> list[Path]:
    write_lamps(folder, count)
    return sorted(folder.glob("*.png"))


def test_batches_are_functions_of_their_number_and_turns_see_every_picture(tmp_path: Path) -> None:
    config = StillDataConfig(batch_size=4, augment=OFF)
    make = StillBatches(files(tmp_path, 8), config, side=SIDE)
    turns = [torch.cat([make(2 * turn + half).pictures for half in range(2)]) for turn in range(2)]
    assert [make(3).number.tolist(), make(3).pictures.shape] == [[12, 13, 14, 15], (4, 3, SIDE, SIDE)]
    # Squares are cut anywhere along the longer side; each lamp has a colour of its own.
    colours = [turn.double().mean(dim=(2, 3)) for turn in turns]
    shares = [sorted((colour[:, 0] / colour.sum(dim=1)).tolist()) for colour in colours]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    assert not torch.equal(turns[0], turns[1])
    again = StillBatches(files(tmp_path, 8), config, side=SIDE)
    assert torch.equal(again(3).pictures, make(3).pictures)
    other = StillBatches(files(tmp_path, 8), config.model_copy(update={"seed": 1}), side=SIDE)
    assert not torch.equal(other(0).pictures, make(0).pictures)


def test_pictures_of_a_validation_are_as_they_are(tmp_path: Path) -> None:
    found = files(tmp_path, 5)
    batch = PlainBatches(found, side=36, batch_size=4)(1)
    middle = torch.from_numpy(lamp(int(found[4].stem.split("-")[1]))[:, 2:38]).permute(2, 0, 1)
    assert torch.equal(batch.pictures[0], middle)
    first = PlainBatches(found, side=36, batch_size=4)(0)
    assert torch.equal(batch.pictures[1], first.pictures[0])


def test_a_picture_that_can_not_be_read_is_named_by_workers_too(tmp_path: Path) -> None:
    found = files(tmp_path, 4)
    found[2].write_bytes(b"no")
    make = StillBatches(found, StillDataConfig(batch_size=4), side=SIDE)
    for workers in (0, 1):
        with pytest.raises(InputError, match=rf"^{found[2]} is no picture that can be read"):
            next(iter(BatchLoader(make, workers=workers)))


def test_nothing_is_changed_where_all_is_off() -> None:
    assert np.array_equal(augmented(lamp(0), SIDE, OFF, draw()), squared_crop(lamp(0)))


def squared_crop(picture: np.ndarray) -> np.ndarray:
    """Give the square that is cut where nothing else happens: anywhere along the longer side."""
    at = draw()
    at.uniform(1.0, 1.0)
    left = float(at.random()) * 4
    from PIL import Image

    image = Image.fromarray(picture)
    return np.array(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, (left, 0, left + 36, 36)))


@pytest.mark.parametrize(
    "change",
    [
        {"flip_prob": 1}, {"crop": 0.5}, {"brightness": 0.3}, {"contrast": 0.3}, {"saturation": 0.5},
        {"hue_degrees": 90}, {"blur_prob": 1, "blur_pixels": 3}, {"jpeg_prob": 1, "jpeg_quality": 20},
        {"cutout_prob": 1},
    ],
)  # fmt: skip
def test_each_change_is_its_own(change: dict[str, float]) -> None:
    config = OFF.model_copy(update=change)
    plain, found, again = (
        [augmented(lamp(2), SIDE, one, draw(number)) for number in range(4)] for one in (OFF, config, config)
    )
    assert found[0].shape == (SIDE, SIDE, 3)
    assert not np.array_equal(found, plain)
    assert np.array_equal(found, again)


def test_black_stays_black_and_grey_stays_grey() -> None:
    config = StillAugmentConfig(crop=1, cutout_prob=0, jpeg_prob=0, contrast=0)
    black, grey = (np.full((SIDE, SIDE, 3), level, np.uint8) for level in (0, 90))
    for number in range(8):
        assert augmented(black, SIDE, config, draw(number)).max() == 0
        assert np.ptp(augmented(grey, SIDE, config, draw(number)), axis=2).max() <= 1


def test_a_square_is_cut_from_the_middle() -> None:
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[:, 20:40] = 200
    assert squared(picture, 20).min() == 200
