"""Decoded samples are the file's samples, whole or not at all."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from synesthete.errors import ConfigError, MediaError, OutputError, TruncatedError
from synesthete.media import decode
from synesthete.media.decode import CHUNK_SAMPLES, Span, decode_sound, spool_sound
from synesthete.media.probe import probe_sound

RATE = 44_100


def noise(rate: int = RATE, seconds: float = 1.0, channels: int = 2) -> np.ndarray:
    """Low-passed noise: it survives lossy codecs, and shows any shift in time."""
    rng = np.random.default_rng(5)
    white = rng.standard_normal((channels, int(rate * seconds) + 16))
    smooth = np.apply_along_axis(np.convolve, 1, white, np.hanning(17) / 8, mode="valid")
    return np.clip(0.3 * smooth, -0.99, 0.99).astype(np.float32)


def encode(
    path: Path, codec: str, sound: np.ndarray, rate: int = RATE, layout: str = "stereo", **options: Any
) -> Path:
    """Encode with PyAV; ``container`` names the format, ``video`` adds a picture, the rest is the muxer's."""
    delay = options.pop("delay", 0)
    container_name, video = options.pop("container", None), options.pop("video", False)
    with av.open(str(path), "w", format=container_name, options=options) as container:
        stream = container.add_stream(codec, rate=rate, options={"strict": "-2"} if codec == "vorbis" else {})
        stream.layout, stream.bit_rate = layout, 128_000
        if video:
            picture = container.add_stream("libx264", rate=25)
            picture.width = picture.height = 64
        stream.codec_context.open()
        if video:
            for _ in range(25):
                container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
            container.mux(picture.encode(None))
        packed = np.ascontiguousarray(sound.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, delay, Fraction(1, rate)
        size = stream.codec_context.frame_size or 1024
        cutter = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate, frame_size=size)
        for piece in [*cutter.resample(frame), *cutter.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def wav_bytes(
    samples: np.ndarray, *, data_size: int | None = None, rate: int = 8000, bits: int = 32, tag: int = 3
) -> bytes:
    """A mono WAV by hand; ``tag`` 3 is float, 1 is integer."""
    data = samples.tobytes()
    kind = struct.pack("<HHIIHH", tag, 1, rate, rate * bits // 8, bits // 8, bits)
    size = len(data) if data_size is None else data_size
    head = b"WAVEfmt " + struct.pack("<I", 16) + kind + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(len(head) + size, 2**32 - 1)) + head + data


def whole(path: Path, **options: Any) -> np.ndarray:
    return np.concatenate(list(decode_sound(path, **options)), axis=1)


def partly(path: Path) -> tuple[np.ndarray, str]:
    """What comes before the error, and the error."""
    chunks: list[np.ndarray] = [np.zeros((2, 0), np.float32)]
    with pytest.raises(TruncatedError) as caught:
        chunks.extend(decode_sound(path))
    return np.concatenate(chunks, axis=1), str(caught.value)


LOSSLESS = [
    ("pcm_u8", "wav", 2**-7), ("pcm_s16le", "wav", 2**-15), ("pcm_s24le", "wav", 2**-22),
    ("pcm_s32le", "wav", 2**-22), ("pcm_f32le", "wav", 0), ("pcm_f64le", "wav", 0),
    ("pcm_s16be", "aiff", 2**-15), ("pcm_s16be", "au", 2**-15), ("pcm_s16le", "caf", 2**-15),
    ("pcm_s16le", "w64", 2**-15), ("flac", "flac", 2**-15), ("alac", "m4a", 2**-15), ("tta", "tta", 2**-7),
    ("pcm_s64le", "mka", 2**-22),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "step"), LOSSLESS)
def test_lossless_formats_give_the_very_samples(tmp_path: Path, codec: str, suffix: str, step: float) -> None:
    sound = noise(seconds=0.3)
    decoded = whole(encode(tmp_path / f"a.{suffix}", codec, sound))
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, sound, atol=step, rtol=0)


LOSSY = [
    ("libmp3lame", "mp3", {}), ("vorbis", "ogg", {}), ("libopus", "opus", {}), ("libopus", "webm", {}),
    ("aac", "m4a", {}), ("aac", "mp4", {"video": True}), ("aac", "mkv", {"video": True}),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "options"), LOSSY)
def test_lossy_formats_keep_every_moment_in_place(
    tmp_path: Path, codec: str, suffix: str, options: dict[str, Any]
) -> None:
    rate = 48_000 if codec == "libopus" else RATE
    sound = noise(rate)
    decoded = whole(encode(tmp_path / f"a.{suffix}", codec, sound, rate, **options))
    correlation = np.fft.irfft(
        np.fft.rfft(decoded[0], 2 * rate) * np.conj(np.fft.rfft(sound[0], 2 * rate)), 2 * rate
    )
    assert int(np.argmax(correlation)) == 0
    assert abs(decoded.shape[1] - sound.shape[1]) <= 1100


INTACT = [*((codec, suffix, {}) for codec, suffix, _ in LOSSLESS), *LOSSY,
    ("libmp3lame", "mp3", {"write_xing": "0"}), ("aac", "aac", {"container": "adts"}), ("ac3", "ac3", {}),
    ("aac", "m4a", {"container": "mp4", "movflags": "frag_keyframe+empty_moov", "frag_duration": "200000"}),
    ("flac", "oga", {"container": "ogg"}), ("flac", "mka", {"container": "matroska"}), ("aac", "ts", {}),
    ("libmp3lame", "avi", {"video": True}), ("wmav2", "wma", {"container": "asf"}), ("pcm_mulaw", "wav", {}),
    ("adpcm_ima_wav", "wav", {}), ("wavpack", "wv", {}),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "options"), INTACT)
def test_no_intact_file_is_called_damaged(
    tmp_path: Path, codec: str, suffix: str, options: dict[str, Any]
) -> None:
    made = 0
    for rate in (8000, 22_050, 48_000, 96_000, 192_000):
        for layout, channels in (("mono", 1), ("stereo", 2), ("5.1", 6), ("7.1", 8)):
            path = tmp_path / f"{rate}-{channels}.{suffix}"
            try:
                encode(path, codec, noise(rate, 0.4, channels), rate, layout, **options)
            except (av.FFmpegError, ValueError):  # the encoder has no such rate or layout
                continue
            own_rate = probe_sound(path).sample_rate  # Opus has but one
            assert 0.2 < whole(path).shape[1] / own_rate < 0.7, path.name
            made += 1
    assert made


@pytest.mark.parametrize(("codec", "suffix"), [("libmp3lame", "mp3"), ("flac", "flac"), ("vorbis", "ogg")])
def test_tags_behind_the_sound_are_no_damage(tmp_path: Path, codec: str, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", codec, noise())
    length = whole(path).shape[1]
    for tag in (
        b"TAG" + bytes(125),
        b"APETAGEX" + struct.pack("<4I", 2000, 32, 0, 0) + bytes(8),
        bytes(1000),
    ):
        (tmp_path / f"b.{suffix}").write_bytes(path.read_bytes() + tag)
        assert abs(whole(tmp_path / f"b.{suffix}").shape[1] - length) < 1200


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_sound_that_begins_after_the_picture_is_no_damage(tmp_path: Path, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", "aac", noise(), video=True, delay=RATE // 2)
    assert abs(whole(path).shape[1] - RATE) < 3000


CUTTABLE = [
    ("pcm_s16le", "wav", {}), ("pcm_f32le", "wav", {}), ("pcm_s16be", "aiff", {}), ("pcm_s16be", "au", {}),
    ("pcm_s16le", "w64", {}), ("pcm_s16le", "caf", {}), ("libmp3lame", "mp3", {}), ("flac", "flac", {}),
    ("vorbis", "ogg", {}), ("libopus", "opus", {}), ("flac", "oga", {"container": "ogg"}),
    ("libopus", "webm", {}),
    ("aac", "m4a", {"movflags": "faststart"}), ("aac", "aac", {"container": "adts"}),
    ("aac", "mkv", {"video": True}), ("wmav2", "wma", {"container": "asf"}), ("wavpack", "wv", {}),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "options"), CUTTABLE)
def test_a_cut_file_is_found_out_and_its_beginning_given(
    tmp_path: Path, codec: str, suffix: str, options: dict[str, Any]
) -> None:
    rate = 48_000 if codec == "libopus" else RATE
    path = encode(tmp_path / f"a.{suffix}", codec, noise(rate, 4.0), rate, **options)
    intact, data = whole(path), path.read_bytes()
    for share in (0.55, 0.7, 0.93):
        path.write_bytes(data[: int(len(data) * share)])
        part, message = partly(path)
        assert message.startswith(f"a.{suffix} is damaged or cut off: {part.shape[1] / rate:.1f} s")
        assert message.endswith("could be decoded; pass --allow-truncated to use that part")
        kept = min(part.shape[1], intact.shape[1]) - 3000  # a codec's last frame fades without its successor
        np.testing.assert_allclose(part[:, :kept], intact[:, :kept], atol=1e-4)
        np.testing.assert_array_equal(whole(path, allow_truncated=True), part)


def test_the_message_says_how_much_there_is(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(wav_bytes(np.zeros(16_000, np.float32))[: 44 + 4 * 9840])
    with pytest.raises(
        TruncatedError, match=r"^song\.wav is damaged or cut off: 1\.2 s of about 2\.0 s could be"
    ):
        whole(path)


@pytest.mark.parametrize("suffix", ["flac", "mka", "ogg"])
def test_flipped_bits_are_found_out_where_there_are_checksums(tmp_path: Path, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", "flac" if suffix != "ogg" else "vorbis", noise(seconds=4.0))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    part, _ = partly(path)
    assert 1.0 < part.shape[1] / RATE < 3.99


def test_streams_written_to_a_pipe_have_no_declared_length(tmp_path: Path) -> None:
    sound = noise(8000, 1.0, 1)[0]
    for size in (0, 2**32 - 1, 2**31 - 1, 2**32 - 37, 0x7FFFF000):
        (tmp_path / "a.wav").write_bytes(wav_bytes(sound, data_size=size))
        np.testing.assert_array_equal(whole(tmp_path / "a.wav")[0], sound)


def test_an_ogg_without_its_last_page_is_cut_off(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ogg", "libopus", noise(48_000, 3.0), 48_000)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"OggS")])
    _, message = partly(path)
    assert "could be decoded" in message


@pytest.mark.parametrize(
    ("bad", "said"), [(np.nan, "NaN"), (np.inf, "NaN or inf"), (-1e6, "far over full scale")]
)
def test_samples_that_are_no_sound_are_refused(tmp_path: Path, bad: float, said: str) -> None:
    sound = np.zeros(16_000, np.float32)
    sound[12_000] = bad
    (tmp_path / "a.wav").write_bytes(wav_bytes(sound))
    with pytest.raises(MediaError, match=rf"a\.wav holds a .*{said}.* at 1\.500 s") as caught:
        whole(tmp_path / "a.wav", allow_truncated=True)
    assert not isinstance(caught.value, TruncatedError)
    assert whole(tmp_path / "a.wav", span=Span(end=Fraction(3, 2))).shape == (1, 12_000)
    doubles = np.where(sound == 0, 0.0, 1e300)
    (tmp_path / "b.wav").write_bytes(wav_bytes(doubles, bits=64))
    with pytest.raises(MediaError, match=r"at 1\.500 s"):
        whole(tmp_path / "b.wav")


def test_no_samples_are_an_error_even_if_a_part_would_do(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.flac", "flac", noise())
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\xff\xf8") + 20])
    with pytest.raises(MediaError, match="no sound") as caught:
        whole(path, allow_truncated=True)
    assert not isinstance(caught.value, TruncatedError)


def test_chunks_are_bounded_and_even(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.flac", "flac", noise(RATE, 5.0, 2))
    lengths = [chunk.shape[1] for chunk in decode_sound(path)]
    assert lengths == [CHUNK_SAMPLES] * (5 * RATE // CHUNK_SAMPLES) + [5 * RATE % CHUNK_SAMPLES]


def test_more_than_twelve_hours_are_refused_while_streaming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MAX_SECONDS", 2)
    path = encode(tmp_path / "a.mp3", "libmp3lame", noise(seconds=3.0))
    with pytest.raises(MediaError, match=r"a\.mp3 is longer than 12 hours"):
        whole(path)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("pcm_s16le", "wav"), ("libmp3lame", "mp3"), ("vorbis", "ogg")]
)
def test_a_span_is_trimmed_to_the_sample(tmp_path: Path, codec: str, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", codec, noise(seconds=2.0))
    full = whole(path)
    for start, end in (
        (Fraction(1, 3), Fraction(4, 3)),
        (Fraction(0), Fraction(1, RATE)),
        (Fraction(3, 2), None),
    ):
        first, last = round(start * RATE), None if end is None else round(end * RATE)
        np.testing.assert_array_equal(whole(path, span=Span(start, end)), full[:, first:last])


def test_a_span_beyond_the_end_is_an_error_with_the_length(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_bytes(wav_bytes(np.zeros(16_001, np.float32)))
    path = tmp_path / "song.wav"
    with pytest.raises(
        MediaError, match=r"^--start 90 lies after the end of song\.wav \(2\.0 s\); pass an earlier"
    ):
        whole(path, span=Span(Fraction(90)))
    with pytest.raises(MediaError, match=r"^--end 2\.5 lies after .* \(2\.0 s\); pass --end 2 or less"):
        whole(path, span=Span(end=Fraction(5, 2)), allow_truncated=True)
    assert whole(path, span=Span(end=Fraction(2))).shape == (1, 16_000)
    with pytest.raises(MediaError, match="holds no sample"):
        whole(path, span=Span(Fraction(1), Fraction(100_001, 100_000)))


def test_a_span_before_the_damage_needs_nothing_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(np.zeros(16_000, np.float32))[: 44 + 4 * 8000])
    assert whole(path, span=Span(end=Fraction(1, 2))).shape == (1, 4000)
    with pytest.raises(TruncatedError):
        whole(path, span=Span(end=Fraction(3, 2)))
    assert whole(path, span=Span(Fraction(1, 2), Fraction(3, 2)), allow_truncated=True).shape == (1, 4000)
    with pytest.raises(
        MediaError, match=r"--start 1\.5 lies after the end of the usable part of a\.wav \(1\.0 s\)"
    ):
        whole(path, span=Span(Fraction(3, 2)), allow_truncated=True)


@pytest.mark.parametrize(
    ("start", "end"), [(Fraction(-1), None), (Fraction(2), Fraction(2)), (Fraction(3), Fraction(1))]
)
def test_an_impossible_span_cannot_be_built(start: Fraction, end: Fraction | None) -> None:
    with pytest.raises(ConfigError, match="--"):
        Span(start, end)


def impulses(channels: int) -> np.ndarray:
    """One impulse per channel, one after another."""
    sound = np.zeros((channels, 64 * channels), np.float32)
    for channel in range(channels):
        sound[channel, 64 * channel] = 0.5
    return sound


def heard(path: Path, channels: int) -> np.ndarray:
    return 2 * whole(path)[:, ::64][:, :channels]


def test_mono_stays_mono_and_stereo_stereo(tmp_path: Path) -> None:
    for layout, channels in (("mono", 1), ("stereo", 2)):
        path = encode(tmp_path / f"{layout}.wav", "pcm_f32le", impulses(channels), layout=layout)
        np.testing.assert_array_equal(heard(path, channels), np.eye(channels))


def test_surround_is_mixed_with_ffmpegs_weights_and_cannot_clip(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", "pcm_f32le", impulses(6), layout="5.1")
    side = 1 / np.sqrt(2)
    expected = np.array([[1, 0, side, 0, side, 0], [0, 1, side, 0, 0, side]]) / (1 + 2 * side)
    np.testing.assert_allclose(heard(path, 6), expected, atol=1e-6)


def test_apples_and_aiffs_order_of_channels_is_understood(tmp_path: Path) -> None:
    # FFmpeg gives these a map of channels, whose double release by PyAV 18 kills the process.
    path = encode(tmp_path / "a.aiff", "pcm_s16be", impulses(8), layout="7.1")
    weights = heard(path, 8)
    assert probe_sound(path).channels == 8
    assert (weights[0] > 0.1).tolist() == [True, False, True, False, True, False, True, False]


def test_eight_planar_channels_do_not_crash(tmp_path: Path) -> None:
    # AudioFrame.to_ndarray of PyAV 18 reads past the eighth plane.
    path = encode(tmp_path / "a.m4a", "aac", noise(channels=8), layout="7.1")
    assert whole(path).shape[0] == 2


def test_unlabelled_channels_alternate(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", "pcm_f32le", impulses(16), layout="16 channels")
    np.testing.assert_allclose(heard(path, 16), np.tile(np.eye(2), 8) / 8, atol=1e-6)


def test_a_stream_that_changes_goes_on_at_its_first_rate_and_channels(tmp_path: Path) -> None:
    first = encode(tmp_path / "a.ogg", "flac", noise(RATE, 1.0, 2))
    second = encode(tmp_path / "b.ogg", "flac", noise(22_050, 1.0, 1), 22_050, "mono")
    (tmp_path / "c.ogg").write_bytes(first.read_bytes() + second.read_bytes())
    decoded = whole(tmp_path / "c.ogg")
    assert decoded.shape[0] == 2
    assert abs(decoded.shape[1] - 2 * RATE) < 10
    np.testing.assert_array_equal(decoded[:, :RATE], whole(first))


def test_a_huge_tag_is_no_trouble(tmp_path: Path) -> None:
    sound = encode(tmp_path / "a.mp3", "libmp3lame", noise())
    length = 50_000_000
    size = bytes(length >> shift & 127 for shift in (21, 14, 7, 0))
    (tmp_path / "b.mp3").write_bytes(b"ID3\x03\0\0" + size + bytes(length) + sound.read_bytes())
    assert whole(tmp_path / "b.mp3").shape == whole(sound).shape


def test_a_spool_holds_the_samples_read_only(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.flac", "flac", noise(seconds=3.0))
    spool = spool_sound(path, tmp_path / "cache" / "a.npy", span=Span(Fraction(1)))
    assert spool.sample_rate == RATE
    assert isinstance(spool.samples, np.memmap)
    assert not spool.samples.flags.writeable
    np.testing.assert_array_equal(spool.samples.T, whole(path)[:, RATE:])
    np.testing.assert_array_equal(np.load(spool.path), spool.samples)


def test_a_failed_spool_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(np.zeros(16_000, np.float32))[:20_000])
    target = tmp_path / "cache" / "a.npy"
    with pytest.raises(TruncatedError):
        spool_sound(path, target)
    assert list(target.parent.iterdir()) == []
    assert spool_sound(path, target, allow_truncated=True).samples.shape == (4989, 1)
    with pytest.raises(OutputError):
        spool_sound(path, path / "a.npy", allow_truncated=True)
