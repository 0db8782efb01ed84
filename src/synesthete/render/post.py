"""What is done to finished pictures: chroma shift, tone curve, grain; drawn frames in, drawn frames out."""

import math
from collections.abc import Iterator
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from synesthete.config.post import Post, ToneCurve
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.seeding import generator_for

__all__ = ["Finisher", "finished"]

_GRAIN_LINES: Final = 1080
"""At so many lines a grain is a pixel; a smaller picture is the same one from further away."""
_GRAIN_SIDE: Final = 512
_GRAIN_DEPTH: Final = 0.09
_BAND_PIXELS: Final = 60_000


def finished(painter: Painter, post: Post, seed: int) -> Painter:
    """Put a finish behind a painter; none where there is nothing to do."""
    return painter if post == Post() else Finisher(painter, post, seed)


class Finisher:
    """A painter whose pictures are finished.

    Parameters
    ----------
    painter
        Draws them.
    post
        What is done to them.
    seed
        Decides the grain.
    """

    def __init__(self, painter: Painter, post: Post, seed: int) -> None:
        self._painter, self._post, self._seed = painter, post, seed
        self._grains: dict[tuple[int, torch.device], Tensor] = {}

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose the painter's numeric path; see `Painter.prepare`."""
        return self._painter.prepare(trajectory, size)

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw and finish frames ``start`` to ``stop`` (exclusive); see `Painter.frames`."""
        pictures = self._painter.frames(trajectory, start, stop, size)
        result = torch.empty(3, size.height, size.width)
        for frame, picture in zip(range(start, stop), pictures, strict=True):
            result = result.to(picture.device)
            with torch.no_grad():
                self._finish(picture, frame, result)
            yield result

    def _finish(
        self,
        picture: Float[Tensor, "3 height width"],
        frame: int,
        result: Float[Tensor, "3 height width"],
    ) -> None:
        """Finish a picture in bands of rows that fit a core's cache."""
        height, width = picture.shape[1:]
        grain = self._grain(frame, height, width, picture.device) if self._post.grain else None
        lens = _Lens(height, width, self._post.chroma_shift, picture.device)
        rows = max(1, _BAND_PIXELS // width)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            band = _toned(lens.seen(picture, top, bottom), self._post.tone_curve)
            if grain is not None:
                light = 0.3 * band[0] + 0.6 * band[1] + 0.1 * band[2]
                band = band + grain[0][grain[1][top:bottom]][:, grain[2]] * (light * (1.0 - light))
            torch.clamp(band, 0.0, 1.0, out=result[:, top:bottom])

    def _grain(
        self, frame: int, height: int, width: int, device: torch.device
    ) -> tuple[Float[Tensor, "rows columns"], Tensor, Tensor]:
        """Give the grain of a frame: a tile, and which of its rows and columns lie where in the picture."""
        tile = self._tile(min(height, width), device)
        draw = generator_for(self._seed, "post.grain", frame)
        down, along = (int(draw.integers(0, side)) for side in tile.shape)
        rows = (torch.arange(height, device=device) + down) % tile.shape[0]
        columns = (torch.arange(width, device=device) + along) % tile.shape[1]
        return tile, rows, columns

    def _tile(self, short: int, device: torch.device) -> Float[Tensor, "rows columns"]:
        """Give a tile of soft noise, deviation 1 at `_GRAIN_LINES`, for pictures of a short side."""
        key = (short, device)
        if key not in self._grains:
            noise = generator_for(self._seed, "post.grain.tile", 0).standard_normal(
                (_GRAIN_SIDE, _GRAIN_SIDE)
            )
            tile = torch.from_numpy(noise).float()
            # A grain is not a pixel wide, but a little soft.
            tile = tile + 0.5 * (tile.roll(1, 0) + tile.roll(1, 1) + tile.roll(-1, 0) + tile.roll(-1, 1))
            tile = tile / tile.std()
            scale = short / _GRAIN_LINES
            if scale > 1:
                side = math.ceil(_GRAIN_SIDE * scale)
                tile = interpolate(tile[None, None], (side, side), mode="bilinear")[0, 0]
            else:
                tile = tile * scale  # many grains to a pixel: their mean
            self._grains[key] = tile.mul_(4.0 * _GRAIN_DEPTH * self._post.grain).to(device)
        return self._grains[key]


class _Lens:
    """Draws red larger than green, and green larger than blue, around the middle, bilinearly."""

    def __init__(self, height: int, width: int, shift: float, device: torch.device) -> None:
        self._shift = shift
        growths = (1.0 + shift, 1.0 + 0.5 * shift)
        self._down = [_places(height, growth, device) for growth in growths]
        self._across = [_places(width, growth, device) for growth in growths]

    def seen(
        self, picture: Float[Tensor, "3 height width"], top: int, bottom: int
    ) -> Float[Tensor, "3 rows width"]:
        """Give some rows as seen through it."""
        if not self._shift:
            return picture[:, top:bottom]
        planes = []
        for plane, down, across in zip(picture[:2], self._down, self._across, strict=True):
            first, share = (place[top:bottom] for place in down)
            rows = torch.lerp(plane[first], plane[first + 1], share[:, None])
            planes.append(torch.lerp(rows[:, across[0]], rows[:, across[0] + 1], across[1]))
        return torch.stack([*planes, picture[2, top:bottom]])


def _places(side: int, by: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give, for every place on a side that is magnified, the one before it, and how far beyond that it is."""
    middle = 0.5 * (side - 1)
    at = (torch.arange(side, device=device, dtype=torch.float32) - middle) / by + middle
    first = torch.clamp(torch.floor(at), 0.0, side - 2.0)
    return first.to(torch.int64), at - first


def _toned(picture: Float[Tensor, "3 height width"], curve: ToneCurve) -> Float[Tensor, "3 height width"]:
    """Bend light; display values are its square roots."""
    if curve == "none":
        return picture
    light = picture * picture
    if curve == "soft":
        return torch.sqrt(light * (1.0 + light / 2.25) / (1.0 + light) * (2.0 / (1.0 + 1.0 / 2.25)))
    if curve == "filmic":
        # Narkowicz's fit of ACES, exposed so that middle grey (18 % of light) stays and white is white.
        light = light * 0.5135
        bent = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
        return torch.sqrt(bent * 1.6001)
    # As a negative's density goes with the logarithm of exposure; half of it, so that dark stays dark.
    logarithmic = torch.sqrt(torch.log1p(light * 6.0) * (1.0 / math.log(7.0)))
    return torch.lerp(picture, logarithmic, 0.5)
