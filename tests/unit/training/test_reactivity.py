import numpy as np
import pytest

from synesthete.training.reactivity import CAUSES, ClipDynamics, measure_reactivity

FRAMES = 20


def clips(count: int, *, follow: float, seed: int = 0, silent: bool = False) -> list[ClipDynamics]:
    """Make clips whose brightness follows their loudness with a share, and whose motion follows nothing."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        causes = np.cumsum(rng.standard_normal((FRAMES, len(CAUSES))), axis=0)
        noise = np.cumsum(rng.standard_normal((2, FRAMES)), axis=1)
        loudness = causes[:, 0] / causes[:, 0].std()
        effects = np.stack(
            [0.1 * (follow * loudness + (1 - follow) * noise[0] / noise[0].std()) + 0.5, 0.1 * noise[1] + 1],
            axis=1,
        )
        made.append(ClipDynamics(causes, np.full(FRAMES, float(silent), np.float32), effects))
    return made


def test_clips_that_follow_are_told_from_those_that_do_not() -> None:
    found = measure_reactivity(clips(60, follow=0.9))
    assert found["brightness"]["loudness_r"] > 0.95
    assert abs(found["brightness"]["shuffled_r"]) < 0.1
    assert found["brightness"]["explained"] > 0.95
    assert found["brightness"]["follows"] > 0.9
    assert found["motion"]["follows"] < 0.2
    assert found["motion"]["explained"] == pytest.approx(found["motion"]["shuffled_explained"], abs=0.1)


def test_by_chance_one_in_twenty_follows() -> None:
    follows = [
        measure_reactivity(clips(40, follow=0.0, seed=seed))["brightness"]["follows"] for seed in range(12)
    ]
    assert 0.02 < np.mean(follows) < 0.09


def test_what_silence_leaves_is_a_ratio_of_means() -> None:
    loud, quiet = clips(4, follow=0.5), clips(4, follow=0.5, seed=1, silent=True)
    low = [ClipDynamics(one.causes, one.silence, np.full((FRAMES, 2), 0.02)) for one in quiet]
    high = [ClipDynamics(one.causes, one.silence, np.full((FRAMES, 2), 0.2)) for one in loud]
    assert measure_reactivity(low + high)["silence"] == pytest.approx({"brightness": 0.1, "motion": 0.1})
    assert measure_reactivity(high)["silence"] == {"brightness": None, "motion": None}


def test_too_few_clips_say_nothing_on_chance() -> None:
    found = measure_reactivity(clips(10, follow=0.9))
    assert found["brightness"]["follows"] is None
    assert found["brightness"]["loudness_r"] > 0.9
    assert measure_reactivity(clips(1, follow=0.9))["brightness"]["clips"] == 0


def test_clips_at_rest_are_left_out() -> None:
    moving = clips(30, follow=0.9)
    still = [
        ClipDynamics(one.causes, one.silence, np.zeros((FRAMES, 2))) for one in clips(30, follow=0, seed=3)
    ]
    assert measure_reactivity(moving + still)["brightness"]["clips"] == 30
