"""The transformer: no clip is too long for it, time is relative, and frames beyond its window don't count."""

import pytest
import torch

from made_models import noise, stirred
from synesthete.models.dit import Dit, rotation

WINDOW = 2


def tiny(*, blocks: int = 2, window: int = WINDOW) -> Dit:
    dit = stirred(Dit(4, width=64, blocks=blocks, condition=16, style=3, window=window))
    assert isinstance(dit, Dit)
    return dit


def style(clips: int) -> torch.Tensor:
    """Give one style for each clip."""
    return noise(1, 1, 3, 1, 1, seed=9).expand(clips, -1, -1, -1, -1)


def ask(dit: Dit, latents: torch.Tensor, *, spacing: float = 1.0, seed: int = 5) -> torch.Tensor:
    """Ask for velocities under some conditions."""
    clips, frames = latents.shape[:2]
    time = torch.linspace(0.2, 0.7, clips)
    return dit(latents, time, noise(clips, frames, 16, seed=seed), style(clips), spacing=spacing)


def test_it_begins_as_nothing() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        dit = Dit(4, width=64, blocks=2, condition=16, style=3, window=WINDOW)
    assert ask(dit, noise(2, 3, 4, 4, 4)).abs().max() == 0


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (2, 5, 6, 11), (1, 12, 11, 6)])
def test_any_length_and_any_shape_is_drawn(shape: tuple[int, int, int, int]) -> None:
    clips, frames, high, wide = shape
    latents = noise(clips, frames, 4, high, wide)
    found = ask(tiny(), latents)
    assert found.shape == latents.shape
    assert found.std() > 0.1


@pytest.mark.parametrize(("spacing", "near"), [(1.0, 2), (0.5, 4)])
def test_frames_beyond_the_window_do_not_count(spacing: float, near: int) -> None:
    dit, frame = tiny(), 6
    latents = noise(1, 13, 4, 2, 2).requires_grad_()
    condition = noise(1, 13, 16).requires_grad_()
    dit(latents, torch.tensor([0.4]), condition, style(1), spacing=spacing)[
        0, frame
    ].square().sum().backward()
    for given in (latents, condition):
        assert given.grad is not None
        counts = given.grad[0].flatten(1).abs().sum(dim=1) > 0
        assert counts.nonzero().flatten().tolist() == list(range(frame - near, frame + near + 1))


def test_a_clip_that_begins_later_is_the_same_clip() -> None:
    dit, latents, condition = tiny(), noise(1, 9, 4, 3, 3), noise(1, 9, 16)
    time = torch.tensor([0.4])
    whole = dit(latents, time, condition, style(len(condition)))
    part = dit(latents[:, 3:], time, condition[:, 3:], style(1))
    # Its first frames miss what was before them.
    assert torch.allclose(part[:, WINDOW:], whole[:, 3 + WINDOW :], atol=1e-4)
    assert not torch.allclose(part[:, 0], whole[:, 3], atol=1e-3)


def test_rotations_know_only_how_far_positions_are_apart() -> None:
    one, other = noise(2, 64).chunk(2)

    def product(place: float, away: float) -> float:
        turned = []
        for vector, position in ((one, place), (other, place + away)):
            (cosine,), (sine,) = rotation(torch.tensor([position]), 64)
            first, second = vector[0].chunk(2)
            turned.append(torch.cat([first * cosine - second * sine, first * sine + second * cosine]))
        return float(turned[0] @ turned[1])

    assert product(0.0, 2.5) == pytest.approx(product(40.0, 2.5), abs=1e-3)
    assert abs(product(0.0, 2.5) - product(0.0, 1.0)) > 0.1


def test_frames_half_as_far_apart_are_seen_as_such() -> None:
    dit, latents = tiny(window=7), noise(1, 3, 4, 2, 2)
    assert not torch.allclose(ask(dit, latents), ask(dit, latents, spacing=0.5), atol=1e-3)
    alone = latents[:, :1]  # has nothing to be near to
    assert torch.allclose(ask(dit, alone), ask(dit, alone, spacing=0.5), atol=1e-6)


def test_places_are_where_they_are_whatever_the_shape_of_the_picture() -> None:
    dit = tiny(blocks=0)
    wide = noise(1, 1, 4, 4, 8)
    tall = wide.transpose(3, 4)
    condition, time = noise(1, 1, 16), torch.tensor([0.5])
    found = dit(wide, time, condition, style(len(condition)))
    # The short side goes from -1 to 1 in all: the middle of a wide picture is a square one.
    assert torch.allclose(
        found[..., 2:6], dit(wide[..., 2:6], time, condition, style(len(condition))), atol=1e-5
    )
    assert not torch.allclose(
        found[..., :4], dit(wide[..., :4], time, condition, style(len(condition))), atol=1e-3
    )
    assert torch.allclose(
        dit(tall, time, condition, style(len(condition)))[..., 2:6, :],
        dit(tall[..., 2:6, :], time, condition, style(len(condition))),
        atol=1e-5,
    )


def test_plain_products_attend_as_torch_does(monkeypatch: pytest.MonkeyPatch) -> None:
    dit, latents = tiny(window=7), noise(2, 5, 4, 4, 4)
    plain = ask(dit, latents)
    monkeypatch.setattr("synesthete.models.dit._SHORT", 0)
    assert torch.allclose(ask(dit, latents), plain, atol=1e-4)


def test_a_clip_does_not_know_what_else_is_in_its_batch() -> None:
    dit, latents, condition = tiny(), noise(3, 4, 4, 3, 3), noise(3, 4, 16)
    time = torch.tensor([0.1, 0.5, 0.9])
    together = dit(latents, time, condition, style(len(condition)))
    for clip in range(3):
        one = slice(clip, clip + 1)
        assert torch.allclose(
            dit(latents[one], time[one], condition[one], style(1))[0], together[clip], atol=1e-4
        )


def test_one_condition_may_serve_all_frames() -> None:
    dit, latents, condition = tiny(), noise(2, 4, 4, 3, 3), noise(2, 1, 16)
    time = torch.tensor([0.1, 0.5])
    once = dit(latents, time, condition, style(2))
    assert torch.allclose(once, dit(latents, time, condition.expand(-1, 4, -1), style(2)), atol=1e-5)
    assert torch.allclose(once, dit(latents, time, condition, style(2).expand(-1, 4, -1, -1, -1)), atol=1e-5)
