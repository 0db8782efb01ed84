"""Fonts: the one that ships, and others for the characters that it lacks."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

__all__ = ["SHIPPED_FONT", "fonts_for", "glyphs_of"]

SHIPPED_FONT: Final = Path(__file__).resolve().parents[1] / "fonts" / "InterDisplay.ttf"
"""Inter Display, of every weight from 100 to 900: Latin, Greek and Cyrillic."""

_PLAIN_FIRST: Final = (
    "bold", "black", "heavy", "italic", "oblique", "mono", "condensed", "light", "thin", "serif",
)  # fmt: skip


def fonts_for(characters: Iterable[str]) -> tuple[Path, ...]:
    """Choose fonts that have the characters, the shipped one first; those of the system only if need be.

    Characters that no font has are in none of them.
    """
    chosen = [SHIPPED_FONT]
    wanted = frozenset(ord(letter) for letter in characters)
    missing = wanted - glyphs_of(SHIPPED_FONT)
    for candidates in (_matplotlib_fonts, _system_fonts):
        while missing:
            # min keeps the first of equals, and plain cuts come first.
            best = min(candidates(), key=lambda font: len(missing - glyphs_of(font)), default=None)
            if best is None or not missing & glyphs_of(best):
                break
            chosen.append(best)
            missing -= glyphs_of(best)
    return tuple(chosen)


@lru_cache(maxsize=4096)
def glyphs_of(font: Path) -> frozenset[int]:
    """Give the code points that a font draws; none of a font that can't be scaled or read."""
    from matplotlib.ft2font import FT2Font  # heavy: loaded when first used

    try:
        face = FT2Font(str(font))
        return frozenset(face.get_charmap()) if face.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@lru_cache(maxsize=1)
def _matplotlib_fonts() -> tuple[Path, ...]:
    """Give DejaVu Sans, which comes with matplotlib: Arabic, Hebrew, Armenian, Georgian, many symbols."""
    import matplotlib

    return (Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf",)


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[Path, ...]:
    from matplotlib.font_manager import findSystemFonts

    def rank(path: Path) -> tuple[int, str]:
        name = path.name.lower()
        return sum(word in name for word in _PLAIN_FIRST), name

    found = {Path(name) for name in findSystemFonts()}
    return tuple(sorted(found, key=rank))
