"""Decode a sound file to float32 samples, in bounded memory, and never pass off a part for the whole.

Samples are counted from the beginning of the stream and never derived from timestamps; nothing is sought.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
import numpy as np
from av.audio.stream import AudioStream
from jaxtyping import Float32

from synesthete.clock import samples_at
from synesthete.errors import ConfigError, MediaError, TruncatedError
from synesthete.files import whole_file
from synesthete.media.completeness import Declaration, read_declaration
from synesthete.media.convert import Chunk, Converter, Resampler
from synesthete.media.probe import (
    FFMPEG_FAILURES,
    MAX_SECONDS,
    OpenSound,
    SoundInfo,
    describe,
    estimates_duration,
    open_sound,
    probe_sound,
    show_name,
    unreadable,
)

__all__ = ["CHUNK_SAMPLES", "Resampler", "Span", "Spool", "decode_sound", "spool_sound"]

CHUNK_SAMPLES = 65_536
"""Samples per channel in each decoded chunk; the last one may be shorter."""

# Full scale is 1. A float file scaled like 16-bit integers, or with flipped bits, would make every
# later power overflow.
_MAX_PEAK = 1_000.0

# A frame of 2**22 samples is over three times the largest that an encoder makes (APE, "insane").
_MAX_FRAME_SAMPLES = 1 << 22
_MAX_READ_FAILURES = 16
# A file may come out shorter than declared by this much: lossy encoders pad with up to two frames.
_SLACK_SECONDS = 0.1
_SLACK_SAMPLES = 2_048


@dataclass(frozen=True)
class Span:
    """A stretch of a track, in seconds from its start; ``end`` None means to its end.

    Raises
    ------
    ConfigError
        If ``start`` is negative, or ``end`` isn't after ``start``.
    """

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start < 0:
            raise ConfigError(f"--start {_plain(self.start)} is before the track; pass 0 or more")
        if self.end is not None and self.end <= self.start:
            raise ConfigError(
                f"--end {_plain(self.end)} must lie after --start {_plain(self.start)}; pass a later --end"
            )


_WHOLE = Span()


def decode_sound(path: Path, *, span: Span = _WHOLE, allow_truncated: bool = False) -> Iterator[Chunk]:
    """Decode a sound file chunk by chunk, at its own sample rate.

    Mono stays one channel; everything else comes as two. More than two channels are mixed down with the
    weights of FFmpeg's resampler, scaled so that no full-scale input can exceed full scale.

    Parameters
    ----------
    path
        A local sound file.
    span
        The stretch to decode, trimmed to the exact sample. Decoding stops at its end.
    allow_truncated
        Take what can be decoded of a damaged file, instead of raising `TruncatedError` at its end.

    Yields
    ------
    Samples, full scale ±1 (lossy codecs overshoot it), `CHUNK_SAMPLES` per chunk except the last.

    Raises
    ------
    MediaError
        If the file can't be used (see `probe_sound`), has no samples, samples that are not finite or far over
        full scale, more than 12 hours, or a span beyond its end.
    TruncatedError
        After the last chunk, if the file is damaged or cut off.
    """
    try:
        with open_sound(path) as sound:
            track = _Track(
                info=describe(sound),
                declaration=read_declaration(sound),
                estimates=estimates_duration(sound),
                span=span,
                allow_truncated=allow_truncated,
            )
            yield from _regroup(track.blocks(sound))
            if sound.source.failure is not None:
                raise sound.source.failure
            track.check_end()
    except OSError as error:  # the disk's; FFmpeg's were dealt with
        raise unreadable(path, error) from error


@dataclass(frozen=True)
class Spool:
    """Decoded samples in a file of their own: ``path`` is a .npy file, ``sample_rate`` is in Hz."""

    path: Path
    sample_rate: int

    @property
    def samples(self) -> Float32[np.ndarray, "samples channels"]:
        """Map the samples into memory, read-only; pages are loaded when touched."""
        mapped: Float32[np.ndarray, "samples channels"] = np.load(self.path, mmap_mode="r")
        return mapped


def spool_sound(path: Path, target: Path, *, span: Span = _WHOLE, allow_truncated: bool = False) -> Spool:
    """Decode a sound file into a .npy file that can be memory-mapped, shape (samples, channels), float32.

    Parameters
    ----------
    path, span, allow_truncated
        As in `decode_sound`.
    target
        The .npy file to write; it appears whole or not at all.

    Raises
    ------
    MediaError, TruncatedError
        See `decode_sound`.
    OutputError, RenderError
        If ``target`` can't be written.
    """
    info = probe_sound(path)
    channels = min(info.channels, 2)
    with whole_file(target) as part, part.open("wb") as handle:
        count = 0
        _write_npy_header(handle, count, channels)
        for chunk in decode_sound(path, span=span, allow_truncated=allow_truncated):
            handle.write(np.ascontiguousarray(chunk.T).data)
            count += chunk.shape[1]
        handle.seek(0)
        _write_npy_header(handle, count, channels)
    return Spool(target, info.sample_rate)


@dataclass
class _Damage:
    """Counts what couldn't be decoded, by place: before, between and after what could."""

    leading: int = 0
    inside: int = 0
    trailing: int = 0
    heard: bool = False

    def found(self) -> None:
        if self.heard:
            self.trailing += 1
        else:
            self.leading += 1

    def passed(self) -> None:
        self.inside, self.trailing, self.heard = self.inside + self.trailing, 0, True


@dataclass
class _Track:
    """One pass over a sound: what was promised, what was asked for, and what came."""

    info: SoundInfo
    declaration: Declaration
    estimates: bool
    span: Span
    allow_truncated: bool
    damage: _Damage = field(default_factory=_Damage)
    position: int = 0
    wanted: int = 0
    reached_end: bool = False

    def blocks(self, sound: OpenSound) -> Iterator[Chunk]:
        """Yield the wanted samples in pieces of any length; stop where the span ends."""
        rate = self.info.sample_rate
        first = samples_at(self.span.start, rate)
        last = None if self.span.end is None else samples_at(self.span.end, rate)
        converter = Converter(rate, 1 if sound.channels == 1 else 2, sound.layout)
        for block in _converted(sound, converter, self.damage):
            begin = max(0, first - self.position)
            end = block.shape[1] if last is None else min(block.shape[1], last - self.position)
            if begin < end:
                self._check_samples(block[:, begin:end], self.position + begin)
                self.wanted += end - begin
                yield block[:, begin:end]
            self.position += block.shape[1]
            if self.position > MAX_SECONDS * rate:
                raise MediaError(f"{self._name} is longer than 12 hours; cut it into parts")
            if last is not None and self.position >= last:
                self.reached_end = True
                return

    def check_end(self) -> None:
        """Raise unless what was asked for came whole."""
        if self.position == 0:
            raise MediaError(f"no sound could be decoded from {self._name}; export or download it again")
        damaged = self._is_damaged()
        if damaged and not self.allow_truncated and self.reached_end:
            raise TruncatedError(
                f"{self._name} is damaged within its first {self._seconds:.1f} s; "
                "pass --allow-truncated to use what could be decoded"
            )
        if damaged and not self.allow_truncated:
            raise TruncatedError(
                f"{self._name} is damaged or cut off: {self._seconds:.1f} s{self._promised()} "
                "could be decoded; pass --allow-truncated to use that part"
            )
        part = "the usable part of " if damaged else ""
        if self.position <= samples_at(self.span.start, self.info.sample_rate):
            raise MediaError(self._beyond("start", self.span.start, part))
        if self.span.end is not None and not self.reached_end and not damaged:
            raise MediaError(self._beyond("end", self.span.end, part))
        if self.wanted == 0:
            raise MediaError(
                f"the span from --start to --end holds no sample of {self._name}; make it longer"
            )

    @property
    def _name(self) -> str:
        return show_name(self.info.path)

    @property
    def _seconds(self) -> float:
        return self.position / self.info.sample_rate

    def _is_damaged(self) -> bool:
        if self.damage.inside:
            return True
        if self.reached_end:
            return False
        slack = max(_SLACK_SECONDS, _SLACK_SAMPLES / self.info.sample_rate)
        if self.declaration.cut_off or self._is_short_of(self.declaration.seconds, slack):
            return True
        if not self.estimates:
            return self.damage.leading + self.damage.trailing > 0
        # Elementary streams often begin in the middle of a frame and end in tags that no decoder knows.
        # ADTS alone passes a half frame on instead of dropping it.
        if self.info.container == "aac" and self.damage.trailing:
            return True
        estimate = self.info.duration_s or 0
        return bool(self.damage.leading + self.damage.trailing) and self._is_short_of(estimate, estimate / 10)

    def _is_short_of(self, seconds: float | None, slack: float) -> bool:
        return seconds is not None and self._seconds < seconds - slack

    def _promised(self) -> str:
        seconds = self.declaration.seconds or self.info.duration_s
        return f" of about {seconds:.1f} s" if self._is_short_of(seconds, 0.05) else ""

    def _beyond(self, option: str, moment: Fraction, part: str) -> str:
        length = Fraction(self.position * 1000 // self.info.sample_rate, 1000)
        shown = f"{_plain(length)} s" if length % 1 else f"{int(length)}.0 s"
        remedy = f"pass --{option} {_plain(length)} or less" if option == "end" else "pass an earlier --start"
        return f"--{option} {_plain(moment)} lies after the end of {part}{self._name} ({shown}); {remedy}"

    def _check_samples(self, block: Chunk, position: int) -> None:
        if float(np.abs(block).max()) <= _MAX_PEAK:  # false for NaN too
            return
        worst = int(np.argmax(~(np.abs(block) <= _MAX_PEAK).all(axis=0)))
        value = (
            "a sample far over full scale"
            if np.isfinite(block[:, worst]).all()
            else "a NaN or infinite sample"
        )
        second = (position + worst) / self.info.sample_rate
        raise MediaError(f"{self._name} holds {value} at {second:.3f} s; export it again with a peak of 1.0")


def _converted(sound: OpenSound, converter: Converter, damage: _Damage) -> Iterator[Chunk]:
    for frame in _decoded_frames(sound, damage):
        try:
            block = converter.convert(frame)
        except FFMPEG_FAILURES:
            damage.found()
            continue
        damage.passed()
        if block.shape[1]:
            yield block
    rest = converter.flush()
    if rest is not None and rest.shape[1]:
        yield rest


def _decoded_frames(sound: OpenSound, damage: _Damage) -> Iterator[av.AudioFrame]:
    context = sound.stream.codec_context
    context.options = {"max_samples": str(_MAX_FRAME_SAMPLES)} | _CHECKSUMS.get(context.name, {})
    for packet in _read_packets(sound, damage):
        try:
            frames = context.decode(packet)
        except FFMPEG_FAILURES:
            damage.found()
            continue
        for frame in frames:
            if frame.is_corrupt:
                damage.found()
            if frame.samples:
                yield frame


# Without it a flipped bit in FLAC is noise that nobody reports. Ogg's pages are checked by the demuxer, and
# encoders have written wrong MP3 checksums.
_CHECKSUMS = {
    "flac": {"err_detect": "crccheck+explode"},
    "ac3": {"err_detect": "crccheck"},
    "eac3": {"err_detect": "crccheck"},
    "tta": {"err_detect": "crccheck+explode"},
    "wavpack": {"err_detect": "crccheck"},
}


def _read_packets(sound: OpenSound, damage: _Damage) -> Iterator["av.Packet[AudioStream] | None"]:
    """Yield the stream's packets and last None (which flushes the decoder); go on after a failed read."""
    failures = 0
    while failures < _MAX_READ_FAILURES:
        try:
            for packet in sound.container.demux(sound.stream):
                failures = 0
                if packet.size:
                    yield packet
            break
        except FFMPEG_FAILURES:
            damage.found()
            failures += 1
    yield None


def _regroup(blocks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Cut and join blocks of any length into chunks of `CHUNK_SAMPLES`."""
    held: list[Chunk] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += block.shape[1]
        if count >= CHUNK_SAMPLES:
            joined = np.concatenate(held, axis=1)
            whole = count - count % CHUNK_SAMPLES
            for start in range(0, whole, CHUNK_SAMPLES):
                yield np.ascontiguousarray(joined[:, start : start + CHUNK_SAMPLES])
            held, count = [joined[:, whole:].copy()], count - whole
    if count:
        yield np.ascontiguousarray(np.concatenate(held, axis=1))


def _write_npy_header(handle: IO[bytes], count: int, channels: int) -> None:
    # NumPy pads it for a growing first axis: the header of any count fits in the place of another.
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, channels)}
    np.lib.format.write_array_header_1_0(handle, header)


def _plain(seconds: Fraction) -> str:
    """Write seconds without needless zeros, at most three decimals."""
    return f"{float(seconds):.3f}".rstrip("0").rstrip(".")
