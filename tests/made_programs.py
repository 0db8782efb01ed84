"""Programs, music and pictures for tests of the visual language."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from synesthete.generators.base import Size, pixel_grid
from synesthete.programs.draw import Drawing
from synesthete.programs.heard import stereo_figure
from synesthete.programs.program import Program
from synesthete.programs.registry import Primitive

SIGNALS = ("energy", "body", "voice", "air", "spark", "pulse", "turn", "flow")


def heard_at(seconds: float = 1.0) -> dict[str, Tensor]:
    """Make the tables of one moment of a made-up song."""
    bands = torch.arange(64) / 63
    past = torch.stack([_spectrum(bands, seconds - k / 32) for k in range(128)])
    time = torch.arange(512) / 22050
    left = 0.6 * torch.sin(2 * math.pi * 220 * time) + 0.2 * torch.sin(2 * math.pi * 660 * time + seconds)
    right = 0.6 * torch.sin(2 * math.pi * 330 * time + 0.5 * seconds)
    wave = torch.stack([left, right])
    chroma = torch.tensor([1.0, 0.1, 0.2, 0.1, 0.7, 0.1, 0.05, 0.8, 0.1, 0.2, 0.1, 0.05])
    return {
        "spectrum": past[0],
        "wave": wave,
        "chroma": chroma,
        "past": past,
        "figure": stereo_figure(wave),
    }


def _spectrum(bands: Tensor, seconds: float) -> Tensor:
    hit = math.exp(-4 * (seconds % 0.5))
    return (0.75 - 0.5 * bands + 0.2 * torch.sin(9 * bands + 2 * seconds)) * (0.4 + 0.6 * hit)


def signals_at(seconds: float = 1.0) -> dict[str, Tensor]:
    """Make signals of one moment, each different."""
    values = {n: 0.5 + 0.45 * math.sin(2.1 * seconds + k) for k, n in enumerate(SIGNALS)}
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}


def minimal_node(primitive: Primitive, **values: Any) -> dict[str, Any]:
    """Give JSON of a node with plain children, its parameters at their defaults or as given."""
    leaf = {"node": "rings", "count": 2.0, "phase": 0.3}
    other = {"node": "rotate", "turn": 0.1, "of": {"node": "rings", "count": 3.0}}
    slots = list(primitive.slots)
    return {
        "node": primitive.name,
        **values,
        **{slot: (leaf if k == 0 else other) for k, slot in enumerate(slots)},
    }


def drawn(
    program: Program,
    size: Size,
    *,
    signals: Mapping[str, Tensor] | None = None,
    heard: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Draw one frame of a program that has no memory."""
    drawing = Drawing(program)
    x, y = pixel_grid(size, border=drawing.border)
    frame = torch.tensor([size.pixel, size.width / size.short, size.height / size.short])
    vector = torch.cat([frame, program.vectors(signals or signals_at())])
    tables = heard or heard_at()
    with torch.no_grad():
        return drawing.paint(x, y, vector, *(tables[name] for name in drawing.hears))


def shrunk(picture: Tensor, size: Size) -> Tensor:
    """Average a picture over areas."""
    return torch.nn.functional.interpolate(picture[None], (size.height, size.width), mode="area")[0]


def psnr_db(first: Tensor, second: Tensor) -> float:
    """Compare two pictures, display values."""
    error = float(((first - second) ** 2).mean())
    return 100.0 if error == 0 else -10 * math.log10(error)
