"""Random trees from the whole vocabulary: finite, readable, and the same picture at any size."""

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from made_programs import heard_at, psnr_db, shrunk, signals_at
from patience import mostly_slow
from synesthete.generators.base import Size
from synesthete.programs.clips import draw_clips
from synesthete.programs.guards import find_fault
from synesthete.programs.program import Program
from synesthete.programs.random_trees import random_program

FRAMES = 8


def clip(program: Program, size: Size, *, frame_rate: int = 30, frames: int = FRAMES) -> Tensor:
    """Draw a short clip of the made-up song."""
    moments = [1.0 + k / frame_rate for k in range(frames)]
    signals = {name: torch.stack([signals_at(t)[name] for t in moments])[None] for name in signals_at()}
    heard = [heard_at(t) for t in moments]
    tables = {name: torch.stack([tables[name] for tables in heard])[None] for name in heard[0]}
    return draw_clips(
        [program], signals, tables, size=(size.width, size.height), frame_rate=Fraction(frame_rate), fine=None
    )[0]


def check(seed: int, large: Size) -> None:
    program = random_program(seed)
    remembers = any(node.primitive.name == "feedback" for node in program.root.walk())
    frames = FRAMES if remembers else 1
    pictures = {
        size: clip(program, size, frames=frames)[-1] for size in (Size(128, 72), Size(256, 144), large)
    }

    assert Program.from_text(program.to_text()) == program
    for size, picture in pictures.items():
        assert torch.isfinite(picture).all()
        assert float(picture.min()) >= 0.0
        assert float(picture.max()) <= 1.0
        if size != large:
            same = psnr_db(picture, shrunk(pictures[large], size))
            assert same >= (24.0 if remembers else 28.0), program.to_text()


@pytest.mark.parametrize("seed", mostly_slow(range(12), (1, 2, 3)))
def test_a_random_program_is_the_same_picture_at_any_size(seed: int) -> None:
    check(seed, Size(1024, 576))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(500))
def test_five_hundred_random_programs_are_the_same_picture_at_1080_lines(seed: int) -> None:
    check(seed, Size(1920, 1080))


@pytest.mark.parametrize("seed", mostly_slow(range(6), (1, 2)))
def test_a_random_program_makes_the_same_moves_at_sixty_frames(seed: int) -> None:
    program = random_program(seed)
    thirty, sixty = (clip(program, Size(64, 36), frame_rate=rate, frames=rate // 5) for rate in (30, 60))

    torch.testing.assert_close(sixty[::2], thirty, atol=2e-3, rtol=0)


def test_feedback_between_frames_turns_the_short_way_where_a_phase_wraps() -> None:
    spun = {"node": "rotate", "turn": {"base": 0.0, "spin": 1.0}, "of": {"node": "spectrum_bars"}}
    root = {"node": "feedback", "of": {"node": "palette", "of": spun}}
    program = Program.from_json({"version": 1, "root": root})

    def last(frame_rate: int) -> Tensor:
        frames = frame_rate // 5 + 1
        signals = {"spin": 0.9 + torch.linspace(0.0, 0.2, frames)[None]}
        tables = {name: table.expand(1, frames, *table.shape) for name, table in heard_at().items()}
        return draw_clips([program], signals, tables, size=(64, 36), frame_rate=Fraction(frame_rate))[0, -1]

    # At fifteen frames a second every other tick lies between two of them.
    torch.testing.assert_close(last(15), last(30), atol=2e-3, rtol=0)


def test_the_same_seed_gives_the_same_program_and_another_another() -> None:
    assert random_program(3) == random_program(3)
    assert random_program(3) != random_program(4)


def test_programs_of_one_batch_do_not_know_each_other() -> None:
    programs = [random_program(seed) for seed in (0, 1, 0)]
    signals = {name: value.expand(3, 2) for name, value in signals_at().items()}
    tables = {name: table.expand(3, 2, *table.shape) for name, table in heard_at().items()}

    together = draw_clips(programs, signals, tables, size=(64, 36))

    torch.testing.assert_close(together[0], together[2], atol=1e-5, rtol=0)
    assert float((together[0] - together[1]).abs().mean()) > 0.01


@pytest.mark.parametrize(
    ("root", "fault"),
    [
        ({"node": "palette", "light": 0.0, "of": {"node": "rings"}}, "dead"),
        (
            {
                "node": "palette",
                "colours": "glacier",
                "light": {"base": 4.0, "energy": 0.1},
                "of": {"node": "plasma"},
            },
            "blown out",
        ),
        ({"node": "rings"}, "deaf"),
        ({"node": "rings", "count": {"base": 3.0, "energy": 2.0}}, None),
    ],
)
def test_guards_say_what_is_wrong(root: dict[str, object], fault: str | None) -> None:
    assert find_fault(Program.from_json({"version": 1, "root": root})) == fault
