"""The album's page: one HTML file that links films, previews and certificates of all tracks."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from synesthete.clock import format_duration
from synesthete.config.album_file import AlbumFiles
from synesthete.errors import SynestheteError
from synesthete.evaluation.certificate import CERTIFICATE_JSON, CERTIFICATE_PAGE
from synesthete.evaluation.page import write_page
from synesthete.evaluation.verdicts import summary_lines
from synesthete.render.album_tracks import PlannedTrack, album_title

__all__ = ["write_album_page"]

_TEMPLATES: Final = Path(__file__).parent / "templates"


def write_album_page(
    root: Path,
    files: AlbumFiles,
    planned: Sequence[PlannedTrack],
    *,
    film: Path | None,
    current: Collection[str],
    failures: Mapping[str, SynestheteError],
) -> None:
    """Write ``album.html``, whole; what is linked lies beside it.

    Parameters
    ----------
    film
        The album film, if it was made.
    current
        Ids of the tracks whose film is there, and is as planned; others are not linked.
    failures
        What went wrong with which track.
    """
    known = {one.track.id: one for one in planned}
    tracks = [_row(root, track.id, known.get(track.id), current, failures) for track in files.album.tracks]
    context = {
        "title": album_title(files),
        "artist": files.album.artist or "",
        "licence": files.album.licence or "",
        "film": None if film is None else film.name,
        "duration": format_duration(sum(float(one.plan.song.duration) for one in planned)),
        "tracks": tracks,
    }
    write_page(root / "album.html", "album.html", context, templates=_TEMPLATES)


def _row(
    root: Path,
    name: str,
    one: PlannedTrack | None,
    current: Collection[str],
    failures: Mapping[str, SynestheteError],
) -> dict[str, Any]:
    folder = root / name

    def link(file: str) -> str | None:
        there = name in current and (folder / file).is_file()
        return f"{quote(name)}/{quote(file)}" if there else None

    return {
        "id": name,
        "title": one.plan.song.tags["title"] if one else name,
        "artist": one.plan.song.tags.get("artist", "") if one else "",
        "duration": format_duration(float(one.plan.song.duration)) if one else "",
        "look": f"{one.plan.preset.name} · {one.plan.mood}" if one else "",
        "film": link("film.mp4"),
        "sheet": link("previews/sheet.png"),
        "certificate": link(CERTIFICATE_PAGE),
        "summary": _summary(folder / CERTIFICATE_JSON) if name in current else [],
        "failure": str(failures[name]) if name in failures else "",
    }


def _summary(certificate: Path) -> list[str]:
    try:
        return summary_lines(json.loads(certificate.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return []
