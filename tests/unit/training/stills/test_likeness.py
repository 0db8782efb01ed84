"""Fréchet's distance against what it is for normal distributions, and of pictures."""

import pytest
import torch

from made_models import noise, tiny_vae
from synesthete.training.stills.likeness import features_of, frechet_distance, variety


def test_a_set_is_at_no_distance_from_itself() -> None:
    features = noise(40, 5)
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-9)
    assert variety(features, features) == pytest.approx(1.0)


def test_means_apart_and_spreads_apart_add_up() -> None:
    features = noise(50, 4)
    moved = features + torch.tensor([3.0, 0.0, 0.0, 4.0])
    assert frechet_distance(moved, features) == pytest.approx(25.0, rel=1e-4)
    wider = (features - features.mean(dim=0)) * 3.0 + features.mean(dim=0)
    spread = float(features.double().var(dim=0).sum())
    assert frechet_distance(wider, features) == pytest.approx(4.0 * spread, rel=1e-4)
    assert variety(wider, features) == pytest.approx(9.0, rel=1e-4)


def test_features_say_what_there_is_and_not_where() -> None:
    vae = tiny_vae()
    coarse = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    pictures = torch.nn.functional.interpolate(coarse, (128, 128))
    found = features_of(vae, pictures)
    assert found.shape == (2, 8)
    rolled = features_of(vae, pictures.roll((16, 48), dims=(2, 3)))
    assert (found - rolled).abs().max() < 0.25 * (found[0] - found[1]).abs().max()
    double = torch.nn.functional.interpolate(pictures, (256, 256))
    assert (features_of(vae, double) - found).abs().max() < 0.25 * (found[0] - found[1]).abs().max()
