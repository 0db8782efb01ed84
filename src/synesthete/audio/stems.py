"""Stems: drums, bass, vocals and the rest of a song as files of their own, and the columns they give."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from synesthete.audio.columns import COLUMNS, ColumnSpec
from synesthete.errors import InputError

__all__ = ["STEM_COLUMNS", "STEM_NAMES", "find_stems", "stem_specs"]

STEM_NAMES: Final = ("drums", "bass", "vocals", "other")
"""What stems may be called, in the order of their columns; the names that separators such as Demucs write."""

STEM_COLUMNS: Final = ("loudness", "peak", "onset", "bass", "mid", "treble", "centroid")
"""Columns measured in every stem; in the table, ``onset`` of the drums is ``drums.onset``."""

_ACCEPTED: Final = f"{', '.join(STEM_NAMES[:-1])} and {STEM_NAMES[-1]}, each with any sound format's ending"
_SHOWN_FILES: Final = 3
_SHOWN_CHARACTERS: Final = 60


def find_stems(folder: Path) -> dict[str, Path]:
    """Find the stems that lie directly in a folder, by the names of their files.

    Case and ending don't count: ``Drums.FLAC`` is the stem ``drums``. Folders and hidden files are passed
    over.

    Parameters
    ----------
    folder
        A local folder with at least one stem, and no other files.

    Returns
    -------
    The file of each stem that is there, in the order of `STEM_NAMES`.

    Raises
    ------
    InputError
        If the folder can't be read, holds no stem, two files for one stem, a file of another name, or a link
        or device where a stem should be.
    """
    found: dict[str, Path] = {}
    unknown: list[str] = []
    for path in _visible(folder):
        name = path.stem.casefold()
        if path.is_dir() and not path.is_symlink():
            continue
        if name not in STEM_NAMES:
            unknown.append(path.name)
        elif path.is_symlink() or not path.is_file():
            raise InputError(f"the stem {_shown(path.name)} is no regular file; copy the sound itself there")
        elif name in found:
            both = f"{_shown(found[name].name)} and {_shown(path.name)}"
            raise InputError(f"there are two stems {name}, {both}; remove one of them")
        else:
            found[name] = path
    if unknown:
        more = f" and {len(unknown) - _SHOWN_FILES} more" if len(unknown) > _SHOWN_FILES else ""
        names = ", ".join(_shown(name) for name in unknown[:_SHOWN_FILES])
        raise InputError(f"{names}{more} can't be a stem; stems are called {_ACCEPTED}")
    if not found:
        raise InputError(f"there are no stems in {folder}; they are called {_ACCEPTED}")
    return {name: found[name] for name in STEM_NAMES if name in found}


def stem_specs() -> tuple[ColumnSpec, ...]:
    """Document the columns of all stems, in the order of `STEM_NAMES` and `STEM_COLUMNS`.

    Examples
    --------
    >>> stem_specs()[2].name
    'drums.onset'
    """
    of_song = {spec.name: spec for spec in COLUMNS}
    return tuple(
        replace(of_song[column], name=f"{stem}.{column}", formula=f"`{column}` of the stem {stem} alone")
        for stem in STEM_NAMES
        for column in STEM_COLUMNS
    )


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no possible name"
        raise InputError(f"cannot read stems from {folder} ({reason}); pass --stems FOLDER") from error


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}...")
