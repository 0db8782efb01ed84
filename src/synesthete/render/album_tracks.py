"""From an album's files to a plan for each of its tracks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from synesthete.audio.moments import telling_character
from synesthete.audio.timeline import Timeline
from synesthete.config.album import Album, Look, PostFx, Track
from synesthete.config.album_file import AlbumFiles
from synesthete.config.base import build, merge
from synesthete.config.inside import place_inside
from synesthete.config.mood import Mood, load_mood, shipped_moods
from synesthete.config.post import Lut, found_lut
from synesthete.config.preset import (
    AUTO_PRESET,
    DEFAULT_PRESETS,
    FAMILIES,
    Preset,
    load_preset,
    shipped_presets,
    with_lut,
)
from synesthete.config.render import RenderOptions, SceneRule
from synesthete.config.titles import Titles, is_picture_name
from synesthete.errors import ConfigError
from synesthete.generators.build import check_preset
from synesthete.generators.family import main_hue, turned_towards
from synesthete.media.joint import check_cover
from synesthete.render.pipeline import plan_film
from synesthete.render.plan import RenderPlan
from synesthete.render.titles import film_titles

__all__ = ["AlbumRun", "PlannedTrack", "album_title", "plan_track"]

_FRAMES_PER_ALPHA = 60
_FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
_STYLE_PER_FIFTH = 0.12


@dataclass(frozen=True)
class AlbumRun:
    """How an album is rendered this time: what decides no film's look.

    Attributes
    ----------
    tracks
        The ids to render; empty for all.
    workers
        Segments rendered side by side; None chooses.
    previews, keep_frames, force
        Whether to draw previews, to keep every frame as PNG in the track's folder, to render anew.
    """

    tracks: tuple[str, ...] = ()
    workers: int | None = None
    previews: bool = True
    keep_frames: bool = False
    force: bool = False


@dataclass(frozen=True)
class PlannedTrack:
    """A track, its plan and what was heard in it."""

    track: Track
    plan: RenderPlan
    timeline: Timeline


def album_title(files: AlbumFiles) -> str:
    """Give the album's title: its own, or its folder's name."""
    return files.album.title or files.folder.resolve().name


def plan_track(files: AlbumFiles, index: int, run: AlbumRun) -> PlannedTrack:
    """Resolve a track's look and plan its film; hears the track.

    Raises
    ------
    InputError
        If anything of it can't be used.
    """
    album, track, look = files.album, files.album.tracks[index], files.looks[index]
    where = f"track {track.id}"
    song = place_inside(files.folder, track.src, where=f"{where}: src")
    stems = None if track.stems is None else place_inside(files.folder, track.stems, where=f"{where}: stems")
    cover = _cover(files, track)
    mood = _mood(files.folder, look, where)
    markers = _markers(track)
    # A loop stays in one look: another would have to turn back to the first at its end.
    rule = SceneRule() if track.loop else look.scenes or _rule(markers, mood)
    options = build(
        RenderOptions,
        {
            "resolution": album.resolution, "aspect": album.aspect, "fps": album.frame_rate,
            "start": track.trim.start, "end": track.trim.end, "bpm": track.bpm, "stems": stems,
            "loop": "whole" if track.loop else None, "shutter": album.shutter,
            "scenes": rule, "marker": markers if rule.kind == "markers" else (),
            "transition": look.transition if rule.kind != "off" else None,
            "device": album.device, "kernels": album.kernels, "crf": album.crf, "speed": album.speed,
            "flash_safety": album.flash_safety, "decoder": album.decoder,
            "workers": run.workers, "workspace": files.folder, "force": run.force,
        },
        where=where,
    )  # fmt: skip
    names = [look.preset or DEFAULT_PRESETS["program"], *(look.scene_presets if rule.kind != "off" else ())]
    hue = _family_hue(files) if album.palette == "shared" else None

    def presets(timeline: Timeline) -> Sequence[Preset]:
        return [
            turned_towards(_preset(files.folder, name, look, mood, timeline, where, first=k == 0), hue)
            for k, name in enumerate(names)
        ]

    for name in names:  # a wrong name is found before the track is heard
        if name != AUTO_PRESET:
            _preset(files.folder, name, look, mood, None, where, first=name == names[0])
    plan, timeline = plan_film(song, options, presets, mood=mood, offset=_offset(album, index, track, look))
    facts = replace(plan.song, tags=_tags(files, index, plan.song.tags))
    titles = film_titles(
        _titles(files.folder, look, where),
        song=facts.path, duration=facts.duration, tags=facts.tags, cover=cover,
    )  # fmt: skip
    return PlannedTrack(track, replace(plan, song=facts, cover=cover, titles=titles), timeline)


def _preset(
    folder: Path,
    name: str,
    look: Look,
    mood: Mood,
    timeline: Timeline | None,
    where: str,
    *,
    first: bool,
) -> Preset:
    """Load a preset with the look's changes; those of single fields are for the first only."""
    if name == AUTO_PRESET and timeline is not None:
        name = FAMILIES[telling_character(timeline)]
    elif _is_mood_only(name):
        name = DEFAULT_PRESETS["program"]
    changes = list(look.set) if first else []
    if look.seed is not None:
        changes.append(f"seed={look.seed}")
    preset = load_preset(_named(folder, name, f"{where}: preset"), assignments=changes, mood=mood)
    check_preset(preset)
    return _with_post(folder, preset, look.postfx, where=f"{where}: postfx")


def _with_post(folder: Path, preset: Preset, fx: PostFx, *, where: str) -> Preset:
    """Lay an album's wishes over a preset's post; the preset's own table of colours stays where it lies."""
    given = fx.model_dump(exclude_none=True)
    lut = preset.post.lut
    if fx.lut is not None:
        lut = found_lut(Lut(file=given.pop("lut")), folder, where=f"{where}.lut")
    if "grain_intensity" in given:
        given["grain"] = given.pop("grain_intensity")
    values = {**preset.model_dump(), "post": {**preset.post.model_dump(), **given}}
    return with_lut(build(Preset, values, where=where), lut)


def _titles(folder: Path, look: Look, where: str) -> Titles:
    """Give what is written over a track's film; a picture lies below the album's folder."""
    values = look.titles.model_dump()
    mark = look.titles.watermark
    if mark is not None and is_picture_name(mark):
        values["watermark"] = str(place_inside(folder, mark, where=f"{where}: titles.watermark"))
    return Titles.model_validate(values)


def _markers(track: Track) -> tuple[Fraction, ...]:
    """Give the markers in the part that is used; they count in the whole track."""
    start, end = track.trim.start or Fraction(0), track.trim.end
    return tuple(m for m in track.markers if m > start and (end is None or m < end))


def _rule(markers: Sequence[Fraction], mood: Mood) -> SceneRule:
    """Choose where scenes begin if nobody says: at markers, as the mood has it, else with the sections."""
    if markers:
        return SceneRule(kind="markers")
    options = RenderOptions()
    return options.scene_rule(mood.sections.scenes or "sections")


def _is_mood_only(name: str) -> bool:
    return name in shipped_moods() and name not in shipped_presets()


def _mood(folder: Path, look: Look, where: str) -> Mood:
    """Give the mood that a look names, with the controller's own values over it."""
    controller = look.controller
    name = controller.preset
    if look.preset is not None and _is_mood_only(look.preset):
        name = look.preset  # where presets were moods, tracks named them so
    mood = load_mood(_named(folder, name, f"{where}: controller.preset"))
    over: dict[str, Any] = {}
    if controller.smoothing_alpha is not None:
        alpha = controller.smoothing_alpha
        over["smoothing"] = 0.0 if alpha < 1e-6 else min(10.0, -1 / (_FRAMES_PER_ALPHA * math.log(alpha)))
    if controller.wander_seed is not None:
        over["wander"] = {"seed": controller.wander_seed}
    if controller.tempo_sync is not None:
        over["tempo_sync"] = controller.tempo_sync.model_dump()
    return build(Mood, merge(mood.model_dump(), over), where=f"{where}: controller") if over else mood


def _named(folder: Path, name: str, where: str) -> str:
    """Give a shipped name as it is, and a file's as a path below the album's folder."""
    return str(place_inside(folder, name, where=where)) if name.endswith((".yaml", ".yml")) else name


def _family_hue(files: AlbumFiles) -> float | None:
    """Give the main hue of the first track's preset, as it is written."""
    look = files.looks[0]
    name = look.preset or DEFAULT_PRESETS["program"]
    if name == AUTO_PRESET or _is_mood_only(name):
        name = DEFAULT_PRESETS["program"]
    try:
        return main_hue(load_preset(_named(files.folder, name, "preset"), assignments=look.set))
    except ConfigError:
        return None  # the first track itself will say what is wrong


def _offset(album: Album, index: int, track: Track, look: Look) -> tuple[float, ...] | None:
    """Give how far a track's style lies from its preset's: the arc, its key, and a style of its own."""
    offset = np.zeros(4)
    if album.arc is not None and len(album.tracks) > 1:
        share = index / (len(album.tracks) - 1)
        offset += (1 - share) * np.array(album.arc.start) + share * np.array(album.arc.end)
    if track.key is not None:
        offset[0] += _STYLE_PER_FIFTH * _fifths(track.key)
    if look.style is not None:
        offset += np.array(look.style)
    return tuple(float(x) for x in offset) if offset.any() else None


def _fifths(key: str) -> int:
    """Count fifths from C major, the shorter way round: related keys have related hues.

    Examples
    --------
    >>> [_fifths(key) for key in ("C", "Am", "F#m", "Eb major")]
    [0, 0, 3, -3]
    """
    fifths = _FIFTHS[key[0].upper()]
    fifths += 7 * (key[1:2] in ("#", "♯")) - 7 * (key[1:2] in ("b", "♭"))
    rest = key[1:].lstrip("#b♯♭ ")
    if rest.startswith("m") and not rest.startswith("maj"):
        fifths -= 3  # of the relative major
    return (fifths + 5) % 12 - 5


def _cover(files: AlbumFiles, track: Track) -> Path | None:
    name, where = track.art or files.album.cover, f"track {track.id}: art" if track.art else "cover"
    if name is None:
        return None
    path = place_inside(files.folder, name, where=where)
    if not path.is_file():
        raise ConfigError(f"{where} = {name[:60]!r}: there is no such picture; correct the name")
    try:
        check_cover(path)  # now, and not when the film is finished
    except OSError as error:
        raise ConfigError(f"{where}: cannot read {path} ({error.strerror}); check the file") from None
    return path


def _tags(files: AlbumFiles, index: int, own: Mapping[str, str]) -> dict[str, str]:
    """Give a track's tags: what the album's files say over what the sound file says."""
    album, track = files.album, files.album.tracks[index]
    given = {
        "title": track.title or own.get("title") or Path(track.src).stem,
        "artist": track.artist or own.get("artist") or album.artist,
        "album": album_title(files),
        "album_artist": album.artist,
        "date": album.date or own.get("date"),
        "copyright": track.licence or own.get("copyright") or own.get("license") or album.licence,
        "track": f"{index + 1}/{len(album.tracks)}",
    }
    return {**own, **{name: value for name, value in given.items() if value}}
