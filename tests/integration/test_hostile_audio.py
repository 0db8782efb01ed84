"""Whatever is called a sound file either decodes to finite samples or is refused in one clear sentence."""

import re
import struct
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from synesthete.errors import InputError
from synesthete.media.decode import CHUNK_SAMPLES, decode_sound
from synesthete.media.probe import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, probe_sound

RATE = 44_100
SECONDS_PER_CASE = 5.0

# name: codec, suffix, container, sample rate, layout, muxer options
KINDS: dict[str, tuple[str, str, str | None, int, str, dict[str, str]]] = {
    "wav": ("pcm_s16le", "wav", None, RATE, "stereo", {}),
    "wav-float": ("pcm_f32le", "wav", None, RATE, "mono", {}),
    "wav-adpcm": ("adpcm_ima_wav", "wav", None, 22_050, "mono", {}),
    "wav-7.1": ("pcm_s24le", "wav", None, 96_000, "7.1", {}),
    "aiff-7.1": ("pcm_s16be", "aiff", None, RATE, "7.1", {}),
    "caf": ("pcm_s16le", "caf", None, RATE, "5.1", {}),
    "w64": ("pcm_s16le", "w64", None, RATE, "stereo", {}),
    "au": ("pcm_s16be", "au", None, 8000, "mono", {}),
    "mp3": ("libmp3lame", "mp3", None, RATE, "stereo", {}),
    "mp3-plain": ("libmp3lame", "mp3", None, 8000, "mono", {"write_xing": "0"}),
    "flac": ("flac", "flac", None, RATE, "stereo", {}),
    "flac-7.1": ("flac", "flac", None, 192_000, "7.1", {}),
    "ogg": ("vorbis", "ogg", None, RATE, "stereo", {}),
    "opus": ("libopus", "opus", None, 48_000, "5.1", {}),
    "oga": ("flac", "oga", "ogg", RATE, "stereo", {}),
    "m4a": ("aac", "m4a", "ipod", RATE, "stereo", {"movflags": "faststart"}),
    "m4a-tail": ("aac", "m4a", "ipod", 48_000, "7.1", {}),
    "m4a-parts": ("aac", "m4a", "mp4", RATE, "mono", {"movflags": "frag_keyframe+empty_moov"}),
    "alac": ("alac", "m4a", "ipod", RATE, "5.1", {}),
    "mov": ("pcm_s16le", "mov", None, RATE, "quad", {}),
    "adts": ("aac", "aac", "adts", RATE, "stereo", {}),
    "ac3": ("ac3", "ac3", None, 48_000, "5.1", {}),
    "mka": ("flac", "mka", "matroska", RATE, "stereo", {}),
    "webm": ("libopus", "webm", None, 48_000, "stereo", {}),
    "wma": ("wmav2", "wma", "asf", RATE, "stereo", {}),
    "wv": ("wavpack", "wv", None, RATE, "stereo", {}),
    "tta": ("tta", "tta", None, RATE, "stereo", {}),
    "avi": ("libmp3lame", "avi", None, RATE, "stereo", {}),
    "ts": ("aac", "ts", "mpegts", RATE, "stereo", {}),
}


def encode(path: Path, kind: str, seconds: float) -> bytes:
    codec, _, container_name, rate, layout, options = KINDS[kind]
    rng = np.random.default_rng(3)
    time_s = np.arange(int(rate * seconds)) / rate
    with av.open(str(path), "w", format=container_name, options=options) as container:
        stream = container.add_stream(codec, rate=rate, options={"strict": "-2"} if codec == "vorbis" else {})
        stream.layout, stream.bit_rate = layout, 128_000
        stream.codec_context.open()
        channels = stream.layout.nb_channels
        tone = 0.3 * np.sin(2 * np.pi * 440 * time_s)[:, None] + 0.05 * rng.standard_normal(
            (len(time_s), channels)
        )
        frame = av.AudioFrame.from_ndarray(
            tone.astype(np.float32).reshape(1, -1), format="flt", layout=layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        size = stream.codec_context.frame_size or 1024
        cutter = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate, frame_size=size)
        for piece in [*cutter.resample(frame), *cutter.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sounds")
    return {kind: encode(folder / f"{kind}.{KINDS[kind][1]}", kind, 0.5) for kind in KINDS}


def try_to_decode(path: Path, case: str, **options: Any) -> tuple[int, str]:
    """Decode; give the samples and the refusal. Anything but a clear sentence fails the test."""
    began = time.monotonic()
    samples, refusal = 0, ""
    try:
        info = probe_sound(path)
        assert MIN_SAMPLE_RATE <= info.sample_rate <= MAX_SAMPLE_RATE, case
        for chunk in decode_sound(path, **options):
            assert chunk.dtype == np.float32, case
            assert chunk.shape[0] == (1 if info.channels == 1 else 2), case
            assert 0 < chunk.shape[1] <= CHUNK_SAMPLES, case
            assert np.isfinite(chunk).all(), case
            samples += chunk.shape[1]
    except InputError as error:
        refusal = str(error)
    except Exception as error:
        pytest.fail(f"{case}: {type(error).__name__} escaped: {error}")
    if refusal:
        assert refusal.isprintable(), f"{case}: {refusal!r}"
        assert 20 < len(refusal) < 300, f"{case}: {refusal!r}"
        assert re.search(r"; \w+|check the", refusal), f"{case}: no remedy in {refusal!r}"
        assert not re.search(r"Errno|Traceback|av\.|0x", refusal), f"{case}: {refusal!r}"
    assert bool(samples) or refusal, f"{case}: neither samples nor a refusal"
    assert time.monotonic() - began < SECONDS_PER_CASE, case
    return samples, refusal


def spoil(data: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """Damage a file in every way: cut, flip bits, zero, overwrite, in the header and anywhere."""
    rng = np.random.default_rng(seed)
    for share in (0.02, 0.1, 0.33, 0.5, 0.77, 0.99):
        yield f"cut at {share}", data[: int(len(data) * share)]
    for size in (4, 12, 44, 100):
        yield f"only {size} bytes", data[:size]
    yield "cut by one byte", data[:-1]
    for zone in (64, 600, len(data)):
        zone = min(zone, len(data))
        for count in (1, 10):
            flipped = bytearray(data)
            for place in rng.integers(0, zone, count):
                flipped[place] ^= 1 << int(rng.integers(8))
            yield f"{count} bits flipped in {zone} bytes", bytes(flipped)
        for name, patch in (("zeros", bytes(40)), ("ones", b"\xff" * 8), ("noise", rng.bytes(30))):
            start = int(rng.integers(zone))
            yield f"{name} at {start}", data[:start] + patch + data[start + len(patch) :]
    middle = len(data) // 2
    yield "zeros in the middle", data[:middle] + bytes(len(data) // 4) + data[middle + len(data) // 4 :]
    yield "a hole", data[: middle - 500] + data[middle:]
    yield "doubled", data + data
    yield "backwards", data[::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(
    sounds: dict[str, bytes], tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"song.{KINDS[kind][1]}"
    path.write_bytes(sounds[kind])
    samples, refusal = try_to_decode(path, f"{kind}: intact")
    assert not refusal
    for case, data in spoil(sounds[kind], seed=len(kind)):
        path.write_bytes(data)
        got, refusal = try_to_decode(path, f"{kind}: {case}")
        assert got <= 40 * samples + RATE, f"{kind}: {case}: {got} samples out of nowhere"
        if refusal.endswith("--allow-truncated to use that part"):
            part, refusal = try_to_decode(path, f"{kind}: {case}: allowed", allow_truncated=True)
            assert (part, refusal) == (got, ""), f"{kind}: {case}"
    assert capfd.readouterr() == ("", ""), f"{kind}: FFmpeg or PyAV printed something"


@pytest.mark.parametrize(
    "suffix", ["wav", "mp3", "ogg", "flac", "m4a", "mkv", "txt", "png", "m3u8", "", "ogg.part"]
)
def test_wrong_extensions_are_no_matter(sounds: dict[str, bytes], tmp_path: Path, suffix: str) -> None:
    for kind in ("wav", "mp3", "ogg", "flac", "m4a", "webm", "aiff-7.1"):
        path = tmp_path / f"song.{suffix}"
        path.write_bytes(sounds[kind])
        samples, refusal = try_to_decode(path, f"{kind} named {path.name}")
        assert samples, refusal


SUFFIXES = [
    "wav",
    "aiff",
    "mp3",
    "flac",
    "ogg",
    "opus",
    "m4a",
    "aac",
    "mka",
    "webm",
    "wma",
    "ac3",
    "au",
    "caf",
    "dts",
]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_sound(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(len(suffix))
    contents = {
        "empty": b"",
        "one byte": b"\0",
        "text": b"Lorem ipsum dolor sit amet, consectetur.\r\n" * 300,
        "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n",
        "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(400),
        "zip": b"PK\3\4" + rng.bytes(3000),
        "zeros": bytes(20_000),
        "ones": b"\xff" * 20_000,
        "noise": rng.bytes(20_000),
    }
    for name, content in contents.items():
        path = tmp_path / f"song.{suffix}"
        path.write_bytes(content)
        samples, refusal = try_to_decode(path, f"{name} named {path.name}")
        if name not in ("noise", "ones"):  # of which an MP3 or a DTS frame may be made by chance
            assert refusal, f"{name} named {path.name} decoded to {samples} samples"
            assert samples == 0


def wav(
    content: bytes, *, rate: int = RATE, channels: int = 1, bits: int = 16, tag: int = 1, **sizes: int
) -> bytes:
    speed, block = rate * channels * bits // 8 & 0xFFFFFFFF, channels * bits // 8 & 0xFFFF
    kind = struct.pack("<HHIIHH", tag, channels, rate & 0xFFFFFFFF, speed, block, bits)
    fmt = b"fmt " + struct.pack("<I", sizes.get("fmt", 16)) + kind
    riff = b"RIFF" + struct.pack("<I", sizes.get("riff", 36 + len(content))) + b"WAVE"
    return riff + fmt + b"data" + struct.pack("<I", sizes.get("data", len(content))) + content


def test_headers_that_lie(tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(-9000, 9000, RATE, dtype=np.int16).tobytes()
    path = tmp_path / "song.wav"
    lies: dict[str, bytes] = {
        f"{field} size {size}": wav(data, **{field: size})
        for field in ("riff", "data", "fmt")
        for size in (0, 1, 15, 17, 5000, 2**31 - 1, 2**31, 2**32 - 1)
    }
    for rate in (0, 1, 999, 1000, 11_111, 192_000, 768_001, 2**31 - 1, 2**32 - 1):
        lies[f"{rate} Hz"] = wav(data, rate=rate)
    for channels in (0, 3, 5, 9, 16, 63, 64, 65, 255, 65_535):
        lies[f"{channels} channels"] = wav(data, channels=channels)
    for bits in (0, 1, 7, 12, 24, 32, 64, 65_535):
        lies[f"{bits} bits"] = wav(data, bits=bits)
    for tag in (0, 2, 3, 6, 0x11, 0x50, 0x55, 0xFF, 0x161, 0x674F, 0xFFFE, 0xFFFF):
        lies[f"format {tag}"] = wav(data, tag=tag)
    for case, content in lies.items():
        path.write_bytes(content)
        try_to_decode(path, case)


@pytest.mark.parametrize("bits", [32, 64])
def test_samples_that_are_no_numbers(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "song.wav"
    for bad in (np.nan, np.inf, -np.inf, 1e30, -5e4, 1e300):
        for channels in (1, 2, 6, 20):
            samples = np.zeros(channels * 8000, np.float64)
            samples[channels * 4000 :: channels] = bad
            with np.errstate(over="ignore"):
                data = samples.astype("<f4" if bits == 32 else "<f8").tobytes()
            path.write_bytes(wav(data, rate=8000, channels=channels, bits=bits, tag=3))
            _, refusal = try_to_decode(path, f"{bad} in {channels} channels", allow_truncated=True)
            assert "at 0.500 s" in refusal


def test_files_that_name_another_file(sounds: dict[str, bytes], tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes(sounds["wav"])
    texts = {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{sound}\n#EXT-X-ENDLIST\n",
        "m3u": f"#EXTM3U\n#EXTINF:1,a\nfile://{sound}\n",
        "pls": f"[playlist]\nFile1={sound}\nNumberOfEntries=1\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{sound}'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "mpd": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{sound}</BaseURL>',
        "smil": f'<smil><body><audio src="{sound}"/></body></smil>',
        "ram": f"file://{sound}\n",
        "txt": f"concat:{sound}|{sound}",
    }
    for suffix, text in texts.items():
        for name in (f"list.{suffix}", "list.wav", "list.mp3"):
            (tmp_path / name).write_text(text)
            samples, refusal = try_to_decode(tmp_path / name, f"{suffix} named {name}")
            assert samples == 0
            assert "no sound file" in refusal


@pytest.mark.parametrize(
    "name", ["a b.wav", "ünï-音.wav", "-x.wav", "%d.wav", "a;b&c.wav", "con\ncat.wav", "\udcff.wav"]
)
def test_odd_names(sounds: dict[str, bytes], tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(sounds["wav"])
    assert try_to_decode(path, repr(name))[0] == RATE // 2
    path.write_bytes(sounds["wav"][:20_000])
    assert try_to_decode(path, repr(name))[1]


def test_huge_headers(sounds: dict[str, bytes], tmp_path: Path) -> None:
    size = 20_000_000
    synchsafe = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    plain = sounds["wav"]
    cases = {
        "song.mp3": b"ID3\x03\0\0" + synchsafe + bytes(size) + sounds["mp3"],
        "song.wav": plain[:12] + b"JUNK" + struct.pack("<I", size) + bytes(size) + plain[12:],
        "song.aac": b"ID3\x04\0\0" + synchsafe + bytes(size) + sounds["adts"],
        "song.flac": sounds["flac"][:42].replace(b"fLaC\x80", b"fLaC\0")
        + b"".join(b"\1\xff\xff\xff" + bytes(2**24 - 1) for _ in range(2))
        + sounds["flac"][42:],
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        samples, refusal = try_to_decode(tmp_path / name, name)
        assert samples > 20_000, f"{name}: {refusal}"
