"""A variational autoencoder: pictures of some 128 pixels to 8x8 latents, drawn again at any size.

Its first guess is linear: the principal components of blocks of 16x16 pixels, which no linear code of as many
numbers can beat. A convolutional encoder and a field decoder add what is not linear, and what reaches beyond
a block.

References
----------
Kingma & Welling, "Auto-encoding variational Bayes", 2014. Chen et al., "Deep compression autoencoder", ICLR
2025, for shortcuts that compress without parameters; differs: ours is fitted.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.field import CELLS, Canvas, FieldDecoder, Residual

__all__ = ["BLOCK", "Posterior", "Vae", "VaeSpec"]

BLOCK: Final = 16
"""Pixels to a latent, along each side."""

_STEM: Final = 4
_LOG_VARIANCE: Final = (-12.0, 4.0)
_FIRST_LOG_VARIANCE: Final = -5.0


@dataclass(frozen=True)
class VaeSpec:
    """The architecture of a `Vae`.

    Attributes
    ----------
    latents
        Channels of the latents.
    widths
        Channels where a latent is 4, 2 and 1 cells wide.
    encoder_blocks
        Residual blocks of the encoder at these widths.
    decoder_blocks
        Residual blocks of the decoder, from 1 to 8 cells to a latent.
    features
        Channels of the field decoder's features, and units of its coordinate network.
    """

    latents: int
    widths: tuple[int, int, int]
    encoder_blocks: tuple[int, int, int]
    decoder_blocks: tuple[int, int, int, int]
    features: int

    def to_json(self) -> dict[str, Any]:
        """Give what `VaeSpec` can be made from again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "VaeSpec":
        """Make it from what `to_json` gave."""
        found: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        return cls(**found)

    def encoding(self) -> dict[str, Any]:
        """Give what of it an encoder is made from: with the same, decoders may differ."""
        return {"latents": self.latents, "widths": self.widths, "encoder_blocks": self.encoder_blocks}


class Posterior(NamedTuple):
    """What an encoder knows: a normal distribution of latents, or of styles.

    Attributes
    ----------
    mean, log_variance
        Of each latent.
    """

    mean: Float[Tensor, "batch latents *places"]
    log_variance: Float[Tensor, "batch latents *places"]

    def sample(self, noise: Float[Tensor, "batch latents *places"]) -> Float[Tensor, "batch latents *places"]:
        """Draw from it; ``noise`` is standard normal."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def divergence(self) -> Float[Tensor, ""]:
        """Give the mean Kullback-Leibler divergence from N(0, 1) of a latent, nats."""
        mean, log_variance = self.mean.float(), self.log_variance.float()
        return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()


class Vae(nn.Module):
    """Encoder and field decoder; see the module's text.

    Weights come from torch's global generator: build it inside ``torch.random.fork_rng``.
    """

    def __init__(self, spec: VaeSpec) -> None:
        super().__init__()
        self.spec = spec
        outer, middle, inner = spec.widths
        counts = spec.encoder_blocks
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(_STEM),
            nn.Conv2d(3 * _STEM * _STEM, outer, 3, padding=1),
            *(Residual(outer) for _ in range(counts[0])),
            nn.Conv2d(outer, middle, 2, stride=2),
            *(Residual(middle) for _ in range(counts[1])),
            nn.Conv2d(middle, inner, 2, stride=2),
            *(Residual(inner) for _ in range(counts[2])),
            nn.SiLU(),
            nn.Conv2d(inner, 2 * spec.latents, 3, padding=1),
        )
        self.blocks = nn.Conv2d(3, spec.latents, BLOCK, stride=BLOCK)
        self.decoder = FieldDecoder(
            latents=spec.latents, widths=spec.widths[::-1], blocks=spec.decoder_blocks, features=spec.features
        )
        last: Any = self.encoder[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def encode(self, pictures: Float[Tensor, "batch 3 height width"]) -> Posterior:
        """Encode pictures.

        Parameters
        ----------
        pictures
            Display RGB, 0-1; sides are multiples of `BLOCK`.
        """
        mean, log_variance = self.encoder(2.0 * pictures - 1.0).chunk(2, dim=1)
        return Posterior(
            self.blocks(pictures) + mean, (log_variance + _FIRST_LOG_VARIANCE).clamp(*_LOG_VARIANCE)
        )

    def stages(
        self, pictures: Float[Tensor, "batch 3 height width"]
    ) -> list[Float[Tensor, "batch _ rows columns"]]:
        """Give what the encoder makes of pictures on its way: at 4, 8 and 16 pixels, of `VaeSpec.widths`.

        Parameters
        ----------
        pictures
            As for `encode`.
        """
        features, found = 2.0 * pictures - 1.0, []
        *before, _, _ = self.encoder
        for layer in before:
            if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
                found.append(features)
            features = layer(features)
        return [*found, features]

    def encoding(self) -> nn.ModuleDict:
        """Give all parts that `encode` uses, by name; the others draw."""
        return nn.ModuleDict({"encoder": self.encoder, "blocks": self.blocks})

    def decode(
        self, latents: Float[Tensor, "batch latents h w"], canvas: Canvas | None = None
    ) -> Float[Tensor, "batch 3 height width"]:
        """Draw latents on a canvas; by default pictures of the size that was encoded."""
        if canvas is None:
            size = (latents.shape[3] * BLOCK, latents.shape[2] * BLOCK)
            canvas = Canvas.of(size, device=latents.device)
        picture: Tensor = self.decoder(latents, canvas)
        return picture

    @torch.no_grad()
    def visible(self, latents: Float[Tensor, "frames latents h w"]) -> Float[Tensor, " latents"]:
        """Say how much of pictures each channel shows: their change, RMS, without it, that is at its mean."""
        whole = self.decode(latents).float()
        found = []
        for channel in range(latents.shape[1]):
            without = latents.clone()
            without[:, channel] = latents[:, channel].mean()
            found.append((self.decode(without).float() - whole).square().mean().sqrt())
        return torch.stack(found)

    @torch.no_grad()
    def fit_blocks(self, pictures: Sequence[Float[Tensor, "batch 3 height width"]]) -> None:
        """Set the linear first guess to the principal components of pictures: latents of variance 1.

        Parameters
        ----------
        pictures
            Some hundreds in all, of any sizes; display RGB, 0-1.
        """
        own: Any = self.blocks
        base = self.decoder.base
        cut = torch.cat(
            [nn.functional.unfold(one, BLOCK, stride=BLOCK).transpose(1, 2).flatten(0, 1) for one in pictures]
        )
        middle = cut.mean(dim=0)
        _, spreads, directions = torch.linalg.svd(cut - middle, full_matrices=False)
        count = self.spec.latents
        scale = (spreads[:count] / len(cut) ** 0.5).clamp(min=1e-6)
        basis = directions[:count]
        own.weight.copy_((basis / scale[:, None]).view_as(own.weight))
        own.bias.copy_(-(basis / scale[:, None]) @ middle)
        # The base is a picture of half the size: its cells are the means of 2x2 pixels.
        shown = torch.cat([basis * scale[:, None], middle[None]]).view(count + 1, 3, BLOCK, BLOCK)
        halves = nn.functional.avg_pool2d(shown, BLOCK // CELLS).flatten(1)
        base.weight.copy_(halves[:count].T.reshape_as(base.weight))
        assert base.bias is not None
        base.bias.copy_(halves[count])
