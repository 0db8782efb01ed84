"""Wrong audio is as wrong as it says, and costs what it should."""

import numpy as np
import pytest
import torch

from made_models import noise
from synesthete.audio.around import silent_row
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.config.diffusion import NegativeKind
from synesthete.training.pressure import draw_kinds, hinge, most_different, wrong_rows

KINDS: tuple[NegativeKind, ...] = ("clip", "shift", "silence", "roll")


@pytest.fixture
def rows() -> torch.Tensor:
    """Give the rows of six clips: three pairs, whose songs are loud in other ways."""
    levels = torch.tensor([0.0, 0.1, 1.0, 1.1, 3.0, 3.1])
    return 0.2 * noise(6, 10, 4) + levels[:, None, None]


def test_the_most_different_clip_is_none_that_differs_less(rows: torch.Tensor) -> None:
    apart = [
        [
            float((one - other).square().mean().sqrt())
            + float((one.mean(dim=0) - other.mean(dim=0)).square().mean().sqrt())
            for other in rows
        ]
        for one in rows
    ]
    assert most_different(rows).tolist() == np.argmax(apart, axis=1).tolist()
    # Clips of the quiet songs are farthest from the loudest one, and the other way.
    assert most_different(rows).tolist()[4:] == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_audio_is_of_its_kind(rows: torch.Tensor, kind: NegativeKind) -> None:
    silence = torch.tensor([0.0, 0.0, 1.0, 0.0])
    clips = [0, 3, 5]
    found = wrong_rows(rows, rows, silence, clips, [kind] * 3)
    wanted = {
        "clip": rows[most_different(rows)[clips]],
        "shift": rows[[1, 2, 4]],
        "silence": silence.expand(3, 10, 4),
        "roll": rows[[2, 5, 1]],
    }[kind]
    assert torch.equal(found, wanted)
    assert not any(torch.equal(wrong, rows[clip]) for wrong, clip in zip(found, clips, strict=True))


def test_kinds_may_be_mixed(rows: torch.Tensor) -> None:
    silence = torch.zeros(4)
    found = wrong_rows(rows, rows, silence, [4, 1], ["silence", "shift"])
    assert torch.equal(found, torch.stack([silence.expand(10, 4), rows[0]]))


def test_kinds_are_drawn_by_their_weights() -> None:
    weights: dict[NegativeKind, float] = {"silence": 3.0, "clip": 1.0}
    drawn = draw_kinds(weights, 4000, np.random.default_rng(0))
    assert set(drawn) == {"clip", "silence"}
    # Four standard deviations of a share.
    assert drawn.count("silence") / 4000 == pytest.approx(0.75, abs=4 * (0.75 * 0.25 / 4000) ** 0.5)
    assert drawn == draw_kinds(dict(reversed(weights.items())), 4000, np.random.default_rng(0))


def test_silence_is_what_the_timeline_calls_so() -> None:
    row = silent_row()
    assert row.shape == (len(COLUMN_NAMES),)
    assert torch.isfinite(row).all()
    assert row[COLUMN_NAMES.index("silence")] == 1
    assert row[COLUMN_NAMES.index("loudness")] == 0
    assert row[COLUMN_NAMES.index("onset")] == 0


# The hinge ------------------------------------------------------------------------------------------------

GOOD, TIME = torch.tensor([0.3, 0.5]), torch.tensor([0.0, 0.5])


def test_wrong_audio_that_loses_enough_costs_nothing() -> None:
    for space in ("velocity", "data", "both"):
        assert hinge(GOOD, GOOD + 0.11, TIME, margin=0.1, space=space) == 0


def test_the_hinge_is_what_is_missing_to_the_margin() -> None:
    bad = torch.tensor([0.35, 0.4])
    missing = 0.1 + GOOD - bad  # 0.05 and 0.2
    velocity = hinge(GOOD, bad, TIME, margin=0.1, space="velocity")
    assert velocity == pytest.approx(float(missing.mean()))
    # Data lie half a velocity ahead at half time: a quarter of the square.
    data = hinge(GOOD, bad, TIME, margin=0.1, space="data")
    assert data == pytest.approx((0.05 + 0.2 / 4) / 2)
    assert hinge(GOOD, bad, TIME, margin=0.1, space="both") == pytest.approx(float(velocity + data) / 2)


def test_the_hinge_raises_what_is_bad_and_lowers_what_is_good() -> None:
    good, bad = GOOD.clone().requires_grad_(), (GOOD + torch.tensor([0.05, 0.5])).requires_grad_()
    hinge(good, bad, TIME, margin=0.1, space="data").backward()
    assert good.grad is not None
    assert bad.grad is not None
    assert good.grad.tolist() == pytest.approx([0.5, 0.0])
    assert bad.grad.tolist() == pytest.approx([-0.5, 0.0])
