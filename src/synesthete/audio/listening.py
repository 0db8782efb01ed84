"""From measured columns of a whole track to what only the whole can tell: beats, bars, key, sections."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32

from synesthete.audio.columns import CHROMA, DERIVED_NAMES
from synesthete.audio.harmony import estimate_key
from synesthete.audio.meter import find_meter
from synesthete.audio.music import Music, Section
from synesthete.audio.percussion import split_rows
from synesthete.audio.sections import find_sections
from synesthete.audio.silences import silence_from
from synesthete.audio.similarity import novelty_curve, summarise
from synesthete.clock import ANALYSIS_RATE

__all__ = ["listen_through"]

_LEAST_KEY_TICKS: Final = 200
_DIGITS: Final = 4  # of moments and shares in what is written down: a tenth of a millisecond

Column = Float32[np.ndarray, " ticks"]


def listen_through(
    columns: Mapping[str, Column],
    spectrum: Float32[np.ndarray, "ticks 64"],
    *,
    duration_s: float,
    bpm: float | None = None,
) -> tuple[dict[str, Column], Music]:
    """Hear a track as music.

    Parameters
    ----------
    columns
        The measured columns at 100 Hz, by name; may be memory-mapped.
    spectrum
        64 log bands, -60..0 dBFS as 0..1; may be memory-mapped.
    duration_s
        Length of the track, seconds.
    bpm
        The tempo, if it is known.

    Returns
    -------
    The derived columns, in the order of `DERIVED_NAMES`, and beats, bars, key and sections.
    """
    ticks = len(spectrum)
    loudness = np.array(columns["loudness"])
    silence = silence_from(torch.from_numpy(loudness)).numpy()
    percussive, harmonic = split_rows(spectrum)
    meter = find_meter(columns, spectrum, silence, bpm=bpm)
    steps = summarise(columns, spectrum)
    sections = find_sections(
        steps,
        downbeats=meter.downbeats / ANALYSIS_RATE,
        bar_confidence=float(meter.bar_confidence.mean()),
        duration_s=duration_s,
    )
    chroma = np.stack([np.asarray(columns[f"chroma_{pitch}"]) for pitch in range(CHROMA)], axis=1)
    derived = {
        "silence": silence,
        "percussive": percussive,
        "harmonic": harmonic,
        **meter.columns(),
        "section": _section_numbers(sections, ticks),
        "novelty": novelty_curve(steps),
        "time": (np.arange(ticks) / ANALYSIS_RATE).astype(np.float32),
    }
    audible = silence < 0.5
    tempo = meter.tempo_bpm
    music = Music(
        beats=_moments(meter.beats, duration_s),
        downbeats=_moments(meter.downbeats, duration_s),
        beat_confidence=round(float(meter.confidence[audible].mean()), _DIGITS) if audible.any() else 0.0,
        tempo_bpm=None if tempo is None else round(tempo, 2),
        beats_per_bar=meter.beats_per_bar,
        key=estimate_key(chroma, loudness) if audible.sum() >= _LEAST_KEY_TICKS else None,
        sections=sections,
    )
    return {name: derived[name] for name in DERIVED_NAMES}, music


def _moments(ticks: np.ndarray, duration_s: float) -> tuple[float, ...]:
    seconds = np.round(ticks / ANALYSIS_RATE, _DIGITS)
    return tuple(np.clip(seconds, 0.0, duration_s).tolist())


def _section_numbers(sections: tuple[Section, ...], ticks: int) -> Column:
    """Give every tick the number of its section's music: the same label, the same number."""
    numbers: dict[str, int] = {}
    starts = np.array([section.start_s for section in sections])
    values = np.array([numbers.setdefault(section.label, len(numbers)) for section in sections], np.float32)
    now = np.searchsorted(starts, np.arange(ticks) / ANALYSIS_RATE, side="right") - 1
    return np.asarray(values[np.clip(now, 0, len(values) - 1)])
