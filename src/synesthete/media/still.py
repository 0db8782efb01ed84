"""Take one picture out of a film: the one nearest to a moment."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from jaxtyping import Float64, UInt8

from synesthete.errors import MediaError
from synesthete.media.pictures import OpenFilm, declared_rate, open_film, read_timestamps
from synesthete.media.planes import planes_of
from synesthete.media.probe import FFMPEG_FAILURES, show_name
from synesthete.media.watch import watch_frames

__all__ = ["MAX_STILL_SIDE", "picture_at"]

MAX_STILL_SIDE: Final = 1920
"""Longest side of a picture that is taken out, pixels: so its PNG file is never larger than 12 MB."""

_EARLIER_S: Final = 10.0  # cameras and players' formats put key pictures closer than that


@dataclass(frozen=True)
class _Survey:
    """When a film's pictures are shown, seconds from its start, and for how long one usually is."""

    moments_s: Float64[np.ndarray, " pictures"]
    step_s: float

    @property
    def end_s(self) -> float:
        return float(self.moments_s[-1]) + self.step_s

    @property
    def middle_s(self) -> float:
        return (float(self.moments_s[0]) + self.end_s) / 2

    def miss_s(self, moment_s: float) -> float:
        """Give how far the nearest picture may be: a step more, as some packets show nothing."""
        return float(np.abs(self.moments_s - moment_s).min()) + self.step_s


def picture_at(path: Path, moment: Fraction | None = None) -> UInt8[np.ndarray, "height width 3"]:
    """Give the picture of a film that is shown nearest to a moment.

    Decoding starts with the key picture before the moment, in formats that have an index (MP4, MOV, Matroska,
    WebM), farther back where pictures before it need it, and with the first one in other formats; which
    picture it is does not depend on it.

    Parameters
    ----------
    moment
        Seconds from the film's start, at least 0; None for the middle of its pictures.

    Returns
    -------
    The picture in sRGB as it is to be seen: turned as the file says, odd rows and columns cropped, scaled
    down to at most 1920 pixels a side.

    Raises
    ------
    MediaError
        If the film can't be opened, holds no moving pictures of 16 to 8192 pixels a side, ends before the
        moment, or is damaged there.
    """
    name = show_name(path)
    survey = _survey(path)
    wanted_s = survey.middle_s if moment is None else float(moment)
    if wanted_s >= survey.end_s:
        raise MediaError(
            f"{wanted_s:g} s lies beyond the end of {name}, whose pictures end at {survey.end_s:.3f} s; name "
            "an earlier moment"
        )
    damaged = MediaError(f"{name} is damaged at {wanted_s:g} s; name another moment, or export it again")
    for from_s in (wanted_s, max(0.0, wanted_s - _EARLIER_S), 0.0):
        with open_film(path) as film:
            found = _nearest(film, wanted_s, from_s=from_s)
            if found is None:
                continue
            shown_s, frame = found
            if abs(shown_s - wanted_s) > survey.miss_s(wanted_s):
                raise damaged
            try:
                return _upright(frame, film)
            except FFMPEG_FAILURES:
                raise damaged from None
    raise damaged


def _survey(path: Path) -> _Survey:
    with open_film(path) as film:
        ticks = read_timestamps(film).ticks
        tick = float(film.tick)
        step_s = float(np.median(np.diff(ticks))) * tick if len(ticks) > 1 else float(1 / declared_rate(film))
        return _Survey(ticks * tick - float(film.origin_s), step_s)


def _nearest(film: OpenFilm, moment_s: float, *, from_s: float) -> tuple[float, av.VideoFrame] | None:
    """Give the picture nearest to a moment and when it is shown; None if there is none from there on."""
    best: tuple[float, av.VideoFrame] | None = None
    for shown_s, frame in watch_frames(film, from_s=from_s):
        if best is None and from_s > 0 and shown_s > moment_s:
            return None  # a nearer one may lie before
        if best is None or abs(shown_s - moment_s) < abs(best[0] - moment_s):
            best = shown_s, frame
        if shown_s >= moment_s:
            break
    film.check_read()
    return best


def _upright(frame: av.VideoFrame, film: OpenFilm) -> UInt8[np.ndarray, "height width 3"]:
    share = min(1.0, MAX_STILL_SIDE / max(film.width, film.height))
    width, height = (2 * max(1, round(side * share / 2)) for side in (film.width, film.height))
    planes = planes_of(frame, VideoReformatter(), width, height)
    rgb = av.VideoFrame.from_ndarray(planes, format="yuv420p").to_ndarray(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90)))  # both count counterclockwise
