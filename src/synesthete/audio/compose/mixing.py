"""From stems to a song: amplifiers, width, echo, ducking, darkening, a room, and the master."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, sosfilt

from synesthete.audio.compose.plan import Line, Plan
from synesthete.audio.compose.synthesis import RATE

__all__ = [
    "BLOCK",
    "amplified",
    "block_curve",
    "darkened",
    "duck_curve",
    "echoed",
    "in_room",
    "master_gain",
    "spread",
]

BLOCK: Final = 441
"""Samples between points of slow curves: 10 ms."""

_KNEE: Final = 0.88
_CEILING: Final = 0.99
"""Where the master's limiter begins to bend, and what it never passes."""

Mono = Float32[np.ndarray, " samples"]
Stereo = Float32[np.ndarray, "2 samples"]


def block_curve(curve: Float64[np.ndarray, " blocks"], samples: int) -> Mono:
    """Give a curve of one point per 10 ms at every sample."""
    # Straight lines between neighbours, by sums: np.interp takes ten times as long.
    points = np.resize(curve, samples // BLOCK + 2) if len(curve) < 2 else curve
    points = np.pad(points, (0, max(0, samples // BLOCK + 2 - len(points))), mode="edge").astype(np.float32)
    ramp = np.arange(BLOCK, dtype=np.float32) / np.float32(BLOCK)
    lines = points[:-1, None] + (points[1:] - points[:-1])[:, None] * ramp
    return np.asarray(lines.reshape(-1)[:samples])


def amplified(sound: Mono, drive: float) -> Mono:
    """Play a part through an amplifier: distortion, and a cabinet that cuts highs."""
    level = float(np.sqrt(np.mean(sound**2))) + 1e-9
    loud = np.tanh(sound * np.float32(drive / max(level * 3, 0.02)))
    if drive < 3:
        return np.asarray(loud * np.float32(level * 2.2), np.float32)
    cabinet = butter(2, [75.0, 4800.0], "bandpass", fs=RATE, output="sos")
    return np.asarray(sosfilt(cabinet, loud) * np.float32(min(level * 2.2, 0.35)), np.float32)


def spread(sound: Mono, width: float, pan: float, delay_ms: float) -> Stereo:
    """Make mono stereo, so that both sides add up to the mono sound again.

    References
    ----------
    Lauridsen's pseudo-stereo (1954): a delayed copy, added on one side and subtracted on the other.
    """
    delay = max(1, round(delay_ms / 1000 * RATE))
    side = np.zeros_like(sound)
    side[delay:] = np.float32(0.7 * width) * sound[:-delay]
    if pan:
        side += np.float32(pan) * sound
    return np.stack([sound + side, sound - side])


def echoed(sound: Stereo, delay_s: float, level: float) -> Stereo:
    """Add repeats that change sides: at one, two and three delays."""
    delay = round(delay_s * RATE)
    out = sound.copy()
    for turn in (1, 2, 3):
        if turn * delay >= sound.shape[1]:
            break
        source = sound[::-1] if turn % 2 else sound
        out[:, turn * delay :] += np.float32(level**turn) * source[:, : -turn * delay]
    return out


def darkened(sound: Stereo, openness: Mono, cutoff_hz: float) -> Stereo:
    """Cross-fade between a low-passed sound (openness 0) and the sound itself (1)."""
    sos = butter(2, cutoff_hz, "lowpass", fs=RATE, output="sos")
    dark = sosfilt(sos, sound, axis=1).astype(np.float32)
    return np.asarray(dark + openness * (sound - dark))


def duck_curve(lines: list[Line], samples: int, depth: float) -> Mono | None:
    """Give the gain by which kicks duck the rest; None if there are none."""
    moments = [line.starts_s for line in lines if line.voice in ("kick", "rock kick", "boom", "chip kick")]
    if not depth or not moments:
        return None
    blocks = samples // BLOCK + 2
    since = np.arange(40) / 100.0
    shape = np.exp(-since / 0.11)
    dip = np.zeros(blocks + 40)
    for place in np.rint(np.concatenate(moments) * 100).astype(np.int64):
        if place < blocks:
            np.maximum(dip[place : place + 40], shape, out=dip[place : place + 40])
    return block_curve(1 - depth * dip[:blocks], samples)


def in_room(rng: np.random.Generator, send: Mono, seconds: float) -> Stereo:
    """Give the reverberation of a sound, without the sound: noise that dies away, its highs first."""
    length = round(1.1 * seconds * RATE)
    size = next_fast_len(len(send) + length, real=True)
    t = np.arange(length, dtype=np.float32) / np.float32(RATE)
    # Four bands, each with a decay of its own: made in blocks by interpolating two noises.
    noise = rng.standard_normal((2, length), np.float32)
    dull = uniform_filter1d(noise, 7, axis=1)
    tail = dull * np.exp(-6.9 * t / np.float32(seconds)) + (noise - dull) * np.float32(0.6) * np.exp(
        -15.0 * t / np.float32(seconds)
    )
    lead = round(float(rng.uniform(0.005, 0.025)) * RATE)
    tail[:, :lead] = 0
    tail -= tail.mean(axis=1, keepdims=True)
    tail /= np.sqrt((tail**2).sum(axis=1, keepdims=True))
    wet = irfft(rfft(tail, size, axis=1) * rfft(send, size), size, axis=1)
    return np.asarray(wet[:, : len(send)], np.float32)


def _levels(sound: Stereo) -> Float64[np.ndarray, " blocks"]:
    """Give the RMS of each 10 ms."""
    count = max(1, sound.shape[1] // BLOCK)
    whole = np.pad(sound, ((0, 0), (0, max(0, BLOCK - sound.shape[1]))))[:, : count * BLOCK]
    blocks = whole.reshape(2, count, BLOCK)
    return np.asarray(np.sqrt(np.einsum("cbs,cbs->b", blocks, blocks) / (2 * BLOCK)), np.float64)


def master_gain(
    sound: Stereo, shape: Float64[np.ndarray, " blocks"], level_dbfs: float, squash: float
) -> Stereo:
    """Give the gain, at every sample, that makes a song of a mix: compression, loudness, a soft ceiling.

    Parameters
    ----------
    sound
        The mix.
    shape
        Gains of sections, one per 10 ms, that the master keeps.
    level_dbfs
        RMS that the loud tenth of the song shall have.
    squash
        0-1: how far slow and fast changes of level are evened out.
    """
    samples = sound.shape[1]
    levels = _levels(sound)
    loud = float(np.percentile(levels, 90)) + 1e-9
    reach = max(1, round((0.3 - 0.25 * squash) * 100))
    smooth = uniform_filter1d(maximum_filter1d(levels, 2 * reach + 1), 2 * reach + 1)
    gain = np.maximum(smooth / loud, 0.03) ** (-0.4 * squash)
    count = len(gain)
    gain *= np.pad(shape, (0, max(0, count - len(shape))), mode="edge")[:count]
    slow = block_curve(gain, samples)
    target = 10 ** (level_dbfs / 20)
    thin = sound[:, ::7] * slow[::7]
    drive = target / (float(np.percentile(levels * gain, 90)) + 1e-9)
    blocks = max(1, thin.shape[1] // (BLOCK // 7))
    for _ in range(4):
        driven = thin[:, : blocks * (BLOCK // 7)] * np.float32(drive)
        limited = driven * _limit(driven)
        heard = np.sqrt(np.mean(limited.reshape(2, blocks, -1) ** 2, axis=(0, 2)))
        drive *= float(np.clip(target / (np.percentile(heard, 90) + 1e-9), 0.3, 3.0))
    slow *= np.float32(drive)
    return np.asarray(_limit(sound * slow) * slow)


def _limit(sound: Stereo) -> Stereo:
    """Give the gain at every sample that bends what is louder than the knee towards the ceiling."""
    size = np.abs(sound)
    room = np.float32(_CEILING - _KNEE)
    bent = np.float32(_KNEE) + room * np.tanh((size - np.float32(_KNEE)) / room)
    return np.asarray(np.where(size > _KNEE, bent / np.maximum(size, np.float32(_KNEE)), np.float32(1)))


def section_gains(plan: Plan, samples: int) -> Float64[np.ndarray, " blocks"]:
    """Give each 10 ms the gain of its section: up to 10 dB down where there is little energy."""
    blocks = samples // BLOCK + 2
    moments = np.array([plan.bar_start(bar) for bar in range(plan.form.bars)])
    bar = np.clip(np.searchsorted(moments, np.arange(blocks) / 100, side="right") - 1, 0, plan.form.bars - 1)
    energy = plan.form.energy[bar]
    depth_db = 10.0 * (1 - 0.5 * plan.recipe.squash)
    return np.asarray(uniform_filter1d(10 ** (-depth_db * (1 - energy) / 20), 9))


def energy_blocks(plan: Plan, samples: int) -> Float64[np.ndarray, " blocks"]:
    """Give each 10 ms its energy, 0-1, in straight lines from bar to bar."""
    moments = np.array([plan.bar_start(bar) for bar in range(plan.form.bars)])
    return np.asarray(np.interp(np.arange(samples // BLOCK + 2) / 100, moments, plan.form.energy))


def mixdown(stems: Mapping[str, Stereo]) -> Stereo:
    """Add up stems, in the order of their names' places."""
    parts = list(stems.values())
    mix = parts[0].copy()
    for part in parts[1:]:
        mix += part
    return mix
