"""Watch any film: its pictures one after another, in the one form in which everything here is measured.

Whatever FFmpeg decodes comes as planar 4:2:0, BT.709, limited range, with its time. Damaged pictures are left
out, as a player would skip them; who counts what came can tell.
"""

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import Int64

from synesthete.errors import MediaError
from synesthete.media.pictures import (
    OpenFilm,
    declared_rate,
    open_film,
    read_packets,
    read_timestamps,
    start_of,
)
from synesthete.media.planes import Planes, planes_of
from synesthete.media.probe import FFMPEG_FAILURES, MAX_SECONDS, show_name
from synesthete.media.webp import is_webp, webp_planes, webp_size, webp_timestamps

__all__ = [
    "PictureInfo",
    "count_decodable",
    "on_clock",
    "probe_pictures",
    "watch_frames",
    "watch_pictures",
]

_MIN_RATE, _MAX_RATE = 1, 240
_INDEXED = ("mov,", "matroska,")  # MP4 too, and WebM

_LARGEST_JITTER = 0.25  # frames
_COARSE_TICK = Fraction(1, 1000)  # s, of Matroska; that of a GIF is ten times as long


@dataclass(frozen=True)
class PictureInfo:
    """What a film's headers and packets say about its pictures, before any is decoded.

    Attributes
    ----------
    path, codec, pixel_format
        The file, and FFmpeg's names.
    width, height
        Size of the pictures as `watch_pictures` gives them, pixels: cropped to even numbers.
    frame_rate
        Pictures per second, on average.
    constant_rate
        Whether the pictures follow one another at that rate: every timestamp is where it should be, to one
        tick of the file's clock.
    frames_declared
        Pictures in the file; what can be decoded may be fewer.
    start_s, duration_s
        When the first is shown, seconds from the film's start, and how long they last together.
    has_sound, sound_start_s, sound_end_s
        Whether there is sound that can be decoded, and when it starts and ends; None without.
    """

    path: Path
    width: int
    height: int
    frame_rate: Fraction
    constant_rate: bool
    frames_declared: int
    codec: str
    pixel_format: str
    duration_s: float
    start_s: float
    has_sound: bool
    sound_start_s: float | None
    sound_end_s: float | None


def probe_pictures(path: Path) -> PictureInfo:
    """Read what a film's headers and packets say about its pictures; nothing is decoded.

    The film starts, at 0 s, with its first picture or sound, where a file counts from elsewhere (MPEG-TS).

    Raises
    ------
    MediaError
        If the file can't be opened, or holds no moving pictures that can be decoded, of 16 to 8192 pixels a
        side and 1 to 240 a second.
    """
    if is_webp(path):
        return _probe_webp(path)
    with open_film(path) as film:
        shown = read_timestamps(film)
        ticks, sound = shown.ticks, film.sound
        rate = _average_rate(film, ticks)
        return PictureInfo(
            path=path,
            width=film.width,
            height=film.height,
            frame_rate=rate,
            constant_rate=_is_constant(ticks, film.tick * rate),
            frames_declared=len(ticks) + shown.missing,
            codec=film.stream.codec_context.name,
            pixel_format=film.stream.codec_context.pix_fmt or "unknown",
            duration_s=float((int(ticks[-1]) - int(ticks[0])) * film.tick + 1 / rate),
            start_s=float(int(ticks[0]) * film.tick - film.origin_s),
            has_sound=sound is not None,
            sound_start_s=max(0.0, float(start_of(sound) - film.origin_s)) if sound else None,
            sound_end_s=float(shown.sound_end_s - film.origin_s) if sound else None,
        )


def watch_pictures(path: Path, *, size: tuple[int, int] | None = None) -> Iterator[tuple[float, Planes]]:
    """Decode a film's pictures, one after another, with their times.

    Any size, pixel format, range and matrix becomes planar 4:2:0 in BT.709's limited range; what is
    transparent is seen over black; odd sizes are
    cropped, pictures that change their size are scaled to the first one's. Transfer and primaries are left as
    they are, and so are pictures that are to be turned or stretched when shown. Files that don't name their
    matrix are taken for BT.709 from 1280 pixels' width or 577 pixels' height on, and for BT.601 below, as
    players do.

    Parameters
    ----------
    path
        A local video file.
    size
        (width, height) to scale to, pixels, even; None keeps the film's own.

    Yields
    ------
    Seconds from the film's start, ascending unless the file is damaged, and the picture, always a new array.

    Raises
    ------
    MediaError
        See `probe_pictures`; and if not one picture can be decoded, or the disk fails.
    """
    if is_webp(path):
        yield from webp_planes(path, size)
        return
    with open_film(path) as film:
        width, height = size or (film.width, film.height)
        reformatter = VideoReformatter()
        shown = 0
        for moment, frame in watch_frames(film):
            try:
                planes = planes_of(frame, reformatter, width, height)
            except FFMPEG_FAILURES:
                continue
            yield moment, planes
            shown += 1
        film.check_read()
        if shown == 0:
            raise MediaError(
                f"no picture could be decoded from {show_name(path)}; export or download it again"
            )


def watch_frames(film: OpenFilm, *, from_s: float = 0.0) -> Iterator[tuple[float, av.VideoFrame]]:
    """Decode an open film's pictures, as FFmpeg gives them, with their times; damaged ones are left out.

    Parameters
    ----------
    from_s
        Start, where the format has an index, with the last key picture that is shown by then, seconds; or
        with one near it, in files whose index is wrong.

    Yields
    ------
    Seconds from the film's start, ascending unless the file is damaged, and the picture.

    Raises
    ------
    MediaError
        If a picture is shown after 12 hours.
    """
    if from_s > 0 and film.container.format.name.startswith(_INDEXED):
        with contextlib.suppress(*FFMPEG_FAILURES):  # then it starts with the first
            film.container.seek(
                math.floor((Fraction(from_s) + film.origin_s) / film.tick), stream=film.stream
            )
    for index, frame in enumerate(_decoded_pictures(film, read_packets(film, film.stream))):
        moment = _moment(film, frame, index)
        if moment > MAX_SECONDS:
            raise MediaError(f"{show_name(film.path)} is longer than 12 hours; cut it into parts")
        yield moment, frame


def count_decodable(path: Path, *, key_pictures: bool = False) -> tuple[int, int]:
    """Count the pictures of a film that can be decoded; nothing is converted.

    Parameters
    ----------
    key_pictures
        Try only those that need no other picture: a few hundred times quicker.

    Returns
    -------
    Those that can be decoded, and those that were tried.

    Raises
    ------
    MediaError
        See `probe_pictures`, or if the disk fails.
    """
    if is_webp(path):
        count = sum(1 for _ in webp_planes(path))
        return count, len(webp_timestamps(path)[0])
    with open_film(path) as film:
        tried = 0

        def packets() -> Iterator["av.Packet[VideoStream]"]:
            nonlocal tried
            for packet in read_packets(film, film.stream):
                if packet.is_keyframe or not key_pictures:
                    tried += not packet.is_discard
                    yield packet

        decoded = sum(1 for _ in _decoded_pictures(film, packets()))
        film.check_read()
        return decoded, tried


def on_clock(pictures: Iterable[tuple[float, Planes]], frame_rate: Fraction) -> Iterator[Planes]:
    """Put pictures on a constant clock that starts with the film.

    Each goes to the frame nearest to its time, counted from the first one's frame, so that a start between
    two frames makes no picture waver. A frame without one shows the picture before it again, as the same
    array, and the frames before the first picture show that one. A picture that comes for a frame which has
    one already, or earlier, is dropped; the last is shown for one frame.

    Examples
    --------
    >>> a, b, c = (np.full((3, 2), value, np.uint8) for value in (1, 2, 3))
    >>> [int(planes[0, 0]) for planes in on_clock([(0.0, a), (0.01, b), (0.1, c)], Fraction(30))]
    [1, 1, 1, 3]
    """
    held: Planes | None = None
    given, origin = 0, Fraction(0)
    for moment, planes in pictures:
        place = Fraction(moment) * frame_rate
        if held is None:
            origin = place - max(0, round(place))
        frame = math.floor(place - origin + Fraction(1, 2))
        if frame < given:
            continue
        for _ in range(given, frame):
            yield planes if held is None else held
        yield planes
        held, given = planes, frame + 1


def _probe_webp(path: Path) -> PictureInfo:
    """Describe an animated WebP: Pillow reads what FFmpeg can't."""
    ticks, end = webp_timestamps(path)
    tick = Fraction(1, 1000)
    width, height = webp_size(path)
    span = int(ticks[-1]) * tick
    counted = (len(ticks) - 1) / span if span else 1000 / Fraction(max(1, end))
    rate = _usual_rate(ticks, tick) or counted.limit_denominator(1001)
    return PictureInfo(
        path=path,
        width=width - width % 2,
        height=height - height % 2,
        frame_rate=rate,
        constant_rate=_is_constant(ticks, tick * rate),
        frames_declared=len(ticks),
        codec="webp",
        pixel_format="rgb",
        duration_s=float(span + 1 / rate),
        start_s=0.0,
        has_sound=False,
        sound_start_s=None,
        sound_end_s=None,
    )


def _decoded_pictures(film: OpenFilm, packets: Iterator["av.Packet[VideoStream]"]) -> Iterator[av.VideoFrame]:
    context = film.decoder
    flush = [None]  # makes the decoder give what it holds
    for packet in chain(packets, flush):
        try:
            frames = context.decode(packet)
        except FFMPEG_FAILURES:
            continue
        yield from (frame for frame in frames if not frame.is_corrupt)


def _moment(film: OpenFilm, frame: av.VideoFrame, index: int) -> float:
    """Give when a picture is shown, seconds; counted where the file doesn't say (elementary streams)."""
    if frame.pts is None:
        return float(index / declared_rate(film))
    # Not the frame's own unit: the last pictures, which the decoder held, come without one.
    return float(frame.pts * film.tick - film.origin_s)


def _average_rate(film: OpenFilm, ticks: Int64[np.ndarray, " pictures"]) -> Fraction:
    """Give the pictures per second: as declared where most timestamps are so far apart, else counted."""
    steps = np.diff(ticks)
    span_s = int(steps.sum()) * film.tick
    declared = (film.stream.average_rate, film.stream.base_rate)
    if film.tick >= _COARSE_TICK and (usual := _usual_rate(ticks, film.tick, declared)):
        return usual
    fitting = [rate for rate in declared if rate and span_s and _fits(steps, film.tick * rate)]
    if fitting:
        rate = fitting[0]
    else:
        rate = (len(steps) / span_s).limit_denominator(1001) if span_s else declared_rate(film)
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise MediaError(
            f"{show_name(film.path)} has {float(rate):.4g} pictures a second, outside {_MIN_RATE} to "
            f"{_MAX_RATE}; convert it to 30"
        )
    return rate


def _usual_rate(
    ticks: Int64[np.ndarray, " pictures"], tick: Fraction, declared: Sequence[Fraction | None] = ()
) -> Fraction | None:
    """Give the usual rate behind timestamps that are rounded to a coarse clock; None if there is none.

    Counted over a second, 30 may come out as 29.9, and FFmpeg declares what it counted. So the nearest whole
    rate is taken, or that times 1000/1001, if all timestamps are where it puts them.
    """
    span_s = int(ticks[-1] - ticks[0]) * tick
    if not span_s:
        return None
    whole = Fraction(max(1, round((len(ticks) - 1) / span_s)))
    usual = [whole, whole * 1000 / 1001]
    rates = [*(rate for rate in usual if rate in declared), *usual]
    return next((rate for rate in rates if _is_constant(ticks, tick * rate)), None)


def _fits(steps: Int64[np.ndarray, " steps"], frames_per_tick: Fraction) -> bool:
    frames = float(frames_per_tick)
    return bool(np.median(np.abs(steps * frames - 1.0)) <= frames)


def _is_constant(ticks: Int64[np.ndarray, " pictures"], frames_per_tick: Fraction) -> bool:
    places = (ticks - ticks[0]).astype(np.float64) * float(frames_per_tick)
    errors = np.abs(places - np.arange(len(ticks)))
    return bool(errors.max() <= min(float(frames_per_tick), _LARGEST_JITTER))
