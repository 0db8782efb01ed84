"""Tell from a sound file's own structure how long it should be, and whether its end is missing.

FFmpeg hides much of this: it shortens a cut WAV's duration to what is there, and takes an Ogg file's duration
from whichever page comes last. So the structure is read here, a few bytes at a time.
"""

import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from av.audio.stream import AudioStream

from synesthete.media.probe import OpenSound, declared_seconds

__all__ = ["Declaration", "read_declaration"]

# Formats whose stream duration is written in a header, and not clipped by FFmpeg to the size of the file.
_DECLARING = frozenset({"aiff", "ape", "asf", "au", "dsf", "flac", "mpc", "mpc8", "ogg", "tak", "tta", "wv"})
_MAX_CHUNKS = 10_000


@dataclass(frozen=True)
class Declaration:
    """What a file's structure promises.

    ``seconds`` is a length to rely on, None if there is none; ``cut_off`` says that the file ends before its
    own structure does.
    """

    seconds: float | None
    cut_off: bool


def read_declaration(sound: OpenSound) -> Declaration:
    """Read how long a file should be, and whether its end is missing.

    Parameters
    ----------
    sound
        The opened file; it is read through a handle of its own.

    Raises
    ------
    OSError
        If the file can't be read any more.
    """
    stream, kind = sound.stream, sound.container.format.name
    seconds = declared_seconds(sound)
    with sound.path.open("rb") as handle:
        size = os.fstat(handle.fileno()).st_size
        if kind in ("wav", "w64", "caf"):
            return _declared_by_data_chunk(handle, size, stream)
        if kind == "mp3":
            return Declaration(_xing_seconds(handle, seconds), cut_off=False)
        if kind == "avi":
            return Declaration(None, _ends_early(_riff_end(handle), size))
        if kind.startswith("mov,"):
            # An edit list may declare silence before the sound, which isn't decoded.
            return Declaration(None if stream.start_time else seconds, _box_end(handle, size) > size)
        if kind.startswith("matroska"):
            own = "DURATION" in stream.metadata or len(sound.container.streams) == 1
            return Declaration(seconds if own else None, _ends_early(_segment_end(handle), size))
        if kind == "ogg":
            return Declaration(seconds, not _ogg_has_end(handle, size))
        return Declaration(seconds if kind in _DECLARING else None, cut_off=False)


def _ends_early(declared_end: int | None, size: int) -> bool:
    return declared_end is not None and declared_end > size


# --- RIFF (WAV, AVI), Wave64, CAF -----------------------------------------------------------------


def _declared_by_data_chunk(handle: BinaryIO, size: int, stream: AudioStream) -> Declaration:
    found = _data_chunk(handle, size)
    if found is None:
        return Declaration(None, cut_off=False)
    offset, length = found
    missing = offset + length - size
    bytes_per_second = (stream.codec_context.bit_rate or 0) / 8
    if bytes_per_second <= 0 or not stream.codec_context.name.startswith("pcm_"):
        return Declaration(None, cut_off=missing > 0)
    return Declaration(length / bytes_per_second, cut_off=missing / bytes_per_second > 0.1)


def _data_chunk(handle: BinaryIO, size: int) -> tuple[int, int] | None:
    """Give offset and length of the sample data in bytes; None if there is none or its length is unknown."""
    long_length = 0
    for name, offset, length in _chunks(handle, size):
        if name == b"ds64":  # RF64: the true length stands here, and 0xFFFFFFFF in the data chunk
            body = handle.read(16)
            long_length = struct.unpack_from("<Q", body, 8)[0] if len(body) == 16 else 0
        if name == b"data":
            if long_length and length == 0xFFFFFFFF:
                return offset, long_length
            return None if _is_unknown(length) else (offset, length)
    return None


def _is_unknown(length: int) -> bool:
    # Encoders that write to a pipe can't know the length: 0, -1, or the largest number they can write.
    return length <= 0 or length >= 2**62 or length >> 16 in (0xFFFF, 0x7FFF, 0x8000)


def _chunks(handle: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Walk the chunks of a RIFF, Wave64 or CAF file: name, offset and length of the content, bytes."""
    magic = handle.read(4)
    if magic in (b"RIFF", b"RF64"):
        position, header, padding, own = 12, struct.Struct("<4sI"), 2, 0
    elif magic == b"riff":
        position, header, padding, own = 40, struct.Struct("<4s12xq"), 8, 24
    elif magic == b"caff":
        position, header, padding, own = 8, struct.Struct(">4sq"), 1, 0
    else:
        return
    for _ in range(_MAX_CHUNKS):
        handle.seek(position)
        raw = handle.read(header.size)
        if len(raw) < header.size:
            return
        name, length = header.unpack(raw)
        start, length = position + header.size, length - own
        if magic == b"caff" and name == b"data":
            start, length = start + 4, length - 4  # an edit count comes first
        yield name, start, length
        if length < 0 or start + length > size:
            return
        position = start + length + -length % padding


def _riff_end(handle: BinaryIO) -> int | None:
    raw = handle.read(8)
    length = int.from_bytes(raw[4:], "little")
    return None if raw[:4] != b"RIFF" or _is_unknown(length) else 8 + length


# --- MP4, Matroska --------------------------------------------------------------------------------


def _box_end(handle: BinaryIO, size: int) -> int:
    """Give where the top-level boxes of an MP4 file say that they end, bytes from the start."""
    position = 0
    for _ in range(_MAX_CHUNKS):
        handle.seek(position)
        raw = handle.read(16)
        length = int.from_bytes(raw[:4], "big")
        if length == 1 and len(raw) == 16:
            length = int.from_bytes(raw[8:], "big")
        if position + 8 > size or length < 8 or not re.fullmatch(rb"[ -~\xa9]{4}", raw[4:8]):
            break  # the end, a box that goes on to the end, or a foreign tag behind the file
        position += length
    return position


def _segment_end(handle: BinaryIO) -> int | None:
    """Give where a Matroska file says that its segment ends; None if it doesn't say."""
    head = handle.read(4096)
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return None
    length, position = _ebml_number(head, 4)
    position += length or 0
    if head[position : position + 4] != b"\x18\x53\x80\x67":
        return None
    length, position = _ebml_number(head, position + 4)
    return None if length is None else position + length


def _ebml_number(data: bytes, position: int) -> tuple[int | None, int]:
    """Read a number whose first bit set tells its width; all ones means unknown."""
    first = data[position] if position < len(data) else 0
    width = 9 - first.bit_length()
    raw = data[position : position + width]
    if width > 8 or len(raw) < width:
        return None, position
    number = int.from_bytes(raw, "big") & ((1 << (7 * width)) - 1)
    return (None if number == (1 << (7 * width)) - 1 else number), position + width


# --- Ogg ------------------------------------------------------------------------------------------

_OGG_TAIL_BYTES = 256 * 1024  # a page holds at most 65,307 bytes; tags may have been appended
_REVERSED_BITS = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def _ogg_has_end(handle: BinaryIO, size: int) -> bool:
    """Tell whether the last page of an Ogg file is whole and marked as the last."""
    handle.seek(max(0, size - _OGG_TAIL_BYTES))
    tail = handle.read()
    for match in reversed(list(re.finditer(rb"OggS\0", tail))):
        page = _ogg_page(tail, match.start())
        if page is None:
            return False
        if _ogg_checksum(page) == page[22:26]:
            return bool(page[5] & 4)
    return False


def _ogg_page(data: bytes, start: int) -> bytes | None:
    if start + 27 > len(data):
        return None
    lacing = data[start + 27 : start + 27 + data[start + 26]]
    end = start + 27 + data[start + 26] + sum(lacing)
    return data[start:end] if end <= len(data) else None


def _ogg_checksum(page: bytes) -> bytes:
    """Compute a page's CRC-32 (polynomial 0x04c11db7, no reflection, no inversion), little-endian.

    It is zlib's reflected CRC of the bit-reversed bytes, bit-reversed.
    """
    cleared = page[:22] + bytes(4) + page[26:]
    value = zlib.crc32(cleared.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return value.to_bytes(4, "big").translate(_REVERSED_BITS)


# --- MP3 ------------------------------------------------------------------------------------------

_MP3_RATES = (44_100, 48_000, 32_000)
_XING = re.compile(
    rb"\xff[\xe2-\xff][\x00-\xef]."  # a frame's header
    # What stands before the count of frames: a fixed place, or flags that say that there is one.
    rb"(?:.{32}VBRI.{10}|.{5,40}?(?:Xing|Info)...[\x01\x03\x05\x07\x09\x0b\x0d\x0f])",
    re.DOTALL,
)


def _xing_seconds(handle: BinaryIO, ffmpeg_seconds: float | None) -> float | None:
    """Read an MP3 file's length from its Xing/Info or VBRI header, seconds; None if it has none.

    FFmpeg subtracts the encoder's padding, so the smaller of the two lengths counts.
    """
    handle.seek(_after_id3(handle))
    head = handle.read(8192)
    match = _XING.search(head)
    if match is None or ffmpeg_seconds is None:
        return None
    frames = int.from_bytes(head[match.end() : match.end() + 4], "big")
    version, rate_index = head[match.start() + 1] >> 3 & 3, head[match.start() + 2] >> 2 & 3
    if rate_index == 3 or version == 1:
        return None
    rate = _MP3_RATES[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    return min(frames * (1152 if version == 3 else 576) / rate, ffmpeg_seconds) or None


def _after_id3(handle: BinaryIO) -> int:
    """Give where the ID3v2 tags at the beginning of a file end, bytes; each holds up to 256 MB."""
    position = 0
    for _ in range(_MAX_CHUNKS):
        handle.seek(position)
        raw = handle.read(10)
        if len(raw) < 10 or raw[:3] != b"ID3":
            break
        length = 0
        for byte in raw[6:]:
            length = length << 7 | byte & 127
        position += 10 + length + (10 if raw[5] & 16 else 0)
    return position
