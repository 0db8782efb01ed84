"""Display RGB to planar Y'CbCr of 8 or 10 bits, in 4:2:0, 4:2:2 or 4:4:4."""

from typing import Final

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.fuse import Fuser, Kernel
from synesthete.media.pixels import Picture, Pixels

__all__ = ["Planar", "dither_pattern"]

# ITU-R BT.709-6, items 3.2-3.4, limited range: Y' = 16 + 219 E'y, C = 128 + 224 E'c; in 10 bits, four times
# that.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_BAND_ROWS: Final = 128


def dither_pattern(height: int, width: int) -> Float[Tensor, "height width"]:
    """Give interleaved gradient noise, 0-1: a fixed pattern whose neighbours differ much.

    References
    ----------
    Jimenez, "Next generation post processing in Call of Duty: Advanced Warfare", SIGGRAPH 2014.
    """
    x = torch.arange(width, dtype=torch.float64)[None, :]
    y = torch.arange(height, dtype=torch.float64)[:, None]
    return torch.frac(52.9829189 * torch.frac(0.06711056 * x + 0.00583715 * y)).float()


class _Kernels:
    """The arithmetic for one kind of pixels: plain functions of tensors, so that they can be compiled."""

    def __init__(self, pixels: Pixels) -> None:
        self._scale = 1 << (pixels.depth - 8)
        self._down, self._across = pixels.halved
        # torch counts in 16 bits with a sign; ten bits fit.
        self.dtype = torch.uint8 if pixels.depth == 8 else torch.int16

    def luma(self, rgb: Tensor, dither: Tensor) -> Tensor:
        full = 219 * self._scale
        r, g, b = rgb.unbind()
        luma = (r * (full * _RED)).add_(g * (full * _GREEN)).add_(b * (full * _BLUE))
        return luma.add_(dither).to(self.dtype)

    def colour_rows(self, rgb: Tensor) -> Tensor:
        """Add up rows in pairs and give colour differences: the half of chroma that runs along rows."""
        full = 224 * self._scale / (self._down * self._across)
        summed = rgb[:, 0::2] + rgb[:, 1::2] if self._down == 2 else rgb
        r, g, b = summed.unbind()
        luma = (r * _RED).add_(g * _GREEN).add_(b * _BLUE)
        return torch.stack([(b - luma) * (full / (2 * (1 - _BLUE))), (r - luma) * (full / (2 * (1 - _RED)))])

    def chroma(self, rows: Tensor, dither: Tensor) -> Tensor:
        summed = rows[:, :, 0::2] + rows[:, :, 1::2] if self._across == 2 else rows
        return (summed + dither).to(self.dtype)


def _clipped(rgb: Tensor) -> Tensor:
    return torch.clamp(rgb, 0.0, 1.0)


class Planar:
    """Turns float frames of one size into planes of one kind.

    Parameters
    ----------
    size
        Even width and height.
    pixels
        Which kind.
    fuser
        Compiles the conversion, if it can; the values are the same.
    """

    def __init__(self, size: Size, pixels: Pixels, fuser: Fuser | None = None) -> None:
        self._size, self._pixels = size, pixels
        kernels = _Kernels(pixels)
        self._dtype = kernels.dtype
        scale = 1 << (pixels.depth - 8)
        down, across = pixels.halved
        self._luma_dither = dither_pattern(size.height, size.width) + 16.0 * scale
        # Chroma takes another part of the pattern, so that luma and chroma errors don't add up.
        pattern = dither_pattern(size.height // down + 17, size.width // across + 29)
        self._chroma_dither = pattern[17:, 29:] + 128.0 * scale
        self._luma: Kernel = kernels.luma
        self._colour_rows: Kernel = kernels.colour_rows
        self._chroma: Kernel = kernels.chroma
        self.fused = fuser is not None and self._fuse(fuser, kernels)

    def picture(
        self, rgb: Float[Tensor, "3 height width"], alpha: Float[Tensor, "height width"] | None
    ) -> Picture:
        """Give a frame's planes as the encoder takes them, with an alpha plane of whole numbers behind."""
        return self.planes(rgb, alpha).numpy().view(self._pixels.dtype)

    def planes(
        self, rgb: Float[Tensor, "3 height width"], alpha: Float[Tensor, "height width"] | None = None
    ) -> Shaped[Tensor, "rows width"]:
        """Give a frame's planes, one below the other, as rows of the picture's width."""
        height, width = self._size.height, self._size.width
        down, across = self._pixels.halved
        frame = torch.empty(self._pixels.shape(height, width), dtype=self._dtype)
        behind = height + 2 * height // (down * across)
        colour = frame[height:behind].view(2, height // down, width // across)
        step = height if self.fused else _BAND_ROWS
        if self.fused:
            rgb = rgb.contiguous()  # a slice of a larger picture would be compiled for anew
        with torch.no_grad():
            for top in range(0, height, step):
                bottom = min(top + step, height)
                band, part = rgb[:, top:bottom], slice(top // down, bottom // down)
                if not self.fused:
                    band = _clipped(band)  # once for both; kernels do it themselves
                frame[top:bottom] = self._luma(band, self._luma_dither[top:bottom])
                colour[:, part] = self._chroma(self._colour_rows(band), self._chroma_dither[part])
            if alpha is not None:
                frame[behind:] = alpha.to(self._dtype)
        return frame

    def _fuse(self, fuser: Fuser, kernels: _Kernels) -> bool:
        """Compile the kernels, all or none; fused into one, the two halves of chroma take twice as long."""
        down, across = self._pixels.halved
        kind = f"{self._pixels.chroma} {self._pixels.depth}"
        with torch.no_grad():
            luma = fuser.fuse(
                f"luma {kind}",
                lambda rgb, dither: kernels.luma(_clipped(rgb), dither),
                torch.zeros(3, 36, 64),
                torch.zeros(36, 64),
            )
            rows = fuser.fuse(
                f"colour rows {kind}",
                lambda rgb: kernels.colour_rows(_clipped(rgb)),
                torch.zeros(3, 36, 64),
            )
            chroma = fuser.fuse(
                f"chroma {kind}",
                kernels.chroma,
                torch.zeros(2, 36 // down, 64),
                torch.zeros(36 // down, 64 // across),
            )
        if luma is None or rows is None or chroma is None:
            return False
        self._luma, self._colour_rows, self._chroma = luma, rows, chroma
        return True
