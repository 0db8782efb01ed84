"""The painter that finishes another's pictures."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.cube import Cube, read_cube
from synesthete.config.post import Post
from synesthete.errors import RenderError
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.fuse import Fuser, Kernel, Replayed
from synesthete.render.post.amounts import amounts_at
from synesthete.render.post.chain import Chain
from synesthete.render.post.glow import Bloom, narrowed, rows_between
from synesthete.render.post.grain import Grain
from synesthete.render.post.lens import growths, off_axis, places, resample_across
from synesthete.render.post.lut import table_of
from synesthete.render.post.sharpen import mask_weights, sharpened
from synesthete.render.post.trails import Fading, Trails

__all__ = ["Finisher", "finished"]

_BAND_PIXELS: Final = 60_000
_Parts = dict[str, tuple[Tensor, ...]]
_BY_ROW: Final = {"lens": (0, 1, 2, 3), "bloom": (1, 2), "vignette": (1,), "grain": (1,)}
"""Of what a band takes, what has as many entries as the picture has rows."""


def finished(
    painter: Painter,
    post: Post,
    seed: int,
    frame_rate: Fraction,
    fuser: Fuser | None = None,
    *,
    device: torch.device | str = "cpu",
) -> Painter:
    """Put a finish behind a painter; none where there is nothing to do."""
    finisher = Finisher(painter, post, seed, frame_rate, fuser, device=device)
    return painter if finisher.does_nothing else finisher


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
    frame_rate
        Of the film: effects are written in seconds.
    fuser
        Compiles the kernels, if it can.
    device
        Where the painter draws.

    Raises
    ------
    RenderError
        If the table of colours is no longer what it was.
    """

    def __init__(
        self,
        painter: Painter,
        post: Post,
        seed: int,
        frame_rate: Fraction,
        fuser: Fuser | None = None,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self._painter, self._post, self._fuser = painter, post, fuser
        self._device = torch.device(device)
        self._cube = _cube_of(post)
        self._chain = Chain.of(post, self._cube)
        self._grain, self._bloom = Grain(seed, frame_rate), Bloom()
        self._fading = None if post.trails.is_zero else Fading(post.trail_seconds, frame_rate)
        self._sharpens = not post.sharpen.is_zero
        self._table = None if self._cube is None else table_of(self._cube).to(self._device)
        self._paint: Kernel = Replayed(self._chain.paint)
        self._sharpen: Kernel = sharpened
        self._narrow: Kernel = narrowed
        self._fused = False

    @property
    def does_nothing(self) -> bool:
        """Tell whether pictures stay as they are."""
        return self._chain.does_nothing and self._fading is None and not self._sharpens

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Prepare the painter, compile if wanted, and name both numeric paths; see `Painter.prepare`."""
        path = self._painter.prepare(trajectory, size)
        self._fused = self._device.type == "cpu" and self._compile(size)
        if self._fused:
            return f"{path}-post-fused"
        return f"{'eager+' if path.startswith('fused') else ''}{path}-post-eager"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw and finish frames ``start`` to ``stop`` (exclusive); see `Painter.frames`."""
        first = start if self._fading is None else self._fading.first_needed(start)
        trails = None if self._fading is None else Trails(self._fading)
        desk = _Desk(size)
        pictures = self._painter.frames(trajectory, first, stop, size)
        for frame, picture in zip(range(first, stop), pictures, strict=True):
            amounts = amounts_at(self._post, trajectory, frame)
            with torch.no_grad():
                if trails is not None:
                    picture = trails.see(frame, picture, amounts["trails"])
                if frame >= start:
                    yield self._finish(picture, frame, amounts, desk)

    def _finish(
        self, picture: Float[Tensor, "3 height width"], frame: int, amounts: dict[str, float], desk: "_Desk"
    ) -> Float[Tensor, "3 height width"]:
        size, device = desk.size, picture.device
        if self._sharpens:
            weights, amount = mask_weights(size).to(device), torch.tensor([amounts["sharpen"]], device=device)
            picture = self._sharpen(*picture, weights, amount)
        parts: _Parts = {}
        red, green, blue = picture
        if self._chain.lens:
            red, green, parts["lens"] = desk.through_lens(red, green, amounts["chroma_shift"])
        if self._chain.bloom:
            spilt = self._bloom.spread(picture, self._narrow)
            parts["bloom"] = (spilt, *rows_between(size.height, spilt.shape[1], device))
        if self._chain.vignette:
            parts["vignette"] = off_axis(size, device)
        if self._table is not None:
            parts["table"] = (self._table,)
        if self._chain.grain:
            parts["grain"] = self._grain.at(frame, size, device)
        values = self._chain.values(amounts, self._cube).to(device)
        if self._chain.does_nothing:
            return picture
        if self._fused:
            return self._paint(red, green, blue, *self._chain.tensors(values, parts))
        return self._in_bands((red, green, blue), values, parts, desk)

    def _in_bands(
        self, planes: tuple[Tensor, Tensor, Tensor], values: Tensor, parts: _Parts, desk: "_Desk"
    ) -> Float[Tensor, "3 height width"]:
        """Finish a picture in bands of rows that fit a core's cache."""
        height, width = desk.size.height, desk.size.width
        result = desk.result(values.device)
        rows = max(1, _BAND_PIXELS // width) if values.device.type == "cpu" else height
        for top in range(0, height, rows):
            band = slice(top, min(top + rows, height))
            cut = {
                name: tuple(t[band] if k in _BY_ROW.get(name, ()) else t for k, t in enumerate(tensors))
                for name, tensors in parts.items()
            }
            colours = (*planes[:2], planes[2][band]) if self._chain.lens else [p[band] for p in planes]
            result[:, band] = self._paint(*colours, *self._chain.tensors(values, cut))
        return result

    def _compile(self, size: Size) -> bool:
        """Compile the kernels, all or none."""
        if self._fuser is None or not self._fuser.available:
            return False
        # No two sides alike: tracing takes sizes that are equal in the example for equal always.
        small = Size(96, 54)
        picture, desk = torch.zeros(3, small.height, small.width), _Desk(small)
        parts: _Parts = {
            "lens": desk.through_lens(picture[0], picture[1], 0.01)[2],
            "bloom": (torch.zeros(3, 31, small.width), *rows_between(small.height, 31, picture.device)),
            "vignette": off_axis(small, picture.device),
            "table": () if self._table is None else (self._table,),
            "grain": (
                torch.zeros(67, small.width + 61)[:, : small.width],
                torch.zeros(54, dtype=torch.int64),
            ),
        }
        amounts = {name: value.base for name, (value, _) in self._post.amounts().items()}
        values = self._chain.values(amounts, self._cube)
        weights, places = mask_weights(size), self._bloom.example(size)
        wanted: list[tuple[object, Kernel, tuple[Tensor, ...]]] = [
            (("post", self._chain), self._chain.paint, (*picture, *self._chain.tensors(values, parts))),
            (("sharpen", len(weights)), sharpened, (*picture, weights, torch.zeros(1))),
            (
                ("narrow", places[1].shape[1]),
                narrowed,
                (torch.zeros(3, size.height, small.width), *places),  # as high as the places say
            ),
        ]
        needed = (True, self._sharpens, self._chain.bloom)
        with torch.no_grad():
            kernels = [
                self._fuser.fuse(key, kernel, *example, long=kernel is sharpened) if is_needed else kernel
                for (key, kernel, example), is_needed in zip(wanted, needed, strict=True)
            ]
        if None in kernels:
            return False
        self._paint, self._sharpen, self._narrow = (kernel for kernel in kernels if kernel is not None)
        return True


class _Desk:
    """The memory that one run of frames works in: new memory would cost page faults."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._lens: Tensor | None = None
        self._result: Tensor | None = None

    def result(self, device: torch.device) -> Float[Tensor, "3 height width"]:
        """Give the memory for a finished picture."""
        if self._result is None:
            self._result = torch.empty(3, self.size.height, self.size.width, device=device)
        return self._result

    def through_lens(
        self, red: Tensor, green: Tensor, shift: float
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Magnify red and green along their rows; say where along the columns each row is to be taken."""
        if self._lens is None:
            self._lens = torch.empty(2, self.size.height, self.size.width, device=red.device)
        along: list[Tensor] = []
        for plane, by, out in zip((red, green), growths(shift), self._lens, strict=True):
            resample_across(plane, *places(self.size.width, by, red.device), out)
            along += places(self.size.height, by, red.device)
        return self._lens[0], self._lens[1], tuple(along)


def _cube_of(post: Post) -> Cube | None:
    if post.lut is None or post.lut_amount.is_zero:
        return None
    if post.lut.place is None:
        raise ValueError(f"the table {post.lut.file} was not looked for")
    cube = read_cube(post.lut.place)
    if cube.sha256 != post.lut.sha256:
        raise RenderError(f"{post.lut.place} was changed while it was used; repeat the command")
    return cube
