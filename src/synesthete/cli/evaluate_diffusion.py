"""``synesthete evaluate-diffusion``."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.render import DebugOption
from synesthete.config.base import build
from synesthete.config.diffusion import DiffusionProbeOptions

__all__ = ["evaluate_diffusion"]


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=DiffusionProbeOptions.model_fields[field].description, **settings)


def evaluate_diffusion(
    weights: Annotated[
        Path | None,
        typer.Argument(
            help=DiffusionProbeOptions.model_fields["weights"].description,
            metavar="[WEIGHTS.safetensors]",
            show_default=False,
        ),
    ] = None,
    vae: Annotated[
        Path | None, _option("vae", "--vae", metavar="WEIGHTS.safetensors", show_default=False)
    ] = None,
    embedding_dir: Annotated[
        Path | None, _option("embedding_dir", "--embedding-dir", metavar="FOLDER", show_default=False)
    ] = None,
    clips: Annotated[int, _option("clips", "--clips", "-n")] = 200,
    seed: Annotated[int, _option("seed", "--seed")] = 13,
    steps: Annotated[int | None, _option("steps", "--steps", show_default=False)] = None,
    audio_guidance: Annotated[
        float | None, _option("audio_guidance", "--audio-guidance", show_default=False)
    ] = None,
    style_guidance: Annotated[
        float | None, _option("style_guidance", "--style-guidance", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            show_default=False,
            help="Write the figures to this folder, as diffusion.json, and four sheets of pictures.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure a model that listens on music and programs it was not trained on, beside what these draw."""
    options = build(
        DiffusionProbeOptions,
        {
            "weights": weights, "vae": vae, "embedding_dir": embedding_dir, "clips": clips, "seed": seed,
            "steps": steps, "audio_guidance": audio_guidance, "style_guidance": style_guidance,
        },
        where="options",
    )  # fmt: skip
    from synesthete.files import write_json
    from synesthete.training.diffusion_report import measure_diffusion, report_sheets
    from synesthete.training.diffusion_table import diffusion_table
    from synesthete.training.drawer import load_drawer

    drawer = load_drawer(
        options.weights, vae=options.vae, embedding_dir=options.embedding_dir, seed=options.seed,
        steps=options.steps, audio_guidance=options.audio_guidance, style_guidance=options.style_guidance,
    )  # fmt: skip

    def on_clip(what: str, done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"{done} of {of} {what}", end="\n" if done == of else "\r", file=sys.stderr, flush=True)

    found = measure_diffusion(drawer, clips=options.clips, seed=options.seed, on_clip=on_clip)
    if output is not None:
        write_json(output / "diffusion.json", found.figures)
        report_sheets(output, found)
    if as_json:
        print(json.dumps(found.figures, allow_nan=False), flush=True)
        return
    for line in diffusion_table(found.figures):
        typer.echo(line)
    if output is not None:
        typer.echo(f"pictures: {output}")
