"""Bring a song, or an album, to a loudness by one gain, and keep its peaks under a ceiling."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from synesthete.media.convert import Chunk
from synesthete.media.limiter import Limiter
from synesthete.media.loudness import Loudness, measure_loudness_of
from synesthete.media.sound import Sound

__all__ = ["CEILING_DBTP", "Gain", "apply_gain", "choose_gain", "find_gain", "with_gain"]

CEILING_DBTP = -1.0
"""Highest true peak that is left, dB re full scale: lossy codecs add up to about 1 dB (EBU R 128)."""

_CLOSE_LU = 0.1
_ATTEMPTS = 3
_MOST_ADDED_DB = 3.0  # a limiter that takes more than that only flattens


@dataclass(frozen=True)
class Gain:
    """One gain, and what comes of it.

    Attributes
    ----------
    target_lufs, ceiling_dbtp
        What was wanted: integrated loudness, LUFS, and highest true peak, dB re full scale.
    gain_db
        By how much every sample is raised.
    held_back_db
        How much less that is than the target asks for, as peaks would pass the ceiling.
    limited
        Whether a limiter follows.
    reached_lufs, reached_peak_dbtp
        What the sound then has; None as in `synesthete.media.loudness.Loudness`.
    """

    target_lufs: float
    ceiling_dbtp: float
    gain_db: float
    held_back_db: float
    limited: bool
    reached_lufs: float | None
    reached_peak_dbtp: float | None


def choose_gain(
    loudness: Loudness, target_lufs: float, *, ceiling_dbtp: float = CEILING_DBTP, limiter: bool = False
) -> Gain:
    """Choose the gain that brings what was measured to a loudness.

    Parameters
    ----------
    loudness
        Of the song, or of the whole album as one programme. What has no loudness (silence, or less than
        0.4 s) isn't raised.
    target_lufs
        Integrated loudness, LUFS.
    ceiling_dbtp
        Highest true peak, dB re full scale.
    limiter
        Let a limiter take what passes the ceiling; otherwise the gain is lowered until nothing does.

    Returns
    -------
    The gain, rounded down to 0.01 dB; with a limiter, ``reached_lufs`` is more than it will leave.

    Examples
    --------
    >>> choose_gain(Loudness(-20.0, -3.0), -14.0)
    Gain(target_lufs=-14.0, ceiling_dbtp=-1.0, gain_db=2.0, held_back_db=4.0, limited=False, \
reached_lufs=-18.0, reached_peak_dbtp=-1.0)
    """
    heard, peak = loudness.integrated_lufs, loudness.true_peak_dbtp
    wanted = _rounded_down(0.0 if heard is None else target_lufs - heard)
    room = math.inf if peak is None else _rounded_down(ceiling_dbtp - peak)
    limited = limiter and wanted > room
    gain = wanted if limited else min(wanted, room)
    return Gain(
        target_lufs=target_lufs,
        ceiling_dbtp=ceiling_dbtp,
        gain_db=gain,
        held_back_db=round(wanted - gain, 2),
        limited=limited,
        reached_lufs=None if heard is None else round(heard + gain, 2),
        reached_peak_dbtp=None if peak is None else ceiling_dbtp if limited else round(peak + gain, 2),
    )


def find_gain(
    *sounds: Sound, target_lufs: float, ceiling_dbtp: float = CEILING_DBTP, limiter: bool = False
) -> Gain:
    """Measure sounds as one programme and find the one gain for all of them.

    A limiter makes them softer than their gain alone would. So the gain is raised, at most twice and
    by 3 dB, until what is measured behind the limiter is within 0.1 LU of the target.

    Parameters
    ----------
    sounds
        A song, or an album's tracks as they will be heard (`Sound.adapted`); gone through once, and with a
        limiter up to four times.
    target_lufs, ceiling_dbtp, limiter
        As in `choose_gain`.

    Returns
    -------
    With a limiter, what is reached is measured behind it.
    """
    heard = measure_loudness_of(*sounds)
    gain = choose_gain(heard, target_lufs, ceiling_dbtp=ceiling_dbtp, limiter=limiter)
    if not gain.limited or heard.integrated_lufs is None or heard.true_peak_dbtp is None:
        return gain
    # The louder, the less a further decibel does. So the chord from the last gain never points too high.
    known_db = ceiling_dbtp - heard.true_peak_dbtp
    known_lufs = heard.integrated_lufs + known_db
    most_db = gain.gain_db + _MOST_ADDED_DB
    for attempt in range(_ATTEMPTS):
        reached = measure_loudness_of(*(with_gain(sound, gain) for sound in sounds))
        gain = replace(gain, reached_lufs=reached.integrated_lufs, reached_peak_dbtp=reached.true_peak_dbtp)
        missing = target_lufs - (reached.integrated_lufs or target_lufs)
        if missing <= _CLOSE_LU or attempt == _ATTEMPTS - 1 or gain.gain_db >= most_db:
            break
        slope = (target_lufs - missing - known_lufs) / (gain.gain_db - known_db)
        known_db, known_lufs = gain.gain_db, target_lufs - missing
        raised_db = gain.gain_db + missing / max(slope, missing / _MOST_ADDED_DB)
        gain = replace(gain, gain_db=round(min(raised_db, most_db), 2))
    return gain


def apply_gain(chunks: Iterator[Chunk], gain: Gain, sample_rate: int) -> Iterator[Chunk]:
    """Raise, or lower, every sample of a sound, and limit it where the gain says so.

    Parameters
    ----------
    chunks
        Pieces of any length, float32, shape (channels, samples).
    gain
        From `find_gain` or `choose_gain`.
    sample_rate
        Samples per second, Hz.

    Yields
    ------
    As many samples as come in, each at its place; with a limiter, in pieces of other lengths.
    """
    factor = np.float32(10 ** (gain.gain_db / 20))
    limiter = None
    for chunk in chunks:
        raised = chunk if gain.gain_db == 0 else chunk * factor
        if not gain.limited:
            yield raised
            continue
        limiter = limiter or Limiter(sample_rate, len(chunk), gain.ceiling_dbtp)
        yield from limiter.push(raised)
    if limiter is not None:
        yield from limiter.flush()


def with_gain(sound: Sound, gain: Gain) -> Sound:
    """Give a sound as `apply_gain` makes it."""
    return sound.changed(lambda chunks: apply_gain(chunks, gain, sound.sample_rate))


def _rounded_down(decibels: float) -> float:
    # Measured values have two or three decimals, whose differences miss them by an ulp.
    return math.floor(round(decibels * 100, 6)) / 100
