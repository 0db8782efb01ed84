"""What a style may be read from: a picture, or a moment of a film, ``film.mp4@12.5``."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from synesthete.clock import parse_timestamp
from synesthete.config.weights import Picture
from synesthete.errors import ConfigError

__all__ = ["FILM_SUFFIXES", "FilmMoment", "StyleImage", "film_moment"]

FILM_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov")
"""Endings of films: those of ours that hold moving pictures best, and of common cameras."""

_FILM = re.compile(
    rf"(.+(?:{'|'.join(map(re.escape, FILM_SUFFIXES))}))(?:@([^/]*))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class FilmMoment:
    """A film, and the moment whose picture is meant: seconds from its start, or None for its middle."""

    film: Path
    moment: Fraction | None


def film_moment(given: Path) -> FilmMoment | None:
    """Tell which moment of which film a path names; None if it names a picture.

    Raises
    ------
    ConfigError
        If it ends as neither, or the moment is no number.

    Examples
    --------
    >>> film_moment(Path("film.mp4@1:02.5")).moment
    Fraction(125, 2)
    """
    if given.suffix.lower() in Picture.suffixes:
        return None
    match = _FILM.fullmatch(str(given))
    if match is None:
        raise ConfigError(
            f"{given.name[:60]!r} does not end in {', '.join(Picture.suffixes)}, as pictures do, or in "
            f"{', '.join(FILM_SUFFIXES)}, as films do; convert it"
        )
    film, moment = match.groups()
    if moment is None:
        return FilmMoment(Path(film), None)
    try:
        return FilmMoment(Path(film), parse_timestamp(moment))
    except ConfigError:
        raise ConfigError(
            f"{moment[:40]!r}, after the @, is no moment of a film; write seconds "
            f"({Path(film).name[:60]}@12.5) or m:ss"
        ) from None


def _readable(given: Path) -> Path:
    try:
        film_moment(given)
    except ConfigError as error:
        raise ValueError(str(error)) from None  # so that pydantic names the field
    return given


StyleImage = Annotated[Path, AfterValidator(_readable)]
"""A path of a picture, or of a film with or without a moment."""
