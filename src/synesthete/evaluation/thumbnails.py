"""Look at pictures from afar, beside a set of reference pictures: which are copies of them."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image
from torch import Tensor

from synesthete.errors import InputError
from synesthete.generators.thumbnails import (
    CELLS,
    Thumbnails,
    display_to_oklab,
    look_distance,
    look_distances,
    thumbnails,
)

__all__ = [
    "CELLS",
    "FEATURE",
    "Thumbnails",
    "display_to_oklab",
    "load_references",
    "look_distance",
    "look_distances",
    "nearest_references",
    "thumbnails",
]

FEATURE: Final = "OKLab means of 8x8 cells"
"""What a thumbnail holds."""

_SEEN: Final = 0.02
_PICTURE_ENDINGS: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
_DAMAGE: Final = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def load_references(folder: Path) -> Thumbnails:
    """Read the pictures that lie directly in a folder, as thumbnails.

    Parameters
    ----------
    folder
        With PNG, JPEG, WebP, BMP or TIFF files; hidden files and folders are passed over.

    Raises
    ------
    InputError
        If the folder can't be read, holds no pictures, or one that is damaged.
    """
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURE_ENDINGS)
    except OSError as error:
        raise InputError(f"cannot read pictures from {folder} ({error.strerror}); name a folder") from error
    visible = [file for file in files if not file.name.startswith(".") and file.is_file()]
    if not visible:
        raise InputError(f"there are no pictures in {folder}; put PNG or JPEG files there")
    return thumbnails(_read_picture(file) for file in visible)


def _read_picture(path: Path) -> Float32[Tensor, "3 height width"]:
    try:
        with Image.open(path) as picture:
            rgb: UInt8[np.ndarray, "height width 3"] = np.array(picture.convert("RGB"))
    except _DAMAGE as error:
        raise InputError(f"{path} is no picture that can be read ({error}); remove it") from error
    return torch.from_numpy(rgb).permute(2, 0, 1).float() / 255


def nearest_references(made: Thumbnails, references: Thumbnails) -> dict[str, Any]:
    """Tell how near pictures come to a reference set: copies of it lie at 0.

    Returns
    -------
    Least and median distance to the nearest reference, and the share of pictures that lie nearer than can be
    seen (0.02).
    """
    nearest = look_distances(made, references).min(axis=1)
    return {
        "references": len(references),
        "least": float(nearest.min()),
        "median": float(np.median(nearest)),
        "copies": float((nearest < _SEEN).mean()),
        "feature": FEATURE,
    }
