"""Check that a film is whole: all its pictures, evenly timed, with sound that begins and ends with them."""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.signal import correlate

from synesthete.errors import MediaError, TruncatedError
from synesthete.evaluation.place import mono_sound
from synesthete.media.loudness import Loudness, measure_loudness
from synesthete.media.probe import probe_sound
from synesthete.media.watch import PictureInfo, count_decodable, probe_pictures

__all__ = ["IntegrityReport", "measure_integrity"]

_COMPARED_S: Final = 60
_MOST_RATE: Final = 48_000
_ALIKE: Final = 0.5
_SLACK_MS: Final = 1.0
_ROUNDING_S: Final = 1e-6  # timestamps come as floats

_UNKNOWN: Final = Loudness(None, None)


@dataclass(frozen=True)
class IntegrityReport:
    """Whether a film is whole.

    Attributes
    ----------
    frames, expected_frames
        Pictures that the file declares, and those that its song takes, ``ceil(seconds · fps)``; None where
        there is neither song nor sound.
    decoded_frames, tried_frames
        Pictures that could be decoded, of those that were tried: all, or some (``key_pictures``).
    timestamps
        Whether they follow one another evenly.
    av_offset_ms, av_length_difference_ms
        How much later than the picture the sound starts and ends; None without sound.
    lufs, true_peak_dbtp
        As in `synesthete.media.loudness.Loudness`.
    decodable
        Whether all pictures that were tried, and all of the sound, could be decoded.
    problems
        One sentence for each fault; the film passes without any.
    """

    frames: int
    expected_frames: int | None
    decoded_frames: int
    tried_frames: int
    timestamps: bool
    av_offset_ms: float | None
    av_length_difference_ms: float | None
    lufs: float | None
    true_peak_dbtp: float | None
    decodable: bool
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the values as JSON has them, with ``pass``."""
        return {
            "frames": self.frames,
            "expected_frames": self.expected_frames,
            "decoded_frames": self.decoded_frames,
            "tried_frames": self.tried_frames,
            "timestamps": self.timestamps,
            "av_offset_ms": _rounded(self.av_offset_ms),
            "av_length_difference_ms": _rounded(self.av_length_difference_ms),
            "lufs": self.lufs,
            "true_peak_dbtp": self.true_peak_dbtp,
            "decodable": self.decodable,
            "pass": not self.problems,
            "problems": list(self.problems),
        }


def measure_integrity(
    film: Path,
    *,
    song: Path | None = None,
    song_seconds: Fraction | None = None,
    decoded_frames: int | None = None,
    key_pictures: bool = False,
    silent: bool = False,
) -> IntegrityReport:
    """Check that a film is whole.

    Picture and sound may start and end one frame apart.

    Parameters
    ----------
    film
        A video file.
    song
        What its sound should be. The offset then counts from where this song begins in it, found by
        cross-correlation over the first minute, to a few samples' hundredths.
    song_seconds
        Exact length of the song, to count the frames that it takes; that of the film's own sound by default.
    decoded_frames
        Pictures that `synesthete.media.watch.watch_pictures` gave; by default they are decoded and counted.
    key_pictures
        Decode only pictures that need no other: enough for a film that was just encoded.
    silent
        Whether the film is meant to have no sound; without, that it has none is a fault.

    Raises
    ------
    MediaError
        If the film can't be opened, or the song can't be used.
    """
    info = probe_pictures(film)
    decoded, tried = (
        count_decodable(film, key_pictures=key_pictures)
        if decoded_frames is None
        else (decoded_frames, info.frames_declared)
    )
    tried = tried if key_pictures else max(tried, info.frames_declared)
    missing = [] if silent else ["the film has no sound"]
    loudness, damage = _loudness(film) if info.has_sound else (_UNKNOWN, missing)
    problems = [*_picture_problems(info, decoded, tried), *damage]
    offset = difference = None
    if info.sound_start_s is not None and info.sound_end_s is not None:
        offset = 1000 * (info.sound_start_s - info.start_s)
        if song is not None and loudness is not _UNKNOWN:
            lag = _lag_ms(film, song)
            offset += lag or 0.0
            if lag is None:
                problems.append("the film's sound is not that of the song it is compared with")
        difference = 1000 * (info.sound_end_s - info.start_s - info.duration_s)
        problems += _timing_problems(offset, difference, float(1000 / info.frame_rate))
    expected = _expected_frames(info, song_seconds)
    if song_seconds is not None and abs(info.frames_declared - (expected or 0)) > 1:
        problems.append(f"the film has {info.frames_declared} pictures, and its song takes {expected}")
    return IntegrityReport(
        frames=info.frames_declared,
        expected_frames=expected,
        decoded_frames=decoded,
        timestamps=info.constant_rate,
        av_offset_ms=offset,
        av_length_difference_ms=difference,
        lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
        tried_frames=tried,
        decodable=decoded >= tried and not (info.has_sound and damage),
        problems=tuple(problems),
    )


def _expected_frames(info: PictureInfo, song_seconds: Fraction | None) -> int | None:
    if song_seconds is not None:
        return math.ceil(song_seconds * info.frame_rate)
    if info.sound_start_s is None or info.sound_end_s is None:
        return None
    return math.ceil((info.sound_end_s - info.sound_start_s - _ROUNDING_S) * info.frame_rate)


def _loudness(film: Path) -> tuple[Loudness, list[str]]:
    """Measure the sound, and say what is wrong with it."""
    try:
        return measure_loudness(film), []
    except TruncatedError:
        return measure_loudness(film, allow_truncated=True), ["the sound is damaged or cut off"]
    except MediaError:
        return _UNKNOWN, ["the sound can't be decoded"]


def _picture_problems(info: PictureInfo, decoded: int, tried: int) -> list[str]:
    problems = []
    if decoded < tried:
        problems.append(f"only {decoded} of {tried} pictures can be decoded")
    if not info.constant_rate:
        rate = float(info.frame_rate)
        problems.append(f"the pictures don't follow one another evenly, at {rate:.6g} a second on average")
    return problems


def _timing_problems(offset_ms: float, difference_ms: float, frame_ms: float) -> list[str]:
    return [
        f"the sound {event} {abs(late):.1f} ms {'after' if late > 0 else 'before'} the picture, "
        f"more than a frame ({frame_ms:.1f} ms)"
        for event, late in (("starts", offset_ms), ("ends", difference_ms))
        if abs(late) > frame_ms + _SLACK_MS
    ]


def _lag_ms(film: Path, song: Path) -> float | None:
    """Give how much later a song begins in a film's sound than that sound; None if it is another song."""
    rate = min(_MOST_RATE, *(probe_sound(path).sample_rate for path in (film, song)))
    heard, source = (mono_sound(path, rate=rate, seconds=_COMPARED_S) for path in (film, song))
    count = min(len(heard), len(source))  # what one of them lacks must not count against the other
    heard, source = heard[:count], source[:count]
    strength = float(np.linalg.norm(heard)) * float(np.linalg.norm(source))
    if strength == 0:
        return None if heard.any() or source.any() else 0.0  # both silent
    likeness = correlate(heard, source, method="fft") / strength
    peak = int(likeness.argmax())
    if likeness[peak] < _ALIKE:
        return None
    before, top, after = (
        float(likeness[i]) if 0 <= i < len(likeness) else 0.0 for i in range(peak - 1, peak + 2)
    )
    # The top of the parabola through three samples.
    bend = before - 2 * top + after
    between = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return 1000 * (peak - (count - 1) + between) / rate


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
