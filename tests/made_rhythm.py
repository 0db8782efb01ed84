"""Synthetic songs with known beats: 60-200 BPM, drift, swing, odd metres, syncopation, fades, breaks."""

from dataclasses import dataclass

import numpy as np
from mir_eval.beat import f_measure

RATE = 44_100
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))

# Sixteenths of a 4/4 bar: bass drum, snare. Patterns of records that everybody has danced to.
_BREAKS = {
    "amen": ((0, 2, 10, 11), (4, 7, 9, 12, 15)),
    "funky": ((0, 2, 6, 10, 13), (4, 7, 9, 12, 15)),
    "two-step": ((0, 10), (4, 12)),
    "dembow": ((0, 4, 8, 12), (3, 6, 11, 14)),
    "one-drop": ((8,), (8,)),
    "clave": ((0, 3, 6, 10, 12), (4, 12)),
    "tresillo": ((0, 3, 6, 8, 11, 14), (4, 12)),
    "push": ((0, 7, 10), (4, 12)),
}


@dataclass(frozen=True)
class MadeSong:
    """A song and its truth."""

    sound: np.ndarray
    beats: np.ndarray
    downbeats: np.ndarray
    tags: tuple[str, ...]


def _place(mix: np.ndarray, sound: np.ndarray, second: float, gain: float) -> None:
    start = round(second * RATE)
    if start < 0 or start >= len(mix):
        return
    part = sound[: len(mix) - start]
    mix[start : start + len(part)] += gain * part


def _decay(seconds: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(round(seconds * RATE)) / RATE
    return t, np.exp(-t / rate) * np.minimum(1.0, t / 0.002)


class _Kit:
    """One set of sounds, different for every song."""

    def __init__(self, rng: np.random.Generator) -> None:
        t, e = _decay(0.35, rng.uniform(0.06, 0.14))
        top, low = rng.uniform(90, 180), rng.uniform(42, 62)
        sweep = low + (top - low) * np.exp(-t / rng.uniform(0.015, 0.04))
        self.kick = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * e
        t, e = _decay(0.25, rng.uniform(0.04, 0.09))
        noise = rng.standard_normal(len(t))
        tone = np.sin(2 * np.pi * rng.uniform(160, 240) * t)
        self.snare = (rng.uniform(0.4, 0.9) * noise + 0.5 * tone) * e * 0.6
        t, e = _decay(0.12, rng.uniform(0.012, 0.05))
        self.hat = np.diff(rng.standard_normal(len(t) + 1)) * e * 0.35
        t, e = _decay(0.08, 0.015)
        self.click = np.sin(2 * np.pi * rng.uniform(700, 1800) * t) * e
        self.overtones = rng.uniform(0.1, 0.9) ** np.arange(6)
        self.bright = rng.uniform(0.15, 0.8)

    def note(self, midi: float, seconds: float, attack: float, release: float) -> np.ndarray:
        t = np.arange(round((seconds + release) * RATE)) / RATE
        f = 440 * 2 ** ((midi - 69) / 12)
        tone = np.zeros_like(t)
        for k, a in enumerate(self.overtones, start=1):
            if k * f < 9000:
                tone += a * np.sin(2 * np.pi * k * f * t)
        envelope = np.minimum(1.0, t / attack) * np.minimum(
            1.0, np.maximum(0.0, (seconds + release - t) / release)
        )
        return tone * envelope * np.exp(-t / (0.3 + 2 * self.bright)) / self.overtones.sum()


def _tempo_curve(rng: np.random.Generator, seconds: float, tags: list[str]) -> tuple[np.ndarray, float]:
    """Give beat moments, over-long."""
    bpm = float(np.exp(rng.uniform(np.log(60), np.log(200))))
    kind = rng.choice(["steady", "steady", "drift", "rubato"])
    tags.append(kind)
    change = rng.uniform(-0.12, 0.12) if kind == "drift" else 0.0
    depth, period = (rng.uniform(0.01, 0.04), rng.uniform(8, 25)) if kind == "rubato" else (0.0, 1.0)
    moments, now = [], rng.uniform(0.05, 1.0)
    while now < seconds:
        moments.append(now)
        local = bpm * (1 + change * now / seconds) * (1 + depth * np.sin(2 * np.pi * now / period))
        now += 60 / local
    return np.array(moments), bpm


def rhythm_song(seed: int, seconds: float = 36.0) -> MadeSong:
    """Make a song whose beats are known."""
    rng = np.random.default_rng([20_26, seed])
    tags: list[str] = []
    beats, bpm = _tempo_curve(rng, seconds, tags)
    tags.append(f"{bpm:.0f}bpm")
    metre = int(rng.choice([4, 4, 4, 4, 4, 4, 3, 3, 5, 6, 7]))
    tags.append(f"metre{metre}")
    swing = float(rng.choice([0.5, 0.5, 0.5, rng.uniform(0.54, 0.67)]))
    if swing > 0.5:
        tags.append("swing")
    kit = _Kit(rng)
    mix = np.zeros(round(seconds * RATE))
    jitter = float(rng.choice([0.0, 0.003, 0.008]))

    def at(beat: float) -> float:
        whole = int(np.floor(beat))
        part = beat - whole
        # Swing moves the off-beat eighth; sixteenths go with it.
        part = part * 2 * swing if part < 0.5 else swing + (part - 0.5) * 2 * (1 - swing)
        gap = beats[min(whole + 1, len(beats) - 1)] - beats[min(whole, len(beats) - 2)]
        return float(beats[whole] + part * gap + jitter * rng.standard_normal())

    style = str(
        rng.choice(
            ["floor", "rock", "synco", "half", "break", "none", "click"],
            p=[0.14, 0.2, 0.18, 0.1, 0.24, 0.1, 0.04],
        )
    )
    tags.append(style)
    levels = {"kick": rng.uniform(0.5, 1.0), "snare": rng.uniform(0.3, 0.8), "hat": rng.uniform(0.05, 0.5)}
    sixteenths = 4 * metre
    kick, snare, hat = (np.zeros(sixteenths) for _ in range(3))
    on = np.arange(0, sixteenths, 4)
    if style == "floor":
        kick[on], snare[on[1::2]] = 1, 0.8
        hat[2::4] = 1
    elif style == "rock":
        kick[on[::2]], snare[on[1::2]] = 1, 1
        hat[::2] = 0.7
        kick[rng.integers(0, sixteenths)] = 0.8
    elif style == "synco":
        kick[0] = 1
        kick[rng.choice(sixteenths, max(2, metre), replace=False)] = rng.uniform(0.5, 1)
        snare[on[1::2]] = 1
        hat[:: int(rng.choice([1, 2]))] = 0.6
    elif style == "half":
        kick[0], snare[on[metre // 2]] = 1, 1
        hat[::2] = 0.6
    elif style == "break":
        if metre == 4:
            name = str(rng.choice(sorted(_BREAKS)))
            tags.append(name)
            kick[list(_BREAKS[name][0])], snare[list(_BREAKS[name][1])] = 1, 0.9
        else:
            kick[0], kick[rng.choice(sixteenths, 2, replace=False)] = 1, 0.8
            snare[on[1::2]] = 1
            snare[rng.choice(sixteenths, 2, replace=False)] += 0.35
        hat[::2] = 0.7
    elif style == "click":
        pass
    scale, root = _SCALES[rng.integers(3)], int(rng.integers(36, 48))
    progression = rng.integers(0, 7, 4)
    chord_rhythm = str(
        rng.choice(
            ["pad", "beats", "offbeats", "downbeat", "none"] if style != "none" else ["beats", "downbeat"]
        )
    )
    bass_rhythm = str(rng.choice(["eighths", "beats", "synco", "downbeat"]))
    arp = rng.random() < 0.35 or style == "none"
    melody = rng.random() < 0.4
    tags += [
        f"chord-{chord_rhythm}",
        f"bass-{bass_rhythm}",
        *(["arp"] if arp else []),
        *(["melody"] if melody else []),
    ]
    gains = {
        "bass": rng.uniform(0.2, 0.6),
        "chord": rng.uniform(0.05, 0.25),
        "arp": rng.uniform(0.05, 0.25),
        "tune": 0.2,
    }
    rest = rng.random() < 0.25
    if rest:
        tags.append("breakdown")
    pattern = rng.random(sixteenths) < 0.35
    pattern[0] = True

    def pitch(degree: int, octave: int) -> int:
        return root + 12 * octave + scale[degree % 7] + 12 * (degree // 7)

    bars = (len(beats) - 2) // metre
    for bar in range(bars):
        chord = int(progression[bar % 4])
        first = bar * metre
        quiet = rest and bars // 2 <= bar < bars // 2 + 2
        fill = rng.random() < 0.1
        for step in range(sixteenths):
            beat = first + step / 4
            if not quiet:
                if kick[step]:
                    _place(mix, kit.kick, at(beat), levels["kick"] * kick[step])
                if snare[step] or (fill and step >= sixteenths - 4 and rng.random() < 0.6):
                    _place(mix, kit.snare, at(beat), levels["snare"] * max(snare[step], 0.5))
                if hat[step]:
                    accent = 1.0 if step % 4 == 0 else rng.uniform(0.5, 1.0)
                    _place(mix, kit.hat, at(beat), levels["hat"] * hat[step] * accent)
                if style == "click" and step % 4 == 0:
                    _place(mix, kit.click, at(beat), 0.5 if step else 0.9)
            gap = 60 / bpm
            bass_on = {
                "eighths": step % 2 == 0,
                "beats": step % 4 == 0,
                "synco": pattern[step],
                "downbeat": step == 0,
            }[bass_rhythm]
            if bass_on:
                _place(mix, kit.note(pitch(chord, 0), gap * 0.45, 0.006, 0.05), at(beat), gains["bass"])
            chord_on, length = {
                "pad": (step == 0, gap * metre),
                "beats": (step % 4 == 0, gap * 0.5),
                "offbeats": (step % 4 == 2, gap * 0.25),
                "downbeat": (step == 0, gap * metre * 0.8),
                "none": (False, 0.1),
            }[chord_rhythm]
            if chord_on:
                attack = 0.08 if chord_rhythm == "pad" else 0.008
                for k in (0, 2, 4):
                    _place(mix, kit.note(pitch(chord + k, 2), length, attack, 0.1), at(beat), gains["chord"])
            if arp and step % 2 == 0:
                _place(
                    mix,
                    kit.note(pitch(chord + int(rng.choice([0, 2, 4, 7])), 3), gap * 0.3, 0.005, 0.08),
                    at(beat),
                    gains["arp"],
                )
            if melody and rng.random() < (0.45 if step % 4 == 0 else 0.15):
                _place(
                    mix,
                    kit.note(pitch(int(rng.integers(0, 9)), 3), gap * 0.7, 0.02, 0.1),
                    at(beat),
                    gains["tune"],
                )
    end = beats[bars * metre]
    mix += rng.choice([0.0, 0.002, 0.01]) * rng.standard_normal(len(mix))
    mix /= max(1e-9, np.abs(mix).max())
    mix *= rng.uniform(0.2, 0.9)
    if rng.random() < 0.3:
        tags.append("fades")
        n = round(rng.uniform(3, 10) * RATE)
        mix[:n] *= np.linspace(0, 1, n)
        mix[-n:] *= np.linspace(1, 0, n)
    inside = beats[beats < end - 1e-6]
    downbeats = inside[::metre]
    cut = 0.0
    if rng.random() < 0.35:  # a song that is entered somewhere
        tags.append("cut")
        cut = float(rng.uniform(0, 6))
    first, last = round(cut * RATE), round(end * RATE)
    return MadeSong(
        mix[first:last].astype(np.float32),
        inside[inside >= cut] - cut,
        downbeats[downbeats >= cut] - cut,
        tuple(tags),
    )


def beat_score(truth: np.ndarray, found: np.ndarray) -> float:
    """Give the F-measure (±70 ms) of beats; half and double tempo, either phase, are right as well."""
    if len(truth) < 3 or len(found) == 0:
        return 0.0
    doubled = np.sort(np.concatenate([truth, (truth[1:] + truth[:-1]) / 2]))
    return max(float(f_measure(kind, found)) for kind in (truth, truth[::2], truth[1::2], doubled))
