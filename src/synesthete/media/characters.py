"""Characters: clean a text, find fonts that have its letters, and cut it where its font changes."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import features

from synesthete.media.fonts import SHIPPED_FONT, fonts_for, glyphs_of

__all__ = [
    "cleaned",
    "clusters_of",
    "legible",
    "reads_right_to_left",
    "runs_of",
    "unset_characters",
]

_JOINERS: Final = frozenset("\u200c\u200d")  # joiners: scripts need them
_VARIATION_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0000-\U000e0fff]")
_RIGHT_TO_LEFT: Final = ("R", "AL")


def cleaned(text: str) -> str:
    r"""Make one line of a text, of characters that are meant to be seen; accents are composed.

    Examples
    --------
    >>> cleaned(" Jo\u0301ga\n\x07 (live)  ")
    'Jóga (live)'
    """
    spaced = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Zs") else letter for letter in text
    )
    seen = "".join(
        letter
        for letter in spaced
        if letter in _JOINERS
        or not (unicodedata.category(letter) in ("Cf", "Cs") or _is_noncharacter(letter))
    )
    return " ".join(_VARIATION_SELECTORS.sub("", unicodedata.normalize("NFC", seen)).split())


def unset_characters(text: str) -> str:
    """Give the characters of a cleaned text that no font here draws, each once."""
    return "".join(dict.fromkeys(letter for letter in text if not _is_drawn(letter, _fonts(text))))


def legible(text: str) -> str:
    """Clean a text, and leave out what no font here draws."""
    known = cleaned(text)
    missing = set(unset_characters(known))
    kept: list[str] = []
    dropping = False
    for letter in known:
        # What is put on a letter goes with it.
        dropping = letter in missing or (dropping and _joins(letter))
        if not dropping:
            kept.append(letter)
    return " ".join("".join(kept).split())


def reads_right_to_left(text: str) -> bool:
    """Tell whether a text's letters can be set in their direction; others than right-to-left always can."""
    needed = any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)
    return not needed or all(features.check(name) for name in ("raqm", "fribidi"))


@lru_cache(maxsize=1024)
def _fonts(text: str) -> tuple[Path, ...]:
    return fonts_for(letter for letter in text if not _is_invisible(letter))


@lru_cache(maxsize=1024)
def runs_of(line: str) -> tuple[tuple[Path, str], ...]:
    """Cut a line where its font changes, in the order in which the parts are seen."""
    fonts = _fonts(line)
    leftward = _runs_leftward(line)
    if leftward or any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in line):
        # Directions are sorted out within a run: one font for all, if one has all.
        whole = [font for font in fonts if all(_is_drawn(letter, (font,)) for letter in line)]
        if whole:
            return ((whole[0], line),)
    runs: list[tuple[Path, str]] = []
    for cluster in clusters_of(line):
        able = [font for font in fonts if all(_is_drawn(letter, (font,)) for letter in cluster)]
        base = [font for font in fonts if _is_drawn(cluster[0], (font,))]
        font = (able or base or [SHIPPED_FONT])[0]
        if runs and (runs[-1][0] == font or (cluster == " " and _is_drawn(" ", (runs[-1][0],)))):
            runs[-1] = (runs[-1][0], runs[-1][1] + cluster)
        else:
            runs.append((font, cluster))
    return tuple(reversed(runs)) if leftward else tuple(runs)


def _runs_leftward(line: str) -> bool:
    """Tell a line's direction by its first letter that has one (Unicode Standard Annex 9, rule P2)."""
    for letter in line:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", *_RIGHT_TO_LEFT):
            return direction != "L"
    return False


def clusters_of(text: str) -> list[str]:
    """Cut a text into letters, each with what is put on it."""
    clusters: list[str] = []
    for letter in text:
        if clusters and (_joins(letter) or clusters[-1].endswith("\u200d")):
            clusters[-1] += letter
        else:
            clusters.append(letter)
    return clusters


def _joins(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Me", "Mc") or letter in _JOINERS


def _is_noncharacter(letter: str) -> bool:
    return ord(letter) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(letter) <= 0xFDEF


def _is_invisible(letter: str) -> bool:
    return letter in _JOINERS or letter == " "


def _is_drawn(letter: str, fonts: Sequence[Path]) -> bool:
    return _is_invisible(letter) or any(ord(letter) in glyphs_of(font) for font in fonts)
