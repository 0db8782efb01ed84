"""``synesthete dataset preview``, ``export`` and ``stats``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption, JsonOption, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.dataset import (
    DatasetOptions,
    ExportOptions,
    PreviewOptions,
    StatsOptions,
    load_data_config,
)

if TYPE_CHECKING:
    from synesthete.config.data import DataConfig
    from synesthete.training.music import Music

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


def _option(field: str, *names: str, of: type[DatasetOptions] = DatasetOptions, **settings: Any) -> Any:
    return typer.Option(*names, help=of.model_fields[field].description, **settings)


ConfigOption = Annotated[Path | None, _option("config", "--config", metavar="FILE.yaml")]
SetOption = Annotated[list[str] | None, _option("set", "--set", metavar="FIELD=VALUE")]
FolderOption = Annotated[
    Path, typer.Option("--output", "-o", help="The folder to write to.", metavar="FOLDER", show_default=False)
]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """Look at, measure and export what models are trained on: clips of music and pictures without end."""
    from synesthete.errors import ConfigError

    if context.invoked_subcommand is None:
        raise ConfigError(
            "dataset needs a command: preview, export or stats, such as synesthete dataset preview -o FOLDER"
        )


@app.command()
def preview(
    output: FolderOption,
    count: Annotated[int, _option("count", "--count", "-n", of=PreviewOptions)] = 8,
    config: ConfigOption = None,
    changes: SetOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a contact sheet of clips with what is heard in them, a film of each, and their programs."""
    options = build(
        PreviewOptions,
        {"count": count, "config": config, "set": tuple(changes or ()), "workspace": workspace},
        where="options",
    )
    data = load_data_config(options.config, options.set)
    from synesthete.render.threads import single_threaded
    from synesthete.training.preview import write_preview

    with single_threaded():
        found = write_preview(
            data,
            output,
            count=options.count,
            music=_music(data, options.workspace),
            on_clip=_counter("clips", as_json=as_json),
        )
    if as_json:
        print(json.dumps({"event": "done", "sheet": str(found.sheet), "clips": len(found.films)}), flush=True)
        return
    typer.echo(f"sheet:    {found.sheet}")
    typer.echo(f"clips:    {len(found.films)} films with their programs in {output}")


@app.command()
def export(
    output: FolderOption,
    items: Annotated[int, _option("items", of=ExportOptions, show_default=False)],
    shards: Annotated[int, _option("shards", of=ExportOptions, show_default=False)],
    workers: Annotated[int, _option("workers", "--workers", "-j", of=ExportOptions)] = 1,
    config: ConfigOption = None,
    changes: SetOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write items as WebDataset shards, for large runs; repeating the command goes on where it stopped."""
    options = build(
        ExportOptions,
        {
            "items": items, "shards": shards, "workers": workers, "config": config,
            "set": tuple(changes or ()), "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    data = load_data_config(options.config, options.set)
    from synesthete.files import folder_size, format_bytes
    from synesthete.training.shards import export_shards

    found = export_shards(
        data,
        output,
        items=options.items,
        shards=options.shards,
        music=_music(data, options.workspace),
        workers=options.workers,
        on_shard=_counter("shards", as_json=as_json),
    )
    size = folder_size(output)
    if as_json:
        print(json.dumps({"event": "done", "folder": str(output), "items": found.count, "bytes": size}))
        return
    typer.echo(f"shards:   {options.shards} with {found.count} items in {output}, {format_bytes(size)}")


@app.command()
def stats(
    items: Annotated[int, _option("items", of=StatsOptions)] = 128,
    shards: Annotated[Path | None, _option("shards", "--from", of=StatsOptions, metavar="FOLDER")] = None,
    music: Annotated[Path | None, _option("music", of=StatsOptions, metavar="FOLDER")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the figures to FILE.json.", metavar="FILE.json")
    ] = None,
    config: ConfigOption = None,
    changes: SetOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure items: colour, contrast, what is heard, which programs, and whether clips follow their sound."""
    options = build(
        StatsOptions,
        {
            "items": items, "shards": shards, "music": music, "config": config, "set": tuple(changes or ()),
            "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    from synesthete.errors import ConfigError
    from synesthete.files import write_json
    from synesthete.training.stats import measure_dataset, table

    if options.shards is not None and (options.config is not None or options.set):
        raise ConfigError("--from measures an exported dataset, which has its own configuration; drop --config and --set")
    figures = measure_dataset(
        None if options.shards is not None else load_data_config(options.config, options.set),
        options.shards,
        count=options.items,
        compare=options.music,
        workspace=options.workspace,
        warn=_warn,
        on_item=_counter("items", as_json=as_json or not sys.stderr.isatty()),
    )
    if output is not None:
        write_json(output, figures)
    if as_json:
        print(json.dumps(figures, allow_nan=False), flush=True)
        return
    for line in table(figures):
        typer.echo(line)
    if output is not None:
        typer.echo(f"figures:  {output}")


def _music(data: "DataConfig", workspace: Path) -> "Music | None":
    if data.music_dir is None or data.real_mix_prob == 0:
        return None
    from synesthete.training.music import open_music

    return open_music(data.music_dir, workspace, warn=_warn)


def _warn(line: str) -> None:
    typer.echo(f"warning: {line}", err=True)


def _counter(what: str, *, as_json: bool) -> Any:
    """Count on a terminal, or in JSON lines."""

    def count(done: int, of: int) -> None:
        if as_json:
            print(json.dumps({"event": "progress", what: done, "of": of}), flush=True)
        elif sys.stderr.isatty():
            print(f"{done} of {of} {what}", end="\n" if done == of else "\r", file=sys.stderr, flush=True)

    return count
