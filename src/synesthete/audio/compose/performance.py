"""Everybody plays: the stems of a song before the master."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.compose.instruments import PATCHES
from synesthete.audio.compose.mixing import (
    amplified,
    block_curve,
    darkened,
    duck_curve,
    echoed,
    energy_blocks,
    in_room,
    spread,
)
from synesthete.audio.compose.plan import Line, Plan
from synesthete.audio.compose.silence import Rests, gate
from synesthete.audio.compose.soundfont import Soundfont
from synesthete.audio.compose.stage import perform_drums, perform_effects, perform_tune

__all__ = ["perform"]

_SENDS: Final = {"drums": 0.2, "bass": 0.05, "effects": 0.15}
"""How much of a stem goes to the room; others send half of themselves."""

Stereo = Float32[np.ndarray, "2 samples"]


def perform(
    plan: Plan, lines: list[Line], rests: Rests, samples: int, soundfont: Soundfont | None
) -> tuple[dict[str, Stereo], list[Line]]:
    """Play everything and give the stems, the room among them, and what was played as effects.

    Parameters
    ----------
    lines
        What is played, within the song and without what falls into rests.
    soundfont
        Plays instead of our own instruments, where it has the program.
    """
    rng = plan.draw("mix")
    drums = [line for line in lines if line.stem == "drums"]
    drum_level = np.float32(1.3 * np.exp(rng.normal(0, 0.4)))
    stems: dict[str, Stereo] = {}
    if drums:
        stems["drums"] = _drums(plan, drums, samples, soundfont) * drum_level
    duck = duck_curve(drums, samples, plan.recipe.pump * float(rng.uniform(0.6, 1.2)))
    for stem, sound in _tunes(plan, rng, lines, samples, soundfont).items():
        stems[stem] = sound if duck is None else sound * duck
    stems["effects"], effects = perform_effects(plan, samples)
    for stem, sound in stems.items():
        gate(sound, rests.resting(stem))
    if plan.recipe.room:
        send = np.zeros(samples, np.float32)
        for stem, sound in stems.items():
            send += np.float32(_SENDS.get(stem, 0.5)) * (sound[0] + sound[1])
        level = np.float32(plan.recipe.room * rng.uniform(0.0, 1.0))
        stems["room"] = level * in_room(plan.draw("room"), send, float(rng.uniform(*plan.recipe.room_s)))
    return stems, effects


def _drums(plan: Plan, lines: list[Line], samples: int, soundfont: Soundfont | None) -> Stereo:
    played = [soundfont.play(line, samples) for line in lines] if soundfont else [None] * len(lines)
    own = [line for line, sound in zip(lines, played, strict=True) if sound is None]
    mix = perform_drums(plan, own, samples)
    for sound in played:
        if sound is not None:
            mix += sound
    return mix


def _tunes(
    plan: Plan, rng: np.random.Generator, lines: list[Line], samples: int, soundfont: Soundfont | None
) -> dict[str, Stereo]:
    """Play the tuned lines, each with its amplifier, place, echo and filter."""
    recipe = plan.recipe
    openness = block_curve(1 - recipe.sweep * (1 - energy_blocks(plan, samples)), samples)
    cutoff_hz = float(np.exp(rng.uniform(np.log(350), np.log(1200))))
    echo = recipe.echo * float(rng.uniform(0.2, 1.1))
    delay_s = plan.tempo.beat_s * float(rng.choice([0.5, 0.75, 0.75, 1.0]))
    stems: dict[str, Stereo] = {}
    for number, line in enumerate(lines):
        if line.stem == "drums" or not len(line.starts_s):
            continue
        pan, delay_ms = float(rng.uniform(-0.25, 0.25)), float(rng.uniform(6, 16))
        played = soundfont.play(line, samples) if soundfont else None
        if played is None:
            patch = PATCHES[line.voice]
            own = perform_tune(plan, line, samples, number)
            if own.ndim == 1:
                own = amplified(own, patch.drive) if patch.drive else own
                own = spread(own, patch.width, 0.0 if line.stem == "bass" else pan, delay_ms)
            played = own
        if echo and line.stem in ("arp", "melody"):
            played = echoed(played, delay_s, echo)
        if recipe.sweep and line.stem != "melody":
            played = darkened(played, openness, cutoff_hz)
        stems[line.stem] = stems[line.stem] + played if line.stem in stems else played
    return stems
