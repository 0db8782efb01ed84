"""``synesthete presets`` and ``synesthete clean``."""

import contextlib
import json
import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["clean", "presets"]

_RUN_ID = re.compile(r"[a-z0-9-]+-[0-9a-f]{10}")


def presets(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """List the presets that ship."""
    from synesthete.config.preset import load_preset, shipped_presets

    for name in shipped_presets():
        preset = load_preset(name)
        if as_json:
            shown = {"name": name, "generator": preset.generator, "world": preset.world}
            print(json.dumps({**shown, "summary": preset.summary}))
        else:
            typer.echo(f"{name:12} {preset.generator:8} {preset.world:24} {preset.summary}")


def clean(
    workspace: Annotated[Path, typer.Option(help="Where cache/ and renders/ live.")] = Path(),
    cache: Annotated[bool, typer.Option("--cache", help="Free the cache.")] = False,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Free unfinished runs.")] = False,
    renders: Annotated[bool, typer.Option("--renders", help="Free all runs, finished films too.")] = False,
) -> None:
    """Show what the workspace holds, and free what is named."""
    from synesthete.files import folder_size, format_bytes
    from synesthete.render.run import RunFolder

    parts = [("cache", path, cache) for path in _cached(workspace / "cache")]
    for path in _runs(workspace / "renders"):
        done = RunFolder(path).manifest.is_file()
        parts.append(("film" if done else "unfinished", path, renders or (unfinished and not done)))
    # The films of an album lie in its folder, and go before it.
    parts += [("album", path, renders) for path in _albums(workspace / "renders")]
    freed = 0
    for kind, path, wanted in parts:
        size = folder_size(path) if kind != "album" else sum(p.stat().st_size for p in _files_of(path))
        if wanted:
            kind = "freed" if _free(path, locked=kind != "cache") else "in use"
            freed += size if kind == "freed" else 0
        typer.echo(f"{kind:10} {format_bytes(size):>9}  {path}")
    with contextlib.suppress(OSError):
        (workspace / "cache").rmdir()  # if it is empty now
    if not (cache or unfinished or renders):
        typer.echo("nothing was removed; pass --cache, --unfinished or --renders to free space")
    elif freed:
        typer.echo(f"{format_bytes(freed)} freed")


def _cached(folder: Path) -> list[Path]:
    """Give what is ours in a cache folder; a workspace may be anybody's folder."""
    ours = (
        "timelines", "gains", "kernels", "graphs", "blocks", "styles", "fits", "music", "latents",
        "profile-*", "check-*", "evaluate-*", "probe-songs",
    )  # fmt: skip
    return sorted(path for name in ours for path in folder.glob(name) if path.is_dir())


def _runs(folder: Path) -> list[Path]:
    """Give the run folders, those of albums too: named by us, with our lock or manifest in them."""
    songs = [path for path in folder.glob("*") if _RUN_ID.fullmatch(path.name)]
    tracks = [path for album in _albums(folder) for path in album.iterdir() if path.is_dir()]
    return sorted(
        path for path in (*songs, *tracks) if (path / ".lock").is_file() or (path / "meta.json").is_file()
    )


def _albums(folder: Path) -> list[Path]:
    """Give the folders of albums: with our lock and log in them."""
    return sorted(p for p in folder.glob("*") if (p / ".lock").is_file() and (p / "log.jsonl").is_file())


def _files_of(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]


def _free(path: Path, *, locked: bool) -> bool:
    """Remove a folder, unless it is a run that somebody renders at this moment."""
    from synesthete.errors import BusyError
    from synesthete.files import writing_to
    from synesthete.render.run import RunFolder

    with writing_to(path):
        if not locked:
            shutil.rmtree(path)
            return True
        try:
            with RunFolder(path).opened():
                shutil.rmtree(path, ignore_errors=True)  # under its lock
        except BusyError:
            return False
        shutil.rmtree(path, ignore_errors=True)
        return True
