"""Filter banks on the bins of a spectrum: log bands, onset bands, mel; constants of the analysis."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from synesthete.clock import ANALYSIS_SAMPLE_RATE

__all__ = [
    "BAND_HIGH_HZ",
    "BAND_LOW_HZ",
    "bin_frequencies",
    "log_edges",
    "mel_bank",
    "overlap_bank",
    "triangle_bank",
    "widened",
]

BAND_LOW_HZ: Final = 30.0
BAND_HIGH_HZ: Final = 16_000.0

Bank = Float64[np.ndarray, "bins bands"]


def bin_frequencies(n_fft: int) -> Float64[np.ndarray, " bins"]:
    """Give the frequency of each bin of a real FFT of ``n_fft`` samples at 44.1 kHz, Hz."""
    return np.arange(n_fft // 2 + 1) * (ANALYSIS_SAMPLE_RATE / n_fft)


def log_edges(bands: int) -> Float64[np.ndarray, " edges"]:
    """Give the ``bands + 1`` edges of log-spaced bands from 30 Hz to 16 kHz, Hz."""
    return np.geomspace(BAND_LOW_HZ, BAND_HIGH_HZ, bands + 1)


def widened(
    low_hz: Float64[np.ndarray, " bands"], high_hz: Float64[np.ndarray, " bands"], n_fft: int
) -> tuple[Float64[np.ndarray, " bands"], Float64[np.ndarray, " bands"]]:
    """Widen bands to at least 3 bins, the main lobe of a Hann window, around their centres.

    A band narrower than the lobe would catch only a part of a sine inside it, and read low.
    """
    least = 3 * ANALYSIS_SAMPLE_RATE / n_fft
    extra = np.maximum(0.0, least - (high_hz - low_hz)) / 2
    return np.maximum(low_hz - extra, BAND_LOW_HZ / 2), high_hz + extra


def overlap_bank(
    low_hz: Float64[np.ndarray, " bands"], high_hz: Float64[np.ndarray, " bands"], n_fft: int
) -> Bank:
    """Weigh each bin by the part of it (±half a bin) that lies in each band: sums of power are exact."""
    width = ANALYSIS_SAMPLE_RATE / n_fft
    centre = bin_frequencies(n_fft)[:, None]
    low = np.maximum(centre - width / 2, low_hz)
    high = np.minimum(centre + width / 2, high_hz)
    return np.asarray(np.maximum(0.0, high - low) / width)


def triangle_bank(n_fft: int, per_octave: int) -> Bank:
    """Make triangular bands from 43 Hz to 16 kHz, ``per_octave`` an octave but at least a bin apart.

    Neighbours overlap by half and add up to 1, so a tone that glides keeps its power.

    References
    ----------
    Böck & Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013, section 3.1.
    """
    bin_hz = ANALYSIS_SAMPLE_RATE / n_fft
    wanted = bin_hz * 2 ** (np.arange(20 * per_octave) / per_octave)
    centres = np.unique(np.round(wanted[wanted <= BAND_HIGH_HZ] / bin_hz))
    corners = np.concatenate(([centres[0] - 1], centres, [centres[-1] + (centres[-1] - centres[-2])]))
    bins = np.arange(n_fft // 2 + 1)[:, None]
    rise = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    return np.asarray(np.clip(np.minimum(rise, fall), 0.0, None))


def mel_bank(n_fft: int, bands: int) -> Bank:
    """Make the mel bank of librosa's defaults: Slaney's scale, 0-22.05 kHz, triangles of unit area."""
    top = _hz_to_mel(np.array(ANALYSIS_SAMPLE_RATE / 2))
    corners = _mel_to_hz(np.linspace(0.0, float(top), bands + 2))
    freqs = bin_frequencies(n_fft)[:, None]
    rise = (freqs - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - freqs) / (corners[2:] - corners[1:-1])
    return np.asarray(np.clip(np.minimum(rise, fall), 0.0, None) * (2.0 / (corners[2:] - corners[:-2])))


# Slaney's Auditory Toolbox: linear below 1 kHz (200/3 Hz a mel), logarithmic above (27 mels for ×6.4).
_LINEAR_HZ = 200.0 / 3
_BREAK_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27


def _hz_to_mel(hz: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
    above = _BREAK_HZ / _LINEAR_HZ + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ, above)


def _mel_to_hz(mel: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
    at_break = _BREAK_HZ / _LINEAR_HZ
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, at_break) - at_break))
    return np.where(mel < at_break, mel * _LINEAR_HZ, above)
