"""The one clock: film time is a frame rate (a fraction) and an integer frame index.

Nothing else in the package turns seconds, samples and frames into one another.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from synesthete.errors import ConfigError

__all__ = [
    "ANALYSIS_RATE",
    "ANALYSIS_SAMPLE_RATE",
    "HOP_SAMPLES",
    "MAX_FRAME_RATE",
    "MIN_FRAME_RATE",
    "Clock",
    "ShutterClock",
    "analysis_ticks",
    "film_clock",
    "format_duration",
    "parse_frame_rate",
    "parse_timestamp",
    "samples_at",
]

ANALYSIS_RATE = 100
"""Rows per second at which music is analysed and phases are integrated, Hz."""

ANALYSIS_SAMPLE_RATE = 44_100
"""Sample rate at which music is analysed, Hz."""

HOP_SAMPLES = ANALYSIS_SAMPLE_RATE // ANALYSIS_RATE
"""Samples between two analysis rows."""

MIN_FRAME_RATE = Fraction(24_000, 1001)
MAX_FRAME_RATE = Fraction(120)

_SAMPLE_DEGREES = 40

_NTSC = {
    "23.976": Fraction(24_000, 1001),
    "23.98": Fraction(24_000, 1001),
    "29.97": Fraction(30_000, 1001),
    "47.952": Fraction(48_000, 1001),
    "59.94": Fraction(60_000, 1001),
    "119.88": Fraction(120_000, 1001),
}
_RATE = re.compile(r"\d{1,9}(?:\.\d{1,20}|/\d{1,9})?")


@dataclass(frozen=True)
class Clock:
    """Converts between frames, seconds and samples at one frame rate.

    Frame ``i`` shows the music's moment ``i / frame_rate`` seconds, exactly.

    Examples
    --------
    >>> clock = Clock(Fraction(30_000, 1001))
    >>> clock.frames_for(44_100, 44_100)
    30
    >>> clock.seconds(30)
    Fraction(1001, 1000)
    """

    frame_rate: Fraction

    def frames_for(self, samples: int, sample_rate: int) -> int:
        """Count the frames of a track of ``samples`` at ``sample_rate`` Hz: ``ceil(n·fps/r)``."""
        return math.ceil(Fraction(samples) * self.frame_rate / sample_rate)

    def seconds(self, frame: int) -> Fraction:
        """Give the moment of a frame, seconds from the start of the film."""
        return Fraction(frame) / self.frame_rate

    def moments(self, start: int, stop: int) -> np.ndarray:
        """Give the moments of frames ``start`` to ``stop`` (exclusive), seconds, float64."""
        numerator, denominator = self.frame_rate.as_integer_ratio()
        return np.arange(start, stop, dtype=np.float64) * denominator / numerator

    def frame_at(self, seconds: Fraction | float) -> int:
        """Give the frame that is on screen at a moment, ``floor(seconds · fps)``."""
        return math.floor(Fraction(seconds) * self.frame_rate)


@dataclass(frozen=True)
class ShutterClock(Clock):
    """Counts the pictures of a film whose frames are seen through an open shutter, several to each.

    Picture ``samples · i + k`` belongs to frame ``i``. The pictures of a frame lie evenly in the time for
    which the shutter is open, around the frame's own moment, so that a blurred film is not late. Before the
    start of the film nothing moves.

    Parameters
    ----------
    shutter
        How long it is open, degrees of the time from one frame to the next: above 0, up to 360.

    Examples
    --------
    >>> clock = ShutterClock(Fraction(30), Fraction(180))
    >>> [str(30 * clock.seconds(picture)) for picture in range(5, 10)]
    ['4/5', '9/10', '1', '11/10', '6/5']
    """

    shutter: Fraction

    @property
    def samples(self) -> int:
        """Count the pictures of a frame: one for every 40° or less, an odd number, 3 or more."""
        return max(3, 2 * math.ceil((self.shutter / _SAMPLE_DEGREES - 1) / 2) + 1)

    def frames_for(self, samples: int, sample_rate: int) -> int:
        """Count the pictures of a track."""
        return self.samples * super().frames_for(samples, sample_rate)

    def seconds(self, frame: int) -> Fraction:
        """Give the moment of a picture."""
        whole, part = divmod(frame, self.samples)
        away = Fraction(2 * part - self.samples + 1, 2 * self.samples) * self.shutter / 360
        return max(Fraction(0), (whole + away) / self.frame_rate)

    def moments(self, start: int, stop: int) -> np.ndarray:
        """Give the moments of pictures ``start`` to ``stop`` (exclusive), seconds, float64."""
        pictures = np.arange(start, stop)
        away = (2 * (pictures % self.samples) - self.samples + 1) / (2 * self.samples)
        turns = pictures // self.samples + away * float(self.shutter / 360)
        return np.maximum(turns / float(self.frame_rate), 0.0)


def film_clock(frame_rate: Fraction, shutter: Fraction = Fraction(0)) -> Clock:
    """Give the clock of what is drawn for a film: of its frames, or, with a shutter, of their pictures."""
    return ShutterClock(frame_rate, shutter) if shutter else Clock(frame_rate)


def samples_at(seconds: Fraction | float, sample_rate: int) -> int:
    """Give the sample nearest to a moment, at ``sample_rate`` Hz."""
    return round(Fraction(seconds) * sample_rate)


def analysis_ticks(samples: int) -> int:
    """Count the analysis rows (100 Hz) of a track of ``samples`` at 44.1 kHz: ``ceil(n / 441)``."""
    return -(-samples // HOP_SAMPLES)


def parse_frame_rate(text: str | float | Fraction) -> Fraction:
    """Read a frame rate: ``30``, ``30000/1001``, ``29.97``.

    The broadcast decimals (23.976, 29.97, 59.94, …) mean their exact fractions.

    Raises
    ------
    ConfigError
        If it is no number, or outside 24000/1001 to 120 frames per second.

    Examples
    --------
    >>> parse_frame_rate("29.97")
    Fraction(30000, 1001)
    """
    given = str(text).strip()
    try:
        if not _RATE.fullmatch(given):  # Fraction would read 1e999999999 too, digit by digit
            raise ValueError
        rate = _NTSC.get(given.rstrip("0")) or Fraction(given)
    except (ValueError, ZeroDivisionError):
        raise ConfigError(
            f"frame rate {_shown(given)} is no number; pass one such as --fps 30 or --fps 24000/1001"
        ) from None
    if not MIN_FRAME_RATE <= rate <= MAX_FRAME_RATE:
        raise ConfigError(
            f"frame rate {_shown(given)} is outside 24000/1001 to 120; pass for instance --fps 30"
        )
    if rate.denominator > 1001:
        raise ConfigError(
            f"frame rate {_shown(given)} has a denominator over 1001; pass a whole number or N/1001"
        )
    return rate


_TIMESTAMP = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{1,9})?)")
_EXACT = re.compile(r"(\d{1,18})/(\d{1,18})")


def parse_timestamp(text: str | float | Fraction) -> Fraction:
    """Read a moment in a track: seconds (``83.5``, ``167/2``), ``m:ss`` or ``h:mm:ss``, with decimals.

    A float is taken to the nanosecond.

    Raises
    ------
    ConfigError
        If the text is not of that form.

    Examples
    --------
    >>> parse_timestamp("1:23.5")
    Fraction(167, 2)
    """
    if isinstance(text, Fraction) and text >= 0:
        return text
    given = f"{text:.9f}" if isinstance(text, float) else str(text).strip()
    if (exact := _EXACT.fullmatch(given)) and int(exact[2]) > 0:
        return Fraction(given)
    match = _TIMESTAMP.fullmatch(given)
    hours, minutes, seconds = match.groups() if match else (None, None, "")
    if not match or (minutes and Fraction(seconds) >= 60) or (hours and int(minutes or 0) >= 60):
        raise ConfigError(f"{_shown(given)} is no moment in a track; write seconds (83.5) or m:ss (1:23.5)")
    return Fraction(hours or 0) * 3600 + Fraction(minutes or 0) * 60 + Fraction(seconds)


def format_duration(seconds: Fraction | float) -> str:
    """Write a duration for people: ``42.0 s``, ``3:05``, ``1:02:03``.

    Examples
    --------
    >>> format_duration(185)
    '3:05'
    """
    if seconds < 59.95:
        return f"{float(seconds):.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
