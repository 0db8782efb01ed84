"""Random programs: a seed and a style give always the same one, styles steer, guards say why they refuse."""

import numpy as np
import pytest
import torch

from made_programs import heard_at
from patience import mostly_slow
from synesthete.errors import ConfigError
from synesthete.programs.clips import draw_clips
from synesthete.programs.draws import STYLE_AXES, Draws
from synesthete.programs.grammar import write_program
from synesthete.programs.guards import find_fault, find_flaw
from synesthete.programs.palettes import PALETTES
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives
from synesthete.programs.sample import sample_program, sample_style, until_fit
from synesthete.programs.words import FIGURES, GROUNDS, PALETTE_LEANINGS, SCENES, SPARKS, SURFACES, WARPS

KINDS = {"figures": FIGURES, "surfaces": SURFACES, "grounds": GROUNDS, "scenes": SCENES, "sparks": SPARKS}
ENVELOPES = {"energy", "body", "voice", "air", "spark", "pulse"}
NEUTRAL = (0.0, 0.0, 0.0, 0.0)


def picture(root: dict[str, object], *, loud: float = 0.5) -> torch.Tensor:
    program = Program.from_json({"version": 1, "root": root})
    names = program.signals | {"energy"}
    signals = {name: torch.full((1, 1), loud) for name in names}
    tables = {name: table[None, None] for name, table in heard_at().items()}
    return draw_clips([program], signals, tables, size=(64, 36))[0, 0]


def test_the_same_seed_and_style_give_the_same_program() -> None:
    first, again, other = (sample_program(seed, sample_style(4)).program for seed in (4, 4, 5))

    assert first == again
    assert first != other
    assert Program.sample(4, sample_style(4)) == first
    assert Program.from_text(first.to_text()) == first


@pytest.mark.parametrize("seed", mostly_slow(range(8), (2, 3)))
def test_a_sampled_program_passes_every_guard_and_follows_the_music(seed: int) -> None:
    program = sample_program(seed, sample_style(seed)).program

    assert find_fault(program) is None
    assert find_flaw(program) is None
    assert len(program.signals & ENVELOPES) >= 2
    assert {"energy", "part"} <= program.signals
    quiet, loud = (picture(program.root.to_json(), loud=loud) for loud in (0.0, 0.9))
    assert float(loud.mean()) > 1.2 * float(quiet.mean())


def test_style_is_continuous_a_small_step_changes_little() -> None:
    def words(style: tuple[float, ...]) -> list[str]:
        roots = [write_program(Draws(seed, style)) for seed in range(60)]  # type: ignore[arg-type]
        return [str(Program.from_json({"version": 1, "root": root}).structure) for root in roots]

    same_near = np.mean([a == b for a, b in zip(words(NEUTRAL), words((0.05, 0.0, 0.0, 0.0)), strict=True)])
    same_far = np.mean([a == b for a, b in zip(words(NEUTRAL), words((2.0, 0.0, 0.0, 0.0)), strict=True)])

    assert same_near > 0.8
    assert same_far < 0.5


def test_each_axis_of_style_means_what_it_is_called() -> None:
    def share(axis: int, value: float, words: frozenset[str]) -> float:
        style = [0.0] * len(STYLE_AXES)
        style[axis] = value
        used = [
            {node.primitive.name for node in Program.from_json({"version": 1, "root": root}).root.walk()}
            | {str(root).partition("'stops': '")[2].partition("'")[0]}
            for root in (write_program(Draws(seed, tuple(style))) for seed in range(80))  # type: ignore[arg-type]
        ]
        return float(np.mean([bool(names & words) for names in used]))

    matter = frozenset({"smoke", "flow", "membrane", "caustics", "plasma", "fbm", "metaballs"})
    deep = frozenset({"tunnel", "galaxy", "starfield", "feedback", "perspective"})
    warm = frozenset({"ember", "gold", "rose", "dusk"})
    mirrors = frozenset({"kaleidoscope", "folds", "tile"})
    for axis, words in enumerate((matter, deep, warm, mirrors)):
        assert share(axis, 1.5, words) > share(axis, -1.5, words) + 0.2, STYLE_AXES[axis]


@pytest.mark.parametrize("style", [(0.0,), (0.0, 0.0, 0.0, 9.0), (float("nan"), 0.0, 0.0, 0.0)])
def test_what_is_no_style_is_refused_in_one_sentence(style: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="give 4 numbers within ±5: matter, depth, warmth, density"):
        sample_program(0, style)


@pytest.mark.parametrize("kind", KINDS)
def test_words_name_primitives_and_parameters_that_exist(kind: str) -> None:
    for name, word in KINDS[kind].items():
        primitive = primitives()[name]
        assert primitive.family == "field"
        assert set(word.leaning) <= set(STYLE_AXES)
        for parameter, (low, high, signal, _) in word.moves.items():
            declared = primitive.parameters[parameter]
            assert declared.low <= low < high <= declared.high, (name, parameter)
            assert signal in ENVELOPES
        assert set(word.given) <= set(primitive.parameters)


def test_warps_of_words_are_warps_and_palettes_are_palettes() -> None:
    assert all(primitives()[name].family == "warp" for name in WARPS)
    assert set(PALETTE_LEANINGS) < set(PALETTES)


LIT = {"node": "plasma", "size": 0.5}


@pytest.mark.parametrize(
    ("root", "flaw"),
    [
        ({"node": "palette", "light": 0.1, "of": LIT}, "dim"),
        ({"node": "grey", "of": LIT}, "grey"),
        ({"node": "palette", "colours": [[0.5, 0.2, 30], [0.8, 0.2, 60]], "light": 1.5, "of": LIT}, "veiled"),
        ({"node": "palette", "light": {"base": 0.3, "spark": 1.5}, "of": LIT}, "strobing"),
        ({"node": "palette", "light": {"base": 0.3, "energy": 0.5}, "of": {"node": "rose"}}, None),
    ],
)
def test_flaws_are_named(root: dict[str, object], flaw: str | None) -> None:
    assert find_flaw(Program.from_json({"version": 1, "root": root})) == flaw


def test_refusals_are_counted() -> None:
    dim = Program.from_json({"version": 1, "root": {"node": "palette", "light": 0.05, "of": LIT}})
    fit = sample_program(3).program

    sampled = until_fit(lambda attempt: dim if attempt < 2 else fit, "a test")

    assert sampled.program is fit
    assert sampled.refused == {"dim": 2}


@pytest.mark.slow
def test_where_nothing_is_fit_the_reason_is_told() -> None:
    dim = Program.from_json({"version": 1, "root": {"node": "palette", "light": 0.05, "of": LIT}})

    with pytest.raises(ConfigError, match="a test gave no fit program in 64 draws, 64 of them dim"):
        until_fit(lambda attempt: dim, "a test")
