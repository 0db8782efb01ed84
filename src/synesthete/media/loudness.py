"""Measure how loud a track is: integrated loudness and true peak, streaming."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.filter import Graph

from synesthete.media.convert import Chunk
from synesthete.media.decode import Span
from synesthete.media.sound import Sound, join_sounds

__all__ = ["Loudness", "measure_loudness", "measure_loudness_of"]

_WHOLE = Span()
_GATE_LUFS = -70.0  # what the filter reads until a block passes the absolute gate
_EXACT_PEAK = 0.1  # the filter writes peaks with three decimals: from here on, exact to 0.05 dB
_LAYOUTS = {1: "mono", 2: "stereo"}
# K-weighting lifts what is above 1.7 kHz: at 4 kHz the filter is 0.16 LU off, at 2 kHz it gives nonsense.
_LOWEST_RATE, _RESAMPLED_RATE = 8_000, 48_000


@dataclass(frozen=True)
class Loudness:
    """How loud a track is.

    Attributes
    ----------
    integrated_lufs
        Gated loudness of the whole, LUFS; None if nothing passes the absolute gate of -70 LUFS, or the
        track is shorter than one block of 0.4 s.
    true_peak_dbtp
        Highest peak of the waveform between the samples too, dB re full scale; None for digital silence.
    """

    integrated_lufs: float | None
    true_peak_dbtp: float | None


def measure_loudness(path: Path, span: Span = _WHOLE, allow_truncated: bool = False) -> Loudness:
    """Measure a file's integrated loudness and true peak; see `measure_loudness_of`.

    Parameters
    ----------
    path, span, allow_truncated
        As in `synesthete.media.decode.decode_sound`.

    Raises
    ------
    MediaError, TruncatedError
        See `synesthete.media.decode.decode_sound`.
    """
    return measure_loudness_of(Sound.of_file(path, span=span, allow_truncated=allow_truncated))


def measure_loudness_of(*sounds: Sound) -> Loudness:
    """Measure integrated loudness and true peak with FFmpeg's filter ``ebur128``.

    Several sounds are measured as one programme, in which each counts by its length and by what passes the
    gate: an album's loudness is not the mean of its tracks'. They are joined by
    `synesthete.media.sound.join_sounds`.

    A sound is measured as `synesthete.media.decode.decode_sound` gives it: mono counts as one loudspeaker
    (3 LU below the same signal on two, so a mono track counts 3 LU more among stereo tracks, which has it
    played by both), and more than two channels are mixed down to stereo first, where BS.1770 would weigh
    surround channels by 1.5 dB more. Below 8 kHz it is resampled first.

    Parameters
    ----------
    sounds
        At least one. Those with a peak below 0.1 are gone through twice.

    References
    ----------
    ITU-R BS.1770-4; EBU R 128.
    """
    sound = join_sounds(sounds)
    if sound.sample_rate < _LOWEST_RATE:
        sound = sound.adapted(_RESAMPLED_RATE, sound.channels)
    meter = _pass_through(sound)
    peak = meter.true_peak
    if 0 < meter.sample_peak < _EXACT_PEAK:
        gain = np.float32(2.0 ** -math.ceil(math.log2(meter.sample_peak)))  # it changes no rounding
        again = sound.changed(lambda chunks: (chunk * gain for chunk in chunks))
        peak = _pass_through(again).true_peak / float(gain)
    return Loudness(
        integrated_lufs=meter.integrated if meter.integrated > _GATE_LUFS else None,
        true_peak_dbtp=round(20 * math.log10(peak), 2) if peak > 0 else None,
    )


def _pass_through(sound: Sound) -> "_Meter":
    """Meter a whole sound; the padding of its end goes by its last chunk."""
    meter, last = _Meter(sound.sample_rate, sound.channels), None
    for chunk in sound.chunks():
        if chunk.shape[1]:
            meter.push(last := chunk)
    if last is not None:
        meter.finish(last)
    return meter


class _Meter:
    """FFmpeg's meter, which reports every 100 ms and says nothing of a rest shorter than that."""

    def __init__(self, rate: int, channels: int) -> None:
        self.integrated = _GATE_LUFS
        self.true_peak = 0.0
        self.sample_peak = 0.0
        self._rate, self._layout = rate, _LAYOUTS[channels]
        self._pushed = 0
        self._graph = Graph()
        source = self._graph.add_abuffer(
            sample_rate=rate, format="fltp", layout=self._layout, time_base=Fraction(1, rate)
        )
        meter = self._graph.add("ebur128", "peak=true:metadata=1")
        self._graph.link_nodes(source, meter, self._graph.add("abuffersink")).configure()

    def push(self, chunk: Chunk) -> None:
        """Meter the next samples."""
        self.sample_peak = max(self.sample_peak, float(np.abs(chunk).max()))
        self._push(chunk)
        for frame in self._reports():
            reading = float(frame["lavfi.r128.I"])
            self.integrated = reading if math.isfinite(reading) else _GATE_LUFS

    def finish(self, last: Chunk) -> None:
        """Have the peaks of the last samples reported: go on backwards, where no step makes a new peak."""
        length = last.shape[1]
        self._push(np.pad(last, ((0, 0), (0, -(-self._rate // 5))), mode="symmetric")[:, length:])
        for _ in self._reports():
            pass

    def _push(self, chunk: Chunk) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk), format="fltp", layout=self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._pushed
        self._pushed += chunk.shape[1]
        self._graph.push(frame)

    def _reports(self) -> Iterator[dict[str, str]]:
        """Give what was reported since, and keep the highest peak."""
        while True:
            try:
                report = self._graph.pull().metadata
            except (av.BlockingIOError, av.EOFError):
                return
            if "lavfi.r128.I" in report:
                self.true_peak = max(self.true_peak, float(report["lavfi.r128.true_peak"]))
                yield report
