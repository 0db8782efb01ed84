"""What a composed song knows about itself: beats, sections, notes, silences; to JSON and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Note", "Passage", "Truth"]


@dataclass(frozen=True)
class Note:
    """A note or a stroke that is heard.

    Attributes
    ----------
    stem
        Which stem plays it.
    start_s, duration_s
        Its beginning and length, seconds; a stroke lasts until the sound has died away.
    pitch
        MIDI number, or None for what has no pitch.
    velocity
        How hard it is struck, 0-1.
    voice
        Name of the instrument or of the drum.
    """

    stem: str
    start_s: float
    duration_s: float
    pitch: int | None
    velocity: float
    voice: str = ""


@dataclass(frozen=True)
class Passage:
    """A section of the song: its kind (``intro``, ``verse``, ``drop``, …), ends in seconds, energy 0-1."""

    name: str
    start_s: float
    stop_s: float
    energy: float


@dataclass(frozen=True)
class Truth:
    """The ground truth of a composed song.

    Attributes
    ----------
    seconds
        Length of the song.
    genre
        What it was composed as: one genre, or two joined by ``+``.
    tempo
        Beats per minute at its start.
    metre
        Beats in a bar.
    key
        Such as ``"F# minor"``; the word after the root is a scale of `synesthete.audio.compose.theory`.
    pulse
        Whether there is a beat to be heard; without one, ``beats`` and ``downbeats`` are empty.
    beats, downbeats
        Moments, seconds, ascending; downbeats are a part of the beats. None lie in a silence.
    sections
        They follow one another without gaps, from the start to the end.
    notes
        In the order of their starts.
    silences
        Stretches of true digital silence, (start, stop) in seconds.
    """

    seconds: float
    genre: str
    tempo: float
    metre: int
    key: str
    pulse: bool
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    sections: tuple[Passage, ...]
    notes: tuple[Note, ...]
    silences: tuple[tuple[float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Give the values as JSON has them; notes are rows of the fields in ``note_fields``."""
        fields = list(Note.__dataclass_fields__)
        return {
            "seconds": self.seconds,
            "genre": self.genre,
            "tempo": self.tempo,
            "metre": self.metre,
            "key": self.key,
            "pulse": self.pulse,
            "beats": list(self.beats),
            "downbeats": list(self.downbeats),
            "sections": [asdict(section) for section in self.sections],
            "silences": [list(span) for span in self.silences],
            "note_fields": fields,
            "notes": [[getattr(note, name) for name in fields] for note in self.notes],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Truth":
        """Read what `to_json` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a value is missing or of another kind.
        """
        fields = values["note_fields"]
        return cls(
            seconds=float(values["seconds"]),
            genre=str(values["genre"]),
            tempo=float(values["tempo"]),
            metre=int(values["metre"]),
            key=str(values["key"]),
            pulse=bool(values["pulse"]),
            beats=tuple(float(moment) for moment in values["beats"]),
            downbeats=tuple(float(moment) for moment in values["downbeats"]),
            sections=tuple(Passage(**section) for section in values["sections"]),
            notes=tuple(Note(**dict(zip(fields, row, strict=True))) for row in values["notes"]),
            silences=tuple((float(start), float(stop)) for start, stop in values["silences"]),
        )
