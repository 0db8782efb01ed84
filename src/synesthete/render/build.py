"""Build generators and encoders from configuration: configuration stops here."""

import os
from typing import get_args

import torch

from synesthete.config.preset import Preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.generators.base import Generator, Size
from synesthete.generators.cppn import CppnGenerator
from synesthete.generators.fuse import Fuser
from synesthete.media.encode import Encoder, VideoSettings, encoder_opens

__all__ = ["build_fuser", "build_generator", "choose_device", "choose_workers", "video_settings"]

_FUSING_PAYS_PIXELS = 1.5e9
"""Compiling takes 20-30 s; on two cores eager rendering loses about 15 ns a pixel against it."""

_MAX_WORKERS = 16
_WORKERS_MEMORY = 3e9
_WORKER_BYTES_PER_PIXEL = 60


def build_fuser(options: RenderOptions, size: Size, frames: int) -> Fuser:
    """Decide whether to compile kernels; ``auto`` does where the film is long enough to win by it."""
    pays = size.width * size.height * frames >= _FUSING_PAYS_PIXELS
    wanted = options.kernels == "fused" or (options.kernels == "auto" and pays)
    return Fuser(options.workspace / "cache" / "kernels", wanted=wanted)


def build_generator(preset: Preset, options: RenderOptions, fuser: Fuser) -> Generator:
    """Build a preset's generator."""
    device = choose_device(options.device)
    return CppnGenerator(preset.cppn, fuser, device=device, precision=options.precision, tile=options.tile)


def choose_device(wanted: str) -> str:
    """Resolve ``auto`` and refuse what is not there.

    Raises
    ------
    ConfigError
        If the device is not available on this machine.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda" if cuda else "cpu"
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise ConfigError(
            f"--device {wanted} is not available with this PyTorch on this machine; pass --device auto"
        )
    return wanted


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
