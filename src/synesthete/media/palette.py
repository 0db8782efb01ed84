"""Draw a GIF from lossless Segments: choose 256 colours for the whole film, then dither to them."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from synesthete.media.codecs import VideoSettings
from synesthete.media.encode import file_failures, open_input, open_output
from synesthete.media.joint import video_stream

__all__ = ["draw_gif", "segment_pictures"]

_TICK: Final = Fraction(1, 100)  # s; a GIF counts in nothing finer
_SURVEYED: Final = 240
_SURVEY_SIDE: Final = 360
# Error diffusion over rows would shimmer where the picture stands still; an ordered pattern stays.
_DITHER: Final = "dither=bayer:bayer_scale=3:diff_mode=rectangle"


def draw_gif(segments: Sequence[Path], target: Path, *, frame_rate: Fraction, settings: VideoSettings) -> int:
    """Write a film as a GIF that repeats for ever; it has no sound.

    Frame ``i`` is shown at ``i / frame_rate``, to the nearest 1/100 s: a GIF has no finer clock. The palette
    is chosen from up to 240 pictures spread over the film, by median cut. One picture is held at a time, and
    the same Segments give the same bytes. The file is written directly.

    Parameters
    ----------
    segments
        Lossless Segments from `synesthete.media.encode.SegmentWriter`, in order.
    target
        File to write.
    frame_rate
        Frames per second; at most 50, as players show faster ones slowly.
    settings
        Those of the Segments.

    Returns
    -------
    Frames written.

    Raises
    ------
    RenderError
        If a Segment is damaged.
    OSError
        If a file can't be read or written.
    """
    total = sum(_count(path) for path in segments)
    palette = _palette(segments, max(1, -(-total // _SURVEYED)))
    first = next(segment_pictures(segments))
    drawing = _Drawing(first, palette)
    with open_output(target, settings.coding.film, loop="0") as container:
        stream = container.add_stream("gif", rate=frame_rate)
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "pal8"
        context = stream.codec_context
        context.time_base, context.thread_count = _TICK, 1
        for index, picture in enumerate(segment_pictures(segments)):
            moment, after = (round(place / frame_rate / _TICK) for place in (index, index + 1))
            for packet in stream.encode(drawing.drawn(picture, moment)):
                packet.duration, packet.time_base = after - moment, _TICK
                container.mux(packet)
    return total


def _count(path: Path) -> int:
    with open_input(path) as container, file_failures(path):
        return sum(packet.pts is not None for packet in container.demux(video_stream(container, path)))


def segment_pictures(segments: Sequence[Path]) -> Iterator[VideoFrame]:
    """Decode the pictures of Segments, one after another."""
    for path in segments:
        with open_input(path) as container, file_failures(path):
            yield from container.decode(video_stream(container, path))


def _palette(segments: Sequence[Path], step: int) -> VideoFrame:
    """Choose 256 colours from every so-manieth picture, scaled down: how much of each there is counts."""
    graph: Graph | None = None
    for picture in itertools.islice(segment_pictures(segments), 0, None, step):
        if graph is None:
            scale = min(Fraction(1), Fraction(_SURVEY_SIDE, min(picture.width, picture.height)))
            size = f"w={round(picture.width * scale)}:h={round(picture.height * scale)}:flags=area"
            graph = Graph()
            graph.link_nodes(
                _source(graph, picture),
                graph.add("scale", size),
                graph.add("palettegen", "stats_mode=full:reserve_transparent=0"),
                graph.add("buffersink"),
            ).configure()
        graph.vpush(picture)
    assert graph is not None  # a Segment has at least one picture
    graph.vpush(None)
    return graph.vpull()


def _source(graph: Graph, picture: VideoFrame) -> FilterContext:
    size = f"video_size={picture.width}x{picture.height}:pix_fmt={picture.format.name}"
    return graph.add("buffer", f"{size}:time_base={_TICK}:pixel_aspect=1/1")


class _Drawing:
    """Draws pictures in the colours of a palette."""

    def __init__(self, first: VideoFrame, palette: VideoFrame) -> None:
        graph = Graph()
        self._pictures, colours = _source(graph, first), _source(graph, palette)
        use, self._sink = graph.add("paletteuse", _DITHER), graph.add("buffersink")
        self._pictures.link_to(use, 0, 0)
        colours.link_to(use, 0, 1)
        use.link_to(self._sink)
        graph.configure()
        self._graph = graph
        palette.pts, palette.time_base = 0, _TICK
        colours.push(palette)
        colours.push(None)

    def drawn(self, picture: VideoFrame, moment: int) -> VideoFrame:
        picture.pts, picture.time_base = moment, _TICK
        self._pictures.push(picture)
        drawn = cast(VideoFrame, self._sink.pull())
        drawn.time_base = _TICK
        return drawn
