"""Encode the sound, join segments and sound to a film without re-encoding, and read films back.

Where the time goes, so that the first picture and the first sample meet at 0: an AAC encoder puts
1,024 priming samples before the music, and B-frames are decoded before they are shown. Both are
written as negative decode times, which MP4 keeps as an edit list, and which decoders skip.
"""

import contextlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from jaxtyping import Float32, UInt8

from synesthete.errors import InputError, RenderError
from synesthete.media.encode import file_failures, open_input, open_output, track_timescale

__all__ = [
    "AAC_RATES",
    "FilmFacts",
    "SoundTrack",
    "encode_sound",
    "film_facts",
    "iterate_frames",
    "stitch",
]

AAC_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
)  # fmt: skip
"""Sample rates that AAC can carry, Hz (ISO/IEC 14496-3, table 1.18)."""

if TYPE_CHECKING:
    AnyPacket = Packet[Any]
else:
    AnyPacket = Packet  # generic in its stubs only

_FALLBACK_RATE = 48_000
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_AAC_BITS = 6  # most bits that AAC gives a sample of one channel: 6,144 for a frame of 1,024


@dataclass(frozen=True)
class SoundTrack:
    """An encoded sound: file, sample rate as encoded (Hz), samples at the source's rate, channels."""

    path: Path
    sample_rate: int
    samples: int
    channels: int


@dataclass(frozen=True)
class FilmFacts:
    """What a film's packets say about it.

    Parameters
    ----------
    frames, width, height, frame_rate
        Video packets, picture size in pixels, frames per second.
    constant_rate
        Whether frame ``i`` is shown at ``start_s + i / frame_rate``, exactly, for every ``i``.
    start_s, duration_s
        Moment of the first frame, and how long the picture lasts, seconds.
    sound_rate, sound_samples, sound_channels, sound_start_s
        Sample rate in Hz, samples to be heard (priming and padding left out), channels, and moment of the
        first of them; all None without sound.
    codec, pixel_format, colour
        FFmpeg's names; ``colour`` is primaries, transfer, matrix and range.
    """

    frames: int
    width: int
    height: int
    frame_rate: Fraction
    constant_rate: bool
    start_s: float
    duration_s: float
    sound_rate: int | None
    sound_samples: int | None
    sound_channels: int | None
    sound_start_s: float | None
    codec: str
    pixel_format: str
    colour: tuple[str, str, str, str]


def encode_sound(
    chunks: Iterator[Float32[np.ndarray, "channels samples"]],
    path: Path,
    *,
    sample_rate: int,
    channels: int,
    bitrate: int = 256_000,
) -> SoundTrack:
    """Encode a stream of samples as AAC-LC in an MP4, so that they are heard at their exact time.

    A rate that AAC can't carry is resampled to 48 kHz. Samples are clipped to [-1, 1]. The file is
    written directly.

    Parameters
    ----------
    chunks
        Pieces of any length, one after another, float32, shape (channels, samples).
    path
        File to write.
    sample_rate
        Samples per second of the source, Hz.
    channels
        1 to 6.
    bitrate
        Bits per second; lowered to what AAC can hold at this rate.

    Raises
    ------
    InputError
        If AAC has no layout for so many channels.
    RenderError
        If there are no samples, a chunk has another shape, or the encoder fails.
    OSError
        If the file can't be written.
    """
    if channels not in _LAYOUTS:
        raise InputError(f"sound with {channels} channels can't be encoded; mix it to 6 or fewer")
    rate = sample_rate if sample_rate in AAC_RATES else _FALLBACK_RATE
    samples = 0
    # In units of the sample rate, the edit list cuts sound at exact samples.
    with open_output(path, movie_timescale=str(rate)) as container:
        stream = container.add_stream("aac", rate=rate)
        context = stream.codec_context
        context.layout, context.format = _LAYOUTS[channels], "fltp"
        context.bit_rate = min(bitrate, _AAC_BITS * channels * rate)
        context.flags |= Flags.bitexact
        for chunk in chunks:
            if chunk.shape[1] == 0:
                continue
            # The codec context resamples and cuts to frames of 1,024; the timestamps go with it.
            container.mux(stream.encode(_audio_frame(chunk, channels, sample_rate, samples)))
            samples += chunk.shape[1]
        if samples == 0:
            raise RenderError(f"there are no samples to encode as {path}")
        container.mux(stream.encode(None))
    return SoundTrack(path=path, sample_rate=rate, samples=samples, channels=channels)


def stitch(
    segments: Sequence[tuple[Path, int]],
    sound: Path | None,
    target: Path,
    *,
    frame_rate: Fraction,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Join segments, and a sound, into one film by copying their packets.

    Frame ``i`` is shown at ``i / frame_rate``, exactly. Packets stream; only the muxer's index grows with
    the film, by some 60 bytes a packet. That index comes first in the file (fast start), and the same
    inputs give the same bytes. The file is written directly.

    Parameters
    ----------
    segments
        Files from `SegmentWriter`, in order, each with its number of frames.
    sound
        File from `encode_sound`, or None for a silent film.
    target
        File to write.
    frame_rate
        Frames per second of all segments.
    tags
        ``title``, ``artist``, ``album``, ``date``, ``comment``, …; MP4 drops what it has no place for.

    Returns
    -------
    Frames written.

    Raises
    ------
    RenderError
        If a segment's frames are not those declared, or encoded differently from the first segment's,
        or if picture and sound end more than one frame apart.
    OSError
        If a file can't be read or written.
    """
    if not segments:
        raise RenderError(f"there are no segments to join as {target}")
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(open_input(segments[0][0]))
        music = stack.enter_context(open_input(sound)) if sound else None
        template = _video_stream(first, segments[0][0])
        heard = _audio_stream(music, sound) if music and sound else None
        scales = {"video_track_timescale": str(track_timescale(frame_rate))}
        if heard:
            _check_ends(sum(count for _, count in segments) / frame_rate, heard, frame_rate, target)
            scales["movie_timescale"] = str(heard.rate)
        film = stack.enter_context(open_output(target, movflags="+faststart", **scales))
        film.metadata.update({name: text.replace("\0", "") for name, text in tags.items()})
        joint = _Joint(template, frame_rate)
        tracks = [joint.packets(segments, film.add_stream_from_template(template, opaque=True))]
        if music and heard:
            copy = film.add_stream_from_template(heard, opaque=True)
            tracks.append(_sound_packets(music, heard, copy))
        for _, _, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
            film.mux_one(packet)
    return joint.frames


def film_facts(path: Path) -> FilmFacts:
    """Read a film's facts from its packets, without decoding.

    Raises
    ------
    RenderError
        If the file is no film: damaged, or without picture.
    OSError
        If it can't be read.
    """
    with open_input(path) as container, file_failures(path):
        video = _video_stream(container, path)
        audio = next(iter(container.streams.audio), None)
        shown: list[int] = []
        heard_to = 0
        for packet in container.demux(video, *([audio] if audio else [])):
            if packet.pts is None:
                continue
            if packet.stream_index == video.index:
                shown.append(packet.pts)
            elif not packet.is_discard:
                heard_to = max(heard_to, packet.pts + (packet.duration or 0))
        rate, tick, context = video.average_rate, video.time_base, video.codec_context
        if not shown or not rate or not tick:
            raise RenderError(f"{path} has no frames")
        shown.sort()
        # MP4 counts sound in samples, and shows what was cut off before it as a negative time.
        heard_from = max(0, audio.start_time or 0) if audio else 0
        return FilmFacts(
            frames=len(shown),
            width=context.width,
            height=context.height,
            frame_rate=rate,
            constant_rate=all((pts - shown[0]) * tick * rate == i for i, pts in enumerate(shown)),
            start_s=float(shown[0] * tick),
            duration_s=float(len(shown) / rate),
            sound_rate=audio.rate if audio else None,
            sound_samples=heard_to - heard_from if audio else None,
            sound_channels=audio.channels if audio else None,
            sound_start_s=heard_from / audio.rate if audio else None,
            codec=context.name,
            pixel_format=context.pix_fmt or "unknown",
            colour=_colour_names(video),
        )


def iterate_frames(
    path: Path, *, size: tuple[int, int] | None = None
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Decode a film's or a segment's frames, one after another, as RGB.

    Parameters
    ----------
    path
        Video file.
    size
        (width, height) in pixels to scale to; None keeps the film's own.

    Yields
    ------
    Frames, uint8, shape (height, width, 3).

    Raises
    ------
    RenderError
        If the file is no film: damaged, or without picture.
    OSError
        If it can't be read.
    """
    with open_input(path) as container, file_failures(path):
        stream = _video_stream(container, path)
        stream.thread_type = "AUTO"
        width, height = size or (stream.codec_context.width, stream.codec_context.height)
        for frame in container.decode(stream):
            scaled = frame.reformat(
                width=width, height=height, format="rgb24", interpolation=_SCALING, dst_color_range="JPEG"
            )
            yield np.asarray(scaled.to_ndarray(), dtype=np.uint8)


class _Joint:
    """Copies the packets of segments with the timestamps of the film they become.

    Decoding runs ahead of showing by the reordering depth of H.264's B-frames, the same for the whole
    film: packet ``k`` in decoding order gets the decode time ``k - depth``. A segment's own decode times
    can't be shifted and kept, since x264 drops the delay in segments of one or two frames.
    """

    def __init__(self, template: VideoStream, frame_rate: Fraction) -> None:
        context = template.codec_context
        self.frames = 0
        self._frame_rate = frame_rate
        self._depth = context.reorder_depth
        self._size = (context.width, context.height)
        self._extradata = context.extradata

    def packets(
        self, segments: Sequence[tuple[Path, int]], track: VideoStream
    ) -> Iterator[tuple[Fraction, int, AnyPacket]]:
        for path, declared in segments:
            with open_input(path) as container, file_failures(path):
                stream = _video_stream(container, path)
                self._check_same_encoding(stream, path)
                yield from self._segment(container, stream, path, declared, track)
            self.frames += declared

    def _segment(
        self, container: InputContainer, stream: VideoStream, path: Path, declared: int, track: VideoStream
    ) -> Iterator[tuple[Fraction, int, AnyPacket]]:
        shown = set()
        for index, packet in enumerate(p for p in container.demux(stream) if p.pts is not None):
            place = (packet.pts or 0) * packet.time_base * self._frame_rate
            if place.denominator != 1 or place < 0 or (index == 0 and not packet.is_keyframe):
                raise RenderError(f"{path} is no segment at {self._frame_rate} frames per second")
            shown.add(int(place))
            packet.stream = track
            packet.time_base = 1 / self._frame_rate
            packet.pts = self.frames + int(place)
            packet.dts = self.frames + index - self._depth
            packet.duration = 1
            if packet.dts > packet.pts:
                raise RenderError(f"{path} reorders frames more deeply than it declares; use libx264")
            yield packet.dts / self._frame_rate, 0, packet
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


def _audio_frame(
    chunk: Float32[np.ndarray, "channels samples"], channels: int, sample_rate: int, start: int
) -> av.AudioFrame:
    if chunk.ndim != 2 or chunk.shape[0] != channels:
        raise RenderError(f"a chunk of sound has shape {chunk.shape}, not ({channels}, samples)")
    # Beyond full scale AAC distorts, and on NaN its encoder gives up.
    clean = np.clip(np.nan_to_num(chunk, nan=0.0), -1.0, 1.0).astype(np.float32, copy=False)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(clean), format="fltp", layout=_LAYOUTS[channels])
    frame.sample_rate = sample_rate
    frame.pts, frame.time_base = start, Fraction(1, sample_rate)
    return frame


def _check_ends(picture: Fraction, heard: AudioStream, frame_rate: Fraction, target: Path) -> None:
    sound = (heard.duration or 0) * (heard.time_base or Fraction(0))
    if abs(picture - sound) > 1 / frame_rate:
        raise RenderError(
            f"in {target} the picture lasts {float(picture):.3f} s and the sound {float(sound):.3f} s; "
            "they may differ by one frame"
        )


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    if not container.streams.video:
        raise RenderError(f"{path} has no picture")
    return container.streams.video[0]


def _audio_stream(container: InputContainer, path: Path) -> AudioStream:
    if not container.streams.audio:
        raise RenderError(f"{path} has no sound")
    return container.streams.audio[0]


def _colour_names(video: VideoStream) -> tuple[str, str, str, str]:
    context = video.codec_context
    codes = (context.color_primaries, context.color_trc, context.colorspace)
    primaries, transfer, matrix = ("bt709" if code == 1 else str(code) for code in codes)
    return primaries, transfer, matrix, {1: "tv", 2: "pc"}.get(context.color_range, "unknown")
