"""The plan of a song: genre, key, metre, tempo, sections and chords, before a note is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from synesthete.audio.compose.form import Form, draw_form
from synesthete.audio.compose.genres import BEATLESS, GENRES
from synesthete.audio.compose.manner import in_manner
from synesthete.audio.compose.recipe import Recipe, mix_genres
from synesthete.audio.compose.tempo import TempoMap, draw_tempo_map
from synesthete.audio.compose.theory import Key, parse_key, progression
from synesthete.errors import InputError
from synesthete.seeding import generator_for

__all__ = ["BPM_RANGE", "METRES", "STEMS", "Line", "Plan", "draw_plan"]

STEMS: Final = ("drums", "bass", "chords", "arp", "melody", "pad", "effects")
"""Names of the stems that are played; the room's answer is one more, ``room``."""

BPM_RANGE: Final = (60.0, 200.0)
METRES: Final = (3, 4, 5, 6, 7)
_BEATLESS_SHARE: Final = 0.032
_GOLDEN: Final = (5**0.5 - 1) / 2
"""Songs without a beat lie evenly among indices, by the golden ratio: any hundred has its three."""

_MIXED_SHARE: Final = 0.3
_OTHER_METRE: Final = 0.06
_FAST: Final = 0.42
"""Below 1, the faster half of a genre's tempi is likelier."""


@dataclass(frozen=True)
class Plan:
    """What all players of a song know.

    Attributes
    ----------
    genre, recipe
        What it is composed as.
    key, metre, bpm
        Beats per minute are those at the start.
    tempo
        When beats are.
    form
        Sections and energies, by bar.
    degrees
        The degree of each bar's chord.
    draw
        Gives a generator by the name of what is drawn.
    """

    genre: str
    recipe: Recipe
    key: Key
    metre: int
    bpm: float
    seconds: float
    tempo: TempoMap
    form: Form
    degrees: tuple[int, ...]
    draw: Callable[[str], np.random.Generator]

    @property
    def steps(self) -> int:
        """Sixteenths in a bar."""
        return 4 * self.metre

    def moments(
        self, rng: np.random.Generator, steps: Int64[np.ndarray, " n"] | Float64[np.ndarray, " n"]
    ) -> Float64[np.ndarray, " n"]:
        """Give when sixteenths are played, seconds: swung, and by human hands."""
        loose = rng.standard_normal(len(steps)).clip(-2, 2) * self.recipe.human_ms / 1000
        return self.tempo.seconds(steps / 4) + loose

    def bar_start(self, bar: int) -> float:
        """Give the moment at which a bar begins, seconds."""
        return float(self.tempo.seconds(np.array([float(bar * self.metre)]))[0])


@dataclass(frozen=True)
class Line:
    """What one player plays: moments and lengths in seconds, MIDI pitches (-1: none), force 0-1."""

    stem: str
    voice: str
    gain: float
    starts_s: Float64[np.ndarray, " notes"]
    lengths_s: Float64[np.ndarray, " notes"]
    pitches: Int64[np.ndarray, " notes"]
    force: Float64[np.ndarray, " notes"]

    def kept(self, keep: np.ndarray) -> "Line":
        """Give only some of its notes."""
        return Line(
            self.stem, self.voice, self.gain, self.starts_s[keep], self.lengths_s[keep], self.pitches[keep],
            self.force[keep],
        )  # fmt: skip


def draw_plan(
    seed: int,
    index: int,
    *,
    seconds: float,
    genre: str | None,
    bpm: float | None,
    metre: int | None,
    key: str | None,
) -> Plan:
    """Draw what is not given.

    Raises
    ------
    InputError
        If something given is not to be had; says what is.
    """

    def draw(name: str) -> np.random.Generator:
        return generator_for(seed, f"compose.{name}", index)

    rng = draw("plan")
    first = float(generator_for(seed, "compose.beatless", 0).random())
    beatless = (first + index * _GOLDEN) % 1 < _BEATLESS_SHARE
    name, recipe = _genre(rng, genre, beatless=beatless)
    recipe = in_manner(draw("manner"), recipe)
    low, high = recipe.tempo
    chosen = low + (high - low) * float(rng.random()) ** _FAST
    grain = float(rng.choice([5.0, 1.0, 0.01], p=[0.25, 0.45, 0.3]))
    chosen = float(np.clip(round(chosen / grain) * grain, *BPM_RANGE))
    if bpm is not None:
        if not BPM_RANGE[0] <= bpm <= BPM_RANGE[1]:
            raise InputError(
                f"a tempo of {bpm:g} is outside {BPM_RANGE[0]:g} to {BPM_RANGE[1]:g}; choose one within"
            )
        chosen = bpm
    beats = int(rng.choice(recipe.metres))
    if recipe.metres == (4,) and rng.random() < _OTHER_METRE:
        beats = int(rng.choice([3, 5, 6, 7]))
    if metre is not None:
        if metre not in METRES:
            raise InputError(
                f"a metre of {metre} is not to be had; choose one of {', '.join(map(str, METRES))}"
            )
        beats = metre
    drawn_key = Key(int(rng.integers(12)), str(rng.choice(recipe.scales)))
    if key is not None:
        try:
            drawn_key = parse_key(key)
        except ValueError as error:
            raise InputError(str(error)) from None
    pace = recipe.paces[int(rng.integers(len(recipe.paces)))]
    if not recipe.loop_bars and pace == "constant" and recipe.human_ms >= 1 and rng.random() < 0.15:
        pace = "walk"
    elif not recipe.loop_bars and recipe.human_ms >= 3 and rng.random() < 0.06:
        pace = "accelerando" if rng.random() < 0.5 else "rubato"
    tempo = draw_tempo_map(
        rng,
        seconds=seconds,
        bpm=chosen,
        metre=beats,
        pace=pace,
        swing=float(rng.uniform(*recipe.swing)),
        pair=recipe.pair,
    )
    bars = int(np.ceil(np.searchsorted(tempo.beats, seconds) / beats))
    form = draw_form(
        rng, str(rng.choice(recipe.forms)), bars=max(1, bars), bar_s=beats * tempo.beat_s, seconds=seconds
    )
    harmony = recipe.harmonies[int(rng.integers(len(recipe.harmonies)))]
    degrees = progression(rng, harmony, form.bars + 1)
    return Plan(name, recipe, drawn_key, beats, chosen, seconds, tempo, form, tuple(degrees), draw)


def _genre(rng: np.random.Generator, genre: str | None, *, beatless: bool) -> tuple[str, Recipe]:
    """Take the genre, or two joined by ``+``, or draw."""
    if genre is not None:
        names = [name.strip() for name in genre.split("+")]
        unknown = [name for name in names if name not in GENRES]
        if unknown or len(names) > 2:
            raise InputError(
                f"{genre!r} is no genre; choose one of {', '.join(GENRES)}, or two of them joined by +"
            )
    else:
        beaten = [name for name in GENRES if name not in BEATLESS]
        if beatless:
            names = [str(rng.choice(BEATLESS))]
        else:
            names = [
                str(name)
                for name in rng.choice(beaten, 2 if rng.random() < _MIXED_SHARE else 1, replace=False)
            ]
    recipes = [GENRES[name] for name in names]
    return " + ".join(names), recipes[0] if len(recipes) == 1 else mix_genres(rng, *recipes)
