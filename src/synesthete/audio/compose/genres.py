"""All genres by name."""

from collections.abc import Mapping
from typing import Final

from synesthete.audio.compose.genres_electronic import ELECTRONIC
from synesthete.audio.compose.genres_played import PLAYED
from synesthete.audio.compose.recipe import Recipe

__all__ = ["BEATLESS", "GENRES"]

GENRES: Final[Mapping[str, Recipe]] = {**ELECTRONIC, **PLAYED}

BEATLESS: Final = tuple(name for name, recipe in GENRES.items() if not recipe.pulse)
"""Genres without a beat: pads; rain, wind and far bells."""
