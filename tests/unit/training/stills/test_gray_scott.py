import pytest
import torch

from synesthete.training.stills.gray_scott import REGIONS, simulate


def spot(side: int = 48) -> torch.Tensor:
    seeds = torch.zeros(side, side)
    seeds[side // 2 - 3 : side // 2 + 3, side // 2 - 3 : side // 2 + 3] = 1.0
    return seeds


def test_rest_stays_at_rest() -> None:
    u, v = simulate(torch.zeros(8, 8), feed=0.03, kill=0.06, steps=50)
    assert torch.allclose(u, torch.ones(8, 8), atol=1e-5)
    assert float(v.abs().max()) == 0.0


def test_one_step_is_the_equation() -> None:
    seeds = torch.rand(6, 7, generator=torch.Generator().manual_seed(1))
    feed, kill = 0.035, 0.06
    u, v = 1.0 - 0.5 * seeds, 0.25 * seeds

    def spread(plane: torch.Tensor) -> torch.Tensor:
        around = sum(torch.roll(plane, step, axis) for step in (1, -1) for axis in (0, 1))
        return around - 4.0 * plane

    wanted_u = u + 0.2097 * spread(u) - u * v**2 + feed * (1.0 - u)
    wanted_v = v + 0.1049 * spread(v) + u * v**2 - (feed + kill) * v
    made_u, made_v = simulate(seeds, feed=feed, kill=kill, steps=1)
    assert torch.allclose(made_u, wanted_u, atol=1e-6)
    assert torch.allclose(made_v, wanted_v, atol=1e-6)


def test_where_it_begins_on_the_torus_changes_nothing_else() -> None:
    _, middle = simulate(spot(), feed=0.03, kill=0.057, steps=200)
    _, corner = simulate(torch.roll(spot(), (20, -13), (0, 1)), feed=0.03, kill=0.057, steps=200)
    assert torch.allclose(torch.roll(middle, (20, -13), (0, 1)), corner, atol=1e-5)


def test_numbers_of_each_cell_are_as_one_number() -> None:
    one = simulate(spot(), feed=0.03, kill=0.057, steps=60)
    each = simulate(spot(), feed=torch.full((48, 48), 0.03), kill=torch.full((48, 48), 0.057), steps=60)
    assert all(torch.equal(a, b) for a, b in zip(one, each, strict=True))


@pytest.mark.parametrize("letter", sorted(REGIONS))
def test_a_pattern_grows_in_every_region(letter: str) -> None:
    region = REGIONS[letter]
    draws = torch.Generator().manual_seed(2)
    seeds = torch.zeros(128, 128)
    for _ in range(12):
        top, left, high, wide = (int(n) for n in torch.randint(8, 20, (4,), generator=draws) * 6 // 7)
        seeds[6 * top : 6 * top + high, 6 * left : 6 * left + wide] = 1.0
    _, v = simulate(seeds, feed=region.feed, kill=region.kill, steps=1000)
    assert bool(torch.isfinite(v).all())
    assert 0.0 <= float(v.min()) <= float(v.max()) < 1.0
    assert float(v.std()) > 0.01  # neither dead nor even
    assert float((v > 0.1).float().mean()) > 0.02
