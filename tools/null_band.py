"""A band for synthetic songs: a grid of beats that drifts, an arrangement by energy, and players of patterns.

A pattern has one letter per sixteenth: ``x`` strong, ``o`` weaker, ``g`` a ghost now and then, ``?``
sometimes, ``.`` nothing; ``x:64`` stands for an ``x`` and 63 dots. It is repeated to fill the bar, or bars if
it is longer, and of patterns parted by ``|`` a song takes one.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from null_sounds import RATE, TIMBRES, Kit, Voice, band_noise, filtered, in_room, place, wander

__all__ = ["Drum", "Recipe", "Tune", "load_recipes", "play"]

_LETTERS = {"x": (1.0, 1.0), "o": (1.0, 0.6), "g": (0.5, 0.3), "?": (0.4, 0.8), ".": (0.0, 0.0)}
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 1, 4, 5, 7, 8, 10))
_PROGRESSIONS = (
    (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 0, 4), (1, 4, 0, 0), (0, 6, 5, 6), (0, 0, 0, 0),
    (3, 3, 0, 0), (5, 4, 3, 4), (0, 2, 3, 4), (0, 0, 5, 5), (0, 0, 3, 3, 0, 0, 4, 3),
)  # fmt: skip

FORMS = {
    "club": (0.5, 0.75, 0.9, 1.0, 0.25, 0.7, 1.0, 1.0, 0.6),
    "song": (0.55, 0.75, 1.0, 0.7, 1.0, 0.35, 1.0),
    "grow": (0.3, 0.5, 0.6, 0.75, 0.9, 1.0, 1.0),
    "loop": (0.9, 1.0, 0.9, 1.0),
    "loud": (1.0, 1.0, 0.8, 1.0, 0.4, 1.0, 1.0),
    "sparse": (0.5, 0.3, 0.7, 0.4, 0.9, 0.2),
}


@dataclass(frozen=True)
class Drum:
    """A drum and what it plays."""

    sound: str
    pattern: str
    gain: float
    enters: float = 0.0
    pan: float = 0.0


@dataclass(frozen=True)
class Tune:
    """A voice and what it plays: a note lasts ``steps``."""

    plays: str
    timbre: str
    pattern: str
    gain: float
    enters: float = 0.0
    octave: int = 4
    steps: float = 2.0


@dataclass(frozen=True)
class Recipe:
    """A kind of music for a band."""

    tempo: tuple[float, float]
    drums: tuple[Drum, ...] = ()
    tunes: tuple[Tune, ...] = ()
    metre: int = 4
    form: str = "song"
    swing: tuple[float, float] = (0.5, 0.5)
    human_ms: float = 4.0
    pace: str = "steady"
    level_dbfs: tuple[float, float] = (-18.0, -12.0)
    squash: float = 0.4
    room_s: tuple[float, float] = (0.3, 1.2)
    room: float = 0.15
    noise: float = 0.003
    pump: float = 0.0
    sweep: float = 0.0
    echo: float = 0.0
    wash: float = 0.0


def load_recipes(path: Path) -> dict[str, Recipe]:
    """Read recipes by kind, in the order of the file."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        kind: Recipe(
            drums=tuple(Drum(*drum) for drum in recipe.get("drums", ())),
            tunes=tuple(Tune(*tune) for tune in recipe["tunes"]),
            **recipe["with"],
        )
        for kind, recipe in values.items()
    }


@dataclass(frozen=True)
class Grid:
    """When beats are, seconds; bar 0 may begin before the song."""

    beats: np.ndarray
    swing: float

    def seconds(self, positions: np.ndarray) -> np.ndarray:
        """Give the moments of positions in beats; swing moves the off-beat eighth, and sixteenths with it."""
        whole = np.floor(positions)
        part = positions - whole
        early = part < 0.5
        warped = np.where(early, part * 2 * self.swing, self.swing + (part - 0.5) * 2 * (1 - self.swing))
        return np.interp(whole + warped, np.arange(len(self.beats)), self.beats)


@dataclass
class _Session:
    """What the players of a song share."""

    rng: np.random.Generator
    recipe: Recipe
    grid: Grid
    energy: np.ndarray
    drums: np.ndarray
    tones: np.ndarray
    kit: Kit
    scale: tuple[int, ...]
    root: int
    chords: np.ndarray
    kicks: list[float] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return 4 * self.recipe.metre

    def pitch(self, degree: int, octave: int) -> int:
        return self.root + 12 * octave + self.scale[degree % 7] + 12 * (degree // 7)


def play(recipe: Recipe, rng: np.random.Generator, seconds: float, tempo_bpm: float) -> np.ndarray:
    """Give a song of a kind, stereo, before mastering."""
    samples = round(seconds * RATE)
    grid = _grid(recipe, rng, seconds, tempo_bpm)
    bars = (len(grid.beats) - 1) // recipe.metre
    progression = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
    session = _Session(
        rng, recipe, grid, _energy(recipe, rng, bars, 240 / tempo_bpm),
        np.zeros((2, samples), np.float32), np.zeros((2, samples), np.float32), Kit(rng),
        _SCALES[rng.choice(4, p=[0.35, 0.35, 0.2, 0.1])], int(rng.integers(0, 12)),
        np.resize(np.repeat(progression, rng.choice([1, 1, 2])), bars),
    )  # fmt: skip
    for drum in recipe.drums:
        if drum.sound.endswith("kick") or rng.random() > 0.1:
            _play_drum(session, drum)
    if recipe.drums:
        _play_fills(session)
    for tune in recipe.tunes:
        if tune is recipe.tunes[0] or rng.random() > 0.1:
            _play_tune(session, tune)
    return _mixed(session)


def _grid(recipe: Recipe, rng: np.random.Generator, seconds: float, tempo_bpm: float) -> Grid:
    """Lay out beats from somewhere in the bar before the song, or just after its start, beyond its end."""
    count = round(2.2 * seconds * tempo_bpm / 60) + 4 * recipe.metre
    place_in_song = np.arange(count) * 60 / tempo_bpm / seconds
    noise = np.convolve(rng.standard_normal(count + 8), np.ones(9) / 3, "valid")
    factor = {
        "steady": np.ones(count),
        "human": 1 + 0.012 * noise,
        "drift": 1 + rng.choice([-1, 1]) * rng.uniform(0.04, 0.1) * place_in_song + 0.008 * noise,
        "accelerando": 0.85 + 0.55 * place_in_song + 0.01 * noise,
        "rubato": 1 + 0.12 * noise + 0.1 * np.sin(np.arange(count) * 2 * np.pi / (4 * recipe.metre)),
    }[recipe.pace]
    gaps = 60 / tempo_bpm / np.clip(factor, 0.5, 2.5)
    bar = float(gaps[: recipe.metre].sum())
    start = -rng.uniform(0, bar) if rng.random() < 0.6 else rng.uniform(0.0, 0.6)
    beats = start + np.concatenate([[0.0], np.cumsum(gaps)])
    last = int(np.searchsorted(beats, seconds)) + recipe.metre
    return Grid(beats[: last + 1], float(rng.uniform(*recipe.swing)))


def _energy(recipe: Recipe, rng: np.random.Generator, bars: int, bar_s: float) -> np.ndarray:
    """Give each bar's energy: sections of a form, which a song may enter half-way."""
    form = FORMS[recipe.form]
    length = max(1, round(rng.uniform(6.5, 13.0) / bar_s))
    length = length if length < 3 else max(2, round(length / 2) * 2)
    first = 0 if rng.random() < 0.6 else int(rng.integers(len(form)))
    sections = np.roll(form, -first)
    return np.resize(np.repeat(sections, length), bars) + rng.normal(0, 0.03, bars)


def _hits(session: _Session, pattern: str, enters: float) -> tuple[np.ndarray, np.ndarray]:
    """Give the steps (sixteenths from bar 0) at which a pattern is played, and how hard."""
    rng, steps = session.rng, session.steps
    options = pattern.split("|")
    letters, _, length = options[rng.integers(len(options))].partition(":")
    letters = letters.ljust(int(length or 0), ".")
    whole = np.resize(list(letters), -(-len(letters) // steps) * steps)
    chance, force = np.resize([_LETTERS[letter] for letter in whole], (len(session.energy) * steps, 2)).T
    bar = np.arange(len(chance)) // steps
    loose = 0.02 if session.recipe.human_ms < 3 else 0.05
    struck = rng.random(len(chance)) < np.where(chance == 1, 1 - loose, chance)
    struck &= session.energy[bar] >= enters - 0.05
    (places,) = np.nonzero(struck)
    spread = 0.04 if session.recipe.human_ms < 3 else 0.16
    dynamics = 0.7 + 0.3 * np.clip(session.energy[bar[places]], 0, 1)
    return places, force[places] * dynamics * np.exp(spread * rng.standard_normal(len(places)))


def _moments(session: _Session, places: np.ndarray) -> np.ndarray:
    jitter = session.recipe.human_ms / 1000 * session.rng.standard_normal(len(places))
    return session.grid.seconds(places / 4) + jitter


def _play_drum(session: _Session, drum: Drum) -> None:
    places, force = _hits(session, drum.pattern, drum.enters)
    gain = drum.gain * session.rng.uniform(0.75, 1.3)
    moments = _moments(session, places)
    for moment, velocity in zip(moments, force, strict=True):
        place(session.drums, session.kit.strike(drum.sound), moment, gain * velocity, drum.pan)
    if "kick" in drum.sound or drum.sound == "boom":
        session.kicks.extend(moments.tolist())


def _play_fills(session: _Session) -> None:
    """Mark where a section begins: a fill before it, a crash or a riser where the energy rises."""
    rng, steps = session.rng, session.steps
    sections = np.nonzero(np.abs(np.diff(session.energy)) > 0.12)[0] + 1
    names = [drum.sound for drum in session.recipe.drums]
    fill = next(
        (name for name in ("snare", "tom", "tabla", "conga", "clap", "timpani") if name in names), names[0]
    )
    for bar in sections:
        if rng.random() < 0.6:
            places = bar * steps - np.arange(1, 1 + int(rng.choice([4, 8])))
            places = places[rng.random(len(places)) < 0.75]
            for moment in _moments(session, places):
                place(
                    session.drums,
                    session.kit.strike(fill),
                    moment,
                    rng.uniform(0.25, 0.6),
                    rng.uniform(-0.5, 0.5),
                )
        start = float(session.grid.seconds(np.array([float(bar * session.recipe.metre)]))[0])
        if session.energy[bar] < session.energy[bar - 1]:
            continue
        if rng.random() < 0.6 and session.energy[bar] > 0.7:
            place(session.drums, session.kit.strike("crash"), start, rng.uniform(0.2, 0.5))
        if rng.random() < 0.5 and session.recipe.sweep and start > 1:
            length = min(start, rng.uniform(2, 6))
            riser = band_noise(rng, round(length * RATE), 800, 9000)
            place(
                session.drums,
                riser * np.linspace(0, 0.25, riser.shape[1], dtype=np.float32) ** 2,
                start - length,
            )


def _play_tune(session: _Session, tune: Tune) -> None:
    rng = session.rng
    voice = Voice(rng, TIMBRES[tune.timbre])
    places, force = _hits(session, tune.pattern, tune.enters)
    moments = _moments(session, places)
    step_s = float(np.diff(session.grid.beats).mean()) / 4
    gain, pan = tune.gain * rng.uniform(0.75, 1.3), rng.uniform(-0.3, 0.3) * (tune.octave > 2)
    strum = 0.012 if "guitar" in tune.timbre else 0.003
    melody = _melody(session, tune, places)
    for count, (where, moment, velocity) in enumerate(zip(places, moments, force, strict=True)):
        degree = int(session.chords[where // session.steps])
        if tune.plays == "lead":
            midis = [session.pitch(int(melody[count]), tune.octave)]
        else:
            midis = _pitches(session, tune, degree, where // 4, count)
        seconds = min(12.0, tune.steps * step_s * rng.uniform(0.85, 1.0))
        for number, midi in enumerate(midis):
            sound = voice.note(midi, seconds)
            place(session.tones, sound, moment + number * strum, gain * velocity / len(midis) ** 0.5, pan)


def _pitches(session: _Session, tune: Tune, degree: int, beat: int, count: int) -> list[int]:
    """Choose the notes of the ``count``-th time that a tune sounds, over a chord."""
    rng = session.rng
    match tune.plays:
        case "power":
            return [session.pitch(degree, tune.octave) + offset for offset in (0, 7)]
        case "chord":
            size = int(rng.integers(3, 5))
            return [session.pitch(degree + third, tune.octave) for third in (0, 2, 4, 6)[:size]]
        case "arp":
            return [session.pitch(degree + (0, 2, 4, 7)[count % 4], tune.octave)]
        case "walk":
            return [session.pitch(degree + (0, 2, 4, 5)[beat % 4] - int(rng.random() < 0.2), tune.octave)]
        case _:
            return [session.pitch(degree + int(rng.choice([0, 0, 0, 4, 7])), tune.octave)]


def _melody(session: _Session, tune: Tune, places: np.ndarray) -> np.ndarray:
    """Give a degree per note: a walk over two bars that mostly comes back, anew after some sections."""
    rng, span = session.rng, 2 * session.steps
    walk = np.cumsum(
        rng.choice([-2, -1, -1, 0, 1, 1, 2, 4, -4], (1 + len(session.energy) // 8, span)), axis=1
    )
    walk = (walk + 3) % 9 - 1
    return walk[places // (8 * span) % len(walk), places % span] + (rng.random(len(places)) < 0.08)


def _mixed(session: _Session) -> np.ndarray:
    """Echo and sweep the tones, let the kick duck them, drive the drums; add a room, cymbals and noise."""
    rng, recipe = session.rng, session.recipe
    tones, samples = session.tones, session.tones.shape[1]
    drive = np.float32(1 + 2 * recipe.squash)
    drums = np.tanh(drive * session.drums) / drive**0.7
    if recipe.echo:
        delay = round(rng.choice([2, 3, 3, 4]) * float(np.diff(session.grid.beats).mean()) / 4 * RATE)
        for _ in range(2):  # each pass doubles the repeats
            tones[:, delay:] += np.float32(recipe.echo) * tones[::-1, :-delay]
            delay *= 2
    if recipe.sweep:
        dark = filtered(tones, 30.0, rng.uniform(300, 900))
        tones = dark + (tones - dark) * wander(rng, samples, rng.uniform(3, 16), 1 - recipe.sweep, 1.0)
    if recipe.pump and session.kicks:
        tones = tones * (1 - np.float32(recipe.pump) * _ducking(session.kicks, samples))
    wet = in_room(rng, tones + 0.5 * drums, rng.uniform(*recipe.room_s))
    mix = tones + drums + np.float32(recipe.room * rng.uniform(0.6, 1.4)) * wet
    if recipe.wash:
        bars = np.clip(session.energy, 0, 1) ** 2
        loudness = np.interp(
            np.arange(0, samples, 441) / RATE, session.grid.beats[:: recipe.metre][: len(bars)], bars
        )
        wash = band_noise(rng, samples, 1500, 14_000) * wander(rng, samples, 0.5, 0.3, 1.0)
        mix += np.float32(recipe.wash) * wash * np.repeat(loudness, 441)[:samples].astype(np.float32)
    floor = band_noise(rng, samples, 60, 9000) * np.float32(recipe.noise * rng.lognormal(0, 0.8))
    return mix + floor


def _ducking(kicks: list[float], samples: int) -> np.ndarray:
    """Give 1 just after each kick, falling to 0 before the next."""
    dip = np.zeros(samples, np.float32)
    t = np.arange(round(0.35 * RATE), dtype=np.float32) / RATE
    shape = np.minimum(1, t / 0.004) * np.exp(-t / 0.12)
    for moment in kicks:
        part = dip[max(0, round(moment * RATE)) :][: len(t)]
        np.maximum(part, shape[: len(part)], out=part)
    return dip
