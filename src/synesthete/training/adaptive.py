"""Augmentation of what a discriminator sees, true and drawn, with a probability that adapts.

All of it is differentiable, and with a probability under one it does not show in what is drawn.

References
----------
Karras et al., "Training generative adversarial networks with limited data", NeurIPS 2020 (ADA). Differs: no
filters and no additive noise; scales are drawn from a narrower range.
"""

import math
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Bool, Float
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

from synesthete.config.gan import AdaptiveConfig

__all__ = ["Adaptation", "Changes", "changed", "draw_changes"]

_SCALE: Final = 0.15
_SHIFT: Final = 0.1
_BRIGHTNESS: Final = 0.1
_CONTRAST: Final = 0.3
_CHROMA: Final = 0.4
_HOLE: Final = 0.35
_EVERY: Final = 4
"""Batches whose signs are averaged before the probability moves."""

Pictures = Float[Tensor, "batch 3 height width"]


class Changes(NamedTuple):
    """What happens to each picture of a batch.

    Attributes
    ----------
    places
        From places in the changed picture to places in the picture, -1 to 1.
    colours
        From RGB to RGB, with what is added in the last column.
    holes
        The middle of a hole, -1 to 1, and half its side; 0 for none.
    """

    places: Float[Tensor, "batch 2 3"]
    colours: Float[Tensor, "batch 3 4"]
    holes: Float[Tensor, "batch 3"]


def draw_changes(count: int, probability: float, source: torch.Generator) -> Changes:
    """Draw what happens to some pictures; each kind of change comes with a probability of its own chance.

    Parameters
    ----------
    source
        Of the CPU. Numbers are drawn in one order, whatever the probability.
    """

    def uniform() -> Float[Tensor, " batch"]:
        return torch.rand(count, generator=source)

    def normal(spread: float) -> Float[Tensor, " batch"]:
        return spread * torch.randn(count, generator=source)

    def happens() -> Bool[Tensor, " batch"]:
        return uniform() < probability

    one, none = torch.ones(count), torch.zeros(count)
    flip = torch.where(happens() & (uniform() < 0.5), -one, one)
    quarter = torch.where(happens(), (4.0 * uniform()).floor() * (0.5 * math.pi), none)
    turn = quarter + torch.where(happens(), (2.0 * uniform() - 1.0) * math.pi, none)
    scale = torch.where(happens(), torch.exp2(normal(_SCALE)), one)
    shifted = happens()
    across, down = (torch.where(shifted, normal(2.0 * _SHIFT), none) for _ in range(2))
    sine, cosine = torch.sin(turn) * scale, torch.cos(turn) * scale
    places = torch.stack([flip * cosine, -flip * sine, across, sine, cosine, down], dim=1)

    added = torch.where(happens(), normal(_BRIGHTNESS), none)
    gain = torch.where(happens(), torch.exp2(normal(_CONTRAST)), one)
    hue = torch.where(happens(), (2.0 * uniform() - 1.0) * math.pi, none)
    amount = torch.where(happens(), torch.exp2(normal(_CHROMA)), one)
    colours = gain[:, None, None] * _turned(hue, amount)
    # About the middle grey.
    bias = 0.5 + added[:, None] - 0.5 * colours.sum(dim=2)

    side = torch.where(happens(), _HOLE * (0.5 + 0.5 * uniform()), none)
    holes = torch.stack([2.0 * uniform() - 1.0, 2.0 * uniform() - 1.0, side], dim=1)
    return Changes(places.view(count, 2, 3), torch.cat([colours, bias[:, :, None]], dim=2), holes)


def changed(pictures: Pictures, changes: Changes) -> Pictures:
    """Change pictures; beyond their edges they are mirrored, and holes are grey."""
    places, colours, holes = (one.to(pictures.device) for one in changes)
    size = list(pictures.shape)
    grid = nn.functional.affine_grid(places, size, align_corners=False)
    moved = nn.functional.grid_sample(
        pictures.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    with torch.autocast(pictures.device.type, enabled=False):
        mixed = torch.einsum("bcr,brhw->bchw", colours[:, :, :3], moved) + colours[:, :, 3, None, None]
    high, wide = (
        (torch.arange(count, device=pictures.device) + 0.5) * (2.0 / count) - 1.0 for count in size[2:]
    )
    inside = ((wide[None] - holes[:, 0, None]).abs() < holes[:, 2, None])[:, None, None, :] & (
        (high[None] - holes[:, 1, None]).abs() < holes[:, 2, None]
    )[:, None, :, None]
    return torch.where(inside, 0.5, mixed)


class Adaptation(Callback):
    """Moves the probability of changes by the signs of the scores of true pictures.

    It is a callback, so that a checkpoint that is written after a step holds what the step led to.

    Attributes
    ----------
    probability
        0 to 1: now.
    """

    def __init__(self, config: AdaptiveConfig) -> None:
        self._config = config
        self.probability = config.start
        self._signs: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Hear of a batch."""
        module: Any = pl_module
        sign = trainer.strategy.reduce(module.true_signs.mean(), reduce_op="mean")
        self.learn(float(sign), pictures=len(batch.number) * trainer.world_size)

    def learn(self, sign: float, *, pictures: int) -> None:
        """Hear of a batch: the mean sign of its true pictures' scores, and how many there were."""
        self._signs.append(sign)
        if len(self._signs) < _EVERY:
            return
        mean, self._signs = sum(self._signs) / _EVERY, []
        step = _EVERY * pictures / self._config.ramp_pictures
        moved = self.probability + math.copysign(step, mean - self._config.target)
        self.probability = min(max(moved, self._config.least), self._config.most)

    def state_dict(self) -> dict[str, Any]:
        """Say where it is."""
        return {"probability": self.probability, "signs": list(self._signs)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.probability, self._signs = float(state_dict["probability"]), list(state_dict["signs"])


def _turned(hue: Float[Tensor, " batch"], amount: Float[Tensor, " batch"]) -> Float[Tensor, "batch 3 3"]:
    """Turn hues about grey, by radians, and scale what is not grey."""
    grey = torch.full((3, 3), 1.0 / 3.0)
    root = 3.0**-0.5
    crossed = root * torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    along = (amount * torch.cos(hue))[:, None, None] * (torch.eye(3) - grey)
    turned: Tensor = grey + along + (amount * torch.sin(hue))[:, None, None] * crossed
    return turned
