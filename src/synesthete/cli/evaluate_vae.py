"""``synesthete evaluate-vae``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption
from synesthete.config.base import build
from synesthete.config.vae import VaeProbeOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["evaluate_vae"]

_WORDS = 5


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=VaeProbeOptions.model_fields[field].description, **settings)


def evaluate_vae(
    weights: Annotated[
        Path | None,
        typer.Argument(
            help=VaeProbeOptions.model_fields["weights"].description,
            metavar="[WEIGHTS.safetensors]",
            show_default=False,
        ),
    ] = None,
    programs: Annotated[int, _option("programs", "--programs", "-n")] = 500,
    seed: Annotated[int, _option("seed", "--seed")] = 11,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            show_default=False,
            help="Write the figures to this folder, as vae.json, and two sheets of pictures.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure what an autoencoder keeps of programs it was not trained on: detail, size, colour, music."""
    options = build(
        VaeProbeOptions, {"weights": weights, "programs": programs, "seed": seed}, where="options"
    )
    from synesthete.files import write_json
    from synesthete.models.weights import load_vae
    from synesthete.training.vae_report import measure_vae, report_sheets

    vae, _ = load_vae(options.weights)

    def on_program(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"{done} of {of} programs", end="\n" if done == of else "\r", file=sys.stderr, flush=True)

    found = measure_vae(vae, programs=options.programs, seed=options.seed, on_program=on_program)
    if output is not None:
        write_json(output / "vae.json", found.figures)
        report_sheets(output, found)
    if as_json:
        print(json.dumps(found.figures, allow_nan=False), flush=True)
        return
    for line in _table(found.figures):
        typer.echo(line)
    if output is not None:
        typer.echo(f"pictures: {output}")


def _table(figures: "Mapping[str, Any]") -> "Iterator[str]":
    blocks, own = figures["psnr_blocks"], figures["psnr_own_blocks"]
    yield f"{figures['programs']} held-out programs"
    yield (
        f"psnr:       {figures['psnr']:.2f} dB; a cosine transform of as many numbers {blocks:.2f} dB, one "
        f"that is also told which {own:.2f} dB"
    )
    for scale, one in figures["scales"].items():
        edges = ", ".join(f"{name} {value:.2f}" for name, value in one["edges"].items())
        yield (
            f"x{float(scale):<10g} {one['psnr']:.2f} dB; enlarged {one['psnr_enlarged']:.2f} dB; power of "
            f"edges by period, pixels: {edges}"
        )
    effect, latents = figures["effect"], figures["latents"]
    yield f"saturation: {100 * figures['saturation']:.1f} % of the data's"
    yield (
        f"effect:     {100 * effect['held_out']:.1f} % of what another song changes is left; of reactive "
        f"programs {100 * effect['reactive']:.1f} %"
    )
    yield (
        f"latents:    mean {latents['mean']:.3f}, deviation {latents['std']:.3f}, noise "
        f"{latents['noise']:.3f}, divergence {latents['divergence']:.2f} nats"
    )
    ranked = sorted(figures["words"].items(), key=lambda pair: pair[1])
    for what, few in (("hardest", ranked[:_WORDS]), ("easiest", ranked[: -_WORDS - 1 : -1])):
        yield f"{what + ':':12}" + ", ".join(f"{word} {value:.1f}" for word, value in few)
