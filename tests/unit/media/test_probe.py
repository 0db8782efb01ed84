"""What a sound file is said to hold, and how an unusable one is refused."""

import io
import os
import struct
import wave
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from synesthete.errors import MediaError
from synesthete.media.decode import decode_sound
from synesthete.media.probe import Source, probe_sound, show_name


def write_wav(path: Path, *, rate: int = 8000, channels: int = 1, samples: int = 800) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * channels * samples))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe_sound(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_wav_says_what_it_holds(tmp_path: Path) -> None:
    info = probe_sound(write_wav(tmp_path / "a.wav", rate=22_050, channels=2, samples=22_050))
    assert (info.container, info.codec, info.sample_rate, info.channels) == ("wav", "pcm_s16le", 22_050, 2)
    assert info.duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    "name", ["song.ogg", "http://example.org/a.ogg", "concat:a|b", "a\0b", "x" * 300, "-"]
)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    assert "check the" in refusal(tmp_path / name)


def test_an_address_is_a_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("http:").mkdir()
    write_wav(Path("http:") / "a.wav")
    assert probe_sound(Path("http://a.wav")).sample_rate == 8000


def test_a_folder_an_empty_file_and_a_pipe_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    (tmp_path / "a.mp3").touch()
    assert "a.mp3 is empty" in refusal(tmp_path / "a.mp3")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.wav")
        assert "no regular file" in refusal(tmp_path / "pipe.wav")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX users")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "secret.wav")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        assert "can't be opened (Permission denied)" in refusal(path)
    finally:
        os.seteuid(user)


def test_a_failing_disk_is_no_damaged_file() -> None:
    class Failing(io.RawIOBase):
        name, mode = "a.wav", "rb"

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError(22, "Invalid argument")

        def tell(self) -> int:
            return 0

    source = Source(io.BufferedReader(Failing()))
    assert source.read(10) == b""
    assert source.failure is not None
    assert source.seek(-1, 0) < 0


@pytest.mark.parametrize(
    "content", [b"hello, this is a text\n" * 200, bytes(5000), b"\x89PNG\r\n\x1a\n" + bytes(500)]
)
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert "a.wav is no sound file" in refusal(path)


@pytest.mark.parametrize("suffix", ["m3u8", "m3u", "ffconcat", "sdp", "wav"])
def test_a_playlist_opens_nothing(tmp_path: Path, suffix: str) -> None:
    sound = write_wav(tmp_path / "a.wav", samples=8000)
    texts = {
        "ffconcat": f"ffconcat version 1.0\nfile {sound}\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    }
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{sound}\n#EXT-X-ENDLIST\n"
    path = tmp_path / f"list.{suffix}"
    path.write_text(texts.get(suffix, hls))
    assert "is no sound file" in refusal(path)


def test_a_silent_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    assert "holds no sound" in refusal(path)


def test_an_unknown_codec_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav")
    data = bytearray(path.read_bytes())
    data[20:22] = b"\x34\x12"
    path.write_bytes(data)
    assert "codec that can't be decoded" in refusal(path)


def test_limits_of_rate_channels_and_length(tmp_path: Path) -> None:
    assert "sample rate of 999 Hz" in refusal(write_wav(tmp_path / "a.wav", rate=999))
    assert "sample rate of 768001 Hz" in refusal(write_wav(tmp_path / "b.wav", rate=768_001))
    assert "65 channels" in refusal(write_wav(tmp_path / "c.wav", channels=65))
    assert probe_sound(write_wav(tmp_path / "d.wav", channels=64, rate=1000)).channels == 64
    long = write_wav(tmp_path / "e.wav", rate=1000, samples=1)
    samples = 12 * 3600 * 1000 + 1000
    with long.open("r+b") as handle:
        handle.seek(40)
        handle.write(struct.pack("<I", 2 * samples))
        handle.truncate(44 + 2 * samples)  # sparse
    assert "12:00:01 long" in refusal(long)


def test_tags_in_another_encoding_and_huge_ones(tmp_path: Path) -> None:
    info_chunk = (
        b"INFO"
        + b"INAM"
        + struct.pack("<I", 6)
        + b"\x83e\x83X\x83g"
        + b"IART"
        + struct.pack("<I", 4)
        + b"Kent"
    )
    wav = write_wav(tmp_path / "a.wav").read_bytes()
    path = tmp_path / "b.wav"
    path.write_bytes(wav[:36] + b"LIST" + struct.pack("<I", len(info_chunk)) + info_chunk + wav[36:])
    assert probe_sound(path).tags["artist"] == "Kent"
    comment = b"ICMT" + struct.pack("<I", 2**20) + b"x" * 2**20
    path.write_bytes(wav[:36] + b"LIST" + struct.pack("<I", len(comment) + 4) + b"INFO" + comment + wav[36:])
    assert all(len(value) <= 1000 for value in probe_sound(path).tags.values())


def test_the_default_stream_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "two.mka"
    with av.open(str(path), "w", format="matroska") as container:
        streams = [container.add_stream("pcm_s16le", rate=rate, layout="mono") for rate in (8000, 16_000)]
        streams[0].disposition = av.stream.Disposition(0)
        streams[1].disposition = av.stream.Disposition.default
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = stream.rate, 0, Fraction(1, stream.rate)
            container.mux(stream.encode(frame))
    assert probe_sound(path).sample_rate == 16_000


def test_names_fit_into_a_message() -> None:
    assert show_name(Path("a\nb\x1b[31m.ogg")) == "a?b?[31m.ogg"
    assert len(show_name(Path("x" * 200 + ".ogg"))) == 80


def test_an_interrupt_within_a_read_stops_the_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "song.wav"
    write_wav(path, samples=8000 * 20)
    reads = 0
    whole_read = Source.read

    class Handle:
        def __init__(self, handle: BinaryIO) -> None:
            self._handle = handle
            self.name = handle.name

        def read(self, size: int) -> bytes:
            nonlocal reads
            reads += 1
            if reads > 6:
                raise KeyboardInterrupt
            return self._handle.read(size)

        def seek(self, offset: int, whence: int) -> int:
            return self._handle.seek(offset, whence)

        def tell(self) -> int:
            return self._handle.tell()

    def read(source: Source, size: int) -> bytes:
        if not isinstance(source._handle, Handle):
            source._handle = Handle(source._handle)  # type: ignore[assignment]
        return whole_read(source, size)

    monkeypatch.setattr(Source, "read", read)
    with pytest.raises(KeyboardInterrupt):
        for _ in decode_sound(path):
            pass
