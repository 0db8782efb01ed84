"""Tone curve, grain and chroma shift: what they do to pictures, and what they leave alone."""

from collections.abc import Iterator
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from made_programs import psnr_db, shrunk
from synesthete.config.post import Post, ToneCurve
from synesthete.generators.base import FakeGenerator, Size, Trajectory, pixel_grid
from synesthete.render.post import Finisher, finished
from synesthete.render.post import finisher as finisher_module
from synesthete.render.post.tones import toned

SIZE = Size(160, 90)
RATE = Fraction(30)
NOTHING = Trajectory(np.zeros((100, 1), np.float32), ("x",), {})
ALL = Post(
    tone_curve="filmlog", grain=0.5, chroma_shift=0.02, vignette=0.4, bloom=0.3, sharpen=0.5,
    balance={"slope": [1.1, 1, 0.9], "power": 1.1, "saturation": 1.2},
)  # fmt: skip
EFFECTS = [ALL, *(Post(**{name: 1.0}) for name in ("grain", "vignette", "bloom", "trails", "sharpen"))]


class Still:
    """Paints one picture: rings in colours of every lightness, black outside, at any size."""

    def __init__(self, level: float | None = None) -> None:
        self.level = level

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        return "eager-float32-cpu"

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
        x, y = pixel_grid(size)
        radius = torch.sqrt(x * x + y * y)
        rings = torch.clamp(1.2 - radius, 0.0, 1.0) * (0.5 + 0.5 * torch.cos(6 * radius))
        picture = torch.stack([rings, rings**0.7, rings**2]).clamp(0.0, 1.0)
        if self.level is not None:
            picture = torch.full_like(picture, self.level)
        for _ in range(start, stop):
            yield picture


def seen(
    post: Post, frame: int = 3, size: Size = SIZE, *, seed: int = 7, level: float | None = None
) -> Tensor:
    painter = finished(Still(level), post, seed, RATE)
    return next(painter.frames(NOTHING, frame, frame + 1, size)).clone()


def grey(value: float) -> float:
    return float(seen(Post(tone_curve="filmic"), level=value).mean())


def test_without_post_the_painter_is_left_alone() -> None:
    painter = FakeGenerator()
    assert finished(painter, Post(), 1, RATE) is painter
    assert torch.equal(
        next(Finisher(Still(), Post(), 1, RATE).frames(NOTHING, 0, 1, SIZE)),
        next(Still().frames(NOTHING, 0, 1, SIZE)),
    )


@pytest.mark.parametrize("post", [*(Post(tone_curve=c) for c in get_args(ToneCurve)), *EFFECTS])
def test_black_stays_black_and_nothing_leaves_the_range(post: Post) -> None:
    assert float(seen(post, level=0.0).abs().max()) == 0.0
    picture = seen(post)
    assert 0.0 <= float(picture.min()) <= float(picture.max()) <= 1.0
    assert torch.isfinite(picture).all()


def bent(levels: Tensor, curve: ToneCurve) -> Tensor:
    return toned((levels, levels, levels), curve)[0]


@pytest.mark.parametrize("curve", get_args(ToneCurve))
def test_curves_rise_from_black_to_white(curve: ToneCurve) -> None:
    curved = bent(torch.linspace(0, 1, 400), curve)
    assert float(curved[0]) == 0.0
    white = 0.9**0.5 if curve == "neutral" else 1.0  # Khronos's: what is brighter still has room
    assert float(curved[-1]) == pytest.approx(white, abs=1e-4)
    assert (curved.diff() > 0).all()


def test_filmlog_lifts_shadows_and_soft_has_a_shoulder() -> None:
    assert float(bent(torch.tensor(0.2), "filmlog")) > 0.22
    assert float(bent(torch.tensor([0.8, 0.9]), "filmlog").diff()) < 0.09
    assert float(bent(torch.tensor([0.8, 0.9]), "soft").diff()) < 0.09


def test_filmic_adds_contrast_around_middle_grey() -> None:
    middle = 0.18**0.5
    assert grey(middle) == pytest.approx(middle, abs=1e-3)
    assert grey(0.2) < 0.15
    assert grey(0.7) > 0.75


def test_grain_is_a_function_of_seed_and_frame() -> None:
    grainy = Post(grain=0.4)
    assert torch.equal(seen(grainy), seen(grainy))
    assert not torch.equal(seen(grainy), seen(grainy, frame=4))
    assert not torch.equal(seen(grainy), seen(grainy, seed=8))
    assert torch.equal(seen(Post(tone_curve="soft"), frame=3), seen(Post(tone_curve="soft"), frame=4))


def test_frames_of_a_segment_are_those_drawn_one_by_one() -> None:
    painter = finished(Still(), ALL, 7, RATE)
    whole = [picture.clone() for picture in painter.frames(NOTHING, 10, 14, SIZE)]
    for frame, picture in enumerate(whole, start=10):
        assert torch.equal(seen(ALL, frame), picture)


def test_grain_lies_in_the_middle_tones_around_what_was_there() -> None:
    size = Size(640, 540)  # half as many lines as grains: half as deep
    depth = {
        level: float((seen(Post(grain=1.0), size=size, level=level) - level).std())
        for level in (0.1, 0.5, 0.9, 1.0)
    }
    assert depth[0.5] == pytest.approx(0.045, rel=0.05)
    assert depth[1.0] == 0.0
    assert depth[0.5] > 2 * depth[0.1]
    assert depth[0.1] == pytest.approx(depth[0.9], rel=0.1)
    assert float(seen(Post(grain=1.0), size=size, level=0.5).mean()) == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize(
    "post",
    [
        Post(grain=0.15), Post(tone_curve="filmic", chroma_shift=0.01), Post(vignette=0.6), Post(bloom=0.5),
        Post(sharpen=0.4),
    ],
)  # fmt: skip
def test_a_small_picture_is_the_large_one_seen_from_further_away(post: Post) -> None:
    small, large = Size(256, 256), Size(1080, 1080)
    assert psnr_db(seen(post, size=small), shrunk(seen(post, size=large), small)) >= 30


def test_grain_of_a_larger_picture_is_wider_and_nearly_as_deep() -> None:
    def neighbours(picture: Tensor) -> float:
        grain = picture[0] - 0.5
        return float((grain[:, 1:] * grain[:, :-1]).mean() / grain.var())

    hd, uhd = (seen(Post(grain=1.0), size=Size(side, side), level=0.5) for side in (1080, 2160))
    assert float(hd.std()) == pytest.approx(0.09, rel=0.05)
    assert 0.6 < float(uhd.std() / hd.std()) <= 1.0
    assert neighbours(uhd) > neighbours(hd) + 0.1


@pytest.mark.parametrize("size", [Size(65, 37), Size(64, 64)])
def test_chroma_shift_keeps_the_centre_and_blue(size: Size) -> None:
    plain, shifted = seen(Post(), size=size), seen(Post(chroma_shift=0.05), size=size)

    assert torch.equal(plain[2], shifted[2])
    row, column = size.height // 2, size.width // 2
    if size.width % 2:
        torch.testing.assert_close(shifted[:, row, column], plain[:, row, column])
    else:
        middle = (slice(None), slice(row - 1, row + 1), slice(column - 1, column + 1))
        assert float((shifted[middle].mean((1, 2)) - plain[middle].mean((1, 2))).abs().max()) < 5e-3
    assert float((shifted[0] - plain[0]).abs().max()) > 0.02


def test_chroma_shift_draws_red_larger_than_green() -> None:
    size, shift = Size(401, 401), 0.05
    x, y = pixel_grid(size)
    radius = torch.sqrt(x * x + y * y)

    class Disc(Still):
        def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
            yield (radius < 0.6).float().expand(3, -1, -1)

    picture = next(finished(Disc(), Post(chroma_shift=shift), 0, RATE).frames(NOTHING, 0, 1, size))
    red, green, blue = (float(plane.sum()) ** 0.5 for plane in picture)
    assert red / blue == pytest.approx(1 + shift, abs=2e-3)
    assert green / blue == pytest.approx(1 + shift / 2, abs=2e-3)


@pytest.mark.parametrize("rows", [1, 7, 90])
def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    expected = seen(ALL)
    monkeypatch.setattr(finisher_module, "_BAND_PIXELS", rows * SIZE.width)
    assert torch.equal(seen(ALL), expected)


def test_the_numeric_path_names_the_painters_and_its_own() -> None:
    assert finished(Still(), ALL, 7, RATE).prepare(NOTHING, SIZE) == "eager-float32-cpu-post-eager"
