"""What ships under a name, and what users write beside it: presets and moods."""

import re
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from synesthete.config.base import read_yaml
from synesthete.errors import ConfigError
from synesthete.files import slug

__all__ = ["NAME", "read_named", "shipped"]

NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
"""What a preset or a mood may be called."""

Kind = Literal["preset", "mood"]


def shipped(kind: Kind, *, first: str) -> list[str]:
    """Give the names of what ships of a kind, one of them before the others."""
    files = [entry.name for entry in (resources.files("synesthete") / f"{kind}s").iterdir()]
    names = [file.removesuffix(".yaml") for file in files if file.endswith(".yaml")]
    return sorted(names, key=lambda name: (name != first, name))


def read_named(kind: Kind, name: str, known: list[str]) -> tuple[dict[str, Any], Path]:
    """Read what ships under a name, or a user's file; it is called as its file unless it says otherwise.

    Returns
    -------
    Its values, and the folder that it lies in.

    Raises
    ------
    ConfigError
        If there is none, or the file can't be read.
    """
    if name in known:
        path = Path(str(resources.files("synesthete") / f"{kind}s" / f"{name}.yaml"))
    elif name.endswith((".yaml", ".yml")):
        path = Path(name)
    else:
        raise ConfigError(
            f"there is no {kind} {name[:60]!r}; choose one of {', '.join(known)}, or name a .yaml file"
        )
    values = read_yaml(path)
    values.setdefault("name", path.stem if re.fullmatch(NAME, path.stem) else slug(path.stem))
    return values, path.parent
