"""Programs and drum notes of General MIDI, and a song's score as a MIDI file."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Final

from synesthete.audio.compose.truth import Truth
from synesthete.errors import InputError
from synesthete.files import whole_file

__all__ = ["DRUM_NOTES", "PROGRAMS", "optional_module", "write_midi"]

PROGRAMS: Final = {
    "sub bass": 39, "saw bass": 38, "square bass": 39, "acid bass": 38, "reese bass": 38, "fm bass": 36,
    "upright bass": 32, "electric bass": 33, "piano": 0, "electric piano": 4, "vibraphone": 11, "organ": 16,
    "harpsichord": 6, "guitar": 25, "muted guitar": 28, "distorted guitar": 30, "kalimba": 108, "bell": 14,
    "fm bell": 98, "pluck": 84, "stab": 62, "square blip": 80, "pulse lead": 80, "saw lead": 81, "flute": 73,
    "brass": 61, "reed": 68, "singer": 53, "short strings": 45, "strings": 48, "choir": 52, "warm pad": 89,
    "bright pad": 90, "hollow pad": 95,
}  # fmt: skip
"""General MIDI's program, from 0, by patch."""

DRUM_NOTES: Final = {
    "kick": 36, "rock kick": 35, "boom": 36, "snare": 38, "brush": 40, "clap": 39, "rim": 37, "hat": 42,
    "open hat": 46, "shaker": 70, "ride": 51, "crash": 49, "high tom": 50, "low tom": 45, "timpani": 41,
    "conga": 63, "bongo": 60, "na": 60, "ge": 64, "te": 62, "block": 76, "cowbell": 56, "tambourine": 54,
    "chip kick": 36, "chip noise": 40, "anvil": 80, "click": 33,
}  # fmt: skip
"""General MIDI's note on the drum channel, by drum."""


def optional_module(name: str, remedy: str) -> ModuleType:
    """Import a package that is not always there.

    Raises
    ------
    InputError
        If it is missing; says how to install it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"the package {name} is missing ({error}); install it with: {remedy}") from None


def write_midi(path: Path, truth: Truth) -> None:
    """Write a song's notes, tempo and metre as a standard MIDI file, which appears whole.

    Times are kept to a few milliseconds: beats become ticks at a tempo that changes with every beat's length.

    Raises
    ------
    InputError
        If pretty_midi is missing.
    OutputError, RenderError
        If the file can't be written.
    """
    midi = optional_module("pretty_midi", 'pip install "synesthete[soundfont]"')
    score = midi.PrettyMIDI(resolution=960, initial_tempo=truth.tempo)
    players: dict[tuple[str, str], object] = {}
    for note in truth.notes:
        drum = note.pitch is None
        if drum and note.voice not in DRUM_NOTES:
            continue  # a riser has no note
        key = ("drums", "") if drum else (note.stem, note.voice)
        if key not in players:
            program = 0 if drum else PROGRAMS[note.voice]
            name = "drums" if drum else f"{note.stem}: {note.voice}"
            players[key] = midi.Instrument(program, is_drum=drum, name=name)
            score.instruments.append(players[key])
        pitch = DRUM_NOTES[note.voice] if note.pitch is None else note.pitch
        velocity = max(1, round(127 * note.velocity))
        stop = note.start_s + (min(note.duration_s, 0.1) if drum else note.duration_s)
        players[key].notes.append(midi.Note(velocity, pitch, note.start_s, stop))  # type: ignore[attr-defined]
    score.time_signature_changes.append(midi.TimeSignature(truth.metre, 4, 0.0))
    with whole_file(path) as part:
        score.write(str(part))
