"""Read an album from its folder: ``render.yaml``, ``tracklist.json``, or only the sound files in it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from synesthete.config.album import LOOK_FIELDS, MAX_TRACKS, Album, Look
from synesthete.config.base import (
    Location,
    build,
    merge,
    parse_assignment,
    read_text,
    read_yaml,
    set_path,
)
from synesthete.config.inside import place_inside
from synesthete.errors import ConfigError
from synesthete.files import slug

__all__ = ["CONFIG_NAME", "TRACKLIST_NAME", "AlbumFiles", "read_album"]

CONFIG_NAME, TRACKLIST_NAME = "render.yaml", "tracklist.json"
_SOUNDS = (
    ".wav", ".wave", ".flac", ".aif", ".aiff", ".aifc", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac",
    ".alac", ".wma", ".ape", ".tak", ".wv", ".caf", ".mka",
)  # fmt: skip
_MOST_DEPTH = 30
Lines = Mapping[Location, int]


@dataclass(frozen=True)
class AlbumFiles:
    """An album as its files have it.

    Attributes
    ----------
    folder
        Where everything that the files name lies.
    album
        What they say, with the changes of the command line.
    looks
        How each track is to look: the album's look, the track's, the command line's, one over the other.
    name
        That of another YAML file than ``render.yaml``, without its ending; else empty.
    """

    folder: Path
    album: Album
    looks: tuple[Look, ...]
    name: str = ""


def read_album(
    folder: Path,
    config: Path | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    assignments: Sequence[str] = (),
    place_of: Callable[[Path], int | None] = lambda path: None,
) -> AlbumFiles:
    """Read an album.

    Parameters
    ----------
    folder
        The album's folder; its ``render.yaml`` and ``tracklist.json`` are read where they are.
    config
        A YAML file in that folder to read instead of ``render.yaml``.
    changes
        Fields of `Album` that the command line replaces; what is a look's replaces that of every track.
    assignments
        ``a.b=value``: single fields, likewise; they come last.
    place_of
        Gives a sound file's place on the album, or None. Where there is no list of tracks they are in this
        order if every file has a place of its own, else in that of their names.

    Raises
    ------
    ConfigError
        If anything is wrong; says file, line and field.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name the album's folder, or its YAML file by --config")
    path = config or place_inside(folder, CONFIG_NAME, where="the album's file")
    values = read_yaml(path) if config or path.exists() else {}
    lines = lru_cache(_lines)
    listed, list_path = _tracklist(folder)
    given = values.get("tracks", [])
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise ConfigError(
            f"{path}{_line(lines(path), ('tracks',))}: tracks must be a list of mappings, one per track"
        )
    if not given and not listed:
        listed = _found(folder, place_of)
    for entries, source in ((given, path), (listed, list_path)):
        if len(entries) > MAX_TRACKS:
            raise ConfigError(f"{source} has {len(entries)} tracks; an album has at most {MAX_TRACKS}")
    tracks, origins = _overlaid(listed, given)

    def at(location: Location) -> str:
        if location[:1] == ("tracks",) and len(location) > 1 and isinstance(location[1], int):
            from_list, from_yaml = origins[location[1]]
            field = location[2:]
            in_yaml = from_yaml is not None and (
                not field or field[0] in given[from_yaml] or from_list is None
            )
            if in_yaml:
                return f"{path}{_line(lines(path), ('tracks', from_yaml or 0, *field))}"
            if from_list is not None and list_path.is_file():
                return f"{list_path}{_line(lines(list_path), (from_list, *field))}"
            return str(folder)
        return f"{path}{_line(lines(path), location)}" if values else str(folder)

    album = build(Album, {**values, "tracks": tracks}, where=str(path), at=at)
    changed = _changed(folder, album, dict(changes or {}), assignments)
    return replace(changed, name="" if path.name == CONFIG_NAME else path.stem)


def _changed(folder: Path, album: Album, changes: dict[str, Any], assignments: Sequence[str]) -> AlbumFiles:
    """Lay the command line over an album and over the looks of its tracks."""
    plain = album.model_dump(exclude_unset=True)
    of_look: list[tuple[list[str], Any]] = []
    for place, value in [([k], v) for k, v in changes.items()] + [parse_assignment(a) for a in assignments]:
        if place[0] == "tracks":
            raise ConfigError("--set tracks… is not possible; edit the file, or choose tracks by --track")
        if place[0] in LOOK_FIELDS:
            of_look.append((place, value))
        plain = set_path(plain, place, value)
    changed = build(Album, plain, where="options")
    shared = {
        name: value for name, value in album.model_dump(exclude_unset=True).items() if name in LOOK_FIELDS
    }
    looks = []
    for track in changed.tracks:
        own = {k: v for k, v in track.model_dump(exclude_unset=True).items() if k in LOOK_FIELDS}
        values = merge(shared, own)
        for place, value in of_look:
            values = set_path(values, place, value)
        looks.append(build(Look, values, where=f"track {track.id}"))
    return AlbumFiles(folder, changed, tuple(looks))


def _overlaid(
    listed: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[tuple[int | None, int | None]]]:
    """Lay the YAML's tracks over the list's by id; tell for each where it stands in list and YAML."""
    tracks = [{"id": _id_of(entry), **entry} for entry in listed]
    origins: list[tuple[int | None, int | None]] = [(index, None) for index in range(len(tracks))]
    places = {track["id"]: index for index, track in enumerate(tracks) if isinstance(track["id"], str)}
    for index, entry in enumerate(given):
        entry = {"id": _id_of(entry), **entry}
        place = places.get(entry["id"]) if isinstance(entry["id"], str) else None
        if place is None or origins[place][1] is not None:  # a second one is refused as given twice
            tracks.append(entry)
            origins.append((None, index))
        else:
            tracks[place] = merge(tracks[place], entry)
            origins[place] = (origins[place][0], index)
    return tracks, origins


def _id_of(entry: Mapping[str, Any]) -> Any:
    if "id" in entry or not isinstance(entry.get("src"), str):
        return entry.get("id", "")
    return slug(Path(entry["src"]).stem)


def _found(folder: Path, place_of: Callable[[Path], int | None]) -> list[dict[str, Any]]:
    """List the sound files of a folder by their places, else by their names, numbers by value."""
    names = [
        p.name for p in folder.iterdir() if p.suffix.lower() in _SOUNDS and p.is_file() and p.name[0] != "."
    ]
    if not names:
        raise ConfigError(
            f"{folder} holds no sound files, no {CONFIG_NAME} and no {TRACKLIST_NAME}; name an album's folder"
        )
    if len(names) > MAX_TRACKS:
        raise ConfigError(
            f"{folder} holds {len(names)} sound files; an album has at most {MAX_TRACKS} tracks"
        )
    entries: list[dict[str, Any]] = []
    taken: set[str] = set()
    names.sort(key=_natural)
    places = {name: place_of(place_inside(folder, name, where="a sound file")) for name in names}
    if None not in places.values() and len(set(places.values())) == len(names):
        names.sort(key=lambda name: places[name] or 0)
    for name in names:
        base = slug(Path(name).stem)
        stem = next(s for s in (base, *(f"{base}-{n}" for n in range(2, len(names) + 2))) if s not in taken)
        taken.add(stem)
        entries.append({"id": stem, "src": name})
    return entries


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part.lower())
        for part in re.split(r"([0-9]{1,9})", name)
        if part
    ]


def _tracklist(folder: Path) -> tuple[list[dict[str, Any]], Path]:
    path = place_inside(folder, TRACKLIST_NAME, where="the tracklist")
    if not path.exists():
        return [], path
    text = read_text(path)
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}, line {error.lineno}: {error.msg}; correct the JSON") from None
    except ValueError as error:
        raise ConfigError(f"{path}{_line_refused(text)}: {str(error)[:80]}; correct the JSON") from None
    except RecursionError as error:
        raise ConfigError(f"{path}: {str(error)[:80]}; correct the JSON") from None
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ConfigError(f"{path} must hold a list of tracks, each a mapping with src")
    return value, path


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"{name[:40]!r} is given twice")
        values[name] = value
    return values


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number in JSON")


def _line_refused(text: str) -> str:
    """Tell the first line of a JSON text with what `_once` or `_no_number` refuse."""

    def found(node: yaml.Node, depth: int = 0) -> Iterator[int]:
        if depth > _MOST_DEPTH:
            return
        if isinstance(node, yaml.ScalarNode):
            if not node.style and node.value in ("NaN", "Infinity", "-Infinity"):
                yield node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    yield key.start_mark.line + 1
                seen.add(str(key.value))
                yield from found(value, depth + 1)
        else:
            for item in node.value:
                yield from found(item, depth + 1)

    root = _composed(text)
    line = None if root is None else min(found(root), default=None)
    return "" if line is None else f", line {line}"


def _lines(path: Path) -> Lines:
    """Find the line of every field of a YAML or JSON file; of one that YAML can't read, of none."""
    lines: dict[Location, int] = {}

    def walk(node: yaml.Node, location: Location) -> None:
        lines.setdefault(location, node.start_mark.line + 1)
        if len(location) > _MOST_DEPTH:
            return
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                lines[(*location, str(key.value))] = key.start_mark.line + 1
                walk(value, (*location, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                walk(item, (*location, index))

    root = _composed(read_text(path))
    if root is not None:
        walk(root, ())
    return lines


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _line(lines: Lines, location: Location) -> str:
    """Give the line of a field, or of what it would stand in."""
    for length in range(len(location), 0, -1):
        if location[:length] in lines:
            return f", line {lines[location[:length]]}"
    return ""
