"""Previews of a film: keyframes, a moving snippet and a contact sheet, drawn from the Trajectory.

Size is only sampling, so small pictures are drawn small instead of scaling large ones.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from synesthete.clock import Clock, format_duration
from synesthete.files import make_folder
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.quantise import Quantiser
from synesthete.media.images import contact_sheet, write_gif, write_png

__all__ = ["LAST_PREVIEW", "scaled_size", "write_previews"]

LAST_PREVIEW = "snippet.gif"
"""The preview that is written last: with it, all are there."""

_KEYFRAMES = 4
_SHEET_PICTURES = 12
_SHEET_COLUMNS = 4
_SHEET_SHORT = 180
_GIF_SHORT = 160
_GIF_SECONDS = 3
_GIF_RATE = Fraction(12)


def write_previews(
    folder: Path,
    trajectory: Trajectory,
    painter: Painter,
    size: Size,
    frame_rate: Fraction,
    *,
    frames: int,
    title: str,
    loudest: int,
    check: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Write ``keyframe_N.png``, ``snippet.gif`` and ``sheet.png``.

    Parameters
    ----------
    frames
        How many the film has.
    loudest
        Frame around which the snippet is taken.
    check
        Called before each picture; may raise to break off.

    Returns
    -------
    The files.
    """
    make_folder(folder)
    clock = Clock(frame_rate)

    def draw(wanted: list[int], at: Size) -> Iterator[np.ndarray]:
        quantiser = Quantiser(at)
        for frame in wanted:
            check()
            yield quantiser.rgb8(next(painter.frames(trajectory, frame, frame + 1, at)).cpu()).numpy()

    written = []
    keys = _spread(frames, _KEYFRAMES)
    for number, picture in enumerate(draw(keys, size), start=1):
        written.append(folder / f"keyframe_{number}.png")
        write_png(written[-1], picture)

    shown = _spread(frames, _SHEET_PICTURES)
    labels = [format_duration(clock.seconds(frame)) for frame in shown]
    sheet = contact_sheet(
        list(draw(shown, scaled_size(size, _SHEET_SHORT))), columns=_SHEET_COLUMNS, labels=labels, title=title
    )
    written.append(folder / "sheet.png")
    write_png(written[-1], sheet)

    count = min(frames, round(_GIF_SECONDS * frame_rate))
    first = min(max(0, loudest - count // 2), frames - count)
    step = max(1, round(frame_rate / _GIF_RATE))
    snippet = list(range(first, first + count, step))
    written.append(folder / LAST_PREVIEW)
    write_gif(written[-1], draw(snippet, scaled_size(size, _GIF_SHORT)), float(frame_rate / step))
    return written


def _spread(frames: int, count: int) -> list[int]:
    """Spread moments evenly, each in the middle of its share."""
    count = min(count, frames)
    return [frames * (2 * k + 1) // (2 * count) for k in range(count)]


def scaled_size(size: Size, short: int) -> Size:
    """Give the size of a picture reduced to a short side; never larger than it is."""
    scale = Fraction(min(short, size.short), size.short)
    return Size(2 * max(1, round(size.width * scale / 2)), 2 * max(1, round(size.height * scale / 2)))
