"""``synesthete fit``."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.render import DebugOption, JsonOption, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.fit import FitOptions, NetKind
from synesthete.config.render import Aspect

__all__ = ["fit"]


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=FitOptions.model_fields[field].description, **settings)


def fit(
    images: Annotated[
        list[Path],
        typer.Argument(help="Pictures, or a folder of them: PNG, JPEG or WebP, up to 8.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The preset to write, .yaml; its weights lie beside it.")
    ],
    net: Annotated[NetKind, _option("net")] = "field",
    layers: Annotated[int | None, _option("layers")] = None,
    units: Annotated[int | None, _option("units")] = None,
    steps: Annotated[int, _option("steps")] = 2000,
    seed: Annotated[int, _option("seed")] = 0,
    size: Annotated[int, _option("size")] = 160,
    aspect: Annotated[Aspect, _option("aspect")] = "16:9",
    clip_model: Annotated[Path | None, _option("clip_model", metavar="DIR")] = None,
    prompt: Annotated[str | None, _option("prompt")] = None,
    guidance: Annotated[float, _option("guidance")] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Fit a preset to IMAGES: in silence it shows the picture, with music it moves."""
    options = build(
        FitOptions,
        {
            "net": net, "layers": layers, "units": units, "steps": steps, "seed": seed, "size": size,
            "aspect": aspect, "clip_model": clip_model, "prompt": prompt, "guidance": guidance,
            "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    from synesthete.render.fit.fitting import fit_preset

    _show(fit_preset(images, output, options, force=force, on_event=_reporter(as_json)), as_json=as_json)


def _reporter(as_json: bool) -> Any:
    def on_event(event: dict[str, Any]) -> None:
        if as_json:
            if event["event"] != "progress" or event["step"] % 50 == 0:
                print(json.dumps(event), flush=True)
        elif event["event"] == "progress" and sys.stderr.isatty():
            end = "\n" if event["step"] == event["of"] else "\r"
            shown = f"step {event['step']} of {event['of']}, {event['psnr_db']:.1f} dB"
            print(shown, end=end, file=sys.stderr, flush=True)

    return on_event


def _show(made: Any, *, as_json: bool) -> None:
    if as_json:
        return
    for name, psnr in made.figures["psnr_db"].items():
        typer.echo(f"picture:  {name}, met at {psnr:.1f} dB")
    shown = ", ".join(f"{name} {value:.3f}" for name, value in made.figures["influences"].items())
    typer.echo(f"inputs:   {shown}")
    figures = made.figures
    typer.echo(f"music:    effect {figures['effect']:.2f}, gap to silence {figures['silence_gap']:.3f}")
    typer.echo(f"preset:   {made.preset}")
    typer.echo(f"weights:  {made.weights}")
