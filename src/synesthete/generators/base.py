"""The protocol of every generator: score, then frames; and the Trajectory between them.

The cut between the two is what gives random access, exact resume, previews that match the film, and
rendering on many machines, for every generator alike.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.errors import RenderError
from synesthete.files import digest_json, make_folder, whole_file, write_json
from synesthete.generators.control import Signals

__all__ = ["FakeGenerator", "Generator", "Painter", "Size", "Trajectory", "pixel_grid"]

_ROWS = "rows"
_ROWS_PER_CHUNK = 4096


@dataclass(frozen=True)
class Size:
    """A picture's size in pixels."""

    width: int
    height: int

    @property
    def short(self) -> int:
        """Give the short side, which spans [-1, 1] in normalised coordinates."""
        return min(self.width, self.height)

    @property
    def pixel(self) -> float:
        """Give the size of one pixel in normalised coordinates."""
        return 2.0 / self.short

    def __str__(self) -> str:
        """Write it as WIDTHxHEIGHT."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Trajectory:
    """What a generator needs per frame, as a table, and what it needs once.

    Attributes
    ----------
    rows
        ``(frames, columns)``, float32; memory-mapped when it was loaded.
    columns
        The columns' names.
    fixed
        JSON values that hold for the whole scene.
    tables
        Further arrays by name, with a length of their own.
    """

    rows: Float[np.ndarray, "frames columns"]
    columns: tuple[str, ...]
    fixed: Mapping[str, Any]
    tables: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape[1] != len(self.columns):
            raise ValueError(f"rows of shape {self.rows.shape} do not fit {len(self.columns)} columns")

    @property
    def frames(self) -> int:
        """Count the frames."""
        return len(self.rows)

    def row(self, frame: int) -> dict[str, float]:
        """Give one frame's values by name."""
        return dict(zip(self.columns, self.rows[frame].tolist(), strict=True))

    def save(self, folder: Path) -> None:
        """Write the Trajectory below a folder; ``trajectory.json`` comes last and makes it valid."""
        make_folder(folder)
        for name, array in {_ROWS: self.rows, **self.tables}.items():
            dtype = np.lib.format.dtype_to_descr(_stored(array))
            head = {"descr": dtype, "fortran_order": False, "shape": array.shape}
            with whole_file(folder / f"{name}.npy") as part, part.open("wb") as handle:
                np.lib.format.write_array_header_2_0(handle, head)
                for chunk in _chunks(array):
                    handle.write(chunk)
        names = {"columns": list(self.columns), "fixed": dict(self.fixed), "tables": sorted(self.tables)}
        write_json(folder / "trajectory.json", names)

    @classmethod
    def load(cls, folder: Path) -> "Trajectory":
        """Open what `save` wrote; the rows stay on disk.

        Raises
        ------
        RenderError
            If it is not there or damaged.
        """
        try:
            head = json.loads((folder / "trajectory.json").read_text())
            rows, *tables = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in (_ROWS, *head["tables"])
            )
            named = dict(zip(head["tables"], tables, strict=True))
            return cls(rows, tuple(head["columns"]), head["fixed"], named)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise RenderError(
                f"the trajectory in {folder} can't be read ({error}); render with --force"
            ) from None

    def digest(self) -> str:
        """SHA-256 over names, fixed values and all rows and tables."""
        digests = []
        for name, array in {_ROWS: self.rows, **dict(sorted(self.tables.items()))}.items():
            content = hashlib.sha256()
            for chunk in _chunks(array):
                content.update(chunk)
            digests.append([name, list(array.shape), str(_stored(array)), content.hexdigest()])
        head = {"columns": list(self.columns), "fixed": dict(self.fixed)}
        return digest_json([head, digests])


def _stored(array: np.ndarray[Any, Any]) -> np.dtype[Any]:
    """Give the type that an array is stored in: integers as they are, else float32."""
    return array.dtype if array.dtype.kind in "iu" else np.dtype("<f4")


def _chunks(array: np.ndarray[Any, Any]) -> Iterator[bytes]:
    for start in range(0, len(array), _ROWS_PER_CHUNK):
        yield array[start : start + _ROWS_PER_CHUNK].astype(_stored(array)).tobytes()


@runtime_checkable
class Painter(Protocol):
    """A way from a Trajectory to frames."""

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose and warm up the numeric path, and name it (``fused-float32-cpu``); part of Segment keys."""

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive), one after another: display RGB, 0-1, float32.

        A frame's memory may be used again for the next: clone what is kept.
        """


@runtime_checkable
class Generator(Painter, Protocol):
    """A way from signals to frames."""

    @property
    def name(self) -> str:
        """The generator's name in presets and on the command line."""

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Plan the whole scene: sequential, cheap, sees the whole track."""


def pixel_grid(
    size: Size, *, border: int = 0, device: torch.device | str = "cpu"
) -> tuple[Float[Tensor, "1 columns"], Float[Tensor, "rows 1"]]:
    """Give the normalised positions of pixel centres: short side = [-1, 1], y downward.

    Parameters
    ----------
    border
        Pixels to add outside the picture on each side.
    """
    columns = torch.arange(-border, size.width + border, dtype=torch.float64)
    rows = torch.arange(-border, size.height + border, dtype=torch.float64)
    x = (columns + 0.5 - size.width / 2) * size.pixel
    y = (rows + 0.5 - size.height / 2) * size.pixel
    return x.float()[None, :].to(device), y.float()[:, None].to(device)


class FakeGenerator:
    """A generator for tests: a disc whose brightness and size follow one signal, exactly known.

    Parameters
    ----------
    signal
        The signal that drives it.
    """

    name = "fake"

    def __init__(self, signal: str = "energy") -> None:
        self.signal = signal

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Keep the signal itself and the first style coordinate."""
        rows = np.stack([signals.curves[self.signal], style_curve[:, 0]], 1).astype(np.float32)
        return Trajectory(rows, ("level", "style"), {"seed": seed})

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Name the one numeric path there is."""
        return "eager-float32-cpu"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw a soft disc of radius 0.2 + 0.6 · level on black."""
        x, y = pixel_grid(size)
        radius = torch.sqrt(x * x + y * y)
        for frame in range(start, stop):
            level = trajectory.row(frame)["level"]
            disc = torch.clamp((0.2 + 0.6 * level - radius) / (2 * size.pixel) + 0.5, 0.0, 1.0)
            yield torch.stack([disc * (0.3 + 0.7 * level), disc * level, disc * 0.5])
