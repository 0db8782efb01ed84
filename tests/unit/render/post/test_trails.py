"""Trails fade to nothing in a finite time, whatever the frame rate and wherever drawing begins."""

from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from made_pictures import NOTHING, Pictures
from synesthete.config.post import Post
from synesthete.generators.base import Size
from synesthete.render.post import finished

SIZE = Size(64, 36)
ALL_RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60),
             Fraction(120)]  # fmt: skip


def noise(frame: int, size: Size) -> Tensor:
    return torch.rand(3, size.height, size.width, generator=torch.Generator().manual_seed(frame)) ** 8


def flash(frame: int, size: Size) -> Tensor:
    return torch.full((3, size.height, size.width), 0.9 if frame == 0 else 0.0)


def levels(post: Post, rate: Fraction, frames: int) -> list[float]:
    painter = finished(Pictures(flash), post, 1, rate)
    return [float(picture.max()) for picture in painter.frames(NOTHING, 0, frames, SIZE)]


@pytest.mark.parametrize("rate", ALL_RATES)
def test_a_flash_fades_evenly_and_is_gone_after_the_trails_length(rate: Fraction) -> None:
    seconds = 0.5
    seen = levels(Post(trails=1.0, trail_seconds=seconds), rate, int(rate))
    gone = next(frame for frame, level in enumerate(seen) if level == 0.0)
    assert gone / float(rate) == pytest.approx(seconds, abs=1.1 / 24)
    assert all(later < earlier for earlier, later in pairwise(seen[:gone]))
    assert not any(seen[gone:])
    quarter = seen[round(float(rate) * seconds / 4)]
    assert quarter == pytest.approx((0.9 + 1 / 31) * 32**-0.25 - 1 / 31, abs=0.03)


@pytest.mark.parametrize("times", [2, 4])
def test_frames_of_30_are_among_those_of_a_multiple(times: int) -> None:
    post = Post(trails=0.7, trail_seconds=0.4)
    slow = finished(Pictures(noise), post, 1, Fraction(30))
    # What lies between the ticks of 30 a second is another picture.
    fast = finished(
        Pictures(lambda frame, size: noise(frame // times if frame % times == 0 else -frame, size)),
        post, 1, Fraction(30 * times),
    )  # fmt: skip
    quick = [picture.clone() for picture in fast.frames(NOTHING, 0, 40 * times, SIZE)]
    for frame, picture in enumerate(slow.frames(NOTHING, 0, 40, SIZE)):
        assert torch.equal(picture, quick[times * frame])


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30), Fraction(60)])
@pytest.mark.parametrize("seconds", [0.1, 0.73])
def test_every_start_gives_the_same_bits(rate: Fraction, seconds: float) -> None:
    post = Post(trails=1.0, trail_seconds=seconds)
    whole = [p.clone() for p in finished(Pictures(noise), post, 1, rate).frames(NOTHING, 0, 150, SIZE)]
    for start in (1, 17, 97, 120):
        painter = Pictures(noise)
        run = finished(painter, post, 1, rate).frames(NOTHING, start, start + 5, SIZE)
        for frame, picture in enumerate(run, start):
            assert torch.equal(picture, whole[frame])
        assert (start - painter.drawn[0]) / rate <= seconds + Fraction(3, 20)


def test_trails_only_add_light_and_half_of_them_half_the_light() -> None:
    now = noise(30, SIZE)
    half, full = (
        next(finished(Pictures(noise), Post(trails=t), 1, Fraction(30)).frames(NOTHING, 30, 31, SIZE)).clone()
        for t in (0.5, 1.0)
    )
    assert (half >= now).all()
    assert (full >= half).all()
    dark = now == 0
    torch.testing.assert_close(half[dark], 0.5 * full[dark])
    assert float((full - now).mean()) > 0.05
