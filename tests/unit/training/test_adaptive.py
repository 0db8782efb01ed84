"""Changes that a discriminator sees: as often as is asked for, differentiable, adapted to what it knows."""

import pytest
import torch

from synesthete.config.gan import AdaptiveConfig
from synesthete.training.adaptive import Adaptation, changed, draw_changes


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 4) -> torch.Tensor:
    coarse = torch.rand(count, 3, 4, 4, generator=source(9))
    return torch.nn.functional.interpolate(coarse, (24, 24), mode="bicubic").clamp(0, 1)


def test_with_no_probability_nothing_changes() -> None:
    true = pictures()
    assert torch.allclose(changed(true, draw_changes(4, 0.0, source())), true, atol=1e-5)


def test_more_probability_changes_more_pictures_and_the_same_ones() -> None:
    true = pictures(1).expand(64, -1, -1, -1)
    shares, before = [], torch.zeros(64, dtype=torch.bool)
    for probability in (0.02, 0.1, 0.5):
        found = changed(true, draw_changes(64, probability, source(1)))
        different = (found - true).abs().amax(dim=(1, 2, 3)) > 1e-3
        assert bool(different[before].all())
        before = different
        shares.append(float(different.float().mean()))
    assert 0.0 < shares[0] < shares[1] < shares[2]
    assert torch.equal(found, changed(true, draw_changes(64, 0.5, source(1))))


def test_what_is_changed_has_slopes() -> None:
    asked = pictures().requires_grad_()
    changed(asked, draw_changes(4, 1.0, source(2))).sum().backward()
    assert asked.grad is not None
    assert asked.grad.abs().sum() > 0


def test_a_picture_of_grey_stays_grey_but_for_its_value() -> None:
    grey = torch.full((32, 3, 8, 8), 0.5)
    found = changed(grey, draw_changes(32, 1.0, source(3)))
    assert (found.amax(dim=1) - found.amin(dim=1)).max() < 1e-5


def test_probability_rises_while_true_pictures_are_known_by_heart() -> None:
    config = AdaptiveConfig(target=0.5, ramp_pictures=160, start=0.2, least=0.1, most=0.6)
    adaptation = Adaptation(config)
    found = []
    for _ in range(12):
        adaptation.learn(1.0, pictures=4)
        found.append(round(adaptation.probability, 6))
    assert found == [0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3, 0.4, 0.4, 0.4, 0.4, 0.5]
    for _ in range(40):
        adaptation.learn(1.0, pictures=4)
    assert adaptation.probability == pytest.approx(0.6)
    for _ in range(80):
        adaptation.learn(0.0, pictures=4)
    assert adaptation.probability == pytest.approx(0.1)


def test_it_goes_on_where_it_was() -> None:
    one, other = (Adaptation(AdaptiveConfig(ramp_pictures=400, start=0.0, least=0.0)) for _ in range(2))
    for _ in range(6):
        one.learn(0.9, pictures=8)
    other.load_state_dict(one.state_dict())
    for adaptation in (one, other):
        for _ in range(2):
            adaptation.learn(0.9, pictures=8)
    assert one.state_dict() == other.state_dict()
    assert one.probability == pytest.approx(0.16)
