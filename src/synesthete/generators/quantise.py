"""From display RGB to the bytes of a film: dither, then quantise once.

The film's Y'CbCr is rounded straight from float RGB. Going through 8-bit RGB first would round twice and
band dark gradients. The dither is a fixed pattern, so still pictures stay still.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.fuse import Fuser
from synesthete.generators.key import keyed
from synesthete.generators.planar import Planar, dither_pattern
from synesthete.media.pixels import YUV420P8, Picture, Pixels

__all__ = ["Quantiser", "dither_pattern"]

_BAND_ROWS = 64


class Quantiser:
    """Turns float frames of one size into what encoders, observers and pictures want.

    Parameters
    ----------
    size
        Even width and height.
    fuser
        Compiles the conversion, if it can; the bytes are the same.
    pixels
        What the film's encoder wants.
    """

    def __init__(self, size: Size, fuser: Fuser | None = None, pixels: Pixels = YUV420P8) -> None:
        self._pixels = pixels
        self._plain = Planar(size, YUV420P8, fuser)
        self._own = self._plain
        if pixels.chroma != "rgb" and pixels != YUV420P8:
            self._own = Planar(size, pixels, fuser)
        self._dither = dither_pattern(size.height, size.width)
        self.fused = self._plain.fused and self._own.fused

    @property
    def plain(self) -> bool:
        """Tell whether the film's pictures are what `yuv420` gives."""
        return self._pixels == YUV420P8

    def picture(self, rgb: Float[Tensor, "3 height width"]) -> Picture:
        """Give one frame in the film's pixels; see `synesthete.media.pixels.Pixels`.

        Parameters
        ----------
        rgb
            Display RGB; clipped to 0-1.
        """
        alpha = None
        if self._pixels.alpha:
            rgb, alpha = self._keyed(rgb)
        if self._pixels.chroma != "rgb":
            return self._own.picture(rgb, alpha)
        colours = self.rgb8(rgb)
        if alpha is not None:
            colours = torch.cat([colours, alpha.to(torch.uint8)[..., None]], 2)
        return colours.numpy()

    def yuv420(self, rgb: Float[Tensor, "3 height width"]) -> UInt8[Tensor, "rows width"]:
        """Give one planar 4:2:0 frame, BT.709 limited range: Y, then Cb, then Cr, as rows of ``width``.

        Parameters
        ----------
        rgb
            Display RGB; clipped to 0-1.
        """
        return self._plain.planes(rgb)

    def _keyed(
        self, rgb: Float[Tensor, "3 height width"]
    ) -> tuple[Float[Tensor, "3 height width"], Float[Tensor, "height width"]]:
        """Split a picture into colours and alpha, in bands that fit a core's cache."""
        colours, alpha = torch.empty_like(rgb), torch.empty(rgb.shape[1:])
        for top in range(0, rgb.shape[1], _BAND_ROWS):
            band = slice(top, top + _BAND_ROWS)
            levels = (1 << self._pixels.depth) - 1
            colours[:, band], alpha[band] = keyed(rgb[:, band], levels=levels)
        return colours, alpha

    def rgb8(self, rgb: Float[Tensor, "3 height width"]) -> UInt8[Tensor, "height width 3"]:
        """Give one 8-bit RGB picture."""
        scaled = torch.clamp(rgb, 0.0, 1.0) * 255.0 + self._dither
        return torch.clamp(scaled, max=255.0).to(torch.uint8).permute(1, 2, 0).contiguous()
