"""Show what the training data looks and sounds like: a contact sheet, clips with their sound, programs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw

from synesthete.audio.columns import BANDS, COLUMN_NAMES
from synesthete.clock import ANALYSIS_SAMPLE_RATE, samples_at
from synesthete.config.data import DataConfig
from synesthete.files import make_folder, write_json
from synesthete.media.images import contact_sheet, write_png
from synesthete.programs.program import Program
from synesthete.training.clip_film import write_clip_film
from synesthete.training.items import Item, frame_rows, make_items
from synesthete.training.music import Music
from synesthete.training.plan import plan_clip
from synesthete.training.songs import Songs

__all__ = ["Preview", "clips_sheet", "write_preview"]

_ROW_WIDTH: Final = 1_024
_ROW_HEIGHT: Final = 128
_BAND_HEIGHT: Final = 5  # pixels of the strip for each band
_LEVEL_HEIGHT: Final = 24
_FILM_SHORT: Final = 384
_GAP: Final = (18, 18, 20)
_BEAT: Final = (255, 255, 255)
_LEVEL: Final = (232, 168, 66)
_SILENCE: Final = (60, 66, 92)

Picture = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Preview:
    """What was written: the sheet, a film of each clip, and each clip's program."""

    sheet: Path
    films: tuple[Path, ...]
    programs: tuple[Path, ...]


def write_preview(
    config: DataConfig,
    folder: Path,
    *,
    count: int,
    music: Music | None = None,
    on_clip: Callable[[int, int], None] = lambda done, of: None,
) -> Preview:
    """Write ``sheet.png``, ``clip-N.mp4`` and ``program-N.json`` for some items, each of another song.

    Parameters
    ----------
    folder
        Where they go.
    count
        How many, 1 or more.
    music
        The opened folder of recorded music, if some is mixed in.
    on_clip
        Is told how many are done, and of how many.

    Raises
    ------
    OutputError, RenderError
        If they can't be written.
    """
    make_folder(folder)
    # What is not shown would be made for nothing.
    shown = config.model_copy(update={"style_frames": 0, "crops": 0, "embedding": "none"})
    songs = Songs(shown, music)
    items, films, programs = [], [], []
    for place in range(count):
        on_clip(place, count)
        (item,) = make_items(shown, [place * config.clips_per_song], songs)
        items.append(item)
        films.append(folder / f"clip-{item.number}.mp4")
        _write_film(films[-1], config, item, songs)
        programs.append(folder / f"program-{item.number}.json")
        write_json(
            programs[-1],
            {
                "program": json.loads(item.program),
                "number": item.program_number,
                "facts": json.loads(item.facts),
            },
        )
    sheet = folder / "sheet.png"
    write_png(sheet, clips_sheet(config, items, title=f"training clips   seed {config.seed}"))
    on_clip(count, count)
    return Preview(sheet, tuple(films), tuple(programs))


def clips_sheet(config: DataConfig, items: list[Item], *, title: str | None = None) -> Picture:
    """Lay clips out, one a row: some of its frames, and below them what is heard over the whole clip.

    The strip shows the eight bands, the highest on top, then loudness; silence is blue, beats are lines.
    """
    rows = [_row(config, item) for item in items]
    return contact_sheet(rows, columns=1, labels=[_label(item) for item in items], title=title)


def _row(config: DataConfig, item: Item) -> Picture:
    frames = item.frames.permute(0, 2, 3, 1).numpy()
    width = round(_ROW_HEIGHT * frames.shape[2] / frames.shape[1])
    shown = min(len(frames), _ROW_WIDTH // width)
    chosen = [len(frames) * (2 * place + 1) // (2 * shown) for place in range(shown)]
    pictures = [
        np.asarray(Image.fromarray(frames[frame]).resize((width, _ROW_HEIGHT), Image.Resampling.LANCZOS))
        for frame in chosen
    ]
    row = np.concatenate(pictures, axis=1)
    row[:, [edge for place in range(1, shown) for edge in (place * width - 1, place * width)]] = _GAP
    return np.concatenate([row, _strip(config, item, row.shape[1])], axis=0)


def _strip(config: DataConfig, item: Item, width: int) -> Picture:
    rows, frames = frame_rows(config, item).numpy(), len(item.frames)
    bands = np.stack([_column(rows, f"band_{band}") for band in reversed(range(BANDS))])
    image = Image.new("RGB", (width, BANDS * _BAND_HEIGHT + _LEVEL_HEIGHT), _GAP)
    heat = Image.fromarray(_heat(bands)).resize((width, BANDS * _BAND_HEIGHT), Image.Resampling.NEAREST)
    image.paste(heat, (0, 0))
    draw = ImageDraw.Draw(image)
    edges = np.linspace(0, width, frames + 1).round().astype(int)
    for frame in range(frames):
        left, right = int(edges[frame]), int(edges[frame + 1]) - 1
        if _column(rows, "silence")[frame] > 0.5:
            draw.rectangle((left, image.height - _LEVEL_HEIGHT, right, image.height), fill=_SILENCE)
        level = round(_LEVEL_HEIGHT * float(_column(rows, "loudness")[frame]))
        if level:
            draw.rectangle((left, image.height - level, right, image.height), fill=_LEVEL)
    for moment in _beats(item):
        place = round(width * moment * config.frame_rate / frames)
        draw.line((place, 0, place, image.height), fill=_BEAT)
    return np.asarray(image)


def _heat(levels: Float32[np.ndarray, "bands frames"]) -> Picture:
    """Colour levels of 0-1: black, violet, orange, white."""
    stops = np.array([[8, 8, 16], [74, 28, 110], [222, 90, 60], [255, 214, 120], [255, 255, 240]], np.float32)
    channels = [np.interp(levels, np.linspace(0, 1, len(stops)), stops[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _column(rows: Float32[np.ndarray, "frames columns"], name: str) -> Float32[np.ndarray, " frames"]:
    column: Float32[np.ndarray, " frames"] = rows[:, COLUMN_NAMES.index(name)]
    return column


def _beats(item: Item) -> list[float]:
    facts = json.loads(item.facts)
    return list(facts["truth"]["beats"]) if "truth" in facts else []


def _label(item: Item) -> str:
    facts = json.loads(item.facts)
    if "truth" in facts:
        truth = facts["truth"]
        heard = f"{truth['genre']}, {truth['tempo']:.0f} bpm, {truth['metre']} beats, {truth['key']}"
    else:
        heard = facts["real"]["file"]
    what = f"program {item.program_number}" if item.program_number >= 0 else "reactive"
    words = (node.primitive.name for node in Program.from_text(item.program).root.walk())
    return (
        f"{item.number}   {heard}, from {facts['start_s']:.1f} s   {what}: {', '.join(dict.fromkeys(words))}"
    )


def _write_film(path: Path, config: DataConfig, item: Item, songs: Songs) -> None:
    """Write a clip with its sound; pixels are enlarged, not smoothed."""
    frames = item.frames
    scale = max(1, round(_FILM_SHORT / min(frames.shape[2:])))
    plan = plan_clip(config, item.number)
    start = samples_at(plan.first_frame / config.rate, ANALYSIS_SAMPLE_RATE)
    stop = start + samples_at(len(frames) / config.rate, ANALYSIS_SAMPLE_RATE)
    heard = songs.song(plan.song).sound[:, start:stop]
    large = (
        frame.repeat_interleave(scale, dim=1).repeat_interleave(scale, dim=2)
        for frame in frames.float() / 255
    )
    write_clip_film(path, large, heard, frame_rate=config.rate)
