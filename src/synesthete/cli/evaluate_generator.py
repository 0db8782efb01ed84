"""``synesthete evaluate-generator``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption, DeviceOption, GeneratorOption, PresetOption, WorkspaceOption
from synesthete.config.base import build
from synesthete.config.evaluate import ProbeOptions
from synesthete.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synesthete.evaluation.generator_probes import ProbeResult

__all__ = ["evaluate_generator"]

FAILED = 3
_SHOWN = (
    "shuffle.gap", "other_song.gap", "silence.gap", "sync.effect", "flicker", "speed.ms_per_frame",
)  # fmt: skip


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=ProbeOptions.model_fields[field].description, **settings)


def evaluate_generator(
    generator: GeneratorOption = None,
    preset: PresetOption = None,
    compare: Annotated[list[str] | None, _option("compare", metavar="PRESET")] = None,
    song: Annotated[Path | None, _option("song")] = None,
    other: Annotated[Path | None, _option("other", metavar="SONG")] = None,
    references: Annotated[Path | None, _option("references", metavar="DIR")] = None,
    baselines: Annotated[bool, _option("baselines", "--baselines/--no-baselines")] = True,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the report to FILE.html, and FILE.json beside it."),
    ] = None,
    fail_under: Annotated[list[str] | None, _option("fail_under", metavar="KEY=VALUE")] = None,
    device: DeviceOption = "auto",
    workspace: WorkspaceOption = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Probe a generator: whether it listens, how steady it is, what styles it has, how fast it is."""
    options = build(
        ProbeOptions,
        {
            "generator": generator, "preset": preset, "compare": tuple(compare or ()), "song": song,
            "other": other, "references": references, "baselines": baselines, "device": device,
            "fail_under": dict(_limit(text) for text in fail_under or ()), "workspace": workspace,
        },
        where="options",
    )  # fmt: skip
    from synesthete.evaluation.generator_report import report_document, write_generator_report
    from synesthete.render.evaluate_generator import check_limits, failures
    from synesthete.render.evaluate_generator import evaluate_generator as probe
    from synesthete.render.output import check_output

    check_limits(options.fail_under)
    if output is not None:
        check_output(output, song, example="report.html", because="the report is one HTML page")

    def on_step(name: str, step: str) -> None:
        if not as_json and sys.stderr.isatty():
            typer.echo(f"{name}: {step}", err=True)

    results = probe(options, on_step=on_step)
    if output is not None:
        write_generator_report(output, results)
    if as_json:
        print(json.dumps(report_document(results), allow_nan=False), flush=True)
    else:
        for line in _table(results):
            typer.echo(line)
        if output is not None:
            typer.echo(f"report: {output}")
    missed = failures(results[0].figures, options.fail_under)
    if missed:
        typer.echo(f"synesthete: {results[0].figures['subject']}: {'; '.join(missed)}", err=True)
        raise typer.Exit(FAILED)


def _limit(text: str) -> tuple[str, float]:
    key, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return key.strip(), float(value)
    except ValueError:
        raise ConfigError(
            f"--fail-under {text[:60]!r} is not KEY=VALUE; pass for instance --fail-under shuffle.gap=0.069"
        ) from None


def _table(results: "Sequence[ProbeResult]") -> list[str]:
    from synesthete.evaluation.verdicts import shown, value_at

    def cells(figures: "Mapping[str, Any]") -> str:
        return "".join(f"{shown(value_at(figures, key), '.3f'):>20}" for key in _SHOWN)

    head = f"{'':16}" + "".join(f"{key:>20}" for key in _SHOWN)
    return [head, *(f"{result.figures['subject']:16}{cells(result.figures)}" for result in results)]
