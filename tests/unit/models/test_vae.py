"""The autoencoder begins as the best linear code, and its weights survive a file."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from synesthete.errors import ConfigError
from synesthete.models.vae import BLOCK, Posterior, Vae, VaeSpec
from synesthete.models.weights import latents_digest, load_vae, read_weights, save_weights

SPEC = VaeSpec(
    latents=8, widths=(8, 16, 16), encoder_blocks=(1, 0, 0), decoder_blocks=(0, 0, 1, 0), features=8
)


@pytest.fixture
def vae() -> Vae:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return Vae(SPEC).eval()


def smooth(count: int, size: tuple[int, int]) -> torch.Tensor:
    """Give smooth pictures, 0-1."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    return torch.nn.functional.interpolate(coarse, size=size[::-1], mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("size", [(128, 128), (176, 96), (96, 176)])
def test_every_bucket_comes_back_in_its_size(vae: Vae, size: tuple[int, int]) -> None:
    pictures = smooth(2, size)
    found = vae.encode(pictures)
    assert found.mean.shape == (2, 8, size[1] // BLOCK, size[0] // BLOCK)
    assert vae.decode(found.mean).shape == pictures.shape


def test_before_training_it_is_a_code_by_principal_components(vae: Vae) -> None:
    pictures = smooth(64, (128, 128))
    vae.fit_blocks([pictures])
    with torch.no_grad():
        found = vae.encode(pictures)
        back = vae.decode(found.mean)
    assert found.mean.std() == pytest.approx(1.0, abs=0.1)
    assert found.mean.mean(dim=(0, 2, 3)).abs().max() < 1e-3
    mean = pictures.mean(dim=(0, 2, 3), keepdim=True)
    assert (back - pictures).square().mean() < 0.05 * (pictures - mean).square().mean()


def test_channels_show_less_and_less(vae: Vae) -> None:
    pictures = smooth(16, (128, 128))
    vae.fit_blocks([pictures])
    with torch.no_grad():
        shown = vae.visible(vae.encode(pictures).mean)
    assert shown.shape == (8,)
    assert (shown.diff() < 0.0).all()
    assert shown[-1] > 0.0


def test_stages_lead_to_what_is_encoded(vae: Vae) -> None:
    pictures = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(4))
    stages = vae.stages(pictures)
    assert [one.shape[1:] for one in stages] == [
        (width, 64 // cell, 96 // cell) for width, cell in zip(vae.spec.widths, (4, 8, 16), strict=True)
    ]
    mean, _ = vae.encoder[-2:](stages[-1]).chunk(2, dim=1)
    assert torch.allclose(vae.blocks(pictures) + mean, vae.encode(pictures).mean, atol=1e-5)


def test_divergence_is_that_of_normal_distributions() -> None:
    mean, spread = torch.tensor([0.5, -1.0]), torch.tensor([0.3, 2.0])
    own = Posterior(mean.view(1, 2, 1, 1), 2 * spread.log().view(1, 2, 1, 1)).divergence()
    normal = torch.distributions.Normal
    other = torch.distributions.kl_divergence(normal(mean, spread), normal(0.0, 1.0)).mean()
    assert torch.allclose(own, other)


def test_weights_come_back_from_their_file(vae: Vae, tmp_path: Path) -> None:
    path = tmp_path / "vae.safetensors"
    digest = save_weights(path, vae, {"steps": 3})
    assert all(save_weights(path, vae, {"steps": 3}) == digest for _ in range(8))
    found, facts = load_vae(path)
    assert facts == {"steps": 3}
    assert found.spec == SPEC
    for name, value in vae.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, atol=1e-3), name


def test_latents_are_known_by_all_that_encodes_and_nothing_else(vae: Vae, tmp_path: Path) -> None:
    for weight in vae.parameters():
        torch.nn.init.normal_(weight, std=0.1)  # so that all of them have a say
    posterior = vae.encode(smooth(1, (32, 32)))
    (posterior.mean.sum() + posterior.log_variance.sum()).backward()
    digest = latents_digest(vae)
    save_weights(tmp_path / "vae.safetensors", vae, {})
    assert latents_digest(load_vae(tmp_path / "vae.safetensors")[0]) == digest
    assert latents_digest(vae.to(memory_format=torch.channels_last)) == digest
    for name, weight in vae.named_parameters():
        kept = weight.detach().clone()
        with torch.no_grad():
            weight += 0.1
        assert (latents_digest(vae) != digest) == (weight.grad is not None), name
        with torch.no_grad():
            weight.copy_(kept)


def test_other_files_are_refused_in_one_sentence(vae: Vae, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(ConfigError, match="there are no weights at"):
        load_vae(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match="is no file of weights"):
        load_vae(path)
    save_weights(path, vae, {})
    with pytest.raises(ConfigError, match="holds no weights of a diffusion"):
        read_weights(path, "diffusion")
    for damaged in ([], {}, "nothing", {**SPEC.to_json(), "future": 1}):
        header = json.dumps({"kind": "vae", "spec": damaged, "facts": {}})
        save_file({"a": torch.zeros(1)}, path, {"synesthete": header})
        with pytest.raises(ConfigError, match="is no file of weights"):
            load_vae(path)
    save_weights(path, vae, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ConfigError, match="is no file of weights"):
        load_vae(path)
