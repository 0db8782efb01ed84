"""Guards of random programs: what is dead, blown out, deaf, or finer than pixels is drawn again.

A program is looked at in a few made-up moments, quiet and loud ones; what it remembers is left out.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.programs.clips import draw_clips
from synesthete.programs.heard import stereo_figure
from synesthete.programs.program import Node, Program
from synesthete.programs.registry import Table

__all__ = ["Fault", "find_fault", "find_flaw", "missing_stops", "probe_tables"]

Fault = Literal["dead", "blown out", "deaf", "too fine", "dim", "grey", "veiled", "strobing"]
"""Why a program is refused; `find_fault` looks for the first four, `find_flaw` for the others."""

_MOST_STOPS: Final = 3.0
_STOP_STEP: Final = 0.05

_SMALL, _LARGE = (128, 72), (1024, 576)
_LEVELS: Final = (0.15, 0.9)
_LEAST_DB: Final = 30.0
_LEAST_LIT, _LIT = 0.02, 0.06
_MOST_MEAN: Final = 0.55
_LEAST_CHANGE: Final = 0.008

# What a beautiful picture is not, in a moment as loud as most music is.
_USUAL: Final = 0.5
_BRIGHT, _LEAST_BRIGHT = 0.3, 0.02
_WANTED: Final = 0.4  # of the `_LEAST_BRIGHT` brightest
_LEAST_SATURATION: Final = 0.2
_DARK, _LEAST_DARK = 0.12, 0.15
_WHITE, _MOST_WHITE = 0.75, 0.05
_SAFE_STEP: Final = 0.07  # less than a flash, as the tone curve lifts what it did not bend before
_FLASH, _MOST_FLASHING = 0.1, 0.2  # a general flash begins at 0.1 of luminance on a quarter of the screen
_ENVELOPES: Final = frozenset({"energy", "body", "voice", "air", "spark", "pulse"})
_LUMINANCE: Final = torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]


def find_fault(program: Program) -> Fault | None:
    """Look at a program; None if it is fit to be seen."""
    plain = Program(_forgetful(program.root))
    signals = dict.fromkeys(plain.signals | {"energy"}, torch.tensor([_LEVELS], dtype=torch.float64))
    small = _draw(plain, _SMALL, signals, _LEVELS)
    quiet, loud = small
    if float((loud.amax(0) > _LIT).float().mean()) < _LEAST_LIT:
        return "dead"
    if float(loud.mean()) > _MOST_MEAN:
        return "blown out"
    if float((loud - quiet).abs().mean()) < _LEAST_CHANGE:
        return "deaf"
    large = torch.nn.functional.interpolate(
        _draw(plain, _LARGE, signals, _LEVELS), small.shape[-2:], mode="area"
    )
    error = float(((large - small) ** 2).mean((1, 2, 3)).max())
    return "too fine" if error > 10 ** (-_LEAST_DB / 10) else None


def find_flaw(program: Program) -> Fault | None:
    """Look at a program as at a film's picture; None if nothing speaks against it."""
    calm, struck, loud_calm, loud_struck = _usual_moments(program)
    brightest, greyest = calm.amax(0), calm.amin(0)
    if float((brightest > _BRIGHT).float().mean()) < _LEAST_BRIGHT:
        return "dim"
    seen = brightest > _LIT
    if float(((brightest - greyest) / brightest.clamp(min=_LIT))[seen].mean()) < _LEAST_SATURATION:
        return "grey"
    if float((loud_calm.amax(0) < _DARK).float().mean()) < _LEAST_DARK:
        return "veiled"
    if float((loud_struck.amin(0) > _WHITE).float().mean()) > _MOST_WHITE:
        return "blown out"
    if any(_flashing(*pair) > _MOST_FLASHING for pair in ((calm, struck), (loud_calm, loud_struck))):
        return "strobing"
    return None


def missing_stops(program: Program) -> float:
    """Give the stops by which a picture as loud as usual is to be exposed more, so that lights are lights.

    No more than onsets allow: light that they add must not become a flash. So it may be less than nothing.
    """
    calm, struck, loud_calm, loud_struck = _usual_moments(program)
    light = float(torch.quantile(calm.amax(0), 1.0 - _LEAST_BRIGHT))
    # Display values are roots of light: a stop doubles luminance.
    wanted = 2.0 * math.log2(_WANTED / max(light, 1e-3))
    steps = torch.stack([_step(calm, struck), _step(loud_calm, loud_struck)]).flatten(1)
    most = float(torch.quantile(steps, 1.0 - _MOST_FLASHING, 1).max())
    allowed = math.log2(_SAFE_STEP / max(most, 1e-3))
    stops = min(max(wanted, 0.0), _MOST_STOPS, max(allowed, -_MOST_STOPS))
    # Coarse, so that machines that differ in the last digit agree.
    return round(round(stops / _STOP_STEP) * _STOP_STEP, 2)


def _usual_moments(program: Program) -> Float[Tensor, "4 3 rows columns"]:
    """Draw a program as loud as most music is, without an onset and with one, and at its loudest."""
    levels = (_USUAL, _USUAL, 1.0, 1.0)
    onset, still = (torch.tensor([[0.1, 0.9, 0.1, 0.9]]), torch.tensor([[0.3, 0.3, 0.3, 0.3]]))
    names = program.signals | {"energy"}
    signals = {name: torch.tensor([levels]) for name in names}
    signals |= dict.fromkeys(names & {"spark", "pulse"}, onset)
    signals |= dict.fromkeys(names - _ENVELOPES, still)
    return _draw(Program(_forgetful(program.root)), _SMALL, signals, levels)


def _flashing(a: Float[Tensor, "3 rows columns"], b: Float[Tensor, "3 rows columns"]) -> float:
    """Give the share of a picture whose luminance an onset changes by as much as a flash does."""
    return float((_step(a, b) > _FLASH).float().mean())


def _step(
    a: Float[Tensor, "3 rows columns"], b: Float[Tensor, "3 rows columns"]
) -> Float[Tensor, "rows columns"]:
    """Give the change of luminance between two pictures."""
    first, second = ((_LUMINANCE * picture**2).sum(0) for picture in (a, b))
    return (first - second).abs()


def _draw(
    program: Program,
    size: tuple[int, int],
    signals: Mapping[str, Float[Tensor, "1 moments"]],
    levels: tuple[float, ...],
) -> Float[Tensor, "moments 3 rows columns"]:
    tables = {name: table[None] for name, table in probe_tables(levels).items()}
    return draw_clips([program], signals, tables, size=size, fine=None)[0]


def _forgetful(node: Node) -> Node:
    """Leave out glow and feedback."""
    if node.primitive.family == "memory":
        return _forgetful(node.children["of"])
    children = {slot: _forgetful(child) for slot, child in node.children.items()}
    return Node(node.primitive, node.values, children, node.given)


@cache
def probe_tables(levels: tuple[float, ...]) -> Mapping[Table, Float[Tensor, "moments *entries"]]:
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
