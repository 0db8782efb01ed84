"""``synesthete evaluate-gan``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption
from synesthete.config.base import build
from synesthete.config.gan import GanProbeOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["evaluate_gan"]


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=GanProbeOptions.model_fields[field].description, **settings)


def evaluate_gan(
    images: Annotated[Path, _option("images", "--images", metavar="FOLDER", show_default=False)],
    weights: Annotated[
        Path | None,
        typer.Argument(
            help=GanProbeOptions.model_fields["weights"].description,
            metavar="[WEIGHTS.safetensors]",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, _option("count", "--count", "-n")] = 500,
    seed: Annotated[int, _option("seed", "--seed")] = 17,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            show_default=False,
            help="Write the figures to this folder, as gan.json, and three sheets of pictures.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Measure what a generator of pictures draws, beside what it learned from: likeness, colour, copies."""
    options = build(
        GanProbeOptions,
        {"weights": weights, "images": images, "count": count, "seed": seed},
        where="options",
    )
    from synesthete.files import write_json
    from synesthete.models.weights import load_gan, load_vae
    from synesthete.training.gan_report import measure_gan, report_sheets
    from synesthete.training.stills.collection import open_stills

    generator, _ = load_gan(options.weights)
    vae, _ = load_vae()

    def on_pictures(what: str, done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == of else "\r"
            print(f"{done} of {of} pictures {what}", end=end, file=sys.stderr, flush=True)

    found = measure_gan(
        generator,
        vae,
        open_stills(options.images),
        count=options.count,
        seed=options.seed,
        on_pictures=on_pictures,
    )
    if output is not None:
        write_json(output / "gan.json", found.figures)
        report_sheets(output, found)
    if as_json:
        print(json.dumps(found.figures, allow_nan=False), flush=True)
        return
    for line in _table(found.figures):
        typer.echo(line)
    if output is not None:
        typer.echo(f"pictures: {output}")


def _table(figures: "Mapping[str, Any]") -> "Iterator[str]":
    frechet, near, sweep = figures["frechet"], figures["neighbours"], figures["sweep"]
    looks = figures["looks"]
    yield (
        f"{figures['pictures']} drawn pictures; {figures['learned_from']} that were learned from, "
        f"{figures['held_out']} held out"
    )
    yield f"frechet:    {frechet['drawn']:.3f}; of the held-out pictures {frechet['held_out']:.3f}"
    yield f"variety:    {figures['variety']:.2f} of the data's"
    yield (
        f"colour:     saturation {100 * figures['saturation']:.1f} %, brightness "
        f"{100 * figures['brightness']:.1f} %, contrast {100 * figures['contrast']:.1f} % of the data's; "
        f"chroma {figures['chroma']:.4f} apart"
    )
    yield (
        f"nearest:    {near['drawn']:.3f}, of held-out pictures {near['held_out']:.3f}: "
        f"{near['ratio']:.2f}; copies {100 * near['copies']:.1f} %, among held-out ones "
        f"{100 * near['copies_held_out']:.1f} %"
    )
    yield f"looks:      64 anchors have {looks['anchors']:.1f}, 64 held-out pictures {looks['held_out']:.1f}"
    yield f"sweeps:     {sweep['step']:.4f} a step, the longest {sweep['jump']:.2f} times the mean"
    speeds = ", ".join(f"{name} {ms:.0f}" for name, ms in figures["milliseconds"].items())
    yield f"drawing:    ms a picture: {speeds}"
