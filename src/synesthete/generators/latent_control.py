"""The latent controller: what a song does to latents, planned for all of it at once, at 100 Hz.

A film walks among anchors (`synesthete.generators.route`). On top of that its latents move along a few axes
with the bands and the onsets, and wander. What it is planned by lies in numbers, so that latents themselves
are made frame by frame (`synesthete.generators.latents`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from synesthete.clock import ANALYSIS_RATE, film_clock
from synesthete.config.control import Phase, Wander
from synesthete.config.gan_look import GanLook
from synesthete.generators.control import (
    Signals,
    beat_pace,
    count_beats,
    hann_smoothed,
    integrate,
    running_integral,
    wander_noise,
)
from synesthete.generators.route import Route, plan_route

__all__ = ["AXES", "MOST_PACE", "WANDERS", "WANDER_BOUND", "LatentPlan", "plan_latents"]

AXES: Final = 4
"""Axes that latents are moved along: with the bass, the mids, the treble and onsets."""

WANDERS: Final = 4
"""Independent noises that latents wander by."""

WANDER_BOUND: Final = 1.5
"""Most of each, times its amount."""

_BANDS: Final = (("bass", "body"), ("mid", "voice"), ("treble", "air"))
_SLOW, _ENERGETIC = 0.6, 0.8
_LIVELY: Final = 1.5
_TURN: Final = 0.25

MOST_PACE: Final = 3.25 * (_SLOW + _ENERGETIC) / _SLOW
"""Most by which a move is anywhere faster than on the whole: on a loud beat in a quiet move, all grip."""


@dataclass(frozen=True)
class LatentPlan:
    """What becomes of latents, by frames.

    Attributes
    ----------
    weights
        How much of each anchor there is: of at most two, in all 1.
    axes
        Moves along each axis, standard deviations; along the first, with the sections' levels.
    wander
        Noises, each within ±`WANDER_BOUND` times the amount.
    grain
        How far the noise under detail has turned to another one, turns.
    light
        What pictures are multiplied by, 0 to 1.
    route
        Which anchors it goes to when.
    """

    weights: Float[np.ndarray, "frames anchors"]
    axes: Float[np.ndarray, "frames 4"]
    wander: Float[np.ndarray, "frames 4"]
    grain: Float[np.ndarray, " frames"]
    light: Float[np.ndarray, " frames"]
    route: Route


def plan_latents(
    signals: Signals, style_curve: Float[np.ndarray, "frames style"], look: GanLook, seed: int
) -> LatentPlan:
    """Plan a whole song: linear in its length, and by numpy alone, so that threads change no bit.

    Parameters
    ----------
    signals
        Those of every preset: ``energy``, ``body``, ``voice``, ``air``, ``spark`` and ``calm``.
    style_curve
        The preset's style at the frames: one number for each axis.
    seed
        Decides the order of the anchors and the noises.

    Raises
    ------
    ValueError
        If there is no Timeline, or the style has another size.
    """
    if signals.timeline is None:
        raise ValueError("the controller counts the Timeline's beats, but there is no Timeline")
    if style_curve.shape[1] != AXES:
        raise ValueError(f"a style of {style_curve.shape[1]} numbers does not fit {AXES} axes")
    timeline, ticks = signals.timeline, signals.ticks
    presence = 1.0 - ticks["calm"]
    beats = count_beats(timeline)
    moments = film_clock(signals.frame_rate, signals.shutter).moments(0, signals.frames)
    known = np.arange(len(presence)) / ANALYSIS_RATE

    route = plan_route(
        timeline, presence, beats,
        anchors=look.anchors, move_beats=look.move_beats, move_s=look.move_s, glide=look.glide, seed=seed,
    )  # fmt: skip
    steps = beat_pace(beats / look.subdivision, look.grip)
    pace = presence * (_SLOW + _ENERGETIC * ticks["energy"]) * steps
    music_seconds = integrate(Phase(rate=1.0), {}, presence)
    walk = Wander(correlation=look.wander_s, amount=look.wander, seed=look.wander_seed)
    noises = [
        wander_noise(music_seconds, walk, seed=seed, name=f"gan.{place}", period=signals.period)
        for place in range(WANDERS)
    ]

    def sampled(curves: list[np.ndarray]) -> np.ndarray:
        return np.stack([np.interp(moments, known, curve) for curve in curves], 1)

    axes = sampled(_moves(signals, look)) + look.style_reach * style_curve
    axes[:, 0] += look.sections * route.level(moments, pace)

    hits = np.maximum(ticks["body"], ticks["spark"])
    lit = ticks["energy"] * (1.0 - look.beating * (1.0 - hits))
    light = 1.0 - look.dark * (1.0 - np.interp(moments, known, lit))
    return LatentPlan(
        weights=route.weights(moments, pace, look.anchors),
        axes=axes,
        wander=sampled(noises),
        grain=np.interp(moments, known, _grain(beats, look)),
        light=light,
        route=route,
    )


def _moves(signals: Signals, look: GanLook) -> list[np.ndarray]:
    """Give how far latents move along each axis, at 100 Hz."""
    spark = signals.ticks["spark"]
    kick = np.clip((spark - look.kick_gate) / (1.0 - look.kick_gate), 0.0, 1.0)
    # What is loud, and what begins, is shown as it is: smoothing that knows no such weight hides reactions.
    lively = np.clip(_LIVELY * np.maximum(signals.ticks["energy"], spark), 0.0, 1.0)
    width = round(look.smoothing * ANALYSIS_RATE) | 1
    moves = []
    for field, name in _BANDS:
        curve = signals.ticks[name]
        smooth = hann_smoothed(curve, min(width, 2 * len(curve) - 1))
        moves.append(getattr(look, field) * (lively * curve + (1.0 - lively) * smooth))
    return [*moves, look.kick * kick]


def _grain(beats: Float[np.ndarray, " ticks"], look: GanLook) -> Float[np.ndarray, " ticks"]:
    """Give how far the noise under detail has turned: a quarter with each beat, mostly on it."""
    if look.noise == "held":
        return np.zeros_like(beats)
    rate = np.diff(beats, append=beats[-1:]) * ANALYSIS_RATE
    return _TURN * running_integral(rate * beat_pace(beats, look.grip))
