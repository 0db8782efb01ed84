"""Two short songs for probing generators where none is named: the same everywhere, so that figures compare.

One is fast, even and electronic, the other slow, in three and plucked. Both have parts that differ, and rest.
"""

import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64

from synesthete.files import whole_file
from synesthete.seeding import generator_for

__all__ = ["PROBE_SONGS", "write_probe_song"]

_RATE: Final = 44_100
_SECONDS: Final = 32.0
_REST_S: Final = (20.0, 22.5)  # the music rests, in both songs
_LEVEL: Final = 0.8

Sound = Float64[np.ndarray, " samples"]


def write_probe_song(name: str, path: Path) -> None:
    """Write one of `PROBE_SONGS` as a WAV file, stereo at 44.1 kHz, whole.

    Raises
    ------
    OutputError, RenderError
        If the file can't be written.
    """
    left, right = PROBE_SONGS[name]()
    scale = 32_767 * _LEVEL / max(np.abs(left).max(), np.abs(right).max())
    samples = np.rint(np.stack([left, right], axis=1) * scale).astype("<i2")
    with whole_file(path) as part, wave.open(str(part), "wb") as handle:
        handle.setnchannels(2)
        handle.setsampwidth(2)
        handle.setframerate(_RATE)
        handle.writeframes(samples.tobytes())


def _pulse() -> tuple[Sound, Sound]:
    """Play 124 beats a minute: kick, hats, claps, an offbeat bass, chords from the second part on."""
    beat = 60 / 124
    noise = generator_for(0, "probe song: pulse").standard_normal(_RATE)
    kick = _drop(0.3, 48, 160, 9)
    hat = noise[: int(0.06 * _RATE)] * _fading(0.06, 70)
    clap = noise[: int(0.18 * _RATE)] * _fading(0.18, 22)
    centre, side = _silence(), _silence()
    chords = ((45, 57, 60, 64), (41, 57, 60, 65), (48, 55, 60, 64), (43, 55, 59, 62))
    for number in range(int(_SECONDS / beat)):
        at, bar = number * beat, number // 4
        _add(centre, kick, at)
        _add(side, hat, at + beat / 2, 0.35 if number % 2 else 0.25)
        if number % 2:
            _add(centre, clap, at, 0.4)
        root = chords[bar % 4][0]
        _add(centre, _tone(root - 12, 0.2, harmonics=6), at + beat / 2, 0.7)
        if at >= 8 and number % 4 == 0:
            for pitch in chords[bar % 4][1:]:
                _add(side, _tone(pitch, 4 * beat, harmonics=10, fade=1.2), at, 0.16)
        if at >= 14:
            _add(side, _tone(chords[bar % 4][1 + number % 3] + 24, 0.15, harmonics=3), at + beat / 4, 0.25)
    return _rested(centre + 0.8 * side), _rested(centre + 0.6 * side)


def _waltz() -> tuple[Sound, Sound]:
    """Play 96 beats a minute in three: plucked strings, softly, with a melody that wanders."""
    beat = 60 / 96
    random = generator_for(0, "probe song: waltz")
    left, right = _silence(), _silence()
    chords = ((50, 57, 62, 65), (46, 58, 62, 65), (53, 57, 60, 65), (48, 55, 60, 64))
    step = 4
    scale = [62, 64, 65, 67, 69, 70, 72, 74, 76, 77]
    for number in range(int(_SECONDS / beat)):
        at, chord = number * beat, chords[number // 6 % 4]
        loud = 0.5 + 0.5 * np.sin(np.pi * at / _SECONDS)
        if number % 3 == 0:
            _add(left, _tone(chord[0] - 12, 1.4, harmonics=8), at, 0.8 * loud)
        else:
            for pitch in chord[1:]:
                _add(right, _tone(pitch, 0.7, harmonics=5), at, 0.25 * loud)
        for half in range(2):
            if random.random() < 0.6:
                step = int(np.clip(step + random.integers(-2, 3), 0, len(scale) - 1))
                _add(left, _tone(scale[step] + 12, 0.9, harmonics=4), at + half * beat / 2, 0.4 * loud)
    return _rested(left + 0.4 * right), _rested(right + 0.4 * left)


PROBE_SONGS: Final[dict[str, Callable[[], Sequence[Sound]]]] = {"pulse": _pulse, "waltz": _waltz}
"""The songs by name."""


def _silence() -> Sound:
    return np.zeros(int(_SECONDS * _RATE))


def _rested(sound: Sound) -> Sound:
    """Fade out before the rest and at the end, so that nothing clicks."""
    moments = np.arange(len(sound)) / _RATE
    fade = np.clip((_REST_S[0] - moments) / 0.3, 0, 1) + (moments >= _REST_S[1])
    return sound * fade * np.clip((_SECONDS - moments) / 0.5, 0, 1)


def _fading(seconds: float, rate: float) -> Sound:
    return np.exp(-rate * np.arange(int(seconds * _RATE)) / _RATE)


def _tone(midi: float, seconds: float, *, harmonics: int, fade: float = 4.0) -> Sound:
    moments = np.arange(int(seconds * _RATE)) / _RATE
    turns = 440 * 2 ** ((midi - 69) / 12) * moments
    waves = sum(np.sin(2 * np.pi * k * turns) / k * np.exp(-k * moments) for k in range(1, harmonics + 1))
    ends = np.clip(moments / 0.004, 0, 1) * np.clip((seconds - moments) / 0.02, 0, 1)
    return np.asarray(waves * np.exp(-fade * moments) * ends)


def _drop(seconds: float, low_hz: float, high_hz: float, rate: float) -> Sound:
    moments = np.arange(int(seconds * _RATE)) / _RATE
    hertz = low_hz + high_hz * np.exp(-30 * moments)
    return np.asarray(np.sin(2 * np.pi * np.cumsum(hertz) / _RATE) * np.exp(-rate * moments))


def _add(mix: Sound, sound: Sound, second: float, gain: float = 1.0) -> None:
    start = round(second * _RATE)
    part = sound[: max(0, len(mix) - start)]
    mix[start : start + len(part)] += gain * part
