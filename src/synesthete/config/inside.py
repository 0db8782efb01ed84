"""Paths that a file names are data: they lead to places below the file's own folder, and nowhere else."""

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from synesthete.errors import ConfigError

__all__ = ["place_inside"]

_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?! )")  # "Re: Stacks.wav" is a name
_MOST_CHARACTERS = 1024


def place_inside(folder: Path, name: str, *, where: str) -> Path:
    """Resolve a path that a file in ``folder`` names.

    Parameters
    ----------
    where
        The field, for the message.

    Raises
    ------
    ConfigError
        If it is empty, absolute, has a protocol or ``..``, or leads out of the folder by a link.
    """
    shown = repr(name if len(name) <= 60 else f"{name[:57]}...")
    if not name.strip() or len(name) > _MOST_CHARACTERS or "\0" in name:
        raise ConfigError(f"{where} = {shown} is no path; give one below {folder}")
    if _PROTOCOL.match(name) or "|" in name[:1]:
        raise ConfigError(
            f"{where} = {shown}: protocols and drives are not allowed; name a file below {folder}"
        )
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute() or name[0] in "~\\":
        raise ConfigError(f"{where} = {shown} is absolute; name a file below {folder}, relative to it")
    if ".." in re.split(r"[/\\]", name):
        raise ConfigError(f"{where} = {shown}: '..' is not allowed; name a file below {folder}")
    path = folder / name
    try:
        real = path.resolve()
        inside = real.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long
        raise ConfigError(f"{where} = {shown} can't be followed; name a file below {folder}") from None
    if not inside:
        raise ConfigError(f"{where} = {shown} is a link that leads out of {folder}; copy the file there")
    return path
