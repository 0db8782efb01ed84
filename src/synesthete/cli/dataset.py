"""``synesthete dataset preview``, ``export``, ``stats`` and ``images``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption, JsonOption, WorkspaceOption
from synesthete.config.base import Frozen, build
from synesthete.config.dataset import (
    DatasetOptions,
    ExportOptions,
    PreviewOptions,
    StatsOptions,
    load_data_config,
)
from synesthete.config.stills import BUCKETS, ImagesOptions, load_images_options, load_prompts
from synesthete.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synesthete.audio.embeddings import Embedder
    from synesthete.config.data import DataConfig
    from synesthete.training.music import Music
    from synesthete.training.stills.sources import StillSource

__all__ = ["app", "open_embedder_of", "open_music_of"]

app = typer.Typer(rich_markup_mode=None)

_LEAST_EXCERPTS = 32


def _option(field: str, *names: str, of: type[Frozen] = DatasetOptions, **settings: Any) -> Any:
    return typer.Option(*names, help=of.model_fields[field].description, **settings)


def _image_option(field: str, *names: str, **settings: Any) -> Any:
    """Give an option that may be left out, for the file's value or the default, which help shows."""
    default = ImagesOptions.model_fields[field].default
    return _option(
        field, *names, of=ImagesOptions, show_default=False if default is None else str(default), **settings
    )


ConfigOption = Annotated[Path | None, _option("config", "--config", metavar="FILE.yaml")]
SetOption = Annotated[list[str] | None, _option("set", "--set", metavar="FIELD=VALUE")]
FolderOption = Annotated[
    Path, typer.Option("--output", "-o", help="The folder to write to.", metavar="FOLDER", show_default=False)
]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """Look at, measure and export what models are trained on: clips of music and pictures without end."""
    if context.invoked_subcommand is None:
        raise ConfigError(
            "dataset needs a command: preview, export, stats or images, such as synesthete dataset preview "
            "-o FOLDER"
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
            music=open_music_of(data, options.workspace),
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
        music=open_music_of(data, options.workspace),
        workers=options.workers,
        on_shard=_counter("shards", as_json=as_json),
        embedder=open_embedder_of(data),
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
        Path | None,
        typer.Option("--output", "-o", help="Write the figures to FILE.json.", metavar="FILE.json"),
    ] = None,
    config: ConfigOption = None,
    changes: SetOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure items: colour, contrast, what is heard, the programs, and whether clips follow their sound."""
    options = build(
        StatsOptions,
        {
            "items": items, "shards": shards, "music": music, "config": config, "set": tuple(changes or ()),
            "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    from synesthete.files import write_json
    from synesthete.render.output import check_output
    from synesthete.render.threads import single_threaded
    from synesthete.training.dataset import ItemSource, LiveItems
    from synesthete.training.music import open_music
    from synesthete.training.shards import open_shards
    from synesthete.training.stats import measure_items, music_columns

    if output is not None:
        check_output(output, None, example="stats.json", because="figures are JSON")
    if options.shards is not None and (options.config is not None or options.set):
        raise ConfigError(
            "--from measures an exported dataset, which has its own configuration; drop --config and --set"
        )
    if options.shards is None:
        data, count = load_data_config(options.config, options.set), options.items
        plain = data.model_copy(update={"embedding": "none"})  # embeddings are not measured
        read: ItemSource = LiveItems(plain, open_music_of(data, options.workspace))
    else:
        exported = open_shards(options.shards)
        data, count, read = exported.config, min(options.items, exported.count), exported.read
    songs = None if options.music is None else open_music(options.music, options.workspace, warn=_warn)
    counter = _counter("items", as_json=False)
    with single_threaded():
        made = (
            item
            for start in range(0, count, data.batch_size)
            for item in read(range(start, min(count, start + data.batch_size)))
        )
        figures = measure_items(data, made, on_item=lambda done: counter(done, count))
        if songs is not None:
            figures["compared"] = music_columns(
                data, songs, songs=max(_LEAST_EXCERPTS, count // data.clips_per_song)
            )
    if output is not None:
        write_json(output, figures)
    if as_json:
        print(json.dumps(figures, allow_nan=False), flush=True)
        return
    for line in _table(figures):
        typer.echo(line)
    if output is not None:
        typer.echo(f"figures:  {output}")


@app.command()
def images(
    output: FolderOption,
    count: Annotated[int | None, _image_option("count", "--count", "-n")] = None,
    total: Annotated[int | None, _image_option("total")] = None,
    buckets: Annotated[
        str | None,
        typer.Option(help=f"Some of {', '.join(BUCKETS)}, with commas between them; all if left out."),
    ] = None,
    size: Annotated[int | None, _image_option("size")] = None,
    seed: Annotated[int | None, _image_option("seed")] = None,
    cull: Annotated[float | None, _image_option("cull")] = None,
    pictures: Annotated[Path | None, _image_option("pictures", "--from", metavar="FOLDER")] = None,
    source: Annotated[str | None, _image_option("source", metavar="programs|sd")] = None,
    model: Annotated[Path | None, _image_option("model", metavar="DIR")] = None,
    prompts: Annotated[Path | None, _image_option("prompts", metavar="FILE.yaml")] = None,
    steps: Annotated[int | None, _image_option("steps")] = None,
    guidance: Annotated[float | None, _image_option("guidance")] = None,
    workers: Annotated[int | None, _image_option("workers", "--workers", "-j")] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="These options as YAML; what is given beside it wins.", metavar="FILE.yaml"),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write abstract stills in buckets, and a manifest; repeating the command makes what is missing."""
    given = {
        "count": count, "total": total, "size": size, "seed": seed, "cull": cull, "source": source,
        "model": model, "prompts": prompts, "steps": steps, "guidance": guidance, "pictures": pictures,
        "workers": workers,
        "buckets": None if buckets is None else [name.strip() for name in buckets.split(",") if name.strip()],
    }  # fmt: skip
    options = load_images_options(config, {name: value for name, value in given.items() if value is not None})
    from synesthete.training.stills.write import MANIFEST, write_stills

    drawn_by, most = _still_source(options, output)
    numbers = options.numbers(drawn_by.buckets, most)
    found = write_stills(
        drawn_by,
        output,
        numbers,
        cull=options.cull,
        workers=options.workers,
        on_still=_counter("stills", as_json=as_json),
    )
    if as_json:
        facts = {
            "kept": found.kept, "culled": found.culled, "made": found.made, "reasons": dict(found.reasons),
        }  # fmt: skip
        print(json.dumps({"event": "done", "folder": str(output), **facts}), flush=True)
        return
    reasons = ", ".join(f"{number} {reason}" for reason, number in found.reasons.items())
    aside = f", {found.culled} put aside ({reasons})" if found.culled else ""
    typer.echo(f"stills:   {found.kept} in {len(numbers)} buckets in {output}{aside}; {found.made} new")
    typer.echo(f"manifest: {output / MANIFEST}")


def _still_source(options: ImagesOptions, output: Path) -> "tuple[StillSource, Mapping[str, int] | None]":
    """Open what makes the stills; and say how many it has of each bucket, if there is an end to them."""
    if options.pictures is not None:
        from synesthete.training.stills.folder import open_folder

        if output.resolve().is_relative_to(options.pictures.resolve()):
            raise ConfigError(
                f"-o {output} lies in the folder that pictures are taken from; name one outside of it"
            )
        taken = open_folder(options.pictures, options.size, warn=_warn, workers=options.workers)
        return taken, taken.counts
    if options.source == "programs" or options.model is None:
        from synesthete.training.stills.sources import ProgramSource

        return ProgramSource(options.seed, options.size), None
    book = None if options.prompts is None else load_prompts(options.prompts)
    from synesthete.training.stills.sd import DiffusersSource

    drawn = DiffusersSource(
        options.seed,
        options.size,
        options.model,
        prompts=book,
        steps=options.steps,
        guidance=options.guidance,
    )
    return drawn, None


def open_music_of(data: "DataConfig", workspace: Path) -> "Music | None":
    """Open the folder of recorded music that training data mixes in, if it does."""
    if data.music_dir is None or data.real_mix_prob == 0:
        return None
    from synesthete.training.music import open_music

    return open_music(data.music_dir, workspace, warn=_warn)


def open_embedder_of(data: "DataConfig") -> "Embedder | None":
    """Open the network whose embeddings training data asks for, if it does."""
    if data.embedding == "none" or data.embedding_dir is None:
        return None
    from synesthete.audio.embeddings import open_embedder

    return open_embedder(data.embedding, data.embedding_dir, size=data.embedding_size)


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


def _table(figures: "Mapping[str, Any]") -> list[str]:
    head = "".join(f"{name:>10}" for name in next(iter(figures["picture"].values())))
    lines = [f"{figures['items']} clips{'':13}{head}"]
    for group in ("picture", "columns"):
        lines += ["", *(_spread(name, found) for name, found in figures[group].items())]
        if group == "columns" and "compared" in figures:
            lines += ["", *_compared(figures["columns"], figures["compared"])]
    answers = figures["reactivity"]
    lines.append("")
    for name in ("brightness", "motion"):
        found = answers[name]
        lines.append(
            f"{name} follows the sound in {_share(found['follows'])} of clips (5 % by chance); correlation "
            f"with loudness {_number(found['loudness_r'])}, with that of other clips "
            f"{_number(found['shuffled_r'])}; in silence {_share(answers['silence'][name])} of that in sound"
        )
    programs = figures["programs"]
    lines += [
        "",
        f"reactive programs: {_share(programs['reactive'])}; shares of the other clips with each word:",
    ]
    lines += [
        f"{family:8} " + ", ".join(f"{word} {_share(share)}" for word, share in list(words.items())[:12])
        for family, words in programs["words"].items()
    ]
    return lines


def _compared(columns: "Mapping[str, Any]", music: "Mapping[str, Any]") -> list[str]:
    """Say for each column whether 90 % of the recorded music lies within 90 % of the training data."""
    lines, covered = [], 0
    for name, found in music.items():
        own = columns[name]
        inside = own["p5"] <= found["p5"] and found["p95"] <= own["p95"]
        covered += inside
        lines.append(f"{_spread(name, found)}  {'covered' if inside else 'beyond'}")
    return [
        f"recorded music, {covered} of {len(music)} columns covered (p5 to p95 within the clips')",
        *lines,
    ]


def _spread(name: str, found: "Mapping[str, float]") -> str:
    return f"{name:20}" + "".join(f"{value:10.4g}" for value in found.values())


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
