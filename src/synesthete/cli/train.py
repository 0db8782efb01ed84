"""``synesthete train``."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.dataset import open_embedder_of, open_music_of
from synesthete.cli.render import DebugOption, JsonOption, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.diffusion import load_diffusion_config
from synesthete.config.gan import load_gan_config
from synesthete.config.training import TrainOptions
from synesthete.config.vae import load_vae_config

if TYPE_CHECKING:
    from synesthete.training.run import RunResult

__all__ = ["app", "need_extra", "progress_reporter"]

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
        raise ConfigError(
            "train needs the name of a model: synesthete train vae, synesthete train diffusion, or "
            "synesthete train gan"
        )


PresetOption = Annotated[str, _option("preset", "--preset", metavar="smoke|small|base|large")]
ConfigOption = Annotated[Path | None, _option("config", "--config", metavar="FILE.yaml")]
SetOption = Annotated[list[str] | None, _option("set", "--set", metavar="FIELD=VALUE")]
HoursOption = Annotated[float | None, _option("hours", "--hours")]
DevicesOption = Annotated[int, _option("devices", "--devices")]
NodesOption = Annotated[int, _option("nodes", "--nodes")]
WorkersOption = Annotated[int, _option("workers", "--workers", "-j")]
ShardsOption = Annotated[Path | None, _option("shards", "--shards", metavar="FOLDER")]
InitOption = Annotated[Path | None, _option("init_from", "--init-from", metavar="WEIGHTS.safetensors")]
WandbOption = Annotated[bool, _option("wandb", "--wandb")]


def _folder_option(kind: str) -> Any:
    return typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        show_default=False,
        help=f"The run's folder; by default runs/{kind}-PRESET in the workspace.",
    )


@app.command()
def vae(
    output: Annotated[Path | None, _folder_option("vae")] = None,
    preset: PresetOption = "small",
    config: ConfigOption = None,
    changes: SetOption = None,
    hours: HoursOption = None,
    devices: DevicesOption = 1,
    nodes: NodesOption = 1,
    workers: WorkersOption = 1,
    shards: ShardsOption = None,
    init_from: InitOption = None,
    wandb: WandbOption = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the autoencoder: pictures to latents, and latents to pictures of any size."""
    options = _options(
        preset=preset, config=config, set=tuple(changes or ()), hours=hours, devices=devices, nodes=nodes,
        workers=workers, shards=shards, init_from=init_from, wandb=wandb, workspace=workspace,
    )  # fmt: skip
    run = load_vae_config(options.preset, options.config, options.set)
    from synesthete.training.vae_run import train_vae

    found = train_vae(
        run,
        options,
        output or options.workspace / "runs" / f"vae-{options.preset}",
        music=open_music_of(run.data, options.workspace),
        embedder=open_embedder_of(run.data),
        on_step=progress_reporter(as_json),
    )
    _tell(found, as_json)


@app.command()
def diffusion(
    output: Annotated[Path | None, _folder_option("diffusion")] = None,
    preset: PresetOption = "small",
    config: ConfigOption = None,
    changes: SetOption = None,
    hours: HoursOption = None,
    devices: DevicesOption = 1,
    nodes: NodesOption = 1,
    workers: WorkersOption = 1,
    shards: ShardsOption = None,
    autoencoder: Annotated[
        Path | None,
        typer.Option(
            "--vae",
            metavar="WEIGHTS.safetensors",
            show_default=False,
            help="The autoencoder whose latents are learned; by default the one that ships.",
        ),
    ] = None,
    init_from: InitOption = None,
    wandb: WandbOption = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the model that listens: latents from noise, what is heard, and a style."""
    options = _options(
        preset=preset, config=config, set=tuple(changes or ()), hours=hours, devices=devices, nodes=nodes,
        workers=workers, shards=shards, init_from=init_from, wandb=wandb, workspace=workspace,
    )  # fmt: skip
    run = load_diffusion_config(options.preset, options.config, options.set)
    from synesthete.training.diffusion_run import train_diffusion

    found = train_diffusion(
        run,
        options,
        output or options.workspace / "runs" / f"diffusion-{options.preset}",
        vae=autoencoder,
        music=open_music_of(run.data, options.workspace),
        embedder=open_embedder_of(run.data),
        on_step=progress_reporter(as_json),
    )
    _tell(found, as_json)


@app.command()
def gan(
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            metavar="FOLDER",
            show_default=False,
            help="The pictures to learn from: a folder that dataset images wrote, or any other.",
        ),
    ] = None,
    output: Annotated[Path | None, _folder_option("gan")] = None,
    preset: PresetOption = "small",
    config: ConfigOption = None,
    changes: SetOption = None,
    hours: HoursOption = None,
    devices: DevicesOption = 1,
    nodes: NodesOption = 1,
    workers: WorkersOption = 1,
    init_from: InitOption = None,
    wandb: WandbOption = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train the generator of pictures: stills of a folder, drawn anew from latents."""
    from synesthete.errors import ConfigError

    options = _options(
        preset=preset, config=config, set=tuple(changes or ()), hours=hours, devices=devices, nodes=nodes,
        workers=workers, init_from=init_from, wandb=wandb, workspace=workspace,
    )  # fmt: skip
    run = load_gan_config(options.preset, options.config, options.set)
    if images is None:
        raise ConfigError(
            "train gan learns from pictures: name their folder with --images FOLDER; `synesthete dataset "
            "images -o FOLDER` writes one"
        )
    from synesthete.training.gan_run import train_gan
    from synesthete.training.stills.collection import open_stills

    found = train_gan(
        run,
        options,
        output or options.workspace / "runs" / f"gan-{options.preset}",
        open_stills(images),
        on_step=progress_reporter(as_json),
    )
    _tell(found, as_json)


def _options(**values: Any) -> TrainOptions:
    options = build(TrainOptions, values, where="options")
    need_extra()
    return options


def _tell(found: "RunResult", as_json: bool) -> None:
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


def need_extra() -> None:
    """Say which extra is missing, if it is.

    Raises
    ------
    ConfigError
        If it is.
    """
    from importlib.util import find_spec

    from synesthete.errors import ConfigError

    if any(find_spec(name) is None for name in ("lightning", "tensorboard")):
        raise ConfigError(_EXTRA)


def progress_reporter(as_json: bool) -> Any:
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
                "validation/wrong",
                "validation/course_r",
                "validation/frechet",
                "speed/frames_per_second",
                "speed/share_of_product_rate",
            )
            if name in figures
        )
        when = f", {left / 60:.0f} min left" if step > first[0] else ""
        print(f"step {step} of {steps}{when}  {told}", file=sys.stderr, flush=True)

    return report
