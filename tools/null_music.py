"""Synthetic songs of many kinds, each a pure function of its kind and number."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter1d

from null_band import load_recipes, play
from null_sounds import RATE, TIMBRES, Kit, Voice, band_noise, filtered, in_room, mastered, place, wander
from synesthete.seeding import generator_for

__all__ = ["SECONDS", "SONGS", "make_song"]

SECONDS = 64.0
SEED = 7
SAMPLES = round(SECONDS * RATE)
RECIPES = load_recipes(Path(__file__).with_name("null_recipes.yaml"))

# Sounds without a band --------------------------------------------------------------------------------------


def _rain(rng: np.random.Generator) -> np.ndarray:
    """Gusts of rain, with drops on something near."""
    gusts = wander(rng, SAMPLES, rng.uniform(2, 8), 0.15, 1.0)
    mix = band_noise(rng, SAMPLES, 500, 12_000) * 0.12 * gusts
    kit = Kit(rng)
    for moment in _scattered(rng, rng.uniform(3, 14)):
        place(mix, kit.strike("droplet"), moment, 0.1 * rng.lognormal(0, 0.7), rng.uniform(-1, 1))
    return mix + band_noise(rng, SAMPLES, 40, 300) * 0.05 * wander(rng, SAMPLES, 12)


def _sea(rng: np.random.Generator) -> np.ndarray:
    """Waves that come in, break and run out."""
    mix = band_noise(rng, SAMPLES, 60, 900) * 0.06
    now = -rng.uniform(0, 6)
    while now < SECONDS:
        length = rng.uniform(4, 9)
        t = np.linspace(0, 1, round(length * RATE), dtype=np.float32)
        crest = rng.uniform(0.25, 0.5)
        shape = np.where(t < crest, (t / crest) ** 2.5, np.exp(-4 * (t - crest)) * (1 - t) / (1 - crest))
        wave = band_noise(rng, len(t), rng.uniform(150, 500), rng.uniform(3000, 11_000)) * shape
        place(mix, wave, now, rng.uniform(0.08, 0.3), rng.uniform(-0.5, 0.5))
        now += length * rng.uniform(0.6, 1.1)
    return mix


def _wind(rng: np.random.Generator) -> np.ndarray:
    """Howling in several bands, each with its own gusts."""
    bands = rng.uniform(80, 2500, 5)
    return sum(
        band_noise(rng, SAMPLES, low, 1.6 * low)
        * (60 / low) ** 0.3
        * wander(rng, SAMPLES, rng.uniform(1.5, 9), 0, 1) ** 2
        for low in bands
    )  # type: ignore[return-value]


def _speech(
    rng: np.random.Generator, *, rate: float = 4.5, pitch: float = 45.0, room_s: float = 0.5
) -> np.ndarray:
    """Syllables in phrases, with consonants before some, breath between and a room around."""
    mix = np.zeros((2, SAMPLES), np.float32)
    voice, kit = Voice(rng, TIMBRES["singer"]), Kit(rng)
    now = rng.uniform(0.1, 1.0)
    while now < SECONDS:
        for syllable in range(int(rng.integers(3, 14))):
            length = rng.lognormal(np.log(0.75 / rate), 0.35)
            fall = pitch - 0.4 * syllable + 2.5 * rng.standard_normal()
            place(mix, voice.note(fall, length), now, 0.8 * rng.lognormal(0, 0.35))
            if rng.random() < 0.5:
                hiss = band_noise(rng, round(rng.uniform(0.03, 0.11) * RATE), rng.uniform(1500, 5000), 12_000)
                place(
                    mix,
                    hiss * np.hanning(hiss.shape[1]).astype(np.float32),
                    now - 0.06,
                    rng.uniform(0.02, 0.09),
                )
            if rng.random() < 0.2:
                place(mix, kit.strike("click"), now - 0.02, rng.uniform(0.02, 0.15))
            now += length + rng.exponential(0.25 / rate)
        now += rng.lognormal(np.log(0.6), 0.6)
    return (
        mix
        + 0.2 * in_room(rng, mix, room_s)
        + band_noise(rng, SAMPLES, 60, 6000) * rng.uniform(0.0005, 0.004)
    )


def _crowd(rng: np.random.Generator) -> np.ndarray:
    """Many that talk at once, and a din of things."""
    talk = sum(
        np.roll(
            _speech(rng, rate=rng.uniform(3.5, 6), pitch=rng.uniform(43, 60)),
            int(rng.integers(SAMPLES)),
            axis=1,
        )
        * rng.uniform(0.2, 0.8)
        for _ in range(3)
    )
    blurred = in_room(rng, talk, 1.4) + 0.5 * talk
    kit = Kit(rng)
    for moment in _scattered(rng, 0.8):
        place(
            blurred,
            kit.strike(str(rng.choice(["block", "anvil", "tom"]))),
            moment,
            0.2 * rng.random(),
            rng.uniform(-1, 1),
        )
    return blurred + band_noise(rng, SAMPLES, 150, 3000) * 0.05 * wander(rng, SAMPLES, 3, 0.5, 1.0)


def _glitch(rng: np.random.Generator) -> np.ndarray:
    """Bursts of clicks and tones at no steady pace, and long waits."""
    mix = band_noise(rng, SAMPLES, 3000, 15_000) * 0.0015
    kit, voice = Kit(rng), Voice(rng, TIMBRES["blip"])
    for start in _scattered(rng, rng.uniform(0.5, 1.0)):
        gap = rng.choice([0.03, 0.06, 0.11, 0.17]) * rng.uniform(0.8, 1.2)
        name, pitch = str(rng.choice(["click", "block", "kick", "anvil"])), rng.uniform(40, 100)
        for number in range(int(rng.integers(1, 10))):
            sound = voice.note(pitch, 0.08) if rng.random() < 0.3 else kit.strike(name)
            place(mix, sound, start + number * gap, 0.4 * rng.lognormal(0, 0.6), rng.uniform(-0.8, 0.8))
    return mix + 0.15 * in_room(rng, mix, rng.uniform(0.4, 2.5))


def _dark_gaps(rng: np.random.Generator, *, regular: bool = False) -> np.ndarray:
    """Low tones that rise out of silence and leave it again."""
    mix = np.zeros((2, SAMPLES), np.float32)
    voices = [Voice(rng, TIMBRES[name]) for name in ("pad", "pad" if regular else "strings", "sub")]
    now, period = rng.uniform(-3, 3), rng.uniform(7, 8.5)
    while now < SECONDS:
        length = period * rng.lognormal(0, 0.02) if regular else rng.uniform(4, 11)
        phrase = np.zeros((2, round((length + 2) * RATE)), np.float32)
        for voice in voices:
            if regular or rng.random() < 0.7:
                place(phrase, voice.note(rng.integers(28, 52), length), 0.0, rng.uniform(0.3, 0.6))
        swell = np.hanning(phrase.shape[1]).astype(np.float32) ** (3.0 if regular else rng.uniform(0.5, 1.5))
        place(mix, phrase * swell, now)
        now += length + (0.5 if regular else rng.choice([0.0, 1.0, 3.5]) * rng.uniform(0.5, 1.3))
    dark = 10 ** rng.uniform(2.4, 2.9)
    return filtered(filtered(mix + 0.3 * in_room(rng, mix, rng.uniform(1.0, 2.0)), 30.0, dark), 30.0, dark)


def _bells(rng: np.random.Generator) -> np.ndarray:
    """Bells and gongs in the wind."""
    mix = _wind(rng) * np.float32(0.01)
    voices = [Voice(rng, TIMBRES[name]) for name in ("bell", "gong", "kalimba")]
    for moment in _scattered(rng, rng.uniform(0.6, 2.5)):
        voice = voices[rng.choice(3, p=[0.6, 0.15, 0.25])]
        place(
            mix,
            voice.note(rng.choice([60, 63, 65, 67, 70, 72, 75, 79]), 3.0),
            moment,
            0.4 * rng.lognormal(0, 0.5),
            rng.uniform(-0.8, 0.8),
        )
    return mix + 0.4 * in_room(rng, mix, rng.uniform(1.5, 4.0))


def _drone(rng: np.random.Generator) -> np.ndarray:
    """One chord that hardly changes, filtered slowly, with a hum."""
    mix = np.zeros((2, SAMPLES), np.float32)
    root = int(rng.integers(30, 46))
    for interval in rng.choice([0, 7, 12, 14, 19, 24, 27], 5, replace=False):
        voice = Voice(rng, TIMBRES[str(rng.choice(["pad", "organ", "bright pad", "strings"]))])
        slow = wander(rng, SAMPLES, rng.uniform(4, 20), 0.05, 1.0)
        layer = np.zeros_like(mix)
        for start in np.arange(-3.0, SECONDS, 9.0):
            place(layer, voice.note(root + interval, 10.0), start + rng.uniform(0, 1))
        mix += layer * slow
    return mix + 0.3 * in_room(rng, mix, 3.0) + band_noise(rng, SAMPLES, 50, 2000) * 0.01


def _birds(rng: np.random.Generator) -> np.ndarray:
    """Chirps in phrases over a far street."""
    mix = band_noise(rng, SAMPLES, 40, 500) * 0.02 * wander(rng, SAMPLES, 6, 0.3, 1.0)
    for start in _scattered(rng, rng.uniform(0.4, 1.2)):
        pitch, sweep = rng.uniform(2000, 5500), rng.uniform(-0.4, 0.6)
        t = np.arange(round(rng.uniform(0.04, 0.16) * RATE), dtype=np.float32) / RATE
        shape = np.hanning(len(t)).astype(np.float32)
        chirp = np.sin(2 * np.pi * pitch * (t + sweep * t**2 / (2 * t[-1]))) * shape
        for number in range(int(rng.integers(1, 9))):
            place(mix, chirp, start + number * (t[-1] + 0.06), rng.uniform(0.02, 0.2), rng.uniform(-1, 1))
    return mix + 0.15 * in_room(rng, mix, 1.5)


def _machine(rng: np.random.Generator) -> np.ndarray:
    """Hum of a motor, a fan, and something that knocks, nearly evenly, when it runs."""
    hum = Voice(rng, TIMBRES["organ"])
    mix = band_noise(rng, SAMPLES, 200, 5000) * 0.05 * wander(rng, SAMPLES, 5, 0.4, 1.0)
    for start in np.arange(-1.0, SECONDS, 8.0):
        place(mix, hum.note(rng.choice([31, 43]), 8.5), start, 0.3)
    kit, now, gap = Kit(rng), rng.uniform(0, 2), rng.uniform(0.25, 0.9)
    while now < SECONDS:
        place(
            mix,
            kit.strike(str(rng.choice(["tom", "anvil", "block"], p=[0.6, 0.15, 0.25]))),
            now,
            0.3 * rng.lognormal(0, 0.4),
        )
        now += gap * rng.lognormal(0, 0.12) if rng.random() < 0.97 else rng.uniform(2, 5)
    return mix + 0.2 * in_room(rng, mix, 0.8)


def _scattered(rng: np.random.Generator, per_second: float) -> np.ndarray:
    return np.sort(rng.uniform(0, SECONDS, rng.poisson(per_second * SECONDS)))


_TEXTURES: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], tuple[float, float]]] = {
    "rain": (_rain, (-32, -20)),
    "sea": (_sea, (-30, -18)),
    "wind": (_wind, (-30, -18)),
    "speech": (_speech, (-26, -18)),
    "crowd": (_crowd, (-26, -16)),
    "glitch": (_glitch, (-30, -16)),
    "dark gaps": (_dark_gaps, (-28, -18)),
    "slow swells": (partial(_dark_gaps, regular=True), (-22, -15)),
    "bells": (_bells, (-30, -18)),
    "drone": (_drone, (-26, -14)),
    "birds": (_birds, (-34, -24)),
    "machine": (_machine, (-26, -14)),
}

# Songs ------------------------------------------------------------------------------------------------------

_ONCE = {
    "trance", "dubstep", "punk", "salsa", "bossa", "march", "baroque", "reggae", "odd metre", "five",
    "synthwave", "klezmer", "organ", "crowd", "birds", "machine", "sea", "wind",
}  # fmt: skip
SONGS: tuple[tuple[str, int], ...] = tuple(
    (kind, number) for kind in (*RECIPES, *_TEXTURES) for number in ((1,) if kind in _ONCE else (1, 2, 3))
)
"""Kind and number of every song."""


def make_song(kind: str, number: int) -> np.ndarray:
    """Make a song, stereo float32 at 44.1 kHz, `SECONDS` long."""
    rng = generator_for(SEED, f"null_music.{kind}", number)
    if kind in RECIPES:
        recipe = RECIPES[kind]
        # The first is slow, the second fast, a third as it comes; most tempi are round, as sequencers' are.
        low, high = recipe.tempo
        half = rng.random() if kind in _ONCE or number == 3 else (number - 1 + rng.random()) / 2
        tempo = low + (high - low) * half
        grain = rng.choice([10.0, 5.0, 1.0, 0.01], p=[0.15, 0.25, 0.35, 0.25])
        sound = play(recipe, rng, SECONDS, round(tempo / grain) * grain)
        level, squash = rng.uniform(*recipe.level_dbfs), recipe.squash
    else:
        texture, levels = _TEXTURES[kind]
        sound, level, squash = texture(rng), rng.uniform(*levels), rng.uniform(0, 0.3)
    if rng.random() < 0.35:
        sound = filtered(sound, 25.0, 10 ** rng.uniform(3.1, 4.0))
    return _interrupted(rng, mastered(sound, level, squash))


def _interrupted(rng: np.random.Generator, sound: np.ndarray) -> np.ndarray:
    """Fade some songs in or out, let some rest, start or end in silence."""
    gain = np.ones(sound.shape[1], np.float32)
    if rng.random() < 0.08:
        count = round(rng.uniform(1, 8) * RATE)
        gain[:count] *= np.linspace(0, 1, count, dtype=np.float32) ** 2
    if rng.random() < 0.15:
        count = round(rng.uniform(3, 10) * RATE)
        gain[-count:] *= np.linspace(1, 0, count, dtype=np.float32) ** 2
    if rng.random() < 0.12:
        gain[-round(rng.uniform(0.3, 2.5) * RATE) :] = 0
    if rng.random() < 0.12:
        gain[: round(rng.uniform(0.05, 1.2) * RATE)] = 0
    for _ in range(int(rng.choice([0, 0, 0, 0, 0, 0, 0, 1, 2]))):
        start, length = rng.uniform(8, SECONDS - 8), rng.uniform(0.3, 2.5)
        gain[round(start * RATE) : round((start + length) * RATE)] *= rng.choice([0.0, 0.003, 0.05])
    # Twenty milliseconds keep cuts from clicking.
    return sound * uniform_filter1d(gain, 882)
