"""What is written and drawn over a film: title card, lower third, watermark, fades, analyser overlay."""

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from synesthete.config.base import Frozen

__all__ = ["Corner", "TitleStyle", "Titles", "is_picture_name"]

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_SECONDS = re.compile(r"(\d{1,4}(?:\.\d{0,6})?) ?s?")


def is_picture_name(text: str) -> bool:
    """Tell whether a watermark names a picture; else it is a text.

    Examples
    --------
    >>> is_picture_name("logo.PNG"), is_picture_name("© Nova 2026")
    (True, False)
    """
    return PurePath(text).suffix.lower() in _PICTURES


def _seconds(value: Any) -> Any:
    match = _SECONDS.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(match[1]) if match else value


def _off(value: Any) -> Any:
    return "off" if value is False else value  # YAML 1.1 reads a plain off as false


FadeSeconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=60)]
Words = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, BeforeValidator(_off), Field(min_length=1, max_length=1024)]


class TitleStyle(Frozen):
    """What is written and drawn over a film; as it stands, nothing."""

    card: bool = Field(default=False, description="Show title and artist, large, in the first seconds.")
    lower_third: bool = Field(
        default=False, description="Show title and artist, small, lower left; after the card, if both."
    )
    watermark: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        default=None, description="A PNG, JPEG or WebP picture, or a text, in a corner all along."
    )
    watermark_corner: Corner = Field(default="bottom-right", description="Which corner it is in.")
    watermark_opacity: Annotated[float, Field(ge=0.05, le=1)] = Field(
        default=0.6, description="How much of the light behind it it replaces."
    )
    fade_in: FadeSeconds = Field(default=0.0, description="Seconds from black to the picture, such as 1s.")
    fade_out: FadeSeconds = Field(default=0.0, description="Seconds from the picture to black at the end.")
    overlay: bool = Field(
        default=False, description="Draw what was heard: spectrum, loudness, onsets, beats, sections, tempo."
    )


class Titles(TitleStyle):
    """What is written and drawn over one song's film."""

    title: Words | None = Field(default=None, description="Title; else the song's tag, or the file's name.")
    artist: Words | None = Field(default=None, description="Artist; else the song's tag.")
    cover_art: Name = Field(
        default="auto",
        description="Picture beside the title card: a file, auto (the one in the song's file) or off.",
    )
