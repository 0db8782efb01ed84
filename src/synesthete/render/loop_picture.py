"""The pictures of a loop: its last beat passes over into what was drawn before its start, in linear light.

Signals come round in a loop, and phases in whole turns (`synesthete.generators.periodic`), so that most
pictures meet theirs anyway. But noise that is moved through has no turns: there a short dissolve closes
the ring.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.render.loop_plan import Loop

__all__ = ["Looper", "looped"]


def looped(painter: Painter, loop: Loop | None) -> Painter:
    """Close a painter's pictures to a loop, if there is one."""
    return painter if loop is None else Looper(painter, loop)


class Looper:
    """A painter of the frames of a loop.

    Its Trajectory holds `Loop.lead_frames` before the loop's first frame: what remembers has seen the loop's
    own end by then, and the frame before the first is what the last one becomes.

    Parameters
    ----------
    painter
        Draws what the Trajectory says.
    loop
        Where in it the loop lies.
    """

    def __init__(self, painter: Painter, loop: Loop) -> None:
        self._painter, self._loop = painter, loop

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose the painter's numeric path; see `Painter.prepare`."""
        return self._painter.prepare(trajectory, size)

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive) of the loop; see `Painter.frames`."""
        loop, lead = self._loop, self._loop.lead_frames
        fading = max(start, loop.frames - loop.fade_frames)
        pictures = self._painter.frames(trajectory, lead + start, lead + stop, size)
        for _ in range(start, min(fading, stop)):
            yield next(pictures)
        if fading >= stop:
            return
        earlier = self._painter.frames(
            trajectory, lead + fading - loop.frames, lead + stop - loop.frames, size
        )
        for frame, picture, before in zip(range(fading, stop), pictures, earlier, strict=True):
            t = 1.0 - (loop.frames - 1 - frame) / loop.fade_frames
            share = t * t * (3.0 - 2.0 * t)  # 1 at the last frame
            with torch.no_grad():
                light = torch.lerp(picture * picture, before * before, share)
                yield light.sqrt_().clamp_(0.0, 1.0)
