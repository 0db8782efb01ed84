"""Open a film for its pictures, and read from its packets when each is shown; nothing is decoded here."""

import contextlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from jaxtyping import Int64

from synesthete.errors import MediaError
from synesthete.media.probe import (
    FFMPEG_FAILURES,
    FILM,
    Source,
    choose_stream,
    open_media,
    show_name,
    unreadable,
)

__all__ = [
    "MAX_PICTURE_SIDE",
    "MIN_PICTURE_SIDE",
    "OpenFilm",
    "Timestamps",
    "carries_alpha",
    "declared_rate",
    "open_film",
    "read_packets",
    "read_timestamps",
    "start_of",
]

MIN_PICTURE_SIDE: Final = 16
"""Shortest side of a picture, pixels."""

MAX_PICTURE_SIDE: Final = 8192
"""Longest side of a picture, pixels."""

_MAX_READ_FAILURES = 16


@dataclass(frozen=True)
class OpenFilm:
    """An open file, its pictures and its sound.

    Attributes
    ----------
    decoder
        Decodes the pictures, with their alpha.
    tick
        Unit of the pictures' timestamps, seconds.
    origin_s
        Where the file's clock stands when the film starts, with its first picture or sound: MPEG-TS counts
        from anywhere.
    width, height
        Size of the pictures, pixels, cropped to even numbers.
    """

    path: Path
    container: InputContainer
    stream: VideoStream
    decoder: VideoCodecContext
    sound: AudioStream | None
    source: Source
    tick: Fraction
    origin_s: Fraction
    width: int
    height: int

    def check_read(self) -> None:
        """Raise what made a read fail: the disk's error in our words, Ctrl-C as it is."""
        failure = self.source.failure
        if failure is not None:
            raise unreadable(self.path, failure) if isinstance(failure, OSError) else failure


@dataclass(frozen=True)
class Timestamps:
    """When a film's pictures are shown.

    Attributes
    ----------
    ticks
        Of each picture that is shown, ascending.
    missing
        Pictures that the file's index knows of and the file lacks.
    sound_end_s
        End of the sound by the file's clock, seconds; 0 without.
    """

    ticks: Int64[np.ndarray, " pictures"]
    missing: int
    sound_end_s: Fraction


@contextlib.contextmanager
def open_film(path: Path) -> Iterator[OpenFilm]:
    """Open a film and choose its pictures and its sound; the file is closed when the block ends.

    Raises
    ------
    MediaError
        If it can't be opened, or holds no moving pictures that can be decoded, of 16 to 8192 pixels a side.
    """
    name = show_name(path)
    with open_media(path, FILM) as (container, source):
        streams = container.streams.video
        # A cover is a picture, but no film.
        moving = [stream for stream in streams if not stream.disposition & Disposition.attached_pic]
        if not moving:
            raise MediaError(f"{name} holds no moving pictures; {FILM.remedy}")
        stream = choose_stream(moving)
        if stream is None:
            raise MediaError(f"the pictures in {name} are in a codec that can't be decoded; {FILM.remedy}")
        context = stream.codec_context
        width, height = context.width, context.height
        if not (min(width, height) >= MIN_PICTURE_SIDE and max(width, height) <= MAX_PICTURE_SIDE):
            raise MediaError(
                f"{name} has pictures of {width}×{height} pixels; "
                f"both sides must be {MIN_PICTURE_SIDE} to {MAX_PICTURE_SIDE}, so scale them"
            )
        stream.thread_type = "AUTO"
        context.options = {"max_pixels": str(MAX_PICTURE_SIDE**2)}
        tick = stream.time_base or Fraction(1, 1000)
        sound = choose_stream(container.streams.audio)
        origin_s = max(Fraction(0), min(start_of(each) for each in (stream, sound or stream)))
        width, height = width - width % 2, height - height % 2
        yield OpenFilm(
            path, container, stream, _decoder(stream), sound, source, tick, origin_s, width, height
        )


def _decoder(stream: VideoStream) -> VideoCodecContext:
    context = stream.codec_context
    if not carries_alpha(stream) or context.name != "vp9":
        return context
    # FFmpeg's own VP9 decoder leaves alpha out.
    decoder = CodecContext.create("libvpx-vp9", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.options = context.options
    return decoder


def carries_alpha(stream: VideoStream) -> bool:
    """Tell whether a WebM's packets carry alpha beside them, by the stream's tag."""
    return any(name.lower() == "alpha_mode" and value == "1" for name, value in stream.metadata.items())


def start_of(stream: Stream) -> Fraction:
    """Give when a stream starts by the file's clock, seconds; before 0 lies what is cut off."""
    return (stream.start_time or 0) * (stream.time_base or Fraction(0))


def read_packets(film: OpenFilm, *streams: Stream) -> Iterator["av.Packet[Any]"]:
    """Yield packets, and go on after a failed read."""
    failures = 0
    while failures < _MAX_READ_FAILURES:
        try:
            for packet in film.container.demux(*streams):
                failures = 0
                if packet.size:
                    yield packet
            return
        except FFMPEG_FAILURES:
            failures += 1


def read_timestamps(film: OpenFilm) -> Timestamps:
    """Read when pictures are shown from all packets of a film.

    Raises
    ------
    MediaError
        If there is not one picture, or the disk fails.
    """
    ticks, left_out, sound_end_s = array("q"), 0, Fraction(0)
    for packet in read_packets(film, film.stream, *([film.sound] if film.sound else [])):
        moment = packet.dts if packet.pts is None else packet.pts  # AVI has decoding times alone
        if packet.stream_index != film.stream.index:
            if moment is not None and not packet.is_discard:
                end = moment + (packet.duration or 0)
                sound_end_s = max(sound_end_s, end * packet.time_base)
        elif packet.is_discard:  # before the start of an edit list
            left_out += 1
        elif moment is None:
            ticks.append(round(len(ticks) / (declared_rate(film) * film.tick)))
        else:
            ticks.append(moment)
    film.check_read()
    if not ticks:
        raise MediaError(f"{show_name(film.path)} holds not one picture; export or download it again")
    # MP4 alone has an index that knows what was cut off.
    indexed = film.stream.frames if film.container.format.name.startswith("mov,") else 0
    missing = max(0, indexed - len(ticks) - left_out)
    return Timestamps(np.sort(np.array(ticks, np.int64)), missing, sound_end_s)


def declared_rate(film: OpenFilm) -> Fraction:
    """Give the pictures per second as the file declares them.

    Raises
    ------
    MediaError
        If it doesn't.
    """
    rate = film.stream.average_rate or film.stream.guessed_rate
    if not rate:
        raise MediaError(
            f"{show_name(film.path)} doesn't say how fast its pictures follow one another; export it again"
        )
    return rate
