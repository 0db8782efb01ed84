"""What makes the model listen: the same small training again and again, each time with one thing more.

Begins with what the original project had: every frame hears the mean of its clip, there is no style, wrong
audio costs nothing, music never rests. Each variant adds one thing to the last, is trained as long on the
same data by every seed, and is measured by `synesthete.training.diffusion_report`. Guidance is a matter of
drawing: the last variant is the one before, drawn otherwise.

Every run is a folder, and repeating the command goes on: with ``--hours`` it can be done in shifts, with
``--only`` on several machines. The table is written of all that is there.

Usage: ``python benchmarks/ablations.py -o FOLDER [--preset small] [--steps 1500] [--seeds 3] [--clips 48]
[--vae WEIGHTS] [--set FIELD=VALUE …] [--only NAME …] [--hours H] [--table docs/ablations.md]``
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from synesthete.config.diffusion import DiffusionConfig, load_diffusion_config
from synesthete.config.training import TrainOptions
from synesthete.files import digest_file, write_json, write_whole
from synesthete.models.weights import shipped_weights
from synesthete.training.diffusion_report import measure_diffusion, report_sheets
from synesthete.training.diffusion_run import train_diffusion
from synesthete.training.drawer import load_drawer

GUIDANCE = 3.0
BASELINE = (
    "conditions.aligned=false", "conditions.p_style_drop=1", "pressure.weight=0",
    "data.audio_silence_mix_prob=0", "losses.silence=0", "sampling.audio_guidance=1",
)  # fmt: skip
"""What the original project had. Validation draws all variants without guidance."""


class Variant(NamedTuple):
    """What is tried.

    Attributes
    ----------
    name
        Of its folders.
    adds
        What the table calls it.
    changes
        To the configuration, on top of those of all before it.
    audio_guidance
        How it is drawn.
    """

    name: str
    adds: str
    changes: tuple[str, ...] = ()
    audio_guidance: float = 1.0


VARIANTS = (
    Variant("baseline", "misaligned, unpressed"),
    Variant("alignment", "+ alignment", ("conditions.aligned=true",)),
    Variant("style", "+ style", ("conditions.p_style_drop=0.1",)),
    Variant("pressure", "+ pressure", ("pressure.weight=0.5", "pressure.negatives={roll: 1}")),
    Variant(
        "negatives", "+ hard negatives", ("pressure.negatives={clip: 2, shift: 1, silence: 1}",),
    ),
    Variant("silence", "+ silence mix", ("data.audio_silence_mix_prob=0.25", "losses.silence=0.1")),
    Variant("guidance", "+ guidance", (), GUIDANCE),
)  # fmt: skip


class Column(NamedTuple):
    """A column of the table.

    Attributes
    ----------
    head
        Its name.
    place
        Where it stands in what is measured.
    means
        What it says.
    """

    head: str
    place: str
    means: str


COLUMNS = (
    Column(
        "wrong audio",
        "listening.ratio",
        "loss under another song's audio over that under the right one, of velocities; 1 is deaf",
    ),
    Column(
        "shuffle",
        "reactive.shuffle.of_teacher",
        "what another song changes, over what it changes in the reactive programs' own pictures; 0 is deaf",
    ),
    Column("… held out", "held_out.shuffle.of_teacher", "the same of programs that were never trained on"),
    Column(
        "brightness r",
        "reactive.brightness.r",
        "correlation of brightness with the program's, frame by frame; of reactive programs",
    ),
    Column("… in clips", "reactive.brightness.within_r", "the same, the means of clips taken out"),
    Column("… held out", "held_out.brightness.within_r", "the same of programs that were never trained on"),
    Column(
        "bands",
        "bands.agrees",
        "correlation, pixel by pixel, of what muting low, middle or high bands changes with what it changes "
        "in the programs' own pictures",
    ),
    Column("silence", "reactive.silence.model", "motion in spliced silence, over motion in loud music"),
    Column("contrast", "held_out.look.contrast", "over the programs', held out"),
    Column("saturation", "held_out.look.saturation", "over the programs', held out"),
    Column(
        "styles",
        "styles.number.of_teacher",
        "effective number of looks of random styles, over that of as many programs",
    ),
    Column(
        "constancy",
        "styles.constancy.model",
        "how often a style on another song is nearer to itself than to another style; by chance 0.5",
    ),
)
"""What the table shows."""


def configuration(variant: Variant, given: argparse.Namespace, seed: int) -> DiffusionConfig:
    """Give a variant's run: all changes up to its own, and last those of the command line."""
    upto = VARIANTS[: VARIANTS.index(variant) + 1]
    budget = (
        # The last weights are kept: of the best ones some would have been trained longer than others.
        f"steps={given.steps}", f"validate_every={given.steps}", f"seed={seed}",
        # The bootstrap, and then the catalogue, in the share of training that a long run has them in.
        f"data.audio_debug_mix_prob=[[0, 1.0], [{given.steps // 3}, 1.0], [{given.steps}, 0.3]]",
        "optimiser.accumulate=1",
    )  # fmt: skip
    changes = (*BASELINE, *(change for one in upto for change in one.changes))
    return load_diffusion_config(given.preset, None, (*budget, *changes, *given.set))


def trained_as(variant: Variant) -> Variant:
    """Give the variant that is trained for this one."""
    return VARIANTS[VARIANTS.index(variant) - 1] if variant.name == "guidance" else variant


def work(variant: Variant, given: argparse.Namespace, seed: int) -> dict[str, Any] | None:
    """Train a variant by one seed and measure it, as far as that is not done; None: it is not finished."""
    run = given.output / f"{trained_as(variant).name}-{seed}"
    measured = given.output / "measured" / f"{variant.name}-{seed}.json"
    weights = run / "diffusion.safetensors"
    if given.only and variant.name not in given.only and not measured.exists():
        return None
    options = TrainOptions(preset=given.preset, hours=given.hours, workers=given.workers)
    found = train_diffusion(
        configuration(trained_as(variant), given, seed), options, run, vae=given.vae,
        on_step=lambda step, steps, figures: print(f"{run.name}: {step} of {steps}", end="\r", flush=True),
    )  # fmt: skip
    if found.weights is None:
        print(f"{run.name}: step {found.step} of {found.steps}; repeat the command to go on")
        return None
    asked = {"weights": digest_file(weights), "clips": given.clips, "guidance": variant.audio_guidance}
    if measured.exists():
        before: dict[str, Any] = json.loads(measured.read_text(encoding="utf-8"))
        if before["asked"] == asked:
            return before
    drawer = load_drawer(weights, vae=given.vae, seed=13, audio_guidance=variant.audio_guidance)
    report = measure_diffusion(drawer, clips=given.clips)
    report_sheets(measured.with_suffix(""), report)
    heard = report.figures["listening"]
    figures = report.figures | {"listening": {**heard, "ratio": heard["wrong"] / heard["right"]}}
    outcome = {"asked": asked, "figures": figures}
    write_json(measured, outcome)
    return outcome


def value_of(figures: Mapping[str, Any], place: str) -> float | None:
    """Give a figure by where it stands."""
    value: Any = figures
    for name in place.split("."):
        value = value[name]
    return None if value is None else float(value)


def cell(values: Sequence[float | None]) -> str:
    """Give a mean and, of several seeds, the range."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean = f"{sum(known) / len(known):.2f}"
    return mean if len(known) == 1 else f"{mean} ({min(known):.2f}–{max(known):.2f})"


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Give the table as Markdown: a row for every variant that was measured by some seed."""
    yield "| | seeds | " + " | ".join(column.head for column in COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 2) + "|"
    for variant in VARIANTS:
        outcomes = [one["figures"] for one in found.get(variant.name, ())]
        if outcomes:
            cells = [cell([value_of(one, column.place) for one in outcomes]) for column in COLUMNS]
            yield f"| {variant.adds} | {len(outcomes)} | " + " | ".join(cells) + " |"


def mixed_in(config: DiffusionConfig) -> str:
    """Tell how many clips the few reactive programs draw."""
    share = config.data.audio_debug_mix_prob
    if isinstance(share, float):
        return f"the few reactive programs draw {share:.0%} of the clips"
    return f"the first third on the few reactive programs alone, whose share then falls to {share[-1][1]:g}"


def page(found: Mapping[str, Sequence[Mapping[str, Any]]], given: argparse.Namespace) -> str:
    """Give docs/ablations.md."""
    config = configuration(VARIANTS[-2], given, 0)
    size = config.data.batch_size
    changed = "".join(f" `--set {change}`" for change in given.set)
    return "\n".join(
        [
            "# What makes the model listen",
            "",
            "Each row adds one thing to the row above, and is trained anew with the same budget: "
            f"{config.steps:,} steps of {size} clips, preset `{given.preset}`{changed}; {mixed_in(config)}. "
            "Means over seeds, and the range in brackets. `python benchmarks/ablations.py` does it all, and "
            "goes on where it was stopped.",
            "",
            *table(found),
            "",
            f"Measured as by `synesthete evaluate-diffusion -n {given.clips}`. *Misaligned*: every frame "
            "hears the mean of its clip. *Guidance* trains nothing: it is the row above, drawn with an audio "
            f"guidance of {GUIDANCE:g} instead of 1.",
            "",
            "| column | |",
            "|---|---|",
            *(f"| {column.head} | {column.means} |" for column in COLUMNS),
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", "-o", type=Path, required=True)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--vae", type=Path, default=shipped_weights("vae"))
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--only", action="append", default=[], choices=[one.name for one in VARIANTS])
    parser.add_argument("--hours", type=float, help="of each run, before it pauses")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--table", type=Path, help="write the page to this file")
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(given.seeds):
        for variant in VARIANTS:
            outcome = work(variant, given, seed)
            if outcome is not None:
                found.setdefault(variant.name, []).append(outcome)
    for line in table(found):
        print(line)
    if given.table is not None:
        write_whole(given.table, page(found, given).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
