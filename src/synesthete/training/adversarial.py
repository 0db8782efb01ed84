"""What two networks that play against each other lose by: scores, slopes, and colours of a batch."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.training.losses import chroma, mean_saturation

__all__ = ["chroma_gap", "drawn_loss", "fooling_loss", "saturation_gap", "slope_penalty", "true_loss"]

Pictures = Float[Tensor, "batch 3 height width"]
Scores = Float[Tensor, " batch"]


def true_loss(scores: Scores) -> Float[Tensor, ""]:
    """Give the discriminator's logistic loss of true pictures."""
    return nn.functional.softplus(-scores).mean()


def drawn_loss(scores: Scores) -> Float[Tensor, ""]:
    """Give the discriminator's logistic loss of drawn pictures."""
    return nn.functional.softplus(scores).mean()


def fooling_loss(scores: Scores) -> Float[Tensor, ""]:
    """Give the generator's logistic loss, the one that does not saturate while the discriminator is right.

    References
    ----------
    Goodfellow et al., "Generative adversarial networks", 2014, section 3.
    """
    return nn.functional.softplus(-scores).mean()


def slope_penalty(judge: Callable[[Pictures], Scores], pictures: Pictures) -> Float[Tensor, ""]:
    r"""Give the mean squared slope of scores at true pictures, :math:`\frac12 E|\nabla D|^2`, in float32.

    Values of -1 to 1 count, not of 0 to 1.

    References
    ----------
    Mescheder, Geiger & Nowozin, "Which training methods for GANs do actually converge?", ICML 2018: R1.
    """
    with torch.autocast(pictures.device.type, enabled=False):
        asked = pictures.detach().float().requires_grad_()
        # A copy: counting operations does not work on leaves.
        (slope,) = torch.autograd.grad(judge(asked.clone()).sum(), asked, create_graph=True)
        return 0.5 * (0.5 * slope).square().sum(dim=(1, 2, 3)).mean()


def chroma_gap(drawn: Pictures, truth: Pictures) -> Float[Tensor, ""]:
    """Give how far mean and deviation of chroma in a batch are from those of true pictures."""
    own, other = chroma(drawn), chroma(truth)
    places = (0, 2, 3)
    gap = (own.mean(dim=places) - other.mean(dim=places)).abs().mean()
    return gap + (own.std(dim=places) - other.std(dim=places)).abs().mean()


def saturation_gap(drawn: Pictures, truth: Pictures) -> Float[Tensor, ""]:
    """Give how far the saturations of a batch's pictures are from those of as many true ones.

    The least saturated is compared with the least saturated, and so on: not only their mean has to be right.
    """
    own, other = mean_saturation(drawn).sort().values, mean_saturation(truth).sort().values
    return (own - other).abs().mean()
