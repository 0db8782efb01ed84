"""Each effect does what its unit says, and signals drive its amount."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from made_pictures import NOTHING, Pictures, seen
from made_timelines import quiet_timeline
from synesthete.config.post import Post
from synesthete.config.preset import Preset, load_preset
from synesthete.errors import ConfigError
from synesthete.generators.base import Size, Trajectory, pixel_grid
from synesthete.generators.control import build_signals
from synesthete.generators.fuse import Fuser
from synesthete.render.post import finished, with_amounts

SIZE = Size(160, 90)
RATE = Fraction(30)


def grey(level: float) -> Pictures:
    return Pictures(lambda frame, size: torch.full((3, size.height, size.width), level))


def noise(frame: int, size: Size) -> Tensor:
    return torch.rand(3, size.height, size.width, generator=torch.Generator().manual_seed(frame))


def done(post: Post, painter: Pictures, size: Size = SIZE, frame: int = 3, rate: Fraction = RATE) -> Tensor:
    return seen(finished(painter, post, 7, rate), frame, size)


# Grain -----------------------------------------------------------------------------------------------------


def grains(rate: Fraction, frames: int) -> list[Tensor]:
    painter = finished(grey(0.5), Post(grain=0.5), 7, rate)
    return [picture.clone() for picture in painter.frames(NOTHING, 0, frames, SIZE)]


@pytest.mark.parametrize("times", [2, 4])
def test_grain_at_30_frames_a_second_is_that_of_every_second_frame_at_60(times: int) -> None:
    slow, fast = grains(RATE, 9), grains(times * RATE, 9 * times)
    for frame, picture in enumerate(fast):
        assert torch.equal(picture, slow[frame // times])
    assert not any(torch.equal(a, b) for a, b in pairwise(slow))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(25)])
def test_slower_films_have_grain_of_their_own_in_every_frame(rate: Fraction) -> None:
    pictures = grains(rate, 50)
    assert not any(torch.equal(a, b) for a, b in pairwise(pictures))


# Light -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SIZE, Size(90, 160), Size(120, 120)])
def test_a_vignette_takes_its_share_of_light_from_the_corners_and_none_from_the_middle(size: Size) -> None:
    picture = done(Post(vignette=0.5), grey(0.8), size)
    light = (picture / 0.8) ** 2
    corner = (size.width**2 + size.height**2) ** 0.5 / size.short
    x, y = pixel_grid(size)
    radius = torch.sqrt(x * x + y * y) / corner
    assert float(light[0, 0, 0]) == pytest.approx(0.5, abs=0.02)
    assert float(light.max()) == pytest.approx(1.0, abs=1e-3)
    # cos⁴ of the angle whose tangent grows along the radius
    tangent = radius * (2**0.5 - 1) ** 0.5
    torch.testing.assert_close(light[0], torch.cos(torch.atan(tangent)) ** 4, atol=1e-5, rtol=0)


def test_bloom_spills_light_of_what_is_bright_and_leaves_the_dark_dark() -> None:
    def lamp(level: float) -> Pictures:
        x, y = pixel_grid(SIZE)
        return Pictures(lambda frame, size: ((x * x + y * y < 0.04).float() * level).expand(3, -1, -1))

    plain, lit = done(Post(), lamp(1.0)), done(Post(bloom=0.5), lamp(1.0))
    assert (lit >= plain - 1e-6).all()
    near, far = lit[0, 45, 95], lit[0, 45, 155]
    assert float(near) > 0.1 > 0.01 > float(far)
    torch.testing.assert_close(done(Post(bloom=0.5), lamp(0.25)), done(Post(), lamp(0.25)))


def test_light_that_spills_adds_up_to_what_was_there() -> None:
    spot = torch.zeros(3, 180, 180)
    spot[:, 80:100, 80:100] = 1.0
    light = done(Post(bloom=1.0), Pictures(lambda frame, size: spot), Size(180, 180)) ** 2
    outside = spot[0] == 0
    assert 0.3 < float(light[0][outside].sum() / spot[0].sum()) < 1.0  # the rest falls on the spot itself


def test_sharpening_steepens_edges_and_keeps_flat_places_and_hues() -> None:
    size = Size(540, 540)
    edge = torch.full((3, 540, 540), 0.4)
    edge[:, :, 270:] = 0.6
    edge[2] *= 0.5
    picture = done(Post(sharpen=1.0), Pictures(lambda frame, size: edge), size)
    over = float(picture[0, 100].max() - 0.6)
    assert 0.005 < over < 0.1
    assert float(0.4 - picture[0, 100].min()) == pytest.approx(over, abs=1e-5)
    torch.testing.assert_close(picture[:, :, :250], edge[:, :, :250])
    change = picture - edge
    torch.testing.assert_close(change[0], change[2], atol=1e-6, rtol=0)


# Colour ----------------------------------------------------------------------------------------------------


def test_balance_is_the_asc_colour_decision_list() -> None:
    post = Post(
        balance={"slope": [1.2, 1.0, 0.8], "offset": [-0.05, 0.0, 0.05], "power": [1.1, 1.0, 0.9],
                 "saturation": 0.5}
    )  # fmt: skip
    picture = noise(3, SIZE).double()
    slope, offset, power = ([1.2, 1.0, 0.8], [-0.05, 0.0, 0.05], [1.1, 1.0, 0.9])
    graded = torch.stack(
        [(picture[c] * slope[c] + offset[c]).clamp(min=0) ** power[c] for c in range(3)]
    )  # fmt: skip
    light = 0.2126 * graded[0] + 0.7152 * graded[1] + 0.0722 * graded[2]
    expected = (light + 0.5 * (graded - light)).clamp(0, 1).float()
    torch.testing.assert_close(done(post, Pictures(noise)), expected, atol=2e-6, rtol=0)


def test_neutral_leaves_what_is_not_bright_and_punch_adds_contrast_and_colour() -> None:
    dim = Pictures(lambda frame, size: 0.85 * noise(frame, size))
    torch.testing.assert_close(done(Post(tone_curve="neutral"), dim), done(Post(), dim), atol=1e-6, rtol=0)
    bright = done(Post(tone_curve="neutral", balance={"slope": 3.0}), grey(0.9))
    assert 0.95 < float(bright.max()) < 1.0  # beyond white there is still a difference
    picture, punched = noise(3, SIZE), done(Post(tone_curve="punch"), Pictures(noise))
    assert float(punched.std()) > 1.1 * float(picture.std())
    assert float((punched.amax(0) - punched.amin(0)).mean()) > 1.1 * float(
        (picture.amax(0) - picture.amin(0)).mean()
    )


def test_half_a_curve_is_half_way() -> None:
    half, full = (done(Post(tone_curve="filmic", tone_amount=a), Pictures(noise)) for a in (0.5, 1.0))
    torch.testing.assert_close(half, 0.5 * (full + noise(3, SIZE)), atol=1e-6, rtol=0)


# Driven amounts --------------------------------------------------------------------------------------------


def preset(**post: object) -> Preset:
    base = load_preset("silk")
    return Preset.model_validate({**base.model_dump(), "post": post})


def test_signals_drive_amounts_within_their_range() -> None:
    timeline = quiet_timeline(4.0, loudness=np.repeat([0.2, 0.95], 200))
    given = preset(
        vignette={"base": 0.2, "energy": 2.0}, grain=0.1, balance={"slope": [{"base": 1, "energy": 1}, 1, 1]}
    )
    planned = with_amounts(NOTHING, given, timeline, RATE)
    energy = build_signals(timeline, given.control, frame_rate=RATE, seed=given.seed).curves["energy"]
    table = planned.tables["post"]
    names = planned.fixed["post"]
    assert set(names) == {"vignette", "balance.slope.0"}
    expected = np.clip(0.2 + 2.0 * energy, 0, 1)
    assert np.ptp(expected) > 0.3
    np.testing.assert_allclose(table[:, names.index("vignette")], expected, atol=1e-6)
    np.testing.assert_allclose(table[:, names.index("balance.slope.0")], 1 + energy, atol=1e-6)


def test_a_driven_amount_is_the_plain_one_at_every_moment(tmp_path: Path) -> None:
    table = np.array([[0.0, 0.01], [0.3, 0.02], [0.9, 0.03]], np.float32)
    planned = replace(NOTHING, fixed={"post": ["grain", "chroma_shift"]}, tables={"post": table})
    planned.save(tmp_path)
    driven = Post(grain={"energy": 1.0}, chroma_shift={"energy": 1.0})
    pictures = finished(Pictures(noise), driven, 7, RATE).frames(Trajectory.load(tmp_path), 0, 3, SIZE)
    for frame, picture in enumerate(pictures):
        grain, shift = (float(x) for x in table[frame])
        plain = Post(grain=grain, chroma_shift=shift)
        torch.testing.assert_close(picture, done(plain, Pictures(noise), frame=frame), atol=1e-6, rtol=0)


def test_plain_amounts_leave_the_trajectory_as_it_is() -> None:
    assert with_amounts(NOTHING, preset(grain=0.3), quiet_timeline(1.0), RATE) is NOTHING


def test_signals_that_are_not_there_and_amounts_out_of_range_are_refused(tmp_path: Path) -> None:
    for text, fault in (
        ("{grain: {base: 0.1, nonsense: 1}}", "post.grain is driven by 'nonsense'; known signals are"),
        ("{grain: 1.5}", "must be 0 to 1"),
        ("{balance: {power: [1, 1, 0]}}", "must be 0.1 to 4"),
        ("{balance: {slope: [1, 1]}}", "slope"),
        ("{trail_seconds: 3}", "2.5"),
    ):
        (tmp_path / "mine.yaml").write_text(f"summary: x\npost: {text}\n")
        with pytest.raises(ConfigError) as error:
            load_preset(str(tmp_path / "mine.yaml"))
        assert fault in str(error.value)


# Numeric paths ---------------------------------------------------------------------------------------------


def test_the_fused_kernel_gives_the_eager_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.cube").write_text("LUT_3D_SIZE 2\n" + "".join(
        f"{r} {0.2 + 0.6 * g} {b * b}\n" for b in (0, 1) for g in (0, 1) for r in (1, 0)
    ))  # fmt: skip
    (tmp_path / "mine.yaml").write_text(
        "summary: x\npost: {tone_curve: filmic, vignette: 0.3, grain: 0.3, chroma_shift: 0.01, lut: a.cube}\n"
    )
    post = load_preset(str(tmp_path / "mine.yaml")).post
    fuser = Fuser(tmp_path / "kernels")
    fused = finished(Pictures(noise), post, 7, RATE, fuser)
    path = fused.prepare(NOTHING, SIZE)
    assert path == f"eager-float32-cpu-post-{'fused' if fuser.reason is None else 'eager'}"
    for size in (SIZE, Size(66, 122)):
        torch.testing.assert_close(seen(fused, 3, size), done(post, Pictures(noise), size), atol=2e-6, rtol=0)
