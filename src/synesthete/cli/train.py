"""``synesthete train vae``."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.dataset import open_music_of
from synesthete.cli.render import DebugOption, JsonOption, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.training import TrainOptions
from synesthete.config.vae import load_vae_config

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)

_EXTRA = "training needs the extra packages of `train`; pip install 'synesthete[train]'"
_SHOWN_EVERY_S = 10.0


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=TrainOptions.model_fields[field].description, **settings)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    """Train the models that learn; the same command goes on with a run that was interrupted."""
    from synesthete.errors import ConfigError

    if context.invoked_subcommand is None:
        raise ConfigError("train needs the name of a model: synesthete train vae")


@app.command()
def vae(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            show_default=False,
            help="The run's folder; by default runs/vae-PRESET in the workspace.",
        ),
    ] = None,
    preset: Annotated[str, _option("preset", "--preset", metavar="smoke|small|base|large")] = "small",
    config: Annotated[Path | None, _option("config", "--config", metavar="FILE.yaml")] = None,
    changes: Annotated[list[str] | None, _option("set", "--set", metavar="FIELD=VALUE")] = None,
    hours: Annotated[float | None, _option("hours", "--hours")] = None,
    devices: Annotated[int, _option("devices", "--devices")] = 1,
    nodes: Annotated[int, _option("nodes", "--nodes")] = 1,
    workers: Annotated[int, _option("workers", "--workers", "-j")] = 1,
    shards: Annotated[Path | None, _option("shards", "--shards", metavar="FOLDER")] = None,
    init_from: Annotated[
        Path | None, _option("init_from", "--init-from", metavar="WEIGHTS.safetensors")
    ] = None,
    wandb: Annotated[bool, _option("wandb", "--wandb")] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the autoencoder: pictures to latents, and latents to pictures of any size."""
    options = build(
        TrainOptions,
        {
            "preset": preset, "config": config, "set": tuple(changes or ()), "hours": hours,
            "devices": devices, "nodes": nodes, "workers": workers, "shards": shards,
            "init_from": init_from, "wandb": wandb, "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    run = load_vae_config(options.preset, options.config, options.set)
    folder = output or options.workspace / "runs" / f"vae-{options.preset}"
    _need_extra()
    from synesthete.training.vae_run import train_vae

    found = train_vae(
        run, options, folder, music=open_music_of(run.data, options.workspace), on_step=_reporter(as_json)
    )
    if as_json:
        weights = None if found.weights is None else str(found.weights)
        print(json.dumps({"event": "done", "step": found.step, "of": found.steps, "weights": weights}))
        return
    for name, value in sorted(found.figures.items()):
        if name.startswith("validation/"):
            typer.echo(f"{name.removeprefix('validation/') + ':':16}{value:.4g}")
    if found.weights is None:
        typer.echo(f"step {found.step} of {found.steps}; the same command goes on from here")
    else:
        typer.echo(f"weights:        {found.weights}, with a card beside it")


def _need_extra() -> None:
    from importlib.util import find_spec

    from synesthete.errors import ConfigError

    if any(find_spec(name) is None for name in ("lightning", "tensorboard")):
        raise ConfigError(_EXTRA)


def _reporter(as_json: bool) -> Any:
    """Print where training is, every few seconds; in JSON lines, every time that figures were logged."""
    shown = time.monotonic()
    first: tuple[int, float] | None = None  # a step, and when it was reached

    def report(step: int, steps: int, figures: Mapping[str, float]) -> None:
        nonlocal shown, first
        now = time.monotonic()
        first = first or (step, now)
        if now - shown < _SHOWN_EVERY_S and step != steps:
            return
        shown = now
        if as_json:
            event = {"event": "progress", "step": step, "of": steps, **figures}
            print(json.dumps(event), flush=True)
            return
        left = (now - first[1]) / max(1, step - first[0]) * (steps - step)
        told = "  ".join(
            f"{name.rpartition('/')[2]} {figures[name]:.4g}"
            for name in (
                "train/loss",
                "validation/psnr",
                "speed/frames_per_second",
                "speed/share_of_product_rate",
            )
            if name in figures
        )
        when = f", {left / 60:.0f} min left" if step > first[0] else ""
        print(f"step {step} of {steps}{when}  {told}", file=sys.stderr, flush=True)

    return report
