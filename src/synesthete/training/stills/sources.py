"""Where stills come from: one interface, and the source that needs nothing, which draws by programs."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from synesthete.config.stills import BUCKETS
from synesthete.generators.threads import single_threaded
from synesthete.programs.catalogue import catalogue_size
from synesthete.programs.clips import draw_clips
from synesthete.programs.grid import Grid
from synesthete.programs.guards import probe_tables
from synesthete.programs.program import Program
from synesthete.seeding import generator_for
from synesthete.training.programs import program_of
from synesthete.training.stills.colour import bloomed, coloured, developed, drawn_palette, lit
from synesthete.training.stills.fields import colour_field, interference, monochrome_noise, relief
from synesthete.training.stills.glitch import (
    block_shifts,
    channel_offsets,
    databend,
    pixel_sort,
    scan_lines,
)
from synesthete.training.stills.gray_scott import REGIONS, simulate
from synesthete.training.stills.textures import clouds, mesh, stretched, vignette

__all__ = ["ProgramSource", "Still", "StillSource"]

_VERSION: Final = 2
"""Of the pictures: others are another dataset."""

_CELLS: Final = 192
"""Of the simulation, along each side; whatever the picture's size."""

_MOST_SOWN: Final = 6
_ALIVE, _LEAST_ALIVE = 0.1, 0.02

_VARIATION: Final = 0.35
_TRAIL_FRAMES: Final = 45
_MOST_SEED: Final = 2**62

# A loud moment: how high each envelope stands.
_LOUD: Final = {
    "energy": (0.75, 1.0), "body": (0.6, 1.0), "voice": (0.5, 1.0), "air": (0.4, 0.9), "spark": (0.1, 0.7),
    "pulse": (0.1, 0.7),
}  # fmt: skip
_TURNING: Final = ("flow", "turn", "bars", "part")
_PACE: Final = {"flow": 0.12, "turn": 0.02}
"""Turns a second, for what remembers."""

Rgb = Float[Tensor, "3 rows columns"]
Drawn = tuple[Rgb, dict[str, Any]]


class Still(NamedTuple):
    """A picture, sRGB, and what is known of how it was made, as JSON has it."""

    picture: UInt8[np.ndarray, "height width 3"]
    facts: Mapping[str, Any]


class StillSource(Protocol):
    """Draws stills: each a pure function of the seed that the source was made with, a bucket and an index."""

    @property
    def buckets(self) -> tuple[str, ...]:
        """Name the buckets that it can draw."""
        ...

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Say, as JSON has it, what all its pictures depend on."""
        ...

    def draw(self, bucket: str, index: int) -> Still:
        """Draw a still: ``index`` is 0 and upward."""
        ...


class ProgramSource:
    """Draws by programs of the visual language, simulations, fields and glitches; on a CPU, offline.

    Parameters
    ----------
    seed
        0 to 2**63 - 1.
    size
        Side of the pictures, pixels.
    """

    def __init__(self, seed: int, size: int) -> None:
        self._seed, self._size = seed, size

    @property
    def buckets(self) -> tuple[str, ...]:
        """Name the buckets that it can draw."""
        return BUCKETS

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Say what all its pictures depend on."""
        return {"source": "programs", "version": _VERSION, "seed": self._seed, "size": self._size}

    def draw(self, bucket: str, index: int) -> Still:
        """Draw a still of one of `BUCKETS`."""
        with single_threaded():  # sums of blurs and splines have other last bits on several
            draw = generator_for(self._seed, f"stills.{bucket}", index)
            picture, facts = _PAINTERS[bucket](self._size, draw)
            dither = generator_for(self._seed, f"stills.{bucket}.dither", index)
            # Pictures of programs, and what is made from them, are toned already.
            return Still(developed(picture, dither, toned=bucket not in _TONED), facts)


def _field(
    paint: Callable[[Grid, np.random.Generator], Drawn],
) -> Callable[[int, np.random.Generator], Drawn]:
    def painted(size: int, draw: np.random.Generator) -> Drawn:
        grid = Grid.of((size, size), 0)
        picture, facts = paint(grid, draw)
        return grid.pixels(picture), facts

    return painted


def _abstract(size: int, draw: np.random.Generator) -> Drawn:
    """Draw a program of the visual language in a loud moment."""
    number, variation = int(draw.integers(catalogue_size())), int(draw.integers(_MOST_SEED))
    program = program_of(number, variation=_VARIATION, seed=variation)
    picture = _loud_moment(program, size, draw)
    words = dict.fromkeys(node.primitive.name for node in program.root.walk())
    return picture, {"program": number, "words": list(words)}


def _loud_moment(program: Program, size: int, draw: np.random.Generator) -> Rgb:
    trails = any(node.primitive.name == "feedback" for node in program.root.walk())
    frames = _TRAIL_FRAMES if trails else 1
    ahead = torch.arange(1 - frames, 1, dtype=torch.float64) / 30.0
    levels = {name: float(draw.uniform(*span)) for name, span in _LOUD.items()}
    places = {name: float(draw.uniform(0.0, 12.0)) for name in _TURNING}
    wander = {name: float(draw.uniform(-1.0, 1.0)) for name in ("drift", "sway", "sweep")}
    still = {**levels, **places, **wander}
    signals = {
        name: (still.get(name, 0.3) + _PACE.get(name, 0.0) * ahead)[None]
        for name in sorted(program.signals | {"energy"})
    }
    heard = {
        table: values.expand(frames, *values.shape[1:])[None]
        for table, values in probe_tables((levels["energy"],)).items()
    }
    clips = draw_clips(
        [program], signals, heard, size=(size, size), fine=None, before=frames - 1, map_share=0.7
    )
    return clips[0, 0]


def _reaction_diffusion(size: int, draw: np.random.Generator) -> Drawn:
    """Let a pattern grow from a few seeds, and light it."""
    letter, v = _grown(draw)
    region = REGIONS[letter]
    # Once around the torus, so that the spline meets itself at the borders.
    margin = 4
    around = functional.pad(v[None, None], (margin,) * 4, mode="circular")
    grid = Grid.of((size, size), 0)
    scale = grid.columns / _CELLS
    side = round((_CELLS + 2 * margin) * scale)
    wide = functional.interpolate(around, (side, side), mode="bicubic", align_corners=False, antialias=True)
    edge = (side - grid.columns) // 2
    height = wide[0, 0, edge : edge + grid.rows, edge : edge + grid.columns].clamp(min=0.0)
    height = height / height.max().clamp(min=0.05)
    if float(height.median()) > 0.6:  # holes in a sheet: light what is seldom
        height = (1.0 - height) / (1.0 - height.min()).clamp(min=0.05)
    x, y = mesh(grid.x, grid.y)
    name, stops = drawn_palette(draw)
    shade, gloss = lit(
        height, grid.pixel, depth=float(draw.uniform(0.03, 0.07)), angle=float(draw.uniform(0, 6.28))
    )
    slow = stretched(
        clouds(0.6 * x, 0.6 * y, float(draw.integers(900)), 0.6 * grid.pixel, octaves=2), 0.05, 0.95
    )
    at = draw.uniform(-0.4, 0.4, 2)
    light = 0.12 + 0.88 * vignette(x, y, at=(float(at[0]), float(at[1])), inner=0.2, outer=1.75)
    turn = float(draw.uniform(25.0, 75.0)) * (1.0 if draw.random() < 0.5 else -1.0)
    turned = [(bright, chroma, hue + turn) for bright, chroma, hue in stops]
    value = 0.95 * height**1.2
    picture = torch.lerp(coloured(value, stops), coloured(value, turned), slow) * (1.1 * shade * light)
    accent = coloured(torch.full_like(x, 0.9), stops)
    picture = bloomed(picture + accent * (gloss * light * height), 0.6)
    facts = {"region": letter, "feed": region.feed, "kill": region.kill, "palette": name}
    return grid.pixels(picture), facts


def _grown(draw: np.random.Generator) -> tuple[str, Float[Tensor, "rows columns"]]:
    """Let a pattern grow in one of Pearson's regions; what dies out is sown again, in another."""
    cells = Grid.of((_CELLS, _CELLS), 0, fine=1)
    x, y = mesh(cells.x, cells.y)
    letters = sorted(REGIONS)
    letter, v = letters[0], torch.zeros_like(x)
    for _ in range(_MOST_SOWN):
        letter = letters[int(draw.integers(len(letters)))]
        region = REGIONS[letter]
        uneven = clouds(0.7 * x, 0.7 * y, float(draw.integers(900)), 0.7 * cells.pixel, octaves=2) - 0.5
        feed = region.feed * (1.0 + float(draw.uniform(0.0, 0.12)) * uneven)
        _, v = simulate(_sown(x, y, draw), feed=feed, kill=region.kill, steps=region.steps)
        if float((v > _ALIVE).float().mean()) > _LEAST_ALIVE:
            break
    return letter, v


def _sown(x: Tensor, y: Tensor, draw: np.random.Generator) -> Float[Tensor, "rows columns"]:
    """Sow what a pattern grows from: a scatter of spots, rings, a spiral of spots, or a cloud."""
    kind = ("scatter", "rings", "spiral", "cloud")[int(draw.integers(4))]
    speckle = torch.from_numpy(draw.random(x.shape, dtype=np.float32))
    if kind == "cloud":
        sown = (clouds(2.5 * x, 2.5 * y, float(draw.integers(900)), 0.03) > 0.56).float()
    elif kind == "rings":
        at = draw.uniform(-0.3, 0.3, 2)
        distance = torch.sqrt((x - float(at[0])) ** 2 + (y - float(at[1])) ** 2)
        gap = float(draw.uniform(0.2, 0.45))
        sown = (torch.remainder(distance, gap) < 0.06).float() * (distance < float(draw.uniform(0.5, 1.2)))
    else:
        count = int(draw.integers(6, 40))
        sown = torch.zeros_like(x)
        for k in range(count):
            if kind == "spiral":
                reach, angle = 0.95 * (k / count) ** 0.6, 2.39996 * k  # the golden angle
                at_x, at_y = reach * np.cos(angle), reach * np.sin(angle)
            else:
                at_x, at_y = draw.normal(0.0, 0.45, 2)
            sown = torch.maximum(
                sown,
                (
                    (x - float(at_x)) ** 2 + (y - float(at_y)) ** 2 < float(draw.uniform(0.035, 0.085)) ** 2
                ).float(),
            )
    return sown * (0.85 + 0.3 * speckle).clamp(max=1.0)


def _glitch(size: int, draw: np.random.Generator) -> Drawn:
    """Draw another picture, and break it."""
    bases = ("abstract", "abstract", "interference", "relief", "colour-field")
    base = bases[int(draw.integers(len(bases)))]
    picture, facts = _PAINTERS[base](size, draw)
    picture = picture.clamp(0.0, 1.0)
    done: list[str] = []
    steps: Mapping[str, tuple[float, Callable[[Rgb], Rgb]]] = {
        "pixel sort": (0.55, lambda p: pixel_sort(
            p, low=float(draw.uniform(0.03, 0.15)), high=float(draw.uniform(0.55, 1.0)),
            downward=bool(draw.random() < 0.5), longest=float(draw.uniform(0.15, 0.6)),
        )),
        "databend": (0.6, lambda p: databend(p, draw, blocks=int(draw.integers(4, 16)))),
        "block shifts": (0.85, lambda p: block_shifts(
            p, draw, count=int(draw.integers(6, 20)), reach=float(draw.uniform(0.08, 0.35))
        )),
        "channel offsets": (0.8, lambda p: channel_offsets(p, draw)),
        "scan lines": (0.4, lambda p: scan_lines(p, draw, lines=int(draw.choice([60, 90, 120])))),
    }  # fmt: skip
    for name, (share, apply) in steps.items():
        if draw.random() < share or (name == "channel offsets" and not done):
            picture = apply(picture)
            done.append(name)
    return picture, {"of": base, **facts, "glitches": done}


_PAINTERS: Final[Mapping[str, Callable[[int, np.random.Generator], Drawn]]] = {
    "abstract": _abstract,
    "colour-field": _field(colour_field),
    "glitch": _glitch,
    "interference": _field(interference),
    "monochrome-noise": _field(monochrome_noise),
    "reaction-diffusion": _reaction_diffusion,
    "relief": _field(relief),
}
_TONED: Final = ("abstract", "glitch")
