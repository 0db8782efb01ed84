"""``synesthete preset new``, ``check`` and ``show``; ``synesthete moods``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from synesthete.cli.render import DebugOption, JsonOption, MoodOption, SetOption

__all__ = ["app", "moods"]

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """Write, check and show presets."""
    from synesthete.errors import ConfigError

    if context.invoked_subcommand is None:
        raise ConfigError(
            "preset needs a command: new, check or show, such as synesthete preset new my-look; the presets "
            "that ship are listed by synesthete presets"
        )


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new preset's name.", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--from", help="The preset to start from.", metavar="PRESET")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write NAME.yaml into the current folder: a commented preset to start from."""
    from synesthete.config.preset import default_preset, files_beside, load_preset, with_files_beside
    from synesthete.config.preset_file import new_preset, stem_of_new
    from synesthete.errors import ConfigError
    from synesthete.files import write_whole

    stem = stem_of_new(name)
    preset = load_preset(source or default_preset())
    target = Path(f"{stem}.yaml")
    wanted = [target, *files_beside(preset, target)]
    taken = next((path for path in wanted if path.exists()), None)
    if taken is not None and not force:
        raise ConfigError(f"{taken} exists already; choose another name, or pass --force to replace it")
    write_whole(target, new_preset(with_files_beside(preset, target), name=stem).encode())
    typer.echo(f"preset: {target}")


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Presets: .yaml files.", show_default=False)],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say of each FILE whether it is a preset that can be rendered; exit status 2 if one is not."""
    from synesthete.config.preset import load_preset
    from synesthete.errors import InputError
    from synesthete.generators.build import check_preset

    wrong = 0
    for file in files:
        try:
            preset = load_preset(file)
            check_preset(preset)
            fault, said = None, f"good, a preset of the generator {preset.generator}"
        except InputError as error:
            wrong += 1
            fault = " ".join(str(error).removeprefix(f"preset {file}: ").split())
            said = f"wrong: {fault}"
        if as_json:
            print(
                json.dumps({"event": "check", "file": file, "good": fault is None, "fault": fault}),
                flush=True,
            )
        else:
            typer.echo(f"{file}: {said}")
    if wrong:
        raise typer.Exit(2)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A shipped preset's name, or a .yaml file.", show_default=False)
    ],
    mood: MoodOption = None,
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Print a preset as YAML, with all that it leaves to the defaults, a mood and changes laid over it."""
    from synesthete.config.mood import DEFAULT_MOOD, load_mood
    from synesthete.config.preset import load_preset
    from synesthete.config.preset_file import resolved_yaml

    preset = load_preset(name, assignments=tuple(set_ or ()), mood=load_mood(mood or DEFAULT_MOOD))
    typer.echo(resolved_yaml(preset), nl=False)


def moods(as_json: JsonOption = False) -> None:
    """List the moods that ship."""
    from synesthete.config.mood import load_mood, shipped_moods

    for name in shipped_moods():
        summary = load_mood(name).summary
        if as_json:
            print(json.dumps({"name": name, "summary": summary}))
        else:
            typer.echo(f"{name:12} {summary}")
