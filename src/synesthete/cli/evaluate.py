"""``synesthete evaluate``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.progress import Progress
from synesthete.cli.render import DebugOption, TruncatedOption, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.evaluate import EvaluateOptions
from synesthete.errors import ConfigError

__all__ = ["evaluate"]


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=EvaluateOptions.model_fields[field].description, **settings)


def evaluate(
    film: Annotated[Path, typer.Argument(help="A film with sound, ours or not.", show_default=False)],
    more: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SONG", help="More songs for --against.", show_default=False),
    ] = None,
    audio: Annotated[Path | None, _option("audio", metavar="SONG")] = None,
    against: Annotated[list[Path] | None, _option("against", metavar="SONG...")] = None,
    full: Annotated[bool, _option("full", "--full")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write certificate.json and certificate.html there.", metavar="DIR"
        ),
    ] = None,
    workspace: WorkspaceOption = Path(),
    allow_truncated: TruncatedOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the certificate as one JSON object.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Measure FILM: whether it is driven by its music, late, calm in silence, safe and whole."""
    if more and not against:
        raise ConfigError(
            f"{more[0]} is one file too many; evaluate one film at a time, and name other songs "
            "after --against"
        )
    options = build(
        EvaluateOptions,
        {
            "audio": audio, "against": (*(against or ()), *(more or ())), "full": full,
            "workspace": workspace, "allow_truncated": allow_truncated,
        },
        where="options",
    )  # fmt: skip
    from synesthete.evaluation.verdicts import summary_lines
    from synesthete.files import make_folder
    from synesthete.render.evaluate import evaluate_film

    if output is not None:
        make_folder(output)
    if as_json:
        certificate = evaluate_film(film, options)
    else:
        with Progress(json_lines=False) as progress:
            certificate = evaluate_film(film, options, on_event=progress.on_event)
    if output is not None:
        certificate.write(output)
    if as_json:
        print(json.dumps(certificate.values, allow_nan=False), flush=True)
        return
    for line in summary_lines(certificate.values):
        typer.echo(line)
    for verdict in certificate.values["verdicts"]:
        mark = {True: "pass", False: "FAIL", None: "open"}[verdict["passed"]]
        limit = f"  ({verdict['limit']})" if verdict["limit"] else ""
        typer.echo(f"  {mark:4}  {verdict['name']:22} {verdict['value']}{limit}")
    if output is not None:
        typer.echo(f"certificate: {output / 'certificate.html'}")
