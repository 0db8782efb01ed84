"""Watch frames go by and keep what every probe needs: a small colour picture of each, and how much moved.

What is kept of a stretch stands beside its Segment, so that a resumed film is not decoded a second time.
All of it is measured on reduced pictures: a preview and the 4K film give the same numbers.
"""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from tokenize import TokenError
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8
from PIL import Image

from synesthete.clock import Clock
from synesthete.errors import RenderError
from synesthete.evaluation.look import LOOK_COLUMNS, bt709_rgb, measure_look
from synesthete.files import let_pages_go, whole_file, writing_to
from synesthete.generators.base import Size

__all__ = [
    "MOTION_SHORT",
    "Observation",
    "Observer",
    "Stretch",
    "grid_shape",
    "join_stretches",
    "observe",
    "stretches_of",
]

MOTION_SHORT: Final = 180
"""Short side of the luma picture on which motion is measured, pixels."""

_GRID_CELLS: Final = 64 * 36
_LOOK_SECONDS: Final = 1
_STRETCH_FRAMES: Final = 128
_LUMA_RANGE: Final = 219.0
# What NumPy and zipfile raise on damaged archives; fuzzed.
_DAMAGE: Final = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """What was seen of a run of frames.

    Attributes
    ----------
    start
        Its first frame.
    grid
        Display RGB of each frame, averaged over about 2,300 square cells.
    motion
        Mean absolute difference of luma to the frame before, 0-1, at a short side of `MOTION_SHORT`; NaN for
        the stretch's first frame.
    first, last
        The reduced luma of its first and last frame, to measure motion across its borders.
    look_frames, looks
        Frames, about one a second, of which more was measured, and what: `LOOK_COLUMNS`.
    """

    start: int
    grid: UInt8[np.ndarray, "frames rows columns 3"]
    motion: Float32[np.ndarray, " frames"]
    first: UInt8[np.ndarray, "height width"]
    last: UInt8[np.ndarray, "height width"]
    look_frames: Int64[np.ndarray, " samples"]
    looks: Float32[np.ndarray, "samples looks"]

    def covers(self, start: int, stop: int, size: Size) -> bool:
        """Say whether it is of just these frames, of films of this size."""
        shape = (stop - start, *grid_shape(size), 3)
        return self.start == start and self.grid.shape == shape and self.motion.shape == shape[:1]

    def save(self, path: Path) -> None:
        """Write the stretch, whole."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        with whole_file(path) as part, part.open("wb") as handle:
            np.savez_compressed(handle, **values)

    @classmethod
    def load(cls, path: Path) -> "Stretch":
        """Read what `save` wrote.

        Raises
        ------
        RenderError
            If it is missing or damaged.
        """
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as values:
                arrays = {name: values[name] for name in cls.__dataclass_fields__}
            return cls(**{**arrays, "start": int(arrays["start"])})
        except _DAMAGE as error:
            raise RenderError(f"{path} is missing or damaged ({error}); repeat the command") from error


@dataclass(frozen=True, eq=False)
class Observation:
    """What was seen of a whole film.

    Attributes
    ----------
    size, frame_rate
        Of the film.
    grid, motion, look_frames, looks
        As in `Stretch`, for all frames; ``motion[0]`` is 0. The grid may be memory-mapped: an hour has
        0.7 GB of it, so take it in blocks (`blocks`).
    music_start_s
        Moment of the music at which the first frame is shown, seconds.
    """

    size: Size
    frame_rate: Fraction
    grid: UInt8[np.ndarray, "frames rows columns 3"]
    motion: Float32[np.ndarray, " frames"]
    look_frames: Int64[np.ndarray, " samples"]
    looks: Float32[np.ndarray, "samples looks"]

    music_start_s: float = 0.0

    @property
    def frames(self) -> int:
        """Count the frames."""
        return len(self.motion)

    @property
    def duration_s(self) -> float:
        """Length, seconds."""
        return float(self.frames / self.frame_rate)

    def moments_s(self) -> Float64[np.ndarray, " frames"]:
        """Give the moment of the music that each frame shows, seconds."""
        moments: Float64[np.ndarray, " frames"] = Clock(self.frame_rate).moments(0, self.frames)
        return moments + self.music_start_s

    def until(self, frames: int) -> "Observation":
        """Give what was seen of the first so many frames."""
        looked = self.look_frames < frames
        return replace(
            self,
            grid=self.grid[:frames],
            motion=self.motion[:frames],
            look_frames=self.look_frames[looked],
            looks=self.looks[looked],
        )

    def look(self, name: str) -> Float32[np.ndarray, " samples"]:
        """Give one of `LOOK_COLUMNS` at the sampled frames."""
        return np.asarray(self.looks[:, LOOK_COLUMNS.index(name)])

    def blocks(
        self, *, frames: int = 512
    ) -> Iterator[tuple[int, Float32[np.ndarray, "block rows columns 3"]]]:
        """Give the grid block by block, as display RGB 0-1, with the frame at which each begins."""
        for start in range(0, self.frames, frames):
            yield start, np.asarray(self.grid[start : start + frames], np.float32) / 255
            let_pages_go(self.grid)


def grid_shape(size: Size) -> tuple[int, int]:
    """Give rows and columns of a picture's grid: cells as square as can be, about 2,300 of them.

    Examples
    --------
    >>> grid_shape(Size(1920, 1080))
    (36, 64)
    """
    rows = round((_GRID_CELLS * size.height / size.width) ** 0.5)
    return max(2, rows), max(2, round(_GRID_CELLS / max(1, rows)))


@dataclass
class Observer:
    """Watches a run of frames.

    Parameters
    ----------
    size, frame_rate
        Of the film.
    start
        The first frame of the run.
    """

    size: Size
    frame_rate: Fraction
    start: int = 0
    _grid: list[np.ndarray] = field(default_factory=list, init=False)
    _motion: list[float] = field(default_factory=list, init=False)
    _first: np.ndarray | None = field(default=None, init=False)
    _last: np.ndarray | None = field(default=None, init=False)
    _look_frames: list[int] = field(default_factory=list, init=False)
    _looks: list[np.ndarray] = field(default_factory=list, init=False)

    @property
    def frames(self) -> int:
        """Count the frames seen so far."""
        return len(self._motion)

    def see(self, planes: UInt8[np.ndarray, "rows width"]) -> None:
        """Take the next frame: planar 4:2:0, BT.709 limited range, as rows of ``width``."""
        height, width = self.size.height, self.size.width
        luma = planes[:height]
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        small = _reduced(luma, self.size.short // MOTION_SHORT)
        self._grid.append(self._cells(small, chroma))
        if self._last is None:
            self._first = small
            self._motion.append(np.nan)
        else:
            self._motion.append(_difference(small, self._last))
        self._last = small
        frame = self.start + self.frames - 1
        if frame % round(_LOOK_SECONDS * self.frame_rate) == 0:
            self._look_frames.append(frame)
            self._looks.append(measure_look(planes, self.size))

    def stretch(self) -> Stretch:
        """Give what was seen so far; at least one frame was."""
        assert self._first is not None
        assert self._last is not None
        return Stretch(
            start=self.start,
            grid=np.stack(self._grid),
            motion=np.array(self._motion, np.float32),
            first=self._first,
            last=self._last,
            look_frames=np.array(self._look_frames, np.int64),
            looks=np.array(self._looks, np.float32).reshape(-1, len(LOOK_COLUMNS)),
        )

    def _cells(self, luma: np.ndarray, chroma: np.ndarray) -> np.ndarray:
        rows, columns = grid_shape(self.size)
        factor = max(1, min(chroma.shape[1] // rows, chroma.shape[2] // columns))
        planes = [luma, *(_reduced(plane, factor) for plane in chroma)]
        boxes = [Image.fromarray(p).resize((columns, rows), Image.Resampling.BOX) for p in planes]
        rgb = bt709_rgb(*(np.asarray(box) for box in boxes))
        return (rgb * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def join_stretches(
    stretches: Iterable[Stretch], *, size: Size, frame_rate: Fraction, scratch: Path | None = None
) -> Observation:
    """Join stretches that follow one another into the Observation of a film.

    Parameters
    ----------
    scratch
        A file to hold the grid while it is looked at; in memory by default.

    Raises
    ------
    RenderError
        If the stretches don't follow one another, or the scratch file can't be written.
    """
    shape = grid_shape(size)
    motion: list[np.ndarray] = []
    look_frames: list[np.ndarray] = []
    looks: list[np.ndarray] = []
    seen, last = 0, None
    with _GridFile(scratch) if scratch else _GridMemory() as grid:
        for stretch in stretches:
            if stretch.start != seen or stretch.grid.shape[1:3] != shape:
                raise RenderError(f"what was seen of the film does not fit at frame {seen}; use --force")
            grid.append(stretch.grid)
            moved = stretch.motion.copy()
            moved[0] = 0.0 if last is None else _difference(stretch.first, last)
            motion.append(moved)
            look_frames.append(stretch.look_frames)
            looks.append(stretch.looks)
            seen, last = seen + len(moved), stretch.last
    if not motion:
        raise RenderError("no frame of the film was seen; use --force")
    return Observation(
        size=size,
        frame_rate=frame_rate,
        grid=grid.whole((seen, *shape, 3)),
        motion=np.concatenate(motion),
        look_frames=np.concatenate(look_frames),
        looks=np.concatenate(looks),
    )


def observe(
    frames: Iterable[UInt8[np.ndarray, "rows width"]], *, size: Size, frame_rate: Fraction
) -> Observation:
    """Watch a film that is at hand frame by frame."""
    return join_stretches(
        stretches_of(frames, size=size, frame_rate=frame_rate), size=size, frame_rate=frame_rate
    )


def stretches_of(
    frames: Iterable[UInt8[np.ndarray, "rows width"]], *, size: Size, frame_rate: Fraction, start: int = 0
) -> Iterator[Stretch]:
    """Watch frames go by, and give what was seen of them stretch by stretch.

    Parameters
    ----------
    start
        Number of the first frame.
    """
    observer = Observer(size, frame_rate, start)
    for planes in frames:
        if observer.frames == _STRETCH_FRAMES:
            yield observer.stretch()
            observer = Observer(size, frame_rate, observer.start + _STRETCH_FRAMES)
            # What moved across the border is found from the stretches' first and last pictures.
        observer.see(planes)
    if observer.frames:
        yield observer.stretch()


class _GridMemory:
    """Collects grids in memory."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []

    def __enter__(self) -> "_GridMemory":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def append(self, grid: np.ndarray) -> None:
        self._parts.append(grid)

    def whole(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.concatenate(self._parts).reshape(shape)


class _GridFile:
    """Collects grids in a file, that is mapped into memory afterwards."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing_to(path):
            self._handle = path.open("wb")

    def __enter__(self) -> "_GridFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    def append(self, grid: np.ndarray) -> None:
        with writing_to(self._path):
            self._handle.write(grid.tobytes())

    def whole(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.memmap(self._path, np.uint8, mode="r", shape=shape)


def _reduced(plane: np.ndarray, factor: int) -> np.ndarray:
    """Average a plane over squares; Pillow does it faster than NumPy by ten."""
    return plane if factor < 2 else np.asarray(Image.fromarray(plane).reduce(factor))


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference of two luma pictures, 0-1; unsigned bytes can't go below 0."""
    gap = np.maximum(a, b) - np.minimum(a, b)
    return float(gap.mean(dtype=np.float64) / _LUMA_RANGE)
