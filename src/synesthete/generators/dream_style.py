"""Styles of the model that listens: drawn from seeds, read from pictures, moved by a preset's own four."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from synesthete.config.data import BUCKETS
from synesthete.config.dream import DiffusionLook
from synesthete.generators.networks import Networks
from synesthete.models.style import spherical
from synesthete.seeding import generator_for

__all__ = ["DIRECTIONS", "base_style", "directions", "seeded_style", "style_picture"]

DIRECTIONS: Final = 4
"""Numbers of a preset's style, each of which moves the model's along a direction of its own."""


def base_style(look: DiffusionLook, networks: Networks, seed: int) -> Float[Tensor, " size"]:
    """Give the style that a look says, before the preset's own numbers move it.

    Parameters
    ----------
    seed
        The preset's; for styles whose seed the look leaves open.
    """
    size = networks.model.spec.style_size
    own = seed if look.style_seed is None else look.style_seed
    if look.style_mode == "zero":
        return torch.zeros(size)
    if look.style_mode == "image":
        assert look.style_image is not None  # the look was checked
        if look.style_image.place is None:
            raise ValueError(f"the picture {look.style_image.file} was not looked for")
        return _read_style(networks, style_picture(look.style_image.place))
    style = seeded_style(own, size)
    if look.style_mode == "interpolate":
        assert look.style_seed_to is not None
        style = spherical(style, seeded_style(look.style_seed_to, size), look.style_share)
    return look.temperature * style


def seeded_style(seed: int, size: int) -> Float[Tensor, " {size}"]:
    """Draw a style from N(0, 1)."""
    return torch.from_numpy(generator_for(seed, "diffusion.style").standard_normal(size).astype(np.float32))


def directions(size: int) -> Float32[np.ndarray, "4 {size}"]:
    """Give the directions along which a preset's style numbers move the model's style: its first axes.

    Along these styles differ most; each has length 1, the standard deviation of styles along it.
    """
    return np.eye(DIRECTIONS, size, dtype=np.float32)


def style_picture(path: Path) -> Float[Tensor, "3 height width"]:
    """Read a picture whose style is wanted: its middle, in the shape nearest to one of training; 0-1.

    Raises
    ------
    InputError
        If it can't be read.
    """
    from PIL import Image, ImageOps

    from synesthete.media.artwork import decode_picture, read_picture

    image = decode_picture(read_picture(path, what="diffusion.style_image"))
    aspect = image.width / image.height
    size = min(BUCKETS.values(), key=lambda size: abs(np.log(size[0] / size[1] / aspect)))
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    shown = ImageOps.fit(Image.alpha_composite(black, image).convert("RGB"), size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(shown)).float().permute(2, 0, 1) / 255.0


@torch.no_grad()
def _read_style(networks: Networks, picture: Float[Tensor, "3 height width"]) -> Float[Tensor, " size"]:
    model = networks.model
    latents = networks.vae.encode(picture[None]).mean.to(model.mean.device)
    read = model.read_style(model.scaled(latents)[None]).mean
    style: Tensor = model.styles.standard(read)[0].cpu()
    return style
