"""The autoencoder as Lightning trains it: its loss, its optimiser, and what validation measures."""

from typing import Any

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor

from synesthete.config.vae import VaeConfig
from synesthete.models.field import Canvas
from synesthete.models.vae import Posterior, Vae
from synesthete.seeding import generator_for
from synesthete.training.items import Batch
from synesthete.training.losses import (
    colour_loss,
    edge_loss,
    mean_saturation,
    psnr,
    sharpness_loss,
    value_loss,
)
from synesthete.training.optimiser import configured
from synesthete.training.picture_codes import edge_powers

__all__ = ["VaeModule"]

_LARGEST_SEED = 2**63


class VaeModule(LightningModule):
    """Trains an autoencoder.

    Parameters
    ----------
    config
        The run.
    vae
        The network, with its first weights.
    """

    def __init__(self, config: VaeConfig, vae: Vae) -> None:
        super().__init__()
        self.config = config
        self.vae = vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.freeze_encoder:
            vae.encoding().requires_grad_(requires_grad=False)

    def configure_optimizers(self) -> Any:
        """Give the optimiser and its schedule."""
        return configured(self.vae, self.config.optimiser, steps=self.config.steps)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Encode, draw whole pictures and crops, and compare."""
        losses = self.config.losses
        pictures = _pictures(batch)
        with torch.set_grad_enabled(not self.config.freeze_encoder):
            posterior = self.vae.encode(pictures)
            latents = posterior.sample(self._noise(batch, posterior))
        features = self.vae.decoder.features(latents)
        drawn = self.vae.decoder.paint(features, _canvas(pictures)).float()
        parts = {
            "value": value_loss(drawn, pictures, squares=losses.squares),
            "edges": losses.edges * edge_loss(drawn, pictures),
            "colour": losses.colour * colour_loss(drawn, pictures),
        }
        if not self.config.freeze_encoder:
            parts["divergence"] = losses.divergence * posterior.divergence()
        if batch.crops.shape[1]:
            parts["crops"] = losses.crops * self._crop_loss(*self._crops(batch, features))
        loss = torch.stack(list(parts.values())).sum()
        self.log_dict({"train/loss": loss, **{f"train/{name}": part for name, part in parts.items()}})
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Measure what the means of the latents give."""
        pictures = _pictures(batch)
        posterior = self.vae.encode(pictures)
        features = self.vae.decoder.features(posterior.mean)
        drawn = self.vae.decoder.paint(features, _canvas(pictures)).float().clamp(0.0, 1.0)
        figures = {
            "psnr": psnr(drawn, pictures).mean(),
            "saturation": mean_saturation(drawn).mean() / mean_saturation(pictures).mean(),
            "divergence": posterior.divergence(),
            "latent_std": posterior.mean.float().std(),
            **_motion(drawn, pictures, batch.frames.shape[1]),
        }
        if batch.crops.shape[1]:
            crops, painted = self._crops(batch, features)
            figures["psnr_crops"] = psnr(painted, crops).mean()
            figures["edges_crops"] = edge_powers(painted)[-1] / edge_powers(crops)[-1]
        self.log_dict(
            {f"validation/{name}": value for name, value in figures.items()},
            sync_dist=True, batch_size=len(pictures),
        )  # fmt: skip

    def _crop_loss(self, crops: Tensor, painted: Tensor) -> Tensor:
        losses = self.config.losses
        return (
            value_loss(painted, crops, squares=losses.squares)
            + losses.edges * edge_loss(painted, crops)
            + losses.colour * colour_loss(painted, crops)
            + losses.sharpness * sharpness_loss(painted, crops)
        )

    def _crops(self, batch: Batch, features: Tensor) -> tuple[Tensor, Tensor]:
        """Give true crops, and the same as they are drawn."""
        items, count, _, side, _ = batch.crops.shape
        places = batch.crop_places.flatten(0, 1)
        first = torch.arange(items, device=places.device).repeat_interleave(count) * batch.frames.shape[1]
        painted = self.vae.decoder.paint(
            features[first + places[:, 0]], Canvas.crops(side, places[:, 1:], device=places.device)
        )
        return batch.crops.flatten(0, 1).float() / 255.0, painted.float()

    def _noise(self, batch: Batch, posterior: Posterior) -> Tensor:
        """Give the batch's own noise: the same after a restart, whatever was drawn before."""
        mean = posterior.mean
        draw = generator_for(self.config.seed, "vae.noise", int(batch.number[0]))
        source = torch.Generator(mean.device).manual_seed(int(draw.integers(_LARGEST_SEED)))
        return torch.randn(mean.shape, generator=source, device=mean.device, dtype=mean.dtype)


def _pictures(batch: Batch) -> Float[Tensor, "pictures 3 height width"]:
    pictures = batch.frames.flatten(0, 1).float() / 255.0
    return pictures.contiguous(memory_format=torch.channels_last)


def _canvas(pictures: Float[Tensor, "pictures 3 height width"]) -> Canvas:
    return Canvas.of((pictures.shape[3], pictures.shape[2]), device=pictures.device)


def _motion(drawn: Tensor, truth: Tensor, frames: int) -> dict[str, Tensor]:
    """Say how much of what changes from frame to frame is still there: 1 is all of it.

    The drawn change is projected on the true one, so that flicker does not count.
    """
    if frames == 1:
        return {}
    own, other = (clip.view(-1, frames, *clip.shape[1:]).diff(dim=1) for clip in (drawn, truth))
    return {"motion": (own * other).sum() / other.square().sum().clamp(min=1e-9)}
