"""Programs from programs: between two, changed a little, crossed."""

import pytest
import torch

from made_programs import heard_at, signals_at
from patience import mostly_slow
from synesthete.errors import ConfigError
from synesthete.programs.clips import draw_clips
from synesthete.programs.guards import find_fault, find_flaw
from synesthete.programs.program import Program
from synesthete.programs.sample import sample_program, sample_style
from synesthete.programs.vary import crossover, interpolate, mutate


def program(root: dict[str, object]) -> Program:
    return Program.from_json({"version": 1, "root": root})


def sampled(seed: int) -> Program:
    return sample_program(seed, sample_style(seed)).program


def picture(of: Program) -> torch.Tensor:
    signals = {name: value.view(1, 1) for name, value in signals_at().items()}
    signals |= {name: torch.full((1, 1), 0.3) for name in of.signals - set(signals)}
    tables = {name: table[None, None] for name, table in heard_at().items()}
    return draw_clips([of], signals, tables, size=(64, 36))[0, 0]


RINGS = {"node": "palette", "colours": "ember", "of": {"node": "rings", "count": 2.0, "phase": 0.9}}
MORE = {
    "node": "palette",
    "colours": {"stops": "ocean", "hue": 0.1},
    "of": {"node": "rings", "count": {"base": 4.0, "body": 2.0}, "phase": 0.1},
}


def test_values_of_equal_trees_are_mixed_and_phases_go_the_shorter_way() -> None:
    root = interpolate(program(RINGS), program(MORE), 0.5).to_json()["root"]

    assert root["of"]["count"] == {"base": 3.0, "body": 1.0}
    assert root["of"]["phase"] % 1.0 == pytest.approx(0.0, abs=1e-9)
    assert root["colours"]["hue"] == pytest.approx(0.05)
    assert len(root["colours"]["stops"]) == 4


def test_expressions_are_mixed_as_expressions() -> None:
    written = {"node": "rings", "count": "2 + 4*body^2"}
    between = interpolate(program({"node": "rings", "count": 4.0}), program(written), 0.25)

    root = between.root
    at_half = root.primitive.parameters["count"].evaluate(root.values["count"], {"body": torch.tensor(0.5)})
    assert float(at_half[0]) == pytest.approx(0.75 * 4.0 + 0.25 * 3.0, abs=1e-4)


def test_the_ends_are_the_programs_themselves() -> None:
    a, b = sampled(1), sampled(2)

    assert interpolate(a, b, 0.0) is a
    assert interpolate(a, b, 1.0) is b


@pytest.mark.parametrize("seeds", mostly_slow([(1, 2), (3, 4), (100, 101)], [(3, 4)]))
def test_pictures_go_evenly_from_one_to_the_other(seeds: tuple[int, int]) -> None:
    a, b = (sampled(seed) for seed in seeds)
    path = torch.stack([picture(interpolate(a, b, t)) for t in (0.0, 0.02, 0.5, 0.98, 1.0)])

    whole = float((path[-1] - path[0]).abs().mean())
    assert float((path[1] - path[0]).abs().mean()) < 0.15 * whole
    assert float((path[4] - path[3]).abs().mean()) < 0.15 * whole
    assert float((path[2] - path[0]).abs().mean()) > 0.15 * whole


def test_two_that_together_are_too_large_are_refused() -> None:
    def deep(count: int, word: str) -> dict[str, object]:
        root: dict[str, object] = {"node": word}
        for _ in range(count):
            root = {"node": "add", "below": root, "above": {"node": word}}
        return root

    large = {"node": "add", "below": deep(18, "rings"), "above": deep(18, "plasma")}
    many = {"node": "add", "below": large, "above": deep(18, "dots")}
    other = {"node": "screen", "below": many, "above": deep(18, "cells")}

    with pytest.raises(ConfigError, match="at most 200 nodes"):
        interpolate(program(many), program(other), 0.5)


def test_a_mutation_is_another_program_that_is_fit_and_alike() -> None:
    parent = sampled(103)

    child, again, other = (mutate(parent, seed, strength=0.2) for seed in (1, 1, 2))

    assert child.program == again.program
    assert child.program not in (parent, other.program)
    assert find_flaw(child.program) is None
    assert find_fault(child.program) is None


@pytest.mark.slow
def test_the_stronger_the_further() -> None:
    parent = sampled(103)
    own = picture(parent)

    def distance(strength: float) -> float:
        children = [mutate(parent, seed, strength=strength).program for seed in range(4)]
        return sum(float((picture(child) - own).abs().mean()) for child in children) / 4

    assert distance(0.02) < 0.6 * distance(0.8)


@pytest.mark.parametrize("seed", range(4))
def test_a_child_has_parts_of_both(seed: int) -> None:
    a, b = sampled(101), sampled(108)

    child = crossover(a, b, seed).program

    words = [{node.primitive.name for node in one.root.walk()} for one in (a, b, child)]
    assert words[2] <= words[0] | words[1]
    assert child != a
    assert child == crossover(a, b, seed).program
