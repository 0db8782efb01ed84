"""A composer of training music: endless songs whose beats, notes and sections are known."""

from synesthete.audio.compose.composition import SECONDS_RANGE, Composition, compose
from synesthete.audio.compose.truth import Note, Passage, Truth

__all__ = ["SECONDS_RANGE", "Composition", "Note", "Passage", "Truth", "compose"]
