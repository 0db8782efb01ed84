"""Items and batches of the training data: what a clip looks like, what is heard around it, and its style."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float16, Float32, Int64, UInt8
from torch import Tensor

from synesthete.clock import Clock
from synesthete.config.data import BUCKETS, DataConfig
from synesthete.generators.hearing import hear_moments, sources
from synesthete.programs.clips import ClipPainter, Crop
from synesthete.programs.program import Program
from synesthete.seeding import generator_for
from synesthete.training.facts import facts_of
from synesthete.training.plan import ClipPlan, partner_of, plan_clip
from synesthete.training.programs import program_of, style_of
from synesthete.training.songs import Song, Songs, SongSource

__all__ = [
    "Batch", "Item", "frame_rows", "make_batch", "make_items", "make_planned", "rows_of", "stack",
    "style_places",
]  # fmt: skip


_NO_LATENTS: Final = torch.zeros(0, 1, 1, 1, dtype=torch.float16)


class Item(NamedTuple):
    """A clip, aligned with what is heard.

    Attributes
    ----------
    number
        The item's number.
    frames
        Display RGB, ``(frames, 3, height, width)``.
    rows
        The Timeline, columns in the order of `synesthete.audio.columns.COLUMN_NAMES`: ``rows_per_frame`` for
        each of the clip's frames, the first at its moment, and for ``context_frames`` more on each side.
        With an ``embedding``, its numbers at the same moments stand in ``embedding_size`` more columns
        behind them.
    style_frames
        Frames of another moment of the same song in the same program.
    style
        The style that the program was sampled with.
    program_number
        In the catalogue; -1 and downward: a reactive program.
    program
        The program as JSON text.
    facts
        JSON text of what is known about the clip, moments in seconds from its first frame: see
        `synesthete.training.facts.facts_of`.
    crops
        Rectangles of frames as they are at larger sizes.
    crop_places
        For each of them: its frame, the whole picture's width and height, and where its left and its top
        are; pixels.
    latents
        The means of the frames' latents, where they are kept instead of the frames.
    """

    number: int
    frames: UInt8[Tensor, "frames 3 height width"]
    rows: Float32[Tensor, "rows columns"]
    style_frames: UInt8[Tensor, "style_frames 3 height width"]
    style: Float32[Tensor, " axes"]
    program_number: int
    program: str
    facts: str
    crops: UInt8[Tensor, "crops 3 side side"]
    crop_places: Int64[Tensor, "crops 5"]
    latents: Float16[Tensor, "#frames latents h w"] = _NO_LATENTS


class Batch(NamedTuple):
    """Items of one shape, stacked; the fields are those of `Item`."""

    number: Int64[Tensor, " items"]
    frames: UInt8[Tensor, "items frames 3 height width"]
    rows: Float32[Tensor, "items rows columns"]
    style_frames: UInt8[Tensor, "items style_frames 3 height width"]
    style: Float32[Tensor, "items axes"]
    program_number: Int64[Tensor, " items"]
    program: tuple[str, ...]
    facts: tuple[str, ...]
    crops: UInt8[Tensor, "items crops 3 side side"]
    crop_places: Int64[Tensor, "items crops 5"]
    latents: Float16[Tensor, "items #frames latents h w"]

    @property
    def clip_frames(self) -> int:
        """Count the frames of a clip."""
        return max(self.frames.shape[1], self.latents.shape[1])

    def first(self, count: int) -> "Batch":
        """Give the first few of its items."""
        fields: dict[str, Any] = {name: values[:count] for name, values in self._asdict().items()}
        return Batch(**fields)


def make_batch(config: DataConfig, number: int, songs: Songs, *, device: torch.device | str = "cpu") -> Batch:
    """Make a batch: items ``number * batch_size`` and the following ones, all of one shape."""
    first = number * config.batch_size
    return stack(make_items(config, range(first, first + config.batch_size), songs, device=device))


def stack(items: Sequence[Item]) -> Batch:
    """Stack items of one shape."""
    fields = dict(zip(Item._fields, zip(*items, strict=True), strict=True))
    stacked: dict[str, Any] = {
        name: torch.stack(values) if isinstance(values[0], Tensor) else values
        for name, values in fields.items()
    }
    for name in ("number", "program_number"):
        stacked[name] = torch.tensor(fields[name])
    return Batch(**stacked)


def make_items(
    config: DataConfig, numbers: Iterable[int], songs: Songs, *, device: torch.device | str = "cpu"
) -> list[Item]:
    """Make items.

    Parameters
    ----------
    numbers
        Which, 0 and upward. On a CPU an item is the same, to the bit, alone and among others.
    songs
        Makes the songs, and keeps the last.
    device
        Where to draw; what comes back is on the CPU.
    """
    plans = [plan_clip(config, number) for number in numbers]
    return make_planned(config, plans, songs, device=device)


def make_planned(
    config: DataConfig, plans: Sequence[ClipPlan], songs: SongSource, *, device: torch.device | str = "cpu"
) -> list[Item]:
    """Make the items of given plans: any program to any moment of any song.

    Style frames are those of the item that the configuration has at the partner's number.
    """
    heard = dict(zip((plan.song for plan in plans), songs.several(plan.song for plan in plans), strict=True))
    drawn: dict[ClipPlan, _Drawn] = {}

    def clip(plan: ClipPlan) -> _Drawn:
        if plan not in drawn:
            drawn[plan] = _Drawn(config, plan, heard[plan.song], device)
        return drawn[plan]

    items = []
    for plan in plans:
        own, song = clip(plan), heard[plan.song]
        shown = own.frames[:0]
        if config.style_frames:
            other = clip(plan_clip(config, partner_of(plan.number)))
            shown = other.frames[style_places(config)]
        crops, places = own.crops()
        items.append(
            Item(
                number=plan.number,
                frames=own.frames,
                rows=rows_of(config, plan, song),
                style_frames=shown,
                style=torch.tensor(style_of(plan.program), dtype=torch.float32),
                program_number=plan.program,
                program=json.dumps(own.program.to_json(), allow_nan=False),
                facts=json.dumps(facts_of(config, plan, song), allow_nan=False),
                crops=crops,
                crop_places=places,
            )
        )
    return items


def style_places(config: DataConfig) -> Int64[Tensor, " style_frames"]:
    """Say which frames of a clip show its style to its partner."""
    return ((torch.arange(config.style_frames) + 0.5) * (config.clip_frames / config.style_frames)).long()


def frame_rows(config: DataConfig, item: Item) -> Float32[Tensor, "frames columns"]:
    """Give the row at each of an item's frames."""
    first, each = config.context_frames, config.rows_per_frame
    return item.rows[first * each : (first + len(item.frames)) * each : each]


def rows_of(config: DataConfig, plan: ClipPlan, song: Song) -> Float32[Tensor, "rows columns"]:
    """Give the rows of a clip's song around it; see `Item`."""
    around = config.context_frames
    start, stop = plan.first_frame - around, plan.first_frame + config.clip_frames + around
    each = config.rows_per_frame
    rate, first, last = config.rate * each, start * each, stop * each
    rows = torch.from_numpy(song.timeline.at_frames(rate, start=first, stop=last))
    if song.embeddings is None:
        return rows
    heard = song.embeddings.at(Clock(rate).moments(first, last))
    return torch.cat([rows, torch.from_numpy(heard)], dim=1)


class _Drawn:
    """A clip's pictures.

    Each clip is drawn by itself: programs seldom share their structure, and vector units give other last
    bits to batches of other shapes.
    """

    def __init__(self, config: DataConfig, plan: ClipPlan, song: Song, device: torch.device | str) -> None:
        self._config, self._plan = config, plan
        self._size = BUCKETS[plan.bucket]
        self.program: Program = program_of(
            plan.program, variation=config.variation, seed=config.seed, pair=plan.pair
        )
        trails = any(node.primitive.name == "feedback" for node in self.program.root.walk())
        before = config.warm_up_frames if trails else 0
        first, stop = plan.first_frame - before, plan.first_frame + config.clip_frames
        moments = Clock(config.rate).moments(first, stop)
        names = self.program.signals | {"energy"}
        tables = self.program.hears
        heard = hear_moments(sources(song.timeline, tables), moments, tables)
        self._painter = ClipPainter(
            [self.program],
            {name: torch.from_numpy(song.signals.at(name, moments))[None] for name in names},
            {name: table[None] for name, table in zip(tables, heard, strict=True)},
            shape=self._size,
            frame_rate=config.rate,
            before=before,
            first_frame=first,
            map_share=config.map_share,
            trail_ticks=config.trail_ticks,
            device=device,
        )
        self.frames = _bytes(self._painter.frames(self._size)[0])

    def crops(self) -> tuple[UInt8[Tensor, "crops 3 side side"], Int64[Tensor, "crops 5"]]:
        """Paint the crops, and say where they lie."""
        side = self._config.crop_size
        draws = generator_for(self._config.seed, "data.crops", self._plan.number)
        pictures, places = [], []
        for _ in range(self._config.crops):
            frame = int(draws.integers(self._config.clip_frames))
            low, high = (math.log(scale) for scale in self._config.crop_scales)
            scale = math.exp(draws.uniform(low, high))
            width, height = (round(length * scale) for length in self._size)
            left, top = int(draws.integers(width - side + 1)), int(draws.integers(height - side + 1))
            crop = Crop((width, height), left, top, side, side)
            pictures.append(_bytes(self._painter.crop(0, frame, crop)))
            places.append((frame, width, height, left, top))
        if not pictures:
            return torch.zeros(0, 3, side, side, dtype=torch.uint8), torch.zeros(0, 5, dtype=torch.int64)
        return torch.stack(pictures), torch.tensor(places)


def _bytes(pictures: Tensor) -> Tensor:
    return (pictures * 255.0).round_().to(torch.uint8).cpu()
