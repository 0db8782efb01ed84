"""What a picture is changed by each time that it is learned from: a pure function of the draws given."""

import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageFilter

from synesthete.config.gan import StillAugmentConfig

__all__ = ["augmented", "squared"]

Picture = UInt8[np.ndarray, "height width 3"]
Square = UInt8[np.ndarray, "side side 3"]

# Luma and two axes of chroma, orthonormal: a turn about the first is a turn of hues.
_AXES = np.array([[1.0, 1.0, 1.0], [2.0, -1.0, -1.0], [0.0, 1.0, -1.0]])
_AXES = _AXES / np.linalg.norm(_AXES, axis=1, keepdims=True)


def squared(picture: Picture, side: int) -> Square:
    """Give the square in the middle of a picture, resampled.

    Parameters
    ----------
    side
        Pixels.
    """
    image = Image.fromarray(picture)
    crop = min(image.size)
    return _cut(image, ((image.width - crop) / 2, (image.height - crop) / 2), crop, side)


def augmented(picture: Picture, side: int, config: StillAugmentConfig, draw: np.random.Generator) -> Square:
    """Give a square of a picture: cropped, mirrored, its colours moved, and seldom blurred, coded or cut out.

    Parameters
    ----------
    side
        Pixels.
    draw
        Of this picture, this time; numbers are drawn in one order, whatever the configuration.
    """
    image = Image.fromarray(picture)
    crop = min(image.size) * float(draw.uniform(config.crop, 1.0))
    at = (float(draw.random()) * (image.width - crop), float(draw.random()) * (image.height - crop))
    flip, blur, jpeg, cutout = (float(one) for one in draw.random(4))
    deviation = config.blur_pixels * float(draw.random())
    quality = int(draw.integers(config.jpeg_quality, 96))
    colours = draw.uniform(-1.0, 1.0, 4)
    hole = draw.random(3)

    square = _cut(image, at, crop, side)
    if flip < config.flip_prob:
        square = square[:, ::-1]
    square = _recoloured(square, config, colours)
    if blur < config.blur_prob:
        square = np.array(Image.fromarray(square).filter(ImageFilter.GaussianBlur(deviation)))
    if jpeg < config.jpeg_prob:
        square = _coded(square, quality)
    if cutout < config.cutout_prob:
        square = _holed(square, config.cutout_side, hole)
    return np.ascontiguousarray(square)


def _cut(image: Image.Image, at: tuple[float, float], crop: float, side: int) -> Square:
    box = (at[0], at[1], min(at[0] + crop, image.width), min(at[1] + crop, image.height))
    return np.array(image.resize((side, side), Image.Resampling.LANCZOS, box))


def _recoloured(square: Square, config: StillAugmentConfig, colours: Float[np.ndarray, " 4"]) -> Square:
    brightness, contrast, saturation = (
        most * float(one)
        for most, one in zip(
            (config.brightness, config.contrast, config.saturation), colours[:3], strict=True
        )
    )
    hue = math.radians(config.hue_degrees) * float(colours[3])
    amount = 1.0 + saturation
    turn = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, amount * math.cos(hue), -amount * math.sin(hue)],
            [0.0, amount * math.sin(hue), amount * math.cos(hue)],
        ]
    )
    # About the picture's mean, and by a factor: what is black stays nearly black.
    matrix = ((1.0 + brightness) * (1.0 + contrast)) * (_AXES.T @ turn @ _AXES)
    middle = square.mean(dtype=np.float64)
    levels = (square - middle).astype(np.float32) @ matrix.T.astype(np.float32) + np.float32(
        (1.0 + brightness) * middle
    )
    recoloured: Square = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return recoloured


def _coded(square: Square, quality: int) -> Square:
    handle = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(square)).save(handle, format="JPEG", quality=quality)
    with Image.open(handle) as image:
        return np.array(image.convert("RGB"))


def _holed(square: Square, most: float, hole: Float[np.ndarray, " 3"]) -> Square:
    """Fill a square hole with the picture's mean."""
    side = len(square)
    wide = max(1, round(most * side * (0.5 + 0.5 * float(hole[0]))))
    top, left = (int(float(one) * (side - wide + 1)) for one in hole[1:])
    holed = np.array(square)
    holed[top : top + wide, left : left + wide] = np.rint(square.mean(axis=(0, 1))).astype(np.uint8)
    return holed
