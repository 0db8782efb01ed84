"""The smallest of networks, with weights that are drawn: those that begin as zero, too."""

import torch
from torch import nn

from synesthete.models.diffusion import Diffusion, DiffusionSpec
from synesthete.models.vae import Vae, VaeSpec

__all__ = ["TINY_DIFFUSION", "TINY_VAE", "noise", "stirred", "tiny_diffusion", "tiny_vae"]

TINY_VAE = VaeSpec(
    latents=4, widths=(8, 8, 8), encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0, 0), features=8
)
TINY_DIFFUSION = DiffusionSpec(
    latents=4, columns=("loudness", "bass", "silence"), rows_per_frame=2, frame_rate=15, row_width=16,
    row_layers=2, style_channels=2, style_cells=2, style_width=8, condition=16, width=64, blocks=2, window=7,
)  # fmt: skip


def stirred(network: nn.Module, *, seed: int = 0, spread: float = 0.2) -> nn.Module:
    """Draw all weights of a network anew, and ask for no gradients of them."""
    draws = torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        weight.requires_grad_(requires_grad=False)
        weight.copy_(spread * torch.randn(weight.shape, generator=draws))
    return network.eval()


def tiny_vae(*, seed: int = 3) -> Vae:
    """Give an autoencoder with weights as they are before training, but for its first guess."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = Vae(TINY_VAE)
    coarse = torch.rand(16, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    vae.fit_blocks([nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic").clamp(0, 1)])
    return vae.eval().requires_grad_(requires_grad=False)


def tiny_diffusion(spec: DiffusionSpec = TINY_DIFFUSION, *, seed: int = 0) -> Diffusion:
    """Give a model that listens; all its weights are drawn."""
    model = stirred(Diffusion(spec), seed=seed)
    assert isinstance(model, Diffusion)
    return model


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    """Give standard normal numbers; the same shape and seed, the same numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
