"""Evaluate any film with sound, ours or not: watch it, hear its song, certify it."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, Clock, format_duration
from synesthete.config.evaluate import EvaluateOptions
from synesthete.evaluation.certificate import Certificate, certify
from synesthete.evaluation.flow import flow_magnitude
from synesthete.evaluation.integrity import measure_integrity
from synesthete.evaluation.look import display_rgb
from synesthete.evaluation.music_changes import excerpt
from synesthete.evaluation.music_sync import OtherSong
from synesthete.evaluation.observe import join_stretches, stretches_of
from synesthete.evaluation.place import find_in_song
from synesthete.files import digest_file, make_folder, writing_to
from synesthete.generators.base import Size
from synesthete.media.images import contact_sheet, jpeg_bytes
from synesthete.media.watch import PictureInfo, on_clock, probe_pictures, watch_pictures
from synesthete.render.listen import hear
from synesthete.render.threads import single_threaded

__all__ = ["evaluate_film"]

_LEAST_PART_S: Final = 1.0  # what begins that far into the song is a part of it, not late
_PROGRESS_FRAMES: Final = 25
_SHEET_PICTURES: Final = 12
_SHEET_COLUMNS: Final = 4
_SHEET_SHORT: Final = 180


def evaluate_film(
    film: Path,
    options: EvaluateOptions,
    *,
    on_event: Callable[[dict[str, Any]], None] = lambda event: None,
) -> Certificate:
    """Measure everything a certificate says on a film file.

    Parameters
    ----------
    on_event
        Receives ``watch``, once, and ``progress``.

    Raises
    ------
    InputError
        If the film, its song or one of the others can't be used.
    """
    info = probe_pictures(film)
    song = options.audio
    timeline = _heard(film if song is None else song, info, options)
    begins_s = find_in_song(film, song) if song is not None and info.has_sound else None
    is_part = begins_s is not None and abs(begins_s) >= _LEAST_PART_S
    music_start_s = begins_s if is_part and begins_s is not None else 0.0
    if timeline is not None and music_start_s > 0:
        whole = round(music_start_s * ANALYSIS_RATE)
        timeline = excerpt(timeline, whole, timeline.ticks)
        music_start_s -= whole / ANALYSIS_RATE
    others = [OtherSong(path.name, _hear(path, options)) for path in options.against]
    size = Size(info.width, info.height)
    on_event({"event": "watch", "frame_rate": str(info.frame_rate), "frames": info.frames_declared})
    flow = None
    if options.full:
        flow = flow_magnitude(on_clock(watch_pictures(film), info.frame_rate), size)
    sheet, decoded = _Sheet(info, size), 0

    def pictures() -> Iterator[tuple[float, np.ndarray]]:
        nonlocal decoded, music_start_s
        for picture in watch_pictures(film):
            if decoded == 0:  # frames go to the nearest place on the clock, which may be half of one away
                place = Fraction(picture[0]) * info.frame_rate
                music_start_s += float((place - max(0, round(place))) / info.frame_rate)
            decoded += 1
            yield picture

    def watched() -> Iterator[np.ndarray]:
        for frame, planes in enumerate(on_clock(pictures(), info.frame_rate)):
            sheet.see(frame, planes)
            if frame % _PROGRESS_FRAMES == 0:
                on_event({"event": "progress", "frames": frame, "rendered": frame})
            yield planes

    scratch = make_folder(options.workspace / "cache") / f"evaluate-{secrets.token_hex(4)}"
    try:
        with single_threaded(), writing_to(scratch):
            scratch.mkdir()
            observation = join_stretches(
                stretches_of(watched(), size=size, frame_rate=info.frame_rate),
                size=size,
                frame_rate=info.frame_rate,
                scratch=scratch / "grid",
            )
            if song is None or is_part:
                music_start_s -= info.sound_start_s or 0.0
            observation = replace(observation, music_start_s=music_start_s)
            # Of a part of the song, the container's timestamps alone can tell the offset.
            integrity = measure_integrity(film, song=None if is_part else song, decoded_frames=decoded)
            return certify(
                observation,
                timeline,
                film=film.name,
                song=None if timeline is None else (song or film).name,
                integrity=integrity.to_json(),
                against=others,
                flow=flow,
                sheet_jpeg=sheet.jpeg(),
                sha256=digest_file(film),
            )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _heard(song: Path, info: PictureInfo, options: EvaluateOptions) -> Timeline | None:
    """Hear the film's song; None for a film without sound."""
    if options.audio is None and not info.has_sound:
        return None
    return _hear(song, options)


def _hear(song: Path, options: EvaluateOptions) -> Timeline:
    timeline, _ = hear(
        song,
        start=None,
        end=None,
        allow_truncated=options.allow_truncated,
        workspace=options.workspace,
    )
    return timeline


class _Sheet:
    """Keeps a few pictures, spread evenly, while a film goes by."""

    def __init__(self, info: PictureInfo, size: Size) -> None:
        count = min(_SHEET_PICTURES, info.frames_declared)
        self._wanted = {info.frames_declared * (2 * k + 1) // (2 * count) for k in range(count)}
        self._clock, self._size, self._title = Clock(info.frame_rate), size, info.path.stem
        self._pictures: list[np.ndarray] = []
        self._labels: list[str] = []

    def see(self, frame: int, planes: np.ndarray) -> None:
        """Keep the frame if it is one of those wanted."""
        if frame not in self._wanted:
            return
        rgb = (np.clip(display_rgb(planes, self._size), 0, 1) * 255 + 0.5).astype(np.uint8)
        picture = Image.fromarray(rgb)
        scale = min(1.0, _SHEET_SHORT / self._size.short)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        self._pictures.append(np.asarray(picture.resize((width, height))))
        self._labels.append(format_duration(self._clock.seconds(frame)))

    def jpeg(self) -> bytes | None:
        """Lay the pictures out; None if there are none."""
        if not self._pictures:
            return None
        sheet = contact_sheet(self._pictures, columns=_SHEET_COLUMNS, labels=self._labels, title=self._title)
        return jpeg_bytes(sheet)
