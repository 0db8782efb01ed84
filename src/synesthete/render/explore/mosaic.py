"""The mosaic: all cells of a sheet at once, as one film with the sound of the moments that they show."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float32

from synesthete.clock import Clock
from synesthete.files import make_folder, whole_file
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.media.decode import Span, decode_sound
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import encode_sound, iterate_frames, stitch
from synesthete.render.explore.cells import CELL_RATE, CELL_SIZE, CellFiles, stretches
from synesthete.render.plan import SongFacts

__all__ = ["write_mosaic"]

_MOST_WIDTH: Final = 1920
_FADE_S: Final = 0.03
_VIDEO: Final = VideoSettings(encoder="libx264", crf=20, speed="veryfast")


def write_mosaic(
    path: Path,
    cells: Sequence[CellFiles],
    facts: SongFacts,
    moments: Sequence[float],
    *,
    columns: int,
    work: Path,
) -> None:
    """Write the film of all cells, whole; played in a loop it goes from moment to moment.

    Parameters
    ----------
    moments
        Seconds, as the cells' films show them one after another.
    work
        A folder for what is half-done.
    """
    rows = -(-len(cells) // columns)
    width = min(CELL_SIZE.width, _MOST_WIDTH // columns // 2 * 2)
    height = round(width * CELL_SIZE.height / CELL_SIZE.width / 2) * 2
    size = Size(columns * width, rows * height)
    make_folder(work)
    film, sound = work / "mosaic-picture.mp4", work / "mosaic-sound.mp4"
    quantiser = Quantiser(size)
    pictures = zip(*(iterate_frames(cell.film, size=(width, height)) for cell in cells), strict=True)
    writer = SegmentWriter(film, width=size.width, height=size.height, frame_rate=CELL_RATE, settings=_VIDEO)
    count = 0
    with writer:
        for shown in pictures:
            canvas = np.zeros((size.height, size.width, 3), np.uint8)
            for index, picture in enumerate(shown):
                top, left = index // columns * height, index % columns * width
                canvas[top : top + height, left : left + width] = picture
            rgb = torch.from_numpy(canvas).permute(2, 0, 1).float() / 255
            writer.write(quantiser.yuv420(rgb).numpy())
            count += 1
    frames = stretches(moments, Clock(CELL_RATE).frames_for(facts.samples, facts.sample_rate))
    encode_sound(_sound(facts, frames), sound, sample_rate=facts.sample_rate, channels=facts.channels)
    with whole_file(path) as part:
        stitch([(film, count)], sound, part, frame_rate=CELL_RATE)


def _sound(facts: SongFacts, frames: Sequence[range]) -> Iterator[Float32[np.ndarray, "channels samples"]]:
    """Give the sound of each stretch, faded in and out so that it does not click."""
    for part in frames:
        first, last = (Fraction(frame) / CELL_RATE for frame in (part.start, part.stop))
        chunks = list(decode_sound(facts.path, span=Span(first, min(last, facts.duration))))
        sound = np.concatenate(chunks, axis=1)
        wanted = round((last - first) * facts.sample_rate)
        sound = np.pad(sound[:, :wanted], ((0, 0), (0, max(0, wanted - sound.shape[1]))))
        fade = np.minimum(1.0, np.arange(wanted) / (_FADE_S * facts.sample_rate))
        yield (sound * fade * fade[::-1]).astype(np.float32)
