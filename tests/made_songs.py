"""Synthetic songs with known sections: two generators, built differently, so that one can check the other.

`section_song` writes bars for a small band (chords, bass, arpeggio, drums). `texture_song` loops sampled
textures (shaped noise, bells, gated pads) and crossfades them. Both are functions of their seed alone.
"""

from dataclasses import dataclass

import numpy as np

RATE = 44_100
FORMS = ("ABAC", "ABAC", "ABAC", "ABAB", "ABCA", "AAB")
_TABLE = 2048
_MODES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
_PROGRESSIONS = (
    (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 0, 4), (1, 4, 0, 0), (0, 6, 5, 6),
    (3, 3, 0, 0), (5, 4, 3, 4), (0, 2, 3, 4), (0, 0, 5, 5),
)  # fmt: skip


@dataclass(frozen=True)
class SectionSong:
    """A song and its truth: mono samples, sections as (start, end, label) in seconds, downbeats."""

    sound: np.ndarray
    sections: tuple[tuple[float, float, str], ...]
    downbeats: np.ndarray
    form: str


# A band that plays bars ------------------------------------------------------------------------------------


class _Voice:
    """A pitched instrument: one period of its wave in a table, and an envelope."""

    def __init__(self, rng: np.random.Generator, *, attack: float, hold: float, cents: float = 0.0) -> None:
        phase = 2 * np.pi * np.arange(_TABLE) / _TABLE
        kind = rng.choice(["saw", "additive", "fm", "square"])
        if kind == "fm":
            ratio, depth = rng.integers(1, 5), rng.uniform(0.5, 3.0)
            wave = np.sin(phase + depth * np.sin(ratio * phase))
        else:
            count = int(rng.integers(4, 24))
            numbers = np.arange(1, count + 1)
            weights = {
                "saw": 1.0 / numbers,
                "additive": rng.uniform(0.0, 1.0, count) * rng.uniform(0.6, 0.95) ** numbers,
                "square": (numbers % 2) / numbers,
            }[str(kind)]
            weights[0] = max(weights[0], 0.3)
            wave = (weights[:, None] * np.sin(numbers[:, None] * phase)).sum(axis=0)
        self._wave = (wave / np.sqrt(np.mean(wave**2))).astype(np.float32)
        self._attack, self._hold, self._a4 = attack, hold, 440.0 * 2 ** (cents / 1200)
        self._notes: dict[tuple[int, int], np.ndarray] = {}

    def note(self, midi: int, seconds: float) -> np.ndarray:
        count = round(seconds * RATE)
        if (midi, count) not in self._notes:
            t = np.arange(count, dtype=np.float32) / RATE
            turns = self._a4 * 2 ** ((midi - 69) / 12) * np.arange(count) / RATE
            envelope = np.minimum(1.0, t / self._attack) * np.exp(-t / self._hold)
            envelope *= np.minimum(1.0, (seconds - t) / 0.03)
            self._notes[midi, count] = self._wave[(turns % 1.0 * _TABLE).astype(np.int32)] * envelope
        return self._notes[midi, count]


@dataclass(frozen=True)
class _Harmony:
    root: int
    mode: tuple[int, ...]
    progression: tuple[int, ...]

    def chord(self, bar: int) -> list[int]:
        degree = self.progression[bar % len(self.progression)]
        steps = [degree, degree + 2, degree + 4]
        return [self.root + self.mode[step % 7] + 12 * (step // 7) for step in steps]


def _harmony(rng: np.random.Generator, near: int | None) -> _Harmony:
    root = (
        int(rng.integers(48, 60))
        if near is None
        else 48 + (near + int(rng.choice([0, 0, 3, 5, 7, 9, 2]))) % 12
    )
    return _Harmony(root, _MODES[rng.integers(3)], _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))])


class _Drums:
    """A kit of three sounds and a pattern of sixteenths; none at all with level 0."""

    def __init__(self, rng: np.random.Generator, steps: int) -> None:
        t = np.arange(round(0.25 * RATE)) / RATE
        sweep = rng.uniform(42, 60) + rng.uniform(60, 140) * np.exp(-t / 0.02)
        kick = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * np.exp(-t / rng.uniform(0.05, 0.12))
        snare = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.03, 0.1)) * 0.4
        hat = np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t / rng.uniform(0.01, 0.05)) * 0.3
        self.sounds = [sound.astype(np.float32) for sound in (kick, snare, hat)]
        self.level = float(rng.choice([0.0, 0.5, 0.8, 1.0], p=[0.2, 0.2, 0.3, 0.3]))
        self.pattern = np.zeros((3, steps))
        self.pattern[0, :: int(rng.choice([4, 8]))] = 1.0
        self.pattern[0, rng.integers(0, steps)] = 0.8
        self.pattern[1, 4::8] = rng.choice([0.0, 1.0, 1.0])
        self.pattern[2, :: int(rng.choice([1, 2, 4]))] = rng.choice([0.0, 0.6, 1.0])


@dataclass(frozen=True)
class _Part:
    """How a section sounds."""

    harmony: _Harmony
    pad: _Voice
    lead: _Voice
    bass: _Voice
    drums: _Drums
    arpeggio: int
    bass_every: int
    octave: int
    gains: tuple[float, float, float]
    level: float
    bars: int


def _new_part(rng: np.random.Generator, steps: int, bars: int, before: _Part | None) -> _Part:
    """Make a part; if there is one before, differ from it in two or three ways of three, or all."""
    keep = (
        str(rng.choice(["none", "drums", "chords", "band"], p=[0.4, 0.25, 0.2, 0.15])) if before else "none"
    )
    harmony = _harmony(rng, before.harmony.root if before else None)
    while before and keep != "chords" and set(harmony.progression) == set(before.harmony.progression):
        harmony = _harmony(rng, before.harmony.root)
    pad = _Voice(rng, attack=float(rng.choice([0.005, 0.05, 0.2])), hold=float(rng.uniform(0.5, 4.0)))
    lead = _Voice(rng, attack=0.005, hold=float(rng.uniform(0.1, 0.6)))
    bass = _Voice(rng, attack=0.005, hold=float(rng.uniform(0.2, 1.0)))
    drums = _Drums(rng, steps)
    if before and keep == "drums":
        drums = before.drums
    if before and keep == "chords":
        harmony = before.harmony
    if before and keep == "band":
        pad, bass = before.pad, before.bass
    gains = (rng.uniform(0.05, 0.15), rng.uniform(0.03, 0.12), rng.uniform(0.05, 0.2))
    arpeggio = int(rng.choice([0, 1, 2, 4]))
    if before and arpeggio == before.arpeggio:
        arpeggio = (arpeggio + 2) % 6
    return _Part(
        harmony, pad, lead, bass, drums, arpeggio, int(rng.choice([2, 4, 8])), int(rng.choice([0, 12])),
        gains, float(rng.uniform(0.6, 1.0)), bars,
    )  # fmt: skip


def _add(mix: np.ndarray, sound: np.ndarray, second: float, gain: float) -> None:
    start = max(0, round(second * RATE))
    part = sound[: max(0, len(mix) - start)]
    mix[start : start + len(part)] += np.float32(gain) * part


def section_song(seed: int, form: str | None = None) -> SectionSong:
    """Make a song of sections of 8 to 20 s, in 4/4 or sometimes 3/4, at 80 to 160 beats a minute.

    Repeats play the same part with other timing, accents, noise and fills, sometimes a bar longer.
    """
    rng = np.random.default_rng([11, seed])
    form = form or str(rng.choice(FORMS))
    beats = int(rng.choice([4, 4, 4, 3]))
    beat = 60.0 / float(rng.uniform(80, 160))
    bar_s = beats * beat
    parts: dict[str, _Part] = {}
    for label in sorted(set(form)):
        wanted = round(float(rng.uniform(8, 20)) / bar_s)
        bars = max(4 if bar_s >= 2 else 8, wanted - wanted % 2)
        parts[label] = _new_part(rng, 4 * beats, bars, parts[max(parts)] if parts else None)
    counts = [parts[label].bars + (1 if rng.random() < 0.15 else 0) for label in form]
    mix = np.zeros(round((sum(counts) * bar_s + 0.5) * RATE), np.float32)
    sections, first = [], 0
    for label, count in zip(form, counts, strict=True):
        for bar in range(count):
            fill = bar == count - 1 and rng.random() < 0.5
            _play_bar(rng, mix, parts[label], bar, (first + bar) * bar_s, beats, beat, fill=fill)
        sections.append((first * bar_s, (first + count) * bar_s, label))
        first += count
    mix += np.float32(rng.choice([0.0005, 0.002, 0.005])) * rng.standard_normal(len(mix), np.float32)
    mix *= np.float32(rng.uniform(0.3, 0.95)) / np.abs(mix).max()
    mix = mix[: round(first * bar_s * RATE)]
    return SectionSong(mix, tuple(sections), np.arange(first) * bar_s, form)


def _play_bar(
    rng: np.random.Generator, mix: np.ndarray, part: _Part, bar: int, start: float, beats: int, beat: float,
    *, fill: bool,
) -> None:  # fmt: skip
    def at(step: int) -> float:
        return start + step * beat / 4 + 0.004 * float(rng.standard_normal())

    chord = part.harmony.chord(bar)
    pad, lead, bass = (part.level * gain for gain in part.gains)
    for midi in chord:
        _add(mix, part.pad.note(midi + part.octave, beats * beat), at(0), pad * rng.uniform(0.85, 1.1))
    for step in range(4 * beats):
        if step % part.bass_every == 0:
            _add(mix, part.bass.note(chord[0] - 12, beat * 0.9), at(step), bass * rng.uniform(0.8, 1.1))
        if part.arpeggio and step % part.arpeggio == 0:
            midi = chord[step // part.arpeggio % 3] + 12
            _add(mix, part.lead.note(midi, beat * 0.5), at(step), lead * rng.uniform(0.7, 1.1))
        for number, sound in enumerate(part.drums.sounds):
            hit = part.drums.pattern[number, step]
            if fill and number == 1 and step >= 4 * beats - 4 and part.drums.level:
                hit = max(hit, 0.7)
            if hit:
                gain = 0.4 * part.level * part.drums.level * hit
                _add(mix, sound, at(step), gain * rng.uniform(0.7, 1.1))


@dataclass(frozen=True)
class ChordSong:
    """A song in one key and its truth: mono samples, chords as (start, end, pitch classes), the key."""

    sound: np.ndarray
    chords: tuple[tuple[float, float, frozenset[int]], ...]
    key: str


_KEY_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_MAJOR_PROGRESSIONS = ((0, 3, 4, 0), (0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 1, 4, 0))
_MINOR_PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 3, 0, 4), (0, 5, 6, 0), (0, 1, 4, 0))


def chord_song(
    seed: int, tonic: int, *, minor: bool = False, drums: bool = True, cents: float = 0.0, bars: int = 12
) -> ChordSong:
    """Make a song in one key: chords in any voicing, a bass, sometimes an arpeggio, and drums.

    Parameters
    ----------
    tonic
        Pitch class, 0 for C.
    cents
        How far the song is tuned above A4 = 440 Hz.
    """
    rng = np.random.default_rng([33, seed])
    scale = (0, 2, 3, 5, 7, 8, 10) if minor else (0, 2, 4, 5, 7, 9, 11)
    choices = _MINOR_PROGRESSIONS if minor else _MAJOR_PROGRESSIONS
    progression = choices[rng.integers(len(choices))]
    beat = 60.0 / float(rng.uniform(80, 140))
    pad = _Voice(rng, attack=float(rng.choice([0.01, 0.1])), hold=float(rng.uniform(1.0, 4.0)), cents=cents)
    lead = _Voice(rng, attack=0.005, hold=float(rng.uniform(0.1, 0.6)), cents=cents)
    bass = _Voice(rng, attack=0.005, hold=float(rng.uniform(0.3, 1.0)), cents=cents)
    kit = _Drums(rng, 16)
    gains = (rng.uniform(0.08, 0.15), rng.uniform(0.0, 0.08), rng.uniform(0.05, 0.15))
    drum_gain = float(rng.uniform(0.1, 0.35)) if drums else 0.0
    mix = np.zeros(round((4 * bars * beat + 0.5) * RATE), np.float32)
    chords = []
    for bar in range(bars):
        start, degree = 4 * bar * beat, progression[bar % 4]
        notes = [scale[(degree + step) % 7] for step in (0, 2, 4)]
        if minor and degree == 4:
            notes[1] = 11
        for note in notes:
            midi = 48 + (tonic + note + int(rng.choice([0, 0, 2])) * 6) % 24
            _add(mix, pad.note(midi, 4 * beat), start, gains[0])
        for step in range(16):
            if step % 4 == 0:
                _add(mix, bass.note(36 + (tonic + notes[0]) % 12, beat), start + step * beat / 4, gains[2])
            if step % 2 == 0:
                midi = 60 + (tonic + notes[int(rng.integers(3))]) % 12
                _add(mix, lead.note(midi, beat / 2), start + step * beat / 4, gains[1])
            for number, sound in enumerate(kit.sounds):
                _add(mix, sound, start + step * beat / 4, drum_gain * kit.pattern[number, step])
        chords.append((start, start + 4 * beat, frozenset((tonic + note) % 12 for note in notes)))
    mix += np.float32(0.001) * rng.standard_normal(len(mix), np.float32)
    mix *= np.float32(0.7) / np.abs(mix).max()
    return ChordSong(mix, tuple(chords), f"{_KEY_NAMES[tonic]} {'minor' if minor else 'major'}")


# Textures that are looped and crossfaded -------------------------------------------------------------------

_FADE_S = 0.3


def texture_song(seed: int, form: str | None = None) -> SectionSong:
    """Make a song of looped textures with crossfades of 0.3 s; a section may differ in texture alone.

    Each section layers shaped noise that pulses, a cloud of bells over a pentatonic scale, and a gated chord
    of detuned partials; one layer may be missing, and one may be the section's before.
    """
    rng = np.random.default_rng([22, seed])
    form = form or str(rng.choice(FORMS[:5]))
    pulse = float(rng.uniform(0.35, 0.7))
    tonic = float(rng.uniform(100, 200))
    loops: dict[str, tuple[list[np.ndarray], int]] = {}
    for label in sorted(set(form)):
        layers = _texture(rng, pulse, tonic)
        if loops and rng.random() < 0.5:
            kept = int(rng.integers(3))
            layers[kept] = loops[max(loops)][0][kept]
        loops[label] = (layers, int(rng.integers(round(8 / pulse / 4), round(18 / pulse / 4)) * 4))
    spans, start = [], 0.0
    for label in form:
        end = start + loops[label][1] * pulse
        spans.append((start, end, label))
        start = end
    mix = np.zeros(round((start + 1.0) * RATE), np.float32)
    for begin, end, label in spans:
        count = round((end - begin + _FADE_S) * RATE)
        sound = np.zeros(count, np.float32)
        for layer in loops[label][0]:
            turns = -(-count // len(layer))
            gains = rng.uniform(0.75, 1.1, turns).astype(np.float32)
            sound += (layer[None, :] * gains[:, None]).reshape(-1)[:count]
        sound += np.float32(rng.uniform(0.001, 0.01)) * rng.standard_normal(count, np.float32)
        ramp = np.sqrt(np.linspace(0, 1, round(_FADE_S * RATE), dtype=np.float32))
        if begin > 0:
            sound[: len(ramp)] *= ramp
        sound[-len(ramp) :] *= ramp[::-1]
        _add(mix, sound, max(0.0, begin - _FADE_S / 2), 1.0)
    mix = mix[: round(start * RATE)] * np.float32(rng.uniform(0.3, 0.9) / np.abs(mix).max())
    return SectionSong(mix, tuple(spans), np.arange(0.0, start, 4 * pulse), form)


def _texture(rng: np.random.Generator, pulse: float, tonic: float) -> list[np.ndarray]:
    """Make three loops of 8 pulses (4 for the noise): pulsing noise, bells, a gated chord."""
    n = round(4 * pulse * RATE)
    gains = rng.uniform(0.3, 1.0, 3)
    if rng.random() < 0.5:
        gains[int(rng.integers(3))] = 0.0
    spectrum = np.fft.rfft(rng.standard_normal(n))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20.0) / 20.0)
    spectrum *= np.exp(-0.5 * ((octaves - rng.uniform(2, 9)) / rng.uniform(0.4, 1.5)) ** 2)
    noise = np.fft.irfft(spectrum, n)
    age = (np.arange(n) / RATE) % (pulse / float(rng.choice([1, 2, 4])))
    noise *= np.exp(-age / rng.uniform(0.03, 0.5)) / (np.abs(noise).max() + 1e-9)

    scale = np.array([0, 2, 4, 7, 9]) if rng.random() < 0.5 else np.array([0, 3, 5, 7, 10])
    shift, high = int(rng.integers(12)), int(rng.choice([12, 24, 36]))
    ratio, index = float(rng.choice([1.0, 1.41, 2.0, 3.5])), rng.uniform(0.3, 4.0)
    bells = np.zeros(2 * n)
    t = np.arange(round(min(1.2, 2 * pulse) * RATE)) / RATE
    for _ in range(int(rng.integers(6, 20))):
        hz = tonic * 2 ** ((int(rng.choice(scale)) + shift + high) / 12)
        tail = np.exp(-t / rng.uniform(0.1, 0.5))
        bell = np.sin(2 * np.pi * hz * t + index * tail * np.sin(2 * np.pi * ratio * hz * t)) * tail
        start = int(int(rng.integers(32)) * pulse / 4 * RATE)
        bells += np.roll(np.pad(bell, (0, max(0, 2 * n - len(bell))))[: 2 * n], start)
    bells /= np.abs(bells).max()

    t = np.arange(2 * n) / RATE
    chord = np.zeros(2 * n)
    tilt = rng.uniform(0.4, 0.9)
    for degree in rng.choice(scale, 3, replace=False):
        hz = tonic * 2 ** ((int(degree) + shift) / 12)
        for partial in range(1, 9):
            chord += tilt**partial * np.sin(2 * np.pi * partial * hz * t * (1 + rng.uniform(-1e-3, 1e-3)))
    gate = rng.random(32) < rng.uniform(0.3, 1.0)
    gate[0] = True
    steps = np.repeat(gate.astype(float), -(-2 * n // 32))[: 2 * n]
    chord *= np.convolve(steps, np.hanning(441) / np.hanning(441).sum(), mode="same")
    chord /= np.abs(chord).max()
    return [
        (gain * layer).astype(np.float32) for gain, layer in zip(gains, (noise, bells, chord), strict=True)
    ]
