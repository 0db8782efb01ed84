"""Drums: a falling tone and noise in a band, each dying away; strikes of a drum differ a little."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.compose.synthesis import RATE, shaped_noise

__all__ = ["DRUMS", "Drum", "Kit"]

Range = tuple[float, float]
_VARIANTS: Final = 3


@dataclass(frozen=True)
class Drum:
    """How a drum sounds; pairs are ranges from which each kit draws.

    Attributes
    ----------
    seconds
        Length of a strike.
    tone_hz, tone, tone_decay_s
        Pitch, level and decay of its tone.
    fall, fall_s
        How far above that pitch it begins (1: an octave), and how fast it falls.
    partials
        Further partials, as multiples of the pitch.
    noise, noise_hz, noise_decay_s
        Level, band and decay of its noise.
    bursts
        So many bursts of noise in quick succession: hands clap together, but not quite.
    pan
        How far from the middle it may stand.
    """

    seconds: float
    tone_hz: Range = (100.0, 100.0)
    tone: float = 0.0
    tone_decay_s: Range = (0.1, 0.1)
    fall: float = 0.0
    fall_s: float = 0.025
    partials: tuple[float, ...] = ()
    noise: float = 0.0
    noise_hz: Range = (200.0, 10_000.0)
    noise_decay_s: Range = (0.05, 0.05)
    bursts: int = 1
    pan: float = 0.0


DRUMS: Final[dict[str, Drum]] = {
    "kick": Drum(0.5, (42, 62), 1.0, (0.09, 0.22), 2.5, 0.03, noise=0.25, noise_hz=(300, 9000),
        noise_decay_s=(0.003, 0.01)),
    "rock kick": Drum(0.4, (52, 74), 1.0, (0.06, 0.12), 1.5, noise=0.5, noise_hz=(60, 11_000),
        noise_decay_s=(0.008, 0.025)),
    "boom": Drum(1.4, (33, 50), 1.0, (0.35, 0.8), 1.5, 0.04, noise=0.08, noise_hz=(200, 4000),
        noise_decay_s=(0.004, 0.012)),
    "snare": Drum(0.4, (160, 240), 0.5, (0.05, 0.1), 0.4, noise=0.8, noise_hz=(350, 15_000),
        noise_decay_s=(0.05, 0.13), pan=0.1),
    "brush": Drum(0.4, (180, 240), 0.1, (0.04, 0.08), noise=0.7, noise_hz=(900, 9000), noise_decay_s=(0.06,
        0.14), pan=0.15),
    "clap": Drum(0.4, noise=1.0, noise_hz=(700, 9000), noise_decay_s=(0.05, 0.13), bursts=3, pan=0.1),
    "rim": Drum(0.15, (420, 900), 0.8, (0.01, 0.03), noise=0.5, noise_hz=(1500, 9000), noise_decay_s=(0.006,
        0.02), pan=0.3),
    "hat": Drum(0.2, noise=0.9, noise_hz=(6000, 17_500), noise_decay_s=(0.012, 0.05), pan=0.35),
    "open hat": Drum(0.6, noise=0.9, noise_hz=(5000, 17_000), noise_decay_s=(0.1, 0.24), pan=0.35),
    "shaker": Drum(0.2, noise=0.8, noise_hz=(4000, 13_000), noise_decay_s=(0.02, 0.05), bursts=2, pan=0.5),
    "ride": Drum(1.0, (2800, 4600), 0.12, (0.25, 0.5), partials=(1.34, 1.73), noise=0.6, noise_hz=(3500,
        15_000), noise_decay_s=(0.1, 0.35), pan=0.4),
    "crash": Drum(2.2, (300, 500), 0.05, (0.3, 0.6), noise=0.9, noise_hz=(1500, 17_000), noise_decay_s=(0.45,
        0.9), pan=0.4),
    "high tom": Drum(0.5, (130, 200), 1.0, (0.1, 0.2), 0.6, noise=0.2, noise_hz=(200, 5000),
        noise_decay_s=(0.01, 0.04), pan=0.5),
    "low tom": Drum(0.7, (70, 120), 1.0, (0.12, 0.28), 0.6, noise=0.2, noise_hz=(200, 5000),
        noise_decay_s=(0.01, 0.04), pan=0.5),
    "timpani": Drum(1.8, (60, 110), 1.0, (0.4, 0.8), 0.1, partials=(1.5, 1.98), noise=0.15, noise_hz=(80,
        1500), noise_decay_s=(0.03, 0.08), pan=0.3),
    "conga": Drum(0.4, (190, 420), 1.0, (0.05, 0.13), 0.15, noise=0.25, noise_hz=(400, 5000),
        noise_decay_s=(0.005, 0.012), pan=0.6),
    "bongo": Drum(0.25, (350, 620), 1.0, (0.03, 0.08), 0.1, noise=0.25, noise_hz=(800, 7000),
        noise_decay_s=(0.004, 0.01), pan=0.6),
    "na": Drum(0.8, (260, 420), 1.0, (0.12, 0.35), 0.03, partials=(2.0, 3.01), noise=0.6, noise_hz=(900,
        12_000), noise_decay_s=(0.006, 0.02), pan=0.15),
    "ge": Drum(0.8, (65, 110), 1.0, (0.15, 0.35), -0.35, 0.08, noise=0.12, noise_hz=(100, 2500),
        noise_decay_s=(0.01, 0.03), pan=0.15),
    "te": Drum(0.15, (300, 500), 0.3, (0.01, 0.03), noise=0.8, noise_hz=(700, 9000), noise_decay_s=(0.008,
        0.02), pan=0.15),
    "block": Drum(0.15, (700, 2200), 1.0, (0.01, 0.05), noise=0.2, noise_hz=(1500, 9000),
        noise_decay_s=(0.002, 0.006), pan=0.6),
    "cowbell": Drum(0.4, (540, 620), 0.9, (0.06, 0.14), partials=(1.5,), noise=0.2, noise_hz=(1500, 8000),
        noise_decay_s=(0.005, 0.01), pan=0.4),
    "tambourine": Drum(0.3, noise=0.9, noise_hz=(6500, 16_000), noise_decay_s=(0.04, 0.09), bursts=3,
        pan=0.5),
    "chip kick": Drum(0.18, (60, 90), 1.0, (0.05, 0.09), 5.0, 0.02, partials=(3.0,)),
    "chip noise": Drum(0.18, noise=1.0, noise_hz=(1500, 12_000), noise_decay_s=(0.02, 0.06)),
    "anvil": Drum(0.9, (500, 1300), 0.6, (0.1, 0.35), partials=(2.76, 5.4), noise=0.6, noise_hz=(900, 15_000),
        noise_decay_s=(0.02, 0.1), pan=0.5),
    "click": Drum(0.08, (1500, 6000), 0.4, (0.002, 0.01), noise=0.8, noise_hz=(1000, 16_000),
        noise_decay_s=(0.001, 0.008), pan=0.8),
}  # fmt: skip
"""What kits are made of; ``na``, ``ge`` and ``te`` are strokes of the tabla."""


@dataclass
class Kit:
    """One song's drums: each is made when first struck, and its strikes take turns.

    ``tight`` (0-1) damps them: noise dies away up to three times as fast.
    """

    rng: np.random.Generator
    tight: float = 0.0
    _strikes: dict[str, list[Float32[np.ndarray, " samples"]]] = field(default_factory=dict)

    def strike(self, name: str, turn: int) -> Float32[np.ndarray, " samples"]:
        """Give a strike of a drum, peak about 1."""
        if name not in self._strikes:
            self._strikes[name] = self._make(DRUMS[name])
        strikes = self._strikes[name]
        return strikes[turn % len(strikes)]

    def _make(self, drum: Drum) -> list[Float32[np.ndarray, " samples"]]:
        rng = self.rng
        t = np.arange(round(drum.seconds * RATE), dtype=np.float32) / np.float32(RATE)
        edges = np.minimum(1, t / np.float32(0.0008)) * np.minimum(1, (drum.seconds - t) / np.float32(0.02))
        decay, noise_decay = rng.uniform(*drum.tone_decay_s), rng.uniform(*drum.noise_decay_s)
        noise_decay *= 1 - 0.65 * self.tight
        pitch, colour = rng.uniform(*drum.tone_hz), rng.uniform(0.8, 1.2)
        tone = drum.tone * rng.uniform(0.7, 1.2)
        fall = drum.fall * rng.uniform(0.7, 1.3)
        strikes = []
        for _ in range(_VARIANTS):
            sound = np.zeros(len(t), np.float32)
            if tone:
                detuned = pitch * rng.uniform(0.992, 1.008)
                # The integral of pitch · (1 + fall · exp(-t / fall_s)).
                turns = detuned * (t + fall * drum.fall_s * (1 - np.exp(-t / np.float32(drum.fall_s))))
                angle = np.float32(2 * np.pi) * turns
                body = np.sin(angle)
                for number, ratio in enumerate(drum.partials):
                    body += np.float32(0.4 / (1 + number)) * np.sin(np.float32(ratio) * angle)
                sound += np.float32(tone) * body * np.exp(-t / np.float32(decay))
            if drum.noise:
                low, high = drum.noise_hz[0] * colour, min(19_000.0, drum.noise_hz[1] * colour)
                starts = np.arange(drum.bursts) * rng.uniform(0.008, 0.014)
                shape = np.zeros(len(t), np.float32)
                for start in starts:
                    since = t - np.float32(start)
                    dying = noise_decay if start == starts[-1] else noise_decay / 8
                    burst = np.where(since >= 0, np.exp(-np.maximum(since, 0) / np.float32(dying)), 0)
                    np.maximum(shape, burst, out=shape)
                sound += np.float32(drum.noise) * shaped_noise(rng, len(t), low, high) * shape
            strikes.append((sound * edges).astype(np.float32))
        loudest = max(float(np.abs(strike).max()) for strike in strikes)
        return [strike / np.float32(loudest) for strike in strikes]
