"""The manner of a song: whether it is dry and short of breath, and whether it is a loop."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synesthete.audio.compose.recipe import Recipe

if TYPE_CHECKING:
    from synesthete.audio.compose.plan import Line, Plan

__all__ = ["in_manner", "looped"]

_TIGHT_SHARE: Final = 0.4
_LOOP_SHARE: Final = 0.12
_EARLY_S: Final = 0.03
"""So much before a bar a note may begin that belongs to it: hands are not exact."""


def in_manner(rng: np.random.Generator, recipe: Recipe) -> Recipe:
    """Give a recipe as one song takes it: now and then tight, now and then a loop of 1, 2 or 4 bars.

    A tight song is dry: hardly a room, no bed of noise, no echo, little compression, short notes and short
    strikes, so that every attack stands before silence (new wave, electro, glitch, close microphones).
    """
    tight = float(rng.uniform(0.4, 1.0)) * (rng.random() < _TIGHT_SHARE) if recipe.pulse else 0.0
    bars = int(rng.choice([1, 2, 2, 4])) if rng.random() < _LOOP_SHARE and recipe.pulse else 0
    if tight:
        recipe = replace(
            recipe,
            tight=tight,
            room=recipe.room * (1 - 0.9 * tight),
            air=recipe.air * (1 - tight),
            echo=recipe.echo * (1 - tight),
            squash=recipe.squash * (1 - 0.7 * tight),
        )
    if bars:
        recipe = replace(recipe, loop_bars=bars, forms=("steady",), paces=("constant",))
    return recipe


def looped(plan: "Plan", line: "Line") -> "Line":
    """Play the first bars again and again, to the human hand's last slip, if the song is a loop."""
    bars = plan.recipe.loop_bars
    if not bars or plan.form.bars < 2 * bars:
        return line
    start, stop = plan.bar_start(0), plan.bar_start(bars)
    part = line.kept(line.starts_s < stop - _EARLY_S)
    turns = -(-plan.form.bars // bars)
    shifts = np.repeat((stop - start) * np.arange(turns), len(part.starts_s))
    return replace(
        part,
        starts_s=np.tile(part.starts_s, turns) + shifts,
        lengths_s=np.tile(np.minimum(part.lengths_s, stop - part.starts_s), turns),
        pitches=np.tile(part.pitches, turns),
        force=np.tile(part.force, turns),
    )
