"""Write still pictures and small loops, and lay pictures out on a contact sheet."""

import io
import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from synesthete.errors import ConfigError, RenderError
from synesthete.files import whole_file

__all__ = ["MAX_GIF_FRAMES", "contact_sheet", "jpeg_bytes", "write_gif", "write_png"]

Picture = UInt8[np.ndarray, "height width 3"]

MAX_GIF_FRAMES = 300
"""Most frames of a GIF: all are held at once to find their common palette."""

_PNG_LEVEL = 4  # zlib's level: twice as fast as the usual 6 on our pictures, files a few per cent larger
_JPEG_QUALITY = 85
_PALETTE_PIXELS = 200_000
_GAP = 3  # pixels between the pictures of a sheet
_BACKGROUND = (18, 18, 20)
_LABEL_COLOUR = (200, 200, 205)
_TITLE_COLOUR = (240, 240, 245)


def write_png(path: Path, rgb: Picture) -> None:
    """Write a picture as PNG, whole.

    Parameters
    ----------
    path
        File to write; its folder is made.
    rgb
        Picture, sRGB, uint8, shape (height, width, 3).

    Raises
    ------
    OutputError, RenderError
        If the file can't be written; see `synesthete.files.whole_file`.
    """
    with whole_file(path) as part:
        _image(rgb).save(part, format="PNG", compress_level=_PNG_LEVEL)


def jpeg_bytes(rgb: Picture) -> bytes:
    """Give a picture, sRGB, uint8, as the bytes of a JPEG file: a fifth of a PNG's, for pages."""
    handle = io.BytesIO()
    _image(rgb).save(handle, format="JPEG", quality=_JPEG_QUALITY)
    return handle.getvalue()


def write_gif(path: Path, frames: Iterable[Picture], frames_per_second: float) -> None:
    """Write frames as a GIF that loops forever, with one palette for all of them, whole.

    One palette keeps still colours still, and the file small. There is no dithering, for the same
    reason. GIF counts hundredths of a second: single frames are rounded to it, and the whole is in time.

    Parameters
    ----------
    path
        File to write; its folder is made.
    frames
        Pictures of one size, sRGB, uint8, shape (height, width, 3); at most `MAX_GIF_FRAMES`.
    frames_per_second
        Over 0, at most 50; browsers slow down what is faster.

    Raises
    ------
    ConfigError
        If ``frames_per_second`` is out of range.
    RenderError
        If there are no frames, too many, or frames of different sizes.
    OutputError
        If the file can't be written.
    """
    if not 0 < frames_per_second <= 50:
        raise ConfigError(
            f"a GIF at {frames_per_second} frames per second is not shown right; pass 50 or less"
        )
    pictures = list(itertools.islice(frames, MAX_GIF_FRAMES + 1))
    if not pictures or len(pictures) > MAX_GIF_FRAMES:
        raise RenderError(
            f"a GIF has 1 to {MAX_GIF_FRAMES} frames; pass a shorter stretch, or fewer per second"
        )
    if len({picture.shape for picture in pictures}) > 1:
        raise RenderError("the frames of a GIF must have one size")
    palette = _common_palette(pictures)
    indexed = [_image(picture).quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    ends = [round(100 * index / frames_per_second) for index in range(len(pictures) + 1)]
    with whole_file(path) as part:
        indexed[0].save(
            part,
            format="GIF",
            save_all=True,
            append_images=indexed[1:],
            duration=[10 * (end - start) for start, end in itertools.pairwise(ends)],
            loop=0,
            optimize=False,
        )


def contact_sheet(
    pictures: Sequence[Picture],
    *,
    columns: int,
    labels: Sequence[str] | None = None,
    title: str | None = None,
) -> Picture:
    """Lay pictures out in rows on a dark sheet, each with a label below it.

    Parameters
    ----------
    pictures
        At least one, sRGB, uint8, shape (height, width, 3); smaller ones are centred in their cells.
    columns
        Pictures in a row, 1 or more.
    labels
        One short line for each picture, cut where it would leave its cell; None for no labels.
    title
        One line above all; None for none.

    Returns
    -------
    The sheet, uint8, shape (height, width, 3).

    Raises
    ------
    RenderError
        If there are no pictures, no columns, or another number of labels than of pictures.
    """
    if not pictures or columns < 1:
        raise RenderError("a contact sheet needs at least one picture and one column")
    if labels is not None and len(labels) != len(pictures):
        raise RenderError(f"a contact sheet of {len(pictures)} pictures can't have {len(labels)} labels")
    columns = min(columns, len(pictures))
    cell_width = max(picture.shape[1] for picture in pictures)
    cell_height = max(picture.shape[0] for picture in pictures)
    size = min(18, max(10, cell_width // 16))
    label_height = size + 6 if labels is not None else 0
    title_height = 2 * size + 8 if title else 0
    width = columns * (cell_width + _GAP) + _GAP
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB", (width, title_height + rows * (cell_height + label_height + _GAP) + _GAP), _BACKGROUND
    )
    draw = ImageDraw.Draw(sheet)
    if title:
        _write_line(
            draw, title, (2 * _GAP, title_height // 2 + _GAP), width, round(1.4 * size), _TITLE_COLOUR
        )
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        left = _GAP + column * (cell_width + _GAP)
        top = _GAP + title_height + row * (cell_height + label_height + _GAP)
        inset = ((cell_width - picture.shape[1]) // 2, (cell_height - picture.shape[0]) // 2)
        sheet.paste(_image(picture), (left + inset[0], top + inset[1]))
        if labels is not None:
            middle = top + cell_height + label_height // 2
            _write_line(draw, labels[index], (left + 2, middle), cell_width, size, _LABEL_COLOUR)
    return np.array(sheet)


def _image(rgb: Picture) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(rgb))


def _common_palette(pictures: Sequence[Picture]) -> Image.Image:
    pixels = sum(picture.shape[0] * picture.shape[1] for picture in pictures)
    # A stride without small factors, so that it does not run down the columns of a picture.
    stride = max(1, pixels // _PALETTE_PIXELS) * 2 + 1 if pixels > _PALETTE_PIXELS else 1
    sample = np.concatenate([picture.reshape(-1, 3)[::stride] for picture in pictures])
    return _image(sample[None]).quantize(colors=256, method=Image.Quantize.MEDIANCUT)


def _write_line(
    draw: ImageDraw.ImageDraw,
    text: str,
    place: tuple[int, int],
    width: int,
    size: int,
    colour: tuple[int, int, int],
) -> None:
    """Write one line from ``place`` (left, middle) on, cut to ``width`` pixels."""
    font = ImageFont.load_default(size=size)
    # Pillow's built-in font has ASCII only, and draws a box for all else: "Jóga" becomes "Joga".
    line = " ".join(unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().split())
    shown = line
    while len(shown) > 1 and draw.textlength(shown, font=font) > width - 4:
        line = line[:-1]
        shown = line.rstrip() + "..."
    draw.text(place, shown, fill=colour, font=font, anchor="lm")
