"""The generator draws grids of any shape, follows latents and noise, grows, and comes back from a file."""

from pathlib import Path

import pytest
import torch

from made_models import noise, stirred
from synesthete.errors import ConfigError
from synesthete.models.discriminator import Discriminator, DiscriminatorSpec
from synesthete.models.gan import GanGenerator, GanSpec, grown, noise_maps, on_sphere
from synesthete.models.weights import load_gan, read_weights, save_weights

SPEC = GanSpec(latents=8, widths=(16, 8), blocks=2, style=8)
LARGER = GanSpec(latents=8, widths=(16, 8, 8), blocks=2, style=8)


@pytest.fixture
def generator() -> GanGenerator:
    made = stirred(GanGenerator(SPEC))
    assert isinstance(made, GanGenerator)
    return made


def discriminator(*widths: int, seed: int = 0) -> Discriminator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Discriminator(DiscriminatorSpec(widths)).requires_grad_(requires_grad=False)


@pytest.mark.parametrize("grid", [(16, 16), (9, 16), (16, 9)])
def test_grids_of_every_shape_are_drawn(generator: GanGenerator, grid: tuple[int, int]) -> None:
    maps = noise_maps(SPEC, 3, rows=grid[0], columns=grid[1])
    assert [one.shape[2:] for one in maps] == [torch.Size(one) for one in SPEC.noise_grids(*grid)]
    drawn = generator(noise(2, 8, *grid), maps)
    assert drawn.shape == (2, 3, SPEC.scale * grid[0], SPEC.scale * grid[1])
    assert 0.0 <= drawn.min() < drawn.max() <= 1.0


def test_the_shipped_size_is_a_grid_of_sixteen_and_at_most_ten_megabytes() -> None:
    from synesthete.config.gan import load_gan_config

    config = load_gan_config("small")
    model = config.model
    spec = GanSpec(latents=8, widths=model.widths, blocks=model.blocks, style=model.style)
    assert 16 * spec.scale == config.size == 256
    with torch.device("meta"):
        count = sum(one.numel() for one in GanGenerator(spec).parameters())
    assert 3.5e6 < count < 4.9e6


def test_noise_follows_from_seed_layer_and_grid() -> None:
    one, same, other = (noise_maps(SPEC, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])
    assert not torch.equal(one[0], one[1])  # of one size, and of two layers
    assert not torch.equal(one[0][..., :9, :], noise_maps(SPEC, 1, rows=9)[0])


def test_latents_count_where_they_are_and_by_their_mean(generator: GanGenerator) -> None:
    latents, maps = noise(1, 8, 32, 32), noise_maps(SPEC, 0, rows=32, columns=32)
    drawn = generator(latents, maps)
    there = latents.clone()
    # What is at one place changes, and the mean doesn't.
    there[:, :, 2, 2] += 2.0
    there[:, :, 2, 3] -= 2.0
    apart = (generator(there, maps) - drawn).abs().mean(dim=1)[0]
    assert apart[:24, :24].mean() > 5.0 * apart[-24:, -24:].mean()
    whole = (generator(latents + 0.05, maps) - drawn).abs().mean(dim=1)[0]
    assert whole[-24:, -24:].mean() > 5.0 * apart[-24:, -24:].mean()


def test_noise_and_latents_both_change_the_picture(generator: GanGenerator) -> None:
    latents = noise(1, 8, 16, 16)
    one, other = (generator(latents, noise_maps(SPEC, seed)) for seed in (0, 1))
    assert (one - other).abs().mean() > 1e-3


def test_a_new_generator_paints_no_grid() -> None:
    spec = GanSpec(latents=8, widths=(16,), blocks=1, style=8)
    latents = torch.randn(4, 8, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        drawn = GanGenerator(spec)(latents, noise_maps(spec, 0, rows=8, columns=8))
    cells = torch.nn.functional.pixel_unshuffle(drawn, 2).unflatten(1, (3, 4))
    assert float(cells.std(dim=2).max()) < 1e-6 < float(drawn.std())


def test_checkpointing_changes_no_gradient() -> None:
    found = []
    for checkpointing in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            made = GanGenerator(SPEC, checkpointing=checkpointing)
        made(noise(1, 8, 16, 16), noise_maps(SPEC, 0)).square().mean().backward()
        found.append([one.grad for one in made.parameters()])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_a_judge_is_told_when_all_pictures_are_one() -> None:
    judge = discriminator(8, 8)
    one, other = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    alone, together = judge(torch.stack([one, one])), judge(torch.stack([one, other]))
    assert alone.shape == (2,)
    assert alone[0] == pytest.approx(float(alone[1]))
    assert alone[0] != pytest.approx(float(together[0]), rel=1e-4)


def test_a_network_that_grows_begins_as_it_was(generator: GanGenerator) -> None:
    larger = stirred(GanGenerator(LARGER), seed=5)
    assert isinstance(larger, GanGenerator)
    assert grown(larger, generator.state_dict())
    latents, maps = noise(2, 8, 16, 16), noise_maps(LARGER, 0)
    small = generator(latents, maps[:-1])
    linear = torch.atanh((2.0 * small - 1.0).clamp(-0.999999, 0.999999))
    twice = torch.nn.functional.interpolate(linear, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert torch.allclose(larger(latents, maps), 0.5 + 0.5 * torch.tanh(twice), atol=1e-3)

    judge, wider = discriminator(8, 16), discriminator(8, 16, 8, seed=4)
    assert grown(wider, judge.state_dict())
    pictures = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    halves = torch.nn.functional.avg_pool2d(pictures, 2)
    assert torch.allclose(wider(pictures), judge(halves), atol=1e-4)


@pytest.mark.parametrize("widths", [(24, 8), (16,), (16, 16)])
def test_weights_of_another_shape_leave_a_network_as_it_was(widths: tuple[int, ...]) -> None:
    network = stirred(GanGenerator(SPEC))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    other = GanGenerator(GanSpec(latents=8, widths=widths, blocks=1, style=8))
    assert isinstance(network, GanGenerator)
    assert not grown(network, other.state_dict())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_walk_on_the_sphere_keeps_its_length_and_meets_its_ends() -> None:
    one, other = noise(8, 16, 16, seed=1), 2.0 * noise(8, 16, 16, seed=2)
    walk = on_sphere(one, other, torch.linspace(0, 1, 5))
    assert torch.allclose(walk[0], one, atol=1e-4)
    assert torch.allclose(walk[-1], other, atol=1e-4)
    lengths = walk.flatten(1).norm(dim=1)
    assert torch.allclose(lengths, torch.linspace(float(one.norm()), float(other.norm()), 5), rtol=1e-4)


def test_weights_come_back_from_their_file(generator: GanGenerator, tmp_path: Path) -> None:
    path = tmp_path / "gan.safetensors"
    save_weights(path, generator, {"steps": 3})
    found, facts = load_gan(path)
    assert facts == {"steps": 3}
    assert found.spec == SPEC
    latents, maps = noise(2, 8, 16, 16), noise_maps(SPEC, 0)
    assert torch.allclose(found(latents, maps), generator(latents, maps), atol=0.02)
    save_weights(path, discriminator(8, 16), {})
    assert read_weights(path, "discriminator").spec == {"widths": [8, 16]}
    with pytest.raises(ConfigError, match=r"holds no weights of a gan; .* `synesthete train gan` wrote"):
        load_gan(path)
