"""Compose: a song with everything that is known about it, as a pure function of a seed and a number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.signal import sosfilt

from synesthete.audio.compose.drums import score_drums
from synesthete.audio.compose.manner import looped
from synesthete.audio.compose.mixing import master_gain, mixdown, section_gains
from synesthete.audio.compose.performance import perform
from synesthete.audio.compose.plan import Line, Plan, draw_plan
from synesthete.audio.compose.silence import Rests, draw_rests, gate
from synesthete.audio.compose.soundfont import Soundfont
from synesthete.audio.compose.synthesis import RATE
from synesthete.audio.compose.tone import draw_tone
from synesthete.audio.compose.truth import Note, Passage, Truth
from synesthete.audio.compose.tunes import score_tunes
from synesthete.errors import InputError

__all__ = ["SECONDS_RANGE", "Composition", "compose"]

SECONDS_RANGE: Final = (1.0, 1800.0)
_DIGITS: Final = 5
_LOUDER_DB: Final = 2.4  # brings the levels of bands, over all genres, to those of real music
_PEAK_SHARE: Final = 0.4
_MOST_GAIN: Final = 2.5
"""Part of the songs whose highest peak is brought to full scale, by at most 8 dB."""

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
        What each of `synesthete.audio.compose.plan.STEMS` and the ``room`` adds to it, if they were to be
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
    soundfont: Soundfont | None = None,
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
    soundfont
        Plays instead of our own instruments, where it has the program.

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
    lines = [_within(looped(plan, line), seconds) for line in (*score_drums(plan), *score_tunes(plan))]
    rests = draw_rests(plan, lines, silence_mix_prob)
    lines = [rests.obeyed(line) for line in lines]
    stems, effects = perform(plan, lines, rests, samples, soundfont)
    finish = _finisher(plan)
    mix = finish(mixdown(stems))
    level = plan.draw("level")
    level_dbfs = float(level.uniform(*plan.recipe.level_dbfs)) + _LOUDER_DB
    gain = master_gain(mix, section_gains(plan, samples), level_dbfs, plan.recipe.squash)
    if level.random() < _PEAK_SHARE:
        gain *= np.float32(np.clip(0.985 / (np.abs(mix * gain).max() + 1e-9), 1.0, _MOST_GAIN))
    gate(gain, list(rests.silences))
    sound = mix * gain
    truth = _truth(plan, [*lines, *map(rests.obeyed, effects)], rests)
    return Composition(
        sound, truth, {name: finish(stem) * gain for name, stem in stems.items()} if keep_stems else None
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
    width = 1.6 * float(rng.uniform(*recipe.width)) * (rng.random() > 0.06)
    dull = 0.11 if recipe.pulse else 0.35
    tone = draw_tone(rng, dull=dull)

    def finish(sound: Stereo) -> Stereo:
        middle, side = (sound[0] + sound[1]) / 2, (sound[0] - sound[1]) * np.float32(width / 2)
        return np.asarray(sosfilt(tone, np.stack([middle + side, middle - side]), axis=1), np.float32)

    return finish


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
