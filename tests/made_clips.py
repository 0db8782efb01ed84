"""Small films of any codec, pixel format and timing, written with PyAV alone."""

import wave
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange

__all__ = ["clip_pictures", "clip_sound", "flat_pictures", "write_clip", "write_wav"]

WIDTH, HEIGHT = 64, 48


def flat_pictures(
    rgb: tuple[int, int, int], count: int, *, width: int = WIDTH, height: int = HEIGHT
) -> list[np.ndarray]:
    """Give pictures of one colour."""
    return [np.full((height, width, 3), rgb, np.uint8)] * count


def clip_pictures(count: int, *, width: int = WIDTH, height: int = HEIGHT) -> list[np.ndarray]:
    """Give pictures that all differ: a bright bar that goes from left to right over a ramp."""
    ramp = np.broadcast_to(np.linspace(40, 120, width)[None, :, None], (height, width, 3))
    pictures = []
    for index in range(count):
        picture = np.array(ramp, np.uint8)
        left = index * (width - 8) // max(1, count - 1)
        picture[:, left : left + 8] = (230, 200, 90)
        pictures.append(picture)
    return pictures


def clip_sound(seconds: float, *, rate: int = 44_100, seed: int = 0) -> np.ndarray:
    """Give bursts of noise below 4 kHz, in mono, whose cross-correlation has one sharp peak."""
    samples = round(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum[np.fft.rfftfreq(samples, 1 / rate) > 4000] = 0
    noise = np.fft.irfft(spectrum, samples) * np.exp(-4 * np.mod(np.arange(samples) / rate, 0.5))
    return (0.5 * noise / np.abs(noise).max())[None].astype(np.float32)


def write_wav(path: Path, sound: np.ndarray, rate: int = 44_100) -> Path:
    """Write a sound in mono with 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(sound[0] * 32_767).astype("<i2").tobytes())
    return path


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    matrix: int | None = 1,
    tag: int | None = 1,
    full_range: bool = False,
    frame_rate: Fraction = Fraction(30),
    moments_s: Iterable[Fraction] | None = None,
    sound: np.ndarray | None = None,
    sound_rate: int = 44_100,
    sound_codec: str = "aac",
    sound_start_s: Fraction = Fraction(0),
    muxer: str | None = None,
) -> Path:
    """Write RGB pictures, and sound if there is any, as a film.

    Parameters
    ----------
    matrix, tag
        What the colours are converted with, and what the file says of it: codes of `Colorspace` and of
        FFmpeg's AVColorSpace; None leaves it to FFmpeg, and unsaid.
    moments_s
        When each picture is shown; one after another at ``frame_rate`` by default.
    """
    height, width = pictures[0].shape[:2]
    color_range = ColorRange.JPEG if full_range else ColorRange.MPEG
    tick = Fraction(1, 1000) if moments_s is not None else 1 / frame_rate
    moments = moments_s or [Fraction(index) / frame_rate for index in range(len(pictures))]
    with av.open(str(path), "w", format=muxer) as container:
        video = container.add_stream(codec, rate=frame_rate)
        video.width, video.height, video.pix_fmt = width, height, pixel_format
        video.time_base = video.codec_context.time_base = tick
        if tag is not None:
            video.codec_context.colorspace = tag
        video.codec_context.color_range = color_range
        packets = []
        if sound is not None:
            audio = container.add_stream(sound_codec, rate=sound_rate)
            audio.codec_context.layout = "mono" if len(sound) == 1 else "stereo"
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound, np.float32), format="fltp", layout=audio.layout.name
            )
            frame.sample_rate, frame.time_base = sound_rate, Fraction(1, sound_rate)
            frame.pts = round(sound_start_s * sound_rate)
            packets += audio.encode(frame) + audio.encode(None)
        for moment, rgb in zip(moments, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                format=pixel_format,
                dst_colorspace=matrix,
                src_color_range=ColorRange.JPEG,
                dst_color_range=color_range,
            )
            if tag is not None:
                frame.colorspace = tag
            frame.color_range = color_range
            frame.pts, frame.time_base = round(moment / tick), tick
            packets += video.encode(frame)
        packets += video.encode(None)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    return path
