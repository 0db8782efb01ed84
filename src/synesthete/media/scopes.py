"""Draw sound with FFmpeg's own scopes: driven by the music and by nothing else, to compare with."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, Literal, get_args

import av
import numpy as np
from av.filter import Graph
from jaxtyping import UInt8

from synesthete.clock import ANALYSIS_SAMPLE_RATE, Clock
from synesthete.media.convert import Chunk

__all__ = ["SCOPES", "Scope", "scope_frames"]

Scope = Literal["showcqt", "showspectrum", "avectorscope"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
"""The scopes there are, by the names of FFmpeg's filters."""

_OPTIONS: Final[dict[Scope, str]] = {
    "showcqt": "fps={rate}:axis=0",
    "showspectrum": "fps={rate}:slide=scroll:mode=combined:color=intensity:scale=cbrt:legend=0",
    "avectorscope": "rate={rate}:mode=lissajous_xy:draw=line:zoom=1.5",
}
_BLOCK: Final = (
    2_048  # samples: showspectrum makes 150 frames a second, and they queue up until they are taken
)
_SECOND: Final = Fraction(1, ANALYSIS_SAMPLE_RATE)

Picture = UInt8[np.ndarray, "height width 3"]


def scope_frames(
    chunks: Iterable[Chunk], scope: Scope, *, width: int, height: int, frame_rate: Fraction
) -> Iterator[Picture]:
    """Draw sound with one of FFmpeg's scopes, on the film's clock.

    Frame ``i`` is the newest picture that the filter dates at ``i / frame_rate`` seconds or before. The
    filters look a little ahead (`showcqt`, by half its window) or back (`showspectrum`, which scrolls).

    Parameters
    ----------
    chunks
        Sound at 44.1 kHz, 1 or 2 channels, full scale ±1, in pieces of any size.
    scope
        Which one.
    width, height
        Of the pictures, pixels; even, and at least 16.
    frame_rate
        Frames per second.

    Yields
    ------
    RGB, as many frames as a film of the sound has.
    """
    clock, drawn = Clock(frame_rate), 0
    picture: Picture = np.zeros((height, width, 3), np.uint8)
    filtering = _Filter(f"s={width}x{height}:{_OPTIONS[scope].format(rate=frame_rate)}", scope)
    for moment, newer in filtering.pictures(chunks):
        while clock.seconds(drawn) < moment:
            yield picture
            drawn += 1
        picture = newer
    for _ in range(drawn, clock.frames_for(filtering.samples, ANALYSIS_SAMPLE_RATE)):
        yield picture


class _Filter:
    """One filter graph: sound in, dated pictures out."""

    def __init__(self, options: str, scope: Scope) -> None:
        self.samples = 0
        self._graph = Graph()
        source = self._graph.add_abuffer(
            sample_rate=ANALYSIS_SAMPLE_RATE, format="fltp", layout="stereo", time_base=_SECOND
        )
        nodes = [self._graph.add(scope, options), self._graph.add("format", "pix_fmts=rgb24")]
        self._graph.link_nodes(source, *nodes, self._graph.add("buffersink")).configure()

    def pictures(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Fraction, Picture]]:
        """Draw all of the sound; what comes after its end is left out."""
        for chunk in chunks:
            for start in range(0, chunk.shape[1], _BLOCK):
                self._push(chunk[:, start : start + _BLOCK])
                yield from self._ready()
        self._graph.push(None)
        for moment, picture in self._ready():
            if moment < self.samples * _SECOND:
                yield moment, picture

    def _push(self, block: Chunk) -> None:
        stereo = np.ascontiguousarray(np.broadcast_to(block, (2, block.shape[1])))
        frame = av.AudioFrame.from_ndarray(stereo, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = ANALYSIS_SAMPLE_RATE, _SECOND, self.samples
        self.samples += block.shape[1]
        self._graph.push(frame)

    def _ready(self) -> Iterator[tuple[Fraction, Picture]]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            assert isinstance(frame, av.VideoFrame)
            assert frame.pts is not None
            assert frame.time_base is not None
            yield frame.pts * frame.time_base, frame.to_ndarray(format="rgb24")
