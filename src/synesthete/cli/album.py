"""``synesthete album``: a film for each track of an album, and one of all of them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.progress import Progress
from synesthete.cli.render import DebugOption, JsonOption, WorkersOption
from synesthete.errors import ConfigError

__all__ = ["album"]


def album(
    folder: Annotated[
        Path | None, typer.Argument(help="The album's folder (default: where --config lies, or here).")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Its YAML file (default FOLDER/render.yaml).")] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Write render.yaml and tracklist.json for editing, and stop.")
    ] = False,
    preset: Annotated[str | None, typer.Option("--preset", "-p", help="The preset of all tracks.")] = None,
    mood: Annotated[str | None, typer.Option(help="The mood of all tracks.")] = None,
    fps: Annotated[str | None, typer.Option(help="24000/1001 to 120; fractions are allowed.")] = None,
    resolution: Annotated[
        str | None, typer.Option("--resolution", "-r", help="360p to 4k, or WIDTHxHEIGHT.")
    ] = None,
    track: Annotated[
        list[str] | None, typer.Option("--track", metavar="ID", help="Render only this track; repeatable.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one field, such as audio.normalization=-16."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--force", help="Go on where it stopped, or render anew.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plans and stop.")] = False,
    keep_frames: Annotated[
        bool, typer.Option("--keep-frames", help="Keep every frame as PNG in the tracks' folders.")
    ] = False,
    no_previews: Annotated[bool, typer.Option("--no-previews", help="Draw no previews.")] = False,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Render an album: a film per track, and one album film. Repeating the command resumes it."""
    from synesthete.config.album_file import read_album
    from synesthete.render.album import plan_album, render_album
    from synesthete.render.album_init import track_number, write_album_files
    from synesthete.render.album_join import without_effect
    from synesthete.render.album_tracks import AlbumRun

    place = _folder(folder, config)
    if init:
        for path in write_album_files(place):
            typer.echo(f"wrote {path}")
        return
    changes: dict[str, Any] = {
        name: value
        for name, value in (("preset", preset), ("frame_rate", fps), ("resolution", resolution))
        if value is not None
    }
    assignments = [*([f"controller.preset={json.dumps(mood)}"] if mood else []), *(set_ or [])]
    files = read_album(place, config, changes=changes, assignments=assignments, place_of=track_number)
    run = AlbumRun(
        tracks=tuple(track or ()),
        workers=workers,
        previews=not no_previews,
        keep_frames=keep_frames,
        force=not resume,
    )
    if dry_run:
        for plan in plan_album(files, run):
            _print_plan(plan, as_json=as_json)
        return
    if not as_json:
        for field in without_effect(files):
            typer.echo(f"note: {field} has no effect yet")
    with Progress(json_lines=as_json) as progress:
        result = render_album(files, run, on_event=progress.on_event)
    if not as_json:
        for name in (*result.rendered, *result.recognised):
            typer.echo(f"{name}: {result.tracks[name]}")
        for name, reason in result.unheard.items():
            typer.echo(f"note: the album can't be finished yet, as {name} fails: {reason}")
        typer.echo(f"album: {result.film}" if result.film else "album: not all tracks are finished yet")
        typer.echo(f"page:  {result.folder / 'album.html'}")


def _folder(folder: Path | None, config: Path | None) -> Path:
    if config is None:
        return folder or Path()
    if folder is not None and folder.resolve() != config.resolve().parent:
        raise ConfigError(f"--config {config} lies outside {folder}; an album's file lies in its folder")
    return config.parent


def _print_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"event": "plan", **plan}), flush=True)
        return
    typer.echo(
        f"{plan['track']}: {plan['frames']} frames, {plan['width']}x{plan['height']} at "
        f"{plan['frame_rate']}, {plan['preset']} in {plan['mood']}, {plan['scenes']} scenes"
    )
