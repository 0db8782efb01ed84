r"""The field decoder: from latents to a picture of any size.

A convolutional *trunk* turns latents into a grid of features, eight cells to a latent along each side. A
small coordinate network then draws the picture. One query paints a *cell* of 2x2 pixels:

.. math:: z = F(x) + A\,p(x) + b, \quad h_1 = \sin z, \quad h_2 = \sin(W_1 h_1 + b_1), \quad
          \mathrm{rgb} = W_2 h_2 + W_0 F(x)

:math:`F(x)` are the features around the query, mixed by quadratic B-splines, so that neither the picture nor
its slopes jump where one feature's reach ends. :math:`p(x)` says where between features the query lies, as
sines and cosines with their period; gains and biases of both layers depend on how large a pixel is, so that
a small picture is the large one, filtered. As splines of a grid are separable, interpolation is two matrix
products.

References
----------
Chen, Liu & Wang, "Learning continuous image representation with local implicit image function" (LIIF), CVPR
2021. Chen et al., "Image neural field diffusion models", CVPR 2024. Differs: splines instead of an ensemble
of nearest features; sine units (Sitzmann et al., 2020); 2x2 pixels to a query.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["CELLS", "Canvas", "FieldDecoder", "Residual", "draw_cells", "spline_weights"]

CELLS: Final = 8
"""Features to a latent, along each side."""

_BASE: Final = 3
_COLOURS: Final = 4 * 3
_BAND: Final = 16
_PLACES: Final = 2
_SIZE_UNITS: Final = 16


class Canvas(NamedTuple):
    """A rectangle of a picture of some size, in cells of 2x2 pixels.

    Attributes
    ----------
    columns, rows
        The middles of cells, as shares of the picture's width and height: 0 is the left and the upper edge.
        One row of numbers for all pictures, or one for each.
    width
        Width of a pixel, as a share of the picture's width; one number for all pictures, or one for each.
    """

    columns: Float[Tensor, "#batch columns"]
    rows: Float[Tensor, "#batch rows"]
    width: Float[Tensor, " #batch"]

    @classmethod
    def of(
        cls,
        size: tuple[int, int],
        *,
        shown: tuple[float, float] = (1.0, 1.0),
        device: torch.device | str = "cpu",
    ) -> "Canvas":
        """Give the canvas of a whole picture, or of its middle.

        Parameters
        ----------
        size
            Width and height of what is shown, pixels; an odd number is rounded up to cells.
        shown
            The shares of the picture's width and height that it shows, above 0 to 1.
        """
        sides = [
            torch.arange((pixels + 1) // 2, device=device, dtype=torch.float32) * (2.0 * share / pixels)
            + (0.5 - 0.5 * share + share / pixels)
            for pixels, share in zip(size, shown, strict=True)
        ]
        return cls(sides[0][None], sides[1][None], torch.tensor([shown[0] / size[0]], device=device))

    @classmethod
    def crops(
        cls, side: int, places: Float[Tensor, "batch 4"], *, device: torch.device | str = "cpu"
    ) -> "Canvas":
        """Give the canvas of square crops of pictures.

        Parameters
        ----------
        side
            Of a crop, pixels; even.
        places
            For each crop, pixels: the whole picture's width and height, the crop's left and top.
        """
        sizes, corners = places[:, :2].to(device, torch.float32), places[:, 2:].to(device, torch.float32)
        inside = torch.arange(side // 2, device=device, dtype=torch.float32) * 2.0 + 1.0
        shares = (corners[:, :, None] + inside) / sizes[:, :, None]
        return cls(shares[:, 0], shares[:, 1], 1.0 / sizes[:, 0])


def spline_weights(
    places: Float[Tensor, "batch places"], cells: int
) -> Float[Tensor, "batch places {cells}"]:
    """Say how much of each cell's value is found at places between them: quadratic B-splines.

    Parameters
    ----------
    places
        In cells: the middle of the first one is 0. Beyond the ends the last value is held.

    Returns
    -------
    Weights that sum to one.

    Examples
    --------
    >>> spline_weights(torch.tensor([[1.0, 1.5]]), 3)
    tensor([[[0.1250, 0.7500, 0.1250],
             [0.0000, 0.5000, 0.5000]]])
    """
    index = torch.arange(-1, cells + 1, device=places.device, dtype=places.dtype)
    apart = (places.clamp(-0.5, cells - 0.5)[..., None] - index).abs()
    weights = torch.where(apart < 0.5, 0.75 - apart * apart, 0.5 * (1.5 - apart).clamp(min=0.0).square())
    inner = weights[..., 1:-1].clone()
    inner[..., 0] += weights[..., 0]
    inner[..., -1] += weights[..., -1]
    return inner


class _Seen(NamedTuple):
    """Features through a canvas."""

    own: Float[Tensor, "batch high columns features"]
    base: Float[Tensor, "batch high columns 12"]
    down: Float[Tensor, "#batch rows high"]
    rows: Float[Tensor, "#batch rows 1 features"]
    weight: Float[Tensor, "#batch features features"]
    bias: Float[Tensor, "#batch 1 features"]


class Residual(nn.Module):
    """Two 3x3 convolutions whose outcome is added; at first it is nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch channels h w"]:
        """Refine."""
        outcome: Tensor = self.second(nn.functional.silu(self.first(nn.functional.silu(x))))
        return x + outcome


class FieldDecoder(nn.Module):
    """Draws latents at any size.

    Parameters
    ----------
    latents
        Channels of the latents.
    widths
        Channels of the trunk at 1, 2 and 4 cells to a latent.
    blocks
        Residual blocks at 1, 2, 4 and 8 cells to a latent.
    features
        Channels of the features, and units of both hidden layers of the coordinate network.
    """

    def __init__(self, *, latents: int, widths: Sequence[int], blocks: Sequence[int], features: int) -> None:
        super().__init__()
        outs = (*widths, features)
        layers: list[nn.Module] = [nn.Conv2d(latents, outs[0], 3, padding=1)]
        for level, (width, count) in enumerate(zip(outs, blocks, strict=True)):
            layers += [Residual(width) for _ in range(count)]
            if level + 1 < len(outs):
                layers += [nn.Conv2d(width, 4 * outs[level + 1], 1), nn.PixelShuffle(2)]
        self.trunk = nn.Sequential(*layers)
        self.base = nn.Conv2d(latents, _BASE * CELLS * CELLS, 1)
        self.place = nn.Linear(2 * 2 * _PLACES, features)
        self.size = nn.Sequential(nn.Linear(1, _SIZE_UNITS), nn.SiLU(), nn.Linear(_SIZE_UNITS, 4 * features))
        self.hidden = nn.Linear(features, features)
        self.out = nn.Linear(features, _COLOURS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self._features = features

    def forward(
        self, latents: Float[Tensor, "batch channels h w"], canvas: Canvas
    ) -> Float[Tensor, "batch 3 height width"]:
        """Draw in one piece: for training, and for small pictures."""
        return self.paint(self.features(latents), canvas)

    def features(
        self, latents: Float[Tensor, "batch channels h w"]
    ) -> Float[Tensor, "batch rows columns features"]:
        """Make the grid of features: what is seen, before it is drawn at a size.

        Returns
        -------
        `CELLS` cells to a latent along each side; the first three channels are a smooth picture, the others
        what draws the rest.
        """
        base = nn.functional.pixel_shuffle(self.base(latents), CELLS)
        first: Any = self.trunk[0]
        seen = self.trunk(latents.to(first.weight.dtype))  # half precision, if the trunk is
        return torch.cat([base, seen], dim=1).permute(0, 2, 3, 1)

    def paint(
        self, features: Float[Tensor, "batch rows columns features"], canvas: Canvas
    ) -> Float[Tensor, "batch 3 height width"]:
        """Draw a rectangle of pictures.

        Returns
        -------
        Display RGB, about 0-1, two pixels to each column and row of the canvas.
        """
        seen = self._look(features, canvas)
        cells = (seen.down @ part.flatten(2) for part in (seen.own, seen.base))
        count = (features.shape[0], seen.down.shape[1], -1)
        own, base = (
            part.view(*count, channels)
            for part, channels in zip(cells, (self._features, _COLOURS), strict=True)
        )
        return self._pixels(self.draw_cells(own, base, seen.rows, seen.weight, seen.bias))

    def bands(
        self,
        features: Float[Tensor, "1 rows columns features"],
        size: tuple[int, int],
        *,
        shown: tuple[float, float] = (1.0, 1.0),
        kernel: Callable[..., Tensor] | None = None,
    ) -> Iterator[tuple[int, Float[Tensor, "3 band width"]]]:
        """Draw a large picture, a band of rows after the other.

        Parameters
        ----------
        size
            Width and height, pixels.
        shown
            See `Canvas.of`.
        kernel
            `draw_cells`, compiled.

        Yields
        ------
        The first row of a band, and its pixels, 0-1.
        """
        seen = self._look(features, Canvas.of(size, shown=shown, device=features.device))
        own, base, down = seen.own[0].flatten(1), seen.base[0].flatten(1), seen.down[0]
        for top in range(0, len(down), _BAND):
            weights = down[top : top + _BAND]
            near = weights.any(dim=0).nonzero()
            reach = slice(int(near[0]), int(near[-1]) + 1)
            drawn = (kernel or self.draw_cells)(
                (weights[:, reach] @ own[reach]).view(1, len(weights), -1, self._features),
                (weights[:, reach] @ base[reach]).view(1, len(weights), -1, _COLOURS),
                seen.rows[:, top : top + _BAND],
                seen.weight,
                seen.bias,
            )
            pixels = self._pixels(drawn)[0, :, : size[1] - 2 * top, : size[0]]
            yield 2 * top, pixels.clamp(0.0, 1.0)

    def draw_cells(
        self,
        own: Float[Tensor, "batch rows columns features"],
        base: Float[Tensor, "batch rows columns 12"],
        rows: Float[Tensor, "#batch rows 1 features"],
        weight: Float[Tensor, "#batch features features"],
        bias: Float[Tensor, "#batch 1 features"],
    ) -> Float[Tensor, "batch rows columns 12"]:
        """Draw cells of 2x2 pixels: the coordinate network.

        Parameters
        ----------
        own
            Features mixed at each cell, with what its column adds to the first hidden layer.
        base
            The smooth picture, for each of a cell's pixels.
        rows
            What a cell's row adds to the first hidden layer.
        weight, bias
            Of the second hidden layer, at this size of pixels; transposed.
        """
        return draw_cells(own, base, rows, weight, bias, self.out.weight)

    def _look(self, features: Float[Tensor, "batch rows columns features"], canvas: Canvas) -> "_Seen":
        """Look at features through a canvas: mix them along its columns, and fold in what does not vary.

        Splines sum to one, so that what is the same in all of a column's cells is added before they are mixed
        along it.
        """
        high, wide = features.shape[1:3]
        # 0 where a pixel is half a feature wide: at the size that encoders see.
        octaves = torch.log2(canvas.width * (2.0 * wide))
        gains = self.size(octaves[:, None]).view(-1, 4, 1, self._features)
        of_column, of_row = self.place.weight.chunk(2, dim=1)
        columns = nn.functional.linear(_waves(canvas.columns * wide), of_column, self.place.bias)
        across = spline_weights(canvas.columns * wide - 0.5, wide).to(features)[:, None]
        own = across @ (features[..., _BASE:] * (1.0 + gains[:, 0, None])) + (columns + gains[:, 1])[:, None]
        gain = 1.0 + gains[:, 2]
        return _Seen(
            own=own,
            base=across @ (features[..., :_BASE].repeat(1, 1, 1, 4) + self.out.bias),
            down=spline_weights(canvas.rows * high - 0.5, high).to(features),
            rows=nn.functional.linear(_waves(canvas.rows * high), of_row)[:, :, None],
            weight=(self.hidden.weight.T * gain).to(own),
            bias=(self.hidden.bias * gain + gains[:, 3]).to(own),
        )

    @staticmethod
    def _pixels(cells: Float[Tensor, "batch rows columns 12"]) -> Float[Tensor, "batch 3 height width"]:
        batch, rows, columns, _ = cells.shape
        parts = cells.view(batch, rows, columns, 2, 2, 3)
        return parts.permute(0, 5, 1, 3, 2, 4).reshape(batch, 3, 2 * rows, 2 * columns)


def draw_cells(
    own: Float[Tensor, "batch rows columns features"],
    base: Float[Tensor, "batch rows columns 12"],
    rows: Float[Tensor, "#batch rows 1 features"],
    weight: Float[Tensor, "#batch features features"],
    bias: Float[Tensor, "#batch 1 features"],
    out: Float[Tensor, "12 features"],
) -> Float[Tensor, "batch rows columns 12"]:
    """Draw cells; see `FieldDecoder.draw_cells`. All that it depends on is passed, ``out`` too."""
    h = torch.sin(own + rows).flatten(1, 2)
    h = torch.sin(torch.baddbmm(bias, h, weight.expand(h.shape[0], -1, -1)))
    return base + nn.functional.linear(h, out).view_as(base)


def _waves(places: Float[Tensor, "batch places"]) -> Float[Tensor, "batch places waves"]:
    turns = 2.0 * math.pi * places[..., None] * torch.arange(1, _PLACES + 1, device=places.device)
    return torch.cat([torch.sin(turns), torch.cos(turns)], dim=-1)
