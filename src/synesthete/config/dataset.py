"""The options of ``synesthete dataset``, and training data that is described in a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from synesthete.config.base import Frozen, build, parse_assignment, read_yaml, set_path
from synesthete.config.data import DataConfig
from synesthete.config.inside import place_inside
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError

__all__ = [
    "DatasetOptions",
    "ExportOptions",
    "PreviewOptions",
    "StatsOptions",
    "confine_folders",
    "load_data_config",
]

_FOLDERS = ("music_dir", "embedding_dir")


class DatasetOptions(Frozen):
    """What every command on training data takes."""

    config: Path | None = Field(
        default=None, description="The training data as YAML; see docs/data-engine.md."
    )
    set: tuple[str, ...] = Field(
        default=(), description="Change one field, such as seed=7 or augment.eq_db=3. Repeatable."
    )
    workspace: Path = Field(default=Path(), description=RenderOptions.model_fields["workspace"].description)


class PreviewOptions(DatasetOptions):
    """What ``synesthete dataset preview`` takes."""

    count: int = Field(default=8, ge=1, le=64, description="How many clips, each of another song.")


class ExportOptions(DatasetOptions):
    """What ``synesthete dataset export`` takes."""

    items: int = Field(ge=1, le=10**9, description="How many items: a multiple of batch_size.")
    shards: int = Field(ge=1, le=100_000, description="Into how many tar files.")
    workers: int = Field(default=1, ge=1, le=256, description="Processes that write shards at the same time.")


class StatsOptions(DatasetOptions):
    """What ``synesthete dataset stats`` takes."""

    items: int = Field(default=128, ge=1, le=1_000_000, description="How many items to measure.")
    shards: Path | None = Field(default=None, description="Measure items of this exported dataset instead.")
    music: Path | None = Field(
        default=None, description="Folder of music to compare the columns of the Timeline with."
    )


def load_data_config(path: Path | None, assignments: Sequence[str] = ()) -> DataConfig:
    """Read the description of training data.

    Parameters
    ----------
    path
        A YAML file with fields of `DataConfig`; None for the defaults. Folders that it names lie below its
        own.
    assignments
        Changes, ``field=value``; these may name any folder.

    Raises
    ------
    ConfigError
        If the file can't be read, or a field is wrong.
    """
    values = {} if path is None else confine_folders(read_yaml(path), path)
    for assignment in assignments:
        place, value = parse_assignment(assignment)
        values = set_path(values, place, value)
    return build(DataConfig, values, where="options" if path is None else str(path))


def confine_folders(values: Mapping[str, Any], path: Path, *, within: str = "") -> dict[str, Any]:
    """Give what a file says on training data; folders that it names lie below the file's own.

    Parameters
    ----------
    within
        What stands before the fields' names, such as ``data.``, for messages.

    Raises
    ------
    ConfigError
        If one doesn't.
    """
    confined = dict(values)
    for field in _FOLDERS:
        name = values.get(field)
        if name is None:
            continue
        if not isinstance(name, str):
            raise ConfigError(f"{path}: {within}{field} must be the name of a folder")
        confined[field] = place_inside(path.parent, name, where=f"{path}: {within}{field}")
    return confined
