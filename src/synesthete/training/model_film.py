"""A short film by a trained model: composed music, one style, and a single window of frames drawn at once."""

import math
from pathlib import Path
from typing import Final

import torch

from synesthete.clock import ANALYSIS_SAMPLE_RATE, samples_at
from synesthete.evaluation.style_probes import draw_styles
from synesthete.training.clip_film import write_clip_film
from synesthete.training.drawer import Drawer
from synesthete.training.items import rows_of
from synesthete.training.plan import ClipPlan
from synesthete.training.songs import Songs

__all__ = ["write_model_film"]

_AT_ONCE: Final = 8


def write_model_film(drawer: Drawer, path: Path, *, seed: int, seconds: float, size: int = 384) -> None:
    """Write a film of a composed song's beginning, drawn in the first of the drawn styles.

    Parameters
    ----------
    path
        An MP4.
    seed
        Of the music.
    seconds
        How long; attention reaches as far as in training, memory grows with the length.
    size
        Width and height, pixels; even.

    Raises
    ------
    OutputError, RenderError
        If it can't be written.
    """
    data = drawer.data
    frames = max(1, round(seconds * data.frame_rate))
    before = math.ceil(data.before_s * data.frame_rate)
    needed = math.ceil(data.before_s + frames / data.frame_rate + data.context_s) + 1
    config = data.model_copy(
        update={"seed": seed, "clip_frames": frames, "song_seconds": max(data.song_seconds, needed),
                "real_mix_prob": 0.0}
    )  # fmt: skip
    song = Songs(config, embedder=drawer.embedder).song(0)
    rows = rows_of(config, ClipPlan(0, 0, before, "square", -1), song)
    (style,) = draw_styles(drawer.model.spec.style_size, 1)
    latents = drawer.sample(rows[None], torch.tensor([style.vector]), [0], frames=frames)[0]
    start = samples_at(before / config.rate, ANALYSIS_SAMPLE_RATE)
    stop = start + samples_at(frames / config.rate, ANALYSIS_SAMPLE_RATE)
    pictures = (frame for part in torch.split(latents, _AT_ONCE) for frame in drawer.paint(part, size=size))
    write_clip_film(path, pictures, song.sound[:, start:stop], frame_rate=config.rate)
