"""Draw the analyser overlay's strip: tempo, beat, section, key; loudness and onsets; the spectrum.

Every edge is computed as coverage of pixels, so that small pictures show the large ones from further away.
"""

import math
import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

from synesthete.audio.columns import SPECTRUM_BANDS
from synesthete.audio.music import Music
from synesthete.clock import ANALYSIS_RATE
from synesthete.generators.base import Size
from synesthete.media.lettering import CAP_HEIGHT, Block, Sheet, TypeStyle, set_text
from synesthete.render.layers import Layer, rounded_box
from synesthete.render.title_layout import Frame

__all__ = ["REACH_SECONDS", "Heard", "Strip", "strip_height"]

REACH_SECONDS: Final = 4.2
"""How far before and after its moment a picture shows; a little is not seen."""

_SHOWN_SECONDS: Final = 4.0
_LEAST_MEAN_SECONDS: Final = 0.03
_PAD: Final = 0.022
_READOUTS: Final = 0.375
_SPECTRUM: Final = 0.47
_ROW: Final = 0.092
_TRACE_ROW: Final = 0.074
_GAP: Final = 0.04
_BAR_SHARE: Final = 0.68
_LINE: Final = 0.0022
_BAND: Final = 0.0055
_FIGURES_TOP: Final = 0.026
_FIGURES_SIZE: Final = 0.05
_LOUDEST_BAND: Final = 0.9
"""Level of a band that fills the spectrum's height: -6 dBFS; bands of music stay below."""
_BODY: Final = 0.6
_HITS: Final = 0.8
_AHEAD: Final = 0.42
"""How bright what is yet to come is drawn."""

_PANEL: Final = (0.035, 0.04, 0.055)
_PANEL_COVERAGE: Final = 0.84
_INK: Final = (0.96, 0.96, 0.95)
_FAINT: Final = (0.62, 0.64, 0.68)
_LOW_BANDS, _MIDDLE_BANDS, _HIGH_BANDS = (1.0, 0.45, 0.35), (1.0, 0.82, 0.42), (0.42, 0.78, 1.0)
_SECTIONS: Final = (
    (0.36, 0.70, 1.0), (1.0, 0.62, 0.34), (0.50, 0.86, 0.56), (0.95, 0.48, 0.70),
    (0.74, 0.62, 1.0), (0.98, 0.83, 0.38), (0.38, 0.84, 0.82), (1.0, 0.50, 0.46),
)  # fmt: skip
_CAPTION: Final = TypeStyle(weight=560, tracking=0.09)
_FIGURES: Final = TypeStyle(weight=600, tabular=True)
_WORD: Final = TypeStyle(weight=560)

Plane = Float32[np.ndarray, "height width"]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Heard:
    """What was heard around a moment.

    Attributes
    ----------
    moment
        Seconds.
    spectrum, held
        64 bands, 0-1, and how high the marks above them stand.
    first_row, loudness, onset, section
        Rows of the Timeline (100 Hz) around it from ``first_row`` on; section is -1 where the song isn't.
    label
        The section's letter, if there is one.
    beats, downbeats
        Those around it, seconds.
    beat_of_bar
        Which beat of the bar it is, from 0, if that is known.
    pulse
        The beat's pulse, 0-1.
    tempo
        Beats per minute, if there are any.
    music
        Beats, key and sections of the whole song.
    """

    moment: float
    spectrum: Float32[np.ndarray, " 64"]
    held: Float32[np.ndarray, " 64"]
    first_row: int
    loudness: Float32[np.ndarray, " rows"]
    onset: Float32[np.ndarray, " rows"]
    section: Int64[np.ndarray, " rows"]
    label: str | None
    beats: Float64[np.ndarray, " beats"]
    downbeats: Float64[np.ndarray, " downbeats"]
    beat_of_bar: int | None
    pulse: float
    tempo: int | None
    music: Music


def strip_height(size: Size) -> float:
    """Give how far the strip reaches up from the picture's lower edge, short sides."""
    return _below(size) + _panel_height(size)


def _is_wide(size: Size) -> bool:
    return size.width >= 1.3 * size.height


def _below(size: Size) -> float:
    upright = size.height > 1.3 * size.width
    # In upright pictures players lay their own buttons over the lowest part.
    return 0.1 * size.height / size.width if upright else 0.05


def _panel_height(size: Size) -> float:
    return _ROW + 2 * _PAD + (0.0 if _is_wide(size) else _TRACE_ROW + 0.03)


@dataclass(frozen=True)
class _Area:
    """A part of the strip, pixels; edges lie on pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def part(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


class Strip:
    """Draws the strip for pictures of one size.

    Parameters
    ----------
    size
        Of the pictures.
    music
        Of the song: its key, and how many beats a bar has, don't change.
    """

    def __init__(self, size: Size, music: Music) -> None:
        self._unit = float(size.short)
        across, down = size.width / size.short, size.height / size.short
        margin = Frame(size).margin_x  # so that it stands in line with what is written
        height = _panel_height(size)
        left, top = margin * self._unit, (down - _below(size) - height) * self._unit
        right, bottom = (across - margin) * self._unit, (down - _below(size)) * self._unit
        self._left, self._top = math.floor(left), math.floor(top)
        shape = (math.ceil(bottom) - self._top, math.ceil(right) - self._left)
        self._origin = (left - self._left, top - self._top)
        inner = across - 2 * margin - 2 * _PAD
        row = _PAD if _is_wide(size) else _PAD + _TRACE_ROW + 0.03
        self._row = row
        if _is_wide(size):
            spectrum = min(_SPECTRUM, 0.32 * inner)
            trace = (_PAD + _READOUTS + _GAP, _PAD, inner - _READOUTS - spectrum - 2 * _GAP, _ROW)
        else:
            spectrum = inner - _READOUTS - _GAP
            trace = (_PAD, _PAD, inner, _TRACE_ROW)
        self._trace = self._area(*trace)
        self._bars = self._area(_PAD + inner - spectrum, row, spectrum, _ROW - 0.018)
        self._inks: dict[tuple[str, int], Plane] = {}
        self._lock = threading.Lock()
        self._beats_per_bar = music.beats_per_bar or 4
        self._across_bars, self._bar_light = _bars_across(self._bars.width)
        self._ground = self._draw_ground(shape, (right - left, bottom - top), music)

    def draw(self, heard: Heard) -> Layer:
        """Draw the strip at a moment."""
        light, coverage = self._ground[0].copy(), self._ground[1].copy()
        self._draw_trace(light, coverage, heard)
        self._draw_spectrum(light, coverage, heard)
        self._draw_readouts(light, coverage, heard)
        return Layer(self._top, self._left, torch.from_numpy(light), torch.from_numpy(coverage[None]))

    def _area(self, x: float, y: float, width: float, height: float) -> _Area:
        left, top = (round(o + v * self._unit) for o, v in zip(self._origin, (x, y), strict=True))
        right = round(self._origin[0] + (x + width) * self._unit)
        bottom = round(self._origin[1] + (y + height) * self._unit)
        return _Area(left, top, max(1, right - left), max(1, bottom - top))

    def _draw_ground(
        self, shape: tuple[int, int], sides: tuple[float, float], music: Music
    ) -> tuple[Float32[np.ndarray, "3 height width"], Plane]:
        """Draw what never changes: the panel, captions, the key, the spectrum's base."""
        panel = rounded_box(shape, self._origin, sides, 0.016 * self._unit)
        coverage = np.float32(_PANEL_COVERAGE) * panel
        light = np.stack([np.float32(level**2) * coverage for level in _PANEL])
        sheet = Sheet(shape[1], shape[0])
        for x, text in ((0.0, "TEMPO"), (0.13, "SECTION"), (0.255, "KEY")):
            self._write(sheet, text, _CAPTION, 0.0142, _PAD + x, self._row)
        places = [math.log(hz / 30) / math.log(16_000 / 30) for hz in (100, 1_000, 10_000)]
        start, span = self._bars.left - self._origin[0], self._bars.width
        for place, text in zip(places, ("100 Hz", "1 kHz", "10 kHz"), strict=True):
            block = _block(text, _WORD, 0.0142)
            x = (start + place * span) / self._unit - block.width / 2
            self._write(sheet, text, _WORD, 0.0142, x, self._row + _ROW - 0.0105)
        _over(light, coverage, (slice(None), slice(None)), sheet.coverage(), _FAINT)
        sheet = Sheet(shape[1], shape[0])
        self._write(
            sheet,
            music.key or "–",
            _WORD,
            0.0265,
            _PAD + 0.255,
            self._row + _FIGURES_TOP + CAP_HEIGHT * (0.05 - 0.0265),
        )
        if music.beats_per_bar is None:
            self._write(sheet, "–", _WORD, 0.0265, _PAD, self._row + 0.075)
        _over(light, coverage, (slice(None), slice(None)), sheet.coverage(), _INK)
        return light, coverage

    def _write(self, sheet: Sheet, text: str, style: TypeStyle, em: float, x: float, y: float) -> None:
        place = (self._origin[0] + x * self._unit, self._origin[1] + y * self._unit)
        sheet.write(_block(text, style, em), *place, self._unit)

    def _draw_trace(self, light: Plane, coverage: Plane, heard: Heard) -> None:
        area, unit = self._trace, self._unit
        step = 2 * _SHOWN_SECONDS / area.width
        before = (np.arange(area.width) - area.width / 2) * step
        starts = heard.moment + before
        there = (heard.section >= 0).astype(np.float32)[:, None]
        rows = np.concatenate([heard.loudness[:, None], there, _section_light(heard.section)], 1)
        reach = max(step, _LEAST_MEAN_SECONDS)
        means = _mean_between(rows, heard.first_row, starts + step / 2, reach)
        loudness, inside = means[:, 0], means[:, 1]
        # Beside the song nothing is drawn; at its ends the mean keeps its colour.
        colour = np.ascontiguousarray((means[:, 2:] / np.maximum(inside, 1e-3)[:, None]).T)[:, None, :]
        onset = _peaks_between(heard.onset, heard.first_row, starts, step)
        band = max(1.0, _BAND * unit)
        ticks = 0.017 * unit
        floor, room = area.height - band - 0.004 * unit, area.height - band - 0.004 * unit - 1.15 * ticks
        y = np.arange(area.height, dtype=np.float32)[:, None]
        was = np.clip(0.5 - before / step, 0.0, 1.0).astype(np.float32)
        bright = (_AHEAD + (1.0 - _AHEAD) * was) * inside
        top = floor - loudness * room
        width = max(1.0, _LINE * unit)
        half = 0.5 * width * np.sqrt(1.0 + np.gradient(top) ** 2) + 0.5
        edge = np.clip(half - np.abs(y + 0.5 - top), 0.0, 1.0)
        # The body below the edge; both end at the floor.
        shape = np.maximum(edge, _BODY * np.clip(y + 1.0 - top, 0.0, 1.0)) * np.clip(floor - y, 0.0, 1.0)
        _over(light, coverage, area.part, shape * bright, colour)
        rise = floor - onset * room
        hits = np.minimum(np.clip(y + 1.0 - rise, 0.0, 1.0), np.clip(floor - y, 0.0, 1.0))
        _over(light, coverage, area.part, hits * (_HITS * bright), _INK)
        down, across = area.part
        low = slice(area.top + math.floor(area.height - band), down.stop)
        base = np.clip(y[low.start - down.start :] + 1.0 - (area.height - band), 0.0, 1.0)
        _over(light, coverage, (low, across), base * bright, colour)
        high = slice(down.start, down.start + math.ceil(ticks))
        for moments, length, share in ((heard.beats, 0.55 * ticks, 0.6), (heard.downbeats, ticks, 1.0)):
            x = area.width / 2 + (moments - heard.moment) / step
            marks = _bars_at(x, width, area.width) * (share * bright)
            ends = np.clip(length - y[: math.ceil(ticks)], 0.0, 1.0)
            _over(light, coverage, (high, across), ends * marks, _INK)
        now = _bars_at(np.array([area.width / 2]), max(1.2, 1.4 * width), area.width)
        near = np.flatnonzero(now)
        seen = slice(across.start + int(near[0]), across.start + int(near[-1]) + 1)
        _over(light, coverage, (down, seen), np.broadcast_to(now[near], (area.height, len(near))), _INK)

    def _draw_spectrum(self, light: Plane, coverage: Plane, heard: Heard) -> None:
        area = self._bars
        y = np.arange(area.height, dtype=np.float32)[:, None]
        least = max(1.0, 0.002 * self._unit)
        top = area.height - np.maximum(least, self._level(heard.spectrum))
        bars = np.clip(y + 1.0 - top[None, :], 0.0, 1.0)
        thick = max(1.0, _LINE * self._unit)
        mark = area.height - np.minimum(self._level(heard.held), area.height - 2.5 * thick) - 1.5 * thick
        marks = np.clip(np.minimum(y + 1.0, mark + thick) - np.maximum(y, mark), 0.0, 1.0)
        marks = marks * np.clip(heard.held * 40.0, 0.0, 1.0)
        for rows, share in ((bars, 0.95), (marks, 0.7)):
            seen = torch.from_numpy(rows.astype(np.float32)) @ self._across_bars
            _over(light, coverage, area.part, np.float32(share) * seen.numpy(), self._bar_light)

    def _level(self, bands: Float32[np.ndarray, " 64"]) -> Float32[np.ndarray, " 64"]:
        """Give how high bands stand, pixels."""
        return np.asarray(np.clip(bands / _LOUDEST_BAND, 0.0, 1.0) * self._bars.height, np.float32)

    def _draw_readouts(self, light: Plane, coverage: Plane, heard: Heard) -> None:
        tempo = "–" if heard.tempo is None else str(heard.tempo)
        self._show(light, coverage, tempo, _PAD, self._row + _FIGURES_TOP, _INK)
        index = int(heard.section[len(heard.section) // 2])
        if heard.label is not None:
            colour = _SECTIONS[max(0, index) % len(_SECTIONS)]
            self._show(light, coverage, heard.label, _PAD + 0.13, self._row + _FIGURES_TOP, colour)
        if heard.music.beats_per_bar is None:
            return
        pitch = min(0.026, 0.105 / self._beats_per_bar)
        for beat in range(self._beats_per_bar):
            now = beat == heard.beat_of_bar
            radius = pitch * (0.25 + (0.12 * heard.pulse if now else 0.0))
            share = 0.7 + 0.3 * heard.pulse if now else 0.2
            x, y = _PAD + pitch * (beat + 0.3), self._row + _ROW - 0.010
            self._dot(light, coverage, x, y, radius, share)

    def _dot(self, light: Plane, coverage: Plane, x: float, y: float, radius: float, share: float) -> None:
        x, y = self._origin[0] + x * self._unit, self._origin[1] + y * self._unit
        radius *= self._unit
        left, top = max(0, math.floor(x - radius - 1)), max(0, math.floor(y - radius - 1))
        right, bottom = math.ceil(x + radius + 1), math.ceil(y + radius + 1)
        across = np.arange(left, right) + 0.5 - x
        down = np.arange(top, bottom)[:, None] + 0.5 - y
        # A dot smaller than a pixel covers its area of it.
        inside = np.clip(radius + 0.5 - np.sqrt(across**2 + down**2), 0.0, min(1.0, math.pi * radius**2))
        _over(light, coverage, (slice(top, bottom), slice(left, right)), share * inside, _INK)

    def _show(self, light: Plane, coverage: Plane, text: str, x: float, y: float, colour: Colour) -> None:
        """Show a text that changes; how it looks is kept."""
        left, top = self._origin[0] + x * self._unit, self._origin[1] + y * self._unit
        across, down = math.floor(left), math.floor(top)
        with self._lock:
            if (text, across) not in self._inks:
                block = _block(text, _FIGURES, _FIGURES_SIZE)
                width = math.ceil((block.width + 0.01) * self._unit) + 2
                sheet = Sheet(width, math.ceil((block.height + 0.01) * self._unit) + 2)
                sheet.write(block, left - across, top - down, self._unit)
                self._inks[text, across] = sheet.coverage()
            ink = self._inks[text, across]
        part = (slice(down, down + ink.shape[0]), slice(across, across + ink.shape[1]))
        shown = coverage[part].shape
        _over(light, coverage, part, ink[: shown[0], : shown[1]], colour)


def _block(text: str, style: TypeStyle, em: float) -> Block:
    return set_text(text, style, width=10.0, height=em, largest=em, smallest=em)


def _over(
    light: np.ndarray,
    coverage: np.ndarray,
    part: tuple[slice, slice],
    share: np.ndarray,
    colour: Colour | np.ndarray,
) -> None:
    """Draw over a part of light times coverage; a colour is display RGB, or linear light by column."""
    share = np.asarray(share, np.float32)
    below, behind = light[:, *part], coverage[part]
    if isinstance(colour, tuple):
        colour = np.array([level**2 for level in colour], np.float32)[:, None, None]
    drawn = colour - below
    drawn *= share
    below += drawn
    behind += share * (1.0 - behind)


def _bars_across(width: int) -> tuple[torch.Tensor, np.ndarray]:
    """Give how much of each column each band's bar covers, and the bars' linear light by column."""
    pitch = width / SPECTRUM_BANDS
    left = (np.arange(SPECTRUM_BANDS) + (1 - _BAR_SHARE) / 2)[:, None] * pitch
    x = np.arange(width)[None, :]
    covered = np.clip(np.minimum(x + 1, left + _BAR_SHARE * pitch) - np.maximum(x, left), 0.0, 1.0)
    place = (np.arange(width) + 0.5) / width
    stops = np.array([_LOW_BANDS, _MIDDLE_BANDS, _HIGH_BANDS]) ** 2
    light = np.stack([np.interp(place, (0.0, 0.45, 1.0), stops[:, k]) for k in range(3)])
    return torch.from_numpy(covered.astype(np.float32)), light.astype(np.float32)[:, None, :]


def _section_light(section: Int64[np.ndarray, " rows"]) -> Float32[np.ndarray, "rows 3"]:
    palette = np.array(_SECTIONS, np.float32) ** 2
    return np.where(section[:, None] >= 0, palette[section % len(palette)], np.float32(0))


def _mean_between(
    rows: Float32[np.ndarray, "rows columns"], first: int, middles: np.ndarray, span: float
) -> Float32[np.ndarray, "moments columns"]:
    """Give the mean of rows (100 Hz, row ``first`` the first) over a span around moments, seconds."""
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, dtype=np.float64)])
    # Row k lasts from k - 1/2 to k + 1/2.
    at = (middles[:, None] + np.array([-0.5, 0.5]) * span) * ANALYSIS_RATE - first + 0.5
    at = np.clip(at, 0.0, len(rows))
    low = np.minimum(np.floor(at).astype(np.int64), len(rows) - 1)
    share = (at - low)[:, :, None]
    sums = total[low] * (1.0 - share) + total[low + 1] * share
    return np.asarray((sums[:, 1] - sums[:, 0]) / (span * ANALYSIS_RATE), np.float32)


def _peaks_between(
    rows: Float32[np.ndarray, " rows"], first: int, starts: np.ndarray, span: float
) -> Float32[np.ndarray, " moments"]:
    """Give the highest of the rows from each moment on, for a span, seconds; at least the nearest."""
    low = np.floor(starts * ANALYSIS_RATE - first + 0.5).astype(np.int64)
    count = max(1, math.ceil(span * ANALYSIS_RATE))
    index = np.clip(low[:, None] + np.arange(count), 0, len(rows) - 1)
    return np.asarray(rows[index].max(1), np.float32)


def _bars_at(middles: np.ndarray, thick: float, width: int) -> Float32[np.ndarray, " width"]:
    """Give how much of each column is covered by lines at some places, pixels."""
    x = np.arange(width)[None, :]
    low, high = middles[:, None] - thick / 2, middles[:, None] + thick / 2
    covered = np.clip(np.minimum(x + 1, high) - np.maximum(x, low), 0.0, 1.0).sum(0)
    return np.asarray(np.minimum(covered, 1.0), np.float32)
