"""Further losses: rest in silence, looks of rough pictures, and which frame belongs to what is heard."""

import math

import pytest
import torch

from made_models import noise, tiny_vae
from synesthete.training.auxiliary import Matcher, looks, rough_pictures, silence_loss, statistics_loss


def test_only_motion_beyond_the_truth_s_counts_and_only_in_silence() -> None:
    still, moving = torch.zeros(2, 5, 4, 2, 2), torch.zeros(2, 5, 4, 2, 2)
    moving[:, 2] = 1.0  # there and back: two steps of motion 1
    silent = torch.ones(2, 5)
    assert silence_loss(moving, still, silent) == pytest.approx(2 / 4)
    assert silence_loss(moving, still, torch.zeros(2, 5)) == 0
    assert silence_loss(still, moving, silent) == 0
    assert silence_loss(moving, moving, silent) == 0
    # A step counts if both of its frames are silent: only the second clip's one into the moved frame is.
    some = torch.tensor([[1.0, 1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0, 1.0]])
    assert silence_loss(moving, still, some) == pytest.approx(1 / 8)
    assert silence_loss(moving, 0.5 * moving, silent) == pytest.approx(0.75 * 2 / 4)


def test_looks_are_brightness_contrast_and_saturation() -> None:
    pictures = torch.zeros(3, 3, 8, 8)
    pictures[0] = 0.5
    pictures[1, :, :4] = 1.0
    pictures[2, 0] = 1.0
    found = looks(pictures)
    assert found[0].tolist() == pytest.approx([0.5, 0.0, 0.0], abs=2e-4)
    assert found[1].tolist() == pytest.approx([0.5, 0.5, 0.0], abs=2e-4)
    assert found[2].tolist() == pytest.approx([0.299, 0.0, math.hypot(0.168736, 0.5)], abs=2e-4)


def test_a_rough_picture_is_the_picture_at_half_its_size_and_without_detail() -> None:
    vae = tiny_vae()
    coarse = torch.rand(4, 3, 3, 3, generator=torch.Generator().manual_seed(8))
    pictures = torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic").clamp(0, 1)
    latents = vae.encode(pictures).mean
    rough = rough_pictures(vae.decoder, latents)
    assert rough.shape == (4, 3, 32, 32)
    halves = torch.nn.functional.avg_pool2d(vae.decode(latents), 2)
    assert (rough - halves).abs().mean() < 0.02
    assert (looks(rough) - looks(halves))[:, :2].abs().max() < 0.05


def test_statistics_count_by_the_weight_of_their_frames() -> None:
    vae = tiny_vae()
    truth = noise(3, 4, 4, 4)
    drawn = truth.clone()
    drawn[1] = 2.0 * truth[1]
    assert statistics_loss(vae.decoder, truth, truth, torch.ones(3)) == 0
    assert statistics_loss(vae.decoder, drawn, truth, torch.tensor([1.0, 0.0, 1.0])) == 0
    once = statistics_loss(vae.decoder, drawn, truth, torch.tensor([0.0, 1.0, 0.0]))
    assert once > 0.01
    assert statistics_loss(vae.decoder, drawn, truth, torch.tensor([0.0, 2.0, 0.0])) == pytest.approx(
        2 * float(once)
    )


def losses_of(*, shuffled: bool) -> list[float]:
    """Train a matcher on pairs that change at every step, and give its losses."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        matcher = Matcher(4, 6, width=32)
        maps = torch.randn(4, 6)
    draws = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(matcher.parameters(), lr=1e-2)
    found = []
    for _ in range(80):
        heard = torch.randn(2, 8, 6, generator=draws)
        latents = (heard @ maps.T)[..., None, None] + 0.1 * torch.randn(2, 8, 4, 2, 2, generator=draws)
        if shuffled:
            heard = heard.flatten(0, 1)[torch.randperm(16, generator=draws)].view(2, 8, 6)
        loss = matcher(latents, heard)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        found.append(float(loss.detach()))
    return found


def test_a_matcher_learns_what_belongs_together_and_nothing_where_nothing_does() -> None:
    chance = math.log(16)
    together, shuffled = losses_of(shuffled=False), losses_of(shuffled=True)
    assert together[0] > 0.7 * chance
    assert sum(together[-10:]) / 10 < 0.35 * chance
    assert sum(shuffled[-10:]) / 10 > 0.95 * chance
