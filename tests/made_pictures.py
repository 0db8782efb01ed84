"""Painters for tests whose pictures are known."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from synesthete.generators.base import Size, Trajectory

NOTHING = Trajectory(np.zeros((400, 1), np.float32), ("x",), {})
"""A Trajectory that says nothing."""


class Pictures:
    """Paints what a function gives for a frame; counts what it was asked for."""

    def __init__(self, picture: Callable[[int, Size], Tensor]) -> None:
        self.picture = picture
        self.drawn: list[int] = []

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        return "eager-float32-cpu"

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
        memory = torch.empty(3, size.height, size.width)  # used again for every frame, as painters may
        for frame in range(start, stop):
            self.drawn.append(frame)
            memory.copy_(self.picture(frame, size))
            yield memory


def seen(painter: Pictures | object, frame: int, size: Size, trajectory: Trajectory = NOTHING) -> Tensor:
    """Draw one frame."""
    return next(painter.frames(trajectory, frame, frame + 1, size)).clone()  # type: ignore[attr-defined]
