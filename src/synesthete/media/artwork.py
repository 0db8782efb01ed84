"""Read still pictures that are shown in films: cover art, in files of its own or in the song's, and logos."""

import io
from pathlib import Path
from typing import Final

import numpy as np
from av.stream import Disposition
from PIL import Image, ImageOps

from synesthete.errors import InputError
from synesthete.media.pictures import MAX_PICTURE_SIDE
from synesthete.media.probe import FFMPEG_FAILURES, SOUND, open_media

__all__ = ["MAX_PICTURE_BYTES", "decode_picture", "embedded_picture", "read_picture"]

MAX_PICTURE_BYTES: Final = 16_000_000
"""Largest file of a picture."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_MAX_PACKETS: Final = 64  # FFmpeg hands the pictures over before the sound


def read_picture(path: Path, *, what: str) -> bytes:
    """Read a picture's file, and check that `decode_picture` can decode it.

    Parameters
    ----------
    what
        What it is for, for the message: ``"the watermark"``.

    Raises
    ------
    InputError
        If it is missing, no PNG, JPEG or WebP picture, damaged, or too large.
    """
    try:
        if not path.is_file():
            raise InputError(f"{what}: there is no picture {path}; correct the name")
        with path.open("rb") as handle:
            data = handle.read(MAX_PICTURE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no possible name"
        raise InputError(f"{what}: cannot read {str(path)[:200]!r} ({reason}); check the file") from None
    try:
        decode_picture(data)
    except ValueError as error:
        raise InputError(f"{what}: {path} {error}") from None
    return data


def embedded_picture(song: Path) -> bytes | None:
    """Give the picture that a sound file carries, as it is in the file; None where it has none that is fit.

    Raises
    ------
    MediaError
        If the file can't be opened.
    """
    with open_media(song, SOUND) as (container, _):
        covers = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
        if not covers:
            return None
        try:
            for count, packet in enumerate(container.demux(covers[0])):
                if packet.size:
                    data = bytes(packet)
                    decode_picture(data)
                    return data
                if count > _MAX_PACKETS:
                    break
        except FFMPEG_FAILURES:
            return None
    return None


def decode_picture(data: bytes) -> Image.Image:
    """Decode a picture to RGBA, turned upright.

    Raises
    ------
    ValueError
        If it is no PNG, JPEG or WebP picture, damaged, or too large; says which, and what to do.
    """
    if len(data) > MAX_PICTURE_BYTES:
        raise ValueError("is larger than 16 MB; export it smaller")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if max(image.size) > MAX_PICTURE_SIDE:
                raise InputError(f"is wider or higher than {MAX_PICTURE_SIDE} pixels; scale it down")
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # Pillow would clip 16 bits to 8
                upright = Image.fromarray((np.asarray(upright, np.uint32) // 257).astype(np.uint8))
            return upright.convert("RGBA")
    except InputError as error:
        raise ValueError(str(error)) from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("is no picture that can be read; export it as PNG or JPEG") from None
