"""Tables of colours (LUTs) in ``.cube`` files, read as data that nobody vouches for."""

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from synesthete.errors import ConfigError

__all__ = ["Cube", "read_cube"]

_MOST_BYTES: Final = 16_000_000
_MOST_SIDE: Final = {1: 65_536, 3: 65}
_MOST_LINE: Final = 1_000
_MOST_VALUE: Final = 100.0
_RANGES: Final = ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE")


@dataclass(frozen=True)
class Cube:
    """A table of colours.

    Attributes
    ----------
    dimensions
        1 (a curve for each colour) or 3 (a colour for each colour).
    side
        Entries along each dimension.
    table
        Float32; of a 3D table red moves fastest, as in the file.
    low, high
        What the first and the last entry stand for, per colour.
    sha256
        Of the file's content.
    """

    dimensions: int
    side: int
    table: Float[np.ndarray, "entries 3"]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    sha256: str


def read_cube(path: Path) -> Cube:
    """Read a ``.cube`` file: 1D to 65,536 entries, 3D to 65 a side, at most 16 MB.

    Raises
    ------
    ConfigError
        If it can't be read, or is no such table; the message names the line.

    References
    ----------
    Adobe, "Cube LUT Specification 1.0", 2013. DaVinci Resolve's ``LUT_3D_INPUT_RANGE`` is read too; its files
    that hold a 1D and a 3D table at once are refused.
    """
    data = _content(path)
    try:
        text = data.decode("utf-8-sig")
        if "\0" in text:
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "zero byte")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no text, and so no .cube table; name another file") from None
    head = _Head(path)
    lines = text.splitlines()
    rows: list[str] = []
    for number, line in enumerate(lines, start=1):
        if len(line) > _MOST_LINE:
            raise _wrong(path, number, f"has over {_MOST_LINE} characters")
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not (words[0][0].isalpha() and words[0].lower() not in ("nan", "inf", "infinity")):
            if len(words) != 3:
                raise _wrong(path, number, f"has {len(words)} values; a colour has 3")
            head.number_of.append(number)
            rows.append(line)
        elif rows:
            raise _wrong(path, number, f"has {words[0][:30]!r} among the colours; it belongs before them")
        else:
            head.take(words, number)
    return head.cube(rows, hashlib.sha256(data).hexdigest())


class _Head:
    """What the lines before the colours say."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sides: dict[int, int] = {}
        self._low, self._high = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        self.number_of: list[int] = []

    def take(self, words: Sequence[str], number: int) -> None:
        name, values = words[0].upper(), words[1:]
        if name in ("LUT_1D_SIZE", "LUT_3D_SIZE"):
            self._take_side(int(name[4]), values, number)
        elif name == "DOMAIN_MIN":
            self._low = self._three(values, number)
        elif name == "DOMAIN_MAX":
            self._high = self._three(values, number)
        elif name in _RANGES:
            if len(values) != 2:
                raise _wrong(self._path, number, f"has {len(values)} values; {name} has 2")
            low, high = self._numbers(values, number)
            self._low, self._high = (low, low, low), (high, high, high)
        elif name != "TITLE" and not name.startswith("LUT_"):
            raise _wrong(self._path, number, f"has the unknown word {words[0][:30]!r}")

    def _take_side(self, dimensions: int, values: Sequence[str], number: int) -> None:
        most = _MOST_SIDE[dimensions]
        side = int(values[0]) if len(values) == 1 and values[0].isascii() and values[0].isdigit() else 0
        if not 2 <= side <= most:
            shown = " ".join(values)[:20]
            raise _wrong(self._path, number, f"has the size {shown!r}; {dimensions}D tables have 2 to {most}")
        if self._sides:
            raise _wrong(self._path, number, "has a second size; a table is either 1D or 3D")
        self._sides[dimensions] = side

    def _three(self, values: Sequence[str], number: int) -> tuple[float, float, float]:
        if len(values) != 3:
            raise _wrong(self._path, number, f"has {len(values)} values; a domain has 3")
        red, green, blue = self._numbers(values, number)
        return red, green, blue

    def _numbers(self, values: Sequence[str], number: int) -> list[float]:
        try:
            numbers = [float(value) for value in values]
        except ValueError:
            raise _wrong(self._path, number, f"has {' '.join(values)[:40]!r}, which are no numbers") from None
        if not all(abs(value) <= _MOST_VALUE for value in numbers):
            raise _wrong(self._path, number, f"has a value that is not within ±{_MOST_VALUE:g}")
        return numbers

    def cube(self, rows: Sequence[str], sha256: str) -> Cube:
        """Make the table of the colours that were found."""
        if not self._sides:
            raise ConfigError(f"{self._path} has no LUT_1D_SIZE or LUT_3D_SIZE and is no .cube table")
        ((dimensions, side),) = self._sides.items()
        expected = side**dimensions
        if len(rows) != expected:
            raise ConfigError(
                f"{self._path} has {len(rows)} colours; a {dimensions}D table of size {side} has {expected}"
            )
        if not all(low < high for low, high in zip(self._low, self._high, strict=True)):
            raise ConfigError(f"{self._path}: DOMAIN_MAX must be above DOMAIN_MIN")
        try:
            table = np.array(" ".join(rows).split(), dtype=np.float64).reshape(expected, 3)
            good = bool((np.abs(table) <= _MOST_VALUE).all())
        except ValueError:
            good = False
        if not good:
            for row, number in zip(rows, self.number_of, strict=True):
                self._numbers(row.split(), number)  # says which
        return Cube(dimensions, side, table.astype(np.float32), self._low, self._high, sha256)


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path} is no regular file; name a .cube file")  # a pipe would keep us waiting
        if status.st_size > _MOST_BYTES:
            raise ConfigError(
                f"{path} has {status.st_size} bytes; a .cube file has at most {_MOST_BYTES}: resample it "
                "to 65 a side or less"
            )
        with path.open("rb") as handle:
            return handle.read(_MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read {path} ({error.strerror or error}); check the name") from None


def _wrong(path: Path, number: int, what: str) -> ConfigError:
    return ConfigError(f"{path}, line {number}: {what}; correct the file")
