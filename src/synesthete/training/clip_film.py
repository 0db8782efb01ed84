"""Films of clips, with their sound."""

import itertools
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.files import make_folder, whole_file
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import encode_sound, stitch

__all__ = ["write_clip_film"]

_VIDEO: Final = VideoSettings(encoder="libx264", crf=16, speed="veryfast")


def write_clip_film(
    path: Path,
    frames: Iterable[Float32[Tensor, "3 height width"]],
    sound: Float32[np.ndarray, "2 samples"],
    *,
    frame_rate: Fraction,
) -> None:
    """Write a film, whole.

    Parameters
    ----------
    path
        An MP4; its folder is made.
    frames
        At least one, display RGB, 0-1, of one even size.
    sound
        What is heard from the first frame on, at 44.1 kHz.

    Raises
    ------
    OutputError, RenderError
        If it can't be written.
    """
    make_folder(path.parent)
    coming = iter(frames)
    first = next(coming)
    size = Size(first.shape[2], first.shape[1])
    quantiser = Quantiser(size)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".film-") as work:
        picture, heard = Path(work, "picture.mp4"), Path(work, "sound.mp4")
        writer = SegmentWriter(
            picture, width=size.width, height=size.height, frame_rate=frame_rate, settings=_VIDEO
        )
        count = 0
        with writer:
            for frame in itertools.chain([first], coming):
                writer.write(quantiser.yuv420(frame).numpy())
                count += 1
        encode_sound(iter([sound]), heard, sample_rate=ANALYSIS_SAMPLE_RATE, channels=2)
        with whole_file(path) as part:
            stitch([(picture, count)], heard, part, frame_rate=frame_rate)
