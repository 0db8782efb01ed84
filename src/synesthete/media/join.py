"""Join the films of an album's tracks into one film, without a gap and without encoding the picture again.

Each track starts at its exact sample, and its first frame is shown there, to the nearest 1/90000 s. Its last
frame would outlast its sound by a part of a frame, and is cut short by the next track's first.
"""

import bisect
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final

from av.video.stream import VideoStream

from synesthete.errors import RenderError
from synesthete.media.encode import file_failures, open_input
from synesthete.media.joint import Chapter, FilmClock, audio_stream, video_stream, write_film

__all__ = ["AlbumTrack", "album_samples", "join_films"]

_TIMESCALE: Final = 90_000
"""Ticks per second of an album film's timestamps."""


@dataclass(frozen=True)
class AlbumTrack:
    """One track of an album film.

    Parameters
    ----------
    film
        Its finished film, from `synesthete.media.mux.stitch`; only the picture is taken.
    frames
        Pictures in that film, ``ceil(seconds · fps)`` of the track.
    samples
        How long its sound lasts in the album, samples at the album's rate; see `album_samples`.
    title
        Title of its chapter.
    """

    film: Path
    frames: int
    samples: int
    title: str


def album_samples(samples: int, *, source_rate: int, sample_rate: int) -> int:
    """Count the samples of a track at the album's rate: ``ceil(n · sample_rate / source_rate)``.

    So many does `synesthete.media.sound.Sound.adapted` give.

    Parameters
    ----------
    samples
        Samples per channel at ``source_rate``.
    source_rate, sample_rate
        The track's own rate and the album's, Hz, positive.

    Examples
    --------
    >>> album_samples(44_101, source_rate=44_100, sample_rate=48_000)
    48002
    """
    return -(-samples * sample_rate // source_rate)


def join_films(
    tracks: Sequence[AlbumTrack],
    sound: Path,
    target: Path,
    *,
    frame_rate: Fraction,
    sample_rate: int,
    tags: Mapping[str, str] = MappingProxyType({}),
    cover: Path | None = None,
) -> int:
    """Join the films of an album's tracks, and the album's sound, into one film with a chapter per track.

    Frame ``i`` of a track that starts at sample ``S`` is shown at ``S / sample_rate + i / frame_rate``
    seconds, to the nearest 1/90000 s; nothing accumulates. The last frame ends where the next track starts,
    or the sound ends. Packets stream and are copied byte for byte, the index comes first, and the same inputs
    give the same bytes. The file is written directly.

    Parameters
    ----------
    tracks
        In order; at least one.
    sound
        The album's sound, from `synesthete.media.mux.encode_sound`.
    target
        File to write.
    frame_rate
        Frames per second of all films.
    sample_rate
        Samples per second of the album, Hz: that in which ``samples`` count, and of the chunks that
        ``encode_sound`` was given.
    tags
        ``title``, ``artist``, ``album``, ``date``, ``comment``, …; MP4 drops what it has no place for.
    cover
        A JPEG or PNG file of at most 16 MB, to be shown as the film's picture in a library.

    Returns
    -------
    Frames written.

    Raises
    ------
    InputError
        If the cover is no JPEG or PNG file, damaged, or too large.
    RenderError
        If there are no tracks, films differ in size, frame rate or encoding, a film has not the frames that
        its track declares or takes, or the sound has another length than the tracks together.
    OSError
        If a file can't be read or written.
    """
    if not tracks:
        raise RenderError(f"there are no tracks to join as {target}")
    for track in tracks:
        _check_length(track, frame_rate, sample_rate)
    _check_films(tracks, frame_rate)
    starts = list(itertools.accumulate((track.samples for track in tracks), initial=0))
    _check_sound(sound, Fraction(starts[-1], sample_rate))
    chapters = [
        Chapter(Fraction(start, sample_rate), Fraction(end, sample_rate), track.title)
        for track, (start, end) in zip(tracks, itertools.pairwise(starts), strict=True)
    ]
    timing = _Timing(
        first_frames=list(itertools.accumulate((track.frames for track in tracks), initial=0)),
        starts=starts,
        frame_rate=frame_rate,
        sample_rate=sample_rate,
    )
    return write_film(
        [(track.film, track.frames) for track in tracks],
        sound,
        target,
        clock=FilmClock(frame_rate, _TIMESCALE, timing.tick, timing.longest()),
        tags=tags,
        chapters=chapters,
        cover=cover,
    )


@dataclass(frozen=True)
class _Timing:
    """Where the frames of an album stand.

    Parameters
    ----------
    first_frames, starts
        First frame and first sample of each track; last, those of the album's end.
    frame_rate, sample_rate
        Frames and samples per second, Hz.
    """

    first_frames: Sequence[int]
    starts: Sequence[int]
    frame_rate: Fraction
    sample_rate: int

    def tick(self, frame: int) -> int:
        """Give the moment of a frame, or of the end, in ticks of 1/90000 s."""
        track = bisect.bisect_right(self.first_frames, frame) - 1
        tick = self._nearest(track, frame - self.first_frames[track])
        if track + 1 == len(self.starts):
            return tick
        # A last frame of less than a tick would fall on the next track's first.
        return min(tick, self._nearest(track + 1, 0) - 1)

    def longest(self) -> int:
        """Give the most ticks that a frame is shown; the last of a track may outlast the others."""
        last = max(self.tick(frame) - self.tick(frame - 1) for frame in self.first_frames[1:])
        return max(last, math.ceil(_TIMESCALE / self.frame_rate))

    def _nearest(self, track: int, place: int) -> int:
        # In whole numbers of 1 / (sample rate · frame rate's numerator). Halves go up: to the nearest even
        # number, as `round` has it, frames of a whole number of ticks would come out a tick apart.
        frames, seconds = self.frame_rate.as_integer_ratio()
        unit = self.sample_rate * frames
        moment = self.starts[track] * frames + place * seconds * self.sample_rate
        return (2 * moment * _TIMESCALE + unit) // (2 * unit)


def _check_length(track: AlbumTrack, frame_rate: Fraction, sample_rate: int) -> None:
    """Raise unless a film lasts as long as its sound, to less than one frame."""
    picture, sound = track.frames / frame_rate, Fraction(track.samples, sample_rate)
    if track.frames < 1 or abs(picture - sound) >= 1 / frame_rate:
        raise RenderError(
            f"the film {track.film} lasts {float(picture):.3f} s and its sound {float(sound):.3f} s in the "
            "album; they may differ by less than one frame: render the track again"
        )


def _check_films(tracks: Sequence[AlbumTrack], frame_rate: Fraction) -> None:
    """Raise unless all films can be one, before anything is written."""
    with open_input(tracks[0].film) as container:
        first = _Encoding.of(video_stream(container, tracks[0].film))
    for track in tracks:
        path = track.film
        with open_input(path) as container, file_failures(path):
            stream = video_stream(container, path)
            if stream.average_rate != frame_rate:
                raise RenderError(
                    f"the film {path} has {stream.average_rate} frames per second, not the album's "
                    f"{frame_rate}; render it with --fps {frame_rate}"
                )
            first.check(_Encoding.of(stream), path, tracks[0].film)
            if stream.frames != track.frames:
                raise RenderError(
                    f"the film {path} holds {stream.frames} frames, not {track.frames}; delete it and repeat"
                )


@dataclass(frozen=True)
class _Encoding:
    """What one film's picture must share with another's to follow it in one stream."""

    width: int
    height: int
    codec: str
    extradata: bytes | None

    @classmethod
    def of(cls, stream: VideoStream) -> "_Encoding":
        context = stream.codec_context
        return cls(context.width, context.height, context.name, context.extradata)

    def check(self, other: "_Encoding", path: Path, first: Path) -> None:
        if (other.width, other.height) != (self.width, self.height):
            raise RenderError(
                f"the film {path} has {other.width}×{other.height} pixels, and {first} has "
                f"{self.width}×{self.height}; render all tracks of an album in one size"
            )
        if other != self:
            raise RenderError(
                f"the film {path} is encoded differently from {first}; render all tracks of an album "
                "with the same encoder, quality and speed"
            )


def _check_sound(path: Path, expected: Fraction) -> None:
    """Raise unless the album's sound is as long as its tracks, to one sample as encoded."""
    with open_input(path) as container, file_failures(path):
        heard = audio_stream(container, path)
        seconds = (heard.duration or 0) * (heard.time_base or Fraction(0))
        if abs(seconds - expected) > Fraction(1, heard.rate):
            raise RenderError(
                f"the sound {path} lasts {float(seconds):.4f} s, and the album's tracks "
                f"{float(expected):.4f} s; delete it and repeat"
            )
