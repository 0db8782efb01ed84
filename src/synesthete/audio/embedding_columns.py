"""Embeddings as columns of what a model hears: their names, and the network that made them in training."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from synesthete.audio.embedding_models import Kind, check_network, digest_folder
from synesthete.audio.embeddings import Embedder
from synesthete.errors import ConfigError

__all__ = ["embedding_columns", "embedding_in", "recorded_embedder"]

_COLUMN: Final = re.compile(rf"({'|'.join(get_args(Kind))})_\d+")


def embedding_columns(kind: Kind, size: int) -> tuple[str, ...]:
    """Name the columns of an embedding of so many numbers.

    Examples
    --------
    >>> embedding_columns("clap", 2)
    ('clap_0', 'clap_1')
    """
    return tuple(f"{kind}_{number}" for number in range(size))


def embedding_in(columns: Sequence[str]) -> tuple[Kind, int] | None:
    """Say whose numbers stand behind the Timeline's columns, and how many; None if there are none.

    Examples
    --------
    >>> embedding_in(["loudness", "clap_0", "clap_1"])
    ('clap', 2)
    >>> embedding_in(["loudness"])
    """
    named = [name for name in columns if _COLUMN.fullmatch(name)]
    for kind in get_args(Kind):
        if named and tuple(columns[-len(named) :]) == embedding_columns(kind, len(named)):
            return kind, len(named)
    return None


def recorded_embedder(
    columns: Sequence[str], folder: Path | None, *, recorded: str | None, whose: str, where: str
) -> Embedder | None:
    """Give the network whose numbers a model hears, by the folder it lies in; nothing is loaded yet.

    Parameters
    ----------
    columns
        What the model hears.
    folder
        Where the network lies, if anybody said.
    recorded
        The digest of the network that the model was trained with, if its file says.
    whose
        Whose columns they are, plural, for messages.
    where
        By what the folder is given, for messages.

    Returns
    -------
    None for a model that hears the Timeline alone.

    Raises
    ------
    ConfigError
        If a folder is given to a model that needs none, or none to one that needs it; or it can't be used,
        or holds another network than the one of training.
    """
    asked = embedding_in(columns)
    if asked is None:
        if folder is not None:
            raise ConfigError(f"{whose} hear the Timeline alone; leave out {where}")
        return None
    kind, size = asked
    if folder is None:
        raise ConfigError(
            f"{whose} also hear numbers of a {kind} network; name the folder of the one that they were "
            f"trained with as {where}"
        )
    check_network(kind, folder)
    digest = digest_folder(folder)
    if digest != recorded:
        raise ConfigError(
            f"{where}: {folder} holds another {kind} network than the one that {whose} were trained with; "
            "name the folder of that one"
        )
    return Embedder(kind, folder, size, digest)
