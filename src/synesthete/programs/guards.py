"""Guards of random programs: what is dead, blown out, deaf, or finer than pixels is drawn again.

A program is looked at in two made-up moments, a quiet and a loud one; what it remembers is left out.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.clips import draw_clips
from synesthete.programs.heard import stereo_figure
from synesthete.programs.program import Node, Program
from synesthete.programs.registry import Table

__all__ = ["Fault", "find_fault", "probe_tables"]

Fault = str
"""Why a program is refused: ``dead``, ``blown out``, ``deaf`` or ``too fine``."""

_SMALL, _LARGE = (128, 72), (1024, 576)
_LEVELS = (0.15, 0.9)
_LEAST_DB = 30.0
_LEAST_LIT, _LIT = 0.02, 0.06
_MOST_MEAN = 0.55
_LEAST_CHANGE = 0.008


def find_fault(program: Program) -> Fault | None:
    """Look at a program; None if it is fit to be seen."""
    plain = Program(_forgetful(program.root))
    small = _draw(plain, _SMALL)
    quiet, loud = small
    if float((loud.amax(0) > _LIT).float().mean()) < _LEAST_LIT:
        return "dead"
    if float(loud.mean()) > _MOST_MEAN:
        return "blown out"
    if float((loud - quiet).abs().mean()) < _LEAST_CHANGE:
        return "deaf"
    large = torch.nn.functional.interpolate(_draw(plain, _LARGE), small.shape[-2:], mode="area")
    error = float(((large - small) ** 2).mean((1, 2, 3)).max())
    return "too fine" if error > 10 ** (-_LEAST_DB / 10) else None


def _draw(program: Program, size: tuple[int, int]) -> Float[Tensor, "2 3 rows columns"]:
    levels = torch.tensor([_LEVELS], dtype=torch.float64)
    tables = {name: table[None] for name, table in probe_tables(_LEVELS).items()}
    return draw_clips(
        [program], dict.fromkeys(program.signals | {"energy"}, levels), tables, size=size, fine=None
    )[0]


def _forgetful(node: Node) -> Node:
    """Leave out glow and feedback."""
    if node.primitive.family == "memory":
        return _forgetful(node.children["of"])
    children = {slot: _forgetful(child) for slot, child in node.children.items()}
    return Node(node.primitive, node.values, children, node.given)


def probe_tables(levels: tuple[float, ...]) -> dict[Table, Float[Tensor, "moments *entries"]]:
    """Make the tables of moments that are as loud as is said, 0-1: a falling spectrum and two tones."""
    loud = torch.tensor(levels)[:, None]
    bands = torch.arange(64) / 63
    shape = 0.9 - 0.5 * bands + 0.1 * torch.sin(9 * bands)
    pulse = 0.55 + 0.45 * torch.cos(2 * math.pi * torch.arange(128) / 16)
    time = torch.arange(512) / 22_050
    left = 0.8 * torch.sin(2 * math.pi * 220 * time) + 0.2 * torch.sin(2 * math.pi * 660 * time)
    wave = loud[:, :, None] * torch.stack([left, torch.sin(2 * math.pi * 330 * time)])
    chroma = torch.tensor([1.0, 0.1, 0.2, 0.1, 0.7, 0.1, 0.05, 0.8, 0.1, 0.2, 0.1, 0.05])
    return {
        "spectrum": loud * shape,
        "past": loud[:, :, None] * (pulse[:, None] * shape),
        "chroma": loud * chroma,
        "wave": wave,
        "figure": stereo_figure(wave),
    }
