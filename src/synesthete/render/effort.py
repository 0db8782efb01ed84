"""Choose how a film is made: the number of workers, and the encoder."""

import os

from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.media.codecs import CODINGS
from synesthete.media.encode import VideoSettings, encoder_opens

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
    """Resolve the encoder; ``hardware`` takes the first of the codec's that opens, else the software one.

    Raises
    ------
    ConfigError
        If the named encoder does not open on this machine, or none in so many bits.
    """
    crf, speed = options.quality()
    codec, depth = options.film_codec(), options.depth()
    software, *hardware = CODINGS[codec].encoders
    if options.encoder == "hardware" or (options.hardware and options.encoder == "libx264"):
        name = next((other for other in hardware if encoder_opens(other, codec, depth)), software)
    elif options.encoder in hardware:
        name = options.encoder
        if not encoder_opens(name, codec, depth):
            raise ConfigError(f"encoder {name} does not open on this machine; pass --encoder libx264")
    else:
        name = software
    if depth != 8 and name == software and not encoder_opens(name, codec, depth):
        raise ConfigError(
            f"the encoder {name} can't write {depth} bits on this machine; drop --bit-depth {depth}, or pass "
            "--codec hevc"
        )
    return VideoSettings(
        encoder=name, crf=crf, speed=speed, codec=codec, bit_depth=depth, alpha=options.alpha
    )


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1
