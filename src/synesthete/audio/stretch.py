"""Change how long sound lasts, or how high it is, without the other: a phase vocoder, and resampling."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Complex64, Float32, Int32, Int64

from synesthete.errors import InputError

__all__ = ["SPEED_STEPS", "change_speed", "stretch"]

SPEED_STEPS: Final = 128
"""Speeds are whole numbers of this part: at so few fractions the filters of a resampler stay short."""

_WINDOW: Final = 2_048  # samples: 46 ms at 44.1 kHz
_HOP: Final = _WINDOW // 4
_RISE: Final = 0.5  # share of a frame's magnitude that is new, from which on it is an attack
_FLOOR: Final = 1e-6

Stereo = Float32[np.ndarray, "2 samples"]
Spectra = Complex64[np.ndarray, "channels frames bins"]


def change_speed(sound: Stereo, steps: int) -> Float32[np.ndarray, "2 changed"]:
    """Play sound faster or slower, as a tape does: time and pitch change together.

    Parameters
    ----------
    steps
        The speed in `SPEED_STEPS`: 64 is half as fast and an octave lower, 256 twice as fast; 64 to 256.

    Returns
    -------
    Sound in which the moment ``t`` lies at ``t · SPEED_STEPS / steps``.

    Raises
    ------
    InputError
        If the speed is out of range.
    """
    from scipy.signal import resample_poly

    if not SPEED_STEPS // 2 <= steps <= 2 * SPEED_STEPS:
        raise InputError(f"speed {steps / SPEED_STEPS:g} is outside 0.5 to 2; pass for instance 1.1")
    if steps == SPEED_STEPS or sound.shape[1] == 0:
        return sound
    changed = resample_poly(sound, SPEED_STEPS, steps, axis=1, window=("kaiser", 7.0))
    return np.ascontiguousarray(changed, np.float32)


def stretch(sound: Stereo, ratio: float) -> Float32[np.ndarray, "2 stretched"]:
    r"""Make sound last ``ratio`` times as long at the same pitch.

    A phase vocoder with identity phase locking. The phase advance over one output hop is measured by a second
    spectrum one *output* hop before each frame, so that no phase is ever unwrapped:
    :math:`Y_t = A_t\,\mathrm{sgn}(Y_{t-1}\bar B_t)`, taken at each spectral peak for its surroundings.
    Attacks set the phases anew, which keeps them sharp. Both channels turn alike: the image stays.

    Parameters
    ----------
    ratio
        0.5 to 2.

    Returns
    -------
    ``round(samples · ratio)`` samples; the moment ``t`` lies at ``t · ratio``.

    Raises
    ------
    InputError
        If the ratio is out of range.

    References
    ----------
    Laroche & Dolson, "Improved phase vocoder time-scale modification of audio", IEEE Trans. Speech and Audio
    Processing 7(3), 1999. Röbel, "A new approach to transient processing in the phase vocoder", DAFx 2003.
    Differs: attacks are found per frame, not per peak.
    """
    if not 0.5 <= ratio <= 2.0:
        raise InputError(f"stretch {ratio:g} is outside 0.5 to 2; pass for instance 1.1")
    samples = round(sound.shape[1] * ratio)
    if ratio == 1.0 or samples == 0:
        return sound
    frames = -(-samples // _HOP) + 1
    centres = np.round(np.arange(frames) * (_HOP / ratio)).astype(np.int64)
    margin = _WINDOW // 2 + _HOP
    after = max(0, int(centres[-1]) + margin - sound.shape[1])
    padded = np.pad(sound, ((0, 0), (margin, after)))
    now = _spectra(padded, centres + margin)
    # Not the plain sum, in which what is opposite in both channels would vanish.
    reference = now[0] + np.float32(0.7) * now[1]
    mixed = padded[0] + np.float32(0.7) * padded[1]
    before = _spectra(mixed[None], centres + margin - _HOP)[0]
    now *= _turns(reference, before)
    return _overlapped(now, samples)


def _spectra(
    sound: Float32[np.ndarray, "channels samples"], centres: Int64[np.ndarray, " frames"]
) -> Spectra:
    from scipy.fft import rfft

    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW, axis=1)
    return np.asarray(rfft(windows[:, centres - _WINDOW // 2] * _hann(), axis=2), np.complex64)


def _turns(
    reference: Complex64[np.ndarray, "frames bins"], before: Complex64[np.ndarray, "frames bins"]
) -> Complex64[np.ndarray, "frames bins"]:
    """Give by how much each bin of each frame turns, as complex numbers of size 1."""
    magnitude = np.abs(reference)
    peaks = _nearest_peaks(magnitude)
    attacks = _attacks(magnitude)
    turns = np.ones_like(reference)
    backward, last = before.conj(), reference[0]
    for frame in range(1, len(reference)):
        if attacks[frame]:
            last = reference[frame]
            continue
        turn = np.sign(last * backward[frame])
        turn += turn == 0  # nothing was there: as it comes
        turns[frame] = turn[peaks[frame]]
        last = reference[frame] * turns[frame]
    return turns


def _nearest_peaks(magnitude: Float32[np.ndarray, "frames bins"]) -> Int32[np.ndarray, "frames bins"]:
    """Give for each bin the nearest one that is larger than its two neighbours on either side."""
    bins = magnitude.shape[1]
    peak = np.zeros(magnitude.shape, bool)
    middle = magnitude[:, 2:-2]
    peak[:, 2:-2] = (
        (middle > magnitude[:, 1:-3])
        & (middle >= magnitude[:, 3:-1])
        & (middle > magnitude[:, :-4])
        & (middle >= magnitude[:, 4:])
    )
    own = np.arange(bins, dtype=np.int32)
    below = np.maximum.accumulate(np.where(peak, own, np.int32(-bins)), axis=1)
    above = np.minimum.accumulate(np.where(peak, own, np.int32(3 * bins))[:, ::-1], axis=1)[:, ::-1]
    nearest = np.where(own - below <= above - own, below, above)
    return np.where((nearest >= 0) & (nearest < bins), nearest, own)


def _attacks(magnitude: Float32[np.ndarray, "frames bins"]) -> Bool[np.ndarray, " frames"]:
    """Find the first frame of each attack: much that wasn't in the frame before."""
    total = magnitude.sum(axis=1)
    rise = np.maximum(magnitude[1:] - magnitude[:-1], 0).sum(axis=1)
    rising = np.concatenate([[True], (rise > _RISE * total[1:]) & (total[1:] > _FLOOR * _WINDOW)])
    rising[1:] &= ~rising[:-1]
    return rising


def _overlapped(spectra: Spectra, samples: int) -> Stereo:
    from scipy.fft import irfft

    pieces = irfft(spectra, n=_WINDOW, axis=2).astype(np.float32, copy=False)
    pieces *= _hann() / np.float32(1.5)  # squared Hann windows a quarter apart add up to 1.5
    frames = spectra.shape[1]
    quarters = pieces.reshape(2, frames, 4, _HOP)
    summed = np.zeros((2, frames + 3, _HOP), np.float32)
    for part in range(4):
        summed[:, part : part + frames] += quarters[:, :, part]
    start = _WINDOW // 2
    return np.ascontiguousarray(summed.reshape(2, -1)[:, start : start + samples])


def _hann() -> Float32[np.ndarray, " window"]:
    turn = 2 * np.pi * np.arange(_WINDOW) / _WINDOW
    return (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
