"""The kinds of pixels that encoders are given, and how a picture of each lies in an array."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import av
import numpy as np

from synesthete.errors import RenderError

__all__ = ["RGB8", "RGBA8", "YUV420P8", "Picture", "Pixels"]

Picture = np.ndarray[Any, Any]
"""One frame in an array of the shape and type that its `Pixels` say."""

_BT709 = 1  # the code for BT.709 in the tables of primaries, transfer and matrix (ITU-T H.273)
_LIMITED_RANGE, _FULL_RANGE = 1, 2  # FFmpeg's AVColorRange: Y 16-235 and C 16-240 at 8 bits; all values
_SRGB_TRANSFER, _RGB_MATRIX = 13, 0


@dataclass(frozen=True)
class Pixels:
    """One kind of pixels.

    Y'CbCr is planar, BT.709 in limited range: rows of Y, then Cb, then Cr, then alpha in full range, as rows
    of the picture's width, of 8 bits or of 10 in the low bits of 16. RGB is interleaved.

    Attributes
    ----------
    name
        FFmpeg's.
    chroma
        ``420``, ``422`` or ``444``; or ``rgb``.
    depth
        Bits per value.
    alpha
        Whether there is an alpha plane or channel; colours then are straight, not multiplied by it.
    """

    name: str
    chroma: Literal["420", "422", "444", "rgb"]
    depth: int = 8
    alpha: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """Give the array's type."""
        return np.dtype(np.uint8 if self.depth == 8 else np.uint16)

    @property
    def halved(self) -> tuple[int, int]:
        """Give by how much chroma is smaller than luma: down and across."""
        return {"420": (2, 2), "422": (1, 2)}.get(self.chroma, (1, 1))

    def shape(self, height: int, width: int) -> tuple[int, ...]:
        """Give the array's shape for a picture.

        Examples
        --------
        >>> YUV420P8.shape(72, 128), RGBA8.shape(72, 128)
        ((108, 128), (72, 128, 4))
        """
        if self.chroma == "rgb":
            return (height, width, 4 if self.alpha else 3)
        down, across = self.halved
        return (height + 2 * height // (down * across) + (height if self.alpha else 0), width)

    def frame_of(
        self, picture: Picture, height: int, width: int, *, name: str = "the frame"
    ) -> av.VideoFrame:
        """Give FFmpeg a picture, with its colours named; ``name`` is for the message.

        Raises
        ------
        RenderError
            If the array has another shape or type.
        """
        if picture.shape != self.shape(height, width) or picture.dtype != self.dtype:
            raise RenderError(
                f"{name} has shape {picture.shape} and type {picture.dtype}, not "
                f"{self.shape(height, width)} and {self.dtype}, for {self.name}"
            )
        if self.chroma == "rgb":
            frame = av.VideoFrame.from_ndarray(picture, format=self.name)
            frame.colorspace, frame.color_range = _RGB_MATRIX, _FULL_RANGE
            frame.color_primaries, frame.color_trc = _BT709, _SRGB_TRANSFER
            return frame
        if self == YUV420P8:
            frame = av.VideoFrame.from_ndarray(picture, format=self.name)
        else:
            frame = av.VideoFrame(width, height, self.name)
            for source, plane in zip(self._planes(picture, height, width), frame.planes, strict=True):
                rows = np.frombuffer(memoryview(plane), self.dtype).reshape(
                    -1, plane.line_size // self.dtype.itemsize
                )
                rows[: source.shape[0], : source.shape[1]] = source
        frame.colorspace = frame.color_primaries = frame.color_trc = _BT709
        frame.color_range = _LIMITED_RANGE
        return frame

    def _planes(self, picture: Picture, height: int, width: int) -> list[Picture]:
        down, across = self.halved
        behind = height + 2 * height // (down * across)
        chroma = picture[height:behind].reshape(2, height // down, width // across)
        return [picture[:height], *chroma, *([picture[behind:]] if self.alpha else [])]


YUV420P8: Final = Pixels("yuv420p", "420")
RGB8: Final = Pixels("rgb24", "rgb")
RGBA8: Final = Pixels("rgba", "rgb", alpha=True)
