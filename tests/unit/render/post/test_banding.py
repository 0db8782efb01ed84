"""Dark gradients don't band: what is encoded follows the picture within a fifth of a code, block by block."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from made_pictures import Pictures, seen
from synesthete.config.post import Post
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import iterate_frames
from synesthete.render.post import finished

SIZE = Size(512, 256)
GRADIENT = torch.linspace(0.02, 0.07, SIZE.width).expand(3, SIZE.height, -1)
"""Eleven codes over 512 pixels: bands of 47 pixels, if it were rounded."""


def blocks(plane: np.ndarray) -> np.ndarray:
    high, wide = (side // 8 for side in plane.shape)
    return plane[: 8 * high, : 8 * wide].reshape(high, 8, wide, 8).mean((1, 3))


def luma_codes(picture: torch.Tensor) -> np.ndarray:
    red, green, blue = picture.double()
    return (16 + 219 * (0.2126 * red + 0.7152 * green + 0.0722 * blue)).numpy()


@pytest.mark.parametrize(
    "post",
    [
        Post(),
        Post(grain=0.15),
        Post(vignette=0.5),
        Post(tone_curve="filmic", grain=0.1, vignette=0.3, chroma_shift=0.004),
    ],
)
def test_what_is_encoded_follows_the_picture(post: Post) -> None:
    picture = seen(finished(Pictures(lambda frame, size: GRADIENT), post, 7, Fraction(30)), 0, SIZE)
    wanted = blocks(luma_codes(picture))
    encoded = Quantiser(SIZE).yuv420(picture).numpy()[: SIZE.height]

    assert np.abs(blocks(encoded) - wanted).max() < 0.2
    rounded = np.rint(luma_codes(picture))
    if post.grain.is_zero:  # the measure sees the bands of what is only rounded
        assert np.abs(blocks(rounded) - wanted).max() > 0.4
    assert len(np.unique(encoded)) >= 5


def test_dither_outlives_the_encoder(tmp_path: Path) -> None:
    planes = Quantiser(SIZE).yuv420(GRADIENT).numpy()
    path = tmp_path / "dark.mp4"
    settings = VideoSettings(crf=10, speed="superfast")
    with SegmentWriter(
        path, width=SIZE.width, height=SIZE.height, frame_rate=Fraction(30), settings=settings
    ) as writer:
        writer.write(planes)
    (decoded,) = iterate_frames(path)
    columns = decoded.astype(np.float64).mean((0, 2)).reshape(-1, 8).mean(1)
    wanted = 255 * GRADIENT[0, 0].numpy().reshape(-1, 8).mean(1)
    assert np.abs(columns - wanted).max() < 0.6
    assert (np.diff(columns) > 0).mean() > 0.85  # it rises all along, where bands would be steps
