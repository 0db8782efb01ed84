"""Voices from a General MIDI soundfont, by tinysoundfont; nothing is played aloud."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.compose.general_midi import DRUM_NOTES, PROGRAMS, optional_module
from synesthete.audio.compose.plan import Line
from synesthete.audio.compose.synthesis import RATE
from synesthete.errors import InputError

__all__ = ["Soundfont"]

_BLOCK: Final = 441
_GAIN_DB: Final = -6.0
_DRUM_CHANNEL: Final = 9
_LEVEL: Final = 1.6
"""Brings soundfonts, on the average, to the level of our own instruments."""


class Soundfont:
    """A soundfont that plays lines of notes.

    Parameters
    ----------
    path
        An ``.sf2`` or ``.sf3`` file with General MIDI's programs.

    Raises
    ------
    InputError
        If tinysoundfont is missing, or the file is no soundfont.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._data = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {path} ({error.strerror or error}); check the name") from None
        # Without its dependencies: PyAudio, which plays aloud, needs a compiler and isn't used.
        self._package = optional_module("tinysoundfont", "pip install --no-deps tinysoundfont")
        self._synth()

    def _synth(self) -> tuple[Any, int]:
        synth = self._package.Synth(gain=_GAIN_DB, samplerate=RATE)
        try:
            return synth, synth.sfload(self._data)
        except Exception as error:  # it has no errors of its own for a damaged file
            raise InputError(f"this is no soundfont that can be read ({error}); give an .sf2 file") from None

    def play(self, line: Line, samples: int) -> Float32[np.ndarray, "2 samples"] | None:
        """Play one line of notes; None if the soundfont has no such program.

        Notes begin at the nearest 10 ms.
        """
        synth, number = self._synth()
        drums = line.stem == "drums"
        channel = _DRUM_CHANNEL if drums else 0
        try:
            if drums:
                synth.program_select(channel, number, 128, 0, True)
            else:
                synth.program_select(channel, number, 0, PROGRAMS[line.voice])
        except (RuntimeError, self._package.SoundFontException):
            return None
        events: list[tuple[int, int, int, int]] = []
        for start, length, pitch, force in zip(
            line.starts_s.tolist(),
            line.lengths_s.tolist(),
            line.pitches.tolist(),
            line.force.tolist(),
            strict=True,
        ):
            key = DRUM_NOTES[line.voice] if drums else pitch
            at = round(start * RATE / _BLOCK)
            # An end comes before a beginning in the same block, so that a repeated note sounds again.
            events.append((at, 1, key, max(1, round(127 * force))))
            events.append((max(at + 1, round((start + length) * RATE / _BLOCK)), 0, key, 0))
        blocks = -(-samples // _BLOCK)
        mix = np.zeros((blocks * _BLOCK, 2), np.float32)
        now = 0
        for at, on, key, velocity in sorted(event for event in events if event[0] < blocks):
            self._run(synth, mix, now, at)
            now = at
            if on:
                synth.noteon(channel, key, velocity)
            else:
                synth.noteoff(channel, key)
        self._run(synth, mix, now, blocks)
        return np.ascontiguousarray(mix[:samples].T) * np.float32(_LEVEL * line.gain)

    @staticmethod
    def _run(synth: Any, mix: Float32[np.ndarray, "samples 2"], start: int, stop: int) -> None:
        if stop > start:
            data = synth.generate_simple((stop - start) * _BLOCK)
            mix[start * _BLOCK : stop * _BLOCK] = np.frombuffer(data, np.float32).reshape(-1, 2)
