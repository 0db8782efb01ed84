"""What holds for every primitive there is, and for every one that is added."""

import inspect

import pytest
import torch

from made_programs import drawn, heard_at, minimal_node, psnr_db, shrunk, signals_at
from synesthete.generators.base import Size
from synesthete.programs.parameters import Choice, Count, Real
from synesthete.programs.program import Program
from synesthete.programs.registry import Primitive, primitives

NAMES = [name for name, primitive in primitives().items() if primitive.family != "memory"]
SMALL, LARGE = Size(128, 72), Size(640, 360)


def program_of(primitive: Primitive, **values: object) -> Program:
    return Program.from_json({"version": 1, "root": minimal_node(primitive, **values)})


def variants(primitive: Primitive) -> list[dict[str, object]]:
    """Give defaults, each choice, both ends of each count, and two seeded draws of all numbers."""
    result: list[dict[str, object]] = [{}]
    for name, parameter in primitive.parameters.items():
        if isinstance(parameter, Choice):
            result += [{name: option} for option in parameter.options[1:]]
        if isinstance(parameter, Count):
            result += [{name: parameter.low}, {name: parameter.high}]
    for seed in range(2):
        generator = torch.Generator().manual_seed(seed)
        values: dict[str, object] = {}
        for name, parameter in primitive.parameters.items():
            if isinstance(parameter, Real):
                share = float(torch.rand((), generator=generator, dtype=torch.float64))
                values[name] = parameter.low + share * (parameter.high - parameter.low)
        result.append(values)
    return result


def ends(primitive: Primitive) -> list[dict[str, object]]:
    """Give every number at its lowest and at its highest."""
    numbers = {n: p for n, p in primitive.parameters.items() if isinstance(p, Real)}
    return [{n: p.low for n, p in numbers.items()}, {n: p.high for n, p in numbers.items()}]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_draws(name: str) -> None:
    documentation = inspect.getdoc(primitives()[name].function)

    assert documentation is not None
    assert documentation.partition("\n")[0].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_json_gives_it_back(name: str) -> None:
    for values in variants(primitives()[name]):
        program = program_of(primitives()[name], **values)

        assert Program.from_text(program.to_text()) == program


@pytest.mark.parametrize("name", NAMES)
def test_it_is_finite_and_in_range_at_the_ends_of_its_ranges(name: str) -> None:
    for values in ends(primitives()[name]) + variants(primitives()[name]):
        for heard in (None, {key: torch.zeros_like(table) for key, table in heard_at().items()}):
            picture = drawn(program_of(primitives()[name], **values), SMALL, heard=heard)

            assert torch.isfinite(picture).all(), values
            assert float(picture.min()) >= 0.0
            assert float(picture.max()) <= 1.0


@pytest.mark.parametrize("name", [name for name in NAMES if primitives()[name].family == "field"])
@pytest.mark.parametrize("inner", ["droste", "kaleidoscope", "twist"])
def test_a_field_is_finite_where_warps_run_away(name: str, inner: str) -> None:
    far = {"node": inner, "of": {"node": name}}
    for _ in range(3):
        far = {"node": "perspective", "tilt": 1.5, "of": far}

    picture = drawn(Program.from_json({"version": 1, "root": {"node": "palette", "of": far}}), SMALL)

    assert torch.isfinite(picture).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_small_picture_is_the_large_one_from_further_away(name: str) -> None:
    for values in variants(primitives()[name]):
        program = program_of(primitives()[name], **values)

        assert psnr_db(drawn(program, SMALL), shrunk(drawn(program, LARGE), SMALL)) >= 28.0, values


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_draws_what_single_frames_draw(name: str) -> None:
    from synesthete.generators.base import pixel_grid
    from synesthete.programs.draw import Drawing

    program = program_of(primitives()[name])
    drawing = Drawing(program)
    x, y = pixel_grid(SMALL, border=drawing.border)
    frame = torch.tensor([SMALL.pixel, 16 / 9, 1.0]).expand(2, 3)
    moments = [(signals_at(t), heard_at(t)) for t in (0.4, 1.3)]
    vectors = torch.stack([program.vectors(signals) for signals, _ in moments])
    tables = [torch.stack([heard[table] for _, heard in moments]) for table in drawing.hears]

    batch = drawing.paint(x, y, torch.cat([frame, vectors], 1), *tables)

    for k, (signals, heard) in enumerate(moments):
        single = drawn(program, SMALL, signals=signals, heard=heard)
        torch.testing.assert_close(batch[k], single, atol=2e-5, rtol=0)
