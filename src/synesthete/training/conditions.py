"""What the model that listens is given: rows cut to what its frames hear, and styles, as it was trained."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.config.data import DataConfig
from synesthete.config.diffusion import ConditionConfig
from synesthete.models.diffusion import Diffusion, Manner

__all__ = ["hear", "heard_rows", "silence_of", "styled"]


def heard_rows(
    model: Diffusion, data: DataConfig, rows: Float[Tensor, "clips around columns"], frames: int
) -> Float[Tensor, "clips rows heard"]:
    """Cut rows to those that frames hear, and to the columns that the model has.

    Parameters
    ----------
    rows
        As items have them: the Timeline's columns, then any others.
    frames
        Of a clip.

    Returns
    -------
    From the model's reach before the first frame's own row to as many after the last one's.
    """
    reach, each = model.ear.reach, data.rows_per_frame
    first = data.context_frames * each
    own = rows[:, first - reach : first + each * (frames - 1) + 1 + reach]
    columns = [COLUMN_NAMES.index(name) for name in model.spec.columns if name in COLUMN_NAMES]
    return torch.cat([own[..., columns], own[..., len(COLUMN_NAMES) :]], dim=-1)


def silence_of(
    data: DataConfig, rows: Float[Tensor, "clips around columns"], frames: int
) -> Float[Tensor, "clips frames"]:
    """Give how silent it is at each frame, 0-1."""
    each = data.rows_per_frame
    first = data.context_frames * each
    return rows[:, first : first + each * frames : each, COLUMN_NAMES.index("silence")]


def hear(
    model: Diffusion,
    config: ConditionConfig,
    rows: Float[Tensor, "clips rows heard"],
    dropped: Bool[Tensor, " clips"] | None = None,
) -> Float[Tensor, "clips frames condition"]:
    """Hear rows: each frame its own moment, or all the mean of the clip, as the model was trained."""
    heard = model.hear(rows, dropped=dropped)
    return heard if config.aligned else heard.mean(dim=1, keepdim=True).expand_as(heard)


def styled(model: Diffusion, config: ConditionConfig, style: Float[Tensor, "clips size"]) -> Manner:
    """Give standard styles as conditions; none at all to a model that was trained without any."""
    none = torch.full((len(style),), config.p_style_drop == 1.0, device=style.device)
    return model.styled(model.styles(style), dropped=none)
