"""Draw the cells of a sheet: each a small film of the song's telling moments, kept singly to be resumed."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import torch
import yaml

from synesthete.audio.timeline import Timeline
from synesthete.config.preset import Preset, with_files_beside
from synesthete.config.render import RenderOptions
from synesthete.files import whole_file, write_whole
from synesthete.generators.base import Size
from synesthete.generators.build import build_generator, score_preset
from synesthete.generators.fuse import Fuser
from synesthete.generators.quantise import Quantiser
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.images import contact_sheet, write_png
from synesthete.render.explore.looks import Look
from synesthete.render.segments import Interrupted
from synesthete.render.threads import single_threaded

__all__ = ["CELL_RATE", "CELL_SIZE", "CellFiles", "draw_cells", "preset_text", "stretches", "write_preset"]

CELL_SIZE: Final = Size(256, 144)
CELL_RATE: Final = Fraction(15)
"""Of the cells' films, frames per second."""

_STRETCH_S: Final = 3
_BEFORE_S: Final = 1.0
_VIDEO: Final = VideoSettings(encoder="libx264", crf=23, speed="medium")


class CellFiles:
    """Where a cell's files lie: its preset, its picture, its film.

    Parameters
    ----------
    folder
        Of the cells.
    number
        From 1.
    """

    def __init__(self, folder: Path, number: int) -> None:
        name = f"cell-{number:03d}"
        self.preset = folder / f"{name}.yaml"
        self.picture = folder / f"{name}.png"
        self.film = folder / f"{name}.mp4"

    @property
    def finished(self) -> bool:
        """Say whether all of them are there; files appear whole, the film last."""
        return self.preset.is_file() and self.picture.is_file() and self.film.is_file()


def stretches(moments: Sequence[float], frames: int) -> list[range]:
    """Give the frames around each moment: three seconds, or as much as the song has."""
    count = min(frames, round(_STRETCH_S * CELL_RATE))
    starts = [round((moment - _BEFORE_S) * CELL_RATE) for moment in moments]
    return [range(start, start + count) for start in (max(0, min(s, frames - count)) for s in starts)]


def draw_cells(
    looks: Sequence[Look],
    timeline: Timeline,
    moments: Mapping[str, float],
    folder: Path,
    *,
    workers: int,
    workspace: Path,
    on_cell: Callable[[int], None] = lambda done: None,
) -> list[CellFiles]:
    """Draw what is missing of every cell.

    Parameters
    ----------
    moments
        Seconds by name; a cell's picture shows four of them, in reading order.
    workspace
        What learned generators compute is kept in its ``cache``.
    on_cell
        Called with the number of finished cells.

    Raises
    ------
    SynestheteError
        If a cell can't be drawn; what is finished stays.
    """
    files = [CellFiles(folder, number) for number in range(1, len(looks) + 1)]
    waiting = [(look, own) for look, own in zip(looks, files, strict=True) if not own.finished]
    done = len(files) - len(waiting)
    stop = threading.Event()
    # A kernel for each cell would cost more than all its frames.
    options = RenderOptions(kernels="eager", workspace=workspace)
    on_cell(done)
    with single_threaded(), ThreadPoolExecutor(max(1, workers), thread_name_prefix="cell") as pool:
        try:
            drawn = [pool.submit(_draw, look, own, timeline, moments, options, stop) for look, own in waiting]
            for future in as_completed(drawn):
                future.result()
                done += 1
                on_cell(done)
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return files


def preset_text(preset: Preset, *, named: bool = True) -> str:
    """Write a preset as `synesthete.config.preset.load_preset` reads it: what differs from the defaults.

    Without its name it will be called as its file is.
    """
    values: dict[str, Any] = preset.model_dump(mode="json", exclude_defaults=True)
    if not named:
        del values["name"]
    heads = [key for key in ("name", "summary", "generator", "seed", "style") if key in values]
    ordered: dict[str, Any] = {key: values.pop(key) for key in heads}
    ordered.update(values)
    return yaml.safe_dump(ordered, sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)


def write_preset(target: Path, preset: Preset, *, named: bool = True) -> None:
    """Write a preset's file, whole, after the files that it brings along."""
    write_whole(target, preset_text(with_files_beside(preset, target), named=named).encode())


def _draw(
    look: Look,
    files: CellFiles,
    timeline: Timeline,
    moments: Mapping[str, float],
    options: RenderOptions,
    stop: threading.Event,
) -> None:
    torch.set_num_threads(1)
    generator = build_generator(look.preset, options, Fuser(Path(), wanted=False))
    trajectory = score_preset(look.preset, generator, timeline, frame_rate=CELL_RATE)
    generator.prepare(trajectory, CELL_SIZE)
    quantiser = Quantiser(CELL_SIZE)
    stills = []
    with whole_file(files.film) as part:
        writer = SegmentWriter(
            part, width=CELL_SIZE.width, height=CELL_SIZE.height, frame_rate=CELL_RATE, settings=_VIDEO
        )
        with writer:
            for moment, frames in zip(
                moments.values(), stretches(list(moments.values()), trajectory.frames), strict=True
            ):
                still = min(max(round(moment * CELL_RATE), frames.start), frames.stop - 1)
                drawn = generator.frames(trajectory, frames.start, frames.stop, CELL_SIZE)
                for frame, rgb in zip(frames, drawn, strict=True):
                    if stop.is_set():
                        raise Interrupted
                    writer.write(quantiser.yuv420(rgb.cpu()).numpy())
                    if frame == still:
                        stills.append(quantiser.rgb8(rgb.cpu()).numpy())
        write_png(files.picture, contact_sheet(stills, columns=2))
        write_preset(files.preset, look.preset)
