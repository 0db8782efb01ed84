"""The small pictures that glow and feedback look at."""

import torch

from made_programs import heard_at, signals_at
from synesthete.programs.clips import draw_clips
from synesthete.programs.maps import _gauss
from synesthete.programs.program import Program


def test_a_blur_keeps_light_and_holds_no_numbers_too_small_to_compute_with() -> None:
    weights = _gauss(108, torch.tensor(1.7), torch.device("cpu"))

    assert abs(float(weights[54].sum()) - 1.0) < 1e-6
    smallest = weights[weights > 0].min()
    assert float(smallest) > torch.finfo(torch.float32).tiny


def test_glow_spreads_light_around_what_is_bright() -> None:
    bare = {"node": "palette", "light": 1.0, "of": {"node": "shape", "radius": 0.15}}
    pictures = []
    for root in (bare, {"node": "glow", "amount": 1.0, "radius": 0.3, "of": bare}):
        program = Program.from_json({"version": 1, "root": root})
        signals = {name: value.reshape(1, 1) for name, value in signals_at().items()}
        tables = {name: table[None, None] for name, table in heard_at().items()}
        pictures.append(draw_clips([program], signals, tables, size=(64, 36))[0, 0])
    added = (pictures[1] - pictures[0]).sum(0)

    assert float(added.min()) > -1e-5
    assert float(added[18, 20]) > 0.02  # beside the shape
    assert float(added[18, 20]) > 2 * float(added[1, 1])
