"""Choose how a film is made: the number of workers, and the encoder."""

import os
from typing import get_args

from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.media.encode import Encoder, VideoSettings, encoder_opens

__all__ = ["choose_workers", "video_settings"]

_MAX_WORKERS = 16
_WORKERS_MEMORY = 3e9
_WORKER_BYTES_PER_PIXEL = 60


def choose_workers(options: RenderOptions, segments: int) -> int:
    """Give the number of Segments to render side by side: one per core that memory allows, by default."""
    width, height = options.size()
    fitting = max(1, int(_WORKERS_MEMORY / (_WORKER_BYTES_PER_PIXEL * width * height)))
    wanted = options.workers or min(_MAX_WORKERS, _cores(), fitting)
    return max(1, min(wanted, segments))


def video_settings(options: RenderOptions) -> VideoSettings:
    """Resolve the encoder; ``hardware`` takes the first that opens, else libx264.

    Raises
    ------
    ConfigError
        If the named encoder does not open on this machine.
    """
    crf, speed = options.quality()
    name: str = options.encoder
    if name == "hardware":
        hardware = [other for other in get_args(Encoder) if other != "libx264"]
        name = next((other for other in hardware if encoder_opens(other)), "libx264")
    elif name != "libx264" and not encoder_opens(name):
        raise ConfigError(f"encoder {name} does not open on this machine; pass --encoder libx264")
    return VideoSettings(encoder=name, crf=crf, speed=speed)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1
