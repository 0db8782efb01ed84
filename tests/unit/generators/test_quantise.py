from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser, dither_pattern
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import iterate_frames

SIZE = Size(128, 72)


def plain(*rgb: float, size: Size = SIZE) -> torch.Tensor:
    return torch.tensor(rgb).reshape(3, 1, 1).expand(3, size.height, size.width).contiguous()


def through_a_film(folder: Path, planes: list[np.ndarray], size: Size = SIZE) -> list[np.ndarray]:
    path = folder / "segment.mp4"
    settings = VideoSettings(crf=0, speed="ultrafast")
    with SegmentWriter(
        path, width=size.width, height=size.height, frame_rate=Fraction(30), settings=settings
    ) as writer:
        for frame in planes:
            writer.write(frame)
    return list(iterate_frames(path))


def test_colours_of_a_film_are_those_that_were_drawn(tmp_path: Path) -> None:
    colours = [
        *product((0.0, 1.0), repeat=3),
        (0.5, 0.5, 0.5),
        (0.02, 0.02, 0.02),
        (0.9, 0.4, 0.1),
        (0.1, 0.3, 0.8),
    ]
    quantiser = Quantiser(SIZE)
    planes = [quantiser.yuv420(plain(*colour)).numpy() for colour in colours]
    for colour, decoded in zip(colours, through_a_film(tmp_path, planes), strict=True):
        wanted = 255 * np.array(colour)
        assert np.abs(decoded.mean((0, 1)) - wanted).max() < 2, colour
        assert np.abs(decoded - wanted).max() <= 5, colour  # one step of 8-bit Y'CbCr, dithered


def test_codes_are_those_of_bt709(tmp_path: Path) -> None:
    def codes(*rgb: float) -> tuple[float, float, float]:
        frame = Quantiser(SIZE).yuv420(plain(*rgb)).float()
        luma, chroma = frame[: SIZE.height], frame[SIZE.height :].reshape(2, -1)
        return luma.mean().item(), chroma[0].mean().item(), chroma[1].mean().item()

    # ITU-R BT.709-6, table 3.5: black 16, white 235, red (63, 102, 240), to the dither's half step.
    for rgb, expected in (
        ((0, 0, 0), (16, 128, 128)),
        ((1, 1, 1), (235, 128, 128)),
        ((1, 0, 0), (62.6, 102.3, 240)),
        ((0, 0, 1), (31.8, 240, 117.7)),
    ):
        assert codes(*rgb) == pytest.approx(expected, abs=0.55)


def test_a_dark_gradient_keeps_its_mean_and_has_no_bands() -> None:
    size = Size(512, 128)
    ramp = torch.linspace(0.0, 0.05, size.width).expand(3, size.height, size.width)
    luma = Quantiser(size).yuv420(ramp)[: size.height].float()
    exact = 16 + 219 * ramp[0, 0]
    windows = (luma.mean(0) - exact).unfold(0, 16, 8).mean(1)
    assert windows.abs().max() < 0.06 + 0.02  # plain rounding is off by up to 0.5 here
    rgb = Quantiser(size).rgb8(ramp).float()
    windows = (rgb[..., 0].mean(0) - 255 * ramp[0, 0]).unfold(0, 16, 8).mean(1)
    assert windows.abs().max() < 0.08


def test_extremes_are_kept_and_beyond_them_clipped() -> None:
    quantiser = Quantiser(SIZE)
    assert (quantiser.rgb8(plain(0, 0, 0)) == 0).all()
    assert (quantiser.rgb8(plain(1, 1, 1)) == 255).all()
    for inside, beyond in (((0, 0, 0), (-3.0, -1.0, -0.001)), ((1, 1, 1), (1.001, 2.0, 100.0))):
        torch.testing.assert_close(quantiser.rgb8(plain(*beyond)), quantiser.rgb8(plain(*inside)))
        torch.testing.assert_close(quantiser.yuv420(plain(*beyond)), quantiser.yuv420(plain(*inside)))


def test_the_pattern_is_fixed_and_even() -> None:
    pattern = dither_pattern(720, 1280)
    assert 0 <= pattern.min() <= pattern.max() < 1
    torch.testing.assert_close(pattern[:90, :160], dither_pattern(90, 160), rtol=0, atol=0)
    share = torch.histc(pattern, 10, 0, 1) / pattern.numel()
    assert (share - 0.1).abs().max() < 0.001
    assert pattern.reshape(90, 8, 160, 8).mean((1, 3)).std() < 0.03  # white noise has 0.036


class _WholeFrames:
    """Stands in for a Fuser that compiles: hands kernels back as they are, to be run on whole frames."""

    def fuse(self, key: object, kernel: Callable[..., Any], *example: torch.Tensor) -> Callable[..., Any]:
        kernel(*example)
        return kernel


class _NoCompiler:
    def fuse(self, key: object, kernel: Callable[..., Any], *example: torch.Tensor) -> None:
        return None


@pytest.mark.parametrize("size", [Size(128, 72), Size(64, 130), Size(66, 256)])
def test_bytes_do_not_depend_on_how_they_are_computed(size: Size) -> None:
    rgb = torch.rand(3, size.height, size.width, generator=torch.Generator().manual_seed(1)) * 1.2 - 0.1
    banded = Quantiser(size).yuv420(rgb)
    assert banded.shape == (size.height * 3 // 2, size.width)
    for fuser in (_WholeFrames(), _NoCompiler()):
        torch.testing.assert_close(Quantiser(size, fuser).yuv420(rgb), banded, rtol=0, atol=0)  # type: ignore[arg-type]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        torch.testing.assert_close(Quantiser(size).yuv420(rgb.clone()), banded, rtol=0, atol=0)
    finally:
        torch.set_num_threads(threads)
