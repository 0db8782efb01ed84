"""AdamW or Muon with a learning rate that rises, then falls along a half cosine; and averaged weights.

References
----------
Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019. Jordan et al., "Muon", 2024. Liu et
al., "Muon is scalable for LLM training", 2025, for learning rates that both can share.
"""

import math
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn

from synesthete.config.training import OptimiserConfig

__all__ = ["averaging", "configured", "rate_at"]


def configured(
    network: nn.Module,
    config: OptimiserConfig,
    *,
    steps: int,
    hidden: Sequence[nn.Module] = (),
    rates: Mapping[nn.Module, float] | None = None,
) -> dict[str, Any]:
    """Give what Lightning's ``configure_optimizers`` returns; vectors such as biases do not decay.

    Parameters
    ----------
    steps
        Of the whole run.
    hidden
        Parts of the network whose matrices Muon moves, if it is chosen: layers between others, neither the
        first nor the last.
    rates
        Parts of the network that AdamW moves at another learning rate: how many times the usual one.
    """
    own = {id(p): times for part, times in (rates or {}).items() for p in part.parameters()}
    learned = [p for p in network.parameters() if p.requires_grad]
    inner = {
        id(p)
        for part in hidden
        for p in part.parameters()
        if config.method == "muon" and p.requires_grad and p.ndim == 2
    }
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for p in learned:
        if id(p) not in inner:
            groups.setdefault((own.get(id(p), 1.0), p.ndim > 1), []).append(p)
    optimiser: torch.optim.Optimizer = torch.optim.AdamW(
        [
            {
                "params": params,
                "lr": times * config.learning_rate,
                "weight_decay": config.weight_decay if matrices else 0.0,
            }
            for (times, matrices), params in groups.items()
        ],
        betas=config.betas,
    )
    if inner:
        moved = torch.optim.Muon(
            [p for p in learned if id(p) in inner],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        )
        optimiser = _Together(optimiser, moved)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, config, steps=steps))
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Together(torch.optim.Optimizer):
    """Several optimisers as one: the trainer knows how to handle one."""

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self._parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._join()

    def step(self, closure: Any = None) -> Any:
        """Make a step of each."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Give the states of all."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the states of all."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._join()

    def _join(self) -> None:
        """Share groups and state with the parts: who changes a learning rate here changes it there."""
        self.param_groups = [group for part in self._parts for group in part.param_groups]
        self.state = _States(*(part.state for part in self._parts))  # type: ignore[assignment]


class _States(ChainMap[Any, Any]):
    """What several optimisers remember of their weights: read and written where each weight's is."""

    def __getitem__(self, weight: Any) -> Any:
        return self._part(weight)[weight]

    def __setitem__(self, weight: Any, state: Any) -> None:
        self._part(weight)[weight] = state

    def _part(self, weight: Any) -> Any:
        return next((part for part in self.maps if weight in part), self.maps[0])


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
