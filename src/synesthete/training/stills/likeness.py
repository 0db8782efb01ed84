r"""How like a set of pictures another one is, by features that an autoencoder of ours gives.

A picture's features are the mean and the deviation, over its places, of each latent: what is where does not
count. Two sets are compared by Fréchet's distance of the normal distributions that fit their features:

.. math:: d^2 = |\mu_1 - \mu_2|^2 + \mathrm{tr}\,(C_1 + C_2 - 2\,(C_1 C_2)^{1/2})

References
----------
Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS
2017. Differs: features of our own, which need no download; figures compare with those of this project only.
"""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.vae import BLOCK, Vae

__all__ = ["features_of", "frechet_distance", "variety"]

_SIDE: Final = 8 * BLOCK

Features = Float[Tensor, "pictures features"]


@torch.no_grad()
def features_of(vae: Vae, pictures: Float[Tensor, "batch 3 height width"]) -> Features:
    """Give the features of pictures.

    Parameters
    ----------
    pictures
        Display RGB, 0-1, of any one size; they are seen as squares of 128 pixels.
    """
    seen = nn.functional.interpolate(
        pictures.float(), (_SIDE, _SIDE), mode="bilinear", align_corners=False, antialias=True
    )
    with torch.autocast(pictures.device.type, enabled=False):
        latents = vae.encode(seen).mean
    return torch.cat([latents.mean(dim=(2, 3)), latents.std(dim=(2, 3))], dim=1)


def frechet_distance(one: Features, other: Features) -> float:
    """Give the squared Fréchet distance of two sets, each of at least 2 pictures.

    It is the larger the fewer pictures there are: compare sets of as many.
    """
    (mean, spread), (other_mean, other_spread) = (_normal(features) for features in (one, other))
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(values.clip(min=0.0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ other_spread @ root).clip(min=0.0)).sum()
    apart = np.square(mean - other_mean).sum()
    return max(0.0, float(apart + np.trace(spread) + np.trace(other_spread) - 2.0 * shared))


def variety(one: Features, other: Features) -> float:
    """Give how much the pictures of a set differ, over how much those of the other do: variances in all."""
    return float(one.double().var(dim=0).sum() / other.double().var(dim=0).sum().clamp(min=1e-12))


def _normal(
    features: Features,
) -> tuple[Float[np.ndarray, " features"], Float[np.ndarray, "features features"]]:
    values = features.double().cpu().numpy()
    return values.mean(axis=0), np.cov(values, rowvar=False)
