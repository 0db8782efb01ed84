"""Motion blur: a frame is the mean, in linear light, of the pictures that an open shutter lets in."""

from collections.abc import Iterator
from fractions import Fraction

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.clock import ShutterClock
from synesthete.generators.base import Painter, Size, Trajectory

__all__ = ["Shutter", "exposed", "pictures_per_frame"]


def pictures_per_frame(shutter: Fraction) -> int:
    """Count the pictures that are drawn for each frame; see `synesthete.clock.ShutterClock`."""
    return ShutterClock(Fraction(1), shutter).samples if shutter else 1


def exposed(painter: Painter, shutter: Fraction) -> Painter:
    """Put a shutter behind a painter; none where it is not open, for then every frame is one picture."""
    return Shutter(painter, pictures_per_frame(shutter)) if shutter else painter


class Shutter:
    """A painter of frames from a painter of pictures, several to each frame.

    Its Trajectory is planned at the moments of a `synesthete.clock.ShutterClock`. Whatever range is drawn,
    a frame is made of its own pictures alone.

    Parameters
    ----------
    painter
        Draws the pictures.
    samples
        How many make a frame.
    """

    def __init__(self, painter: Painter, samples: int) -> None:
        self._painter, self._samples = painter, samples

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose the painter's numeric path; see `Painter.prepare`."""
        return self._painter.prepare(trajectory, size)

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Painter.frames`."""
        pictures = self._painter.frames(trajectory, start * self._samples, stop * self._samples, size)
        light = torch.empty(3, size.height, size.width)
        for _ in range(start, stop):
            light = light.to((first := next(pictures)).device)
            with torch.no_grad():
                torch.mul(first, first, out=light)  # display values are square roots of light
                for _ in range(self._samples - 1):
                    picture = next(pictures)
                    light.addcmul_(picture, picture)
                light.mul_(1.0 / self._samples).sqrt_().clamp_(max=1.0)
            yield light
