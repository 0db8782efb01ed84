"""Turn decoded frames into float32 channels: sample format, downmix, sample rate."""

import re
from functools import cache

import av
import numpy as np
from jaxtyping import Float32

from synesthete.media.probe import FFMPEG_FAILURES, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE

__all__ = ["Chunk", "Converter", "Resampler"]

Chunk = Float32[np.ndarray, "channels samples"]


class Resampler:
    """Resamples a stream of chunks with FFmpeg's swresample.

    A moment stays where it is (no delay), the result doesn't depend on the chunking, and ``n`` samples become
    exactly ``ceil(n · target_rate / source_rate)``. Equal rates pass through untouched.

    Parameters
    ----------
    source_rate, target_rate
        Sample rates, Hz, positive.
    channels
        Number of channels, 1 to 64.

    Raises
    ------
    ValueError
        If a rate or the number of channels isn't positive.

    Examples
    --------
    >>> resampler = Resampler(48_000, 44_100, channels=1)
    >>> parts = [resampler.push(np.zeros((1, 4800), np.float32)), resampler.flush()]
    >>> sum(part.shape[1] for part in parts)
    4410
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        if min(source_rate, target_rate, channels) < 1:
            raise ValueError("sample rates and channels must be positive")
        self._source_rate, self._target_rate, self._channels = source_rate, target_rate, channels
        self._layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
        # Packed samples, as PyAV 18 crashes on planar frames of eight channels and more.
        self._engine = av.AudioResampler(format="flt", layout=self._layout, rate=target_rate)
        self._pushed = 0
        self._given = 0

    def push(self, chunk: Chunk) -> Float32[np.ndarray, "channels ready"]:
        """Take the next samples, shape (channels, n), and give what is ready, shape (channels, m)."""
        if self._source_rate == self._target_rate:
            return chunk
        if chunk.shape[1] == 0:
            return self._empty()
        packed = np.ascontiguousarray(chunk.T, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=self._layout)
        frame.sample_rate = self._source_rate
        self._pushed += chunk.shape[1]
        ready = self._unpack(self._engine.resample(frame))
        self._given += ready.shape[1]
        return ready

    def flush(self) -> Chunk:
        """Give what was held back, shape (channels, m); nothing can be pushed after it."""
        if self._pushed == 0:
            return self._empty()
        rest = self._unpack(self._engine.resample(None))
        wanted = -(-self._pushed * self._target_rate // self._source_rate) - self._given
        padded = np.zeros((self._channels, max(0, wanted)), np.float32)
        kept = min(padded.shape[1], rest.shape[1])
        padded[:, :kept] = rest[:, :kept]
        return padded

    def _unpack(self, frames: list[av.AudioFrame]) -> Chunk:
        parts = [frame.to_ndarray().reshape(-1, self._channels) for frame in frames]
        return np.ascontiguousarray(np.concatenate(parts).T) if parts else self._empty()

    def _empty(self) -> Chunk:
        return np.zeros((self._channels, 0), np.float32)


class Converter:
    """Turns decoded frames of any format, layout and rate into one or two float32 channels at one rate."""

    def __init__(self, sample_rate: int, channels: int, layout: str) -> None:
        self._rate = sample_rate
        self._channels = channels
        self._layout = layout
        self._resampler: Resampler | None = None
        self._frame_rate = sample_rate

    def convert(self, frame: av.AudioFrame) -> Chunk:
        """Convert one frame; where the rate changes within a stream, to the rate it began with."""
        if not MIN_SAMPLE_RATE <= frame.sample_rate <= MAX_SAMPLE_RATE:
            raise ValueError("the frame's sample rate is nonsense")
        block = _to_float(frame)
        layout = frame.layout.name
        if layout == f"{block.shape[0]} channels" and self._layout.startswith(f"{layout} ("):
            layout = self._layout  # an order of its own, which the decoder wasn't shown
        block = _to_channels(block, layout, self._channels)
        if frame.sample_rate == self._frame_rate and self._resampler is None:
            return block
        rest = None
        if frame.sample_rate != self._frame_rate:
            rest = self.flush()
            self._frame_rate = frame.sample_rate
            if frame.sample_rate != self._rate:
                self._resampler = Resampler(frame.sample_rate, self._rate, self._channels)
        block = self._resampler.push(block) if self._resampler else block
        return block if rest is None else np.concatenate([rest, block], axis=1)

    def flush(self) -> Chunk | None:
        """Give what a change of rate still holds back."""
        rest = self._resampler.flush() if self._resampler else None
        self._resampler = None
        return rest


_ZERO_AND_SCALE = {"u8": (128, 2**-7), "s16": (0, 2**-15), "s32": (0, 2**-31), "flt": (0, 1), "dbl": (0, 1)}


def _to_float(frame: av.AudioFrame) -> Chunk:
    """Give a frame's samples as float32, full scale ±1, shape (channels, samples)."""
    name = frame.format.name.removesuffix("p")
    channels = frame.layout.nb_channels
    # PyAV 18 reads past FFmpeg's eight plane pointers: planar frames of eight channels and more crash it.
    if name not in _ZERO_AND_SCALE or (frame.format.is_planar and channels >= 8):
        frame.pts = None
        packer = av.AudioResampler(format="flt", layout=frame.layout, rate=frame.sample_rate)
        (frame,) = packer.resample(frame)
        name = "flt"
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    zero, scale = _ZERO_AND_SCALE[name]
    with np.errstate(over="ignore", invalid="ignore"):  # float64 beyond float32 becomes Inf, which is checked
        floats = values.astype(np.float32, order="C")
    if scale != 1:
        floats -= zero
        floats *= np.float32(scale)
    return floats


def _to_channels(block: Chunk, layout: str, channels: int) -> Float32[np.ndarray, "mixed samples"]:
    if block.shape[0] == channels:
        return block
    weights = np.ones((2, 1), np.float32) if block.shape[0] == 1 else _downmix_weights(layout, block.shape[0])
    if channels == 1:
        weights = weights.mean(axis=0, keepdims=True)
    mixed = np.zeros((channels, block.shape[1]), np.float32)
    # Not a matrix product: its sums would depend on the threads and on the chunk's length.
    with np.errstate(over="ignore", invalid="ignore"):  # NaN and Inf are the caller's to find
        for row, column in zip(*np.nonzero(weights), strict=True):
            mixed[row] += weights[row, column] * block[column]
    return mixed


@cache
def _downmix_weights(layout: str, channels: int) -> Float32[np.ndarray, "2 channels"]:
    """Give the weight of each channel in left and right, at most 1 in sum.

    Unlabelled channels ("16 channels") are taken alternately for left and right, except six and eight, which
    are 5.1 and 7.1 by custom.
    """
    order = re.fullmatch(r"\d+ channels \((.+)\)", layout)  # Apple's begins with the centre
    if order is not None:
        columns = [_speaker_weights(label.partition("@")[0]) for label in order[1].split("+")]
        weights = np.stack(columns, axis=1)
    elif channels == 2 or (layout == f"{channels} channels" and channels not in (6, 8)):
        weights = np.zeros((2, 0), np.float32)
    else:
        weights = _measured_weights(layout, channels)
    if weights.shape != (2, channels) or not weights.any():
        weights = np.zeros((2, channels), np.float32)
        weights[0, 0::2] = 1 / len(range(0, channels, 2))
        weights[1, 1::2] = 1 / len(range(1, channels, 2))
    return np.ascontiguousarray(weights / max(1.0, float(np.abs(weights).sum(axis=1).max())), np.float32)


def _speaker_weights(label: str) -> Float32[np.ndarray, " 2"]:
    for layout in ("7.1", "6.1(back)", "7.1(wide)"):
        labels = [channel.name for channel in av.AudioLayout(layout).channels]
        if label in labels:
            return _measured_weights(layout, len(labels))[:, labels.index(label)]
    return np.full(2, 0.5, np.float32)


@cache
def _measured_weights(layout: str, channels: int) -> Float32[np.ndarray, "2 channels"]:
    """Measure the weights of FFmpeg's resampler with one impulse per channel; empty if it has none."""
    impulses = np.eye(channels, dtype=np.float32).reshape(1, -1)
    try:
        frame = av.AudioFrame.from_ndarray(impulses, format="flt", layout=layout)
        frame.sample_rate = 48_000
        mixer = av.AudioResampler(format="flt", layout="stereo", rate=48_000)
        parts = [part.to_ndarray().reshape(-1, 2) for part in mixer.resample(frame)]
    except FFMPEG_FAILURES:
        return np.zeros((2, 0), np.float32)
    return np.ascontiguousarray(np.concatenate(parts).T) if parts else np.zeros((2, 0), np.float32)
