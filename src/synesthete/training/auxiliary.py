"""What a drawn clip is measured by, beside its flow: rest in silence, looks, and what it answers."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.field import CELLS, FieldDecoder
from synesthete.training.losses import chroma

__all__ = ["Matcher", "looks", "rough_pictures", "silence_loss", "statistics_loss"]

_LUMA = (0.299, 0.587, 0.114)
_SMOOTH = 1e-4
_TEMPERATURE = 0.1

Clips = Float[Tensor, "clips frames latents h w"]


def silence_loss(drawn: Clips, truth: Clips, silence: Float[Tensor, "clips frames"]) -> Float[Tensor, ""]:
    """Give the mean of motion in silence beyond the truth's.

    Parameters
    ----------
    silence
        0-1, at each frame: motion from a frame to the next counts as far as both are silent.
    """
    motions = [clip.diff(dim=1).square().mean(dim=(2, 3, 4)) for clip in (drawn, truth)]
    quiet = silence[:, 1:] * silence[:, :-1]
    return (quiet * (motions[0] - motions[1]).clamp(min=0.0)).mean()


def rough_pictures(
    decoder: FieldDecoder, latents: Float[Tensor, "frames latents h w"]
) -> Float[Tensor, "frames 3 height width"]:
    """Give the smooth, linear part of pictures, at half their size: it costs next to nothing."""
    return nn.functional.pixel_shuffle(decoder.base(latents), CELLS)


def looks(pictures: Float[Tensor, "frames 3 height width"]) -> Float[Tensor, "frames 3"]:
    """Give each picture's brightness, contrast and saturation: mean and deviation of luma, mean chroma."""
    luma = (pictures * pictures.new_tensor(_LUMA)[:, None, None]).sum(dim=1).flatten(1)
    amount = torch.sqrt(chroma(pictures).square().sum(dim=1) + _SMOOTH**2).flatten(1)
    contrast = torch.sqrt(luma.var(dim=1, unbiased=False) + _SMOOTH**2)
    return torch.stack([luma.mean(dim=1), contrast, amount.mean(dim=1)], dim=1)


def statistics_loss(
    decoder: FieldDecoder,
    drawn: Float[Tensor, "frames latents h w"],
    truth: Float[Tensor, "frames latents h w"],
    weight: Float[Tensor, " frames"],
) -> Float[Tensor, ""]:
    """Give how far brightness, contrast and saturation of rough pictures are from the truth's.

    Parameters
    ----------
    weight
        Of each frame.
    """
    apart = looks(rough_pictures(decoder, drawn)) - looks(rough_pictures(decoder, truth))
    return (weight[:, None] * apart.abs()).mean()


class Matcher(nn.Module):
    """Says which frame goes with what is heard: a contrast between the frames of a batch.

    Parameters
    ----------
    latents, condition
        Channels of a frame's latents, and of what is heard at it.
    width
        Of the space where both are compared.

    References
    ----------
    van den Oord, Li & Vinyals, "Representation learning with contrastive predictive coding", 2018.
    """

    def __init__(self, latents: int, condition: int, *, width: int = 128) -> None:
        super().__init__()
        self.seen = nn.Sequential(nn.Linear(2 * latents, width), nn.SiLU(), nn.Linear(width, width))
        self.heard = nn.Linear(condition, width)

    def forward(self, latents: Clips, heard: Float[Tensor, "clips frames condition"]) -> Float[Tensor, ""]:
        """Give the mean cross-entropy, nats, of finding each frame by what is heard, and the other way."""
        frames = latents.flatten(0, 1).flatten(2)
        spread = torch.sqrt(frames.var(dim=2, unbiased=False) + _SMOOTH)
        seen = self.seen(torch.cat([frames.mean(dim=2), spread], dim=1))
        parts = (
            nn.functional.normalize(part.float(), dim=1) for part in (seen, self.heard(heard.flatten(0, 1)))
        )
        one, other = parts
        scores = one @ other.T / _TEMPERATURE
        right = torch.arange(len(scores), device=scores.device)
        return 0.5 * (
            nn.functional.cross_entropy(scores, right) + nn.functional.cross_entropy(scores.T, right)
        )
