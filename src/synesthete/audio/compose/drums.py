"""What the drummer plays: patterns by energy, fills before sections, rolls in builds, crashes on arrivals."""

from typing import Final

import numpy as np

from synesthete.audio.compose.patterns import Hits, strike_pattern
from synesthete.audio.compose.percussion import DRUMS
from synesthete.audio.compose.plan import Line, Plan

__all__ = ["score_drums"]

_KICKS: Final = ("kick", "rock kick", "boom", "chip kick", "ge", "low tom", "timpani")
# Fills of a bar's last beat or two: drum by sixteenth.
_FILLS: Final = (
    (("snare", "xxxx"),),
    (("snare", "x.xxx.xx"),),
    (("high tom", "xx......"), ("low tom", "..xxx.xx"), ("snare", "....x...")),
    (("high tom", "x.x....."), ("low tom", "....x.xx")),
    (("snare", "..xx"),),
)
_OWN_FILLS: Final = {
    "na": (("na", "xxxxx.xx"), ("te", "..xx.xxx")),
    "conga": (("conga", "xxxxx.xx"),),
    "chip noise": (("chip noise", "xxxx"),),
    "timpani": (("timpani", "xxxxxxxx"),),
    "tambourine": (("low tom", "x.xx"),),
    "clap": (("clap", "..xx"),),
}


def score_drums(plan: Plan) -> list[Line]:
    """Write all drums of a song."""
    recipe = plan.recipe
    if not recipe.drums:
        return []
    rng = plan.draw("drums")
    human = recipe.human_ms >= 3
    fills = _draw_fills(plan, rng)
    lines = []
    present = [line for line in recipe.drums if line.enters < 0.6 or rng.random() < 0.6]
    energy = _kit_energy(plan, rng)
    for drum in present:
        hits = strike_pattern(
            rng,
            str(rng.choice(drum.patterns)),
            steps=plan.steps,
            energy=energy,
            enters=drum.enters,
            loose=0.05 if human else 0.01,
            spread=0.16 if human else 0.05,
        )
        if drum.drum not in _KICKS and fills:
            inside = np.zeros(len(hits.steps), np.bool_)
            for start, stop, _ in fills:
                inside |= (hits.steps >= start) & (hits.steps < stop)
            hits = Hits(hits.steps[~inside], hits.force[~inside])
        louder = (1 if drum.drum in _KICKS else 1 + 0.4 * recipe.tight) * float(
            rng.uniform(0.8, 1.25) if drum.drum in _KICKS else rng.uniform(1.2, 2.8)
        )
        lines.append(_line(plan, rng, drum.drum, drum.gain * louder, hits))
    by_name = {drum.drum: drum.gain for drum in recipe.drums}
    for start, _, fill in fills:
        for name, text in fill:
            steps = start + np.array([step for step, letter in enumerate(text) if letter == "x"], np.int64)
            force = np.linspace(0.55, 0.95, len(text))[steps - start] * (
                1 + 0.1 * rng.standard_normal(len(steps))
            )
            gain = by_name.get(name, 0.6)
            lines.append(_line(plan, rng, name, gain, Hits(steps, np.clip(force, 0.1, 1.0))))
    lines += _rolls(plan, rng)
    lines += _arrivals(plan, rng)
    return lines


def _line(plan: Plan, rng: np.random.Generator, name: str, gain: float, hits: Hits) -> Line:
    starts = plan.moments(rng, hits.steps)
    lengths = np.full(len(starts), DRUMS[name].seconds)
    return Line("drums", name, gain, starts, lengths, np.full(len(starts), -1), hits.force)


def _kit_energy(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """Give each bar's energy as the drummer feels it: in some quiet sections there are no drums at all."""
    energy = plan.form.energy.copy()
    for part in plan.form.parts:
        if part.name in ("breakdown", "bridge", "intro", "calm") and rng.random() < 0.4:
            energy[part.first : part.stop] = np.minimum(energy[part.first : part.stop], 0.15)
    return energy


def _draw_fills(plan: Plan, rng: np.random.Generator) -> list[tuple[int, int, tuple[tuple[str, str], ...]]]:
    """Choose fills for the ends of sections and of some periods: first and last step, and what."""
    names = [drum.drum for drum in plan.recipe.drums]
    own = next((_OWN_FILLS[name] for name in names if name in _OWN_FILLS and "snare" not in names), None)
    found = []
    for part in plan.form.parts:
        ends = [part.stop] + [bar for bar in range(part.first + 4, part.stop, 4) if rng.random() < 0.35]
        for bar in ends:
            played = plan.form.energy[bar - 1] >= 0.35
            if bar >= plan.form.bars or not played or rng.random() > 0.75 or part.name == "build":
                continue
            fill = own or _FILLS[int(rng.integers(len(_FILLS)))]
            stop = bar * plan.steps
            found.append((stop - max(len(text) for _, text in fill), stop, fill))
    return found


def _rolls(plan: Plan, rng: np.random.Generator) -> list[Line]:
    """Roll the snare through builds: eighths, then sixteenths, ever louder."""
    lines = []
    names = [drum.drum for drum in plan.recipe.drums]
    voice = "snare" if "snare" in names else "clap" if "clap" in names else None
    for part in plan.form.parts:
        if part.name != "build" or voice is None or rng.random() < 0.2:
            continue
        first, stop = part.first * plan.steps, part.stop * plan.steps
        half = (first + stop) // 2
        steps = np.concatenate(
            [
                np.arange(first, half, 4),
                np.arange(half, stop - plan.steps // 4, 2),
                np.arange(stop - plan.steps // 4, stop),
            ]
        )
        force = 0.15 + 0.6 * ((steps - first) / max(1, stop - first)) ** 1.5
        lines.append(_line(plan, rng, voice, 0.6, Hits(steps, force)))
    return lines


def _arrivals(plan: Plan, rng: np.random.Generator) -> list[Line]:
    """Crash where a section begins with more energy than the last had."""
    bars = [
        part.first
        for before, part in zip(plan.form.parts, plan.form.parts[1:], strict=False)
        if part.energy > before.energy and part.energy > 0.6 and rng.random() < 0.8
    ]
    if not bars or plan.recipe.level_dbfs[1] < -15 or plan.recipe.human_ms == 0:
        return []
    steps = np.array(bars, np.int64) * plan.steps
    return [_line(plan, rng, "crash", 0.35, Hits(steps, np.full(len(steps), 0.9)))]
