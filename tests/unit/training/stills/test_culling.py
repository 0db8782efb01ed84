import numpy as np
import pytest

from synesthete.training.stills.culling import find_worst, measure_still, thumbnail_of

SIDE = 96


def good(seed: int) -> np.ndarray:
    """Draw a soft light in a colour on black."""
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    at = draws.uniform(0.25, 0.75, 2)
    light = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / draws.uniform(0.02, 0.08))
    return (light[:, :, None] * draws.uniform(60, 230, 3)).astype(np.uint8)


def worst(pictures: list[np.ndarray], share: float) -> dict[int, str]:
    looks = np.concatenate([thumbnail_of(picture) for picture in pictures])
    found = find_worst([measure_still(picture) for picture in pictures], looks, share=share)
    return {place: fault.reason for place, fault in found.items()}


BAD = {
    "too dark": (0.02 * good(40)).astype(np.uint8),
    "burnt out": np.clip(good(50).astype(int) * 40, 0, 255).astype(np.uint8),
    "too flat": np.full((SIDE, SIDE, 3), 120, np.uint8),
    "too noisy": np.random.default_rng(0).integers(0, 200, (SIDE, SIDE, 3)).astype(np.uint8),
    "near-duplicate": good(2),
}


@pytest.mark.parametrize("reason", sorted(BAD))
def test_the_bad_one_is_found_and_named(reason: str) -> None:
    pictures = [good(seed) for seed in range(6)]
    pictures.insert(4, BAD[reason])
    assert worst(pictures, 1 / 7) == {4: reason}


def test_as_many_are_found_as_asked() -> None:
    pictures = [good(seed) for seed in range(10)]
    assert [len(worst(pictures, share)) for share in (0.0, 0.1, 0.3)] == [0, 1, 3]
    assert set(worst(pictures, 0.1)) <= set(worst(pictures, 0.3))


def test_of_two_alike_the_later_one_goes() -> None:
    pictures = [good(1), good(2), good(3), good(1)]
    assert worst(pictures, 0.25) == {3: "near-duplicate"}


def test_what_is_alike_is_found_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synesthete.training.stills.culling._ROWS", 3)
    pictures = [good(seed) for seed in (1, 2, 3, 4, 5, 6, 7, 1)]
    assert worst(pictures, 1 / 8) == {7: "near-duplicate"}


def test_measures_of_plain_pictures() -> None:
    flat = measure_still(np.full((SIDE, SIDE, 3), 51, np.uint8))
    assert flat == pytest.approx((0.2, 0.0, 0.0, 0.0, 0.0), abs=1e-4)
    red = measure_still(np.broadcast_to(np.array([255, 0, 0], np.uint8), (SIDE, SIDE, 3)))
    assert red == pytest.approx((0.2126, 0.0, 1.0, 1.0, 0.0), abs=1e-4)
    noise = measure_still(BAD["too noisy"])
    assert noise.roughness > 0.9
    assert measure_still(good(0)).roughness < 0.02
