"""Write one film from many: copy their packets under new timestamps, beside one sound.

Nothing is encoded here. Decoding runs ahead of showing by the reordering depth of H.264's B-frames, the same
for a whole film, and an AAC encoder puts 1,024 priming samples before the music. Both are written as negative
decode times, which MP4 keeps as an edit list, and which decoders skip: the first picture and the first sample
meet at 0.
"""

import contextlib
import heapq
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from synesthete.errors import InputError, RenderError
from synesthete.media.codecs import MP4, Container
from synesthete.media.encode import file_failures, open_input, open_output, track_timescale
from synesthete.media.pictures import MAX_PICTURE_SIDE, carries_alpha

__all__ = ["Chapter", "FilmClock", "audio_stream", "check_cover", "film_clock", "video_stream", "write_film"]

if TYPE_CHECKING:
    from av.container.core import Chapter as ChapterEntry

    AnyPacket = Packet[Any]
else:
    AnyPacket = Packet  # generic in its stubs only

_COVERS: Final = {"JPEG": "mjpeg", "MPO": "mjpeg", "PNG": "png"}
_MAX_COVER_BYTES: Final = 16_000_000  # it is held in memory, and players load it whole
_COVER_WAIT_US: Final = 1_000_000
_BOXED: Final = frozenset({"mp4", "mov"})
_FILM_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "mp4": {"movflags": "+faststart"},
    "mov": {"movflags": "+faststart"},
    "webm": {"cues_to_front": "1"},
    "webp": {"loop": "0"},
}
_COARSE_TIMESCALE: Final = 1000  # ticks per second of WebM and WebP; FFmpeg offers no other
_OPUS_EXCESS_S: Final = Fraction(35, 1000)  # a pre-skip of 6.5 ms, and a last packet that is 20 ms long
_SILENT_TIMESCALE: Final = 1000  # FFmpeg's own, ticks per second, for what MP4 counts beside the tracks
_MAX_TITLE_BYTES: Final = 255  # the chapter list's limit; FFmpeg would cut within a character


@dataclass(frozen=True)
class FilmClock:
    """When each frame of a film is shown.

    Parameters
    ----------
    frame_rate
        Frames per second of what is joined.
    timescale
        Ticks per second of the film's timestamps.
    tick
        Gives the tick at which frame ``n`` is shown, rising strictly; for the number of frames, where the
        picture ends.
    longest
        Most ticks from one frame to the next.
    """

    frame_rate: Fraction
    timescale: int
    tick: Callable[[int], int]
    longest: int


def film_clock(frame_rate: Fraction, kind: Container) -> FilmClock:
    """Give the clock of a film whose frame ``i`` is shown at ``i / frame_rate``, to the nearest tick."""
    if kind.exact:
        timescale = track_timescale(frame_rate)
        step = int(timescale / frame_rate)
        return FilmClock(frame_rate, timescale, lambda frame: frame * step, longest=step)
    scale = _COARSE_TIMESCALE
    longest = -(-scale // frame_rate)
    return FilmClock(
        frame_rate, scale, lambda frame: int(frame * scale / frame_rate + Fraction(1, 2)), longest
    )


@dataclass(frozen=True)
class Chapter:
    """A stretch of a film with a title; ``start`` and ``end`` in seconds, exact."""

    start: Fraction
    end: Fraction
    title: str


def write_film(
    parts: Sequence[tuple[Path, int]],
    sound: Path | None,
    target: Path,
    *,
    clock: FilmClock,
    tags: Mapping[str, str] = MappingProxyType({}),
    chapters: Sequence[Chapter] = (),
    cover: Path | None = None,
    kind: Container = MP4,
) -> int:
    """Join films or segments, and a sound, into one film by copying their packets.

    Packets stream; only the muxer's index grows with the film, by some 60 bytes a packet. That index comes
    first in the file (fast start), and the same inputs give the same bytes. The file is written directly.

    Parameters
    ----------
    parts
        Films or segments, in order, each with its number of frames; frame ``i`` of each is at ``i /
        clock.frame_rate`` seconds.
    sound
        File from `synesthete.media.mux.encode_sound`, or None for a silent film.
    target
        File to write.
    clock
        When the frames are shown.
    tags
        ``title``, ``artist``, ``album``, ``date``, ``comment``, …; MP4 drops what it has no place for.
    chapters
        In order; MP4 keeps them in units of the sound's sample (of 1 ms in a silent film), and titles of up
        to 255 bytes.
    cover
        A JPEG or PNG file of at most 16 MB, to be shown as the film's picture in a library; left out where
        the container has no place for one.
    kind
        The film's container.

    Returns
    -------
    Frames written.

    Raises
    ------
    InputError
        If the cover is no JPEG or PNG file, damaged, or too large.
    RenderError
        If there are no parts, if a part's frames are not those declared, or encoded differently from the
        first part's, or if picture and sound end more than one frame apart.
    OSError
        If a file can't be read or written.
    """
    if not parts:
        raise RenderError(f"there are no segments to join as {target}")
    artwork = _read_cover(cover) if cover and kind.cover else None
    frames = sum(count for _, count in parts)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(open_input(parts[0][0]))
        music = stack.enter_context(open_input(sound)) if sound else None
        template = video_stream(first, parts[0][0])
        heard = audio_stream(music, sound) if music and sound else None
        options = dict(_FILM_OPTIONS.get(kind.name, {}))
        if kind.name in _BOXED:
            options["video_track_timescale"] = str(clock.timescale)
        if music and heard:
            _check_ends(Fraction(clock.tick(frames), clock.timescale), music, heard, clock.frame_rate, target)
            if kind.name in _BOXED:
                # In units of the sample rate, edit list and chapters are cut at exact samples.
                options["movie_timescale"] = str(heard.rate)
        if artwork:
            # The muxer waits so long for a second picture of the cover, holding all else in memory.
            options["max_interleave_delta"] = str(_COVER_WAIT_US)
        film = stack.enter_context(open_output(target, kind, **options))
        film.metadata.update({name: text.replace("\0", "") for name, text in tags.items()})
        unit = Fraction(1, heard.rate if heard else _SILENT_TIMESCALE)
        film.set_chapters([_chapter_entry(index, chapter, unit) for index, chapter in enumerate(chapters)])
        joint = _Joint(template, clock, frames)
        pictures = film.add_stream_from_template(template, opaque=True)
        if kind.name in _BOXED:
            # PyAV forgets a template's tag, and FFmpeg would choose another for HEVC and ProRes 4444.
            pictures.codec_context.codec_tag = template.codec_context.codec_tag
        else:
            # Without it, WebM would not say how fast its pictures follow one another.
            pictures.codec_context.framerate = clock.frame_rate
        if carries_alpha(template):
            pictures.metadata["alpha_mode"] = "1"
        tracks = [joint.packets(parts, pictures)]
        if music and heard:
            copy = film.add_stream_from_template(heard, opaque=True)
            tracks.append(_sound_packets(music, heard, copy))
        if artwork:
            film.mux_one(artwork.packet(film))
        for _, _, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
            film.mux_one(packet)
    return joint.frames


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Give a film's picture.

    Raises
    ------
    RenderError
        If there is none.
    """
    if not container.streams.video:
        raise RenderError(f"{path} has no picture")
    return container.streams.video[0]


def audio_stream(container: InputContainer, path: Path) -> AudioStream:
    """Give a film's sound.

    Raises
    ------
    RenderError
        If there is none.
    """
    if not container.streams.audio:
        raise RenderError(f"{path} has no sound")
    return container.streams.audio[0]


class _Joint:
    """Copies the packets of films or segments with the timestamps of the film they become.

    Packet ``k`` in decoding order is decoded a fixed time before frame ``k`` is shown: so long that it
    precedes frame ``k - depth`` too. Players that seek by decode times take that of the first packet for the
    distance at every keyframe, and would miss one that is nearer. A part's own decode times can't be shifted
    and kept, since x264 drops the delay in segments of one or two frames.
    """

    def __init__(self, template: VideoStream, clock: FilmClock, total: int) -> None:
        context = template.codec_context
        self.frames = 0
        self._total = total
        self._clock = clock
        self._lead = context.reorder_depth * clock.longest
        self._size = (context.width, context.height)
        self._extradata = context.extradata

    def packets(
        self, parts: Sequence[tuple[Path, int]], track: VideoStream
    ) -> Iterator[tuple[Fraction, int, AnyPacket]]:
        for path, declared in parts:
            with open_input(path) as container, file_failures(path):
                stream = video_stream(container, path)
                self._check_same_encoding(stream, path)
                yield from self._part(container, stream, path, declared, track)
            self.frames += declared

    def _part(
        self, container: InputContainer, stream: VideoStream, path: Path, declared: int, track: VideoStream
    ) -> Iterator[tuple[Fraction, int, AnyPacket]]:
        rate, tick, unit = self._clock.frame_rate, self._clock.tick, Fraction(1, self._clock.timescale)
        shown: set[int] = set()
        for index, packet in enumerate(p for p in container.demux(stream) if p.pts is not None):
            moment = (packet.pts or 0) * packet.time_base
            place = round(moment * rate)
            # MP4 is exact; a thousand ticks a second are off by half of one.
            off = abs(moment - place / rate) > packet.time_base / 2
            if off or place < 0 or (index == 0 and not packet.is_keyframe):
                raise RenderError(f"{path} is no segment at {rate} frames per second")
            shown.add(place)
            frame = self.frames + place
            packet.stream = track
            packet.time_base = unit
            packet.pts = tick(frame)
            packet.dts = tick(self.frames + index) - self._lead
            # MP4 keeps the distances between decode times, and of the last packet its duration.
            last = self.frames + index + 1 >= self._total
            packet.duration = (
                tick(self._total) - tick(self._total - 1) if last else tick(frame + 1) - packet.pts
            )
            if packet.dts > packet.pts:
                raise RenderError(f"{path} reorders frames more deeply than it declares; use libx264")
            yield packet.dts * unit, 0, packet
        if shown != set(range(declared)):
            raise RenderError(f"{path} holds {len(shown)} frames, not {declared}; delete it and repeat")

    def _check_same_encoding(self, stream: VideoStream, path: Path) -> None:
        context = stream.codec_context
        if (context.width, context.height) != self._size or context.extradata != self._extradata:
            raise RenderError(f"{path} is encoded differently from the first segment; delete it and repeat")


def _sound_packets(
    container: InputContainer, source: AudioStream, track: AudioStream
) -> Iterator[tuple[Fraction, int, AnyPacket]]:
    for packet in container.demux(source):
        if packet.dts is not None:
            packet.stream = track
            yield packet.dts * packet.time_base, 1, packet


def _check_ends(
    picture: Fraction, music: InputContainer, heard: AudioStream, frame_rate: Fraction, target: Path
) -> None:
    sound, slack = (heard.duration or 0) * (heard.time_base or Fraction(0)), 1 / frame_rate
    if heard.duration is None:
        # WebM has a length for the whole file, with what is to be cut off at both ends.
        sound, slack = Fraction(music.duration or 0, av.time_base), slack + _OPUS_EXCESS_S
    if abs(picture - sound) > slack:
        raise RenderError(
            f"in {target} the picture lasts {float(picture):.3f} s and the sound {float(sound):.3f} s; "
            "they may differ by one frame"
        )


def _chapter_entry(index: int, chapter: Chapter, unit: Fraction) -> "ChapterEntry":
    title = chapter.title.replace("\0", "").encode(errors="ignore")[:_MAX_TITLE_BYTES].decode(errors="ignore")
    return {
        "id": index,
        "start": round(chapter.start / unit),
        "end": round(chapter.end / unit),
        "time_base": unit,
        "metadata": {"title": title},
    }


@dataclass(frozen=True)
class _Cover:
    """A still picture as it is in its file: FFmpeg's name of its codec, its size in pixels, its bytes."""

    codec: str
    width: int
    height: int
    data: bytes

    def packet(self, film: OutputContainer) -> AnyPacket:
        """Give ``film`` a stream for it, and the one packet of that stream."""
        stream = film.add_mux_stream(self.codec, width=self.width, height=self.height)
        stream.disposition = Disposition.attached_pic
        packet = Packet(self.data)
        packet.stream = stream
        packet.time_base = Fraction(1, _SILENT_TIMESCALE)
        packet.pts = packet.dts = 0
        packet.is_keyframe = True
        return packet


def check_cover(path: Path) -> None:
    """Refuse a cover that `write_film` would refuse.

    Raises
    ------
    InputError
        If it is no JPEG or PNG file, damaged, or too large.
    OSError
        If it can't be read.
    """
    _read_cover(path)


def _read_cover(path: Path) -> _Cover:
    with path.open("rb") as handle:
        data = handle.read(_MAX_COVER_BYTES + 1)
    if len(data) > _MAX_COVER_BYTES:
        raise InputError(f"the cover {path} is larger than 16 MB; export it smaller")
    try:
        with Image.open(io.BytesIO(data)) as image:
            codec, (width, height) = _COVERS.get(image.format or ""), image.size
            if max(width, height) > MAX_PICTURE_SIDE:
                raise InputError(
                    f"the cover {path} is wider or higher than {MAX_PICTURE_SIDE} pixels; scale it down"
                )
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"the cover {path} is no picture that can be read; export it as JPEG or PNG"
        ) from error
    if codec is None:
        raise InputError(f"the cover {path} is neither JPEG nor PNG; export it as one of them")
    return _Cover(codec, width, height, data)
