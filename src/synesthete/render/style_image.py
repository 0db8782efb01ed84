"""The picture that ``--style-image`` names: a file of its own, or taken out of a film into the workspace."""

import stat
from pathlib import Path

from synesthete.config.style_image import FilmMoment, film_moment
from synesthete.config.weights import Picture, digested
from synesthete.errors import ConfigError
from synesthete.files import digest_file, digest_json
from synesthete.media.images import write_png
from synesthete.media.still import MAX_STILL_SIDE, picture_at

__all__ = ["given_style"]

_WHERE = "--style-image"


def given_style(given: Path, workspace: Path) -> Picture:
    """Give the picture whose style is asked for, where it lies, with its digest.

    A film's picture goes to ``cache/styles/`` of the workspace, named by the digest of the film's content and
    of the moment, and is found there again.

    Parameters
    ----------
    given
        A picture, or a film with or without ``@`` and a moment; see
        `synesthete.config.style_image.film_moment`.

    Raises
    ------
    ConfigError
        If it can't be read, or ends as no picture or film does.
    MediaError
        If the film can't be used; see `synesthete.media.still.picture_at`.
    OutputError, RenderError
        If the workspace can't be written to.
    """
    wanted = film_moment(given)
    place = given if wanted is None else _taken(wanted, workspace / "cache" / "styles")
    return digested(Picture(file=place.name), place, where=_WHERE)


def _taken(wanted: FilmMoment, folder: Path) -> Path:
    """Give the file with the picture of a film's moment; written if it is not there."""
    moment = "middle" if wanted.moment is None else str(wanted.moment)
    key = digest_json({"film": _digest(wanted.film), "moment": moment, "side": MAX_STILL_SIDE})
    place = folder / f"{key}.png"
    if not place.is_file():
        write_png(place, picture_at(wanted.film, wanted.moment))
    return place


def _digest(film: Path) -> str:
    try:
        if not stat.S_ISREG(film.stat().st_mode):
            raise ConfigError(
                f"{_WHERE}: {film} is no regular file; name a film"
            )  # a pipe would keep us waiting
        return digest_file(film)
    except OSError as error:
        raise ConfigError(
            f"{_WHERE}: cannot read {film} ({error.strerror or error}); check the name"
        ) from None
