"""The program generator: the same frames from anywhere, at any size and frame rate, on both numeric paths."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_programs import heard_at, psnr_db, shrunk
from made_timelines import quiet_timeline
from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control
from synesthete.config.preset import Preset
from synesthete.errors import ConfigError
from synesthete.generators.base import Size, Trajectory, pixel_grid
from synesthete.generators.build import check_preset
from synesthete.generators.control import Signals, build_signals
from synesthete.generators.fuse import Fuser
from synesthete.generators.program import ProgramGenerator, program_of
from synesthete.programs.draw import Drawing
from synesthete.programs.program import Program

SMALL = Size(128, 72)
FIGURE = {
    "node": "palette",
    "light": {"base": 0.6, "energy": 0.4},
    "of": {"node": "rotate", "turn": {"turn": 1.0}, "of": {"node": "rings", "count": {"base": 2, "bass": 3}}},
}
TRAILS = {"node": "feedback", "zoom": 1.0, "turn": 0.2, "flow": 0.3, "decay": 0.4, "of": FIGURE}
BOTH = {"node": "glow", "amount": {"base": 0.5, "body": 0.5}, "of": TRAILS}
HEARING = {"node": "palette", "of": {"node": "spectrum_bars"}}


def timeline() -> Timeline:
    """Make five seconds with a beat twice a second."""
    made = quiet_timeline(5.0)
    ticks = np.arange(made.ticks) / 100
    table = np.array(made.table)
    hit = np.exp(-6 * (ticks % 0.5)).astype(np.float32)
    for name in ("loudness", "bass", "onset", "mid"):
        table[:, made.names.index(name)] = 0.3 + 0.6 * hit
    table[:, made.names.index("silence")] = 0.0
    spectrum = np.outer(hit, np.linspace(1, 0.2, 64)).astype(np.float32)
    return Timeline(table, made.names, spectrum, made.samples, made.sample_rate, made.music)


def signals(frame_rate: int) -> Signals:
    return build_signals(timeline(), Control(), frame_rate=Fraction(frame_rate), seed=3)


def scored(root: dict[str, Any], frame_rate: int = 30) -> tuple[ProgramGenerator, Trajectory]:
    program = Program.from_json({"version": 1, "root": root})
    generator = ProgramGenerator(program, Fuser(Path("unused"), wanted=False))
    curves = signals(frame_rate)
    return generator, generator.score(curves, np.zeros((curves.frames, 4)), 3)


def frame(root: dict[str, Any], index: int, size: Size = SMALL, frame_rate: int = 30) -> torch.Tensor:
    generator, trajectory = scored(root, frame_rate)
    return next(generator.frames(trajectory, index, index + 1, size)).clone()


@pytest.mark.parametrize("root", [FIGURE, TRAILS, BOTH, HEARING], ids=["plain", "trails", "glow", "hearing"])
def test_frames_are_the_same_from_any_start(root: dict[str, Any]) -> None:
    generator, trajectory = scored(root)
    whole = [picture.clone() for picture in generator.frames(trajectory, 0, 120, SMALL)]

    for start in (44, 45, 46, 89, 100, 119):
        assert torch.equal(next(generator.frames(trajectory, start, start + 1, SMALL)), whole[start])


@pytest.mark.parametrize("root", [FIGURE, TRAILS, BOTH, HEARING], ids=["plain", "trails", "glow", "hearing"])
def test_sixty_frames_a_second_make_the_moves_of_thirty(root: dict[str, Any]) -> None:
    for index in (0, 31, 77):
        assert torch.equal(frame(root, index), frame(root, 2 * index, frame_rate=60))


def test_twenty_four_frames_a_second_meet_thirty_where_they_coincide() -> None:
    assert torch.equal(frame(TRAILS, 48, frame_rate=24), frame(TRAILS, 60))
    assert not torch.equal(frame(TRAILS, 49, frame_rate=24), frame(TRAILS, 61))


@pytest.mark.parametrize("root", [TRAILS, BOTH], ids=["trails", "glow"])
def test_memory_looks_the_same_at_any_size(root: dict[str, Any]) -> None:
    small, large = frame(root, 40), frame(root, 40, Size(768, 432))

    assert psnr_db(small, shrunk(large, SMALL)) >= 24


def test_a_trail_remembers_and_forgets() -> None:
    flash = {**TRAILS, "of": {**FIGURE, "light": "4*step(time, 1.02)"}}  # dark from one second on
    plain = {**FIGURE, "light": "4*step(time, 1.02)"}

    assert float(frame(plain, 34).max()) == 0
    assert float(frame(flash, 34).mean()) > 0.02
    assert float(frame(flash, 140).max()) < 2 / 255


def test_no_frame_jumps_where_one_run_of_memory_ends() -> None:
    generator, trajectory = scored({**TRAILS, "of": {**FIGURE, "light": 0.5}})
    pictures = [picture.clone() for picture in generator.frames(trajectory, 80, 100, SMALL)]
    changes = [float((b - a).abs().mean()) for a, b in pairwise(pictures)]

    assert max(changes) < 3 * float(np.median(changes))


def test_bands_do_not_show() -> None:
    lit = {"node": "relief", "of": FIGURE, "height": {"node": "rings", "count": 5}}
    program = Program.from_json({"version": 1, "root": {"node": "glow", "of": lit}})
    pictures = []
    for tile in (128 * 7, 128 * 72):
        generator = ProgramGenerator(program, Fuser(Path("unused"), wanted=False), tile=tile)
        curves = signals(30)
        trajectory = generator.score(curves, np.zeros((curves.frames, 4)), 3)
        pictures.append(next(generator.frames(trajectory, 30, 31, SMALL)).clone())

    assert torch.equal(*pictures)


def test_a_saved_trajectory_draws_the_same_frames(tmp_path: Path) -> None:
    generator, trajectory = scored({"node": "screen", "below": TRAILS, "above": HEARING})
    trajectory.save(tmp_path)
    loaded = Trajectory.load(tmp_path)

    assert loaded.digest() == trajectory.digest()
    drawn, again = (next(generator.frames(t, 60, 61, SMALL)).clone() for t in (trajectory, loaded))
    assert torch.equal(drawn, again)


def test_the_style_moves_what_names_it() -> None:
    program = Program.from_json(
        {"version": 1, "root": {"node": "rings", "count": {"base": 3, "style_1": 2.0}}}
    )
    generator = ProgramGenerator(program, Fuser(Path("unused"), wanted=False))
    curves = signals(30)
    style = np.zeros((curves.frames, 4))
    style[:, 1] = np.linspace(0, 1, curves.frames)
    rows = generator.score(curves, style, 3).rows

    assert rows[0, 0] == 3.0
    assert rows[-1, 0] == 5.0


def test_unknown_signals_are_refused_before_anything_is_heard() -> None:
    preset = Preset(
        name="mine",
        summary="x",
        generator="program",
        program={"version": 1, "root": {**FIGURE, "light": "bas"}},
    )

    with pytest.raises(ConfigError, match="'bas'"):
        check_preset(preset)


def test_a_preset_holds_only_what_its_generator_reads() -> None:
    with pytest.raises(ValueError, match="takes no program"):
        Preset(name="mine", summary="x", program={"version": 1, "root": FIGURE})
    with pytest.raises(ValueError, match="program is missing"):
        Preset(name="mine", summary="x", generator="program")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, within torch
def test_fused_and_eager_pictures_agree_within_a_level(tmp_path: Path) -> None:
    lit = {"node": "relief", "of": FIGURE, "height": {"node": "rings", "count": 5}}
    root = {"node": "glow", "of": {"node": "vignette", "of": {"node": "feedback", "of": lit}}}
    program = program_of(
        Preset(name="mine", summary="x", generator="program", program={"version": 1, "root": root})
    )
    fuser = Fuser(tmp_path)
    if not fuser.available:
        pytest.skip(f"kernels can't be compiled here: {fuser.reason}")
    generator = ProgramGenerator(program, fuser)
    curves = signals(30)
    trajectory = generator.score(curves, np.zeros((curves.frames, 4)), 3)
    eager = next(generator.frames(trajectory, 20, 21, SMALL)).clone()
    path = generator.prepare(trajectory, SMALL)
    fused = next(generator.frames(trajectory, 20, 21, SMALL)).clone()

    assert fuser.reason is None
    assert path.startswith("fused")
    assert float((fused - eager).abs().max()) < 1 / 255


@pytest.mark.parametrize("of", [FIGURE, HEARING])
def test_layers_drawn_one_upon_the_other_are_the_whole_picture(of: dict[str, object]) -> None:
    lit = {"node": "relief", "of": of, "height": {"node": "rings", "count": 5}}
    root = {"node": "glow", "of": {"node": "vignette", "of": {"node": "feedback", "of": lit}}}
    _, trajectory = scored(root)
    frame = torch.tensor([2 / 72, 16 / 9, 1.0])
    drawing = Drawing(Program.from_json({"version": 1, "root": root}))
    x, y = pixel_grid(SMALL, border=drawing.border)
    vector = torch.cat([frame, torch.from_numpy(trajectory.rows[9].copy())])
    heard = [heard_at()[name] for name in drawing.hears]
    maps = [torch.rand(3, 9, 128), torch.arange(72) // 9, torch.rand(72, 1)] * drawing.maps

    whole = drawing.paint(x, y, vector, *heard, *maps)
    below: tuple[torch.Tensor, ...] = ()
    for index in range(len(drawing.layers)):
        seen = maps[: 3 * drawing.maps_below(index)]
        below = (drawing.layer(index, x, y, vector, *heard, *seen, *below),)

    assert [step.node.primitive.name for step in drawing.layers] == ["relief", "vignette", "glow"]
    assert torch.equal(below[0], whole)


def test_a_program_is_not_cut_below_what_looks_at_neighbours() -> None:
    root = {"node": "glow", "of": {"node": "relief", "of": TRAILS, "height": {"node": "rings"}}}

    assert len(Drawing(Program.from_json({"version": 1, "root": root})).layers) == 2
