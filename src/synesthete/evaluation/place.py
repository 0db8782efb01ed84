"""Find where in a song a film begins, by its sound."""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.signal import correlate

from synesthete.media.decode import Resampler, decode_sound
from synesthete.media.probe import probe_sound

__all__ = ["Mono", "find_in_song", "mono_sound"]

_RATE: Final = 4_000
_COMPARED_S: Final = 30
_LONGEST_S: Final = 1_800
_ALIKE: Final = 0.6

Mono = Float32[np.ndarray, " samples"]


def find_in_song(film: Path, song: Path) -> float | None:
    """Find the moment of a song, seconds, at which a film's sound begins; to a thousandth.

    The film's first half minute is compared with the song's first half hour, at 4 kHz.

    Returns
    -------
    Negative where the song begins later than the film; None where the sound is not that of the song.
    """
    heard = mono_sound(film, rate=_RATE, seconds=_COMPARED_S)
    source = mono_sound(song, rate=_RATE, seconds=_LONGEST_S)
    own = float(np.linalg.norm(heard))
    if own == 0 or not source.any():
        return None
    before = len(heard) - 1
    matches = correlate(source, heard, method="fft")
    power = np.concatenate([[0.0], np.cumsum(np.square(source, dtype=np.float64))])
    starts = np.arange(len(matches)) - before
    spans = power[np.clip(starts + len(heard), 0, len(source))] - power[np.clip(starts, 0, len(source))]
    # Where they hardly overlap a few samples would decide.
    spans = np.maximum(spans, 0.3 * own**2)
    likeness = matches / (own * np.sqrt(spans))
    best = int(np.argmax(likeness))
    return float(starts[best] / _RATE) if likeness[best] >= _ALIKE else None


def mono_sound(path: Path, *, rate: int, seconds: int) -> Mono:
    """Decode the first seconds of a sound, as one channel at a rate, Hz; what is damaged is left out."""
    resampler = Resampler(probe_sound(path).sample_rate, rate, channels=1)
    parts, wanted = [], seconds * rate
    for chunk in decode_sound(path, allow_truncated=True):
        parts.append(resampler.push(chunk.mean(axis=0, keepdims=True)))
        wanted -= parts[-1].shape[1]
        if wanted <= 0:
            break
    return np.concatenate([*parts, resampler.flush()], axis=1)[0, : seconds * rate]
