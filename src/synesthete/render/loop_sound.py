"""The sound of a loop: its last beat passes over into the one before its start; and that sound, repeated."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from synesthete.clock import samples_at
from synesthete.media.convert import Chunk
from synesthete.media.decode import Span, decode_sound
from synesthete.render.loop_plan import Loop

__all__ = ["ENCODER_LEAD", "crossfade_gains", "loop_chunks", "repeated"]

ENCODER_LEAD: Final = 16_384
"""Samples of a loop's end that its encoder gets to know before its start, and that are not heard.

After so many its errors have settled: at once they are twice as large."""


def loop_chunks(path: Path, loop: Loop, *, sample_rate: int, allow_truncated: bool) -> Iterator[Chunk]:
    """Decode the sound of a loop that is cut out of a song, once round; a beat of it is held in memory.

    Parameters
    ----------
    sample_rate
        Of the file, Hz.

    Yields
    ------
    `Loop.samples` in all. The last of them comes just before the first in the song, as if nothing had been
    cut; before the song there is silence.
    """
    samples, fade = loop.samples(sample_rate), samples_at(loop.fade, sample_rate)
    first = samples_at(loop.start, sample_rate)
    lead = min(first, fade)
    span = Span(Fraction(first - lead, sample_rate), Fraction(first + samples, sample_rate))
    chunks = decode_sound(path, span=span, allow_truncated=allow_truncated)
    before, held = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    for chunk in chunks:
        if not held.size and not before.size:
            before = held = np.zeros((len(chunk), 0), np.float32)
        missing = lead - before.shape[1]
        before = np.concatenate([before, chunk[:, :missing]], 1)
        held = np.concatenate([held, chunk[:, missing:]], 1)
        ready = max(0, held.shape[1] - fade)
        yield held[:, :ready]
        held = held[:, ready:]
    silence = np.zeros((len(before), held.shape[1]), np.float32)
    yield _crossfaded(held, np.concatenate([silence, before], 1)[:, before.shape[1] :])


def crossfade_gains(
    samples: int, likeness: float
) -> tuple[Float[np.ndarray, " samples"], Float[np.ndarray, " samples"]]:
    r"""Give the gains with which one sound passes over into another at constant power.

    Of linear ramps :math:`a, b` over :math:`\sqrt{a^2 + b^2 + 2\rho ab}`: they stay linear where both
    sounds are alike, and are of equal power where they have nothing in common.

    Parameters
    ----------
    likeness
        Their correlation, 0 to 1.
    """
    rise = (np.arange(samples) + 1.0) / samples
    fall = 1.0 - rise
    power = np.sqrt(fall**2 + rise**2 + 2.0 * likeness * fall * rise)
    return fall / power, rise / power


def repeated(
    once: Callable[[], Iterator[Chunk]], samples: int, *, before: int, after: int
) -> Iterator[Chunk]:
    """Give a loop's sound from some samples before its start to some after its end.

    Parameters
    ----------
    once
        Gives it once round, as often as it is called.
    samples
        How many that are.
    """
    skip, missing = -before % samples, before + samples + after
    while missing:
        heard = 0
        for chunk in once():
            part = chunk[:, skip : skip + missing]
            skip = max(0, skip - chunk.shape[1])
            missing -= part.shape[1]
            heard += chunk.shape[1]
            yield part
            if not missing:
                break
        if not heard:
            return


def _crossfaded(last: Chunk, before: Chunk) -> Chunk:
    """Pass from the loop's last beat over into the one before its start."""
    power = float(np.sqrt((last.astype(np.float64) ** 2).sum() * (before.astype(np.float64) ** 2).sum()))
    alike = float((last.astype(np.float64) * before).sum()) / power if power else 0.0
    fall, rise = crossfade_gains(last.shape[1], min(max(alike, 0.0), 1.0))
    return np.asarray(fall * last + rise * before, dtype=np.float32)
