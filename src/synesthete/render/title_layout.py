"""Lay out title card, lower third and watermark, as a designer would: one measure, one margin, much air.

All lengths are in short sides of the picture, so that every size shows the same layout.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32
from PIL import Image
from scipy.ndimage import gaussian_filter

from synesthete.generators.base import Size
from synesthete.media.lettering import Block, Sheet, TypeStyle, set_text
from synesthete.render.layers import Layer, layer_of, rounded_box, soft_box

__all__ = ["Frame", "draw_card", "draw_lower_third", "draw_watermark"]

_INK: Final = (0.965, 0.96, 0.95)
"""Display RGB of text: a white that isn't cold."""
_TITLE: Final = TypeStyle(weight=600, tracking=-0.018, leading=1.1)
_ARTIST: Final = TypeStyle(weight=500, tracking=0.04, leading=1.3)
_LOWER_TITLE: Final = TypeStyle(weight=600, tracking=-0.006, leading=1.14)
_LOWER_ARTIST: Final = TypeStyle(weight=450, tracking=0.02, leading=1.25)
_MARK: Final = TypeStyle(weight=600, tracking=0.03, leading=1.25)
_ARTIST_SHARE: Final = 0.92
_RULE: Final = 0.0032
_SAFE: Final = 0.05
_SCRIM_REACH: Final = 0.22

Plane = Float32[np.ndarray, "height width"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

Align = Literal["left", "centre"]


@dataclass(frozen=True)
class Frame:
    """The picture that is laid out in, and what its lower edge is kept free for, in short sides."""

    size: Size
    kept_below: float = 0.0

    @property
    def width(self) -> float:
        """In short sides."""
        return self.size.width / self.size.short

    @property
    def height(self) -> float:
        """In short sides."""
        return self.size.height / self.size.short

    @property
    def is_wide(self) -> bool:
        """Whether things stand better beside each other than below each other."""
        return self.width >= 1.3

    @property
    def margin_x(self) -> float:
        """From a side edge to what is set: within the title-safe area, and never tight."""
        return max(_SAFE * self.width, 0.065)

    @property
    def margin_y(self) -> float:
        """From the upper or lower edge."""
        return max(_SAFE * self.height, 0.065)


@dataclass(frozen=True)
class _Placed:
    """A block, and where it stands: its edge or middle, the top of its capitals; and its share of ink."""

    block: Block
    x: float
    y: float
    align: Align = "left"
    share: float = 1.0


def draw_card(frame: Frame, title: str, artist: str, art: Image.Image | None) -> Layer | None:
    """Draw the title card: art beside the title in wide pictures, above it in others."""
    beside = art is not None and frame.is_wide
    side = 0.0 if art is None else 0.44 if frame.is_wide else 0.5 if frame.height > 1.3 else 0.4
    art_width, art_height = _fitted(art, side)
    gap = 0.075
    width = min(frame.width - 2 * frame.margin_x, 1.42) - (art_width + gap if beside else 0.0)
    room = 0.44 if art is None or beside else 0.26
    largest = 0.088 if beside else 0.115 if frame.is_wide else 0.1
    heading = set_text(title, _TITLE, width=width, height=room, largest=largest, smallest=0.034)
    byline = set_text(artist, _ARTIST, width=width, height=0.11, largest=0.042, smallest=0.027)
    above = 0.058 if heading.lines and byline.lines else 0.0
    words = heading.height + above + byline.height
    placed: list[_Placed] = []
    bars: list[Box] = []
    art_box = (0.0, 0.0, 0.0, 0.0)
    middle_x, middle_y = frame.width / 2, frame.height * (0.5 if frame.is_wide else 0.46)
    align: Align = "left" if beside else "centre"
    if beside:
        measure = max(heading.width, byline.width)
        left = middle_x - (art_width + gap + measure) / 2
        art_box = (left, middle_y - art_height / 2, left + art_width, middle_y + art_height / 2)
        x, top = left + art_width + gap, middle_y - words / 2
    else:
        stack = (art_height + 0.08 if art is not None else 0.0) + words
        x, top = middle_x, middle_y - stack / 2
        if art is not None:
            art_box = (middle_x - art_width / 2, top, middle_x + art_width / 2, top + art_height)
            top += art_height + 0.08
    placed.append(_Placed(heading, x, top, align))
    placed.append(_Placed(byline, x, top + heading.height + above, align, _ARTIST_SHARE))
    return _layer(frame, placed, bars, scrim=0.7, art=art, art_box=art_box)


def draw_lower_third(frame: Frame, title: str, artist: str) -> Layer | None:
    """Draw the lower third: two small lines beside a thin rule."""
    gap = 0.024
    x = frame.margin_x + _RULE + gap
    width = min(frame.width - x - frame.margin_x, 1.0)
    heading = set_text(title, _LOWER_TITLE, width=width, height=0.12, largest=0.05, smallest=0.028)
    byline = set_text(artist, _LOWER_ARTIST, width=width, height=0.07, largest=0.033, smallest=0.024)
    above = 0.025 if heading.lines and byline.lines else 0.0
    words = heading.height + above + byline.height
    if not words:
        return None
    # In upright pictures players lay their own buttons over the lowest part.
    lift = max(frame.margin_y, 0.16 * frame.height if frame.height > 1.3 else 0.09)
    top = frame.height - max(lift, frame.kept_below) - words
    placed = [
        _Placed(heading, x, top),
        _Placed(byline, x, top + heading.height + above, share=_ARTIST_SHARE),
    ]
    rule = (frame.margin_x, top - 0.008, frame.margin_x + _RULE, top + words + 0.008)
    return _layer(frame, placed, [rule], scrim=0.7)


def draw_watermark(frame: Frame, mark: str | Image.Image, *, corner: str, opacity: float) -> Layer | None:
    """Draw the watermark into its corner, with its opacity."""
    below = max(frame.margin_y, frame.kept_below)
    is_left, is_top = corner.endswith("left"), corner.startswith("top")
    if isinstance(mark, str):
        width = frame.width / 2 - frame.margin_x
        block = set_text(mark, _MARK, width=width, height=0.06, largest=0.026, smallest=0.018)
        x = frame.margin_x if is_left else frame.width - frame.margin_x - block.width
        y = frame.margin_y if is_top else frame.height - below - block.height
        return _layer(frame, [_Placed(block, x, y)], [], scrim=0.0, opacity=opacity)
    width, height = _fitted(mark, 0.3 * frame.width, 0.09)
    x = frame.margin_x if is_left else frame.width - frame.margin_x - width
    y = frame.margin_y if is_top else frame.height - below - height
    return _layer(
        frame, [], [], scrim=0.0, art=mark, art_box=(x, y, x + width, y + height), opacity=opacity, logo=True
    )


def _fitted(art: Image.Image | None, width: float, height: float | None = None) -> tuple[float, float]:
    """Give a picture's sides when it fills a box as far as its shape allows."""
    if art is None:
        return 0.0, 0.0
    scale = min(width / art.width, (width if height is None else height) / art.height)
    return art.width * scale, art.height * scale


def _layer(
    frame: Frame,
    placed: list[_Placed],
    bars: list[Box],
    *,
    scrim: float,
    art: Image.Image | None = None,
    art_box: Box = (0.0, 0.0, 0.0, 0.0),
    opacity: float = 1.0,
    logo: bool = False,
) -> Layer | None:
    """Draw all at once: text and rules in ink, the picture, and the darkness behind them.

    Parameters
    ----------
    scrim
        How dark it is around the text; a closer shadow comes on top of it.
    logo
        The picture has a shape of its own, and is not framed.
    """
    unit = float(frame.size.short)
    boxes = [_box(one) for one in placed if one.block.lines] + bars + ([] if art is None else [art_box])
    if not boxes:
        return None
    window = _Window(frame.size, _around(boxes), unit)
    height, width = window.shape
    ink = np.zeros((height, width), np.float32)
    for share in sorted({one.share for one in placed} | ({1.0} if bars else set())):
        sheet = Sheet(width, height)
        for one in placed:
            if one.share == share:
                sheet.write(one.block, *window.place(one.x, one.y), unit, align=one.align)
        for bar in bars if share == 1.0 else ():
            sheet.bar(*window.box(bar))
        ink = np.maximum(ink, share * sheet.coverage())
    behind = _shadow(ink, unit)
    if scrim and placed:
        text = _around([_box(one) for one in placed if one.block.lines] + bars)
        padded = (text[0] - 0.1, text[1] - 0.06, text[2] + 0.1, text[3] + 0.06)
        soft = soft_box(window.shape, window.box(padded), _SCRIM_REACH * unit)
        behind = 1.0 - (1.0 - behind) * (1.0 - scrim * soft)
    light = np.stack([np.float32(level * level) * ink for level in _INK])
    coverage = ink
    if art is not None:
        pixels, shape = _picture(window.shape, art, window.box(art_box), None if logo else 0.012 * unit)
        light = light * (1.0 - shape) + pixels * shape
        coverage = coverage + (1.0 - coverage) * shape
        depth = 0.0022 if logo else 0.016
        behind = 1.0 - (1.0 - behind) * (1.0 - 0.55 * _blurred(shape, depth * unit))
    layer = layer_of(opacity * light, opacity * coverage, opacity * behind)
    return (
        None if layer is None else replace(layer, top=layer.top + window.top, left=layer.left + window.left)
    )


class _Window:
    """The part of a frame that is drawn on, pixels: what is written, and room for what lies around it."""

    def __init__(self, size: Size, box: Box, unit: float) -> None:
        self._unit = unit
        reach = (_SCRIM_REACH + 0.1) * unit
        left, top, right, bottom = (side * unit for side in box)
        self.left, self.top = max(0, math.floor(left - reach)), max(0, math.floor(top - reach))
        right, bottom = min(size.width, math.ceil(right + reach)), min(size.height, math.ceil(bottom + reach))
        self.shape = (max(1, int(bottom) - self.top), max(1, int(right) - self.left))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Give a place in pixels of the window."""
        return x * self._unit - self.left, y * self._unit - self.top

    def box(self, box: Box) -> Box:
        """Give a box in pixels of the window."""
        return (*self.place(box[0], box[1]), *self.place(box[2], box[3]))


def _box(one: _Placed) -> Box:
    left = one.x - (one.block.width / 2 if one.align == "centre" else 0.0)
    return left, one.y, left + one.block.width, one.y + one.block.height


def _around(boxes: Sequence[Box]) -> Box:
    """Give the box around boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _shadow(ink: Plane, unit: float) -> Plane:
    """Give a shadow that hugs the letters: no edge of its own, but every letter stands on darkness."""
    near, far = _blurred(ink, 0.0028 * unit), _blurred(ink, 0.011 * unit)
    soft = 1.0 - (1.0 - 0.6 * np.minimum(1.0, 2.2 * near)) * (1.0 - 0.6 * np.minimum(1.0, 4.0 * far))
    return np.asarray(soft, np.float32)


def _blurred(plane: Plane, sigma: float) -> Plane:
    """Blur where there is something; the rest is left empty."""
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    result = np.zeros_like(plane)
    if not len(rows):
        return result
    reach = int(4 * sigma) + 2
    part = tuple(
        slice(max(0, line[0] - reach), min(side, line[-1] + 1 + reach))
        for line, side in zip((rows, columns), plane.shape, strict=True)
    )
    result[part] = gaussian_filter(plane[part], sigma, mode="constant")
    return result


def _picture(
    window: tuple[int, int], art: Image.Image, box: Box, radius: float | None
) -> tuple[Float32[np.ndarray, "3 height width"], Plane]:
    """Draw a picture into a box, pixels, with round corners if it has any: its linear light, its shape."""
    left, top = round(box[0]), round(box[1])
    across, down = max(1, round(box[2] - box[0])), max(1, round(box[3] - box[1]))
    pixels = np.asarray(art, np.float32) / np.float32(255)
    alpha = pixels[:, :, 3:]
    # Multiplied before it is scaled: what is transparent has no colour to lend.
    planes = np.concatenate([pixels[:, :, :3] ** 2 * alpha, alpha], 2)
    scaled = np.stack(
        [
            np.asarray(
                Image.fromarray(np.ascontiguousarray(planes[:, :, k])).resize(
                    (across, down), Image.Resampling.LANCZOS, reducing_gap=3.0
                ),
                np.float32,
            )
            for k in range(4)
        ]
    ).clip(0.0, 1.0)
    shape = scaled[3]
    colour = np.where(shape > 1e-4, np.minimum(scaled[:3] / np.maximum(shape, 1e-4), 1.0), 0.0)
    if radius is not None:
        shape = shape * rounded_box((down, across), (0.0, 0.0), (across, down), radius)
    light, mask = np.zeros((3, *window), np.float32), np.zeros(window, np.float32)
    bottom, right = min(window[0], top + down), min(window[1], left + across)
    light[:, top:bottom, left:right] = colour[:, : bottom - top, : right - left]
    mask[top:bottom, left:right] = shape[: bottom - top, : right - left]
    return light, mask
