"""Hear a song: decode it, count its samples, and make its Timeline or find it in the cache."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from synesthete.audio.analysis import analyse_stream
from synesthete.audio.cache import TimelineCache, timeline_key
from synesthete.audio.stems import find_stems
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.files import digest_file, make_folder
from synesthete.media.decode import Resampler, Span, decode_sound
from synesthete.media.probe import probe_sound, unreadable
from synesthete.render.plan import SongFacts, code_digest
from synesthete.render.threads import single_threaded

__all__ = ["hear", "song_chunks"]


def hear(
    song: Path,
    *,
    start: Fraction | None,
    end: Fraction | None,
    allow_truncated: bool,
    workspace: Path,
    bpm: float | None = None,
    stems: Path | None = None,
) -> tuple[Timeline, SongFacts]:
    """Analyse a song, or a part of it; what was heard before is found again by content.

    Parameters
    ----------
    start, end
        The part to use, seconds; None for the song's own ends.
    allow_truncated
        Use what can be decoded of a damaged file.
    workspace
        The Timeline is kept in its ``cache/timelines``.
    bpm
        The song's tempo, if it is known.
    stems
        A folder with its stems; see `synesthete.audio.stems.find_stems`.

    Raises
    ------
    InputError
        If the song or its stems can't be used.
    """
    info, digest = probe_sound(song), _digest(song)
    span = Span(start or Fraction(0), end)
    parts = {} if stems is None else find_stems(stems)
    key = timeline_key(
        digest,
        start=span.start,
        stop=span.end,
        options={
            "allow_truncated": allow_truncated,
            "code": code_digest(),
            "bpm": bpm,
            **{f"stem.{name}": _digest(path) for name, path in parts.items()},
        },
    )

    def chunks(path: Path, counted: list[int]) -> Iterator[np.ndarray]:
        of = info if path is song else probe_sound(path)
        resampler = Resampler(of.sample_rate, ANALYSIS_SAMPLE_RATE, 1 if of.channels == 1 else 2)
        for chunk in decode_sound(path, span=span, allow_truncated=allow_truncated):
            counted[0] += chunk.shape[1]
            yield resampler.push(chunk)
        yield resampler.flush()

    def build(folder: Path) -> None:
        counted = [0]
        analyse_stream(
            chunks(song, counted),
            folder,
            sample_rate=info.sample_rate,
            samples=lambda: counted[0],
            bpm=bpm,
            stems={name: chunks(path, [0]) for name, path in parts.items()},
            key=key,
        )

    cache = TimelineCache(make_folder(workspace / "cache" / "timelines"))
    with single_threaded():  # torch's threads cost more than they gain on blocks of this size
        timeline = cache.get_or_create(key, build)
    facts = SongFacts(
        path=song,
        digest=digest,
        sample_rate=info.sample_rate,
        channels=1 if info.channels == 1 else 2,
        samples=timeline.samples,
        start=start,
        end=end,
        tags=info.tags,
    )
    return timeline, facts


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise unreadable(path, error) from error


def song_chunks(facts: SongFacts, *, allow_truncated: bool) -> Iterator[np.ndarray]:
    """Decode the part of a song that goes into the film, at its own rate."""
    span = Span(facts.start or Fraction(0), facts.end)
    return decode_sound(facts.path, span=span, allow_truncated=allow_truncated)
