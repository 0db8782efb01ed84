"""``synesthete pipeline``."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.render import DebugOption, JsonOption, WorkspaceOption
from synesthete.cli.train import need_extra, progress_reporter
from synesthete.config.base import build
from synesthete.config.pipeline import PipelineOptions

__all__ = ["pipeline"]


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=PipelineOptions.model_fields[field].description, **settings)


def pipeline(
    preset: Annotated[str, _option("preset", "--preset", metavar="smoke|small")] = "small",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            show_default=False,
            help="Where everything goes; by default runs/pipeline-PRESET in the workspace.",
        ),
    ] = None,
    vae: Annotated[
        Path | None, _option("vae", "--vae", metavar="WEIGHTS.safetensors", show_default=False)
    ] = None,
    set_vae: Annotated[list[str] | None, _option("set_vae", "--set-vae", metavar="FIELD=VALUE")] = None,
    changes: Annotated[list[str] | None, _option("set", "--set", metavar="FIELD=VALUE")] = None,
    clips: Annotated[int | None, _option("clips", "--clips", "-n", show_default=False)] = None,
    seconds: Annotated[float, _option("seconds", "--seconds")] = 6.0,
    seed: Annotated[int, _option("seed", "--seed")] = 13,
    hours: Annotated[float | None, _option("hours", "--hours")] = None,
    workers: Annotated[int, _option("workers", "--workers", "-j")] = 1,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train an autoencoder and a model that listens on it, measure, and draw a film; repeat it to go on."""
    options = build(
        PipelineOptions,
        {
            "preset": preset, "vae": vae, "set_vae": tuple(set_vae or ()), "set": tuple(changes or ()),
            "clips": clips, "seconds": seconds, "seed": seed, "hours": hours, "workers": workers,
            "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    need_extra()
    from synesthete.training.pipeline import run_pipeline

    report_step = progress_reporter(as_json)

    def on_stage(stage: str) -> None:
        nonlocal report_step
        report_step = progress_reporter(as_json)
        if as_json:
            print(json.dumps({"event": "stage", "stage": stage}), flush=True)
        else:
            print(f"{stage} …", file=sys.stderr, flush=True)

    found = run_pipeline(
        options,
        output or options.workspace / "runs" / f"pipeline-{options.preset}",
        on_stage=on_stage,
        on_step=lambda step, steps, figures: report_step(step, steps, figures),
    )
    if found.report is None:
        assert found.stopped is not None
        name, step, steps = found.stopped
        if as_json:
            print(json.dumps({"event": "stopped", "stage": name, "step": step, "of": steps}), flush=True)
        else:
            typer.echo(f"{name}: step {step} of {steps}; the same command goes on from here")
        return
    if as_json:
        done = {"event": "done", "report": str(found.folder / "report.json")}
        print(json.dumps(done | {"listening": found.report["listening"]}, allow_nan=False), flush=True)
        return
    from synesthete.training.diffusion_table import diffusion_table

    for line in diffusion_table(found.report["figures"]):
        typer.echo(line)
    typer.echo(f"report:  {found.folder / 'report.md'}")
    typer.echo(f"film:    {found.folder / found.report['film']}")
