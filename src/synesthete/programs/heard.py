"""Looking the music up: tables of this moment, read between their entries at any position."""

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.place import Plane

__all__ = ["FIGURE_SIDE", "look_up", "look_up_plane", "stereo_figure"]

FIGURE_SIDE = 128
"""Side of the picture of a stereo figure; it spans -1.25 to 1.25 in both directions."""

_FIGURE_SPAN = 1.25
_FIGURE_POINTS = 8
_FIGURE_SIGMA = 1.1
_FIGURE_REACH = 8
"""How far a dot reaches, places: beyond it a Gaussian is under 2e-9 of its middle."""


def look_up(table: Float[Tensor, "*batch entries"], position: Plane) -> Plane:
    """Read a table between its entries, linearly.

    Parameters
    ----------
    position
        0 is the first entry, 1 the second; beyond the ends they are held.
    """
    last = table.shape[-1] - 1
    at = torch.clamp(position, 0.0, float(last))
    first = torch.clamp(torch.floor(at), max=float(last - 1))
    index = _within(first, last - 1)
    return torch.lerp(_take(table, index), _take(table, index + 1), at - first)


def look_up_plane(table: Float[Tensor, "*batch rows columns"], row: Plane, column: Plane) -> Plane:
    """Read a table of rows between its entries, bilinearly; positions as in `look_up`."""
    rows, columns = table.shape[-2:]
    down, along = torch.clamp(row, 0.0, rows - 1.0), torch.clamp(column, 0.0, columns - 1.0)
    top = torch.clamp(torch.floor(down), max=rows - 2.0)
    left = torch.clamp(torch.floor(along), max=columns - 2.0)
    index = _within(top, rows - 2) * columns + _within(left, columns - 2)
    flat = table.reshape(*table.shape[:-2], rows * columns)
    share = along - left
    above = torch.lerp(_take(flat, index), _take(flat, index + 1), share)
    below = torch.lerp(_take(flat, index + columns), _take(flat, index + columns + 1), share)
    return torch.lerp(above, below, down - top)


def _within(place: Plane, last: int) -> Tensor:
    """Give a whole place as an index; of what is no number (a warp may run away) as some index, too."""
    return torch.clamp(place.to(torch.int64), 0, last)


def _take(table: Tensor, index: Tensor) -> Tensor:
    if table.ndim == 1:
        return table[index]
    batch = table.shape[0]
    whole = index.expand(batch, *index.shape[-2:])
    return torch.gather(table, 1, whole.reshape(batch, -1)).view(whole.shape)


def stereo_figure(wave: Float[Tensor, "*batch 2 samples"]) -> Float[Tensor, "*batch side side"]:
    """Draw left against right as a vectorscope does: how long the beam rests where.

    Parameters
    ----------
    wave
        Left and right, -1 to 1.

    Returns
    -------
    `FIGURE_SIDE` squared, 0-1; up is where both are positive (mid), across is their difference (side).
    """
    batch = wave.shape[:-2]
    # One at a time: what is computed on the way stays in the cache.
    figures = [_figure(one) for one in wave.reshape(-1, 2, wave.shape[-1])]
    return torch.stack(figures).reshape(*batch, FIGURE_SIDE, FIGURE_SIDE)


def _figure(wave: Float[Tensor, "2 samples"]) -> Float[Tensor, "side side"]:
    left, right = wave
    points = torch.stack([right - left, -(left + right)]) * 0.7071068
    fine = torch.nn.functional.interpolate(
        points[None], scale_factor=float(_FIGURE_POINTS), mode="linear", align_corners=False
    )[0]
    at = torch.clamp((fine / (2 * _FIGURE_SPAN) + 0.5) * (FIGURE_SIDE - 1), 1.0, FIGURE_SIDE - 2.0)
    # A soft dot for every point, as outer products of what lies near it across and down: no addition by
    # places, so the order of addition is fixed.
    first = torch.floor(at)
    near = torch.arange(1 - _FIGURE_REACH, _FIGURE_REACH + 1, device=wave.device)
    away = (at - first)[..., None] - near
    dots = (away * away).mul_(-0.5 / _FIGURE_SIGMA**2).exp_()
    margin = _FIGURE_REACH - 1
    wide = torch.zeros(*at.shape, FIGURE_SIDE + 2 * _FIGURE_REACH, device=wave.device, dtype=wave.dtype)
    wide.scatter_(-1, first.to(torch.int64)[..., None] + (near + margin), dots)
    across, down = wide[..., margin : margin + FIGURE_SIDE]
    beam = (down.T @ across) * (8.0 / fine.shape[-1])
    return 1.0 - torch.exp(-4.0 * beam)
