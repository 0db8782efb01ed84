"""Encode the sound, join segments and sound to a film without re-encoding, and read films back.

How packets are copied, so that the first picture and the first sample meet at 0, is told in
`synesthete.media.joint`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from jaxtyping import Float32, UInt8

from synesthete.errors import InputError, RenderError
from synesthete.media.codecs import MP4, Container, SoundCodec, sound_container
from synesthete.media.encode import file_failures, open_input, open_output
from synesthete.media.joint import film_clock, video_stream, write_film

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

_FALLBACK_RATE = 48_000
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_SAMPLE_FORMATS: Mapping[SoundCodec, str] = {"aac": "fltp", "libopus": "flt", "pcm_s24le": "s32"}
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
        Whether frame ``i`` is shown at ``start_s + i / frame_rate``, for every ``i``, to the nearest tick of
        the file's clock; in MP4 and MOV of our own that is exactly.
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
    lead: int = 0,
    codec: SoundCodec = "aac",
) -> SoundTrack:
    """Encode a stream of samples, by default as AAC-LC in an MP4, so that they are heard at their exact time.

    A rate that AAC can't carry is resampled to 48 kHz, and so is any other for Opus. Samples are clipped to
    [-1, 1]. The file is written directly.

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
        Bits per second; lowered to what AAC can hold at this rate. PCM has 24 bits a sample in any case.
    lead
        So many samples come before the sound and are not heard: what the encoder remembers at its start. A
        loop's own end there lets it meet itself in what is decoded, too. For AAC.
    codec
        ``aac`` in MP4, ``libopus`` in WebM, ``pcm_s24le`` in MOV.

    Raises
    ------
    InputError
        If there is no layout for so many channels.
    RenderError
        If there are no samples, a chunk has another shape, or the encoder fails.
    OSError
        If the file can't be written.
    """
    if channels not in _LAYOUTS:
        raise InputError(f"sound with {channels} channels can't be encoded; mix it to 6 or fewer")
    samples, kind = 0, sound_container(codec)
    fitting = codec == "pcm_s24le" or (codec == "aac" and sample_rate in AAC_RATES)
    rate = sample_rate if fitting else _FALLBACK_RATE
    # In units of the sample rate, the edit list cuts sound at exact samples.
    with open_output(path, kind, **({"movie_timescale": str(rate)} if kind.exact else {})) as container:
        stream = container.add_stream(codec, rate=rate)
        context = stream.codec_context
        context.layout, context.format = _LAYOUTS[channels], _SAMPLE_FORMATS[codec]
        if codec != "pcm_s24le":
            context.bit_rate = min(bitrate, _AAC_BITS * channels * rate)
        context.flags |= Flags.bitexact
        for chunk in chunks:
            if chunk.shape[1] == 0:
                continue
            # The codec context resamples and cuts to frames of 1,024; the timestamps go with it.
            container.mux(stream.encode(_audio_frame(chunk, channels, sample_rate, samples - lead)))
            samples += chunk.shape[1]
        if samples <= lead:
            raise RenderError(f"there are no samples to encode as {path}")
        container.mux(stream.encode(None))
    return SoundTrack(path=path, sample_rate=rate, samples=samples - lead, channels=channels)


def stitch(
    segments: Sequence[tuple[Path, int]],
    sound: Path | None,
    target: Path,
    *,
    frame_rate: Fraction,
    tags: Mapping[str, str] = MappingProxyType({}),
    cover: Path | None = None,
    kind: Container = MP4,
) -> int:
    """Join segments, and a sound, into one film by copying their packets.

    Frame ``i`` is shown at ``i / frame_rate``, exactly; in WebM and WebP, whose clocks have a thousand ticks
    a second, to the nearest of them. Packets stream; only the muxer's index grows with
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
        If a segment's frames are not those declared, or encoded differently from the first segment's,
        or if picture and sound end more than one frame apart.
    OSError
        If a file can't be read or written.
    """
    clock = film_clock(frame_rate, kind)
    return write_film(segments, sound, target, clock=clock, tags=tags, cover=cover, kind=kind)


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
        video = video_stream(container, path)
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
        # What is cut off before the sound has a negative time.
        heard_from = max(0, audio.start_time or 0) if audio else 0
        unit = (audio.time_base or Fraction(0)) if audio else Fraction(0)
        return FilmFacts(
            frames=len(shown),
            width=context.width,
            height=context.height,
            frame_rate=rate,
            constant_rate=all(
                abs((pts - shown[0]) * tick - i / rate) <= tick / 2 for i, pts in enumerate(shown)
            ),
            start_s=float(shown[0] * tick),
            duration_s=float(len(shown) / rate),
            sound_rate=audio.rate if audio else None,
            sound_samples=round((heard_to - heard_from) * unit * audio.rate) if audio else None,
            sound_channels=audio.channels if audio else None,
            sound_start_s=float(heard_from * unit) if audio else None,
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
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        width, height = size or (stream.codec_context.width, stream.codec_context.height)
        for frame in container.decode(stream):
            scaled = frame.reformat(
                width=width, height=height, format="rgb24", interpolation=_SCALING, dst_color_range="JPEG"
            )
            yield np.asarray(scaled.to_ndarray(), dtype=np.uint8)


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


def _colour_names(video: VideoStream) -> tuple[str, str, str, str]:
    context = video.codec_context
    codes = (context.color_primaries, context.color_trc, context.colorspace)
    primaries, transfer, matrix = ("bt709" if code == 1 else str(code) for code in codes)
    return primaries, transfer, matrix, {1: "tv", 2: "pc"}.get(context.color_range, "unknown")
