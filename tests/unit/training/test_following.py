"""Figures of drawn clips: what they say of clips whose answer is known."""

from typing import Any

import numpy as np
import pytest
import torch

from synesthete.training.diffusion_styles import constancy, nearest, smoothness
from synesthete.training.following import BANDS, Bands, Following, Pair, over


def clip(*levels: float, side: int = 12) -> torch.Tensor:
    """Give a clip of flat frames."""
    return torch.tensor(levels)[:, None, None, None].expand(-1, 3, side, side).clone()


def follow(own: Pair, other: Pair, silence: Pair | None = None, quiet: list[float] | None = None) -> Any:
    following = Following()
    pairs = {"own": own, "other": other} | ({} if silence is None else {"silence": silence})
    following.add(pairs, torch.tensor(quiet or [0.0] * len(own.true)))
    return following.figures()


def test_a_model_that_draws_what_the_teacher_draws_is_as_good() -> None:
    own, other, rest = clip(0.2, 0.6, 0.4), clip(0.4, 0.2, 0.6), clip(0.1, 0.1, 0.1)
    figures = follow(Pair(own, own), Pair(other, other), Pair(rest, rest))
    assert figures["shuffle"]["teacher"] == pytest.approx((0.2 + 0.4 + 0.2) / 1.2)
    assert figures["shuffle"]["of_teacher"] == pytest.approx(1.0)
    assert figures["brightness"]["r"] == pytest.approx(1.0)
    assert figures["look"]["motion"] == pytest.approx(1.0)
    assert figures["silence"] == {"teacher": 0.0, "model": 0.0}


def test_a_deaf_model_is_told_from_one_that_listens() -> None:
    own, other = clip(0.2, 0.6, 0.4), clip(0.4, 0.2, 0.6)
    deaf = clip(0.5, 0.3, 0.4)
    figures = follow(Pair(own, deaf), Pair(other, deaf), Pair(clip(0.1, 0.1, 0.1), deaf))
    assert figures["shuffle"]["model"] == figures["shuffle"]["of_teacher"] == 0.0
    assert figures["brightness"]["within_r"] < 0
    assert figures["silence"]["model"] == pytest.approx(1.0)


def test_motion_is_compared_with_loud_music_only() -> None:
    own = clip(0.0, 0.5, 0.5)
    figures = follow(Pair(own, own), Pair(own, own), Pair(own, own), quiet=[0.0, 0.0, 1.0])
    # Loud is the first step alone, of 0.5; in silence both count, 0.25 on average.
    assert figures["silence"]["teacher"] == pytest.approx(0.5)


def test_what_can_not_be_told_is_none() -> None:
    black = clip(0.0, 0.0, 0.0)
    figures = follow(Pair(black, black), Pair(black, black), quiet=[1.0, 1.0, 1.0])
    assert figures["shuffle"]["of_teacher"] is None
    assert figures["silence"] == {"teacher": None, "model": None}
    assert over(1.0, 0.0) is None
    assert over(None, 1.0) is None


def lit(*columns: int) -> torch.Tensor:
    picture = torch.zeros(2, 3, 12, 12)
    picture[..., list(columns)] = 1.0
    return picture


def test_a_band_is_found_where_it_is_drawn() -> None:
    bands = Bands()
    whole = lit(1, 6, 10)
    without = {"low": lit(6, 10), "middle": lit(1, 10), "high": lit(1, 6)}
    swapped = {"low": without["high"], "middle": without["middle"], "high": without["low"]}
    pairs = {"own": Pair(whole, whole)}
    bands.add("bands", pairs | {name: Pair(without[name], swapped[name]) for name in BANDS})
    figures = bands.figures()
    assert figures["places"]["low"] == {"teacher": 1.0, "model": 0.0}
    assert figures["places"]["middle"] == {"teacher": 1.0, "model": 1.0}
    assert figures["programs"]["bands"]["low"]["agrees"] == pytest.approx(0.0)
    assert figures["programs"]["bands"]["middle"]["agrees"] == pytest.approx(1.0)
    assert figures["agrees"] == pytest.approx(1 / 3)


def test_bands_that_a_program_does_not_hear_are_left_out_of_what_agrees() -> None:
    bands = Bands()
    whole, less = lit(1, 6), lit(6)
    pairs = {"own": Pair(whole, whole), "low": Pair(less, less)}
    bands.add("bass", pairs | {name: Pair(whole, less) for name in ("middle", "high")})
    figures = bands.figures()
    assert figures["programs"]["bass"]["middle"]["agrees"] is None
    assert figures["agrees"] == pytest.approx(1.0)
    assert figures["places"] == {}


def looks(values: list[float]) -> np.ndarray:
    """Give descriptions that differ in lightness only, of two moments."""
    found = np.zeros((len(values), 2, 8, 8, 3), np.float32)
    found[..., 0] = np.array(values)[:, None, None, None]
    return found


def test_constancy_is_1_where_styles_stay_and_a_half_where_the_song_decides() -> None:
    styles = [0.1, 0.3, 0.5, 0.9]
    assert constancy(looks(styles), looks([value + 0.05 for value in styles])) == 1.0
    draws = np.random.default_rng(0)
    one, other = draws.random(60).tolist(), draws.random(60).tolist()
    assert constancy(looks(one), looks(other)) == pytest.approx(0.5, abs=0.1)


def test_a_straight_path_is_monotone_and_even() -> None:
    found = smoothness([looks([0.0, 0.1, 0.2, 0.3])])
    assert found == {
        "monotone": 1.0, "jump": pytest.approx(1.0, rel=1e-4), "path": pytest.approx(1.0, rel=1e-4),
    }  # fmt: skip
    found = smoothness([looks([0.0, 0.3, 0.1, 0.2])])
    assert found["monotone"] == pytest.approx(2 / 3)
    assert found["jump"] == pytest.approx(0.3 / 0.2, rel=1e-4)
    assert found["path"] == pytest.approx(3.0, rel=1e-4)


def test_copies_lie_nearer_to_training_than_new_programs() -> None:
    trained = looks([0.1, 0.5, 0.9])[:, 0]
    new = looks([0.2, 0.6, 0.8])[:, 0]
    found = nearest(trained[:2], new, trained)
    assert found["references"] == 3
    assert found["ratio"] == pytest.approx(0.0)
    assert found["held_out"] == pytest.approx(0.1, rel=1e-4)
    assert nearest(new, new, trained)["ratio"] == pytest.approx(1.0)
