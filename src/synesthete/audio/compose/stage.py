"""Players on a stage: lines of notes become the sound of stems."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.compose.instruments import PATCHES, Instrument
from synesthete.audio.compose.percussion import DRUMS, Kit
from synesthete.audio.compose.plan import Line, Plan
from synesthete.audio.compose.synthesis import RATE, shaped_noise

__all__ = ["HARD_FORCE", "perform_drums", "perform_effects", "perform_tune"]

HARD_FORCE: Final = 0.62
"""Notes struck harder sound brighter."""

Stereo = Float32[np.ndarray, "2 samples"]
Mono = Float32[np.ndarray, " samples"]


def perform_drums(plan: Plan, lines: Sequence[Line], samples: int) -> Stereo:
    """Play all drum lines, each drum at its place in the room."""
    mix = np.zeros((2, samples), np.float32)
    rng = plan.draw("kit")
    kit = Kit(plan.draw("strikes"), tight=plan.recipe.tight)
    places = {name: float(rng.uniform(-1, 1)) * drum.pan for name, drum in DRUMS.items()}
    for line in lines:
        left, right = _pan(places[line.voice])
        starts = np.rint(line.starts_s * RATE).astype(np.int64)
        for turn, (start, force) in enumerate(zip(starts, line.force, strict=True)):
            sound = kit.strike(line.voice, turn)
            part = sound[: max(0, samples - start)]
            level = np.float32(line.gain * force)
            mix[0, start : start + len(part)] += left * level * part
            mix[1, start : start + len(part)] += right * level * part
    return mix


def _pan(place: float) -> tuple[np.float32, np.float32]:
    """Give the gains of left and right, -1 to 1, constant power; 1 and 1 in the middle."""
    angle = np.pi / 4 * (1 + place)
    return np.float32(np.sqrt(2) * np.cos(angle)), np.float32(np.sqrt(2) * np.sin(angle))


def perform_tune(plan: Plan, line: Line, samples: int, number: int) -> Mono | Stereo:
    """Play one tuned line: mono, or stereo for an ensemble."""
    patch = PATCHES[line.voice]
    rng = plan.draw(f"instrument.{number}")
    if patch.kind == "ensemble":
        return _perform_ensemble(line, Instrument(patch, rng), samples)
    layers = (line.force * np.sqrt(3 if line.stem == "chords" else 1) > HARD_FORCE).astype(np.int64)
    longest: dict[tuple[int, int], float] = {}
    for pitch, layer, length in zip(
        line.pitches.tolist(), layers.tolist(), line.lengths_s.tolist(), strict=True
    ):
        longest[pitch, layer] = max(length, longest.get((pitch, layer), 0.0))
    instrument = Instrument(patch, rng, longest)
    mix = np.zeros(samples, np.float32)
    fade_samples = max(2, round(instrument.release_s * RATE))
    fade = np.linspace(1, 0, fade_samples, dtype=np.float32) ** 2
    starts = np.rint(line.starts_s * RATE).astype(np.int64)
    holds = np.rint(line.lengths_s * RATE).astype(np.int64)
    for start, hold, pitch, layer, force in zip(
        starts.tolist(),
        holds.tolist(),
        line.pitches.tolist(),
        layers.tolist(),
        line.force.tolist(),
        strict=True,
    ):
        tone = instrument.tone(pitch, layer)
        level = np.float32(line.gain * force)
        stop = min(start + hold, samples)
        mix[start:stop] += level * tone[: stop - start]
        end = min(start + hold + fade_samples, samples)
        if end > stop:
            mix[stop:end] += level * tone[hold : hold + end - stop] * fade[: end - stop]
    return mix


def _perform_ensemble(line: Line, instrument: Instrument, samples: int) -> Stereo:
    """Play chords that swell: notes that begin together are one sound."""
    mix = np.zeros((2, samples), np.float32)
    attack, release = (max(2, round(s * RATE)) for s in (instrument.attack_s, instrument.release_s))
    rise = np.sin(np.linspace(0, np.pi / 2, attack, dtype=np.float32)) ** 2
    fall = np.cos(np.linspace(0, np.pi / 2, release, dtype=np.float32)) ** 2
    begins, first = np.unique(line.starts_s, return_index=True)
    for moment, place in zip(begins, first, strict=True):
        together = line.starts_s == moment
        chord = instrument.chord(tuple(line.pitches[together].tolist()))
        start = round(float(moment) * RATE)
        hold = max(attack, round(float(line.lengths_s[place]) * RATE))
        total = min(hold + release, samples - start)
        if total <= 0:
            continue
        sound = np.tile(chord, -(-total // chord.shape[1]))[:, :total]
        sound[:, :attack] *= rise[:total]
        if total > hold:
            sound[:, hold:] *= fall[: total - hold]
        mix[:, start : start + total] += np.float32(line.gain * line.force[place]) * sound
    return mix


def perform_effects(plan: Plan, samples: int) -> tuple[Stereo, list[Line]]:
    """Play risers through builds, impacts on drops, falls into breakdowns, and the bed of noise."""
    rng, recipe = plan.draw("effects"), plan.recipe
    mix = np.zeros((2, samples), np.float32)
    lines = []
    if recipe.air:
        level = recipe.air * float(rng.lognormal(-0.7, 1.0))
        low, high = (edge * float(rng.uniform(0.6, 1.6)) for edge in recipe.air_hz)
        mix += np.float32(level) * _bed(rng, samples, low, min(high, 17_000.0), restless=not recipe.pulse)
    for before, part in zip(plan.form.parts, plan.form.parts[1:], strict=False):
        moment, began = plan.bar_start(part.first), plan.bar_start(before.first)
        rises = part.energy - before.energy
        if (recipe.sweep and rises > 0.2) or before.name == "build":
            if rng.random() < 0.75:
                length = min(moment - max(began, 0.0), float(rng.uniform(1.5, 5.0)))
                if length > 0.5:
                    _add(mix, _riser(rng, length), moment - length, 0.35)
                    lines.append(_effect("riser", moment - length, length, 0.35))
            if rng.random() < 0.6:
                _add(mix, _impact(rng), moment, 0.5)
                lines.append(_effect("impact", moment, 1.5, 0.5))
        elif recipe.sweep and rises < -0.3 and rng.random() < 0.5:
            _add(mix, _riser(rng, 2.0)[:, ::-1], moment, 0.2)
            lines.append(_effect("fall", moment, 2.0, 0.2))
    return mix, lines


def _effect(voice: str, start: float, length: float, force: float) -> Line:
    return Line(
        "effects", voice, 1.0, np.array([start]), np.array([length]), np.array([-1]), np.array([force])
    )


def _bed(rng: np.random.Generator, samples: int, low: float, high: float, *, restless: bool) -> Stereo:
    """Make stereo noise; a restless bed comes in gusts."""
    # One period of five seconds and more, tiled with different phases on either side, has no seam.
    size = min(samples, 229_376)
    noise = np.stack([shaped_noise(rng, size, low, high) for _ in range(2)])
    seam = min(4000, size // 4)
    ramp = np.sqrt(np.linspace(0, 1, seam, dtype=np.float32))
    loop = noise[:, seam:].copy()
    loop[:, -seam:] = loop[:, -seam:] * ramp[::-1] + noise[:, :seam] * ramp
    bed = np.tile(loop, -(-samples // loop.shape[1]))[:, :samples]
    if restless:
        knots = rng.uniform(-1.5, 1.2, max(4, samples // (2 * RATE)))
        curve = np.interp(np.arange(samples, dtype=np.float32), np.linspace(0, samples, len(knots)), knots)
        bed *= np.exp(curve).astype(np.float32)
    return bed


def _riser(rng: np.random.Generator, seconds: float) -> Stereo:
    """Make noise that grows louder and brighter."""
    samples = round(seconds * RATE)
    t = np.linspace(0, 1, samples, dtype=np.float32)
    dark = np.stack([shaped_noise(rng, samples, 300.0, 2000.0) for _ in range(2)])
    bright = np.stack([shaped_noise(rng, samples, 2500.0, 14_000.0) for _ in range(2)])
    edge = np.minimum(1, (1 - t) * np.float32(seconds / 0.01))
    return np.asarray((dark * (1 - t) + bright * t) * t**2 * edge, np.float32)


def _impact(rng: np.random.Generator) -> Stereo:
    """Make a low boom with a burst of noise on top."""
    samples = round(1.5 * RATE)
    t = np.arange(samples, dtype=np.float32) / np.float32(RATE)
    pitch = float(rng.uniform(34, 50))
    boom = np.sin(
        2 * np.pi * np.float32(pitch) * (t + np.float32(0.06) * (1 - np.exp(-t / np.float32(0.06))))
    )
    tail = np.minimum(1, t / np.float32(0.002)) * np.minimum(1, (np.float32(1.5) - t) / np.float32(0.1))
    noise = np.stack([shaped_noise(rng, samples, 200.0, 9000.0) for _ in range(2)])
    return np.asarray(
        (boom * np.exp(-t / np.float32(0.4)) + noise * np.exp(-t / np.float32(0.25))) * tail, np.float32
    )


def _add(mix: Stereo, sound: Stereo, moment: float, level: float) -> None:
    start = max(0, round(moment * RATE))
    part = sound[:, : max(0, mix.shape[1] - start)]
    mix[:, start : start + part.shape[1]] += np.float32(level) * part
