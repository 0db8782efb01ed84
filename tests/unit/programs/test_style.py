"""Programs that follow a style: as they were written where it does not move, elsewhere where it does."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_scenes import FIGURE, TRAILS, heard_song
from synesthete.config.control import Control
from synesthete.config.preset import load_preset
from synesthete.generators.base import Size
from synesthete.generators.control import build_signals
from synesthete.generators.fuse import Fuser
from synesthete.generators.program import ProgramGenerator, program_of
from synesthete.programs.program import Program
from synesthete.programs.style import AWAY, STYLE_AXES, restyled, with_hue

WRITTEN = {
    "node": "palette",
    "colours": {"stops": "ember", "hue": "0.1 + 0.05*energy"},
    "of": {"node": "twist", "amount": "0.2*sin(tau*turn) - 0.1", "of": {"node": "rings", "phase": 0.3}},
}


def program(root: Any) -> Program:
    return Program.from_json({"version": 1, "root": root})


def curves(of: Program, *, away: tuple[float, ...] = (0.0,) * STYLE_AXES) -> dict[str, torch.Tensor]:
    made = build_signals(heard_song(1.0), Control(), frame_rate=Fraction(30), seed=3)
    moments = np.arange(made.frames) / 30
    return {
        name: torch.from_numpy(
            np.full(made.frames, away[int(name[-1])]) if name.startswith(AWAY) else made.at(name, moments)
        )
        for name in of.signals
    }


def rows(of: Program, *, away: tuple[float, ...] = (0.0,) * STYLE_AXES) -> torch.Tensor:
    values = of.vectors(curves(of, away=away))
    return values if values.ndim == 2 else values.expand(30, -1)


ROOTS = {"plain": FIGURE, "memory": TRAILS, "expressions": WRITTEN, "still": {"node": "rings"}}


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_at_the_presets_own_style_nothing_changes(root: dict[str, Any]) -> None:
    written = program(root)
    following = restyled(written, 7)

    assert following.structure == written.structure  # and so they share their kernels
    assert following.columns == written.columns
    assert torch.equal(rows(following), rows(written))


@pytest.mark.parametrize("name", ["corona", "trails", "kaleidoscope", "tiles"])
def test_shipped_programs_are_as_they_were_written_at_their_own_style(name: str) -> None:
    preset = load_preset(name)
    written, pictures = program_of(preset), []
    made = build_signals(heard_song(1.0), preset.control, frame_rate=Fraction(30), seed=preset.seed)
    style = np.tile(np.array(preset.style), (made.frames, 1))
    for of in (written, restyled(written, preset.seed)):
        generator = ProgramGenerator(of, Fuser(Path("unused"), wanted=False), origin=preset.style)
        trajectory = generator.score(made, style, preset.seed)
        pictures.append(next(generator.frames(trajectory, 4, 5, Size(64, 64))).clone())
    assert torch.equal(*pictures)


@pytest.mark.parametrize("axis", range(STYLE_AXES))
def test_every_axis_moves_the_picture(axis: int) -> None:
    written = program(WRITTEN)
    following = restyled(written, 7)
    away = tuple(1.0 if k == axis else 0.0 for k in range(STYLE_AXES))
    moved = rows(following, away=away) != rows(written)
    names = {name for name, is_moved in zip(written.columns, moved.any(0), strict=True) if is_moved}

    assert names
    if axis == 0:
        assert all(".palette.colours." in name for name in names)
    else:
        assert all(name.split(".")[1] in ("twist", "rings") for name in names)


def test_away_from_it_values_stay_in_their_ranges() -> None:
    following = restyled(program(TRAILS), 7)
    for corner in (10.0, -10.0):
        values = rows(following, away=(corner,) * STYLE_AXES)
        assert torch.isfinite(values).all()
    rings = program({"node": "rings", "count": 2.0})
    low, high = (
        rings.root.primitive.parameters["count"].low,  # type: ignore[union-attr]
        rings.root.primitive.parameters["count"].high,  # type: ignore[union-attr]
    )
    for corner in (1000.0, -1000.0):
        count = rows(restyled(rings, 7), away=(corner,) * STYLE_AXES)[:, 0]
        assert ((count >= low) & (count <= high)).all()


def test_light_and_memory_stay() -> None:
    written = program({"node": "glow", "of": {"node": "vignette", "of": TRAILS}})
    moved = rows(restyled(written, 7), away=(0.0, 3.0, 3.0, 3.0)) != rows(written)
    families = {node.primitive.name: node.primitive.family for node in written.root.walk()}
    for name, is_moved in zip(written.columns, moved.any(0), strict=True):
        if is_moved:
            assert families[name.split(".")[1]] in ("field", "warp"), name


def test_seeds_lead_in_other_directions() -> None:
    away = (0.0, 1.0, 1.0, 1.0)
    one, same, other = (rows(restyled(program(FIGURE), seed), away=away) for seed in (7, 7, 8))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_programs_that_follow_the_style_themselves_are_left_alone() -> None:
    own = program({"node": "rings", "count": {"base": 3, "style_0": 1.0}})
    in_words = program({"node": "palette", "of": {"node": "rings"}, "light": "1 + 0.1*style_3"})
    assert restyled(own, 7) is own
    assert restyled(in_words, 7) is in_words


LONG = "energy" + " + 0.125*energy" * 32  # 486 characters of 500
MANY = "energy" + "+1" * 99  # 199 steps of 200
DEEP = "(" * 39 + "energy" + "+1)" * 39


@pytest.mark.parametrize("text", [LONG, MANY, DEEP], ids=["long", "many", "deep"])
def test_expressions_at_the_limits_of_their_grammar_stay_as_they_are(text: str) -> None:
    written = program(
        {
            "node": "palette",
            "colours": {"stops": "ember", "hue": text},
            "of": {"node": "rings", "count": text, "phase": 0.3},
        }
    )
    following = restyled(written, 7)

    assert torch.equal(rows(following), rows(written))
    assert f"{AWAY}1" in following.signals  # what can follow does
    again = Program.from_json(with_hue(written.to_json(), 0.25))
    assert again.signals == written.signals


def test_a_large_program_follows() -> None:
    def tree(depth: int) -> dict[str, Any]:
        if depth == 0:
            return {"node": "rings"}
        return {"node": "screen", "below": tree(depth - 1), "above": tree(depth - 1)}

    root = {"node": "palette", "of": tree(6)}
    for _ in range(16):
        root = {"node": "vignette", "of": root}
    following = restyled(program(root), 7)
    nodes = list(following.root.walk())
    assert len(nodes) == 144
    counts = [float(dict(node.values["count"].by)[f"{AWAY}1"]) for node in nodes if "count" in node.values]
    assert len(set(counts)) == 64  # each in its own direction


def test_hues_that_are_turned_are_written_so() -> None:
    given = {"version": 1, "root": WRITTEN}
    written, turned = Program.from_json(given), Program.from_json(with_hue(given, 0.25))

    assert given == {"version": 1, "root": WRITTEN}
    back = Program.from_json(with_hue(turned.to_json(), -0.25))
    around = Program.from_json(with_hue(given, 1.0))
    for same in (back, around):
        torch.testing.assert_close(rows(same), rows(written), atol=1e-5, rtol=0)
    changed = (rows(turned) != rows(written)).any(0)
    names = {name for name, is_changed in zip(written.columns, changed, strict=True) if is_changed}
    assert all(".colours." in name for name in names)
