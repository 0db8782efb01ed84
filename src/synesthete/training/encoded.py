"""Clips whose pictures are encoded once and kept on disk: what a model of latents goes round many times."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from synesthete.files import write_whole
from synesthete.models.precision import sampling_dtype
from synesthete.models.vae import Vae
from synesthete.training.dataset import ItemSource
from synesthete.training.items import Item, stack

__all__ = ["EncodedItems"]

_KEPT: Final = ("latents", "rows", "style", "program_number")
_AT_ONCE: Final = 64


class EncodedItems:
    """Gives items with latents in the place of pictures; as an `ItemSource` it goes to other processes.

    Items of a call are kept in one file: ask for whole batches. They have neither programs nor facts.

    Parameters
    ----------
    read
        Gives the items.
    vae
        Encodes their pictures.
    folder
        Where they are kept; of these items and this autoencoder alone.
    count
        How many different items there are: a number beyond them begins again at 0.
    """

    def __init__(self, read: ItemSource, vae: Vae, folder: Path, *, count: int) -> None:
        self._read, self._vae, self._folder, self._count = read, vae, folder, count

    def __call__(self, numbers: Sequence[int]) -> list[Item]:
        """Give items.

        Raises
        ------
        OutputError, RenderError
            If they can't be written.
        """
        wanted = [number % self._count for number in numbers]
        path = self._folder / f"{wanted[0]:09d}-{len(wanted)}.safetensors"
        kept = _opened(path)
        if kept is None:
            kept = self._encoded(self._read(wanted))
            write_whole(path, save(kept))
        columns = [kept[name] for name in _KEPT]
        return [_item(number, *fields) for number, *fields in zip(numbers, *columns, strict=True)]

    @torch.no_grad()
    def _encoded(self, items: Sequence[Item]) -> dict[str, Tensor]:
        batch = stack(items)
        pictures = batch.frames.flatten(0, 1)
        dtype = sampling_dtype(torch.device("cpu"))
        with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
            parts = [
                self._vae.encode(part.float() / 255.0).mean.to(torch.float16)
                for part in torch.split(pictures, _AT_ONCE)
            ]
        whole = torch.cat(parts)
        latents = whole.reshape(*batch.frames.shape[:2], *whole.shape[1:]).contiguous()
        return {
            "latents": latents, "rows": batch.rows, "style": batch.style,
            "program_number": batch.program_number,
        }  # fmt: skip


def _opened(path: Path) -> dict[str, Tensor] | None:
    try:
        kept: dict[str, Tensor] = load_file(path)
    except (FileNotFoundError, SafetensorError):
        return None
    return kept


def _item(number: int, latents: Tensor, rows: Tensor, style: Tensor, program_number: Tensor) -> Item:
    nothing: dict[str, Any] = {
        name: torch.zeros(0, 3, 1, 1, dtype=torch.uint8) for name in ("frames", "style_frames", "crops")
    }
    return Item(
        number=number, rows=rows, style=style, program_number=int(program_number), program="", facts="",
        crop_places=torch.zeros(0, 5, dtype=torch.int64), latents=latents, **nothing,
    )  # fmt: skip
