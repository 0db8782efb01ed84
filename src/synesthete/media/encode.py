"""Encode frames as H.264: one segment of film, in a file that stands alone."""

import contextlib
import errno
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, get_args

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer, OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from jaxtyping import UInt8

from synesthete.errors import ConfigError, RenderError

__all__ = [
    "Encoder",
    "SegmentWriter",
    "Speed",
    "VideoSettings",
    "encoder_opens",
    "file_failures",
    "open_input",
    "open_output",
    "track_timescale",
]

Encoder = Literal["libx264", "h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_amf"]
"""The H.264 encoders that can be named; only ``libx264`` is there on every machine."""

Speed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
"""x264's presets, fastest first; hardware encoders take the nearest of their own."""

_BT709 = 1  # the code for BT.709 in H.264's tables of primaries, transfer and matrix (ITU-T H.273)
_LIMITED_RANGE = 1  # FFmpeg's AVCOL_RANGE_MPEG, "tv": Y 16-235, U and V 16-240


@dataclass(frozen=True)
class VideoSettings:
    """How a film's picture is encoded.

    Parameters
    ----------
    encoder
        One of `Encoder`.
    crf
        Constant rate factor, 0 (lossless) to 51 (worst); 18 is visually clean.
    speed
        One of `Speed`.
    keyframe_seconds
        Longest distance between two keyframes, seconds; seeking lands on keyframes.
    threads
        Encoder threads, 1 or more; the bytes depend on it, so it belongs in a segment's key.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    encoder: str = "libx264"
    crf: int = 18
    speed: str = "veryfast"
    keyframe_seconds: float = 2.0
    threads: int = 1

    def __post_init__(self) -> None:
        _check_choice("encoder", self.encoder, get_args(Encoder))
        _check_choice("speed", self.speed, get_args(Speed))
        if not 0 <= self.crf <= 51:
            raise ConfigError(f"crf {self.crf} is outside 0 to 51; 18 looks clean, 28 is small")
        if not 0 < self.keyframe_seconds <= 60:
            raise ConfigError(f"keyframe_seconds {self.keyframe_seconds} is outside 0 to 60; pass 2")
        if not 1 <= self.threads <= 64:
            raise ConfigError(f"threads {self.threads} is outside 1 to 64; pass 1")


class SegmentWriter:
    """Write frames to an MP4 that holds one segment; use it as a context manager.

    Frame ``i`` has the timestamp ``i / frame_rate``, exactly. GOPs are closed, and with a software
    encoder the same frames give the same bytes. The file is written directly, whatever its suffix:
    callers go through `synesthete.files.whole_file`.

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
        timescale = str(track_timescale(self._frame_rate))
        with contextlib.ExitStack() as stack:
            self._container = stack.enter_context(open_output(self._path, video_track_timescale=timescale))
            self._stream = self._container.add_stream(self._settings.encoder, rate=self._frame_rate)  # type: ignore[assignment]
            context = self._stream.codec_context
            _configure(context, self._width, self._height, self._frame_rate, self._settings)
            # Opened apart from the file, so that a refusal of the hardware is not taken for one of the disk.
            with _encoder_failures(self._settings.encoder):
                context.open()
            self._container.start_encoding()
            self._resources = stack.pop_all()
        return self

    def write(self, planes: UInt8[np.ndarray, "rows width"]) -> None:
        """Encode the next frame.

        Parameters
        ----------
        planes
            One yuv420p frame, BT.709 limited range: ``height`` rows of Y, then U and V, each
            ``height / 4`` rows of ``width``; shape (height · 3/2, width).

        Raises
        ------
        RenderError
            If the frame has another shape or type, or the encoder fails.
        OSError
            If the file can't be written on.
        """
        expected = (self._height * 3 // 2, self._width)
        if planes.shape != expected or planes.dtype != np.uint8:
            raise RenderError(
                f"frame {self._frames} has shape {planes.shape} and type {planes.dtype}, "
                f"not {expected} and uint8"
            )
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.colorspace = frame.color_primaries = frame.color_trc = _BT709
        frame.color_range = _LIMITED_RANGE
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
                packet.time_base = 1 / self._frame_rate
                self._container.mux(packet)


@functools.cache
def encoder_opens(encoder: str) -> bool:
    """Tell whether an encoder works on this machine, by encoding a small frame with it.

    Hardware encoders are compiled in everywhere and open only where their driver and device are.
    """
    try:
        context = av.CodecContext.create(encoder, "w")
        assert isinstance(context, VideoCodecContext)
        _configure(context, 320, 240, Fraction(30), VideoSettings(encoder=encoder))
        context.open()
        frame = av.VideoFrame.from_ndarray(np.full((360, 320), 128, np.uint8), format="yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 30)
        return bool(context.encode(frame) + context.encode(None))
    except (ConfigError, LookupError, ValueError, RuntimeError, OSError, av.error.FFmpegError):
        return False


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
def open_output(path: Path, **options: str) -> Iterator[OutputContainer]:
    """Open an MP4 for writing, with reproducible bytes; close it at the end of the block.

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
            format="mp4",
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
    """Open an MP4 of our own for reading; close it at the end of the block.

    Raises
    ------
    RenderError, OSError
        See `file_failures`.
    """
    with file_failures(path):
        # Named, so that no other demuxer guesses at a damaged file.
        container = av.open(str(path.absolute()), "r", format="mp4", metadata_errors="ignore")
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
        remedy = "free some memory" if encoder == "libx264" else "use libx264, which works everywhere"
        raise RenderError(f"the encoder {encoder} failed ({error.strerror}); {remedy} and repeat") from error


def _configure(
    context: VideoCodecContext, width: int, height: int, frame_rate: Fraction, settings: VideoSettings
) -> None:
    context.width, context.height = width, height
    context.pix_fmt = "nv12" if settings.encoder == "h264_qsv" else "yuv420p"
    context.framerate, context.time_base = frame_rate, 1 / frame_rate
    context.gop_size = max(1, round(settings.keyframe_seconds * frame_rate))
    context.flags |= Flags.closed_gop | Flags.bitexact | Flags.global_header
    context.thread_count = settings.threads
    # PyAV's default, SLICE, would cut each picture into one slice per thread.
    context.thread_type = "FRAME"
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE
    if settings.encoder != "libx264":
        # Drivers differ in how they declare reordering; without it, segments join the same everywhere.
        context.max_b_frames = 0
    context.options = _options(settings)


def _options(settings: VideoSettings) -> dict[str, str]:
    crf = str(settings.crf)
    pace = get_args(Speed).index(settings.speed)
    match settings.encoder:
        case "h264_nvenc":
            return {"preset": f"p{min(pace, 6) + 1}", "rc": "vbr", "cq": crf, "b": "0", "forced-idr": "1"}
        case "h264_qsv":
            return {"preset": settings.speed if pace >= 2 else "veryfast", "global_quality": crf}
        case "h264_amf":
            quality = ("speed", "balanced", "quality")[pace // 3]
            return {"quality": quality, "rc": "cqp", "qp_i": crf, "qp_p": crf}
        case "h264_videotoolbox":
            # Its scale is 1 (worst) to 100, times 118 (FFmpeg's lambda unit); crf 18 becomes 65.
            return {"flags": "+qscale", "global_quality": str(118 * max(1, min(100, 101 - 2 * settings.crf)))}
        case _:
            return {"crf": crf, "preset": settings.speed, **_without_avx512()}


@functools.cache
def _without_avx512() -> dict[str, str]:
    """Keep x264 from its AVX-512 code, which makes the bytes differ from run to run.

    Its macroblock tree reads memory it never set: of 20 runs on Zen 5, 64×48 gave 17 different files,
    240×136 and 720×406 several too. AVX2 gave one at every size, and is as fast at 1080p (31 frames/s).
    """
    try:
        from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
            __cpu_features__ as features,
        )
    except ImportError:
        # A NumPy that hides what the processor can do: do without the macroblock tree.
        return {"x264-params": "mbtree=0"}
    # Naming AVX2 forces it on, so it must be there; every processor with AVX-512 has it.
    return {"x264-params": "asm=avx2"} if features.get("AVX512F") and features.get("AVX2") else {}


def _check_choice(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ConfigError(f"{name} {given!r} is unknown; choose one of {', '.join(allowed)}")
