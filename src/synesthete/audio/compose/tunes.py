"""What tuned players play: basses, chords, arpeggios, pads, and melodies whose motifs come back and vary."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from synesthete.audio.compose.patterns import Hits, fit_pattern, strike_pattern
from synesthete.audio.compose.plan import Line, Plan
from synesthete.audio.compose.recipe import TuneLine
from synesthete.audio.compose.theory import voicing

__all__ = ["score_tunes"]

_PHRASES: Final = ("AABA", "AAAB", "ABAB", "ABAC", "AABC")
_PAD_BARS: Final = 4
_LOOSE_HUMAN_MS: Final = 3


def score_tunes(plan: Plan) -> list[Line]:
    """Write all tuned parts of a song."""
    recipe, choice = plan.recipe, plan.draw("tunes")
    # Drums carry a song without its pads; other parts are rarely missing.
    missed = [0.45 if tune.stem == "pad" and recipe.drums else 0.25 for tune in recipe.tunes]
    present = [
        (number, tune)
        for number, tune in enumerate(recipe.tunes)
        if choice.random() >= missed[number] or (number == 0 and tune.stem != "pad")
    ] or [(0, recipe.tunes[0])]
    least = min(tune.enters for _, tune in present)
    lines = []
    for number, tune in present:
        rng = plan.draw(f"tune.{number}")
        # Something always plays, however little energy there is.
        lowest = tune.enters == least and not (recipe.drums and recipe.drums[0].enters == 0)
        enters = 0.0 if lowest else tune.enters + float(rng.uniform(-0.05, 0.05))
        write = {"pad": _pad, "lead": _lead, "arp": _arp, "chord": _chords, "power": _chords}.get(
            tune.plays, _bass
        )
        lines.append(write(plan, rng, tune, enters))
    return [line for line in lines if len(line.starts_s)]


def _hits(plan: Plan, rng: np.random.Generator, tune: TuneLine, enters: float) -> Hits:
    human = plan.recipe.human_ms >= _LOOSE_HUMAN_MS
    return strike_pattern(
        rng, str(rng.choice(tune.patterns)), steps=plan.steps, energy=plan.form.energy, enters=enters,
        loose=0.04 if human else 0.01, spread=0.12 if human else 0.04,
    )  # fmt: skip


def _line(
    plan: Plan,
    rng: np.random.Generator,
    tune: TuneLine,
    steps: Int64[np.ndarray, " n"],
    long: Float64[np.ndarray, " n"],
    pitches: Sequence[int],
    force: Float64[np.ndarray, " n"],
) -> Line:
    """Turn steps and lengths in sixteenths to seconds."""
    starts = plan.moments(rng, steps)
    stops = plan.tempo.seconds((steps + long) / 4)
    lengths = np.maximum(0.04, stops - plan.tempo.seconds(steps / 4))
    voice = str(rng.choice(tune.voices))
    gain = tune.gain * float(rng.uniform(0.75, 1.3))
    return Line(tune.stem, voice, gain, starts, lengths, np.array(pitches, np.int64), force)


def _articulation(rng: np.random.Generator, tight: float) -> float:
    """Draw how much of its length a note is held: 0.3 is staccato, near 1 legato."""
    return float(rng.uniform(0.25, 0.98)) * (1 - 0.6 * tight)


def _near(kind: int, centre: int) -> int:
    """Give the pitch of a pitch class nearest to a centre, at most six semitones away."""
    return centre + (kind - centre + 6) % 12 - 6


def _bass(plan: Plan, rng: np.random.Generator, tune: TuneLine, enters: float) -> Line:
    hits = _hits(plan, rng, tune, enters)
    bars, place = hits.steps // plan.steps, hits.steps % plan.steps
    centre = 12 * (tune.octave + 1) + 3
    gaps = np.diff(hits.steps, append=hits.steps[-1:] + plan.steps)
    pitches = []
    for bar, step in zip(bars, place, strict=True):
        chord = plan.key.chord(plan.degrees[bar], 3)
        root = _near(chord[0], centre)
        if tune.plays == "walk":
            beat = step // 4
            after = _near(plan.key.chord(plan.degrees[bar + 1], 3)[0], centre)
            if beat == plan.metre - 1:
                root = after + int(rng.choice([-1, 1, 7]))
            elif beat:
                root = _near(chord[int(rng.integers(1, 3))], root + 4)
        elif tune.plays == "octaves" and step // 2 % 2:
            root += 12
        elif step and rng.random() < 0.12:
            root = _near(chord[2], root + 5) if rng.random() < 0.6 else root + 12
        pitches.append(root)
    return _line(
        plan,
        rng,
        tune,
        hits.steps,
        np.minimum(gaps, tune.steps) * _articulation(rng, plan.recipe.tight),
        pitches,
        hits.force,
    )


def _voicings(plan: Plan, rng: np.random.Generator, tune: TuneLine) -> list[tuple[int, ...]]:
    """Give every bar's chord, each led from the last."""
    centre = 12 * (tune.octave + 1) + 2
    size = 3 + int(rng.random() < 0.35) + int("jazz" in plan.genre and rng.random() < 0.7)
    suspended = rng.random(len(plan.degrees)) < 0.06
    found: list[tuple[int, ...]] = []
    made: dict[tuple[int, bool], tuple[int, ...]] = {}
    for degree, hangs in zip(plan.degrees, suspended, strict=True):
        if tune.plays == "power":
            root = _near(plan.key.chord(degree, 2)[0], centre - 4)
            found.append((root, root + 7, root + 12))
            continue
        key = (degree, bool(hangs))
        if key not in made:
            made[key] = voicing(
                plan.key.chord(degree, size, suspended=bool(hangs)), found[-1] if found else (), centre
            )
        found.append(made[key])
    return found


def _chords(plan: Plan, rng: np.random.Generator, tune: TuneLine, enters: float) -> Line:
    hits = _hits(plan, rng, tune, enters)
    chords = _voicings(plan, rng, tune)
    gaps = np.diff(hits.steps, append=hits.steps[-1:] + plan.steps)
    long = np.minimum(gaps, tune.steps) * _articulation(rng, plan.recipe.tight)
    sizes = [len(chords[step // plan.steps]) for step in hits.steps]
    pitches = [pitch for step in hits.steps for pitch in chords[step // plan.steps]]
    each = np.repeat(np.arange(len(hits.steps)), sizes)
    force = hits.force[each] / np.sqrt(np.repeat(sizes, sizes) if sizes else 1.0)
    line = _line(plan, rng, tune, hits.steps, long, [0] * len(hits.steps), hits.force)
    strum = 0.012 if "guitar" in line.voice else 0.002 if plan.recipe.human_ms else 0.0
    within = np.concatenate([np.arange(size) for size in sizes]) if sizes else np.zeros(0)
    return Line(
        line.stem, line.voice, line.gain, line.starts_s[each] + strum * within, line.lengths_s[each],
        np.array(pitches, np.int64), force,
    )  # fmt: skip


def _arp(plan: Plan, rng: np.random.Generator, tune: TuneLine, enters: float) -> Line:
    hits = _hits(plan, rng, tune, enters)
    chords = _voicings(plan, rng, tune)
    shape = str(rng.choice(["up", "down", "both", "leap"]))
    pitches = []
    for number, step in enumerate(hits.steps):
        chord = chords[step // plan.steps]
        wide = (*chord, *(pitch + 12 for pitch in chord[: 1 + len(chord) // 2]))
        order = {
            "up": wide,
            "down": wide[::-1],
            "both": wide + wide[-2:0:-1],
            "leap": wide[::2] + wide[1::2],
        }[shape]
        pitches.append(order[number % len(order)])
    return _line(
        plan,
        rng,
        tune,
        hits.steps,
        np.full(len(hits.steps), tune.steps) * _articulation(rng, plan.recipe.tight),
        pitches,
        hits.force,
    )


def _pad(plan: Plan, rng: np.random.Generator, tune: TuneLine, enters: float) -> Line:
    """Hold chords as long as they stay, at most four bars."""
    chords = _voicings(plan, rng, tune)
    steps, long, pitches, force = [], [], [], []
    bar = 0
    while bar < plan.form.bars:
        stop = bar + 1
        last = min(plan.form.part_at(bar).stop, bar + _PAD_BARS)
        while stop < last and chords[stop] == chords[bar]:
            stop += 1
        if plan.form.energy[bar] >= enters:
            level = 0.6 + 0.4 * float(plan.form.energy[bar])
            for pitch in chords[bar]:
                steps.append(bar * plan.steps)
                long.append((stop - bar) * plan.steps)
                pitches.append(pitch)
                force.append(level)
        bar = stop
    line = _line(
        plan, rng, tune, np.array(steps, np.int64), np.array(long, np.float64), pitches, np.array(force)
    )
    # Notes of a chord begin together: an ensemble plays them as one sound.
    first = np.searchsorted(steps, steps)
    return Line(
        line.stem, line.voice, line.gain, line.starts_s[first], line.lengths_s, line.pitches, line.force
    )


def _motif(plan: Plan, rng: np.random.Generator, pattern: str) -> list[tuple[int, int]]:
    """Draw a motif of one bar: steps, and degrees of the scale that mostly walk and sometimes leap."""
    text = fit_pattern(pattern, plan.steps)
    chances = {"x": 0.92, "o": 0.7, "?": 0.4, ".": 0.02}
    steps = [step for step, letter in enumerate(text) if rng.random() < chances.get(letter, 0.0)]
    degree = int(rng.choice([0, 2, 4]))
    motif = []
    for step in steps:
        motif.append((step, degree))
        degree += int(
            rng.choice([-2, -1, -1, 0, 1, 1, 2, 4, -3], p=[0.1, 0.2, 0.1, 0.1, 0.2, 0.1, 0.1, 0.05, 0.05])
        )
        degree = degree if -3 <= degree <= 9 else degree - 3 * int(np.sign(degree))
    return motif


def _lead(plan: Plan, rng: np.random.Generator, tune: TuneLine, enters: float) -> Line:
    """Write a melody: motifs of a bar in phrases of four, fitted to chords, varied when they return."""
    pattern = str(rng.choice(tune.patterns))
    motifs = {letter: _motif(plan, rng, pattern) for letter in "ABC"}
    phrase = str(rng.choice(_PHRASES))
    octave = tune.octave - (plan.key.root > 6)
    steps: list[int] = []
    pitches: list[int] = []
    for bar in range(plan.form.bars):
        if plan.form.energy[bar] < enters:
            continue
        motif = motifs[phrase[bar % 4]]
        if bar >= 4 and motif and rng.random() < 0.3:
            cut = int(rng.integers(len(motif)))
            shift = int(rng.choice([-1, 1, 2]))
            motif = [(step, degree + shift * (place >= cut)) for place, (step, degree) in enumerate(motif)]
        chord = plan.key.chord(plan.degrees[bar], 3)
        for step, degree in motif:
            pitch = plan.key.pitch(degree, octave)
            if step % 8 == 0 or step == motif[-1][0]:
                pitch = min((_near(kind, pitch) for kind in chord), key=lambda near: abs(near - pitch))
            steps.append(bar * plan.steps + step)
            pitches.append(pitch)
    places = np.array(steps, np.int64)
    gaps = np.diff(places, append=places[-1:] + plan.steps // 2)
    long = np.minimum(gaps, 2 * tune.steps) * float(rng.uniform(0.5, 0.98))
    energy = plan.form.energy[places // plan.steps] if len(places) else np.zeros(0)
    force = (
        (0.7 + 0.3 * energy)
        * np.where(places % 4 == 0, 1.0, 0.7)
        * np.exp(0.08 * rng.standard_normal(len(places)))
    )
    return _line(plan, rng, tune, places, long, pitches, np.clip(force, 0.1, 1.0))
