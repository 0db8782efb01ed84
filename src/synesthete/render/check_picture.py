"""The picture of the check film: a dot that flashes on beats, curves that scroll past, the song as a strip.

What moves is painted straight into the planes of the film, so that a frame costs about a millisecond.
"""

import functools
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw, ImageFont

from synesthete.audio.music import Music
from synesthete.clock import Clock
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.render.hearing_report import HearingReport
from synesthete.render.plot import section_colours

__all__ = ["CHECK_RATE", "CHECK_SIZE", "DOT", "CheckPainter", "flashes"]

CHECK_SIZE: Final = Size(640, 360)
"""Size of the film, pixels."""

CHECK_RATE: Final = Fraction(30)
"""Frames per second of the film."""

DOT: Final = (320, 110)
"""Middle of the dot that flashes, pixels from the left and from the top."""

Planes = UInt8[np.ndarray, "540 640"]
Colour = tuple[int, int, int]

_SCROLL_RATE: Final = 3 * CHECK_RATE  # pixels a second: whole pixels a frame, so that nothing jitters
_BLOCK_PIXELS: Final = 6_400
_LANE: Final = (192, 300)
_STRIP: Final = (318, 346)
_MARGIN: Final = 16
_FADE_FRAMES: Final = 5
_BEAT_RADIUS, _DOWNBEAT_RADIUS, _DOT_REACH = 26, 40, 44
_SHARES: Final = 16
_NIGHT, _PANEL = (13, 15, 20), (18, 21, 28)
_TEXT, _FAINT = (232, 234, 240), (138, 145, 163)
_BEAT, _DOWNBEAT, _REST = (127, 208, 255), (255, 196, 92), (40, 46, 60)
_WAVE, _ONSET, _HEAD = (62, 84, 120), (159, 216, 255), (255, 255, 255)


def flashes(music: Music, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the frames in which the dot lights up, ascending, and whether each is for a downbeat.

    A beat lights the frame whose moment is nearest: the first at or after half a frame before the beat.
    """
    bars = set(music.downbeats)
    lit: dict[int, bool] = {}
    for beat in music.beats:
        frame = min(_nearest_frame(beat), frames - 1)
        lit[frame] = lit.get(frame, False) or beat in bars
    return np.array(list(lit), np.int64), np.array(list(lit.values()), bool)


class CheckPainter:
    """Paints any frame of a check film.

    Parameters
    ----------
    report
        What was heard.
    frames
        Length of the film.
    """

    def __init__(self, report: HearingReport, frames: int) -> None:
        self._report = report
        self._frames = frames
        self._lit, self._for_bar = flashes(report.music, frames)
        self._beats, self._bars = np.array(report.music.beats), np.array(report.music.downbeats)
        self._starts = np.array([part.start_s for part in report.music.sections])
        colours = section_colours([part.label for part in report.music.sections])
        self._colours = {label: _rgb(colour) for label, colour in colours.items()}
        self._strip = self._paint_strip()
        self._section, self._still = -1, self._paint_still(-1)
        self._loaded, self._block = 0, np.zeros((2, 0), np.float32)
        self._lane_yuv = _yuv(_lane_colours())
        self._dots = {
            bar: (_disc(_DOWNBEAT_RADIUS if bar else _BEAT_RADIUS), _DOWNBEAT if bar else _BEAT)
            for bar in (False, True)
        }
        self._large, self._small = _Digits(26), _Digits(13)

    def paint(self, frame: int) -> Planes:
        """Paint one frame, yuv420p as `synesthete.media.encode.SegmentWriter` takes it."""
        moment = float(Clock(CHECK_RATE).seconds(frame))
        section = int(np.searchsorted(self._starts, moment, side="right")) - 1
        if section != self._section:
            self._section, self._still = section, self._paint_still(section)
        planes = self._still.copy()
        height, width = CHECK_SIZE.height, CHECK_SIZE.width
        luma, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
        self._paint_lane(luma, chroma, frame, moment)
        self._paint_dot(luma, chroma, frame)
        minutes, hundredths = divmod(round(moment * 100), 6_000)
        text = f"{minutes}:{hundredths // 100:02}.{hundredths % 100:02}"
        self._large.write(luma, text, (width - _MARGIN, 20), _TEXT)
        self._small.write(luma, str(frame), (width - _MARGIN, 54), _FAINT)
        place = _MARGIN + (width - 2 * _MARGIN) * frame // self._frames
        _paint_block(
            luma, chroma, (_STRIP[0] - 4, _STRIP[1] + 4), (place // 2 * 2, place // 2 * 2 + 2), _HEAD
        )
        return planes

    def _paint_dot(self, luma: np.ndarray, chroma: np.ndarray, frame: int) -> None:
        last = int(np.searchsorted(self._lit, frame, side="right")) - 1
        age = frame - int(self._lit[last]) if last >= 0 else _FADE_FRAMES
        bright = max(0.0, 1 - age / _FADE_FRAMES)
        cover, colour = self._dots[bright > 0 and bool(self._for_bar[last])]
        y, *differences = _tone(_mix(_REST, colour, bright))
        top, left = DOT[1] - _DOT_REACH, DOT[0] - _DOT_REACH
        _lay(luma[top : top + 2 * _DOT_REACH, left : left + 2 * _DOT_REACH], cover, y)
        for plane, value in zip(chroma, differences, strict=True):
            part = plane[top // 2 : top // 2 + _DOT_REACH, left // 2 : left // 2 + _DOT_REACH]
            _lay(part, cover[::2, ::2], value)

    def _paint_lane(self, luma: np.ndarray, chroma: np.ndarray, frame: int, moment: float) -> None:
        """Paint the music around the playhead: waveform, onsets over it, beats as lines."""
        width, rows = CHECK_SIZE.width, _LANE[1] - _LANE[0]
        half, centre = width // 2, frame * int(_SCROLL_RATE / CHECK_RATE)
        peak, onset = self._curves(centre - half, centre + half)
        height = np.arange(rows, dtype=np.float32)[:, None] + 0.5
        wave = np.clip(peak * (rows / 2 - 4) - np.abs(height - rows / 2) + 0.5, 0, 1)
        rise = np.clip(height - (rows - onset * (rows - 8)) + 0.5, 0, 1)
        most = _SHARES - 1
        shares = (wave * most + 0.5).astype(np.uint8) * _SHARES + (rise * most + 0.5).astype(np.uint8)
        luma[slice(*_LANE)] = self._lane_yuv[:, 0][shares]
        for plane, column in zip(chroma, (1, 2), strict=True):
            plane[_LANE[0] // 2 : _LANE[1] // 2] = self._lane_yuv[:, column][shares[::2, ::2]]
        for moments, colour, bottom in (
            (self._beats, _BEAT, _LANE[0] + rows // 3),
            (self._bars, _DOWNBEAT, _LANE[1]),
        ):
            reach = float(half / _SCROLL_RATE)
            first, last = np.searchsorted(moments, [moment - reach, moment + reach])
            for beat in moments[first:last]:
                place = min(max(0, half + round((beat - moment) * float(_SCROLL_RATE))), width - 2)
                _paint_block(luma, chroma, (_LANE[0], bottom), (place, place + 2), colour)
        _paint_block(luma, chroma, _LANE, (half, half + 2), _HEAD)

    def _curves(self, start: int, stop: int) -> Float32[np.ndarray, "2 pixels"]:
        """Give peak and onset at pixels of the lane; read in blocks, 0 outside the song."""
        if not self._loaded <= start <= stop <= self._loaded + self._block.shape[1]:
            timeline = self._report.timeline
            count = timeline.frame_count(_SCROLL_RATE)
            first, last = max(0, start), min(start + _BLOCK_PIXELS, count)
            inside = timeline.at_frames(_SCROLL_RATE, ("peak", "onset"), min(first, last), last)
            block = np.zeros((2, _BLOCK_PIXELS), np.float32)
            block[:, first - start : first - start + len(inside)] = inside.T
            self._loaded, self._block = start, block
        return self._block[:, start - self._loaded : stop - self._loaded]

    def _paint_still(self, section: int) -> Planes:
        """Paint what stands still during a section."""
        image = self._strip.copy()
        draw = ImageDraw.Draw(image)
        if section >= 0:
            label = self._report.music.sections[section].label
            large, small = ImageFont.load_default(size=40), ImageFont.load_default(size=13)
            draw.text((_MARGIN, 18), label, fill=self._colours[label], font=large, anchor="lt")
            draw.text((_MARGIN, 64), "section", fill=_FAINT, font=small, anchor="lt")
        return _planes(np.array(image))

    def _paint_strip(self) -> Image.Image:
        """Paint the whole song along the bottom, in the colours of its sections."""
        image = Image.new("RGB", (CHECK_SIZE.width, CHECK_SIZE.height), _NIGHT)
        draw = ImageDraw.Draw(image)
        width, middle = CHECK_SIZE.width - 2 * _MARGIN, sum(_STRIP) // 2
        peak = self._report.timeline.column("peak")
        edges = np.arange(width + 1) * len(peak) // width
        for pixel in range(width):
            level = float(peak[edges[pixel] : max(edges[pixel + 1], edges[pixel] + 1)].max())
            moment = (pixel + 0.5) * self._report.duration_s / width
            section = int(np.searchsorted(self._starts, moment, side="right")) - 1
            label = self._report.music.sections[section].label if section >= 0 else None
            colour = _mix(_PANEL, self._colours[label] if label else _WAVE, 0.75)
            reach = round(level * (_STRIP[1] - _STRIP[0]) / 2)
            draw.line((_MARGIN + pixel, middle - reach, _MARGIN + pixel, middle + reach), fill=colour)
        return image


class _Digits:
    """Writes numbers with digits of one width, so that they don't dance."""

    def __init__(self, size: int) -> None:
        font = ImageFont.load_default(size=size)
        width = max(round(font.getlength(letter)) for letter in "0123456789")
        foot = round(font.getbbox("0", anchor="lt")[3])
        self._cells = {}
        for letter in "0123456789:.":
            cell = Image.new("L", (width if letter.isdigit() else width // 2, foot + 2), 0)
            ImageDraw.Draw(cell).text((cell.width // 2, foot), letter, fill=255, font=font, anchor="ms")
            self._cells[letter] = np.array(cell, np.float32) / 255

    def write(self, luma: np.ndarray, text: str, right_top: tuple[int, int], colour: Colour) -> None:
        """Write a text that ends at a place; grey needs no colour differences."""
        right, top = right_top
        for letter in reversed(text):
            cell = self._cells[letter]
            _lay(luma[top : top + cell.shape[0], right - cell.shape[1] : right], cell, _tone(colour)[0])
            right -= cell.shape[1]


def _nearest_frame(seconds: float) -> int:
    clock = Clock(CHECK_RATE)
    earliest = max(Fraction(0), Fraction(seconds) - 1 / (2 * CHECK_RATE))
    frame = clock.frame_at(earliest)
    return frame if clock.seconds(frame) >= earliest else frame + 1


def _lay(under: np.ndarray, cover: Float32[np.ndarray, "rows width"], value: float) -> None:
    """Lay a value over a part of a plane, in place."""
    under[:] = (under + cover * (value - under.astype(np.float32)) + 0.5).astype(np.uint8)


def _paint_block(
    luma: np.ndarray, chroma: np.ndarray, rows: tuple[int, int], columns: tuple[int, int], colour: Colour
) -> None:
    y, *differences = _tone(colour)
    luma[slice(*rows), slice(*columns)] = y
    for plane, value in zip(chroma, differences, strict=True):
        plane[rows[0] // 2 : rows[1] // 2, columns[0] // 2 : columns[1] // 2] = value


def _disc(radius: float) -> Float32[np.ndarray, "88 88"]:
    """Give how much of each pixel of the dot's box a disc covers."""
    place = np.arange(2 * _DOT_REACH, dtype=np.float32) + 0.5 - _DOT_REACH
    cover: Float32[np.ndarray, "88 88"] = np.clip(radius + 0.5 - np.hypot(place[:, None], place), 0, 1)
    return cover


def _lane_colours() -> UInt8[np.ndarray, "256 3"]:
    """Give the colours of the lane by 16 shares of the waveform and, over it, 16 of the onsets."""
    steps = [step / (_SHARES - 1) for step in range(_SHARES)]
    under = [_mix(_PANEL, _WAVE, share) for share in steps]
    return np.array([_mix(low, _ONSET, 0.85 * share) for low in under for share in steps], np.uint8)


@functools.cache
def _tone(colour: Colour) -> tuple[int, int, int]:
    y, cb, cr = _yuv(np.array([colour], np.uint8))[0].tolist()
    return y, cb, cr


def _yuv(rgb: UInt8[np.ndarray, "colours 3"]) -> UInt8[np.ndarray, "colours 3"]:
    """Give colours as the film has them: each is a patch of two by two pixels, converted like any picture."""
    patches = np.repeat(np.repeat(rgb[None], 2, axis=0), 2, axis=1)
    planes = _planes(np.ascontiguousarray(patches))
    y, (cb, cr) = planes[0, ::2], planes[2].reshape(2, -1)
    return np.stack([y, cb, cr], axis=1)


def _planes(rgb: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "rows width"]:
    height, width = rgb.shape[:2]
    picture = torch.from_numpy(rgb).permute(2, 0, 1).float() / 255
    planes: UInt8[np.ndarray, "rows width"] = Quantiser(Size(width, height)).yuv420(picture).numpy()
    return planes


def _rgb(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mix(low: Colour, high: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(low, high, strict=True))
    return red, green, blue
