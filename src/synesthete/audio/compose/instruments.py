"""Instruments: a kind of synthesis with its parameters, drawn for each song; equal tones are made once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32, Float64

from synesthete.audio.compose.synthesis import (
    RATE,
    fm_tone,
    harmonic_bands,
    shaped_noise,
    spread_spectrum,
    string_tone,
    swept_tables,
    table_tone,
)

__all__ = ["PATCHES", "Instrument", "Patch", "hertz_of"]

Kind = Literal["subtractive", "fm", "additive", "string", "ensemble"]
Range = tuple[float, float]
_LOOP: Final = 131_072
_SWEEP_STEPS: Final = 6
_FORMANTS_HZ: Final = (
    (750, 1150, 2500),
    (500, 1800, 2500),
    (320, 2250, 3000),
    (450, 850, 2600),
    (330, 750, 2400),
)


@dataclass(frozen=True)
class Patch:
    """How an instrument sounds; pairs are ranges from which each song draws.

    Attributes
    ----------
    kind
        Subtractive (a wave through a swept resonant low-pass), FM, additive (partials that dull), a plucked
        string, or an ensemble (spread spectrum, stereo).
    wave
        ``saw``, ``square``, ``pulse`` or ``triangle``.
    slope
        Additive and ensemble: harmonic ``k`` has amplitude ``k**-slope``.
    attack_s, decay_s, sustain, release_s
        Envelope; ``decay_s`` is the time constant towards ``sustain``.
    cutoff, sweep, sweep_s, resonance
        The low-pass: where it rests (multiples of the pitch), how many octaves above it begins, how fast it
        closes, its Q.
    unison, detune_cents
        So many waves at once, so far apart.
    ratio, index, index_s
        FM: the modulator's pitch, the depth, and its decay.
    bright, pick
        String: the finger, and where it plucks.
    bell, odd, vowels
        Additive: inharmonic partials; only odd ones; the formants of a voice.
    vibrato_cents, breath, click, sub
        Vibrato; noise in the tone; noise at its start; an octave below.
    drive
        Distortion of the whole part, as by an amplifier: chords growl.
    width
        How wide its part stands, 0-1.
    """

    kind: Kind
    wave: str = "saw"
    slope: Range = (1.2, 1.2)
    attack_s: Range = (0.004, 0.004)
    decay_s: Range = (0.4, 0.4)
    sustain: float = 0.0
    release_s: Range = (0.06, 0.06)
    cutoff: Range = (4.0, 4.0)
    sweep: Range = (1.0, 1.0)
    sweep_s: Range = (0.2, 0.2)
    resonance: Range = (0.8, 0.8)
    unison: int = 1
    detune_cents: float = 9.0
    ratio: tuple[float, ...] = (1.0,)
    index: Range = (1.0, 1.0)
    index_s: Range = (0.3, 0.3)
    bright: Range = (0.5, 0.5)
    pick: Range = (0.15, 0.35)
    bell: bool = False
    odd: bool = False
    vowels: bool = False
    vibrato_cents: float = 0.0
    breath: float = 0.0
    click: float = 0.0
    sub: float = 0.0
    drive: float = 0.0
    width: float = 0.2


def _sub(**more: object) -> Patch:
    return Patch("subtractive", **more)  # type: ignore[arg-type]


PATCHES: Final[Mapping[str, Patch]] = {
    # Basses
    "sub bass": _sub(wave="triangle", decay_s=(1.5, 3), sustain=0.6, cutoff=(2, 4), sweep=(0, 1), click=0.08,
        width=0),
    "saw bass": _sub(decay_s=(0.3, 0.9), sustain=0.4, cutoff=(3, 8), sweep=(1, 3), sweep_s=(0.08, 0.25),
        resonance=(0.8, 2.5), sub=0.5, click=0.15, width=0),
    "square bass": _sub(wave="square", decay_s=(0.3, 0.9), sustain=0.5, cutoff=(2, 6), sweep=(1, 3),
        sweep_s=(0.06, 0.2), resonance=(0.8, 2), click=0.15, width=0),
    "acid bass": _sub(decay_s=(0.25, 0.6), sustain=0.1, cutoff=(2, 5), sweep=(2, 4), sweep_s=(0.06, 0.16),
        resonance=(3, 9), drive=1.5, width=0),
    "reese bass": _sub(decay_s=(4, 8), sustain=0.9, cutoff=(5, 14), sweep=(0, 1), unison=3, detune_cents=16,
        sub=0.6, drive=0.8, width=0),
    "fm bass": Patch("fm", decay_s=(0.3, 0.9), sustain=0.2, ratio=(1, 2, 0.5), index=(1.5, 5), index_s=(0.05,
        0.2), width=0),
    "upright bass": Patch("string", decay_s=(0.5, 1.0), release_s=(0.08, 0.12), bright=(0.1, 0.35), pick=(0.2,
        0.4), click=0.25, width=0),
    "electric bass": Patch("string", decay_s=(0.8, 1.6), release_s=(0.05, 0.08), bright=(0.35, 0.7),
        click=0.1, width=0),
    # Keys and plucked
    "piano": Patch("additive", slope=(1.3, 1.7), decay_s=(0.8, 1.8), release_s=(0.1, 0.2), index_s=(0.2, 0.5),
        click=0.25, width=0.35),
    "electric piano": Patch("fm", decay_s=(0.9, 1.6), release_s=(0.1, 0.15), ratio=(1, 14), index=(0.4, 1.5),
        index_s=(0.1, 0.4), width=0.4),
    "vibraphone": Patch("fm", decay_s=(0.9, 1.8), release_s=(0.2, 0.4), ratio=(4,), index=(0.3, 0.9),
        index_s=(0.05, 0.15), click=0.15, width=0.4),
    "organ": Patch("additive", slope=(0.8, 1.2), attack_s=(0.008, 0.015), decay_s=(30, 30), sustain=1.0,
        release_s=(0.05, 0.08), index_s=(30, 30), vibrato_cents=8, width=0.3),
    "harpsichord": Patch("string", decay_s=(0.6, 1.2), bright=(0.85, 1.0), pick=(0.05, 0.12), click=0.3,
        width=0.3),
    "guitar": Patch("string", decay_s=(0.7, 1.4), release_s=(0.1, 0.15), bright=(0.4, 0.8), click=0.15,
        width=0.3),
    "muted guitar": Patch("string", decay_s=(0.1, 0.25), bright=(0.4, 0.7), click=0.2, width=0.3),
    "distorted guitar": Patch("string", decay_s=(2, 4), release_s=(0.04, 0.07), bright=(0.6, 0.9), drive=9,
        width=0.55),
    "kalimba": Patch("additive", slope=(1.4, 1.9), decay_s=(0.3, 0.6), release_s=(0.1, 0.2), index_s=(0.05,
        0.1), bell=True, click=0.3, width=0.4),
    "bell": Patch("additive", slope=(0.8, 1.2), decay_s=(1.0, 2.2), release_s=(0.4, 0.8), index_s=(0.4, 0.9),
        bell=True, click=0.2, width=0.5),
    "fm bell": Patch("fm", decay_s=(0.8, 2.0), release_s=(0.3, 0.6), ratio=(1.4, 3.5, 2.76), index=(1, 4),
        index_s=(0.3, 0.8), width=0.5),
    "pluck": _sub(decay_s=(0.12, 0.4), release_s=(0.03, 0.1), cutoff=(1.5, 4), sweep=(2, 4), sweep_s=(0.05,
        0.15), resonance=(0.7, 2), unison=2, width=0.5),
    "stab": _sub(decay_s=(0.3, 0.7), cutoff=(3, 8), sweep=(1, 3), sweep_s=(0.1, 0.25), resonance=(0.8, 2.5),
        unison=3, detune_cents=14, width=0.6),
    "square blip": _sub(wave="square", attack_s=(0.001, 0.002), decay_s=(0.1, 0.3), sustain=0.15,
        release_s=(0.01, 0.02), cutoff=(40, 40), sweep=(0, 0), width=0),
    "pulse lead": _sub(wave="pulse", attack_s=(0.001, 0.003), decay_s=(2, 4), sustain=0.8, release_s=(0.01,
        0.03), cutoff=(40, 40), sweep=(0, 0), vibrato_cents=15, width=0),
    # Leads and winds
    "saw lead": _sub(attack_s=(0.004, 0.015), decay_s=(2, 5), sustain=0.7, release_s=(0.06, 0.12), cutoff=(6,
        20), sweep=(0, 2), sweep_s=(0.1, 0.4), resonance=(0.8, 2.5), unison=3, detune_cents=13,
        vibrato_cents=8, width=0.5),
    "flute": Patch("additive", slope=(2.0, 2.6), attack_s=(0.03, 0.07), decay_s=(20, 20), sustain=1.0,
        release_s=(0.08, 0.12), index_s=(30, 30), vibrato_cents=18, breath=0.12, width=0.2),
    "brass": _sub(attack_s=(0.025, 0.06), decay_s=(0.5, 1.5), sustain=0.7, release_s=(0.08, 0.12), cutoff=(3,
        8), sweep=(0, 1), sweep_s=(0.1, 0.3), unison=2, detune_cents=6, vibrato_cents=6, width=0.4),
    "reed": Patch("additive", slope=(0.9, 1.3), attack_s=(0.02, 0.05), decay_s=(20, 20), sustain=1.0,
        release_s=(0.06, 0.1), index_s=(30, 30), odd=True, vibrato_cents=14, breath=0.06, width=0.2),
    "singer": Patch("additive", slope=(0.9, 1.2), attack_s=(0.03, 0.06), decay_s=(20, 20), sustain=1.0,
        release_s=(0.08, 0.12), index_s=(30, 30), vibrato_cents=25, breath=0.06, vowels=True, width=0.15),
    "short strings": _sub(attack_s=(0.015, 0.03), decay_s=(0.25, 0.5), release_s=(0.1, 0.15), cutoff=(5, 10),
        sweep=(0, 1), unison=3, detune_cents=10, width=0.6),
    # Ensembles
    "strings": Patch("ensemble", slope=(1.0, 1.4), attack_s=(0.12, 0.35), release_s=(0.3, 0.6),
        detune_cents=14, width=1),
    "choir": Patch("ensemble", slope=(1.0, 1.4), attack_s=(0.2, 0.4), release_s=(0.4, 0.8), detune_cents=22,
        vowels=True, width=1),
    "warm pad": Patch("ensemble", slope=(1.5, 2.2), attack_s=(0.2, 0.7), release_s=(0.5, 1.2),
        detune_cents=18, width=1),
    "bright pad": Patch("ensemble", slope=(0.8, 1.1), attack_s=(0.05, 0.3), release_s=(0.3, 0.8),
        detune_cents=20, width=1),
    "hollow pad": Patch("ensemble", slope=(1.0, 1.5), attack_s=(0.3, 0.8), release_s=(0.6, 1.2),
        detune_cents=40, odd=True, width=1),
}  # fmt: skip
"""The instruments that genres name."""


def hertz_of(pitch: float) -> float:
    """Give the frequency of a MIDI number, Hz; 69 is 440."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


@dataclass
class Instrument:
    """One song's player of a patch.

    Attributes
    ----------
    patch
        How it sounds.
    rng
        What it draws its own colour from.
    longest_s
        The longest tone that will be asked for, seconds, by pitch and layer; shorter ones are parts of it.
    """

    patch: Patch
    rng: np.random.Generator
    longest_s: Mapping[tuple[int, int], float] = field(default_factory=dict)
    attack_s: float = field(init=False)
    release_s: float = field(init=False)
    _drawn: dict[str, float] = field(init=False)
    _bumps: Float64[np.ndarray, " harmonics"] = field(init=False)
    _tones: dict[tuple[int, ...], Float32[np.ndarray, "..."]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        rng, patch = self.rng, self.patch
        names = (
            "slope",
            "attack_s",
            "decay_s",
            "release_s",
            "cutoff",
            "sweep",
            "sweep_s",
            "resonance",
            "index",
            "index_s",
            "bright",
            "pick",
        )
        self._drawn = {name: float(rng.uniform(*getattr(patch, name))) for name in names}
        self._drawn["ratio"] = float(rng.choice(patch.ratio))
        self._drawn["duty"] = float(rng.choice([0.125, 0.25, 0.33]))
        self._drawn["vowel"] = float(rng.integers(len(_FORMANTS_HZ)))
        self._bumps = rng.uniform(0.5, 1.0, 64)
        self._bumps[0] = 1.0
        self.attack_s, self.release_s = self._drawn["attack_s"], self._drawn["release_s"]

    def tone(self, pitch: int, layer: int) -> Float32[np.ndarray, " samples"]:
        """Give the longest tone of a pitch; ``layer`` 0 is soft, 1 hard; the player fades it."""
        key = (pitch, layer)
        if key not in self._tones:
            seconds = self.longest_s.get(key, 1.0) + self.release_s + 0.01
            self._tones[key] = self._make(pitch, seconds, layer)
        return self._tones[key]

    def chord(self, pitches: tuple[int, ...]) -> Float32[np.ndarray, "2 samples"]:
        """Give a chord of an ensemble: stereo, 3 s, repeating without a seam, not shaped."""
        if pitches not in self._tones:
            hertz = np.array([hertz_of(pitch) for pitch in pitches])
            amplitudes = np.stack([self._partials(pitch)[:32] for pitch in hertz])
            self._tones[pitches] = spread_spectrum(
                self.rng, hertz, amplitudes, samples=_LOOP, cents=self.patch.detune_cents
            )
        return self._tones[pitches]

    def _partials(self, hertz: float) -> Float64[np.ndarray, " harmonics"]:
        number = np.arange(1, len(self._bumps) + 1)
        weights = self._bumps * number ** -self._drawn["slope"]
        if self.patch.odd:
            weights = weights * np.where(number % 2, 1.0, 0.08)
        if self.patch.vowels:
            formants = np.array(_FORMANTS_HZ[int(self._drawn["vowel"])])
            gaps = (number[:, None] * hertz - formants) / [120, 180, 260]
            weights = weights * (0.08 + (np.exp(-0.5 * gaps**2) * [1.0, 0.8, 0.6]).sum(axis=1))
        return np.asarray(weights)

    def _make(self, pitch: int, seconds: float, layer: int) -> Float32[np.ndarray, " samples"]:
        patch, drawn, rng = self.patch, self._drawn, self.rng
        hertz = hertz_of(pitch)
        samples = round(seconds * RATE)
        t = np.arange(samples, dtype=np.float32) / np.float32(RATE)
        hard = 0.6 + 0.4 * layer
        if patch.kind == "string":
            sound = string_tone(
                rng, hertz, seconds, decay_s=drawn["decay_s"], bright=min(1.0, drawn["bright"] * hard + 0.05),
                pick=drawn["pick"],
            )  # fmt: skip
            shape = np.minimum(np.float32(1), t / np.float32(0.002))
        else:
            if patch.kind == "fm":
                depth = np.float32(drawn["index"] * hard)
                index = depth * (0.15 + np.exp(-t / np.float32(drawn["index_s"])))
                sound = fm_tone(hertz, drawn["ratio"], index.astype(np.float32))
            else:
                sound = self._table_sound(hertz, t, hard)
            decay = np.exp(-t / np.float32(drawn["decay_s"]))
            shape = patch.sustain + (1 - patch.sustain) * decay
            shape = shape * np.minimum(np.float32(1), t / np.float32(drawn["attack_s"]))
        if patch.sub:
            sound = sound + np.float32(0.3 * patch.sub) * np.sin(np.float32(np.pi * hertz) * t)
        if patch.breath:
            sound = sound + np.float32(patch.breath) * shaped_noise(
                rng, samples, hertz, min(12_000, 12 * hertz)
            )
        sound = sound * shape
        if patch.click:
            count = min(samples, 1600)
            edge = np.minimum(np.float32(1), t[:count] / np.float32(0.0005))
            burst = shaped_noise(rng, count, 150.0, 7000.0) * edge * np.exp(-t[:count] / np.float32(0.006))
            sound[:count] += np.float32(patch.click * hard) * burst
        return np.asarray(sound, np.float32)

    def _table_sound(
        self, hertz: float, t: Float32[np.ndarray, " samples"], hard: float
    ) -> Float32[np.ndarray, " samples"]:
        patch, drawn, rng = self.patch, self._drawn, self.rng
        samples = len(t)
        if patch.kind == "additive":
            weights = self._partials(hertz)
            ratios = np.round(np.arange(1, 65) ** 1.22 * 8) / 8 if patch.bell else None
            # A dull end, a bright start: what has rung for long has lost its high partials.
            cutoffs, resonance = np.array([1.5, 6.0, 60.0]) * hertz, 0.7
            place = 0.4 + 1.6 * hard * np.exp(-t / np.float32(drawn["index_s"]))
        else:
            weights = harmonic_bands(patch.wave, int(np.clip(17_000 / hertz, 1, 400)), duty=drawn["duty"])
            ratios, resonance = None, drawn["resonance"]
            low, high = (
                drawn["cutoff"] * hertz,
                drawn["cutoff"] * hertz * 2.0 ** (drawn["sweep"] * hard + 0.01),
            )
            cutoffs = np.geomspace(low, min(high, 20_000.0), _SWEEP_STEPS if drawn["sweep"] > 0.05 else 1)
            place = (len(cutoffs) - 1) * np.exp(-t / np.float32(drawn["sweep_s"]))
        tables = swept_tables(rng, hertz, weights, cutoffs, resonance, ratios=ratios)
        sound = np.zeros(samples, np.float32)
        for copy in range(patch.unison):
            away = (copy - (patch.unison - 1) / 2) * 2 / max(1, patch.unison - 1) * patch.detune_cents
            pitch = hertz * 2.0 ** (away / 1200)
            bent: Float32[np.ndarray, " samples"] | float = pitch
            if patch.vibrato_cents:
                slow = np.sin(np.float32(2 * np.pi * rng.uniform(4.8, 6.0)) * t) * np.minimum(
                    1, t / np.float32(0.3)
                )
                bent = (pitch * (1 + np.float32(patch.vibrato_cents * 0.0005776) * slow)).astype(np.float32)
            start = float(rng.random()) if copy else 0.0
            sound += table_tone(tables, bent, place.astype(np.float32), samples=samples, start=start)
        return sound / np.float32(np.sqrt(patch.unison))
