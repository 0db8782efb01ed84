"""Turn decoded pictures of any kind into the one form in which all are drawn, measured and encoded."""

from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from jaxtyping import Float32, UInt8

__all__ = ["Planes", "planes_of"]

Planes = UInt8[np.ndarray, "rows width"]
"""One frame: planar 4:2:0, BT.709 limited range, as rows of ``width``: Y, then Cb, then Cr."""

_LIMITED, _FULL = 1, 2  # FFmpeg's AVColorRange
_MATRICES: Final = {  # codes of ITU-T H.273
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_SCALING: Final = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def planes_of(frame: av.VideoFrame, reformatter: VideoReformatter, width: int, height: int) -> Planes:
    """Convert a decoded picture of any size, pixel format, range and matrix.

    Parameters
    ----------
    reformatter
        FFmpeg's scaler, kept from picture to picture.
    width, height
        Size to give, pixels, even. A picture that has it but for an odd row or column is cropped, any other
        one scaled.

    Returns
    -------
    A new array; what needs no conversion is copied.
    """
    alpha = _alpha(frame, reformatter, width, height)
    fits = frame.width - frame.width % 2 == width and frame.height - frame.height % 2 == height
    matrix, full = _colour(frame)
    if not (fits and frame.format.name == "yuv420p" and matrix is Colorspace.ITU709 and not full):
        frame = reformatter.reformat(
            frame,
            width=frame.width if fits else width,
            height=frame.height if fits else height,
            format="yuv420p",
            src_colorspace=matrix,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=_SCALING,
            threads=1,
        )
    planes = np.empty((height * 3 // 2, width), np.uint8)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    for target, plane in zip((planes[:height], *chroma), frame.planes, strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8, plane.height * plane.line_size).reshape(
            plane.height, -1
        )
        target[:] = rows[: target.shape[0], : target.shape[1]]
    if alpha is not None:
        _darken(planes, alpha)
    return planes


def _alpha(
    frame: av.VideoFrame, reformatter: VideoReformatter, width: int, height: int
) -> Float32[np.ndarray, "height width"] | None:
    """Give how much of a picture is there, 0-1; None if it is opaque."""
    if not any(component.is_alpha for component in frame.format.components):
        return None
    fits = frame.width - frame.width % 2 == width and frame.height - frame.height % 2 == height
    wide = reformatter.reformat(
        frame,
        width=frame.width if fits else width,
        height=frame.height if fits else height,
        format="yuva444p16le",
        interpolation=_SCALING,
        threads=1,
    )
    plane = wide.planes[3]
    rows = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
    return (rows[:height, :width] / np.float32(65535)).astype(np.float32, copy=False)


def _darken(planes: Planes, alpha: Float32[np.ndarray, "height width"]) -> None:
    """Put a picture of straight colours over black."""
    height, width = alpha.shape
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    halves = alpha.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    for part, share, zero in ((planes[:height], alpha, 16), (chroma, halves, 128)):
        part[:] = np.rint((part - np.float32(zero)) * share) + zero


def _colour(frame: av.VideoFrame) -> tuple[Colorspace | None, bool]:
    """Tell a picture's matrix, None for RGB, and whether it has full range."""
    name = frame.format.name
    if frame.format.is_rgb:
        return None, True
    custom = Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601
    full = name.startswith("yuvj") or (name.startswith("gray") and frame.color_range != _LIMITED)
    return _MATRICES.get(frame.colorspace, custom), full or frame.color_range == _FULL
