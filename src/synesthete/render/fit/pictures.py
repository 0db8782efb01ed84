"""Read the pictures that a preset is fitted to: files, or all that a folder holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from synesthete.config.fit import MOST_PICTURES
from synesthete.config.render import ASPECTS, Aspect
from synesthete.errors import InputError
from synesthete.media.artwork import decode_picture, read_picture

__all__ = ["FitPicture", "fit_pictures"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_BORDER = 0.1
_FLAT = 0.01


@dataclass(frozen=True, eq=False)
class FitPicture:
    """A picture as films will show it.

    Attributes
    ----------
    name
        Its file's.
    rgb
        Display values, 0-1, with a mirrored border, so that what bends inward is known.
    extent
        Half width and half height, border included; the film's short side spans -1 to 1.
    """

    name: str
    rgb: Float[Tensor, "3 height width"]
    extent: tuple[float, float]


def fit_pictures(places: Sequence[Path], *, size: int, aspect: Aspect) -> list[FitPicture]:
    """Read pictures, cut to a film's shape around their centres, with transparency as black.

    Parameters
    ----------
    size
        Short side of the film that they are scaled to, pixels.

    Raises
    ------
    InputError
        If one can't be read or has nothing to see, a folder has none, or there are over `MOST_PICTURES`.
    """
    files = [file for place in places for file in _files(place)]
    if len(files) > MOST_PICTURES:
        raise InputError(
            f"{len(files)} pictures are too many for one net; name at most {MOST_PICTURES}, or fit them one "
            "by one"
        )
    across, down = ASPECTS[aspect]
    wide, high = (round(size * side / min(across, down)) for side in (across, down))
    return [_picture(file, wide, high, size) for file in files]


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    try:
        found = sorted(file for file in place.iterdir() if file.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise InputError(f"cannot read {place} ({error.strerror}); check the folder") from None
    if not found:
        raise InputError(f"{place} holds no picture; name a folder of PNG, JPEG or WebP files")
    return found


def _picture(file: Path, wide: int, high: int, size: int) -> FitPicture:
    image = decode_picture(read_picture(file, what="fit"))
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    shown = ImageOps.fit(
        Image.alpha_composite(black, image).convert("RGB"), (wide, high), Image.Resampling.LANCZOS
    )
    values = torch.from_numpy(np.array(shown)).float().permute(2, 0, 1) / 255.0
    if float(values.flatten(1).std(1).max()) < _FLAT:
        raise InputError(f"{file} is of one colour throughout; name a picture with something to see")
    border = max(1, round(size * _BORDER))
    bordered = torch.nn.functional.pad(values[None], (border,) * 4, mode="reflect")[0]
    return FitPicture(file.name, bordered, ((wide + 2 * border) / size, (high + 2 * border) / size))
