"""What generator probes ask, and of whom: a song that may be altered, and whatever draws frames for it.

A Subject draws any frames of any song in any of its styles. Noise and style are arguments, so that two
drawings differ in nothing but what the probe has changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.config.preset import Preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError, InputError
from synesthete.evaluation.music_changes import MusicChange
from synesthete.generators.base import Generator, Size, Trajectory
from synesthete.generators.build import build_fuser, build_generator
from synesthete.generators.control import Signals, build_signals
from synesthete.media.decode import Resampler, Span, decode_sound
from synesthete.media.probe import probe_sound

__all__ = ["PresetSubject", "ProbeSettings", "ProbeSong", "Style", "Subject", "SubjectKind", "spread"]

SubjectKind = Literal["generator", "baseline"]

_GOLDEN: Final = (5**0.5 - 1) / 2
_SIZE: Final = Size(256, 144)
_THUMBNAIL_SIZE: Final = Size(96, 54)
_SPEED_SIZE: Final = Size(640, 360)


@dataclass(frozen=True)
class ProbeSettings:
    """How much is drawn for one Subject: by default half a minute for a small CPPN, minutes for a wide one.

    Attributes
    ----------
    frames, size
        Frames compared for each gap, spread over the song (`spread`), and their size.
    frame_rate
        Of all drawings.
    film_s, film_size
        Length in seconds, from the middle of the song, and size of the film for flicker and sync.
    styles, moments, style_size
        Styles drawn for diversity, frames of each, and their size.
    speed_frames, speed_size
        Frames timed, and their size.
    seed
        Decides noise; None for the Subject's own.

    Raises
    ------
    ConfigError
        If there are fewer than 3 frames, 2 styles or 1 of anything else.
    """

    frames: int = 64
    size: Size = _SIZE
    frame_rate: Fraction = Fraction(30)
    film_s: int = 30
    film_size: Size = _SIZE
    styles: int = 64
    moments: int = 8
    style_size: Size = _THUMBNAIL_SIZE
    speed_frames: int = 24
    speed_size: Size = _SPEED_SIZE
    seed: int | None = None

    def __post_init__(self) -> None:
        least = {"frames": 3, "film_s": 1, "styles": 2, "moments": 1, "speed_frames": 1}
        for name, limit in least.items():
            if getattr(self, name) < limit:
                raise ConfigError(f"{name} = {getattr(self, name)} is too few; pass {limit} or more")


@dataclass(frozen=True, eq=False)
class ProbeSong:
    """A song, as it is or altered.

    Attributes
    ----------
    name
        As shown.
    timeline
        What was heard in it, or in the part between the ends of ``span``.
    path, span, allow_truncated
        Where its sound is; see `synesthete.media.decode.decode_sound`. Only scopes need it.
    change
        How it was altered; the Timeline is so already.
    """

    name: str
    timeline: Timeline
    path: Path | None = None
    span: Span = field(default_factory=Span)
    allow_truncated: bool = False
    change: MusicChange | None = None

    def altered(self, change: MusicChange) -> "ProbeSong":
        """Give the same song with one change to its music."""
        assert self.change is None
        timeline = change.timeline(self.timeline)
        return replace(self, name=f"{self.name}, {change.name}", timeline=timeline, change=change)

    def sound(self) -> Iterator[Float32[np.ndarray, "channels samples"]]:
        """Decode its sound, altered as the Timeline is: 44.1 kHz, 1 or 2 channels, in chunks.

        Raises
        ------
        InputError
            If no file is known, or it can't be used.
        """
        if self.path is None:
            raise InputError(f"the sound of {self.name} is not known, and scopes draw sound; name its file")
        chunks = self._decoded(self.path)
        return chunks if self.change is None else self.change.sound(chunks)

    def _decoded(self, path: Path) -> Iterator[Float32[np.ndarray, "channels samples"]]:
        info = probe_sound(path)
        resampler = Resampler(info.sample_rate, ANALYSIS_SAMPLE_RATE, min(info.channels, 2))
        for chunk in decode_sound(path, span=self.span, allow_truncated=self.allow_truncated):
            yield resampler.push(chunk)
        yield resampler.flush()


@dataclass(frozen=True)
class Style:
    """How it looks: the style vector, and the seed from which the generator makes all else (its network).

    Noise that belongs to the motion (wander) is no part of it.
    """

    vector: tuple[float, ...]
    seed: int


class Subject(Protocol):
    """Whatever draws frames for a song."""

    @property
    def name(self) -> str:
        """How it is called in the report."""

    @property
    def kind(self) -> SubjectKind:
        """Tell generators from the baselines that they are compared with."""

    @property
    def style_size(self) -> int | None:
        """Length of its style vector; 0 where the seed alone is the style, None where there is no style."""

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Iterator[Float32[Tensor, "3 height width"]]:
        """Draw the named frames of a song's film, one after another: display RGB, 0-1.

        A frame's memory may be used again for the next: clone what is kept.

        Parameters
        ----------
        frames
            Ascending.
        seed
            Decides noise; None for the Subject's own.
        style
            None for the Subject's own.
        """


class PresetSubject:
    """A preset, drawn by its generator.

    Parameters
    ----------
    preset
        What to draw.
    options
        Device, precision, kernels and tile; nothing is compiled by default.

    Notes
    -----
    The numeric path is chosen once for each size, on the first song drawn at it in the preset's own style:
    what is compared went through the same arithmetic.
    """

    kind: SubjectKind = "generator"

    def __init__(self, preset: Preset, options: RenderOptions | None = None) -> None:
        self.name = preset.name
        self.style_size: int | None = len(preset.style)
        self._preset = preset
        self._options = options or RenderOptions(kernels="eager")
        self._generators: dict[Size, Generator] = {}
        # By song, so that what is kept goes when its song does.
        self._signals: WeakKeyDictionary[ProbeSong, dict[object, Signals]] = WeakKeyDictionary()
        self._own: WeakKeyDictionary[ProbeSong, dict[object, Trajectory]] = WeakKeyDictionary()

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Iterator[Float32[Tensor, "3 height width"]]:
        """Draw the named frames; see `Subject.draw`."""
        noise = self._preset.seed if seed is None else seed
        generator = self._generator(size, song, frame_rate, noise)
        if style is None:
            trajectory = self._own_trajectory(generator, song, frame_rate, noise)
        else:
            trajectory = self._score(generator, self._heard(song, frame_rate, noise), style)
        for start, stop in _runs(frames):
            for frame in generator.frames(trajectory, start, stop, size):
                yield frame.cpu()

    def _generator(self, size: Size, song: ProbeSong, frame_rate: Fraction, noise: int) -> Generator:
        if size not in self._generators:
            frames = song.timeline.frame_count(frame_rate)
            fuser = build_fuser(self._options, self._preset.generator, size, frames)
            generator = build_generator(self._preset, self._options, fuser)
            generator.prepare(self._own_trajectory(generator, song, frame_rate, noise), size)
            self._generators[size] = generator
        return self._generators[size]

    def _own_trajectory(
        self, generator: Generator, song: ProbeSong, frame_rate: Fraction, noise: int
    ) -> Trajectory:
        kept = self._own.setdefault(song, {})
        if (frame_rate, noise) not in kept:
            style = Style(self._preset.style, self._preset.seed)
            kept[frame_rate, noise] = self._score(generator, self._heard(song, frame_rate, noise), style)
        return kept[frame_rate, noise]

    def _heard(self, song: ProbeSong, frame_rate: Fraction, noise: int) -> Signals:
        kept = self._signals.setdefault(song, {})
        if (frame_rate, noise) not in kept:
            kept[frame_rate, noise] = build_signals(
                song.timeline, self._preset.control, frame_rate=frame_rate, seed=noise
            )
        return kept[frame_rate, noise]

    def _score(self, generator: Generator, signals: Signals, style: Style) -> Trajectory:
        curve = np.broadcast_to(np.array(style.vector), (signals.frames, len(style.vector)))
        return generator.score(signals, curve, style.seed)


def spread(frames: int, count: int) -> list[int]:
    """Spread moments over a film, one in each equal share of it, never in step with a beat.

    Steps of the golden ratio within the shares keep a tempo from falling in with them: 64 even steps through
    a minute are two beats each at 128 BPM.

    Examples
    --------
    >>> spread(100, 4)
    [12, 27, 68, 83]
    """
    count = min(count, frames)
    return [int(frames * (k + (0.5 + k * _GOLDEN) % 1.0) / count) for k in range(count)]


def _runs(frames: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Join frames that follow one another, so that a generator can draw them in one go."""
    breaks = [k + 1 for k, (a, b) in enumerate(pairwise(frames)) if b != a + 1]
    for start, stop in pairwise([0, *breaks, len(frames)]):
        yield frames[start], frames[stop - 1] + 1
