"""Songs and subjects for generator probes, with known answers: deaf, or driven by one column."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.music import Music
from synesthete.audio.timeline import Timeline
from synesthete.evaluation.subjects import ProbeSettings, ProbeSong, Style, SubjectKind
from synesthete.generators.base import Size
from synesthete.seeding import generator_for

SMALL = ProbeSettings(
    frames=16, size=Size(32, 18), film_s=2, film_size=Size(32, 18), styles=8, moments=2,
    style_size=Size(16, 16), speed_frames=2, speed_size=Size(32, 18),
)  # fmt: skip
"""Enough to tell a known answer."""


def made_timeline(seconds: float, *, seed: int = 0) -> Timeline:
    """Make a Timeline of noisy levels, a beat every half second and the moments."""
    ticks = round(100 * seconds)
    table = generator_for(seed, "made timeline").uniform(0.3, 0.9, (ticks, len(COLUMN_NAMES)))
    table[:, COLUMN_NAMES.index("time")] = np.arange(ticks) / 100
    table[:, COLUMN_NAMES.index("silence")] = 0.0
    table[:, COLUMN_NAMES.index("beat")] = np.exp(-(np.arange(ticks) % 50) / 20)
    beats = tuple(np.arange(0, seconds, 0.5).tolist())
    spectrum = generator_for(seed, "made spectrum").uniform(0.3, 0.9, (ticks, 64))
    return Timeline(
        table.astype(np.float32),
        COLUMN_NAMES,
        spectrum.astype(np.float32),
        ticks * 441,
        44_100,
        Music(beats=beats, downbeats=beats[::4], tempo_bpm=120.0),
    )


def made_song(seconds: float = 4.0, *, seed: int = 0, name: str = "song") -> ProbeSong:
    return ProbeSong(name, made_timeline(seconds, seed=seed))


class GreySubject:
    """Draws flat grey frames, whose level is a function of the song, the frame's moment and the style."""

    kind: SubjectKind = "generator"

    def __init__(
        self, level: Callable[[ProbeSong, float, Style], float], style_size: int | None, name: str = "grey"
    ) -> None:
        self.name = name
        self.style_size = style_size
        self._level = level

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Iterator[Tensor]:
        for frame in frames:
            level = self._level(song, float(frame / frame_rate), style or Style((0.0,), 0))
            yield torch.full((3, size.height, size.width), level)


def column_at(song: ProbeSong, name: str, moment: float) -> float:
    return float(song.timeline.column(name)[round(100 * moment)])


def follower(column: str) -> GreySubject:
    """Show one column as it is, and no style."""
    return GreySubject(lambda song, moment, style: column_at(song, column, moment), None, name=column)


def deaf(level: float = 0.5) -> GreySubject:
    """Show the same grey, whatever is heard."""
    return GreySubject(lambda song, moment, style: level, None, name="deaf")
