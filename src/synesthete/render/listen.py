"""Hear a song: decode it, count its samples, and make its Timeline or find it in the cache."""

import json
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from synesthete.audio.analysis import analyse_stream
from synesthete.audio.cache import TimelineCache, timeline_key
from synesthete.audio.rhythm import BPM_RANGE
from synesthete.audio.stems import find_stems
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_SAMPLE_RATE, samples_at
from synesthete.config.render import RenderOptions
from synesthete.files import code_digest, digest_file, make_folder
from synesthete.media.decode import Resampler, Span, decode_sound
from synesthete.media.probe import probe_sound, unreadable
from synesthete.render.loop_plan import Loop, choose_loop, whole_loop
from synesthete.render.loop_sound import loop_chunks, repeated
from synesthete.render.plan import SongFacts
from synesthete.render.threads import single_threaded

__all__ = ["hear", "hear_loop", "song_chunks"]


def hear(
    song: Path,
    *,
    start: Fraction | None,
    end: Fraction | None,
    allow_truncated: bool,
    workspace: Path,
    bpm: float | None = None,
    stems: Path | None = None,
    loop: Loop | None = None,
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
    loop
        If it is given, its sound is heard as it is when it repeats: from `Loop.lead` before a round until as
        long after it. The facts are those of the round.

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
            **({} if loop is None else {"loop": json.dumps(loop.to_json())}),
        },
    )

    def sound(path: Path, sample_rate: int) -> Iterator[np.ndarray]:
        def once() -> Iterator[np.ndarray]:
            if loop is None or loop.whole:
                return decode_sound(path, span=span, allow_truncated=allow_truncated)
            return loop_chunks(path, loop, sample_rate=sample_rate, allow_truncated=allow_truncated)

        if loop is None:
            return once()
        lead = samples_at(loop.lead, sample_rate)
        return repeated(once, loop.samples(sample_rate), before=lead, after=lead)

    def chunks(path: Path, counted: list[int]) -> Iterator[np.ndarray]:
        of = info if path is song else probe_sound(path)
        resampler = Resampler(of.sample_rate, ANALYSIS_SAMPLE_RATE, 1 if of.channels == 1 else 2)
        for chunk in sound(path, of.sample_rate):
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
        samples=timeline.samples - (0 if loop is None else 2 * samples_at(loop.lead, info.sample_rate)),
        start=start,
        end=end,
        tags=info.tags,
    )
    return timeline, facts


def hear_loop(song: Path, options: RenderOptions) -> tuple[Timeline, SongFacts, Loop]:
    """Hear a song, choose what of it is the loop, and hear that as it repeats; see `hear`.

    Raises
    ------
    InputError
        If the song can't be used, or is too short for the loop.
    """
    wish = options.loop
    listen = partial(
        hear,
        song,
        allow_truncated=options.allow_truncated,
        workspace=options.workspace,
        stems=options.stems,
    )
    if wish is None or wish == "whole":
        start, end = options.start, options.end
        heard, _ = listen(start=start, end=end, bpm=options.bpm)
        loop = whole_loop(heard, start=start, frame_rate=options.fps, song=song.name)
    else:
        heard, _ = listen(start=None, end=None, bpm=options.bpm)
        loop = choose_loop(heard, wish, start=options.start, frame_rate=options.fps, song=song.name)
        start, end = loop.start, loop.start + loop.seconds
    known = loop.bpm if loop.bpm is not None and BPM_RANGE[0] <= loop.bpm <= BPM_RANGE[1] else None
    timeline, facts = listen(start=start, end=end, bpm=known, loop=loop)
    return timeline, facts, loop


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise unreadable(path, error) from error


def song_chunks(facts: SongFacts, *, allow_truncated: bool, loop: Loop | None = None) -> Iterator[np.ndarray]:
    """Decode the part of a song that goes into the film, at its own rate; a loop's end meets its start."""
    if loop is not None and not loop.whole:
        return loop_chunks(facts.path, loop, sample_rate=facts.sample_rate, allow_truncated=allow_truncated)
    span = Span(facts.start or Fraction(0), facts.end)
    return decode_sound(facts.path, span=span, allow_truncated=allow_truncated)
