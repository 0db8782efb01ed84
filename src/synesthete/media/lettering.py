"""Set text: break it into lines that fit a box, and draw it as coverage.

Lines are measured at one large size, in ems, so that they break at the same words in pictures of every size.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw, ImageFont, features

from synesthete.media.characters import clusters_of, runs_of
from synesthete.media.fonts import SHIPPED_FONT

__all__ = [
    "CAP_HEIGHT",
    "Block",
    "Sheet",
    "TypeStyle",
    "set_text",
]

CAP_HEIGHT: Final = 0.727
"""Height of a capital of the shipped font, ems."""

_MASTER_PIXELS: Final = 200.0
_FULL_WEIGHT_LINES: Final = 2
_SHRINK: Final = 0.94
_SCALES: Final = ((8, 250_000), (4, 2_500_000), (2, 10_000_000), (1, math.inf))
_ELLIPSIS: Final = "…"
# Han, kana, hangul and fullwidth forms: lines may break between any two of them.
_BREAKS_ANYWHERE: Final = re.compile(
    r"([\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff])"
)
_CLOSING: Final = frozenset("、。，．！？：；）】」』〉》”’ー…·")


@dataclass(frozen=True)
class TypeStyle:
    """How letters are set.

    Attributes
    ----------
    weight
        100 (thin) to 900 (black).
    tracking
        Space added between letters, ems; only where letters stand apart anyway.
    leading
        From one baseline to the next, ems.
    tabular
        Give all figures one width.
    """

    weight: int = 400
    tracking: float = 0.0
    leading: float = 1.2
    tabular: bool = False


@dataclass(frozen=True)
class Block:
    """Lines of text in one size.

    Attributes
    ----------
    lines
        Top to bottom.
    style
        How they are set.
    size
        The em, in the unit of the box.
    width
        Of the widest line, in that unit.
    """

    lines: tuple[str, ...]
    style: TypeStyle
    size: float
    width: float

    @property
    def height(self) -> float:
        """From the top of the first line's capitals to the last line's baseline."""
        if not self.lines:
            return 0.0
        return self.size * (CAP_HEIGHT + (len(self.lines) - 1) * self.style.leading)


def set_text(
    text: str,
    style: TypeStyle,
    *,
    width: float,
    height: float,
    largest: float,
    smallest: float,
) -> Block:
    """Set a text in a box, as large as goes: it shrinks, and is broken into lines of like lengths.

    Large type takes two lines at most; smaller type takes more. What doesn't fit in the smallest ends in an
    ellipsis.

    Parameters
    ----------
    text
        As `legible` gave it.
    width, height
        Of the box, in any unit; the height reaches from the first line's capitals to the last baseline.
    largest, smallest
        The em, in that unit.
    """
    size = largest
    while True:
        last = size <= smallest
        room = 1 + int(max(0.0, height / size - CAP_HEIGHT) / style.leading + 1e-9)
        most = room if last else min(room, _FULL_WEIGHT_LINES + int(largest / size - 0.5))
        lines = _broken(text, style, width / size, within_words=last)
        if lines is not None and len(lines) <= most:
            lines = _balanced(text, style, width / size, lines)
            break
        if last:
            lines = _cut(lines or [], style, width / size, most)
            break
        size = max(smallest, size * _SHRINK)
    return Block(tuple(lines), style, size, size * max((_width(line, style) for line in lines), default=0.0))


class Sheet:
    """A sheet of coverage on which text is drawn larger and then reduced, so that nothing is hinted.

    Parameters
    ----------
    width, height
        Pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        # Letters are drawn to the nearest finer pixel; large sheets have smooth edges anyway.
        area = width * height
        self._scale = next(scale for scale, most in _SCALES if area <= most)
        self._image = Image.new("L", (width * self._scale, height * self._scale))
        self._draw = ImageDraw.Draw(self._image)

    def write(self, block: Block, x: float, y: float, pixels: float, *, align: str = "left") -> None:
        """Write a block.

        Parameters
        ----------
        x, y
            Its left edge (``align="left"``), middle (``"centre"``) or right edge (``"right"``), and the top
            of its first line's capitals, pixels.
        pixels
            Pixels to the unit of the block's size.
        """
        em = block.size * pixels
        share = {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        for number, line in enumerate(block.lines):
            baseline = y + em * (CAP_HEIGHT + number * block.style.leading)
            self._line(line, block.style, x - share * em * _width(line, block.style), baseline, em)

    def bar(self, left: float, top: float, right: float, bottom: float) -> None:
        """Fill a rectangle; its edges are rounded to the sheet's finer pixels."""
        a, b, c, d = (round(side * self._scale) for side in (left, top, right, bottom))
        self._draw.rectangle((a, b, max(a, c - 1), max(b, d - 1)), fill=255)

    def coverage(self) -> Float32[np.ndarray, "height width"]:
        """Give how much of each pixel is covered, 0-1."""
        image = self._image if self._scale == 1 else self._image.reduce(self._scale)
        return np.asarray(image, np.float32) / np.float32(255)

    def _line(self, line: str, style: TypeStyle, x: float, baseline: float, em: float) -> None:
        for font, piece, offset in _pieces(line, style):
            place = ((x + em * offset) * self._scale, baseline * self._scale)
            face = _face(font, style.weight, em * self._scale)
            self._draw.text(place, piece, fill=255, font=face, anchor="ls", features=_features(style))


def _pieces(line: str, style: TypeStyle) -> Iterator[tuple[Path, str, float]]:
    """Cut a line into what is drawn at once, each with its font and its distance from the left, ems."""
    x = 0.0
    for font, run in runs_of(line):
        if _tracked(font, style):
            end = 0
            for cluster in clusters_of(run):
                end += len(cluster)
                # Its end less its own width: kerning stays.
                start = _length(run[:end], font, style) - _length(cluster, font, style)
                yield font, cluster, x + start
                x += style.tracking
        else:
            yield font, run, x
        x += _length(run, font, style)


@lru_cache(maxsize=4096)
def _width(line: str, style: TypeStyle) -> float:
    """Measure a line, ems; no tracking follows its last letter."""
    total = 0.0
    for font, run in runs_of(line):
        total += _length(run, font, style)
        if _tracked(font, style):
            total += style.tracking * len(clusters_of(run))
    runs = runs_of(line)
    return total - (style.tracking if runs and _tracked(runs[-1][0], style) else 0.0)


def _tracked(font: Path, style: TypeStyle) -> bool:
    return style.tracking != 0.0 and font == SHIPPED_FONT  # other scripts may join their letters


@lru_cache(maxsize=65_536)
def _length(text: str, font: Path, style: TypeStyle) -> float:
    face = _face(font, style.weight, _MASTER_PIXELS)
    return float(face.getlength(text, features=_features(style))) / _MASTER_PIXELS


@lru_cache(maxsize=256)
def _face(font: Path, weight: int, pixels: float) -> ImageFont.FreeTypeFont:
    face = ImageFont.truetype(str(font), pixels)
    if font == SHIPPED_FONT:
        face.set_variation_by_axes([weight])
    return face


def _features(style: TypeStyle) -> list[str] | None:
    return ["tnum"] if style.tabular and features.check("raqm") else None


def _words(text: str) -> list[str]:
    """Cut a text where lines may break; the spaces stay at the ends of words."""
    words: list[str] = []
    for part in re.findall(r"[^ ]+ ?", text):
        for piece in filter(None, _BREAKS_ANYWHERE.split(part)):
            if words and not words[-1].endswith(" ") and (piece[0] in _CLOSING or piece == " "):
                words[-1] += piece
            else:
                words.append(piece)
    return words


def _broken(text: str, style: TypeStyle, width: float, *, within_words: bool) -> list[str] | None:
    """Break a text into lines of at most a width, ems; None where a word alone is wider."""
    lines: list[str] = []
    line = ""
    for word in _words(text):
        if line and _width((line + word).rstrip(), style) <= width:
            line += word
            continue
        if line:
            lines.append(line.rstrip())
        line = word
        if _width(word.rstrip(), style) > width:
            if not within_words:
                return None
            *full, line = _broken_word(word, style, width)
            lines += full
    return [*lines, line.rstrip()] if line.strip() else lines


def _broken_word(word: str, style: TypeStyle, width: float) -> list[str]:
    lines = [""]
    for cluster in clusters_of(word):
        if lines[-1] and _width((lines[-1] + cluster).rstrip(), style) > width:
            lines.append("")
        lines[-1] += cluster
    return lines


def _balanced(text: str, style: TypeStyle, width: float, lines: list[str]) -> list[str]:
    """Break into as many lines, but of the smallest width that allows that."""
    if len(lines) < 2:
        return lines
    low, high = width / len(lines) / 2, width
    for _ in range(12):
        middle = (low + high) / 2
        tried = _broken(text, style, middle, within_words=False)
        if tried is not None and len(tried) <= len(lines):
            high, lines = middle, tried
        else:
            low = middle
    return lines


def _cut(lines: list[str], style: TypeStyle, width: float, most: int) -> list[str]:
    """Keep some lines; the last of them ends in an ellipsis."""
    kept = lines[: max(1, most)]
    clusters = clusters_of(kept[-1])
    while clusters and _width("".join(clusters).rstrip() + _ELLIPSIS, style) > width:
        clusters.pop()
    kept[-1] = "".join(clusters).rstrip(" ,;:-–") + _ELLIPSIS
    return kept
