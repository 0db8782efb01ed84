"""The picture that a sound file carries is found in the usual containers; one that is damaged is none."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from av.stream import Disposition
from PIL import Image

from synesthete.media.artwork import decode_picture, embedded_picture


def picture(codec: str) -> bytes:
    handle = BytesIO()
    Image.new("RGB", (24, 16), (200, 30, 60)).save(handle, {"png": "PNG", "mjpeg": "JPEG"}[codec])
    return handle.getvalue()


def song(path: Path, codec: str, art: bytes | None) -> Path:
    """Write a quarter of a second of sound, and a picture as players embed it."""
    names = {".mp3": "libmp3lame", ".flac": "flac", ".m4a": "aac"}
    kind_of_file = "mp4" if path.suffix == ".m4a" else None  # FFmpeg's ipod takes no PNG
    with av.open(str(path), "w", format=kind_of_file) as container:
        sound = container.add_stream(names[path.suffix], rate=44_100, layout="stereo")
        cover = None if art is None else container.add_mux_stream(codec, width=24, height=16)
        if cover is not None and art is not None:
            cover.disposition = Disposition.attached_pic
            packet = Packet(art)
            packet.stream, packet.time_base = cover, Fraction(1, 1000)
            packet.pts = packet.dts = 0
            packet.is_keyframe = True
            container.start_encoding()
            container.mux(packet)
        format_ = "s16" if path.suffix == ".flac" else "fltp"
        shape = (1, 22_050) if format_ == "s16" else (2, 11_025)
        kind = np.int16 if format_ == "s16" else np.float32
        frame = av.AudioFrame.from_ndarray(np.zeros(shape, kind), format=format_, layout="stereo")
        frame.sample_rate = 44_100
        container.mux([*sound.encode(frame), *sound.encode(None)])
    return path


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".m4a"])
@pytest.mark.parametrize("codec", ["png", "mjpeg"])
def test_the_embedded_picture_is_found(tmp_path: Path, suffix: str, codec: str) -> None:
    art = picture(codec)
    found = embedded_picture(song(tmp_path / f"song{suffix}", codec, art))
    assert found == art
    image = decode_picture(art)
    assert image.size == (24, 16)
    red, green, blue, alpha = image.getpixel((3, 3))  # type: ignore[misc]
    assert (abs(red - 200) < 6, abs(green - 30) < 6, abs(blue - 60) < 6, alpha) == (True, True, True, 255)


def test_a_song_without_a_picture_or_with_a_damaged_one_has_none(tmp_path: Path) -> None:
    assert embedded_picture(song(tmp_path / "plain.mp3", "png", None)) is None
    assert embedded_picture(song(tmp_path / "bad.mp3", "png", picture("png")[:40])) is None
