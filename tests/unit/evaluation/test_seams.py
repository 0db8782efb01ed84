"""Planted seams are found, of either kind; where there are none, some are seen as often as by chance."""

import numpy as np
import pytest

from synesthete.errors import InputError
from synesthete.evaluation.seams import border_gaps, find_seams

BLOCK = 64


def played(seed: int, *, blocks: int = 24, beat: int = 8) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Give changes that rise with beats, and with a noise that lasts for frames; what is heard; borders."""
    draws = np.random.default_rng(seed)
    frames = blocks * BLOCK
    heard = np.stack([np.exp(-(np.arange(frames) % beat) / 2), draws.uniform(0.3, 0.9, frames)], axis=1)
    noise = draws.standard_normal(frames)
    for frame in range(1, frames):
        noise[frame] = 0.6 * noise[frame - 1] + 0.8 * noise[frame]
    part = 0.5 * np.sin(np.arange(frames) / 300)  # louder and quieter parts
    changes = 0.01 * np.exp(1.5 * heard[:, 0] + part + 0.3 * noise)
    return changes, heard, list(range(BLOCK, frames, BLOCK))


@pytest.mark.parametrize("factor", [1.5, 0.67])
def test_a_planted_seam_is_found(factor: float) -> None:
    changes, heard, borders = played(1)
    changes[borders] *= factor
    found = find_seams(changes, borders, heard)
    assert found.borders == len(borders) == 23
    assert found.p < 0.01
    assert (found.rank > 0.5) == (factor > 1)
    assert found.jump == pytest.approx(factor, rel=0.2)


def test_no_seam_is_seen_where_there_is_none() -> None:
    """Of films without seams as many fall under a level as it says, with beats in step with blocks."""
    found = [find_seams(*_arranged(seed)).p for seed in range(160)]
    for level, most in ((0.05, 0.1), (0.2, 0.3)):
        # The bounds are 2.9 and 3.2 standard deviations of a share of 160 away.
        assert np.mean(np.array(found) < level) < most
    assert 0.35 < np.mean(found) < 0.65


def test_music_in_step_with_the_blocks_would_pass_for_seams() -> None:
    changes, heard, borders = played(2)
    assert find_seams(changes, borders, heard).p > 0.01
    assert find_seams(changes, borders, np.zeros_like(heard)).p < 0.01


def test_a_few_seams_on_top_of_a_moving_film_are_measured_at_their_size() -> None:
    changes, heard, borders = played(3, blocks=70)
    changes[borders] *= 1.25
    found = find_seams(changes, borders, heard)
    assert found.p < 0.01
    assert found.jump == pytest.approx(1.25, rel=0.15)


def test_a_still_film_and_one_without_borders_are_refused() -> None:
    changes, heard, borders = played(4, blocks=3)
    with pytest.raises(InputError, match="hardly ever changes"):
        find_seams(np.zeros_like(changes), borders, heard)
    with pytest.raises(InputError, match="no borders to look at"):
        find_seams(changes, [], heard)
    with pytest.raises(InputError, match="no borders to look at"):
        find_seams(changes, [len(changes)], heard)


def test_gaps_are_told_near_borders_and_elsewhere() -> None:
    whole = np.random.default_rng(0).standard_normal((256, 4, 2, 3)).astype(np.float32)
    pieces = whole.copy()
    for border in (64, 128, 192):
        pieces[border - 2 : border + 2] *= 1.2
    pieces *= 1.01
    found = border_gaps(pieces, whole, [64, 128, 192])
    assert found.near == pytest.approx((0.5 * (0.212**2 + 0.01**2)) ** 0.5, rel=0.1)
    assert found.elsewhere == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(InputError, match="on both sides of borders"):
        border_gaps(pieces, whole, [])


def _arranged(seed: int) -> tuple[np.ndarray, list[int], np.ndarray]:
    changes, heard, borders = played(seed)
    return changes, borders, heard
