"""Animated WebP: draw one from lossless Segments, and read one back, which FFmpeg can't.

Every picture is a still one of its own, so that one at a time is in memory.
"""

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final, get_args

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import Int64
from PIL import Image

from synesthete.errors import MediaError
from synesthete.media.codecs import Speed, VideoSettings
from synesthete.media.encode import open_output
from synesthete.media.joint import film_clock
from synesthete.media.palette import segment_pictures
from synesthete.media.planes import Planes, planes_of
from synesthete.media.probe import show_name

__all__ = ["draw_webp", "is_webp", "webp_planes", "webp_size", "webp_timestamps"]

_TICK: Final = Fraction(1, 1000)  # s
_FLAGS, _NO_BLENDING = 15, b"\x02"  # the last byte of a frame's head
_METHODS: Final = (0, 1, 2, 3, 3, 4, 5, 6, 6)  # libwebp's effort, by speed, ultrafast to veryslow


def draw_webp(
    segments: Sequence[Path], target: Path, *, frame_rate: Fraction, settings: VideoSettings
) -> int:
    """Write a film as an animated WebP that repeats for ever; it has no sound.

    Frame ``i`` is shown at ``i / frame_rate``, to the nearest millisecond: WebP has no finer clock. The same
    Segments give the same bytes. The file is written directly.

    Parameters
    ----------
    segments
        Lossless Segments from `synesthete.media.encode.SegmentWriter`, in order.
    target
        File to write.
    frame_rate
        Frames per second.
    settings
        Those of the Segments; the pictures' quality is 100 less their crf.

    Returns
    -------
    Frames written.

    Raises
    ------
    RenderError
        If a Segment is damaged.
    OSError
        If a file can't be read or written.
    """
    kind, frames = settings.coding.film, 0
    tick = film_clock(frame_rate, kind).tick
    effort = _METHODS[get_args(Speed).index(settings.speed)]
    with open_output(target, kind, loop="0") as container:
        stream = container.add_stream("libwebp", rate=frame_rate)
        context = stream.codec_context
        context.time_base, context.thread_count, context.pix_fmt = _TICK, 1, "bgra"
        context.options = {"quality": str(100 - settings.crf), "compression_level": str(effort)}
        for frame, picture in enumerate(segment_pictures(segments)):
            if frame == 0:
                context.width, context.height = picture.width, picture.height
            picture.pts, picture.time_base = tick(frame), _TICK
            for packet in stream.encode(picture):
                packet.duration, packet.time_base = tick(frame + 1) - tick(frame), _TICK
                container.mux(packet)
            frames += 1
    _replace_pictures(target)
    return frames


def _replace_pictures(path: Path) -> None:
    """Make each picture stand for itself; FFmpeg's writer lays it over the one before, for ever."""
    with path.open("r+b") as handle:
        for position, _ in list(_frame_heads(handle, path)):
            handle.seek(position + _FLAGS)
            handle.write(_NO_BLENDING)


def is_webp(path: Path) -> bool:
    """Tell whether a file is a WebP, by its first bytes; False if it can't be read."""
    try:
        with path.open("rb") as handle:
            head = handle.read(12)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:] == b"WEBP"


def webp_timestamps(path: Path) -> tuple[Int64[np.ndarray, " pictures"], int]:
    """Read when the pictures of an animated WebP are shown, and when the last one ends, ms.

    Raises
    ------
    MediaError
        If it is damaged, cut off or not animated.
    """
    with path.open("rb") as handle:
        durations = [int.from_bytes(head[12:15], "little") for _, head in _frame_heads(handle, path)]
    if not durations:
        raise MediaError(f"{show_name(path)} is a still picture, no film; use an mp4, mov, mkv or webm file")
    ends = np.cumsum(durations, dtype=np.int64)
    return ends - np.array(durations, np.int64), int(ends[-1])


def webp_size(path: Path) -> tuple[int, int]:
    """Read the size of a WebP's pictures, pixels.

    Raises
    ------
    MediaError
        If it is damaged.
    """
    with _opened(path) as image:
        return image.size


def webp_planes(path: Path, size: tuple[int, int] | None = None) -> Iterator[tuple[float, Planes]]:
    """Decode the pictures of an animated WebP, over black; see `synesthete.media.watch.watch_pictures`.

    Raises
    ------
    MediaError
        If it is damaged.
    """
    ticks, _ = webp_timestamps(path)
    reformatter = VideoReformatter()
    with _opened(path) as image:
        for index, tick in enumerate(ticks):
            try:
                image.seek(index)
                picture = np.asarray(image.convert("RGBA"))
            except (OSError, EOFError, ValueError) as error:
                raise _damaged(path) from error
            lit = picture[..., :3].astype(np.uint16) * picture[..., 3:] + 127
            frame = av.VideoFrame.from_ndarray((lit // 255).astype(np.uint8), format="rgb24")
            width, height = size or (frame.width - frame.width % 2, frame.height - frame.height % 2)
            yield float(tick * _TICK), planes_of(frame, reformatter, width, height)


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=["WEBP"])
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise _damaged(path) from error


def _frame_heads(handle: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield where the head of each ``ANMF`` chunk is, and its bytes; 12 to 14 are its duration.

    References
    ----------
    Google, "WebP Container Specification", Animation.
    """
    handle.seek(0, 2)
    size, position = handle.tell(), 12
    while position + 8 <= size:
        handle.seek(position)
        name, length = struct.unpack("<4sI", handle.read(8))
        if position + 8 + length > size:
            raise _damaged(path)
        if name == b"ANMF":
            yield position + 8, handle.read(16)
        position += 8 + length + length % 2


def _damaged(path: Path) -> MediaError:
    return MediaError(f"{show_name(path)} is damaged or cut off; export or download it again")
