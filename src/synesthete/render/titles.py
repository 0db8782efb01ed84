"""Titles of a film: what is written and drawn over it, when, and the painter that does it."""

import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.config.titles import Titles, TitleStyle, is_picture_name
from synesthete.files import digest_bytes, digest_file
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.media.artwork import decode_picture, embedded_picture, read_picture
from synesthete.media.characters import cleaned, legible, reads_right_to_left, unset_characters
from synesthete.media.fonts import fonts_for
from synesthete.render.layers import Layer, lay_over
from synesthete.render.overlay import Overlay, strip_height
from synesthete.render.title_layout import Frame, draw_card, draw_lower_third, draw_watermark

__all__ = ["FilmTitles", "Moments", "Titler", "film_titles", "titled"]

_KEPT_SIZES: Final = 4
_CARD_SECONDS: Final = (0.9, 4.2, 1.1)
"""To appear, to stay, to go."""
_LOWER_SECONDS: Final = (0.7, 5.6, 0.7)
_BEFORE: Final = 0.5
_BETWEEN: Final = 0.6
_ABOVE_STRIP: Final = 0.045
"""From the overlay's strip to what is written above it, short sides."""


@dataclass(frozen=True)
class FilmTitles:
    """What is written and drawn over a film, resolved.

    Attributes
    ----------
    style
        What is wished for.
    title, artist
        The words, legible.
    art
        The file of the picture beside the title card, or None.
    mark
        The watermark: a text, the file of a picture, or None.
    duration
        Of the film's sound, seconds: what a fade-out ends with.
    warnings
        Sentences for the user.
    """

    style: TitleStyle
    title: str
    artist: str
    art: bytes | None
    mark: str | bytes | None
    duration: Fraction
    warnings: tuple[str, ...] = ()

    def inputs(self) -> dict[str, Any]:
        """Give the declared inputs that what is drawn follows from."""
        written = [self.title, self.artist, self.mark if isinstance(self.mark, str) else ""]
        return {
            "style": self.style.model_dump(mode="json", include=set(TitleStyle.model_fields) - {"watermark"}),
            "written": written,
            "art": None if self.art is None else digest_bytes(self.art),
            "mark": digest_bytes(self.mark) if isinstance(self.mark, bytes) else None,
            "duration": str(self.duration),
            "fonts": [digest_file(font) for font in fonts_for("".join(written))],
            "pillow": metadata.version("pillow"),
        }


def film_titles(
    wish: Titles,
    *,
    song: Path,
    duration: Fraction,
    tags: Mapping[str, str],
    cover: Path | None = None,
) -> FilmTitles | None:
    """Resolve what is to be written over a film; None if nothing is.

    Parameters
    ----------
    song, duration, tags
        The song's file, its length in seconds, and its tags.
    cover
        The picture that its album has for it, before the one in the song's file.

    Raises
    ------
    InputError
        If a picture that was named can't be used.
    """
    style = TitleStyle.model_validate(wish.model_dump(include=set(TitleStyle.model_fields)))
    if style == TitleStyle():
        return None
    warnings: list[str] = []
    named = style.card or style.lower_third
    title = _words(wish.title or tags.get("title") or _named(song), "title", warnings) if named else ""
    if named and not title:
        title = legible(_named(song))
    artist = wish.artist or tags.get("artist") or tags.get("album_artist") or ""
    artist = _words(artist, "artist", warnings) if named else ""
    art = _art(wish.cover_art, song, cover) if style.card else None
    mark: str | bytes | None = style.watermark
    if isinstance(mark, str):
        if is_picture_name(mark):
            mark = read_picture(Path(mark), what="the watermark")
        else:
            mark = _words(mark, "watermark", warnings) or None
    return FilmTitles(style, title, artist, art, mark, duration, tuple(warnings))


def _named(song: Path) -> str:
    return song.stem.replace("_", " ")


def _words(text: str, what: str, warnings: list[str]) -> str:
    missing = unset_characters(cleaned(text))
    if missing:
        shown = missing if len(missing) <= 12 else f"{missing[:12]}…"
        warnings.append(
            f"no font here has {shown!r} of the {what}, so they are left out; "
            "install one that has, such as Noto Sans of that script, and repeat the command"
        )
    if not reads_right_to_left(text):
        warnings.append(
            f"the {what} runs from right to left, which this Pillow can't set: it lacks Raqm or FriBiDi; "
            "install a Pillow that has both"
        )
    return legible(text)


def _art(wish: str, song: Path, cover: Path | None) -> bytes | None:
    if wish == "off":
        return None
    if wish != "auto":
        return read_picture(Path(wish), what="the cover art")
    return embedded_picture(song) if cover is None else read_picture(cover, what="the cover")


def titled(painter: Painter, titles: FilmTitles | None, timeline: Timeline, frame_rate: Fraction) -> Painter:
    """Put a film's titles over a painter's pictures; none where there is nothing to write."""
    if titles is None:
        return painter
    overlay = Overlay(timeline, frame_rate) if titles.style.overlay else None
    return Titler(painter, titles, frame_rate, overlay)


@dataclass(frozen=True)
class Moments:
    """When something appears, stands, goes and is gone, seconds."""

    appears: float
    stands: float
    goes: float
    gone: float

    def opacity(self, moment: float) -> float:
        """Give how much of it is seen."""
        if not self.appears < moment < self.gone:
            return 0.0
        rise = _smooth((moment - self.appears) / max(self.stands - self.appears, 1e-9))
        return rise * _smooth((self.gone - moment) / max(self.gone - self.goes, 1e-9))


def _smooth(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3.0 - 2.0 * share)


def _moments(start: float, seconds: tuple[float, float, float], pace: float) -> Moments:
    rise, stay, fall = (pace * part for part in seconds)
    return Moments(start, start + rise, start + rise + stay, start + rise + stay + fall)


def _times(titles: FilmTitles) -> tuple[Moments | None, Moments | None]:
    """Give the moments of the card and of the lower third; in short films all goes faster."""
    style, duration = titles.style, float(titles.duration)
    before = max(_BEFORE, 0.5 * style.fade_in)
    parts = [
        seconds
        for seconds, wanted in ((_CARD_SECONDS, style.card), (_LOWER_SECONDS, style.lower_third))
        if wanted
    ]
    needed = before + sum(sum(seconds) for seconds in parts) + _BETWEEN * len(parts)
    pace = min(1.0, duration / needed) if needed else 1.0
    start, found = pace * before, []
    for seconds in parts:
        found.append(_moments(start, seconds, pace))
        start = found[-1].gone + pace * _BETWEEN
    card = found.pop(0) if style.card else None
    return card, (found.pop(0) if style.lower_third else None)


class Titler:
    """A painter over whose pictures is written; where nothing is, they pass as they are.

    Parameters
    ----------
    painter
        Draws them.
    titles
        What is written, and when.
    frame_rate
        Of the film.
    overlay
        Draws what was heard, if that is wanted.
    """

    def __init__(
        self, painter: Painter, titles: FilmTitles, frame_rate: Fraction, overlay: Overlay | None = None
    ) -> None:
        self._painter, self._titles, self._clock = painter, titles, Clock(frame_rate)
        self._overlay = overlay
        self._times = _times(titles)
        self._layers: dict[tuple[Size, torch.device], tuple[Layer | None, ...]] = {}
        self._lock = threading.Lock()

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose the painter's numeric path; see `Painter.prepare`."""
        return self._painter.prepare(trajectory, size)

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive) and write over them; see `Painter.frames`."""
        pictures = self._painter.frames(trajectory, start, stop, size)
        result: Tensor | None = None
        for frame, picture in zip(range(start, stop), pictures, strict=True):
            moment = float(self._clock.moments(frame, frame + 1)[0])
            opacities, light = self._opacities(moment), self._light(moment)
            if light == 1.0 and self._overlay is None and not any(opacities):
                yield picture
                continue
            if result is None or result.device != picture.device:
                result = torch.empty_like(picture)
            if self._overlay is None and not any(opacities):
                yield torch.mul(picture, math.sqrt(light), out=result)  # display values: roots of light
                continue
            result.copy_(picture)
            if self._overlay is not None:
                lay_over(result, self._overlay.layer(frame, size).to(picture.device), 1.0)
            if any(opacities):
                for layer, opacity in zip(self._drawn(size, picture.device), opacities, strict=True):
                    if layer is not None and opacity > 0.0:
                        lay_over(result, layer, opacity)
            if light < 1.0:
                result.mul_(math.sqrt(light))
            yield result

    def _opacities(self, moment: float) -> tuple[float, float, float]:
        card, lower = (0.0 if time is None else time.opacity(moment) for time in self._times)
        return card, lower, float(self._titles.mark is not None)

    def _light(self, moment: float) -> float:
        """Give the share of light that the fades leave."""
        style, left = self._titles.style, float(self._titles.duration) - moment
        rise = _smooth(moment / style.fade_in) if style.fade_in else 1.0
        return rise * (_smooth(left / style.fade_out) if style.fade_out else 1.0)

    def _drawn(self, size: Size, device: torch.device) -> tuple[Layer | None, ...]:
        """Draw the layers for a size, once."""
        with self._lock:
            key = (size, device)
            if key not in self._layers:
                while len(self._layers) >= _KEPT_SIZES:
                    del self._layers[next(iter(self._layers))]
                self._layers[key] = tuple(
                    None if layer is None else layer.to(device) for layer in self._draw(size)
                )
            return self._layers[key]

    def _draw(self, size: Size) -> tuple[Layer | None, Layer | None, Layer | None]:
        titles, style = self._titles, self._titles.style
        frame = Frame(size, strip_height(size) + _ABOVE_STRIP if style.overlay else 0.0)
        art = None if titles.art is None else decode_picture(titles.art)
        mark: str | Image.Image | None = (
            decode_picture(titles.mark) if isinstance(titles.mark, bytes) else titles.mark
        )
        return (
            draw_card(frame, titles.title, titles.artist, art) if style.card else None,
            draw_lower_third(frame, titles.title, titles.artist) if style.lower_third else None,
            None
            if mark is None
            else draw_watermark(frame, mark, corner=style.watermark_corner, opacity=style.watermark_opacity),
        )
