"""What is heard around each frame: a network over rows of named features, at twice or more the frame rate.

Dilated convolutions see a window of rows centred on each one: what comes is seen as well as what was. As they
slide over the rows, a film of any length is heard in one piece, and a part of it as in the whole.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["RowEncoder", "reach"]

_KERNEL = 5
_NEVER = 1e4
"""What a column that never varies is divided by: half precision holds it."""


def reach(layers: int) -> int:
    """Count the rows on each side that an encoder of so many layers sees.

    Examples
    --------
    >>> reach(4)
    30
    """
    return int((_KERNEL // 2) * (2**layers - 1))


class RowEncoder(nn.Module):
    """Hears: rows to vectors.

    Parameters
    ----------
    columns
        Columns of a row.
    width
        Channels inside.
    layers
        Dilated convolutions: by 1, 2, 4, … rows.
    size
        Of a vector.
    """

    def __init__(self, columns: int, *, width: int, layers: int, size: int) -> None:
        super().__init__()
        self.reach = reach(layers)
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("deviation", torch.ones(columns))
        self.mean: Tensor
        self.deviation: Tensor
        self.enter = nn.Conv1d(columns, width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, _KERNEL, dilation=2**level) for level in range(layers)
        )
        self.leave = nn.Conv1d(width, size, 1)

    @torch.no_grad()
    def fit_scale(self, rows: Float[Tensor, "clips rows columns"]) -> None:
        """Set what each column is shifted and divided by: its mean and deviation; what never varies is 0."""
        flat = rows.flatten(0, 1).double()
        self.mean.copy_(flat.mean(dim=0))
        deviation = flat.std(dim=0)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, _NEVER))

    def scaled(self, rows: Float[Tensor, "clips rows columns"]) -> Float[Tensor, "clips rows columns"]:
        """Give rows with every column about N(0, 1), and 0 where it never varies."""
        return (rows - self.mean) / self.deviation

    def forward(
        self, rows: Float[Tensor, "clips rows columns"], *, every: int = 1
    ) -> Float[Tensor, "clips frames size"]:
        """Hear.

        Parameters
        ----------
        rows
            ``every`` to a frame, and `reach` more on each side: the first frame's own is row ``reach``.
        every
            Rows from frame to frame.
        """
        x = self.enter(self.scaled(rows).transpose(1, 2))
        for layer in self.layers:
            seen = nn.functional.silu(layer(nn.functional.silu(x)))
            trim = (x.shape[-1] - seen.shape[-1]) // 2
            x = x[..., trim : x.shape[-1] - trim] + seen
        vectors: Tensor = self.leave(nn.functional.silu(x[..., ::every]))
        return vectors.transpose(1, 2)
