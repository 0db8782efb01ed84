"""Kinds of synthesis: wave tables through a swept filter, FM, strings, spread spectra, shaped noise.

Everything is mono float32 at 44.1 kHz unless said otherwise; levels are about 0.3 RMS.
"""

from typing import Final

import numpy as np
from jaxtyping import Complex64, Float32, Float64
from scipy.fft import irfft, next_fast_len, rfft

from synesthete.clock import ANALYSIS_SAMPLE_RATE

__all__ = [
    "RATE",
    "fm_tone",
    "harmonic_bands",
    "resonant_response",
    "shaped_noise",
    "spread_spectrum",
    "string_tone",
    "swept_tables",
    "table_tone",
]

RATE: Final = ANALYSIS_SAMPLE_RATE
TABLE: Final = 2048
_HIGHEST_HZ: Final = 17_000.0

Mono = Float32[np.ndarray, " samples"]


def harmonic_bands(shape: str, count: int, *, duty: float = 0.5) -> Float64[np.ndarray, " harmonics"]:
    """Give amplitudes of the harmonics 1, 2, … of a ``saw``, ``square``, ``triangle`` or ``pulse`` wave."""
    number = np.arange(1, count + 1)
    if shape == "saw":
        return 1.0 / number
    if shape == "triangle":
        return (number % 2) / number.astype(np.float64) ** 2
    width = 0.5 if shape == "square" else duty
    return np.asarray(np.abs(np.sin(np.pi * number * width)) / number)


def resonant_response(
    hertz: Float64[np.ndarray, " n"], cutoff_hz: float, resonance: float
) -> Float64[np.ndarray, " n"]:
    """Give the magnitude of a two-pole low-pass filter: 12 dB per octave, ``resonance`` is its Q."""
    ratio = hertz / cutoff_hz
    return np.asarray(1.0 / np.sqrt((1 - ratio**2) ** 2 + (ratio / max(resonance, 0.5)) ** 2))


def swept_tables(
    rng: np.random.Generator,
    hertz: float,
    amplitudes: Float64[np.ndarray, " harmonics"],
    cutoffs_hz: Float64[np.ndarray, " steps"],
    resonance: float,
    *,
    ratios: Float64[np.ndarray, " harmonics"] | None = None,
) -> Float32[np.ndarray, "steps samples"]:
    """Make one period of a wave behind a low-pass at several cutoffs; cross-fading them sweeps the filter.

    Band-limited, as harmonics above 17 kHz are left out. RMS is 0.3 at the most open cutoff.

    Parameters
    ----------
    ratios
        Partials as multiples of the pitch, in eighths, for bells: eight periods are made instead of one.
    """
    periods = 1 if ratios is None else 8
    numbers = np.arange(1, len(amplitudes) + 1) if ratios is None else ratios
    keep = numbers * hertz < _HIGHEST_HZ
    bins = np.rint(numbers[keep] * periods).astype(np.int64)
    inside = bins < TABLE * periods // 2
    bins, own = bins[inside], amplitudes[keep][inside]
    phases = np.exp(1j * rng.uniform(0, 2 * np.pi, len(bins)))
    spectra = np.zeros((len(cutoffs_hz), TABLE * periods // 2 + 1), np.complex64)
    for row, cutoff in zip(spectra, cutoffs_hz, strict=True):
        np.add.at(row, bins, own * resonant_response(bins / periods * hertz, cutoff, resonance) * phases)
    tables = irfft(spectra, TABLE * periods, axis=1).astype(np.float32)
    scale = np.sqrt(np.mean(tables[-1] ** 2)) + 1e-12
    return np.asarray(tables * np.float32(0.3 / scale))


def table_tone(
    tables: Float32[np.ndarray, "steps samples"],
    hertz: Float32[np.ndarray, " samples"] | float,
    place: Float32[np.ndarray, " samples"] | None,
    *,
    samples: int,
    start: float = 0.0,
) -> Mono:
    """Read wave tables at a pitch; ``place`` (0 to steps - 1) says between which of them, at each sample."""
    ticks = np.arange(samples, dtype=np.float32)
    if isinstance(hertz, float):
        turns = ticks * np.float32(hertz / RATE) + np.float32(start)
    else:
        turns = np.cumsum(hertz, dtype=np.float64).astype(np.float32) / np.float32(RATE) + np.float32(start)
    size = tables.shape[1]
    at = (turns * np.float32(TABLE)).astype(np.int32) & (size - 1)
    if place is None or len(tables) == 1:
        return np.asarray(tables[-1][at])
    row = np.minimum(place.astype(np.int32), len(tables) - 2)
    part = place - row
    at += row * size
    flat = tables.reshape(-1)
    low = flat[at]
    at += size
    return np.asarray(low + part * (flat[at] - low))


def fm_tone(
    hertz: float, ratio: float, index: Float32[np.ndarray, " samples"], *, second: float = 0.0
) -> Mono:
    """Modulate a sine by another, ``ratio`` times its pitch, with a modulation index per sample.

    References
    ----------
    Chowning, "The synthesis of complex audio spectra by means of frequency modulation", JAES 21(7), 1973.
    """
    angle = np.arange(len(index), dtype=np.float32) * np.float32(2 * np.pi * hertz / RATE)
    # Sidebands above the highest frequency are not made: Carson's rule.
    most = np.float32(max(0.0, (_HIGHEST_HZ / hertz - 1) / ratio - 1))
    deep = np.minimum(index, most)
    modulator = np.sin(angle * np.float32(ratio))
    if second:
        modulator += np.float32(second) * np.sin(angle * np.float32(2 * ratio + 1))
    return np.asarray(np.float32(0.42) * np.sin(angle + deep * modulator))


def string_tone(
    rng: np.random.Generator, hertz: float, seconds: float, *, decay_s: float, bright: float, pick: float
) -> Mono:
    """Pluck a string by Karplus and Strong's rule, in closed form: every period is the last, averaged.

    In the spectrum of a period, averaging two neighbours multiplies harmonic ``k`` by ``cos(π k / N)``, so
    all periods come from one inverse transform.

    Parameters
    ----------
    decay_s
        Time in which the lowest harmonic falls by 8.7 dB.
    bright
        0 dull (a soft finger) to 1 (a plectrum).
    pick
        Where it is plucked, as a part of its length: harmonics with a node there are missing.

    References
    ----------
    Karplus & Strong, "Digital synthesis of plucked-string and drum timbres", CMJ 7(2), 1983. Differs: a loop
    of a whole number of samples, resampled to the pitch.
    """
    length = next_fast_len(max(16, round(RATE / hertz)), real=True)
    periods = int(np.ceil(seconds * hertz)) + 2
    numbers = np.arange(length // 2 + 1)
    tone = np.where(numbers > 0, np.maximum(numbers, 1.0) ** -(1.5 - 1.1 * bright), 0.0)
    tone *= np.abs(np.sin(np.pi * numbers * pick)) * rng.uniform(0.6, 1.2, len(numbers))
    tone = np.where(numbers * hertz < _HIGHEST_HZ, tone, 0.0)
    phases = rng.uniform(0, 2 * np.pi, len(numbers))
    loss = np.exp(-1.0 / (hertz * decay_s)) * np.abs(np.cos(np.pi * numbers / length)) ** (
        0.5 + 4 * (1 - bright)
    )
    decay = np.exp(
        np.log(np.maximum(loss, 1e-6)).astype(np.float32) * np.arange(periods, dtype=np.float32)[:, None]
    )
    spectra = decay * (tone * np.exp(1j * phases)).astype(np.complex64)
    wave = irfft(spectra, length, axis=1).astype(np.float32).reshape(-1)
    samples = round(seconds * RATE)
    at = np.arange(samples) * (length * hertz / RATE)
    below = at.astype(np.int64)
    part = (at - below).astype(np.float32)
    sound = wave[below] + part * (wave[below + 1] - wave[below])
    scale = np.sqrt(np.mean(sound[: max(64, samples // 8)] ** 2)) + 1e-12
    return np.asarray(sound * np.float32(0.3 / scale))


def spread_spectrum(
    rng: np.random.Generator,
    hertz: Float64[np.ndarray, " notes"],
    amplitudes: Float64[np.ndarray, "notes harmonics"],
    *,
    samples: int,
    cents: float,
) -> Float32[np.ndarray, "2 samples"]:
    """Make a chord of many players at once: each harmonic is a narrow band of random phases, on both sides.

    It repeats without a seam after ``samples``. RMS 0.3.

    References
    ----------
    Nasca, "PADsynth", ZynAddSubFX, 2006. Differs: all notes of a chord share one inverse transform.
    """
    bins = samples // 2 + 1
    strength = np.zeros(bins, np.float32)
    step = RATE / samples
    for pitch, row in zip(hertz, amplitudes, strict=True):
        for number, amplitude in enumerate(row, start=1):
            centre = pitch * number
            if amplitude <= 0 or centre > _HIGHEST_HZ:
                continue
            width = max(0.6 * step, centre * cents * 0.0005776)  # cents to a ratio
            low, high = (
                max(1, int((centre - 3 * width) / step)),
                min(bins, int((centre + 3 * width) / step) + 2),
            )
            away = (np.arange(low, high) * step - centre) / width
            # Power, not amplitude, is what adds up over bins of random phase.
            strength[low:high] += amplitude * np.exp(-0.5 * away**2) / np.sqrt(width / step)
    phases = rng.random((2, bins), np.float32) * np.float32(2 * np.pi)
    spectra: Complex64[np.ndarray, "2 bins"] = strength * (np.cos(phases) + 1j * np.sin(phases))
    sound = irfft(spectra, samples, axis=1)
    return np.asarray((sound * (0.3 / (np.sqrt(np.mean(sound**2)) + 1e-12))).astype(np.float32))


def shaped_noise(rng: np.random.Generator, samples: int, low_hz: float, high_hz: float) -> Mono:
    """Make noise in a band with slopes of about 12 dB per octave, RMS about 0.3."""
    size = next_fast_len(samples, real=True)
    spectrum = rfft(rng.standard_normal(size, np.float32))
    hertz = np.maximum(np.arange(len(spectrum), dtype=np.float32) * np.float32(RATE / size), 1.0)
    rise, fall = (np.float32(low_hz) / hertz) ** 2, (hertz / np.float32(high_hz)) ** 2
    spectrum *= 1 / ((1 + rise) * (1 + fall * fall))
    sound = irfft(spectrum, size)[:samples]
    return np.asarray((sound * (0.3 / (np.sqrt(np.mean(sound**2)) + 1e-12))).astype(np.float32))
