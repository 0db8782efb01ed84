"""Compose: a song with everything that is known about it, as a pure function of a seed and a number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.signal import sosfilt

from synesthete.audio.compose.drums import score_drums
from synesthete.audio.compose.instruments import PATCHES
from synesthete.audio.compose.mixing import (
    amplified,
    block_curve,
    darkened,
    duck_curve,
    echoed,
    energy_blocks,
    in_room,
    master_gain,
    mixdown,
    section_gains,
    spread,
)
from synesthete.audio.compose.plan import Line, Plan, draw_plan
from synesthete.audio.compose.silence import Rests, draw_rests, gate
from synesthete.audio.compose.stage import STEMS, perform_drums, perform_effects, perform_tune
from synesthete.audio.compose.synthesis import RATE
from synesthete.audio.compose.tone import draw_tone
from synesthete.audio.compose.truth import Note, Passage, Truth
from synesthete.audio.compose.tunes import score_tunes
from synesthete.errors import InputError

__all__ = ["SECONDS_RANGE", "Composition", "compose"]

SECONDS_RANGE: Final = (1.0, 1800.0)
_DIGITS: Final = 5

Stereo = Float32[np.ndarray, "2 samples"]


@dataclass(frozen=True, eq=False)
class Composition:
    """A composed song.

    Attributes
    ----------
    sound
        Stereo at 44.1 kHz, within ±1.
    truth
        What is known about it.
    stems
        What each of `synesthete.audio.compose.stage.STEMS` and the ``room`` adds to it, if they were to be
        kept: they add up to ``sound``, to rounding.
    """

    sound: Stereo
    truth: Truth
    stems: Mapping[str, Stereo] | None = None


def compose(
    seed: int,
    index: int = 0,
    *,
    seconds: float,
    silence_mix_prob: float = 0.0,
    genre: str | None = None,
    tempo: float | None = None,
    metre: int | None = None,
    key: str | None = None,
    keep_stems: bool = False,
) -> Composition:
    """Compose a song.

    Parameters
    ----------
    seed, index
        Which song: another seed or another index is another one.
    seconds
        Its length, 1 to 1,800; ``round(44_100 · seconds)`` samples.
    silence_mix_prob
        How likely it has silences of 1 to 3 s and tracks that drop out and return one by one, 0-1.
    genre
        One of `synesthete.audio.compose.genres.GENRES`, or two joined by ``+``; drawn by default.
    tempo, metre, key
        Beats per minute at the start (60 to 200), beats in a bar (3 to 7), such as ``"F# minor"``; drawn by
        default.
    keep_stems
        Keep what each stem adds.

    Raises
    ------
    InputError
        If something given is not to be had; says what is.

    Examples
    --------
    >>> song = compose(7, seconds=4.0, genre="house", tempo=120.0)
    >>> song.sound.shape, song.truth.tempo, bool((abs(song.sound) < 1).all())
    ((2, 176400), 120.0, True)
    """
    if not SECONDS_RANGE[0] <= seconds <= SECONDS_RANGE[1]:
        raise InputError(f"a song of {seconds:g} s is outside {SECONDS_RANGE[0]:g} to {SECONDS_RANGE[1]:g} s")
    if not 0 <= silence_mix_prob <= 1:
        raise InputError(f"a probability of {silence_mix_prob:g} for silences is outside 0 to 1")
    plan = draw_plan(seed, index, seconds=seconds, genre=genre, bpm=tempo, metre=metre, key=key)
    samples = round(seconds * RATE)
    lines = [_within(line, seconds) for line in (*score_drums(plan), *score_tunes(plan))]
    playing = [stem for stem in STEMS if any(line.stem == stem for line in lines)]
    rests = draw_rests(plan, playing, silence_mix_prob)
    lines = [rests.obeyed(line) for line in lines]
    stems, effects = _perform(plan, lines, rests, samples)
    finish = _finisher(plan)
    mix = finish(mixdown(stems))
    gain = master_gain(mix, section_gains(plan, samples), _level_dbfs(plan), plan.recipe.squash)
    gate(gain, list(rests.silences))
    sound = mix * gain
    truth = _truth(plan, [*lines, *effects], rests)
    return Composition(
        sound, truth, {name: stem * gain for name, stem in stems.items()} if keep_stems else None
    )


def _within(line: Line, seconds: float) -> Line:
    """Leave out what lies outside the song; what is held into its start begins with it."""
    held = (line.starts_s < 0) & (line.starts_s + line.lengths_s > 0.3) & (line.lengths_s > 1.0)
    starts = np.where(held & (line.pitches >= 0), 0.0, line.starts_s)
    lengths = line.lengths_s - (starts - line.starts_s)
    moved = Line(line.stem, line.voice, line.gain, starts, lengths, line.pitches, line.force)
    return moved.kept((starts >= 0) & (starts < seconds - 0.01))


def _finisher(plan: Plan) -> Callable[[Stereo], Stereo]:
    """Give what is done to the mix before the master, linear, so that it can be done to stems as well."""
    rng, recipe = plan.draw("finish"), plan.recipe
    width = float(rng.uniform(*recipe.width)) * (rng.random() > 0.06)
    dull = 0.12 if recipe.pulse and recipe.level_dbfs[0] > -20 else 0.3
    tone = draw_tone(rng, dull=dull)

    def finish(sound: Stereo) -> Stereo:
        middle, side = (sound[0] + sound[1]) / 2, (sound[0] - sound[1]) * np.float32(width / 2)
        return np.asarray(sosfilt(tone, np.stack([middle + side, middle - side]), axis=1), np.float32)

    return finish


def _level_dbfs(plan: Plan) -> float:
    return float(plan.draw("level").uniform(*plan.recipe.level_dbfs))


def _perform(
    plan: Plan, lines: list[Line], rests: Rests, samples: int
) -> tuple[dict[str, Stereo], list[Line]]:
    """Play everything and mix it, before the master."""
    recipe, rng = plan.recipe, plan.draw("mix")
    stems: dict[str, Stereo] = {}
    drums = [line for line in lines if line.stem == "drums"]
    if drums:
        stems["drums"] = perform_drums(plan, drums, samples) * np.float32(rng.uniform(1.0, 1.6))
    duck = duck_curve(drums, samples, recipe.pump * float(rng.uniform(0.6, 1.2)))
    openness = block_curve(1 - recipe.sweep * (1 - energy_blocks(plan, samples)), samples)
    cutoff = float(np.exp(rng.uniform(np.log(350), np.log(1200))))
    echo = recipe.echo * float(rng.uniform(0.2, 1.1))
    delay_s = plan.tempo.beat_s * float(rng.choice([0.5, 0.75, 0.75, 1.0]))
    for number, line in enumerate(lines):
        if line.stem == "drums" or not len(line.starts_s):
            continue
        played = perform_tune(plan, line, samples, number)
        patch = PATCHES[line.voice]
        pan, delay_ms = float(rng.uniform(-0.25, 0.25)), float(rng.uniform(6, 16))
        if played.ndim == 1:
            if patch.drive:
                played = amplified(played, patch.drive)
            played = spread(played, patch.width, 0.0 if line.stem == "bass" else pan, delay_ms)
        if recipe.echo and line.stem in ("arp", "melody"):
            played = echoed(played, delay_s, echo)
        if recipe.sweep and line.stem != "melody":
            played = darkened(played, openness, cutoff)
        if duck is not None:
            played *= duck
        stems[line.stem] = stems[line.stem] + played if line.stem in stems else played
    effects_sound, effects = perform_effects(plan, samples)
    stems["effects"] = effects_sound
    for stem, sound in stems.items():
        gate(sound, rests.resting(stem))
    if recipe.room:
        send = np.zeros(samples, np.float32)
        for stem, sound in stems.items():
            share = {"drums": 0.2, "bass": 0.05, "effects": 0.15}.get(stem, 0.5)
            send += np.float32(share) * (sound[0] + sound[1])
        level = recipe.room * float(rng.uniform(0.2, 1.2))
        stems["room"] = np.float32(level) * in_room(
            plan.draw("room"), send, float(rng.uniform(*recipe.room_s))
        )
    return stems, effects


def _truth(plan: Plan, lines: list[Line], rests: Rests) -> Truth:
    seconds = plan.seconds

    def heard(moments: np.ndarray) -> tuple[float, ...]:
        inside = (moments >= 0) & (moments < seconds)
        for start, stop in rests.silences:
            inside &= ~((moments >= start - 0.01) & (moments < stop - 0.01))
        return tuple(np.round(moments[inside], _DIGITS).tolist()) if plan.recipe.pulse else ()

    edges = [0.0, *(plan.bar_start(part.first) for part in plan.form.parts[1:]), seconds]
    passages = [
        Passage(
            part.name,
            round(max(0.0, start), _DIGITS),
            round(min(stop, seconds), _DIGITS),
            round(part.energy, 3),
        )
        for part, start, stop in zip(plan.form.parts, edges, edges[1:], strict=False)
        if stop > 0 and start < seconds
    ]
    notes = [
        Note(
            line.stem,
            round(start, _DIGITS),
            round(length, _DIGITS),
            pitch if pitch >= 0 else None,
            round(force, 3),
            line.voice,
        )
        for line in lines
        for start, length, pitch, force in zip(
            line.starts_s.tolist(),
            line.lengths_s.tolist(),
            line.pitches.tolist(),
            line.force.tolist(),
            strict=True,
        )
    ]
    beats = plan.tempo.beats
    return Truth(
        seconds=seconds,
        genre=plan.genre,
        tempo=round(plan.bpm, 3),
        metre=plan.metre,
        key=str(plan.key),
        pulse=plan.recipe.pulse,
        beats=heard(beats),
        downbeats=heard(beats[:: plan.metre]),
        sections=tuple(passages),
        notes=tuple(sorted(notes, key=lambda note: (note.start_s, note.stem, note.pitch or 0))),
        silences=tuple((round(start, _DIGITS), round(stop, _DIGITS)) for start, stop in rests.silences),
    )
