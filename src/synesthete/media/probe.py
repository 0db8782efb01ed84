"""Open a sound file or a film safely, and say what sound it holds.

Only the named local file is ever read: FFmpeg gets an open handle, a list of formats without playlists,
and no way to open anything else.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from synesthete.clock import format_duration
from synesthete.errors import MediaError

__all__ = [
    "FFMPEG_FAILURES",
    "FILM",
    "MAX_CHANNELS",
    "MAX_SAMPLE_RATE",
    "MAX_SECONDS",
    "MIN_SAMPLE_RATE",
    "SOUND",
    "MediaKind",
    "OpenSound",
    "SoundInfo",
    "Source",
    "choose_stream",
    "declared_seconds",
    "describe",
    "estimates_duration",
    "open_media",
    "open_sound",
    "probe_sound",
    "show_name",
    "unreadable",
]

MAX_SECONDS = 12 * 3600
"""Longest track, seconds."""

MAX_CHANNELS = 64
MIN_SAMPLE_RATE = 1_000
MAX_SAMPLE_RATE = 768_000

FFMPEG_FAILURES = (av.FFmpegError, ValueError, ArithmeticError, LookupError, MemoryError)
"""What PyAV raises on damaged files: FFmpeg's errors, and Python's own where it trips over nonsense."""

# No playlists (hls, concat, sdp, dash), no devices, no pictures: a format that names other files is refused.
_FORMATS = (
    "aa,aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,iff,ircam,latm,loas,"
    "matroska,webm,mlp,mov,mp4,m4a,3gp,3g2,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,rm,shn,sox,"
    "tak,truehd,tta,voc,w64,wav,wtv,wv,xwma"
)

# Pictures without sound: elementary streams, and GIF.
_PICTURE_FORMATS = "av1,dv,gif,h264,hevc,ivf,m4v,mjpeg,mpegvideo,obu,yuv4mpegpipe"

# Elementary streams carry no length; FFmpeg multiplies the file's size by the first frames' bit rate.
_ESTIMATING = frozenset(
    ["aac", "ac3", "amr", "amrnb", "amrwb", "dts", "dtshd", "eac3", "gsm", "latm", "loas", "mlp", "mp3"]
) | {"truehd"}

_READABLE = "use a wav, flac, ogg, opus, mp3 or m4a file"
_MAX_TAGS = 100
_MAX_TAG_CHARACTERS = 1_000

AnyStream = TypeVar("AnyStream", AudioStream, VideoStream)


@dataclass(frozen=True)
class MediaKind:
    """What a file is opened as: its name in messages, the formats it may have, and the remedy."""

    noun: str
    formats: str
    remedy: str


SOUND = MediaKind("sound file", _FORMATS, _READABLE)
FILM = MediaKind("film", f"{_FORMATS},{_PICTURE_FORMATS}", "use an mp4, mov, mkv, webm or avi file")


@dataclass(frozen=True)
class SoundInfo:
    """What a sound file says about itself, before anything is decoded.

    ``sample_rate`` is in Hz; ``channels`` is what the file holds, before any downmix; ``duration_s`` is the
    length the file declares (or FFmpeg's estimate, for formats that declare none), in seconds, None if
    unknown; ``tags`` have lower-case names, and bytes that are no UTF-8 are left out.
    """

    path: Path
    container: str
    codec: str
    sample_rate: int
    channels: int
    duration_s: float | None
    tags: dict[str, str]


class Source:
    """A local file as FFmpeg may use it: read and sought, nothing else.

    PyAV prints what a file object raises to stderr whenever FFmpeg ignores the failure. So nothing raises
    here, not even Ctrl-C: a seek to nonsense fails by its return value, and a failed read ends the file and
    stays in ``failure``, for whoever reads the file to raise.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.name = handle.name
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes; nothing at the end or after a failure."""
        try:
            return self._handle.read(size)
        except (OSError, KeyboardInterrupt) as error:
            self.failure = self.failure or error
            return b""

    def seek(self, offset: int, whence: int) -> int:
        """Move and give the new place; negative where it can't be reached."""
        try:
            return self._handle.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL
        except KeyboardInterrupt as interrupt:
            self.failure = self.failure or interrupt
            return -errno.EINVAL

    def tell(self) -> int:
        """Give the place of the next read, bytes from the start."""
        return self._handle.tell()


@dataclass(frozen=True)
class OpenSound:
    """An open file and its chosen sound; ``layout`` is FFmpeg's name for the order of its channels."""

    path: Path
    container: InputContainer
    stream: AudioStream
    layout: str
    channels: int
    source: Source


def probe_sound(path: Path) -> SoundInfo:
    """Read what a sound file holds from its headers; nothing is decoded to the end.

    Parameters
    ----------
    path
        A local file; its name is never taken for a URL or a playlist.

    Raises
    ------
    MediaError
        If it is missing, a folder, unreadable, empty, no media, without sound, in an unknown codec, longer
        than 12 hours, or has over 64 channels or a sample rate outside 1000 to 768000 Hz.
    """
    with open_sound(path) as sound:
        return describe(sound)


@contextlib.contextmanager
def open_sound(path: Path) -> Iterator[OpenSound]:
    """Open a sound file and choose its sound: the first stream marked default, else the first.

    Streams that no decoder knows come last. The file is closed when the block ends.

    Raises
    ------
    MediaError
        If the file can't be opened, or holds no sound that can be decoded.
    """
    with open_media(path, SOUND) as (container, source):
        stream = _choose_stream(path, container)
        layout, channels = _own_layout(stream)
        yield OpenSound(path, container, stream, layout, channels, source)


@contextlib.contextmanager
def open_media(path: Path, kind: MediaKind) -> Iterator[tuple[InputContainer, Source]]:
    """Open a local file with FFmpeg, and nothing but this file; it is closed when the block ends.

    Raises
    ------
    MediaError
        If it is missing, a folder, unreadable, empty, or of no format of this kind.
    """
    with _open_source(path, kind) as source, _open_container(path, source, kind) as container:
        yield container, source


def describe(sound: OpenSound) -> SoundInfo:
    """Check an opened sound against the limits and put what it declares into a `SoundInfo`.

    Raises
    ------
    MediaError
        If the sample rate, the number of channels or the declared length is outside the limits.
    """
    name, container, stream = show_name(sound.path), sound.container, sound.stream
    rate, channels = stream.codec_context.sample_rate, sound.channels
    if rate == 0 or channels == 0:
        raise MediaError(f"{name} doesn't say how its sound is coded; export or download it again")
    if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
        raise MediaError(
            f"{name} has a sample rate of {rate} Hz, outside {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz; "
            "convert it to 44100 Hz, or export it again if it is damaged"
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise MediaError(
            f"{name} has {channels} channels, outside 1 to {MAX_CHANNELS}; mix it down to stereo"
        )
    seconds = declared_seconds(sound)
    if seconds is not None and seconds > MAX_SECONDS and not estimates_duration(sound):
        raise MediaError(
            f"{name} is {format_duration(seconds)} long by its header, over the limit of 12 hours; "
            "cut it into parts"
        )
    tags = _read_tags(container.metadata) | _read_tags(stream.metadata)
    codec = stream.codec_context.name
    return SoundInfo(sound.path, container.format.name, codec, rate, channels, seconds, tags)


def declared_seconds(sound: OpenSound) -> float | None:
    """Give the length that a file declares for its sound, seconds; None if unknown."""
    container, stream = sound.container, sound.stream
    if stream.duration is not None and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif match := _MATROSKA_DURATION.match(stream.metadata.get("DURATION", "")):
        hours, minutes, rest = match.groups()
        seconds = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    elif container.duration is not None:
        seconds = container.duration / av.time_base
    else:
        return None
    if stream.duration is None and stream.start_time and stream.time_base:
        seconds -= float(stream.start_time * stream.time_base)  # Matroska declares where the sound ends
    return seconds if seconds > 0 else None


def estimates_duration(sound: OpenSound) -> bool:
    """Tell whether FFmpeg's duration of this format is a guess from the bit rate (mp3: may be one)."""
    return sound.container.format.name in _ESTIMATING


def choose_stream(streams: Iterable[AnyStream]) -> AnyStream | None:
    """Choose among the streams that can be decoded: the first that is marked default, else the first."""
    # PyAV declares the context as always present; it is None where FFmpeg has no decoder.
    known = [stream for stream in streams if cast(object, stream.codec_context) is not None]
    marked = [stream for stream in known if stream.disposition & Disposition.default]
    return next(iter(marked + known), None)


def show_name(path: Path) -> str:
    r"""Write a file's name for a message: one line, printable, at most 80 characters.

    Examples
    --------
    >>> show_name(Path("/music/bad\nname.ogg"))
    'bad?name.ogg'
    """
    shown = "".join(letter if letter.isprintable() else "?" for letter in path.name or str(path))
    return shown if len(shown) <= 80 else f"{shown[:50]}...{shown[-27:]}"


_STANDARD_LAYOUT = re.compile(r"[a-z0-9.]+(\([a-z-]+\))?")  # "5.1(side)", not "3 channels (FC+FL+FR)"
_MATROSKA_DURATION = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d+)?)")


@contextlib.contextmanager
def _open_source(path: Path, kind: MediaKind) -> Iterator[Source]:
    name = show_name(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(f"{name} is a folder; name a {kind.noun}")
        if not stat.S_ISREG(status.st_mode):  # a pipe would block, a device might never end
            raise MediaError(f"{name} is no regular file; save it to a file first")
        handle = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise MediaError(f"there is no file {name} in {_show_folder(path)}; check the path") from None
    except OSError as error:
        raise MediaError(
            f"{name} can't be opened ({error.strerror or 'system error'}); check the file"
        ) from None
    except ValueError:  # a zero byte in the name
        raise MediaError(f"{name} is no possible file name; check the path") from None
    with handle:
        if os.fstat(handle.fileno()).st_size == 0:
            raise MediaError(f"{name} is empty (0 bytes); export or download it again")
        yield Source(handle)


@contextlib.contextmanager
def _open_container(path: Path, source: Source, kind: MediaKind) -> Iterator[InputContainer]:
    try:
        container = _open_with_ffmpeg(source, kind.formats)
    except FFMPEG_FAILURES:
        if isinstance(source.failure, OSError):
            raise unreadable(path, source.failure) from None
        if source.failure is not None:
            raise source.failure from None
        raise MediaError(
            f"{show_name(path)} is no {kind.noun} that can be read, or its header or index is damaged; "
            f"{kind.remedy}"
        ) from None
    with container:
        yield container


def _open_with_ffmpeg(source: Source, formats: str) -> InputContainer:
    """Open with the file's own extension as a hint, and without where it misleads (a sound named .png)."""
    try:
        return _open_named(source, formats)
    except FFMPEG_FAILURES:
        source.name = "media"
        source.seek(0, os.SEEK_SET)
        return _open_named(source, formats)


def _open_named(source: Source, formats: str) -> InputContainer:
    return av.open(
        source,
        mode="r",
        metadata_errors="ignore",  # tags in Shift-JIS and the like are common
        container_options={"format_whitelist": formats},
        io_open=_refuse_nested,
    )


def unreadable(path: Path, error: OSError) -> MediaError:
    """Say that the disk failed while a file was read."""
    return MediaError(f"{show_name(path)} can't be read ({error.strerror or 'system error'}); check the disk")


def _refuse_nested(url: str, flags: int, options: dict[str, str]) -> None:
    # A ValueError, as it counts among FFMPEG_FAILURES: the file is refused like any other unusable one.
    raise ValueError("a media file may not open other files")


def _choose_stream(path: Path, container: InputContainer) -> AudioStream:
    streams = container.streams.audio
    name = show_name(path)
    if not streams:
        raise MediaError(f"{name} holds no sound (only pictures, text or data); {_READABLE}")
    stream = choose_stream(streams)
    if stream is None:
        raise MediaError(f"the sound in {name} is in a codec that can't be decoded; {_READABLE}")
    return stream


def _own_layout(stream: AudioStream) -> tuple[str, int]:
    """Give the name and number of the channels, and make the layout safe to look at.

    PyAV 18 copies FFmpeg's layouts shallowly and frees the map of an unusual order of channels (AIFF, CAF and
    MOV have them) once per copy, which kills the process. So the context gets a layout without a map before a
    frame is decoded; the old map then belongs to ``layout`` alone.
    """
    context = stream.codec_context
    layout = context.layout
    name, channels = layout.name, layout.nb_channels
    if channels > 0:
        context.layout = name if _STANDARD_LAYOUT.fullmatch(name) else f"{channels} channels"
    return name, channels


def _read_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    kept = list(metadata.items())[:_MAX_TAGS]
    return {key.lower(): value.strip()[:_MAX_TAG_CHARACTERS] for key, value in kept if value.strip()}


def _show_folder(path: Path) -> str:
    return show_name(path.parent) if path.parent.name else "this folder"
