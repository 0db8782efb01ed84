"""Clips from the middle of a film, and crops of their frames."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from made_programs import heard_at, signals_at
from synesthete.programs.clips import ClipPainter, Crop, draw_clips
from synesthete.programs.program import Program

RINGS = {
    "node": "palette",
    "of": {"node": "rings", "count": {"base": 2.0, "energy": 2.0}, "phase": {"flow": 3.0}},
}
TRAILS = {
    "node": "glow",
    "amount": 0.5,
    "of": {
        "node": "feedback",
        "decay": 0.5,
        "zoom": {"base": 0.3, "body": 0.5},
        "turn": 0.1,
        "flow": 0.2,
        "of": {"node": "glow", "of": RINGS},
    },
}
RELIEF = {"node": "relief", "of": RINGS, "height": {"node": "plasma", "size": 0.5}}
SCOPE = {"node": "palette", "of": {"node": "spectrum_ring"}}


def program(root: dict[str, object]) -> Program:
    return Program.from_json({"version": 1, "root": root})


def given(frames: range, rate: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give signals and tables of some frames of a film."""
    moments = [frame / rate for frame in frames]
    signals = {name: torch.stack([signals_at(t)[name] for t in moments])[None] for name in signals_at()}
    heard = [heard_at(t) for t in moments]
    return signals, {name: torch.stack([tables[name] for tables in heard])[None] for name in heard[0]}


def clip(
    root: dict[str, object], frames: range, rate: int, before: int = 0, share: float = 1.0, every: int = 1
) -> Tensor:
    return draw_clips(
        [program(root)],
        *given(frames, rate),
        size=(48, 32),
        frame_rate=Fraction(rate),
        before=before,
        first_frame=frames.start,
        map_share=share,
        trail_ticks=every,
    )[0]


@pytest.mark.parametrize("rate", [15, 30, 24])
def test_a_clip_from_the_middle_is_that_part_of_the_film(rate: int) -> None:
    first = 4 * rate + 1
    film = clip(TRAILS, range(first + 3), rate, share=0.3)

    middle = clip(TRAILS, range(first - 3 * rate, first + 3), rate, before=3 * rate, share=0.3)

    assert middle.shape[0] == 3
    torch.testing.assert_close(middle, film[first:], atol=1e-6, rtol=0)


def test_a_short_warm_up_is_close_and_none_is_not() -> None:
    first = 130
    film = clip(TRAILS, range(first + 1), 30, share=0.3)[first]

    def off(before: int) -> float:
        drawn = clip(TRAILS, range(first - before, first + 1), 30, before=before, share=0.3)
        return float((drawn[0] - film).abs().mean())

    assert off(45) < 0.25 * off(0)
    assert off(0) > 0.005


def test_small_pictures_of_half_the_detail_are_far_nearer_to_the_full_ones_than_none() -> None:
    full, half = (clip(TRAILS, range(20), 15, share=share) for share in (1.0, 0.5))
    none = clip(RINGS, range(20), 15)

    assert 0 < float((full - half).abs().mean()) < 0.3 * float((full - none).abs().mean())


def test_trails_of_every_other_tick_are_far_nearer_to_the_full_ones_than_none() -> None:
    full, sparse = (clip(TRAILS, range(20), 15, every=every) for every in (1, 2))
    none = clip(RINGS, range(20), 15)

    assert 0 < float((full - sparse).abs().mean()) < 0.3 * float((full - none).abs().mean())


@pytest.mark.parametrize("root", [RINGS, TRAILS, RELIEF, SCOPE])
@pytest.mark.parametrize("fine", [1, 2])
def test_a_crop_is_what_the_whole_picture_has_there(root: dict[str, object], fine: int) -> None:
    painter = ClipPainter(
        [program(root)], *given(range(30, 36), 15), shape=(48, 32), frame_rate=Fraction(15), before=3,
        first_frame=30, map_share=0.5,
    )  # fmt: skip
    whole = painter.frames((150, 100), fine=fine)[0]
    for frame, (left, top, width, height) in (
        (0, (37, 21, 33, 32)),
        (2, (0, 68, 40, 32)),
        (1, (110, 0, 40, 7)),
    ):
        cut = painter.crop(0, frame, Crop((150, 100), left, top, width, height), fine=fine)

        there = whole[frame, :, top : top + height, left : left + width]
        torch.testing.assert_close(cut, there, atol=1e-6, rtol=0)


def test_what_is_painted_can_be_trained_upon() -> None:
    painter = ClipPainter([program(TRAILS)], *given(range(8), 30), shape=(48, 32))
    gain = torch.ones((), requires_grad=True)
    (painter.frames((48, 32)) * gain).sum().backward()
    (painter.crop(0, 3, Crop((96, 64), 8, 4, 32, 32)) * gain).sum().backward()
    assert gain.grad is not None
    assert float(gain.grad) > 0


def test_a_program_that_painted_clips_still_moves_as_before() -> None:
    read, signals = program(TRAILS), {name: curve[0] for name, curve in given(range(8), 30)[0].items()}
    ClipPainter([read], *given(range(8), 30), shape=(48, 32)).frames((48, 32))
    vectors = read.vectors(signals)
    vectors += 1.0
    assert torch.equal(read.vectors(signals), program(TRAILS).vectors(signals))
