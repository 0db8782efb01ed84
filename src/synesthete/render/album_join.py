"""Join the finished films of an album's tracks into the album film, and write the album's manifest."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synesthete.config.album_file import AlbumFiles
from synesthete.config.inside import place_inside
from synesthete.files import code_digest, digest_file, digest_json, whole_file, write_json, writing_to
from synesthete.media.gain import with_gain
from synesthete.media.join import AlbumTrack, album_samples, join_films
from synesthete.media.mux import encode_sound
from synesthete.media.sound import Sound, join_sounds
from synesthete.render.album_tracks import PlannedTrack, album_title
from synesthete.render.plan import library_digest
from synesthete.render.run import FINISHED, RunFolder

__all__ = ["ALBUM_CHANNELS", "forget_album", "join_album", "joined_before", "without_effect"]

ALBUM_CHANNELS = 2
_FILM, _META, _PAGE, _SOUND = "album.mp4", "meta.json", "album.html", ".sound.m4a"


def join_album(
    files: AlbumFiles,
    planned: Sequence[PlannedTrack],
    folders: Sequence[RunFolder],
    sounds: Sequence[Sound],
    root: Path,
) -> tuple[Path, bool]:
    """Join the films of all tracks, or recognise that they are joined; tell whether it was done now.

    Parameters
    ----------
    folders, sounds
        Each track's finished run, and its sound at the album's rate, as it is.
    root
        Where ``album.mp4`` and ``meta.json`` go.
    """
    rate = files.album.audio.sample_rate
    tracks = [
        AlbumTrack(
            film=folder.film,
            frames=one.plan.frames,
            samples=album_samples(
                one.plan.song.samples, source_rate=one.plan.song.sample_rate, sample_rate=rate
            ),
            title=one.plan.song.tags["title"],
        )
        for one, folder in zip(planned, folders, strict=True)
    ]
    tags, cover = _tags(files), None
    if files.album.cover is not None:
        cover = place_inside(files.folder, files.album.cover, where="cover")
    inputs = {
        "films": [digest_file(track.film) for track in tracks],
        "tracks": [[track.frames, track.samples, track.title] for track in tracks],
        "sound": [one.plan.sound_key() for one in planned],
        "sample_rate": rate,
        "tags": tags,
        "cover": None if cover is None else digest_file(cover),
        "versions": [code_digest(), library_digest()],
    }
    film, key = root / _FILM, digest_json(inputs)
    if _is_finished(root, key):
        return film, False
    gains = [one.plan.gain for one in planned]
    loud = [
        sound if gain is None else with_gain(sound, gain) for sound, gain in zip(sounds, gains, strict=True)
    ]
    sound = join_sounds(loud)
    try:
        encode_sound(sound.chunks(), root / _SOUND, sample_rate=rate, channels=ALBUM_CHANNELS)
        with whole_file(film) as part:
            join_films(
                tracks,
                root / _SOUND,
                part,
                frame_rate=files.album.frame_rate,
                sample_rate=rate,
                tags=tags,
                cover=cover,
            )
    finally:
        (root / _SOUND).unlink(missing_ok=True)
    write_json(root / _META, _manifest(files, planned, tracks, key, film))
    return film, True


def joined_before(root: Path, planned: Sequence[PlannedTrack]) -> Path | None:
    """Give the album film that is there, if it is one of these very tracks; else None."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        tracks = json.loads((root / _META).read_text())["tracks"]
        named = [(track["id"], track["inputs"]) for track in tracks]
        if named == [(one.track.id, digest_json(one.plan.inputs())) for one in planned]:
            return root / _FILM if (root / _FILM).is_file() else None
    return None


def forget_album(root: Path) -> None:
    """Remove an album film whose tracks have changed: nobody shall take it for theirs."""
    with writing_to(root):
        for name in (_META, _PAGE, _FILM):
            (root / name).unlink(missing_ok=True)


def without_effect(files: AlbumFiles) -> list[str]:
    """Name the fields that are given and have no effect, as others are as they are."""
    decoder = files.album.decoder
    idle = decoder.runtime == "torch" and "execution_provider" in decoder.model_fields_set
    return ["decoder.execution_provider"] if idle else []


def _tags(files: AlbumFiles) -> dict[str, str]:
    album = files.album
    given = {
        "title": album_title(files),
        "album": album_title(files),
        "artist": album.artist,
        "album_artist": album.artist,
        "date": album.date,
        "copyright": album.licence,
    }
    return {name: value for name, value in given.items() if value}


def _is_finished(root: Path, key: str) -> bool:
    try:
        meta = json.loads((root / _META).read_text())
        same = meta["status"] == FINISHED and meta["key"] == key
        return bool(same and meta["film"]["sha256"] == digest_file(root / _FILM))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _manifest(
    files: AlbumFiles, planned: Sequence[PlannedTrack], tracks: Sequence[AlbumTrack], key: str, film: Path
) -> dict[str, Any]:
    starts = [sum(track.samples for track in tracks[:k]) for k in range(len(tracks))]
    gain = planned[0].plan.gain
    return {
        "status": FINISHED,
        "key": key,
        "film": {
            "file": film.name,
            "sha256": digest_file(film),
            "bytes": film.stat().st_size,
            "frames": sum(track.frames for track in tracks),
            "samples": sum(track.samples for track in tracks),
        },
        "loudness": None if gain is None else asdict(gain),
        "without_effect": without_effect(files),
        "config_resolved": files.album.model_dump(mode="json"),
        "tracks": [
            {
                "id": one.track.id,
                "title": track.title,
                "film": f"{one.track.id}/{track.film.name}",
                "start_sample": start,
                "samples": track.samples,
                "frames": track.frames,
                "inputs": digest_json(one.plan.inputs()),
                "preset": one.plan.preset.name,
                "seed": one.plan.preset.seed,
                "mood": one.plan.mood,
                "look_resolved": look.model_dump(mode="json"),
                "key": one.track.key or one.timeline.music.key,
                "tempo_bpm": one.timeline.music.tempo_bpm,
            }
            for one, track, start, look in zip(planned, tracks, starts, files.looks, strict=True)
        ],
    }
