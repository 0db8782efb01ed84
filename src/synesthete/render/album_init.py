"""Write an album's files for editing: what the sound files in its folder say, and every field explained."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from synesthete.config.album import Album
from synesthete.config.album_file import CONFIG_NAME, TRACKLIST_NAME, read_album
from synesthete.config.inside import place_inside
from synesthete.errors import MediaError, OutputError
from synesthete.files import write_whole
from synesthete.media.probe import probe_sound

__all__ = ["track_number", "write_album_files"]

_KEPT = ("title", "artist")


def write_album_files(folder: Path) -> list[Path]:
    """Write ``tracklist.json`` from the sound files' tags and names, and a ``render.yaml`` to edit.

    Files that are there stay as they are.

    Returns
    -------
    The files that were written.

    Raises
    ------
    ConfigError
        If there is no album in the folder.
    OutputError
        If both files are there already, or can't be written.
    """
    files = read_album(folder, place_of=track_number)
    written = []
    track_list, config = folder / TRACKLIST_NAME, folder / CONFIG_NAME
    if not track_list.exists():
        entries = [{"id": t.id, "src": t.src, **_tags(folder, t.src)} for t in files.album.tracks]
        text = json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
        write_whole(track_list, text.encode(errors="backslashreplace"))
        written.append(track_list)
    if not config.exists():
        write_whole(config, _commented(folder.resolve().name).encode(errors="backslashreplace"))
        written.append(config)
    if not written:
        raise OutputError(f"{config} and {track_list} are there already; edit them, or remove them first")
    return written


def _tags(folder: Path, src: str) -> dict[str, Any]:
    path = place_inside(folder, src, where="src")
    tags: dict[str, str] = {}
    with contextlib.suppress(MediaError):  # rendering will say what is wrong with it
        tags = probe_sound(path).tags
    return {"title": path.stem, **{name: tags[name] for name in _KEPT if tags.get(name)}}


def track_number(path: Path) -> int | None:
    """Give the place on its album that a sound file's tags say, over all discs; None if they don't."""
    tags: dict[str, str] = {}
    with contextlib.suppress(MediaError):
        tags = probe_sound(path).tags
    numbers = [
        re.match(r"\s*(\d{1,4})", next((tags[n] for n in names if n in tags), first))
        for names, first in ((("disc", "discnumber"), "1"), (("track", "tracknumber"), ""))
    ]
    disc, track = (None if match is None else int(match[1]) for match in numbers)
    return None if disc is None or track is None else 10_000 * disc + track


def _commented(title: str) -> str:
    """Write every field of an album with its default, as comments; only the title is set."""
    lines = ["# How the album is rendered. Every field has a default; remove a # to change one.", ""]
    lines.append(yaml.safe_dump({"title": title}, allow_unicode=True).strip())
    for name, field in Album.model_fields.items():
        if name in ("tracks", "title"):
            continue
        default = field.get_default()
        value = default.model_dump(mode="json") if hasattr(default, "model_dump") else default
        if not isinstance(value, dict | list | tuple | str | int | float | bool | None):
            value = str(value)
        shown = yaml.safe_dump([value], allow_unicode=True, default_flow_style=True, width=200).strip()
        shown = f"{name}: {shown[1:-1]}"
        lines += ["", f"# {field.description}", f"# {shown}"]
    lines += [
        "",
        "# What a track is to have of its own; tracks, titles and their order are in tracklist.json.",
    ]
    lines += ["# tracks:", "#   - {id: TRACK-ID, preset: medusa, controller: {preset: drift}}", ""]
    return "\n".join(lines)
