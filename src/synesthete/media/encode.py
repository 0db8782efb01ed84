"""Encode frames: one segment of film, in a file that stands alone."""

import contextlib
import errno
import functools
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import av.error
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from synesthete.errors import ConfigError, RenderError
from synesthete.media.codecs import MP4, Container, VideoSettings, container_of
from synesthete.media.encoders import configure
from synesthete.media.pixels import Picture

__all__ = [
    "SegmentWriter",
    "VideoSettings",
    "encoder_opens",
    "file_failures",
    "open_input",
    "open_output",
    "track_timescale",
]

_X265_DELAY: Final = 2  # frames from decoding to showing: its B-frames refer to each other


class SegmentWriter:
    """Write frames to a file that holds one segment; use it as a context manager.

    Frame ``i`` has the timestamp ``i / frame_rate``, exactly; in WebM, to the nearest millisecond. GOPs are
    closed, and with a software encoder the same frames give the same bytes. The file is written directly, as
    the codec's kind of segment whatever its suffix: callers go through `synesthete.files.whole_file`.

    Parameters
    ----------
    path
        File to write.
    width, height
        Picture size, pixels; both even, as 4:2:0 halves the chroma.
    frame_rate
        Frames per second.
    settings
        How to encode.

    Raises
    ------
    ConfigError
        If the size is odd or not positive.
    RenderError
        If the encoder does not open or fails, or if no frame was written.
    OSError
        If the file system refuses, with its ``errno``; `synesthete.files.writing_to` names the file.

    Examples
    --------
    >>> import tempfile
    >>> grey = np.full((48 * 3 // 2, 64), 128, np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "segment.mp4"
    ...     with SegmentWriter(
    ...         path, width=64, height=48, frame_rate=Fraction(24), settings=VideoSettings()
    ...     ) as writer:
    ...         writer.write(grey)
    ...     path.stat().st_size > 0
    True
    """

    def __init__(
        self, path: Path, *, width: int, height: int, frame_rate: Fraction, settings: VideoSettings
    ) -> None:
        if width < 2 or height < 2 or width % 2 or height % 2:
            raise ConfigError(f"picture size {width}×{height} can't be encoded; pass even numbers of pixels")
        self._path = path
        self._width, self._height = width, height
        self._frame_rate = frame_rate
        self._settings = settings
        self._resources = contextlib.ExitStack()
        self._frames = 0
        self._container: OutputContainer
        self._stream: VideoStream

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._frames

    def __enter__(self) -> Self:
        kind, options = self._settings.coding.segment, {}
        if kind.name in ("mp4", "mov"):
            options["video_track_timescale"] = str(track_timescale(self._frame_rate))
        with contextlib.ExitStack() as stack:
            self._container = stack.enter_context(open_output(self._path, kind, **options))
            self._stream = self._container.add_stream(self._settings.encoder, rate=self._frame_rate)  # type: ignore[assignment]
            context = self._stream.codec_context
            configure(context, self._width, self._height, self._frame_rate, self._settings)
            # Opened apart from the file, so that a refusal of the hardware is not taken for one of the disk.
            with _encoder_failures(self._settings.encoder), _usual_schedule():
                context.open()
            self._container.start_encoding()
            self._resources = stack.pop_all()
        return self

    def write(self, picture: Picture) -> None:
        """Encode the next frame.

        Parameters
        ----------
        picture
            As the settings' pixels lie in an array; see `synesthete.media.pixels.Pixels`. By default that is
            yuv420p, BT.709 limited range: ``height`` rows of Y, then U and V, each ``height / 4`` rows of
            ``width``; shape (height · 3/2, width).

        Raises
        ------
        RenderError
            If the frame has another shape or type, or the encoder fails.
        OSError
            If the file can't be written on.
        """
        frame = self._settings.pixels.frame_of(
            picture, self._height, self._width, name=f"frame {self._frames}"
        )
        frame.pts, frame.time_base = self._frames, 1 / self._frame_rate
        self._encode(frame)
        self._frames += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            # open_output must learn of the failure, so that closing can't hide it behind its own.
            self._resources.__exit__(kind, error, traceback)
            return
        with self._resources:
            if self._frames == 0:
                raise RenderError(f"no frame was written to {self._path}; a segment has at least one")
            self._encode(None)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        with _encoder_failures(self._settings.encoder):
            packets = self._stream.encode(frame)
        with file_failures(self._path):
            for packet in packets:
                # Without it a segment of one frame would last no time.
                packet.duration = 1
                if self._settings.encoder == "libx265" and self._frames <= _X265_DELAY:
                    # x265 knows this time only once it has seen more frames; until then it is any number.
                    assert packet.pts is not None
                    packet.dts = packet.pts - _X265_DELAY
                packet.time_base = 1 / self._frame_rate
                self._container.mux(packet)


@functools.cache
def encoder_opens(encoder: str, codec: str = "h264", bit_depth: int = 8) -> bool:
    """Tell whether an encoder works on this machine, by encoding a small frame with it.

    Hardware encoders are compiled in everywhere and open only where their driver and device are; and some
    encoders are compiled for 8 bits alone.
    """
    try:
        settings = VideoSettings(encoder=encoder, codec=codec, bit_depth=bit_depth)
        context = av.CodecContext.create(encoder, "w")
        assert isinstance(context, VideoCodecContext)
        configure(context, 320, 240, Fraction(30), settings)
        with _usual_schedule():
            context.open()
        pixels = settings.pixels
        grey = np.full(pixels.shape(240, 320), 128 << pixels.depth - 8, pixels.dtype)
        frame = pixels.frame_of(grey, 240, 320)
        frame.pts, frame.time_base = 0, Fraction(1, 30)
        return bool(context.encode(frame) + context.encode(None))
    except (ConfigError, LookupError, ValueError, RuntimeError, OSError, av.error.FFmpegError):
        return False


@contextlib.contextmanager
def _usual_schedule() -> Iterator[None]:
    """Stay one thread among others: SVT-AV1 makes whoever opens it a real-time one where it may, as root."""
    if not hasattr(os, "sched_getscheduler"):  # it does so on Linux alone
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


def track_timescale(frame_rate: Fraction) -> int:
    """Give the ticks per second in which an MP4 track holds every ``i / frame_rate`` exactly.

    Examples
    --------
    >>> track_timescale(Fraction(30)), track_timescale(Fraction(24_000, 1001))
    (90000, 24000)
    """
    if (90_000 / frame_rate).denominator == 1:
        return 90_000
    # Under 10,000 ticks, FFmpeg's muxer would choose a multiple of its own.
    return frame_rate.numerator * -(-10_000 // frame_rate.numerator)


@contextlib.contextmanager
def open_output(path: Path, kind: Container = MP4, **options: str) -> Iterator[OutputContainer]:
    """Open a file for writing, with reproducible bytes; close it at the end of the block.

    Parameters
    ----------
    kind
        What to write, whatever the name's suffix.

    Raises
    ------
    RenderError, OSError
        See `file_failures`.
    """
    with file_failures(path):
        # An absolute path can't be read as one of FFmpeg's protocols ("concat:a.mp4").
        container = av.open(
            str(path.absolute()),
            "w",
            format=kind.name,
            container_options={"fflags": "+bitexact", **options},
            metadata_errors="ignore",
        )
        try:
            yield container
        except BaseException:
            with contextlib.suppress(Exception):
                container.close()
            raise
        container.close()


@contextlib.contextmanager
def open_input(path: Path) -> Iterator[InputContainer]:
    """Open a file of our own for reading, of the kind that its name says; close it at the end of the block.

    Raises
    ------
    RenderError, OSError
        See `file_failures`.
    """
    with file_failures(path):
        # Named, so that no other demuxer guesses at a damaged file.
        kind = container_of(path).name
        container = av.open(str(path.absolute()), "r", format=kind, metadata_errors="ignore")
    with container:
        yield container


@contextlib.contextmanager
def file_failures(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors while reading or writing ``path`` into ours.

    Raises
    ------
    RenderError
        If FFmpeg finds the content wrong.
    OSError
        If the operating system refuses (disk full, no permission): a plain one, with its ``errno``.
    """
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            code = error.errno or errno.EIO
            raise OSError(code, os.strerror(code), str(path)) from error
        raise RenderError(f"FFmpeg can't go on with {path} ({error.strerror})") from error


@contextlib.contextmanager
def _encoder_failures(encoder: str) -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        hard = encoder.endswith(("_nvenc", "_videotoolbox", "_qsv", "_amf"))
        remedy = "use libx264, which works everywhere" if hard else "free some memory"
        raise RenderError(f"the encoder {encoder} failed ({error.strerror}); {remedy} and repeat") from error
