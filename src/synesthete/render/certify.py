"""Certify a film: from what was seen while its Segments were drawn, or, where that is gone, from the film."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synesthete.audio.timeline import Timeline
from synesthete.errors import RenderError
from synesthete.evaluation.certificate import (
    CERTIFICATE_JSON,
    CERTIFICATE_KEYS,
    CERTIFICATE_PAGE,
    Certificate,
    certify,
)
from synesthete.evaluation.integrity import measure_integrity
from synesthete.evaluation.observe import Observer, Stretch, join_stretches, stretches_of
from synesthete.media.images import jpeg_bytes
from synesthete.media.watch import watch_pictures
from synesthete.render.plan import RenderPlan, Segment
from synesthete.render.run import RunFolder, StoredPart, seen_path
from synesthete.render.threads import single_threaded

__all__ = ["certificate_of", "certify_film", "certify_segments", "seen_of"]


def certificate_of(folder: RunFolder, film_sha256: str) -> dict[str, Any] | None:
    """Give the run's certificate, if it is there and is that of this very film."""
    try:
        values = json.loads((folder.path / CERTIFICATE_JSON).read_text())
        whole = all(key in values for key in CERTIFICATE_KEYS) and (folder.path / CERTIFICATE_PAGE).is_file()
        return dict(values) if whole and values["film"]["sha256"] == film_sha256 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def certify_segments(
    plan: RenderPlan,
    timeline: Timeline,
    folder: RunFolder,
    parts: Sequence[tuple[Segment, StoredPart]],
    *,
    film_sha256: str,
    limiter: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Certify a film whose Segments are still there.

    Parameters
    ----------
    limiter
        What the flash limiter did.

    Returns
    -------
    The certificate's values; it is written into the run's folder.
    """
    return _certify(plan, timeline, folder, seen_of(plan, parts), folder.work / "grid", film_sha256, limiter)


def seen_of(plan: RenderPlan, parts: Sequence[tuple[Segment, StoredPart]]) -> Iterator[Stretch]:
    """Give what was seen of a film's Segments; those of which that is gone are decoded, and it is kept."""
    for segment, part in parts:
        try:
            stretch = Stretch.load(seen_path(part.path))
            fits = stretch.covers(segment.start, segment.stop, plan.size)
        except RenderError:  # rendered without watching, or damaged
            fits = False
        if not fits:
            observer = Observer(plan.size, plan.frame_rate, segment.start)
            for _, planes in watch_pictures(part.path):
                observer.see(planes)
            stretch = observer.stretch()
            stretch.save(seen_path(part.path))
        yield stretch


def certify_film(
    plan: RenderPlan,
    timeline: Timeline,
    folder: RunFolder,
    *,
    film_sha256: str,
    limiter: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Certify a finished film that has no certificate; it is decoded for it."""
    folder.work.mkdir(exist_ok=True)
    whole = Segment(0, 0, plan.frames)
    stretches = _watched(plan, folder.film, whole)
    return _certify(plan, timeline, folder, stretches, folder.work / "grid", film_sha256, limiter)


def _watched(plan: RenderPlan, path: Path, segment: Segment) -> Iterator[Stretch]:
    planes = (planes for _, planes in watch_pictures(path))
    yield from stretches_of(planes, size=plan.size, frame_rate=plan.frame_rate, start=segment.start)


def _certify(
    plan: RenderPlan,
    timeline: Timeline,
    folder: RunFolder,
    stretches: Iterator[Stretch],
    scratch: Path,
    film_sha256: str,
    limiter: Mapping[str, Any] | None,
) -> dict[str, Any]:
    with single_threaded():
        observation = join_stretches(stretches, size=plan.size, frame_rate=plan.frame_rate, scratch=scratch)
        if observation.frames != plan.frames:
            raise RenderError(
                f"{observation.frames} of the film's {plan.frames} frames were seen; render with --force"
            )
        certificate: Certificate = certify(
            observation,
            timeline,
            film=folder.film.name,
            song=plan.song.path.name,
            integrity=measure_integrity(
                folder.film, song_seconds=plan.song.duration, key_pictures=True
            ).to_json(),
            sheet_jpeg=_sheet(folder),
            sha256=film_sha256,
            limiter=limiter,
        )
    certificate.write(folder.path)
    return dict(certificate.values)


def _sheet(folder: RunFolder) -> bytes | None:
    with contextlib.suppress(OSError, ValueError), Image.open(folder.previews / "sheet.png") as picture:
        return jpeg_bytes(np.asarray(picture.convert("RGB")))
    return None
