"""Wrong audio, and what it must cost: a model that ignores what it hears loses as little under any other.

References
----------
The project's own postmortem: a hinge on shuffled audio was the first change that made the model listen.
Differs: harder negatives than a permutation, and losses compared in the data's space.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from synesthete.config.diffusion import NegativeKind

__all__ = ["draw_kinds", "hinge", "most_different", "wrong_rows"]


def wrong_rows(
    rows: Float[Tensor, "clips rows columns"],
    scaled: Float[Tensor, "clips rows columns"],
    silence: Float[Tensor, " columns"],
    clips: Sequence[int],
    kinds: Sequence[NegativeKind],
) -> Float[Tensor, "chosen rows columns"]:
    """Give wrong audio for some clips of a batch.

    Parameters
    ----------
    rows
        What is truly heard, of the whole batch; clips ``2k`` and ``2k + 1`` are of one song.
    scaled
        The same, every column about N(0, 1).
    silence
        The row of silence.
    clips
        Which clips.
    kinds
        For each of them, which kind.

    Returns
    -------
    Rows of another clip, or of silence.
    """
    farthest = most_different(scaled)
    count = len(rows)
    found = []
    for clip, kind in zip(clips, kinds, strict=True):
        if kind == "silence":
            found.append(silence.expand_as(rows[clip]))
        elif kind == "shift":
            found.append(rows[clip ^ 1])
        elif kind == "clip":
            found.append(rows[farthest[clip]])
        else:
            # Two on: the next one is of the same song.
            found.append(rows[(clip + 2) % count])
    return torch.stack(found)


def most_different(scaled: Float[Tensor, "clips rows columns"]) -> Int64[Tensor, " clips"]:
    """Say for each clip which other one sounds most different: on average, and frame by frame, alike."""
    flat = scaled.flatten(1)
    means = scaled.mean(dim=1)
    apart = torch.cdist(flat, flat) / flat.shape[1] ** 0.5 + torch.cdist(means, means) / means.shape[1] ** 0.5
    farthest: Tensor = apart.argmax(dim=1)
    return farthest


def draw_kinds(
    weights: Mapping[NegativeKind, float], count: int, draws: np.random.Generator
) -> list[NegativeKind]:
    """Draw kinds of wrong audio by their weights."""
    names = [name for name in get_args(NegativeKind) if weights.get(name)]
    shares = np.array([weights[name] for name in names])
    return [names[place] for place in draws.choice(len(names), size=count, p=shares / shares.sum())]


def hinge(
    good: Float[Tensor, " clips"],
    bad: Float[Tensor, " clips"],
    time: Float[Tensor, " clips"],
    *,
    margin: float,
    space: Literal["velocity", "data", "both"],
) -> Float[Tensor, ""]:
    """Give the mean of ``max(0, margin + good - bad)``.

    Parameters
    ----------
    good, bad
        Mean squared errors of velocities under right and wrong audio.
    time
        Flow time. Data lie ``1 - time`` of a velocity ahead: near the noise the same error leads farther
        astray, so in the data's space wrong audio must cost most where shapes are still decided.
    """
    ahead = (1.0 - time).square()
    parts = []
    if space != "data":
        parts.append(margin + good - bad)
    if space != "velocity":
        parts.append(ahead * (good - bad) + margin * ahead)
    return torch.stack([part.clamp(min=0.0).mean() for part in parts]).mean()
