"""AdamW with a learning rate that rises, then falls along a half cosine; and averaged weights."""

import math
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn

from synesthete.config.training import OptimiserConfig

__all__ = ["adamw", "averaging", "rate_at"]


def adamw(network: nn.Module, config: OptimiserConfig, *, steps: int) -> dict[str, Any]:
    """Give what Lightning's ``configure_optimizers`` returns; vectors such as biases do not decay."""
    matrices = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=config.betas,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, config, steps=steps))
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_at(step: int, config: OptimiserConfig, *, steps: int) -> float:
    """Give the learning rate at a step, as a share of the highest.

    Examples
    --------
    >>> [round(rate_at(s, OptimiserConfig(warm_up_steps=2, final_share=0), steps=6), 2) for s in range(7)]
    [0.5, 1.0, 1.0, 0.85, 0.5, 0.15, 0.0]
    """
    warm_up = config.warm_up_steps
    if step < warm_up:
        return (step + 1) / warm_up
    done = min(1.0, (step - warm_up) / max(1, steps - warm_up))
    return config.final_share + (1.0 - config.final_share) * 0.5 * (1.0 + math.cos(math.pi * done))


def averaging(config: OptimiserConfig) -> WeightAveraging:
    """Give the callback that averages weights: validated, and kept at the end.

    At first it remembers only as far back as there were steps.
    """
    return WeightAveraging(avg_fn=_remembering(config.average))


def _remembering(longest: float) -> Callable[[Tensor, Tensor, Any], Tensor]:
    def average(averaged: Tensor, current: Tensor, count: Any) -> Tensor:
        memory = min(longest, (1.0 + float(count)) / (10.0 + float(count)))
        return torch.lerp(current, averaged, memory)

    return average
