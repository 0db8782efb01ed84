"""Training and measuring the generator of pictures on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from made_stills import write_lamps

Command = Callable[..., Any]
CHANGES = (
    "steps=2", "validate_every=2", "model.widths=[8, 8]", "model.discriminator_width=8",
    "data.batch_size=2", "validation_batches=2",
)  # fmt: skip
TINY = tuple(part for change in CHANGES for part in ("--set", change))


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")
def test_a_run_trains_weights_that_can_be_measured(cli: Command, tmp_path: Path) -> None:
    images, run = write_lamps(tmp_path / "lamps"), tmp_path / "run"
    given = ("train", "gan", "--preset", "smoke", "--images", images, "-o", run, "-j", 0, *TINY)
    outcome = cli(*given, "--json")
    assert outcome.status == 0, outcome
    weights = run / "gan.safetensors"
    assert outcome.events[-1] == {"event": "done", "step": 2, "of": 2, "weights": str(weights)}

    outcome = cli(*given)
    assert outcome.status == 0, outcome
    assert "frechet:" in outcome.out  # it was finished

    report = tmp_path / "report"
    outcome = cli("evaluate-gan", weights, "--images", images, "-n", 8, "-o", report, "--json")
    assert outcome.status == 0, outcome
    assert outcome.events[0] == json.loads((report / "gan.json").read_text())
    names = {path.name for path in report.iterdir()}
    assert names == {"gan.json", "drawn.png", "sweeps.png", "neighbours.png"}
    outcome = cli("evaluate-gan", weights, "--images", images, "-n", 8)
    for word in ("8 drawn pictures", "frechet:", "variety:", "colour:", "nearest:", "sweeps:", "drawing:"):
        assert word in outcome.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "gan"), "name their folder with --images"),
        (("train", "gan", "--images", "nowhere"), "nowhere is no folder"),
        (("train", "gan", "--set", "model.width=3"), "model.width is no known field"),
        (("evaluate-gan", "no.safetensors", "--images", "nowhere"), "there are no weights at"),
        (("evaluate-gan", "--images", "nowhere", "-n", "2"), "count = 2"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    arguments: tuple[str, ...], said: str, cli: Command, tmp_path: Path
) -> None:
    more = ("-o", tmp_path / "run") if arguments[0] == "train" else ()
    outcome = cli(*arguments, *more)
    assert outcome.status == 2, outcome
    assert said in outcome.message
