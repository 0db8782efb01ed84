"""The Schedule: which preset and style each stretch of a song has, and how one passes into the next.

Scenes begin where the music changes, on a bar. Music that returns brings its look back. How large the change
is decides how it is shown: a morph moves the style within one generator, a crossfade mixes two pictures, a
cut is a cut. What moves ends with the bar before, so that the new look is there when the new music is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, film_clock
from synesthete.config.preset import Preset
from synesthete.config.render import SceneRule, Transition
from synesthete.seeding import generator_for

__all__ = ["Scene", "Schedule", "Voice", "lasting", "plan_schedule"]

_CUT_CHANGE, _CROSSFADE_CHANGE = 0.1, 0.04
"""Mean change of the eight bands over a border, as a share of 60 dB: from 6 dB on it is a cut."""
_AROUND_S = 4.0
_LEAST_SCENE_S = 4.0
_BAR_S = 2.0  # where there are no bars
_LEAD_BARS: Mapping[Transition, float] = {"cut": 0.0, "crossfade": 1.0, "morph": 2.0}
_STYLE_STEP = 1.5
"""How far styles of different music lie apart: the standard deviation of a style is 1."""


@dataclass(frozen=True)
class Scene:
    """A stretch of a song in one look.

    Attributes
    ----------
    start_s
        Where it begins, seconds; it lasts until the next.
    label
        What music it is: equal labels look the same.
    preset
        Which of the schedule's presets.
    style
        Where its style is.
    transition, lead_s
        How it begins, and how long before ``start_s`` that begins.
    """

    start_s: float
    label: str
    preset: int
    style: tuple[float, ...]
    transition: Transition = "cut"
    lead_s: float = 0.0

    @property
    def enters_s(self) -> float:
        """Give the moment when it is first seen."""
        return self.start_s - self.lead_s


@dataclass(frozen=True)
class Voice:
    """What is played through one generator all along: a preset, and its style at every frame."""

    preset: Preset
    style: Float[np.ndarray, "frames style"]


@dataclass(frozen=True)
class Schedule:
    """The scenes of a song, from its start to its end, and the presets that they are in."""

    presets: tuple[Preset, ...]
    scenes: tuple[Scene, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Give the scenes as the manifest has them."""
        return [
            {
                "start_s": round(scene.start_s, 4),
                "label": scene.label,
                "preset": self.presets[scene.preset].name,
                "style": list(scene.style),
                "transition": scene.transition,
                "lead_s": round(scene.lead_s, 4),
            }
            for scene in self.scenes
        ]

    def inputs(self) -> dict[str, Any]:
        """Give what films follow from, besides their first preset."""
        return {
            "scenes": self.to_json(),
            "presets": [preset.model_dump(mode="json") for preset in self.presets],
        }

    def voices(
        self, frames: int, frame_rate: Fraction, shutter: Fraction = Fraction(0)
    ) -> tuple[list[Voice], Float[np.ndarray, "frames voices"]]:
        """Spread the scenes over as few voices as there have to be, for a crossfade needs two.

        Parameters
        ----------
        frames, frame_rate
            What is drawn: frames, or, with a shutter, the pictures of a `synesthete.clock.ShutterClock`.

        Returns
        -------
        The voices, and how much of each is seen at every frame: weights of linear light that add up to 1.
        """
        moments = film_clock(frame_rate, shutter).moments(0, frames)
        slots: list[tuple[int, int]] = []  # preset, and which of its voices
        of_scene: list[int] = []
        for index, scene in enumerate(self.scenes):
            slot = (scene.preset, 0)
            before = slots[of_scene[-1]] if index else None
            if before is not None and before[0] == scene.preset:
                slot = (scene.preset, 1 - before[1]) if scene.transition == "crossfade" else before
            if slot not in slots:
                slots.append(slot)
            of_scene.append(slots.index(slot))
        voices = [
            Voice(
                self.presets[preset], self._style(moments, [k for k, v in enumerate(of_scene) if v == voice])
            )
            for voice, (preset, _) in enumerate(slots)
        ]
        weights = np.zeros((len(moments), len(slots)))
        weights[:, of_scene[0]] = 1.0
        for scene, voice in list(zip(self.scenes, of_scene, strict=True))[1:]:
            share = _entered(scene, moments) if scene.transition == "crossfade" else moments >= scene.start_s
            seen = np.zeros(len(slots))
            seen[voice] = 1.0
            weights = weights + share[:, None] * (seen - weights)
        return voices, weights

    def _style(self, moments: np.ndarray, own: Sequence[int]) -> Float[np.ndarray, "frames style"]:
        """Give a voice's style: it moves where scenes morph, and jumps at cuts and where it isn't seen."""
        style = np.tile(np.array(self.scenes[own[0]].style), (len(moments), 1))
        for index in own[1:]:
            scene = self.scenes[index]
            share = _entered(scene, moments) if scene.transition == "morph" else moments >= scene.enters_s
            moved = style + share[:, None] * (np.array(scene.style) - style)
            style = np.where(share[:, None] >= 1.0, np.array(scene.style), moved)  # exactly
        return style


def lasting(preset: Preset) -> Schedule:
    """Give the Schedule of a song that stays in one look."""
    return Schedule((preset,), (Scene(0.0, "A", 0, preset.style),))


def _entered(scene: Scene, moments: np.ndarray) -> np.ndarray:
    """Rise from 0 where a scene is first seen to 1 where it has begun, smoothly."""
    t = np.clip((moments - scene.enters_s) / max(scene.lead_s, 1e-9), 0.0, 1.0)
    share: np.ndarray = t * t * (3.0 - 2.0 * t)
    return share


def plan_schedule(
    timeline: Timeline,
    presets: Sequence[Preset],
    rule: SceneRule,
    *,
    markers: Sequence[float] = (),
    transition: Transition | None = None,
    offset: Sequence[float] | None = None,
) -> Schedule:
    """Lay out the scenes of a song.

    Parameters
    ----------
    presets
        What the scenes take in turn, in the order in which their music is first heard; equal ones are one.
    markers
        Where scenes begin, seconds, for the rule ``markers``.
    transition
        How scenes begin; None chooses by how much the music changes.
    offset
        How far all styles lie from the presets' own.
    """
    presets = [preset for place, preset in enumerate(presets) if preset not in presets[:place]]
    borders = _spaced(list(_borders(timeline, rule, markers)), float(timeline.duration))
    known: dict[str, int] = {}
    scenes: list[Scene] = []
    for start_s, label in borders:
        number = known.setdefault(label, len(known))
        place, turn = number % len(presets), number // len(presets)
        style = _style_of(presets[place], turn, offset)
        how: Transition = "cut"
        if scenes:
            last = scenes[-1]
            if (last.preset, last.style) == (place, style):
                continue
            how = transition or _transition(timeline, start_s)
            if how == "morph" and last.preset != place:
                how = "crossfade"  # between two presets there is nothing to move through
            longest = 0.5 * (start_s - last.start_s)
            lead = min(_LEAD_BARS[how] * _bar_seconds(timeline, start_s), longest)
            scenes.append(Scene(start_s, label, place, style, how, lead))
        else:
            scenes.append(Scene(0.0, label, place, style))
    return Schedule(tuple(presets), tuple(scenes))


def _borders(timeline: Timeline, rule: SceneRule, markers: Sequence[float]) -> Iterator[tuple[float, str]]:
    """Give where scenes begin, and what music they are."""
    sections = timeline.music.sections
    if rule.kind == "sections" and sections:
        for section in sections:
            yield _on_bar(timeline, section.start_s), section.label
    elif rule.kind == "markers":
        yield 0.0, "start"
        for number, marker in enumerate(sorted(markers), start=1):
            yield _on_bar(timeline, marker), f"marker {number}"
    elif rule.kind == "bars" and len(timeline.music.downbeats) > rule.bars:
        # What is so many bars into the same music looks the same.
        starts = [0.0, *(_on_bar(timeline, section.start_s) for section in sections[1:])]
        counts: dict[int, int] = {}
        for start_s in (0.0, *timeline.music.downbeats[rule.bars :: rule.bars]):
            now = max(k for k, since in enumerate(starts) if since <= start_s + 1e-6)
            counts[now] = counts.get(now, 0) + 1
            yield start_s, f"{sections[now].label if sections else 'A'}{counts[now]}"
    else:
        yield 0.0, "A"


def _spaced(borders: Sequence[tuple[float, str]], duration_s: float) -> list[tuple[float, str]]:
    """Leave out what is too short to be a scene; of what is all short, what begins too soon after another."""
    spaced: list[tuple[float, str]] = []
    ends = [*(start_s for start_s, _ in borders[1:]), duration_s]
    for (start_s, label), end_s in zip(borders, ends, strict=True):
        if not spaced:
            spaced.append((0.0, label))
        elif start_s > duration_s - _LEAST_SCENE_S:
            break
        elif start_s - spaced[-1][0] >= _LEAST_SCENE_S:
            spaced.append((start_s, label))
        elif end_s - start_s >= _LEAST_SCENE_S:
            spaced[-1] = (start_s if len(spaced) > 1 else 0.0, label)
    return spaced


def _on_bar(timeline: Timeline, moment_s: float) -> float:
    """Move a moment to the nearest downbeat within half a bar."""
    near = min(timeline.music.downbeats, key=lambda beat: abs(beat - moment_s), default=moment_s)
    return near if abs(near - moment_s) <= 0.5 * _bar_seconds(timeline, moment_s) else moment_s


def _bar_seconds(timeline: Timeline, moment_s: float) -> float:
    """Give the length of the bar before a moment; a pause without beats is no bar."""
    downbeats = np.array(timeline.music.downbeats)
    if len(downbeats) < 2:
        return _BAR_S
    after = int(np.clip(np.searchsorted(downbeats, moment_s), 1, len(downbeats) - 1))
    bars = np.diff(downbeats)
    usual = float(np.median(bars))
    return float(bars[after - 1]) if bars[after - 1] <= 1.5 * usual else usual


def _transition(timeline: Timeline, border_s: float) -> Transition:
    tick, around = round(border_s * ANALYSIS_RATE), round(_AROUND_S * ANALYSIS_RATE)
    bands = np.stack([timeline.column(f"band_{k}") for k in range(8)], 1)
    before, after = bands[max(0, tick - around) : tick], bands[tick : tick + around]
    change = float(np.abs(after.mean(0) - before.mean(0)).mean()) if len(before) and len(after) else 0.0
    if change >= _CUT_CHANGE:
        return "cut"
    return "crossfade" if change >= _CROSSFADE_CHANGE else "morph"


def _style_of(preset: Preset, turn: int, offset: Sequence[float] | None) -> tuple[float, ...]:
    """Give the style of music: the first is the preset's own, the others lie around it, each elsewhere."""
    if turn == 0 and offset is None:
        return preset.style
    own = np.array(preset.style)
    if offset is not None:
        own = own + np.array(offset)
    if turn == 0:
        return tuple(round(float(x), 4) for x in np.clip(own, -5.0, 5.0))
    away = generator_for(preset.seed, "scene.style", turn).normal(size=len(own))
    # Hue, the first axis, always moves, each time elsewhere: steps of the golden angle from the preset's own.
    away[0] = 0.0
    away *= _STYLE_STEP / max(float(np.linalg.norm(away)), 1e-9)
    away[0] = 3.0 * ((turn * 0.6180340 + 0.5) % 1.0 - 0.5)
    return tuple(round(float(x), 4) for x in np.clip(own + away, -5.0, 5.0))
