"""Write items to tar files in the layout of WebDataset, and read them again by number.

::

    FOLDER/
      dataset.json          the configuration, how many items, which shard holds which; written first
      shard-00000.tar       000000000.frames.webp  000000000.rows.npy  …  000000000.item.json  000000001.…

Pictures are lossless WebP, all frames of an item below each other: measured on clips of random programs it is
half of the raw size, 1.0 ms a frame to write and 0.5 ms to read; PNG takes 0.55, 1.7 and 0.65, FFV1 0.46, 1.6
and 1.6.
"""

import importlib.util
import io
import json
import math
import tarfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from synesthete import __version__
from synesthete.audio.embeddings import Embedder
from synesthete.config.base import build
from synesthete.config.data import DataConfig
from synesthete.errors import ConfigError, InputError, OutputError
from synesthete.files import digest_json, locked, make_folder, sweep_parts, whole_file, write_json
from synesthete.training.dataset import LiveItems
from synesthete.training.items import Item
from synesthete.training.music import Music
from synesthete.training.processes import each

__all__ = ["Shards", "export_shards", "open_shards"]

MANIFEST: Final = "dataset.json"
_VERSION: Final = 1
_MOST_ITEMS: Final = 10**9
_WEBP_SIDE: Final = 16_383
_KNOWN_SHARDS: Final = 32
_DAMAGE: Final = (OSError, ValueError, KeyError, TypeError, EOFError, tarfile.TarError)


@dataclass(frozen=True)
class Shards:
    """Items in a folder of shards; it may be sent to another process.

    Attributes
    ----------
    folder
        Where they are.
    config
        What they were made from.
    count
        How many items there are; a number beyond them begins again at 0.
    starts
        Of each shard its first item, and last the count.
    """

    folder: Path
    config: DataConfig
    count: int
    starts: tuple[int, ...]
    _places: "OrderedDict[int, _Places]" = field(default_factory=OrderedDict, compare=False, repr=False)

    def read(self, indices: Sequence[int]) -> list[Item]:
        """Give items by number: the same tensors, to the bit, as making them would.

        It is what `synesthete.training.dataset.ClipLoader` reads from.

        Raises
        ------
        InputError
            If a shard is missing or damaged.
        """
        # Numbers go on, so that what is drawn by them, such as noise, is new in every round.
        return [self._item(index % self.count)._replace(number=index) for index in indices]

    def _item(self, index: int) -> Item:
        number = int(np.searchsorted(self.starts, index, side="right")) - 1
        path = self.folder / _name(number)
        try:
            if number not in self._places:
                self._places[number] = _places(path)
            self._places.move_to_end(number)
            if len(self._places) > _KNOWN_SHARDS:
                self._places.popitem(last=False)
            return _decoded(_parts(path, self._places[number][_key(index)]))
        except _DAMAGE as error:
            raise InputError(
                f"{path} is missing or damaged; remove it and repeat synesthete dataset export"
            ) from error


_Places = dict[str, dict[str, tuple[int, int]]]


def _places(path: Path) -> _Places:
    """Find where in a tar file the parts of each item lie: first byte and length."""
    places: _Places = {}
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            key, _, part = member.name.partition(".")
            places.setdefault(key, {})[part] = (member.offset_data, member.size)
    return places


def _parts(path: Path, places: Mapping[str, tuple[int, int]]) -> dict[str, bytes]:
    found = {}
    with path.open("rb") as handle:
        for part, (start, size) in places.items():
            handle.seek(start)
            found[part] = handle.read(size)
            if len(found[part]) < size:
                raise EOFError(part)
    return found


def export_shards(
    config: DataConfig,
    folder: Path,
    *,
    items: int,
    shards: int,
    music: Music | None = None,
    workers: int = 1,
    on_shard: Callable[[int, int], None] = lambda done, of: None,
    embedder: Embedder | None = None,
) -> Shards:
    """Write the first items of a dataset into shards; repeating the call writes those that are missing.

    The same arguments give the same bytes.

    Parameters
    ----------
    folder
        Where the shards go; it holds nothing else.
    items
        How many, from number 0 on: whole batches.
    shards
        Into how many files; at most one for each batch.
    music
        The opened folder of recorded music, if some is mixed in.
    workers
        Processes that write shards at the same time.
    on_shard
        Is told how many shards are there, and of how many.
    embedder
        The opened network of ``config.embedding``, if there is one.

    Raises
    ------
    ConfigError
        If items aren't whole batches, or shards outnumber them.
    OutputError
        If the folder holds another dataset, or can't be written.
    BusyError
        If another process exports into the folder.
    """
    size = config.batch_size
    if not 0 < items <= _MOST_ITEMS or items % size:
        near = min(max(1, round(items / size)), _MOST_ITEMS // size) * size
        raise ConfigError(
            f"--items {items} is not a whole number of batches of {size}; pass for instance {near}"
        )
    batches = items // size
    if not 1 <= shards <= batches:
        raise ConfigError(f"--shards {shards} is outside 1 to {batches}, the number of batches; pass fewer")
    starts = tuple(size * (batches * number // shards) for number in range(shards + 1))
    if importlib.util.find_spec("webdataset") is None:
        raise ConfigError("dataset export needs WebDataset; pip install 'synesthete[train]'")
    manifest = {
        "kind": "synesthete dataset",
        "version": _VERSION,
        "synesthete": __version__,
        "items": items,
        "starts": list(starts),
        "music": None if music is None else music.digest,
        "embedding_model": None if embedder is None else embedder.digest,
        "config": config.model_dump(mode="json"),
    }
    make_folder(folder)
    with locked(folder, doing="exports into"):
        _claim(folder, manifest)
        sweep_parts(folder)
        missing = [number for number in range(shards) if not (folder / _name(number)).is_file()]
        jobs = [
            (folder / _name(number), config, music, embedder, range(starts[number], starts[number + 1]))
            for number in missing
        ]
        done = shards - len(missing)
        on_shard(done, shards)
        for _ in each(_write_shard, jobs, workers):
            done += 1
            on_shard(done, shards)
    return open_shards(folder)


def open_shards(folder: Path) -> Shards:
    """Open what `export_shards` wrote.

    Raises
    ------
    InputError
        If it is no such folder, or shards are missing.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["kind"] != "synesthete dataset" or manifest["version"] != _VERSION:
            raise ValueError
        values, starts = dict(manifest["config"]), tuple(int(start) for start in manifest["starts"])
        count = int(manifest["items"])
    except _DAMAGE:
        raise InputError(
            f"{folder} holds no dataset of this version; name a folder that synesthete dataset export wrote"
        ) from None
    config = build(DataConfig, values, where=f"{folder / MANIFEST}")
    missing = sum(not (folder / _name(number)).is_file() for number in range(len(starts) - 1))
    if missing:
        raise InputError(
            f"{missing} of {len(starts) - 1} shards are missing in {folder}; "
            "repeat synesthete dataset export, which goes on where it stopped"
        )
    return Shards(folder, config, count, starts)


def _claim(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest, or see that the folder has the same one."""
    path = folder / MANIFEST
    if path.is_file():
        try:
            known = json.loads(path.read_text())
            same = _identity(known) == _identity(manifest)
        except _DAMAGE:
            same = False
        if not same:
            raise OutputError(f"{folder} holds another dataset; name another folder, or remove that one")
        return
    if any(folder.glob("shard-*.tar")):
        raise OutputError(f"{folder} holds shards of unknown origin; name another folder, or remove them")
    write_json(path, manifest)


def _identity(manifest: Mapping[str, Any]) -> str:
    """Digest what shards are made from; recorded music and networks count by content, not by place."""
    places = ("music_dir", "embedding_dir")
    config = {name: value for name, value in manifest["config"].items() if name not in places}
    return digest_json({**manifest, "config": config})


def _write_shard(job: tuple[Path, DataConfig, Music | None, Embedder | None, range]) -> None:
    """Write one shard, whole."""
    from webdataset import TarWriter

    torch.set_num_threads(1)
    path, config, music, embedder, indices = job
    read = LiveItems(config, music, embedder=embedder)
    with whole_file(path) as part, part.open("wb") as handle:
        writer = TarWriter(handle, encoder=False, mtime=0, user="synesthete", group="synesthete")
        for start in range(indices.start, indices.stop, config.batch_size):
            for item in read(range(start, start + config.batch_size)):
                writer.write({"__key__": _key(item.number), **_encoded(item)})
        writer.close()


# One item as files, and back -------------------------------------------------------------------------------


def _encoded(item: Item) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    shapes: dict[str, list[int]] = {}
    values: dict[str, Any] = {}
    for name, value in item._asdict().items():
        if name == "latents":
            continue  # exported items have pictures
        if not isinstance(value, Tensor):
            values[name] = value
        elif value.dtype == torch.uint8 and value.numel():
            shapes[name] = list(value.shape)
            parts[f"{name}.webp"] = _webp(value.numpy())
        else:
            handle = io.BytesIO()
            np.lib.format.write_array(handle, value.contiguous().numpy(), allow_pickle=False)
            parts[f"{name}.npy"] = handle.getvalue()
    text = json.dumps({"shapes": shapes, "values": values}, allow_nan=False, sort_keys=True)
    parts["item.json"] = text.encode()
    return dict(sorted(parts.items()))


def _decoded(parts: Mapping[str, bytes]) -> Item:
    about = json.loads(parts["item.json"])
    fields: dict[str, Any] = dict(about["values"])
    for part, data in parts.items():
        name, _, kind = part.rpartition(".")
        if kind == "webp":
            fields[name] = torch.from_numpy(_pictures(data, about["shapes"][name]))
        elif kind == "npy":
            array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
            fields[name] = torch.from_numpy(array)
    return Item(**fields)


def _webp(frames: UInt8[np.ndarray, "frames 3 height width"]) -> bytes:
    """Lay frames out below each other, in as few columns as the format's longest side asks for."""
    count, channels, height, width = frames.shape
    columns = math.ceil(count * height / _WEBP_SIDE)
    rows = math.ceil(count / columns)
    sheet = np.zeros((columns * rows, height, width, channels), np.uint8)
    sheet[:count] = frames.transpose(0, 2, 3, 1)
    sheet = sheet.reshape(columns, rows * height, width, channels).transpose(1, 0, 2, 3)
    handle = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(sheet.reshape(rows * height, columns * width, channels)))
    picture.save(handle, "WEBP", lossless=True, quality=0, method=0, exact=True)
    return handle.getvalue()


def _pictures(data: bytes, shape: Sequence[int]) -> UInt8[np.ndarray, "frames 3 height width"]:
    count, channels, height, width = shape
    with Image.open(io.BytesIO(data), formats=["WEBP"]) as picture:
        sheet = np.asarray(picture.convert("RGB"))
    columns = sheet.shape[1] // width
    frames = sheet.reshape(-1, columns, width, channels).transpose(1, 0, 2, 3)
    return np.ascontiguousarray(frames.reshape(-1, height, width, channels)[:count].transpose(0, 3, 1, 2))


def _name(number: int) -> str:
    return f"shard-{number:05d}.tar"


def _key(index: int) -> str:
    return f"{index:09d}"
