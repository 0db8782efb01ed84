"""``synesthete export``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.render import DebugOption
from synesthete.config.base import build
from synesthete.config.export import ExportKind, ExportOptions

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=ExportOptions.model_fields[field].description, **settings)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """Write networks down for other programs."""
    from synesthete.errors import ConfigError

    if context.invoked_subcommand is None:
        raise ConfigError("export needs a format: synesthete export onnx decoder -o FOLDER")


@app.command()
def onnx(
    kind: Annotated[
        ExportKind, typer.Argument(help=ExportOptions.model_fields["kind"].description, show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the graph and meta.json go.")
    ],
    weights: Annotated[Path | None, _option("weights", metavar="WEIGHTS.safetensors")] = None,
    preset: Annotated[str | None, _option("preset", "--preset", "-p")] = None,
    int8: Annotated[bool, _option("int8", "--int8")] = False,
    opset: Annotated[int, _option("opset")] = 20,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print meta.json as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Export a network as ONNX, and prove that ONNX Runtime draws the same."""
    options = build(
        ExportOptions,
        {"kind": kind, "weights": weights, "preset": preset, "int8": int8, "opset": opset},
        where="options",
    )
    from synesthete.training.export import export_onnx

    meta = export_onnx(options, output, force=force)
    if as_json:
        print(json.dumps(meta, allow_nan=False), flush=True)
        return
    typer.echo(f"graph:   {output / meta['model']['file']}, opset {meta['model']['opset']}")
    for port in (*meta["inputs"], *meta["outputs"]):
        shape = " x ".join(str(side) for side in port["shape"])
        typer.echo(f"         {port['name']:12} {shape:32} {port['meaning']}")
    if "tables" in meta:
        told = f"anchors and axes of latents of {', '.join(meta['anchors'])}"
        typer.echo(f"tables:  {output / meta['tables']['file']}, {told}")
    worst = min(meta["parity"], key=lambda one: one["psnr_db"])
    typer.echo(f"parity:  {worst['psnr_db']:.1f} dB at least, of ONNX Runtime against PyTorch")
    if "int8" in meta:
        found = meta["int8"]
        told = f"{found['psnr_db']:.1f} dB against the exact one, {found['worst_psnr_db']:.1f} at worst"
        typer.echo(f"8 bits:  {output / found['file']}, {told}")
