"""The flash limiter: what is done to single frames so that a film does not flash too often, and its painter.

Three things are done to light, each only where `synesthete.render.flash_plan` asks for it:

- **gain** dims a whole frame: a strobe's pulses sink to the level between them;
- **red** takes away some of the red that a pixel has more than green and blue together, at equal luminance;
- a **veil**, a small picture that moves slowly, is laid over what flashes otherwise, such as halves in turn.

A frame for which nothing is asked passes as it is.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn.functional import interpolate

from synesthete.clock import Clock
from synesthete.generators.base import Painter, Size, Trajectory

__all__ = ["KNOTS_PER_SECOND", "FlashLimiter", "FlashPlan", "limit_frame"]

KNOTS_PER_SECOND: Final = 4
"""Veils are given so often, and run straight in between."""

_LUMINANCE: Final = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True, eq=False)
class FlashPlan:
    """What is done to the frames of a film.

    Attributes
    ----------
    frame_rate
        Of the film.
    gain
        Factor on the light of each frame, 0-1; 1 leaves it.
    red
        Share of its excess of red that each frame loses, 0-1; 0 leaves it.
    veils
        By the number of the knot: red, green and blue light of the veil, each multiplied by its opacity, and
        its opacity, all 0-1. Where a knot is missing the veil is clear.
    first
        The number of the first frame; 0 but in plans of a part of a film.
    """

    frame_rate: Fraction
    gain: Float32[np.ndarray, " frames"]
    red: Float32[np.ndarray, " frames"]
    veils: Mapping[int, Float32[np.ndarray, "4 rows columns"]] = field(default_factory=dict)
    first: int = 0

    @classmethod
    def untouched(cls, frames: int, frame_rate: Fraction, *, first: int = 0) -> "FlashPlan":
        """Give the plan that does nothing."""
        return cls(frame_rate, np.ones(frames, np.float32), np.zeros(frames, np.float32), first=first)

    def touched(self) -> list[int]:
        """Give the frames to which anything is done."""
        return [frame for frame in range(self.first, self.first + len(self.gain)) if self.touches(frame)]

    def touches(self, frame: int) -> bool:
        """Say whether anything is done to a frame."""
        gain, red = self.at(frame)
        return gain < 1 or red > 0 or any(knot in self.veils for knot, _ in self._knots(frame))

    def at(self, frame: int) -> tuple[float, float]:
        """Give a frame's gain, and the share of red that it loses."""
        return float(self.gain[frame - self.first]), float(self.red[frame - self.first])

    def veil(self, frame: int) -> Float32[np.ndarray, "4 rows columns"] | None:
        """Give a frame's veil; None if it has none."""
        parts = [share * self.veils[knot] for knot, share in self._knots(frame) if knot in self.veils]
        return sum(parts[1:], parts[0]) if parts else None

    def opacity(self, frame: int) -> float:
        """Give the highest opacity of a frame's veil."""
        veil = self.veil(frame)
        return 0.0 if veil is None else float(veil[3].max())

    def digest(self, start: int, stop: int) -> str | None:
        """SHA-256 over what is done to frames ``start`` to ``stop`` (exclusive); None if nothing is."""
        if not any(self.touches(frame) for frame in range(start, stop)):
            return None
        part = slice(start - self.first, stop - self.first)
        content = hashlib.sha256(self.gain[part].tobytes() + self.red[part].tobytes())
        for knot in range(self._knots(start)[0][0], self._knots(stop - 1)[-1][0] + 1):
            if knot in self.veils:
                content.update(knot.to_bytes(8, "little") + self.veils[knot].tobytes())
        return content.hexdigest()

    def _knots(self, frame: int) -> list[tuple[int, float]]:
        """Give the knots before and after a frame, with their shares in it."""
        place = Clock(self.frame_rate).seconds(frame) * KNOTS_PER_SECOND
        before = math.floor(place)
        share = float(place - before)
        return [(before, 1 - share), (before + 1, share)] if share else [(before, 1.0)]


class FlashLimiter:
    """A painter whose pictures are limited.

    Parameters
    ----------
    painter
        Draws them.
    plan
        What is done to them.
    """

    def __init__(self, painter: Painter, plan: FlashPlan) -> None:
        self._painter, self._plan = painter, plan

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose the painter's numeric path; see `Painter.prepare`."""
        return self._painter.prepare(trajectory, size)

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw and limit frames ``start`` to ``stop`` (exclusive); see `Painter.frames`."""
        pictures = self._painter.frames(trajectory, start, stop, size)
        for frame, picture in zip(range(start, stop), pictures, strict=True):
            yield limit_frame(picture, self._plan, frame)


def limit_frame(
    picture: Float[Tensor, "channels height width"], plan: FlashPlan, frame: int
) -> Float[Tensor, "channels height width"]:
    """Do to a picture what the plan says for a frame; display values are square roots of light.

    Parameters
    ----------
    picture
        Display RGB, 0-1; what lies behind the third channel stays.
    """
    if not plan.touches(frame):
        return picture
    (gain, red), veil = plan.at(frame), plan.veil(frame)
    with torch.no_grad():
        light = torch.square(picture[:3])
        if red > 0:
            excess = torch.clamp(light[0] - light[1] - light[2], min=0.0).mul_(red)
            light[0] -= excess
            light += excess * _LUMINANCE[0]
        if gain < 1:
            light *= gain
        if veil is not None:
            laid = torch.from_numpy(veil).to(light.device)[None]
            laid = interpolate(laid, light.shape[1:], mode="bilinear", align_corners=False)[0]
            light = light.mul_(1.0 - laid[3]).add_(laid[:3])
        limited = torch.sqrt(light).clamp_(0.0, 1.0)
        return limited if len(picture) == 3 else torch.cat([limited, picture[3:]])
