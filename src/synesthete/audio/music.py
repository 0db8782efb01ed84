"""What was heard in a whole track beside the columns: beats, bars, key, sections."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Music", "Section"]


@dataclass(frozen=True)
class Section:
    """A stretch of a track; equal labels mean the same music.

    Attributes
    ----------
    start_s, end_s
        Its ends, seconds from the start of the track.
    label
        ``A``, ``B``, … in the order in which they are first heard.
    """

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class Music:
    """Beats, bars, key and sections of a track.

    Attributes
    ----------
    beats, downbeats
        Moments, seconds, ascending; downbeats are a part of the beats. Empty where there is no beat.
    beat_confidence
        How sure the beats are, 0-1, over the whole track.
    tempo_bpm
        Median tempo of the beats, or None where there are none.
    beats_per_bar
        Beats from one downbeat to the next, or None.
    key
        ``"C minor"``, ``"F# major"``, or None where no key stands out.
    sections
        They follow one another without gaps, from the track's start to its end.
    """

    beats: tuple[float, ...] = ()
    downbeats: tuple[float, ...] = ()
    beat_confidence: float = 0.0
    tempo_bpm: float | None = None
    beats_per_bar: int | None = None
    key: str | None = None
    sections: tuple[Section, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the values as JSON has them; `from_json` reads them again."""
        return {
            "beats": list(self.beats),
            "downbeats": list(self.downbeats),
            "beat_confidence": self.beat_confidence,
            "tempo_bpm": self.tempo_bpm,
            "beats_per_bar": self.beats_per_bar,
            "key": self.key,
            "sections": [{"start_s": s.start_s, "end_s": s.end_s, "label": s.label} for s in self.sections],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Music":
        """Read what `to_json` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a value is missing or of another kind.
        """
        tempo, per_bar, key = values["tempo_bpm"], values["beats_per_bar"], values["key"]
        return cls(
            beats=tuple(float(moment) for moment in values["beats"]),
            downbeats=tuple(float(moment) for moment in values["downbeats"]),
            beat_confidence=float(values["beat_confidence"]),
            tempo_bpm=None if tempo is None else float(tempo),
            beats_per_bar=None if per_bar is None else int(per_bar),
            key=None if key is None else str(key),
            sections=tuple(
                Section(float(part["start_s"]), float(part["end_s"]), str(part["label"]))
                for part in values["sections"]
            ),
        )
