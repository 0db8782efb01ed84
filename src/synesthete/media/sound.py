"""Sound that can be had again from its start: what is measured before it is changed and encoded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from synesthete.media.convert import Chunk, Resampler
from synesthete.media.decode import Span, decode_sound
from synesthete.media.probe import probe_sound

__all__ = ["Sound", "join_sounds"]

_WHOLE = Span()


@dataclass(frozen=True)
class Sound:
    """A sound that knows no file: whoever wants its samples calls ``chunks``, each time for all of them.

    Attributes
    ----------
    chunks
        Gives pieces of any length, float32, shape (channels, samples), from the start at every call.
    sample_rate
        Samples per second, Hz.
    channels
        1 or 2.

    Examples
    --------
    >>> hum = Sound(lambda: iter([np.full((1, 4800), 0.5, np.float32)]), sample_rate=48_000, channels=1)
    >>> [chunk.shape for chunk in hum.adapted(24_000, 2).chunks() if chunk.size]
    [(2, 2384), (2, 16)]
    """

    chunks: Callable[[], Iterator[Chunk]]
    sample_rate: int
    channels: int

    @classmethod
    def of_file(cls, path: Path, *, span: Span = _WHOLE, allow_truncated: bool = False) -> "Sound":
        """Take a file's sound, as `synesthete.media.decode.decode_sound` gives it.

        Raises
        ------
        MediaError
            If it can't be used; see `synesthete.media.probe.probe_sound`.
        """
        info = probe_sound(path)
        return cls(
            lambda: decode_sound(path, span=span, allow_truncated=allow_truncated),
            info.sample_rate,
            1 if info.channels == 1 else 2,
        )

    def adapted(self, sample_rate: int, channels: int) -> "Sound":
        """Bring it to a common rate, and mono to both loudspeakers at full level, as players do.

        ``n`` samples become ``ceil(n · sample_rate / own rate)``.

        Raises
        ------
        ValueError
            If stereo would have to become mono, or there are more than two channels.
        """
        if not 1 <= self.channels <= channels <= 2:
            raise ValueError(f"a sound of {self.channels} channels can't be spread to {channels}")
        if (sample_rate, channels) == (self.sample_rate, self.channels):
            return self

        def chunks() -> Iterator[Chunk]:
            resampler = Resampler(self.sample_rate, sample_rate, self.channels)
            for chunk in self.chunks():
                yield _spread(resampler.push(chunk), channels)
            yield _spread(resampler.flush(), channels)

        return Sound(chunks, sample_rate, channels)

    def changed(self, change: Callable[[Iterator[Chunk]], Iterator[Chunk]]) -> "Sound":
        """Pass its chunks through something that keeps rate, channels and length."""
        return replace(self, chunks=lambda: change(self.chunks()))


def join_sounds(sounds: Sequence[Sound]) -> Sound:
    """Put sounds one after another, at the highest of their rates, in stereo if one of them is.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not sounds:
        raise ValueError("there are no sounds to join")
    rate, channels = (max(getattr(s, name) for s in sounds) for name in ("sample_rate", "channels"))
    adapted = [sound.adapted(rate, channels) for sound in sounds]
    return Sound(lambda: (chunk for sound in adapted for chunk in sound.chunks()), rate, channels)


def _spread(chunk: Chunk, channels: int) -> Chunk:
    return chunk if len(chunk) == channels else np.repeat(chunk, channels, axis=0)
