r"""Motion trails: what was seen before stays a while, as light does on a film that is exposed for long.

What stays fades as :math:`f_t(x) = k^t (x + c) - c`, which is an exponential that reaches 0 at the end of
the trail instead of never; :math:`f_s(f_t(x)) = f_{s+t}(x)`. The brighter of past and present is kept. As
f rises with x, the maximum may be taken before or after it: what has faded to 0 leaves nothing behind, not
one bit, and a run that begins a trail's length earlier shows the same frames as one that always ran.
"""

import math
from fractions import Fraction
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Fading", "Trails"]

_TICKS_PER_SECOND: Final = 30
_LEFT: Final = 1.0 / 32.0
"""What the exponential alone would leave at the end of a trail."""

_OFFSET: Final = _LEFT / (1.0 - _LEFT)
_BAND_PIXELS: Final = 60_000


class Fading:
    """The clock of trails: pictures are taken in at ticks, some 30 a second, which are frames of the film.

    At 60 frames a second every second frame is a tick, so that the others show what they show at 30.

    Parameters
    ----------
    seconds
        How long until a trail is gone.
    frame_rate
        Of the film.
    """

    def __init__(self, seconds: float, frame_rate: Fraction) -> None:
        self.frames_per_tick = max(1, round(frame_rate / _TICKS_PER_SECOND))
        self._ticks = max(1.0, seconds * float(frame_rate) / self.frames_per_tick)

    def is_tick(self, frame: int) -> bool:
        """Tell whether a frame's picture is taken in."""
        return frame % self.frames_per_tick == 0

    def first_needed(self, frame: int) -> int:
        """Give the first frame that must be drawn so that a frame shows its whole past."""
        tick = frame // self.frames_per_tick
        # One tick more than the trail lasts: rounding may leave a last bit of it.
        return max(0, (tick - math.ceil(self._ticks) - 1) * self.frames_per_tick)

    def since(self, frame: int) -> tuple[float, float]:
        """Give scale and offset of what has faded since the last tick before a frame."""
        frames = (frame - 1) % self.frames_per_tick + 1
        keep = _LEFT ** (frames / self.frames_per_tick / self._ticks)
        return keep, _OFFSET * (1.0 - keep)


class Trails:
    """The picture that stays, for one run of frames.

    Parameters
    ----------
    fading
        The clock.
    """

    def __init__(self, fading: Fading) -> None:
        self._fading = fading
        self._past: Tensor | None = None
        self._seen: Tensor | None = None

    def see(
        self, frame: int, present: Float[Tensor, "3 height width"], amount: float
    ) -> Float[Tensor, "3 height width"]:
        """Take a frame's picture in, and give it with its past; the memory is used again for the next.

        Parameters
        ----------
        amount
            How bright the past is seen, 0-1.
        """
        if self._past is None or self._seen is None:
            self._past, self._seen = torch.zeros_like(present), torch.empty_like(present)
        scale, offset = self._fading.since(frame)
        keep = self._fading.is_tick(frame)
        height, width = present.shape[1:]
        rows = max(1, _BAND_PIXELS // width)
        for top in range(0, height, rows):
            band = slice(top, min(top + rows, height))
            now = present[:, band]
            faded = self._past[:, band] * scale - offset
            torch.maximum(now, faded * amount, out=self._seen[:, band])
            if keep:
                torch.maximum(now, faded, out=self._past[:, band])
        return self._seen
