"""What the section of a learned generator names: found below a preset, copied beside another."""

from pathlib import Path
from typing import TypeVar

from synesthete.config.dream import DiffusionLook
from synesthete.config.gan_look import GanLook
from synesthete.config.weights import Brought, copied, copied_folder, found, found_folder

__all__ = ["copies_beside", "found_files", "with_copies"]

AnyLook = TypeVar("AnyLook", DiffusionLook, GanLook)
"""A look whose ``files`` says which fields name files, and what copies of them are called: what comes between
the preset's name and their ending."""


def found_files(look: AnyLook, folder: Path, *, where: str) -> AnyLook:
    """Find what a look names, below its preset's folder; see `synesthete.config.weights.found`."""
    changes: dict[str, Brought] = {
        field: found(brought, folder, where=f"{where}.{field}")
        for field in look.files
        if (brought := getattr(look, field)) is not None
    }
    if isinstance(look, DiffusionLook) and look.embedding_dir is not None:
        changes["embedding_dir"] = found_folder(look.embedding_dir, folder, where=f"{where}.embedding_dir")
    return look.model_copy(update=changes)


def copies_beside(look: DiffusionLook | GanLook, preset_file: Path) -> dict[str, Path]:
    """Say where copies of the files that a look names lie beside a preset's file, by field."""
    named = {field: getattr(look, field) for field in look.files}
    return {
        field: preset_file.with_suffix(look.files[field] + Path(brought.file).suffix)
        for field, brought in named.items()
        if brought is not None
    }


def with_copies(look: AnyLook, preset_file: Path) -> AnyLook:
    """Copy what a look names beside a preset's file; see `synesthete.config.weights.copied`.

    A network's folder is shared with other presets there, so that `copies_beside` leaves it out.
    """
    copies = copies_beside(look, preset_file)
    changes: dict[str, Brought] = {name: copied(getattr(look, name), path) for name, path in copies.items()}
    if isinstance(look, DiffusionLook) and look.embedding_dir is not None:
        changes["embedding_dir"] = copied_folder(look.embedding_dir, preset_file.parent)
    return look.model_copy(update=changes)
