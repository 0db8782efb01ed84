"""From display RGB to the bytes of a film: dither, then quantise once.

The film's Y'CbCr is rounded straight from float RGB. Going through 8-bit RGB first would round twice and
band dark gradients. The dither is a fixed pattern, so still pictures stay still.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.fuse import Fuser, Kernel

__all__ = ["Quantiser", "dither_pattern"]

# ITU-R BT.709-6, items 3.2-3.4, limited range: Y' = 16 + 219 E'y, C = 128 + 224 E'c.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_BAND_ROWS = 128


def dither_pattern(height: int, width: int) -> Float[Tensor, "height width"]:
    """Give interleaved gradient noise, 0-1: a fixed pattern whose neighbours differ much.

    References
    ----------
    Jimenez, "Next generation post processing in Call of Duty: Advanced Warfare", SIGGRAPH 2014.
    """
    x = torch.arange(width, dtype=torch.float64)[None, :]
    y = torch.arange(height, dtype=torch.float64)[:, None]
    return torch.frac(52.9829189 * torch.frac(0.06711056 * x + 0.00583715 * y)).float()


def _luma(rgb: Tensor, dither: Tensor) -> Tensor:
    r, g, b = rgb.unbind()
    luma = (r * (219 * _RED)).add_(g * (219 * _GREEN)).add_(b * (219 * _BLUE))
    return luma.add_(dither).to(torch.uint8)


def _colour_rows(rgb: Tensor) -> Tensor:
    """Add up rows in pairs and give colour differences: the half of `_chroma` that runs along rows."""
    r, g, b = (rgb[:, 0::2] + rgb[:, 1::2]).unbind()
    luma = (r * _RED).add_(g * _GREEN).add_(b * _BLUE)
    return torch.stack([(b - luma) * (56 / (2 * (1 - _BLUE))), (r - luma) * (56 / (2 * (1 - _RED)))])


def _chroma(rows: Tensor, dither: Tensor) -> Tensor:
    return (rows[:, :, 0::2] + rows[:, :, 1::2]).add_(dither).to(torch.uint8)


def _clipped(rgb: Tensor) -> Tensor:
    return torch.clamp(rgb, 0.0, 1.0)


class Quantiser:
    """Turns float frames of one size into bytes.

    Parameters
    ----------
    size
        Even width and height.
    fuser
        Compiles the conversion, if it can; the bytes are the same.
    """

    def __init__(self, size: Size, fuser: Fuser | None = None) -> None:
        self._size = size
        self._dither = dither_pattern(size.height, size.width)
        self._luma_dither = self._dither + 16.0
        # Chroma takes another part of the pattern, so that luma and chroma errors don't add up.
        pattern = dither_pattern(size.height // 2 + 17, size.width // 2 + 29)
        self._chroma_dither = pattern[17:, 29:] + 128.0
        self._luma: Kernel = _luma
        self._colour_rows: Kernel = _colour_rows
        self._chroma: Kernel = _chroma
        self.fused = fuser is not None and self._fuse(fuser)

    def yuv420(self, rgb: Float[Tensor, "3 height width"]) -> UInt8[Tensor, "rows width"]:
        """Give one planar 4:2:0 frame, BT.709 limited range: Y, then Cb, then Cr, as rows of ``width``.

        Parameters
        ----------
        rgb
            Display RGB; clipped to 0-1.
        """
        height, width = self._size.height, self._size.width
        frame = torch.empty(height * 3 // 2, width, dtype=torch.uint8)
        colour = frame[height:].view(2, height // 2, width // 2)
        step = height if self.fused else _BAND_ROWS
        if self.fused:
            rgb = rgb.contiguous()  # a slice of a larger picture would be compiled for anew
        with torch.no_grad():
            for top in range(0, height, step):
                bottom = min(top + step, height)
                band, half = rgb[:, top:bottom], slice(top // 2, bottom // 2)
                if not self.fused:
                    band = _clipped(band)  # once for both; kernels do it themselves
                frame[top:bottom] = self._luma(band, self._luma_dither[top:bottom])
                colour[:, half] = self._chroma(self._colour_rows(band), self._chroma_dither[half])
        return frame

    def rgb8(self, rgb: Float[Tensor, "3 height width"]) -> UInt8[Tensor, "height width 3"]:
        """Give one 8-bit RGB picture."""
        scaled = torch.clamp(rgb, 0.0, 1.0) * 255.0 + self._dither
        return torch.clamp(scaled, max=255.0).to(torch.uint8).permute(1, 2, 0).contiguous()

    def _fuse(self, fuser: Fuser) -> bool:
        """Compile the kernels, all or none; fused into one, the two halves of chroma take twice as long."""
        with torch.no_grad():
            luma = fuser.fuse(
                "luma",
                lambda rgb, dither: _luma(_clipped(rgb), dither),
                torch.zeros(3, 36, 64),
                torch.zeros(36, 64),
            )
            rows = fuser.fuse("colour rows", lambda rgb: _colour_rows(_clipped(rgb)), torch.zeros(3, 36, 64))
            chroma = fuser.fuse("chroma", _chroma, torch.zeros(2, 18, 64), torch.zeros(18, 32))
        if luma is None or rows is None or chroma is None:
            return False
        self._luma, self._colour_rows, self._chroma = luma, rows, chroma
        return True
