"""Probes give known figures for clips whose figures are known."""

import pytest
import torch

from made_models import TINY_VAE, noise
from synesthete.config.diffusion import SamplingConfig
from synesthete.models.field import Canvas
from synesthete.models.vae import Vae
from synesthete.training.diffusion_probes import PROBE_MEANINGS, Probes
from synesthete.training.losses import chroma

LUMA = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
LOUD = torch.zeros(4, 6)


class Mirror(Vae):
    """Its latents are pictures."""

    def decode(self, latents: torch.Tensor, canvas: Canvas | None = None) -> torch.Tensor:
        return latents


@pytest.fixture
def probes() -> Probes:
    return Probes(SamplingConfig(), Mirror(TINY_VAE))


@pytest.fixture
def truth() -> torch.Tensor:
    """Give four clips of six frames, colourful, of changing brightness, within what is displayed."""
    frames = 0.5 + 0.05 * noise(4, 6, 3, 8, 8).clamp(-3, 3)
    return frames + 0.15 * torch.sin(noise(4, 6, seed=2))[..., None, None, None]


def measure(
    probes: Probes,
    truth: torch.Tensor,
    drawn: torch.Tensor,
    *,
    other: torch.Tensor | None = None,
    silence: torch.Tensor = LOUD,
) -> dict[str, float]:
    probes.add(truth.flatten(0, 1), drawn, drawn if other is None else other, silence)
    return {name: float(value) for name, value in probes.figures().items()}


def test_who_draws_the_truth_scores_all_there_is(probes: Probes, truth: torch.Tensor) -> None:
    found = measure(probes, truth, truth)
    assert found == pytest.approx(
        {
            "shuffle": 0.0, "brightness_r": 1.0, "course_r": 1.0, "contrast": 1.0, "saturation": 1.0,
            "motion": 1.0, "score": 2.0,
        },
        abs=1e-4,
    )  # fmt: skip
    assert set(found) < set(PROBE_MEANINGS)


def test_half_the_colour_is_half_the_saturation_and_nothing_else(probes: Probes, truth: torch.Tensor) -> None:
    grey = (truth * LUMA).sum(dim=2, keepdim=True)
    pale = grey + 0.5 * (truth - grey)
    assert torch.allclose(chroma(pale.flatten(0, 1)), 0.5 * chroma(truth.flatten(0, 1)), atol=1e-4)
    found = measure(probes, truth, pale)
    assert found["saturation"] == pytest.approx(0.5, abs=0.01)
    assert found["contrast"] == pytest.approx(1.0, abs=0.01)
    assert found["brightness_r"] == pytest.approx(1.0, abs=1e-3)
    assert found["score"] == pytest.approx(2.0 + torch.log(torch.tensor(0.5)).item(), abs=0.03)


def test_a_constant_brightness_answers_nothing(probes: Probes, truth: torch.Tensor) -> None:
    level = (truth * LUMA).sum(dim=2, keepdim=True).mean(dim=(3, 4), keepdim=True)
    found = measure(probes, truth, truth - level + 0.5)
    assert abs(found["brightness_r"]) < 0.1
    # What is right on average but not frame by frame: the mean of each clip.
    found = measure(probes, truth, truth - level + level.mean(dim=1, keepdim=True))
    assert abs(found["course_r"]) < 0.1
    assert found["brightness_r"] > 0.3


def test_the_opposite_is_as_far_away_as_can_be(probes: Probes, truth: torch.Tensor) -> None:
    found = measure(probes, truth, 1.0 - truth)
    assert found["brightness_r"] == found["course_r"] == pytest.approx(-1.0, abs=1e-4)


def test_shuffle_is_the_change_over_what_is_drawn(probes: Probes, truth: torch.Tensor) -> None:
    assert measure(probes, truth, truth, other=0.75 * truth)["shuffle"] == pytest.approx(0.25, abs=1e-4)


def test_motion_in_silence_is_told_apart(probes: Probes) -> None:
    steps = torch.arange(6.0)[:, None, None, None]
    clips = torch.stack([0.02 * steps, 0.02 * steps, 0.08 * steps, 0.08 * steps]).expand(-1, -1, 3, 8, 8)
    silence = torch.tensor([1.0, 1.0, 0.0, 0.0])[:, None].expand(-1, 6)
    found = measure(probes, 2.0 * clips, clips, silence=silence)
    assert found["silence_motion"] == pytest.approx(0.25, abs=1e-4)
    assert found["motion"] == pytest.approx(0.5, abs=1e-4)
    assert "silence_motion" not in measure(probes, clips, clips)


def test_batches_of_all_processes_count_once_and_are_forgotten(probes: Probes, truth: torch.Tensor) -> None:
    drawn, other = truth.flip(1), 0.5 * truth
    whole = measure(probes, truth, drawn, other=other)
    for half in (slice(0, 2), slice(2, 4)):
        probes.add(truth[half].flatten(0, 1), drawn[half], other[half], LOUD[half])
    parts = {name: float(value) for name, value in probes.figures().items()}
    assert parts == pytest.approx(whole, abs=1e-5)
    # Two processes that saw half of it each.
    probes.add(truth[:2].flatten(0, 1), drawn[:2], other[:2], LOUD[:2])
    twin = Probes(SamplingConfig(), Mirror(TINY_VAE))
    kept: list[torch.Tensor] = []
    twin.add(truth[2:].flatten(0, 1), drawn[2:], other[2:], LOUD[2:])
    twin.figures(lambda own: kept.append(own) or own)
    theirs = iter(kept)
    both = probes.figures(lambda own: torch.stack([own, next(theirs)]))
    assert {name: float(value) for name, value in both.items()} == pytest.approx(whole, abs=1e-5)
