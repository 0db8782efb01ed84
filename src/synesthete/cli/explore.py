"""``synesthete explore`` and ``synesthete breed``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption, JsonOption, Song, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.explore import BreedOptions, ExploreOptions, SheetOptions
from synesthete.config.preset import GeneratorName

if TYPE_CHECKING:
    from synesthete.render.explore.sheets import Sheet

__all__ = ["breed", "explore"]


def _option(field: str, *names: str, of: type[SheetOptions] = ExploreOptions, **settings: Any) -> Any:
    return typer.Option(*names, help=of.model_fields[field].description, **settings)


GridOption = Annotated[str, _option("grid")]
SeedOption = Annotated[int, _option("seed")]
MosaicOption = Annotated[bool, _option("mosaic", "--mosaic/--no-mosaic")]
HtmlOption = Annotated[bool, _option("html", "--html")]
SaveOption = Annotated[list[str] | None, _option("save", metavar="CELL=FILE.yaml")]
RateOption = Annotated[list[str] | None, _option("rate", metavar="CELL=STARS")]


def explore(
    song: Song,
    generator: Annotated[GeneratorName | None, _option("generator")] = None,
    preset: Annotated[str | None, _option("preset", "--preset", "-p")] = None,
    grid: GridOption = "4x4",
    seed: SeedOption = 0,
    style: Annotated[str | None, _option("style", metavar="A,B,C,D")] = None,
    sweep: Annotated[list[str] | None, _option("sweep", metavar="FIELD=LOW:HIGH")] = None,
    mosaic: MosaicOption = True,
    html: HtmlOption = False,
    save: SaveOption = None,
    rate: RateOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Lay out many looks of SONG on one sheet: seeds, or a sweep. Repeating the command finds them again."""
    options = build(
        ExploreOptions,
        {
            "generator": generator, "preset": preset, "grid": grid, "seed": seed, "style": style,
            "sweep": tuple(sweep or ()), "mosaic": mosaic, "html": html, "save": tuple(save or ()),
            "rate": tuple(rate or ()), "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    from synesthete.render.explore.sheets import explore as run

    _show(run(song, options, on_event=_reporter(as_json)), as_json=as_json)


def breed(
    sheet: Annotated[
        Path, typer.Argument(help="The folder of a sheet, or a file in it.", show_default=False)
    ],
    parents: Annotated[str | None, _option("parents", metavar="3,7", of=BreedOptions)] = None,
    grid: GridOption = "4x4",
    seed: SeedOption = 0,
    strength: Annotated[float, _option("strength", of=BreedOptions)] = 0.3,
    mosaic: MosaicOption = True,
    html: HtmlOption = False,
    save: SaveOption = None,
    rate: RateOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make the next generation from the cells of a SHEET that please: crossed, mixed and changed."""
    options = build(
        BreedOptions,
        {
            "parents": parents, "grid": grid, "seed": seed, "strength": strength, "mosaic": mosaic,
            "html": html, "save": tuple(save or ()), "rate": tuple(rate or ()), "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    from synesthete.render.explore.sheets import breed as run

    _show(run(sheet, options, on_event=_reporter(as_json)), as_json=as_json)


def _reporter(as_json: bool) -> Any:
    def on_event(event: dict[str, Any]) -> None:
        if as_json:
            print(json.dumps(event), flush=True)
        elif event["event"] == "progress" and sys.stderr.isatty():
            end = "\n" if event["cells"] == event["of"] else "\r"
            print(f"{event['cells']} of {event['of']} cells", end=end, file=sys.stderr, flush=True)

    return on_event


def _show(sheet: "Sheet", *, as_json: bool) -> None:
    if as_json:
        return
    for name, path in (("sheet", sheet.picture), ("mosaic", sheet.mosaic), ("gallery", sheet.gallery)):
        if path is not None:
            typer.echo(f"{name + ':':9} {path}")
    for path in sheet.saved:
        typer.echo(f"saved:    {path}")
    typer.echo(f"next:     synesthete breed {sheet.folder} --parents 1,2")
