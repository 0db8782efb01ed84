"""The generator draws grids of any shape, follows latents and noise, grows, and comes back from a file."""

from pathlib import Path

import pytest
import torch

from made_models import noise, stirred, tiny_vae
from synesthete.errors import ConfigError
from synesthete.models.discriminator import Discriminator, DiscriminatorSpec, views_of
from synesthete.models.gan import GanGenerator, GanSpec, grown, noise_maps, on_sphere
from synesthete.models.weights import load_gan, read_weights, save_weights

SPEC = GanSpec(latents=8, widths=(16, 8), blocks=2, style=8)
LARGER = GanSpec(latents=8, widths=(16, 8, 8), blocks=2, style=8)


@pytest.fixture
def generator() -> GanGenerator:
    made = stirred(GanGenerator(SPEC))
    assert isinstance(made, GanGenerator)
    return made


def discriminator(side: int, seed: int = 0) -> Discriminator:
    spec = DiscriminatorSpec.through(tiny_vae(), width=8, side=side)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Discriminator(spec).requires_grad_(requires_grad=False)


def judged(judge: Discriminator, pictures: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return judge(views_of(tiny_vae(), pictures, judge.levels))


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
    assert 1e6 < count < 5e6  # of two bytes


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


def test_what_all_cells_paint_alike_shows_as_no_grid() -> None:
    spec = GanSpec(latents=8, widths=(16,), blocks=1, style=8)
    made = GanGenerator(spec)
    with torch.no_grad():
        made.paints[0].out.weight.zero_()  # type: ignore[union-attr, operator]
        made.paints[0].out.bias.copy_(torch.tensor([1.0, -1.0, -1.0, 1.0] * 3))  # type: ignore[union-attr, operator]
        drawn = made(noise(1, 8, 8, 8), noise_maps(spec, 0, rows=8, columns=8))
    assert float(drawn[..., 1:-1, 1:-1].std()) < 1e-6


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
    judge = discriminator(64)
    one, other = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    alone, together = judged(judge, torch.stack([one, one])), judged(judge, torch.stack([one, other]))
    assert torch.allclose(alone[0], alone[1])
    assert not torch.allclose(alone[0], together[0], rtol=1e-4)


def test_a_judge_looks_at_all_sizes_and_through_a_window_at_large_ones() -> None:
    judge = discriminator(256)
    assert judge.levels == 3
    pictures = torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    corners = [views_of(tiny_vae(), pictures, 3, place) for place in ((0.0, 0.0), (1.0, 1.0))]
    assert [view[0].shape[-1] for view in corners[0]] == [32, 64, 64]
    pixels = torch.nn.functional.pixel_unshuffle(2.0 * pictures - 1.0, 2)
    assert torch.allclose(corners[0][2][0], pixels[..., :64, :64], atol=1e-5)
    assert torch.allclose(corners[1][2][0], pixels[..., 64:, 64:], atol=1e-5)
    assert all(torch.equal(a, b) for a, b in zip(corners[0][1], corners[1][1], strict=True))


def test_what_is_seen_is_scaled_by_true_pictures() -> None:
    judge = discriminator(64)
    pictures = 0.1 * torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    views = views_of(tiny_vae(), pictures, 1)
    judge.settle(views)
    for one, seen in zip(judge.views[0], views[0], strict=True):  # type: ignore[call-overload]
        scaled = (seen - one.middle[:, None, None]) / one.spread[:, None, None]
        assert scaled.mean(dim=(0, 2, 3)).abs().max() < 0.05
        assert 0.2 < scaled.std() < 1.05


def test_a_network_that_grows_begins_as_it_was(generator: GanGenerator) -> None:
    larger = stirred(GanGenerator(LARGER), seed=5)
    assert isinstance(larger, GanGenerator)
    assert grown(larger, generator.state_dict())
    latents, maps = noise(2, 8, 16, 16), noise_maps(LARGER, 0)
    small = generator(latents, maps[:-1])
    linear = torch.atanh((2.0 * small - 1.0).clamp(-0.999999, 0.999999))
    twice = torch.nn.functional.interpolate(linear, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert torch.allclose(larger(latents, maps), 0.5 + 0.5 * torch.tanh(twice), atol=1e-3)

    judge, wider = discriminator(64), discriminator(128, seed=4)
    assert grown(wider, judge.state_dict())
    pictures = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    old, new = judged(judge, pictures), judged(wider, pictures)
    assert torch.equal(new[:, : old.shape[1]], old)
    assert not new[:, old.shape[1] :].any()


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
    save_weights(path, discriminator(64), {})
    spec = read_weights(path, "discriminator").spec
    assert DiscriminatorSpec.from_json(dict(spec)) == discriminator(64).spec
    with pytest.raises(ConfigError, match=r"holds no weights of a gan; .* `synesthete train gan` wrote"):
        load_gan(path)
