"""Baselines for generator probes: what every figure must be read against.

A still and a drift that never listen, noise that only flickers, flashes on the beat, and FFmpeg's scopes,
which show the sound itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from synesthete.clock import Clock
from synesthete.evaluation.subjects import ProbeSong, Style, Subject, SubjectKind
from synesthete.generators.base import Size, pixel_grid
from synesthete.media.scopes import SCOPES, Scope, scope_frames
from synesthete.seeding import generator_for

__all__ = ["Drift", "PixelNoise", "ScopeSubject", "Strobe", "baselines"]

_WAVES: Final = 12
_DRIFT_HZ: Final = 0.05
_OWN_SEED: Final = 0

Frames = Iterator[Float32[Tensor, "3 height width"]]


def baselines() -> list[Subject]:
    """Give all baselines, in the order in which the report shows them."""
    return [Drift(moving=False), Drift(moving=True), PixelNoise(), Strobe(), *map(ScopeSubject, SCOPES)]


class Drift:
    """Soft colours that never listen: a still, or slow waves that drift by at most 0.05 Hz.

    The style's seed decides waves and colours.

    Parameters
    ----------
    moving
        False for the still.
    """

    kind: SubjectKind = "baseline"
    style_size: int | None = 0

    def __init__(self, *, moving: bool) -> None:
        self.name = "drift" if moving else "still"
        self._hz = _DRIFT_HZ if moving else 0.0

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Frames:
        """Draw the named frames; see `Subject.draw`."""
        waves = _Waves.of(_OWN_SEED if style is None else style.seed)
        clock = Clock(frame_rate)
        for frame in frames:
            yield waves.picture(size, self._hz * float(clock.seconds(frame)))


class PixelNoise:
    """Every pixel of every frame drawn anew, from the noise seed."""

    kind: SubjectKind = "baseline"
    style_size: int | None = None
    name = "pixel noise"

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Frames:
        """Draw the named frames; see `Subject.draw`."""
        for frame in frames:
            draws = generator_for(_OWN_SEED if seed is None else seed, "baseline.noise", frame)
            yield torch.from_numpy(draws.random((3, size.height, size.width), np.float32))


class Strobe:
    """The whole frame white on every beat, fading as the column ``beat`` does; black without beats."""

    kind: SubjectKind = "baseline"
    style_size: int | None = None
    name = "strobe"

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Frames:
        """Draw the named frames; see `Subject.draw`."""
        for frame in frames:
            pulse = song.timeline.at_frames(frame_rate, ["beat"], frame, frame + 1)
            yield torch.full((3, size.height, size.width), float(pulse[0, 0]))


class ScopeSubject:
    """One of FFmpeg's scopes on the song's sound, which is altered where the Timeline is.

    Parameters
    ----------
    scope
        Which one.
    """

    kind: SubjectKind = "baseline"
    style_size: int | None = None

    def __init__(self, scope: Scope) -> None:
        self.name: str = scope
        self._scope = scope

    def draw(
        self,
        song: ProbeSong,
        frames: Sequence[int],
        *,
        size: Size,
        frame_rate: Fraction,
        seed: int | None = None,
        style: Style | None = None,
    ) -> Frames:
        """Draw the named frames, and all before them, as scopes remember; see `Subject.draw`.

        Raises
        ------
        InputError
            If the song's sound is not known.
        """
        pictures = scope_frames(
            song.sound(), self._scope, width=size.width, height=size.height, frame_rate=frame_rate
        )
        wanted = set(frames)
        for frame, picture in enumerate(pictures):
            if frame in wanted:
                yield torch.from_numpy(picture).permute(2, 0, 1).float() / 255
            if frame == frames[-1]:
                return


@dataclass(frozen=True)
class _Waves:
    """Plane waves whose phases move, each in a colour of its own."""

    across: Float64[np.ndarray, " waves"]
    down: Float64[np.ndarray, " waves"]
    phase: Float64[np.ndarray, " waves"]
    rate: Float64[np.ndarray, " waves"]
    colour: Float64[np.ndarray, "waves 3"]

    @classmethod
    def of(cls, seed: int) -> "_Waves":
        draws = generator_for(seed, "baseline.waves")
        angle, phase = draws.uniform(0, 2 * np.pi, (2, _WAVES))
        length, rate = draws.uniform(1.0, 6.0, _WAVES), draws.uniform(-1.0, 1.0, _WAVES)
        colour = draws.standard_normal((_WAVES, 3))
        return cls(length * np.cos(angle), length * np.sin(angle), phase, rate, colour)

    def picture(self, size: Size, turns: float) -> Float32[Tensor, "3 height width"]:
        """Draw at a moment, counted in turns of the fastest wave there could be."""
        x, y = pixel_grid(size)
        total = torch.zeros(3, size.height, size.width)
        phases = self.phase + 2 * np.pi * self.rate * turns
        for across, down, phase, colour in zip(self.across, self.down, phases, self.colour, strict=True):
            wave = torch.sin(float(across) * x + float(down) * y + float(phase))
            total += torch.from_numpy(colour).float()[:, None, None] * wave
        return torch.sigmoid(total * (2.0 / _WAVES**0.5))
